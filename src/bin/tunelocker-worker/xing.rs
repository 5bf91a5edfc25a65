//! The first frame of an MP3: no sound, but how long it is and how many samples the encoder put
//! in front and behind, so that players show the right length and cut it to the sample.

use std::io::{self, Read, Seek, SeekFrom};

/// Samples of silence that a decoder adds in front, and that the padding behind counts too.
const DECODER_DELAY: u64 = 529;

/// What the first frame of an MP3 says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// Samples behind the end of the sound. libav cuts them off, but does not say how many.
    pub(crate) trailing: u64,
    /// It speaks of as many bytes as there are, so what it says holds for all of the file and not
    /// for the first of several that were glued together.
    pub(crate) is_whole: bool,
}

/// Bytes of tags at the end, and what encoders count differently.
const ROOM: u64 = 4096;

/// Reads it; the file is left at its beginning.
pub(crate) fn read(file: &mut (impl Read + Seek)) -> io::Result<Said> {
    let mut start = [0; 10];
    let read = file.read(&mut start)?;
    let tag = if read == 10 && start.starts_with(b"ID3") {
        let size = start[6..].iter().fold(0, |size, byte| (size << 7) | u64::from(byte & 0x7f));
        size + 10
    } else {
        0
    };
    let len = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(tag))?;
    let mut frame = Vec::new();
    (&mut *file).take(256).read_to_end(&mut frame)?;
    file.seek(SeekFrom::Start(0))?;
    let size = size(&frame).unwrap_or(0);
    Ok(Said {
        trailing: padding(&frame).unwrap_or(0).saturating_sub(DECODER_DELAY),
        is_whole: 0 < size && len.saturating_sub(tag).abs_diff(size) <= ROOM + len / 100,
    })
}

/// Where it stands in a frame, and its flags.
fn place(frame: &[u8]) -> Option<(usize, u8)> {
    if frame.len() < 4 || frame[0] != 0xff || frame[1] & 0xe0 != 0xe0 {
        return None;
    }
    let is_info = |four: &[u8]| matches!(four, b"Xing" | b"Info");
    let at = frame.windows(4).take(48).position(is_info)?;
    Some((at, *frame.get(at + 7)?))
}

/// Bytes of the file.
fn size(frame: &[u8]) -> Option<u64> {
    let (at, flags) = place(frame)?;
    let begin = at + 8 + if flags & 1 == 0 { 0 } else { 4 };
    let bytes = frame.get(begin..begin + 4).filter(|_| flags & 2 != 0)?;
    Some(bytes.iter().fold(0, |size, byte| size << 8 | u64::from(*byte)))
}

fn padding(frame: &[u8]) -> Option<u64> {
    let (at, flags) = place(frame)?;
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
    let Some(total) = total else { return Vec::new() };
    let (frames, padding) = counted(total, rate);
    let size = frames * frame_samples(rate) * u64::from(bitrate_kbps) * 125 / u64::from(rate);
    let size = size + frame_bytes(rate, bitrate_kbps) as u64;
    // Bytes grow as time does.
    let contents = (0..100_u32).map(|percent| (percent * 256 / 100) as u8).collect();
    let facts = Facts {
        is_variable: false,
        bitrate_kbps,
        frames: Some(frames),
        size: Some((size, contents)),
        padding: Some(padding),
    };
    write(rate, channels, bitrate_kbps, &facts)
}

/// What such a frame says.
struct Facts {
    is_variable: bool,
    bitrate_kbps: u32,
    frames: Option<u64>,
    /// Bytes in all, and of each hundredth of the time which 256th of them it begins at.
    size: Option<(u64, Vec<u8>)>,
    padding: Option<u64>,
}

fn write(rate: u32, channels: u32, bitrate_kbps: u32, facts: &Facts) -> Vec<u8> {
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
    if bytes < at + 120 + 36 {
        return Vec::new();
    }
    let mut frame = vec![0; bytes];
    frame[..4].copy_from_slice(&header);
    let short = |number: u64| u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes();
    let mut tag = Vec::with_capacity(156);
    tag.extend_from_slice(if facts.is_variable { b"Xing" } else { b"Info" });
    // Frames 1, bytes 2, table of contents 4, quality 8.
    let flags = 8 | u32::from(facts.frames.is_some()) | if facts.size.is_some() { 6 } else { 0 };
    tag.extend_from_slice(&flags.to_be_bytes());
    if let Some(frames) = facts.frames {
        tag.extend_from_slice(&short(frames));
    }
    if let Some((size, contents)) = &facts.size {
        tag.extend_from_slice(&short(*size));
        tag.extend_from_slice(contents);
    }
    tag.extend_from_slice(&0_u32.to_be_bytes());
    // The extension of LAME: name, then its method and what only it knows, then delay and padding.
    tag.extend_from_slice(b"LAME3.100");
    tag.push(if facts.is_variable { 4 } else { 1 });
    tag.extend_from_slice(&[0; 10]);
    tag.push(u8::try_from(facts.bitrate_kbps).unwrap_or(u8::MAX));
    let padding = facts.padding.unwrap_or(0).min(0xfff) as u32;
    let gap = ((DELAY as u32) << 12) | padding;
    tag.extend_from_slice(&gap.to_be_bytes()[1..]);
    frame[at..at + tag.len()].copy_from_slice(&tag);
    frame
}

