//! The catalogue's own words. Not serialisable: each face has its response types. Values that
//! belong to the principal (stars, ratings, counts) are filled in for who asked.

use std::{path::PathBuf, sync::Arc};

use crate::{
    clock::Millis,
    ids::{AlbumId, ArtistId, FolderId, LibraryId, PictureId, PlaylistId, TrackId},
    media::tags::Extra,
};

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

/// What an annotation or a cover can belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Item {
    /// A track.
    Track(TrackId),
    /// An album.
    Album(AlbumId),
    /// An artist.
    Artist(ArtistId),
    /// A directory.
    Folder(FolderId),
    /// A playlist.
    Playlist(PlaylistId),
}

/// To star or to take the star away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Starred {
    /// Star it.
    Yes,
    /// Take it away.
    No,
}

/// What the principal added to an item, and the mean of everybody's ratings.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Annotation {
    /// When it was starred.
    pub starred_at: Option<Millis>,
    /// 1 to 5.
    pub rating: Option<u8>,
    /// 1.0 to 5.0 over all users.
    pub average_rating: Option<f64>,
    /// Finished listens.
    pub play_count: u64,
    /// The last of them.
    pub played_at: Option<Millis>,
}

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

/// A picture that something has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picture {
    /// Its id.
    pub id: PictureId,
    /// First four bytes of the content hash: 8 hex digits of a coverArt id, so that clients
    /// refresh when the picture changes.
    pub hash: u32,
}

/// An artist named beside a work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtistRef {
    /// Its id.
    pub id: ArtistId,
    /// As credited.
    pub name: Arc<str>,
}

/// An artist.
#[derive(Debug, Clone)]
pub struct Artist {
    /// Its id.
    pub id: ArtistId,
    /// Shown name.
    pub name: String,
    /// Sort tag, else the name.
    pub sort_name: String,
    /// Folded, leading article dropped: what lists and index letters are made from.
    pub order_key: String,
    /// MusicBrainz artist id.
    pub mbid: Option<String>,
    /// Own picture, else that of an album.
    pub picture: Option<Picture>,
    /// Visible albums where it is album artist.
    pub album_count: u32,
    /// Visible tracks in any role.
    pub track_count: u32,
    /// All roles in the visible catalogue: `artist`, `albumartist`, `composer`, ...
    pub roles: Vec<String>,
    /// The principal's.
    pub annotation: Annotation,
}

/// An album of one library.
#[derive(Debug, Clone)]
pub struct Album {
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
    /// The principal's.
    pub annotation: Annotation,
}

/// A track.
#[derive(Debug, Clone)]
pub struct Track {
    /// Its id.
    pub id: TrackId,
    /// Where it is.
    pub library: LibraryId,
    /// Directory of its file.
    pub folder: Option<FolderId>,
    /// Its album.
    pub album: Option<AlbumId>,
    /// Album title as tagged.
    pub album_name: String,
    /// Title.
    pub title: String,
    /// Sort tag, else the title.
    pub sort_title: String,
    /// Artists in order.
    pub artists: Vec<ArtistRef>,
    /// They as the tag's one line.
    pub display_artist: String,
    /// Album artists in order.
    pub album_artists: Vec<ArtistRef>,
    /// They as one line.
    pub display_album_artist: String,
    /// Composers as one line.
    pub display_composer: String,
    /// Everybody else: role, sub-role (instrument), who.
    pub contributors: Vec<Contributor>,
    /// Disc number.
    pub disc: Option<u32>,
    /// Track number.
    pub number: Option<u32>,
    /// Year.
    pub year: Option<i32>,
    /// `YYYY[-MM[-DD]]` or ''.
    pub release_date: String,
    /// First genre.
    pub genre: String,
    /// All genres.
    pub genres: Vec<String>,
    /// Length.
    pub duration_ms: u64,
    /// Relative to the library.
    pub path: String,
    /// Whole file.
    pub size_bytes: u64,
    /// File time, ns since the epoch.
    pub modified_ns: i64,
    /// Container by content: `flac`, `mp3`, `ogg`, `mp4`, `wav`, ...
    pub container: String,
    /// Codec by content: `flac`, `mp3`, `vorbis`, `opus`, `aac`, `alac`, `pcm`, ...
    pub codec: String,
    /// Suffix to show, without a dot.
    pub suffix: String,
    /// MIME type of the original bytes.
    pub content_type: &'static str,
    /// kbit/s.
    pub bitrate_kbps: u32,
    /// Hz.
    pub sample_rate: u32,
    /// Channels.
    pub channels: u32,
    /// Bits a sample; 0 for lossy.
    pub bit_depth: u32,
    /// Beats a minute; 0 unknown.
    pub bpm: u32,
    /// Comment.
    pub comment: String,
    /// '', 'clean' or 'explicit'.
    pub explicit: String,
    /// On a compilation.
    pub is_compilation: bool,
    /// MusicBrainz recording id.
    pub mbid: Option<String>,
    /// ReplayGain.
    pub gain: ReplayGain,
    /// isrc, moods, groupings, works, movements.
    pub extra: Arc<Extra>,
    /// Own cover, else the album's.
    pub picture: Option<Picture>,
    /// Lyrics are there.
    pub has_lyrics: bool,
    /// First seen.
    pub created_at: Millis,
    /// The principal's.
    pub annotation: Annotation,
    /// The principal's bookmark, ms.
    pub bookmark_ms: Option<i64>,
}

