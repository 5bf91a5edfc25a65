//! Sound and pictures of a share. Who may not keep the files hears them made anew, so that the
//! originals never leave.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, HeaderValue},
    web::{Data, Path},
};
use serde::Deserialize;

use super::{page, visit};
use crate::{
    Error, Result,
    catalog::{Item, Visit},
    http,
    ids::TrackId,
    playback::{Network, Opened, Target, Wish, WishFormat},
    web::{
        Handles,
        failure::{Answer, Failure},
        pictures,
        query::Query,
    },
};

/// How those who may not keep the files hear them, kbit/s.
const HEARD_AT: u32 = 192;
/// The client's name for logs.
const CLIENT: &str = "Share";

/// How the bytes are wanted.
#[derive(Deserialize)]
pub(super) struct Form {
    format: Option<String>,
    /// The most, kbit/s.
    bitrate: Option<u32>,
    /// Seconds.
    #[serde(default)]
    offset: f64,
}

/// How large.
#[derive(Deserialize)]
pub(super) struct Size {
    size: Option<u32>,
}

/// GET /s/TOKEN/tracks/ID/stream
pub(super) async fn stream(
    request: HttpRequest,
    of: Data<Handles>,
    path: Path<(String, String)>,
    query: Query<Form>,
) -> Answer {
    let (token, id) = path.into_inner();
    let visit = visit(&request, &of, &token).await?;
    let track = track(&visit, &id)?;
    let wish = wish(&request, &visit, &query)?;
    let opened = of.playback.open(&visit.principal, track, &wish, CLIENT).await?;
    Ok(send(&request, opened))
}

/// GET /s/TOKEN/tracks/ID/download
pub(super) async fn download(
    request: HttpRequest,
    of: Data<Handles>,
    path: Path<(String, String)>,
) -> Answer {
    let (token, id) = path.into_inner();
    let visit = visit(&request, &of, &token).await?;
    let id = track(&visit, &id)?;
    if !visit.share.may_download {
        return Err(Failure(Error::Forbidden("This share is for listening".to_owned())));
    }
    let name = file_name(&visit, id)?;
    let opened = of.playback.open(&visit.principal, id, &Wish::original(), CLIENT).await?;
    let mut answer = send(&request, opened);
    let keep = http::headers::attachment(&name);
    answer.headers_mut().insert(header::CONTENT_DISPOSITION, keep);
    Ok(answer)
}

/// GET /s/TOKEN/download: all of it, as one archive.
pub(super) async fn download_all(
    request: HttpRequest,
    of: Data<Handles>,
    token: Path<String>,
) -> Answer {
    let visit = visit(&request, &of, &token).await?;
    if !visit.share.may_download {
        return Err(Failure(Error::Forbidden("This share is for listening".to_owned())));
    }
    let tracks: Vec<TrackId> = visit.tracks.iter().map(|track| track.id).collect();
    let name = page::plain_title(&visit);
    let (name, body) = of.playback.archive_of(&visit.principal, &name, &tracks).await?;
    let mut answer = send(&request, Opened::Live(body));
    answer.headers_mut().insert(header::CONTENT_DISPOSITION, http::headers::attachment(&name));
    Ok(answer)
}

/// GET /s/TOKEN/cover
pub(super) async fn cover(
    request: HttpRequest,
    of: Data<Handles>,
    token: Path<String>,
    query: Query<Size>,
) -> Answer {
    let visit = visit(&request, &of, &token).await?;
    let face = visit.face.ok_or(Error::NotFound("Picture"))?;
    let cover = of.catalog.cover(&visit.principal, face, query.size).await?;
    Ok(pictures::send(&request, cover, pictures::Keep::Ask))
}

/// GET /s/TOKEN/tracks/ID/cover
pub(super) async fn track_cover(
    request: HttpRequest,
    of: Data<Handles>,
    path: Path<(String, String)>,
    query: Query<Size>,
) -> Answer {
    let (token, id) = path.into_inner();
    let visit = visit(&request, &of, &token).await?;
    let id = track(&visit, &id)?;
    let cover = of.catalog.cover(&visit.principal, Item::Track(id), query.size).await?;
    Ok(pictures::send(&request, cover, pictures::Keep::Ask))
}

/// A track of this share; any other is not found.
fn track(visit: &Visit, id: &str) -> Result<TrackId> {
    let id = TrackId::parse(id).ok_or(Error::NotFound("Track"))?;
    Ok(visit.track(id)?.id)
}

fn wish(request: &HttpRequest, visit: &Visit, form: &Form) -> Result<Wish> {
    let named = match form.format.as_deref() {
        None => WishFormat::Raw,
        Some(name) => WishFormat::parse(name)
            .ok_or_else(|| Error::Invalid(format!("{name:?} is not a format")))?,
    };
    let offset = Duration::try_from_secs_f64(form.offset)
        .map_err(|_| Error::Invalid("The offset is not a time".to_owned()))?;
    let lossy = match named {
        WishFormat::To(target) if !target.is_lossless() => target,
        _ => Target::Mp3,
    };
    let (format, max_bitrate_kbps) = if visit.share.may_download {
        (named, form.bitrate)
    } else {
        let most = form.bitrate.filter(|most| 0 < *most);
        (WishFormat::To(lossy), Some(most.map_or(HEARD_AT, |most| most.min(HEARD_AT))))
    };
    let network = Network::of(http::origin(request).address);
    Ok(Wish { format: Some(format), max_bitrate_kbps, offset, network, ..Wish::default() })
}

fn send(request: &HttpRequest, opened: Opened) -> HttpResponse {
    let mut answer = match opened {
        Opened::File(body) => http::file::respond(request, body),
        Opened::Live(body) => http::live::respond(request, body),
    };
    // Somebody's file on our own address: it is sound and nothing else, whatever it holds.
    let policy = HeaderValue::from_static("sandbox; default-src 'none'");
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    answer
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    answer
}

fn file_name(visit: &Visit, id: TrackId) -> Result<String> {
    let track = visit.track(id)?;
    let number = track.number.map_or_else(String::new, |number| format!("{number:02} "));
    Ok(format!("{number}{}.{}", track.title, track.suffix))
}
