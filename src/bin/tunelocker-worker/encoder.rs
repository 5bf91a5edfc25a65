//! An encoder of libav with a container around it, writing to a pipe.
#![expect(unsafe_code, reason = "libav has fields that its wrapper does not reach")]

use std::{
    fs::File,
    io::{self, Write},
};

use anyhow::Context as _;
use ffmpeg_next::{self as ff, codec, encoder, ffi, format, frame};
use tunelocker::media::decode::Output;

use crate::{mp4, pipeline::Plan, xing};

/// As long as the result is shorter than this, every packet is sent on at once, so that the first
/// sound comes early; from then on in whole buffers.
const EAGER_BYTES: usize = 64 << 10;

/// A running encoder.
pub(crate) struct Encoder {
    codec: encoder::Audio,
    packet: ff::Packet,
    from: ff::Rational,
    to: To,
}

/// Where packets go.
enum To {
    Libav(Container),
    Mp4(mp4::Writer),
}

/// A container of libav.
struct Container {
    context: format::context::Output,
    time_base: ff::Rational,
    packed: usize,
    /// Packets still to be dropped.
    skip: u32,
    /// Where frames of variable size begin, for the header that is written last.
    index: Option<xing::Index>,
}

impl Encoder {
    pub(crate) fn open(mut file: File, plan: &Plan) -> anyhow::Result<Self> {
        let bitrate = bitrate_kbps(plan);
        let mut index = None;
        if plan.output == Output::Mp3 {
            // The muxer cannot write this frame into a pipe, for it fills it in at the end; we
            // know the better part at the beginning.
            let head = if plan.is_variable {
                let made = xing::Index::new(plan.rate, plan.channels, plan.total);
                let head = made.head();
                index = (!head.is_empty()).then_some(made);
                head
            } else {
                xing::frame(plan.rate, plan.channels, bitrate, plan.total)
            };
            file.write_all(&head)?;
        }
        let is_mp4 = plan.output == Output::M4a;
        let codec = open_codec(plan, bitrate, is_mp4 || plan.output == Output::Flac)?;
        let from = ff::Rational(1, plan.rate as i32);
        let to = if is_mp4 {
            To::Mp4(mp4::Writer::open(file, plan, bitrate)?)
        } else {
            To::Libav(Container::open(file, plan, &codec, index)?)
        };
        Ok(Self { codec, packet: ff::Packet::empty(), from, to })
    }

    /// Samples that each frame but the last must have.
    pub(crate) fn frame_size(&self) -> u32 {
        self.codec.frame_size()
    }

    pub(crate) fn encode(&mut self, frame: &frame::Audio) -> anyhow::Result<()> {
        self.codec.send_frame(frame)?;
        self.drain()
    }

    /// Writes the rest; gives what belongs over the beginning.
    pub(crate) fn finish(mut self) -> anyhow::Result<Option<Vec<u8>>> {
        self.codec.send_eof()?;
        self.drain()?;
        match self.to {
            To::Mp4(writer) => {
                writer.finish()?;
                Ok(None)
            }
            To::Libav(mut container) => {
                container.context.write_trailer()?;
                Ok(container.index.map(|index| index.whole()))
            }
        }
    }

    fn drain(&mut self) -> anyhow::Result<()> {
        while self.codec.receive_packet(&mut self.packet).is_ok() {
            match &mut self.to {
                To::Mp4(writer) => writer.add(self.packet.data().unwrap_or_default())?,
                To::Libav(container) => container.write(&mut self.packet, self.from)?,
            }
        }
        Ok(())
    }
}

impl Container {
    fn open(
        file: File,
        plan: &Plan,
        codec: &encoder::Audio,
        index: Option<xing::Index>,
    ) -> anyhow::Result<Self> {
        let name = match plan.output {
            Output::Opus => "ogg",
            Output::Mp3 => "mp3",
            Output::Adts => "adts",
            Output::M4a => "mp4",
            Output::Flac | Output::Wav | Output::L16 => "flac",
        };
        let io = format::context::StreamIo::from_write(Pipe(file))?;
        let mut context = format::output_to_stream(io, None, Some(name))?;
        {
            let mut stream = context.add_stream(codec_of(plan)?)?;
            stream.set_time_base(ff::Rational(1, plan.rate as i32));
            stream.set_parameters(codec);
        }
        // SAFETY: the container is ours alone. Bit-exact: else libav looks for randomness where
        // the sandbox has none and loses a quarter of a second.
        unsafe {
            (*context.as_mut_ptr()).flags |=
                ffi::AVFMT_FLAG_BITEXACT | ffi::AVFMT_FLAG_FLUSH_PACKETS;
        }
        context.write_header_with(muxer_options(plan.output))?;
        let time_base = context.stream(0).context("the container has no stream")?.time_base();
        // ADTS cannot say that the first packet is the encoder's start-up. From the middle of a
        // track it would shift everything; at its beginning the first note needs it.
        let skip = u32::from(plan.output == Output::Adts && plan.is_from_middle);
        Ok(Self { context, time_base, packed: 0, skip, index })
    }

    fn write(&mut self, packet: &mut ff::Packet, from: ff::Rational) -> anyhow::Result<()> {
        if 0 < self.skip {
            self.skip -= 1;
            return Ok(());
        }
        if let Some(index) = &mut self.index {
            index.add(packet.size());
        }
        let before = self.packed;
        self.packed += packet.size();
        if before < EAGER_BYTES && EAGER_BYTES <= self.packed {
            // SAFETY: the container is ours alone.
            unsafe {
                (*self.context.as_mut_ptr()).flags &= !ffi::AVFMT_FLAG_FLUSH_PACKETS;
                (*self.context.as_mut_ptr()).flush_packets = 0;
            }
        }
        packet.set_stream(0);
        packet.rescale_ts(from, self.time_base);
        packet.write_interleaved(&mut self.context)?;
        Ok(())
    }
}

