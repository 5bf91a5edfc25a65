//! `protocolInfo`: the type of a resource with DLNA's parameters. The fourth field is the same
//! text in DIDL and in the contentFeatures header. A profile name is given only when its terms
//! are surely met; a wrong one is worse than none.

/// What a resource is, enough to name it to a renderer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Media<'a> {
    /// Container by content, as `mp3`.
    pub(crate) container: &'a str,
    /// Codec by content, as `mp3`.
    pub(crate) codec: &'a str,
    /// kbit/s.
    pub(crate) bitrate_kbps: u32,
    /// Hz.
    pub(crate) sample_rate: u32,
    /// Channels.
    pub(crate) channels: u32,
    /// Where the bytes come from.
    pub(crate) origin: MediaOrigin,
}

/// Where the bytes of a resource come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MediaOrigin {
    /// The file as it is.
    File,
    /// Converted, with byte ranges (finished, or of a length known beforehand).
    Converted,
    /// Converted while it is sent: no byte ranges, but it can begin anywhere in time.
    Live,
}

/// How a client spells types that have no one spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spelling {
    /// FLAC.
    pub(crate) flac: &'static str,
    /// WAV.
    pub(crate) wav: &'static str,
    /// Ogg.
    pub(crate) ogg: &'static str,
}

impl Spelling {
    /// What most understand.
    pub(crate) const USUAL: Self = Self { flac: "audio/flac", wav: "audio/wav", ogg: "audio/ogg" };
}

/// The MIME type of a container as this client spells it.
pub(crate) fn mime(container: &str, codec: &str, spelling: &Spelling) -> &'static str {
    match (container, codec) {
        ("mp3" | "mpeg", _) => "audio/mpeg",
        ("flac", _) => spelling.flac,
        ("ogg", _) => spelling.ogg,
        ("mp4" | "m4a", _) => "audio/mp4",
        ("aac" | "adts", _) => "audio/vnd.dlna.adts",
        ("wav", _) => spelling.wav,
        ("aiff", _) => "audio/aiff",
        ("wavpack" | "wv", _) => "audio/x-wavpack",
        ("ape", _) => "audio/x-ape",
        ("asf" | "wma", _) => "audio/x-ms-wma",
        ("dsf", _) => "audio/x-dsf",
        ("dff", _) => "audio/x-dff",
        ("matroska" | "mka", _) => "audio/x-matroska",
        _ => "application/octet-stream",
    }
}

/// The profile name, where the terms are met beyond doubt.
fn profile(media: &Media<'_>) -> Option<&'static str> {
    let is_stereo = (1..=2).contains(&media.channels);
    match (media.container, media.codec) {
        ("mp3" | "mpeg", "mp3") if is_stereo && media.bitrate_kbps <= 320 => {
            match media.sample_rate {
                32_000 | 44_100 | 48_000 => Some("MP3"),
                16_000 | 22_050 | 24_000 => Some("MP3X"),
                _ => None,
            }
        }
        ("l16", _) if is_stereo && matches!(media.sample_rate, 44_100 | 48_000) => Some("LPCM"),
        ("mp4" | "m4a", "aac") if is_stereo && media.sample_rate <= 48_000 => {
            (1..=320).contains(&media.bitrate_kbps).then_some("AAC_ISO_320")
        }
        _ => None,
    }
}

/// Appends the fourth field.
pub(crate) fn features(media: &Media<'_>, out: &mut String) {
    if let Some(profile) = profile(media) {
        out.push_str("DLNA.ORG_PN=");
        out.push_str(profile);
        out.push(';');
    }
    out.push_str(match media.origin {
        MediaOrigin::File => "DLNA.ORG_OP=01;DLNA.ORG_CI=0",
        MediaOrigin::Converted => "DLNA.ORG_OP=01;DLNA.ORG_CI=1",
        MediaOrigin::Live => "DLNA.ORG_OP=10;DLNA.ORG_CI=1",
    });
    // Streaming and background transfer, stalling, DLNA 1.5.
    out.push_str(";DLNA.ORG_FLAGS=01700000000000000000000000000000");
}

/// ConnectionManager's Source: everything that could be served.
pub(crate) const SOURCE: &str = "http-get:*:audio/mpeg:DLNA.ORG_PN=MP3,http-get:*:audio/mpeg:DLNA.ORG_PN=MP3X,\
http-get:*:audio/mpeg:*,http-get:*:audio/mp4:DLNA.ORG_PN=AAC_ISO_320,http-get:*:audio/mp4:*,http-get:*:audio/vnd.dlna.adts:*,\
http-get:*:audio/flac:*,http-get:*:audio/x-flac:*,http-get:*:audio/ogg:*,http-get:*:audio/wav:*,http-get:*:audio/x-wav:*,\
http-get:*:audio/L16:DLNA.ORG_PN=LPCM,http-get:*:audio/aiff:*,http-get:*:audio/x-wavpack:*,http-get:*:audio/x-ape:*,http-get:*:audio/x-ms-wma:*,http-get:*:audio/x-dsf:*,\
http-get:*:audio/x-dff:*,http-get:*:audio/x-matroska:*,http-get:*:image/jpeg:DLNA.ORG_PN=JPEG_TN,http-get:*:image/jpeg:DLNA.ORG_PN=JPEG_SM,http-get:*:image/jpeg:DLNA.ORG_PN=JPEG_MED";

#[cfg(test)]
mod tests {
    use super::*;

    const MP3: Media<'_> = Media {
        container: "mp3",
        codec: "mp3",
        bitrate_kbps: 320,
        sample_rate: 44_100,
        channels: 2,
        origin: MediaOrigin::File,
    };

    fn features(media: &Media<'_>) -> String {
        let mut out = String::new();
        super::features(media, &mut out);
        out
    }

    #[test]
    fn profiles_only_when_the_terms_are_met() {
        let flac = Media { container: "flac", codec: "flac", ..MP3 };
        let alac = Media { container: "mp4", codec: "alac", ..MP3 };
        let aac = Media { container: "mp4", codec: "aac", bitrate_kbps: 256, ..MP3 };
        for (media, profile) in [
            (MP3, Some("DLNA.ORG_PN=MP3;")),
            (Media { sample_rate: 22_050, ..MP3 }, Some("DLNA.ORG_PN=MP3X;")),
            (Media { sample_rate: 11_025, ..MP3 }, None),
            (Media { channels: 6, ..MP3 }, None),
            (flac, None),
            (alac, None),
            (aac, Some("DLNA.ORG_PN=AAC_ISO_320;")),
            (Media { sample_rate: 96_000, ..aac }, None),
        ] {
            let features = features(&media);
            match profile {
                Some(profile) => assert!(features.starts_with(profile), "{features}"),
                None => assert!(features.starts_with("DLNA.ORG_OP="), "{features}"),
            }
        }
    }

    #[test]
    fn operations_are_announced_only_where_they_work() {
        let of = |origin| features(&Media { origin, ..MP3 });
        assert_eq!(
            of(MediaOrigin::File),
            "DLNA.ORG_PN=MP3;DLNA.ORG_OP=01;DLNA.ORG_CI=0;DLNA.ORG_FLAGS=01700000000000000000000000000000"
        );
        assert!(of(MediaOrigin::Live).contains("OP=10;DLNA.ORG_CI=1"));
        assert!(of(MediaOrigin::Converted).contains("OP=01;DLNA.ORG_CI=1"));
    }
}
