//! Files of lockers whose bytes lie in a watched folder, where an administrator allowed that for
//! the folder. Such a file is a row that says which file it is, of which size, time and hash; in
//! the locker's tree stands a symlink, for people, which the server never follows. The bytes are
//! given out only while the folder's file is that very file. They are made real, as a file of the
//! locker's own, before the folder goes ([`real`]); where other hands took or changed the folder's
//! file, they are looked for elsewhere ([`keep`]), and if they are nowhere the owner is told
//! ([`missing`]).

mod crash;
mod examine;
mod keep;
mod missing;
mod place;
mod real;

use std::{fs::File, os::unix::ffi::OsStrExt as _, path::PathBuf};

pub use self::examine::Pointing;
pub(crate) use self::place::lent_places;
pub(super) use self::{
    examine::{pointed_wrongly, pointing},
    missing::not_there,
    place::{lent_of_kept, lent_of_locker},
};
use super::{
    Drive,
    disk::{Lent, LentFiles},
    put::blocking,
    rows::{Known, inside, lent},
};
use crate::{
    Error, Result,
    accounts::Principal,
    db::Tx,
    events::Event,
    ids::{LibraryId, LockerId},
};

/// A file of a watched folder that may be pointed at.
#[derive(Debug, Clone)]
pub(crate) struct Lendable {
    /// The watched folder.
    pub(crate) library: LibraryId,
    /// The file's path there, as the catalogue writes it.
    pub(crate) path: String,
    /// Where it is: absolute.
    pub(crate) target: PathBuf,
    /// When anything about it last changed (ctime, ns) before its bytes were proved.
    pub(crate) changed_ns: i64,
}

/// How many files of a library's lockers point at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LentOut {
    /// Whether they may.
    pub is_allowed: bool,
    /// The configuration says so, and nobody else can.
    pub is_configured: bool,
    /// Files of the folder that something points at.
    pub files: u64,
    /// Their bytes: what it takes to have them without the folder.
    pub bytes: u64,
}

impl Drive {
    /// The lent file at a path, if it is one.
    pub(super) async fn lent_at(&self, locker: LockerId, path: &str) -> Result<Option<Lent>> {
        Ok(self.row(locker, path).await?.and_then(|row| row.lent))
    }

    /// The same also where its bytes are nowhere: its symlink may still be moved and deleted.
    pub(super) async fn lent_or_missing_at(
        &self,
        locker: LockerId,
        path: &str,
    ) -> Result<Option<Lent>> {
        let row = sqlx::query!(
            r#"select f.size_bytes, f.modified_ns, r.reference_id as "reference!: i64", r.target, r.quick_key,
                      r.changed_ns, r.content_hash
               from drive_file f join drive_reference r using (reference_id)
               where f.locker_id = ? and f.path = ?
                 and (f.missing_at is null or f.missing_at = r.missing_at)"#,
            locker.0,
            path
        )
        .fetch_optional(self.db.read())
        .await?;
        Ok(row.and_then(|row| {
            lent(
                (Some(row.reference), Some(row.target), Some(row.quick_key)),
                (row.size_bytes, row.modified_ns),
                (Some(row.changed_ns), Some(row.content_hash)),
            )
        }))
    }

    /// Lent files at a path or in it, by their paths relative to it.
    pub(super) async fn lent_below(&self, locker: LockerId, path: &str) -> Result<LentFiles> {
        let (first, last) = inside(path);
        let rows = sqlx::query!(
            r#"select f.path, f.size_bytes, f.modified_ns, r.reference_id as "reference!: i64", r.target, r.quick_key, r.changed_ns,
                      r.content_hash
               from drive_file f join drive_reference r using (reference_id)
               where f.locker_id = ?1 and f.reference_id is not null and f.missing_at is null
                 and (?2 = '' or f.path = ?2 or (?3 <= f.path and f.path < ?4))"#,
            locker.0,
            path,
            first,
            last
        )
        .fetch_all(self.db.read())
        .await?;
        let relative = |row: &str| match row.strip_prefix(path) {
            Some(inner) if !path.is_empty() => inner.trim_start_matches('/').to_owned(),
            _ => row.to_owned(),
        };
        Ok(rows
            .into_iter()
            .filter_map(|row| {
                let reference = (Some(row.reference), Some(row.target), Some(row.quick_key));
                Some((
                    relative(&row.path),
                    lent(
                        reference,
                        (row.size_bytes, row.modified_ns),
                        (Some(row.changed_ns), Some(row.content_hash)),
                    )?,
                ))
            })
            .collect())
    }

