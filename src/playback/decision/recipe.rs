//! A target with its numbers: what a transcode is made by, whoever decided on it.

use std::borrow::Cow;

use super::super::{Target, gain::Level};
use crate::{
    catalog::TrackFacts,
    media::decode::{Job, Output, common_rate},
};

/// Below this a lossy source is not followed further down when it is coded again.
const LEAST_RECODED_KBPS: u32 = 96;

/// How a lossy encoder spends its bits.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum BitrateMode {
    /// The same in every second, so that lengths are known beforehand.
    #[default]
    Constant,
    /// As many as the sound needs, about the wanted number on average. MP3 only.
    Variable,
}

/// A target with its numbers. What is `None` is taken from the source, within what the target can
/// hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::playback) struct Recipe {
    pub(in crate::playback) target: Target,
    pub(in crate::playback) bitrate_kbps: Option<u32>,
    pub(in crate::playback) mode: BitrateMode,
    /// A length is promised: no packet may be larger than another, at some cost in quality.
    pub(in crate::playback) is_rigid: bool,
    pub(in crate::playback) sample_rate: Option<u32>,
    pub(in crate::playback) channels: Option<u32>,
    pub(in crate::playback) bit_depth: Option<u32>,
    pub(in crate::playback) level: Option<Level>,
}

impl Recipe {
    /// A target without a bitrate. PCM is held to what every renderer plays.
    pub(in crate::playback) fn lossless(file: &TrackFacts, target: Target) -> Self {
        let is_pcm = matches!(target, Target::Wav | Target::L16);
        Self {
            sample_rate: is_pcm.then(|| common_rate(rate_of(file))),
            channels: is_pcm.then(|| file.channels.clamp(1, 2)),
            ..Self::bare(target)
        }
    }

    /// A lossy target at this many kbit/s, but not above what it can hold, nor far above what a
    /// lossy source has.
    pub(in crate::playback) fn lossy(file: &TrackFacts, target: Target, kbps: u32) -> Self {
        let mut bitrate = kbps.min(most_kbps(target));
        if is_lossy(file) && 0 < file.bitrate_kbps {
            bitrate = bitrate.min(file.bitrate_kbps.max(LEAST_RECODED_KBPS));
        }
        Self { bitrate_kbps: Some(bitrate.max(8)), ..Self::bare(target) }
    }

    fn bare(target: Target) -> Self {
        Self {
            target,
            bitrate_kbps: None,
            mode: BitrateMode::Constant,
            is_rigid: false,
            sample_rate: None,
            channels: None,
            bit_depth: None,
            level: None,
        }
    }

    /// What the worker is asked for.
    pub(in crate::playback) fn job(&self, start_us: u64, end_us: Option<u64>) -> Job {
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
            is_variable: self.mode == BitrateMode::Variable,
            is_rigid: self.is_rigid,
            sample_rate: self.sample_rate,
            channels: self.channels,
            bit_depth: self.bit_depth,
            gain_mdb: self.level.map_or(0, |level| level.milli_db),
            is_limited: self.level.is_some_and(|level| level.is_limited),
            start_us,
            end_us,
            cut: None,
        }
    }

    /// The exact MIME type.
    pub(in crate::playback) fn content_type(&self) -> Cow<'static, str> {
        match (self.target, self.sample_rate, self.channels) {
            (Target::L16, Some(rate), Some(channels)) => {
                format!("audio/L16;rate={rate};channels={channels}").into()
            }
            _ => self.target.content_type().into(),
        }
    }

    /// Hz of the result. Nothing is resampled that the target can hold.
    pub(in crate::playback) fn rate(&self, file: &TrackFacts) -> u32 {
        match (self.target, self.sample_rate) {
            (Target::Opus, _) => 48_000,
            (_, Some(rate)) => rate,
            (Target::Flac, None) => {
                let mut rate = rate_of(file);
                while 192_000 < rate {
                    rate /= 2;
                }
                rate
            }
            (_, None) => common_rate(rate_of(file)),
        }
    }

    /// Channels of the result. Nothing is mixed down that the target can hold.
    pub(in crate::playback) fn channel_count(&self, file: &TrackFacts) -> u32 {
        let most = if self.target == Target::Flac { 8 } else { 2 };
        self.channels.unwrap_or(file.channels).min(file.channels.max(1)).clamp(1, most)
    }

    /// Bits a sample of the result; 0 for lossy targets.
    pub(in crate::playback) fn depth(&self, file: &TrackFacts) -> u32 {
        match (self.target, self.bit_depth) {
            (Target::Flac, None) if 16 < file.bit_depth || file.codec == "dsd" => 24,
            (Target::Flac | Target::Wav, Some(depth)) if 16 < depth => 24,
            (target, _) if target.is_lossless() => 16,
            _ => 0,
        }
    }

    /// Whether nothing is resampled or mixed down.
    fn keeps_shape(&self, file: &TrackFacts) -> bool {
        self.rate(file) == file.sample_rate && self.channel_count(file) == file.channels
    }

    /// About how much the result takes, kbit/s.
    pub(in crate::playback) fn kbps(&self, file: &TrackFacts) -> u32 {
        if let Some(kbps) = self.bitrate_kbps {
            return kbps;
        }
        let pcm = self.rate(file) / 100 * self.channel_count(file) * self.depth(file) / 10;
        match self.target {
            Target::Flac if !is_lossy(file) && self.keeps_shape(file) => file.bitrate_kbps,
            Target::Flac => pcm * 6 / 10,
            _ => pcm,
        }
    }
}

/// Bits a sample are known of lossless sources alone.
pub(in crate::playback) fn is_lossy(file: &TrackFacts) -> bool {
    file.bit_depth == 0
}

/// The most that an encoder of this target takes, kbit/s.
pub(in crate::playback) fn most_kbps(target: Target) -> u32 {
    if target == Target::Opus { 256 } else { 320 }
}

fn rate_of(file: &TrackFacts) -> u32 {
    if file.sample_rate == 0 { 44_100 } else { file.sample_rate }
}
