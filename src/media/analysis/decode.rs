//! From an open file to sound, packet by packet: hashes what is encoded, decodes it, and lets the
//! ear hear it.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::FileExt as _,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use symphonia::core::{
    codecs::audio::{AudioDecoder, AudioDecoderOptions},
    errors::Error,
    formats::{FormatOptions, FormatReader, SeekMode, SeekTo, TrackType, probe::Hint},
    io::{MediaSource, MediaSourceStream, MediaSourceStreamOptions},
    meta::MetadataOptions,
    units::{Time, Timestamp},
};

use super::{Heard, Order, Pcm, Unheard, ear::Ear};
use crate::error::in_words;

/// Whoever takes longer is endless, or meant to be.
const PATIENCE: Duration = Duration::from_mins(8);
/// More undecodable packets than this in a row, and the file is damaged.
const MOST_DAMAGE: u32 = 200;
/// Channels that anybody has.
const MOST_CHANNELS: usize = 32;

/// Hears a file as ordered.
pub(super) fn hear(file: File, pcm: Option<File>, order: &Order) -> Result<Heard, Unheard> {
    let disk = Disk::of(file);
    disk.judge(hear_from(&disk, pcm, order))
}

/// The hash of a file's packets alone.
pub(super) fn audio_hash(file: File) -> Result<[u8; 32], Unheard> {
    let disk = Disk::of(file);
    disk.judge(Reader::open(&disk).and_then(|reader| reader.hash(Instant::now())))
}

fn hear_from(disk: &Arc<Disk>, pcm: Option<File>, order: &Order) -> Result<Heard, Unheard> {
    let begun = Instant::now();
    // A retagged file costs one reading and no decoding.
    if let Some(known) = order.known {
        let hash = Reader::open(disk).ok().and_then(|reader| reader.hash(begun).ok());
        if hash == Some(known) {
            return Ok(Heard { audio_hash: hash, is_same: true, ..Heard::default() });
        }
    }
    if let (Some(form), Some(pcm)) = (order.pcm, pcm) {
        let (loudness, sound) = hear_pcm(pcm, form, begun)?;
        let hash = order.range_ms.is_none().then(|| Reader::open(disk).ok()?.hash(begun).ok());
        return Ok(Heard { audio_hash: hash.flatten(), is_same: false, loudness, sound });
    }
    Reader::open(disk)?.hear(order.range_ms, begun)
}

/// Sound that another process decodes.
fn hear_pcm(
    mut from: File,
    form: Pcm,
    begun: Instant,
) -> Result<(Option<super::Loudness>, Option<super::Sound>), Unheard> {
    let channels = form.channels as usize;
    if channels == 0 || MOST_CHANNELS < channels || form.sample_rate == 0 {
        return Err(failed("Its sound has a strange form"));
    }
    let mut ear = Ear::new(form.sample_rate, channels, None);
    let mut bytes = vec![0; 8192 * 2 * channels];
    let mut samples = Vec::new();
    let mut filled = 0;
    loop {
        let read = from.read(&mut bytes[filled..]).map_err(|error| cannot_read(&error))?;
        filled += read;
        let whole = filled - filled % (2 * channels);
        samples.clear();
        samples.extend(
            bytes[..whole]
                .chunks_exact(2)
                .map(|pair| f32::from(i16::from_be_bytes([pair[0], pair[1]])) / 32_768.0),
        );
        ear.hear(&mut samples);
        bytes.copy_within(whole..filled, 0);
        filled -= whole;
        if read == 0 {
            return Ok(ear.end());
        }
        in_time(begun)?;
    }
}

/// A container that was recognised, and which of its tracks is heard.
struct Reader {
    format: Box<dyn FormatReader>,
    track: u32,
}

impl Reader {
    fn open(disk: &Arc<Disk>) -> Result<Self, Unheard> {
        let whole = Whole::new(Arc::clone(disk)).map_err(|error| cannot_read(&error))?;
        let source = MediaSourceStream::new(Box::new(whole), MediaSourceStreamOptions::default());
        let format = symphonia::default::get_probe()
            .probe(&Hint::new(), source, FormatOptions::default(), MetadataOptions::default())
            .map_err(|_| Unheard::NoDecoder)?;
        let track = format.default_track(TrackType::Audio).ok_or(Unheard::NoDecoder)?.id;
        Ok(Self { format, track })
    }

