//! Matroska and WebM with sound: tracks, tags and attached covers. Clusters are never read.

use std::borrow::Cow;

use super::{Audio, comments, fields::Fields};
use crate::media::source::Source;

const SEGMENT: u32 = 0x1853_8067;
const SEEK_HEAD: u32 = 0x114d_9b74;
const INFO: u32 = 0x1549_a966;
const TRACKS: u32 = 0x1654_ae6b;
const TAGS: u32 = 0x1254_c367;
const ATTACHMENTS: u32 = 0x1941_a469;
const CLUSTER: u32 = 0x1f43_b675;

const MOST_ELEMENTS: usize = 10_000;
const MOST_ELEMENT: u64 = 32 << 20;
const MOST_DEPTH: usize = 8;

/// Reads the parts of a file that are not sound.
pub(super) fn read(source: &mut Source<'_>) -> Result<(Audio, Fields), String> {
    let mut file = File::default();
    // The EBML header, then the segment.
    let (_, header, length) = head(source, 0).ok_or("It ends in its header")?;
    let at = header.saturating_add(length.unwrap_or(0));
    let (id, body, _) = head(source, at).ok_or("It ends in its header")?;
    if id != SEGMENT {
        return Err("Its Matroska header is broken".to_owned());
    }
    file.segment(source, body);
    let seeks = std::mem::take(&mut file.seeks);
    for at in seeks {
        file.top(source, body.saturating_add(at));
    }
    file.finish(source.size())
}

#[derive(Default)]
struct File {
    seen: Vec<u64>,
    seeks: Vec<u64>,
    scale: Option<u64>,
    duration: f64,
    title: Option<String>,
    audio: Option<Track>,
    has_video: bool,
    tags: Vec<(u64, String, String)>,
    pictures: Vec<(bool, Vec<u8>)>,
}

#[derive(Default)]
struct Track {
    kind: u64,
    codec: String,
    rate: f64,
    channels: u64,
    bits: u64,
}

impl File {
    /// Everything before the first cluster; the rest is found by the seek head.
    fn segment(&mut self, source: &mut Source<'_>, mut at: u64) {
        for _ in 0..MOST_ELEMENTS {
            match self.top(source, at) {
                Some(next) if next > at && next < source.size() => at = next,
                _ => return,
            }
        }
    }

    /// One element of the segment; where the next one begins.
    fn top(&mut self, source: &mut Source<'_>, at: u64) -> Option<u64> {
        let (id, body, length) = head(source, at)?;
        let length = length?;
        let wanted = matches!(id, SEEK_HEAD | INFO | TRACKS | TAGS | ATTACHMENTS);
        if id == CLUSTER {
            return None;
        }
        if wanted && length <= MOST_ELEMENT && !self.seen.contains(&at) && self.seen.len() < 64 {
            self.seen.push(at);
            let bytes = source.bytes(body, length as usize).ok()?;
            match id {
                SEEK_HEAD => self.seek_head(&bytes),
                INFO => self.info(&bytes),
                TRACKS => self.tracks(&bytes),
                TAGS => self.tags(&bytes),
                _ => self.attachments(&bytes),
            }
        }
        body.checked_add(length)
    }

    fn seek_head(&mut self, bytes: &[u8]) {
        for (_, seek) in elements(bytes).filter(|(id, _)| *id == 0x4dbb) {
            let position = elements(seek).find(|(id, _)| *id == 0x53ac);
            if let Some((_, position)) = position
                && self.seeks.len() < 64
            {
                self.seeks.push(unsigned(position));
            }
        }
    }

    fn info(&mut self, bytes: &[u8]) {
        for (id, body) in elements(bytes) {
            match id {
                0x002a_d7b1 => self.scale = Some(unsigned(body)),
                0x4489 => self.duration = float(body),
                0x7ba9 => self.title = Some(text(body)),
                _ => (),
            }
        }
    }

