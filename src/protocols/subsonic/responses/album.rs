//! `AlbumID3`, alone or with its songs.

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::{
    super::id::{CoverId, Id},
    Date, ItemDate, Mapped, Names, Refs, Songs,
    kept::{self, Own},
    seconds, some,
};
use crate::{
    catalog::{Album, Item},
    ids::{AlbumId, ArtistId},
};

/// An album as the principal that asked for it sees it, alone or with its songs.
pub(in super::super) struct AlbumId3<'a> {
    album: &'a Album,
    songs: Option<Songs<'a>>,
}

impl<'a> AlbumId3<'a> {
    /// In a list.
    pub(in super::super) fn of(album: &'a Album) -> Self {
        Self { album, songs: None }
    }

    /// With its songs.
    pub(in super::super) fn with_songs(album: &'a Album, songs: Songs<'a>) -> Self {
        Self { album, songs: Some(songs) }
    }
}

impl Serialize for AlbumId3<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        kept::serialize(serializer, &self.album.written, || Facts::of(self.album), self)
    }
}

impl Own for AlbumId3<'_> {
    fn scalars<E: SerializeStruct>(&self, element: &mut E) -> Result<(), E::Error> {
        kept::annotation(&self.album.annotation, element)
    }

    fn children<E: SerializeStruct>(&self, element: &mut E) -> Result<(), E::Error> {
        match self.songs {
            Some(songs) => element.serialize_field("song", &songs),
            None => Ok(()),
        }
    }
}

/// What is the same for everybody.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Facts<'a> {
    id: Id<AlbumId>,
    name: &'a str,
    version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    artist: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    artist_id: Option<Id<ArtistId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cover_art: Option<CoverId>,
    song_count: u32,
    duration: u64,
    created: Date,
    #[serde(skip_serializing_if = "Option::is_none")]
    year: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    genre: Option<&'a str>,
    music_brainz_id: &'a str,
    display_artist: &'a str,
    sort_name: &'a str,
    is_compilation: bool,
    explicit_status: &'a str,
    record_labels: Names<'a>,
    genres: Names<'a>,
    artists: Refs<'a>,
    release_types: &'a [String],
    moods: &'a [String],
    original_release_date: ItemDate,
    release_date: ItemDate,
    disc_titles: Mapped<'a, (u32, String), DiscTitle<'a>>,
}

/// The title of one disc.
#[derive(Serialize)]
struct DiscTitle<'a> {
    disc: u32,
    title: &'a str,
}

impl<'a> Facts<'a> {
    fn of(album: &'a Album) -> Self {
        Self {
            id: Id(album.id),
            name: &album.name,
            version: &album.version,
            artist: some(&album.display_artist),
            artist_id: album.artists.first().map(|artist| Id(artist.id)),
            cover_art: CoverId::of(Item::Album(album.id), album.picture),
            song_count: album.track_count,
            duration: seconds(album.duration_ms),
            created: Date(album.created_at),
            year: album.year,
            genre: some(&album.genre),
            music_brainz_id: album.mbid.as_deref().unwrap_or_default(),
            display_artist: &album.display_artist,
            sort_name: &album.sort_name,
            is_compilation: album.is_compilation,
            explicit_status: &album.explicit,
            record_labels: Names(&album.record_labels),
            genres: Names(&album.genres),
            artists: Refs(&album.artists),
            release_types: &album.release_types,
            moods: &album.moods,
            original_release_date: ItemDate::of(&album.original_date),
            release_date: ItemDate::of(&album.release_date),
            disc_titles: Mapped(&album.disc_titles, |(disc, title)| DiscTitle {
                disc: *disc,
                title,
            }),
        }
    }
}
