//! An encoder of libav with the container around it, writing to a pipe.
#![expect(unsafe_code, reason = "libav has fields that its wrapper does not reach")]

use std::{
    fs::File,
    io::{self, Write},
};

use anyhow::Context as _;
use ffmpeg_next::{self as ff, codec, encoder, ffi, format, frame};
use tunelocker::media::decode::Output;

use crate::{pipeline::Plan, xing};

/// As long as the result is shorter than this, every packet is sent on at once, so that the first
/// sound comes early; from then on in whole buffers.
const EAGER_BYTES: usize = 64 << 10;

/// A running encoder.
pub(crate) struct Encoder {
    codec: encoder::Audio,
    container: format::context::Output,
    packet: ff::Packet,
    from: ff::Rational,
    to: ff::Rational,
    packed: usize,
}

impl Encoder {
    pub(crate) fn open(mut file: File, plan: &Plan) -> anyhow::Result<Self> {
        let (codec_name, container) = match plan.output {
            Output::Opus => ("libopus", "ogg"),
            Output::Mp3 => ("libmp3lame", "mp3"),
            Output::Adts => ("aac", "adts"),
            Output::M4a => ("aac", "mp4"),
            Output::Flac | Output::Wav | Output::L16 => ("flac", "flac"),
        };
        let missing = || format!("This server's libav has no encoder {codec_name}");
        let codec = encoder::find_by_name(codec_name).with_context(missing)?;
        let codec = codec.audio().context("not an audio encoder")?;
        let bitrate = bitrate_kbps(plan);
        if plan.output == Output::Mp3 {
            // The muxer cannot write this frame into a pipe, for it fills it in at the end; we
            // know at the beginning.
            file.write_all(&xing::frame(plan.rate, plan.channels, bitrate, plan.total))?;
        }

        let io = format::context::StreamIo::from_write(Pipe(file))?;
        let mut container = format::output_to_stream(io, None, Some(container))?;
        let needs_header = container.format().flags().contains(format::flag::Flags::GLOBAL_HEADER);
        let mut context = codec::context::Context::new_with_codec(*codec).encoder().audio()?;
        if needs_header {
            context.set_flags(codec::flag::Flags::GLOBAL_HEADER);
        }
        let time_base = ff::Rational(1, plan.rate as i32);
        context.set_rate(plan.rate as i32);
        // SAFETY: the context is ours alone and not open yet; a layout of a mask owns no memory.
        unsafe {
            ffi::av_channel_layout_from_mask(
                &raw mut (*context.as_mut_ptr()).ch_layout,
                plan.layout,
            );
        }
        context.set_format(plan.format);
        context.set_time_base(time_base);
        if let Some(bitrate) = bitrate.checked_mul(1000)
            && 0 < bitrate
        {
            context.set_bit_rate(bitrate as usize);
        }
        if plan.output == Output::Flac {
            // SAFETY: the context is ours alone and not open yet.
            unsafe { (*context.as_mut_ptr()).bits_per_raw_sample = plan.bits as i32 };
        }
        let mut options = ff::Dictionary::new();
        if plan.output == Output::Opus {
            options.set("vbr", "on");
        }
        let mut encoder = context.open_as_with(codec, options).context("The encoder refuses")?;
        if let (Output::Flac, Some(total)) = (plan.output, plan.total) {
            set_total(&mut encoder, total);
        }
        {
            let mut stream = container.add_stream(codec)?;
            stream.set_time_base(time_base);
            stream.set_parameters(&encoder);
        }
        // SAFETY: the container is ours alone. Bit-exact: else libav looks for randomness where
        // the sandbox has none and loses a quarter of a second.
        unsafe {
            (*container.as_mut_ptr()).flags |=
                ffi::AVFMT_FLAG_BITEXACT | ffi::AVFMT_FLAG_FLUSH_PACKETS;
        }
        container.write_header_with(muxer_options(plan.output))?;
        let to = container.stream(0).context("the container has no stream")?.time_base();
        Ok(Self {
            codec: encoder,
            container,
            packet: ff::Packet::empty(),
            from: time_base,
            to,
            packed: 0,
        })
    }

    /// Samples that each frame but the last must have.
    pub(crate) fn frame_size(&self) -> u32 {
        self.codec.frame_size()
    }

    pub(crate) fn encode(&mut self, frame: &frame::Audio) -> anyhow::Result<()> {
        self.codec.send_frame(frame)?;
        self.drain()
    }

    pub(crate) fn finish(mut self) -> anyhow::Result<()> {
        self.codec.send_eof()?;
        self.drain()?;
        self.container.write_trailer()?;
        Ok(())
    }

    fn drain(&mut self) -> anyhow::Result<()> {
        while self.codec.receive_packet(&mut self.packet).is_ok() {
            let before = self.packed;
            self.packed += self.packet.size();
            if before < EAGER_BYTES && EAGER_BYTES <= self.packed {
                // SAFETY: the container is ours alone.
                unsafe {
                    (*self.container.as_mut_ptr()).flags &= !ffi::AVFMT_FLAG_FLUSH_PACKETS;
                    (*self.container.as_mut_ptr()).flush_packets = 0;
                }
            }
            self.packet.set_stream(0);
            self.packet.rescale_ts(self.from, self.to);
            self.packet.write_interleaved(&mut self.container)?;
        }
        Ok(())
    }
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
        Output::M4a => {
            options.set("movflags", "delay_moov+default_base_moof");
            options.set("frag_duration", "1000000");
        }
        Output::Adts | Output::Flac | Output::Wav | Output::L16 => (),
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
