//! Frames of sound and the filter graph that cuts, resamples and pads them.
#![expect(unsafe_code, reason = "libav has fields that its wrapper does not reach")]

use anyhow::Context as _;
use ffmpeg_next::{self as ff, ffi, filter, format, frame};

use crate::pipeline::Plan;

/// What frames look like; a graph takes only one shape.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shape {
    format: format::Sample,
    pub(crate) rate: u32,
    pub(crate) channels: u32,
    pub(crate) layout: u64,
}

impl Shape {
    /// `None` for a frame that no graph can take. The check matters: asking libav's wrapper for
    /// the name of an unknown sample format reads through a null pointer.
    pub(crate) fn of(frame: &frame::Audio) -> Option<Self> {
        let shape = Self {
            format: frame.format(),
            rate: frame.rate(),
            channels: u32::from(frame.channels()),
            layout: frame.channel_layout().bits(),
        };
        let is_sound = shape.format != format::Sample::None
            && (1_000..=3_000_000).contains(&shape.rate)
            && (1..=8).contains(&shape.channels)
            && shape.layout != 0
            && 0 < frame.samples();
        is_sound.then_some(shape)
    }

    /// Significant bits of a sample of a lossless codec, as far as the format tells.
    pub(crate) fn bits(&self) -> u32 {
        match self.format {
            format::Sample::U8(_) | format::Sample::I16(_) => 16,
            _ => 24,
        }
    }
}

/// Gives a frame whose channels have no places the usual ones.
pub(crate) fn settle_layout(frame: &mut frame::Audio) {
    if frame.channel_layout().bits() != 0 || frame.channels() == 0 {
        return;
    }
    let channels = i32::from(frame.channels());
    frame.set_channel_layout(ff::ChannelLayout::default(channels));
    // SAFETY: the frame is ours alone and the layout a plain value without allocations.
    unsafe { ffi::av_channel_layout_default(&raw mut (*frame.as_mut_ptr()).ch_layout, channels) };
}

/// A running filter graph.
pub(crate) struct Graph {
    graph: filter::Graph,
}

impl Graph {
    /// `skip` samples of the source are dropped; `done` samples of the result are there already.
    pub(crate) fn new(
        shape: &Shape,
        time_base: ff::Rational,
        plan: &Plan,
        skip: u64,
        done: u64,
    ) -> anyhow::Result<Self> {
        let mut graph = filter::Graph::new();
        // SAFETY: the graph is ours alone and not configured yet.
        unsafe { (*graph.as_mut_ptr()).nb_threads = 1 };
        let input = format!(
            "time_base={}/{}:sample_rate={}:sample_fmt={}:channel_layout=0x{:x}",
            time_base.numerator(),
            time_base.denominator(),
            shape.rate,
            shape.format.name(),
            shape.layout,
        );
        let find = |name| filter::find(name).with_context(|| format!("libav lacks {name}"));
        graph.add(&find("abuffer")?, "in", &input)?;
        graph.add(&find("abuffersink")?, "out", "")?;
        // Sixteen bits made from more need noise in the last one, or quiet passages distort.
        let dither = if plan.bits == 16
            && plan.format == format::Sample::I16(format::sample::Type::Packed)
            && 16 < shape.bits()
        {
            ":dither_method=triangular"
        } else {
            ""
        };
        let mut chain = Vec::new();
        if 0 < skip {
            chain.push(format!("atrim=start_sample={skip},asetpts=N"));
        }
        if plan.gain_mdb != 0 {
            let gain = f64::from(plan.gain_mdb) / 1000.0;
            chain.push(format!("volume=volume={gain:.3}dB:precision=float"));
        }
        if plan.is_limited {
            // Its look-ahead must not shift the sound.
            chain.push("alimiter=limit=0.98:level=0:latency=1".to_owned());
        }
        chain.push(format!("aresample={}{dither}", plan.rate));
        chain.push(format!(
            "aformat=sample_fmts={}:channel_layouts=0x{:x}",
            plan.format.name(),
            plan.layout
        ));
        if let Some(total) = plan.total {
            let left = total.saturating_sub(done);
            if let Some(available) = plan.available.filter(|available| *available < total) {
                chain.push(format!("atrim=end_sample={}", available.saturating_sub(done)));
            }
            chain.push(format!("apad=whole_len={left}"));
            if plan.is_cut {
                chain.push(format!("atrim=end_sample={left}"));
            }
        }
        let chain = chain.join(",");
        graph.output("in", 0)?.input("out", 0)?.parse(&chain)?;
        graph.validate()?;
        Ok(Self { graph })
    }

    /// Sound in.
    pub(crate) fn add(&mut self, frame: &mut frame::Audio) -> anyhow::Result<()> {
        let timestamp = frame.timestamp();
        frame.set_pts(timestamp);
        let mut input = self.graph.get("in").context("the graph has no input")?;
        match input.source().add(frame) {
            // It has had enough, and says so at its output.
            Ok(()) | Err(ff::Error::Eof) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// No more sound comes.
    pub(crate) fn end(&mut self) -> anyhow::Result<()> {
        let mut input = self.graph.get("in").context("the graph has no input")?;
        match input.source().flush() {
            Ok(()) | Err(ff::Error::Eof) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Sound out, if there is some.
    pub(crate) fn next(&mut self, frame: &mut frame::Audio) -> anyhow::Result<bool> {
        let mut output = self.graph.get("out").context("the graph has no output")?;
        Ok(output.sink().frame(frame).is_ok())
    }

    /// How many samples a frame must have; 0 takes any number.
    pub(crate) fn set_frame_size(&mut self, samples: u32) -> anyhow::Result<()> {
        let mut output = self.graph.get("out").context("the graph has no output")?;
        if 0 < samples {
            output.sink().set_frame_size(samples);
        }
        Ok(())
    }
}
