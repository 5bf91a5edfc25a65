//! The daemon's side of one worker process: starts it, speaks to it with deadlines, ends it.

use std::{
    io::{self, BufReader},
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
    path::Path,
    process::{Child, Command, Stdio},
    sync::Once,
    time::Duration,
};

use rustix::process::{Pid, setpriority_process};

use super::{
    Item, Known, Unreadable,
    frames::{self, Kind},
    pool::{Answer, Failure},
    wire,
};

/// One running worker. Dropping it ends it.
pub(super) struct Process {
    child: Child,
    socket: BufReader<UnixStream>,
}

/// Pictures come and go by the file; memory that is given back after each is taken anew for the
/// next. A worker that is idle ends, so it need not give back.
const ALLOCATOR: &str = "glibc.malloc.mmap_threshold=1048576:glibc.malloc.trim_threshold=2097152:glibc.malloc.arena_max=1";

impl Process {
    /// Starts `program worker` and waits until it says that it is ready. It dies with the calling
    /// thread. `patience`: how long it may say nothing before it counts as hanging. `niceness`: how
    /// far it stands back for others, to 19.
    pub(super) fn start(program: &Path, patience: Duration, niceness: i32) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_read_timeout(Some(patience))?;
        ours.set_write_timeout(Some(patience))?;
        let child = Command::new(program)
            .arg("worker")
            .env_clear()
            .env("GLIBC_TUNABLES", ALLOCATOR)
            .current_dir("/")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        if 0 < niceness
            && let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw)
        {
            // It works all the same where that may not be set.
            let _ = setpriority_process(Some(pid), niceness);
        }
        let mut started = Self { child, socket: BufReader::with_capacity(64 << 10, ours) };
        match frames::read(&mut started.socket) {
            Ok((Kind::Ready, layers)) => {
                warn_of_missing_walls(&sentence(&layers));
                Ok(started)
            }
            Ok(_) => Err(io::Error::other("it does not speak as a worker does")),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Err(io::Error::other("it does not get ready"))
            }
            Err(_) => Err(io::Error::other("it ended at once")),
        }
    }

    /// Its process id.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Has a batch of files read. `answers` gets each answer as it comes; an error means that the
    /// process is of no more use and the files after those were not answered for.
    pub(super) fn understand(
        &mut self,
        items: &[&Item],
        answers: &mut Vec<Result<Known, Unreadable>>,
    ) -> io::Result<()> {
        let mut message = Vec::with_capacity(256 * items.len());
        let start = frames::begin(&mut message, Kind::Understand, items.len());
        wire::write_items(&mut message, items)?;
        frames::end(&mut message, start);
        let files: Vec<_> = items.iter().map(|item| item.file().as_fd()).collect();
        frames::send(self.socket.get_ref(), &message, &files)?;
        for item in items {
            answers.push(match (frames::read(&mut self.socket)?, item) {
                ((Kind::Answer, payload), Item::Music(_)) => {
                    Ok(Known::Music(wire::read(&payload)?))
                }
                ((Kind::Answer, payload), Item::Picture(_)) => {
                    Ok(Known::Picture(wire::read(&payload)?))
                }
                ((kind, payload), _) => Err(Unreadable {
                    reason: sentence(&payload),
                    may_be_decoded: kind == Kind::Pass,
                    is_unread: kind == Kind::Unread,
                }),
            });
        }
        Ok(())
    }

    /// One question that is answered by one payload, or refused with a sentence.
    pub(super) fn ask(
        &mut self,
        kind: Kind,
        payload: &[u8],
        files: &[OwnedFd],
    ) -> io::Result<Answer> {
        self.tell(kind, payload, files)?;
        Ok(match frames::read(&mut self.socket)? {
            (Kind::Answer, payload) => Ok(payload),
            (Kind::Unread, payload) => Err(Failure::Unread(sentence(&payload))),
            (_, payload) => Err(Failure::Refused(sentence(&payload))),
        })
    }

    /// A question whose answer comes another way.
    pub(super) fn tell(&mut self, kind: Kind, payload: &[u8], files: &[OwnedFd]) -> io::Result<()> {
        let mut message = Vec::with_capacity(payload.len() + 16);
        let start = frames::begin(&mut message, kind, files.len());
        message.extend_from_slice(payload);
        frames::end(&mut message, start);
        let files: Vec<_> = files.iter().map(AsFd::as_fd).collect();
        frames::send(self.socket.get_ref(), &message, &files)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may hang; it holds nothing that it would have to put in order.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Workers go on without the walls that this kernel does not know; whoever runs the server should
/// know that, once.
fn warn_of_missing_walls(layers: &str) {
    static WARNED: Once = Once::new();
    if !layers.contains("seccomp") {
        WARNED.call_once(|| {
            tracing::warn!(
                layers,
                "files are read without system calls being filtered: seccomp does not work here"
            );
        });
    }
}

/// What a worker says is shown to people, so it is bounded and has no control characters.
fn sentence(payload: &[u8]) -> String {
    let text = String::from_utf8_lossy(&payload[..payload.len().min(1000)]);
    text.chars().filter(|letter| !letter.is_control()).take(300).collect()
}
