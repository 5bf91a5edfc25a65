//! What a file says about itself, as plain values. Read by lofty inside a worker process; nothing
//! here opens a file by name.

mod asf;
mod assemble;
mod comments;
mod dsd;
mod fields;
mod files;
mod guess;
mod id3;
mod matroska;
mod names;
mod ogg_flac;

use serde::{Deserialize, Serialize};

pub use names::ReadOptions;

use super::{pictures, source::Source, understand::Refusal};

/// Reads what a file says about itself, completed from its path where it says nothing. An error
/// is a sentence that says why it is not music.
pub(crate) fn read(
    source: &mut Source<'_>,
    relative_path: &str,
    options: &ReadOptions,
) -> Result<Tags, Refusal> {
    let (audio, mut fields) = files::read(source)?;
    let picture = fields.picture.take();
    let mut tags = assemble::assemble(audio, &fields, options);
    tags.picture = picture.and_then(|bytes| pictures::facts(&bytes).ok());
    guess::complete(&mut tags, relative_path);
    Ok(tags)
}

/// Makes sense of what the decode worker found in a file that the readers here do not know.
pub(crate) fn decoded(
    audio: Audio,
    texts: &[(String, String)],
    relative_path: &str,
    options: &ReadOptions,
) -> Tags {
    let mut tags = assemble::assemble(audio, &comments::libav(texts), options);
    guess::complete(&mut tags, relative_path);
    tags
}

/// The bytes of the front cover inside a file, else of its first picture.
pub(crate) fn picture(source: &mut Source<'_>) -> Result<Option<Vec<u8>>, String> {
    match files::read(source) {
        Ok((_, fields)) => Ok(fields.picture),
        Err(refusal) => Err(refusal.into_sentence()),
    }
}

/// Everything that one file says about itself. Multi-valued fields keep the tag's order and hold
/// no empty and no repeated values.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tags {
    /// The sound itself.
    pub audio: Audio,
    /// Title.
    pub title: Option<String>,
    /// Sort title.
    pub sort_title: Option<String>,
    /// Artists, split.
    pub artists: Vec<String>,
    /// Artist as the tag's one line.
    pub display_artist: Option<String>,
    /// Sort names, in step with `artists` where given.
    pub sort_artists: Vec<String>,
    /// MusicBrainz artist ids, in step with `artists` where given.
    pub mbid_artists: Vec<String>,
    /// Album.
    pub album: Option<String>,
    /// Sort album.
    pub sort_album: Option<String>,
    /// Edition or version of the album.
    pub album_version: Option<String>,
    /// Album artists, split.
    pub album_artists: Vec<String>,
    /// They as one line.
    pub display_album_artist: Option<String>,
    /// Sort names.
    pub sort_album_artists: Vec<String>,
    /// MusicBrainz ids.
    pub mbid_album_artists: Vec<String>,
    /// MusicBrainz release id.
    pub mbid_album: Option<String>,
    /// MusicBrainz release group id.
    pub mbid_release_group: Option<String>,
    /// MusicBrainz recording id.
    pub mbid_recording: Option<String>,
    /// MusicBrainz release track id.
    pub mbid_track: Option<String>,
    /// Disc number.
    pub disc: Option<u32>,
    /// Of how many.
    pub disc_total: Option<u32>,
    /// Disc subtitle.
    pub disc_title: Option<String>,
    /// Track number.
    pub number: Option<u32>,
    /// Of how many.
    pub number_total: Option<u32>,
    /// Recording or release date, `YYYY[-MM[-DD]]`.
    pub date: Option<String>,
    /// Release date.
    pub release_date: Option<String>,
    /// Original release date.
    pub original_date: Option<String>,
    /// Genres, split.
    pub genres: Vec<String>,
    /// Composers, split.
    pub composers: Vec<String>,
    /// Everybody else: role, sub-role (instrument or ''), name. Roles are lower-case words:
    /// conductor, lyricist, remixer, arranger, producer, engineer, mixer, djmixer, performer, ...
    pub credits: Vec<Credit>,
    /// Part of a compilation.
    pub is_compilation: bool,
    /// `explicit`, `clean` or ''.
    pub explicit: String,
    /// Beats a minute.
    pub bpm: Option<u32>,
    /// Comment.
    pub comment: Option<String>,
    /// dB.
    pub track_gain: Option<f64>,
    /// dB.
    pub album_gain: Option<f64>,
    /// Above 0.
    pub track_peak: Option<f64>,
    /// Above 0.
    pub album_peak: Option<f64>,
    /// `album`, `ep`, `live`, ...
    pub release_types: Vec<String>,
    /// Labels.
    pub record_labels: Vec<String>,
    /// What only a full answer shows.
    #[serde(with = "whole")]
    pub extra: Extra,
    /// Embedded lyrics: each body as found (LRC text if synced) with its language.
    pub lyrics: Vec<EmbeddedLyrics>,
    /// The front cover, else the first picture: what it is; its bytes are fetched apart.
    pub picture: Option<PictureFacts>,
    /// Embedded cue sheet, if any.
    pub cue_sheet: Option<String>,
}

