//! What is taken out of a locker: in staging, where it is gone for everybody, until it is gone for
//! good or comes back.

use std::{fs, io, os::fd::OwnedFd, path::PathBuf};

use rustix::fs::fsync;

use super::{Disk, FOLDER, STAGING, beneath, rename_new};
use crate::storage::Storage;

/// Something on its way out of a locker.
pub(in crate::drive) struct TakenOut {
    place: PathBuf,
    storage: Storage,
    staging: OwnedFd,
    staged: String,
    parent: OwnedFd,
    name: String,
}

impl TakenOut {
    /// Puts it back where it was.
    pub(in crate::drive) fn undo(self) -> io::Result<()> {
        self.storage.over(|| {
            rename_new(&self.staging, &self.staged, &self.parent, &self.name)?;
            fsync(&self.parent)?;
            Ok(())
        })
    }

    /// Deletes it for good.
    pub(in crate::drive) fn delete(self) -> io::Result<()> {
        self.storage.over(|| {
            if fs::symlink_metadata(&self.place)?.is_dir() {
                fs::remove_dir_all(&self.place)
            } else {
                fs::remove_file(&self.place)
            }
        })
    }
}

impl Disk {
    /// Moves a locker's file or folder into staging, where it is gone for everybody. Dropping the
    /// result deletes it; [`TakenOut::undo`] brings it back.
    pub(in crate::drive) fn take_out(
        &self,
        locker: &str,
        path: &str,
        staging: &str,
    ) -> io::Result<TakenOut> {
        self.storage.over(|| {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            let parent = beneath(self.locker(locker)?, folder, FOLDER)?;
            let to = beneath(self.root()?, STAGING, FOLDER)?;
            rename_new(&parent, name, &to, staging)?;
            fsync(&parent)?;
            let place = self.root.join(STAGING).join(staging);
            Ok(TakenOut {
                place,
                storage: self.storage.clone(),
                staging: to,
                staged: staging.to_owned(),
                parent,
                name: name.to_owned(),
            })
        })
    }
}
