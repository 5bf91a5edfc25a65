//! Finished transcodes on disk: files named by what they are made of, no more bytes than allowed,
//! the longest unused ones first to go. The folder may vanish while the server is down.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use rustix::fs::{Timespec, Timestamps, UTIME_NOW, futimens};

use crate::error::is_nowhere;

/// Suffix of files that are being made.
const PARTIAL: &str = "part";

/// The cache.
#[derive(Debug)]
pub(super) struct Cache {
    folder: PathBuf,
    most_bytes: u64,
    index: Mutex<Index>,
    partials: AtomicU64,
}

#[derive(Debug, Default)]
struct Index {
    entries: HashMap<String, Entry>,
    bytes: u64,
    turn: u64,
}

#[derive(Debug)]
struct Entry {
    len: u64,
    /// Grows with each use; the least goes first.
    used: u64,
}

impl Cache {
    /// Takes over what the folder holds and removes what a crash left half-made.
    pub(super) fn open(folder: PathBuf, most_bytes: u64) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let mut found = Vec::new();
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let data = entry.metadata()?;
            if Path::new(&name).extension().is_some_and(|suffix| suffix == PARTIAL) {
                fs::remove_file(entry.path())?;
            } else if data.is_file() {
                found.push((data.modified()?, name, data.len()));
            }
        }
        found.sort();
        let cache =
            Self { folder, most_bytes, index: Mutex::default(), partials: AtomicU64::new(0) };
        {
            let mut index = cache.index();
            for (_, name, len) in found {
                index.insert(name, len);
            }
        }
        cache.evict();
        Ok(cache)
    }

    /// An entry, opened, with its length.
    pub(super) fn get(&self, name: &str) -> Option<(File, u64)> {
        let len = {
            let mut index = self.index();
            index.turn += 1;
            let turn = index.turn;
            let entry = index.entries.get_mut(name)?;
            entry.used = turn;
            entry.len
        };
        let path = self.folder.join(name);
        let opened = File::open(&path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let file = match opened {
            Ok((found, file)) if found == len => file,
            // Somebody was here behind our back.
            Ok(_) => {
                if remove(&path).is_ok() {
                    self.index().remove(name);
                }
                return None;
            }
            Err(error) if is_nowhere(&error) => {
                self.index().remove(name);
                return None;
            }
            // It lies there and stays known, so that it can be removed.
            Err(_) => return None,
        };
        // For the order after a restart.
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        let _ = futimens(&file, &Timestamps { last_access: now, last_modification: now });
        Some((file, len))
    }

    /// A new file to write into, for [`Self::keep`] or [`discard`].
    pub(super) fn begin(&self) -> io::Result<(File, PathBuf)> {
        let number = self.partials.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.join(format!("{}-{number}.{PARTIAL}", std::process::id()));
        let create =
            || OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path);
        let file = create().or_else(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                return Err(error);
            }
            fs::create_dir_all(&self.folder)?;
            create()
        })?;
        Ok((file, path))
    }

    /// Makes a finished file an entry and lets others go until all fit.
    pub(super) fn keep(&self, partial: &Path, name: &str, len: u64) {
        if self.most_bytes < len || fs::rename(partial, self.folder.join(name)).is_err() {
            discard(partial);
            return;
        }
        self.index().insert(name.to_owned(), len);
        self.evict();
    }

    /// Removes every entry whose name begins so; what cannot be removed stays known.
    pub(super) fn remove_all(&self, beginning: &str) -> io::Result<()> {
        let mut index = self.index();
        let names: Vec<String> =
            index.entries.keys().filter(|name| name.starts_with(beginning)).cloned().collect();
        let mut outcome = Ok(());
        for name in names {
            let removed = remove(&self.folder.join(&name));
            if removed.is_ok() {
                index.remove(&name);
            }
            outcome = outcome.and(removed);
        }
        outcome
    }

    /// Bytes of all entries.
    pub(super) fn bytes(&self) -> u64 {
        self.index().bytes
    }

    fn evict(&self) {
        let mut index = self.index();
        while self.most_bytes < index.bytes {
            let oldest = index.entries.iter().min_by_key(|(_, entry)| entry.used);
            let Some(name) = oldest.map(|(name, _)| name.clone()) else { break };
            // Whoever reads it has it open.
            if let Err(error) = remove(&self.folder.join(&name)) {
                tracing::debug!(name, "a transcode cannot be removed: {error}");
                break;
            }
            index.remove(&name);
        }
    }

    fn index(&self) -> std::sync::MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Index {
    fn insert(&mut self, name: String, len: u64) {
        self.turn += 1;
        self.bytes += len;
        if let Some(old) = self.entries.insert(name, Entry { len, used: self.turn }) {
            self.bytes -= old.len;
        }
    }

    fn remove(&mut self, name: &str) {
        if let Some(entry) = self.entries.remove(name) {
            self.bytes -= entry.len;
        }
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if is_nowhere(&error) => Ok(()),
        removed => removed,
    }
}

