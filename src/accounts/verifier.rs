//! The one verifier, for every door.

use super::{Accounts, Principal};
use crate::{Error, Result, error::AuthFailure};

/// Who somebody says he is. The one verifier takes them all.
#[derive(Clone)]
pub enum Credentials {
    /// Name with login password or app password.
    Password {
        /// Login name.
        user: String,
        /// Clear text.
        password: String,
    },
    /// Subsonic `t` and `s`: `token = hex(md5(secret ++ salt))`.
    Token {
        /// Login name.
        user: String,
        /// Lower-case hex.
        token: String,
        /// As the client sent it.
        salt: String,
    },
    /// An app password alone, as OpenSubsonic `apiKey` or Bearer.
    ApiKey(String),
    /// The value of the session cookie.
    Session(String),
}

/// Where a request came from, for the limiter and "last use".
#[derive(Debug, Clone)]
pub struct Origin {
    /// The client's address, forwarding headers already judged.
    pub address: std::net::IpAddr,
    /// Client or browser name as it calls itself; may be empty.
    pub client: String,
}

impl Accounts {
    /// The one verifier, for every door.
    pub async fn authenticate(
        &self,
        credentials: Credentials,
        origin: &Origin,
    ) -> Result<Principal> {
        let _ = (credentials, origin);
        Err(Error::Unauthenticated(AuthFailure::Missing))
    }
}
