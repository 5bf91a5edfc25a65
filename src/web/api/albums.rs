//! Albums.

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
    catalog::{AlbumFilter, AlbumOrder},
    ids::{AlbumId, ArtistId, LibraryId},
    web::{Handles, failure::Answer, query::Query},
};

/// Which albums, in which order.
#[derive(Deserialize)]
pub(super) struct Wanted {
    order: Option<Order>,
    artist: Option<String>,
    genre: Option<String>,
    library: Option<String>,
    from_year: Option<i32>,
    to_year: Option<i32>,
    #[serde(default)]
    starred: bool,
    // Not flattened: a flattened field makes every number of a query a string.
    #[serde(default)]
    offset: u32,
    limit: Option<u32>,
}

/// The orders of the panel.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Order {
    Name,
    Artist,
    Newest,
    Recent,
    Frequent,
    Starred,
    Year,
    YearDescending,
    Random,
}

/// GET /albums
pub(super) async fn list(caller: Caller, of: Data<Handles>, query: Query<Wanted>) -> Answer {
    let order = query.order.unwrap_or(Order::Name);
    let filter = AlbumFilter {
        library: query.library.as_deref().and_then(LibraryId::parse),
        album_artist: query.artist.as_deref().and_then(ArtistId::parse),
        genre: query.genre.clone(),
        from_year: query.from_year,
        to_year: query.to_year,
        starred: query.starred || matches!(order, Order::Starred),
        played: matches!(order, Order::Recent | Order::Frequent),
        ..AlbumFilter::default()
    };
    let page = Window::new(query.offset, query.limit).page();
    let list = of.catalog.albums(&caller.principal, &filter, order.into(), page).await?;
    Ok(window(&list, shapes::album))
}

/// GET /albums/ID
pub(super) async fn one(caller: Caller, of: Data<Handles>, id: Path<String>) -> Answer {
    let id = AlbumId::parse(&id).ok_or(Error::NotFound("Album"))?;
    let album = of.catalog.album(&caller.principal, id).await?;
    let tracks = of.catalog.album_tracks(&caller.principal, id).await?;
    let also_in = of.catalog.also_in(&caller.principal, id).await?;
    Ok(HttpResponse::Ok().json(shapes::whole_album(&album, &tracks, also_in)))
}

impl From<Order> for AlbumOrder {
    fn from(order: Order) -> Self {
        match order {
            Order::Name => Self::Name,
            Order::Artist => Self::Artist,
            Order::Newest => Self::Newest,
            Order::Recent => Self::Recent,
            Order::Frequent => Self::Frequent,
            Order::Starred => Self::Starred,
            Order::Year => Self::Year,
            Order::YearDescending => Self::YearDescending,
            Order::Random => Self::Random,
        }
    }
}
