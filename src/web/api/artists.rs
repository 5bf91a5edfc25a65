//! Artists.

use actix_web::{
    HttpResponse,
    web::{Data, Path},
};
use serde::Deserialize;

use super::{
    caller::Caller,
    lists::{Window, window},
    shapes,
};
use crate::{
    Error,
    catalog::{AlbumFilter, AlbumOrder, ArtistFilter, ArtistRole, Page},
    ids::ArtistId,
    web::{Handles, failure::Answer, query::Query},
};

/// How many favourites an artist's page shows.
const TOP: u32 = 5;

/// Which artists.
#[derive(Deserialize)]
pub(super) struct Wanted {
    role: Option<Role>,
    #[serde(default)]
    starred: bool,
    #[serde(default)]
    offset: u32,
    limit: Option<u32>,
}

/// The roles of the panel.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Role {
    AlbumArtist,
    Artist,
    Composer,
    Any,
}

/// GET /artists
pub(super) async fn list(caller: Caller, of: Data<Handles>, query: Query<Wanted>) -> Answer {
    let role = match query.role {
        None | Some(Role::AlbumArtist) => ArtistRole::AlbumArtist,
        Some(Role::Artist) => ArtistRole::Artist,
        Some(Role::Composer) => ArtistRole::Composer,
        Some(Role::Any) => ArtistRole::Any,
    };
    let filter = ArtistFilter { role, starred: query.starred, ..ArtistFilter::default() };
    let page = Window::new(query.offset, query.limit).page();
    let list = of.catalog.artists(&caller.principal, &filter, page).await?;
    Ok(window(&list, shapes::artist))
}

/// GET /artists/ID
pub(super) async fn one(caller: Caller, of: Data<Handles>, id: Path<String>) -> Answer {
    let id = ArtistId::parse(&id).ok_or(Error::NotFound("Artist"))?;
    let who = &caller.principal;
    let artist = of.catalog.artist(who, id).await?;
    let own = AlbumFilter { album_artist: Some(id), ..AlbumFilter::default() };
    let guest = AlbumFilter { guest_artist: Some(id), ..AlbumFilter::default() };
    let page = Page { offset: 0, limit: 500 };
    let order = AlbumOrder::YearDescending;
    let albums = of.catalog.albums(who, &own, order, page).await?;
    let appears_on = of.catalog.albums(who, &guest, order, page).await?;
    let top = of.catalog.top_tracks(who, id, TOP).await?;
    let whole = shapes::whole_artist(&artist, &albums.items, &appears_on.items, &top);
    Ok(HttpResponse::Ok().json(whole))
}
