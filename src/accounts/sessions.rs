//! Web sessions: a random cookie, of which only a keyed hash is kept. A session ends thirty days
//! after its last use.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{Accounts, Origin, Principal, keys::random, memory::Account};
use crate::{Error, Result, clock::Millis, ids::UserId};

/// How long after its last use a session ends.
const LIFE: Millis = 30 * 24 * 3600 * 1000;

/// What the browser gets. The face chooses name and flags of the cookie.
#[derive(Clone)]
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
        let name = name.to_ascii_lowercase();
        let account = self.load_named(&name).await?;
        let account = self.check_login(account, &name, password, origin).await?;
        self.start_session(&account, origin).await
    }

    pub(super) async fn start_session(
        &self,
        account: &Account,
        origin: &Origin,
    ) -> Result<(SessionCookie, Principal)> {
        let value = URL_SAFE_NO_PAD.encode(random::<32>()?);
        let hash = self.keys.hash("session", value.as_bytes());
        let (hash, user, now) = (hash.as_slice(), account.full.user.0, self.clock.now());
        let expires_at = now + LIFE;
        let user_agent = super::one_line(&origin.client, 200);
        let address = origin.address.to_string();
        let mut tx = self.db.write().await?;
        sqlx::query!(
            "insert into session (session_id, user_id, created_at, seen_at, expires_at, user_agent, address)
             values (?1, ?2, ?3, ?3, ?4, ?5, ?6)",
            hash,
            user,
            now,
            expires_at,
            user_agent,
            address
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok((SessionCookie { value, expires_at }, account.full.clone()))
    }

    /// Ends the session of a cookie; an unknown one is fine.
    pub async fn sign_out(&self, cookie: &str) -> Result<()> {
        let Some(hash) = self.session_hash(cookie) else { return Ok(()) };
        let key = hash.as_slice();
        let mut tx = self.db.write().await?;
        sqlx::query!("delete from session where session_id = ?", key).execute(&mut *tx).await?;
        tx.commit().await?;
        self.memory.forget_session(&hash);
        Ok(())
    }

    /// The principal's sessions, latest first.
    pub async fn sessions(&self, principal: &Principal) -> Result<Vec<Session>> {
        self.write_uses().await?;
        let (user, now) = (principal.user.0, self.clock.now());
        Ok(sqlx::query_as!(
            Session,
            r#"select lower(hex(session_id)) as "id!: String", created_at, seen_at, user_agent, address
               from session where user_id = ? and ? < expires_at order by seen_at desc"#,
            user,
            now
        )
        .fetch_all(self.db.read())
        .await?)
    }

    /// Ends one of the principal's sessions.
    pub async fn end_session(&self, principal: &Principal, id: &str) -> Result<()> {
        principal.require_own_password()?;
        let user = principal.user.0;
        let mut tx = self.db.write().await?;
        let gone = sqlx::query!(
            "delete from session where user_id = ? and lower(hex(session_id)) = ?",
            user,
            id
        )
        .execute(&mut *tx)
        .await?
        .rows_affected();
        tx.commit().await?;
        self.forget(principal.user);
        if gone == 0 { Err(Error::NotFound("Session")) } else { Ok(()) }
    }

    /// By which a cookie is found; `None` if it cannot be one.
    pub(super) fn session_hash(&self, cookie: &str) -> Option<[u8; 32]> {
        (cookie.len() == 43).then(|| self.keys.hash("session", cookie.as_bytes()))
    }

    /// Writes what was used since the last time: off the way of requests, once a minute, so that
    /// listening does not wear out a memory card.
    pub(super) async fn write_uses(&self) -> Result<()> {
        // They are remembered as long as nothing can be written down.
        if self.db.storage().fault().is_some() {
            return Ok(());
        }
        let (keys, sessions, devices) = self.memory.take_uses();
        if keys.is_empty() && sessions.is_empty() && devices.is_empty() {
            return Ok(());
        }
        let mut tx = self.db.write().await?;
        for (id, used) in keys {
            sqlx::query!(
                "update app_password set used_at = ?, used_by = ?, used_from = ? where app_password_id = ?",
                used.at,
                used.client,
                used.address,
                id.0
            )
            .execute(&mut *tx)
            .await?;
        }
        let mut renewed = Vec::new();
        for (hash, at) in sessions {
            let (key, expires_at) = (hash.as_slice(), at + LIFE);
            sqlx::query!(
                "update session set seen_at = ?, expires_at = ? where session_id = ?",
                at,
                expires_at,
                key
            )
            .execute(&mut *tx)
            .await?;
            renewed.push(hash);
        }
        for (address, at) in devices {
            let address = address.to_string();
            sqlx::query!("update lan_device set seen_at = ? where address = ?", at, address)
                .execute(&mut *tx)
                .await?;
        }
        let now = self.clock.now();
        sqlx::query!("delete from session where expires_at <= ?", now).execute(&mut *tx).await?;
        tx.commit().await?;
        // They are read again with their new end.
        for hash in renewed {
            self.memory.forget_session(&hash);
        }
        Ok(())
    }

    pub(super) fn forget(&self, user: UserId) {
        self.memory.forget(user);
    }
}
