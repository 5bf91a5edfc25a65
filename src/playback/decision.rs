//! Original or transcode, and to what: decided purely, from the file, the wish and the ceilings.

use std::borrow::Cow;

use super::{Target, Wish, WishFormat};
use crate::{
    accounts::Caps,
    catalog::TrackFacts,
    media::decode::{Job, Output, common_rate},
};

/// What the server turns to when only a bitrate is given: every player takes it.
const FALLBACK: Target = Target::Mp3;

/// Below this a lossy source is not followed further down when it is coded again.
const LEAST_RECODED_KBPS: u32 = 96;

/// What will be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// The bytes as they are.
    Original(Reason),
    /// Something made from them.
    Transcode(Profile, Reason),
}

/// Why, for the log and the panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// The client asked for the original.
    Raw,
    /// Nothing was asked, or it fits under the limit.
    Fits,
    /// It has the wanted format already.
    AlreadySo,
    /// The client named a format.
    Asked,
    /// It is over the bitrate limit.
    OverLimit,
    /// It is a part of a longer file.
    PartOfImage,
}

/// A target with its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Profile {
    pub(super) target: Target,
    pub(super) bitrate_kbps: Option<u32>,
    pub(super) sample_rate: Option<u32>,
    pub(super) channels: Option<u32>,
}

impl Profile {
    /// What the worker is asked for.
    pub(super) fn job(&self, start_us: u64, end_us: Option<u64>) -> Job {
        Job {
            output: match self.target {
                Target::Opus => Output::Opus,
                Target::Mp3 => Output::Mp3,
                Target::Aac => Output::Adts,
                Target::M4a => Output::M4a,
                Target::Flac => Output::Flac,
                Target::Wav => Output::Wav,
                Target::L16 => Output::L16,
            },
            bitrate_kbps: self.bitrate_kbps,
            sample_rate: self.sample_rate,
            channels: self.channels,
            bit_depth: None,
            start_us,
            end_us,
        }
    }

    /// The exact MIME type.
    pub(super) fn content_type(&self) -> Cow<'static, str> {
        match (self.target, self.sample_rate, self.channels) {
            (Target::L16, Some(rate), Some(channels)) => {
                format!("audio/L16;rate={rate};channels={channels}").into()
            }
            _ => self.target.content_type().into(),
        }
    }
}

/// `is_part`: the track is a part of a longer file, so there are no original bytes of it.
pub(super) fn decide(file: &TrackFacts, is_part: bool, wish: &Wish, caps: Caps) -> Decision {
    let asked = wish.max_bitrate_kbps.filter(|limit| 0 < *limit);
    let limit = match (asked, caps.max_bitrate_kbps) {
        (Some(asked), Some(cap)) => Some(asked.min(cap)),
        (asked, cap) => asked.or(cap),
    };
    let fits = limit.is_none_or(|limit| file.bitrate_kbps <= limit);
    match wish.format {
        Some(WishFormat::Raw) if !is_part => Decision::Original(Reason::Raw),
        None if fits && !is_part => Decision::Original(Reason::Fits),
        None if !fits => {
            Decision::Transcode(lossy(file, FALLBACK, asked, limit), Reason::OverLimit)
        }
        Some(WishFormat::Raw) | None => {
            Decision::Transcode(plain(file, Target::Flac), Reason::PartOfImage)
        }
        Some(WishFormat::To(target)) => {
            if !is_part && fits && wish.offset.is_zero() && is_already(file, target) {
                return Decision::Original(Reason::AlreadySo);
            }
            if !target.is_lossless() {
                return Decision::Transcode(lossy(file, target, asked, limit), Reason::Asked);
            }
            if limit.is_some_and(|limit| limit < lossless_kbps(file, target)) {
                return Decision::Transcode(lossy(file, FALLBACK, asked, limit), Reason::OverLimit);
            }
            Decision::Transcode(plain(file, target), Reason::Asked)
        }
    }
}

/// Whether a file is what a target would be.
fn is_already(file: &TrackFacts, target: Target) -> bool {
    match target {
        Target::Mp3 => file.codec == "mp3",
        Target::Opus => file.codec == "opus",
        Target::Aac | Target::M4a => file.codec == "aac",
        Target::Flac => file.codec == "flac" && file.container == "flac",
        Target::Wav => file.container == "wav",
        Target::L16 => false,
    }
}

