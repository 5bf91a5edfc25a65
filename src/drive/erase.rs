//! Files that go for good on the server's word: what is over the quota after the grace, where an
//! administrator wants that, and never without a list that he can see first. [`super::take_down`]
//! stands on the same.

use super::{
    Drive,
    put::{blocking, staging_name},
};
use crate::{
    Error, Result,
    accounts::{Change, Charge, DeletionOrder, Principal},
    events::Event,
    ids::{LockerId, UserId},
};

/// What would go of a locker that is over its quota after its grace.
#[derive(Debug, Clone)]
pub struct Overdue {
    /// Its locker.
    pub locker: LockerId,
    /// The owner's login name.
    pub user: String,
    /// Bytes over the quota.
    pub excess: u64,
    /// What would go, in this order.
    pub files: Vec<(String, u64)>,
}

impl Drive {
    /// What would go of lockers that are over their quota after their grace, in an order.
    /// Administrators only.
    pub async fn overdue(&self, admin: &Principal, order: DeletionOrder) -> Result<Vec<Overdue>> {
        admin.require_admin()?;
        let now = self.clock.now();
        let mut found = Vec::new();
        for user in self.accounts.users(admin).await? {
            let usage = self.accounts.usage_of(admin, &user.name).await?;
            let excess = usage.quota.map_or(0, |quota| usage.used.saturating_sub(quota));
            if excess == 0 || usage.grace_ends.is_none_or(|ends| now < ends) {
                continue;
            }
            let locker = self.accounts.locker_of_user(admin, &user.name).await?;
            let files = self.first_to_go(locker, order, excess).await?;
            found.push(Overdue { locker, user: user.name, excess, files });
        }
        Ok(found)
    }

    /// Lets them go, where an administrator switched that on.
    pub(super) async fn clear_overdue(&self) -> Result<()> {
        let Some(order) = self.accounts.quota_rules().await?.deletion else { return Ok(()) };
        for overdue in self.overdue(&self.accounts.operator(), order).await? {
            for (path, _) in overdue.files {
                self.erase(overdue.locker, &path, None, UserId(0), "overdue").await?;
            }
        }
        Ok(())
    }

    /// Lockers of removed users that were to be erased go for good, once they are put away: their
    /// folder and shelves first, then what rows tell of them.
    pub(super) async fn erase_orphans(&self) -> Result<()> {
        let orphans = sqlx::query!(
            "select locker_id, path from locker
             where user_id is null and is_erased = 1 and path like 'removed/%'"
        )
        .fetch_all(self.db.read())
        .await?;
        for orphan in orphans {
            let (disk, path) = (self.disk.clone(), orphan.path.clone());
            blocking(move || disk.erase_removed(&path)).await?;
            let mut tx = self.db.write().await?;
            for sql in [
                "delete from drive_kept where locker_id = ?",
                "delete from drive_file where locker_id = ?",
                "update locker set used_bytes = 0, is_erased = 0 where locker_id = ?",
            ] {
                sqlx::query(sql).bind(orphan.locker_id).execute(&mut *tx).await?;
            }
            tx.commit().await?;
            tracing::info!("{} is erased", orphan.path);
        }
        Ok(())
    }

    /// The files that make up so many counted bytes.
    async fn first_to_go(
        &self,
        locker: LockerId,
        order: DeletionOrder,
        bytes: u64,
    ) -> Result<Vec<(String, u64)>> {
        let rows = sqlx::query!(
            r#"select path, coalesce(charged_bytes, size_bytes) as "counted!: i64", stored_at
               from drive_file where locker_id = ? and missing_at is null and exempt is null
                 and 0 < coalesce(charged_bytes, size_bytes)
               order by drive_file_id"#,
            locker.0
        )
        .fetch_all(self.db.read())
        .await?;
        let mut rows: Vec<_> = rows
            .into_iter()
            .map(|row| (row.path, row.counted.unsigned_abs(), row.stored_at))
            .collect();
        match order {
            DeletionOrder::Largest => rows.sort_by_key(|row| std::cmp::Reverse(row.1)),
            DeletionOrder::Oldest => rows.sort_by_key(|row| row.2),
            DeletionOrder::Newest => rows.sort_by_key(|row| std::cmp::Reverse(row.2)),
        }
        let (mut chosen, mut sum) = (Vec::new(), 0);
        for (path, counted, _) in rows {
            if bytes <= sum {
                break;
            }
            sum += counted;
            chosen.push((path, counted));
        }
        Ok(chosen)
    }

    /// One file goes for good, if it is still of that content.
    pub(super) async fn erase(
        &self,
        locker: LockerId,
        path: &str,
        hash: Option<&[u8]>,
        by: UserId,
        reason: &str,
    ) -> Result<bool> {
        let lock = self.lock(locker);
        let turn = lock.lock().await;
        let folder = sqlx::query_scalar!(
            "select l.path from drive_file f join locker l using (locker_id)
             where f.locker_id = ?1 and f.path = ?2 and f.missing_at is null
               and (?3 is null or f.content_hash = ?3)",
            locker.0,
            path,
            hash
        )
        .fetch_optional(self.db.read())
        .await?;
        let Some(folder) = folder else { return Ok(false) };
        let (disk, name, place) = (self.disk.clone(), staging_name()?, path.to_owned());
        let taken = match blocking(move || disk.take_out(&folder, &place, &name)).await {
            Err(Error::NotFound(_)) => None,
            taken => Some(taken?),
        };
        let done = async {
            let change = Change { user: by, reason, path };
            let mut tx = self.db.write().await?;
            let goes = self.delete_rows(&mut tx, locker, path).await?;
            self.accounts.recount(&mut tx, locker, (Charge::default(), goes), change).await?;
            tx.commit().await?;
            Ok::<_, Error>(())
        };
        if let Err(error) = done.await {
            if let Some(taken) = taken {
                blocking(move || taken.undo()).await?;
            }
            return Err(error);
        }
        drop(turn);
        self.events.publish(Event::DriveChanged { locker, path: path.to_owned() });
        self.accounts.tell_usage(locker).await?;
        if let Some(taken) = taken {
            blocking(move || taken.delete()).await?;
        }
        Ok(true)
    }
}
