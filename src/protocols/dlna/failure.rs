//! What our errors are called in UPnP and in plain HTTP on the LAN listener.

use actix_web::http::StatusCode;

use super::soap::Fault;
use crate::Error;

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let code = match &error {
            Error::NotFound(_) => 701,
            Error::Invalid(_)
            | Error::TooLarge(_)
            | Error::NameInvalid { .. }
            | Error::UnsupportedArchive(_) => 402,
            Error::Unauthenticated(_) | Error::Forbidden(_) | Error::SourceForbidden(_) => 801,
            Error::Conflict(_)
            | Error::Exists { .. }
            | Error::PreconditionFailed { .. }
            | Error::OffsetConflict { .. }
            | Error::Expired(_)
            | Error::Locked { .. }
            | Error::QuotaExceeded { .. }
            | Error::GraceOver { .. }
            | Error::StorageFull => 501,
            Error::TooMany { .. }
            | Error::StorageDegraded(_)
            | Error::Unavailable(_)
            | Error::SourceUnreachable(_) => 720,
            Error::Internal(cause) => {
                tracing::error!(error = ?cause, "a DLNA action failed");
                501
            }
        };
        Self::new(code, error.to_string())
    }
}

/// The status for media, covers and refused devices.
pub(super) fn status(error: &Error) -> StatusCode {
    match error {
        Error::NotFound(_) => StatusCode::NOT_FOUND,
        Error::Invalid(_)
        | Error::TooLarge(_)
        | Error::NameInvalid { .. }
        | Error::UnsupportedArchive(_) => StatusCode::BAD_REQUEST,
        Error::Unauthenticated(_) | Error::Forbidden(_) | Error::SourceForbidden(_) => {
            StatusCode::FORBIDDEN
        }
        Error::Conflict(_)
        | Error::Exists { .. }
        | Error::PreconditionFailed { .. }
        | Error::OffsetConflict { .. }
        | Error::Expired(_) => StatusCode::CONFLICT,
        Error::Locked { .. } => StatusCode::LOCKED,
        Error::QuotaExceeded { .. } | Error::GraceOver { .. } | Error::StorageFull => {
            StatusCode::INSUFFICIENT_STORAGE
        }
        Error::TooMany { .. }
        | Error::StorageDegraded(_)
        | Error::Unavailable(_)
        | Error::SourceUnreachable(_) => StatusCode::SERVICE_UNAVAILABLE,
        Error::Internal(cause) => {
            tracing::error!(error = ?cause, "a DLNA request failed");
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}
