//! What lies in a backup folder, and how it is written down.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Write as _},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, percent_encode};
use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};

use super::{cannot, sync_folder};
use crate::{
    Error, Result,
    clock::{Millis, iso},
};

/// The version of this layout.
const FORMAT: u32 = 1;
const MARK: &str = "tunelocker-backup";
const SNAPSHOTS: &str = "snapshots";
const FACTS: &str = "snapshot.json";
const LIST: &str = "files.jsonl";
/// How the name of a snapshot that is not whole begins.
const PARTIAL: &str = ".partial-";
/// Paths are bytes; what JSON cannot say is written %XX.
const UNSAID: &AsciiSet = &CONTROLS.add(b'%');

/// A backup folder, locked: one backup at a time.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
    _lock: File,
}

#[derive(Debug, Serialize, Deserialize)]
struct Mark {
    format: u32,
}

/// A whole snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Its folder's name: when it was taken, UTC.
    pub name: String,
    /// When it was begun, ms since the epoch. All that was acknowledged before is in it.
    pub taken_at: Millis,
    /// The program that took it.
    pub version: String,
    /// Whether the lockers' files are in it.
    pub has_files: bool,
    /// How many files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes that were not in the folder before.
    pub new_bytes: u64,
    /// BLAKE3 of the database and of the list, hex.
    pub(super) database: String,
    pub(super) list: String,
    /// Files that could not be read, with the reason.
    #[serde(default)]
    pub skipped: Vec<String>,
}

/// Which root a path is below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Root {
    Data,
    Drive,
}

/// A line of the list. A folder has no hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) root: Root,
    /// Relative to the root; [`spell`].
    pub(super) path: String,
    pub(super) mode: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) size: u64,
    #[serde(default, skip_serializing_if = "is_none_yet")]
    pub(super) modified_ns: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) hash: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(size: &u64) -> bool {
    *size == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_none_yet(time: &i64) -> bool {
    *time == 0
}

/// Any path as text.
pub(super) fn spell(path: &[u8]) -> String {
    // Bytes above 127 are written out too: names need not be UTF-8.
    percent_encode(path, UNSAID).to_string()
}

/// And back; `None` for one that would lead elsewhere.
pub(super) fn unspell(text: &str) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt as _;
    let bytes: Vec<u8> = percent_decode_str(text).collect();
    let path = PathBuf::from(std::ffi::OsString::from_vec(bytes));
    let is_plain = path.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    (is_plain && !path.as_os_str().is_empty()).then_some(path)
}

impl Folder {
    /// Opens one, or makes one of an empty folder.
    pub(super) fn open_or_make(path: &Path) -> Result<Self> {
        let make = |path: &Path| fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
        make(path).map_err(cannot("make", path))?;
        let mark = path.join(MARK);
        if !mark.exists() {
            let is_empty = fs::read_dir(path).map_err(cannot("read", path))?.next().is_none();
            if !is_empty {
                return Err(Error::Invalid(format!(
                    "{} is neither empty nor a backup folder; name another",
                    path.display()
                )));
            }
            for name in [SNAPSHOTS, super::objects::OBJECTS] {
                make(&path.join(name)).map_err(cannot("make", path))?;
            }
            let text = serde_json::to_vec(&Mark { format: FORMAT })?;
            write(&mark, &text)?;
            sync_folder(path)?;
        }
        Self::open(path)
    }

