//! Every form in which a track can be had, for DLNA's `res` and Subsonic's `transcoded*` fields.

use std::{borrow::Cow, sync::Arc};

use super::{
    ClientProfile, Gain, Network, Playback, Target, Wish, WishFormat,
    decision::{Case, Decision, decide},
};
use crate::{
    Result,
    accounts::{Caps, Principal},
    catalog::Track,
};

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

/// What a stream gives a caller who names neither a format nor a bitrate: found once for a request,
/// and decided for each track as the stream itself decides.
#[derive(Debug, Clone)]
pub struct Unasked {
    client: Arc<ClientProfile>,
    caps: Caps,
    wish: Wish,
    /// Nothing but being a part of a longer file can keep a track from coming as it is.
    is_free: bool,
}

impl Unasked {
    fn new(client: Arc<ClientProfile>, caps: Caps, network: Network) -> Self {
        let wish = Wish { network, ..Wish::default() };
        let is_free = client.plays_everything() && caps.max_bitrate_kbps.is_none();
        Self { client, caps, wish, is_free }
    }

    /// MIME type and suffix of what comes of a track where that is not the original. Subsonic
    /// calls them `transcodedContentType` and `transcodedSuffix`.
    #[must_use]
    pub fn of(&self, track: &Track) -> Option<(Cow<'static, str>, &'static str)> {
        if self.is_free && !track.is_part {
            return None;
        }
        let Self { client, caps, wish, .. } = self;
        // Loudness changes a transcode, not whether there is one.
        let gain = Gain::Off;
        let (file, is_part, caps) = (&track.facts, track.is_part, *caps);
        match decide(&Case { file, is_part, wish, caps, client, gain }) {
            Decision::Original(_) => None,
            Decision::Transcode(recipe, _) => Some((recipe.content_type(), recipe.target.suffix())),
        }
    }
}

impl Playback {
    /// What comes unasked to this principal by this client from there.
    pub async fn unasked(
        &self,
        principal: &Principal,
        client: &str,
        network: Network,
    ) -> Result<Unasked> {
        Ok(Unasked::new(self.profile_of(client).await?, principal.caps, network))
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
        let all = ClientProfile::default;
        let mp3 = || ClientProfile { plays: vec!["mp3".to_owned()], ..all() };
        let aac = || ClientProfile { target: Target::M4a, ..mp3() };
        let away = || ClientProfile { outside_kbps: Some(128), ..all() };
        let small =
            || ClientProfile { max_bit_depth: Some(16), max_sample_rate: Some(48_000), ..all() };
        let high = TrackFacts { bit_depth: 24, sample_rate: 96_000, ..facts.clone() };
        let low =
            TrackFacts { codec: "mp3".to_owned(), container: "mp3".to_owned(), ..facts.clone() };
        let made = Some(("audio/mpeg", "mp3"));
        for (facts, ceiling, client, network, expected) in [
            (&facts, None, all(), Network::Outside, None),
            (&facts, Some(1000), all(), Network::Outside, None),
            (&facts, Some(192), all(), Network::Lan, made),
            (&part, None, all(), Network::Lan, Some(("audio/flac", "flac"))),
            (&part, None, mp3(), Network::Lan, made),
            (&part, Some(192), all(), Network::Lan, made),
            (&facts, None, mp3(), Network::Lan, made),
            (&facts, None, aac(), Network::Lan, Some(("audio/mp4", "m4a"))),
            (&low, None, mp3(), Network::Lan, None),
            (&facts, None, away(), Network::Lan, None),
            (&facts, None, away(), Network::Outside, made),
            (&facts, None, small(), Network::Lan, None),
            (&high, None, small(), Network::Lan, made),
        ] {
            let track = Track::from(facts.clone());
            let caps = Caps { max_bitrate_kbps: ceiling, ..Caps::default() };
            let told = format!("{ceiling:?} {client:?} {network:?}");
            let found = Unasked::new(Arc::new(client), caps, network).of(&track);
            let found = found.as_ref().map(|(mime, suffix)| (mime.as_ref(), *suffix));
            assert_eq!(found, expected, "{told}");
        }
    }
}
