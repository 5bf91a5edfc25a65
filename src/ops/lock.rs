//! One process at a time over a data folder: `flock` on `<data>/lock`, held for life and freed by
//! the kernel however the process ends.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Seek as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use rustix::{
    fs::FlockOperation,
    io::Errno,
    process::{Pid, test_kill_process},
};

/// A process that was killed while it started another leaves the lock with that one until it has
/// become a program of its own.
const PATIENCE: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(20);

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
        let until = Instant::now() + PATIENCE;
        loop {
            match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {
                    file.set_len(0)?;
                    file.rewind()?;
                    writeln!(file, "{}", std::process::id())?;
                    return Ok(Attempt::Taken(Self { _file: file }));
                }
                Err(Errno::WOULDBLOCK) => {
                    let mut text = String::new();
                    file.rewind()?;
                    let _ = file.read_to_string(&mut text);
                    let holder = text.trim().parse().ok();
                    if until < Instant::now() || !holder.is_some_and(is_gone) {
                        return Ok(Attempt::Held(holder));
                    }
                    std::thread::sleep(PAUSE);
                }
                Err(error) => {
                    return Err(error).with_context(|| format!("cannot lock {}", path.display()));
                }
            }
        }
    }
}

/// Whether no process has this id.
fn is_gone(process: u32) -> bool {
    let id = i32::try_from(process).ok().and_then(Pid::from_raw);
    id.is_none_or(|id| test_kill_process(id) == Err(Errno::SRCH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_died_a_moment_ago_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let Attempt::Taken(first) = DataLock::attempt(&data).unwrap() else { panic!("not free") };
        // Of a process that has ended (none has such an id), and whoever it left it with.
        std::fs::write(data.join("lock"), i32::MAX.to_string()).unwrap();
        let letting_go = std::thread::spawn(move || {
            std::thread::sleep(PAUSE * 3);
            drop(first);
        });
        assert!(matches!(DataLock::attempt(&data).unwrap(), Attempt::Taken(_)));
        letting_go.join().unwrap();
    }

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
