//! What a source holds, in nobody's ids but its own positions; and what came of bringing it. This
//! is what crosses the control socket.

use serde::{Deserialize, Serialize};

use crate::clock::Millis;

/// Everything of a source.
#[derive(Debug, Default)]
pub struct Legacy {
    /// Its people; a library that knows none has one without a name.
    pub people: Vec<Person>,
    /// Stations of internet radio.
    pub stations: Vec<Station>,
    /// What is there and cannot be taken, a sentence each.
    pub left_out: Vec<String>,
}

/// A person of a source.
#[derive(Debug, Default)]
pub struct Person {
    /// Login name there.
    pub name: String,
    /// What others saw.
    pub display_name: String,
    /// May be empty.
    pub email: String,
    /// What is brought.
    pub belongings: Belongings,
}

/// What a person brings.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Belongings {
    /// Which account of which server: the same text each time it is read.
    pub origin: String,
    /// The program's name.
    pub program: String,
    /// Every track that is spoken of below, by position.
    pub tracks: Vec<Track>,
    /// Stars, ratings and plays of tracks.
    pub marks: Vec<Mark>,
    /// Stars and ratings of albums.
    pub albums: Vec<AlbumMark>,
    /// Stars and ratings of artists.
    pub artists: Vec<NamedMark>,
    /// The history: which track, and when.
    pub listens: Vec<(usize, Millis)>,
    /// Playlists.
    pub lists: Vec<List>,
    /// Bookmarks.
    pub bookmarks: Vec<Bookmark>,
    /// The saved queue.
    pub queue: Option<Queue>,
}

/// A track as the source describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Track {
    /// Where its file was.
    pub path: String,
    /// MusicBrainz ids of the recording or the track.
    pub mbids: Vec<String>,
    /// Title.
    pub title: String,
    /// Artist.
    pub artist: String,
    /// Album.
    pub album: String,
    /// Length.
    pub duration_ms: Option<u64>,
}

/// What was added to a track.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Its position among the tracks.
    pub track: usize,
    /// Since when it has a star.
    pub starred_at: Option<Millis>,
    /// 1 to 5.
    pub rating: Option<u8>,
    /// Plays.
    pub play_count: u64,
    /// The last of them.
    pub played_at: Option<Millis>,
}

/// How something is called.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Name {
    /// Title or name.
    pub name: String,
    /// MusicBrainz id, or ''.
    pub mbid: String,
}

/// What was added to an album.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlbumMark {
    /// Its artist, or ''.
    pub artist: String,
    /// The rest.
    pub mark: NamedMark,
}

/// What was added to something that has a name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedMark {
    /// What it is called.
    pub of: Name,
    /// Since when it has a star.
    pub starred_at: Option<Millis>,
    /// 1 to 5.
    pub rating: Option<u8>,
}

/// A playlist.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct List {
    /// What it is known by there.
    pub key: String,
    /// Its name.
    pub name: String,
    /// A comment.
    pub comment: String,
    /// Others may see it.
    pub is_public: bool,
    /// Login names, there, of those it is shared with.
    pub members: Vec<String>,
    /// Rules in the `.nsp` form.
    pub rules: Option<serde_json::Value>,
    /// Positions of its tracks, in order.
    pub tracks: Vec<usize>,
    /// When it was made.
    pub created_at: Option<Millis>,
    /// When it last changed.
    pub changed_at: Option<Millis>,
}

/// A bookmark.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bookmark {
    /// Position of its track.
    pub track: usize,
    /// Where in it.
    pub position_ms: i64,
    /// A comment.
    pub comment: String,
    /// When it was set.
    pub created_at: Option<Millis>,
    /// When it last moved.
    pub changed_at: Option<Millis>,
}

/// The saved queue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// Positions of its tracks, in order.
    pub tracks: Vec<usize>,
    /// Which of them was current.
    pub current: usize,
    /// Where in it.
    pub position_ms: i64,
    /// When it was saved.
    pub changed_at: Option<Millis>,
}

/// A station of internet radio.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Station {
    /// Its name.
    pub name: String,
    /// What is played.
    pub stream_url: String,
    /// Its page, or ''.
    pub homepage_url: String,
}

/// Who is to have an account here.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Wish {
    /// Login name there.
    pub name: String,
    /// Login name here, where it was said.
    pub as_name: Option<String>,
    /// For a new account.
    pub display_name: String,
    /// For a new account.
    pub email: String,
}

/// An account here for somebody from there.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Arrived {
    /// Login name there.
    pub name: String,
    /// Login name here.
    pub as_name: String,
    /// How it came to be.
    pub joins: Joins,
    /// The secret of the link by which a password is chosen, while it waits for that.
    pub invitation: Option<String>,
}

/// How an account came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Joins {
    /// It was here before.
    Known,
    /// It is new, or as a trial would be.
    New,
}

/// How much was new here, and how much was here already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// New.
    pub taken: u64,
    /// Here already, or decided otherwise here.
    pub kept: u64,
}

/// What became of something the source described.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Known by the end of its path.
    Path,
    /// Known by a MusicBrainz id.
    MusicBrainz,
    /// Known by title, artist, album and length; or by its name.
    Tags,
    /// So many here fit equally well.
    Ambiguous(usize),
    /// Nothing here fits.
    Unknown,
}

/// What came of a person's belongings.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Taken {
    /// One for each track of [`Belongings::tracks`].
    pub tracks: Vec<Outcome>,
    /// One for each of [`Belongings::albums`].
    pub albums: Vec<Outcome>,
    /// One for each of [`Belongings::artists`].
    pub artists: Vec<Outcome>,
    /// Stars.
    pub stars: Tally,
    /// Ratings.
    pub ratings: Tally,
    /// Counted plays.
    pub plays: Tally,
    /// The history.
    pub listens: Tally,
    /// Playlists.
    pub lists: Tally,
    /// Bookmarks.
    pub bookmarks: Tally,
    /// Queues.
    pub queue: Tally,
    /// What should be known, a sentence each.
    pub notes: Vec<String>,
}