    /// Lent files of something kept, by their paths in it; '' is a file itself.
    pub(super) async fn lent_of_kept(&self, id: &str) -> Result<LentFiles> {
        lent_of_kept(&self.db, id).await
    }

    /// Opens a lent file of a locker or shelf. `Unavailable` if the bytes are not there now.
    pub(super) async fn open_lent(&self, folder: &str, path: &str, lent: &Lent) -> Result<File> {
        let (disk, folder, path, lent) =
            (self.disk.clone(), folder.to_owned(), path.to_owned(), lent.clone());
        match blocking(move || disk.open_lent(&folder, &path, &lent)).await? {
            Some(file) => Ok(file),
            None => {
                self.references.notify_one();
                Err(not_there())
            }
        }
    }

    /// A file that a row's bytes may be lent from; `None` where its folder does not lend.
    pub(crate) async fn lendable(
        &self,
        library: LibraryId,
        path: &str,
        target: PathBuf,
        changed_ns: i64,
    ) -> Result<Option<Lendable>> {
        let may_refer = sqlx::query_scalar!(
            r#"select may_refer as "may_refer: bool" from library
               where library_id = ? and kind = 'folder' and is_active = 1
                 and library_id not in (select library_id from shared_library)"#,
            library.0
        )
        .fetch_optional(self.db.read())
        .await?;
        let lendable = Lendable { library, path: path.to_owned(), target, changed_ns };
        Ok((may_refer == Some(true)).then_some(lendable))
    }

    /// The same of what a file of a locker points at already.
    pub(super) async fn lendable_again(&self, lent: &Lent) -> Result<Option<Lendable>> {
        let row = sqlx::query!(
            "select library_id, path from drive_reference where reference_id = ?",
            lent.id
        )
        .fetch_optional(self.db.read())
        .await?;
        match row {
            Some(row) => {
                let target = lent.sealed.path.clone();
                let changed_ns = lent.sealed.seal.map_or(0, |seal| seal.changed_ns);
                self.lendable(row.library_id.into(), &row.path, target, changed_ns).await
            }
            None => Ok(None),
        }
    }

    /// Whether what is known of this place, if anything is, is what it is now: else a second
    /// reference would change what the first means.
    pub(super) async fn may_point(
        &self,
        lendable: &Lendable,
        size: u64,
        modified_ns: i64,
    ) -> Result<bool> {
        let target = lendable.target.as_os_str().as_bytes();
        let known = sqlx::query!(
            r#"select size_bytes, modified_ns, missing_at is not null as "is_missing!: bool",
                      exists (select 1 from drive_file f where f.reference_id = r.reference_id)
                      or exists (select 1 from drive_kept_file k where k.reference_id = r.reference_id) as "is_used!: bool"
               from drive_reference r where target = ?"#,
            target
        )
        .fetch_optional(self.db.read())
        .await?;
        Ok(known.is_none_or(|known| {
            let is_same =
                (known.size_bytes.unsigned_abs(), known.modified_ns) == (size, modified_ns);
            !known.is_used || (is_same && !known.is_missing)
        }))
    }

