//! Room that an upload need not be promised, because it replaces a file. One holder for each place:
//! of several uploads, all but one would end with more in the locker than its quota, and on the disk
//! than anybody asked for.

use super::Row;
use crate::{Error, Result, db::Tx, drive::Drive, ids::LockerId};

impl Drive {
    /// What an upload into a place may count on now: what is there, or nothing where another upload
    /// holds that already. The transaction that asks is the one that writes it down.
    pub(super) async fn free_credit(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        path: &str,
        upload: &str,
    ) -> Result<u64> {
        let others = sqlx::query!(
            r#"select coalesce(sum(path = ?2), 0) as "here!: i64",
                      coalesce(sum(credit_bytes), 0) as "bytes!: i64"
               from upload where locker_id = ?1 and upload_id <> ?3 and etag is null and 0 < credit_bytes"#,
            locker,
            path,
            upload
        )
        .fetch_one(&mut **tx)
        .await?;
        if 0 < others.here {
            return Ok(0);
        }
        // A file that was moved meanwhile is one file: all together hold no more than there is.
        let used = sqlx::query_scalar!("select used_bytes from locker where locker_id = ?", locker)
            .fetch_one(&mut **tx)
            .await?;
        let left = used.saturating_sub(others.bytes).max(0).unsigned_abs();
        Ok(self.charge_of(tx, locker, path).await?.counted.min(left))
    }

    /// The credit of an upload as things are now: the file may be another one, and who held the
    /// credit may be gone.
    pub(super) async fn renew_credit(&self, row: &Row) -> Result<u64> {
        if row.state.is_part {
            return Ok(0);
        }
        let place = self.take_place(row.locker, &row.path);
        let mut tx = self.db.write().await?;
        let credit = match &place {
            Some(_) => self.free_credit(&mut tx, row.locker, &row.path, &row.id).await?,
            // A file that is sent in one request right now has it.
            None => 0,
        };
        let bytes = i64::try_from(credit).map_err(Error::internal)?;
        sqlx::query!("update upload set credit_bytes = ? where upload_id = ?", bytes, row.id)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(credit)
    }

    /// Whether an upload that can go on holds the credit of a place.
    pub(in crate::drive) async fn is_credit_held(
        &self,
        locker: LockerId,
        path: &str,
    ) -> Result<bool> {
        let is_held = sqlx::query_scalar!(
            r#"select exists (select 1 from upload where locker_id = ? and path = ?
                 and etag is null and 0 < credit_bytes) as "is_held!: bool""#,
            locker,
            path
        )
        .fetch_one(self.db.read())
        .await?;
        Ok(is_held)
    }
}
