//! What listening leaves: stars, listens, what plays now.

use actix_web::web::{Data, Json, Path};
use serde::Deserialize;

use super::{
    caller::Caller,
    lists::{done, item, track_ids},
};
use crate::{
    catalog::{Listen, ListenSource, Starred},
    clock::Millis,
    web::{Handles, failure::Answer},
};

/// A track.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Playing {
    track: String,
}

/// A track that was heard.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Heard {
    track: String,
    /// When it began, ms since the epoch.
    at: Millis,
    /// How much of it sounded, seconds.
    heard: Option<f64>,
}

/// PUT /stars/ID
pub(super) async fn star(caller: Caller, of: Data<Handles>, id: Path<String>) -> Answer {
    of.catalog.set_starred(&caller.principal, item(&id)?, Starred::Yes).await?;
    Ok(done())
}

/// DELETE /stars/ID
pub(super) async fn unstar(caller: Caller, of: Data<Handles>, id: Path<String>) -> Answer {
    of.catalog.set_starred(&caller.principal, item(&id)?, Starred::No).await?;
    Ok(done())
}

/// POST /listens
pub(super) async fn listened(caller: Caller, of: Data<Handles>, heard: Json<Heard>) -> Answer {
    let heard = heard.into_inner();
    let heard_ms = heard.heard.map(|seconds| (seconds.max(0.0) * 1000.0) as u64);
    let listens: Vec<_> = track_ids(&[heard.track])?
        .into_iter()
        .map(|track| Listen {
            track,
            at: Some(heard.at),
            client: super::CLIENT.to_owned(),
            source: ListenSource::Player,
            heard_ms,
            ended_at: None,
        })
        .collect();
    of.catalog.record_listens(&caller.principal, &listens).await?;
    Ok(done())
}

/// POST /now-playing
pub(super) async fn now_playing(
    caller: Caller,
    of: Data<Handles>,
    playing: Json<Playing>,
) -> Answer {
    for track in track_ids(&[playing.into_inner().track])? {
        of.playback.set_now_playing(&caller.principal, track, super::CLIENT).await?;
    }
    Ok(done())
}
