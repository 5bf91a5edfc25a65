//! Podcasts: channels, their episodes, and their bytes.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    web::{Data, Json, Path},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    caller::Caller,
    lists::{all, done},
    tracks::Form,
};
use crate::{
    Error, Result, http,
    ids::{EpisodeId, PodcastId},
    outside::{Channel, ChannelStatus, Episode, Retention, WithEpisodes},
    playback::{Network, Opened},
    web::{Handles, failure::Answer, query::Query},
};

/// Where a feed is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Feed {
    url: String,
}

/// What is kept; null is all.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Kept {
    fetch_newest: u32,
    keep_newest: Option<u32>,
    keep_days: Option<u32>,
}

/// How many.
#[derive(Deserialize)]
pub(super) struct Wanted {
    limit: Option<u32>,
}

/// Where one stopped, seconds; null forgets it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    position: Option<f64>,
}

/// GET /podcasts
pub(super) async fn list(caller: Caller, of: Data<Handles>) -> Answer {
    let podcasts = &of.outside.podcasts;
    let channels = podcasts.channels(&caller.principal, WithEpisodes::No).await?;
    Ok(all(channels.iter().map(channel)))
}

/// POST /podcasts
pub(super) async fn subscribe(caller: Caller, of: Data<Handles>, feed: Json<Feed>) -> Answer {
    let id = of.outside.podcasts.subscribe(&caller.principal, &feed.url).await?;
    Ok(HttpResponse::Created().json(json!({ "id": id.to_string() })))
}

/// POST /podcasts/refresh
pub(super) async fn refresh(caller: Caller, of: Data<Handles>) -> Answer {
    of.outside.podcasts.refresh(&caller.principal).await?;
    Ok(HttpResponse::new(StatusCode::ACCEPTED))
}

/// GET /podcasts/ID
pub(super) async fn one(caller: Caller, of: Data<Handles>, id: Path<String>) -> Answer {
    let found = of.outside.podcasts.channel(&caller.principal, podcast(&id)?).await?;
    let mut shape = channel(&found);
    shape["episodes"] = found.episodes.iter().map(episode).collect();
    Ok(HttpResponse::Ok().json(shape))
}

/// PATCH /podcasts/ID
pub(super) async fn keep(
    caller: Caller,
    of: Data<Handles>,
    id: Path<String>,
    kept: Json<Kept>,
) -> Answer {
    let retention = Retention {
        fetch_newest: kept.fetch_newest,
        keep_newest: kept.keep_newest,
        keep_days: kept.keep_days,
    };
    of.outside.podcasts.set_retention(&caller.principal, podcast(&id)?, retention).await?;
    Ok(done())
}

/// DELETE /podcasts/ID
pub(super) async fn unsubscribe(caller: Caller, of: Data<Handles>, id: Path<String>) -> Answer {
    of.outside.podcasts.unsubscribe(&caller.principal, podcast(&id)?).await?;
    Ok(done())
}

/// GET /episodes
pub(super) async fn newest(caller: Caller, of: Data<Handles>, wanted: Query<Wanted>) -> Answer {
    let count = wanted.limit.unwrap_or(20).min(500);
    let episodes = of.outside.podcasts.newest(&caller.principal, count).await?;
    Ok(all(episodes.iter().map(episode)))
}

/// PUT /episodes/ID/file
pub(super) async fn download(caller: Caller, of: Data<Handles>, id: Path<String>) -> Answer {
    of.outside.podcasts.download(&caller.principal, episode_id(&id)?).await?;
    Ok(HttpResponse::new(StatusCode::ACCEPTED))
}

/// DELETE /episodes/ID/file
pub(super) async fn remove(caller: Caller, of: Data<Handles>, id: Path<String>) -> Answer {
    of.outside.podcasts.delete_episode(&caller.principal, episode_id(&id)?).await?;
    Ok(done())
}

/// PUT /episodes/ID/position
pub(super) async fn stopped_at(
    caller: Caller,
    of: Data<Handles>,
    id: Path<String>,
    place: Json<Place>,
) -> Answer {
    let (podcasts, id) = (&of.outside.podcasts, episode_id(&id)?);
    match place.position {
        Some(seconds) if seconds.is_finite() => {
            let position = (seconds.max(0.0) * 1000.0) as i64;
            podcasts.set_bookmark(&caller.principal, id, position, "").await?;
        }
        _ => podcasts.remove_bookmark(&caller.principal, id).await?,
    }
    Ok(done())
}

/// GET /episodes/ID/stream
pub(super) async fn stream(
    request: HttpRequest,
    caller: Caller,
    of: Data<Handles>,
    id: Path<String>,
    form: Query<Form>,
) -> Answer {
    let mut wish = form.wish()?;
    wish.network = Network::of(http::origin(&request).address);
    let source = of.outside.podcasts.source(&caller.principal, episode_id(&id)?).await?;
    let opened = of.playback.open_source(&caller.principal, &source, &wish, super::CLIENT).await?;
    let mut answer = match opened {
        Opened::File(body) => http::file::respond(&request, body),
        Opened::Live(body) => http::live::respond(&request, body),
    };
    // Bytes of a stranger on our own address: sound and nothing else, whatever they are.
    let policy = HeaderValue::from_static("sandbox; default-src 'none'");
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    let keep = HeaderValue::from_static("private, no-cache");
    answer.headers_mut().insert(header::CACHE_CONTROL, keep);
    Ok(answer)
}

fn podcast(id: &str) -> Result<PodcastId> {
    PodcastId::parse(id).ok_or(Error::NotFound("Podcast"))
}

fn episode_id(id: &str) -> Result<EpisodeId> {
    EpisodeId::parse(id).ok_or(Error::NotFound("Episode"))
}

fn cover(id: impl std::fmt::Display, picture: Option<&String>) -> Option<String> {
    Some(format!("{id}_{}", picture?.get(..8)?))
}

fn channel(channel: &Channel) -> Value {
    json!({
        "id": channel.id.to_string(),
        "url": channel.url,
        "title": channel.title,
        "author": channel.author,
        "description": channel.description,
        "link": channel.link,
        "cover": cover(channel.id, channel.picture.as_ref()),
        "status": match channel.status {
            ChannelStatus::New => "new",
            ChannelStatus::Completed => "completed",
            ChannelStatus::Failed => "error",
        },
        "error": channel.error,
        "refreshedAt": channel.refreshed_at,
        "fetchNewest": channel.retention.fetch_newest,
        "keepNewest": channel.retention.keep_newest,
        "keepDays": channel.retention.keep_days,
    })
}

/// As a track, as far as the player goes, and with what only episodes have.
fn episode(episode: &Episode) -> Value {
    let file = episode.file.as_ref();
    json!({
        "id": episode.id.to_string(),
        "channel": episode.channel.to_string(),
        "title": episode.title,
        "artist": episode.channel_title,
        "artists": [],
        "albumName": episode.channel_title,
        "description": episode.description,
        "publishedAt": episode.published_at,
        "duration": episode.duration_ms / 1000,
        "size": episode.size_bytes,
        "container": file.map(|file| &file.container),
        "codec": file.map(|file| &file.codec),
        "bitrate": file.map(|file| file.bitrate_kbps),
        "cover": cover(episode.id, episode.picture.as_ref()),
        "status": episode.status.name(),
        "error": episode.error,
        "starred": episode.annotation.starred_at.is_some(),
        "playCount": episode.annotation.play_count,
        "position": episode.bookmark_ms.map(|ms| ms as f64 / 1000.0),
    })
}
