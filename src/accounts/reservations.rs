//! Bytes promised to uploads in flight: by the lifetime of an upload, or lasting until it is
//! settled or given up. What a crash left is given back.

use super::{
    Accounts, Change,
    figures::refused,
    quota::{self, Charge, Event},
};
use crate::{
    Error, Result,
    db::{Db, Tx},
    ids::LockerId,
};

/// Bytes promised to one upload. Dropping it gives them back.
#[derive(Debug)]
pub(crate) struct Reservation {
    accounts: Accounts,
    locker: LockerId,
    id: i64,
    bytes: u64,
}

impl Accounts {
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

    /// Whether so many bytes would fit now; `QuotaExceeded` or `GraceOver` where not. Promises
    /// nothing.
    pub(crate) async fn require_room(&self, locker: LockerId, bytes: u64) -> Result<()> {
        let figures = self.figures_of(locker).await?;
        quota::decide(&figures.state, Event::Reserve { bytes }).map_err(refused)?;
        Ok(())
    }

    /// Whether an upload that `promised` bytes were promised to could be settled now: `comes` in the
    /// place of `goes`. Changes nothing.
    pub(crate) async fn require_settled(
        &self,
        locker: LockerId,
        promised: u64,
        (comes, goes): (Charge, Charge),
    ) -> Result<()> {
        let figures = self.figures_of(locker).await?;
        let event = Event::Settle { promised, comes, goes };
        quota::decide(&figures.state, event).map_err(refused)?;
        Ok(())
    }

    /// Promises as part of a transaction, for uploads that outlive the server: the row's id. It
    /// stays until [`Self::unpromise`], or until it is adopted and settled.
    pub(crate) async fn promise(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        bytes: u64,
        staging: &str,
    ) -> Result<i64> {
        let now = self.clock.now();
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
        self.apply_for(tx, locker, Event::Reserve { bytes }, None, Some(id)).await?;
        Ok(id)
    }

    /// Promises more to a lasting promise, or `QuotaExceeded`.
    pub(crate) async fn promise_more(&self, locker: LockerId, id: i64, more: u64) -> Result<()> {
        let amount = signed(more)?;
        let mut tx = self.db.write().await?;
        let event = Event::Reserve { bytes: more };
        if let Err(error) = self.apply_for(&mut tx, locker, event, None, Some(id)).await {
            drop(tx);
            return Err(in_all(error, self.promised(id).await?));
        }
        let grown = sqlx::query!(
            "update reservation set bytes = bytes + ? where reservation_id = ?",
            amount,
            id
        )
        .execute(&mut *tx)
        .await?;
        if grown.rows_affected() == 0 {
            return Err(Error::NotFound("Upload"));
        }
        tx.commit().await?;
        Ok(())
    }

    /// Bytes of a lasting promise.
    pub(crate) async fn promised(&self, id: i64) -> Result<u64> {
        let bytes =
            sqlx::query_scalar!("select bytes from reservation where reservation_id = ?", id)
                .fetch_optional(self.db.read())
                .await?;
        Ok(bytes.ok_or(Error::NotFound("Upload"))?.unsigned_abs())
    }

    /// Gives a lasting promise back.
    pub(crate) async fn unpromise(&self, tx: &mut Tx, id: i64) -> Result<()> {
        self.free(tx, id).await
    }

