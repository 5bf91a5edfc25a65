//! What goes out to the internet: what is on, and for administrators the switches.

use actix_web::{
    HttpResponse,
    web::{Data, Json, Path},
};
use serde::Deserialize;
use serde_json::json;

use super::{caller::Caller, lists::done};
use crate::{
    Error,
    accounts::{Feature, LastFmKeys},
    web::{Handles, failure::Answer},
};

/// A switch.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Switch {
    on: bool,
}

/// Last.fm's keys of this server.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Keys {
    key: String,
    secret: String,
}

/// GET /outside
pub(super) async fn show(caller: Caller, of: Data<Handles>) -> Answer {
    let mut features = Vec::new();
    for feature in Feature::ALL {
        features.push(json!({
            "name": feature.name(),
            "on": of.outside.is_on(feature).await?,
            "forbidden": of.outside.is_forbidden(feature),
        }));
    }
    let keys = of.accounts.lastfm_keys().await?;
    let shown = keys.as_ref().filter(|_| caller.principal.is_admin()).map(|keys| &keys.key);
    Ok(HttpResponse::Ok().json(json!({
        "features": features,
        "lastfm": { "ready": keys.is_some(), "key": shown },
    })))
}

/// PUT /outside/FEATURE
pub(super) async fn switch(
    caller: Caller,
    of: Data<Handles>,
    name: Path<String>,
    switch: Json<Switch>,
) -> Answer {
    let feature = Feature::ALL.into_iter().find(|feature| feature.name() == name.as_str());
    let feature = feature.ok_or(Error::NotFound("Feature"))?;
    of.outside.set_on(&caller.principal, feature, switch.on).await?;
    Ok(done())
}

/// PUT /outside/lastfm/keys
pub(super) async fn set_keys(caller: Caller, of: Data<Handles>, keys: Json<Keys>) -> Answer {
    let keys = keys.into_inner();
    let keys = LastFmKeys { key: keys.key.trim().into(), secret: keys.secret.trim().into() };
    of.accounts.set_lastfm_keys(&caller.principal, Some(&keys)).await?;
    Ok(done())
}

/// DELETE /outside/lastfm/keys
pub(super) async fn forget_keys(caller: Caller, of: Data<Handles>) -> Answer {
    of.accounts.set_lastfm_keys(&caller.principal, None).await?;
    Ok(done())
}
