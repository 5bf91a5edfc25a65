//! One transcode under way: a worker's output goes into a file as fast as it comes, and bodies
//! follow that file. It lives as long as a body reads it; the last one to go ends the worker and
//! removes what was made. A finished one becomes a cache entry.

use std::{
    fs::File,
    io::{self, Read as _},
    os::{fd::OwnedFd, unix::fs::FileExt as _},
    path::PathBuf,
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rustix::{
    fs::MemfdFlags,
    pipe::{PipeFlags, fcntl_setpipe_size, pipe_with},
};
use tokio::sync::watch;

use super::{
    cache::{self, Cache},
    limits::Permit,
    worker::{Starter, Worker},
};
use crate::{
    Error, Result,
    media::{
        decode::{Job, Report},
        worker::decoder::{Process, died},
    },
};

/// How far a worker may be ahead of the fastest reader: the whole of nearly every track, but not
/// of a day-long one.
const AHEAD: u64 = 64 << 20;

/// The pipe between worker and daemon.
const PIPE: usize = 256 << 10;

/// A transcode that somebody follows. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Transcode {
    shared: Arc<Shared>,
}

/// How far it is.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress {
    /// Bytes that can be read.
    pub(super) len: u64,
    pub(super) phase: Phase,
}

/// In which state it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// No sound yet.
    #[default]
    Starting,
    /// Bytes come; the exact length of all, where it is known.
    Running(Option<u64>),
    /// All is there.
    Done,
    /// It broke off; a sentence.
    Failed(Arc<str>),
}

/// What is to be made, and of what.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) job: Job,
    pub(super) source: File,
    /// Name of the cache entry; `None` = not worth keeping.
    pub(super) keep_as: Option<String>,
    /// Most time the worker may compute.
    pub(super) computing: Duration,
}

#[derive(Debug)]
struct Shared {
    progress: watch::Sender<Progress>,
    file: Mutex<Arc<File>>,
    process: Mutex<Option<Arc<Process>>>,
    is_cancelled: AtomicBool,
    read_to: Mutex<u64>,
    reader_moved: Condvar,
}

impl Transcode {
    /// Starts it on a thread of its own, which holds the permit until the worker has ended.
    pub(super) fn start(
        order: Order,
        starter: Arc<Starter>,
        cache: Arc<Cache>,
        permit: Permit,
    ) -> Result<Arc<Self>> {
        let (file, partial) = match cache.begin() {
            Ok((file, path)) => (file, Some(path)),
            Err(error) => {
                tracing::warn!(%error, "the transcode cache cannot be written; using memory");
                (memory()?, None)
            }
        };
        let shared = Arc::new(Shared {
            progress: watch::Sender::new(Progress::default()),
            file: Mutex::new(Arc::new(file)),
            process: Mutex::new(None),
            is_cancelled: AtomicBool::new(false),
            read_to: Mutex::new(0),
            reader_moved: Condvar::new(),
        });
        let run = Run { shared: shared.clone(), order, starter, partial };
        std::thread::Builder::new()
            .name("transcode".to_owned())
            .spawn(move || run.finish(&cache, permit))?;
        Ok(Arc::new(Self { shared }))
    }

    /// To wait for bytes with.
    pub(super) fn follow(&self) -> watch::Receiver<Progress> {
        self.shared.progress.subscribe()
    }

    /// Whether joining it makes sense.
    pub(super) fn is_sound(&self) -> bool {
        !matches!(self.shared.progress.borrow().phase, Phase::Failed(_))
    }

    /// Ends it, whoever listens; nothing of it is kept.
    pub(super) fn end(&self) {
        self.shared.is_cancelled.store(true, Ordering::Release);
        let process = self.shared.process.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(process) = &*process {
            process.kill();
        }
        self.shared.reader_moved.notify_one();
    }

    /// Reads what is there, at most `most` bytes. Blocks for the disk.
    pub(super) fn read(&self, at: u64, most: usize) -> io::Result<Vec<u8>> {
        let file = self.shared.file().clone();
        let mut bytes = vec![0; most];
        let read = file.read_at(&mut bytes, at)?;
        bytes.truncate(read);
        let mut read_to = self.shared.read_to.lock().unwrap_or_else(PoisonError::into_inner);
        *read_to = (*read_to).max(at + read as u64);
        self.shared.reader_moved.notify_one();
        Ok(bytes)
    }
}

impl Drop for Transcode {
    fn drop(&mut self) {
        self.end();
    }
}

impl Shared {
    fn file(&self) -> std::sync::MutexGuard<'_, Arc<File>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Acquire)
    }

    /// Waits until a reader is near enough; `false` when nobody reads any more.
    fn wait_for_readers(&self, len: u64) -> bool {
        let mut read_to = self.read_to.lock().unwrap_or_else(PoisonError::into_inner);
        while read_to.saturating_add(AHEAD) < len && !self.is_cancelled() {
            // The timeout covers a notice between check and wait.
            let waited = self.reader_moved.wait_timeout(read_to, Duration::from_secs(1));
            read_to = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        !self.is_cancelled()
    }
}

