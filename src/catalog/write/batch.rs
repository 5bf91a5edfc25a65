//! What `ingest` tells the catalogue: files as they were understood, and files that are gone.

use crate::{
    ids::{LibraryId, MediaFileId},
    media::tags::{PictureFacts, Tags},
};

/// What a scan found out about one library since the last batch. Paths are relative to the
/// library, as `catalog::path_text` writes them.
#[derive(Debug, Default)]
pub struct Batch {
    /// Folders; parents may be left out.
    pub folders: Vec<FolderFound>,
    /// Files, new and changed.
    pub files: Vec<FileFound>,
    /// Folder pictures: folder, and the picture in it or `None` when it has none any more.
    pub pictures: Vec<(String, Option<FolderPicture>)>,
    /// Folders of which everything is in this batch or earlier ones, with their fingerprints.
    pub complete: Vec<(String, [u8; 32])>,
}

/// A directory.
#[derive(Debug, Clone)]
pub struct FolderFound {
    /// '' for the root.
    pub path: String,
    /// Its time.
    pub modified_ns: i64,
}

/// A picture file that stands for its folder.
#[derive(Debug, Clone)]
pub struct FolderPicture {
    /// The picture file.
    pub path: String,
    /// What it is.
    pub facts: PictureFacts,
}

/// A file that was looked at.
#[derive(Debug)]
pub struct FileFound {
    /// Where it is.
    pub path: String,
    /// Bytes.
    pub size_bytes: i64,
    /// Its time.
    pub modified_ns: i64,
    /// Its number on its file system.
    pub inode: i64,
    /// What lies beside it and belongs to it, as one number.
    pub sidecar_stamp: i64,
    /// The row that it had under another path.
    pub moved_from: Option<MediaFileId>,
    /// BLAKE3 of its encoded sound, where it had to be known to tell which file this was.
    pub audio_hash: Option<[u8; 32]>,
    /// What is in it.
    pub content: Content,
}

/// What is in a file.
#[derive(Debug)]
pub enum Content {
    /// Music.
    Tracks {
        /// BLAKE3 of its first 64 KiB.
        quick_key: [u8; 32],
        /// One, or the parts of an image.
        tracks: Vec<TrackFound>,
    },
    /// Nothing that can be played; the sentence says why.
    Unreadable(String),
}

/// A track in a file.
#[derive(Debug)]
pub struct TrackFound {
    /// Number in the cue sheet; `None` for a whole file.
    pub cue_index: Option<u32>,
    /// Where it starts in the file.
    pub start_ms: u64,
    /// Everything about it.
    pub tags: Tags,
    /// Lyrics, best first.
    pub lyrics: Vec<LyricsFound>,
}

/// Lyrics as found.
#[derive(Debug, Clone)]
pub struct LyricsFound {
    /// ISO 639 or `und`.
    pub lang: String,
    /// Lines have times.
    pub is_synced: bool,
    /// `embedded`, or the file.
    pub source: String,
    /// As found.
    pub body: String,
}

/// A file that is gone, as it was seen.
#[derive(Debug, Clone)]
pub struct FileGone {
    /// Its row.
    pub id: MediaFileId,
    /// Where it was; a row that has moved since is left alone.
    pub path: String,
}

/// What a batch did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Applied {
    /// Tracks that are new.
    pub new_tracks: usize,
    /// Tracks that were there, or came back.
    pub known_tracks: usize,
}

/// A batch always belongs to one library.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope {
    pub(super) library: LibraryId,
    pub(super) now: crate::clock::Millis,
}
