//! Trash and versions at start and now and then: what lies on the shelves is the truth, and rows
//! and figures are made to fit. What a crash put there without a row gets one; nothing is lost.

use std::{cmp::Ordering, collections::HashMap, sync::Arc};

use super::{
    Drive,
    disk::{LentFiles, OnShelf, Spot},
    kept::{Kept, KeptKind, held_ids, owner},
    lost::Lost,
    put::blocking,
};
use crate::{Result, db::Tx, ids::LockerId};

impl Drive {
    /// One locker's shelves; what is not there any more. Its lock is held by the caller.
    pub(super) async fn reconcile_shelves(
        &self,
        locker: LockerId,
        folder: &str,
    ) -> Result<Vec<Lost>> {
        self.sweep_gone().await?;
        let (disk, whose) = (self.disk.clone(), owner(folder).to_owned());
        let found = blocking(move || disk.on_shelves(&whose)).await?;
        let mut rows: HashMap<String, Kept> = HashMap::new();
        for kind in [KeptKind::Trash, KeptKind::Version] {
            let kept = self.kept(locker, kind, None).await?;
            rows.extend(kept.into_iter().map(|kept| (kept.id.clone(), kept)));
        }
        let held = held_ids(&self.db, locker).await?;
        for on_shelf in found.into_iter().filter(|it| !held.contains(&it.spot.id)) {
            match rows.remove(&on_shelf.spot.id) {
                Some(kept) => self.refit(&kept).await?,
                None => self.adopt(locker, folder, on_shelf).await?,
            }
        }
        let mut lost = Vec::new();
        for gone in rows.into_values() {
            tracing::warn!(path = gone.path.as_str(), "what was kept of it is not there any more");
            lost.extend(self.lost_of(&gone.id).await?);
            let mut tx = self.db.write().await?;
            sqlx::query!("delete from drive_kept where kept_id = ?", gone.id)
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
        }
        self.sum_reclaimable(locker).await?;
        Ok(lost)
    }

    /// The figure is the sum of the rows.
    pub(super) async fn sum_reclaimable(&self, locker: LockerId) -> Result<()> {
        let mut tx = self.db.write().await?;
        let row = sqlx::query!(
            r#"select reclaimable_bytes as "figure!: i64",
                      (select coalesce(sum(k.size_bytes), 0) from drive_kept k
                       where k.locker_id = l.locker_id and k.gone_at is null) as "sum!: i64"
               from locker l where l.locker_id = ?"#,
            locker.0
        )
        .fetch_one(&mut *tx)
        .await?;
        let more = (row.sum - row.figure).unsigned_abs();
        match row.sum.cmp(&row.figure) {
            Ordering::Equal => return Ok(()),
            Ordering::Greater => self.accounts.count_reclaimable(&mut tx, locker, more).await?,
            Ordering::Less => self.accounts.uncount_reclaimable(&mut tx, locker, more).await?,
        }
        tx.commit().await?;
        self.sweep_gone().await
    }

