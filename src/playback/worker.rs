//! Decode worker processes: started from one thread that lives as long as the service (a worker
//! dies with the thread that started it), one job each, and after the first play a spare that is
//! warm already.

use std::{
    fs::File,
    io::{self, IoSlice},
    mem::MaybeUninit,
    os::fd::{AsFd as _, OwnedFd},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use rustix::{
    net::{
        AddressFamily, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
        SocketFlags, SocketType, recv, sendmsg, socketpair,
        sockopt::{Timeout, set_socket_timeout},
    },
    process::{Pid, Resource, Rlimit, prlimit, setpriority_process},
};

use crate::{
    Error, Result,
    config::Sandbox,
    media::decode::{Job, MESSAGE, Report},
};

/// A spare that nobody needed for so long ends.
const SPARE_IDLE: Duration = Duration::from_mins(5);

/// The spare is started a moment after the worker that replaced it was taken, so that it does not
/// take the processor from the first sound.
const SPARE_DELAY: Duration = Duration::from_millis(400);

/// How long a worker may take to answer before it counts as dead.
const ANSWER: Duration = Duration::from_secs(30);

/// A running process that has no job, or one.
#[derive(Debug)]
pub(super) struct Worker {
    process: Arc<Process>,
    control: OwnedFd,
}

/// The process, to be ended from anywhere.
#[derive(Debug)]
pub(super) struct Process {
    child: Mutex<Option<Child>>,
    running: Arc<AtomicUsize>,
}

/// Starts workers and keeps the spare.
#[derive(Debug)]
pub(super) struct Starter {
    wanted: mpsc::Sender<mpsc::SyncSender<Result<Worker>>>,
    running: Arc<AtomicUsize>,
}

impl Starter {
    /// Starts the thread, and no process yet.
    pub(super) fn new(program: PathBuf, sandbox: Sandbox) -> Result<Self> {
        let running = Arc::new(AtomicUsize::new(0));
        let (wanted, requests) = mpsc::channel();
        let launch = Launch { program, sandbox, running: running.clone() };
        std::thread::Builder::new()
            .name("decode-starter".to_owned())
            .spawn(move || keep(&launch, &requests))?;
        Ok(Self { wanted, running })
    }

    /// The spare, or a new worker. Blocks.
    pub(super) fn take(&self) -> Result<Worker> {
        let gone = || Error::Unavailable("The decoder is shutting down".to_owned());
        let (answer, answered) = mpsc::sync_channel(1);
        self.wanted.send(answer).map_err(|_| gone())?;
        answered.recv().map_err(|_| gone())?
    }

    /// Processes that run, the spare included.
    pub(super) fn running(&self) -> usize {
        self.running.load(Ordering::Acquire)
    }
}

/// The starter's thread: ends, with the spare, when the service is dropped.
fn keep(launch: &Launch, requests: &mpsc::Receiver<mpsc::SyncSender<Result<Worker>>>) {
    let mut spare: Option<Worker> = None;
    let mut last_taken: Option<Instant> = None;
    loop {
        let next = match (last_taken, &spare) {
            (None, _) => requests.recv().map_err(|_| RecvTimeoutError::Disconnected),
            (Some(_), None) => requests.recv_timeout(SPARE_DELAY),
            (Some(taken), Some(_)) => {
                requests.recv_timeout(SPARE_IDLE.saturating_sub(taken.elapsed()))
            }
        };
        match next {
            Ok(answer) => {
                last_taken = Some(Instant::now());
                let worker = match spare.take().filter(|spare| spare.process.is_alive()) {
                    Some(spare) => Ok(spare),
                    None => launch.start(),
                };
                let _ = answer.send(worker);
            }
            Err(RecvTimeoutError::Timeout) if spare.is_some() => {
                spare = None;
                last_taken = None;
            }
            Err(RecvTimeoutError::Timeout) => match launch.start() {
                Ok(worker) => spare = Some(worker),
                // Whoever asks next gets the error.
                Err(_) => last_taken = None,
            },
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

struct Launch {
    program: PathBuf,
    sandbox: Sandbox,
    running: Arc<AtomicUsize>,
}

impl Launch {
    fn start(&self) -> Result<Worker> {
        let (ours, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
                .map_err(io::Error::from)?;
        set_socket_timeout(&ours, Timeout::Recv, Some(ANSWER)).map_err(io::Error::from)?;
        let mut command = Command::new(&self.program);
        command.env_clear().stdin(theirs).stdout(Stdio::null()).stderr(Stdio::null());
        command.current_dir("/");
        if self.sandbox == Sandbox::Degraded {
            command.arg("--degraded");
        }
        let child = command.spawn().map_err(|error| {
            tracing::error!(program = %self.program.display(), %error, "the decoder does not start");
            Error::Unavailable("The decoder cannot be started; the server's log says why".to_owned())
        })?;
        self.running.fetch_add(1, Ordering::AcqRel);
        let process = Process { child: Mutex::new(Some(child)), running: self.running.clone() };
        Ok(Worker { process: Arc::new(process), control: ours })
    }
}

impl Worker {
    /// The process, to be ended from elsewhere.
    pub(super) fn process(&self) -> Arc<Process> {
        self.process.clone()
    }

    /// Ends the process when it has computed for so long.
    pub(super) fn limit(&self, computing: Duration) {
        let child = self.process.child.lock().unwrap_or_else(PoisonError::into_inner);
        let pid = child.as_ref().and_then(|child| i32::try_from(child.id()).ok());
        if let Some(pid) = pid.and_then(Pid::from_raw) {
            let seconds = Some(computing.as_secs());
            let limit = Rlimit { current: seconds, maximum: seconds };
            // Best effort: the pipe that nobody reads stops it too.
            let _ = prlimit(Some(pid), Resource::Cpu, limit);
        }
    }

    /// Lets everybody else go first from now on.
    pub(super) fn stand_back(&self) {
        let child = self.process.child.lock().unwrap_or_else(PoisonError::into_inner);
        let pid = child.as_ref().and_then(|child| i32::try_from(child.id()).ok());
        if let Some(pid) = pid.and_then(Pid::from_raw) {
            // It works all the same where that may not be set.
            let _ = setpriority_process(Some(pid), 19);
        }
    }

    /// Hands the job over, with the source and where the result goes.
    pub(super) fn send(&self, job: &Job, source: &File, result: &OwnedFd) -> Result<()> {
        let message = serde_json::to_vec(job)?;
        let files = [source.as_fd(), result.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        control.push(SendAncillaryMessage::ScmRights(&files));
        sendmsg(&self.control, &[IoSlice::new(&message)], &mut control, SendFlags::NOSIGNAL)
            .map_err(|_| died())?;
        Ok(())
    }

    /// The next report that is not "ready". Blocks.
    pub(super) fn report(&self) -> Result<Report> {
        let mut bytes = [0; MESSAGE];
        loop {
            let (received, _) = match recv(&self.control, &mut bytes, RecvFlags::empty()) {
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

fn died() -> Error {
    Error::Unavailable("The decoder died over this file".to_owned())
}

impl Process {
    /// Ends it at once; nothing happens if it has ended.
    pub(super) fn kill(&self) {
        if let Some(child) = self.child.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            let _ = child.kill();
        }
    }

    fn is_alive(&self) -> bool {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Ends it if it has not, and waits for its end.
    fn reap(&self) {
        let child = self.child.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut child) = child {
            let _ = child.kill();
            let _ = child.wait();
            self.running.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.process.reap();
    }
}
