//! The daemon's side of one process of `tunelocker-worker`: starts it, hands one order over with
//! its descriptors, hears its reports, ends it.

use std::{
    fs::File,
    io::{self, IoSlice},
    mem::MaybeUninit,
    os::fd::{AsFd as _, OwnedFd},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rustix::{
    net::{
        AddressFamily, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
        SocketFlags, SocketType, recv, sendmsg, socketpair,
        sockopt::{Timeout, set_socket_timeout},
    },
    process::{Pid, Resource, Rlimit, prlimit, setpriority_process},
};

use super::sandbox::Sandbox;
use crate::{
    Error, Result,
    media::decode::{MESSAGE, Order, Report},
};

/// How long a worker may take to answer before it counts as dead.
const ANSWER: Duration = Duration::from_secs(30);

/// The program, and how strictly it is confined.
#[derive(Debug, Clone)]
pub struct Program {
    /// Where `tunelocker-worker` is.
    pub path: PathBuf,
    /// Whether it works where the sandbox cannot be built whole.
    pub sandbox: Sandbox,
}

/// A running process that has no order, or one. Dropping it ends it.
#[derive(Debug)]
pub struct Decoder {
    process: Arc<Process>,
    control: OwnedFd,
}

/// The process, to be ended from anywhere.
#[derive(Debug)]
pub struct Process(Mutex<Option<Child>>);

impl Decoder {
    /// Starts one. It dies with the calling *thread*.
    pub fn start(program: &Program) -> Result<Self> {
        let (ours, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
                .map_err(io::Error::from)?;
        set_socket_timeout(&ours, Timeout::Recv, Some(ANSWER)).map_err(io::Error::from)?;
        let mut command = Command::new(&program.path);
        command.env_clear().stdin(theirs).stdout(Stdio::null()).stderr(Stdio::null());
        command.current_dir("/");
        if program.sandbox == Sandbox::Degraded {
            command.arg("--degraded");
        }
        let child = command.spawn().map_err(|error| {
            tracing::error!(program = %program.path.display(), %error, "the decoder does not start");
            Error::Unavailable("The decoder cannot be started; the server's log says why".to_owned())
        })?;
        Ok(Self { process: Arc::new(Process(Mutex::new(Some(child)))), control: ours })
    }

    /// The process, to be ended from elsewhere.
    #[must_use]
    pub fn process(&self) -> Arc<Process> {
        self.process.clone()
    }

    /// Whether the process still runs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        let mut child = self.process.child();
        child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Ends the process when it has computed for so long.
    pub fn limit(&self, computing: Duration) {
        let pid = self.process.child().as_ref().and_then(|child| i32::try_from(child.id()).ok());
        if let Some(pid) = pid.and_then(Pid::from_raw) {
            let seconds = Some(computing.as_secs());
            let limit = Rlimit { current: seconds, maximum: seconds };
            // Best effort: the pipe that nobody reads stops it too.
            let _ = prlimit(Some(pid), Resource::Cpu, limit);
        }
    }

    /// Lets everybody else go first from now on.
    pub fn stand_back(&self) {
        let pid = self.process.child().as_ref().and_then(|child| i32::try_from(child.id()).ok());
        if let Some(pid) = pid.and_then(Pid::from_raw) {
            // It works all the same where that may not be set.
            let _ = setpriority_process(Some(pid), 19);
        }
    }

    /// Hands the order over, with the source and where the result goes.
    pub fn send(&self, order: &Order, source: &File, result: &OwnedFd) -> Result<()> {
        let message = serde_json::to_vec(order)?;
        let files = [source.as_fd(), result.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        control.push(SendAncillaryMessage::ScmRights(&files));
        sendmsg(&self.control, &[IoSlice::new(&message)], &mut control, SendFlags::NOSIGNAL)
            .map_err(|_| died())?;
        Ok(())
    }

    /// The next report that is not "ready". Blocks.
    pub fn report(&self) -> Result<Report> {
        let mut bytes = vec![0; MESSAGE];
        loop {
            let (received, _) = match recv(&self.control, &mut bytes[..], RecvFlags::empty()) {
                Err(rustix::io::Errno::INTR) => continue,
                result => result.map_err(|_| died())?,
            };
            if received == 0 {
                return Err(died());
            }
            match serde_json::from_slice(&bytes[..received])? {
                Report::Ready { layers } => {
                    tracing::debug!(layers, "a decoder is ready");
                }
                report => return Ok(report),
            }
        }
    }
}

/// What is said when a worker is gone without a word.
#[must_use]
pub fn died() -> Error {
    Error::Unavailable("The decoder died over this file".to_owned())
}

impl Process {
    /// Ends it at once; nothing happens if it has ended.
    pub fn kill(&self) {
        if let Some(child) = self.child().as_mut() {
            let _ = child.kill();
        }
    }

    fn child(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        if let Some(mut child) = self.process.child().take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
