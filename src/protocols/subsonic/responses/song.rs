//! `Child` for a song, with everything that OpenSubsonic added, and the entry of `nowPlaying`.

use serde::{Serialize, Serializer, ser::SerializeSeq};

use super::{
    super::id::{CoverId, Id},
    Date, Mapped, Names, Refs, known,
    lists::Ref,
    path::VirtualPath,
    seconds, some,
};
use crate::{
    catalog::{Contributor, Item, ReplayGain, Track},
    ids::{AlbumId, ArtistId, FolderId, TrackId},
    playback::NowPlaying,
};

/// A song.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct Song<'a> {
    id: Id<TrackId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<Id<FolderId>>,
    is_dir: bool,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    album: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    artist: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    track: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    year: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    genre: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cover_art: Option<CoverId>,
    size: u64,
    content_type: &'a str,
    suffix: &'a str,
    duration: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    bit_rate: Option<u32>,
    path: VirtualPath<'a>,
    is_video: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_rating: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    average_rating: Option<f64>,
    play_count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    disc_number: Option<u32>,
    created: Date,
    #[serde(skip_serializing_if = "Option::is_none")]
    starred: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    album_id: Option<Id<AlbumId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    artist_id: Option<Id<ArtistId>>,
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    bookmark_position: Option<i64>,
    media_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    played: Option<Date>,
    bit_depth: u32,
    sampling_rate: u32,
    channel_count: u32,
    bpm: u32,
    comment: &'a str,
    sort_name: &'a str,
    music_brainz_id: &'a str,
    display_artist: &'a str,
    display_album_artist: &'a str,
    display_composer: &'a str,
    explicit_status: &'a str,
    isrc: &'a [String],
    genres: Names<'a>,
    artists: Refs<'a>,
    album_artists: Refs<'a>,
    contributors: Mapped<'a, Contributor, Contribution<'a>>,
    moods: &'a [String],
    replay_gain: Gain,
    works: Mapped<'a, (String, String), Work<'a>>,
    movements: Movements<'a>,
    groupings: &'a [String],
}

impl<'a> Song<'a> {
    /// As the principal that asked for it sees it.
    pub(in super::super) fn of(track: &'a Track) -> Self {
        let mine = &track.annotation;
        Self {
            id: Id(track.id),
            parent: track.folder.map(Id),
            is_dir: false,
            title: &track.title,
            album: some(&track.album_name),
            artist: some(&track.display_artist),
            track: track.number,
            year: track.year,
            genre: some(&track.genre),
            cover_art: cover(track),
            size: track.size_bytes,
            content_type: track.content_type,
            suffix: &track.suffix,
            duration: seconds(track.duration_ms),
            bit_rate: known(track.bitrate_kbps),
            path: VirtualPath(track),
            is_video: false,
            user_rating: mine.rating,
            average_rating: mine.average_rating,
            play_count: mine.play_count,
            disc_number: track.disc,
            created: Date(track.created_at),
            starred: mine.starred_at.map(Date),
            album_id: track.album.map(Id),
            artist_id: track.artists.first().map(|artist| Id(artist.id)),
            r#type: "music",
            bookmark_position: track.bookmark_ms,
            media_type: "song",
            played: mine.played_at.map(Date),
            bit_depth: track.bit_depth,
            sampling_rate: track.sample_rate,
            channel_count: track.channels,
            bpm: track.bpm,
            comment: &track.comment,
            sort_name: &track.sort_title,
            music_brainz_id: track.mbid.as_deref().unwrap_or_default(),
            display_artist: &track.display_artist,
            display_album_artist: &track.display_album_artist,
            display_composer: &track.display_composer,
            explicit_status: &track.explicit,
            isrc: &track.extra.isrc,
            genres: Names(&track.genres),
            artists: Refs(&track.artists),
            album_artists: Refs(&track.album_artists),
            contributors: Mapped(&track.contributors, Contribution::of),
            moods: &track.extra.moods,
            replay_gain: Gain::of(&track.gain),
            works: Mapped(&track.extra.works, |(name, mbid)| Work { name, music_brainz_id: mbid }),
            movements: Movements(track.extra.movement.as_ref()),
            groupings: &track.extra.groupings,
        }
    }
}

/// The album's id with the track's own picture hash: the songs of an album then share one
/// cached cover in the app, and `getCoverArt` finds a song's own picture by the hash.
fn cover(track: &Track) -> Option<CoverId> {
    CoverId::of(track.album.map_or(Item::Track(track.id), Item::Album), track.picture)
}

/// Who took part, and how.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Contribution<'a> {
    role: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_role: Option<&'a str>,
    artist: Ref<'a>,
}

impl<'a> Contribution<'a> {
    fn of(contributor: &'a Contributor) -> Self {
        Self {
            role: &contributor.role,
            sub_role: some(&contributor.sub_role),
            artist: Ref::from(&contributor.artist),
        }
    }
}

/// Loudness; unknown members are left out, the object is always there.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "named by the protocol")]
struct Gain {
    #[serde(skip_serializing_if = "Option::is_none")]
    track_gain: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    album_gain: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    track_peak: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    album_peak: Option<f64>,
}

impl Gain {
    fn of(gain: &ReplayGain) -> Self {
        let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
        Self {
            track_gain: finite(gain.track_gain),
            album_gain: finite(gain.album_gain),
            track_peak: finite(gain.track_peak).filter(|peak| *peak > 0.0),
            album_peak: finite(gain.album_peak).filter(|peak| *peak > 0.0),
        }
    }
}

/// A work that the song is part of.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Work<'a> {
    name: &'a str,
    music_brainz_id: &'a str,
}

/// The movement of a work, as the list that the protocol wants.
struct Movements<'a>(Option<&'a (String, u32, u32)>);

impl Serialize for Movements<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Movement<'a> {
            name: &'a str,
            number: u32,
            count: u32,
        }
        let mut list = serializer.serialize_seq(Some(usize::from(self.0.is_some())))?;
        if let Some((name, number, count)) = self.0 {
            list.serialize_element(&Movement { name, number: *number, count: *count })?;
        }
        list.end()
    }
}

/// What somebody hears now.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct PlayingSong<'a> {
    username: &'a str,
    minutes_ago: u32,
    player_id: i64,
    player_name: &'a str,
    #[serde(flatten)]
    song: Song<'a>,
}

impl<'a> PlayingSong<'a> {
    /// An entry of the list.
    pub(in super::super) fn of(entry: &'a NowPlaying) -> Self {
        Self {
            username: &entry.user_name,
            minutes_ago: entry.minutes_ago,
            player_id: entry.user.0,
            player_name: &entry.client,
            song: Song::of(&entry.track),
        }
    }
}
