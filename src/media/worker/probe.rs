//! Files that the readers of tags do not understand, asked of the decode worker: one process a
//! file, for they are few.

use std::{os::fd::OwnedFd, time::Duration};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    pipe::{PipeFlags, pipe_with},
};

use super::{
    ReadItem, Understood,
    decoder::{Decoder, Program, died},
};
use crate::{
    Error, Result,
    media::decode::{Order, Probe, Report},
};

/// No answer is longer: texts of tags, no pictures.
const MOST_BYTES: usize = 4 << 20;
/// A length that is nowhere written is counted; that is work, but not for ever.
const COMPUTING: Duration = Duration::from_secs(20);
/// A worker that says nothing for so many seconds hangs.
const PATIENCE_SECONDS: i64 = 30;

/// Asks what a file is. Blocks; the process dies with the calling thread.
pub(super) fn probe(program: &Program, item: &ReadItem) -> Result<Understood> {
    let decoder = Decoder::start(program)?;
    decoder.limit(COMPUTING);
    let (read_end, write_end) =
        pipe_with(PipeFlags::CLOEXEC).map_err(|error| Error::from(std::io::Error::from(error)))?;
    let order = Order::Probe(Probe {
        relative_path: item.relative_path.clone(),
        options: item.options.as_ref().clone(),
    });
    decoder.send(&order, &item.file, &write_end)?;
    drop(write_end);
    let answer = read_all(&read_end)?;
    match decoder.report()? {
        Report::Done { .. } => Ok(serde_json::from_slice(&answer)?),
        Report::Failed { reason } => Err(Error::Unavailable(reason)),
        Report::Ready { .. } | Report::Started { .. } => Err(died()),
    }
}

/// Everything that comes. A worker that writes without end, or not at all, is ended by the drop.
fn read_all(from: &OwnedFd) -> Result<Vec<u8>> {
    let mut answer = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    let patience = Timespec { tv_sec: PATIENCE_SECONDS, tv_nsec: 0 };
    while answer.len() < MOST_BYTES {
        let ready = rustix::io::retry_on_intr(|| {
            poll(&mut [PollFd::new(from, PollFlags::IN)], Some(&patience))
        });
        if ready.map_err(std::io::Error::from)? == 0 {
            break;
        }
        match rustix::io::retry_on_intr(|| rustix::io::read(from, &mut buffer[..])) {
            Ok(0) => return Ok(answer),
            Ok(read) => answer.extend_from_slice(&buffer[..read]),
            Err(error) => return Err(std::io::Error::from(error).into()),
        }
    }
    Err(died())
}
