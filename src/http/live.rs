//! Answers with bytes that are being made: no ranges, a length only where it is exact.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    HttpRequest, HttpResponse,
    body::{BodySize, MessageBody},
    http::{Method, StatusCode, header},
};
use bytes::Bytes;

use super::{
    connection::{Sending, guarded},
    file::Unsent,
};
use crate::body::LiveBody;

/// Answers GET and HEAD with a running stream; the stream is dropped when the client is gone or
/// stalls. For HEAD it is dropped at once.
#[must_use]
pub fn respond(request: &HttpRequest, body: LiveBody) -> HttpResponse {
    let mut response = HttpResponse::build(StatusCode::OK);
    response.insert_header((header::CONTENT_TYPE, body.content_type.as_ref()));
    response.insert_header((header::ACCEPT_RANGES, "none"));
    if let Some(duration) = body.duration {
        response.insert_header(("X-Content-Duration", format!("{:.3}", duration.as_secs_f64())));
    }
    if request.method() == Method::HEAD {
        return match body.len {
            Some(len) => response.body(Unsent(len)),
            // An empty body would be a length of 0, which is not true of what GET gives.
            None => response.body(Endless),
        };
    }
    response.body(guarded(request, Live { body }))
}

/// The body of an answer to HEAD about a stream: has no length, is never sent.
struct Endless;

impl MessageBody for Endless {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Poll::Ready(None)
    }
}

struct Live {
    body: LiveBody,
}

impl Sending for Live {}

impl MessageBody for Live {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        self.body.len.map_or(BodySize::Stream, BodySize::Sized)
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, io::Error>>> {
        self.get_mut().body.stream.as_mut().poll_next(cx)
    }
}
