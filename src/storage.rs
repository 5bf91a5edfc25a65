//! Whether what is written to a volume lasts. After a write or an `fsync` that failed, nobody can
//! say what is on the disk, and a second `fsync` that succeeds proves nothing (the kernel has
//! forgotten the pages). So the first failure is remembered: what writes is refused from then on,
//! until somebody tried the disk and it kept what it was given.

use std::{
    fs::File,
    io,
    os::fd::{AsFd, BorrowedFd},
    sync::Arc,
};

use rustix::io::Errno;
use tokio::sync::watch;

use crate::error::{WriteFailed, in_words};

/// What failed, as half a sentence for people: `an fsync failed (Input/output error)`.
pub type Fault = Arc<str>;

/// The state of one volume. Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub struct Storage {
    fault: Arc<watch::Sender<Option<Fault>>>,
}

impl Default for Storage {
    fn default() -> Self {
        Self { fault: Arc::new(watch::Sender::new(None)) }
    }
}

impl Storage {
    /// What failed; `None` while all is well.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        self.fault.borrow().clone()
    }

    /// Tells of every change from now on.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Option<Fault>> {
        self.fault.subscribe()
    }

    /// Nothing is to be written until [`Self::clear`]. The first failure is the one that is told.
    pub fn degrade(&self, what: &str) {
        let is_first = self.fault.send_if_modified(|fault| {
            let is_first = fault.is_none();
            if is_first {
                *fault = Some(what.into());
            }
            is_first
        });
        if is_first {
            tracing::error!("a disk is failing: {what}; nothing more is written to it");
        }
    }

    /// It was tried, and kept what it was given.
    pub fn clear(&self) {
        self.fault.send_if_modified(|fault| fault.take().is_some());
    }

    /// Does what writes. A failure of the disk, not one of the request, degrades the storage, and
    /// comes back as [`WriteFailed`].
    pub fn over<T>(&self, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.heed(work())
    }

    fn heed<T>(&self, done: io::Result<T>) -> io::Result<T> {
        let error = match done {
            Err(error) if is_failure(&error) => error,
            done => return done,
        };
        self.degrade(&format!("a write failed ({})", in_words(&error)));
        Err(io::Error::other(WriteFailed(error)))
    }
}

/// Whether the disk itself failed: it cannot be read or written any more, became read-only, or is gone.
pub fn is_failure(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(
            Errno::IO
                | Errno::ROFS
                | Errno::NODEV
                | Errno::NXIO
                | Errno::UCLEAN
                | Errno::BADMSG
                | Errno::SHUTDOWN
                | Errno::REMOTEIO
        )
    )
}

/// A failure of reading, in the midst of what writes: one bad file is no reason to stop all writes.
pub fn only_read(error: io::Error) -> io::Error {
    if is_failure(&error) { io::Error::other(error) } else { error }
}

/// A file that bytes go to: what fails on their way to the disk degrades the storage.
#[derive(Debug)]
pub struct Written {
    file: File,
    storage: Storage,
}

impl Written {
    /// Over an open file.
    #[must_use]
    pub fn new(file: File, storage: Storage) -> Self {
        Self { file, storage }
    }

    /// The plain file, to be read.
    #[must_use]
    pub fn into_file(self) -> File {
        self.file
    }

    /// Of the volume that it is on.
    pub(crate) fn storage(&self) -> &Storage {
        &self.storage
    }

    /// Everything onto the disk.
    pub fn sync_all(&self) -> io::Result<()> {
        self.storage.over(|| self.file.sync_all())
    }

    /// Its bytes onto the disk, and what is needed to find them.
    pub fn sync_data(&self) -> io::Result<()> {
        self.storage.over(|| self.file.sync_data())
    }

    /// Cuts or lengthens it.
    pub fn set_len(&self, length: u64) -> io::Result<()> {
        self.storage.over(|| self.file.set_len(length))
    }
}

impl std::ops::Deref for Written {
    type Target = File;

    fn deref(&self) -> &File {
        &self.file
    }
}

impl AsFd for Written {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.storage.heed(self.file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.storage.heed(self.file.flush())
    }
}

impl io::Read for Written {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer).map_err(only_read)
    }
}

impl io::Seek for Written {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(errno: Errno) -> io::Result<()> {
        Err(errno.into())
    }

    #[test]
    fn the_disks_own_failures_degrade_and_those_of_requests_do_not() {
        for errno in [Errno::NOSPC, Errno::NOENT, Errno::EXIST, Errno::ACCESS, Errno::INVAL] {
            let storage = Storage::default();
            storage.over(|| failed(errno)).unwrap_err();
            assert_eq!(storage.fault(), None, "{errno}");
        }
        for errno in [Errno::IO, Errno::ROFS, Errno::NODEV, Errno::NXIO, Errno::UCLEAN] {
            let storage = Storage::default();
            let error = storage.over(|| failed(errno)).unwrap_err();
            let fault = storage.fault().unwrap();
            assert!(fault.contains("a write failed") && !fault.contains("os error"), "{fault}");
            assert!(error.get_ref().unwrap().is::<WriteFailed>());
            storage.clear();
            assert_eq!(storage.fault(), None);
        }
    }

    #[test]
    fn what_could_not_be_read_stops_no_writes() {
        let storage = Storage::default();
        storage.over(|| failed(Errno::IO).map_err(only_read)).unwrap_err();
        assert_eq!(storage.fault(), None);
    }

    #[test]
    fn the_first_failure_is_told() {
        let storage = Storage::default();
        let mut told = storage.subscribe();
        storage.degrade("one");
        storage.degrade("two");
        assert_eq!(told.borrow_and_update().as_deref(), Some("one"));
        storage.clear();
        assert!(told.has_changed().unwrap());
    }
}
