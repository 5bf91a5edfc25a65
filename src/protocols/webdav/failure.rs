//! Refusals: the crate's error as a status and, where RFC 4918 or 4331 name one, the condition
//! that was violated. The sentence goes along for whoever reads the answer.

use std::fmt::Write as _;

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
};

use super::address::Wrong;
use crate::{Error, drive::NameProblem, error::AuthFailure, xml};

/// Our own words stand in this namespace.
const OWN: &str = "urn:tunelocker";

/// Seconds after which it may be worth to try a disk again that failed.
const LOOK_AGAIN: u64 = 300;

/// A refusal on its way out.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) status: StatusCode,
    /// The condition that was violated, an element without brackets: `propfind-finite-depth`.
    condition: Option<&'static str>,
    /// What stands in the condition, XML.
    detail: String,
    /// The word that all faces have for it; '' where the condition says it all.
    word: &'static str,
    sentence: String,
    retry_after: Option<u64>,
    /// The body was not read: the connection cannot be used again.
    closes: bool,
}

/// What handlers give back.
pub(super) type Answer<T = HttpResponse> = Result<T, Failure>;

impl Failure {
    pub(super) fn new(status: StatusCode, sentence: impl Into<String>) -> Self {
        Self {
            status,
            condition: None,
            detail: String::new(),
            word: "",
            sentence: sentence.into(),
            retry_after: None,
            closes: false,
        }
    }