    fn tracks(&mut self, bytes: &[u8]) {
        for (_, entry) in elements(bytes).filter(|(id, _)| *id == 0xae) {
            let mut track = Track { rate: 8000.0, channels: 1, ..Track::default() };
            for (id, body) in elements(entry) {
                match id {
                    0x83 => track.kind = unsigned(body),
                    0x86 => track.codec = text(body),
                    0xe1 => {
                        for (id, body) in elements(body) {
                            match id {
                                0xb5 => track.rate = float(body),
                                0x9f => track.channels = unsigned(body),
                                0x6264 => track.bits = unsigned(body),
                                _ => (),
                            }
                        }
                    }
                    _ => (),
                }
            }
            match track.kind {
                1 => self.has_video = true,
                2 if self.audio.is_none() => self.audio = Some(track),
                _ => (),
            }
        }
    }

    fn tags(&mut self, bytes: &[u8]) {
        for (_, tag) in elements(bytes).filter(|(id, _)| *id == 0x7373) {
            let targets = elements(tag).find(|(id, _)| *id == 0x63c0);
            // 0: nothing is said about what it is about, as muxers without an idea of albums do.
            let level = targets.and_then(|(_, body)| elements(body).find(|(id, _)| *id == 0x68ca));
            let level = level.map_or(0, |(_, level)| unsigned(level));
            self.simple_tags(tag, level, 0);
        }
    }

    fn simple_tags(&mut self, bytes: &[u8], level: u64, depth: usize) {
        for (_, simple) in elements(bytes).filter(|(id, _)| *id == 0x67c8) {
            let value = |wanted| elements(simple).find(|(id, _)| *id == wanted);
            if let (Some((_, name)), Some((_, value))) = (value(0x45a3), value(0x4487))
                && self.tags.len() < 4096
            {
                self.tags.push((level, text(name).to_uppercase(), text(value)));
            }
            if depth < MOST_DEPTH {
                self.simple_tags(simple, level, depth + 1);
            }
        }
    }

    fn attachments(&mut self, bytes: &[u8]) {
        for (_, file) in elements(bytes).filter(|(id, _)| *id == 0x61a7).take(64) {
            let value = |wanted| elements(file).find(|(id, _)| *id == wanted).map(|(_, body)| body);
            let is_picture = value(0x4660).is_some_and(|mime| mime.starts_with(b"image/"));
            if let Some(picture) = value(0x465c).filter(|_| is_picture) {
                let name = value(0x466e).map(text).unwrap_or_default().to_lowercase();
                self.pictures.push((name.starts_with("cover."), picture.to_vec()));
            }
        }
    }

    fn finish(self, size: u64) -> Result<(Audio, Fields), String> {
        if self.has_video {
            return Err("It is a film".to_owned());
        }
        let track = self.audio.ok_or("It holds no sound")?;
        let codec = codec(&track.codec).ok_or("Its codec is not known here")?;
        let ms = self.duration * self.scale.unwrap_or(1_000_000) as f64 / 1e6;
        let duration_ms = if ms.is_finite() && ms > 0.0 { ms as u64 } else { 0 };
        let is_lossless = crate::media::format::is_lossless(codec);
        let audio = Audio {
            codec: codec.to_owned(),
            duration_ms,
            bitrate_kbps: (size * 8).checked_div(duration_ms).unwrap_or(0) as u32,
            sample_rate: track.rate as u32,
            channels: track.channels.min(64) as u32,
            bit_depth: if is_lossless { track.bits.min(64) as u32 } else { 0 },
            ..Audio::default()
        };
        let mut fields = Fields::default();
        for (level, name, value) in &self.tags {
            add(&mut fields, *level, name, value);
        }
        if !fields.has("TITLE")
            && let Some(title) = self.title
        {
            fields.add("TITLE", &title);
        }
        for (is_front, picture) in self.pictures {
            fields.add_picture(is_front, Cow::Owned(picture));
        }
        Ok((audio, fields))
    }
}

