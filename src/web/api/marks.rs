//! What listening leaves: stars, and how playback goes.

use actix_web::web::{Data, Json, Path};
use serde::Deserialize;

use super::{
    caller::Caller,
    lists::{done, item},
};
use crate::{
    Error,
    catalog::{ListenSource, Starred},
    ids::{EpisodeId, TrackId},
    playback::{Counting, Media, PlayState, Player, Report},
    web::{Handles, failure::Answer},
};

/// What a player of the panel says of itself.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Playing {
    track: String,
    state: String,
    /// Seconds.
    position: f64,
    /// Which tab of which browser, as it calls itself.
    #[serde(default)]
    device: String,
}

/// PUT /stars/ID
pub(super) async fn star(caller: Caller, of: Data<Handles>, id: Path<String>) -> Answer {
    set_starred(&caller, &of, &id, Starred::Yes).await
}

/// DELETE /stars/ID
pub(super) async fn unstar(caller: Caller, of: Data<Handles>, id: Path<String>) -> Answer {
    set_starred(&caller, &of, &id, Starred::No).await
}

impl Playing {
    fn as_report(&self, media: Media, state: PlayState) -> Report {
        Report {
            media,
            state,
            position_ms: (self.position.max(0.0) * 1000.0) as u64,
            rate: 1.0,
            counting: Counting::Listens,
            source: ListenSource::Player,
        }
    }
}

/// POST /playback
pub(super) async fn report(caller: Caller, of: Data<Handles>, playing: Json<Playing>) -> Answer {
    let state = PlayState::parse(&playing.state)
        .ok_or_else(|| Error::Invalid(format!("{:?} is not a state", playing.state)))?;
    if let Some(episode) = EpisodeId::parse(&playing.track) {
        let (who, podcasts) = (&caller.principal, &of.outside.podcasts);
        let found = podcasts.episode(who, episode).await?;
        let player = Player { client: super::CLIENT, device: &playing.device };
        let report = playing.as_report(Media::Episode(episode), state);
        of.playback.report_episode(who, found.duration_ms, player, &report).await?;
        if state == PlayState::Stopped {
            podcasts.stopped(who, episode, report.position_ms).await?;
        }
        return Ok(done());
    }
    let track = TrackId::parse(&playing.track).ok_or(Error::NotFound("Track"))?;
    let report = playing.as_report(Media::Track(track), state);
    let player = Player { client: super::CLIENT, device: &playing.device };
    of.playback.report(&caller.principal, player, &report).await?;
    Ok(done())
}

/// Episodes of podcasts are kept apart from music.
async fn set_starred(caller: &Caller, of: &Handles, id: &str, starred: Starred) -> Answer {
    let who = &caller.principal;
    match EpisodeId::parse(id) {
        Some(episode) => of.outside.podcasts.set_starred(who, episode, starred).await?,
        None => of.catalog.set_starred(who, item(id)?, starred).await?,
    }
    Ok(done())
}
