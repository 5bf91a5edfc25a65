//! What is asked of the decode worker and what it answers: one message an order, over the socket
//! that is its standard input, together with the open file and the pipe for the result. The
//! program itself is `tunelocker-worker`; nothing here knows libav.

use serde::{Deserialize, Serialize};

use super::tags::ReadOptions;

/// The largest message, in bytes, either way. A path alone may take 4 KiB.
pub const MESSAGE: usize = 64 << 10;

/// What the worker is to do with the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Decode it and write it to the pipe in another form.
    Transcode(Job),
    /// Say what it is and what it says about itself: an `Understood` as JSON on the pipe.
    Probe(Probe),
}

/// A file that the readers of tags do not understand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// Its path below its library; only names are guessed from it.
    pub relative_path: String,
    /// How to split names.
    pub options: ReadOptions,
}

/// A container with its codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// Opus in Ogg.
    Opus,
    /// MP3.
    Mp3,
    /// AAC-LC in ADTS.
    Adts,
    /// AAC-LC in fragmented MP4, or one fragment of it.
    M4a,
    /// FLAC, 16 or 24 bit.
    Flac,
    /// PCM in RIFF WAVE, little-endian.
    Wav,
    /// Bare PCM, 16 bit, big-endian.
    L16,
}

/// One piece of work. What is `None` the worker takes from the source, within what the output can
/// hold.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Job {
    /// The form of the result.
    pub output: Output,
    /// kbit/s, for lossy ones.
    pub bitrate_kbps: Option<u32>,
    /// Bits as the sound needs them, about so many on average. MP3 only.
    pub is_variable: bool,
    /// Every packet as large as the others, for lengths that are promised. Opus only: MP3 is so
    /// unless it is variable.
    pub is_rigid: bool,
    /// Hz.
    pub sample_rate: Option<u32>,
    /// 1, 2, or up to 8 for FLAC.
    pub channels: Option<u32>,
    /// 16 or 24, for FLAC and WAV.
    pub bit_depth: Option<u32>,
    /// Louder or softer by so many thousandths of a dB.
    pub gain_mdb: i32,
    /// Peaks that would clip are held down.
    pub is_limited: bool,
    /// Where to begin in the source, µs.
    pub start_us: u64,
    /// Where to end in the source, µs.
    pub end_us: Option<u64>,
    /// Only these packets of an M4A, which then needs a rate and a number of channels.
    pub cut: Option<Cut>,
}

/// A run of packets of what an encoder of AAC would make of a whole track. Each packet is 1024
/// samples; the first is the encoder's start-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Cut {
    /// Its number among the cuts, from 0.
    pub number: u32,
    /// The first packet.
    pub first: u64,
    /// How many.
    pub packets: u32,
    /// Samples a channel of the whole track, at the job's rate.
    pub total: u64,
}

/// What the worker says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// It is confined and waits for a job.
    Ready {
        /// The walls that stand, in words.
        layers: String,
    },
    /// The first sound is decoded; bytes follow on the pipe.
    Started {
        /// Exact length of the result in bytes, where it is known beforehand.
        len: Option<u64>,
        /// Hz of the result.
        sample_rate: u32,
        /// Channels of the result.
        channels: u32,
    },
    /// Everything is written.
    Done {
        /// Samples a channel in the result; 0 for a probe.
        frames: u64,
        /// What belongs over the first bytes of the result, known only now.
        head: Option<Vec<u8>>,
    },
    /// It will not do it; a sentence for people.
    Failed {
        /// Why.
        reason: String,
    },
}

/// Rates that MP3, AAC and every player of PCM can take, descending.
const COMMON_RATES: [u32; 9] =
    [48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000];

/// The common rate nearest to a source's: itself, or of its family (44.1 or 48 kHz) when it is
/// higher, or the next higher one.
#[must_use]
pub fn common_rate(rate: u32) -> u32 {
    if COMMON_RATES.contains(&rate) {
        rate
    } else if COMMON_RATES[0] < rate {
        if rate.is_multiple_of(11_025) { 44_100 } else { 48_000 }
    } else {
        COMMON_RATES.into_iter().rev().find(|common| rate < *common).unwrap_or(44_100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_stay_in_their_family() {
        for (rate, expected) in [
            (0, 8_000),
            (8_000, 8_000),
            (9_000, 11_025),
            (44_100, 44_100),
            (47_999, 48_000),
            (88_200, 44_100),
            (96_000, 48_000),
            (192_000, 48_000),
            (352_800, 44_100),
            (2_822_400, 44_100),
        ] {
            assert_eq!(common_rate(rate), expected, "{rate}");
        }
    }
}
