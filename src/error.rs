//! The one error of the crate: a variant for each *reaction of a caller*, not for each cause.
//! Each face maps all variants in one exhaustive `match` in its `failure.rs`. The text of
//! `Internal` is logged and never shown.

use std::time::Duration;

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, sorted by what the caller does about it. Texts are sentences for people.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It does not exist, or the principal may not see it; the two are never told apart.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// Who is asking is not known.
    #[error(transparent)]
    Unauthenticated(#[from] AuthFailure),
    /// Known, but not allowed.
    #[error("{0}")]
    Forbidden(String),
    /// The request makes no sense; the sentence says why.
    #[error("{0}")]
    Invalid(String),
    /// There are more bytes than may be; the sentence says why.
    #[error("{0}")]
    TooLarge(String),
    /// A name that files may not have: the rule that it breaks, and a sentence.
    #[error("{detail}")]
    NameInvalid {
        /// One word, as in `NameProblem` of the drive.
        rule: &'static str,
        /// For people.
        detail: String,
    },
    /// It collides with what is there.
    #[error("{0}")]
    Conflict(String),
    /// Something lies where nothing may be.
    #[error("{sentence}")]
    Exists {
        /// For people.
        sentence: String,
        /// Entity tag of the file that is there, without quotes; folders have none.
        etag: Option<String>,
    },
    /// What is there is not what the caller said it must be.
    #[error("{sentence}")]
    PreconditionFailed {
        /// For people.
        sentence: String,
        /// Entity tag of the file that is there, without quotes; `None` where none is.
        etag: Option<String>,
    },
    /// Bytes of an upload that do not go on where the stored ones end.
    #[error("{stored} bytes are stored, so {sent} is not where it goes on")]
    OffsetConflict {
        /// Bytes that are stored.
        stored: u64,
        /// Where the client means to go on.
        sent: u64,
    },
    /// It waited too long and was given up.
    #[error("{0} waited too long and was given up; begin again")]
    Expired(&'static str),
    /// An archive that cannot or must not be unpacked; the sentence says why.
    #[error("{0}")]
    UnsupportedArchive(String),
    /// An address from which nothing is to be had now; the sentence says why.
    #[error("{0}")]
    SourceUnreachable(String),
    /// An address that is not asked, or that refuses to answer.
    #[error("{0}")]
    SourceForbidden(String),
    /// An app works on it and holds a lock; the sentence says whose and for how long.
    #[error("{sentence}")]
    Locked {
        /// For people.
        sentence: String,
        /// The lock is the caller's own: he may say that he means it.
        is_own: bool,
    },
    /// The locker has no room: figures in bytes.
    #[error(
        "This does not fit: {used} of {quota} bytes are used and {needed} more are needed. Delete something, or ask for more room"
    )]
    QuotaExceeded {
        /// Bytes used and reserved now.
        used: u64,
        /// Bytes allowed in all.
        quota: u64,
        /// Bytes this request needs.
        needed: u64,
    },
    /// The locker has been over its quota for longer than the grace lasts: figures in bytes.
    #[error(
        "This locker has been over its quota for too long: {used} bytes are used and {quota} are allowed. All of it can be played, fetched, moved and deleted; nothing is added until it fits again"
    )]
    GraceOver {
        /// Bytes used and reserved now.
        used: u64,
        /// Bytes allowed in all.
        quota: u64,
        /// Bytes this request needs.
        needed: u64,
    },
    /// The disk has no room.
    #[error("The server's disk is full")]
    StorageFull,
    /// A disk failed to keep what was written, or the database is damaged: nothing is stored until
    /// somebody looked after it. The half sentence says what failed.
    #[error(
        "Nothing can be stored now: {0}. What is there can be played and fetched. An administrator has to look after the disk"
    )]
    StorageDegraded(String),
    /// Too often, or too many at once.
    #[error("{message}")]
    TooMany {
        /// What there were too many of, as a sentence.
        message: String,
        /// When to try again.
        retry_after: Duration,
    },
    /// It exists, but cannot be had now (no worker, unmounted library, decoder refused).
    #[error("{0}")]
    Unavailable(String),
    /// A fault of ours.
    #[error("Something went wrong inside the server")]
    Internal(#[source] anyhow::Error),
}

