//! Decode worker processes: started from one thread that lives as long as the service (a worker
//! dies with the thread that started it), one job each, and after the first play a spare that is
//! warm already.

use std::{
    fs::File,
    os::fd::OwnedFd,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use crate::{
    Error, Result,
    media::{
        decode::{Job, Order, Report},
        worker::decoder::{Decoder, Program},
    },
};

/// A spare that nobody needed for so long ends.
const SPARE_IDLE: Duration = Duration::from_mins(5);

/// The spare is started a moment after the worker that replaced it was taken, so that it does not
/// take the processor from the first sound.
const SPARE_DELAY: Duration = Duration::from_millis(400);

/// A running process that has no job, or one.
#[derive(Debug)]
pub(super) struct Worker {
    // In this order: it counts until it has ended.
    pub(super) decoder: Decoder,
    /// Whether it had waited for its job: one that was killed meanwhile is not the file's fault.
    pub(super) is_spare: bool,
    _count: Count,
}

/// One of those that run.
#[derive(Debug)]
struct Count(Arc<AtomicUsize>);

impl Count {
    fn new(running: &Arc<AtomicUsize>) -> Self {
        running.fetch_add(1, Ordering::AcqRel);
        Self(running.clone())
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Starts workers and keeps the spare.
#[derive(Debug)]
pub(super) struct Starter {
    wanted: mpsc::Sender<Wanted>,
    running: Arc<AtomicUsize>,
}

/// What the thread is asked for.
#[derive(Debug)]
enum Wanted {
    /// A worker, at once.
    Worker(mpsc::SyncSender<Result<Worker>>),
    /// One for which nobody waits: it leaves the spare alone, and none is kept for the next one.
    Unhurried(mpsc::SyncSender<Result<Worker>>),
    /// A spare: somebody may soon want one.
    Spare,
}

impl Starter {
    /// Starts the thread, and no process yet.
    pub(super) fn new(program: Program) -> Result<Self> {
        let running = Arc::new(AtomicUsize::new(0));
        let (wanted, requests) = mpsc::channel();
        let launch = Launch { program, running: running.clone() };
        std::thread::Builder::new()
            .name("decode-starter".to_owned())
            .spawn(move || keep(&launch, &requests))?;
        Ok(Self { wanted, running })
    }

    /// The spare, or a new worker. Blocks.
    pub(super) fn take(&self) -> Result<Worker> {
        self.ask(Wanted::Worker)
    }

    /// A new worker for work in the background. Blocks.
    pub(super) fn take_unhurried(&self) -> Result<Worker> {
        self.ask(Wanted::Unhurried)
    }

    fn ask(&self, want: fn(mpsc::SyncSender<Result<Worker>>) -> Wanted) -> Result<Worker> {
        let gone = || Error::Unavailable("The decoder is shutting down".to_owned());
        let (answer, answered) = mpsc::sync_channel(1);
        self.wanted.send(want(answer)).map_err(|_| gone())?;
        answered.recv().map_err(|_| gone())?
    }

    /// Has a spare ready for who may soon ask. Does not wait for it.
    pub(super) fn warm_up(&self) {
        // A thread that is gone means that the service ends.
        let _ = self.wanted.send(Wanted::Spare);
    }

    /// Processes that run, the spare included.
    pub(super) fn running(&self) -> usize {
        self.running.load(Ordering::Acquire)
    }
}

/// The starter's thread: ends, with the spare, when the service is dropped.
fn keep(launch: &Launch, requests: &mpsc::Receiver<Wanted>) {
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
            Ok(Wanted::Spare) => {
                last_taken = Some(Instant::now());
                if !spare.as_ref().is_some_and(|spare| spare.decoder.is_alive()) {
                    spare = launch.spare();
                }
            }
            Ok(Wanted::Worker(answer)) => {
                last_taken = Some(Instant::now());
                let worker = match spare.take().filter(|spare| spare.decoder.is_alive()) {
                    Some(spare) => Ok(spare),
                    None => launch.start(),
                };
                let _ = answer.send(worker);
            }
            Ok(Wanted::Unhurried(answer)) => {
                let _ = answer.send(launch.start());
            }
            Err(RecvTimeoutError::Timeout) if spare.is_some() => {
                spare = None;
                last_taken = None;
            }
            Err(RecvTimeoutError::Timeout) => {
                spare = launch.spare();
                // Whoever asks next gets the error.
                if spare.is_none() {
                    last_taken = None;
                }
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

struct Launch {
    program: Program,
    running: Arc<AtomicUsize>,
}

impl Launch {
    fn start(&self) -> Result<Worker> {
        let decoder = Decoder::start(&self.program)?;
        Ok(Worker { decoder, is_spare: false, _count: Count::new(&self.running) })
    }

    fn spare(&self) -> Option<Worker> {
        self.start().ok().map(|worker| Worker { is_spare: true, ..worker })
    }
}

impl Worker {
    /// Ends the process when it has computed for so long.
    pub(super) fn limit(&self, computing: Duration) {
        self.decoder.limit(computing);
    }

    /// Lets everybody else go first from now on.
    pub(super) fn stand_back(&self) {
        self.decoder.stand_back();
    }

    /// Hands the job over, with the source and where the result goes.
    pub(super) fn send(&self, job: &Job, source: &File, result: &OwnedFd) -> Result<()> {
        self.decoder.send(&Order::Transcode(job.clone()), source, result)
    }

    /// The next report that is not "ready". Blocks.
    pub(super) fn report(&self) -> Result<Report> {
        self.decoder.report()
    }
}
