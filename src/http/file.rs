//! Answers with a file: ranges, conditions, HEAD, exact types. Serves every face, DLNA included.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use actix_web::{
    HttpRequest, HttpResponse,
    body::{BodySize, MessageBody},
    http::{
        Method, StatusCode,
        header::{self, ETag, EntityTag, HeaderMap, HeaderValue, HttpDate},
    },
};
use bytes::Bytes;

use super::{
    connection::{guarded, straight},
    pieces::Pieces,
    range::{Wanted, wanted},
    straight::{Straight, WORTH_IT},
};
use crate::body::FileBody;

/// Answers GET and HEAD with a file: 200, 206, 304, 412 or 416. The caller may add headers of its
/// protocol to the answer.
#[must_use]
pub fn respond(request: &HttpRequest, body: FileBody) -> HttpResponse {
    let facts = Facts::of(&body);
    if let Some(status) = facts.precondition(request.headers()) {
        let mut response = HttpResponse::build(status);
        facts.describe(&mut response);
        return response.finish();
    }
    let range = facts.range(request.headers());
    let (start, end, status) = match range {
        Wanted::Whole => (0, body.len, StatusCode::OK),
        Wanted::Part { start, end } => (start, end, StatusCode::PARTIAL_CONTENT),
        Wanted::Unsatisfiable => {
            let mut response = HttpResponse::build(StatusCode::RANGE_NOT_SATISFIABLE);
            facts.describe(&mut response);
            response.insert_header((header::CONTENT_RANGE, format!("bytes */{}", body.len)));
            return response.finish();
        }
    };
    let mut response = HttpResponse::build(status);
    facts.describe(&mut response);
    response.insert_header((header::CONTENT_TYPE, body.content_type.as_ref()));
    if let Some(duration) = body.duration {
        response.insert_header(("X-Content-Duration", format!("{:.3}", duration.as_secs_f64())));
    }
    if status == StatusCode::PARTIAL_CONTENT {
        let content_range = format!("bytes {start}-{}/{}", end - 1, body.len);
        response.insert_header((header::CONTENT_RANGE, content_range));
    }
    if request.method() == Method::HEAD {
        return response.body(Unsent(end - start));
    }
    let is_paced = body.meter.as_ref().is_some_and(|meter| meter.pace.is_some());
    if WORTH_IT <= end - start
        && !is_paced
        && let Some((socket, flushed)) = straight(request)
    {
        response.no_chunking(end - start);
        let straight =
            Straight::new(body.file, start, end, (body.hold, body.meter), socket, flushed);
        return response.body(guarded(request, straight));
    }
    let pieces = Pieces::new(body.file, start, end, body.hold, body.meter);
    response.body(guarded(request, pieces))
}

/// What conditions are judged by.
struct Facts {
    etag: Option<EntityTag>,
    modified: Option<SystemTime>,
    len: u64,
}

impl Facts {
    fn of(body: &FileBody) -> Self {
        let is_plain = |tag: &str| {
            !tag.is_empty() && tag.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"')
        };
        Self {
            etag: is_plain(&body.etag).then(|| EntityTag::new_strong(body.etag.clone())),
            // HTTP knows whole seconds only; comparing finer would never match.
            modified: body
                .modified_at
                .and_then(|at| u64::try_from(at / 1000).ok())
                .map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds)),
            len: body.len,
        }
    }

    fn describe(&self, response: &mut actix_web::HttpResponseBuilder) {
        response.insert_header((header::ACCEPT_RANGES, "bytes"));
        if let Some(etag) = &self.etag {
            response.insert_header(ETag(etag.clone()));
        }
        if let Some(modified) = self.modified {
            response.insert_header(header::LastModified(modified.into()));
        }
    }

    /// 304 or 412, in the order of RFC 9110, 13.2.2.
    fn precondition(&self, headers: &HeaderMap) -> Option<StatusCode> {
        if headers.contains_key(header::IF_MATCH) {
            if !self.is_listed(headers, &header::IF_MATCH, EntityTag::strong_eq) {
                return Some(StatusCode::PRECONDITION_FAILED);
            }
        } else if let (Some(modified), Some(since)) =
            (self.modified, date(headers, &header::IF_UNMODIFIED_SINCE))
            && since < modified
        {
            return Some(StatusCode::PRECONDITION_FAILED);
        }
        if headers.contains_key(header::IF_NONE_MATCH) {
            if self.is_listed(headers, &header::IF_NONE_MATCH, EntityTag::weak_eq) {
                return Some(StatusCode::NOT_MODIFIED);
            }
        } else if let (Some(modified), Some(since)) =
            (self.modified, date(headers, &header::IF_MODIFIED_SINCE))
            && modified <= since
        {
            return Some(StatusCode::NOT_MODIFIED);
        }
        None
    }

    /// The range to serve; a range of another version (`If-Range`) is none.
    fn range(&self, headers: &HeaderMap) -> Wanted {
        let Some(range) = text(headers, &header::RANGE) else { return Wanted::Whole };
        if let Some(condition) = text(headers, &header::IF_RANGE) {
            let same = match condition.parse::<EntityTag>() {
                Ok(tag) => self.etag.as_ref().is_some_and(|own| own.strong_eq(&tag)),
                Err(_) => condition
                    .parse::<HttpDate>()
                    .is_ok_and(|date| self.modified == Some(date.into())),
            };
            if !same {
                return Wanted::Whole;
            }
        }
        wanted(range, self.len)
    }

    fn is_listed(
        &self,
        headers: &HeaderMap,
        name: &header::HeaderName,
        same: fn(&EntityTag, &EntityTag) -> bool,
    ) -> bool {
        let mut words = headers
            .get_all(name)
            .filter_map(|value| value.to_str().ok())
            .flat_map(|v| v.split(','));
        words.any(|word| {
            let word = word.trim();
            word == "*"
                || word
                    .parse::<EntityTag>()
                    .is_ok_and(|tag| self.etag.as_ref().is_some_and(|own| same(own, &tag)))
        })
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    headers.get(name).map(HeaderValue::to_str)?.ok()
}

fn date(headers: &HeaderMap, name: &header::HeaderName) -> Option<SystemTime> {
    text(headers, name)?.parse::<HttpDate>().ok().map(Into::into)
}

/// The body of an answer to HEAD: has a length, is never sent.
pub(super) struct Unsent(pub(super) u64);

impl MessageBody for Unsent {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.0)
    }

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Bytes, Self::Error>>> {
        std::task::Poll::Ready(None)
    }
}
