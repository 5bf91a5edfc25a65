//! The speakers of the house, driven from the panel.

use std::time::Duration;

use actix_web::{
    HttpResponse,
    web::{Data, Json},
};
use serde::Deserialize;
use serde_json::json;

use super::{caller::Caller, lists::track_ids, shapes};
use crate::{
    Error, Result,
    accounts::Principal,
    ids::TrackId,
    playback::{Command, Snapshot},
    web::{Handles, failure::Answer},
};

/// What is wanted of them. Positions count what the person sees.
#[derive(Deserialize)]
#[serde(tag = "action", rename_all = "camelCase", deny_unknown_fields)]
pub(super) enum Wanted {
    Start,
    Stop,
    Skip {
        index: usize,
        /// Seconds.
        #[serde(default)]
        offset: f64,
    },
    Add {
        tracks: Vec<String>,
    },
    /// Replaces the queue and plays from `index`.
    Play {
        tracks: Vec<String>,
        #[serde(default)]
        index: usize,
        /// Seconds.
        #[serde(default)]
        offset: f64,
    },
    Clear,
    Remove {
        index: usize,
    },
    Shuffle,
    Gain {
        /// 0.0 to 1.0.
        gain: f32,
    },
}

/// GET /jukebox
pub(super) async fn show(caller: Caller, of: Data<Handles>) -> Answer {
    if !of.jukebox.is_there() {
        return Ok(HttpResponse::Ok().json(json!({ "there": false })));
    }
    let now = of.jukebox.control(&caller.principal, Command::Look).await?;
    shape(&of, &caller.principal, &now).await
}

/// POST /jukebox
pub(super) async fn control(caller: Caller, of: Data<Handles>, wanted: Json<Wanted>) -> Answer {
    let who = &caller.principal;
    let run = async |command| of.jukebox.control(who, command).await;
    let now = match wanted.into_inner() {
        Wanted::Start => run(Command::Start).await?,
        Wanted::Stop => run(Command::Stop).await?,
        Wanted::Skip { index, offset } => {
            let index = place(&of, who, &run(Command::Look).await?, index).await?;
            run(Command::Skip { index, offset: seconds(offset)? }).await?
        }
        Wanted::Add { tracks } => run(Command::Add(visible(&of, who, &tracks).await?)).await?,
        Wanted::Play { tracks, index, offset } => {
            let tracks = visible(&of, who, &tracks).await?;
            run(Command::Set(tracks)).await?;
            run(Command::Skip { index, offset: seconds(offset)? }).await?
        }
        Wanted::Clear => run(Command::Clear).await?,
        Wanted::Remove { index } => {
            let index = place(&of, who, &run(Command::Look).await?, index).await?;
            run(Command::Remove(index)).await?
        }
        Wanted::Shuffle => run(Command::Shuffle).await?,
        Wanted::Gain { gain } => run(Command::SetGain(gain)).await?,
    };
    shape(&of, who, &now).await
}

fn seconds(offset: f64) -> Result<Duration> {
    Duration::try_from_secs_f64(offset)
        .map_err(|_| Error::Invalid("The offset is not a time".to_owned()))
}

async fn visible(of: &Handles, who: &Principal, ids: &[String]) -> Result<Vec<TrackId>> {
    let tracks = of.catalog.tracks_by_id(who, &track_ids(ids)?).await?;
    Ok(tracks.into_iter().map(|track| track.id).collect())
}

/// The places of the whole queue that the person sees.
async fn places(of: &Handles, who: &Principal, now: &Snapshot) -> Result<Vec<usize>> {
    let ids: Vec<TrackId> = now.entries.iter().map(|entry| entry.track).collect();
    let seen = of.catalog.tracks_by_id(who, &ids).await?;
    let is_seen = |id: &TrackId| seen.iter().any(|track| track.id == *id);
    Ok(ids.iter().enumerate().filter(|(_, id)| is_seen(id)).map(|(place, _)| place).collect())
}

async fn place(of: &Handles, who: &Principal, now: &Snapshot, index: usize) -> Result<usize> {
    let places = places(of, who, now).await?;
    let missing = || Error::Invalid("There is no such place in the queue".to_owned());
    places.get(index).copied().ok_or_else(missing)
}

async fn shape(of: &Handles, who: &Principal, now: &Snapshot) -> Answer {
    let places = places(of, who, now).await?;
    let ids: Vec<TrackId> = places.iter().map(|place| now.entries[*place].track).collect();
    let tracks = of.catalog.tracks_by_id(who, &ids).await?;
    let current = now.current.and_then(|at| places.iter().position(|place| *place == at));
    Ok(HttpResponse::Ok().json(json!({
        "there": true,
        "output": now.output,
        "playing": now.is_playing,
        "gain": now.gain,
        "current": current,
        "position": now.position_ms as f64 / 1000.0,
        "trouble": now.trouble,
        "tracks": tracks.iter().map(shapes::track).collect::<Vec<_>>(),
    })))
}
