//! Albums.

use std::{ops::Deref, sync::Arc};

use super::{Annotation, ArtistRef, Picture, Written};
use crate::{
    clock::Millis,
    ids::{AlbumId, FolderId, LibraryId},
};

/// An album of one library.
#[derive(Debug, Clone, Default)]
pub struct AlbumFacts {
    /// Its id.
    pub id: AlbumId,
    /// Where it is.
    pub library: LibraryId,
    /// Folder that holds it (parent of disc folders).
    pub folder: Option<FolderId>,
    /// Title.
    pub name: String,
    /// Edition, "Deluxe", ...
    pub version: String,
    /// Sort tag, else the title.
    pub sort_name: String,
    /// What lists are ordered by.
    pub order_key: String,
    /// Album artists in order.
    pub artists: Vec<ArtistRef>,
    /// They as one line.
    pub display_artist: String,
    /// MusicBrainz release id.
    pub mbid: Option<String>,
    /// `YYYY[-MM[-DD]]` or ''.
    pub release_date: String,
    /// `YYYY[-MM[-DD]]` or ''.
    pub original_date: String,
    /// Of the original release if known, else of this one.
    pub year: Option<i32>,
    /// Various artists.
    pub is_compilation: bool,
    /// '', 'clean' or 'explicit'.
    pub explicit: String,
    /// `album`, `ep`, `live`, ...
    pub release_types: Vec<String>,
    /// Labels.
    pub record_labels: Vec<String>,
    /// Moods.
    pub moods: Vec<String>,
    /// The most frequent one.
    pub genre: String,
    /// All, most frequent first.
    pub genres: Vec<String>,
    /// Disc number and title of discs that have one.
    pub disc_titles: Vec<(u32, String)>,
    /// Cover.
    pub picture: Option<Picture>,
    /// Tracks.
    pub track_count: u32,
    /// Sum, ms.
    pub duration_ms: u64,
    /// Sum, bytes.
    pub size_bytes: u64,
    /// When its first track came.
    pub created_at: Millis,
    /// What faces wrote of it.
    pub written: Written,
}

/// An album as one principal sees it. Derefs to the shared [`AlbumFacts`].
#[derive(Debug, Clone, Default)]
pub struct Album {
    /// What is the same for everybody.
    pub facts: Arc<AlbumFacts>,
    /// The principal's.
    pub annotation: Annotation,
}

impl Deref for Album {
    type Target = AlbumFacts;

    fn deref(&self) -> &AlbumFacts {
        &self.facts
    }
}

impl From<AlbumFacts> for Album {
    fn from(facts: AlbumFacts) -> Self {
        Self { facts: Arc::new(facts), ..Self::default() }
    }
}
