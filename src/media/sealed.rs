//! A file that is good only as it was: of the same size and the same time, to the nanosecond; and
//! where its content was proved, of that content. What other hands put in its place is not opened,
//! nor what somebody wrote into it who put its time back.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _},
    path::PathBuf,
};

use rustix::{
    fs::{CWD, FileType, Mode, OFlags, fstat, openat},
    io::Errno,
};

/// Where a file is, and what it must still be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Absolute.
    pub path: PathBuf,
    /// Bytes.
    pub size: u64,
    /// When it was last changed, ns since the epoch.
    pub modified_ns: i64,
    /// What is known of its content.
    pub seal: Option<Seal>,
}

/// A content, and until when it was surely that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seal {
    /// When anything about the file last changed as its content was proved (ctime, which nobody can
    /// put back), ns since the epoch.
    pub changed_ns: i64,
    /// BLAKE3 of all of it.
    pub content: [u8; 32],
}

impl Seal {
    /// By the columns of a row; `None` where the hash is none.
    #[must_use]
    pub fn of(changed_ns: i64, content: &[u8]) -> Option<Self> {
        Some(Self { changed_ns, content: content.try_into().ok()? })
    }
}

impl Sealed {
    /// Opens it for reading: through no link, waiting for nobody. `NotFound` if it is gone, is no
    /// plain file, or is another one. Where something about a file of a known content changed since
    /// that was proved, all of it is read to see.
    pub fn open(&self) -> io::Result<File> {
        Ok(self.open_as_of()?.0)
    }

    /// The same; `None` if it surely is not there as it was. A disk that fails, or a right that was
    /// taken away, says nothing of the kind and is an error.
    pub fn look(&self) -> io::Result<Option<(File, i64)>> {
        told(self.open_as_of())
    }

    /// The same, and when anything about it last changed (ctime, ns): what it was then, it is.
    pub fn open_as_of(&self) -> io::Result<(File, i64)> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = openat(CWD, &self.path, flags, Mode::empty());
        let mut file = match opened {
            // A link, or a file where a folder of its path was.
            Err(Errno::LOOP | Errno::NOTDIR | Errno::NXIO) => {
                return Err(io::ErrorKind::NotFound.into());
            }
            opened => File::from(opened?),
        };
        let stat = fstat(&file)?;
        let modified = nanoseconds(stat.st_mtime, stat.st_mtime_nsec);
        let changed = nanoseconds(stat.st_ctime, stat.st_ctime_nsec);
        let is_same = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
            && u64::try_from(stat.st_size) == Ok(self.size)
            && modified == self.modified_ns;
        let is_proved = |file: &mut File| match self.seal {
            Some(seal) if seal.changed_ns != changed => {
                Ok::<_, io::Error>(hash(file)? == seal.content)
            }
            _ => Ok(true),
        };
        if is_same && is_proved(&mut file)? {
            Ok((file, changed))
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }
}

fn told<T>(opened: io::Result<T>) -> io::Result<Option<T>> {
    match opened {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        opened => opened.map(Some),
    }
}

fn nanoseconds(seconds: i64, more: impl TryInto<i64>) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add(more.try_into().unwrap_or(0))
}

/// BLAKE3 of all of it; the file stands at its start afterwards.
fn hash(file: &mut File) -> io::Result<[u8; 32]> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
    }
    file.rewind()?;
    Ok(*hasher.finalize().as_bytes())
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::MetadataExt as _};

    use super::*;

    fn sealed(path: PathBuf) -> Sealed {
        let facts = fs::metadata(&path).unwrap();
        let modified_ns = facts.mtime() * 1_000_000_000 + facts.mtime_nsec();
        Sealed { path, size: facts.len(), modified_ns, seal: None }
    }

    fn is_refused(sealed: &Sealed) {
        assert_eq!(sealed.open().unwrap_err().kind(), io::ErrorKind::NotFound, "{sealed:?}");
    }

    #[test]
    fn what_is_not_the_same_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, b"abc").unwrap();
        let sealed = sealed(path.clone());
        sealed.open().unwrap();
        is_refused(&Sealed { size: 4, ..sealed.clone() });
        is_refused(&Sealed { modified_ns: sealed.modified_ns + 1, ..sealed.clone() });
        is_refused(&Sealed { path: path.join("below"), ..sealed.clone() });
        // The same file by a link, which is not it; then a pipe, which must not make anybody wait.
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        is_refused(&Sealed { path: link, ..sealed.clone() });
        fs::remove_file(&path).unwrap();
        is_refused(&sealed);
        rustix::fs::mknodat(CWD, &path, FileType::Fifo, Mode::RWXU, 0).unwrap();
        is_refused(&sealed);
    }

    /// Only what is surely gone is: what a disk cannot tell makes nobody believe a loss.
    #[test]
    fn what_cannot_be_told_is_not_gone() {
        let gone = |kind: io::ErrorKind| told::<()>(Err(kind.into())).map_err(|error| error.kind());
        assert_eq!(gone(io::ErrorKind::NotFound), Ok(None));
        for kind in [io::ErrorKind::PermissionDenied, io::ErrorKind::TimedOut, io::ErrorKind::Other]
        {
            assert_eq!(gone(kind), Err(kind));
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, b"abc").unwrap();
        let sealed = sealed(path.clone());
        assert!(sealed.look().unwrap().is_some());
        fs::remove_file(path).unwrap();
        assert!(sealed.look().unwrap().is_none());
        // Longer than any name may be: nothing is known about it.
        let long = folder.path().join("n".repeat(300));
        assert!(Sealed { path: long, ..sealed }.look().is_err());
    }

    #[test]
    fn a_time_that_was_put_back_deceives_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, b"abc").unwrap();
        let plain = sealed(path.clone());
        let (_, changed_ns) = plain.open_as_of().unwrap();
        let seal = Some(Seal { changed_ns, content: *blake3::hash(b"abc").as_bytes() });
        let sealed = Sealed { seal, ..plain.clone() };
        let time = fs::metadata(&path).unwrap().modified().unwrap();
        let write = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        };
        write(b"xyz");
        plain.open().unwrap();
        is_refused(&sealed);
        // The same bytes are the same file, and it is read from its start.
        write(b"abc");
        let mut read = String::new();
        sealed.open().unwrap().read_to_string(&mut read).unwrap();
        assert_eq!(read, "abc");
    }
}
