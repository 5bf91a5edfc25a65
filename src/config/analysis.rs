//! `[analysis]`: what the box hears by itself.

use serde::{Deserialize, Serialize};

use super::Invalid;
use crate::clock::Hours;

/// When and how much tracks are analysed in the background.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Analysis {
    /// Whether it is done at all.
    pub enabled: bool,
    /// Hours of the day in which it may run, as `22-6` in local time; '' is always.
    pub hours: String,
    /// Tracks at once.
    pub workers: usize,
}

impl Default for Analysis {
    fn default() -> Self {
        Self { enabled: true, hours: String::new(), workers: 1 }
    }
}

impl Analysis {
    /// The hours as a value; the sentence of an error names the key.
    pub(crate) fn hours(&self) -> Result<Hours, Invalid> {
        Hours::parse(&self.hours).ok_or_else(|| {
            Invalid::new(format!("analysis.hours: {:?} is not like \"22-6\"", self.hours))
        })
    }
}
