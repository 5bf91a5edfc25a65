//! Settings: one struct and one file a section. Defaults < TOML file < `TUNELOCKER_*` environment
//! (`_FILE` variants for secrets) < flags. Unknown keys are errors that name key and line.

use std::{net::SocketAddr, path::PathBuf};

/// Everything that an operator can choose, validated.
#[derive(Debug, Clone)]
pub struct Config {
    /// Database, keys, cache: `--data`.
    pub data: PathBuf,
    /// Lockers, trash, staging: `--drive`; the data folder if not given.
    pub drive: PathBuf,
    /// Watched folders: name and path.
    pub libraries: Vec<(String, PathBuf)>,
    /// The public listener.
    pub listen: SocketAddr,
    /// The LAN listener; `None` is `--no-lan`.
    pub lan: Option<Lan>,
    /// Worker processes.
    pub workers: Workers,
    /// The admin to make at first start, without the set-up page.
    pub first_admin: Option<(String, String)>,
}

/// What is offered on the local network.
#[derive(Debug, Clone)]
pub struct Lan {
    /// DLNA over HTTP.
    pub listen: SocketAddr,
    /// Interfaces for SSDP and mDNS by name; empty = every one that is up, multicast-capable and not loopback.
    pub interfaces: Vec<String>,
}

/// Where the worker programs are. `None` = beside the running program.
#[derive(Debug, Clone, Default)]
pub struct Workers {
    /// `tunelocker` itself, run as `tunelocker worker`.
    pub daemon: Option<PathBuf>,
    /// `tunelocker-worker`, which decodes.
    pub decoder: Option<PathBuf>,
    /// Decode even where the sandbox cannot be built whole.
    pub sandbox: Sandbox,
}

/// How strict the sandbox is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sandbox {
    /// Refuse to decode without seccomp.
    #[default]
    Required,
    /// Decode with what there is.
    Degraded,
}

impl Config {
    /// Loopback on free ports over a data folder; what tests start from.
    #[must_use]
    pub fn local(data: PathBuf) -> Self {
        Self {
            drive: data.clone(),
            data,
            libraries: Vec::new(),
            listen: ([127, 0, 0, 1], 0).into(),
            lan: None,
            workers: Workers::default(),
            first_admin: None,
        }
    }
}
