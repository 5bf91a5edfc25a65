//! What follows from how music sounds: radios, artists like another, and how far the box has
//! listened.

use actix_web::{
    HttpResponse,
    web::{Data, Json, Path},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    caller::Caller,
    lists::{all, item},
    shapes,
};
use crate::{
    Error,
    analysis::Status,
    ids::ArtistId,
    web::{Handles, failure::Answer, query::Query},
};

/// No radio is made longer at once.
const LONGEST: u32 = 200;

/// How many.
#[derive(Deserialize)]
pub(super) struct Wanted {
    limit: Option<u32>,
}

/// The switch.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Switch {
    on: bool,
}

/// GET /radio/ID
pub(super) async fn radio(
    caller: Caller,
    of: Data<Handles>,
    id: Path<String>,
    query: Query<Wanted>,
) -> Answer {
    let count = query.limit.unwrap_or(50).min(LONGEST);
    let tracks = of.catalog.similar_tracks(&caller.principal, item(&id)?, count).await?;
    Ok(all(tracks.iter().map(shapes::track)))
}

/// GET /artists/ID/similar
pub(super) async fn artists(
    caller: Caller,
    of: Data<Handles>,
    id: Path<String>,
    query: Query<Wanted>,
) -> Answer {
    let id = ArtistId::parse(&id).ok_or(Error::NotFound("Artist"))?;
    let count = query.limit.unwrap_or(12).min(LONGEST);
    let artists = of.catalog.similar_artists(&caller.principal, id, count).await?;
    Ok(all(artists.iter().map(shapes::artist)))
}

/// GET /analysis
pub(super) async fn show(caller: Caller, of: Data<Handles>) -> Answer {
    let status = of.analysis.status(&caller.principal).await?;
    Ok(HttpResponse::Ok().json(shape(&status)))
}

/// PUT /analysis
pub(super) async fn switch(caller: Caller, of: Data<Handles>, switch: Json<Switch>) -> Answer {
    of.analysis.switch(&caller.principal, switch.on).await?;
    show(caller, of).await
}

fn shape(status: &Status) -> Value {
    json!({
        "phase": status.phase.name(),
        "tracks": status.counts.tracks,
        "done": status.counts.done,
        "unheard": status.counts.unheard,
    })
}
