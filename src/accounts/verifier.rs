//! The one verifier, for every door. An unknown user takes the same way as a wrong password, up
//! to the last comparison, and can never reach the arm that says yes.

use std::{net::IpAddr, sync::Arc};

use super::{
    Abilities, Accounts, Caps, Principal, Role, Scope,
    app_passwords::Secret,
    memory::{Account, Key, KnownSession},
};
use crate::{Result, error::AuthFailure, ids::UserId};

/// How long a login password that was right need not be hashed again.
const VERIFIED_FOR: i64 = 10 * 60 * 1000;
/// Nobody has this row: the same statements run for an unknown name.
const NOBODY: i64 = -1;

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
        /// Hex, in any case.
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
    pub address: IpAddr,
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
        match credentials {
            Credentials::Password { user, password } => {
                self.by_password(&user, &password, origin).await
            }
            Credentials::Token { user, token, salt } => {
                self.by_token(&user, &token, &salt, origin).await
            }
            Credentials::ApiKey(key) => self.by_key(&key, origin).await,
            Credentials::Session(cookie) => self.by_session(&cookie).await,
        }
    }

    async fn by_password(&self, name: &str, password: &str, origin: &Origin) -> Result<Principal> {
        let name = name.to_ascii_lowercase();
        if let Some(account) = self.memory.named(&name)
            && let Some(principal) = self.fits_without_hashing(&account, password, origin)
        {
            return Ok(principal);
        }
        // From here on a known and an unknown name do the same work.
        let account = self.load_named(&name).await?;
        if let Some(principal) = account
            .as_ref()
            .and_then(|account| self.fits_without_hashing(account, password, origin))
        {
            return Ok(principal);
        }
        let account = self.check_login(account, &name, password, origin).await?;
        Ok(account.full.clone())
    }

    /// Login password only: limited, hashed, remembered for a while.
    pub(super) async fn check_login(
        &self,
        account: Option<Arc<Account>>,
        name: &str,
        password: &str,
        origin: &Origin,
    ) -> Result<Arc<Account>> {
        self.limiter.take(name, origin.address)?;
        let account = account.filter(|account| !account.is_disabled);
        let hash = account.as_ref().map(|account| account.password_hash.as_str());
        let is_right = self.passwords.is_right(password, hash).await?;
        let Some(account) = account.filter(|_| is_right) else {
            return Err(AuthFailure::Wrong.into());
        };
        self.limiter.was_right(name, origin.address);
        let proof = self.proof(&account, password);
        self.memory.set_verified(account.full.user, proof, self.clock.now() + VERIFIED_FOR);
        Ok(account)
    }

    /// An app password, or a login password that was right a short while ago.
    fn fits_without_hashing(
        &self,
        account: &Account,
        password: &str,
        origin: &Origin,
    ) -> Option<Principal> {
        if account.is_disabled {
            return None;
        }
        if let Some(secret) = Secret::parse(password) {
            let lookup = secret.lookup(&self.keys);
            if let Some(key) = account.keys.iter().find(|key| key.lookup == lookup) {
                self.note_use(key.id, origin);
                return Some(account.app.clone());
            }
        }
        let proof = self.proof(account, password);
        self.memory
            .is_verified(account.full.user, &proof, self.clock.now())
            .then(|| account.full.clone())
    }

    /// Holds only for this password under this stored hash: changing the password ends it.
    fn proof(&self, account: &Account, password: &str) -> [u8; 32] {
        let mut text = Vec::with_capacity(account.password_hash.len() + 1 + password.len());
        text.extend_from_slice(account.password_hash.as_bytes());
        text.push(0);
        text.extend_from_slice(password.as_bytes());
        self.keys.hash("verified login", &text)
    }

    async fn by_token(
        &self,
        name: &str,
        token: &str,
        salt: &str,
        origin: &Origin,
    ) -> Result<Principal> {
        let name = name.to_ascii_lowercase();
        let remembered = self.memory.named(&name).filter(|account| !account.keys.is_empty());
        let account = match remembered {
            Some(account) => Some(account),
            None => self.load_named(&name).await?,
        };
        // Unknown, disabled and without an app password look alike, and read as much.
        let account = account
            .filter(|account| !account.is_disabled && !account.keys.is_empty())
            .ok_or(AuthFailure::TokenUnsupported)?;
        let mut digest = [0; 16];
        hex::decode_to_slice(token, &mut digest).map_err(|_| AuthFailure::Wrong)?;
        let key = account
            .keys
            .iter()
            .find(|key| key.secret.fits_token(&digest, salt))
            .ok_or(AuthFailure::Wrong)?;
        self.note_use(key.id, origin);
        Ok(account.app.clone())
    }

    async fn by_key(&self, key: &str, origin: &Origin) -> Result<Principal> {
        let secret = Secret::parse(key).ok_or(AuthFailure::InvalidKey)?;
        let lookup = secret.lookup(&self.keys);
        let account = match self.memory.with_key(&lookup) {
            Some(account) => Some(account),
            None => self.load_by_key(&lookup).await?,
        };
        let account =
            account.filter(|account| !account.is_disabled).ok_or(AuthFailure::InvalidKey)?;
        let key =
            account.keys.iter().find(|key| key.lookup == lookup).ok_or(AuthFailure::InvalidKey)?;
        self.note_use(key.id, origin);
        Ok(account.app.clone())
    }

    async fn by_session(&self, cookie: &str) -> Result<Principal> {
        let hash = self.session_hash(cookie).ok_or(AuthFailure::Missing)?;
        let found = match self.memory.session(&hash) {
            Some(found) => Some(found),
            None => self.load_session(&hash).await?,
        };
        let now = self.clock.now();
        let (_, account) = found
            .filter(|(session, account)| now < session.expires_at && !account.is_disabled)
            .ok_or(AuthFailure::Missing)?;
        self.memory.note_session(hash, now);
        Ok(account.full.clone())
    }

    async fn load_session(&self, hash: &[u8; 32]) -> Result<Option<(KnownSession, Arc<Account>)>> {
        let generation = self.memory.generation();
        let key = hash.as_slice();
        let row = sqlx::query!("select user_id, expires_at from session where session_id = ?", key)
            .fetch_optional(self.db.read())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let session = KnownSession { user: row.user_id.into(), expires_at: row.expires_at };
        let Some(account) = self.load(session.user).await? else { return Ok(None) };
        self.memory.learn(generation, |known| known.add_session(*hash, session));
        Ok(Some((session, account)))
    }

    pub(super) async fn load_named(&self, name: &str) -> Result<Option<Arc<Account>>> {
        let user = sqlx::query_scalar!("select user_id from user where name = ?", name)
            .fetch_optional(self.db.read())
            .await?;
        self.load(UserId(user.unwrap_or(NOBODY))).await
    }

    async fn load_by_key(&self, lookup: &[u8; 32]) -> Result<Option<Arc<Account>>> {
        let lookup = lookup.as_slice();
        let user = sqlx::query_scalar!("select user_id from app_password where lookup = ?", lookup)
            .fetch_optional(self.db.read())
            .await?;
        match user {
            Some(user) => self.load(UserId(user)).await,
            None => Ok(None),
        }
    }

    /// One account, from memory or the database.
    pub(super) async fn account(&self, user: UserId) -> Result<Option<Arc<Account>>> {
        match self.memory.account(user) {
            Some(account) => Ok(Some(account)),
            None => self.load(user).await,
        }
    }

    /// Reads one account; three statements, whether it exists or not.
    async fn load(&self, user: UserId) -> Result<Option<Arc<Account>>> {
        let generation = self.memory.generation();
        let row = sqlx::query!(
            "select u.user_id, u.name, u.role, u.password_hash, u.abilities, u.disabled_at,
                    u.max_bitrate_kbps as own_bitrate, p.max_bitrate_kbps, p.max_streams, p.max_transcodes,
                    p.stream_day_bytes, p.stream_month_bytes, p.stream_rate_kbps
             from user u join plan p using (plan_id) where u.user_id = ?",
            user.0
        )
        .fetch_optional(self.db.read())
        .await?;
        let keys = sqlx::query!(
            "select app_password_id, lookup, sealed from app_password where user_id = ? order by app_password_id",
            user.0
        )
        .fetch_all(self.db.read())
        .await?;
        let abilities: Abilities = match &row {
            Some(row) => serde_json::from_str(&row.abilities)?,
            None => Abilities::default(),
        };
        let libraries = self.visible_libraries(user, abilities).await?;
        let Some(row) = row else { return Ok(None) };
        let full = Principal {
            user: row.user_id.into(),
            name: row.name.into(),
            role: Role::from_column(&row.role),
            scope: Scope::Full,
            libraries: libraries.into(),
            caps: Caps {
                max_bitrate_kbps: least(row.own_bitrate, row.max_bitrate_kbps),
                max_streams: row.max_streams.and_then(|most| most.try_into().ok()),
                max_transcodes: row.max_transcodes.and_then(|most| most.try_into().ok()),
                day_bytes: row.stream_day_bytes.map(i64::unsigned_abs),
                month_bytes: row.stream_month_bytes.map(i64::unsigned_abs),
                rate_kbps: row.stream_rate_kbps.and_then(|rate| rate.try_into().ok()),
            },
            abilities,
        };
        let keys = keys
            .into_iter()
            .filter_map(|key| {
                let secret = Secret::unseal(&self.keys, user.0, &key.sealed);
                if secret.is_none() {
                    let id = key.app_password_id;
                    tracing::warn!(
                        user = user.0,
                        id,
                        "an app password does not open: another key file?"
                    );
                }
                Some(Key {
                    id: key.app_password_id.into(),
                    lookup: key.lookup.try_into().ok()?,
                    secret: secret?,
                })
            })
            .collect();
        let account = Arc::new(Account {
            password_hash: row.password_hash,
            is_disabled: row.disabled_at.is_some(),
            app: Principal { scope: Scope::App, ..full.clone() },
            full,
            keys,
        });
        self.memory.learn(generation, |known| known.add_account(Arc::clone(&account)));
        Ok(Some(account))
    }
}

/// The lower of two ceilings.
fn least(own: Option<i64>, plan: Option<i64>) -> Option<u32> {
    [own, plan].into_iter().flatten().min().and_then(|least| least.try_into().ok())
}
