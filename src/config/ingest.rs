//! `[ingest]`: how music gets in.

use serde::{Deserialize, Serialize};

/// How files are read and watched.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ingest {
    /// What separates several artists or genres in one text, where the file has no list of them.
    pub separators: Vec<String>,
    /// Names that contain a separator and are one name all the same.
    pub exceptions: Vec<String>,
    /// Seconds between sweeps of folders that cannot be watched.
    pub sweep_seconds: u32,
}

impl Default for Ingest {
    fn default() -> Self {
        Self {
            separators: [";", " / ", " feat. ", " ft. "].map(str::to_owned).to_vec(),
            exceptions: vec!["AC/DC".to_owned()],
            sweep_seconds: 300,
        }
    }
}
