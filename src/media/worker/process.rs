//! The daemon's side of one worker process: starts it, speaks to it with deadlines, ends it.

use std::{
    io::{self, BufReader},
    os::{fd::AsFd as _, fd::OwnedFd, unix::net::UnixStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use super::{
    ReadItem, Understood, Unreadable,
    frames::{self, Kind},
    wire,
};

/// One running worker. Dropping it ends it.
pub(super) struct Process {
    child: Child,
    socket: BufReader<UnixStream>,
}

impl Process {
    /// Starts `program worker`. It dies with the calling thread. `patience`: how long it may say
    /// nothing before it counts as hanging.
    pub(super) fn start(program: &Path, patience: Duration) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_read_timeout(Some(patience))?;
        ours.set_write_timeout(Some(patience))?;
        let child = Command::new(program)
            .arg("worker")
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { child, socket: BufReader::with_capacity(64 << 10, ours) })
    }

    /// Its process id.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Has a batch of files read. `answers` gets each answer as it comes; an error means that the
    /// process is of no more use and the files after those were not answered for.
    pub(super) fn understand(
        &mut self,
        items: &[&ReadItem],
        answers: &mut Vec<Result<Understood, Unreadable>>,
    ) -> io::Result<()> {
        let mut message = Vec::with_capacity(256 * items.len());
        let start = frames::begin(&mut message, Kind::Understand, items.len());
        wire::write_items(&mut message, items)?;
        frames::end(&mut message, start);
        let files: Vec<_> = items.iter().map(|item| item.file.as_fd()).collect();
        frames::send(self.socket.get_ref(), &message, &files)?;
        for _ in items {
            answers.push(match frames::read(&mut self.socket)? {
                (Kind::Answer, payload) => Ok(wire::read_understood(&payload)?),
                (_, payload) => Err(Unreadable { reason: sentence(&payload) }),
            });
        }
        Ok(())
    }

    /// One question that is answered by one payload, or refused with a sentence.
    pub(super) fn ask(
        &mut self,
        kind: Kind,
        payload: &[u8],
        file: Option<&std::fs::File>,
    ) -> io::Result<Result<Vec<u8>, String>> {
        let mut message = Vec::with_capacity(payload.len() + 16);
        let start = frames::begin(&mut message, kind, usize::from(file.is_some()));
        message.extend_from_slice(payload);
        frames::end(&mut message, start);
        let files: Vec<_> = file.iter().map(|file| file.as_fd()).collect();
        frames::send(self.socket.get_ref(), &message, &files)?;
        Ok(match frames::read(&mut self.socket)? {
            (Kind::Answer, payload) => Ok(payload),
            (_, payload) => Err(sentence(&payload)),
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may hang; it holds nothing that it would have to put in order.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a worker says is shown to people, so it is bounded and has no control characters.
fn sentence(payload: &[u8]) -> String {
    let text = String::from_utf8_lossy(&payload[..payload.len().min(1000)]);
    text.chars().filter(|letter| !letter.is_control()).take(300).collect()
}
