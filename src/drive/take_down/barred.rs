//! What was taken down stays away: whoever brings it back, by whatever way, is told why not, until an
//! administrator allows it again.

use std::fs::File;

use super::{Sound, TakeDown};
use crate::{
    Error, Result,
    accounts::Principal,
    drive::{Drive, put::blocking},
};

/// How every sentence about it begins.
pub(crate) const TAKEN_DOWN: &str = "An administrator took this down";

/// A content that must stay away, as those need it who look for it.
#[derive(Debug, Clone)]
pub(crate) struct Barred {
    /// Its row.
    pub(crate) id: i64,
    /// BLAKE3 of the content.
    pub(crate) hash: [u8; 32],
    /// Bytes, once one such file was seen.
    pub(crate) size: Option<u64>,
    /// Its sound, where that must stay away too.
    pub(crate) sound: Option<Sound>,
    /// Why, as a whole sentence.
    pub(crate) sentence: String,
}

impl Drive {
    /// Everything that must stay away now.
    pub(crate) async fn barred(&self) -> Result<Vec<Barred>> {
        let rows = sqlx::query!(
            r#"select takedown_id as "id!: i64", content_hash as "hash!: Vec<u8>", size_bytes, audio_hash,
                      duration_ms, reason
               from takedown where lifted_at is null order by takedown_id"#
        )
        .fetch_all(self.db.read())
        .await?;
        let barred = rows.into_iter().filter_map(|row| {
            let sound = row.audio_hash.and_then(|hash| hash.try_into().ok());
            let duration_ms = row.duration_ms.map(i64::unsigned_abs);
            Some(Barred {
                id: row.id,
                hash: row.hash.try_into().ok()?,
                size: row.size_bytes.map(i64::unsigned_abs),
                sound: sound.map(|hash| Sound { hash, duration_ms }),
                sentence: sentence(&row.reason),
            })
        });
        Ok(barred.collect())
    }

    /// Refuses bytes that must stay away, by their hash, and where it must be by their sound.
    pub(in crate::drive) async fn refuse_taken_down(
        &self,
        hash: &[u8; 32],
        file: &File,
    ) -> Result<()> {
        let barred = self.barred().await?;
        let mut found = barred.iter().find(|one| one.hash == *hash);
        if found.is_none() && barred.iter().any(|one| one.sound.is_some()) {
            let heard = self.sound_of(file).await?;
            let is_it = |one: &&Barred| {
                heard.is_some() && one.sound.as_ref().map(|sound| sound.hash) == heard
            };
            found = barred.iter().find(is_it);
        }
        let Some(found) = found else { return Ok(()) };
        let mut tx = self.db.write().await?;
        sqlx::query!("update takedown set refused = refused + 1 where takedown_id = ?", found.id)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Err(Error::Forbidden(found.sentence.clone()))
    }

    /// BLAKE3 of a file's sound; `None` where it has none that could be told. `Invalid` where that
    /// is open.
    pub(super) async fn sound_of(&self, file: &File) -> Result<Option<[u8; 32]>> {
        let Some(ear) = self.ear.get() else { return Ok(None) };
        let file = file.try_clone()?;
        let file = blocking(move || {
            use std::io::Seek as _;
            (&file).rewind()?;
            Ok(file)
        })
        .await?;
        ear.audio_hash(file).await
    }

    /// Lets a content come back, with its sound; what is gone stays gone. Administrators only.
    pub async fn allow_again(&self, admin: &Principal, id: i64) -> Result<TakeDown> {
        admin.require_admin()?;
        let (now, user) = (self.clock.now(), admin.user.0);
        let mut tx = self.db.write().await?;
        // The same content may have been taken down more than once.
        let lifted = sqlx::query!(
            "update takedown set lifted_at = ?1, lifted_by = nullif(?2, 0), done_at = coalesce(done_at, ?1)
             where lifted_at is null
               and content_hash = (select content_hash from takedown where takedown_id = ?3)",
            now,
            user,
            id
        )
        .execute(&mut *tx)
        .await?
        .rows_affected();
        tx.commit().await?;
        if lifted == 0 {
            let is_known = sqlx::query_scalar!(
                r#"select 1 as "one!: i64" from takedown where takedown_id = ?"#,
                id
            )
            .fetch_optional(self.db.read())
            .await?;
            is_known.ok_or(Error::NotFound("Take-down"))?;
        }
        self.take_down_row(id).await
    }
}

fn sentence(reason: &str) -> String {
    if reason.is_empty() { TAKEN_DOWN.to_owned() } else { format!("{TAKEN_DOWN}: {reason}") }
}
