//! What administrators switch in the panel, typed, kept in the database. Everything that asks the
//! internet for something is off until one of them turns it on (SEC-32).

use super::{Accounts, KeepRules, Principal};
pub use crate::config::Feature;
use crate::{Error, Result, db::Tx, ids::UserId};

/// The server's own account at Last.fm's API, which its users' sign-ins go through.
#[derive(Clone, PartialEq, Eq)]
pub struct LastFmKeys {
    /// Public.
    pub key: String,
    /// Signs requests.
    pub secret: String,
}

impl std::fmt::Debug for LastFmKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LastFmKeys").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Whose files a claim may be about: who claims proves that he holds all bytes, but learns that they
/// were here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MatchPolicy {
    /// Nobody's: everything is sent.
    Off,
    /// One's own, and those in libraries that one may read.
    #[default]
    Own,
    /// Everybody's on this server.
    Server,
}

impl MatchPolicy {
    /// As the settings and the panel write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Own => "own",
            Self::Server => "server",
        }
    }

    fn from_setting(text: &str) -> Self {
        match text {
            "off" => Self::Off,
            "server" => Self::Server,
            _ => Self::Own,
        }
    }
}

const MATCHING: &str = "matching";
const KEY: &str = "lastfm.key";
const SECRET: &str = "lastfm.secret";
const KEEP: &str = "drive.keep";

impl Accounts {
    /// Whether an administrator turned this on.
    pub async fn is_on(&self, feature: Feature) -> Result<bool> {
        Ok(self.setting(&switch(feature)).await?.is_some_and(|value| value == "on"))
    }

    /// Turns something on or off. Administrators only.
    pub async fn set_on(&self, principal: &Principal, feature: Feature, on: bool) -> Result<()> {
        principal.require_admin()?;
        let mut tx = self.db.write().await?;
        let value = on.then_some("on");
        self.write_setting(&mut tx, &switch(feature), value).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Whose files claims may be about.
    pub async fn match_policy(&self) -> Result<MatchPolicy> {
        let kept = self.setting(MATCHING).await?;
        Ok(kept.as_deref().map_or(MatchPolicy::Own, MatchPolicy::from_setting))
    }

    /// Chooses it. Administrators only.
    pub async fn set_match_policy(&self, principal: &Principal, policy: MatchPolicy) -> Result<()> {
        principal.require_admin()?;
        let mut tx = self.db.write().await?;
        self.write_setting(&mut tx, MATCHING, Some(policy.as_str())).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The server's keys for Last.fm, if an administrator gave some.
    pub async fn lastfm_keys(&self) -> Result<Option<LastFmKeys>> {
        let (Some(key), Some(sealed)) = (self.setting(KEY).await?, self.setting(SECRET).await?)
        else {
            return Ok(None);
        };
        // A restored database without its key file: as if none were given.
        let secret = hex::decode(sealed).ok().and_then(|sealed| self.unseal(UserId(0), &sealed));
        Ok(secret.map(|secret| LastFmKeys { key, secret }))
    }

    /// Sets or forgets them. Administrators only.
    pub async fn set_lastfm_keys(
        &self,
        principal: &Principal,
        keys: Option<&LastFmKeys>,
    ) -> Result<()> {
        principal.require_admin()?;
        let is_plain = |text: &str| text.len() == 32 && text.chars().all(|c| c.is_ascii_hexdigit());
        if keys.is_some_and(|keys| !is_plain(&keys.key) || !is_plain(&keys.secret)) {
            return Err(Error::Invalid(
                "Last.fm's API key and shared secret are 32 hexadecimal digits each".to_owned(),
            ));
        }
        let sealed = keys.map(|keys| self.seal(UserId(0), &keys.secret)).transpose()?;
        let mut tx = self.db.write().await?;
        self.write_setting(&mut tx, KEY, keys.map(|keys| keys.key.as_str())).await?;
        self.write_setting(&mut tx, SECRET, sealed.map(hex::encode).as_deref()).await?;
        tx.commit().await?;
        Ok(())
    }

    /// How long trash and versions stay.
    pub async fn keep_rules(&self) -> Result<KeepRules> {
        let rules = self.setting(KEEP).await?;
        Ok(rules.and_then(|rules| serde_json::from_str(&rules).ok()).unwrap_or_default())
    }

    /// Sets how long trash and versions stay. Administrators only.
    pub async fn set_keep_rules(&self, principal: &Principal, rules: KeepRules) -> Result<()> {
        principal.require_admin()?;
        let mut tx = self.db.write().await?;
        self.write_setting(&mut tx, KEEP, Some(&serde_json::to_string(&rules)?)).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Closes a secret of a user, so that the database alone does not tell it.
    pub(crate) fn seal(&self, owner: UserId, secret: &str) -> Result<Vec<u8>> {
        self.keys.seal(owner.0, secret.as_bytes())
    }

    /// Opens it again; `None` if it was changed or is somebody else's.
    pub(crate) fn unseal(&self, owner: UserId, sealed: &[u8]) -> Option<String> {
        String::from_utf8(self.keys.unseal(owner.0, sealed)?).ok()
    }

    pub(super) async fn setting(&self, name: &str) -> Result<Option<String>> {
        let value = sqlx::query_scalar!("select value from setting where name = ?", name)
            .fetch_optional(self.db.read())
            .await?;
        Ok(value)
    }

    pub(super) async fn write_setting(
        &self,
        tx: &mut Tx,
        name: &str,
        value: Option<&str>,
    ) -> Result<()> {
        let Some(value) = value else {
            sqlx::query!("delete from setting where name = ?", name).execute(&mut **tx).await?;
            return Ok(());
        };
        let now = self.clock.now();
        sqlx::query!(
            "insert into setting (name, value, changed_at) values (?1, ?2, ?3)
             on conflict (name) do update set value = ?2, changed_at = ?3",
            name,
            value,
            now
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

fn switch(feature: Feature) -> String {
    format!("on.{}", feature.name())
}
