//! Replaced contents: kept beside the file that took their place, opened, brought back, limited in
//! number and age.

use super::{
    Drive, OpenFile, RelativePath,
    kept::{Keeping, Kept, KeptKind, new_spot},
    put::blocking,
    reach::Access,
    references::not_there,
    rows::inside,
};
use crate::{
    Result,
    accounts::{Change, Charge, Locker, Principal},
    clock::Millis,
    db::Tx,
    events::Event,
    ids::{LockerId, UserId},
};

const DAY: Millis = 24 * 60 * 60 * 1000;

impl Drive {
    /// Earlier contents of a file, newest first.
    pub async fn versions(
        &self,
        principal: &Principal,
        locker: LockerId,
        path: &RelativePath,
    ) -> Result<Vec<Kept>> {
        let (locker, path) = self.reach(principal, locker, path, Access::Read).await?;
        self.kept(locker.id, KeptKind::Version, Some(path.as_str())).await
    }

    /// Opens an earlier content for reading.
    pub async fn open_version(&self, principal: &Principal, id: &str) -> Result<OpenFile> {
        let (_, kept) = self.own_kept(principal, id, KeptKind::Version, Access::Read).await?;
        self.open_kept(kept).await
    }

    /// Opens a file in the trash for reading. A folder is an `Exists`.
    pub async fn open_trashed(&self, principal: &Principal, id: &str) -> Result<OpenFile> {
        let (_, kept) = self.own_kept(principal, id, KeptKind::Trash, Access::Read).await?;
        self.open_kept(kept).await
    }

    async fn open_kept(&self, kept: Kept) -> Result<OpenFile> {
        let etag = format!("k{}", kept.id);
        if let Some(lent) = self.lent_of_kept(&kept.id).await?.remove("") {
            let file = self.open_lent(&kept.spot.folder(), &kept.spot.name, &lent).await?;
            let (size, modified_at) = (lent.sealed.size, lent.sealed.modified_ns / 1_000_000);
            return Ok(OpenFile { file, path: kept.path, size, modified_at, etag });
        }
        let (disk, spot) = (self.disk.clone(), kept.spot);
        let (file, size, modified_ns) = blocking(move || disk.open_shelved(&spot)).await?;
        Ok(OpenFile { file, path: kept.path, size, modified_at: modified_ns / 1_000_000, etag })
    }

    /// Puts an earlier content in its file's place again; what is there now becomes a version.
    pub async fn restore_version(&self, principal: &Principal, id: &str) -> Result<RelativePath> {
        let (locker, kept) =
            self.own_kept(principal, id, KeptKind::Version, Access::Change).await?;
        // What is there gives way only to what has bytes.
        if self.lacks_bytes(&kept).await? {
            return Err(not_there());
        }
        let back = Back { drive: self.clone(), locker, kept, user: principal.user };
        tokio::spawn(back.run()).await?
    }

    /// Deletes an earlier content for good.
    pub async fn delete_version(&self, principal: &Principal, id: &str) -> Result<()> {
        let (_, kept) = self.own_kept(principal, id, KeptKind::Version, Access::Change).await?;
        let mut tx = self.db.write().await?;
        self.accounts.let_go(&mut tx, &kept.id).await?;
        tx.commit().await?;
        self.sweep_gone().await?;
        self.accounts.tell_usage(kept.locker).await
    }

    /// Lets go of versions of one file beyond `most`, oldest first; 0 is any number.
    pub(super) async fn limit_versions(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        path: &str,
        most: u32,
    ) -> Result<()> {
        if most == 0 {
            return Ok(());
        }
        let beyond = sqlx::query_scalar!(
            "select kept_id from drive_kept
             where locker_id = ? and path = ? and kind = 'version' and gone_at is null
             order by kept_at desc, kept_id limit -1 offset ?",
            locker.0,
            path,
            most
        )
        .fetch_all(&mut **tx)
        .await?;
        for id in beyond {
            self.accounts.let_go(tx, &id).await?;
        }
        Ok(())
    }

    /// Versions of what lies at a path, or in it, are let go; those from before `before`.
    pub(super) async fn let_versions_go(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        path: &str,
        before: Millis,
    ) -> Result<()> {
        let (first, last) = inside(path);
        let versions = sqlx::query_scalar!(
            "select kept_id from drive_kept
             where locker_id = ?1 and kind = 'version' and gone_at is null and kept_at <= ?2
               and (path = ?3 or (?4 <= path and path < ?5))",
            locker.0,
            before,
            path,
            first,
            last
        )
        .fetch_all(&mut **tx)
        .await?;
        for id in versions {
            self.accounts.let_go(tx, &id).await?;
        }
        Ok(())
    }

    /// Lets go of what was kept for longer than the rules say; not of what removed users left.
    pub async fn prune(&self) -> Result<()> {
        let (rules, now) = (self.accounts.keep_rules().await?, self.clock.now());
        let since =
            |days: u32| if days == 0 { Millis::MIN } else { now - Millis::from(days) * DAY };
        let (trash, version) = (since(rules.trash_days), since(rules.version_days));
        let old = sqlx::query_scalar!(
            "select kept_id from drive_kept where gone_at is null and shelf not like 'removed/%'
               and ((kind = 'trash' and kept_at < ?) or (kind = 'version' and kept_at < ?))",
            trash,
            version
        )
        .fetch_all(self.db.read())
        .await?;
        for batch in old.chunks(500) {
            let mut tx = self.db.write().await?;
            for id in batch {
                self.accounts.let_go(&mut tx, id).await?;
            }
            tx.commit().await?;
        }
        self.sweep_gone().await
    }
}

