//! A picture as an answer: its validator, how long it is kept, and that it is a picture only.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, EntityTag, Header as _, IfNoneMatch},
};

use crate::catalog::Cover;

/// How browsers keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// For ever: another picture has another address.
    Forever,
    /// Asking each time whether it is still the same and still theirs to see.
    Ask,
}

/// The picture, or that the browser has it already.
pub(super) fn send(request: &HttpRequest, cover: Cover, keep: Keep) -> HttpResponse {
    let tag = EntityTag::new_strong(cover.tag);
    let known = match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(&tag)),
        Err(_) => false,
    };
    let mut answer = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    let keep = match keep {
        Keep::Forever => "private, max-age=31536000, immutable",
        Keep::Ask => "private, no-cache",
    };
    answer
        .insert_header(header::ETag(tag))
        .insert_header((header::CACHE_CONTROL, keep))
        .insert_header((header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"));
    if known {
        return answer.finish();
    }
    answer.content_type(cover.mime).body(cover.bytes)
}
