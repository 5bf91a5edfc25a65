//! Moving and copying, within a locker and between lockers, with a choice about what is at the
//! target: a file that is replaced becomes a version, anything else goes to the trash.

mod begun;
mod count;

use std::sync::Arc;

use tokio::sync::OwnedMutexGuard;

use super::{
    Condition, Drive, RelativePath, Target,
    disk::{Found, Spot},
    kept::{KeptKind, new_spot},
    put::{blocking, staging_name},
    reach::Access,
};
use crate::{
    Error, Result,
    accounts::{Locker, Principal, Reservation},
    error::is_nowhere,
    events::Event,
    ids::{LockerId, UserId},
};

const STAGING: &str = "staging";

/// What was moved or copied.
#[derive(Debug, Clone)]
pub struct Moved {
    /// Where it is now, as the locker spells it.
    pub path: RelativePath,
    /// Whether nothing was at the target before.
    pub is_new: bool,
    /// Its files.
    pub files: u64,
    /// Bytes of all its files.
    pub size: u64,
}

impl Drive {
    /// Moves a file or folder within its locker; nothing may be at the target.
    pub async fn rename(
        &self,
        principal: &Principal,
        locker: LockerId,
        from: &RelativePath,
        to: &RelativePath,
    ) -> Result<()> {
        let to = Target { locker, path: to.clone(), condition: Condition::Absent };
        self.move_to(principal, locker, from, &to).await.map(drop)
    }

    /// Moves a file or folder, to another locker too. The condition is about what is at the
    /// target: with [`Condition::None`] it is replaced.
    pub async fn move_to(
        &self,
        principal: &Principal,
        locker: LockerId,
        from: &RelativePath,
        to: &Target,
    ) -> Result<Moved> {
        let transfer = self.transfer(principal, locker, from, to, Access::Change).await?;
        tokio::spawn(transfer.move_over()).await?
    }

    /// Copies a file, or a folder with all that is in it, to another locker too. The copy shares
    /// its bytes with the original where the disk can, and counts in full.
    pub async fn copy_to(
        &self,
        principal: &Principal,
        locker: LockerId,
        from: &RelativePath,
        to: &Target,
    ) -> Result<Moved> {
        let transfer = self.transfer(principal, locker, from, to, Access::Read).await?;
        tokio::spawn(transfer.copy_over()).await?
    }

    async fn transfer(
        &self,
        principal: &Principal,
        locker: LockerId,
        from: &RelativePath,
        to: &Target,
        access: Access,
    ) -> Result<Transfer> {
        let (source, from) = self.reach(principal, locker, from, access).await?;
        let (target, path) = self.reach(principal, to.locker, &to.path, Access::Change).await?;
        path.fit()?;
        if from.is_root() || path.is_root() {
            return Err(Error::Forbidden("A locker itself is not moved or copied".to_owned()));
        }
        if source.id == target.id
            && (path.is_within(from.as_str()) || from.is_within(path.as_str()))
        {
            return Err(Error::Forbidden(
                "Source and target are the same, or one lies in the other".to_owned(),
            ));
        }
        Ok(Transfer {
            drive: self.clone(),
            source,
            from,
            target,
            to: path,
            condition: to.condition.clone(),
            user: principal.user,
        })
    }

    /// The turns of both lockers, always in the same order.
    pub(super) async fn lock_both(
        &self,
        one: LockerId,
        other: LockerId,
    ) -> Vec<OwnedMutexGuard<()>> {
        let mut turns = vec![self.lock(one.min(other)).lock_owned().await];
        if one != other {
            turns.push(self.lock(one.max(other)).lock_owned().await);
        }
        turns
    }
}

/// A move or copy, which runs to its end once it began.
struct Transfer {
    drive: Drive,
    source: Locker,
    from: RelativePath,
    target: Locker,
    to: RelativePath,
    condition: Condition,
    user: UserId,
}

/// A locker's folder and a path in it.
fn pair(locker: &Locker, path: &RelativePath) -> (String, String) {
    (locker.path.clone(), path.as_str().to_owned())
}

/// What was at the target and made room.
struct Cleared {
    spot: Spot,
    is_folder: bool,
    facts: (u64, i64),
    /// It is still at the target, and lies on the shelf by a second name.
    is_linked: bool,
}