/// Where the frames of a variable bitrate begin.
pub(crate) struct Index {
    rate: u32,
    channels: u32,
    total: Option<u64>,
    /// Where each frame begins, counted from behind the header.
    begins: Vec<u64>,
    size: u64,
}

impl Index {
    pub(crate) fn new(rate: u32, channels: u32, total: Option<u64>) -> Self {
        Self { rate, channels, total, begins: Vec::new(), size: 0 }
    }

    /// The next frame.
    pub(crate) fn add(&mut self, bytes: usize) {
        self.begins.push(self.size);
        self.size += bytes as u64;
    }

    /// The frame in front, as far as it is known before the sound: number of frames and gaps.
    pub(crate) fn head(&self) -> Vec<u8> {
        let counted = self.total.map(|total| counted(total, self.rate));
        self.write(&Facts {
            is_variable: true,
            bitrate_kbps: 0,
            frames: counted.map(|(frames, _)| frames),
            size: None,
            padding: counted.map(|(_, padding)| padding),
        })
    }

    /// The same, complete.
    pub(crate) fn whole(&self) -> Vec<u8> {
        let head = self.head().len() as u64;
        let (frames, size) = (self.begins.len(), head + self.size);
        let place = |percent: usize| {
            let begins = self.begins.get(frames * percent / 100).copied().unwrap_or(self.size);
            ((head + begins) * 256 / size.max(1)).min(255) as u8
        };
        let padding = self
            .total
            .map(|total| (frames as u64 * frame_samples(self.rate)).saturating_sub(total + DELAY));
        self.write(&Facts {
            is_variable: true,
            bitrate_kbps: 0,
            frames: Some(frames as u64),
            size: Some((size, (0..100).map(place).collect())),
            padding,
        })
    }

    fn write(&self, facts: &Facts) -> Vec<u8> {
        write(self.rate, self.channels, if self.rate < 32_000 { 96 } else { 128 }, facts)
    }
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
        let said = read(&mut file).unwrap();
        assert_eq!(said.trailing, behind - DECODER_DELAY);
        assert!(!said.is_whole, "there is a header and no sound");
        let sound = frames * 1152 * 256 * 125 / 44_100;
        file.set_len(140 + 835 + sound).unwrap();
        assert!(read(&mut file).unwrap().is_whole);
        file.set_len(140 + 2 * (835 + sound)).unwrap();
        assert!(!read(&mut file).unwrap().is_whole, "two that were glued together");
        assert_eq!(file.stream_position().unwrap(), 0);
        assert!(frame(44_100, 2, 256, None).is_empty());
        assert!(frame(44_100, 2, 33, Some(total)).is_empty());
    }

    #[test]
    fn a_variable_bitrate_is_completed_in_place() {
        let total = 441_000;
        let (frames, behind) = counted(total, 44_100);
        let mut index = Index::new(44_100, 2, Some(total));
        let head = index.head();
        for frame in 0..frames {
            // The second half is four times as dear.
            index.add(if frame < frames / 2 { 200 } else { 800 });
        }
        let whole = index.whole();
        assert_eq!((head.len(), whole.len()), (417, 417));
        for made in [&head, &whole] {
            assert_eq!(made[36..40], *b"Xing");
            assert_eq!(padding(made), Some(behind));
            assert_eq!(made[44..48], u32::try_from(frames).unwrap().to_be_bytes());
        }
        assert_eq!((head[43], whole[43]), (9, 15));
        let size = 417 + frames / 2 * 200 + (frames - frames / 2) * 800;
        assert_eq!(whole[48..52], u32::try_from(size).unwrap().to_be_bytes());
        let contents = &whole[52..152];
        assert!(contents.is_sorted() && (50..54).contains(&contents[50]), "{contents:?}");
    }

    #[test]
    fn nonsense_has_no_padding() {
        for bytes in [&b""[..], b"ID3", b"Xing", &[0xff; 256], b"ID3\x04\0\0\x7f\x7f\x7f\x7f"] {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(bytes).unwrap();
            file.seek(SeekFrom::Start(0)).unwrap();
            assert_eq!(read(&mut file).unwrap(), Said::default());
        }
    }
}
