//! Web sessions: a random cookie, of which only a keyed hash is kept.

use super::{Accounts, Origin, Principal};
use crate::{Error, Result, clock::Millis};

/// What the browser gets. The face chooses name and flags of the cookie.
#[derive(Debug, Clone)]
pub struct SessionCookie {
    /// 256 random bits, URL-safe.
    pub value: String,
    /// When it ends if it is not used.
    pub expires_at: Millis,
}

/// A browser that is signed in.
#[derive(Debug, Clone)]
pub struct Session {
    /// Names the session in [`Accounts::end_session`]; no secret.
    pub id: String,
    /// When it began.
    pub created_at: Millis,
    /// When it was last used.
    pub seen_at: Millis,
    /// What the browser calls itself.
    pub user_agent: String,
    /// Where from.
    pub address: String,
}

impl Accounts {
    /// Checks a login password and starts a session with a new random cookie.
    pub async fn sign_in(
        &self,
        name: &str,
        password: &str,
        origin: &Origin,
    ) -> Result<(SessionCookie, Principal)> {
        let _ = (name, password, origin);
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }

    /// Ends the session of a cookie; an unknown one is fine.
    pub async fn sign_out(&self, cookie: &str) -> Result<()> {
        let _ = cookie;
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }

    /// The principal's sessions, latest first.
    pub async fn sessions(&self, principal: &Principal) -> Result<Vec<Session>> {
        let _ = principal;
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }

    /// Ends one of the principal's sessions.
    pub async fn end_session(&self, principal: &Principal, id: &str) -> Result<()> {
        let _ = (principal, id);
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }
}
