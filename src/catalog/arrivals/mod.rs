//! What somebody brings along from another server: descriptions of tracks, albums and artists are
//! recognised among what the person may see here ([`recognise`], [`names`]); stars, ratings, plays, history,
//! playlists, bookmarks and the queue are then taken in ([`decide`], [`write`]). Bringing it again
//! adds only what is new.

mod decide;
mod names;
mod recognise;
mod write;

use crate::{catalog::Item, clock::Millis, ids::TrackId};

/// A track as another server describes it. What is not known is empty.
#[derive(Debug, Clone, Default)]
pub struct Description {
    /// Where its file was; only the end of it can be the same here.
    pub path: String,
    /// MusicBrainz ids, of the recording or of the track on a release.
    pub mbids: Vec<String>,
    /// Title.
    pub title: String,
    /// Artist as one line.
    pub artist: String,
    /// Title of the album.
    pub album: String,
    /// Its length.
    pub duration_ms: Option<u64>,
}

/// An album or an artist as another server names it.
#[derive(Debug, Clone, Default)]
pub struct Named {
    /// Title of the album, name of the artist.
    pub name: String,
    /// Of an album: its artist, '' if that is not known.
    pub artist: String,
    /// MusicBrainz id, or ''.
    pub mbid: String,
}

/// By what something was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The end of its path.
    Path,
    /// A MusicBrainz id.
    MusicBrainz,
    /// Title, artist, album and length; or a name.
    Tags,
}

/// What came of a description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recognised<T> {
    /// This one, without doubt.
    As(T, By),
    /// So many fit equally well; none is taken.
    Ambiguous(usize),
    /// Nothing here fits.
    Unknown,
}

impl<T: Copy> Recognised<T> {
    /// What it is, if that is known.
    pub fn known(self) -> Option<T> {
        match self {
            Self::As(id, _) => Some(id),
            Self::Ambiguous(_) | Self::Unknown => None,
        }
    }
}

/// Everything that one person brings, told in ids of here.
#[derive(Debug, Clone, Default)]
pub struct Brought {
    /// Which account of which server: the same text each time.
    pub origin: String,
    /// What the history calls the client.
    pub client: String,
    /// Stars, ratings and plays. An item stands here once.
    pub marks: Vec<BroughtMark>,
    /// The history.
    pub listens: Vec<(TrackId, Millis)>,
    /// Own playlists.
    pub playlists: Vec<BroughtPlaylist>,
    /// Bookmarks, one a track.
    pub bookmarks: Vec<BroughtBookmark>,
    /// The saved queue.
    pub queue: Option<BroughtQueue>,
}

/// What somebody added to an item over there.
#[derive(Debug, Clone)]
pub struct BroughtMark {
    /// A track, an album or an artist.
    pub item: Item,
    /// Since when it had a star.
    pub starred_at: Option<Millis>,
    /// 1 to 5.
    pub rating: Option<u8>,
    /// Plays in all; of tracks alone, albums and artists follow from them.
    pub play_count: u64,
    /// The last of them.
    pub played_at: Option<Millis>,
}

/// A playlist from over there.
#[derive(Debug, Clone, Default)]
pub struct BroughtPlaylist {
    /// What it is known by there.
    pub key: String,
    /// Its name.
    pub name: String,
    /// A comment.
    pub comment: String,
    /// Others may see it.
    pub is_public: bool,
    /// Login names, here, of those it is shared with.
    pub members: Vec<String>,
    /// Rules in the `.nsp` form; used if they are understood.
    pub rules: Option<serde_json::Value>,
    /// Its tracks, in order, those that are here.
    pub tracks: Vec<TrackId>,
    /// How many it has over there.
    pub size: usize,
    /// When it was made.
    pub created_at: Option<Millis>,
    /// When it last changed.
    pub changed_at: Option<Millis>,
}

/// A bookmark from over there.
#[derive(Debug, Clone)]
pub struct BroughtBookmark {
    /// In which track.
    pub track: TrackId,
    /// Where in it.
    pub position_ms: i64,
    /// A comment.
    pub comment: String,
    /// When it was set.
    pub created_at: Option<Millis>,
    /// When it last moved.
    pub changed_at: Option<Millis>,
}

/// A saved queue from over there.
#[derive(Debug, Clone)]
pub struct BroughtQueue {
    /// Its tracks, in order, those that are here.
    pub tracks: Vec<TrackId>,
    /// Which of them was current.
    pub current: usize,
    /// Where in it.
    pub position_ms: i64,
    /// When it was saved.
    pub changed_at: Option<Millis>,
}

/// Whether to do it, or only to say what would be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trial {
    /// Change nothing.
    Yes,
    /// Do it.
    No,
}

/// How much of one kind was taken, and how much was here already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// New here.
    pub taken: u64,
    /// Here already, or decided otherwise here: left as it is.
    pub kept: u64,
}

/// What came of bringing something in.
#[derive(Debug, Clone, Default)]
pub struct TakenIn {
    /// Of tracks, albums and artists.
    pub stars: Share,
    /// Of tracks, albums and artists.
    pub ratings: Share,
    /// Counted plays.
    pub plays: Share,
    /// Entries of the history.
    pub listens: Share,
    /// Playlists.
    pub playlists: Share,
    /// Bookmarks.
    pub bookmarks: Share,
    /// Queues: one at most.
    pub queue: Share,
    /// What should be known, a sentence each.
    pub notes: Vec<String>,
}
