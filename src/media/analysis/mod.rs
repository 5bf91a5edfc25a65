//! What one file sounds like, heard in one pass inside a worker: loudness after EBU R128, a hash
//! of the encoded sound alone, and a short vector of features (timbre, rhythm, harmony, dynamics)
//! that lie near each other where two pieces sound alike. Knows nothing of libraries.

mod decode;
mod ear;
mod fingerprint;
mod harmony;
mod rhythm;
mod spectrum;
mod statistics;
mod vector;

use std::{fs::File, os::fd::OwnedFd};

use serde::{Deserialize, Serialize};

pub use fingerprint::{SECONDS as FINGERPRINT_SECONDS, likeness};
pub use vector::{DIMENSIONS, weights};

/// Grows whenever the same file would give other values; what an older one gave is made anew.
pub const VERSION: u32 = 1;

/// Loudness that ReplayGain 2 brings everything to, LUFS.
pub const REFERENCE_LUFS: f64 = -18.0;

/// What is to be heard.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// A part of the file, ms; `None` is all of it.
    pub range_ms: Option<(u64, u64)>,
    /// The audio hash that was found before: if it still is the same, nothing else is computed.
    pub known: Option<[u8; 32]>,
    /// The sound comes decoded on a second descriptor, as 16-bit big-endian samples.
    pub pcm: Option<Pcm>,
}

/// The form of decoded sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pcm {
    /// Hz.
    pub sample_rate: u32,
    /// Interleaved channels.
    pub channels: u32,
}

/// What was heard.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Heard {
    /// BLAKE3 over the encoded audio packets, without container and tags; `None` where the
    /// container cannot be taken apart here, and for a part of a file.
    pub audio_hash: Option<[u8; 32]>,
    /// The hash is the one that was known, and the rest of this was not computed.
    pub is_same: bool,
    /// `None` for silence and for less than 0.4 s.
    pub loudness: Option<Loudness>,
    /// `None` for silence and for less than a second.
    pub sound: Option<Sound>,
}

/// Loudness after EBU R128.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Loudness {
    /// Integrated, LUFS.
    pub lufs: f64,
    /// Loudness range, LU.
    pub range_lu: f64,
    /// Highest sample, 1.0 is full scale; lossy sound may go beyond.
    pub peak: f64,
}

/// How it sounds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sound {
    /// [`DIMENSIONS`] values, quantised.
    pub features: Vec<i8>,
    /// Beats a minute, where there is a beat; halves and doubles get mixed up.
    pub bpm: Option<f32>,
    /// 0 to 11 from C for major, 12 to 23 for minor, where there is a key.
    pub key: Option<u8>,
}

/// Why nothing was heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unheard {
    /// No decoder here knows this sound; the decode worker may.
    NoDecoder,
    /// The file is damaged, endless or empty; the sentence is for people.
    Failed(String),
    /// The disk did not give it just now, which says nothing about the file.
    Unread(String),
}

/// BLAKE3 over a file's encoded audio packets: what [`Heard::audio_hash`] is.
pub(crate) fn audio_hash(file: File) -> Result<[u8; 32], Unheard> {
    decode::audio_hash(file)
}

/// The fingerprint of decoded sound from a pipe.
pub(crate) fn fingerprint(pcm: File, form: Pcm) -> Result<Vec<u32>, Unheard> {
    fingerprint::of_pcm(pcm, form)
}

/// Hears a file as ordered. `pcm` is its decoded sound, where the order says so.
pub(crate) fn analyse(file: File, pcm: Option<OwnedFd>, order: &Order) -> Result<Heard, Unheard> {
    decode::hear(file, pcm.map(File::from), order)
}
