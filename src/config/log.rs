//! `[log]`: what is logged, and how.

use serde::{Deserialize, Serialize};

/// What is logged to standard error, and how.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// Lines for people or for programs.
    pub format: LogFormat,
    /// A level, or a filter such as `info,tunelocker::ingest=debug`. Requests that were answered
    /// as they should be are told at `tunelocker::request=debug`.
    pub level: String,
}

/// Lines for people or for programs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Human, level: "info".to_owned() }
    }
}