/// What was in the place of an earlier content that comes back.
#[derive(Clone, Copy)]
struct Replaced {
    /// Size and time.
    facts: (u64, i64),
    /// It is still in its place, and lies on the shelf by a second name.
    is_linked: bool,
}

/// A return of an earlier content, which runs to its end once it began.
struct Back {
    drive: Drive,
    locker: Locker,
    kept: Kept,
    user: UserId,
}

impl Back {
    async fn run(self) -> Result<RelativePath> {
        let (drive, path) = (&self.drive, self.kept.path.as_str());
        let lock = drive.lock(self.locker.id);
        let turn = lock.lock().await;
        drive.give_way(self.locker.id, &self.locker.path, path).await?;
        let row = drive.adopt_row(&self.locker, path).await?;
        let lent = row.as_ref().and_then(|row| row.lent.clone());
        let replaced = row.map_or_else(Charge::default, |row| row.charge);
        let now_kept = new_spot(&self.locker, KeptKind::Version, path)?;
        let most = drive.accounts.keep_rules().await?.versions;
        // What is there gets a second name on the shelf first, so that at every moment one of the
        // two is in its place; where the disk has no links, it goes there.
        let (disk, folder, at, spot) =
            (drive.disk.clone(), self.locker.path.clone(), path.to_owned(), now_kept.clone());
        let there = blocking(move || match disk.look(&folder, &at, lent.as_ref()) {
            Ok(there) if there.is_folder => Err(rustix::io::Errno::ISDIR.into()),
            Ok(there) => {
                let facts = (there.size, there.modified_ns);
                if let Some(facts) = disk.link_out(&folder, &at, &spot, lent.as_ref())? {
                    return Ok(Some(Replaced { facts, is_linked: true }));
                }
                disk.shelve(&folder, &at, &spot)?;
                Ok(Some(Replaced { facts, is_linked: false }))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        })
        .await?;
        let (disk, folder, at) = (drive.disk.clone(), self.locker.path.clone(), path.to_owned());
        let (old, now) = (self.kept.spot.clone(), now_kept.clone());
        if let Err(error) = self.exchange(&now_kept, there, replaced, most).await {
            blocking(move || {
                if there.is_some() {
                    if !disk.is_there(&folder, &at)? {
                        return disk.put_back(&now, &folder, &at);
                    }
                    disk.erase(&now)?;
                }
                Ok(())
            })
            .await?;
            return Err(error);
        }
        blocking(move || disk.erase(&old)).await?;
        drop(turn);
        drive.sweep_gone().await?;
        let changed = path.to_owned();
        drive.events.publish(Event::DriveChanged { locker: self.locker.id, path: changed });
        drive.accounts.tell_usage(self.locker.id).await?;
        Ok(self.kept.path)
    }

    /// Figures, rows and the rename; all or nothing.
    async fn exchange(
        &self,
        now_kept: &super::disk::Spot,
        there: Option<Replaced>,
        replaced: Charge,
        most: u32,
    ) -> Result<()> {
        let (drive, path, locker) = (&self.drive, self.kept.path.as_str(), self.locker.id);
        let change = Change { user: self.user, reason: "restore", path };
        let mut tx = drive.db.write().await?;
        drive.require_kept(&mut tx, &self.kept.id).await?;
        drive.accounts.uncount_reclaimable(&mut tx, locker, self.kept.size).await?;
        // Its own bytes cannot give way to it: only others' do.
        sqlx::query!("update drive_kept set gone_at = 0 where kept_id = ?", self.kept.id)
            .execute(&mut *tx)
            .await?;
        let comes = drive.charge_of_kept(&mut tx, &self.kept.id).await?;
        drive.accounts.charge(&mut tx, locker, (comes, replaced), change).await?;
        if let Some(there) = there {
            let keeping =
                Keeping { locker, path, spot: now_kept, is_folder: false, user: self.user };
            let size = drive.insert_kept(&mut tx, &keeping, Some(there.facts)).await?;
            drive.accounts.count_reclaimable(&mut tx, locker, size).await?;
            drive.limit_versions(&mut tx, locker, path, most).await?;
        }
        drive.revive_rows(&mut tx, &self.kept, path).await?;
        let (disk, folder) = (drive.disk.clone(), self.locker.path.clone());
        let (spot, at) = (self.kept.spot.clone(), path.to_owned());
        let over = there.is_some_and(|there| there.is_linked);
        blocking(move || {
            if over {
                disk.unshelve_over(&spot, &folder, &at)
            } else {
                disk.unshelve(&spot, &folder, &at)
            }
        })
        .await?;
        if let Err(error) = tx.commit().await {
            let (disk, folder) = (drive.disk.clone(), self.locker.path.clone());
            let (spot, at) = (self.kept.spot.clone(), path.to_owned());
            blocking(move || disk.reshelve(&spot, &folder, &at)).await?;
            return Err(error);
        }
        Ok(())
    }
}
