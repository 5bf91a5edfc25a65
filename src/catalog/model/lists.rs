//! Windows, filters and orders of lists.

use crate::ids::{ArtistId, LibraryId};

/// A window of a list. `limit` 0 asks for the total alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// How many to skip.
    pub offset: u32,
    /// How many to give.
    pub limit: u32,
}

impl Page {
    /// Everything.
    pub const ALL: Self = Self { offset: 0, limit: u32::MAX };
}

/// A window of a list and the length of the whole, where that is cheap (`None`: not counted).
#[derive(Debug, Clone)]
pub struct List<T> {
    /// The window.
    pub items: Vec<T>,
    /// All that match, whatever the window.
    pub total: u64,
}

/// Which artists.
#[derive(Debug, Clone, Default)]
pub struct ArtistFilter {
    /// Only with works in this library.
    pub library: Option<LibraryId>,
    /// Only in this role; `None` = album artists.
    pub role: ArtistRole,
    /// Only starred ones.
    pub starred: bool,
}

/// Which artists a list is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ArtistRole {
    /// Album artists: the usual list.
    #[default]
    AlbumArtist,
    /// Track artists, guests included.
    Artist,
    /// Composers.
    Composer,
    /// Anybody.
    Any,
}

/// Which albums. Fields add up (and).
#[derive(Debug, Clone, Default)]
pub struct AlbumFilter {
    /// Only in this library.
    pub library: Option<LibraryId>,
    /// Where this artist is album artist.
    pub album_artist: Option<ArtistId>,
    /// Where this artist appears in any role but is not album artist.
    pub guest_artist: Option<ArtistId>,
    /// With a track of this genre (by name, case-blind).
    pub genre: Option<String>,
    /// Inclusive.
    pub from_year: Option<i32>,
    /// Inclusive.
    pub to_year: Option<i32>,
    /// Starred by the principal.
    pub starred: bool,
    /// Only with plays / ratings by the principal.
    pub played: bool,
    /// Only rated by the principal.
    pub rated: bool,
}

/// In which order albums come. Every order is total (id last).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlbumOrder {
    /// By title.
    Name,
    /// By album artist, then title.
    Artist,
    /// Newest first.
    Newest,
    /// Last played first.
    Recent,
    /// Most played first.
    Frequent,
    /// Best rated first.
    Highest,
    /// Last starred first.
    Starred,
    /// Oldest year first.
    Year,
    /// Newest year first.
    YearDescending,
    /// Shuffled anew each time.
    Random,
}

/// Which tracks. Fields add up (and).
#[derive(Debug, Clone, Default)]
pub struct TrackFilter {
    /// Only in this library.
    pub library: Option<LibraryId>,
    /// By this artist in any role.
    pub artist: Option<ArtistId>,
    /// By this composer.
    pub composer: Option<ArtistId>,
    /// Genre by name, case-blind.
    pub genre: Option<String>,
    /// Inclusive.
    pub from_year: Option<i32>,
    /// Inclusive.
    pub to_year: Option<i32>,
    /// Starred by the principal.
    pub starred: bool,
    /// Title contains this, case-blind (DLNA search).
    pub title_contains: Option<String>,
    /// Artist contains this, case-blind.
    pub artist_contains: Option<String>,
    /// Album contains this, case-blind.
    pub album_contains: Option<String>,
}

/// In which order tracks come. Every order is total (id last).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrackOrder {
    /// By title.
    Title,
    /// By album artist, album, disc, number.
    Album,
    /// As they came, the oldest row first. With a genre nothing else of the filter counts but the
    /// library.
    Added,
    /// Newest first.
    Newest,
    /// Last played first.
    Recent,
    /// Most played first.
    Frequent,
    /// Last starred first.
    Starred,
    /// Shuffled anew each time.
    Random,
}
