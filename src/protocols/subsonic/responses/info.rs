//! `AlbumInfo` and `ArtistInfo`: what is known of a work or its maker beyond the tags, with our own
//! pictures before others', and artists like this one. The object is always there (C19).

use serde::Serialize;

use super::{
    super::{
        images::{Images, LARGE, MEDIUM, SMALL},
        xml::Text,
    },
    ArtistId3, FolderArtist, some,
};
use crate::{
    catalog::{Album, Artist, Item, Picture},
    outside::{About, Similar},
};

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

    /// These, or where there are none, those that others have.
    pub(in super::super) fn or(self, about: &About) -> Self {
        match (&self.0, &about.pictures) {
            ([None, ..], Some(pictures)) => Self(pictures.each_ref().map(|url| Some(url.clone()))),
            _ => self,
        }
    }

    fn texts(&self) -> [Option<Text<'_>>; 3] {
        self.0.each_ref().map(|url| url.as_deref().map(Text))
    }
}

/// What both have; the children are text.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Links<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    music_brainz_id: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_fm_url: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    small_image_url: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    medium_image_url: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    large_image_url: Option<Text<'a>>,
}

impl<'a> Links<'a> {
    fn of(about: &'a About, pictures: &'a ThreeSizes) -> Self {
        let [small_image_url, medium_image_url, large_image_url] = pictures.texts();
        Self {
            music_brainz_id: about.mbid.as_deref().map(Text),
            last_fm_url: some(&about.lastfm_url).map(Text),
            small_image_url,
            medium_image_url,
            large_image_url,
        }
    }
}

/// About an album.
#[derive(Serialize, Default)]
pub(in super::super) struct AlbumInfo<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<Text<'a>>,
    #[serde(flatten)]
    links: Links<'a>,
}

impl<'a> AlbumInfo<'a> {
    /// What we know.
    pub(in super::super) fn of(about: &'a About, pictures: &'a ThreeSizes) -> Self {
        Self { notes: some(&about.text).map(Text), links: Links::of(about, pictures) }
    }
}

/// About an artist; `S` is how artists like him are written.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct ArtistInfo<'a, S> {
    #[serde(skip_serializing_if = "Option::is_none")]
    biography: Option<Text<'a>>,
    #[serde(flatten)]
    links: Links<'a>,
    similar_artist: Vec<S>,
}

impl<'a, S> ArtistInfo<'a, S> {
    /// What we know.
    pub(in super::super) fn of(
        about: &'a About,
        pictures: &'a ThreeSizes,
        similar_artist: Vec<S>,
    ) -> Self {
        let biography = some(&about.text).map(Text);
        Self { biography, links: Links::of(about, pictures), similar_artist }
    }
}

/// An artist like another; one who is not here has the id -1, as ever.
#[derive(Serialize)]
#[serde(untagged)]
pub(in super::super) enum SimilarArtist<'a, A> {
    /// Here.
    Here(A),
    /// Known by name.
    Elsewhere {
        /// -1
        id: &'static str,
        /// Name.
        name: &'a str,
        /// XML of the tag view needs it.
        #[serde(rename = "albumCount", skip_serializing_if = "Option::is_none")]
        album_count: Option<u32>,
    },
}

impl<'a> SimilarArtist<'a, ArtistId3<'a>> {
    /// For the tag view.
    pub(in super::super) fn by_tags(similar: &'a Similar, images: &'a Images) -> Self {
        match similar {
            Similar::Here(artist) => Self::Here(ArtistId3::of(artist, images)),
            Similar::Elsewhere(name) => Self::Elsewhere { id: "-1", name, album_count: Some(0) },
        }
    }
}

impl<'a> SimilarArtist<'a, FolderArtist<'a>> {
    /// For the folder view.
    pub(in super::super) fn by_folders(similar: &'a Similar, images: &'a Images) -> Self {
        match similar {
            Similar::Here(artist) => Self::Here(FolderArtist::of(artist, images)),
            Similar::Elsewhere(name) => Self::Elsewhere { id: "-1", name, album_count: None },
        }
    }
}
