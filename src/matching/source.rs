//! The bytes themselves: opened where the rows say they are, and only if they still are the ones
//! that the rows speak of.

use std::{fs::File, sync::Arc};

use rustix::fs::{CWD, FileType, Mode, OFlags};

use super::{Matching, rows::Place};
use crate::{
    Result,
    catalog::path_text,
    drive::{Digests, Kinship, Source, digest},
};

impl Matching {
    /// Opens what lies at a place; `None` if that is gone or changed.
    pub(super) async fn open(&self, place: Place) -> Result<Option<Source>> {
        match place {
            Place::Locker { file } => {
                let Some(row) = self.locker_file(file).await? else { return Ok(None) };
                let source = match self.parts.drive.source(row.locker, &row.path).await {
                    Err(crate::Error::NotFound(_) | crate::Error::Conflict(_)) => return Ok(None),
                    opened => opened?,
                };
                let is_same = (source.size, source.modified_ns) == (row.size, row.modified_ns);
                Ok(is_same.then_some(source))
            }
            Place::Folder { file } => {
                let Some(row) = self.folder_file(file).await? else { return Ok(None) };
                let path = path_text::decode(&row.root).join(path_text::decode(&row.path));
                let (size, modified_ns) = (row.size, row.modified_ns);
                let opened = tokio::task::spawn_blocking(move || {
                    open_same(&path, size, modified_ns).map(Arc::new)
                });
                Ok(opened.await?.map(|file| Source {
                    file,
                    kinship: Kinship::Outside,
                    size,
                    modified_ns,
                }))
            }
        }
    }
}

/// Reads all of it, once.
pub(super) async fn read(source: &Source, key: Option<[u8; 32]>) -> Result<Option<Digests>> {
    let file = Arc::clone(&source.file);
    let digests = tokio::task::spawn_blocking(move || digest(&file, key.as_ref(), |_| true));
    match digests.await? {
        Ok(digests) => Ok(digests.filter(|it| it.length == source.size)),
        // A disk that fails over a file is no reason to fail over the rest.
        Err(error) => {
            tracing::warn!("a file could not be read to be matched: {error}");
            Ok(None)
        }
    }
}

/// Opens a file of a watched folder if it still is the one that was seen: through no link, waiting
/// for nobody.
fn open_same(path: &std::path::Path, size: u64, modified_ns: i64) -> Option<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::openat(CWD, path, flags, Mode::empty()).ok()?);
    let stat = rustix::fs::fstat(&file).ok()?;
    let modified =
        stat.st_mtime.saturating_mul(1_000_000_000).saturating_add(stat.st_mtime_nsec as i64);
    let is_same = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
        && u64::try_from(stat.st_size) == Ok(size)
        && modified == modified_ns;
    is_same.then_some(file)
}
