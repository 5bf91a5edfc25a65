//! Ids of either view where one is expected: apps mix them, and keep them for years (C18). A
//! directory stands for the album or artist of most of what lies in it.

use super::super::{call::Call, failure::Failure, id};
use crate::{
    catalog::{Album, AlbumFilter, AlbumOrder, Artist, Item, Page},
    ids::{AlbumId, ArtistId},
};

/// The album of a required parameter.
pub(super) async fn album(call: &Call, name: &'static str) -> Result<AlbumId, Failure> {
    match id::required(&call.params, name)? {
        Item::Album(id) => Ok(id),
        Item::Folder(id) => {
            let album = call.catalog().folder_album(&call.principal, id).await?;
            album.ok_or_else(|| Failure::not_found("Album"))
        }
        _ => Err(Failure::not_found("Album")),
    }
}

/// The artist of a required parameter.
pub(super) async fn artist(call: &Call, name: &'static str) -> Result<ArtistId, Failure> {
    match id::required(&call.params, name)? {
        Item::Artist(id) => Ok(id),
        Item::Folder(id) => {
            let artist = call.catalog().folder_artist(&call.principal, id).await?;
            artist.ok_or_else(|| Failure::not_found("Artist"))
        }
        _ => Err(Failure::not_found("Artist")),
    }
}

/// The albums of an artist, oldest first; of a guest, who has none of his own, those that he
/// appears on (C16).
pub(super) async fn albums_of(call: &Call, artist: &Artist) -> Result<Vec<Album>, Failure> {
    let filter = if artist.album_count > 0 {
        AlbumFilter { album_artist: Some(artist.id), ..AlbumFilter::default() }
    } else {
        AlbumFilter { guest_artist: Some(artist.id), ..AlbumFilter::default() }
    };
    let (who, order) = (&call.principal, AlbumOrder::Year);
    Ok(call.catalog().albums(who, &filter, order, Page::ALL).await?.items)
}
