//! Who pays for a content that several lockers hold: brought up to date after each change, where
//! the rule is another than "each owner the whole".

use super::{Drive, rows::charge};
use crate::{
    Result,
    accounts::{Change, Charge, SharedCopies, charges},
    ids::{LockerId, UserId},
};

impl Drive {
    /// Charges every owner as the rule says. With the plain rule it only undoes what another one
    /// left.
    pub(super) async fn share_costs(&self) -> Result<()> {
        let policy = self.accounts.quota_rules().await?.shared_copies;
        let is_plain = policy == SharedCopies::Full;
        let hashes = sqlx::query_scalar!(
            r#"select content_hash as "hash!: Vec<u8>" from drive_file join locker l using (locker_id)
               where content_hash is not null and missing_at is null and l.path not like 'removed/%'
               group by content_hash
               having max(charged_bytes is not null) or (not ?1 and 1 < count(*))"#,
            is_plain
        )
        .fetch_all(self.db.read())
        .await?;
        for hash in hashes {
            self.share_cost(policy, &hash).await?;
        }
        Ok(())
    }

    /// One content, one transaction.
    async fn share_cost(&self, policy: SharedCopies, hash: &[u8]) -> Result<()> {
        let mut tx = self.db.write().await?;
        let rows = sqlx::query!(
            r#"select drive_file_id as "id!: i64", locker_id as "locker!: i64", drive_file.path, size_bytes,
                      charged_bytes from drive_file join locker l using (locker_id)
               where content_hash = ? and missing_at is null and exempt is null
                 -- Who is gone pays for nothing.
                 and l.path not like 'removed/%'
               order by stored_at, drive_file_id"#,
            hash
        )
        .fetch_all(&mut *tx)
        .await?;
        let size = rows.first().map_or(0, |row| row.size_bytes.unsigned_abs());
        let parts = charges(policy, size, rows.len());
        let mut moved = Vec::new();
        for (row, part) in rows.iter().zip(parts) {
            let before = charge(row.size_bytes, row.charged_bytes, None);
            let kept = (part != size).then(|| i64::try_from(part).unwrap_or(i64::MAX));
            if kept == row.charged_bytes {
                continue;
            }
            sqlx::query!(
                "update drive_file set charged_bytes = ? where drive_file_id = ?",
                kept,
                row.id
            )
            .execute(&mut *tx)
            .await?;
            let change = Change { user: UserId(0), reason: "policy", path: &row.path };
            let moves = (Charge::counted(part), before);
            self.accounts.recount(&mut tx, LockerId(row.locker), moves, change).await?;
            moved.push(LockerId(row.locker));
        }
        tx.commit().await?;
        for locker in moved {
            self.accounts.tell_usage(locker).await?;
        }
        Ok(())
    }
}
