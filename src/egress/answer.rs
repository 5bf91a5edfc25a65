//! What came back, read no further than its limits.

use std::io;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, stream};
use http_body_util::BodyExt as _;
use hyper::{Response, body::Incoming, header};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::{Fault, Limits, fault};
use crate::Error;

/// An answer whose head is here and whose body is to come.
#[derive(Debug)]
pub struct Answer {
    response: Response<Incoming>,
    url: Url,
    limits: Limits,
    deadline: Instant,
    taken: u64,
}

impl Answer {
    pub(super) fn new(
        response: Response<Incoming>,
        url: Url,
        limits: Limits,
        deadline: Instant,
    ) -> Result<Self, Fault> {
        let answer = Self { response, url, limits, deadline, taken: 0 };
        let packing = answer.header(&header::CONTENT_ENCODING).unwrap_or("identity");
        if !packing.eq_ignore_ascii_case("identity") {
            return Err(Fault::Compressed);
        }
        if answer.length().is_some_and(|length| limits.bytes < length) {
            return Err(Fault::TooLarge(limits.bytes));
        }
        Ok(answer)
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// Whether it is a 2xx.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.response.status().is_success()
    }

    /// Where it came from in the end.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// A header's value, if it is text.
    #[must_use]
    pub fn header(&self, name: &header::HeaderName) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// Itself where it brings what was asked for; else why not, for who wanted that.
    pub fn of_source(self) -> crate::Result<Self> {
        let status = self.status();
        if self.is_success() {
            return Ok(self);
        }
        // Without what only its user knows.
        let mut url = self.url;
        let _ = url.set_username("").and_then(|()| url.set_password(None));
        let sentence = format!("{url} answers {status}");
        Err(match status {
            401 | 402 | 403 | 451 => Error::SourceForbidden(sentence),
            _ => Error::SourceUnreachable(sentence),
        })
    }

    /// The length that was promised.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.header(&header::CONTENT_LENGTH)?.trim().parse().ok()
    }

    /// Whether it is the rest of a file from `offset` on (RFC 9110, 14.4).
    #[must_use]
    pub fn is_rest(&self, offset: u64) -> bool {
        let range = self.header(&header::CONTENT_RANGE).and_then(|it| it.strip_prefix("bytes "));
        let start = range.and_then(|range| range.split('-').next()?.trim().parse::<u64>().ok());
        self.status() == 206 && start == Some(offset)
    }

    /// By what its server knows the file again: a strong `ETag`, else the date of its last change
    /// (RFC 9110, 13.1.5).
    #[must_use]
    pub fn validator(&self) -> Option<String> {
        let etag = self.header(&header::ETAG).filter(|tag| tag.starts_with('"'));
        let of = etag.or_else(|| self.header(&header::LAST_MODIFIED))?;
        (of.len() <= 500).then(|| of.to_owned())
    }

    /// The whole body.
    pub async fn bytes(mut self) -> Result<Bytes, Fault> {
        let mut all = BytesMut::new();
        while let Some(piece) = self.piece().await? {
            all.extend_from_slice(&piece);
        }
        Ok(all.freeze())
    }

    /// The body piece by piece.
    pub fn stream(self) -> impl Stream<Item = io::Result<Bytes>> {
        stream::try_unfold(self, |mut answer| async move {
            let piece = answer.piece().await.map_err(io::Error::other)?;
            Ok(piece.map(|piece| (piece, answer)))
        })
    }

    async fn piece(&mut self) -> Result<Option<Bytes>, Fault> {
        let until = self.deadline.min(Instant::now() + self.limits.idle);
        let frame = timeout_at(until, self.response.frame()).await.map_err(|_| Fault::TooSlow)?;
        let Some(frame) = frame else { return Ok(None) };
        // A frame that is no data is the end with its trailers.
        let piece = frame.map_err(|error| fault(&error))?.into_data().unwrap_or_default();
        self.taken += piece.len() as u64;
        if self.limits.bytes < self.taken {
            return Err(Fault::TooLarge(self.limits.bytes));
        }
        Ok(Some(piece))
    }
}
