//! The first frame of an MP3: no sound, but how long it is and how many samples the encoder put
//! in front and behind, so that players show the right length and cut it to the sample.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
};

/// Samples of silence that a decoder adds in front, and that the padding behind counts too.
const DECODER_DELAY: u64 = 529;

/// Samples behind the end of the sound of an MP3 whose encoder said so; the file is left at its
/// beginning. libav cuts them off, but does not say how many.
pub(crate) fn trailing(file: &mut File) -> io::Result<u64> {
    let mut start = [0; 10];
    let read = file.read(&mut start)?;
    let tag = if read == 10 && start.starts_with(b"ID3") {
        let size = start[6..].iter().fold(0, |size, byte| (size << 7) | u64::from(byte & 0x7f));
        size + 10
    } else {
        0
    };
    file.seek(SeekFrom::Start(tag))?;
    let mut frame = Vec::new();
    (&mut *file).take(256).read_to_end(&mut frame)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(padding(&frame).unwrap_or(0).saturating_sub(DECODER_DELAY))
}

fn padding(frame: &[u8]) -> Option<u64> {
    if frame.len() < 4 || frame[0] != 0xff || frame[1] & 0xe0 != 0xe0 {
        return None;
    }
    let is_info = |four: &[u8]| matches!(four, b"Xing" | b"Info");
    let at = frame.windows(4).take(48).position(is_info)?;
    let flags = frame.get(at + 7)?;
    let fields = [(1, 4), (2, 4), (4, 100), (8, 4)];
    let present = fields.iter().filter(|(bit, _)| flags & bit != 0);
    let extension = at + 8 + present.map(|(_, len)| len).sum::<usize>();
    let gap = frame.get(extension + 21..extension + 24)?;
    Some(u64::from(gap[1] & 0x0f) << 8 | u64::from(gap[2]))
}

/// Samples that LAME puts in front (its own delay; decoders add theirs of 529).
const DELAY: u64 = 576;

/// Samples a frame.
fn frame_samples(rate: u32) -> u64 {
    if rate < 32_000 { 576 } else { 1152 }
}

/// Frames of sound that LAME makes of `total` samples, and the samples it adds behind.
fn counted(total: u64, rate: u32) -> (u64, u64) {
    let size = frame_samples(rate);
    // It needs 576 + 576 samples to get everything out, and rounds up to whole frames.
    let frames = (total + DELAY + DELAY).div_ceil(size);
    (frames, frames * size - total - DELAY)
}

/// An `Info` frame for constant bitrate; empty where the length is not known or does not fit.
pub(crate) fn frame(rate: u32, channels: u32, bitrate_kbps: u32, total: Option<u64>) -> Vec<u8> {
    let is_mpeg1 = 32_000 <= rate;
    let Some(header) = header(rate, channels, bitrate_kbps) else { return Vec::new() };
    let side_info = match (is_mpeg1, channels) {
        (true, 1) | (false, 2) => 17,
        (true, _) => 32,
        (false, _) => 9,
    };
    let bytes = frame_bytes(rate, bitrate_kbps);
    let at = 4 + side_info;
    // Very low bitrates have no room for it; players then estimate.
    let Some(total) = total.filter(|_| at + 120 + 36 <= bytes) else { return Vec::new() };
    let (frames, padding) = counted(total, rate);
    let mut frame = vec![0; bytes];
    frame[..4].copy_from_slice(&header);
    let mut tag = Vec::with_capacity(156);
    tag.extend_from_slice(b"Info");
    // Frames, bytes, table of contents, quality.
    tag.extend_from_slice(&15_u32.to_be_bytes());
    tag.extend_from_slice(&u32::try_from(frames).unwrap_or(u32::MAX).to_be_bytes());
    let size = frames * frame_samples(rate) * u64::from(bitrate_kbps) * 125 / u64::from(rate);
    let size = size + bytes as u64;
    tag.extend_from_slice(&u32::try_from(size).unwrap_or(u32::MAX).to_be_bytes());
    // Bytes grow as time does.
    tag.extend((0..100_u32).map(|percent| (percent * 256 / 100) as u8));
    tag.extend_from_slice(&0_u32.to_be_bytes());
    // The extension of LAME: name, then what only it knows, then delay and padding.
    tag.extend_from_slice(b"LAME3.100");
    tag.extend_from_slice(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    tag.push(u8::try_from(bitrate_kbps).unwrap_or(u8::MAX));
    let padding = padding.min(0xfff) as u32;
    let gap = ((DELAY as u32) << 12) | padding;
    tag.extend_from_slice(&gap.to_be_bytes()[1..]);
    frame[at..at + tag.len()].copy_from_slice(&tag);
    frame
}

fn frame_bytes(rate: u32, bitrate_kbps: u32) -> usize {
    (frame_samples(rate) as u32 * bitrate_kbps * 125 / rate) as usize
}

/// The four bytes that begin each frame; `None` for a rate that MP3 does not have.
fn header(rate: u32, channels: u32, bitrate_kbps: u32) -> Option<[u8; 4]> {
    const MPEG1: [u32; 14] = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
    const MPEG2: [u32; 14] = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
    // Version bits and the index of the rate.
    let (version, rate_index) = match rate {
        44_100 => (3, 0),
        48_000 => (3, 1),
        32_000 => (3, 2),
        22_050 => (2, 0),
        24_000 => (2, 1),
        16_000 => (2, 2),
        11_025 => (0, 0),
        12_000 => (0, 1),
        8_000 => (0, 2),
        _ => return None,
    };
    let rates = if version == 3 { MPEG1 } else { MPEG2 };
    let bitrate_index = 1 + rates.iter().position(|known| *known == bitrate_kbps)? as u8;
    let mode = if channels == 1 { 3 } else { 1 };
    Some([0xff, 0xe0 | (version << 3) | 0b011, (bitrate_index << 4) | (rate_index << 2), mode << 6])
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        let total = 176_400;
        let (frames, behind) = counted(total, 44_100);
        assert_eq!(frames * 1152, DELAY + total + behind);
        let written = frame(44_100, 2, 256, Some(total));
        assert_eq!(written.len(), 835);
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"ID3\x04\0\0\0\0\x01\x02").unwrap();
        file.write_all(&[0; 130]).unwrap();
        file.write_all(&written).unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        assert_eq!(trailing(&mut file).unwrap(), behind - DECODER_DELAY);
        assert_eq!(file.stream_position().unwrap(), 0);
        assert!(frame(44_100, 2, 256, None).is_empty());
        assert!(frame(44_100, 2, 33, Some(total)).is_empty());
    }

    #[test]
    fn nonsense_has_no_padding() {
        for bytes in [&b""[..], b"ID3", b"Xing", &[0xff; 256], b"ID3\x04\0\0\x7f\x7f\x7f\x7f"] {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(bytes).unwrap();
            file.seek(SeekFrom::Start(0)).unwrap();
            assert_eq!(trailing(&mut file).unwrap(), 0);
        }
    }
}
