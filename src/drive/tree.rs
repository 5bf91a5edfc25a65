//! The one module that touches the disk.

use std::fs::File;

use super::{Drive, RelativePath};
use crate::{Error, Result, accounts::Principal, clock::Millis, ids::LockerId};

/// What an entry of a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A plain file.
    File,
    /// A folder.
    Folder,
}

/// One entry of a folder.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// Bytes; 0 for a folder.
    pub size: u64,
    /// When it was last changed.
    pub modified_at: Millis,
    /// Entity tag without quotes; files only.
    pub etag: Option<String>,
}

/// A stored file, open for reading.
#[derive(Debug)]
pub struct OpenFile {
    /// The open file.
    pub file: File,
    /// Where it is, as the locker spells it.
    pub path: RelativePath,
    /// Bytes.
    pub size: u64,
    /// When it was last changed.
    pub modified_at: Millis,
    /// Entity tag without quotes.
    pub etag: String,
}

impl Drive {
    /// What is in a folder, by name.
    pub async fn list(
        &self,
        principal: &Principal,
        locker: LockerId,
        folder: &RelativePath,
    ) -> Result<Vec<Entry>> {
        let _ = (principal, locker, folder);
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }

    /// Opens a file for reading.
    pub async fn open_file(
        &self,
        principal: &Principal,
        locker: LockerId,
        path: &RelativePath,
    ) -> Result<OpenFile> {
        let _ = (principal, locker, path);
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }

    /// Removes a file, or a folder with all that is in it.
    pub async fn remove(
        &self,
        principal: &Principal,
        locker: LockerId,
        path: &RelativePath,
    ) -> Result<()> {
        let _ = (principal, locker, path);
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }

    /// Makes a folder and those above it.
    pub async fn make_folder(
        &self,
        principal: &Principal,
        locker: LockerId,
        path: &RelativePath,
    ) -> Result<()> {
        let _ = (principal, locker, path);
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }

    /// Moves a file or folder within its locker; nothing may be at the target.
    pub async fn rename(
        &self,
        principal: &Principal,
        locker: LockerId,
        from: &RelativePath,
        to: &RelativePath,
    ) -> Result<()> {
        let _ = (principal, locker, from, to);
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }
}
