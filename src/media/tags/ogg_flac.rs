//! FLAC inside Ogg: its metadata blocks are the first packets of the stream.

use std::borrow::Cow;

use lofty::{
    config::ParsingMode,
    picture::{Picture, PictureType},
};

use super::{Audio, comments, fields::Fields};
use crate::media::source::Source;

const MOST_PAGES: usize = 2000;
const MOST_PACKET: usize = 17 << 20;
const MOST_BLOCKS: usize = 128;

/// Reads the metadata blocks.
pub(super) fn read(source: &mut Source<'_>) -> Result<(Audio, Fields), String> {
    let mut packets = Packets { source, at: 0, pending: Vec::new(), whole: Vec::new(), pages: 0 };
    let first = packets.next().ok_or("It ends in its header")?;
    // 0x7f "FLAC", version, count of headers, "fLaC", then STREAMINFO.
    let info = first.get(17..17 + 34).ok_or("Its FLAC header is broken")?;
    let packed = info.get(10..18).and_then(|bytes| bytes.first_chunk());
    let packed = u64::from_be_bytes(*packed.ok_or("Its FLAC header is broken")?);
    let (rate, channels) = ((packed >> 44) as u32, (packed >> 41 & 7) as u32 + 1);
    let (bits, samples) = ((packed >> 36 & 31) as u32 + 1, packed & 0xf_ffff_ffff);
    let mut fields = Fields::default();
    for _ in 0..MOST_BLOCKS {
        let Some(block) = packets.next() else { break };
        let Some((head, body)) = block.split_first_chunk::<4>() else { break };
        match head[0] & 0x7f {
            4 => {
                let _ = add_comments(&mut fields, body);
            }
            6 => add_picture(&mut fields, body),
            _ => (),
        }
        // The last block is marked; a frame of sound begins with ones.
        if head[0] & 0x80 != 0 {
            break;
        }
    }
    let size = packets.source.size();
    let samples = if samples == 0 { last_position(packets.source).unwrap_or(0) } else { samples };
    let duration_ms = (samples * 1000).checked_div(u64::from(rate)).unwrap_or(0);
    let audio = Audio {
        codec: "flac".to_owned(),
        duration_ms,
        bitrate_kbps: (size * 8).checked_div(duration_ms).unwrap_or(0) as u32,
        sample_rate: rate,
        channels,
        bit_depth: bits,
        ..Audio::default()
    };
    Ok((audio, fields))
}

/// The position of the last page, for streams that were written without knowing their end.
fn last_position(source: &mut Source<'_>) -> Option<u64> {
    let from = source.size().saturating_sub(128 << 10);
    let tail = source.bytes(from, 128 << 10).ok()?;
    let page = tail.windows(4).rposition(|four| four == b"OggS")?;
    let position = u64::from_le_bytes(*tail.get(page + 6..)?.first_chunk()?);
    (position <= 0xf_ffff_ffff).then_some(position)
}

fn add_comments(fields: &mut Fields, body: &[u8]) -> Option<()> {
    let number = |at: usize| Some(u32::from_le_bytes(*body.get(at..)?.first_chunk()?) as usize);
    let mut at = number(0)?.checked_add(4)?;
    let count = number(at)?;
    at += 4;
    for _ in 0..count.min(4096) {
        let length = number(at)?;
        let end = at.checked_add(4)?.checked_add(length)?;
        let comment = String::from_utf8_lossy(body.get(at + 4..end)?).into_owned();
        at = end;
        match comment.split_once('=') {
            Some((name, value)) if name.eq_ignore_ascii_case("METADATA_BLOCK_PICTURE") => {
                if let Ok((picture, _)) =
                    Picture::from_flac_bytes(value.as_bytes(), true, ParsingMode::BestAttempt)
                {
                    let is_front = picture.pic_type() == PictureType::CoverFront;
                    fields.add_picture(is_front, Cow::Owned(picture.into_data()));
                }
            }
            Some((name, value)) => comments::add_comment(fields, name, value),
            None => (),
        }
    }
    Some(())
}

fn add_picture(fields: &mut Fields, body: &[u8]) {
    if let Ok((picture, _)) = Picture::from_flac_bytes(body, false, ParsingMode::BestAttempt) {
        let is_front = picture.pic_type() == PictureType::CoverFront;
        fields.add_picture(is_front, Cow::Owned(picture.into_data()));
    }
}

/// Packets of an Ogg stream from its beginning.
struct Packets<'s, 'f> {
    source: &'s mut Source<'f>,
    at: u64,
    pending: Vec<u8>,
    whole: Vec<Vec<u8>>,
    pages: usize,
}

impl Packets<'_, '_> {
    fn next(&mut self) -> Option<Vec<u8>> {
        while self.whole.is_empty() {
            self.page()?;
        }
        Some(self.whole.remove(0))
    }

    fn page(&mut self) -> Option<()> {
        self.pages += 1;
        let head = self.source.bytes(self.at, 27).ok()?;
        if !head.starts_with(b"OggS") || self.pages > MOST_PAGES {
            return None;
        }
        let segments = usize::from(*head.get(26)?);
        let table = self.source.bytes(self.at + 27, segments).ok()?;
        let length = table.iter().map(|size| usize::from(*size)).sum();
        let body = self.source.bytes(self.at + 27 + segments as u64, length).ok()?;
        self.at += (27 + segments + length) as u64;
        let mut rest = &body[..];
        for size in table {
            let (piece, after) = rest.split_at_checked(size.into())?;
            self.pending.extend_from_slice(piece);
            rest = after;
            if size < 255 {
                self.whole.push(std::mem::take(&mut self.pending));
            }
        }
        (self.pending.len() <= MOST_PACKET).then_some(())
    }
}
