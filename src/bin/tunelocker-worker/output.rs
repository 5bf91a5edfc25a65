//! Where sound goes: bare PCM, or an encoder with its container.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
};

use ffmpeg_next::frame;
use tunelocker::media::decode::{Output, Report};

use crate::{encoder::Encoder, pipeline::Plan, riff};

/// Counts samples and writes them in the wanted form.
pub(crate) struct Sink {
    kind: Kind,
    written: u64,
    len: Option<u64>,
}

enum Kind {
    Pcm { to: BufWriter<File>, plan: Plan, bytes: Vec<u8> },
    Coded(Box<Encoder>),
}

impl Sink {
    pub(crate) fn open(file: File, plan: &Plan) -> anyhow::Result<Self> {
        let block = u64::from(plan.channels * plan.bits / 8);
        let (header, len) = match plan.output {
            Output::Wav => {
                let data = plan.total.map(|total| total.saturating_mul(block));
                let header = riff::header(plan.rate, plan.channels, plan.bits, data);
                let len = data.map(|data| data.saturating_add(header.len() as u64));
                (header, len)
            }
            Output::L16 => (Vec::new(), plan.total.map(|total| total.saturating_mul(block))),
            _ => {
                let kind = Kind::Coded(Box::new(Encoder::open(file, plan)?));
                return Ok(Self { kind, written: 0, len: None });
            }
        };
        let mut to = BufWriter::with_capacity(64 << 10, file);
        to.write_all(&header)?;
        let kind = Kind::Pcm { to, plan: plan.clone(), bytes: Vec::new() };
        Ok(Self { kind, written: 0, len })
    }

    /// Exact length of the result in bytes, where it is known beforehand.
    pub(crate) fn len(&self) -> Option<u64> {
        self.len
    }

    /// How many samples each frame must have; 0 takes any number.
    pub(crate) fn frame_size(&self) -> u32 {
        match &self.kind {
            Kind::Pcm { .. } => 0,
            Kind::Coded(encoder) => encoder.frame_size(),
        }
    }

    /// Samples a channel so far.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    pub(crate) fn write(&mut self, frame: &mut frame::Audio) -> anyhow::Result<()> {
        match &mut self.kind {
            Kind::Pcm { to, plan, bytes } => {
                let samples = frame.samples() * plan.channels as usize;
                bytes.clear();
                if plan.bits == 16 {
                    let whole = &frame.data(0)[..samples * 2];
                    if plan.output == Output::L16 {
                        bytes.extend(whole.chunks_exact(2).flat_map(|pair| [pair[1], pair[0]]));
                    } else {
                        bytes.extend_from_slice(whole);
                    }
                } else {
                    // The upper three bytes of each, little-endian.
                    let whole = &frame.data(0)[..samples * 4];
                    bytes
                        .extend(whole.chunks_exact(4).flat_map(|four| [four[1], four[2], four[3]]));
                }
                to.write_all(bytes)?;
                if self.written == 0 {
                    to.flush()?;
                }
            }
            Kind::Coded(encoder) => {
                frame.set_pts(Some(self.written as i64));
                encoder.encode(frame)?;
            }
        }
        self.written += frame.samples() as u64;
        Ok(())
    }

    /// Writes what is left; gives the number of samples and what belongs over the beginning.
    pub(crate) fn finish(self) -> anyhow::Result<Report> {
        let head = match self.kind {
            Kind::Pcm { mut to, .. } => {
                to.flush()?;
                None
            }
            Kind::Coded(encoder) => encoder.finish()?,
        };
        Ok(Report::Done { frames: self.written, head })
    }
}
