//! What people add: stars, ratings, listens, bookmarks, queues, playlists.

use super::{Picture, Track};
use crate::{
    catalog::Rules,
    clock::Millis,
    ids::{AlbumId, ArtistId, FolderId, PlaylistId, TrackId},
};

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

/// A playlist.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own that people see")]
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
    /// The principal may change its name, rules and people, and remove it: own, and no file's.
    pub is_managed: bool,
    /// Others may see it.
    pub is_public: bool,
    /// Whoever sees it may change its tracks.
    pub is_open: bool,
    /// The principal may not change its tracks.
    pub is_readonly: bool,
    /// Rules instead of entries, as JSON.
    pub rules: Option<String>,
    /// With whom it is shared by name; told to those who may see it.
    pub members: Vec<PlaylistMember>,
    /// Until when its tracks stay as they are; `None` where only people change them.
    pub valid_until: Option<Millis>,
    /// Visible tracks.
    pub track_count: u32,
    /// Of those, ms.
    pub duration_ms: u64,
    /// Its cover: that of the first track that has one, or the four of `tiles` in one.
    pub picture: Option<Picture>,
    /// The first four different covers of its tracks, where there are so many.
    pub tiles: Vec<Picture>,
    /// Made.
    pub created_at: Millis,
    /// Changed.
    pub changed_at: Millis,
}

/// Somebody with whom a playlist is shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaylistMember {
    /// Login name.
    pub name: String,
    /// May change its tracks.
    pub may_edit: bool,
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
    /// Whether all who see it may change its tracks.
    pub is_open: Option<bool>,
    /// New rules, of a smart playlist.
    pub rules: Option<Rules>,
    /// With whom it is shared from now on.
    pub members: Option<Vec<PlaylistMember>>,
    /// Replaces all tracks.
    pub replace: Option<Vec<TrackId>>,
    /// Positions to remove, 0-based.
    pub remove: Vec<u32>,
    /// Tracks to append.
    pub add: Vec<TrackId>,
}

impl PlaylistChange {
    /// Whether it touches nothing but the tracks of a playlist of this name, as whoever may edit
    /// can. Apps send the name along with new tracks.
    pub(in crate::catalog) fn is_of_tracks(&self, name: &str) -> bool {
        self.name.as_deref().is_none_or(|new| new.trim() == name)
            && self.comment.is_none()
            && self.is_public.is_none()
            && self.is_open.is_none()
            && self.rules.is_none()
            && self.members.is_none()
    }

    pub(in crate::catalog) fn has_tracks(&self) -> bool {
        self.replace.is_some() || !self.remove.is_empty() || !self.add.is_empty()
    }
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

/// A saved queue as it was left.
#[derive(Debug, Clone)]
pub struct SavedQueue {
    /// In order; some may be gone.
    pub entries: Vec<TrackId>,
    /// Which one plays.
    pub current: usize,
    /// Where in it, ms.
    pub position_ms: i64,
    /// When it was saved.
    pub changed_at: Millis,
    /// By which client.
    pub changed_by: String,
}
