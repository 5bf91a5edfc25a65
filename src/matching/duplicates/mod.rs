//! Files that are there more than once: the same bytes; the same sound with other tags; the same
//! recording in another encoding, which is only suggested. Each can be kept, linked or deleted,
//! and each of that can be taken back.

mod actions;
mod groups;
mod prints;

pub use actions::{Action, ActionDone, What};
pub use groups::{DuplicateFile, DuplicateGroup};

/// How the files of a group are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DuplicateKind {
    /// Byte for byte.
    Exact,
    /// The encoded sound is the same, tags or container are not.
    Audio,
    /// It sounds the same.
    Recording,
}

impl DuplicateKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Audio => "audio",
            Self::Recording => "recording",
        }
    }
}