/// Names mean what they are said about: 50 an album, 40 a disc, 30 a track.
fn add(fields: &mut Fields, level: u64, name: &str, value: &str) {
    let name = match (level, name) {
        (50, "TITLE") => "ALBUM",
        (50, "ARTIST") => "ALBUMARTIST",
        (50, "SORT_WITH") => "ALBUMSORT",
        (40 | 50, "TOTAL_PARTS") => "TRACKTOTAL",
        (40, "PART_NUMBER") => "DISCNUMBER",
        (40, "TITLE") => "DISCSUBTITLE",
        (40.., "PART_NUMBER" | "DURATION") | (_, "ENCODER" | "DURATION") => return,
        (_, "PART_NUMBER") => "TRACKNUMBER",
        (_, "DATE_RELEASED" | "DATE_RECORDED") => "DATE",
        (_, "LEAD_PERFORMER") => "ARTIST",
        (_, name) => name,
    };
    comments::add_comment(fields, name, value);
}

fn codec(id: &str) -> Option<&'static str> {
    Some(match id {
        "A_OPUS" => "opus",
        "A_VORBIS" => "vorbis",
        "A_FLAC" => "flac",
        "A_ALAC" => "alac",
        "A_MPEG/L3" => "mp3",
        "A_MPEG/L2" => "mp2",
        "A_MPEG/L1" => "mp1",
        "A_WAVPACK4" => "wavpack",
        "A_TTA1" => "tta",
        "A_AC3" => "ac3",
        "A_EAC3" => "eac3",
        "A_DTS" => "dts",
        _ if id.starts_with("A_AAC") => "aac",
        _ if id.starts_with("A_PCM") => "pcm",
        _ => return None,
    })
}

/// Id, where the body begins, and its length unless that is unknown.
fn head(source: &mut Source<'_>, at: u64) -> Option<(u32, u64, Option<u64>)> {
    let bytes = source.bytes(at, 12).ok()?;
    let (id, id_length) = id(&bytes)?;
    let (length, length_length) = length(bytes.get(id_length..)?)?;
    Some((id, at + (id_length + length_length) as u64, length))
}

/// Elements of known length inside a body.
fn elements(mut rest: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    std::iter::from_fn(move || {
        let (id, id_length) = id(rest)?;
        let (length, length_length) = length(rest.get(id_length..)?)?;
        let body = rest.get(id_length + length_length..)?;
        let length = usize::try_from(length?).ok()?.min(body.len());
        rest = &body[length..];
        Some((id, &body[..length]))
    })
    .take(MOST_ELEMENTS)
}

fn id(bytes: &[u8]) -> Option<(u32, usize)> {
    let length = bytes.first()?.leading_zeros() as usize + 1;
    let bytes = bytes.get(..length).filter(|_| length <= 4)?;
    Some((bytes.iter().fold(0, |id, byte| id << 8 | u32::from(*byte)), length))
}

fn length(bytes: &[u8]) -> Option<(Option<u64>, usize)> {
    let first = *bytes.first()?;
    let length = first.leading_zeros() as usize + 1;
    let rest = bytes.get(1..length).filter(|_| length <= 8)?;
    let mask = (0xffu16 >> length) as u8;
    let start = u64::from(first & mask);
    let value = rest.iter().fold(start, |value, byte| value << 8 | u64::from(*byte));
    let unknown = first & mask == mask && rest.iter().all(|byte| *byte == 0xff);
    Some(((!unknown).then_some(value), length))
}

fn unsigned(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).fold(0, |value, byte| value << 8 | u64::from(*byte))
}

fn float(bytes: &[u8]) -> f64 {
    let single = bytes.try_into().map(|bytes| f64::from(f32::from_be_bytes(bytes)));
    single.or_else(|_| bytes.try_into().map(f64::from_be_bytes)).unwrap_or(0.0)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned()
}