    /// Rows of a kept thing whose files other hands changed.
    async fn refit(&self, kept: &Kept) -> Result<()> {
        let lent = Arc::new(self.unlend_kept(kept).await?);
        let there = Arc::clone(&lent);
        let (disk, spot) = (self.disk.clone(), kept.spot.clone());
        let files = blocking(move || disk.shelved_files(&spot, &there)).await?;
        let size: u64 = files.iter().map(|(_, size, _)| size).sum();
        if (size, files.len() as u64) == (kept.size, kept.files) {
            return Ok(());
        }
        let mut tx = self.db.write().await?;
        self.write_kept_files(&mut tx, &kept.id, &files, &lent).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Something on a shelf that no row tells of.
    async fn adopt(&self, locker: LockerId, folder: &str, on_shelf: OnShelf) -> Result<()> {
        let OnShelf { spot, is_folder, origin } = on_shelf;
        let path = origin
            .filter(|origin| origin.rsplit('/').next() == Some(spot.name.as_str()))
            .unwrap_or_else(|| spot.name.clone());
        let lent = Arc::new(self.meant_on_shelf(locker, &spot.folder(), &spot.name).await?);
        let meant = Arc::clone(&lent);
        let (disk, place, at) = (self.disk.clone(), spot.clone(), path.clone());
        let folder = folder.to_owned();
        let files = blocking(move || {
            let below = place.folder();
            // A second name of what is still in its place: nothing was replaced yet.
            if !is_folder && disk.is_same_file((&below, &place.name), (&folder, &at)) {
                disk.erase(&place)?;
                return Ok(None);
            }
            disk.shelved_files(&place, &meant).map(Some)
        })
        .await?;
        let Some(files) = files else { return Ok(()) };
        let (now, kind) = (self.clock.now(), KeptKind::of_shelf(&spot.shelf).as_str());
        tracing::warn!(path, kind, "found what a crash left on its way to the trash or versions");
        let mut tx = self.db.write().await?;
        let Spot { shelf, id, name } = &spot;
        sqlx::query!(
            "insert into drive_kept (kept_id, locker_id, kind, path, name, shelf, is_folder, kept_at)
             values (?, ?, ?, ?, ?, ?, ?, ?)",
            id,
            locker.0,
            kind,
            path,
            name,
            shelf,
            is_folder,
            now
        )
        .execute(&mut *tx)
        .await?;
        self.write_kept_files(&mut tx, id, &files, &lent).await?;
        self.remember_kept(&mut tx, id, locker, &path).await?;
        self.take_missing(&mut tx, id, locker, &path).await?;
        tx.commit().await?;
        Ok(())
    }

    /// What was known of the files when they were in their place is known of them on the shelf.
    async fn remember_kept(
        &self,
        tx: &mut Tx,
        id: &str,
        locker: LockerId,
        path: &str,
    ) -> Result<()> {
        sqlx::query!(
            "update drive_kept_file set content_hash = f.content_hash, quick_key = f.quick_key, origin = f.origin,
                 exempt = f.exempt, charged_bytes = f.charged_bytes, stored_at = f.stored_at
             from drive_file f
             where drive_kept_file.kept_id = ?1 and f.locker_id = ?2 and f.missing_at is null
               and f.path = iif(drive_kept_file.path = '', ?3, ?3 || '/' || drive_kept_file.path)
               and f.size_bytes = drive_kept_file.size_bytes and f.modified_ns = drive_kept_file.modified_ns",
            id,
            locker.0,
            path
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Files without bytes that are on the shelf now are not in their place any more.
    async fn take_missing(
        &self,
        tx: &mut Tx,
        id: &str,
        locker: LockerId,
        path: &str,
    ) -> Result<()> {
        sqlx::query!(
            "delete from drive_file
             where locker_id = ?1 and reference_id is not null and missing_at is not null
               and path in (select iif(k.path = '', ?2, ?2 || '/' || k.path) from drive_kept_file k
                            where k.kept_id = ?3 and k.reference_id is not null)",
            locker.0,
            path,
            id
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    async fn write_kept_files(
        &self,
        tx: &mut Tx,
        id: &str,
        files: &[(String, u64, i64)],
        lent: &LentFiles,
    ) -> Result<()> {
        sqlx::query!("delete from drive_kept_file where kept_id = ?", id)
            .execute(&mut **tx)
            .await?;
        for (path, size, modified_ns) in files {
            let size = i64::try_from(*size).unwrap_or(i64::MAX);
            sqlx::query!(
                "insert into drive_kept_file (kept_id, path, size_bytes, modified_ns, origin)
                 values (?, ?, ?, ?, 'own')",
                id,
                path,
                size,
                modified_ns
            )
            .execute(&mut **tx)
            .await?;
            if let Some(lent) = lent.get(path) {
                let quick_key = lent.quick_key.as_slice();
                sqlx::query!(
                    "update drive_kept_file set origin = 'reference', reference_id = ?1, quick_key = ?2,
                         content_hash = (select content_hash from drive_reference where reference_id = ?1)
                     where kept_id = ?3 and path = ?4",
                    lent.id,
                    quick_key,
                    id,
                    path
                )
                .execute(&mut **tx)
                .await?;
            }
        }
        self.sum_kept(tx, id).await.map(drop)
    }
}
