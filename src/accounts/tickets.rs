//! What services need that hand out signed tickets: a key of their own, and whom the bearer of a
//! ticket stands for.

use super::{Accounts, Principal};
use crate::{Error, Result, ids::UserId};

impl Accounts {
    /// A key for one purpose, the same at every start, from the server's own secret.
    #[must_use]
    pub fn derived_key(&self, purpose: &str) -> [u8; 32] {
        self.keys.hash("derived key", purpose.as_bytes())
    }

    /// Whom a ticket stands for that one of our services signed: an app's rights, as they are
    /// now. Nobody who is shut out.
    pub async fn principal_of_ticket(&self, user: UserId) -> Result<Principal> {
        let account = self.account(user).await?.filter(|account| !account.is_disabled);
        Ok(account.ok_or(Error::NotFound("User"))?.app.clone())
    }
}
