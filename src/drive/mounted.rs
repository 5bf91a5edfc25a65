//! Whether the drive is there at all. The mount point of a disk that did not come up is an empty
//! folder, or another disk: taken for the drive, it would make everything look deleted, and what
//! is stored in it would be hidden by the disk that comes later.

use super::{
    Drive,
    put::{blocking, staging_name},
};
use crate::{Error, Result};

/// So many of the oldest and of the newest files are looked for on a drive without its mark.
const SAMPLE: i64 = 500;

impl Drive {
    /// Whether this is the drive that the rows tell of. A new one is marked; one that lost its
    /// mark but not its files (a copy by hand) is marked again.
    pub async fn is_mounted(&self) -> Result<bool> {
        let disk = self.disk.clone();
        let found = blocking(move || disk.id()).await?;
        let known = sqlx::query_scalar!("select value from meta where key = 'drive'")
            .fetch_optional(self.db.read())
            .await?;
        if found.is_some() && found == known {
            return Ok(true);
        }
        if !self.has_what_rows_tell_of().await? {
            return Ok(false);
        }
        let (disk, id) = (self.disk.clone(), staging_name()?);
        let mark = id.clone();
        blocking(move || disk.set_id(&mark)).await?;
        let mut tx = self.db.write().await?;
        sqlx::query!(
            "insert into meta (key, value) values ('drive', ?)
             on conflict (key) do update set value = excluded.value",
            id
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Refuses to write where the drive is not mounted.
    pub(super) async fn require_mounted(&self) -> Result<()> {
        if self.is_mounted().await? {
            return Ok(());
        }
        Err(Error::Unavailable("The disk of the lockers is not mounted".to_owned()))
    }

    /// Whether some of the files lie here that rows tell of, or no row tells of any. That there are
    /// lockers proves nothing: other hands make folders.
    async fn has_what_rows_tell_of(&self) -> Result<bool> {
        let places = sqlx::query_scalar!(
            r#"select l.path || '/' || f.path as "place!: String"
               from drive_file f join locker l using (locker_id)
               where f.missing_at is null and l.path not like 'removed/%' and f.drive_file_id in
                 (select drive_file_id from (select drive_file_id from drive_file
                    where missing_at is null order by drive_file_id limit ?1)
                  union select drive_file_id from (select drive_file_id from drive_file
                    where missing_at is null order by drive_file_id desc limit ?1))
               union all
               select * from (select shelf || '/' || kept_id || '/' || name from drive_kept
                 where shelf not like 'removed/%' order by kept_id limit ?1)"#,
            SAMPLE
        )
        .fetch_all(self.db.read())
        .await?;
        if places.is_empty() {
            return Ok(true);
        }
        let disk = self.disk.clone();
        // What cannot be looked at is not there.
        blocking(move || {
            Ok(places.iter().any(|place| matches!(disk.is_there("", place), Ok(true))))
        })
        .await
    }
}