    /// BLAKE3 over all packets, one after the other: how a container cuts them makes no difference.
    fn hash(mut self, begun: Instant) -> Result<[u8; 32], Unheard> {
        let mut hasher = blake3::Hasher::new();
        let mut packets = 0_u64;
        while let Some(packet) = next(&mut *self.format, self.track)? {
            hasher.update(&packet.data);
            packets += 1;
            if packets.is_multiple_of(256) {
                in_time(begun)?;
            }
        }
        if packets == 0 {
            Err(failed("There is no sound in it"))
        } else {
            Ok(hasher.finalize().into())
        }
    }

    fn hear(mut self, range_ms: Option<(u64, u64)>, begun: Instant) -> Result<Heard, Unheard> {
        let mut decoder = self.decoder()?;
        let mut span = self.span(range_ms, &mut *decoder)?;
        let mut hasher = range_ms.is_none().then(blake3::Hasher::new);
        let mut ear: Option<(Ear, u32, usize)> = None;
        let mut samples: Vec<f32> = Vec::new();
        let (mut damaged, mut packets) = (0, 0_u64);
        while let Some(packet) = next(&mut *self.format, self.track)? {
            if let Some(hasher) = &mut hasher {
                hasher.update(&packet.data);
            }
            packets += 1;
            if packets.is_multiple_of(64) {
                in_time(begun)?;
            }
            let decoded = match decoder.decode(&packet) {
                Ok(decoded) => decoded,
                // Packets may be broken; hundreds in a row are not music.
                Err(Error::DecodeError(_) | Error::IoError(_)) if damaged < MOST_DAMAGE => {
                    damaged += 1;
                    continue;
                }
                Err(Error::Unsupported(_)) => return Err(Unheard::NoDecoder),
                Err(_) => return Err(failed("The sound in it is damaged")),
            };
            damaged = 0;
            let (rate, channels) = (decoded.spec().rate(), decoded.spec().channels().count());
            if channels == 0 || MOST_CHANNELS < channels || rate == 0 {
                return Err(failed("Its sound has a strange form"));
            }
            samples.resize(decoded.samples_interleaved(), 0.0);
            decoded.copy_to_slice_interleaved(&mut samples);
            let (ear, ..) = match &mut ear {
                Some(same) if (same.1, same.2) == (rate, channels) => same,
                // What goes on in another form is another piece.
                Some(_) => break,
                None => ear.insert((Ear::new(rate, channels, span.frames(rate)), rate, channels)),
            };
            let part = span.cut(&mut samples, rate, channels);
            ear.hear(part);
            if span.is_over() {
                break;
            }
        }
        let Some((ear, ..)) = ear else { return Err(failed("There is no sound in it")) };
        let (loudness, sound) = ear.end();
        let audio_hash = hasher.map(|hasher| hasher.finalize().into());
        Ok(Heard { audio_hash, is_same: false, loudness, sound })
    }

    fn decoder(&self) -> Result<Box<dyn AudioDecoder>, Unheard> {
        let track = self.format.tracks().iter().find(|track| track.id == self.track);
        let parameters = track
            .and_then(|track| track.codec_params.as_ref()?.audio())
            .ok_or(Unheard::NoDecoder)?;
        symphonia::default::get_codecs()
            .make_audio_decoder(parameters, &AudioDecoderOptions::default())
            .map_err(|_| Unheard::NoDecoder)
    }

    /// Goes to where the part begins.
    fn span(
        &mut self,
        range_ms: Option<(u64, u64)>,
        decoder: &mut dyn AudioDecoder,
    ) -> Result<Span, Unheard> {
        let track = self.format.tracks().iter().find(|track| track.id == self.track);
        let base = track.and_then(|track| track.time_base);
        let Some((start, end)) = range_ms else {
            let seconds = track
                .and_then(|track| Some(base?.calc_duration(track.duration?)?.as_secs_f64()))
                .filter(|seconds| 0.0 < *seconds);
            return Ok(Span { before: 0.0, seconds, is_part: false });
        };
        let seconds = Some(end.saturating_sub(start) as f64 / 1000.0);
        let start = start as f64 / 1000.0;
        let mut at = 0.0;
        if 0.0 < start {
            let time = Time::try_from_secs_f64(start).ok_or_else(|| failed("It begins nowhere"))?;
            let to = SeekTo::Time { time, track_id: Some(self.track) };
            let found = self
                .format
                .seek(SeekMode::Accurate, to)
                .map_err(|_| failed("Its beginning cannot be found in the file"))?;
            decoder.reset();
            let time_of = |ts: Timestamp| Some(base?.calc_time(ts)?.as_secs_f64());
            at = time_of(found.actual_ts).unwrap_or(start);
        }
        Ok(Span { before: (start - at).max(0.0), seconds, is_part: true })
    }
}

