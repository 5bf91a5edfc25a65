//! `[ingest]`: how music gets in.

use serde::{Deserialize, Serialize};

use crate::media::worker::ReadOptions;

/// How files are read and watched.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ingest {
    /// What separates several artists in one text, where the file has no list of them.
    pub artist_separators: Vec<String>,
    /// What separates several genres in one text.
    pub genre_separators: Vec<String>,
    /// Names that contain a separator and are one name all the same.
    pub exceptions: Vec<String>,
    /// Seconds between sweeps of folders that cannot be watched.
    pub sweep_seconds: u32,
}

impl Default for Ingest {
    fn default() -> Self {
        let ReadOptions { artist_separators, genre_separators, exceptions } =
            ReadOptions::default();
        Self { artist_separators, genre_separators, exceptions, sweep_seconds: 300 }
    }
}

impl Ingest {
    /// What the readers of files are told.
    #[must_use]
    pub fn read_options(&self) -> ReadOptions {
        ReadOptions {
            artist_separators: self.artist_separators.clone(),
            genre_separators: self.genre_separators.clone(),
            exceptions: self.exceptions.clone(),
        }
    }
}
