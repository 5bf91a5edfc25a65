//! Opens untrusted bytes: only listed containers and codecs, no protocol at all, nothing but
//! sound.
#![expect(unsafe_code, reason = "libav has fields that its wrapper does not reach")]

use std::{fs::File, io};

use anyhow::{Context as _, anyhow, bail};
use ffmpeg_next::{self as ff, codec, decoder, ffi, format, media};

use crate::{
    input::{Input, Trouble},
    xing,
};

/// Containers that may be opened, by libavformat's names.
const FORMATS: &str =
    "aac,aiff,ape,asf,au,caf,dsf,flac,iff,matroska,mov,mp3,mpc,mpc8,ogg,tta,w64,wav,wv";

/// Codecs that may be decoded, by libavcodec's names.
const CODECS: &str = "aac,aac_fixed,aac_latm,adpcm_ima_wav,adpcm_ms,alac,ape,dsd_lsbf,\
    dsd_lsbf_planar,dsd_msbf,dsd_msbf_planar,dst,flac,libopus,mp1,mp1float,mp2,mp2float,mp3,mp3float,\
    mpc7,mpc8,opus,pcm_alaw,pcm_f32be,pcm_f32le,pcm_f64be,pcm_f64le,pcm_mulaw,pcm_s16be,\
    pcm_s16le,pcm_s24be,pcm_s24le,pcm_s32be,pcm_s32le,pcm_s8,pcm_u8,speex,tta,vorbis,wavpack,\
    wmalossless,wmapro,wmav1,wmav2";

/// Containers whose duration counts samples, or nearly so.
const EXACT: &[&str] =
    &["aiff", "ape", "flac", "matroska", "mov", "mp3", "ogg", "tta", "w64", "wav", "wv"];

/// An open file of sound.
pub(crate) struct Source {
    pub(crate) input: format::context::Input,
    pub(crate) decoder: decoder::Audio,
    pub(crate) stream: usize,
    time_base: ff::Rational,
    pub(crate) start: i64,
    /// Length in units of the time base, where the container can be believed.
    duration: Option<i64>,
    /// What the first frame says, if it is an MP3.
    said: xing::Said,
    pub(crate) packet: ff::Packet,
    trouble: Trouble,
}

/// How far decoding came.
pub(crate) enum Step {
    /// The decoder was fed.
    Fed,
    /// The file is over; the decoder was told.
    Over,
}

impl Source {
    /// Opens what is in `file`, whatever it is called.
    pub(crate) fn open(file: File) -> anyhow::Result<Self> {
        let mut file = Input::new(file);
        let trouble = file.trouble();
        let said = xing::read(&mut file).map_err(|error| cannot_be_read(&error))?;
        // What libav makes of half a header is not the reason.
        Self::open_as_far(file, said, &trouble)
            .map_err(|error| trouble.get().map_or(error, |trouble| cannot_be_read(&trouble)))
    }

    fn open_as_far(file: Input, said: xing::Said, trouble: &Trouble) -> anyhow::Result<Self> {
        let io = format::context::StreamIo::from_read_seek(file)?;
        let mut options = ff::Dictionary::new();
        options.set("protocol_whitelist", "");
        options.set("format_whitelist", FORMATS);
        options.set("codec_whitelist", CODECS);
        let mut input = format::input_from_stream(io, None, Some(options))
            .context("This file is not audio that can be decoded")?;
        let (stream, time_base, parameters) = {
            let sound = input.streams().best(media::Type::Audio);
            let sound = sound.context("There is no sound in this file")?;
            (sound.index(), sound.time_base(), sound.parameters())
        };
        for index in 0..input.nb_streams() as usize {
            if index != stream
                && let Some(mut other) = input.stream_mut(index)
            {
                // SAFETY: the pointer is the live stream's; the field is a plain enum.
                unsafe { (*other.as_mut_ptr()).discard = ffi::AVDiscard::AVDISCARD_ALL };
            }
        }
        let found = decoder::find(parameters.id()).context("There is no decoder for this file")?;
        if !CODECS.split(',').any(|name| name == found.name()) {
            bail!("This server does not decode {}", found.name());
        }
        let mut context = codec::context::Context::from_parameters(parameters)?;
        context.set_threading(codec::threading::Config::count(1));
        let mut decoder = context.decoder().audio().context("The decoder refuses this file")?;
        decoder.set_packet_time_base(time_base);
        let (start, duration) = times(&input, stream);
        let packet = ff::Packet::empty();
        let trouble = trouble.clone();
        Ok(Self { input, decoder, stream, time_base, start, duration, said, packet, trouble })
    }

