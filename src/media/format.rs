//! Telling formats by content, and what each is called outside: MIME types and suffixes.

/// How a file of music is wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Container {
    /// Native FLAC.
    Flac,
    /// MPEG audio, layers 1 to 3.
    Mp3,
    /// Ogg with Vorbis, Opus, Speex or FLAC.
    Ogg,
    /// MPEG-4 with AAC or ALAC.
    Mp4,
    /// RIFF or RF64 WAVE.
    Wav,
    /// AIFF and AIFF-C.
    Aiff,
    /// WavPack.
    Wavpack,
    /// Monkey's Audio.
    Ape,
    /// Musepack.
    Musepack,
    /// Windows Media.
    Asf,
    /// DSD stream file (Sony).
    Dsf,
    /// DSD interchange file (Philips).
    Dff,
    /// Matroska and WebM.
    Matroska,
    /// Bare AAC.
    Adts,
    /// True Audio.
    Tta,
    /// Apple's Core Audio Format.
    Caf,
    /// Sony's Wave64.
    W64,
    /// Sun's and NeXT's sound file.
    Au,
}

impl Container {
    /// Its name in the catalogue.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Flac => "flac",
            Self::Mp3 => "mp3",
            Self::Ogg => "ogg",
            Self::Mp4 => "mp4",
            Self::Wav => "wav",
            Self::Aiff => "aiff",
            Self::Wavpack => "wavpack",
            Self::Ape => "ape",
            Self::Musepack => "musepack",
            Self::Asf => "asf",
            Self::Dsf => "dsf",
            Self::Dff => "dff",
            Self::Matroska => "matroska",
            Self::Adts => "adts",
            Self::Tta => "tta",
            Self::Caf => "caf",
            Self::W64 => "w64",
            Self::Au => "au",
        }
    }

    /// What begins like this. An ID3v2 tag in front is to be skipped by the caller, see
    /// [`id3v2_length`].
    #[must_use]
    pub fn of(head: &[u8]) -> Option<Self> {
        let at = |offset: usize, magic: &[u8]| {
            head.get(offset..offset + magic.len()).is_some_and(|found| found == magic)
        };
        let found = if at(0, b"fLaC") {
            Self::Flac
        } else if at(0, b"OggS") {
            Self::Ogg
        } else if at(4, b"ftyp") {
            Self::Mp4
        } else if (at(0, b"RIFF") || at(0, b"RF64")) && at(8, b"WAVE") {
            Self::Wav
        } else if at(0, b"FORM") && (at(8, b"AIFF") || at(8, b"AIFC")) {
            Self::Aiff
        } else if at(0, b"wvpk") {
            Self::Wavpack
        } else if at(0, b"MAC ") {
            Self::Ape
        } else if at(0, b"MPCK") || at(0, b"MP+") {
            Self::Musepack
        } else if at(0, &ASF_HEADER) {
            Self::Asf
        } else if at(0, b"DSD ") {
            Self::Dsf
        } else if at(0, b"FRM8") && at(12, b"DSD ") {
            Self::Dff
        } else if at(0, &[0x1a, 0x45, 0xdf, 0xa3]) {
            Self::Matroska
        } else if at(0, b"TTA1") || at(0, b"TTA2") {
            Self::Tta
        } else if at(0, b"caff\0\x01") {
            Self::Caf
        } else if at(0, &W64_RIFF) {
            Self::W64
        } else if at(0, b".snd\0\0") {
            Self::Au
        } else {
            return mpeg(head);
        };
        Some(found)
    }
}

/// Chunks of Wave64 have GUIDs for names; the first one begins with `riff`.
const W64_RIFF: [u8; 16] = *b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0";

const ASF_HEADER: [u8; 16] =
    [0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11, 0xa6, 0xd9, 0, 0xaa, 0, 0x62, 0xce, 0x6c];