impl Transfer {
    async fn move_over(self) -> Result<Moved> {
        let drive = &self.drive;
        let turns = drive.lock_both(self.source.id, self.target.id).await;
        let (disk, folder, path) =
            (drive.disk.clone(), self.source.path.clone(), self.from.clone());
        drive.adopt_row(&self.source, self.from.as_str()).await?;
        let lent = drive.lent_or_missing_at(self.source.id, self.from.as_str()).await?;
        let moved = blocking(move || disk.look(&folder, path.as_str(), lent.as_ref())).await?;
        let (files, size, charge) = drive.sum_rows(self.source.id, self.from.as_str()).await?;
        let crosses = self.source.id != self.target.id;
        let reservation =
            if crosses { Some(self.reserve(charge.counted, "move").await?) } else { None };
        // Where this ends early, the promise is given back by being dropped.
        let room = self.room(!moved.is_folder).await?;
        let begun = self.write_down(room.as_ref().map(|(there, spot)| (there, spot))).await?;
        let cleared = match self.clear(room, !moved.is_folder).await {
            Err(error) => {
                if drive.is_well().await {
                    drive.take_back(begun).await?;
                }
                return Err(error);
            }
            cleared => cleared?,
        };
        let over = cleared.as_ref().is_some_and(|cleared| cleared.is_linked);
        let from = pair(&self.source, &self.from);
        let to = pair(&self.target, &self.to);
        let done = match self.on_disk(&from, &to, over).await {
            Ok(()) => {
                let counted =
                    self.count_move(cleared.as_ref(), reservation.as_ref(), charge, begun);
                match counted.await {
                    Err(error) => {
                        self.off_disk(&to, &from).await?;
                        Err(error)
                    }
                    done => done,
                }
            }
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            self.put_back(cleared.as_ref()).await?;
            // Where the disk failed nobody knows yet where it is; that is found out later.
            if drive.is_well().await {
                drive.take_back(begun).await?;
            }
            return Err(error);
        }
        if let Some(reservation) = reservation {
            reservation.close();
        }
        drop(turns);
        self.tell(true, cleared.is_none(), files, size).await
    }

    async fn copy_over(self) -> Result<Moved> {
        let drive = &self.drive;
        let (disk, folder, path) =
            (drive.disk.clone(), self.source.path.clone(), self.from.clone());
        let lent = Arc::new(drive.lent_below(self.source.id, self.from.as_str()).await?);
        let there = Arc::clone(&lent);
        let below = blocking(move || disk.below(&folder, path.as_str(), &there)).await?;
        self.judge().await?;
        let size: u64 = below.iter().filter(|found| !found.is_folder).map(|found| found.size).sum();
        let name = staging_name()?;
        let reservation = self.reserve(size, &name).await?;
        let (disk, folder) = (drive.disk.clone(), self.source.path.clone());
        let from = self.from.as_str().to_owned();
        let staged = blocking(move || disk.stage_tree(&folder, &from, &name, &lent)).await?;
        let size = staged.files.iter().map(|file| file.size).sum();
        let files = staged.files.len() as u64;
        let turns = drive.lock_both(self.source.id, self.target.id).await;
        let is_file = staged.files.first().is_some_and(|file| file.path.is_empty());
        let from = (STAGING.to_owned(), staged.name.clone());
        let room = self.room(is_file).await?;
        let cleared = self.clear(room, is_file).await?;
        let over = cleared.as_ref().is_some_and(|cleared| cleared.is_linked);
        let to = pair(&self.target, &self.to);
        let done = match self.on_disk(&from, &to, over).await {
            Ok(()) => match self.count_copy(cleared.as_ref(), &reservation, &staged, size).await {
                Err(error) => {
                    self.off_disk(&to, &from).await?;
                    Err(error)
                }
                done => done,
            },
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            self.put_back(cleared.as_ref()).await?;
            reservation.release().await?;
            return Err(error);
        }
        reservation.close();
        drop(turns);
        self.tell(false, cleared.is_none(), files, size).await
    }

    /// Room for so many bytes at the target, less what makes way there.
    async fn reserve(&self, size: u64, staging: &str) -> Result<Reservation> {
        let (_, _, replaced) = self.drive.sum_rows(self.target.id, self.to.as_str()).await?;
        let accounts = &self.drive.accounts;
        let reserved = accounts
            .reserve(self.target.id, size.saturating_sub(replaced.counted), staging)
            .await?;
        self.drive.sweep_gone().await?;
        Ok(reserved)
    }

