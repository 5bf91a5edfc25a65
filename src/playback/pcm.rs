//! Sound decoded for whoever listens to it inside: bare samples on a pipe, made by a decode worker
//! that stands back for those that somebody waits for.

use std::{fs::File, io, os::fd::OwnedFd, time::Duration};

use rustix::pipe::{PipeFlags, pipe_with};

use super::{Playback, worker::Worker};
use crate::{
    Error, Result,
    media::{
        analysis::Pcm,
        decode::{Job, Output, Report},
    },
};

/// Most time that decoding one file may compute.
const COMPUTING: Duration = Duration::from_mins(10);

/// A file that is being decoded.
#[derive(Debug)]
pub struct Decoding {
    form: Pcm,
    sound: OwnedFd,
    rest: Rest,
}

/// The worker behind it; dropping it ends the worker.
#[derive(Debug)]
pub struct Rest(Worker);

impl Playback {
    /// Decodes a file, or a part of it (ms), to 16-bit big-endian samples. Nobody's permit is
    /// taken. `Invalid` says why it cannot be; `Unavailable` if no decoder can be started, which
    /// says nothing about the file.
    pub async fn decode(&self, source: File, range_ms: Option<(u64, u64)>) -> Result<Decoding> {
        let starter = self.inner.starter.clone();
        let job = Job {
            output: Output::L16,
            bitrate_kbps: None,
            is_variable: false,
            is_rigid: false,
            sample_rate: None,
            channels: None,
            bit_depth: None,
            gain_mdb: 0,
            is_limited: false,
            start_us: range_ms.map_or(0, |(start, _)| start * 1000),
            end_us: range_ms.map(|(_, end)| end * 1000),
            cut: None,
        };
        tokio::task::spawn_blocking(move || {
            let worker = starter.take_unhurried()?;
            worker.limit(COMPUTING);
            worker.stand_back();
            let (sound, write_end) = pipe_with(PipeFlags::CLOEXEC).map_err(io::Error::from)?;
            worker.send(&job, &source, &write_end).map_err(over_this_file)?;
            drop(write_end);
            match worker.report().map_err(over_this_file)? {
                Report::Started { sample_rate, channels, .. } => {
                    let form = Pcm { sample_rate, channels };
                    Ok(Decoding { form, sound, rest: Rest(worker) })
                }
                Report::Failed { reason } => Err(Error::Invalid(reason)),
                Report::Ready { .. } | Report::Done { .. } => {
                    Err(Error::Invalid("There is no sound in it".to_owned()))
                }
            }
        })
        .await?
    }
}

/// A worker that was started and then died.
fn over_this_file(error: Error) -> Error {
    match error {
        Error::Unavailable(reason) => Error::Invalid(reason),
        error => error,
    }
}

impl Decoding {
    /// How the samples lie.
    #[must_use]
    pub fn form(&self) -> Pcm {
        self.form
    }

    /// The pipe, and what stays until it is read.
    #[must_use]
    pub fn split(self) -> (OwnedFd, Rest) {
        (self.sound, self.rest)
    }
}

impl Rest {
    /// Once the pipe was read to its end: whether that was the end of the file too.
    pub async fn end(self) -> Result<()> {
        tokio::task::spawn_blocking(move || match self.0.report()? {
            Report::Done { .. } => Ok(()),
            Report::Failed { reason } => Err(Error::Invalid(reason)),
            Report::Ready { .. } | Report::Started { .. } => {
                Err(Error::Invalid("The decoder stopped before the end".to_owned()))
            }
        })
        .await?
    }
}
