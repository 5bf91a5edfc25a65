//! `[playback]`: how music gets out.

use serde::{Deserialize, Serialize};

/// Bounds of transcoding.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Playback {
    /// Most bytes that finished transcodes may hold on disk.
    pub cache_bytes: u64,
    /// Transcodes at once, all users together.
    pub transcodes: usize,
    /// Transcodes at once of one user, unless the plan says less.
    pub transcodes_per_user: usize,
    /// How many seconds a transcode may wait for its turn before it is refused.
    pub queue_seconds: u32,
}

impl Default for Playback {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            cache_bytes: 2_000_000_000,
            transcodes: (2 * cores).max(4),
            transcodes_per_user: 4,
            queue_seconds: 10,
        }
    }
}
