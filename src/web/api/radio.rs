//! Stations of internet radio.

use actix_web::{
    HttpResponse,
    web::{Bytes, Data, Json, Path},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    caller::Caller,
    lists::{all, done},
};
use crate::{
    Error, Result,
    ids::StationId,
    outside::{Station, StationDraft},
    web::{Handles, failure::Answer},
};

/// Largest picture that is taken, bytes.
pub(super) const LARGEST_PICTURE: usize = 10 << 20;

/// What a station is to be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Draft {
    name: String,
    stream_url: String,
    #[serde(default)]
    homepage_url: String,
}

impl From<Draft> for StationDraft {
    fn from(draft: Draft) -> Self {
        let homepage_url = Some(draft.homepage_url);
        Self { name: draft.name, stream_url: draft.stream_url, homepage_url }
    }
}

/// GET /radio
pub(super) async fn list(caller: Caller, of: Data<Handles>) -> Answer {
    let stations = of.outside.radio.stations(&caller.principal).await?;
    Ok(all(stations.iter().map(shape)))
}

/// POST /radio
pub(super) async fn create(caller: Caller, of: Data<Handles>, draft: Json<Draft>) -> Answer {
    let draft = draft.into_inner().into();
    let id = of.outside.radio.create(&caller.principal, &draft).await?;
    Ok(HttpResponse::Created().json(json!({ "id": id.to_string() })))
}

/// PUT /radio/ID
pub(super) async fn update(
    caller: Caller,
    of: Data<Handles>,
    id: Path<String>,
    draft: Json<Draft>,
) -> Answer {
    let draft = draft.into_inner().into();
    of.outside.radio.update(&caller.principal, station(&id)?, &draft).await?;
    Ok(done())
}

/// DELETE /radio/ID
pub(super) async fn remove(caller: Caller, of: Data<Handles>, id: Path<String>) -> Answer {
    of.outside.radio.remove(&caller.principal, station(&id)?).await?;
    Ok(done())
}

/// PUT /radio/ID/cover: the picture's bytes.
pub(super) async fn set_cover(
    caller: Caller,
    of: Data<Handles>,
    id: Path<String>,
    bytes: Bytes,
) -> Answer {
    of.outside.radio.set_picture(&caller.principal, station(&id)?, bytes).await?;
    Ok(done())
}

fn station(id: &str) -> Result<StationId> {
    StationId::parse(id).ok_or(Error::NotFound("Station"))
}

fn shape(station: &Station) -> Value {
    let hash = station.picture.as_deref().and_then(|hash| hash.get(..8));
    json!({
        "id": station.id.to_string(),
        "name": station.name,
        "streamUrl": station.stream_url,
        "homepageUrl": station.homepage_url,
        "cover": hash.map(|hash| format!("{}_{hash}", station.id)),
    })
}
