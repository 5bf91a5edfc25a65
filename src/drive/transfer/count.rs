//! The one transaction of a move or copy: what made room is kept, rows change, figures and ledger
//! say so.

use super::{Cleared, Transfer, begun::Begun};
use crate::{
    Error, Result,
    accounts::{Change, Charge, Reservation},
    db::Tx,
    drive::{
        Origin, RelativePath,
        disk::{Copied, StagedCopy},
        kept::Keeping,
        rows::inside,
    },
};

impl Transfer {
    /// What made room is kept, and the rows of the target are gone; their bytes.
    async fn count_cleared(&self, tx: &mut Tx, cleared: Option<&Cleared>) -> Result<Charge> {
        let (drive, locker, path) = (&self.drive, self.target.id, self.to.as_str());
        if let Some(cleared) = cleared {
            let Cleared { spot, is_folder, facts, .. } = cleared;
            let keeping = Keeping { locker, path, spot, is_folder: *is_folder, user: self.user };
            let facts = (!is_folder).then_some(*facts);
            let size = drive.insert_kept(tx, &keeping, facts).await?;
            drive.accounts.count_reclaimable(tx, locker, size).await?;
        }
        drive.drop_shares(tx, locker, path).await?;
        // Rows of files that were missing give way too.
        drive.delete_rows(tx, locker, path).await
    }

    pub(super) async fn count_move(
        &self,
        cleared: Option<&Cleared>,
        reservation: Option<&Reservation>,
        charge: Charge,
        begun: Begun,
    ) -> Result<()> {
        let (drive, from, to) = (&self.drive, self.from.as_str(), self.to.as_str());
        let change = |path| Change { user: self.user, reason: "move", path };
        let crosses = self.source.id != self.target.id;
        let mut tx = drive.db.write().await?;
        drive.strike_out(&mut tx, begun).await?;
        let replaced = self.count_cleared(&mut tx, cleared).await?;
        let (accounts, none) = (&drive.accounts, Charge::default());
        if crosses {
            match reservation {
                Some(reservation) => {
                    accounts.settle(&mut tx, reservation, (charge, replaced), change(to)).await?;
                }
                // Its promise went with the crash that cut it short.
                None => {
                    accounts
                        .recount(&mut tx, self.target.id, (charge, replaced), change(to))
                        .await?;
                }
            }
            accounts.recount(&mut tx, self.source.id, (none, charge), change(from)).await?;
            drive.drop_shares(&mut tx, self.source.id, from).await?;
        } else if replaced != none {
            accounts.recount(&mut tx, self.target.id, (none, replaced), change(to)).await?;
        }
        let (first, last) = inside(from);
        sqlx::query!(
            "update drive_file set locker_id = ?6, path = ?1 || substr(path, length(?2) + 1)
             where locker_id = ?3 and (path = ?2 or (?4 <= path and path < ?5))",
            to,
            from,
            self.source.id.0,
            first,
            last,
            self.target.id.0
        )
        .execute(&mut *tx)
        .await?;
        if !crosses {
            self.take_along(&mut tx).await?;
        }
        let (source, target) = ((self.source.id, from), (self.target.id, to));
        drive.copy_properties(&mut tx, source, target).await?;
        drive.drop_properties(&mut tx, self.source.id, from).await?;
        // Locks stay where they were put, and there is nothing now (RFC 4918, 7.6).
        drive.drop_locks(&mut tx, self.source.id, from).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Versions and shares follow what moves within a locker.
    async fn take_along(&self, tx: &mut Tx) -> Result<()> {
        let (from, to) = (self.from.as_str(), self.to.as_str());
        let (first, last) = inside(from);
        sqlx::query!(
            "update drive_kept set path = ?1 || substr(path, length(?2) + 1)
             where locker_id = ?3 and kind = 'version' and (path = ?2 or (?4 <= path and path < ?5))",
            to,
            from,
            self.source.id.0,
            first,
            last
        )
        .execute(&mut **tx)
        .await?;
        sqlx::query!(
            "update folder_share set path = ?1 || substr(path, length(?2) + 1)
             where locker_id = ?3 and (path = ?2 or (?4 <= path and path < ?5))",
            to,
            from,
            self.source.id.0,
            first,
            last
        )
        .execute(&mut **tx)
        .await?;
        // The library that it is for others stays the same, with what they added to it. One that
        // was there before, and is no more, gives way.
        sqlx::query!(
            "update or replace shared_library set path = ?1 || substr(path, length(?2) + 1)
             where locker_id = ?3 and (path = ?2 or (?4 <= path and path < ?5))",
            to,
            from,
            self.source.id.0,
            first,
            last
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    pub(super) async fn count_copy(
        &self,
        cleared: Option<&Cleared>,
        reservation: &Reservation,
        staged: &StagedCopy,
        size: u64,
    ) -> Result<()> {
        let (drive, to) = (&self.drive, self.to.as_str());
        let change = Change { user: self.user, reason: "copy", path: to };
        let mut tx = drive.db.write().await?;
        let replaced = self.count_cleared(&mut tx, cleared).await?;
        drive
            .accounts
            .settle(&mut tx, reservation, (Charge::counted(size), replaced), change)
            .await?;
        for file in &staged.files {
            self.insert_copy(&mut tx, file).await?;
        }
        let (source, target) = ((self.source.id, self.from.as_str()), (self.target.id, to));
        drive.copy_properties(&mut tx, source, target).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The row of one copied file. It is of the same content as the original if that is still the
    /// file that was copied.
    async fn insert_copy(&self, tx: &mut Tx, file: &Copied) -> Result<()> {
        let path = |top: &RelativePath| match file.path.as_str() {
            "" => top.as_str().to_owned(),
            inner => format!("{}/{inner}", top.as_str()),
        };
        let (from, to) = (path(&self.from), path(&self.to));
        let (size, origin) = (i64::try_from(file.size).unwrap_or(i64::MAX), file.origin.as_str());
        let quick_key = file.quick_key.as_slice();
        let now = self.drive.clock.now();
        if let Some(reference) = file.reference {
            let known = sqlx::query_scalar!(
                r#"select count(*) as "count!: i64" from drive_reference where reference_id = ?"#,
                reference
            )
            .fetch_one(&mut **tx)
            .await?;
            if known == 0 {
                return Err(Error::Conflict("The file was changed meanwhile".to_owned()));
            }
        }
        sqlx::query!(
            "insert into drive_file (locker_id, path, size_bytes, modified_ns, content_hash, quick_key, origin, created_at, stored_at,
                 reference_id)
             values (?1, ?2, ?3, ?4,
                 (select content_hash from drive_file f where f.locker_id = ?5 and f.path = ?6
                  and f.size_bytes = ?3 and f.modified_ns = ?4 and f.missing_at is null),
                 ?7, ?8, ?9, ?9, ?10)",
            self.target.id.0,
            to,
            size,
            file.modified_ns,
            self.source.id.0,
            from,
            quick_key,
            origin,
            now,
            file.reference
        )
        .execute(&mut **tx)
        .await?;
        if file.origin == Origin::HardLink {
            sqlx::query!(
                "update drive_file set origin = 'hardlink' where locker_id = ? and path = ?",
                self.source.id.0,
                from
            )
            .execute(&mut **tx)
            .await?;
        }
        Ok(())
    }
}
