//! Who may do what: users, credentials and the one verifier with its limiter, sessions, plans,
//! the quota ledger, LAN devices. Knows nothing of HTTP, of music or of any protocol.

mod principal;

pub use principal::{Caps, Principal, Role, Scope};

use crate::{Error, Result, clock::Clock, db::Db, events::Events};

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

/// The accounts service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Accounts {
    db: Db,
    clock: Clock,
    events: Events,
}

impl Accounts {
    /// Over an open database. `keys` is the folder of the server's secrets (made if absent, 0700).
    pub async fn open(
        db: Db,
        clock: Clock,
        events: Events,
        keys: &std::path::Path,
    ) -> Result<Self> {
        let _ = keys;
        Ok(Self { db, clock, events })
    }

    /// The one verifier, for every door.
    pub async fn authenticate(
        &self,
        credentials: Credentials,
        origin: &Origin,
    ) -> Result<Principal> {
        let _ = (credentials, origin, &self.db, &self.clock, &self.events);
        Err(Error::Unauthenticated(crate::error::AuthFailure::Missing))
    }

    /// The household: what DLNA devices without a user act as. Sees active libraries that are on
    /// the LAN, or, for a device bound to a user, what that user sees.
    pub async fn household(&self) -> Result<Principal> {
        let libraries: Vec<i64> = sqlx::query_scalar!(
            "select library_id from library where is_on_lan = 1 and is_active = 1 order by library_id"
        )
        .fetch_all(self.db.read())
        .await?;
        Ok(Principal::household(libraries.into_iter().map(Into::into).collect()))
    }
}