/// MPEG audio or ADTS: both begin with a sync word, after some junk at most, and their frames
/// follow each other.
fn mpeg(head: &[u8]) -> Option<Container> {
    for (at, pair) in head.windows(2).take(4096).enumerate() {
        if pair[0] != 0xff || pair[1] & 0xe0 != 0xe0 {
            continue;
        }
        let adts = pair[1] & 0xf6 == 0xf0;
        let length = if adts { adts_frame(&head[at..]) } else { mpeg_frame(&head[at..]) };
        let Some(length) = length else { continue };
        let same = |next: &[u8]| next[0] == 0xff && next[1] & 0xfe == pair[1] & 0xfe;
        match head.get(at + length..at + length + 2) {
            Some(next) if !same(next) => (),
            // The only frame there is counts if it is where a file begins.
            None if at > 0 => (),
            _ => return Some(if adts { Container::Adts } else { Container::Mp3 }),
        }
    }
    None
}

fn adts_frame(head: &[u8]) -> Option<usize> {
    let head = head.first_chunk::<6>()?;
    let rate = (head[2] >> 2) & 15;
    let length =
        usize::from(head[3] & 3) << 11 | usize::from(head[4]) << 3 | usize::from(head[5]) >> 5;
    (rate < 13 && length > 7).then_some(length)
}

fn mpeg_frame(head: &[u8]) -> Option<usize> {
    const V1_L1: [u32; 14] = [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448];
    const V1_L2: [u32; 14] = [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384];
    const V1_L3: [u32; 14] = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
    const V2_L1: [u32; 14] = [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256];
    const V2_L3: [u32; 14] = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
    let head = head.first_chunk::<4>()?;
    let (version, layer) = ((head[1] >> 3) & 3, (head[1] >> 1) & 3);
    let bitrates = match (version, layer) {
        (1, _) | (_, 0) => return None,
        (3, 3) => V1_L1,
        (3, 2) => V1_L2,
        (3, _) => V1_L3,
        (_, 3) => V2_L1,
        _ => V2_L3,
    };
    let bitrate = *bitrates.get(usize::from(head[2] >> 4).checked_sub(1)?)? * 1000;
    let rate = *[44100, 48000, 32000].get(usize::from(head[2] >> 2) & 3)?
        / match version {
            3 => 1,
            2 => 2,
            _ => 4,
        };
    let padding = u32::from(head[2] >> 1) & 1;
    Some(match layer {
        3 => (12 * bitrate / rate + padding) * 4,
        1 if version != 3 => 72 * bitrate / rate + padding,
        _ => 144 * bitrate / rate + padding,
    } as usize)
}

/// How long the ID3v2 tag at the beginning is; 0 without one.
#[must_use]
pub fn id3v2_length(head: &[u8]) -> u64 {
    match head.first_chunk::<10>() {
        Some([b'I', b'D', b'3', major, _, flags, a, b, c, d])
            if *major < 0x80 && [a, b, c, d].iter().all(|byte| **byte < 0x80) =>
        {
            let size = [a, b, c, d].iter().fold(0, |size, byte| size << 7 | u64::from(**byte));
            // A footer repeats the header.
            10 + size + if flags & 0x10 == 0 { 0 } else { 10 }
        }
        _ => 0,
    }
}

/// The MIME type of a file of music.
#[must_use]
pub fn mime(container: &str, codec: &str) -> &'static str {
    match (container, codec) {
        ("flac", _) => "audio/flac",
        ("mp3", _) => "audio/mpeg",
        ("ogg", _) => "audio/ogg",
        ("mp4", _) => "audio/mp4",
        ("wav", _) => "audio/wav",
        ("aiff", _) => "audio/aiff",
        ("wavpack", _) => "audio/x-wavpack",
        ("ape", _) => "audio/x-ape",
        ("musepack", _) => "audio/x-musepack",
        ("asf", _) => "audio/x-ms-wma",
        ("dsf", _) => "audio/x-dsf",
        ("dff", _) => "audio/x-dff",
        ("matroska", _) => "audio/x-matroska",
        ("adts", _) => "audio/aac",
        ("tta", _) => "audio/x-tta",
        ("caf", _) => "audio/x-caf",
        ("w64", _) => "audio/x-w64",
        ("au", _) => "audio/basic",
        _ => "application/octet-stream",
    }
}