    /// Opens one that is there.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let mark = path.join(MARK);
        let text = match fs::read(&mark) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(Error::Invalid(format!("{} is no backup folder", path.display())));
            }
            text => text.map_err(cannot("read", &mark))?,
        };
        let format = serde_json::from_slice::<Mark>(&text).map_or(0, |mark| mark.format);
        if format != FORMAT {
            return Err(Error::Invalid(format!(
                "{} was written by another version of this program (format {format})",
                path.display()
            )));
        }
        let lock = File::open(&mark).map_err(cannot("read", &mark))?;
        match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(rustix::io::Errno::WOULDBLOCK) => {
                Err(Error::Conflict("Another backup is under way in this folder".to_owned()))
            }
            // A network folder without locks: the one server that writes here takes its turns.
            Err(_) => Ok(Self { path: path.to_owned(), _lock: lock }),
        }
    }

    /// Whole snapshots, the oldest first.
    pub(super) fn snapshots(&self) -> Result<Vec<Snapshot>> {
        let folder = self.path.join(SNAPSHOTS);
        let mut found = Vec::new();
        for entry in fs::read_dir(&folder).map_err(cannot("read", &folder))? {
            let path = entry.map_err(cannot("read", &folder))?.path();
            let is_whole =
                path.file_name().is_some_and(|name| !name.to_string_lossy().starts_with(PARTIAL));
            if is_whole && let Ok(text) = fs::read(path.join(FACTS)) {
                found.push(serde_json::from_slice(&text)?);
            }
        }
        found.sort_by(|one: &Snapshot, other| one.name.cmp(&other.name));
        Ok(found)
    }

    /// The one of this name, or the last.
    pub(super) fn snapshot(&self, name: Option<&str>) -> Result<Snapshot> {
        let mut all = self.snapshots()?;
        let found = match name {
            None => all.pop(),
            Some(name) => all.into_iter().find(|one| one.name == name),
        };
        found.ok_or_else(|| {
            let which =
                name.map_or_else(|| "snapshot".to_owned(), |name| format!("snapshot {name}"));
            Error::Invalid(format!("There is no {which} in {}", self.path.display()))
        })
    }

    pub(super) fn database(&self, snapshot: &Snapshot) -> PathBuf {
        self.path.join(SNAPSHOTS).join(&snapshot.name).join(super::DATABASE)
    }

    /// Goes through a snapshot's list.
    pub(super) fn lines(
        &self,
        snapshot: &Snapshot,
        mut each: impl FnMut(Line) -> Result<()>,
    ) -> Result<()> {
        let path = self.path.join(SNAPSHOTS).join(&snapshot.name).join(LIST);
        let file = File::open(&path).map_err(cannot("read", &path))?;
        for line in BufReader::new(file).lines() {
            each(serde_json::from_str(&line.map_err(cannot("read", &path))?)?)?;
        }
        Ok(())
    }

    /// Whether the list is the one that was written.
    pub(super) fn has_its_list(&self, snapshot: &Snapshot) -> Result<bool> {
        let path = self.path.join(SNAPSHOTS).join(&snapshot.name).join(LIST);
        Ok(super::objects::hash_of(&path)? == snapshot.list)
    }

    /// A new snapshot's folder, not yet whole. What an earlier one left half done goes.
    pub(super) fn begin(&self, at: Millis) -> Result<Partial> {
        let snapshots = self.path.join(SNAPSHOTS);
        for entry in fs::read_dir(&snapshots).map_err(cannot("read", &snapshots))?.flatten() {
            if entry.file_name().to_string_lossy().starts_with(PARTIAL) {
                fs::remove_dir_all(entry.path()).map_err(cannot("remove", &entry.path()))?;
            }
        }
        let stamp = iso(at).replace(':', "-");
        let mut name = stamp.clone();
        let mut number = 1;
        while snapshots.join(&name).exists() {
            number += 1;
            name = format!("{stamp}-{number}");
        }
        let path = snapshots.join(format!("{PARTIAL}{name}"));
        fs::DirBuilder::new().mode(0o700).create(&path).map_err(cannot("make", &path))?;
        Ok(Partial { name, path, snapshots })
    }

    /// Forgets all snapshots but the last few.
    pub(super) fn forget(&self, keep: usize) -> Result<usize> {
        let mut all = self.snapshots()?;
        all.truncate(all.len().saturating_sub(keep.max(1)));
        for old in &all {
            let path = self.path.join(SNAPSHOTS).join(&old.name);
            // Renamed first: a half removed one is not taken for whole.
            let away = self.path.join(SNAPSHOTS).join(format!("{PARTIAL}{}", old.name));
            fs::rename(&path, &away).map_err(cannot("remove", &path))?;
            fs::remove_dir_all(&away).map_err(cannot("remove", &away))?;
        }
        Ok(all.len())
    }
}

/// A snapshot that is being written.
#[derive(Debug)]
pub(super) struct Partial {
    pub(super) name: String,
    path: PathBuf,
    snapshots: PathBuf,
}

impl Partial {
    pub(super) fn database(&self) -> PathBuf {
        self.path.join(super::DATABASE)
    }

    pub(super) fn list(&self) -> PathBuf {
        self.path.join(LIST)
    }

    /// Writes the facts; the snapshot is whole from then on.
    pub(super) fn finish(self, snapshot: &Snapshot) -> Result<()> {
        write(&self.path.join(FACTS), &serde_json::to_vec_pretty(snapshot)?)?;
        sync_folder(&self.path)?;
        let whole = self.snapshots.join(&self.name);
        fs::rename(&self.path, &whole).map_err(cannot("write", &whole))?;
        sync_folder(&self.snapshots)
    }
}

/// Snapshots in a backup folder, the oldest first; none where there is no folder.
pub fn snapshots(folder: &Path) -> Result<Vec<Snapshot>> {
    if !folder.join(MARK).exists() {
        return Ok(Vec::new());
    }
    let mark = folder.join(MARK);
    let lock = File::open(&mark).map_err(cannot("read", &mark))?;
    Folder { path: folder.to_owned(), _lock: lock }.snapshots()
}

fn write(path: &Path, text: &[u8]) -> Result<()> {
    let written = File::create(path).and_then(|mut file| {
        file.write_all(text)?;
        file.sync_all()
    });
    written.map_err(cannot("write", path))
}
