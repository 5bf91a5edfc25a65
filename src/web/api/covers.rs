//! Pictures. Their address holds the picture's hash, so they are kept for ever.

use actix_web::{
    HttpRequest,
    web::{Data, Path},
};
use serde::Deserialize;

use super::{caller::Caller, lists::item};
use crate::{
    ids::{EpisodeId, PodcastId, StationId},
    web::{Handles, failure::Answer, pictures, query::Query},
};

/// How large.
#[derive(Deserialize)]
pub(super) struct Wanted {
    /// Longest edge in pixels; the original without it.
    size: Option<u32>,
}

/// GET /covers/ID
pub(super) async fn cover(
    request: HttpRequest,
    caller: Caller,
    of: Data<Handles>,
    id: Path<String>,
    query: Query<Wanted>,
) -> Answer {
    let (id, hash) = id.split_once('_').unwrap_or((id.as_str(), ""));
    let who = &caller.principal;
    let cover = if let Some(id) = PodcastId::parse(id) {
        of.outside.podcasts.channel_cover(who, id, query.size).await?
    } else if let Some(id) = EpisodeId::parse(id) {
        of.outside.podcasts.episode_cover(who, id, query.size).await?
    } else if let Some(id) = StationId::parse(id) {
        of.outside.radio.cover(who, id, query.size).await?
    } else {
        of.catalog.cover(who, item(id)?, query.size).await?
    };
    let keep = if hash.is_empty() { pictures::Keep::Ask } else { pictures::Keep::Forever };
    Ok(pictures::send(&request, cover, keep))
}