    /// A lasting promise as one that is given back when it is dropped.
    pub(crate) async fn adopt(&self, locker: LockerId, id: i64) -> Result<Reservation> {
        let bytes = self.promised(id).await?;
        Ok(Reservation { accounts: self.clone(), locker, id, bytes })
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
            sqlx::query!("update drive_kept set held_by = ? where held_by = ?", first, id)
                .execute(&mut **tx)
                .await?;
        }
        sqlx::query!("update reservation set staging = ? where reservation_id = ?", staging, first)
            .execute(&mut **tx)
            .await?;
        Ok(*first)
    }

    /// Gives back what is promised to uploads that are gone, and what could not be given back before.
    pub(crate) async fn release_orphans(&self) -> Result<()> {
        let mut tx = self.db.write().await?;
        let orphans = sqlx::query_scalar!(
            r#"select reservation_id as "id!: i64" from reservation r where staging like 'up-%'
               and not exists (select 1 from upload u where u.reservation_id = r.reservation_id)"#
        )
        .fetch_all(&mut *tx)
        .await?;
        let unreleased = self.memory.take_unreleased();
        let freed = async {
            for id in orphans.iter().chain(&unreleased) {
                self.free(&mut tx, *id).await?;
            }
            tx.commit().await
        };
        let freed = freed.await;
        if freed.is_err() {
            unreleased.into_iter().for_each(|id| self.memory.note_unreleased(id));
        }
        freed
    }

    /// Turns a reservation into a file, as part of the transaction that publishes it: `comes` in
    /// the place of `goes`. Fails with `QuotaExceeded` if the difference is more than was promised
    /// and no longer fits, or if the quota was lowered since. The reservation's row is gone then.
    pub(crate) async fn settle(
        &self,
        tx: &mut Tx,
        reservation: &Reservation,
        (comes, goes): (Charge, Charge),
        change: Change<'_>,
    ) -> Result<()> {
        let promised = sqlx::query_scalar!(
            r#"delete from reservation where reservation_id = ? returning bytes as "bytes!: i64""#,
            reservation.id
        )
        .fetch_optional(&mut **tx)
        .await?;
        let promised = promised.unwrap_or(0).unsigned_abs();
        let event = Event::Settle { promised, comes, goes };
        self.apply(tx, reservation.locker, event, Some(change)).await?;
        self.settle_held(tx, reservation.locker, reservation.id).await
    }

    /// The same in one go, for bytes that nothing was promised for.
    pub(crate) async fn charge(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        (comes, goes): (Charge, Charge),
        change: Change<'_>,
    ) -> Result<()> {
        let event = Event::Settle { promised: 0, comes, goes };
        self.apply(tx, locker, event, Some(change)).await
    }

    /// Gives a reservation's bytes back and forgets it; what gave way to it comes back.
    async fn free(&self, tx: &mut Tx, id: i64) -> Result<()> {
        let gone = sqlx::query!(
            r#"delete from reservation where reservation_id = ?
               returning locker_id as "locker!: i64", bytes as "bytes!: i64""#,
            id
        )
        .fetch_optional(&mut **tx)
        .await?;
        if let Some(gone) = gone {
            let event = Event::Release { bytes: gone.bytes.unsigned_abs() };
            self.apply(tx, gone.locker.into(), event, None).await?;
            self.bring_held_back(tx, gone.locker.into(), id).await?;
        }
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
        let came_to_nothing = sqlx::query!(
            r#"select distinct held_by as "promise!: i64", locker_id as "locker!: i64" from drive_kept
               where held_by is not null
                 and held_by not in (select reservation_id from reservation)"#
        )
        .fetch_all(&mut *tx)
        .await?;
        for held in came_to_nothing {
            self.bring_held_back(&mut tx, held.locker.into(), held.promise).await?;
        }
        sqlx::query!(
            "update locker set reserved_bytes =
               (select coalesce(sum(r.bytes), 0) from reservation r where r.locker_id = locker.locker_id)"
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Forgets the uploads in flight of a database that was brought back: their bytes were not kept
/// with it, so nothing of them can go on. What was promised to them is free again; what gave way to
/// them comes back at the next start.
pub(crate) async fn forget_uploads(db: &Db) -> Result<()> {
    let mut tx = db.write().await?;
    sqlx::query!("delete from upload where etag is null").execute(&mut *tx).await?;
    sqlx::query!("delete from reservation").execute(&mut *tx).await?;
    sqlx::query!("update locker set reserved_bytes = 0").execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(())
}

impl Reservation {
    /// Promised so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Promises more, or `QuotaExceeded`.
    pub(crate) async fn extend(&mut self, more: u64) -> Result<()> {
        self.accounts.promise_more(self.locker, self.id, more).await?;
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

/// What cannot be given back now, for the disk of the database is full or failing, is later.
async fn release(accounts: &Accounts, id: i64) -> Result<()> {
    let released = async {
        let mut tx = accounts.db.write().await?;
        accounts.free(&mut tx, id).await?;
        tx.commit().await
    };
    released.await.inspect_err(|_| accounts.memory.note_unreleased(id))
}

/// A refusal in figures of the whole upload: what was promised to it before is not used by others,
/// and is needed again.
fn in_all(error: Error, promised: u64) -> Error {
    let of_others = |used: u64| used.saturating_sub(promised);
    let of_all = |needed: u64| needed.saturating_add(promised);
    match error {
        Error::QuotaExceeded { used, quota, needed } => {
            Error::QuotaExceeded { used: of_others(used), quota, needed: of_all(needed) }
        }
        Error::GraceOver { used, quota, needed } => {
            Error::GraceOver { used: of_others(used), quota, needed: of_all(needed) }
        }
        other => other,
    }
}

/// Sizes beyond 2^62 are nonsense, and would overflow sums.
pub(super) fn signed(bytes: u64) -> Result<i64> {
    i64::try_from(bytes)
        .ok()
        .filter(|bytes| *bytes < i64::MAX / 2)
        .ok_or_else(|| Error::Invalid("That size is not possible".to_owned()))
}
