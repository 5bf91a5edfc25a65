//! What all lists share: the window asked for, the answer, and ids in addresses.

use actix_web::HttpResponse;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;

use crate::{
    Error, Result,
    catalog::{Item, List, Page},
    ids::{AlbumId, ArtistId, PlaylistId, TrackId},
};

/// No window is longer.
const MAX_LIMIT: u32 = 1000;

/// `offset` and `limit` of a query.
#[derive(Debug)]
pub(super) struct Window {
    offset: u32,
    limit: Option<u32>,
}

impl Window {
    pub(super) fn new(offset: u32, limit: Option<u32>) -> Self {
        Self { offset, limit }
    }

    pub(super) fn page(&self) -> Page {
        Page { offset: self.offset, limit: self.limit.unwrap_or(100).min(MAX_LIMIT) }
    }
}

/// A window of a list with the length of the whole.
pub(super) fn window<T, S: Serialize>(list: &List<T>, shape: impl Fn(&T) -> S) -> HttpResponse {
    let items: Vec<S> = list.items.iter().map(shape).collect();
    HttpResponse::Ok().json(json!({ "items": items, "total": list.total }))
}

/// A list that is all there.
pub(super) fn all<S: Serialize>(items: impl IntoIterator<Item = S>) -> HttpResponse {
    let items: Vec<S> = items.into_iter().collect();
    HttpResponse::Ok().json(json!({ "items": items }))
}

/// A member that was sent, if only as null.
pub(super) fn sent<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> std::result::Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

/// Done, and nothing to tell.
pub(super) fn done() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

/// Something with an annotation or a cover, by its public id.
pub(super) fn item(id: &str) -> Result<Item> {
    let parsed = TrackId::parse(id)
        .map(Item::Track)
        .or_else(|| AlbumId::parse(id).map(Item::Album))
        .or_else(|| ArtistId::parse(id).map(Item::Artist))
        .or_else(|| PlaylistId::parse(id).map(Item::Playlist));
    parsed.ok_or(Error::NotFound("Item"))
}

/// Track ids of a body; a wrong one is the sender's mistake.
pub(super) fn track_ids(ids: &[String]) -> Result<Vec<TrackId>> {
    let parse = |id: &String| {
        TrackId::parse(id).ok_or_else(|| Error::Invalid(format!("{id:?} is not the id of a track")))
    };
    ids.iter().map(parse).collect()
}
