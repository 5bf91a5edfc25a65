//! What this machine remembers between runs: what files hash to, uploads that are under way, and
//! what was brought where. A journal of lines, written as things happen, so that a kill at any
//! moment costs at most the last line. It saves work; what the server has, the server is asked.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{BufRead as _, BufReader, ErrorKind, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use super::{Fault, Result, local::Identity};

/// One line.
#[derive(Debug, Serialize, Deserialize)]
enum Line {
    /// A file hashes to this.
    #[serde(rename = "h")]
    Hash(Identity, String),
    /// A file is being sent to this address.
    #[serde(rename = "u")]
    Upload(Identity, String, String),
    /// It is not any more.
    #[serde(rename = "d")]
    Done(Identity, String),
    /// This was brought to this path.
    #[serde(rename = "b")]
    Brought(String, Brought),
}

/// What was brought to a path: its hash, and what file it was, of which folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Brought {
    hash: String,
    file: Identity,
    folder: PathBuf,
}

impl Brought {
    /// This file, from below this folder.
    pub(super) fn of(hash: [u8; 32], file: Identity, folder: &Path) -> Self {
        Self { hash: hex::encode(hash), file, folder: folder.to_owned() }
    }

    /// Whether what was brought to `path` is that file now: it is at its place here no more, and
    /// either the file itself is the same, or the folder that it was in is there without it. A
    /// folder that is not mounted, or another folder that goes to the same place, moves nothing.
    pub(super) fn became(&self, now: &Self, path: &str) -> bool {
        let is_gone = || {
            let looked = self.folder.join(path).symlink_metadata();
            looked.is_err_and(|error| {
                matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
            })
        };
        self.hash == now.hash && is_gone() && (self.file == now.file || self.folder.is_dir())
    }
}

#[derive(Debug, Default)]
struct Known {
    hashes: HashMap<Identity, [u8; 32]>,
    /// By file and path.
    uploads: HashMap<(Identity, String), String>,
    brought: HashMap<String, Brought>,
    journal: Option<File>,
}

/// The journal of one folder's server, user and locker. Only one process has it open.
#[derive(Debug)]
pub(super) struct State(Mutex<Known>);

impl State {
    /// Opens what is known of bringing things to this locker.
    pub(super) fn open(folder: &Path, server: &str, user: &str, locker: &str) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let name = blake3::hash(format!("{server}\n{user}\n{locker}").as_bytes()).to_hex();
        let path = folder.join(format!("{}.journal", &name[..24]));
        let file = fs::OpenOptions::new().read(true).append(true).create(true).open(&path)?;
        flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|_| {
            Fault::Here("another sync of this locker is running on this machine".to_owned())
        })?;
        let mut known = Known::default();
        let mut lines = 0;
        for line in BufReader::new(&file).lines() {
            lines += 1;
            // The last one may be cut off.
            if let Ok(line) = serde_json::from_str(&line?) {
                known.take(line);
            }
        }
        known.journal = Some(file);
        let used = known.hashes.len() + known.uploads.len() + known.brought.len();
        if 1000 < lines && 2 * used < lines {
            known.rewrite(&path)?;
        } else if let Some(journal) = &mut known.journal {
            // Ends a line that a kill cut off.
            journal.write_all(b"\n")?;
        }
        Ok(Self(Mutex::new(known)))
    }

    /// What a file hashes to, if that is known and it did not change.
    pub(super) fn hash(&self, file: Identity) -> Option<[u8; 32]> {
        self.known().hashes.get(&file).copied()
    }

    pub(super) fn hashed(&self, file: Identity, hash: [u8; 32]) -> Result<()> {
        self.known().note(Line::Hash(file, hex::encode(hash)))
    }

    /// Where a file is being sent.
    pub(super) fn upload(&self, file: Identity, path: &str) -> Option<String> {
        self.known().uploads.get(&(file, path.to_owned())).cloned()
    }

    pub(super) fn begun(&self, file: Identity, path: &str, address: &str) -> Result<()> {
        self.known().note(Line::Upload(file, path.to_owned(), address.to_owned()))
    }

    pub(super) fn ended(&self, file: Identity, path: &str) -> Result<()> {
        if self.upload(file, path).is_none() {
            return Ok(());
        }
        self.known().note(Line::Done(file, path.to_owned()))
    }

    /// What was brought to this path last.
    pub(super) fn brought(&self, path: &str) -> Option<Brought> {
        self.known().brought.get(path).cloned()
    }

    pub(super) fn bring(&self, path: &str, brought: Brought) -> Result<()> {
        if self.brought(path).as_ref() == Some(&brought) {
            return Ok(());
        }
        self.known().note(Line::Brought(path.to_owned(), brought))
    }

    /// Some of the paths that this content was brought to, as far as `wanted` takes them; those of
    /// the very same file first.
    pub(super) fn places_of(
        &self,
        now: &Brought,
        wanted: impl Fn(&str, &Brought) -> bool,
        most: usize,
    ) -> Vec<String> {
        let known = self.known();
        let fits = |path: &str, one: &Brought| one.hash == now.hash && wanted(path, one);
        let (same, others): (Vec<_>, Vec<_>) = known
            .brought
            .iter()
            .filter(|(path, one)| fits(path, one))
            .partition(|(_, one)| one.file == now.file);
        let all = same.into_iter().chain(others);
        all.map(|(path, _)| path.clone()).take(most).collect()
    }

    /// It was moved away from this path; until the next run that is all there is to know of it.
    pub(super) fn moved(&self, path: &str) {
        self.known().brought.remove(path);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn take(&mut self, line: Line) {
        match line {
            Line::Hash(file, hash) => {
                let mut bytes = [0; 32];
                if hex::decode_to_slice(&hash, &mut bytes).is_ok() {
                    self.hashes.insert(file, bytes);
                }
            }
            Line::Upload(file, path, address) => {
                self.uploads.insert((file, path), address);
            }
            Line::Done(file, path) => {
                self.uploads.remove(&(file, path));
            }
            Line::Brought(path, brought) => {
                self.brought.insert(path, brought);
            }
        }
    }

    fn note(&mut self, line: Line) -> Result<()> {
        if let Some(journal) = &mut self.journal {
            write_line(journal, &line)?;
        }
        self.take(line);
        Ok(())
    }

    /// The same in as few lines as it takes. The lock stays on the file that is replaced until this
    /// ends, and the new one is locked before it has the name.
    fn rewrite(&mut self, path: &Path) -> Result<()> {
        let new = path.with_extension("new");
        let mut file = File::create(&new)?;
        flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(std::io::Error::from)?;
        let mut text = Vec::new();
        for (file, hash) in &self.hashes {
            write_line(&mut text, &Line::Hash(*file, hex::encode(hash)))?;
        }
        for ((file, path), address) in &self.uploads {
            write_line(&mut text, &Line::Upload(*file, path.clone(), address.clone()))?;
        }
        for (path, brought) in &self.brought {
            write_line(&mut text, &Line::Brought(path.clone(), brought.clone()))?;
        }
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        self.journal = Some(file);
        Ok(())
    }
}

