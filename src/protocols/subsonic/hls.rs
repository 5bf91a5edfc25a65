//! `hls.m3u8`: playlists of AAC segments. What is behind their addresses, below `/rest/hls/`, is
//! asked for by players that know no parameters: a signed ticket in the path stands for the
//! caller, and failures are HTTP's own.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, HeaderValue},
};

use super::{
    call::{Answer, Call, Services},
    failure::Failure,
    id, podcasts,
    transcoding::refuse,
};
use crate::{
    Error,
    http::{file, live},
    ids::EpisodeId,
    playback::{HlsPart, Opened},
};

/// What stands before the addresses of a playlist that `/rest/METHOD` answers.
pub(super) const BASE: &str = "hls/";

/// RFC 8216, 4.
const MEDIA_TYPE: &str = "application/vnd.apple.mpegurl";

/// `hls` and `hls.m3u8`: the segments of a song or an episode; a master playlist if several bitrates are named.
pub(super) async fn hls(call: &Call) -> Answer {
    call.params.required("id")?;
    if !call.principal.abilities.stream {
        return Err(Failure::forbidden("This user may not play"));
    }
    let mut kbps = Vec::new();
    for text in call.params.all("bitRate") {
        // A size of the picture may stand behind it.
        let number = text.split('@').next().unwrap_or_default().parse::<u32>();
        let number = number.map_err(|_| Failure::generic("Parameter bitRate is not a number"))?;
        if 0 < number {
            kbps.push(number);
        }
    }
    let (client, network) = (&call.client, call.network());
    let (who, playback) = (&call.principal, call.playback());
    let text = match podcasts::named(call, "id") {
        Some(episode) => {
            let source = call.outside().podcasts.source(who, episode).await?;
            playback.hls_source(who, &source, &kbps, client, network, BASE).await?
        }
        None => {
            let id = id::track(&call.params, "id")?;
            playback.hls(who, id, &kbps, client, network, BASE).await?
        }
    };
    Ok(playlist(text))
}

/// What is behind an address of a playlist: `TICKET/NAME`.
pub(super) async fn part(request: &HttpRequest, services: &Services, path: &str) -> HttpResponse {
    match find(request, services, path).await {
        Ok(response) => response,
        Err(error) => refuse(&error),
    }
}

async fn find(
    request: &HttpRequest,
    services: &Services,
    path: &str,
) -> Result<HttpResponse, Error> {
    let (ticket, name) = path.split_once('/').ok_or(Error::NotFound("Stream"))?;
    let ticket = services.playback.hls_ticket_of(ticket)?;
    let principal = services.accounts.principal_of_ticket(ticket.user()).await?;
    if !principal.abilities.stream {
        return Err(Error::Forbidden("This user may not play".to_owned()));
    }
    let part = match EpisodeId::of_track(ticket.track()) {
        Some(episode) => {
            let source = services.outside.podcasts.source(&principal, episode).await?;
            services.playback.hls_part_of(&principal, &source, &ticket, name).await?
        }
        None => services.playback.hls_part(&principal, &ticket, name).await?,
    };
    Ok(match part {
        HlsPart::Playlist(text) => playlist(text),
        HlsPart::Header(bytes) => {
            let mut response = HttpResponse::Ok();
            response.insert_header((header::CONTENT_TYPE, "audio/mp4"));
            keep(response.body(bytes))
        }
        HlsPart::Segment(Opened::File(body)) => keep(file::respond(request, body)),
        HlsPart::Segment(Opened::Live(body)) => keep(live::respond(request, body)),
    })
}

/// A playlist. It carries tickets, so nobody on the way keeps it.
pub(super) fn playlist(text: String) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CONTENT_TYPE, MEDIA_TYPE));
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    response.body(text)
}

/// The same ticket always means the same bytes.
fn keep(mut response: HttpResponse) -> HttpResponse {
    let value = HeaderValue::from_static("private, max-age=3600");
    response.headers_mut().insert(header::CACHE_CONTROL, value);
    response
}