    /// Goes to `at_us` or somewhat before; `frame_at` says where exactly.
    pub(crate) fn seek(&mut self, at_us: u64) -> anyhow::Result<()> {
        // libav lands anywhere in these, and says that it landed right.
        if matches!(self.input.format().name(), "mpc" | "mpc8" | "asf") {
            bail!("This container cannot be sought in to the sample");
        }
        let begin = i128::from(self.start)
            * i128::from(self.time_base.numerator())
            * i128::from(ffi::AV_TIME_BASE)
            / i128::from(self.time_base.denominator().max(1));
        let at = i64::try_from(begin + i128::from(at_us)).context("an offset beyond all time")?;
        self.input.seek(at, ..at).context("This file cannot be sought in")?;
        self.decoder.flush();
        Ok(())
    }

    /// Feeds the decoder with the next packet. Broken packets are passed over.
    pub(crate) fn step(&mut self) -> anyhow::Result<Step> {
        loop {
            match self.packet.read(&mut self.input) {
                Ok(()) if self.packet.stream() != self.stream => (),
                Ok(()) => {
                    if self.decoder.send_packet(&self.packet).is_ok() {
                        return Ok(Step::Fed);
                    }
                }
                // What was read up to a break in the file still counts.
                Err(_) => {
                    let _ = self.decoder.send_eof();
                    return Ok(Step::Over);
                }
            }
        }
    }

    /// An error of the disk, which looks like the end of the file from here.
    pub(crate) fn require_whole(&self) -> anyhow::Result<()> {
        self.trouble.get().map_or(Ok(()), |trouble| Err(cannot_be_read(&trouble)))
    }

    /// Which sample of the source a frame begins with, at `rate`; `None` if it does not say.
    pub(crate) fn frame_at(&self, frame: &ff::frame::Audio, rate: u32) -> Option<i64> {
        let ticks = i128::from(frame.timestamp()? - self.start);
        i64::try_from(self.samples(ticks, rate)).ok()
    }

    /// Samples in the whole source at `rate`, where the container can be believed.
    pub(crate) fn total(&self, rate: u32) -> Option<u64> {
        let counted = u64::try_from(self.samples(i128::from(self.duration?), rate)).ok()?;
        Some(counted.saturating_sub(self.said.trailing))
    }

    /// Whether the stated length may be that of a part: an MP3 that others were glued to, or a
    /// Matroska file whose writer went on after he wrote it.
    pub(crate) fn may_go_on(&self) -> bool {
        match self.input.format().name() {
            "mp3" => !self.said.is_whole,
            name => name == "matroska,webm",
        }
    }

    /// The time base of the packets, for the filter graph.
    pub(crate) fn time_base(&self) -> ff::Rational {
        self.time_base
    }

    fn samples(&self, ticks: i128, rate: u32) -> i128 {
        let (numerator, denominator) = (
            i128::from(self.time_base.numerator()),
            i128::from(self.time_base.denominator().max(1)),
        );
        (ticks * numerator * i128::from(rate) + denominator / 2).div_euclid(denominator)
    }
}

fn cannot_be_read(error: &io::Error) -> anyhow::Error {
    anyhow!("The file of this track cannot be read: {error}")
}

/// Microseconds, as libav counts whole files, in units of a stream.
fn in_ticks(microseconds: i64, base: ff::Rational) -> i64 {
    if microseconds <= 0 {
        return 0;
    }
    let ticks = i128::from(microseconds) * i128::from(base.denominator());
    i64::try_from(ticks / (i128::from(base.numerator().max(1)) * 1_000_000)).unwrap_or(0)
}

/// Start and believable duration of the stream, in its time base.
fn times(input: &format::context::Input, stream: usize) -> (i64, Option<i64>) {
    let Some(sound) = input.stream(stream) else { return (0, None) };
    let start = match sound.start_time() {
        ffi::AV_NOPTS_VALUE => 0,
        start => start,
    };
    let container = input.format();
    let is_exact = container.name().split(',').any(|name| EXACT.contains(&name));
    // SAFETY: the pointer is the open input's; the field is a plain enum.
    let method = unsafe { (*input.as_ptr()).duration_estimation_method };
    let is_guess = method == ffi::AVDurationEstimationMethod::AVFMT_DURATION_FROM_BITRATE;
    // SAFETY: the pointer is the live stream's; the field is a plain number.
    let padding = unsafe { i64::from((*(*sound.as_ptr()).codecpar).initial_padding) };
    let duration = match container.name() {
        // In milliseconds, and of the whole.
        "matroska,webm" => in_ticks(input.duration(), sound.time_base()) - start.max(0),
        // Counted from before the samples that the decoder drops in front.
        "mp3" => sound.duration() - start.max(0),
        "ogg" => sound.duration() - start.max(padding).max(0),
        _ => sound.duration(),
    };
    (start, (is_exact && !is_guess && 0 < duration).then_some(duration))
}