/// The suffix that clients and renderers expect of such a file, whatever its name says.
#[must_use]
pub fn suffix(container: &str, codec: &str) -> &'static str {
    match (container, codec) {
        ("flac", _) => "flac",
        ("mp3", _) => "mp3",
        ("ogg", "opus") => "opus",
        ("ogg", "speex") => "spx",
        ("ogg", "flac") => "oga",
        ("ogg", _) => "ogg",
        ("mp4", _) => "m4a",
        ("wav", _) => "wav",
        ("aiff", _) => "aiff",
        ("wavpack", _) => "wv",
        ("ape", _) => "ape",
        ("musepack", _) => "mpc",
        ("asf", _) => "wma",
        ("dsf", _) => "dsf",
        ("dff", _) => "dff",
        ("matroska", _) => "mka",
        ("adts", _) => "aac",
        ("tta", _) => "tta",
        ("caf", _) => "caf",
        ("w64", _) => "w64",
        ("au", _) => "au",
        _ => "bin",
    }
}

/// Whether decoding gives back what went in. WavPack's hybrid files count as lossless here.
#[must_use]
pub fn is_lossless(codec: &str) -> bool {
    matches!(codec, "flac" | "alac" | "pcm" | "wavpack" | "ape" | "dsd" | "wmalossless" | "tta")
}

/// The MIME type of a picture that is understood here, by its first bytes.
#[must_use]
pub fn picture_mime(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        Some("image/jpeg")
    } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some("image/png")
    } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        Some("image/gif")
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        Some("image/webp")
    } else if bytes.starts_with(b"BM") && bytes.len() > 26 {
        Some("image/bmp")
    } else {
        None
    }
}

/// What a file may be, judged by its name alone; its content has the last word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// Perhaps music.
    Audio,
    /// Perhaps a cover.
    Picture,
    /// `.lrc`, `.ttml`.
    Lyrics,
    /// `.cue`.
    CueSheet,
    /// `.m3u`, `.m3u8`, `.pls`, `.xspf`.
    Playlist,
}