/// Why nobody was recognised. Subsonic gives each its own code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthFailure {
    /// Unknown user or wrong secret; the two are never told apart.
    #[error("Wrong user name or password")]
    Wrong,
    /// No credential at all, or an expired session.
    #[error("Please sign in")]
    Missing,
    /// Token authentication needs an app password, and this user has none (Subsonic 41).
    #[error(
        "Token sign-in needs an app password; make one in the web panel under \"Connect an app\""
    )]
    TokenUnsupported,
    /// The mechanism is switched off (Subsonic 42).
    #[error("This way of signing in is switched off here; use an app password")]
    MechanismUnsupported,
    /// Two mechanisms in one request (Subsonic 43).
    #[error("Use either an API key or a user name with password, not both")]
    Conflicting,
    /// The API key is unknown or revoked (Subsonic 44).
    #[error("Invalid API key")]
    InvalidKey,
    /// Too many wrong tries from here; it says for how long.
    #[error("Too many wrong passwords; try again in {} seconds", .0.as_secs().max(1))]
    Limited(Duration),
}

impl Error {
    /// The word for programs, the same in every face.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "not_found",
            Self::Unauthenticated(_) => "unauthenticated",
            Self::Forbidden(_) => "forbidden",
            Self::Invalid(_) => "invalid",
            Self::TooLarge(_) => "too_large",
            Self::NameInvalid { .. } => "name_invalid",
            Self::Conflict(_) => "conflict",
            Self::Exists { .. } => "exists",
            Self::PreconditionFailed { .. } => "precondition_failed",
            Self::Locked { .. } => "locked",
            Self::OffsetConflict { .. } => "offset_conflict",
            Self::Expired(_) => "upload_expired",
            Self::UnsupportedArchive(_) => "unsupported_archive",
            Self::SourceUnreachable(_) => "source_unreachable",
            Self::SourceForbidden(_) => "source_forbidden",
            Self::QuotaExceeded { .. } => "quota_exceeded",
            Self::GraceOver { .. } => "locker_full_grace",
            Self::StorageFull => "disk_full",
            Self::StorageDegraded(_) => "storage_degraded",
            Self::TooMany { .. } => "too_many",
            Self::Unavailable(_) => "unavailable",
            Self::Internal(_) => "internal",
        }
    }

    /// Entity tag of the file that stands in the way, where one does.
    #[must_use]
    pub fn etag(&self) -> Option<&str> {
        match self {
            Self::Exists { etag, .. } | Self::PreconditionFailed { etag, .. } => etag.as_deref(),
            _ => None,
        }
    }

    /// An internal fault with context for the log.
    pub fn internal(error: impl Into<anyhow::Error>) -> Self {
        Self::Internal(error.into())
    }
}

impl From<anyhow::Error> for Error {
    fn from(error: anyhow::Error) -> Self {
        Self::Internal(error)
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        // SQLITE_FULL: the database's own disk.
        if sqlite_code(&error) == Some(13) {
            return Self::StorageFull;
        }
        match database_fault(&error) {
            Some(what) => Self::StorageDegraded(what),
            None => Self::Internal(error.into()),
        }
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Internal(error.into())
    }
}

impl From<tokio::task::JoinError> for Error {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::Internal(error.into())
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        if let Some(WriteFailed(cause)) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
            return Self::StorageDegraded(format!(
                "the disk failed to keep what was written ({})",
                in_words(cause)
            ));
        }
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Self::StorageFull
            }
            _ => Self::Internal(error.into()),
        }
    }
}

/// An error of a file for people: without the system's number for it.
pub(crate) fn in_words(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split_once(" (os error ").map_or(&*text, |(words, _)| words).to_owned()
}

/// Whether an error of a file says that nothing is there; any other leaves that open.
pub(crate) fn is_nowhere(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

/// A disk failed to keep what was written; inside of a [`std::io::Error`] that comes from what writes.
#[derive(Debug, thiserror::Error)]
#[error("the disk failed to keep what was written: {0}")]
pub struct WriteFailed(#[source] pub std::io::Error);

/// What failed, where the database's disk failed to keep what was written, or the database is damaged.
pub(crate) fn database_fault(error: &sqlx::Error) -> Option<String> {
    // Result codes of SQLite: what stands in the lowest byte, and more of it above.
    let what = match sqlite_code(error)? {
        // SQLITE_IOERR of WRITE, FSYNC, DIR_FSYNC and TRUNCATE.
        778 | 1034 | 1290 | 1546 => "the disk of the database failed to keep what was written",
        code => match code & 0xff {
            8 => "the disk of the database is read-only",
            // SQLITE_CORRUPT, SQLITE_NOTADB.
            11 | 26 => "the database is damaged",
            _ => return None,
        },
    };
    Some(format!("{what} ({})", error.as_database_error()?.message()))
}

fn sqlite_code(error: &sqlx::Error) -> Option<u32> {
    error.as_database_error()?.code()?.parse().ok()
}
