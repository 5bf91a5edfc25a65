//! A bounded set of worker processes with one queue. Each process is driven by a thread of its
//! own that starts it, feeds it, replaces it when it fails, and ends it when it has been idle.

use std::{
    collections::VecDeque,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::{Semaphore, oneshot};

use super::{Item, Known, Unreadable, decoder::Program, frames::Kind, probe, process::Process};

/// Files in one message: enough that messages cost nothing, few enough that one bad file does not
/// cost the rest a second reading of many.
const BATCH: usize = 32;
/// An idle worker ends, for its memory's sake.
const IDLE: Duration = Duration::from_secs(30);

/// Answer of one question: bytes, or a sentence.
pub(super) type Answer = Result<Vec<u8>, Failure>;
/// Answers about the files of a batch, in order.
pub(super) type Answers = Vec<Result<Known, Unreadable>>;

/// Why there is no answer.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    /// The worker looked and says no.
    Refused(String),
    /// The disk did not give the file to the worker.
    Unread(String),
    /// The worker died or hung over it, twice.
    Lost,
    /// No worker could be started.
    NotStarted(String),
}

/// The queue and what is known about the threads that empty it.
pub(super) struct Shared {
    program: PathBuf,
    most: usize,
    patience: Duration,
    niceness: i32,
    decoder: Option<Program>,
    state: Mutex<State>,
    wake: Condvar,
    room: Semaphore,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
    processes: Vec<u32>,
    closed: bool,
}

enum Job {
    Understand(Vec<Item>, oneshot::Sender<Result<Answers, Failure>>),
    Ask { kind: Kind, payload: Vec<u8>, files: Vec<OwnedFd>, tell: oneshot::Sender<Answer> },
}

impl Shared {
    pub(super) fn new(
        program: PathBuf,
        most: usize,
        patience: Duration,
        niceness: i32,
        decoder: Option<Program>,
    ) -> Arc<Self> {
        let most = most.max(1);
        Arc::new(Self {
            program,
            most,
            patience,
            niceness,
            decoder,
            state: Mutex::default(),
            wake: Condvar::new(),
            room: Semaphore::new(2 * most),
        })
    }

    /// Reads files in batches; the answers are in the order of the items. Fails if no worker can
    /// be started.
    pub(super) async fn understand(self: &Arc<Self>, items: Vec<Item>) -> Result<Answers, Failure> {
        let mut items = items.into_iter().peekable();
        let mut batches = Vec::new();
        while items.peek().is_some() {
            let batch: Vec<_> = items.by_ref().take(BATCH).collect();
            batches.push(async {
                let _room = self.room.acquire().await;
                let (files, (tell, told)) = (batch.len(), oneshot::channel());
                self.push(Job::Understand(batch, tell));
                let lost = || Unreadable::for_good(Failure::Lost.to_string());
                told.await.unwrap_or_else(|_| Ok((0..files).map(|_| Err(lost())).collect()))
            });
        }
        Ok(futures_util::future::try_join_all(batches).await?.into_iter().flatten().collect())
    }

    /// Asks one question about one file or some bytes.
    pub(super) async fn ask(
        self: &Arc<Self>,
        kind: Kind,
        payload: Vec<u8>,
        files: Vec<OwnedFd>,
    ) -> Answer {
        let _room = self.room.acquire().await;
        let (tell, told) = oneshot::channel();
        self.push(Job::Ask { kind, payload, files, tell });
        told.await.unwrap_or(Err(Failure::Lost))
    }