/// What the thread has.
struct Run {
    shared: Arc<Shared>,
    order: Order,
    starter: Arc<Starter>,
    partial: Option<PathBuf>,
}

impl Run {
    fn finish(mut self, cache: &Cache, permit: Permit) {
        let outcome = self.work();
        drop(permit);
        let is_whole = outcome.is_ok() && !self.shared.is_cancelled();
        match (self.partial.take(), self.order.keep_as.take()) {
            (Some(partial), Some(name)) if is_whole => {
                cache.keep(&partial, &name, self.shared.progress.borrow().len);
            }
            (Some(partial), _) => cache::discard(&partial),
            (None, _) => (),
        }
        let phase = match outcome {
            Ok(()) => Phase::Done,
            Err(error) => {
                if !self.shared.is_cancelled() {
                    tracing::warn!(%error, "a transcode broke off");
                }
                Phase::Failed(error.to_string().into())
            }
        };
        self.shared.progress.send_modify(|progress| progress.phase = phase);
    }

    fn work(&mut self) -> Result<()> {
        let mut worker = self.starter.take()?;
        let (first, pipe) = match self.begin(&worker) {
            // It waited for us and was killed meanwhile, which is not the file's fault.
            Err(_) if worker.is_spare && !self.shared.is_cancelled() => {
                worker = self.starter.take()?;
                self.begin(&worker)?
            }
            begun => begun?,
        };
        match first {
            Report::Started { len, .. } => {
                self.shared.progress.send_modify(|progress| progress.phase = Phase::Running(len));
            }
            report => return Err(refused(report)),
        }
        self.copy(pipe)?;
        match worker.report()? {
            Report::Done { head, .. } => {
                // What is known only at the end, where the beginning has room for it.
                if let Some(head) = head {
                    self.shared.file().write_all_at(&head, 0)?;
                }
                Ok(())
            }
            report => Err(refused(report)),
        }
    }

    /// Hands the job over; gives the first word about it and where the result comes out. An error
    /// means that the worker is gone.
    fn begin(&self, worker: &Worker) -> Result<(Report, OwnedFd)> {
        {
            let mut process = self.shared.process.lock().unwrap_or_else(PoisonError::into_inner);
            *process = Some(worker.decoder.process());
        }
        // Whoever cancelled before the process was known could not end it.
        if self.shared.is_cancelled() {
            return Err(Error::Unavailable("Nobody listens any more".to_owned()));
        }
        let (read_end, write_end) = pipe_with(PipeFlags::CLOEXEC).map_err(io::Error::from)?;
        // More room means fewer turns; a system that is short of pipes keeps its default.
        let _ = fcntl_setpipe_size(&read_end, PIPE);
        worker.limit(self.order.computing);
        worker.send(&self.order.job, &self.order.source, &write_end)?;
        Ok((worker.report()?, read_end))
    }

    fn copy(&mut self, from: OwnedFd) -> Result<()> {
        let mut from = File::from(from);
        let mut buffer = vec![0; 64 << 10];
        let mut len = 0;
        loop {
            let read = match from.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            let written = self.shared.file().write_all_at(&buffer[..read], len);
            if let Err(error) = written {
                self.move_to_memory(len, &error)?;
                self.shared.file().write_all_at(&buffer[..read], len)?;
            }
            len += read as u64;
            self.shared.progress.send_modify(|progress| progress.len = len);
            if !self.shared.wait_for_readers(len) {
                return Err(Error::Unavailable("Nobody listens any more".to_owned()));
            }
        }
    }

    /// A full disk does not stop the music: what is there moves to memory, once.
    fn move_to_memory(&mut self, len: u64, error: &io::Error) -> Result<()> {
        let Some(partial) = self.partial.take().filter(|_| len <= AHEAD) else {
            return Err(Error::StorageFull);
        };
        tracing::warn!(%error, "the transcode cache cannot be written; using memory");
        let memory = memory()?;
        let mut file = self.shared.file();
        let mut buffer = vec![0; usize::try_from(len).unwrap_or(0)];
        file.read_exact_at(&mut buffer, 0)?;
        memory.write_all_at(&buffer, 0)?;
        *file = Arc::new(memory);
        cache::discard(&partial);
        Ok(())
    }
}

fn memory() -> Result<File> {
    let made = rustix::fs::memfd_create("transcode", MemfdFlags::CLOEXEC);
    Ok(File::from(made.map_err(io::Error::from)?))
}

fn refused(report: Report) -> Error {
    match report {
        Report::Failed { reason } => Error::Unavailable(reason),
        _ => died(),
    }
}
