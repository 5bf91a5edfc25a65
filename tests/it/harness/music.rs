//! Real small files of music, written byte by byte so that nothing of the code under test helps:
//! FLAC with Vorbis comments and pictures, WAVE without any tags, and covers.

use std::{
    f32::consts::TAU,
    fs,
    io::Cursor,
    path::{Path, PathBuf},
};

/// Samples a second of every file here.
const RATE: u32 = 44_100;
const BLOCK: u32 = 4096;

/// A FLAC file to be written. The name of the file gives it its own, quiet sound.
#[derive(Debug, Clone)]
pub(crate) struct Flac {
    path: String,
    seconds: f64,
    comments: Vec<(String, String)>,
    picture: Option<Vec<u8>>,
}

/// A FLAC file at this path below the library, two seconds long, without tags.
pub(crate) fn flac(path: &str) -> Flac {
    Flac { path: path.to_owned(), seconds: 2.0, comments: Vec::new(), picture: None }
}

impl Flac {
    /// Adds a Vorbis comment; the same name again is another value.
    pub(crate) fn tag(mut self, name: &str, value: &str) -> Self {
        self.comments.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Title, artist and album at once.
    pub(crate) fn of(self, artist: &str, album: &str, title: &str) -> Self {
        self.tag("TITLE", title).tag("ARTIST", artist).tag("ALBUM", album)
    }

    /// Track number.
    pub(crate) fn number(self, number: u32) -> Self {
        self.tag("TRACKNUMBER", &number.to_string())
    }

    /// How long it is.
    pub(crate) fn seconds(mut self, seconds: f64) -> Self {
        self.seconds = seconds;
        self
    }

    /// With this JPEG as its front cover.
    pub(crate) fn picture(mut self, jpeg: Vec<u8>) -> Self {
        self.picture = Some(jpeg);
        self
    }

    /// Writes it below `root`.
    pub(crate) fn write(&self, root: &Path) -> PathBuf {
        write(root, &self.path, &self.bytes())
    }

    fn bytes(&self) -> Vec<u8> {
        let samples = (self.seconds * f64::from(RATE)).round() as u32;
        let mut out = b"fLaC".to_vec();
        block(&mut out, 0, &stream_info(samples), false);
        if let Some(jpeg) = &self.picture {
            block(&mut out, 6, &picture(jpeg), false);
        }
        block(&mut out, 4, &vorbis_comment(&self.comments), true);
        let level =
            self.path.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31) + u32::from(byte));
        let level = (level % 64) as i16;
        let mut done = 0;
        let mut number = 0;
        while done < samples {
            let length = BLOCK.min(samples - done);
            frame(&mut out, number, length, level);
            done += length;
            number += 1;
        }
        out
    }
}

/// A WAVE file without tags: a 440 Hz tone.
pub(crate) fn wav(root: &Path, path: &str, seconds: f64) -> PathBuf {
    let samples = (seconds * f64::from(RATE)).round() as u32;
    let mut out = b"RIFF".to_vec();
    out.extend_from_slice(&(36 + 2 * samples).to_le_bytes());
    out.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    out.extend_from_slice(&RATE.to_le_bytes());
    out.extend_from_slice(&(2 * RATE).to_le_bytes());
    out.extend_from_slice(b"\x02\0\x10\0data");
    out.extend_from_slice(&(2 * samples).to_le_bytes());
    for at in 0..samples {
        let sample = (TAU * 440.0 * at as f32 / RATE as f32).sin() * 8000.0;
        out.extend_from_slice(&(sample as i16).to_le_bytes());
    }
    write(root, path, &out)
}

/// A JPEG of one colour, `edge` pixels square.
pub(crate) fn jpeg(edge: u32, colour: [u8; 3]) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    image::RgbImage::from_pixel(edge, edge, image::Rgb(colour))
        .write_to(&mut out, image::ImageFormat::Jpeg)
        .unwrap();
    out.into_inner()
}

