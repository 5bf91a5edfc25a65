//! `[workers]`: the processes that untrusted bytes are read in.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use crate::media::worker::sandbox::Sandbox;

/// Where the worker programs are. `None` = beside the running program.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Workers {
    /// `tunelocker` itself, run as `tunelocker worker`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daemon: Option<PathBuf>,
    /// `tunelocker-worker`, which decodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decoder: Option<PathBuf>,
    /// Decode even where the sandbox cannot be built whole.
    pub sandbox: Sandbox,
}
