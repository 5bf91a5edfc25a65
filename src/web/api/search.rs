//! Search and genres.

use actix_web::{HttpResponse, web::Data};
use serde::Deserialize;
use serde_json::json;

use super::{caller::Caller, lists::all, shapes};
use crate::{
    catalog::{Page, Wanted},
    web::{Handles, failure::Answer, query::Query},
};

/// What to look for.
#[derive(Deserialize)]
pub(super) struct Words {
    q: String,
}

/// GET /search
pub(super) async fn search(caller: Caller, of: Data<Handles>, query: Query<Words>) -> Answer {
    let (who, text) = (&caller.principal, query.q.as_str());
    let page = |limit| Page { offset: 0, limit };
    let wanted = Wanted { artists: page(12), albums: page(18), tracks: page(20) };
    let found = of.catalog.search(who, text, None, wanted).await?;
    Ok(HttpResponse::Ok().json(json!({
        "artists": found.artists.iter().map(shapes::artist).collect::<Vec<_>>(),
        "albums": found.albums.iter().map(shapes::album).collect::<Vec<_>>(),
        "tracks": found.tracks.iter().map(shapes::track).collect::<Vec<_>>(),
    })))
}

/// GET /genres
pub(super) async fn genres(caller: Caller, of: Data<Handles>) -> Answer {
    let genres = of.catalog.genres(&caller.principal).await?;
    Ok(all(genres.iter().map(|genre| {
        json!({ "name": genre.name, "trackCount": genre.track_count, "albumCount": genre.album_count })
    })))
}
