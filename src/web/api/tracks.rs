//! Tracks: lists, their bytes and their lyrics.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{Data, Path},
};
use serde::Deserialize;

use super::{
    caller::Caller,
    lists::{Window, all, done, window},
    shapes,
};
use crate::{
    Error, Result,
    catalog::{TrackFilter, TrackOrder},
    http,
    ids::{ArtistId, TrackId},
    playback::{Gain, Network, Opened, Wish, WishFormat},
    web::{Handles, failure::Answer, query::Query},
};

/// Which tracks, in which order.
#[derive(Deserialize)]
pub(super) struct Wanted {
    order: Option<Order>,
    artist: Option<String>,
    genre: Option<String>,
    #[serde(default)]
    starred: bool,
    #[serde(default)]
    offset: u32,
    limit: Option<u32>,
}

/// The orders of the panel.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Order {
    Title,
    Album,
    Newest,
    Recent,
    Frequent,
    Starred,
    Random,
}

/// How the bytes are wanted; nothing means the original.
#[derive(Deserialize)]
pub(super) struct Form {
    format: Option<String>,
    /// kbit/s.
    bitrate: Option<u32>,
    /// Seconds.
    #[serde(default)]
    offset: f64,
    /// Loudness correction.
    gain: Option<Gain>,
}

/// GET /tracks
pub(super) async fn list(caller: Caller, of: Data<Handles>, query: Query<Wanted>) -> Answer {
    let order = query.order.unwrap_or(Order::Title);
    let filter = TrackFilter {
        artist: query.artist.as_deref().and_then(ArtistId::parse),
        genre: query.genre.clone(),
        starred: query.starred || matches!(order, Order::Starred),
        ..TrackFilter::default()
    };
    let page = Window::new(query.offset, query.limit).page();
    let list = of.catalog.tracks(&caller.principal, &filter, order.into(), page).await?;
    Ok(window(&list, shapes::track))
}

/// GET /tracks/ID
pub(super) async fn one(caller: Caller, of: Data<Handles>, id: Path<String>) -> Answer {
    let track = of.catalog.track(&caller.principal, track(&id)?).await?;
    Ok(HttpResponse::Ok().json(shapes::track(&track)))
}

/// GET /tracks/ID/stream
pub(super) async fn stream(
    request: HttpRequest,
    caller: Caller,
    of: Data<Handles>,
    id: Path<String>,
    query: Query<Form>,
) -> Answer {
    let mut wish = query.wish()?;
    wish.network = Network::of(http::origin(&request).address);
    let opened = of.playback.open(&caller.principal, track(&id)?, &wish, super::CLIENT).await?;
    let mut answer = match opened {
        Opened::File(body) => http::file::respond(&request, body),
        Opened::Live(body) => http::live::respond(&request, body),
    };
    // Somebody else's file on our own address: it is sound and nothing else, whatever it holds.
    let policy = header::HeaderValue::from_static("sandbox; default-src 'none'");
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    let keep = header::HeaderValue::from_static("private, no-cache");
    answer.headers_mut().insert(header::CACHE_CONTROL, keep);
    Ok(answer)
}

/// POST /playback/expect: this browser will soon want something made smaller.
pub(super) async fn expect(caller: Caller, of: Data<Handles>) -> Answer {
    of.playback.expect_transcode(&caller.principal);
    Ok(done())
}

/// GET /tracks/ID/lyrics
pub(super) async fn lyrics(caller: Caller, of: Data<Handles>, id: Path<String>) -> Answer {
    let lyrics = of.catalog.lyrics(&caller.principal, track(&id)?).await?;
    Ok(all(lyrics.iter().map(shapes::lyrics)))
}

fn track(id: &str) -> Result<TrackId> {
    TrackId::parse(id).ok_or(Error::NotFound("Track"))
}

impl Form {
    /// As playback wants it.
    pub(super) fn wish(&self) -> Result<Wish> {
        let format = match self.format.as_deref() {
            None => WishFormat::Raw,
            Some(name) => WishFormat::parse(name)
                .ok_or_else(|| Error::Invalid(format!("{name:?} is not a format")))?,
        };
        let offset = Duration::try_from_secs_f64(self.offset)
            .map_err(|_| Error::Invalid("The offset is not a time".to_owned()))?;
        Ok(Wish {
            format: Some(format),
            max_bitrate_kbps: self.bitrate,
            offset,
            gain: self.gain,
            ..Wish::default()
        })
    }
}

impl From<Order> for TrackOrder {
    fn from(order: Order) -> Self {
        match order {
            Order::Title => Self::Title,
            Order::Album => Self::Album,
            Order::Newest => Self::Newest,
            Order::Recent => Self::Recent,
            Order::Frequent => Self::Frequent,
            Order::Starred => Self::Starred,
            Order::Random => Self::Random,
        }
    }
}
