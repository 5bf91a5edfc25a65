//! `AlbumID3`, alone or with its songs.

use serde::Serialize;

use super::{
    super::id::{CoverId, Id},
    Date, ItemDate, Mapped, Names, Refs, Song, seconds, some,
};
use crate::{
    catalog::{Album, Item, Track},
    ids::{AlbumId, ArtistId},
};

/// An album.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct AlbumId3<'a> {
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
    play_count: u64,
    created: Date,
    #[serde(skip_serializing_if = "Option::is_none")]
    starred: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    year: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    genre: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    played: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_rating: Option<u8>,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    song: Option<Mapped<'a, Track, Song<'a>>>,
}

/// The title of one disc.
#[derive(Serialize)]
struct DiscTitle<'a> {
    disc: u32,
    title: &'a str,
}

impl<'a> AlbumId3<'a> {
    /// In a list.
    pub(in super::super) fn of(album: &'a Album) -> Self {
        let mine = &album.annotation;
        Self {
            id: Id(album.id),
            name: &album.name,
            version: &album.version,
            artist: some(&album.display_artist),
            artist_id: album.artists.first().map(|artist| Id(artist.id)),
            cover_art: CoverId::of(Item::Album(album.id), album.picture),
            song_count: album.track_count,
            duration: seconds(album.duration_ms),
            play_count: mine.play_count,
            created: Date(album.created_at),
            starred: mine.starred_at.map(Date),
            year: album.year,
            genre: some(&album.genre),
            played: mine.played_at.map(Date),
            user_rating: mine.rating,
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
            song: None,
        }
    }

    /// With its songs.
    pub(in super::super) fn with_songs(album: &'a Album, songs: &'a [Track]) -> Self {
        Self { song: Some(Mapped(songs, Song::of)), ..Self::of(album) }
    }
}
