//! `Child` for a song, with everything that OpenSubsonic added, and the entry of `nowPlaying`.

use serde::{
    Serialize, Serializer,
    ser::{SerializeSeq, SerializeStruct},
};

use super::{
    super::id::{CoverId, Id},
    Date, Mapped, Names, Refs,
    kept::{self, Own},
    known,
    lists::Ref,
    path::VirtualPath,
    seconds, some,
};
use crate::{
    catalog::{Contributor, Item, ReplayGain, Track},
    ids::{AlbumId, ArtistId, FolderId, TrackId},
    playback::{NowPlaying, Unasked},
};

/// A song as the principal that asked for it sees it.
pub(in super::super) struct Song<'a>(&'a Track, &'a Unasked);

impl<'a> Song<'a> {
    /// Of a track, for who is sent it as `unasked` says.
    pub(in super::super) fn of(track: &'a Track, unasked: &'a Unasked) -> Self {
        Self(track, unasked)
    }
}

/// A list of songs, made one by one while it is written.
#[derive(Clone, Copy)]
pub(in super::super) struct Songs<'a>(&'a [Track], &'a Unasked);

impl<'a> Songs<'a> {
    /// Of these tracks.
    pub(in super::super) fn of(tracks: &'a [Track], unasked: &'a Unasked) -> Self {
        Self(tracks, unasked)
    }

    /// One by one.
    pub(in super::super) fn each(self) -> impl Iterator<Item = Song<'a>> {
        self.0.iter().map(move |track| Song::of(track, self.1))
    }
}

impl Serialize for Songs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.each())
    }
}

impl Serialize for Song<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        kept::serialize(serializer, &self.0.written, || Facts::of(self.0), self)
    }
}

impl Own for Song<'_> {
    fn scalars<E: SerializeStruct>(&self, element: &mut E) -> Result<(), E::Error> {
        kept::annotation(&self.0.annotation, element)?;
        if let Some(average) = self.0.annotation.average_rating {
            element.serialize_field("averageRating", &average)?;
        }
        if let Some(position) = self.0.bookmark_ms {
            element.serialize_field("bookmarkPosition", &position)?;
        }
        if let Some((content_type, suffix)) = self.1.of(self.0) {
            element.serialize_field("transcodedContentType", &content_type)?;
            element.serialize_field("transcodedSuffix", suffix)?;
        }
        Ok(())
    }
}

/// What is the same for everybody.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Facts<'a> {
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
    disc_number: Option<u32>,
    created: Date,
    #[serde(skip_serializing_if = "Option::is_none")]
    album_id: Option<Id<AlbumId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    artist_id: Option<Id<ArtistId>>,
    r#type: &'static str,
    media_type: &'static str,
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

impl<'a> Facts<'a> {
    fn of(track: &'a Track) -> Self {
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
            disc_number: track.disc,
            created: Date(track.created_at),
            album_id: track.album.map(Id),
            artist_id: track.artists.first().map(|artist| Id(artist.id)),
            r#type: "music",
            media_type: "song",
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
pub(in super::super) struct PlayingSong<'a>(&'a NowPlaying, &'a Unasked);

impl<'a> PlayingSong<'a> {
    /// An entry of the list.
    pub(in super::super) fn of(entry: &'a NowPlaying, unasked: &'a Unasked) -> Self {
        Self(entry, unasked)
    }
}

impl Serialize for PlayingSong<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let track = &self.0.media;
        kept::serialize(serializer, &track.written, || Facts::of(track), self)
    }
}

impl Own for PlayingSong<'_> {
    fn scalars<E: SerializeStruct>(&self, element: &mut E) -> Result<(), E::Error> {
        element.serialize_field("username", &*self.0.user_name)?;
        element.serialize_field("minutesAgo", &self.0.minutes_ago)?;
        element.serialize_field("playerId", &self.0.user.0)?;
        element.serialize_field("playerName", &*self.0.client)?;
        element.serialize_field("state", self.0.state.as_str())?;
        element.serialize_field("positionMs", &self.0.position_ms)?;
        element.serialize_field("playbackRate", &self.0.rate)?;
        Song::of(&self.0.media, self.1).scalars(element)
    }
}
