//! What there is to hear: libraries, folders, artists, albums, tracks, genres, playlists,
//! annotations, covers, lyrics, search. Every read takes a [`Principal`]. A file is an id and a
//! path to it; where its bytes lie is `drive`'s or the library's business, never a protocol's.

pub mod identity;
mod model;
pub mod path_text;

pub use model::*;

use std::path::PathBuf;

use crate::{
    Error, Result,
    accounts::Principal,
    clock::{Clock, Millis},
    db::Db,
    events::Events,
    ids::{AlbumId, ArtistId, FolderId, LibraryId, PlaylistId, TrackId},
};

/// The catalogue service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Catalog {
    db: Db,
    clock: Clock,
    events: Events,
}

/// What a stub says until its body is there.
fn unbuilt<T>() -> Result<T> {
    Err(Error::Unavailable("This part is not built yet".to_owned()))
}

#[expect(unused_variables, clippy::unused_async, reason = "signatures first")]
impl Catalog {
    /// Over an open database. `cache` is where pictures are kept; it may vanish at any time.
    pub async fn open(db: Db, clock: Clock, events: Events, cache: PathBuf) -> Result<Self> {
        Ok(Self { db, clock, events })
    }

    /// Grows with every change that anybody could see. Feeds lastModified, SystemUpdateID, ETags.
    pub fn revision(&self) -> Revision {
        let _ = (&self.db, &self.clock, &self.events);
        Revision { number: 0, changed_at: 0 }
    }

    // Libraries and folders.

    /// Visible active libraries.
    pub async fn libraries(&self, principal: &Principal) -> Result<Vec<Library>> {
        unbuilt()
    }
    /// A folder with its parent, or the root folder of a library.
    pub async fn folder(&self, principal: &Principal, id: FolderId) -> Result<Folder> {
        unbuilt()
    }
    /// The root folder of a library.
    pub async fn root_folder(&self, principal: &Principal, id: LibraryId) -> Result<Folder> {
        unbuilt()
    }
    /// Folders right below, ordered by name.
    pub async fn subfolders(&self, principal: &Principal, id: FolderId) -> Result<Vec<Folder>> {
        unbuilt()
    }
    /// Tracks right in a folder, ordered by path.
    pub async fn folder_tracks(&self, principal: &Principal, id: FolderId) -> Result<Vec<Track>> {
        unbuilt()
    }

    // Artists.

    /// Artists with at least one visible work in this role filter, by order key.
    pub async fn artists(
        &self,
        principal: &Principal,
        filter: &ArtistFilter,
        page: Page,
    ) -> Result<List<Artist>> {
        unbuilt()
    }
    /// One artist.
    pub async fn artist(&self, principal: &Principal, id: ArtistId) -> Result<Artist> {
        unbuilt()
    }

    // Albums.

    /// Albums that match, in the wanted order.
    pub async fn albums(
        &self,
        principal: &Principal,
        filter: &AlbumFilter,
        order: AlbumOrder,
        page: Page,
    ) -> Result<List<Album>> {
        unbuilt()
    }
    /// One album.
    pub async fn album(&self, principal: &Principal, id: AlbumId) -> Result<Album> {
        unbuilt()
    }
    /// The tracks of an album: disc, number, title.
    pub async fn album_tracks(&self, principal: &Principal, id: AlbumId) -> Result<Vec<Track>> {
        unbuilt()
    }

    // Tracks.

    /// Tracks that match, in the wanted order.
    pub async fn tracks(
        &self,
        principal: &Principal,
        filter: &TrackFilter,
        order: TrackOrder,
        page: Page,
    ) -> Result<List<Track>> {
        unbuilt()
    }
    /// One track.
    pub async fn track(&self, principal: &Principal, id: TrackId) -> Result<Track> {
        unbuilt()
    }
    /// Several tracks in the order asked; what is not visible or gone is left out.
    pub async fn tracks_by_id(&self, principal: &Principal, ids: &[TrackId]) -> Result<Vec<Track>> {
        unbuilt()
    }
    /// Where the bytes of a track are, for `playback`.
    pub async fn track_source(&self, principal: &Principal, id: TrackId) -> Result<TrackSource> {
        unbuilt()
    }
    /// Lyrics of a track; empty if there are none.
    pub async fn lyrics(&self, principal: &Principal, id: TrackId) -> Result<Vec<Lyrics>> {
        unbuilt()
    }
    /// The track that fits artist and title best, for the old getLyrics.
    pub async fn find_track(
        &self,
        principal: &Principal,
        artist: &str,
        title: &str,
    ) -> Result<Option<Track>> {
        unbuilt()
    }

    // Genres.

    /// Genres with counts of what is visible.
    pub async fn genres(&self, principal: &Principal) -> Result<Vec<Genre>> {
        unbuilt()
    }

