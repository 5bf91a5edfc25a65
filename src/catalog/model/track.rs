//! Tracks and where their bytes are.

use std::{ops::Deref, path::PathBuf, sync::Arc};

use super::{Annotation, ArtistRef, Contributor, Picture, Written};
use crate::{
    clock::Millis,
    ids::{AlbumId, FolderId, LibraryId, TrackId},
    media::{self, sealed::Sealed, tags::Extra},
};

/// A track.
#[derive(Debug, Clone, Default)]
pub struct TrackFacts {
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
    /// Which of the albums of that name and artist it is on; 0 the first.
    pub edition: u32,
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
    /// A part of a longer file (an image with a cue sheet): it has no bytes of its own.
    pub is_part: bool,
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
    /// What faces wrote of it.
    pub written: Written,
}

/// A track as one principal sees it. Derefs to the shared [`TrackFacts`].
#[derive(Debug, Clone, Default)]
pub struct Track {
    /// What is the same for everybody.
    pub facts: Arc<TrackFacts>,
    /// The principal's.
    pub annotation: Annotation,
    /// The principal's bookmark, ms.
    pub bookmark_ms: Option<i64>,
}

impl Deref for Track {
    type Target = TrackFacts;

    fn deref(&self) -> &TrackFacts {
        &self.facts
    }
}

impl From<TrackFacts> for Track {
    fn from(facts: TrackFacts) -> Self {
        Self { facts: Arc::new(facts), ..Self::default() }
    }
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
    /// Where its bytes are if that path is a symlink to a file of a watched folder, and what they
    /// must still be.
    pub lent: Option<Sealed>,
    /// For a part of an image with a cue sheet: start and end in the file, ms.
    pub range_ms: Option<(u64, u64)>,
}

/// One layer of the lyrics of a track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lyrics {
    /// ISO 639 or `und`.
    pub lang: String,
    /// Everything else.
    pub words: media::lyrics::Lyrics,
}
