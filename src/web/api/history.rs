//! The history of who is signed in: every listen, and what they add up to.

use actix_web::{
    HttpResponse,
    web::{Data, Path},
};
use serde::Deserialize;
use serde_json::json;

use super::{
    caller::Caller,
    lists::{Window, done, window},
    shapes,
};
use crate::{
    Error,
    catalog::Heard,
    clock::Millis,
    ids::ListenId,
    web::{Handles, failure::Answer, query::Query},
};

/// Which window of the list.
#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    offset: u32,
    limit: Option<u32>,
}

/// Which while.
#[derive(Deserialize)]
pub(super) struct While {
    /// Inclusive, ms since the epoch.
    from: Millis,
    /// Exclusive, ms since the epoch.
    to: Millis,
    /// How far the browser's clock is ahead of UTC, minutes.
    #[serde(default)]
    zone: i32,
}

/// GET /history
pub(super) async fn list(caller: Caller, of: Data<Handles>, query: Query<Wanted>) -> Answer {
    let page = Window::new(query.offset, query.limit).page();
    let list = of.catalog.history(&caller.principal, page).await?;
    Ok(window(&list, |heard: &Heard| {
        json!({
            "id": heard.id.to_string(),
            "at": heard.at,
            "client": heard.client,
            "source": heard.source.as_str(),
            "heard": heard.heard_ms.map(|ms| ms as f64 / 1000.0),
            "track": shapes::track(&heard.track),
        })
    }))
}

/// DELETE /history/ID
pub(super) async fn remove(caller: Caller, of: Data<Handles>, id: Path<String>) -> Answer {
    let id = ListenId::parse(&id).ok_or(Error::NotFound("Listen"))?;
    of.catalog.remove_listen(&caller.principal, id).await?;
    Ok(done())
}

/// GET /history/summary
pub(super) async fn summary(caller: Caller, of: Data<Handles>, query: Query<While>) -> Answer {
    let zone = i64::from(query.zone.clamp(-24 * 60, 24 * 60)) * 60_000;
    let sum = of.catalog.listening(&caller.principal, query.from, query.to, zone).await?;
    Ok(HttpResponse::Ok().json(json!({
        "listens": sum.listens,
        "heard": sum.heard_ms as f64 / 1000.0,
        "tracks": sum.tracks,
        "topArtists": sum.top_artists.iter()
            .map(|(artist, plays)| json!({ "plays": plays, "artist": shapes::artist(artist) }))
            .collect::<Vec<_>>(),
        "topAlbums": sum.top_albums.iter()
            .map(|(album, plays)| json!({ "plays": plays, "album": shapes::album(album) }))
            .collect::<Vec<_>>(),
        "topTracks": sum.top_tracks.iter()
            .map(|(track, plays)| json!({ "plays": plays, "track": shapes::track(track) }))
            .collect::<Vec<_>>(),
        // Days since the epoch, in the browser's zone.
        "days": sum.days,
    })))
}
