//! What a client asks for, and the target formats there are.

use std::time::Duration;

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

/// What a client asks of a stream. The default is the original.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// `None`: the original if it fits under the bitrate limit, else the server's choice.
    pub format: Option<WishFormat>,
    /// kbit/s; `None` and 0 are no limit.
    pub max_bitrate_kbps: Option<u32>,
    /// Where to begin; originals ignore it.
    pub offset: Duration,
    /// Say a length beforehand and keep to it to the byte.
    pub estimate_length: bool,
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

impl WishFormat {
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