fn codec_of(plan: &Plan) -> anyhow::Result<codec::Audio> {
    let name = match plan.output {
        Output::Opus => "libopus",
        Output::Mp3 => "libmp3lame",
        Output::Adts | Output::M4a => "aac",
        Output::Flac | Output::Wav | Output::L16 => "flac",
    };
    let missing = || format!("This server's libav has no encoder {name}");
    encoder::find_by_name(name).with_context(missing)?.audio().context("not an audio encoder")
}

/// `has_header`: the container wants the codec's configuration in front, not in the stream.
fn open_codec(plan: &Plan, bitrate: u32, has_header: bool) -> anyhow::Result<encoder::Audio> {
    let codec = codec_of(plan)?;
    let mut context = codec::context::Context::new_with_codec(*codec).encoder().audio()?;
    if has_header || plan.output == Output::Opus {
        context.set_flags(codec::flag::Flags::GLOBAL_HEADER);
    }
    context.set_rate(plan.rate as i32);
    // SAFETY: the context is ours alone and not open yet; a layout of a mask owns no memory.
    unsafe {
        ffi::av_channel_layout_from_mask(&raw mut (*context.as_mut_ptr()).ch_layout, plan.layout);
    }
    context.set_format(plan.format);
    context.set_time_base(ff::Rational(1, plan.rate as i32));
    if plan.output == Output::Mp3 && plan.is_variable {
        // SAFETY: the context is ours alone and not open yet; the fields are plain numbers.
        unsafe {
            (*context.as_mut_ptr()).flags |= ffi::AV_CODEC_FLAG_QSCALE as i32;
            (*context.as_mut_ptr()).global_quality =
                variable_quality(bitrate, plan.channels) * ffi::FF_QP2LAMBDA;
        }
    } else if let Some(bits) = bitrate.checked_mul(1000)
        && 0 < bits
    {
        context.set_bit_rate(bits as usize);
    }
    if plan.output == Output::Flac {
        // SAFETY: the context is ours alone and not open yet.
        unsafe { (*context.as_mut_ptr()).bits_per_raw_sample = plan.bits as i32 };
    }
    let mut options = ff::Dictionary::new();
    if plan.output == Output::Opus {
        // A rate is the most that a line carries: unbounded, music full of tones takes half as much again.
        options.set("vbr", if plan.is_rigid { "off" } else { "constrained" });
        options.set("compression_level", opus_complexity(bitrate, plan.channels));
    }
    let mut encoder = context.open_as_with(codec, options).context("The encoder refuses")?;
    if let (Output::Flac, Some(total)) = (plan.output, plan.total) {
        set_total(&mut encoder, total);
    }
    Ok(encoder)
}

/// libopus's complexity. Its last steps try out how stereo is best cut into bits, a fifth of all the
/// work, and are heard only where bits are few.
fn opus_complexity(bitrate_kbps: u32, channels: u32) -> &'static str {
    const PLENTY_KBPS: u32 = 64;
    if PLENTY_KBPS * channels <= bitrate_kbps { "7" } else { "10" }
}

fn muxer_options(output: Output) -> ff::Dictionary<'static> {
    let mut options = ff::Dictionary::new();
    match output {
        Output::Opus => {
            options.set("page_duration", "200000");
            options.set("serial_offset", "1");
        }
        Output::Mp3 => {
            options.set("write_xing", "0");
            options.set("id3v2_version", "0");
        }
        Output::Adts | Output::M4a | Output::Flac | Output::Wav | Output::L16 => (),
    }
    options
}

/// What the codec can do that is nearest to the wish, and not above it where there is a choice.
fn bitrate_kbps(plan: &Plan) -> u32 {
    const MPEG1: [u32; 14] = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
    const MPEG2: [u32; 14] = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
    match plan.output {
        Output::Opus => plan.bitrate_kbps.clamp(6, 256 * plan.channels),
        Output::Mp3 => {
            let rates = if plan.rate < 32_000 { MPEG2 } else { MPEG1 };
            let below = rates.into_iter().rev().find(|rate| *rate <= plan.bitrate_kbps);
            below.unwrap_or(rates[0])
        }
        Output::Adts | Output::M4a => plan.bitrate_kbps.clamp(8, 256 * plan.channels),
        Output::Flac | Output::Wav | Output::L16 => 0,
    }
}

/// LAME's quality, 0 (best) to 9, whose average is the wanted bitrate or the next lower one.
fn variable_quality(bitrate_kbps: u32, channels: u32) -> i32 {
    const AVERAGES: [u32; 10] = [245, 225, 190, 175, 165, 130, 115, 100, 85, 65];
    let stereo = if channels == 1 { bitrate_kbps * 2 } else { bitrate_kbps };
    AVERAGES.iter().position(|average| *average <= stereo).unwrap_or(9) as i32
}

/// Writes the number of samples into FLAC's STREAMINFO, which the encoder leaves at "unknown".
fn set_total(encoder: &mut encoder::Audio, total: u64) {
    // SAFETY: extradata holds `extradata_size` bytes that belong to the open encoder.
    let info = unsafe {
        let context = encoder.as_mut_ptr();
        let (data, len) = ((*context).extradata, (*context).extradata_size);
        if data.is_null() || len < 34 {
            return;
        }
        std::slice::from_raw_parts_mut(data, 34)
    };
    if total < 1 << 36 {
        info[13] = (info[13] & 0xf0) | (total >> 32) as u8;
        info[14..18].copy_from_slice(&(total as u32).to_be_bytes());
    }
}

/// The pipe to the daemon; a closed one ends the work.
struct Pipe(File);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
