//! Listens: what was heard, and what they add up to.

use super::{Album, Artist, Track};
use crate::{
    clock::Millis,
    ids::{ListenId, TrackId},
};

/// How a listen is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListenSource {
    /// An app said that it was heard (Subsonic `scrobble`).
    Scrobble,
    /// An app told how it went while it went (OpenSubsonic `reportPlayback`).
    Report,
    /// The panel's player.
    Player,
    /// The speakers of the house.
    Jukebox,
    /// Another server's history, brought along.
    Import,
}

impl ListenSource {
    /// As the database and the panel write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scrobble => "scrobble",
            Self::Report => "report",
            Self::Player => "player",
            Self::Jukebox => "jukebox",
            Self::Import => "import",
        }
    }

    pub(in crate::catalog) fn from_column(text: &str) -> Self {
        match text {
            "report" => Self::Report,
            "player" => Self::Player,
            "jukebox" => Self::Jukebox,
            "import" => Self::Import,
            _ => Self::Scrobble,
        }
    }
}

/// One finished listen, to be recorded.
#[derive(Debug, Clone)]
pub struct Listen {
    /// What.
    pub track: TrackId,
    /// When it began, as the client says; `None`: it does not say, and it was just now.
    pub at: Option<Millis>,
    /// The client's name.
    pub client: String,
    /// How it is known.
    pub source: ListenSource,
    /// How much of it sounded, where that is known.
    pub heard_ms: Option<u64>,
    /// When it ended, where that is known.
    pub ended_at: Option<Millis>,
}

impl Listen {
    /// A listen as apps scrobble it.
    #[must_use]
    pub fn scrobble(track: TrackId, at: Option<Millis>, client: &str) -> Self {
        let (client, source) = (client.to_owned(), ListenSource::Scrobble);
        Self { track, at, client, source, heard_ms: None, ended_at: None }
    }
}

/// A listen of the history.
#[derive(Debug, Clone)]
pub struct Heard {
    /// Its id.
    pub id: ListenId,
    /// What.
    pub track: Track,
    /// When it began.
    pub at: Millis,
    /// The client's name.
    pub client: String,
    /// How it is known.
    pub source: ListenSource,
    /// How much of it sounded, where that is known.
    pub heard_ms: Option<u64>,
}

/// What somebody heard in a while.
#[derive(Debug, Clone)]
pub struct Listening {
    /// Listens in all.
    pub listens: u64,
    /// Their length, ms: what sounded where that is known, else the track's.
    pub heard_ms: u64,
    /// Different tracks among them.
    pub tracks: u64,
    /// Heard most, with how often.
    pub top_artists: Vec<(Artist, u64)>,
    /// Heard most, with how many tracks of it.
    pub top_albums: Vec<(Album, u64)>,
    /// Heard most, with how often.
    pub top_tracks: Vec<(Track, u64)>,
    /// Days with listens, counted from the epoch in the asked-for zone, with how many; oldest first.
    pub days: Vec<(i64, u64)>,
}