/// Removes a file that nobody finishes.
pub(super) fn discard(partial: &Path) {
    let _ = fs::remove_file(partial);
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn put(cache: &Cache, name: &str, len: usize) {
        let (mut file, path) = cache.begin().unwrap();
        file.write_all(&vec![7; len]).unwrap();
        cache.keep(&path, name, len as u64);
    }

    #[test]
    fn least_recently_used_goes_first_and_survives_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path().to_owned(), 100).unwrap();
        put(&cache, "a.mp3", 40);
        put(&cache, "b.mp3", 40);
        assert!(cache.get("a.mp3").is_some());
        put(&cache, "c.mp3", 40);
        assert!(cache.get("b.mp3").is_none());
        assert_eq!(cache.get("a.mp3").unwrap().1, 40);
        assert_eq!(cache.bytes(), 80);
        put(&cache, "huge.mp3", 101);
        assert!(cache.get("huge.mp3").is_none());
        let (_, left) = cache.begin().unwrap();
        assert!(left.exists());
        drop(cache);

        let again = Cache::open(folder.path().to_owned(), 100).unwrap();
        assert!(!left.exists());
        assert_eq!(again.bytes(), 80);
        let smaller = Cache::open(folder.path().to_owned(), 50).unwrap();
        assert_eq!(smaller.bytes(), 40);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_was_made_of_one_file_goes_together() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path().to_owned(), 1000).unwrap();
        for name in ["one-a.mp3", "one-b.opus", "other-a.mp3"] {
            put(&cache, name, 10);
        }
        cache.remove_all("one-").unwrap();
        assert!(cache.get("one-a.mp3").is_none() && cache.get("one-b.opus").is_none());
        assert_eq!((cache.get("other-a.mp3").unwrap().1, cache.bytes()), (10, 10));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_be_opened_stays_known_until_it_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path().to_owned(), 1000).unwrap();
        put(&cache, "a.mp3", 40);
        put(&cache, "b.mp3", 40);
        fs::remove_file(folder.path().join("a.mp3")).unwrap();
        std::os::unix::fs::symlink("a.mp3", folder.path().join("a.mp3")).unwrap();
        assert!(cache.get("a.mp3").is_none());
        cache.remove_all("a").unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        fs::remove_file(folder.path().join("b.mp3")).unwrap();
        fs::create_dir(folder.path().join("b.mp3")).unwrap();
        cache.remove_all("b").unwrap_err();
        assert_eq!(cache.bytes(), 40);
    }

    #[test]
    fn a_file_that_vanished_is_no_entry() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path().to_owned(), 100).unwrap();
        put(&cache, "a.mp3", 40);
        fs::remove_dir_all(folder.path()).unwrap();
        assert!(cache.get("a.mp3").is_none());
        assert_eq!(cache.bytes(), 0);
        put(&cache, "a.mp3", 40);
        assert!(cache.get("a.mp3").is_some());
    }
}
