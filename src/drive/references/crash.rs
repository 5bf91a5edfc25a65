//! What a crash or other hands left of lent files. A symlink that was being put in place when the
//! power went, and that no row tells of, goes again: nobody was told of it. One that was being
//! moved or copied is known by what it says: where this locker points at the same file already, or
//! another lost its symlink to it, it is a file that was found. Every other symlink is nobody's.

use std::{collections::HashSet, os::unix::ffi::OsStrExt as _, path::Path};

use super::real::Reference;
use crate::{
    Result,
    accounts::{Change, Charge},
    db::Tx,
    drive::{
        Drive, Origin,
        disk::{Lent, LentFiles},
        kept::Kept,
        lost::Lost,
        put::blocking,
        rows::{Known, charge},
    },
    ids::{LockerId, UserId},
};

impl Drive {
    /// Removes symlinks that were being put in place. The locker's lock is held by the caller.
    pub(in crate::drive) async fn clear_placing(
        &self,
        locker: LockerId,
        folder: &str,
    ) -> Result<()> {
        let placing =
            sqlx::query_scalar!("select path from drive_placing where locker_id = ?", locker.0)
                .fetch_all(self.db.read())
                .await?;
        for path in placing {
            if self.lent_at(locker, &path).await?.is_none() {
                let (disk, folder, place) = (self.disk.clone(), folder.to_owned(), path.clone());
                blocking(move || disk.remove_link(&folder, &place)).await?;
            }
            let mut tx = self.db.write().await?;
            sqlx::query!(
                "delete from drive_placing where locker_id = ? and path = ?",
                locker.0,
                path
            )
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// What a missing file counts if it is back.
    pub(in crate::drive) async fn charge_if_back(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        path: &str,
    ) -> Result<Charge> {
        let row = sqlx::query!(
            "select size_bytes, charged_bytes, exempt from drive_file where locker_id = ? and path = ?",
            locker.0,
            path
        )
        .fetch_one(&mut **tx)
        .await?;
        Ok(charge(row.size_bytes, row.charged_bytes, row.exempt.as_deref()))
    }

    /// A lent file whose bytes were put in its symlink's place before a crash came. Of another
    /// time than the row says, it is hashed again.
    pub(in crate::drive) async fn write_found_real(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        path: &str,
        size: u64,
        modified_ns: i64,
    ) -> Result<()> {
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        sqlx::query!(
            "update drive_file set reference_id = null, origin = 'own',
                 content_hash = iif(modified_ns = ?1, content_hash, null),
                 version = version + iif(modified_ns = ?1, 0, 1), modified_ns = ?1
             where locker_id = ?2 and path = ?3 and size_bytes = ?4",
            modified_ns,
            locker.0,
            path,
            size
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// The reference that a symlink in a locker stands for, judged by what it says. One whose bytes
    /// are nowhere only where this locker knows of it.
    async fn meant(&self, locker: LockerId, text: &Path) -> Result<Option<Reference>> {
        let target = text.as_os_str().as_bytes();
        let id = sqlx::query_scalar!(
            r#"select reference_id as "id!: i64" from drive_reference r
               where target = ?1
                 and (exists (select 1 from drive_file f
                              where f.reference_id = r.reference_id
                                and (f.locker_id = ?2 or (f.missing_at is not null and r.missing_at is null)))
                      or exists (select 1 from drive_kept_file f join drive_kept k using (kept_id)
                                 where f.reference_id = r.reference_id and k.locker_id = ?2))"#,
            target,
            locker.0
        )
        .fetch_optional(self.db.read())
        .await?;
        match id {
            Some(id) => self.reference(id).await,
            None => Ok(None),
        }
    }

    /// What was lost from a shelf a moment ago and came back as a symlink that says this.
    async fn lost_link(
        &self,
        lost: &mut Vec<Lost>,
        text: &Path,
    ) -> Result<Option<(Reference, Lost)>> {
        for at in 0..lost.len() {
            let Some(id) = lost[at].reference_id else { continue };
            if let Some(reference) = self.reference(id).await?
                && reference.lent.sealed.path == text
            {
                return Ok(Some((reference, lost.swap_remove(at))));
            }
        }
        Ok(None)
    }

    /// Symlinks of a locker that no row tells of, or whose row tells of something else: those that
    /// stand for lent files get one. Which did. The locker's lock is held by the caller.
    pub(in crate::drive) async fn adopt_links(
        &self,
        locker: LockerId,
        folder: &str,
        paths: &[String],
        lost: &mut Vec<Lost>,
    ) -> Result<HashSet<String>> {
        let mut adopted = HashSet::new();
        for path in paths {
            let (disk, place, at) = (self.disk.clone(), folder.to_owned(), path.clone());
            let Some(text) = blocking(move || disk.link_text(&place, &at)).await? else { continue };
            let (reference, back) = match self.lost_link(lost, &text).await? {
                Some((reference, back)) => (reference, Some(back)),
                None => match self.meant(locker, &text).await? {
                    // One that is missing has its symlink, and its row.
                    Some(reference) if !reference.is_missing => (reference, None),
                    _ => continue,
                },
            };
            self.adopt_link(locker, path, &reference, back.as_ref()).await?;
            adopted.insert(path.clone());
        }
        Ok(adopted)
    }

    async fn adopt_link(
        &self,
        locker: LockerId,
        path: &str,
        reference: &Reference,
        back: Option<&Lost>,
    ) -> Result<()> {
        let Lent { id, sealed, quick_key } = &reference.lent;
        let mut tx = self.db.write().await?;
        let goes = self.charge_of(&mut tx, locker, path).await?;
        let hash: Option<[u8; 32]> = reference.hash.as_slice().try_into().ok();
        self.write_row(&mut tx, locker, path, sealed.size, sealed.modified_ns, hash.as_ref())
            .await?;
        let known = Known {
            modified_ns: sealed.modified_ns,
            quick_key: *quick_key,
            origin: Origin::Reference,
        };
        self.write_bytes(&mut tx, locker, path, &known).await?;
        sqlx::query!(
            "update drive_file set reference_id = ? where locker_id = ? and path = ?",
            id,
            locker.0,
            path
        )
        .execute(&mut *tx)
        .await?;
        if let Some(back) = back {
            self.remember_lost(&mut tx, locker, path, back).await?;
        }
        self.miss_again(&mut tx, locker, path).await?;
        let comes = self.charge_of(&mut tx, locker, path).await?;
        let change = Change { user: UserId(0), reason: "found", path };
        self.accounts.recount(&mut tx, locker, (comes, goes), change).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Lent files of something kept that have bytes of their own now: a crash came before their
    /// rows, or it was brought back so. Those that still are lent.
    pub(in crate::drive) async fn unlend_kept(&self, kept: &Kept) -> Result<LentFiles> {
        let mut lent = self.lent_of_kept(&kept.id).await?;
        if lent.is_empty() {
            return Ok(lent);
        }
        let (disk, spot) = (self.disk.clone(), kept.spot.clone());
        let plain = blocking(move || disk.shelved_files(&spot, &LentFiles::new())).await?;
        for (path, size, modified_ns) in plain {
            if lent.remove(&path).is_none() {
                continue;
            }
            let size = i64::try_from(size).unwrap_or(i64::MAX);
            let mut tx = self.db.write().await?;
            sqlx::query!(
                "update drive_kept_file set reference_id = null, origin = 'own',
                     content_hash = iif(size_bytes = ?1 and modified_ns = ?2, content_hash, null),
                     size_bytes = ?1, modified_ns = ?2
                 where kept_id = ?3 and path = ?4",
                size,
                modified_ns,
                kept.id,
                path
            )
            .execute(&mut *tx)
            .await?;
            self.sum_kept(&mut tx, &kept.id).await?;
            tx.commit().await?;
        }
        Ok(lent)
    }

    /// The lent files of something on a shelf that no row tells of, by their paths in it.
    pub(in crate::drive) async fn meant_on_shelf(
        &self,
        locker: LockerId,
        folder: &str,
        name: &str,
    ) -> Result<LentFiles> {
        let (disk, place, at) = (self.disk.clone(), folder.to_owned(), name.to_owned());
        let links = blocking(move || disk.links_below(&place, &at)).await?;
        let mut lent = LentFiles::new();
        for (path, text) in links {
            if let Some(reference) = self.meant(locker, &text).await? {
                lent.insert(path, reference.lent);
            }
        }
        Ok(lent)
    }
}
