//! What was deleted or replaced and can come back: rows and places. The operations are in
//! [`super::trash`] and [`super::versions`].

use std::collections::HashSet;

use super::{
    Drive, RelativePath,
    disk::Spot,
    put::{blocking, staging_name},
    rows::inside,
};
use crate::{
    Error, Result,
    accounts::{Charge, Locker, Principal},
    clock::Millis,
    db::{Db, Tx},
    ids::{LockerId, UserId},
};

/// Why something was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptKind {
    /// It was deleted.
    Trash,
    /// Other contents took its place.
    Version,
}

/// Something that can come back.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Its id.
    pub id: String,
    /// Why it was kept.
    pub kind: KeptKind,
    /// Which locker it was in, and counts in.
    pub locker: LockerId,
    /// Where it was.
    pub path: RelativePath,
    /// A folder with all that was in it.
    pub is_folder: bool,
    /// Bytes of all its files.
    pub size: u64,
    /// Its files.
    pub files: u64,
    /// When it was deleted or replaced.
    pub kept_at: Millis,
    /// Login name of who did it; empty if that is not known.
    pub by: String,
    pub(super) spot: Spot,
}

/// A row as the database has it.
struct Row {
    kept_id: String,
    kind: String,
    locker_id: i64,
    path: String,
    name: String,
    shelf: String,
    is_folder: bool,
    size_bytes: i64,
    files: i64,
    kept_at: i64,
    by: Option<String>,
}

impl From<Row> for Kept {
    fn from(row: Row) -> Self {
        Self {
            spot: Spot { shelf: row.shelf, id: row.kept_id.clone(), name: row.name },
            id: row.kept_id,
            kind: if row.kind == "trash" { KeptKind::Trash } else { KeptKind::Version },
            locker: row.locker_id.into(),
            path: RelativePath::from_disk(row.path),
            is_folder: row.is_folder,
            size: row.size_bytes.unsigned_abs(),
            files: row.files.unsigned_abs(),
            kept_at: row.kept_at,
            by: row.by.unwrap_or_default(),
        }
    }
}

/// What is about to be kept.
pub(super) struct Keeping<'a> {
    pub(super) locker: LockerId,
    pub(super) path: &'a str,
    pub(super) spot: &'a Spot,
    pub(super) is_folder: bool,
    pub(super) user: UserId,
}

impl KeptKind {
    /// As the rows write it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Trash => "trash",
            Self::Version => "version",
        }
    }

    pub(super) fn of_shelf(shelf: &str) -> Self {
        if shelf.starts_with("trash/") { Self::Trash } else { Self::Version }
    }
}

/// A free place on a locker's shelf for what lies at a path.
pub(super) fn new_spot(locker: &Locker, kind: KeptKind, path: &str) -> Result<Spot> {
    let shelf = match kind {
        KeptKind::Trash => "trash",
        KeptKind::Version => "versions",
    };
    let id = staging_name()?.chars().take(16).collect();
    let name = path.rsplit('/').next().unwrap_or(path).to_owned();
    Ok(Spot { shelf: format!("{shelf}/{}", owner(&locker.path)), id, name })
}

/// Whose shelf: the last part of a locker's folder.
pub(super) fn owner(locker: &str) -> &str {
    locker.rsplit('/').next().unwrap_or(locker)
}

impl Drive {
    /// What may come back in a locker, newest first; of a certain path if that is given.
    pub(super) async fn kept(
        &self,
        locker: LockerId,
        kind: KeptKind,
        path: Option<&str>,
    ) -> Result<Vec<Kept>> {
        let kind = kind.as_str();
        let rows = sqlx::query_as!(
            Row,
            r#"select k.kept_id, k.kind, k.locker_id, k.path, k.name, k.shelf, k.is_folder as "is_folder!: bool",
                      k.size_bytes, k.files, k.kept_at, u.name as "by?"
               from drive_kept k left join user u on u.user_id = k.user_id
               where k.locker_id = ?1 and k.kind = ?2 and k.gone_at is null and (?3 is null or k.path = ?3)
               order by k.kept_at desc, k.kept_id"#,
            locker.0,
            kind,
            path
        )
        .fetch_all(self.db.read())
        .await?;
        Ok(rows.into_iter().map(Kept::from).collect())
    }

    /// One kept thing, whoever may see it.
    pub(super) async fn kept_row(&self, id: &str) -> Result<Kept> {
        let row = sqlx::query_as!(
            Row,
            r#"select k.kept_id, k.kind, k.locker_id, k.path, k.name, k.shelf, k.is_folder as "is_folder!: bool",
                      k.size_bytes, k.files, k.kept_at, u.name as "by?"
               from drive_kept k left join user u on u.user_id = k.user_id
               where k.kept_id = ? and k.gone_at is null"#,
            id
        )
        .fetch_optional(self.db.read())
        .await?;
        row.map(Kept::from).ok_or(Error::NotFound("Kept file"))
    }