fn write_line(out: &mut impl std::io::Write, line: &Line) -> Result<()> {
    let mut text = serde_json::to_vec(line).map_err(|error| Fault::Here(error.to_string()))?;
    text.push(b'\n');
    // In one write, so that lines are whole or absent.
    out.write_all(&text)?;
    Ok(())
}

/// Where states are kept unless told otherwise.
pub(super) fn default_folder() -> Result<PathBuf> {
    let of =
        |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    of("XDG_STATE_HOME")
        .or_else(|| Some(of("HOME")?.join(".local/state")))
        .map(|folder| folder.join("tunelocker/sync"))
        .ok_or_else(|| Fault::Here("there is no home folder; say --state DIR".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_known_again_even_if_the_last_line_was_cut() {
        let folder = tempfile::tempdir().unwrap();
        let open = || State::open(folder.path(), "http://box", "ann", "me");
        let file = Identity(1, 2, 3, 4);
        let state = open().unwrap();
        assert!(open().is_err(), "one at a time");
        state.hashed(file, [7; 32]).unwrap();
        state.begun(file, "a", "/x").unwrap();
        state.begun(file, "b", "/y").unwrap();
        state.ended(file, "a").unwrap();
        let brought = Brought::of([7; 32], file, folder.path());
        state.bring("a", brought.clone()).unwrap();
        drop(state);
        let path = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
        let mut text = fs::read(&path).unwrap();
        text.extend_from_slice(b"{\"h\":[[9,9");
        fs::write(&path, text).unwrap();
        let state = open().unwrap();
        assert_eq!(state.hash(file), Some([7; 32]));
        assert_eq!(state.hash(Identity(1, 2, 3, 5)), None, "changed");
        assert_eq!(
            (state.upload(file, "a"), state.upload(file, "b")),
            (None, Some("/y".to_owned()))
        );
        assert_eq!(state.brought("a"), Some(brought));
        state.hashed(Identity(9, 9, 9, 9), [1; 32]).unwrap();
        drop(state);
        assert_eq!(open().unwrap().hash(Identity(9, 9, 9, 9)), Some([1; 32]));
    }

    #[test]
    fn what_is_still_there_was_not_moved() {
        let home = tempfile::tempdir().unwrap();
        let (root, inner) = (home.path().join("Music"), home.path().join("Music/Blue"));
        fs::create_dir_all(&inner).unwrap();
        fs::write(inner.join("1.flac"), b"one").unwrap();
        let file = Identity(1, 2, 3, 4);
        let brought = Brought::of([7; 32], file, &root);
        let path = "Blue/1.flac";
        assert!(
            !brought.became(&Brought::of([7; 32], file, &inner), path),
            "a folder of the folder"
        );
        fs::remove_file(inner.join("1.flac")).unwrap();
        assert!(brought.became(&Brought::of([7; 32], file, &root), path), "renamed");
        let copy = Identity(1, 9, 3, 4);
        assert!(brought.became(&Brought::of([7; 32], copy, &root), path), "copied and removed");
        assert!(!brought.became(&Brought::of([8; 32], file, &root), path), "changed");
        fs::remove_dir_all(&root).unwrap();
        let elsewhere = home.path().join("Songs");
        assert!(brought.became(&Brought::of([7; 32], file, &elsewhere), path), "the root renamed");
        assert!(!brought.became(&Brought::of([7; 32], copy, &elsewhere), path), "a disk is away");
    }

    #[test]
    fn a_long_journal_is_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let open = || State::open(folder.path(), "http://box", "ann", "me").unwrap();
        let state = open();
        for number in 0..2000 {
            state.hashed(Identity(1, 1, 1, number % 3), [number as u8; 32]).unwrap();
        }
        drop(state);
        let size = || {
            let path = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
            fs::metadata(path).unwrap().len()
        };
        let before = size();
        let state = open();
        assert!(size() < before / 100);
        assert_eq!(state.hash(Identity(1, 1, 1, 0)), Some([(1998_u32 % 256) as u8; 32]));
    }
}