/// Somebody who took part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contributor {
    /// `composer`, `conductor`, `performer`, ...
    pub role: String,
    /// The instrument, or ''.
    pub sub_role: String,
    /// Who.
    pub artist: ArtistRef,
}

/// ReplayGain as tagged or measured.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ReplayGain {
    /// dB.
    pub track_gain: Option<f64>,
    /// dB.
    pub album_gain: Option<f64>,
    /// Above 0.
    pub track_peak: Option<f64>,
    /// Above 0.
    pub album_peak: Option<f64>,
}

/// Where the bytes of a track are.
#[derive(Debug, Clone)]
pub struct TrackSource {
    /// The track.
    pub track: Track,
    /// Absolute path of the file.
    pub path: PathBuf,
    /// For a part of an image with a cue sheet: start and end in the file, ms.
    pub range_ms: Option<(u64, u64)>,
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

/// Lyrics as found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lyrics {
    /// ISO 639 or `und`.
    pub lang: String,
    /// Lines have times.
    pub is_synced: bool,
    /// In order: start in ms (synced only) and text.
    pub lines: Vec<(Option<i64>, String)>,
    /// ms, positive = earlier.
    pub offset_ms: i64,
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

/// One finished listen.
#[derive(Debug, Clone)]
pub struct Listen {
    /// What.
    pub track: TrackId,
    /// When it began.
    pub at: Millis,
    /// The client's name.
    pub client: String,
}

/// A playlist.
#[derive(Debug, Clone)]
pub struct Playlist {
    /// Its id.
    pub id: PlaylistId,
    /// Name.
    pub name: String,
    /// Comment.
    pub comment: String,
    /// Login name of the owner.
    pub owner: String,
    /// The principal owns it.
    pub is_own: bool,
    /// Others may see it.
    pub is_public: bool,
    /// The principal may not change it.
    pub is_readonly: bool,
    /// Visible tracks.
    pub track_count: u32,
    /// Of those, ms.
    pub duration_ms: u64,
    /// Cover of the first track that has one.
    pub picture: Option<Picture>,
    /// Made.
    pub created_at: Millis,
    /// Changed.
    pub changed_at: Millis,
}

/// A change to a playlist; `None` leaves as is. Removals go by the original positions and come
/// before additions.
#[derive(Debug, Clone, Default)]
pub struct PlaylistChange {
    /// New name.
    pub name: Option<String>,
    /// New comment.
    pub comment: Option<String>,
    /// New visibility.
    pub is_public: Option<bool>,
    /// Replaces all tracks.
    pub replace: Option<Vec<TrackId>>,
    /// Positions to remove, 0-based.
    pub remove: Vec<u32>,
    /// Tracks to append.
    pub add: Vec<TrackId>,
}

/// A bookmark.
#[derive(Debug, Clone)]
pub struct Bookmark {
    /// What.
    pub track: Track,
    /// Where, ms.
    pub position_ms: i64,
    /// Comment.
    pub comment: String,
    /// Made.
    pub created_at: Millis,
    /// Moved.
    pub changed_at: Millis,
}

/// The saved queue of a user.
#[derive(Debug, Clone)]
pub struct PlayQueue {
    /// In order.
    pub tracks: Vec<Track>,
    /// Which one plays; always inside `tracks` when there are any.
    pub current_index: usize,
    /// Where in it, ms.
    pub position_ms: i64,
    /// When it was saved.
    pub changed_at: Millis,
    /// By which client.
    pub changed_by: String,
}

/// Bytes of a picture.
#[derive(Debug, Clone)]
pub struct Cover {
    /// The bytes.
    pub bytes: bytes::Bytes,
    /// Their type.
    pub mime: &'static str,
    /// For the ETag: content hash and size.
    pub tag: String,
}
