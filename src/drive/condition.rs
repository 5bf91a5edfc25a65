//! What must be true of what lies at a path for a change to go ahead, and what is said where it is
//! not: the one place for all ways in.

use crate::{Error, Result};

/// What must be true of the target for a change to go ahead.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Condition {
    /// Whatever is there is replaced.
    #[default]
    None,
    /// Nothing may be there (`If-None-Match: *`).
    Absent,
    /// Anything must be there (`If-Match: *`).
    Present,
    /// One of these ETags must be there (`If-Match`).
    Match(Vec<String>),
}

impl Condition {
    /// Refuses unless what is there (its ETag; '' for what has none, like a folder) is as wanted.
    pub(super) fn require(&self, there: Option<&str>) -> Result<()> {
        if self.holds(there) { Ok(()) } else { Err(self.refusal(there)) }
    }

    /// What is said where what is there is not as wanted.
    pub(crate) fn refusal(&self, there: Option<&str>) -> Error {
        let etag = there.filter(|etag| !etag.is_empty()).map(str::to_owned);
        match self {
            Self::Absent => exists(etag),
            _ => Error::PreconditionFailed {
                sentence: "What is there is not what was expected".to_owned(),
                etag,
            },
        }
    }

    fn holds(&self, there: Option<&str>) -> bool {
        match self {
            Self::None => true,
            Self::Absent => there.is_none(),
            Self::Present => there.is_some(),
            Self::Match(tags) => there.is_some_and(|there| tags.iter().any(|tag| tag == there)),
        }
    }
}

/// Something lies where nothing may be.
pub(super) fn exists(etag: Option<String>) -> Error {
    let sentence = "Something of that name is there already".to_owned();
    Error::Exists { sentence, etag }
}