/// Any bytes at this path below `root`.
pub(crate) fn write(root: &Path, path: &str, bytes: &[u8]) -> PathBuf {
    let whole = root.join(path);
    fs::create_dir_all(whole.parent().unwrap()).unwrap();
    fs::write(&whole, bytes).unwrap();
    whole
}

fn block(out: &mut Vec<u8>, kind: u8, body: &[u8], last: bool) {
    out.push(kind | if last { 0x80 } else { 0 });
    out.extend_from_slice(&(body.len() as u32).to_be_bytes()[1..]);
    out.extend_from_slice(body);
}

fn stream_info(samples: u32) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(&(BLOCK as u16).to_be_bytes());
    out.extend_from_slice(&(BLOCK as u16).to_be_bytes());
    out.extend_from_slice(&[0; 6]);
    // 20 bits rate, 3 bits channels - 1, 5 bits depth - 1, 36 bits samples.
    let packed = (u64::from(RATE) << 44) | (1 << 41) | (15 << 36) | u64::from(samples);
    out.extend_from_slice(&packed.to_be_bytes());
    out.extend_from_slice(&[0; 16]);
    out
}

fn vorbis_comment(comments: &[(String, String)]) -> Vec<u8> {
    let mut out = Vec::new();
    let text = |out: &mut Vec<u8>, text: &str| {
        out.extend_from_slice(&(text.len() as u32).to_le_bytes());
        out.extend_from_slice(text.as_bytes());
    };
    text(&mut out, "tests");
    out.extend_from_slice(&(comments.len() as u32).to_le_bytes());
    for (name, value) in comments {
        text(&mut out, &format!("{name}={value}"));
    }
    out
}

fn picture(jpeg: &[u8]) -> Vec<u8> {
    let mut out = 3_u32.to_be_bytes().to_vec();
    out.extend_from_slice(&10_u32.to_be_bytes());
    out.extend_from_slice(b"image/jpeg");
    out.extend_from_slice(&[0; 20]);
    out.extend_from_slice(&(jpeg.len() as u32).to_be_bytes());
    out.extend_from_slice(jpeg);
    out
}

/// One frame of two constant channels.
fn frame(out: &mut Vec<u8>, number: u32, length: u32, level: i16) {
    let start = out.len();
    // 16 bit block size at the end of the header, 44.1 kHz, independent stereo, 16 bit.
    out.extend_from_slice(&[0xff, 0xf8, 0x79, 0x18]);
    match number {
        0..0x80 => out.push(number as u8),
        _ => out.extend_from_slice(&[0xc0 | (number >> 6) as u8, 0x80 | (number & 0x3f) as u8]),
    }
    out.extend_from_slice(&((length - 1) as u16).to_be_bytes());
    out.push(crc8(&out[start..]));
    for _ in 0..2 {
        out.push(0);
        out.extend_from_slice(&level.to_be_bytes());
    }
    let crc = crc16(&out[start..]);
    out.extend_from_slice(&crc.to_be_bytes());
}

fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ byte, |crc, _| if crc & 0x80 == 0 { crc << 1 } else { (crc << 1) ^ 0x07 })
    })
}

fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x8005 }
        })
    })
}

#[test]
fn files_decode() {
    use symphonia::core::{
        formats::{FormatOptions, probe::Hint},
        io::{MediaSourceStream, MediaSourceStreamOptions},
        meta::MetadataOptions,
    };

    let folder = tempfile::tempdir().unwrap();
    let picture = jpeg(8, [1, 2, 3]);
    let file = flac("a.flac").of("A", "B", "C").number(1).seconds(13.0).picture(picture);
    for path in [file.write(folder.path()), wav(folder.path(), "b.wav", 1.5)] {
        let file = fs::File::open(&path).unwrap();
        let source = MediaSourceStream::new(Box::new(file), MediaSourceStreamOptions::default());
        let probed = symphonia::default::get_probe().probe(
            &Hint::default(),
            source,
            FormatOptions::default(),
            MetadataOptions::default(),
        );
        assert!(probed.is_ok(), "{}", path.display());
    }
}