/// The sound in a file, told by content, not by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Audio {
    /// `flac`, `mp3`, `ogg`, `mp4`, `wav`, `aiff`, `wavpack`, `ape`, `musepack`, `asf`, `dsf`, `dff`,
    /// `matroska`, `adts`, `tta`, `caf`, `w64`, `au`.
    pub container: String,
    /// `flac`, `mp3`, `vorbis`, `opus`, `speex`, `aac`, `alac`, `pcm`, `wavpack`, `ape`, `wma`, `dsd`, ...
    pub codec: String,
    /// Length.
    pub duration_ms: u64,
    /// Mean, kbit/s.
    pub bitrate_kbps: u32,
    /// Hz.
    pub sample_rate: u32,
    /// Channels.
    pub channels: u32,
    /// Bits a sample; 0 for lossy.
    pub bit_depth: u32,
    /// Of AAC, as apps name it: `LC`, `HE-AAC`, `HE-AACv2`, `Main`, ...; '' unknown.
    pub profile: String,
}

/// Somebody who took part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    /// What he did.
    pub role: String,
    /// With what, or ''.
    pub sub_role: String,
    /// Who.
    pub name: String,
}

/// Fields that only a single song's full answer shows; stored as JSON with the track.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Extra {
    /// ISRCs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub isrc: Vec<String>,
    /// Moods.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub moods: Vec<String>,
    /// Groupings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groupings: Vec<String>,
    /// Works: name and MusicBrainz id or ''.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub works: Vec<(String, String)>,
    /// Movement: name, number, count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub movement: Option<(String, u32, u32)>,
    /// The codec's profile ([`Audio::profile`]).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub profile: String,
}

/// [`Extra`] with every field, for forms that do not name them: what is left out there as JSON
/// would be missed.
mod whole {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use super::Extra;

    type Fields = (
        Vec<String>,
        Vec<String>,
        Vec<String>,
        Vec<(String, String)>,
        Option<(String, u32, u32)>,
        String,
    );

    pub(super) fn serialize<S: Serializer>(extra: &Extra, to: S) -> Result<S::Ok, S::Error> {
        let Extra { isrc, moods, groupings, works, movement, profile } = extra;
        (isrc, moods, groupings, works, movement, profile).serialize(to)
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Extra, D::Error> {
        let (isrc, moods, groupings, works, movement, profile) = Fields::deserialize(from)?;
        Ok(Extra { isrc, moods, groupings, works, movement, profile })
    }
}

/// Lyrics inside a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbeddedLyrics {
    /// ISO 639 or `und`.
    pub lang: String,
    /// As found; LRC text for synced ones.
    pub body: String,
}

/// A picture inside a file or beside it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureFacts {
    /// BLAKE3 of its bytes, hex.
    pub hash: String,
    /// By content.
    pub mime: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Bytes.
    pub size_bytes: u64,
}