    /// 400
    pub(super) fn invalid(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, sentence)
    }

    /// 403
    pub(super) fn forbidden(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, sentence)
    }

    /// 412
    pub(super) fn precondition_failed(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, sentence)
    }

    /// 423, and which locks.
    pub(super) fn locked(condition: &'static str, roots: &[String]) -> Self {
        let mut failure = Self::new(StatusCode::LOCKED, "It is locked").because(condition);
        for root in roots {
            failure.detail.push_str("<D:href>");
            xml::escape(root, &mut failure.detail);
            failure.detail.push_str("</D:href>");
        }
        failure
    }

    /// Names the condition of the standard that was violated.
    pub(super) fn because(self, condition: &'static str) -> Self {
        Self { condition: Some(condition), ..self }
    }

    /// The body was not read.
    pub(super) fn closing(self) -> Self {
        Self { closes: true, ..self }
    }

    /// Another status for a conflict, which means different things to different methods.
    pub(super) fn conflict_is(self, status: StatusCode) -> Self {
        if self.status == StatusCode::CONFLICT { Self { status, ..self } } else { self }
    }

    /// The answer.
    pub(super) fn answer(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status);
        if self.status == StatusCode::UNAUTHORIZED {
            answer.insert_header((
                header::WWW_AUTHENTICATE,
                "Basic realm=\"Tunelocker\", charset=\"UTF-8\"",
            ));
        }
        if let Some(wait) = self.retry_after {
            answer.insert_header((header::RETRY_AFTER, wait.to_string()));
        }
        if self.closes {
            answer.force_close();
        }
        answer
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .content_type("application/xml; charset=utf-8")
            .body(self.body())
    }

    fn body(&self) -> String {
        let mut out = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:error xmlns:D=\"DAV:\" xmlns:T=\"{OWN}\">"
        );
        match self.condition {
            Some(condition) if self.detail.is_empty() => {
                let _ = write!(out, "<D:{condition}/>");
            }
            Some(condition) => {
                let _ = write!(out, "<D:{condition}>{}</D:{condition}>", self.detail);
            }
            None => out.push_str(&self.detail),
        }
        out.push_str("<T:message>");
        xml::escape(&self.sentence, &mut out);
        out.push_str("</T:message>");
        if !self.word.is_empty() {
            let _ = write!(out, "<T:word>{}</T:word>", self.word);
        }
        out.push_str("</D:error>\n");
        out
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let (sentence, word) = (error.to_string(), error.word());
        let plain = |status| Self { word, ..Self::new(status, sentence.clone()) };
        match error {
            Error::NotFound(_) => plain(StatusCode::NOT_FOUND),
            Error::Unauthenticated(AuthFailure::Limited(wait))
            | Error::TooMany { retry_after: wait, .. } => Self {
                retry_after: Some(wait.as_secs().max(1)),
                ..plain(StatusCode::TOO_MANY_REQUESTS)
            },
            Error::Unauthenticated(_) => plain(StatusCode::UNAUTHORIZED),
            Error::Forbidden(_) | Error::SourceForbidden(_) => plain(StatusCode::FORBIDDEN),
            Error::Invalid(_) | Error::UnsupportedArchive(_) => plain(StatusCode::BAD_REQUEST),
            Error::TooLarge(_) => plain(StatusCode::PAYLOAD_TOO_LARGE),
            Error::NameInvalid { rule, .. } => Self {
                detail: format!("<T:name-invalid rule=\"{rule}\"/>"),
                ..plain(StatusCode::FORBIDDEN)
            },
            Error::Conflict(_) | Error::OffsetConflict { .. } => plain(StatusCode::CONFLICT),
            Error::Exists { etag, .. } => told(plain(StatusCode::CONFLICT), "exists", etag),
            Error::PreconditionFailed { etag, .. } => {
                told(plain(StatusCode::PRECONDITION_FAILED), "precondition-failed", etag)
            }
            Error::Expired(_) => plain(StatusCode::GONE),
            Error::Locked { .. } => plain(StatusCode::LOCKED),
            // RFC 4331, 6.
            Error::QuotaExceeded { .. } | Error::GraceOver { .. } => {
                plain(StatusCode::INSUFFICIENT_STORAGE).because("quota-not-exceeded")
            }
            Error::StorageFull => {
                plain(StatusCode::INSUFFICIENT_STORAGE).because("sufficient-disk-space")
            }
            Error::StorageDegraded(_) => {
                Self { retry_after: Some(LOOK_AGAIN), ..plain(StatusCode::SERVICE_UNAVAILABLE) }
            }
            Error::Unavailable(_) | Error::SourceUnreachable(_) => {
                plain(StatusCode::SERVICE_UNAVAILABLE)
            }
            Error::Internal(cause) => {
                tracing::error!("a WebDAV request failed: {cause:#}");
                plain(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }
}

/// With an element that tells the entity tag of what is there, where it has one.
fn told(failure: Failure, element: &str, etag: Option<String>) -> Failure {
    let Some(etag) = etag else { return failure };
    let mut detail = format!("<T:{element} etag=\"");
    xml::escape(&etag, &mut detail);
    detail.push_str("\"/>");
    Failure { detail, ..failure }
}

impl From<NameProblem> for Failure {
    fn from(problem: NameProblem) -> Self {
        let detail = format!("<T:name-invalid rule=\"{}\"/>", problem.rule);
        Self { detail, word: "name_invalid", ..Self::forbidden(problem.sentence) }
    }
}

impl From<Wrong> for Failure {
    /// As the address of a request.
    fn from(wrong: Wrong) -> Self {
        match wrong {
            Wrong::Name(problem) => problem.into(),
            Wrong::Malformed => Self::invalid("The address is malformed"),
            Wrong::Elsewhere => Self::new(StatusCode::NOT_FOUND, "There is nothing here"),
        }
    }
}

impl From<xml::Refused> for Failure {
    fn from(refused: xml::Refused) -> Self {
        Self::invalid(refused.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{Rules, read};

    #[test]
    fn refusals_are_xml_with_a_condition_and_a_sentence() {
        let full = Failure::from(Error::QuotaExceeded { used: 1, quota: 2, needed: 3 });
        assert_eq!(full.status, StatusCode::INSUFFICIENT_STORAGE);
        let locked = Failure::locked("lock-token-submitted", &["/dav/a&b/".to_owned()]);
        let name = Failure::from(NameProblem { rule: "dots", sentence: "A name is <dots>" });
        for (failure, first) in [
            (&full, "D:quota-not-exceeded"),
            (&locked, "D:lock-token-submitted"),
            (&name, "T:name-invalid"),
        ] {
            let body = read(failure.body().as_bytes(), &Rules::STRICT).unwrap();
            assert_eq!(body.name, "D:error");
            assert_eq!(body.children[0].name, first);
            assert_eq!(body.children[1].text, failure.sentence);
        }
        let limited = AuthFailure::Limited(std::time::Duration::from_secs(9));
        let answer = Failure::from(Error::from(limited)).answer();
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(answer.headers().get(header::RETRY_AFTER).unwrap(), "9");
    }
}
