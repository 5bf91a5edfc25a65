//! GET and HEAD (RFC 4918, 9.4): the bytes of a file, ranges and conditions included. A folder
//! says that it is one.

use actix_web::{
    HttpResponse,
    http::{
        Method,
        header::{self, HeaderValue},
    },
};

use super::{call::Call, failure::Answer, properties::content_type};
use crate::{
    Error,
    body::{FileBody, Meter},
    drive::OpenFile,
    http::{file::respond, headers::attachment},
};

pub(super) async fn serve(call: &Call<'_>) -> Answer {
    let Some(spot) = call.spot_of(call.address()?)? else { return Ok(folder(call)) };
    let drive = &call.services.drive;
    match drive.open_file(&call.principal, spot.place.locker, &spot.full).await {
        Ok(file) if call.request.method() == Method::HEAD => Ok(bytes(call, file, None)),
        Ok(file) => {
            let playback = &call.services.playback;
            let meter = playback.count_download(&call.principal, file.path.name()).await?;
            Ok(bytes(call, file, meter))
        }
        Err(Error::Exists { .. }) => Ok(folder(call)),
        // The root of a place that nothing was stored in yet.
        Err(Error::NotFound(_)) if spot.path.is_root() => Ok(folder(call)),
        Err(error) => Err(error.into()),
    }
}

/// For whoever opens the address in a browser.
fn folder(call: &Call<'_>) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    answer.insert_header((header::CACHE_CONTROL, "no-store"));
    if call.request.method() == Method::HEAD {
        return answer.finish();
    }
    answer.content_type("text/plain; charset=utf-8").body(
        "This is a folder of a WebDAV drive. Connect to this address as a network drive to see what is in it.\n",
    )
}

/// User files are never shown as pages of ours, whatever type they claim.
fn bytes(call: &Call<'_>, opened: OpenFile, meter: Option<Meter>) -> HttpResponse {
    let name = opened.path.name();
    let (disposition, content_type) = (attachment(name), content_type(name));
    let body = FileBody {
        file: opened.file,
        len: opened.size,
        content_type: content_type.into(),
        etag: opened.etag,
        modified_at: Some(opened.modified_at),
        duration: None,
        hold: None,
        meter,
    };
    let mut answer = respond(call.request, body);
    let headers = answer.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    let sandbox = HeaderValue::from_static("default-src 'none'; sandbox");
    headers.insert(header::CONTENT_SECURITY_POLICY, sandbox);
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    answer
}