fn is_lossy(file: &TrackFacts) -> bool {
    file.bit_depth == 0
}

/// About how much a lossless target takes, kbit/s.
fn lossless_kbps(file: &TrackFacts, target: Target) -> u32 {
    let profile = plain(file, target);
    let rate = profile.sample_rate.unwrap_or(file.sample_rate.max(44_100));
    let channels = profile.channels.unwrap_or(file.channels.max(1));
    match target {
        Target::Flac if !is_lossy(file) => file.bitrate_kbps,
        Target::Flac => rate / 1000 * channels * 16 * 6 / 10,
        _ => rate * channels * 16 / 1000,
    }
}

/// A target without a bitrate. PCM is held to what every renderer plays.
fn plain(file: &TrackFacts, target: Target) -> Profile {
    let is_pcm = matches!(target, Target::Wav | Target::L16);
    let rate = if file.sample_rate == 0 { 44_100 } else { file.sample_rate };
    Profile {
        target,
        bitrate_kbps: None,
        sample_rate: is_pcm.then(|| common_rate(rate)),
        channels: is_pcm.then(|| file.channels.clamp(1, 2)),
    }
}

/// A lossy target: at what was asked for, else at its usual bitrate; never over the limit, nor far
/// over what a lossy source has.
fn lossy(file: &TrackFacts, target: Target, asked: Option<u32>, limit: Option<u32>) -> Profile {
    let most = match target {
        Target::Opus => 256,
        _ => 320,
    };
    let usual = target.usual_bitrate_kbps().unwrap_or(most);
    // Who names no format leaves the choice to the limit.
    let wanted = asked.unwrap_or(if target == FALLBACK { limit.unwrap_or(usual) } else { usual });
    let mut bitrate = wanted.min(limit.unwrap_or(most)).min(most);
    if is_lossy(file) && 0 < file.bitrate_kbps {
        bitrate = bitrate.min(file.bitrate_kbps.max(LEAST_RECODED_KBPS));
    }
    Profile { target, bitrate_kbps: Some(bitrate.max(8)), sample_rate: None, channels: None }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn file(container: &str, codec: &str, kbps: u32, rate: u32, bits: u32) -> TrackFacts {
        TrackFacts {
            container: container.to_owned(),
            codec: codec.to_owned(),
            suffix: container.to_owned(),
            bitrate_kbps: kbps,
            sample_rate: rate,
            channels: 2,
            bit_depth: bits,
            ..TrackFacts::default()
        }
    }

    /// Format, limit, offset in seconds, cap of the plan, part of an image → what comes out.
    fn outcome(
        file: &TrackFacts,
        format: &str,
        limit: u32,
        offset: u64,
        cap: Option<u32>,
        is_part: bool,
    ) -> String {
        let wish = Wish {
            format: WishFormat::parse(format),
            max_bitrate_kbps: Some(limit),
            offset: Duration::from_secs(offset),
            estimate_length: false,
        };
        let caps = Caps { max_bitrate_kbps: cap, ..Caps::default() };
        match decide(file, is_part, &wish, caps) {
            Decision::Original(reason) => format!("original {reason:?}"),
            Decision::Transcode(profile, reason) => {
                let rate = profile.sample_rate.map(|rate| format!(" {rate} Hz"));
                let kbps = profile.bitrate_kbps.map(|kbps| format!(" {kbps}"));
                format!(
                    "{}{}{} {reason:?}",
                    profile.target.suffix(),
                    kbps.unwrap_or_default(),
                    rate.unwrap_or_default()
                )
            }
        }
    }

    #[test]
    fn what_is_sent_for_what_is_asked() {
        let flac = file("flac", "flac", 900, 44_100, 16);
        let hires = file("flac", "flac", 5_000, 192_000, 24);
        let mp3 = file("mp3", "mp3", 320, 44_100, 0);
        let small = file("mp3", "mp3", 128, 44_100, 0);
        let m4a = file("mp4", "aac", 256, 44_100, 0);
        let alac = file("mp4", "alac", 900, 44_100, 16);
        let wav = file("wav", "pcm", 1411, 44_100, 16);
        let dsf = file("dsf", "dsd", 5_645, 2_822_400, 1);
        for (file, format, limit, offset, cap, is_part, expected) in [
            (&flac, "", 0, 0, None, false, "original Fits"),
            (&dsf, "", 0, 0, None, false, "original Fits"),
            (&flac, "raw", 0, 0, None, false, "original Raw"),
            (&flac, "raw", 128, 30, Some(64), false, "original Raw"),
            (&flac, "", 1000, 0, None, false, "original Fits"),
            (&flac, "", 320, 0, None, false, "mp3 320 OverLimit"),
            (&flac, "", 192, 0, None, false, "mp3 192 OverLimit"),
            (&flac, "", 0, 0, Some(128), false, "mp3 128 OverLimit"),
            (&flac, "", 320, 0, Some(128), false, "mp3 128 OverLimit"),
            (&small, "", 192, 0, None, false, "original Fits"),
            (&small, "", 128, 0, None, false, "original Fits"),
            (&small, "", 64, 0, None, false, "mp3 64 OverLimit"),
            (&flac, "opus", 0, 0, None, false, "opus 128 Asked"),
            (&flac, "opus", 96, 0, None, false, "opus 96 Asked"),
            (&flac, "opus", 320, 0, None, false, "opus 256 Asked"),
            (&flac, "opus", 0, 0, Some(64), false, "opus 64 Asked"),
            (&flac, "opus", 0, 0, Some(320), false, "opus 128 Asked"),
            (&flac, "mp3", 0, 0, None, false, "mp3 256 Asked"),
            (&flac, "mp3", 1000, 0, None, false, "mp3 320 Asked"),
            (&small, "opus", 0, 0, None, false, "opus 128 Asked"),
            (&small, "aac", 256, 0, None, false, "aac 128 Asked"),
            (&mp3, "mp3", 0, 0, None, false, "original AlreadySo"),
            (&mp3, "mp3", 320, 0, None, false, "original AlreadySo"),
            (&mp3, "mp3", 192, 0, None, false, "mp3 192 Asked"),
            (&mp3, "mp3", 0, 30, None, false, "mp3 256 Asked"),
            (&m4a, "aac", 0, 0, None, false, "original AlreadySo"),
            (&m4a, "m4a", 0, 0, None, false, "original AlreadySo"),
            (&alac, "m4a", 0, 0, None, false, "m4a 192 Asked"),
            (&alac, "flac", 0, 0, None, false, "flac Asked"),
            (&flac, "flac", 0, 0, None, false, "original AlreadySo"),
            (&flac, "flac", 320, 0, None, false, "mp3 320 OverLimit"),
            (&mp3, "flac", 0, 0, None, false, "flac Asked"),
            (&wav, "wav", 0, 0, None, false, "original AlreadySo"),
            (&hires, "wav", 0, 0, None, false, "wav 48000 Hz Asked"),
            (&dsf, "wav", 0, 0, None, false, "wav 44100 Hz Asked"),
            (&flac, "l16", 0, 0, None, false, "l16 44100 Hz Asked"),
            (&flac, "wav", 320, 0, None, false, "mp3 320 OverLimit"),
            (&flac, "nonsense", 0, 0, None, false, "original Fits"),
            (&flac, "", 0, 0, None, true, "flac PartOfImage"),
            (&flac, "raw", 0, 0, None, true, "flac PartOfImage"),
            (&flac, "flac", 0, 0, None, true, "flac Asked"),
            (&flac, "opus", 0, 0, None, true, "opus 128 Asked"),
            (&flac, "", 192, 0, None, true, "mp3 192 OverLimit"),
            (&mp3, "mp3", 0, 0, None, true, "mp3 256 Asked"),
        ] {
            assert_eq!(
                outcome(file, format, limit, offset, cap, is_part),
                expected,
                "{}/{} as {format:?} under {limit} from {offset}, cap {cap:?}, part {is_part}",
                file.container,
                file.codec,
            );
        }
    }
}
