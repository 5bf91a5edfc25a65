//! One `res` for each form in which a track can be had, and the way back from its address.

use super::{
    protocol_info::{Media, MediaOrigin, features, mime},
    quirks::Profile,
};
use crate::{
    catalog::Track,
    ids::TrackId,
    playback::{Form, Target, WishFormat, forms},
};

/// One playable form of a track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resource {
    /// Path below the listener.
    pub(crate) path: String,
    /// All four fields.
    pub(crate) protocol_info: String,
    /// Exact, or left out.
    pub(crate) size_bytes: Option<u64>,
    /// Length.
    pub(crate) duration_ms: u64,
    /// kbit/s; DIDL wants bytes a second.
    pub(crate) bitrate_kbps: u32,
    /// Hz.
    pub(crate) sample_rate: u32,
    /// Bits a sample; 0 for lossy.
    pub(crate) bit_depth: u32,
    /// Channels.
    pub(crate) channels: u32,
}

/// The forms of a track that a client is told of, the one that it plays best first.
pub(crate) fn resources(track: &Track, profile: &Profile) -> Vec<Resource> {
    let mut offered: Vec<(Form, Resource)> = Vec::with_capacity(4);
    for form in forms(track) {
        let resource = resource(track, &form, profile);
        // The same type twice helps nobody.
        let is_known = offered.iter().any(|(known, _)| known.content_type == form.content_type);
        if !is_known {
            offered.push((form, resource));
        }
    }
    if profile.most_sample_rate.is_some_and(|most| most < track.sample_rate) {
        // The original is still there for whoever looks further.
        offered.sort_by_key(|(form, _)| form.format == WishFormat::Raw);
    }
    if profile.is_mp3_first {
        offered.sort_by_key(|(form, _)| form.content_type != "audio/mpeg");
    }
    offered.into_iter().map(|(_, resource)| resource).collect()
}

fn resource(track: &Track, form: &Form, profile: &Profile) -> Resource {
    Resource {
        path: path(track.id, form),
        protocol_info: protocol_info(track, form, profile),
        size_bytes: form.size_bytes,
        duration_ms: track.duration_ms,
        bitrate_kbps: form.bitrate_kbps,
        sample_rate: form.sample_rate,
        bit_depth: form.bit_depth,
        channels: form.channels,
    }
}

/// All four fields. Put together without formatting, as everything in a long list is.
fn protocol_info(track: &Track, form: &Form, profile: &Profile) -> String {
    let mut out = String::with_capacity(128);
    out.push_str("http-get:*:");
    out.push_str(content_type(track, form, profile));
    out.push(':');
    append_features(track, form, &mut out);
    out
}

/// The type as this client spells it.
pub(crate) fn content_type<'a>(track: &Track, form: &'a Form, profile: &Profile) -> &'a str {
    match form.format {
        WishFormat::To(Target::L16) => &form.content_type,
        WishFormat::Raw => {
            let mime = mime(&track.container, &track.codec, &profile.spelling);
            if mime == "application/octet-stream" { &form.content_type } else { mime }
        }
        WishFormat::To(target) => {
            let (container, codec) = container(target);
            mime(container, codec, &profile.spelling)
        }
    }
}

/// The fourth field, the same in DIDL and in the answer's header.
pub(crate) fn content_features(track: &Track, form: &Form) -> String {
    let mut out = String::with_capacity(96);
    append_features(track, form, &mut out);
    out
}

fn append_features(track: &Track, form: &Form, out: &mut String) {
    let origin = match (form.format, form.has_ranges) {
        (WishFormat::Raw, _) => MediaOrigin::File,
        (WishFormat::To(_), true) => MediaOrigin::Converted,
        (WishFormat::To(_), false) => MediaOrigin::Live,
    };
    let (container, codec) = match form.format {
        WishFormat::Raw => (track.container.as_str(), track.codec.as_str()),
        WishFormat::To(target) => container(target),
    };
    let media = Media {
        container,
        codec,
        bitrate_kbps: form.bitrate_kbps,
        sample_rate: form.sample_rate,
        channels: form.channels,
        origin,
    };
    features(&media, out);
}

fn container(target: Target) -> (&'static str, &'static str) {
    match target {
        Target::Opus => ("ogg", "opus"),
        Target::Mp3 => ("mp3", "mp3"),
        Target::Aac => ("aac", "aac"),
        Target::M4a => ("mp4", "aac"),
        Target::Flac => ("flac", "flac"),
        Target::Wav => ("wav", "pcm"),
        Target::L16 => ("l16", "pcm"),
    }
}

/// ASCII, stable, with an extension that fits: some renderers decide by that alone.
fn path(track: TrackId, form: &Form) -> String {
    let is_plain =
        !form.suffix.is_empty() && form.suffix.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let suffix = if is_plain { form.suffix.as_ref() } else { "bin" };
    let mut out = String::with_capacity(32);
    out.push_str("/media/");
    push_number(track.0.cast_unsigned(), &mut out);
    if let WishFormat::To(target) = form.format {
        out.push('-');
        out.push_str(target.suffix());
    }
    out.push('.');
    out.push_str(suffix);
    out
}

/// Appends the digits of a number.
pub(super) fn push_number(number: u64, out: &mut String) {
    let mut digits = [0; 20];
    let (mut at, mut rest) = (digits.len(), number);
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    // They are all ASCII.
    out.push_str(std::str::from_utf8(&digits[at..]).unwrap_or_default());
}

/// Reads the last part of a resource's address. The extension is for renderers and not looked at.
pub(crate) fn parse_path(name: &str) -> Option<(TrackId, WishFormat)> {
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    let (id, format) = match stem.split_once('-') {
        Some((id, target)) => {
            (id, WishFormat::To(Target::ALL.into_iter().find(|is| is.suffix() == target)?))
        }
        None => (stem, WishFormat::Raw),
    };
    Some((TrackId::parse(&format!("tr.{id}"))?, format))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_they_are() {
        for number in [0, 7, 10, 1234, u64::MAX] {
            let mut out = String::from("x");
            push_number(number, &mut out);
            assert_eq!(out, format!("x{number}"));
        }
    }

    #[test]
    fn paths_are_read_back() {
        assert_eq!(parse_path("88.flac"), Some((TrackId(88), WishFormat::Raw)));
        assert_eq!(parse_path("88-mp3.mp3"), Some((TrackId(88), WishFormat::To(Target::Mp3))));
        assert_eq!(parse_path("88"), Some((TrackId(88), WishFormat::Raw)));
        for wrong in ["", ".mp3", "0.mp3", "x.mp3", "88-xyz.mp3", "88-.mp3", "-1.mp3"] {
            assert_eq!(parse_path(wrong), None, "{wrong}");
        }
    }
}
