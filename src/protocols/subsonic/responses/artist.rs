//! `ArtistID3`, and `Artist` of the folder view.

use serde::Serialize;

use super::{
    super::{
        id::{CoverId, Id},
        images::{ImageUrl, Images, LARGE},
    },
    AlbumId3, Date, Mapped,
};
use crate::{
    catalog::{Album, Artist, Folder, Item},
    ids::ArtistId,
};

/// An artist, alone or with albums.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct ArtistId3<'a> {
    id: Id<ArtistId>,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cover_art: Option<CoverId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    artist_image_url: Option<ImageUrl<'a>>,
    album_count: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    starred: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_rating: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    average_rating: Option<f64>,
    music_brainz_id: &'a str,
    sort_name: &'a str,
    roles: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    album: Option<Mapped<'a, Album, AlbumId3<'a>>>,
}

impl<'a> ArtistId3<'a> {
    /// In a list.
    pub(in super::super) fn of(artist: &'a Artist, images: &'a Images) -> Self {
        let item = Item::Artist(artist.id);
        Self {
            id: Id(artist.id),
            name: &artist.name,
            cover_art: CoverId::of(item, artist.picture),
            artist_image_url: images.url(item, artist.picture, LARGE),
            album_count: artist.album_count,
            starred: artist.annotation.starred_at.map(Date),
            user_rating: artist.annotation.rating,
            average_rating: artist.annotation.average_rating,
            music_brainz_id: artist.mbid.as_deref().unwrap_or_default(),
            sort_name: &artist.sort_name,
            roles: &artist.roles,
            album: None,
        }
    }

    /// With albums.
    pub(in super::super) fn with_albums(
        artist: &'a Artist,
        albums: &'a [Album],
        images: &'a Images,
    ) -> Self {
        Self { album: Some(Mapped(albums, AlbumId3::of)), ..Self::of(artist, images) }
    }

    /// A list of them.
    pub(in super::super) fn all(artists: &'a [Artist], images: &'a Images) -> Vec<Self> {
        artists.iter().map(|artist| Self::of(artist, images)).collect()
    }
}

/// An entry of an index in the folder view: a top directory, or an artist.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct FolderArtist<'a> {
    id: Id<String>,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    artist_image_url: Option<ImageUrl<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    starred: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_rating: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    average_rating: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cover_art: Option<CoverId>,
}

impl<'a> FolderArtist<'a> {
    /// A directory.
    pub(in super::super) fn of_folder(folder: &'a Folder, images: &'a Images) -> Self {
        let item = Item::Folder(folder.id);
        Self {
            id: Id(folder.id.to_string()),
            name: &folder.name,
            artist_image_url: images.url(item, folder.picture, LARGE),
            starred: folder.annotation.starred_at.map(Date),
            user_rating: folder.annotation.rating,
            average_rating: folder.annotation.average_rating,
            cover_art: CoverId::of(item, folder.picture),
        }
    }

    /// An artist where the folder view asks for one (search, stars).
    pub(in super::super) fn of(artist: &'a Artist, images: &'a Images) -> Self {
        let item = Item::Artist(artist.id);
        Self {
            id: Id(artist.id.to_string()),
            name: &artist.name,
            artist_image_url: images.url(item, artist.picture, LARGE),
            starred: artist.annotation.starred_at.map(Date),
            user_rating: artist.annotation.rating,
            average_rating: artist.annotation.average_rating,
            cover_art: CoverId::of(item, artist.picture),
        }
    }

    /// A list of artists.
    pub(in super::super) fn all(artists: &'a [Artist], images: &'a Images) -> Vec<Self> {
        artists.iter().map(|artist| Self::of(artist, images)).collect()
    }
}
