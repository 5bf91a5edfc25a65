//! `[tls]`: certificate and key of the public listener. The files are read again when they change.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Where certificate and key are, both PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The certificate, then its chain.
    pub cert: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// The section as it is written.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Section {
    #[serde(skip_serializing_if = "Option::is_none")]
    cert: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<PathBuf>,
}

impl Section {
    /// Both or none.
    pub(super) fn complete(self) -> Result<Option<Tls>, super::Invalid> {
        match (self.cert, self.key) {
            (None, None) => Ok(None),
            (Some(cert), Some(key)) => Ok(Some(Tls { cert, key })),
            (Some(_), None) => Err(super::Invalid::new("tls.cert is set, but tls.key is not")),
            (None, Some(_)) => Err(super::Invalid::new("tls.key is set, but tls.cert is not")),
        }
    }
}
