//! Windows Media files: the header objects that say what the sound is and who made it.

use std::borrow::Cow;

use super::{Audio, comments, fields::Fields, id3};
use crate::media::{source::Source, understand::Refusal};

/// The whole header, pictures included.
const MOST_HEADER: usize = 32 << 20;
const MOST_OBJECTS: usize = 1000;

const FILE_PROPERTIES: [u8; 16] =
    *b"\xa1\xdc\xab\x8c\x47\xa9\xcf\x11\x8e\xe4\x00\xc0\x0c\x20\x53\x65";
const STREAM_PROPERTIES: [u8; 16] =
    *b"\x91\x07\xdc\xb7\xb7\xa9\xcf\x11\x8e\xe6\x00\xc0\x0c\x20\x53\x65";
const AUDIO_STREAM: [u8; 16] = *b"\x40\x9e\x69\xf8\x4d\x5b\xcf\x11\xa8\xfd\x00\x80\x5f\x5c\x44\x2b";
const DESCRIPTION: [u8; 16] = *b"\x33\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c";
const EXTENDED_DESCRIPTION: [u8; 16] =
    *b"\x40\xa4\xd0\xd2\x07\xe3\xd2\x11\x97\xf0\x00\xa0\xc9\x5e\xa8\x50";
const HEADER_EXTENSION: [u8; 16] =
    *b"\xb5\x03\xbf\x5f\x2e\xa9\xcf\x11\x8e\xe3\x00\xc0\x0c\x20\x53\x65";
const METADATA: [u8; 16] = *b"\xea\xcb\xf8\xc5\xaf\x5b\x77\x48\x84\x67\xaa\x8c\x44\xfa\x4c\xca";
const METADATA_LIBRARY: [u8; 16] =
    *b"\x94\x1c\x23\x44\x98\x94\xd1\x49\xa1\x41\x1d\x13\x4e\x45\x70\x54";

/// Objects that tell how the sound is encrypted: the older way, its extension, the later way.
const ENCRYPTIONS: [[u8; 16]; 3] = [
    *b"\xfb\xb3\x11\x22\x23\xbd\xd2\x11\xb4\xb7\x00\xa0\xc9\x55\xfc\x6e",
    *b"\x14\xe6\x8a\x29\x22\x26\x17\x4c\xb9\x35\xda\xe0\x7e\xe9\x28\x9c",
    *b"\x33\x85\x05\x43\x81\x69\xe6\x49\x9b\x74\xad\x12\xcb\x86\xd5\x8c",
];

/// Attribute names that do not turn into ours by dropping `WM/`.
const NAMES: &[(&str, &str)] = &[
    ("AUTHOR", "ARTIST"),
    ("ALBUMTITLE", "ALBUM"),
    ("YEAR", "DATE"),
    ("PARTOFSET", "DISC"),
    ("SETSUBTITLE", "DISCSUBTITLE"),
    ("BEATSPERMINUTE", "BPM"),
    ("CONTENTGROUPDESCRIPTION", "GROUPING"),
    ("ISCOMPILATION", "COMPILATION"),
    ("WRITER", "LYRICIST"),
    ("MODIFIEDBY", "REMIXER"),
    ("ARTISTSORTORDER", "ARTISTSORT"),
    ("ALBUMSORTORDER", "ALBUMSORT"),
    ("TITLESORTORDER", "TITLESORT"),
    ("ALBUMARTISTSORTORDER", "ALBUMARTISTSORT"),
    ("COMPOSERSORTORDER", "COMPOSERSORT"),
    ("ORIGINALRELEASETIME", "ORIGINALDATE"),
    ("ORIGINALRELEASEYEAR", "ORIGINALYEAR"),
];

/// Reads the header.
pub(super) fn read(source: &mut Source<'_>) -> Result<(Audio, Fields), Refusal> {
    let size = long(source.head(), 16).ok_or("It ends in its header")?;
    let header = source
        .bytes(0, usize::try_from(size).unwrap_or(MOST_HEADER).min(MOST_HEADER))
        .map_err(|error| error.to_string())?;
    let mut file = File::default();
    file.objects(header.get(30..).unwrap_or_default());
    if file.is_encrypted {
        return Err(Refusal::protected("Windows Media DRM"));
    }
    let Some((codec, format)) = file.format else { return Err("It holds no sound".into()) };
    let is_lossless = crate::media::format::is_lossless(codec);
    let audio = Audio {
        codec: codec.to_owned(),
        duration_ms: (file.duration / 10_000).saturating_sub(file.preroll_ms),
        bitrate_kbps: format.bytes_a_second.saturating_mul(8) / 1000,
        sample_rate: format.rate,
        channels: format.channels.into(),
        bit_depth: if is_lossless { format.bits.into() } else { 0 },
        ..Audio::default()
    };
    Ok((audio, file.fields))
}

