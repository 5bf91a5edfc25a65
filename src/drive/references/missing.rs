//! What points at bytes that are nowhere: it counts nothing, its owner is told, and it stays what it
//! is wherever it goes, also into the trash and back, until the same bytes are there again.

use std::collections::BTreeSet;

use super::real::Reference;
use crate::{
    Error, Result,
    accounts::{Change, Charge},
    db::Tx,
    drive::{
        Drive,
        kept::Kept,
        put::blocking,
        rows::{charge, inside},
    },
    events::Event,
    ids::{LockerId, UserId},
    path_text,
};

/// What notices about such files begin with; the number of the file's row follows.
const KEY: &str = "lent:";

impl Drive {
    /// Rows and figures of everything that points with a reference, when its bytes are gone or
    /// back; and who owns it is told.
    pub(super) async fn set_missing(&self, reference: &Reference, is_missing: bool) -> Result<()> {
        let turns = self.lock_holders(reference.lent.id).await?;
        let (id, now) = (reference.lent.id, self.clock.now());
        let mut tx = self.db.write().await?;
        let rows = sqlx::query!(
            r#"select drive_file_id as "id!: i64", locker_id as "locker!: i64", f.path, f.size_bytes, charged_bytes, exempt
               from drive_file f join drive_reference r using (reference_id)
               where reference_id = ?1 and iif(?2, f.missing_at is null, f.missing_at = r.missing_at)"#,
            id,
            is_missing
        )
        .fetch_all(&mut *tx)
        .await?;
        // Those that come later are told apart from those that were deleted before.
        let since = sqlx::query_scalar!(
            r#"update drive_reference set missing_at = iif(?1, coalesce(missing_at, ?2), null)
               where reference_id = ?3 returning missing_at as "since?: i64""#,
            is_missing,
            now,
            id
        )
        .fetch_optional(&mut *tx)
        .await?
        .flatten();
        let mut changed = Vec::new();
        for row in rows {
            sqlx::query!(
                "update drive_file set missing_at = ? where drive_file_id = ?",
                since,
                row.id
            )
            .execute(&mut *tx)
            .await?;
            let all = charge(row.size_bytes, row.charged_bytes, row.exempt.as_deref());
            let none = Charge::default();
            let (moves, reason) =
                if is_missing { ((none, all), "missing") } else { ((all, none), "found") };
            let locker = LockerId(row.locker);
            let change = Change { user: UserId(0), reason, path: &row.path };
            self.accounts.recount(&mut tx, locker, moves, change).await?;
            if is_missing {
                self.tell_owner(&mut tx, row.id).await?;
            }
            changed.push((locker, row.path));
        }
        self.untell(&mut tx).await?;
        tx.commit().await?;
        drop(turns);
        for (locker, path) in changed {
            self.events.publish(Event::DriveChanged { locker, path });
            self.accounts.tell_usage(locker).await?;
        }
        Ok(())
    }

    /// Of what came back from a shelf, at a path or in it: where the bytes are nowhere, the file is
    /// missing again. It was not charged.
    pub(in crate::drive) async fn miss_again(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        path: &str,
    ) -> Result<()> {
        let (first, last) = inside(path);
        let rows = sqlx::query_scalar!(
            r#"update drive_file set missing_at = r.missing_at from drive_reference r
               where r.reference_id = drive_file.reference_id and r.missing_at is not null
                 and locker_id = ?1 and drive_file.missing_at is null
                 and (drive_file.path = ?2 or (?3 <= drive_file.path and drive_file.path < ?4))
               returning drive_file_id as "id!: i64""#,
            locker.0,
            path,
            first,
            last
        )
        .fetch_all(&mut **tx)
        .await?;
        if rows.is_empty() {
            return Ok(());
        }
        for id in rows {
            self.tell_owner(tx, id).await?;
        }
        // What was told of it before it went to the shelf.
        self.untell(tx).await
    }

    /// Whether some of what was kept has no bytes at the moment.
    pub(in crate::drive) async fn lacks_bytes(&self, kept: &Kept) -> Result<bool> {
        let missing = sqlx::query_scalar!(
            r#"select count(*) as "count!: i64" from drive_kept_file f join drive_reference r using (reference_id)
               where kept_id = ? and r.missing_at is not null"#,
            kept.id
        )
        .fetch_one(self.db.read())
        .await?;
        Ok(0 < missing)
    }

    /// The symlink of a file that is missing makes room for what comes to its place.
    pub(in crate::drive) async fn give_way(
        &self,
        locker: LockerId,
        folder: &str,
        path: &str,
    ) -> Result<()> {
        let missing = sqlx::query_scalar!(
            r#"select count(*) as "count!: i64" from drive_file
               where locker_id = ? and path = ? and reference_id is not null and missing_at is not null"#,
            locker.0,
            path
        )
        .fetch_one(self.db.read())
        .await?;
        if missing == 0 {
            return Ok(());
        }
        let (disk, folder, path) = (self.disk.clone(), folder.to_owned(), path.to_owned());
        blocking(move || disk.remove_link(&folder, &path)).await
    }

    /// Tells the owner of a file that it is missing.
    async fn tell_owner(&self, tx: &mut Tx, file: i64) -> Result<()> {
        let row = sqlx::query!(
            r#"select f.locker_id as "locker!: i64", f.path, r.path as lent, b.name as folder
               from drive_file f join drive_reference r using (reference_id)
               join library b on b.library_id = r.library_id
               where drive_file_id = ?"#,
            file
        )
        .fetch_one(&mut **tx)
        .await?;
        let (path, folder, shown) = (row.path, row.folder, path_text::shown(&row.lent));
        let text = format!(
            "{path} is not there any more: its bytes lay in the folder \"{folder}\" as {shown}, where somebody removed or changed them. Put the same file back there, or send it again."
        );
        let key = format!("{KEY}{file}");
        self.accounts.tell_of_locker(tx, row.locker.into(), &key, &text).await
    }

    /// What was told of files that are no longer missing, or no longer in a locker, holds no more.
    pub(super) async fn untell(&self, tx: &mut Tx) -> Result<()> {
        let missing = sqlx::query_scalar!(
            r#"select ?1 || drive_file_id as "key!: String" from drive_file
               where reference_id is not null and missing_at is not null"#,
            KEY
        )
        .fetch_all(&mut **tx)
        .await?;
        self.accounts.close_others(tx, KEY, &missing).await
    }

    /// The turns of every locker that points with a reference, always in the same order.
    pub(super) async fn lock_holders(
        &self,
        reference: i64,
    ) -> Result<Vec<tokio::sync::OwnedMutexGuard<()>>> {
        let mut lockers = BTreeSet::new();
        for holder in self.holders(reference).await? {
            lockers.extend(self.spot(&holder).await?.map(|spot| spot.locker));
        }
        let mut turns = Vec::with_capacity(lockers.len());
        for locker in lockers {
            turns.push(self.lock(locker).lock_owned().await);
        }
        Ok(turns)
    }
}

/// The bytes of a lent file are not where they were.
pub(in crate::drive) fn not_there() -> Error {
    Error::Unavailable(
        "The bytes of this file lie in a folder of music, where they are not at the moment"
            .to_owned(),
    )
}