    // Search: words are prefixes, all must match; case and accents do not matter. Empty = everything.

    /// Artists by name.
    pub async fn search_artists(
        &self,
        principal: &Principal,
        query: &str,
        library: Option<LibraryId>,
        page: Page,
    ) -> Result<List<Artist>> {
        unbuilt()
    }
    /// Albums by name and artist.
    pub async fn search_albums(
        &self,
        principal: &Principal,
        query: &str,
        library: Option<LibraryId>,
        page: Page,
    ) -> Result<List<Album>> {
        unbuilt()
    }
    /// Tracks by title, album and artist.
    pub async fn search_tracks(
        &self,
        principal: &Principal,
        query: &str,
        library: Option<LibraryId>,
        page: Page,
    ) -> Result<List<Track>> {
        unbuilt()
    }

    // Annotations of the principal; unknown or invisible items are NotFound.

    /// Stars or unstars.
    pub async fn set_starred(
        &self,
        principal: &Principal,
        item: Item,
        starred: Starred,
    ) -> Result<()> {
        unbuilt()
    }
    /// Rates 1 to 5, or removes the rating.
    pub async fn set_rating(
        &self,
        principal: &Principal,
        item: Item,
        rating: Option<u8>,
    ) -> Result<()> {
        unbuilt()
    }
    /// Records listens; one (user, track, time) counts once however often it comes. Unknown tracks are skipped.
    pub async fn record_listens(&self, principal: &Principal, listens: &[Listen]) -> Result<()> {
        unbuilt()
    }
    /// Most played tracks of an artist, by name or id, best first.
    pub async fn top_tracks(
        &self,
        principal: &Principal,
        artist: ArtistId,
        count: u32,
    ) -> Result<Vec<Track>> {
        unbuilt()
    }
    /// Tracks like this one, by tags and listening (sound features come later); never itself.
    pub async fn similar_tracks(
        &self,
        principal: &Principal,
        like: Item,
        count: u32,
    ) -> Result<Vec<Track>> {
        unbuilt()
    }

    // Playlists.

    /// Own playlists and public ones of others.
    pub async fn playlists(&self, principal: &Principal) -> Result<Vec<Playlist>> {
        unbuilt()
    }
    /// One playlist.
    pub async fn playlist(&self, principal: &Principal, id: PlaylistId) -> Result<Playlist> {
        unbuilt()
    }
    /// Its tracks in order; those that the principal may not see are left out.
    pub async fn playlist_tracks(
        &self,
        principal: &Principal,
        id: PlaylistId,
    ) -> Result<Vec<Track>> {
        unbuilt()
    }
    /// Makes a playlist.
    pub async fn create_playlist(
        &self,
        principal: &Principal,
        name: &str,
        tracks: &[TrackId],
    ) -> Result<PlaylistId> {
        unbuilt()
    }
    /// Changes an own playlist.
    pub async fn update_playlist(
        &self,
        principal: &Principal,
        id: PlaylistId,
        change: &PlaylistChange,
    ) -> Result<()> {
        unbuilt()
    }
    /// Removes an own playlist.
    pub async fn remove_playlist(&self, principal: &Principal, id: PlaylistId) -> Result<()> {
        unbuilt()
    }

    // Bookmarks and the queue.

    /// The principal's bookmarks.
    pub async fn bookmarks(&self, principal: &Principal) -> Result<Vec<Bookmark>> {
        unbuilt()
    }
    /// Sets or moves a bookmark.
    pub async fn set_bookmark(
        &self,
        principal: &Principal,
        track: TrackId,
        position_ms: i64,
        comment: &str,
    ) -> Result<()> {
        unbuilt()
    }
    /// Removes a bookmark; none there is fine.
    pub async fn remove_bookmark(&self, principal: &Principal, track: TrackId) -> Result<()> {
        unbuilt()
    }
    /// The saved queue, repaired for tracks that are gone.
    pub async fn play_queue(&self, principal: &Principal) -> Result<Option<PlayQueue>> {
        unbuilt()
    }
    /// Saves the queue; an empty list clears it.
    pub async fn save_play_queue(
        &self,
        principal: &Principal,
        tracks: &[TrackId],
        current_index: usize,
        position_ms: i64,
        client: &str,
    ) -> Result<()> {
        unbuilt()
    }

    // Covers.

    /// The picture of an item as a file of original or scaled bytes in the cache; `size` is the
    /// longest edge in pixels, never scaled up. NotFound when it has none.
    pub async fn cover(
        &self,
        principal: &Principal,
        item: Item,
        size: Option<u32>,
    ) -> Result<Cover> {
        unbuilt()
    }
}

/// When the catalogue last changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision {
    /// Grows by one with each change.
    pub number: i64,
    /// When.
    pub changed_at: Millis,
}
