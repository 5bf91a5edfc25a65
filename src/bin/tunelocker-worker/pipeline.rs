//! From a file of sound to another: decode, cut, resample, encode. Every length is counted in
//! samples, so that a result is as long as was said when it began.

use std::fs::File;

use anyhow::{Context as _, bail};
use ffmpeg_next::{self as ff, format, frame};
use tunelocker::media::{
    decode::{Cut, Job, Output, Report, common_rate},
    fragments::PACKET,
};

use crate::{
    control,
    frames::{Graph, Shape, settle_layout},
    mp4,
    output::Sink,
    source::{Source, Step},
};

/// How far before a wanted start decoding begins, µs: decoders need to get into their stride.
const PREROLL_US: u64 = 300_000;

/// What the result is, decided when the first frame is there.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about the result")]
pub(crate) struct Plan {
    pub(crate) output: Output,
    pub(crate) bitrate_kbps: u32,
    pub(crate) rate: u32,
    pub(crate) channels: u32,
    pub(crate) layout: u64,
    pub(crate) format: format::Sample,
    pub(crate) bits: u32,
    /// Samples a channel of the whole result, where that is known; less is filled with silence.
    pub(crate) total: Option<u64>,
    /// More than the total is cut off.
    pub(crate) is_cut: bool,
    /// Of that, so many samples come from the source, and silence fills the rest.
    pub(crate) available: Option<u64>,
    /// It does not begin where the source does.
    pub(crate) is_from_middle: bool,
    /// Bits are spent as the sound needs them.
    pub(crate) is_variable: bool,
    /// Every packet is as large as the others.
    pub(crate) is_rigid: bool,
    /// Only these packets are wanted.
    pub(crate) cut: Option<Cut>,
    /// Thousandths of a dB, and whether peaks are held down.
    pub(crate) gain_mdb: i32,
    pub(crate) is_limited: bool,
}

/// Does the job; gives the last report.
pub(crate) fn run(job: &Job, input: File, output: File) -> anyhow::Result<Report> {
    let mut source = Source::open(input)?;
    let cut_us = match (job.cut, job.sample_rate) {
        (Some(cut), Some(rate)) => scale(mp4::first_packet(&cut) * PACKET, 1_000_000, rate),
        _ => 0,
    };
    let start_us = job.start_us.saturating_add(cut_us);
    // Where seeking is not possible, everything before the start is decoded and dropped.
    let sought = 0 < start_us && source.seek(start_us.saturating_sub(PREROLL_US)).is_ok();
    let mut work = Work { job, line: None, output: Some(output), sought };
    let mut decoded = frame::Audio::empty();
    loop {
        while source.decoder.receive_frame(&mut decoded).is_ok() {
            if work.take(&source, &mut decoded)? == Flow::Enough {
                return work.finish();
            }
        }
        if matches!(source.step()?, Step::Over) {
            source.require_whole()?;
            while source.decoder.receive_frame(&mut decoded).is_ok() {
                if work.take(&source, &mut decoded)? == Flow::Enough {
                    break;
                }
            }
            return work.finish();
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    More,
    Enough,
}

struct Work<'a> {
    job: &'a Job,
    line: Option<Line>,
    output: Option<File>,
    sought: bool,
}

/// A running line: graph and encoder.
struct Line {
    shape: Shape,
    graph: Graph,
    plan: Plan,
    sink: Sink,
    filtered: frame::Audio,
}

impl Work<'_> {
    fn take(&mut self, source: &Source, decoded: &mut frame::Audio) -> anyhow::Result<Flow> {
        settle_layout(decoded);
        let Some(shape) = Shape::of(decoded) else { return Ok(Flow::More) };
        match &mut self.line {
            Some(line) if line.shape == shape => (),
            // A file that changes its form midway: what was begun goes on at its own rate.
            Some(line) => {
                if line.flush()? == Flow::Enough {
                    return Ok(Flow::Enough);
                }
                let done = line.sink.written();
                line.graph = Graph::new(&shape, source.time_base(), &line.plan, 0, done)?;
                line.graph.set_frame_size(line.sink.frame_size())?;
                line.shape = shape;
            }
            None => self.line = Some(self.begin(source, decoded, shape)?),
        }
        let Some(line) = &mut self.line else { return Ok(Flow::More) };
        line.graph.add(decoded)?;
        line.drain()
    }

    fn begin(
        &mut self,
        source: &Source,
        first: &frame::Audio,
        shape: Shape,
    ) -> anyhow::Result<Line> {
        let plan = Plan::new(self.job, source, &shape)?;
        let start = plan.start(self.job, shape.rate);
        // From the beginning the first frame is the first sound, whatever time it gives itself.
        let at = if self.sought {
            source.frame_at(first, shape.rate).unwrap_or(start as i64)
        } else {
            0
        };
        let skip = if 0 < start { u64::try_from(start as i64 - at).unwrap_or(0) } else { 0 };
        let mut graph = Graph::new(&shape, source.time_base(), &plan, skip, 0)?;
        let output = self.output.take().context("the output is used already")?;
        let sink = Sink::open(output, &plan)?;
        graph.set_frame_size(sink.frame_size())?;
        control::tell(&Report::Started {
            len: sink.len(),
            sample_rate: plan.rate,
            channels: plan.channels,
        })?;
        Ok(Line { shape, graph, plan, sink, filtered: frame::Audio::empty() })
    }

    fn finish(self) -> anyhow::Result<Report> {
        let Some(mut line) = self.line else {
            bail!("There is no sound to decode in this file");
        };
        line.flush()?;
        line.sink.finish()
    }
}

