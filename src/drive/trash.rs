//! Deleting that can be undone: to the trash, back, and out of it for good.

use super::{
    Condition, Drive, RelativePath,
    kept::{Keeping, Kept, KeptKind, new_spot},
    put::blocking,
    reach::Access,
};
use crate::{
    Error, Result,
    accounts::{Change, Charge, Locker, Principal},
    events::Event,
    ids::{LockerId, UserId},
};

/// Tries for a free name.
const MOST_NAMES: u32 = 1_000;

impl Drive {
    /// Moves a file, or a folder with all that is in it, to the trash. The condition is about a
    /// file.
    pub async fn trash(
        &self,
        principal: &Principal,
        locker: LockerId,
        path: &RelativePath,
        condition: &Condition,
    ) -> Result<Kept> {
        let (locker, path) = self.reach(principal, locker, path, Access::Change).await?;
        if path.is_root() {
            return Err(Error::Forbidden("A locker itself is not removed".to_owned()));
        }
        let deletion = Deletion {
            drive: self.clone(),
            locker,
            path,
            condition: condition.clone(),
            user: principal.user,
        };
        tokio::spawn(deletion.run()).await?
    }

    /// What is in the trash of a locker, newest first. Of a folder that was shared with the
    /// principal: what was deleted in it.
    pub async fn trashed(&self, principal: &Principal, locker: LockerId) -> Result<Vec<Kept>> {
        let all = self.kept(locker, KeptKind::Trash, None).await?;
        if self.accounts.locker(principal, locker).await.is_ok() {
            return Ok(all);
        }
        let mut seen = Vec::new();
        for kept in all {
            if self.reach(principal, locker, &kept.path, Access::Read).await.is_ok() {
                seen.push(kept);
            }
        }
        Ok(seen)
    }

    /// Brings something back from the trash: to its place (or `to`), or beside it under a free
    /// name. Where it is now.
    pub async fn restore(
        &self,
        principal: &Principal,
        id: &str,
        to: Option<&RelativePath>,
    ) -> Result<RelativePath> {
        let (locker, kept) = self.own_kept(principal, id, KeptKind::Trash, Access::Change).await?;
        let wanted = match to {
            Some(to) if to.is_root() => {
                return Err(Error::Forbidden("A locker itself is not replaced".to_owned()));
            }
            Some(to) => self.reach(principal, kept.locker, to, Access::Change).await?.1,
            None => kept.path.clone(),
        };
        let restoring =
            Restoring { drive: self.clone(), locker, kept, wanted, user: principal.user };
        tokio::spawn(restoring.run()).await?
    }

    /// Deletes something in the trash for good, with the versions that it had.
    pub async fn delete_trashed(&self, principal: &Principal, id: &str) -> Result<()> {
        let (_, kept) = self.own_kept(principal, id, KeptKind::Trash, Access::Change).await?;
        self.forget_kept(&[kept]).await
    }

    /// Empties the trash of a locker: how many things there were.
    pub async fn empty_trash(&self, principal: &Principal, locker: LockerId) -> Result<usize> {
        let root = RelativePath::root();
        let (locker, _) = self.reach(principal, locker, &root, Access::Write).await?;
        let all = self.kept(locker.id, KeptKind::Trash, None).await?;
        self.forget_kept(&all).await?;
        Ok(all.len())
    }

    async fn forget_kept(&self, all: &[Kept]) -> Result<()> {
        let Some(first) = all.first() else { return Ok(()) };
        let mut tx = self.db.write().await?;
        for kept in all {
            self.accounts.let_go(&mut tx, &kept.id).await?;
            self.let_versions_go(&mut tx, kept.locker, kept.path.as_str(), kept.kept_at).await?;
        }
        tx.commit().await?;
        self.sweep_gone().await?;
        self.accounts.tell_usage(first.locker).await
    }
}

/// A deletion, which runs to its end once it began.
struct Deletion {
    drive: Drive,
    locker: Locker,
    path: RelativePath,
    condition: Condition,
    user: UserId,
}

impl Deletion {
    async fn run(self) -> Result<Kept> {
        let drive = &self.drive;
        let lock = drive.lock(self.locker.id);
        let turn = lock.lock().await;
        let path = self.path.as_str();
        drive.require(self.locker.id, path, &self.condition).await?;
        let spot = new_spot(&self.locker, KeptKind::Trash, path)?;
        let lent = drive.lent_or_missing_at(self.locker.id, path).await?;
        let (disk, folder, from, to) =
            (drive.disk.clone(), self.locker.path.clone(), path.to_owned(), spot.clone());
        let there = blocking(move || {
            let there = disk.look(&folder, &from, lent.as_ref())?;
            disk.shelve(&folder, &from, &to)?;
            Ok(there)
        })
        .await?;
        let keeping = Keeping {
            locker: self.locker.id,
            path,
            spot: &spot,
            is_folder: there.is_folder,
            user: self.user,
        };
        let facts = (!there.is_folder).then_some((there.size, there.modified_ns));
        if let Err(error) = self.count(&keeping, facts).await {
            let (disk, folder, back, from) =
                (drive.disk.clone(), self.locker.path.clone(), path.to_owned(), spot.clone());
            blocking(move || disk.put_back(&from, &folder, &back)).await?;
            return Err(error);
        }
        drop(turn);
        let changed = path.to_owned();
        drive.events.publish(Event::DriveChanged { locker: self.locker.id, path: changed });
        drive.accounts.tell_usage(self.locker.id).await?;
        let kept = drive.kept_row(&spot.id).await?;
        drive.sweep_gone().await?;
        if drive.lacks_bytes(&kept).await? {
            // What was told of that holds no more.
            drive.references.notify_one();
        }
        Ok(kept)
    }

