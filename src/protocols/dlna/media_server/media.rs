//! The bytes: tracks with DLNA's headers, and covers.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    body::BodyStream,
    http::{
        ConnectionType, Method, StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
    web::{Data, Path},
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use tokio_util::io::ReaderStream;

use super::{
    super::{Asking, Dlna, door, failure},
    art::{self, Size},
    quirks::Profile,
    resources::{content_features, content_type, parse_path},
};
use crate::{
    Error, Result,
    body::{FileBody, LiveBody, Pieces},
    catalog::{Item, Track},
    http,
    playback::{Form, Opened, WishFormat, forms},
};

/// GET and HEAD of a form of a track.
pub(crate) async fn track(
    dlna: Data<Dlna>,
    request: HttpRequest,
    name: Path<String>,
) -> HttpResponse {
    let asking = match door::enter(&dlna, &request).await {
        Ok(asking) => asking,
        Err(refusal) => return refusal,
    };
    match send(&dlna, &asking, &request, &name).await {
        Ok(response) => response,
        Err(error) => HttpResponse::build(failure::status(&error)).body(error.to_string()),
    }
}

async fn send(
    dlna: &Dlna,
    asking: &Asking,
    request: &HttpRequest,
    name: &str,
) -> Result<HttpResponse> {
    let (id, format) = parse_path(name).ok_or(Error::NotFound("Track"))?;
    // Xbox asks for the cover at the address of the track.
    if request.query_string().split('&').any(|pair| pair.eq_ignore_ascii_case("albumArt=true")) {
        return Ok(send_cover(dlna, asking, Item::Track(id), art::THUMBNAIL).await);
    }
    let track = dlna.inner.catalog.track(&asking.principal, id).await?;
    let form = forms(&track)
        .into_iter()
        .find(|form| form.format == format)
        .ok_or(Error::NotFound("Track"))?;
    let transfer_mode = match transfer_mode(request, &asking.profile) {
        Ok(mode) => mode,
        Err(status) => return Ok(HttpResponse::build(status).finish()),
    };
    let seek = match time_seek(request, &form, track.duration_ms) {
        Ok(seek) => seek,
        Err(status) => return Ok(HttpResponse::build(status).finish()),
    };
    let hides_length = asking.profile.hides_length && form.format != WishFormat::Raw;
    let mut response = if form.format != WishFormat::Raw && request.method() == Method::HEAD {
        // What a HEAD asks is known without starting to convert.
        HttpResponse::Ok().body(BodyStream::new(nothing()))
    } else {
        let mut wish = form.wish();
        wish.offset = seek.unwrap_or_default();
        let client = if asking.user_agent.is_empty() { "DLNA" } else { &asking.user_agent };
        let opened = dlna.inner.playback.open(&asking.principal, id, &wish, client).await?;
        if request.method() == Method::GET {
            // It is the panel that shows this; a player must not wait or fail for it.
            let _ = dlna.inner.playback.set_now_playing(&asking.principal, id, client).await;
        }
        match opened {
            Opened::File(body) if hides_length => http::live::respond(request, whole(body)),
            Opened::File(body) => http::file::respond(request, body),
            Opened::Live(mut body) => {
                body.len = body.len.filter(|_| !hides_length);
                http::live::respond(request, body)
            }
        }
    };
    if hides_length && response.status().is_success() {
        // No length and no pieces with lengths either: the end is where the connection ends.
        let head = response.head_mut();
        head.no_chunking(true);
        head.set_connection_type(ConnectionType::Close);
    }
    if response.status().is_success() {
        describe(&mut response, asking, &track, &form, transfer_mode, seek);
    }
    Ok(response)
}

/// No bytes, of a length that nobody knows.
fn nothing() -> impl Stream<Item = std::result::Result<Bytes, std::io::Error>> + 'static {
    futures_util::stream::empty()
}

/// A finished conversion as if it were being made: from its beginning, without a length.
fn whole(body: FileBody) -> LiveBody {
    let FileBody { file, content_type, duration, hold, meter, .. } = body;
    let pieces = ReaderStream::with_capacity(tokio::fs::File::from_std(file), 64 << 10);
    // What the body held is held as long as it is sent.
    let stream: Pieces = Box::pin(pieces.inspect(move |_| {
        let _ = &hold;
    }));
    let stream = meter.unwrap_or_default().through(stream);
    LiveBody { content_type, len: None, duration, stream }
}

