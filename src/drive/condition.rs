//! What must be true of what lies at a path for a change to go ahead.

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
    /// Whether what is there (its ETag) is as wanted.
    pub(super) fn holds(&self, there: Option<&str>) -> bool {
        match self {
            Self::None => true,
            Self::Absent => there.is_none(),
            Self::Present => there.is_some(),
            Self::Match(tags) => there.is_some_and(|there| tags.iter().any(|tag| tag == there)),
        }
    }
}