impl Line {
    fn drain(&mut self) -> anyhow::Result<Flow> {
        while self.graph.next(&mut self.filtered)? {
            self.sink.write(&mut self.filtered)?;
        }
        let total = self.plan.total.filter(|_| self.plan.is_cut);
        let is_full = total.is_some_and(|total| total <= self.sink.written());
        Ok(if is_full { Flow::Enough } else { Flow::More })
    }

    fn flush(&mut self) -> anyhow::Result<Flow> {
        self.graph.end()?;
        self.drain()
    }
}

impl Plan {
    fn new(job: &Job, source: &Source, shape: &Shape) -> anyhow::Result<Self> {
        let name = source.decoder.codec().map(|codec| codec.name().to_owned()).unwrap_or_default();
        let lossy = ["aac", "mp", "opus", "libopus", "vorbis", "wmav", "wmapro"];
        let is_lossy = lossy.iter().any(|family| name.starts_with(family));
        let source_bits = if is_lossy { 16 } else { shape.bits() };
        let bitrate_kbps = job.bitrate_kbps.unwrap_or(192);
        let rate = match job.output {
            Output::Opus => 48_000,
            Output::Flac => {
                let mut rate = job.sample_rate.unwrap_or(shape.rate);
                while 192_000 < rate {
                    rate /= 2;
                }
                rate
            }
            Output::Mp3 if bitrate_kbps < 32 => {
                common_rate(job.sample_rate.unwrap_or(shape.rate)).min(24_000)
            }
            _ => common_rate(job.sample_rate.unwrap_or(shape.rate)),
        };
        let most = if job.output == Output::Flac { 8 } else { 2 };
        let channels = match (job.cut, job.channels) {
            // The header of its file promises them.
            (Some(_), Some(channels)) => channels.clamp(1, 2),
            _ => job.channels.unwrap_or(shape.channels).min(shape.channels).clamp(1, most),
        };
        let layout = if channels == shape.channels {
            shape.layout
        } else {
            ff::ChannelLayout::default(channels as i32).bits()
        };
        let bits = match job.output {
            Output::Flac => job.bit_depth.unwrap_or(source_bits),
            _ => job.bit_depth.unwrap_or(16),
        };
        let bits = if bits <= 16 { 16 } else { 24 };
        let format = match job.output {
            Output::Opus => format::Sample::F32(format::sample::Type::Packed),
            Output::Mp3 | Output::Adts | Output::M4a => {
                format::Sample::F32(format::sample::Type::Planar)
            }
            Output::Flac | Output::Wav | Output::L16 if bits == 16 => {
                format::Sample::I16(format::sample::Type::Packed)
            }
            Output::Flac | Output::Wav | Output::L16 => {
                format::Sample::I32(format::sample::Type::Packed)
            }
        };
        let start = samples(job.start_us, shape.rate);
        let end = match (job.end_us.map(|end| samples(end, shape.rate)), source.total(shape.rate)) {
            (Some(end), Some(total)) => Some(end.min(total)),
            (end, total) => end.or(total),
        };
        let (total, available) = match (job.cut, end) {
            (Some(cut), _) => {
                let begun = mp4::first_packet(&cut) * PACKET;
                (Some(mp4::samples(&cut)), Some(cut.total.saturating_sub(begun)))
            }
            (None, Some(end)) if end <= start => bail!("This offset is beyond the end"),
            (None, Some(end)) => (Some(scale(end - start, rate, shape.rate)), None),
            (None, None) => (None, None),
        };
        // Nothing of what goes on behind the stated end may be lost, unless a length was promised
        // to the byte.
        let is_promised = matches!(job.output, Output::Wav | Output::L16)
            || job.end_us.is_some()
            || job.cut.is_some();
        let is_cut = is_promised || !source.may_go_on();
        Ok(Self {
            output: job.output,
            bitrate_kbps,
            rate,
            channels,
            layout,
            format,
            bits,
            total,
            is_cut,
            available,
            is_from_middle: 0 < job.start_us,
            is_variable: job.is_variable,
            is_rigid: job.is_rigid,
            cut: job.cut,
            gain_mdb: job.gain_mdb,
            is_limited: job.is_limited,
        })
    }

    /// Samples of the source, at its `rate`, before the first that is encoded.
    fn start(&self, job: &Job, rate: u32) -> u64 {
        let cut = self.cut.map_or(0, |cut| mp4::first_packet(&cut) * PACKET);
        samples(job.start_us, rate) + scale(cut, rate, self.rate)
    }
}

fn samples(us: u64, rate: u32) -> u64 {
    scale(us, rate, 1_000_000)
}

fn scale(count: u64, to: u32, from: u32) -> u64 {
    let (to, from) = (u128::from(to), u128::from(from.max(1)));
    u64::try_from((u128::from(count) * to + from / 2) / from).unwrap_or(u64::MAX)
}
