//! Secrets of shops that deliver: 160 random bits each, shown once, kept as a keyed hash, revoked
//! by an administrator.

use super::{Accounts, Origin, Principal, keys::random};
use crate::{
    Error, Result,
    clock::Millis,
    error::AuthFailure,
    ids::{DeliveryKeyId, UserId},
};

/// What every key begins with, so that nobody takes it for a password.
const BEGIN: &str = "tld_";

/// A shop's key, without the secret.
#[derive(Debug, Clone)]
pub struct DeliveryKey {
    /// Its row.
    pub id: DeliveryKeyId,
    /// What the administrator calls it.
    pub label: String,
    /// Whose uploads it may hand over, by login name.
    pub user: String,
    /// When it was made.
    pub created_at: Millis,
    /// When it was last used.
    pub used_at: Option<Millis>,
    /// When it was revoked.
    pub revoked_at: Option<Millis>,
}

/// Who hands something over.
#[derive(Debug, Clone)]
pub struct Deliverer {
    /// The key's row, or none for the server's own hands.
    pub(crate) key: Option<DeliveryKeyId>,
    /// Whose uploads may be handed over.
    pub(crate) user: UserId,
}

impl Accounts {
    /// Makes a key; the secret is in this answer alone. `user` is whose uploads it may hand over.
    /// Administrators only.
    pub async fn create_delivery_key(
        &self,
        admin: &Principal,
        label: &str,
        user: &str,
    ) -> Result<(DeliveryKeyId, String)> {
        admin.require_admin()?;
        let label = super::one_line(label, 100);
        if label.is_empty() {
            return Err(Error::Invalid("Say which shop the key is for".to_owned()));
        }
        let secret = format!("{BEGIN}{}", hex::encode(random::<20>()?));
        let lookup = self.keys.hash("delivery key", secret.as_bytes());
        let (lookup, now) = (lookup.as_slice(), self.clock.now());
        let mut tx = self.db.write().await?;
        let id = sqlx::query_scalar!(
            r#"insert into delivery_key (label, lookup, user_id, created_at)
               select ?, ?, user_id, ? from user where name = ?
               returning delivery_key_id as "id!: i64""#,
            label,
            lookup,
            now,
            user
        )
        .fetch_optional(&mut *tx)
        .await?
        .ok_or(Error::NotFound("User"))?;
        tx.commit().await?;
        Ok((id.into(), secret))
    }

    /// Every key, the newest first. Administrators only.
    pub async fn delivery_keys(&self, admin: &Principal) -> Result<Vec<DeliveryKey>> {
        admin.require_admin()?;
        let rows = sqlx::query!(
            r#"select k.delivery_key_id as "id!: i64", k.label, u.name as "user!: String",
                      k.created_at, k.used_at, k.revoked_at
               from delivery_key k join user u using (user_id) order by k.delivery_key_id desc"#
        )
        .fetch_all(self.db.read())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| DeliveryKey {
                id: row.id.into(),
                label: row.label,
                user: row.user,
                created_at: row.created_at,
                used_at: row.used_at,
                revoked_at: row.revoked_at,
            })
            .collect())
    }

    /// Ends a key. What it delivered stays. Administrators only.
    pub async fn revoke_delivery_key(&self, admin: &Principal, id: DeliveryKeyId) -> Result<()> {
        admin.require_admin()?;
        let now = self.clock.now();
        let mut tx = self.db.write().await?;
        let revoked = sqlx::query!(
            "update delivery_key set revoked_at = ? where delivery_key_id = ? and revoked_at is null",
            now,
            id.0
        )
        .execute(&mut *tx)
        .await?
        .rows_affected();
        tx.commit().await?;
        if revoked == 0 { Err(Error::NotFound("Delivery key")) } else { Ok(()) }
    }

    /// Whom a key stands for. Wrong ones are counted by address; a right one is never limited.
    pub async fn deliverer(&self, secret: &str, origin: &Origin) -> Result<Deliverer> {
        let lookup = self.keys.hash("delivery key", secret.as_bytes());
        let (lookup, now) = (lookup.as_slice(), self.clock.now());
        let mut tx = self.db.write().await?;
        let row = sqlx::query!(
            r#"update delivery_key set used_at = ?1 where lookup = ?2 and revoked_at is null
               returning delivery_key_id as "id!: i64", user_id as "user!: i64""#,
            now,
            lookup
        )
        .fetch_optional(&mut *tx)
        .await?;
        tx.commit().await?;
        match row.filter(|_| secret.starts_with(BEGIN)) {
            Some(row) => Ok(Deliverer { key: Some(row.id.into()), user: row.user.into() }),
            None => {
                self.limiter.missed(origin.address).map_err(AuthFailure::Limited)?;
                Err(AuthFailure::InvalidKey.into())
            }
        }
    }
}

impl Accounts {
    /// Whom a shop uploads as: the account that its key hands over for, which may upload for this
    /// whatever else it may. The face sees to it that nothing but part uploads comes of it.
    pub async fn shop(&self, by: &Deliverer) -> Result<Principal> {
        Ok(self.principal(by.user).await?.as_recipient())
    }
}

impl Deliverer {
    /// Whether a secret has the form of a delivery key, right or wrong.
    #[must_use]
    pub fn has_form(secret: &str) -> bool {
        secret.starts_with(BEGIN)
    }

    /// The server's own hands: its command line, a folder on its disk.
    pub(crate) fn own() -> Self {
        Self { key: None, user: UserId(0) }
    }
}