#[derive(Default)]
struct File {
    /// In units of 100 ns.
    duration: u64,
    preroll_ms: u64,
    format: Option<(&'static str, Format)>,
    is_encrypted: bool,
    fields: Fields,
}

struct Format {
    channels: u16,
    rate: u32,
    bytes_a_second: u32,
    bits: u16,
}

impl File {
    fn objects(&mut self, mut rest: &[u8]) {
        for _ in 0..MOST_OBJECTS {
            let Some((id, size)) = rest.first_chunk::<16>().zip(long(rest, 16)) else { return };
            let size = usize::try_from(size).unwrap_or(usize::MAX).min(rest.len());
            let Some(body) = rest.get(24..size) else { return };
            match *id {
                FILE_PROPERTIES => {
                    self.duration = long(body, 40).unwrap_or(0);
                    self.preroll_ms = long(body, 56).unwrap_or(0);
                }
                STREAM_PROPERTIES if body.starts_with(&AUDIO_STREAM) => self.stream(body),
                DESCRIPTION => self.description(body),
                EXTENDED_DESCRIPTION => {
                    self.extended(body);
                }
                METADATA | METADATA_LIBRARY => {
                    self.metadata(body);
                }
                id if ENCRYPTIONS.contains(&id) => self.is_encrypted = true,
                // Objects again, but none of these holds another of itself.
                HEADER_EXTENSION => self.inner(body.get(22..).unwrap_or_default()),
                _ => (),
            }
            rest = &rest[size..];
        }
    }

    fn inner(&mut self, mut rest: &[u8]) {
        for _ in 0..MOST_OBJECTS {
            let Some((id, size)) = rest.first_chunk::<16>().zip(long(rest, 16)) else { return };
            let size = usize::try_from(size).unwrap_or(usize::MAX).min(rest.len());
            let Some(body) = rest.get(24..size) else { return };
            if matches!(*id, METADATA | METADATA_LIBRARY) {
                self.metadata(body);
            }
            rest = &rest[size..];
        }
    }

    fn stream(&mut self, body: &[u8]) {
        let format = || {
            let codec = match short(body, 54)? {
                0x160 | 0x161 => "wma",
                0x162 => "wmapro",
                0x163 => "wmalossless",
                0x0a => "wmavoice",
                0x55 => "mp3",
                0x01 => "pcm",
                _ => return None,
            };
            let format = Format {
                channels: short(body, 56)?,
                rate: number(body, 58)?,
                bytes_a_second: number(body, 62)?,
                bits: short(body, 68)?,
            };
            Some((codec, format))
        };
        if self.format.is_none() {
            self.format = format();
        }
    }

    fn description(&mut self, body: &[u8]) {
        let mut at = 10;
        for (index, name) in ["TITLE", "ARTIST", "COPYRIGHT", "COMMENT"].iter().enumerate() {
            let length = usize::from(short(body, 2 * index).unwrap_or(0));
            if let Some(text) = body.get(at..at + length) {
                self.fields.add(*name, &utf16(text));
            }
            at += length;
        }
    }

    fn extended(&mut self, body: &[u8]) -> Option<()> {
        let mut at = 2;
        for _ in 0..short(body, 0)? {
            let name_length = usize::from(short(body, at)?);
            let name = utf16(body.get(at + 2..at + 2 + name_length)?);
            at += 2 + name_length;
            let (kind, length) = (short(body, at)?, usize::from(short(body, at + 2)?));
            let value = body.get(at + 4..at + 4 + length)?;
            at += 4 + length;
            self.attribute(&name, kind, value);
        }
        Some(())
    }

    fn metadata(&mut self, body: &[u8]) -> Option<()> {
        let mut at = 2;
        for _ in 0..short(body, 0)? {
            let (name_length, kind) = (usize::from(short(body, at + 4)?), short(body, at + 6)?);
            let length = usize::try_from(number(body, at + 8)?).ok()?;
            let name = utf16(body.get(at + 12..at + 12 + name_length)?);
            at += 12 + name_length;
            let value = body.get(at..at.checked_add(length)?)?;
            at += length;
            self.attribute(&name, kind, value);
        }
        Some(())
    }

    fn attribute(&mut self, name: &str, kind: u16, value: &[u8]) {
        let upper = name.to_uppercase();
        let upper = upper.strip_prefix("WM/").unwrap_or(&upper);
        if upper == "PICTURE" {
            let _ = self.picture(value);
            return;
        }
        let text = match kind {
            0 => utf16(value),
            2 | 3 => number(value, 0).map(|number| number.to_string()).unwrap_or_default(),
            4 => long(value, 0).map(|number| number.to_string()).unwrap_or_default(),
            5 => short(value, 0).map(|number| number.to_string()).unwrap_or_default(),
            _ => return,
        };
        match upper {
            // Counts from 0; TrackNumber says the same counting from 1.
            "TRACK" => (),
            "LYRICS" => self.fields.add_lyrics("und", &text),
            _ => {
                let id = upper
                    .strip_prefix("MUSICBRAINZ/")
                    .map(|id| id3::own_name(&format!("MUSICBRAINZ {id}")));
                let ours = NAMES.iter().find(|(theirs, _)| *theirs == upper);
                let name = id.unwrap_or(Cow::Borrowed(ours.map_or(upper, |(_, ours)| ours)));
                comments::add_comment(&mut self.fields, &name, &text);
            }
        }
    }

    /// Type, length, MIME type and description ended by NULs, then the picture.
    fn picture(&mut self, value: &[u8]) -> Option<()> {
        let (kind, length) = (*value.first()?, usize::try_from(number(value, 1)?).ok()?);
        let mut at = 5;
        for _ in 0..2 {
            let end = value.get(at..)?.chunks_exact(2).position(|letter| letter == [0, 0])?;
            at += 2 * end + 2;
        }
        let picture = value.get(at..at.checked_add(length)?)?;
        self.fields.add_picture(kind == 3, Cow::Borrowed(picture));
        Some(())
    }
}

fn utf16(bytes: &[u8]) -> String {
    let letters = bytes.chunks_exact(2).map(|two| u16::from_le_bytes([two[0], two[1]]));
    char::decode_utf16(letters.take_while(|letter| *letter != 0))
        .map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