/// DLNA's headers: always, for Samsung plays nothing without them.
fn describe(
    response: &mut HttpResponse,
    asking: &Asking,
    track: &Track,
    form: &Form,
    transfer_mode: &'static str,
    seek: Option<Duration>,
) {
    let mut features = content_features(track, form);
    if asking.profile.is_ci_zero {
        features = features.replace("DLNA.ORG_CI=1", "DLNA.ORG_CI=0");
    }
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    set("content-type", content_type(track, form, &asking.profile));
    set("contentfeatures.dlna.org", &features);
    set("transfermode.dlna.org", transfer_mode);
    if let Some(seek) = seek {
        let (start, end) = (seek.as_secs_f64(), track.duration_ms as f64 / 1000.0);
        set("timeseekrange.dlna.org", &format!("npt={start:.3}-{end:.3}/{end:.3}"));
        set("vary", "TimeSeekRange.dlna.org");
    }
}

/// The transfer mode to echo, or why this can't be.
fn transfer_mode(
    request: &HttpRequest,
    profile: &Profile,
) -> std::result::Result<&'static str, StatusCode> {
    let text = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or_default());
    if text("getcontentFeatures.dlna.org").is_some_and(|value| value.trim() != "1") {
        return Err(StatusCode::BAD_REQUEST);
    }
    match text("transferMode.dlna.org").map(str::trim) {
        None => Ok("Streaming"),
        Some(mode) if mode.eq_ignore_ascii_case("Streaming") => Ok("Streaming"),
        Some(mode) if mode.eq_ignore_ascii_case("Background") => Ok("Background"),
        Some(mode) if mode.eq_ignore_ascii_case("Interactive") && profile.is_samsung => {
            Ok("Interactive")
        }
        Some(_) => Err(StatusCode::NOT_ACCEPTABLE),
    }
}

/// Where in time to begin, for forms that can; files have bytes to seek by.
fn time_seek(
    request: &HttpRequest,
    form: &Form,
    duration_ms: u64,
) -> std::result::Result<Option<Duration>, StatusCode> {
    let headers = request.headers();
    let Some(wanted) = headers.get("TimeSeekRange.dlna.org") else { return Ok(None) };
    if form.format == WishFormat::Raw {
        let has_range = headers.contains_key(header::RANGE);
        return if has_range { Ok(None) } else { Err(StatusCode::NOT_ACCEPTABLE) };
    }
    let start = wanted.to_str().ok().and_then(normal_play_time).ok_or(StatusCode::BAD_REQUEST)?;
    if Duration::from_millis(duration_ms) <= start {
        return Err(StatusCode::RANGE_NOT_SATISFIABLE);
    }
    Ok(Some(start))
}

/// The start of `npt=12.5-` or `npt=0:00:12.500-0:01:00`.
fn normal_play_time(text: &str) -> Option<Duration> {
    let start = text.trim().strip_prefix("npt=")?.split('-').next()?.trim();
    let mut seconds = 0.0;
    for part in start.split(':') {
        let is_number = part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        seconds = seconds * 60.0 + part.parse::<f64>().ok().filter(|_| is_number)?;
    }
    Duration::try_from_secs_f64(seconds).ok()
}

/// GET and HEAD of a cover.
pub(crate) async fn cover(
    dlna: Data<Dlna>,
    request: HttpRequest,
    name: Path<String>,
) -> HttpResponse {
    let asking = match door::enter(&dlna, &request).await {
        Ok(asking) => asking,
        Err(refusal) => return refusal,
    };
    match art::parse(&name) {
        Some((item, size)) => send_cover(&dlna, &asking, item, size).await,
        None => HttpResponse::NotFound().finish(),
    }
}

/// A cover as a JPEG that keeps the bounds of its size: strict TVs refuse what is larger or else.
async fn send_cover(dlna: &Dlna, asking: &Asking, item: Item, size: Size) -> HttpResponse {
    match dlna.inner.catalog.cover_as_jpeg(&asking.principal, item, size.edge).await {
        Ok(cover) => HttpResponse::Ok()
            .content_type(cover.mime)
            .insert_header((header::ETAG, format!("\"{}\"", cover.tag)))
            .insert_header((header::CACHE_CONTROL, "max-age=86400"))
            .insert_header(("transferMode.dlna.org", "Interactive"))
            .insert_header(("contentFeatures.dlna.org", art::features(size)))
            .body(cover.bytes),
        Err(error) => HttpResponse::build(failure::status(&error)).finish(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_both_spellings() {
        for (text, ms) in [
            ("npt=12.5-", Some(12_500)),
            ("npt=0:00:12.500-0:01:00", Some(12_500)),
            ("npt=1:02:03-", Some(3_723_000)),
            ("npt=0-", Some(0)),
            ("npt=-5", None),
            ("npt=inf-", None),
            ("npt=x-", None),
            ("12-", None),
        ] {
            assert_eq!(normal_play_time(text), ms.map(Duration::from_millis), "{text}");
        }
    }
}
