//! `[egress]`: what the server may reach beyond the public internet.

use serde::{Deserialize, Serialize};

use crate::egress::Allowed;

/// Doors to the outside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Egress {
    /// Addresses in the house that may be asked, for a feed server of one's own:
    /// `192.168.1.5:8080`, `10.0.0.0/8`.
    pub allow: Vec<Allowed>,
    /// Ports beside 80 and 443.
    pub ports: Vec<u16>,
}