/// What a file of this name may be; `None`: not worth opening.
#[must_use]
pub fn named(name: &str) -> Option<Named> {
    let (stem, suffix) = name.rsplit_once('.')?;
    if stem.is_empty() {
        return None;
    }
    Some(match suffix.to_ascii_lowercase().as_str() {
        "mp3" | "mp2" | "mp1" | "mpga" | "flac" | "fla" | "ogg" | "oga" | "opus" | "spx"
        | "m4a" | "m4b" | "mp4" | "m4r" | "aac" | "wav" | "wave" | "bwf" | "rf64" | "aif"
        | "aiff" | "aifc" | "afc" | "wv" | "ape" | "mac" | "mpc" | "mp+" | "mpp" | "wma"
        | "asf" | "dsf" | "dff" | "mka" | "webm" | "weba" | "tta" | "caf" | "w64" | "au"
        // The last three only to be told why they cannot be played.
        | "snd" | "m4p" | "aax" | "aa" => Named::Audio,
        "jpg" | "jpeg" | "jpe" | "png" | "webp" | "gif" | "bmp" => Named::Picture,
        "lrc" | "ttml" => Named::Lyrics,
        "cue" => Named::CueSheet,
        "m3u" | "m3u8" | "pls" | "xspf" => Named::Playlist,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_tells_the_container() {
        let frame = |head: [u8; 4], length: usize| {
            let mut bytes = vec![0; length];
            bytes[..4].copy_from_slice(&head);
            bytes.repeat(2)
        };
        let table: &[(&[u8], Option<Container>)] = &[
            (b"fLaC\0\0\0\x22", Some(Container::Flac)),
            (b"OggS\0\x02", Some(Container::Ogg)),
            (b"\0\0\0\x20ftypM4A ", Some(Container::Mp4)),
            (b"RIFF\0\0\0\0WAVEfmt ", Some(Container::Wav)),
            (b"RF64\xff\xff\xff\xffWAVEds64", Some(Container::Wav)),
            (b"RIFF\0\0\0\0WEBPVP8 ", None),
            (b"FORM\0\0\0\0AIFFCOMM", Some(Container::Aiff)),
            (b"FORM\0\0\0\0AIFCFVER", Some(Container::Aiff)),
            (b"FORM\0\0\0\08SVXVHDR", None),
            (b"wvpk", Some(Container::Wavpack)),
            (b"MAC \x96\x0f", Some(Container::Ape)),
            (b"TTA1\x01\0", Some(Container::Tta)),
            (b"caff\0\x01\0\0", Some(Container::Caf)),
            (&W64_RIFF, Some(Container::W64)),
            (b".snd\0\0\0\x18", Some(Container::Au)),
            (b"MPCKSH", Some(Container::Musepack)),
            (b"MP+\x07", Some(Container::Musepack)),
            (&ASF_HEADER, Some(Container::Asf)),
            (b"DSD \x1c\0\0\0\0\0\0\0", Some(Container::Dsf)),
            (b"FRM8\0\0\0\0\0\0\0\0DSD FVER", Some(Container::Dff)),
            (&[0x1a, 0x45, 0xdf, 0xa3, 0x9f], Some(Container::Matroska)),
            (&frame([0xff, 0xfb, 0x90, 0x64], 417), Some(Container::Mp3)),
            (&frame([0xff, 0xf3, 0x80, 0xc4], 208), Some(Container::Mp3)),
            (&frame([0xff, 0xf1, 0x50, 0x80], 417), None),
            (&[0xff, 0xf1, 0x50, 0x80, 0x01, 0x1f, 0xfc, 0], Some(Container::Adts)),
            (b"this is not music\n", None),
            (b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01", None),
            (b"", None),
        ];
        for (head, expected) in table {
            assert_eq!(Container::of(head), *expected, "{head:x?}");
        }
    }

    #[test]
    fn every_container_has_a_type_and_a_suffix_that_names_it() {
        use Container::{
            Adts, Aiff, Ape, Asf, Au, Caf, Dff, Dsf, Flac, Matroska, Mp3, Mp4, Musepack, Ogg, Tta,
            W64, Wav, Wavpack,
        };
        for container in [
            Adts, Aiff, Ape, Asf, Au, Caf, Dff, Dsf, Flac, Matroska, Mp3, Mp4, Musepack, Ogg, Tta,
            W64, Wav, Wavpack,
        ] {
            assert!(mime(container.name(), "").starts_with("audio/"), "{container:?}");
            let name = format!("x.{}", suffix(container.name(), ""));
            assert_eq!(named(&name), Some(Named::Audio), "{container:?}");
        }
        assert_eq!(suffix("ogg", "opus"), "opus");
        assert_eq!(named("UPPER.MP3"), Some(Named::Audio));
        assert_eq!(named(".mp3"), None);
        assert_eq!(named("notes.txt"), None);
    }

    #[test]
    fn an_id3_tag_says_how_long_it_is() {
        assert_eq!(id3v2_length(b"ID3\x04\0\0\0\0\x02\x01rest"), 10 + 257);
        assert_eq!(id3v2_length(b"ID3\x04\0\x10\0\0\0\x01"), 21);
        assert_eq!(id3v2_length(b"ID3\x04\0\0\0\0\xff\x01"), 0);
        assert_eq!(id3v2_length(b"ID3"), 0);
    }
}
