//! Where one's listens are passed on to.

use actix_web::{
    HttpResponse,
    web::{Data, Json, Path},
};
use serde::Deserialize;
use serde_json::json;

use super::{caller::Caller, lists::done};
use crate::{
    Error, Result,
    accounts::Feature,
    outside::Service,
    web::{Handles, failure::Answer},
};

/// A token: of Last.fm's sign-in, or of one's page at ListenBrainz.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Token {
    token: String,
}

/// What is passed on beside listens.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Choice {
    stars: bool,
}

/// GET /scrobbling
pub(super) async fn show(caller: Caller, of: Data<Handles>) -> Answer {
    let scrobbling = &of.outside.scrobbling;
    let accounts = scrobbling.accounts(&caller.principal).await?;
    let items: Vec<_> = accounts
        .iter()
        .map(|one| {
            json!({
                "service": one.service.name(),
                "name": one.name,
                "stars": one.sends_stars,
                "error": one.error,
                "broken": one.is_broken,
                "sent": one.sent,
                "sentAt": one.sent_at,
                "refused": one.refused,
                "waiting": one.waiting,
            })
        })
        .collect();
    Ok(HttpResponse::Ok().json(json!({
        "on": of.outside.is_on(Feature::Scrobbling).await?,
        "lastfm": scrobbling.has_lastfm().await?,
        "items": items,
    })))
}

/// POST /scrobbling/lastfm: the page to agree on, and the token to come back with.
pub(super) async fn begin_lastfm(caller: Caller, of: Data<Handles>) -> Answer {
    let begun = of.outside.scrobbling.begin_lastfm(&caller.principal).await?;
    Ok(HttpResponse::Ok().json(json!({ "url": begun.url, "token": begun.token })))
}

/// PUT /scrobbling/SERVICE: connects with a token.
pub(super) async fn connect(
    caller: Caller,
    of: Data<Handles>,
    name: Path<String>,
    token: Json<Token>,
) -> Answer {
    let scrobbling = &of.outside.scrobbling;
    match service(&name)? {
        Service::LastFm => scrobbling.finish_lastfm(&caller.principal, &token.token).await?,
        Service::ListenBrainz => {
            scrobbling.connect_listenbrainz(&caller.principal, &token.token).await?;
        }
    }
    Ok(done())
}

/// PATCH /scrobbling/SERVICE
pub(super) async fn change(
    caller: Caller,
    of: Data<Handles>,
    name: Path<String>,
    choice: Json<Choice>,
) -> Answer {
    let scrobbling = &of.outside.scrobbling;
    scrobbling.set_sends_stars(&caller.principal, service(&name)?, choice.stars).await?;
    Ok(done())
}

/// DELETE /scrobbling/SERVICE
pub(super) async fn disconnect(caller: Caller, of: Data<Handles>, name: Path<String>) -> Answer {
    of.outside.scrobbling.disconnect(&caller.principal, service(&name)?).await?;
    Ok(done())
}

fn service(name: &str) -> Result<Service> {
    Service::named(name).ok_or(Error::NotFound("Service"))
}
