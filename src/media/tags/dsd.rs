//! DSD stream files (Sony's DSF) and interchange files (Philips' DFF): their headers, and the ID3
//! tag that taggers put into both.

use std::io::Cursor;

use lofty::{config::ParseOptions, file::AudioFile as _, mpeg::MpegFile};

use super::{Audio, fields::Fields, id3};
use crate::media::source::Source;

/// Chunks of a DFF file that are looked at.
const MOST_CHUNKS: usize = 1000;
const MOST_TAG: usize = 32 << 20;

/// Reads a DSF file: three chunks at fixed places, a pointer to the tag.
pub(super) fn read_dsf(source: &mut Source<'_>) -> Result<(Audio, Fields), String> {
    let head = source.head();
    let number = |at: usize| Some(u32::from_le_bytes(*head.get(at..)?.first_chunk()?));
    let long = |at: usize| Some(u64::from_le_bytes(*head.get(at..)?.first_chunk()?));
    if head.get(28..32) != Some(b"fmt ") {
        return Err("Its DSF header is broken".to_owned());
    }
    let read = || Some((long(20)?, number(52)?, number(56)?, long(64)?));
    let (tag_at, channels, rate, samples) = read().ok_or("It ends in its header")?;
    let fields = if tag_at == 0 || tag_at >= source.size() {
        Fields::default()
    } else {
        tag(source, tag_at)
    };
    Ok((dsd(channels, rate, samples)?, fields))
}

/// Reads a DFF file: big-endian chunks, one of them holding the properties in chunks of its own.
pub(super) fn read_dff(source: &mut Source<'_>) -> Result<(Audio, Fields), String> {
    let (mut rate, mut channels, mut sound) = (0, 0, 0);
    let mut codec = "dsd";
    let mut fields = Fields::default();
    let mut at = 16;
    for _ in 0..MOST_CHUNKS {
        let Some((id, length)) = chunk(source, at) else { break };
        match &id {
            b"PROP" => {
                let inside = source
                    .bytes(at + 12, length.min(64 << 10) as usize)
                    .map_err(|error| error.to_string())?;
                for (id, body) in properties(&inside) {
                    match id {
                        b"FS  " => rate = big(body, 0).unwrap_or(0),
                        b"CHNL" => {
                            let count = body.first_chunk().map(|two| u16::from_be_bytes(*two));
                            channels = count.unwrap_or(0).into();
                        }
                        b"CMPR" if body.starts_with(b"DST ") => codec = "dst",
                        _ => (),
                    }
                }
            }
            b"DSD " => sound = length,
            b"ID3 " => fields = tag(source, at + 12),
            _ => (),
        }
        at = at.saturating_add(12).saturating_add(length).saturating_add(length & 1);
        if at >= source.size() {
            break;
        }
    }
    let samples = sound.saturating_mul(8) / u64::from(channels.max(1));
    let mut audio = dsd(channels, rate, samples)?;
    codec.clone_into(&mut audio.codec);
    Ok((audio, fields))
}

/// One bit a sample; what players call the bit rate follows from that.
fn dsd(channels: u32, rate: u32, samples: u64) -> Result<Audio, String> {
    if !(1..=16).contains(&channels) || !(8000..=100_000_000).contains(&rate) {
        return Err("Its DSD header is broken".to_owned());
    }
    Ok(Audio {
        codec: "dsd".to_owned(),
        duration_ms: samples.saturating_mul(1000) / u64::from(rate),
        bitrate_kbps: rate / 1000 * channels,
        sample_rate: rate,
        channels,
        bit_depth: 1,
        ..Audio::default()
    })
}

/// The ID3v2 tag at a place, read as if it were a file of its own.
fn tag(source: &mut Source<'_>, at: u64) -> Fields {
    let Ok(mut bytes) = source.bytes(at, MOST_TAG) else { return Fields::default() };
    // Where an MP3 would go on; the reader looks back from its end for older tags.
    bytes.resize(bytes.len() + 256, 0);
    let options = ParseOptions::new().read_properties(false);
    let read = MpegFile::read_from(&mut Cursor::new(bytes), options);
    read.ok().and_then(|mut file| file.remove_id3v2()).map(id3::v2).unwrap_or_default()
}

fn chunk(source: &mut Source<'_>, at: u64) -> Option<([u8; 4], u64)> {
    let head = source.bytes(at, 12).ok()?;
    let length = u64::from_be_bytes(*head.get(4..)?.first_chunk()?);
    Some((*head.first_chunk()?, length))
}

/// Chunks inside the property chunk, after its type.
fn properties(bytes: &[u8]) -> Vec<(&[u8; 4], &[u8])> {
    let mut found = Vec::new();
    let mut rest = bytes.get(4..).unwrap_or_default();
    while let Some((id, tail)) = rest.split_first_chunk::<4>() {
        let Some((length, body)) = tail.split_first_chunk::<8>() else { break };
        let length = usize::try_from(u64::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let Some(inside) = body.get(..length) else { break };
        found.push((id, inside));
        rest = body.get(length.saturating_add(length & 1)..).unwrap_or_default();
    }
    found
}

fn big(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}
