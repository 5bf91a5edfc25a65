//! Every form in which a track can be had, for DLNA's `res` and Subsonic's `transcoded*` fields.

use std::borrow::Cow;

use super::{
    ClientProfile, Gain, Target, Wish, WishFormat,
    decision::{Case, Decision, decide},
};
use crate::{accounts::Caps, catalog::Track};

/// One way to have a track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// Give this to `open` to get it.
    pub format: WishFormat,
    /// Exact MIME type, as the answer will say it.
    pub content_type: Cow<'static, str>,
    /// Suffix without dot, for the last part of a URL.
    pub suffix: Cow<'static, str>,
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

/// What a stream without any wish gives this principal where that is not the original: MIME type
/// and suffix, for a client of which nothing is known. Subsonic calls them `transcodedContentType` and `transcodedSuffix`.
#[must_use]
pub fn unasked(track: &Track) -> Option<(Cow<'static, str>, &'static str)> {
    if !track.is_part && track.max_bitrate_kbps.is_none() {
        return None;
    }
    let caps = Caps { max_bitrate_kbps: track.max_bitrate_kbps, ..Caps::default() };
    let (wish, client) = (Wish::default(), ClientProfile::default());
    let (file, is_part) = (&track.facts, track.is_part);
    match decide(&Case { file, is_part, wish: &wish, caps, client: &client, gain: Gain::Off }) {
        Decision::Original(_) => None,
        Decision::Transcode(recipe, _) => Some((recipe.content_type(), recipe.target.suffix())),
    }
}

fn original(track: &Track) -> Form {
    Form {
        format: WishFormat::Raw,
        content_type: Cow::Borrowed(track.content_type),
        suffix: Cow::Owned(track.suffix.clone()),
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
        suffix: Cow::Borrowed(target.suffix()),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::TrackFacts;

    #[test]
    fn what_comes_unasked() {
        let facts = TrackFacts {
            container: "flac".to_owned(),
            codec: "flac".to_owned(),
            bitrate_kbps: 900,
            bit_depth: 16,
            ..TrackFacts::default()
        };
        let part = TrackFacts { is_part: true, ..facts.clone() };
        for (facts, ceiling, expected) in [
            (&facts, None, None),
            (&facts, Some(1000), None),
            (&facts, Some(192), Some(("audio/mpeg", "mp3"))),
            (&part, None, Some(("audio/flac", "flac"))),
            (&part, Some(192), Some(("audio/mpeg", "mp3"))),
        ] {
            let track = Track { max_bitrate_kbps: ceiling, ..Track::from(facts.clone()) };
            let found = unasked(&track);
            let found = found.as_ref().map(|(mime, suffix)| (mime.as_ref(), *suffix));
            assert_eq!(found, expected, "{ceiling:?}");
        }
    }
}
