//! Pictures of people: uploaded, understood and encoded anew in a worker process, so that nothing
//! of what was sent is ever sent on.

use bytes::Bytes;

use crate::{
    Error, Result,
    accounts::Principal,
    catalog::{Catalog, Cover, annotations::require_person},
    events::Event,
    media::initials,
};

/// Longest edge, px.
const EDGE: u32 = 512;
/// What may be uploaded, bytes.
pub(crate) const MOST_BYTES: usize = 12 << 20;

impl Catalog {
    /// The picture of a person of the house. NotFound for who has none, or is none.
    pub async fn avatar(&self, principal: &Principal, name: &str) -> Result<Cover> {
        require_person(principal)?;
        let row = sqlx::query!(
            "select a.jpeg from avatar a join user u using (user_id) where u.name = ?",
            name
        )
        .fetch_optional(self.db.read())
        .await?
        .ok_or(Error::NotFound("Avatar"))?;
        let tag = blake3::hash(&row.jpeg).to_hex()[..16].to_owned();
        Ok(Cover { bytes: row.jpeg.into(), mime: "image/jpeg", tag })
    }

    /// The same, or initials where there is none. Nobody is told who lives here: a name that is
    /// nobody's has initials too.
    pub async fn avatar_or_initials(&self, principal: &Principal, name: &str) -> Result<Cover> {
        match self.avatar(principal, name).await {
            Err(Error::NotFound(_)) => {
                let bytes = initials::png(name);
                let tag = blake3::hash(&bytes).to_hex()[..16].to_owned();
                Ok(Cover { bytes: bytes.into(), mime: "image/png", tag })
            }
            other => other,
        }
    }

    /// Gives the principal a picture. Invalid if it is none that is known here.
    pub async fn set_avatar(&self, principal: &Principal, picture: Bytes) -> Result<()> {
        require_settings(principal)?;
        if MOST_BYTES < picture.len() {
            return Err(Error::Invalid("This picture is too large".to_owned()));
        }
        let jpeg = self.inner.covers.scaled(picture, EDGE).await?;
        let (jpeg, now) = (jpeg.as_ref(), self.clock.now());
        let mut tx = self.db.write().await?;
        sqlx::query!(
            "insert into avatar (user_id, jpeg, changed_at) values (?1, ?2, ?3)
             on conflict do update set jpeg = ?2, changed_at = ?3",
            principal.user,
            jpeg,
            now
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.events.publish(Event::AccountChanged { user: principal.user });
        Ok(())
    }

    /// Takes the principal's picture away; none there is fine.
    pub async fn remove_avatar(&self, principal: &Principal) -> Result<()> {
        require_settings(principal)?;
        let mut tx = self.db.write().await?;
        sqlx::query!("delete from avatar where user_id = ?", principal.user)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        self.events.publish(Event::AccountChanged { user: principal.user });
        Ok(())
    }
}

fn require_settings(principal: &Principal) -> Result<()> {
    require_person(principal)?;
    if principal.abilities.settings {
        Ok(())
    } else {
        Err(Error::Forbidden("This user may not change their settings".to_owned()))
    }
}
