//! PUT (RFC 4918, 9.7): a file goes up, whole, with its length said before or not.

use std::io;

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
    web::Payload,
};
use futures_util::StreamExt as _;

use super::{
    call::Call,
    failure::{Answer, Failure},
    guard::Change,
    headers,
};
use crate::drive::{Condition, EntryKind, Target};

pub(super) async fn serve(call: &Call<'_>, body: Payload) -> Answer {
    let spot = call.new_spot()?;
    let headers = call.request.headers();
    // A piece of a file would take the place of the whole one (RFC 9110, 14.4).
    if headers.contains_key(header::CONTENT_RANGE) {
        return Err(Failure::invalid("A file is sent whole here"));
    }
    if headers::text(headers, &header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity")
    {
        let sentence = "A file is sent as it is, not encoded";
        return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, sentence));
    }
    let a_folder = || Failure::new(StatusCode::METHOD_NOT_ALLOWED, "That is a folder");
    if spot.path.is_root() || call.request.uri().path().ends_with('/') {
        return Err(a_folder());
    }
    let there = call.there(&spot).await?;
    if there.as_ref().is_some_and(|there| there.kind == EntryKind::Folder) {
        return Err(a_folder());
    }
    let shown = call.judge(&spot, there.as_ref()).await?;
    let change = if there.is_some() { Change::Content } else { Change::Member };
    call.require_unlocked(&spot, change, &shown).await?;
    call.require_parent(&spot).await?;
    let declared = headers::promised(headers)?;
    let condition = headers::condition(headers);
    let target =
        Target { locker: spot.place.locker, path: spot.full, condition: condition.clone() };
    let body = body.map(|piece| piece.map_err(io::Error::other));
    let stored = call.services.drive.put(&call.principal, &target, declared, body).await;
    let stored = stored.map_err(|error| {
        let failure = Failure::from(error);
        match condition {
            Condition::None => failure,
            _ => failure.conflict_is(StatusCode::PRECONDITION_FAILED),
        }
    })?;
    let status = if stored.is_new { StatusCode::CREATED } else { StatusCode::NO_CONTENT };
    let etag = format!("\"{}\"", stored.etag);
    Ok(HttpResponse::build(status).insert_header((header::ETAG, etag)).finish())
}
