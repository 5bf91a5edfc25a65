//! Libraries, folders and genres.

use std::path::PathBuf;

use super::{Annotation, Picture};
use crate::{
    clock::Millis,
    ids::{FolderId, LibraryId},
};

/// A root of files.
#[derive(Debug, Clone)]
pub struct Library {
    /// Its id; Subsonic's music folder id.
    pub id: LibraryId,
    /// Shown name, unique.
    pub name: String,
    /// What kind of root.
    pub kind: LibraryKind,
    /// Root folder on disk (for admins).
    pub path: PathBuf,
    /// Offered to DLNA devices.
    pub is_on_lan: bool,
    /// "ok", or a sentence that says why it can't be read.
    pub state: String,
    /// End of the last complete scan.
    pub scanned_at: Option<Millis>,
}

/// What kind of root a library is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LibraryKind {
    /// Watched, read-only, shared with chosen users.
    Folder,
    /// One user's drive.
    Locker,
    /// The household's writable tree.
    Household,
}

/// A directory.
#[derive(Debug, Clone)]
pub struct Folder {
    /// Its id.
    pub id: FolderId,
    /// Where it is.
    pub library: LibraryId,
    /// `None` for a library's root.
    pub parent: Option<FolderId>,
    /// Last part of the path; the library's name for a root.
    pub name: String,
    /// Relative to the library, '' for its root.
    pub path: String,
    /// Picture in it.
    pub picture: Option<Picture>,
    /// First seen.
    pub created_at: Millis,
    /// The principal's.
    pub annotation: Annotation,
}

/// A genre with what is visible of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genre {
    /// Row id, for DLNA object ids.
    pub id: crate::ids::GenreId,
    /// Name.
    pub name: String,
    /// Tracks.
    pub track_count: u32,
    /// Albums.
    pub album_count: u32,
}

/// A file that looks like music and cannot be played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Below its library's folder.
    pub path: String,
    /// Why, as a sentence.
    pub reason: String,
    /// Its size.
    pub size_bytes: u64,
}

/// A part of a library's list of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableFiles {
    /// By path.
    pub files: Vec<Unreadable>,
    /// All that there are.
    pub total: u64,
}
