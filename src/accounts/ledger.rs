//! The quota ledger: bytes used and reserved, exact under any number of uploads at once. Each
//! promise is one conditional update in the one writer; nothing is checked first and taken later.

use super::{Accounts, Principal};
use crate::{
    Error, Result,
    db::Tx,
    events::Event,
    ids::{LockerId, UserId},
};

/// How full a locker is, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Allowed in all; `None` is unlimited.
    pub quota: Option<u64>,
    /// Settled.
    pub used: u64,
    /// Promised to uploads in flight.
    pub reserved: u64,
}

impl Usage {
    /// What is left; `None` is unlimited.
    #[must_use]
    pub fn free(&self) -> Option<u64> {
        self.quota.map(|quota| quota.saturating_sub(self.used).saturating_sub(self.reserved))
    }
}

/// Bytes promised to one upload. Dropping it gives them back.
#[derive(Debug)]
pub(crate) struct Reservation {
    accounts: Accounts,
    locker: LockerId,
    id: i64,
    bytes: u64,
}

/// A change of a locker's figure, for the ledger.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change<'a> {
    /// Whose doing; 0 for the server's own.
    pub(crate) user: UserId,
    /// One word: `upload`, `remove`, `found`, `missing`.
    pub(crate) reason: &'a str,
    /// Which file, relative to the locker.
    pub(crate) path: &'a str,
}

impl Accounts {
    /// How full a locker is that the principal may see.
    pub async fn usage(&self, principal: &Principal, locker: LockerId) -> Result<Usage> {
        Ok(self.locker(principal, locker).await?.usage)
    }

    /// Promises `bytes` of a locker to an upload staged as `staging`, or `QuotaExceeded`.
    pub(crate) async fn reserve(
        &self,
        locker: LockerId,
        bytes: u64,
        staging: &str,
    ) -> Result<Reservation> {
        let mut tx = self.db.write().await?;
        let id = self.promise(&mut tx, locker, bytes, staging).await?;
        tx.commit().await?;
        Ok(Reservation { accounts: self.clone(), locker, id, bytes })
    }

    /// The same as part of a transaction, for uploads that outlive the server: the row's id. It
    /// stays until [`Self::unpromise`], or until it is adopted and settled.
    pub(crate) async fn promise(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        bytes: u64,
        staging: &str,
    ) -> Result<i64> {
        let now = self.clock.now();
        take(tx, locker, bytes).await?;
        let amount = signed(bytes)?;
        let id = sqlx::query_scalar!(
            r#"insert into reservation (locker_id, bytes, staging, created_at) values (?, ?, ?, ?)
             returning reservation_id as "id!: i64""#,
            locker.0,
            amount,
            staging,
            now
        )
        .fetch_one(&mut **tx)
        .await?;
        Ok(id)
    }

    /// Gives a lasting promise back.
    pub(crate) async fn unpromise(&self, tx: &mut Tx, id: i64) -> Result<()> {
        free(tx, id).await
    }

    /// A lasting promise as one that is given back when it is dropped.
    pub(crate) async fn adopt(&self, locker: LockerId, id: i64) -> Result<Reservation> {
        let bytes =
            sqlx::query_scalar!("select bytes from reservation where reservation_id = ?", id)
                .fetch_optional(self.db.read())
                .await?
                .ok_or(Error::NotFound("Upload"))?;
        Ok(Reservation { accounts: self.clone(), locker, id, bytes: bytes.unsigned_abs() })
    }

    /// Makes one lasting promise of several in one locker, for `staging`.
    pub(crate) async fn merge_promises(
        &self,
        tx: &mut Tx,
        ids: &[i64],
        staging: &str,
    ) -> Result<i64> {
        let (first, rest) = ids.split_first().ok_or(Error::NotFound("Upload"))?;
        for id in rest {
            sqlx::query!(
                "update reservation set bytes = bytes
                   + coalesce((select r.bytes from reservation r where r.reservation_id = ?1), 0)
                 where reservation_id = ?2",
                id,
                first
            )
            .execute(&mut **tx)
            .await?;
            sqlx::query!("delete from reservation where reservation_id = ?", id)
                .execute(&mut **tx)
                .await?;
        }
        sqlx::query!("update reservation set staging = ? where reservation_id = ?", staging, first)
            .execute(&mut **tx)
            .await?;
        Ok(*first)
    }

