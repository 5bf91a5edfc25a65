//! One process at a time over a data folder: `flock` on `<data>/lock`, held for life and freed by
//! the kernel however the process ends.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

use anyhow::Context as _;
use rustix::fs::FlockOperation;

/// The lock on a data folder. Dropping it frees the folder.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
}

/// What came of trying.
#[derive(Debug)]
pub enum Attempt {
    /// It is ours.
    Taken(DataLock),
    /// Another process has it; its id, if it told.
    Held(Option<u32>),
}

impl DataLock {
    /// Makes the folder if it is not there (for its owner alone) and tries to lock it.
    pub fn attempt(data: &Path) -> anyhow::Result<Attempt> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o750)
            .create(data)
            .with_context(|| format!("cannot make the data folder {}", data.display()))?;
        let path = data.join("lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("cannot open {}", path.display()))?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {
                file.set_len(0)?;
                writeln!(file, "{}", std::process::id())?;
                Ok(Attempt::Taken(Self { _file: file }))
            }
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut text = String::new();
                let _ = file.read_to_string(&mut text);
                Ok(Attempt::Held(text.trim().parse().ok()))
            }
            Err(error) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_told_of_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let Attempt::Taken(first) = DataLock::attempt(&data).unwrap() else { panic!("not free") };
        let Attempt::Held(holder) = DataLock::attempt(&data).unwrap() else {
            panic!("taken twice")
        };
        assert_eq!(holder, Some(std::process::id()));
        drop(first);
        assert!(matches!(DataLock::attempt(&data).unwrap(), Attempt::Taken(_)));
    }
}