    /// Whether it is still there, inside the transaction that wants it.
    pub(super) async fn require_kept(&self, tx: &mut Tx, id: &str) -> Result<()> {
        let there = sqlx::query_scalar!(
            r#"select count(*) as "count!: i64" from drive_kept where kept_id = ? and gone_at is null"#,
            id
        )
        .fetch_one(&mut **tx)
        .await?;
        if there == 0 { Err(Error::NotFound("Kept file")) } else { Ok(()) }
    }

    /// Rows for what was put on a shelf, made of the rows that its files have (which the caller
    /// deletes or overwrites afterwards) and, where those say nothing, of what the disk says. The
    /// bytes in all.
    pub(super) async fn insert_kept(
        &self,
        tx: &mut Tx,
        keeping: &Keeping<'_>,
        on_disk: Option<(u64, i64)>,
    ) -> Result<u64> {
        let Keeping { locker, path, spot, is_folder, user } = keeping;
        let (kind, now) = (KeptKind::of_shelf(&spot.shelf).as_str(), self.clock.now());
        let (first, last) = inside(path);
        sqlx::query!(
            "insert into drive_kept (kept_id, locker_id, kind, path, name, shelf, is_folder, user_id, kept_at)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, nullif(?8, 0),
                 max(?9, coalesce((select max(kept_at) + 1 from drive_kept k where k.locker_id = ?2), 0)))",
            spot.id,
            locker.0,
            kind,
            path,
            spot.name,
            spot.shelf,
            is_folder,
            user.0,
            now
        )
        .execute(&mut **tx)
        .await?;
        let files = sqlx::query!(
            "insert into drive_kept_file (kept_id, path, size_bytes, modified_ns, content_hash, quick_key, origin,
                 exempt, charged_bytes, stored_at, reference_id)
             select ?1, substr(path, length(?2) + 2), size_bytes, modified_ns, content_hash, quick_key, origin,
                 exempt, charged_bytes, stored_at, reference_id
             from drive_file f
             where locker_id = ?3 and (path = ?2 or (?4 <= path and path < ?5))
               -- What points at bytes that are nowhere still has its symlink, and may get them back.
               and (missing_at is null or exists (select 1 from drive_reference r
                                                  where r.reference_id = f.reference_id and r.missing_at = f.missing_at))",
            spot.id,
            path,
            locker.0,
            first,
            last
        )
        .execute(&mut **tx)
        .await?
        .rows_affected();
        if let Some((size, modified_ns)) = on_disk.filter(|_| files == 0) {
            let size = i64::try_from(size).unwrap_or(i64::MAX);
            sqlx::query!(
                "insert into drive_kept_file (kept_id, path, size_bytes, modified_ns, origin)
                 values (?, '', ?, ?, 'own')",
                spot.id,
                size,
                modified_ns
            )
            .execute(&mut **tx)
            .await?;
        }
        self.sum_kept(tx, &spot.id).await
    }

    /// Writes what the files of a kept thing come to; the bytes.
    pub(super) async fn sum_kept(&self, tx: &mut Tx, id: &str) -> Result<u64> {
        let size = sqlx::query_scalar!(
            r#"update drive_kept set
                 size_bytes = (select coalesce(sum(f.size_bytes), 0) from drive_kept_file f where f.kept_id = ?1),
                 files = (select count(*) from drive_kept_file f where f.kept_id = ?1)
               where kept_id = ?1 returning size_bytes as "size!: i64""#,
            id
        )
        .fetch_one(&mut **tx)
        .await?;
        Ok(size.unsigned_abs())
    }

    /// What its files counted, and will again, but for those whose bytes are nowhere.
    pub(super) async fn charge_of_kept(&self, tx: &mut Tx, id: &str) -> Result<Charge> {
        let sum = sqlx::query!(
            r#"select coalesce(sum(iif(exempt is null, coalesce(charged_bytes, size_bytes), 0)), 0) as "counted!: i64",
                      coalesce(sum(iif(exempt is null, 0, size_bytes)), 0) as "exempt!: i64"
               from drive_kept_file f where kept_id = ?
                 and not exists (select 1 from drive_reference r
                                 where r.reference_id = f.reference_id and r.missing_at is not null)"#,
            id
        )
        .fetch_one(&mut **tx)
        .await?;
        let mut charge = Charge::counted(sum.counted.unsigned_abs());
        charge += Charge::exempt(sum.exempt.unsigned_abs());
        Ok(charge)
    }

    /// The rows of what comes back at `path`, and it is kept no more.
    pub(super) async fn revive_rows(&self, tx: &mut Tx, kept: &Kept, path: &str) -> Result<()> {
        let now = self.clock.now();
        sqlx::query!(
            "insert into drive_file (locker_id, path, size_bytes, modified_ns, content_hash, quick_key, origin,
                 exempt, charged_bytes, stored_at, reference_id, created_at)
             select ?1, iif(path = '', ?2, ?2 || '/' || path), size_bytes, modified_ns, content_hash, quick_key, origin,
                 exempt, charged_bytes, stored_at, reference_id, ?3
             from drive_kept_file where kept_id = ?4
             on conflict (locker_id, path) do update set
                 size_bytes = excluded.size_bytes, modified_ns = excluded.modified_ns,
                 content_hash = excluded.content_hash, quick_key = excluded.quick_key, origin = excluded.origin,
                 exempt = excluded.exempt, charged_bytes = excluded.charged_bytes, stored_at = excluded.stored_at,
                 reference_id = excluded.reference_id,
                 version = version + 1, missing_at = null",
            kept.locker.0,
            path,
            now,
            kept.id
        )
        .execute(&mut **tx)
        .await?;
        sqlx::query!("delete from drive_kept where kept_id = ?", kept.id)
            .execute(&mut **tx)
            .await?;
        self.miss_again(tx, kept.locker, path).await
    }

    /// Deletes the bytes of what was let go, then its rows. What a promise holds stays for now,
    /// where the disk has room for both.
    pub(super) async fn sweep_gone(&self) -> Result<()> {
        self.let_held_go().await?;
        let gone = sqlx::query!(
            "select kept_id, shelf, name from drive_kept where gone_at is not null and held_by is null"
        )
        .fetch_all(self.db.read())
        .await?;
        if gone.is_empty() {
            return Ok(());
        }
        let ids: Vec<String> = gone.iter().map(|row| row.kept_id.clone()).collect();
        let disk = self.disk.clone();
        // Gone for sure before the rows are: what comes back with the power would be kept again.
        blocking(move || {
            let spots = gone.into_iter();
            let spots = spots.map(|row| Spot { shelf: row.shelf, id: row.kept_id, name: row.name });
            disk.erase_for_good(&spots.collect::<Vec<_>>())
        })
        .await?;
        let mut tx = self.db.write().await?;
        for id in ids {
            sqlx::query!("delete from drive_kept where kept_id = ?", id).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// What promises hold is given up where the disk has no room for it beside all that was
    /// promised.
    async fn let_held_go(&self) -> Result<()> {
        let held = sqlx::query!(
            r#"select exists(select 1 from drive_kept where held_by is not null) as "any!: bool",
                      (select coalesce(sum(bytes), 0) from reservation) as "promised!: i64""#
        )
        .fetch_one(self.db.read())
        .await?;
        if !held.any {
            return Ok(());
        }
        let disk = self.disk.clone();
        if held.promised.unsigned_abs() <= blocking(move || disk.free()).await? {
            return Ok(());
        }
        let mut tx = self.db.write().await?;
        sqlx::query!("update drive_kept set held_by = null where held_by is not null")
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Whatever comes of a promise, this does not come back.
    pub(super) async fn give_up_hold(&self, tx: &mut Tx, kept: &str) -> Result<()> {
        sqlx::query!("update drive_kept set held_by = null where kept_id = ?", kept)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// Something kept, if the principal may do this where it was.
    pub(super) async fn own_kept(
        &self,
        principal: &Principal,
        id: &str,
        kind: KeptKind,
        access: super::reach::Access,
    ) -> Result<(Locker, Kept)> {
        let kept = self.kept_row(id).await?;
        let reached = self.reach(principal, kept.locker, &kept.path, access).await;
        match reached {
            Ok((locker, _)) if kept.kind == kind => Ok((locker, kept)),
            Ok(_) | Err(Error::NotFound(_)) => Err(Error::NotFound("Kept file")),
            Err(error) => Err(error),
        }
    }
}

/// What lies on a locker's shelves and is held by promises: it belongs there, and is counted nowhere.
pub(super) async fn held_ids(db: &Db, locker: LockerId) -> Result<HashSet<String>> {
    let ids = sqlx::query_scalar!(
        "select kept_id from drive_kept where locker_id = ? and held_by is not null",
        locker.0
    )
    .fetch_all(db.read())
    .await?;
    Ok(ids.into_iter().collect())
}
