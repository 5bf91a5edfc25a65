//! Tickets: what a user may see, handed out as an address or a token that needs no sign-in. A
//! keyed hash proves that we wrote it; nothing is kept, and whatever a ticket says, what its user
//! may see is judged when it is used.

use subtle::ConstantTimeEq as _;

use super::{Accounts, Principal};
use crate::{Error, Result, ids::UserId};

/// Bytes of the hash that a ticket carries: 128 bits.
pub const PROOF: usize = 16;

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

    /// The proof, in hex, that this user may be shown this thing. Lists hold thousands of them.
    pub fn ticket<'a>(
        &self,
        user: UserId,
        thing: &str,
        digits: &'a mut [u8; 2 * PROOF],
    ) -> &'a str {
        // Twice as many digits as bytes fit.
        let _ = hex::encode_to_slice(self.ticket_proof(user, thing), digits);
        std::str::from_utf8(digits).unwrap_or_default()
    }

    /// Whom a ticket of [`Self::ticket`] acts for. A wrong proof and a user who is gone or shut
    /// out are not found.
    pub async fn admit(&self, user: UserId, thing: &str, ticket: &str) -> Result<Principal> {
        let mut given = [0; PROOF];
        let is_hex = hex::decode_to_slice(ticket, &mut given).is_ok();
        let is_right: bool = self.ticket_proof(user, thing).ct_eq(&given).into();
        if !is_hex || !is_right {
            return Err(Error::NotFound("Ticket"));
        }
        self.principal_of_ticket(user).await
    }

    fn ticket_proof(&self, user: UserId, thing: &str) -> [u8; PROOF] {
        let hash = self.keys.hash("ticket", format!("{}\0{thing}", user.0).as_bytes());
        let mut proof = [0; PROOF];
        proof.copy_from_slice(&hash[..PROOF]);
        proof
    }
}