/// Which of the decoded frames count.
struct Span {
    /// Seconds that still come before it.
    before: f64,
    /// Its length; of a part, what is left of it.
    seconds: Option<f64>,
    is_part: bool,
}

impl Span {
    fn frames(&self, rate: u32) -> Option<u64> {
        self.seconds.map(|seconds| (seconds * f64::from(rate)) as u64)
    }

    /// The samples of a block that belong to it.
    fn cut<'s>(&mut self, samples: &'s mut [f32], rate: u32, channels: usize) -> &'s mut [f32] {
        if !self.is_part {
            return samples;
        }
        let rate = f64::from(rate);
        let frames = samples.len() / channels;
        let skip = ((self.before * rate) as usize).min(frames);
        self.before = if skip < frames { 0.0 } else { self.before - frames as f64 / rate };
        let left = self.seconds.unwrap_or(0.0);
        let take = ((left * rate).ceil() as usize).min(frames - skip);
        self.seconds = Some(left - take as f64 / rate);
        &mut samples[skip * channels..(skip + take) * channels]
    }

    fn is_over(&self) -> bool {
        self.is_part && self.seconds.is_some_and(|seconds| seconds <= 0.0)
    }
}

/// The next packet of the track; `None` at the end, and where a file breaks off.
fn next(
    format: &mut dyn FormatReader,
    track: u32,
) -> Result<Option<symphonia::core::packet::Packet>, Unheard> {
    loop {
        match format.next_packet() {
            Ok(Some(packet)) if packet.track_id == track => return Ok(Some(packet)),
            Ok(Some(_)) => (),
            Ok(None) | Err(Error::ResetRequired) => return Ok(None),
            Err(Error::IoError(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Ok(None);
            }
            Err(Error::IoError(error)) => return Err(cannot_read(&error)),
            Err(_) => return Err(failed("The sound in it is damaged")),
        }
    }
}

fn in_time(begun: Instant) -> Result<(), Unheard> {
    if begun.elapsed() < PATIENCE { Ok(()) } else { Err(failed("It takes too long to hear")) }
}

fn failed(sentence: &str) -> Unheard {
    Unheard::Failed(sentence.to_owned())
}

fn cannot_read(error: &io::Error) -> Unheard {
    Unheard::Failed(format!("It cannot be read: {}", in_words(error)))
}

/// The file of all its readers, which remembers that the disk failed: they take that for damage, or
/// for the end.
struct Disk {
    file: File,
    failure: OnceLock<String>,
}

impl Disk {
    fn of(file: File) -> Arc<Self> {
        Arc::new(Self { file, failure: OnceLock::new() })
    }

    /// What a reader came to, unless the disk failed meanwhile.
    fn judge<T>(&self, read: Result<T, Unheard>) -> Result<T, Unheard> {
        match self.failure.get() {
            Some(failure) => Err(Unheard::Unread(format!("It cannot be read: {failure}"))),
            None => read,
        }
    }
}

/// All of a file, read by position: two readers of one file do not disturb each other.
struct Whole {
    disk: Arc<Disk>,
    at: u64,
    size: u64,
}

impl Whole {
    fn new(disk: Arc<Disk>) -> io::Result<Self> {
        let stat = rustix::fs::fstat(&disk.file)?;
        if !rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        Ok(Self { disk, at: 0, size: stat.st_size.max(0) as u64 })
    }
}

impl Read for Whole {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.disk.file.read_at(out, self.at).inspect_err(|error| {
            // Behind the end there is nothing that the disk would have to give.
            if self.at < self.size {
                self.disk.failure.get_or_init(|| in_words(error));
            }
        })?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Whole {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

impl MediaSource for Whole {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.size)
    }
}
