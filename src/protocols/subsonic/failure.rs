//! Refusals as Subsonic spells them: a code and a sentence, in an envelope at HTTP 200.

use std::{borrow::Cow, time::Duration};

use crate::{Error, error::AuthFailure};

/// The protocol's error codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    /// Anything else.
    Generic = 0,
    /// A required parameter is missing.
    MissingParameter = 10,
    /// The client is too old.
    ClientTooOld = 20,
    /// The client is too new.
    ServerTooOld = 30,
    /// Wrong user name or password.
    WrongCredentials = 40,
    /// Token sign-in is not possible for this user.
    TokenUnsupported = 41,
    /// This way of signing in is switched off.
    MechanismUnsupported = 42,
    /// Two ways of signing in at once.
    ConflictingMechanisms = 43,
    /// The API key is not valid.
    InvalidKey = 44,
    /// Known, but not allowed.
    NotAuthorized = 50,
    /// Not there, or not for this user. Apps take it as "deleted", so never for a passing fault.
    NotFound = 70,
}

/// Why a call was refused.
#[derive(Debug)]
pub(super) struct Failure {
    /// What apps act on.
    pub(super) code: Code,
    /// What people read.
    pub(super) message: Cow<'static, str>,
    /// When it makes sense to try again.
    pub(super) retry_after: Option<Duration>,
}

impl Failure {
    pub(super) fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), retry_after: None }
    }

    /// Code 0 with a sentence.
    pub(super) fn generic(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::Generic, message)
    }

    /// Code 10: a parameter that this method needs was not sent.
    pub(super) fn missing(name: &str) -> Self {
        Self::new(Code::MissingParameter, format!("Required parameter {name} is missing"))
    }

    /// Code 10: a parameter points outside of what was sent with it.
    pub(super) fn out_of_range(name: &str) -> Self {
        Self::new(Code::MissingParameter, format!("Parameter {name} is out of range"))
    }

    /// Code 20 or 30: the major versions differ.
    pub(super) fn version(code: Code) -> Self {
        Self::new(
            code,
            if code == Code::ClientTooOld {
                "Incompatible Subsonic REST protocol version; the client must upgrade"
            } else {
                "Incompatible Subsonic REST protocol version; the server must upgrade"
            },
        )
    }

    /// Code 50 with a sentence.
    pub(super) fn forbidden(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::NotAuthorized, message)
    }

    /// Code 70: `what` is a noun with a capital.
    pub(super) fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("{what} not found"))
    }

    /// Whether a page that helps to sign in should be named.
    pub(super) fn is_about_signing_in(&self) -> bool {
        matches!(self.code, Code::TokenUnsupported | Code::MechanismUnsupported)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::NotFound(_) => Self::new(Code::NotFound, sentence(message)),
            Error::Unauthenticated(cause) => Self::from(cause),
            // Apps show the sentence of this code, and do not try again.
            Error::Forbidden(_)
            | Error::SourceForbidden(_)
            | Error::QuotaExceeded { .. }
            | Error::GraceOver { .. } => Self::new(Code::NotAuthorized, message),
            Error::TooMany { retry_after, .. } => {
                Self { retry_after: Some(retry_after), ..Self::generic(message) }
            }
            Error::Invalid(_)
            | Error::NameInvalid { .. }
            | Error::Conflict(_)
            | Error::Exists { .. }
            | Error::PreconditionFailed { .. }
            | Error::OffsetConflict { .. }
            | Error::Expired(_)
            | Error::UnsupportedArchive(_)
            | Error::TooLarge(_)
            | Error::SourceUnreachable(_)
            | Error::Locked { .. }
            | Error::StorageFull
            | Error::StorageDegraded(_)
            | Error::Unavailable(_) => Self::generic(message),
            Error::Internal(cause) => {
                tracing::error!(error = format!("{cause:#}"), "a Subsonic call failed");
                Self::generic(message)
            }
        }
    }
}

impl From<AuthFailure> for Failure {
    fn from(cause: AuthFailure) -> Self {
        let message = cause.to_string();
        let code = match cause {
            AuthFailure::Wrong => Code::WrongCredentials,
            AuthFailure::Missing => Code::MissingParameter,
            AuthFailure::TokenUnsupported => Code::TokenUnsupported,
            AuthFailure::MechanismUnsupported => Code::MechanismUnsupported,
            AuthFailure::Conflicting => Code::ConflictingMechanisms,
            AuthFailure::InvalidKey => Code::InvalidKey,
            AuthFailure::Limited(wait) => {
                return Self {
                    retry_after: Some(wait),
                    ..Self::new(Code::WrongCredentials, message)
                };
            }
        };
        Self::new(code, message)
    }
}

impl From<super::xml::Fault> for Failure {
    fn from(fault: super::xml::Fault) -> Self {
        Error::internal(fault).into()
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Error::internal(error).into()
    }
}

/// With a capital, as a sentence begins.
fn sentence(text: String) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if first.is_lowercase() => first.to_uppercase().chain(letters).collect(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_has_its_code() {
        for (error, code) in [
            (Error::NotFound("album"), 70),
            (Error::Unauthenticated(AuthFailure::Wrong), 40),
            (Error::Unauthenticated(AuthFailure::Missing), 10),
            (Error::Unauthenticated(AuthFailure::TokenUnsupported), 41),
            (Error::Unauthenticated(AuthFailure::MechanismUnsupported), 42),
            (Error::Unauthenticated(AuthFailure::Conflicting), 43),
            (Error::Unauthenticated(AuthFailure::InvalidKey), 44),
            (Error::Unauthenticated(AuthFailure::Limited(Duration::from_secs(9))), 40),
            (Error::Forbidden("no".to_owned()), 50),
            (Error::Invalid("no".to_owned()), 0),
            (Error::Conflict("no".to_owned()), 0),
            (Error::QuotaExceeded { used: 1, quota: 2, needed: 3 }, 50),
            (Error::GraceOver { used: 3, quota: 2, needed: 3 }, 50),
            (Error::StorageFull, 0),
            (Error::StorageDegraded("no".to_owned()), 0),
            (Error::Unavailable("later".to_owned()), 0),
            (Error::Internal(anyhow::anyhow!("secret detail")), 0),
        ] {
            let failure = Failure::from(error);
            assert_eq!(failure.code as u32, code);
            assert!(!failure.message.contains("secret"));
            assert!(
                failure.message.starts_with(char::is_uppercase)
                    || failure.message == "no"
                    || failure.message == "later"
            );
        }
    }
}
