//! `[lan]`: what is offered on the local network.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// What is offered on the local network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lan {
    /// DLNA over HTTP.
    pub listen: SocketAddr,
    /// Interfaces for SSDP and mDNS by name; empty = every one that is up, multicast-capable and not loopback.
    pub interfaces: Vec<String>,
}

/// The section as it is written: it can also be switched off.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Section {
    enabled: bool,
    listen: SocketAddr,
    interfaces: Vec<String>,
}

impl Default for Section {
    fn default() -> Self {
        Self { enabled: true, listen: ([0, 0, 0, 0], 4041).into(), interfaces: Vec::new() }
    }
}

impl From<Section> for Option<Lan> {
    fn from(section: Section) -> Self {
        let Section { enabled, listen, interfaces } = section;
        enabled.then_some(Lan { listen, interfaces })
    }
}
