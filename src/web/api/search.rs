//! Search and genres.

use actix_web::{
    HttpResponse,
    web::{Data, Query},
};
use serde::Deserialize;
use serde_json::json;

use super::{caller::Caller, lists::all, shapes};
use crate::{
    catalog::Page,
    web::{Handles, failure::Answer},
};

/// What to look for.
#[derive(Deserialize)]
pub(super) struct Wanted {
    q: String,
}

/// GET /search
pub(super) async fn search(caller: Caller, of: Data<Handles>, query: Query<Wanted>) -> Answer {
    let (who, text) = (&caller.principal, query.q.as_str());
    let page = |limit| Page { offset: 0, limit };
    let artists = of.catalog.search_artists(who, text, None, page(12)).await?.items;
    let albums = of.catalog.search_albums(who, text, None, page(18)).await?.items;
    let tracks = of.catalog.search_tracks(who, text, None, page(20)).await?.items;
    Ok(HttpResponse::Ok().json(json!({
        "artists": artists.iter().map(shapes::artist).collect::<Vec<_>>(),
        "albums": albums.iter().map(shapes::album).collect::<Vec<_>>(),
        "tracks": tracks.iter().map(shapes::track).collect::<Vec<_>>(),
    })))
}

/// GET /genres
pub(super) async fn genres(caller: Caller, of: Data<Handles>) -> Answer {
    let genres = of.catalog.genres(&caller.principal).await?;
    Ok(all(genres.iter().map(|genre| {
        json!({ "name": genre.name, "trackCount": genre.track_count, "albumCount": genre.album_count })
    })))
}