    /// Says that a symlink is about to be put at a path.
    pub(super) async fn note_placing(&self, locker: LockerId, path: &str) -> Result<()> {
        let mut tx = self.db.write().await?;
        sqlx::query!(
            "insert into drive_placing (locker_id, path) values (?, ?) on conflict do nothing",
            locker.0,
            path
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Makes the row of a file point at a file of a watched folder.
    pub(super) async fn write_reference(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        path: &str,
        lendable: &Lendable,
        (hash, size): ([u8; 32], u64),
        bytes: &Known,
    ) -> Result<()> {
        let (target, hash) = (lendable.target.as_os_str().as_bytes(), hash.as_slice());
        let (quick_key, size) =
            (bytes.quick_key.as_slice(), i64::try_from(size).unwrap_or(i64::MAX));
        // Nothing points with it any more: it may mean something else now.
        sqlx::query!(
            "delete from drive_reference as r where target = ?
               and not exists (select 1 from drive_file f where f.reference_id = r.reference_id)
               and not exists (select 1 from drive_kept_file k where k.reference_id = r.reference_id)",
            target
        )
        .execute(&mut **tx)
        .await?;
        let reference = sqlx::query_scalar!(
            r#"insert into drive_reference (library_id, path, target, size_bytes, modified_ns, content_hash, quick_key, changed_ns)
               values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
               on conflict (target) do update set library_id = excluded.library_id, path = excluded.path
                   where size_bytes = ?4 and modified_ns = ?5 and content_hash = ?6 and missing_at is null
               returning reference_id as "reference_id!: i64""#,
            lendable.library.0,
            lendable.path,
            target,
            size,
            bytes.modified_ns,
            hash,
            quick_key,
            lendable.changed_ns
        )
        .fetch_optional(&mut **tx)
        .await?
        .ok_or_else(|| Error::Conflict("The file was changed meanwhile".to_owned()))?;
        sqlx::query!(
            "update drive_file set reference_id = ? where locker_id = ? and path = ?",
            reference,
            locker.0,
            path
        )
        .execute(&mut **tx)
        .await?;
        sqlx::query!("delete from drive_placing where locker_id = ? and path = ?", locker.0, path)
            .execute(&mut **tx)
            .await?;
        Ok(())
    }

    /// References that nothing points with any more are forgotten.
    pub(super) async fn drop_unused(&self, tx: &mut Tx) -> Result<()> {
        sqlx::query!(
            "delete from drive_reference as r
             where not exists (select 1 from drive_file f where f.reference_id = r.reference_id)
               and not exists (select 1 from drive_kept_file k where k.reference_id = r.reference_id)"
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Whether files of lockers may point into each watched folder, and how many do.
    /// Administrators only.
    pub async fn lent_out(&self, admin: &Principal) -> Result<Vec<(LibraryId, LentOut)>> {
        admin.require_admin()?;
        let rows = sqlx::query!(
            r#"select library_id as "library!: i64", may_refer as "may_refer!: bool",
                      is_lending_configured as "is_configured!: bool",
                      (select count(*) from drive_reference r where r.library_id = b.library_id
                       and (exists (select 1 from drive_file f where f.reference_id = r.reference_id)
                            or exists (select 1 from drive_kept_file k where k.reference_id = r.reference_id)))
                      as "files!: i64",
                      (select coalesce(sum(size_bytes), 0) from drive_reference r where r.library_id = b.library_id
                       and (exists (select 1 from drive_file f where f.reference_id = r.reference_id)
                            or exists (select 1 from drive_kept_file k where k.reference_id = r.reference_id)))
                      as "bytes!: i64"
               from library b where kind = 'folder' and library_id not in (select library_id from shared_library)"#
        )
        .fetch_all(self.db.read())
        .await?;
        let lent_out = rows.into_iter().map(|row| {
            let (files, bytes) = (row.files.unsigned_abs(), row.bytes.unsigned_abs());
            let (is_allowed, is_configured) = (row.may_refer, row.is_configured);
            (row.library.into(), LentOut { is_allowed, is_configured, files, bytes })
        });
        Ok(lent_out.collect())
    }

    /// Says whether files of lockers may point into a watched folder. When they no longer may,
    /// those that do get bytes of their own, in the background; refused if the disk lacks the room,
    /// or if the configuration says otherwise. Administrators only.
    pub async fn set_lending(
        &self,
        admin: &Principal,
        library: LibraryId,
        is_allowed: bool,
    ) -> Result<()> {
        let known = self.lent_out(admin).await?;
        let Some((_, lent_out)) = known.iter().find(|(id, _)| *id == library) else {
            return Err(if is_allowed {
                Error::Invalid("Only files of a watched folder can be pointed at".to_owned())
            } else {
                Error::NotFound("Library")
            });
        };
        if lent_out.is_allowed == is_allowed {
            return Ok(());
        }
        if lent_out.is_configured {
            return Err(Error::Forbidden(
                "The configuration of the server says whether lockers may point at files of this folder"
                    .to_owned(),
            ));
        }
        if !is_allowed {
            let disk = self.disk.clone();
            let free = blocking(move || disk.free()).await?;
            if free < lent_out.bytes {
                return Err(Error::Conflict(format!(
                    "Files of lockers point at {} bytes of this folder, which have to be copied first, and the disk of the lockers has {free} bytes free",
                    lent_out.bytes
                )));
            }
        }
        let mut tx = self.db.write().await?;
        sqlx::query!(
            "update library set may_refer = ? where library_id = ? and kind = 'folder'",
            is_allowed,
            library.0
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.events.publish(Event::LibrariesChanged);
        self.references.notify_one();
        Ok(())
    }
}
