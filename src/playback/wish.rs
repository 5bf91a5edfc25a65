//! What a client asks for, and the target formats there are.

use std::{net::IpAddr, time::Duration};

/// A target of a transcode, named by what is on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// Opus in Ogg.
    Opus,
    /// MPEG-1 Layer III, constant bitrate.
    Mp3,
    /// AAC-LC in ADTS.
    Aac,
    /// AAC-LC in fragmented MP4.
    M4a,
    /// FLAC: lossless.
    Flac,
    /// PCM in RIFF WAVE, 16 bit, or 24 where the source has more.
    Wav,
    /// Bare 16-bit big-endian PCM, as DLNA's `audio/L16`.
    L16,
}

/// What the client named as `format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WishFormat {
    /// The original bytes, whatever they are.
    Raw,
    /// This one.
    To(Target),
}

/// Where a listener is, as far as limits of clients go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Network {
    /// In the house, or the face does not say.
    #[default]
    Lan,
    /// Somewhere on the internet.
    Outside,
}

/// Which loudness correction (`ReplayGain`) is put into a transcode.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Gain {
    /// None: it is left to the client.
    #[default]
    Off,
    /// Every track equally loud.
    Track,
    /// Tracks keep their distance within an album.
    Album,
    /// The album's if there is one, else the track's.
    Auto,
}

/// What a client asks of a stream. The default is the original.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// `None`: the original if it fits under the bitrate limit, else the server's choice.
    pub format: Option<WishFormat>,
    /// kbit/s; `None` and 0 are no limit.
    pub max_bitrate_kbps: Option<u32>,
    /// Where to begin; originals ignore it.
    pub offset: Duration,
    /// The format was named by the suffix that the original has, so the original is meant.
    pub is_own_suffix: bool,
    /// Say a length beforehand, if it can be kept to the byte with nothing lost.
    pub estimate_length: bool,
    /// Loudness correction; `None` leaves it to the client's profile and the user's setting.
    pub gain: Option<Gain>,
    /// Where the listener is.
    pub network: Network,
}

impl Wish {
    /// The original bytes (the nearest lossless form for a part of an image with a cue sheet).
    #[must_use]
    pub fn original() -> Self {
        Self { format: Some(WishFormat::Raw), ..Self::default() }
    }

    /// This target, at its usual bitrate.
    #[must_use]
    pub fn to(target: Target) -> Self {
        Self { format: Some(WishFormat::To(target)), ..Self::default() }
    }
}

impl Network {
    /// A private, local or loopback address is in the house.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        let is_local = match address.to_canonical() {
            IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local(),
            IpAddr::V6(v6) => {
                v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local()
            }
        };
        if is_local { Self::Lan } else { Self::Outside }
    }
}

impl Gain {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Off, Self::Track, Self::Album, Self::Auto];

    /// Its name in parameters, settings and the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Track => "track",
            Self::Album => "album",
            Self::Auto => "auto",
        }
    }

    /// Reads a name; unknown words are `None`.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|gain| word.eq_ignore_ascii_case(gain.as_str()))
    }
}

impl WishFormat {
    /// The names that [`Self::parse`] knows best, as a sentence.
    pub const NAMES: &'static str = "The format is one of raw, ogg, opus, mp3, aac, m4a, flac and wav, or the suffix of the original";

    /// Reads Subsonic's `format` and DLNA's profile names; unknown words are `None`.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        if word.eq_ignore_ascii_case("raw") {
            return Some(Self::Raw);
        }
        Target::parse(word).map(Self::To)
    }
}

impl Target {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Opus, Self::Mp3, Self::Aac, Self::M4a, Self::Flac, Self::Wav, Self::L16];

    /// Reads a suffix or codec name; unknown words are `None`.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "opus" | "ogg" | "oga" => Self::Opus,
            "mp3" => Self::Mp3,
            "aac" | "adts" => Self::Aac,
            "m4a" | "mp4" => Self::M4a,
            "flac" => Self::Flac,
            "wav" => Self::Wav,
            "l16" | "lpcm" | "pcm" => Self::L16,
            _ => return None,
        })
    }

    /// Its suffix, which is its name in URLs and cache files too.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Opus => "opus",
            Self::Mp3 => "mp3",
            Self::Aac => "aac",
            Self::M4a => "m4a",
            Self::Flac => "flac",
            Self::Wav => "wav",
            Self::L16 => "l16",
        }
    }

    /// Container and codec, as clients name them.
    #[must_use]
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Opus => ("ogg", "opus"),
            Self::Mp3 => ("mp3", "mp3"),
            Self::Aac => ("aac", "aac"),
            Self::M4a => ("mp4", "aac"),
            Self::Flac => ("flac", "flac"),
            Self::Wav => ("wav", "pcm"),
            Self::L16 => ("l16", "pcm"),
        }
    }

    /// Its MIME type. L16 needs rate and channels added, which the answer's own type has.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Opus => "audio/ogg",
            Self::Mp3 => "audio/mpeg",
            Self::Aac => "audio/aac",
            Self::M4a => "audio/mp4",
            Self::Flac => "audio/flac",
            Self::Wav => "audio/wav",
            Self::L16 => "audio/L16",
        }
    }

    /// Nothing is lost in it, so no bitrate can be chosen.
    #[must_use]
    pub fn is_lossless(self) -> bool {
        matches!(self, Self::Flac | Self::Wav | Self::L16)
    }

    /// kbit/s when nobody says otherwise; `None` for lossless ones.
    #[must_use]
    pub fn usual_bitrate_kbps(self) -> Option<u32> {
        match self {
            Self::Opus => Some(128),
            Self::Mp3 => Some(256),
            Self::Aac | Self::M4a => Some(192),
            Self::Flac | Self::Wav | Self::L16 => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_in_the_house() {
        for (address, expected) in [
            ("127.0.0.1", Network::Lan),
            ("192.168.178.20", Network::Lan),
            ("10.1.2.3", Network::Lan),
            ("172.20.0.1", Network::Lan),
            ("169.254.3.4", Network::Lan),
            ("::ffff:192.168.1.1", Network::Lan),
            ("fd12::1", Network::Lan),
            ("fe80::1", Network::Lan),
            ("::1", Network::Lan),
            ("8.8.8.8", Network::Outside),
            ("172.32.0.1", Network::Outside),
            ("2001:db8::1", Network::Outside),
        ] {
            assert_eq!(Network::of(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn names_are_read_back() {
        for gain in Gain::ALL {
            assert_eq!(Gain::parse(gain.as_str()), Some(gain));
        }
        assert_eq!(Gain::parse("loud"), None);
        for target in Target::ALL {
            assert_eq!(Target::parse(target.suffix()), Some(target));
        }
    }
}
