//! `AlbumInfo` and `ArtistInfo`: what is known about a work beyond its tags. We ask nobody
//! outside: the MusicBrainz id, our own pictures, and artists like this one. The object is always
//! there (C19).

use serde::Serialize;

use super::super::{
    images::{Images, LARGE, MEDIUM, SMALL},
    xml::Text,
};
use crate::catalog::{Album, Artist, Item, Picture};

/// Addresses of one picture in three sizes.
#[derive(Default)]
pub(in super::super) struct ThreeSizes([Option<String>; 3]);

impl ThreeSizes {
    fn of(images: &Images, item: Item, picture: Option<Picture>) -> Self {
        let url = |edge| images.url(item, picture, edge).map(|url| url.to_string());
        Self([url(SMALL), url(MEDIUM), url(LARGE)])
    }

    /// Of an album.
    pub(in super::super) fn of_album(images: &Images, album: &Album) -> Self {
        Self::of(images, Item::Album(album.id), album.picture)
    }

    /// Of an artist.
    pub(in super::super) fn of_artist(images: &Images, artist: &Artist) -> Self {
        Self::of(images, Item::Artist(artist.id), artist.picture)
    }

    fn texts(&self) -> [Option<Text<'_>>; 3] {
        self.0.each_ref().map(|url| url.as_deref().map(Text))
    }
}

/// About an album.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct AlbumInfo<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    music_brainz_id: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    small_image_url: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    medium_image_url: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    large_image_url: Option<Text<'a>>,
}

impl<'a> AlbumInfo<'a> {
    /// What we know.
    pub(in super::super) fn of(album: &'a Album, pictures: &'a ThreeSizes) -> Self {
        let [small_image_url, medium_image_url, large_image_url] = pictures.texts();
        let music_brainz_id = album.mbid.as_deref().map(Text);
        Self { music_brainz_id, small_image_url, medium_image_url, large_image_url }
    }
}

/// About an artist. `S` is an artist as the view has him.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct ArtistInfo<'a, S> {
    #[serde(skip_serializing_if = "Option::is_none")]
    music_brainz_id: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    small_image_url: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    medium_image_url: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    large_image_url: Option<Text<'a>>,
    similar_artist: Vec<S>,
}

impl<S> Default for ArtistInfo<'_, S> {
    fn default() -> Self {
        Self {
            music_brainz_id: None,
            small_image_url: None,
            medium_image_url: None,
            large_image_url: None,
            similar_artist: Vec::new(),
        }
    }
}

impl<'a, S> ArtistInfo<'a, S> {
    /// What we know.
    pub(in super::super) fn of(
        artist: &'a Artist,
        pictures: &'a ThreeSizes,
        similar_artist: Vec<S>,
    ) -> Self {
        let [small_image_url, medium_image_url, large_image_url] = pictures.texts();
        let music_brainz_id = artist.mbid.as_deref().map(Text);
        Self { music_brainz_id, small_image_url, medium_image_url, large_image_url, similar_artist }
    }
}