    /// No more questions: idle workers end now, busy ones after their job.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.wake.notify_all();
    }

    /// The daemon itself.
    pub(super) fn program(&self) -> &Path {
        &self.program
    }

    /// The ids of the processes that run.
    pub(super) fn processes(&self) -> Vec<u32> {
        self.state().processes.clone()
    }

    fn push(self: &Arc<Self>, job: Job) {
        let mut state = self.state();
        state.jobs.push_back(job);
        if state.idle < state.jobs.len() && state.threads < self.most {
            let shared = Arc::clone(self);
            let thread = std::thread::Builder::new().name("media-worker".to_owned());
            match thread.spawn(move || shared.drive()) {
                Ok(_) => state.threads += 1,
                Err(error) if state.threads == 0 => {
                    tracing::error!(%error, "cannot start a thread for media workers");
                    give_up(&mut state.jobs, &error);
                }
                // Those that run take it.
                Err(_) => (),
            }
        }
        drop(state);
        self.wake.notify_one();
    }

    /// The life of one thread and its process.
    fn drive(&self) {
        let mut process = None;
        while let Some(job) = self.next(&mut process) {
            match job {
                Job::Understand(items, tell) => {
                    let _ = tell.send(self.read_all(&mut process, &items));
                }
                Job::Ask { kind, payload, files, tell } => {
                    if !tell.is_closed() {
                        let _ = tell.send(self.put(&mut process, kind, &payload, &files));
                    }
                }
            }
        }
    }

    /// The next job; `None` when there was none for so long that the process is to end.
    fn next(&self, process: &mut Option<Process>) -> Option<Job> {
        let mut state = self.state();
        state.idle += 1;
        loop {
            if let Some(job) = state.jobs.pop_front() {
                state.idle -= 1;
                return Some(job);
            }
            // The pool may have been closed while this thread was at work, and nobody will wake it.
            let mut is_over = state.closed;
            if !is_over {
                let (again, waited) =
                    self.wake.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
                state = again;
                is_over = waited.timed_out() || state.closed;
            }
            if state.jobs.is_empty() && is_over {
                state.idle -= 1;
                state.threads -= 1;
                drop(state);
                self.end(process);
                return None;
            }
        }
    }

    /// Reads a batch. What a worker did not answer for is read again file by file, so that only
    /// the one it failed over is marked.
    fn read_all(&self, process: &mut Option<Process>, items: &[Item]) -> Result<Answers, Failure> {
        let mut answers = Vec::with_capacity(items.len());
        let all: Vec<&Item> = items.iter().collect();
        let read = self.with(process, |process| process.understand(&all, &mut answers));
        if let Err(failure @ Failure::NotStarted(_)) = read {
            return Err(failure);
        }
        for item in &all[answers.len()..] {
            let mut answer = Vec::with_capacity(1);
            let read = self.with(process, |process| process.understand(&[item], &mut answer));
            answers.push(match read {
                Ok(()) => answer.pop().expect("each item is answered"),
                Err(failure @ Failure::NotStarted(_)) => return Err(failure),
                Err(failure) => Err(Unreadable::for_good(failure.to_string())),
            });
        }
        for (item, answer) in items.iter().zip(&mut answers) {
            self.complete(item, answer);
        }
        Ok(answers)
    }

    /// Asks the decode worker where the answer leaves something open: another format, or a length
    /// that is nowhere written. What it does not know either stays as it is.
    fn complete(&self, item: &Item, answer: &mut Result<Known, Unreadable>) {
        let (Some(decoder), Item::Music(item)) = (&self.decoder, item) else { return };
        match answer {
            Err(unreadable) if unreadable.may_be_decoded => match probe::probe(decoder, item) {
                Ok(understood) => *answer = Ok(Known::Music(Box::new(understood))),
                Err(error) => {
                    tracing::debug!(path = item.relative_path, %error, "not decoded either");
                }
            },
            Ok(Known::Music(understood)) if understood.tags.audio.duration_ms == 0 => {
                if let Ok(other) = probe::probe(decoder, item) {
                    understood.tags.audio.duration_ms = other.tags.audio.duration_ms;
                    understood.tags.audio.bitrate_kbps = other.tags.audio.bitrate_kbps;
                }
            }
            _ => (),
        }
    }

    /// One question, asked again of a new worker if the first one fails: it may have been killed
    /// for a reason that has nothing to do with this file.
    fn put(
        &self,
        process: &mut Option<Process>,
        kind: Kind,
        payload: &[u8],
        files: &[OwnedFd],
    ) -> Answer {
        let mut ask = || self.with(process, |process| process.ask(kind, payload, files));
        let answer = match ask() {
            // What comes down a pipe comes once.
            Err(Failure::Lost) if files.len() < 2 => ask(),
            answer => answer,
        };
        answer?
    }

    /// Does something with the process, started if need be and thrown away if it fails.
    fn with<T>(
        &self,
        process: &mut Option<Process>,
        work: impl FnOnce(&mut Process) -> std::io::Result<T>,
    ) -> Result<T, Failure> {
        if process.is_none() {
            let started = Process::start(&self.program, self.patience, self.niceness).map_err(|error| {
                tracing::error!(program = %self.program.display(), %error, "cannot start a media worker");
                Failure::NotStarted(error.to_string())
            })?;
            self.state().processes.push(started.id());
            *process = Some(started);
        }
        let running = process.as_mut().expect("it has just been started");
        work(running).map_err(|error| {
            tracing::warn!(%error, "a media worker failed and is replaced");
            self.end(process);
            Failure::Lost
        })
    }

    fn end(&self, process: &mut Option<Process>) {
        if let Some(ended) = process.take() {
            self.state().processes.retain(|id| *id != ended.id());
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nobody will ever take these: their askers hear that it has nothing to do with the files.
fn give_up(jobs: &mut VecDeque<Job>, error: &std::io::Error) {
    let failure = || Failure::NotStarted(error.to_string());
    for job in jobs.drain(..) {
        // Who asked may have gone.
        match job {
            Job::Understand(_, tell) => drop(tell.send(Err(failure()))),
            Job::Ask { tell, .. } => drop(tell.send(Err(failure()))),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(reason) | Self::Unread(reason) => f.write_str(reason),
            Self::Lost => f.write_str("The worker process failed over this file"),
            Self::NotStarted(error) => write!(f, "No worker process could be started: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn that_no_thread_can_be_started_says_nothing_about_the_files() {
        let (tell_all, mut told_all) = oneshot::channel();
        let (tell_one, mut told_one) = oneshot::channel();
        let mut jobs = VecDeque::from([
            Job::Understand(Vec::new(), tell_all),
            Job::Ask { kind: Kind::Scale, payload: Vec::new(), files: Vec::new(), tell: tell_one },
        ]);
        give_up(&mut jobs, &std::io::ErrorKind::WouldBlock.into());
        assert!(jobs.is_empty());
        assert!(matches!(told_all.try_recv(), Ok(Err(Failure::NotStarted(_)))));
        assert!(matches!(told_one.try_recv(), Ok(Err(Failure::NotStarted(_)))));
    }
}
