//! The first run: who is the admin, and is this a household or a host for others.

use super::{Accounts, Origin, Principal, SessionCookie};
use crate::{Error, Result};

/// What the server is for; it decides plans and the household locker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// People who share a roof and their music.
    Household,
    /// Strangers, each with a locker.
    Hosting,
}

/// Where the set-up stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetUpState {
    /// Nobody is here yet; the set-up link waits.
    Needed,
    /// Done; `mode` was chosen.
    Done(Mode),
}

impl Accounts {
    /// Where the set-up stands.
    pub async fn set_up_state(&self) -> Result<SetUpState> {
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }

    /// The secret of the one-time set-up link, made on first call and the same until it is used
    /// or the server restarts. `None` once somebody is here. Print it on the console only.
    pub async fn set_up_token(&self) -> Result<Option<String>> {
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }

    /// Whether this is the open set-up link's secret (limited like any secret).
    pub async fn check_set_up_token(&self, token: &str, origin: &Origin) -> Result<()> {
        let _ = (token, origin);
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }

    /// Makes plans, household locker and the first admin, and signs him in.
    pub async fn complete_set_up(
        &self,
        token: &str,
        mode: Mode,
        name: &str,
        password: &str,
        origin: &Origin,
    ) -> Result<(SessionCookie, Principal)> {
        let _ = (token, mode, name, password, origin);
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }

    /// The unattended way: a household with this admin, if nobody is here yet. Idempotent.
    pub async fn ensure_first_admin(&self, name: &str, password: &str) -> Result<()> {
        let _ = (name, password);
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }
}
