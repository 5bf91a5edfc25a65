//! Reads one file from the disk, not from memory, behind everybody else.

use std::{
    io,
    time::{Duration, Instant},
};

use rustix::{
    fs::{Advice, fadvise},
    process::setpriority_process,
};

use super::{Pace, rows::Row};
use crate::{
    Error, Result,
    drive::{
        digest,
        disk::{Disk, file_facts},
    },
};

/// The last to be served, as those who hear tracks are.
const NICE: i32 = 19;
/// Of each second of reading it rests so many times that long.
const REST: u32 = 4;
/// Reads are told apart in pieces of this size, and rests with them.
const BREATH: usize = 16 << 20;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// What was stored.
    Whole,
    /// Of another time or size, or gone: other hands were here.
    Changed,
    /// Other bytes, of this hash.
    Other([u8; 32]),
    /// The disk does not give it, for this reason.
    Unreadable(String),
}

/// Reads a file whole, on a thread of its own that stands back for all others.
pub(super) async fn read(disk: &Disk, row: &Row, pace: Pace) -> Result<Verdict> {
    let (disk, row) = (disk.clone(), row.clone());
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name("scrub".to_owned())
        .spawn(move || {
            // Of this thread alone. Where it may not, it reads as others do.
            let _ = setpriority_process(None, NICE);
            // Dropping is cancelling: who is not waited for any more stops at the next piece.
            let verdict = verdict(&disk, &row, pace, || !tell.is_closed());
            let _ = tell.send(verdict);
        })
        .map_err(Error::internal)?;
    told.await.map_err(Error::internal)
}

fn verdict(disk: &Disk, row: &Row, pace: Pace, go_on: impl FnMut() -> bool) -> Verdict {
    match hash_of(disk, row, pace, go_on) {
        Ok(Some(hash)) if hash[..] == row.hash => Verdict::Whole,
        Ok(Some(hash)) => Verdict::Other(hash),
        Ok(None) => Verdict::Changed,
        Err(error) if is_elsewhere(&error) => Verdict::Changed,
        Err(error) => Verdict::Unreadable(error.to_string()),
    }
}

/// `None` if it is of another time or size than its row says.
fn hash_of(
    disk: &Disk,
    row: &Row,
    pace: Pace,
    mut go_on: impl FnMut() -> bool,
) -> io::Result<Option<[u8; 32]>> {
    let file = disk.open_real(&row.folder, &row.path)?;
    let as_stored = (row.size, row.modified_ns);
    if file_facts(&file)? != as_stored {
        return Ok(None);
    }
    let _ = fadvise(&file, 0, None, Advice::DontNeed);
    let (mut since, mut held) = (Instant::now(), 0);
    let rest = |since: &mut Instant| {
        if pace == Pace::Slow {
            std::thread::sleep(since.elapsed().min(Duration::from_secs(1)) * REST);
        }
        *since = Instant::now();
    };
    let digests = digest(&file, None, |read| {
        held += read;
        if BREATH <= held {
            rest(&mut since);
            held = 0;
        }
        go_on()
    })?;
    rest(&mut since);
    // What was read does not push out of memory what others need.
    let _ = fadvise(&file, 0, None, Advice::DontNeed);
    let is_unchanged = file_facts(&file)? == as_stored;
    Ok(digests.filter(|_| is_unchanged).map(|digests| digests.content))
}

/// Nothing is there, or nothing that is a file: what the rows and the disk disagree about is told by
/// who compares them.
fn is_elsewhere(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory
    )
}
