//! The figures of lockers beside what they are the sums of, for whoever checks the books; and the
//! entry that sets them right.

use super::{
    Accounts, Change,
    quota::{Charge, Event},
};
use crate::{
    Result,
    db::{Db, Tx},
    ids::{LockerId, UserId},
};

/// A locker's figures, each with the sums that it has to equal. All in bytes.
#[derive(Debug, Clone)]
pub(crate) struct Audit {
    pub(crate) locker: LockerId,
    /// Folder below the drive's root.
    pub(crate) path: String,
    /// Counted: the figure, the sum of the files' rows, the sum of the ledger.
    pub(crate) used: [i64; 3],
    /// Not counted: the same three.
    pub(crate) exempt: [i64; 3],
    /// In trash and versions: the figure, the sum of the rows, the sum of the ledger.
    pub(crate) reclaimable: [i64; 3],
    /// Promised: the figure, and the sum of the promises.
    pub(crate) reserved: [i64; 2],
}

/// The books of every locker that is not put away.
pub(crate) async fn audit(db: &Db) -> Result<Vec<Audit>> {
    let rows = sqlx::query!(
        r#"select l.locker_id as "id!: i64", l.path, l.used_bytes, l.exempt_bytes, l.reclaimable_bytes, l.reserved_bytes,
             (select coalesce(sum(iif(f.exempt is null, coalesce(f.charged_bytes, f.size_bytes), 0)), 0)
              from drive_file f where f.locker_id = l.locker_id and f.missing_at is null) as "counted!: i64",
             (select coalesce(sum(iif(f.exempt is null, 0, f.size_bytes)), 0)
              from drive_file f where f.locker_id = l.locker_id and f.missing_at is null) as "uncounted!: i64",
             (select coalesce(sum(k.size_bytes), 0)
              from drive_kept k where k.locker_id = l.locker_id and k.gone_at is null) as "kept!: i64",
             (select coalesce(sum(r.bytes), 0) from reservation r where r.locker_id = l.locker_id) as "promised!: i64",
             (select coalesce(sum(e.bytes), 0) from ledger e where e.locker_id = l.locker_id) as "entered!: i64",
             (select coalesce(sum(e.exempt_bytes), 0) from ledger e where e.locker_id = l.locker_id) as "entered_exempt!: i64",
             (select coalesce(sum(e.reclaimable_bytes), 0) from ledger e where e.locker_id = l.locker_id) as "entered_kept!: i64"
           from locker l where l.path not like 'removed/%' order by l.path"#
    )
    .fetch_all(db.read())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Audit {
            locker: row.id.into(),
            path: row.path,
            used: [row.used_bytes, row.counted, row.entered],
            exempt: [row.exempt_bytes, row.uncounted, row.entered_exempt],
            reclaimable: [row.reclaimable_bytes, row.kept, row.entered_kept],
            reserved: [row.reserved_bytes, row.promised],
        })
        .collect())
}

impl Accounts {
    /// Makes the figures of all lockers what the rows sum up to, with an entry in the ledger for
    /// each that was wrong.
    pub(crate) async fn set_right(&self) -> Result<()> {
        let mut tx = self.db.write().await?;
        sqlx::query!(
            "update locker set reserved_bytes =
               (select coalesce(sum(r.bytes), 0) from reservation r where r.locker_id = locker.locker_id)"
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        for books in audit(&self.db).await? {
            let mut tx = self.db.write().await?;
            self.set_one_right(&mut tx, &books).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    async fn set_one_right(&self, tx: &mut Tx, books: &Audit) -> Result<()> {
        let change = Change { user: UserId(0), reason: "repair", path: "" };
        let of = |counted: i64, uncounted: i64| {
            let mut charge = Charge::counted(counted.unsigned_abs());
            charge += Charge::exempt(uncounted.unsigned_abs());
            charge
        };
        let (used, exempt, kept) = (books.used, books.exempt, books.reclaimable);
        if used[0] != used[1] || exempt[0] != exempt[1] {
            let moves = (of(used[1], exempt[1]), of(used[0], exempt[0]));
            self.recount(tx, books.locker, moves, change).await?;
        }
        let differs = (kept[1] - kept[0]).unsigned_abs();
        if kept[0] < kept[1] {
            self.apply(tx, books.locker, Event::Keep { bytes: differs }, Some(change)).await?;
        } else if kept[1] < kept[0] {
            self.apply(tx, books.locker, Event::Forget { bytes: differs }, Some(change)).await?;
        }
        let missing = [used[0] - used[2], exempt[0] - exempt[2], kept[0] - kept[2]];
        if missing != [0, 0, 0] {
            let now = self.clock.now();
            sqlx::query!(
                "insert into ledger (at, locker_id, bytes, exempt_bytes, reclaimable_bytes, reason, note)
                 values (?, ?, ?, ?, ?, 'repair', 'The entries did not sum up to the figures')",
                now,
                books.locker.0,
                missing[0],
                missing[1],
                missing[2]
            )
            .execute(&mut **tx)
            .await?;
        }
        Ok(())
    }
}