    async fn count(&self, keeping: &Keeping<'_>, facts: Option<(u64, i64)>) -> Result<()> {
        let drive = &self.drive;
        let path = self.path.as_str();
        let change = Change { user: self.user, reason: "trash", path };
        let mut tx = drive.db.write().await?;
        let size = drive.insert_kept(&mut tx, keeping, facts).await?;
        let freed = drive.delete_rows(&mut tx, self.locker.id, path).await?;
        drive.drop_shares(&mut tx, self.locker.id, path).await?;
        let moves = (Charge::default(), freed);
        drive.accounts.recount(&mut tx, self.locker.id, moves, change).await?;
        drive.accounts.count_discarded(&mut tx, self.locker.id, size).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// A return from the trash, which runs to its end once it began.
struct Restoring {
    drive: Drive,
    locker: Locker,
    kept: Kept,
    wanted: RelativePath,
    user: UserId,
}

impl Restoring {
    async fn run(self) -> Result<RelativePath> {
        let drive = &self.drive;
        let lock = drive.lock(self.locker.id);
        let turn = lock.lock().await;
        let (disk, folder, wanted) =
            (drive.disk.clone(), self.locker.path.clone(), self.wanted.as_str().to_owned());
        let path =
            blocking(move || free_name(|path| disk.is_there(&folder, path), &wanted)).await?;
        let mut tx = drive.db.write().await?;
        drive.require_kept(&mut tx, &self.kept.id).await?;
        let change = Change { user: self.user, reason: "restore", path: &path };
        drive.accounts.uncount_reclaimable(&mut tx, self.locker.id, self.kept.size).await?;
        // Its own bytes cannot give way to it: only others' do.
        sqlx::query!("update drive_kept set gone_at = 0 where kept_id = ?", self.kept.id)
            .execute(&mut *tx)
            .await?;
        let comes = drive.charge_of_kept(&mut tx, &self.kept.id).await?;
        let moves = (comes, Charge::default());
        drive.accounts.charge(&mut tx, self.locker.id, moves, change).await?;
        drive.revive_rows(&mut tx, &self.kept, &path).await?;
        let (disk, folder, spot, to) =
            (drive.disk.clone(), self.locker.path.clone(), self.kept.spot.clone(), path.clone());
        blocking(move || disk.unshelve(&spot, &folder, &to)).await?;
        let (disk, folder, spot, from) =
            (drive.disk.clone(), self.locker.path.clone(), self.kept.spot.clone(), path.clone());
        if let Err(error) = tx.commit().await {
            blocking(move || disk.reshelve(&spot, &folder, &from)).await?;
            return Err(error);
        }
        blocking(move || disk.erase(&spot)).await?;
        drop(turn);
        drive.sweep_gone().await?;
        let changed = path.clone();
        drive.events.publish(Event::DriveChanged { locker: self.locker.id, path: changed });
        drive.accounts.tell_usage(self.locker.id).await?;
        Ok(RelativePath::from_disk(path))
    }
}

/// The path itself, or `NAME (2).EXT` and so on, whichever is the first with nothing there.
pub(super) fn free_name(
    is_there: impl Fn(&str) -> std::io::Result<bool>,
    wanted: &str,
) -> std::io::Result<String> {
    let (folder, name) = match wanted.rsplit_once('/') {
        Some((folder, name)) => (format!("{folder}/"), name),
        None => (String::new(), wanted),
    };
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() => (stem, format!(".{ending}")),
        _ => (name, String::new()),
    };
    for turn in 1..MOST_NAMES {
        let path =
            if turn == 1 { wanted.to_owned() } else { format!("{folder}{stem} ({turn}){ending}") };
        if !is_there(&path)? {
            return Ok(path);
        }
    }
    Err(rustix::io::Errno::EXIST.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_taken_get_a_number() {
        let taken = ["a/b.flac", "a/b (2).flac", ".hidden", "x"];
        let is_there = |path: &str| Ok(taken.contains(&path));
        for (wanted, free) in [
            ("a/b.flac", "a/b (3).flac"),
            ("a/c.flac", "a/c.flac"),
            (".hidden", ".hidden (2)"),
            ("x", "x (2)"),
        ] {
            assert_eq!(free_name(is_there, wanted).unwrap(), free);
        }
    }
}
