//! Files in staging that outlive the server: uploads that can be resumed.

use std::{
    fs::{self, File},
    io,
    os::{fd::OwnedFd, unix::fs::MetadataExt as _},
    time::Duration,
};

use rustix::{
    fs::{AtFlags, OFlags, fsync, unlinkat},
    io::Errno,
};

use super::{Disk, FOLDER, Origin, STAGING, Staged, beneath, list};
use crate::storage::Written;

/// What their names begin with.
pub(in crate::drive) const LASTING: &str = "up-";

impl Disk {
    /// A file in staging that was kept, to be written on.
    pub(in crate::drive) fn reopen(&self, name: &str) -> io::Result<Written> {
        self.storage.over(|| {
            let folder = beneath(self.root()?, STAGING, FOLDER)?;
            let file = File::from(beneath(&folder, name, OFlags::RDWR)?);
            Ok(Written::new(file, self.storage.clone()))
        })
    }

    /// A file in staging that was kept, to be put in place. It stays until it is, or until
    /// [`Self::discard`].
    pub(in crate::drive) fn claim(&self, name: &str) -> io::Result<Staged> {
        self.storage.over(|| {
            let folder = beneath(self.root()?, STAGING, FOLDER)?;
            let file = File::from(beneath(&folder, name, OFlags::RDWR)?);
            let file = Written::new(file, self.storage.clone());
            let (name, is_lasting) = (name.to_owned(), true);
            Ok(Staged { file, folder, name, origin: Origin::Own, is_lasting, note: None })
        })
    }

    /// Removes a file of staging, if it is there.
    pub(in crate::drive) fn discard(&self, name: &str) -> io::Result<()> {
        self.storage.over(|| {
            let folder = beneath(self.root()?, STAGING, FOLDER)?;
            match unlinkat(&folder, name, AtFlags::empty()) {
                Err(Errno::NOENT) => Ok(()),
                gone => Ok(gone?),
            }
        })
    }

    /// The same, unless somebody wrote to it within the last hour.
    pub(in crate::drive) fn discard_old(&self, name: &str) -> io::Result<()> {
        let place = self.root.join(STAGING).join(name);
        let age = fs::metadata(&place).and_then(|it| it.modified()).map(|at| at.elapsed());
        match age {
            Ok(Ok(age)) if age < Duration::from_hours(1) => Ok(()),
            _ => self.discard(name),
        }
    }

    /// All that lies in staging: name, time since it came or was written to, bytes.
    pub(in crate::drive) fn staged(&self) -> io::Result<Vec<(String, Duration, u64)>> {
        let mut all = Vec::new();
        let found = match fs::read_dir(self.root.join(STAGING)) {
            // Nothing came in yet: so it is right after a backup was brought back.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(all),
            found => found?,
        };
        for entry in found {
            let entry = entry?;
            // Gone between listing and looking.
            let Ok(facts) = entry.metadata() else { continue };
            let since = Duration::from_secs(facts.ctime().max(0).unsigned_abs());
            let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
            let now = Duration::from_secs(now.tv_sec.max(0).unsigned_abs());
            let name = entry.file_name().to_string_lossy().into_owned();
            all.push((name, now.saturating_sub(since), facts.len()));
        }
        Ok(all)
    }

    /// What in staging outlives the server.
    pub(in crate::drive) fn lasting(&self) -> io::Result<Vec<String>> {
        let root: OwnedFd = self.root()?.into();
        let found = list(&root, STAGING)?;
        Ok(found.into_iter().map(|it| it.name).filter(|it| it.starts_with(LASTING)).collect())
    }
}

impl Staged {
    /// Makes its name outlive a cut of the power; its bytes are another matter.
    pub(in crate::drive) fn sync_name(&self) -> io::Result<()> {
        self.storage().over(|| Ok(fsync(&self.folder)?))
    }

    /// Leaves it in staging, under its name.
    pub(in crate::drive) fn keep(mut self) {
        self.name.clear();
    }
}