    /// Gives back what is promised to uploads that are gone.
    pub(crate) async fn release_orphans(&self) -> Result<()> {
        let mut tx = self.db.write().await?;
        let orphans = sqlx::query_scalar!(
            r#"select reservation_id as "id!: i64" from reservation r where staging like 'up-%'
               and not exists (select 1 from upload u where u.reservation_id = r.reservation_id)"#
        )
        .fetch_all(&mut *tx)
        .await?;
        for id in orphans {
            free(&mut tx, id).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Turns a reservation into used bytes, as part of the transaction that publishes the file:
    /// `added` comes and `replaced` goes. Fails with `QuotaExceeded` if the difference is more
    /// than was promised and no longer fits, or if the quota was lowered since it was promised.
    pub(crate) async fn settle(
        &self,
        tx: &mut Tx,
        reservation: &Reservation,
        added: u64,
        replaced: u64,
        change: Change<'_>,
    ) -> Result<()> {
        let needed = added.saturating_sub(replaced);
        if reservation.bytes < needed {
            take(tx, reservation.locker, needed - reservation.bytes).await?;
            let more = signed(needed - reservation.bytes)?;
            sqlx::query!(
                "update reservation set bytes = bytes + ? where reservation_id = ?",
                more,
                reservation.id
            )
            .execute(&mut **tx)
            .await?;
        }
        free(tx, reservation.id).await?;
        if 0 < needed {
            require_room(tx, reservation.locker, needed).await?;
        }
        self.change_used(tx, reservation.locker, signed(added)? - signed(replaced)?, change).await
    }

    /// Moves a locker's settled figure by `bytes`, whatever the quota says: what lies on the disk
    /// counts.
    pub(crate) async fn change_used(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        bytes: i64,
        change: Change<'_>,
    ) -> Result<()> {
        sqlx::query!(
            "update locker set used_bytes = max(0, used_bytes + ?) where locker_id = ?",
            bytes,
            locker.0
        )
        .execute(&mut **tx)
        .await?;
        let now = self.clock.now();
        let user = change.user.0;
        sqlx::query!(
            "insert into ledger (at, locker_id, user_id, bytes, reason, path)
             values (?, ?, nullif(?, 0), ?, ?, ?)",
            now,
            locker.0,
            user,
            bytes,
            change.reason,
            change.path
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// What a crash left promised is given back, but for uploads that can go on; called before
    /// anything is served.
    pub(super) async fn release_leftovers(&self) -> Result<()> {
        let mut tx = self.db.write().await?;
        sqlx::query!(
            "delete from reservation where reservation_id not in
               (select reservation_id from upload where reservation_id is not null)"
        )
        .execute(&mut *tx)
        .await?;
        sqlx::query!(
            "update locker set reserved_bytes =
               (select coalesce(sum(r.bytes), 0) from reservation r where r.locker_id = locker.locker_id)"
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Tells whoever shows a locker's bar that it moved.
    pub(crate) async fn tell_usage(&self, locker: LockerId) -> Result<()> {
        let user = sqlx::query_scalar!("select user_id from locker where locker_id = ?", locker.0)
            .fetch_optional(self.db.read())
            .await?
            .flatten();
        self.events.publish(Event::AccountChanged { user: UserId(user.unwrap_or(0)) });
        Ok(())
    }
}

impl Reservation {
    /// Promised so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Promises more, or `QuotaExceeded`.
    pub(crate) async fn extend(&mut self, more: u64) -> Result<()> {
        let mut tx = self.accounts.db.write().await?;
        take(&mut tx, self.locker, more).await?;
        let amount = signed(more)?;
        sqlx::query!(
            "update reservation set bytes = bytes + ? where reservation_id = ?",
            amount,
            self.id
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.bytes += more;
        Ok(())
    }

    /// Gives it back now, and waits until it is done.
    pub(crate) async fn release(mut self) -> Result<()> {
        let id = std::mem::take(&mut self.id);
        release(&self.accounts, id).await
    }

    /// Its bytes were settled in a transaction that has been committed: nothing to give back.
    pub(crate) fn close(mut self) {
        self.id = 0;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let id = std::mem::take(&mut self.id);
        // Without a runtime the process is ending, and the next start gives it back.
        if id != 0
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let accounts = self.accounts.clone();
            runtime.spawn(async move {
                if let Err(error) = release(&accounts, id).await {
                    tracing::error!("cannot release a reservation: {error:?}");
                }
            });
        }
    }
}

async fn release(accounts: &Accounts, id: i64) -> Result<()> {
    let mut tx = accounts.db.write().await?;
    free(&mut tx, id).await?;
    tx.commit().await?;
    Ok(())
}

/// Gives a reservation's bytes back and forgets it.
async fn free(tx: &mut Tx, id: i64) -> Result<()> {
    sqlx::query!(
        "update locker set reserved_bytes = reserved_bytes - r.bytes
         from reservation r where r.reservation_id = ? and r.locker_id = locker.locker_id",
        id
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!("delete from reservation where reservation_id = ?", id).execute(&mut **tx).await?;
    Ok(())
}

/// The one conditional update: nobody passes the limit by a byte.
async fn take(tx: &mut Tx, locker: LockerId, bytes: u64) -> Result<()> {
    // Whoever is over the quota may still make files smaller.
    if bytes == 0 {
        return Ok(());
    }
    let amount = signed(bytes)?;
    let taken = sqlx::query!(
        "update locker set reserved_bytes = reserved_bytes + ?1
         where locker_id = ?2 and used_bytes + reserved_bytes + ?1 <= coalesce(
             (select p.quota_bytes from plan p
              where p.plan_id = coalesce((select u.plan_id from user u where u.user_id = locker.user_id), locker.plan_id)),
             9223372036854775807)",
        amount,
        locker.0
    )
    .execute(&mut **tx)
    .await?
    .rows_affected();
    if 0 < taken {
        return Ok(());
    }
    let Figures { used, reserved, quota } = figures(tx, locker).await?;
    Err(Error::QuotaExceeded { used: used.saturating_add(reserved), quota, needed: bytes })
}

/// What was promised holds only as far as the quota of now allows: the plan may have changed while
/// the bytes came in. Other promises do not count against this one; the first to arrive gets the
/// room that is left.
async fn require_room(tx: &mut Tx, locker: LockerId, needed: u64) -> Result<()> {
    let Figures { used, quota, .. } = figures(tx, locker).await?;
    if used.saturating_add(needed) <= quota {
        return Ok(());
    }
    Err(Error::QuotaExceeded { used, quota, needed })
}

/// A locker's figures inside a transaction, in bytes; no quota is the largest one.
struct Figures {
    used: u64,
    reserved: u64,
    quota: u64,
}

async fn figures(tx: &mut Tx, locker: LockerId) -> Result<Figures> {
    let row = sqlx::query!(
        r#"select l.used_bytes as "used!: i64", l.reserved_bytes as "reserved!: i64",
                  p.quota_bytes as "quota?: i64"
           from locker l left join user u on u.user_id = l.user_id
           left join plan p on p.plan_id = coalesce(u.plan_id, l.plan_id)
           where l.locker_id = ?"#,
        locker.0
    )
    .fetch_optional(&mut **tx)
    .await?
    .ok_or(Error::NotFound("Locker"))?;
    Ok(Figures {
        used: row.used.unsigned_abs(),
        reserved: row.reserved.unsigned_abs(),
        quota: row.quota.unwrap_or(i64::MAX).unsigned_abs(),
    })
}

/// Sizes beyond 2^62 are nonsense, and would overflow sums.
fn signed(bytes: u64) -> Result<i64> {
    i64::try_from(bytes)
        .ok()
        .filter(|bytes| *bytes < i64::MAX / 2)
        .ok_or_else(|| Error::Invalid("That size is not possible".to_owned()))
}
