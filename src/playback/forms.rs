//! Every form in which a track can be had, for DLNA's `res` and Subsonic's `transcoded*` fields.

use std::borrow::Cow;

use super::{Target, Wish, WishFormat};
use crate::catalog::Track;

/// One way to have a track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// Give this to `open` to get it.
    pub format: WishFormat,
    /// Exact MIME type, as the answer will say it.
    pub content_type: Cow<'static, str>,
    /// Suffix without dot, for the last part of a URL.
    pub suffix: String,
    /// Bytes, where that is known beforehand.
    pub size_bytes: Option<u64>,
    /// Ranges are served from the first request on.
    pub has_ranges: bool,
    /// kbit/s.
    pub bitrate_kbps: u32,
    /// Hz.
    pub sample_rate: u32,
    /// Channels.
    pub channels: u32,
    /// Bits a sample; 0 for lossy.
    pub bit_depth: u32,
}

impl Form {
    /// What to ask `open` for.
    #[must_use]
    pub fn wish(&self) -> Wish {
        Wish { format: Some(self.format), ..Wish::default() }
    }
}

/// The original first, then mp3, wav and L16: what every renderer takes at least one of.
#[must_use]
pub fn forms(track: &Track) -> Vec<Form> {
    let mut forms = vec![original(track)];
    for target in [Target::Mp3, Target::Wav, Target::L16] {
        forms.push(transcoded(track, target));
    }
    forms
}

fn original(track: &Track) -> Form {
    Form {
        format: WishFormat::Raw,
        content_type: Cow::Borrowed(track.content_type),
        suffix: track.suffix.clone(),
        size_bytes: Some(track.size_bytes),
        has_ranges: true,
        bitrate_kbps: track.bitrate_kbps,
        sample_rate: track.sample_rate,
        channels: track.channels,
        bit_depth: track.bit_depth,
    }
}

fn transcoded(track: &Track, target: Target) -> Form {
    let sample_rate = match track.sample_rate {
        0 => 44_100,
        rate => rate.min(48_000),
    };
    let channels = track.channels.clamp(1, 2);
    let content_type = match target {
        Target::L16 => Cow::Owned(format!("audio/L16;rate={sample_rate};channels={channels}")),
        other => Cow::Borrowed(other.content_type()),
    };
    let bit_depth = if target.is_lossless() { 16 } else { 0 };
    Form {
        format: WishFormat::To(target),
        content_type,
        suffix: target.suffix().to_owned(),
        size_bytes: None,
        has_ranges: false,
        bitrate_kbps: target
            .usual_bitrate_kbps()
            .unwrap_or(sample_rate * channels * bit_depth / 1000),
        sample_rate,
        channels,
        bit_depth,
    }
}
