//! Backups: everything that exists nowhere else, in a plain folder. A snapshot holds the database
//! as one moment saw it, the keys, and a list of the lockers' files; their contents lie beside the
//! snapshots, each once. The next snapshot copies only what is new.
//!
//! ```text
//! DIR/tunelocker-backup            what this folder is
//! DIR/snapshots/2026-11-25T20-15-00Z/
//!     snapshot.json                when, by which version, how much; written last
//!     tunelocker.db                a whole database of its own
//!     files.jsonl                  a line for each file and folder
//! DIR/objects/ab/ab12...           contents by their BLAKE3, read-only
//! ```
//! The cache, watched folders and uploads in flight are not in it.

mod job;
mod layout;
mod objects;
mod restore;
mod take;
mod walk;

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

pub use job::{Backups, Choice};
pub use layout::{Snapshot, snapshots};
pub use restore::{Restored, restore, verify};

use crate::{Error, Result, media::sealed::Sealed};

/// What a backup is made of, and where that lies.
#[derive(Debug, Clone)]
struct Places {
    data: Arc<Path>,
    drive: Arc<Path>,
    /// Files of lockers whose bytes lie in watched folders, by their paths below the drive's root.
    lent: Arc<HashMap<PathBuf, Sealed>>,
}

/// Names in the data folder that are kept as files; the database is copied by itself.
const OF_DATA: [&str; 2] = ["keys", "tunelocker.toml"];
/// Names in the data folder that are no files of the drive, where both are one folder.
const NOT_OF_DRIVE: [&str; 9] = [
    "keys",
    "tunelocker.toml",
    "tunelocker.db",
    "tunelocker.db-wal",
    "tunelocker.db-shm",
    "tunelocker.db-journal",
    "cache",
    "lock",
    "control.sock",
];
/// Marks the drive that the database tells of; without it, its disk is not mounted.
const OF_DRIVE: &str = ".tunelocker-drive";
/// Room that the drive holds back for a full disk; it takes it again by itself.
const RESERVE: &str = ".tunelocker-reserve";
/// Uploads in flight: their clients send them again.
const STAGING: &str = "staging";
/// The database, here and in a snapshot.
const DATABASE: &str = "tunelocker.db";

/// A sentence for a failure over a path.
fn cannot<'a>(what: &'a str, path: &'a Path) -> impl FnOnce(io::Error) -> Error + 'a {
    move |error| match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Error::Unavailable(format!("The disk under {} is full", path.display()))
        }
        _ => Error::Unavailable(format!("Cannot {what} {}: {error}", path.display())),
    }
}

/// Makes what was written to a folder last.
fn sync_folder(folder: &Path) -> Result<()> {
    std::fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(cannot("write", folder))
}

/// Runs what waits for disks.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await?
}

/// The same folder, however it is written; itself while it does not exist.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
