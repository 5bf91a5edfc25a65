//! `AlbumInfo` and `ArtistInfo`: what is known about a work beyond its tags. We ask nobody
//! outside, so only the MusicBrainz id is told; the object is always there (C19).

use serde::Serialize;

use super::super::xml::Text;
use crate::catalog::{Album, Artist};

/// About an album.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct AlbumInfo<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    music_brainz_id: Option<Text<'a>>,
}

impl<'a> AlbumInfo<'a> {
    /// What we know.
    pub(in super::super) fn of(album: &'a Album) -> Self {
        Self { music_brainz_id: album.mbid.as_deref().map(Text) }
    }
}

/// About an artist.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct ArtistInfo<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    music_brainz_id: Option<Text<'a>>,
    similar_artist: &'a [u8],
}

impl<'a> ArtistInfo<'a> {
    /// What we know.
    pub(in super::super) fn of(artist: &'a Artist) -> Self {
        Self { music_brainz_id: artist.mbid.as_deref().map(Text), similar_artist: &[] }
    }
}
