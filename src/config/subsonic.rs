//! `[subsonic]`: choices of the Subsonic face.

use serde::{Deserialize, Serialize};

/// Choices of the Subsonic face.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Subsonic {
    /// Whether `p` may be the login password.
    pub login_password: LoginPassword,
    /// Apps, as they call themselves in `c` in any case, whose XML must not nest what came after
    /// the old protocol (C1).
    pub legacy_xml: Vec<String>,
}

impl Default for Subsonic {
    fn default() -> Self {
        Self { login_password: LoginPassword::default(), legacy_xml: vec!["DSub".to_owned()] }
    }
}

/// Whether apps may sign in with the login password, or with app passwords alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LoginPassword {
    /// It works as `p`, through the same verifier and limiter.
    #[default]
    Accept,
    /// Only app passwords work.
    Refuse,
}
