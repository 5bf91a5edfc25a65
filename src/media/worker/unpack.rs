//! The daemon's side of unpacking: one worker process for one archive, driven by a thread of its
//! own, which both end when nobody listens any more.

use std::{
    fs::File,
    io::{self, Write as _},
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::Path,
    time::Duration,
};

use tokio::sync::mpsc;

use super::{Pool, frames::Kind, process::Process, wire};
use crate::{
    Error, Result,
    media::unpack::{Order, Said, Unpacked, hear},
};

/// A worker that says nothing for so long hangs.
const PATIENCE: Duration = Duration::from_secs(60);
/// Others go first.
const NICENESS: i32 = 5;
/// Pieces that wait to be stored.
const AHEAD: usize = 8;

/// An archive that is being taken apart. Dropping it ends the worker.
#[derive(Debug)]
pub struct Unpacking {
    events: mpsc::Receiver<Unpacked>,
    answers: mpsc::Sender<Said>,
}

impl Pool {
    /// Takes an archive apart, within the bounds of the order.
    pub fn unpack(&self, archive: File, order: Order) -> Result<Unpacking> {
        let (tell, events) = mpsc::channel(AHEAD);
        let (answers, said) = mpsc::channel(1);
        let program = self.open.0.program().to_owned();
        std::thread::Builder::new().name("unpacking".to_owned()).spawn(move || {
            if let Err(error) = drive(&program, archive, order, &tell, said) {
                tracing::warn!(%error, "a worker failed over an archive");
                let sentence = "This archive cannot be read any further".to_owned();
                let _ = tell.blocking_send(Unpacked::End(Some(sentence)));
            }
        })?;
        Ok(Unpacking { events, answers })
    }
}

impl Unpacking {
    /// What comes next; `None` behind the end.
    pub async fn next(&mut self) -> Option<Unpacked> {
        self.events.recv().await
    }

    /// Says whether the entry that came last is wanted.
    pub async fn say(&self, wanted: bool) -> Result<()> {
        let said = if wanted { Said::Take } else { Said::Skip };
        self.answers
            .send(said)
            .await
            .map_err(|_| Error::UnsupportedArchive("The archive cannot be read".to_owned()))
    }
}

/// Passes on what the worker says until its end.
fn drive(
    program: &Path,
    archive: File,
    order: Order,
    tell: &mpsc::Sender<Unpacked>,
    mut said: mpsc::Receiver<Said>,
) -> io::Result<()> {
    let (mut ours, theirs) = UnixStream::pair()?;
    ours.set_read_timeout(Some(PATIENCE))?;
    ours.set_write_timeout(Some(PATIENCE))?;
    let mut process = Process::start(program, PATIENCE, NICENESS)?;
    let mut payload = Vec::new();
    wire::write(&mut payload, &order)?;
    let files: [OwnedFd; 2] = [archive.into(), theirs.into()];
    process.tell(Kind::Unpack, &payload, &files)?;
    drop(files);
    let mut from = io::BufReader::with_capacity(128 << 10, ours.try_clone()?);
    loop {
        let heard = hear(&mut from)?;
        let (is_entry, is_end) =
            (matches!(heard, Unpacked::Entry(_)), matches!(heard, Unpacked::End(_)));
        // Whoever is not there any more wants no more.
        if tell.blocking_send(heard).is_err() || is_end {
            return Ok(());
        }
        if is_entry {
            let Some(said) = said.blocking_recv() else { return Ok(()) };
            ours.write_all(&said.byte())?;
        }
    }
}
