//! The folder view: indexes, directories, and directories as `Child`.

use serde::Serialize;

use super::{
    super::id::{CoverId, Id},
    Date, Names, Refs, Song, Songs, seconds, some,
};
use crate::{
    catalog::{Album, Artist, Folder, Item},
    ids::ArtistId,
};

/// A directory or an album in a directory.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct DirectoryChild<'a> {
    id: Id<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<Id<String>>,
    is_dir: bool,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    album: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    artist: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    year: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    genre: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cover_art: Option<CoverId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_rating: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    average_rating: Option<f64>,
    play_count: u64,
    created: Date,
    #[serde(skip_serializing_if = "Option::is_none")]
    starred: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    artist_id: Option<Id<ArtistId>>,
    media_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    played: Option<Date>,
    music_brainz_id: &'a str,
    sort_name: &'a str,
    display_artist: &'a str,
    explicit_status: &'a str,
    genres: Names<'a>,
    artists: Refs<'a>,
    moods: &'a [String],
}

impl<'a> DirectoryChild<'a> {
    /// An album as a directory.
    pub(in super::super) fn of_album(album: &'a Album) -> Self {
        let mine = &album.annotation;
        Self {
            id: Id(album.id.to_string()),
            parent: album.artists.first().map(|artist| Id(artist.id.to_string())),
            is_dir: true,
            title: &album.name,
            album: Some(&album.name),
            artist: some(&album.display_artist),
            year: album.year,
            genre: some(&album.genre),
            cover_art: CoverId::of(Item::Album(album.id), album.picture),
            duration: Some(seconds(album.duration_ms)),
            user_rating: mine.rating,
            average_rating: mine.average_rating,
            play_count: mine.play_count,
            created: Date(album.created_at),
            starred: mine.starred_at.map(Date),
            artist_id: album.artists.first().map(|artist| Id(artist.id)),
            media_type: "album",
            played: mine.played_at.map(Date),
            music_brainz_id: album.mbid.as_deref().unwrap_or_default(),
            sort_name: &album.sort_name,
            display_artist: &album.display_artist,
            explicit_status: &album.explicit,
            genres: Names(&album.genres),
            artists: Refs(&album.artists),
            moods: &album.moods,
            name: None,
        }
    }

    /// A directory.
    pub(in super::super) fn of_folder(folder: &'a Folder) -> Self {
        let mine = &folder.annotation;
        Self {
            id: Id(folder.id.to_string()),
            parent: folder.parent.map(|parent| Id(parent.to_string())),
            is_dir: true,
            title: &folder.name,
            cover_art: CoverId::of(Item::Folder(folder.id), folder.picture),
            user_rating: mine.rating,
            average_rating: mine.average_rating,
            play_count: mine.play_count,
            created: Date(folder.created_at),
            starred: mine.starred_at.map(Date),
            media_type: "album",
            played: mine.played_at.map(Date),
            sort_name: &folder.name,
            ..Self::default()
        }
    }
}

/// What a directory holds.
#[derive(Serialize)]
#[serde(untagged)]
#[expect(clippy::large_enum_variant, reason = "lives while one answer is written")]
pub(in super::super) enum Child<'a> {
    /// A directory or an album.
    Directory(DirectoryChild<'a>),
    /// A song.
    Song(Song<'a>),
}

/// One directory.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct Directory<'a> {
    id: Id<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<Id<String>>,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    starred: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_rating: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    average_rating: Option<f64>,
    play_count: u64,
    child: Vec<Child<'a>>,
}

impl<'a> Directory<'a> {
    /// A real directory with what lies in it.
    pub(in super::super) fn of_folder(
        folder: &'a Folder,
        subfolders: &'a [Folder],
        songs: Songs<'a>,
    ) -> Self {
        let folders =
            subfolders.iter().map(|each| Child::Directory(DirectoryChild::of_folder(each)));
        Self {
            id: Id(folder.id.to_string()),
            parent: folder.parent.map(|parent| Id(parent.to_string())),
            name: &folder.name,
            starred: folder.annotation.starred_at.map(Date),
            user_rating: folder.annotation.rating,
            average_rating: folder.annotation.average_rating,
            play_count: folder.annotation.play_count,
            child: folders.chain(songs.each().map(Child::Song)).collect(),
        }
    }

    /// An album with its songs.
    pub(in super::super) fn of_album(album: &'a Album, songs: Songs<'a>) -> Self {
        Self {
            id: Id(album.id.to_string()),
            parent: album.artists.first().map(|artist| Id(artist.id.to_string())),
            name: &album.name,
            starred: album.annotation.starred_at.map(Date),
            user_rating: album.annotation.rating,
            average_rating: album.annotation.average_rating,
            play_count: album.annotation.play_count,
            child: songs.each().map(Child::Song).collect(),
        }
    }

    /// An artist with his albums.
    pub(in super::super) fn of_artist(artist: &'a Artist, albums: &'a [Album]) -> Self {
        Self {
            id: Id(artist.id.to_string()),
            parent: None,
            name: &artist.name,
            starred: artist.annotation.starred_at.map(Date),
            user_rating: artist.annotation.rating,
            average_rating: artist.annotation.average_rating,
            play_count: artist.annotation.play_count,
            child: albums
                .iter()
                .map(|album| Child::Directory(DirectoryChild::of_album(album)))
                .collect(),
        }
    }
}
