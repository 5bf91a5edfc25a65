//! Room beside facts for what faces wrote of them.

use std::{fmt, sync::OnceLock};

/// In which spelling something is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// As members of a JSON object.
    Json,
    /// As attributes of an XML element.
    XmlAttributes,
    /// As the children of it.
    XmlChildren,
}

/// What a face wrote of facts, kept as long as the facts themselves: writing them a second time
/// is copying. It holds nothing that belongs to a principal.
#[derive(Default)]
pub struct Written([OnceLock<Box<str>>; 3]);

impl Written {
    /// What was written, or is written now.
    pub fn get_or_write(&self, spelling: Spelling, write: impl FnOnce() -> Box<str>) -> &str {
        self.0[spelling as usize].get_or_init(write)
    }
}

/// A copy may be changed, so nothing is known to be written of it.
impl Clone for Written {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Written(..)")
    }
}
