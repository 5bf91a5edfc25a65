//! Pictures. Their address holds the picture's hash, so they are kept for ever.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, EntityTag, Header as _, IfNoneMatch},
    web::{Data, Path, Query},
};
use serde::Deserialize;

use super::{caller::Caller, lists::item};
use crate::web::{Handles, failure::Answer};

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
    let cover = of.catalog.cover(&caller.principal, item(id)?, query.size).await?;
    let tag = EntityTag::new_strong(cover.tag.clone());
    let known = match IfNoneMatch::parse(&request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(&tag)),
        Err(_) => false,
    };
    let mut answer = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    let keep =
        if hash.is_empty() { "private, no-cache" } else { "private, max-age=31536000, immutable" };
    answer
        .insert_header(header::ETag(tag))
        .insert_header((header::CACHE_CONTROL, keep))
        .insert_header((header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"));
    if known {
        return Ok(answer.finish());
    }
    Ok(answer.content_type(cover.mime).body(cover.bytes))
}
