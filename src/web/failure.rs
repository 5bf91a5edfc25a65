//! The crate's error as `application/problem+json`: the one place where the panel's API turns a
//! reaction into a status.

use actix_web::{
    HttpResponse, ResponseError,
    error::{InternalError, JsonPayloadError, PayloadError},
    http::{StatusCode, header},
    web::JsonConfig,
};
use serde_json::{Value, json};

use crate::{Error, error::AuthFailure};

/// Seconds after which it may be worth to try a disk again that failed: somebody has to look after it.
const LOOK_AGAIN: &str = "300";

/// An error on its way out.
#[derive(Debug)]
pub(super) struct Failure(pub(super) Error);

/// What handlers give back.
pub(super) type Answer<T = HttpResponse> = Result<T, Failure>;

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        match &self.0 {
            Error::NotFound(_) => StatusCode::NOT_FOUND,
            Error::Unauthenticated(AuthFailure::Limited(_)) | Error::TooMany { .. } => {
                StatusCode::TOO_MANY_REQUESTS
            }
            Error::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
            Error::Forbidden(_) | Error::SourceForbidden(_) => StatusCode::FORBIDDEN,
            Error::Invalid(_) | Error::NameInvalid { .. } => StatusCode::BAD_REQUEST,
            Error::Conflict(_) | Error::Exists { .. } | Error::OffsetConflict { .. } => {
                StatusCode::CONFLICT
            }
            Error::PreconditionFailed { .. } => StatusCode::PRECONDITION_FAILED,
            Error::Expired(_) => StatusCode::GONE,
            Error::UnsupportedArchive(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Error::SourceUnreachable(_) => StatusCode::BAD_GATEWAY,
            Error::Locked { .. } => StatusCode::LOCKED,
            Error::QuotaExceeded { .. } | Error::GraceOver { .. } | Error::TooLarge(_) => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Error::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
            Error::StorageDegraded(_) | Error::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        if let Error::Internal(cause) = &self.0 {
            tracing::error!("a request failed: {cause:#}");
        }
        let status = self.status_code();
        let mut answer = HttpResponse::build(status);
        if let Error::TooMany { retry_after: wait, .. }
        | Error::Unauthenticated(AuthFailure::Limited(wait)) = &self.0
        {
            answer.insert_header((header::RETRY_AFTER, wait.as_secs().max(1).to_string()));
        }
        if let Error::StorageDegraded(_) = &self.0 {
            answer.insert_header((header::RETRY_AFTER, LOOK_AGAIN));
        }
        answer
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .content_type("application/problem+json")
            .body(self.problem(status).to_string())
    }
}

impl Failure {
    /// The fields of RFC 9457; `type` is a word that programs can tell apart.
    fn problem(&self, status: StatusCode) -> Value {
        let mut problem = json!({
            "type": self.0.word(),
            "title": status.canonical_reason(),
            "status": status.as_u16(),
            "detail": self.0.to_string(),
        });
        if let Error::QuotaExceeded { used, quota, needed }
        | Error::GraceOver { used, quota, needed } = &self.0
        {
            problem["used"] = json!(used);
            problem["quota"] = json!(quota);
            problem["needed"] = json!(needed);
        }
        if let Error::NameInvalid { rule, .. } = &self.0 {
            problem["rule"] = json!(rule);
        }
        if let Error::Exists { etag, .. } | Error::PreconditionFailed { etag, .. } = &self.0 {
            problem["etag"] = json!(etag);
        }
        if let Error::OffsetConflict { stored, .. } = &self.0 {
            problem["offset"] = json!(stored);
        }
        if let Error::Locked { is_own, .. } = &self.0 {
            problem["mine"] = json!(is_own);
        }
        problem
    }
}

/// JSON bodies: small, and a mistake is a sentence.
pub(super) fn json_limits() -> JsonConfig {
    JsonConfig::default().limit(1024 * 1024).error_handler(|error, _| {
        let sentence = match &error {
            JsonPayloadError::ContentType => {
                "This needs a body of the type application/json".to_owned()
            }
            JsonPayloadError::Overflow { .. }
            | JsonPayloadError::OverflowKnownLength { .. }
            | JsonPayloadError::Payload(PayloadError::Overflow) => return too_large(error),
            JsonPayloadError::Deserialize(cause) => {
                format!("The body is not the JSON that belongs here: {cause}")
            }
            _ => "The body did not arrive whole".to_owned(),
        };
        Failure(Error::Invalid(sentence)).into()
    })
}

/// A body above its limit.
fn too_large(error: JsonPayloadError) -> actix_web::Error {
    let status = StatusCode::PAYLOAD_TOO_LARGE;
    let problem = json!({
        "type": "too_large",
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "detail": "The body is larger than this address takes",
    });
    let answer = HttpResponse::build(status)
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .content_type("application/problem+json")
        .body(problem.to_string());
    InternalError::from_response(error, answer).into()
}

/// The same for one address that takes more.
pub(super) fn json_up_to(bytes: usize) -> JsonConfig {
    json_limits().limit(bytes)
}

/// An error as part of an answer that is none.
pub(super) fn problem_of(error: Error) -> Value {
    let failure = Failure(error);
    failure.problem(failure.status_code())
}

/// The same with another status than is usual.
pub(super) fn problem_as(error: Error, status: StatusCode) -> Value {
    Failure(error).problem(status)
}

/// What an address of the API that does not exist answers.
pub(super) async fn no_such_address() -> Answer {
    Err(Failure(Error::NotFound("Address")))
}