    /// What is at the target, if that is as the caller wants it.
    async fn judge(&self) -> Result<Option<Found>> {
        let drive = &self.drive;
        let (disk, (folder, path)) = (drive.disk.clone(), pair(&self.target, &self.to));
        let row = drive.row(self.target.id, self.to.as_str()).await?;
        let lent = row.as_ref().and_then(|row| row.lent.clone());
        let there = blocking(move || match disk.look(&folder, &path, lent.as_ref()) {
            Err(error) if is_nowhere(&error) => Ok(None),
            there => there.map(Some),
        })
        .await?;
        // What has no entity tag is there all the same.
        let etag = there.as_ref().map(|_| row.as_ref().map_or("", |row| row.etag.as_str()));
        self.condition.require(etag)?;
        Ok(there)
    }

    /// What is at the target, if anything is and that is as the caller wants it, and where it goes.
    async fn room(&self, is_file: bool) -> Result<Option<(Found, Spot)>> {
        let (folder, path) = (&self.target.path, self.to.as_str());
        if is_file {
            self.drive.adopt_row(&self.target, path).await?;
        }
        let Some(there) = self.judge().await? else {
            self.drive.give_way(self.target.id, folder, path).await?;
            return Ok(None);
        };
        let is_version = is_file && !there.is_folder;
        let kind = if is_version { KeptKind::Version } else { KeptKind::Trash };
        let spot = new_spot(&self.target, kind, self.to.as_str())?;
        Ok(Some((there, spot)))
    }

    /// What is at the target makes room and goes to its shelf; a file that a file comes for keeps its
    /// name until the other takes it, so that at every moment one of the two is there.
    async fn clear(&self, room: Option<(Found, Spot)>, is_file: bool) -> Result<Option<Cleared>> {
        let Some((there, spot)) = room else { return Ok(None) };
        let is_version = is_file && !there.is_folder;
        let lent = self.drive.lent_at(self.target.id, self.to.as_str()).await?;
        let (disk, place) = (self.drive.disk.clone(), spot.clone());
        let (folder, path) = pair(&self.target, &self.to);
        let is_linked = blocking(move || {
            if is_version && disk.link_out(&folder, &path, &place, lent.as_ref())?.is_some() {
                return Ok(true);
            }
            disk.shelve(&folder, &path, &place).map(|()| false)
        })
        .await?;
        let facts = (there.size, there.modified_ns);
        Ok(Some(Cleared { spot, is_folder: there.is_folder, facts, is_linked }))
    }

    /// What made room comes back. Nothing of the other is at the target any more.
    async fn put_back(&self, cleared: Option<&Cleared>) -> Result<()> {
        let Some(cleared) = cleared else { return Ok(()) };
        let (disk, folder) = (self.drive.disk.clone(), self.target.path.clone());
        let (spot, path) = (cleared.spot.clone(), self.to.as_str().to_owned());
        blocking(move || {
            if !disk.is_there(&folder, &path)? {
                return disk.put_back(&spot, &folder, &path);
            }
            disk.erase(&spot)
        })
        .await
    }

    async fn on_disk(
        &self,
        from: &(String, String),
        to: &(String, String),
        over: bool,
    ) -> Result<()> {
        let (disk, from, to) = (self.drive.disk.clone(), from.clone(), to.clone());
        blocking(move || disk.move_to((&from.0, &from.1), (&to.0, &to.1), over)).await
    }

    /// The reverse.
    async fn off_disk(&self, from: &(String, String), to: &(String, String)) -> Result<()> {
        let (disk, from, to) = (self.drive.disk.clone(), from.clone(), to.clone());
        blocking(move || disk.move_back((&from.0, &from.1), (&to.0, &to.1))).await
    }

    async fn tell(self, moves: bool, is_new: bool, files: u64, size: u64) -> Result<Moved> {
        let drive = &self.drive;
        drive.sweep_gone().await?;
        if moves {
            let path = self.from.as_str().to_owned();
            drive.events.publish(Event::DriveChanged { locker: self.source.id, path });
        }
        let path = self.to.as_str().to_owned();
        drive.events.publish(Event::DriveChanged { locker: self.target.id, path });
        if moves && self.source.id != self.target.id {
            drive.accounts.tell_usage(self.source.id).await?;
        }
        drive.accounts.tell_usage(self.target.id).await?;
        Ok(Moved { path: self.to, is_new, files, size })
    }
}
