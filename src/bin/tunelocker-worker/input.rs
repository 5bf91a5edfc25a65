//! The file as libav reads it: by position, for the descriptor's own place is shared with the
//! daemon. The first error is kept, because libav takes it for the end.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::FileExt as _,
    sync::{
        Arc,
        atomic::{AtomicI32, Ordering},
    },
};

/// A file with a place of its own.
pub(crate) struct Input {
    file: File,
    at: u64,
    trouble: Trouble,
}

/// What went wrong with reading. Cheap to clone; all clones tell the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trouble(Arc<AtomicI32>);

impl Trouble {
    /// The first error, if there was one.
    pub(crate) fn get(&self) -> Option<io::Error> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            number => Some(io::Error::from_raw_os_error(number)),
        }
    }
}

impl Input {
    pub(crate) fn new(file: File) -> Self {
        Self { file, at: 0, trouble: Trouble::default() }
    }

    pub(crate) fn trouble(&self) -> Trouble {
        self.trouble.clone()
    }

    fn note(&self, error: &io::Error) {
        if error.kind() != io::ErrorKind::Interrupted {
            let number = error.raw_os_error().unwrap_or(rustix::io::Errno::IO.raw_os_error());
            let first =
                self.trouble.0.compare_exchange(0, number, Ordering::Relaxed, Ordering::Relaxed);
            // A second one tells nothing new.
            let _ = first;
        }
    }
}

/// Bytes in the file, asked in the one way that the sandbox allows.
pub(crate) fn size(file: &File) -> io::Result<u64> {
    Ok(rustix::fs::fstat(file)?.st_size.max(0) as u64)
}

impl Read for Input {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.file.read_at(into, self.at) {
            Ok(read) => {
                self.at += read as u64;
                Ok(read)
            }
            Err(error) => {
                self.note(&error);
                Err(error)
            }
        }
    }
}

impl Seek for Input {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => size(&self.file)?.checked_add_signed(by),
        };
        self.at = place.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
