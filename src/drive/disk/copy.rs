//! Whole trees: looked at, copied into staging with each file's bytes shared where the disk can
//! ([`super::link`]), and moved from one place below the root to another.

use std::{
    fs::File,
    io,
    os::fd::{AsFd, OwnedFd},
};

use rustix::{
    fs::{
        AtFlags, Mode, OFlags, RenameFlags, StatxFlags, Timespec, Timestamps, fstat, fsync,
        futimens, mkdirat, renameat_with, statat, statx, unlinkat,
    },
    io::Errno,
};

use super::{
    Disk, FOLDER, Found, Kinship, Lent, LentFiles, Origin, STAGING, beneath, facts, is_folder,
    is_link, is_plain, link::copy_into, list_with, make_folders, quick_key, rename_new,
};
use crate::{clock::Millis, storage::only_read};

/// When something was made, where the disk knows it. '' is the folder itself.
pub(super) fn born(folder: &OwnedFd, name: &str) -> Option<Millis> {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::EMPTY_PATH;
    let facts = statx(folder, name, flags, StatxFlags::BTIME).ok()?;
    let is_known = facts.stx_mask & StatxFlags::BTIME.bits() != 0;
    let born = facts.stx_btime;
    is_known.then(|| born.tv_sec.saturating_mul(1000) + Millis::from(born.tv_nsec / 1_000_000))
}

/// A file that was copied: its path relative to what was copied, '' for a file itself.
pub(in crate::drive) struct Copied {
    pub(in crate::drive) path: String,
    pub(in crate::drive) size: u64,
    pub(in crate::drive) modified_ns: i64,
    pub(in crate::drive) quick_key: [u8; 32],
    pub(in crate::drive) origin: Origin,
    /// What it points at, where it is a reference.
    pub(in crate::drive) reference: Option<i64>,
}

/// A copy in staging, on its way out of it. Dropping it removes it.
pub(in crate::drive) struct StagedCopy {
    place: std::path::PathBuf,
    /// Its name in staging.
    pub(in crate::drive) name: String,
    pub(in crate::drive) files: Vec<Copied>,
}

impl Drop for StagedCopy {
    fn drop(&mut self) {
        let _ = if self.place.is_dir() {
            std::fs::remove_dir_all(&self.place)
        } else {
            std::fs::remove_file(&self.place)
        };
    }
}

impl Disk {
    /// What lies at a path, seen without opening it; '' is the locker itself. A symlink is there
    /// only where it stands for a lent file.
    pub(in crate::drive) fn look(
        &self,
        locker: &str,
        path: &str,
        lent: Option<&Lent>,
    ) -> io::Result<Found> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parent = beneath(self.locker(locker)?, folder, FOLDER)?;
        let stat = if name.is_empty() {
            fstat(&parent)?
        } else {
            statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW)?
        };
        let is_folder = is_folder(&stat);
        if let Some(lent) = lent.filter(|_| is_link(&stat)) {
            return Ok(lent.found(name));
        }
        if !is_folder && !is_plain(&stat) {
            return Err(Errno::NOENT.into());
        }
        let (size, modified_ns) = facts(&stat);
        let born_at = is_folder.then(|| born(&parent, name)).flatten();
        let (name, is_lent) = (name.to_owned(), false);
        Ok(Found { name, is_folder, is_lent, size, modified_ns, born_at })
    }

    /// Whether anything lies at a path, whatever it is.
    pub(in crate::drive) fn is_there(&self, locker: &str, path: &str) -> io::Result<bool> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let found = self.locker(locker).and_then(|root| beneath(root, folder, FOLDER));
        match found.and_then(|parent| Ok(statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW)?)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            found => found.map(|_| true),
        }
    }

    /// Every plain file below a path, relative to it; '' for a file itself. With the folders, whose
    /// paths end with a slash.
    pub(in crate::drive) fn below(
        &self,
        locker: &str,
        path: &str,
        lent: &LentFiles,
    ) -> io::Result<Vec<Found>> {
        let top = self.look(locker, path, lent.get(""))?;
        if !top.is_folder {
            return Ok(vec![Found { name: String::new(), ..top }]);
        }
        let folder = beneath(self.locker(locker)?, path, FOLDER)?;
        let (mut all, mut left) = (Vec::new(), vec![String::new()]);
        while let Some(at) = left.pop() {
            let lent = |name: &str| lent.get(&format!("{at}{name}"));
            for found in list_with(&folder, at.trim_end_matches('/'), lent)? {
                let name = format!("{at}{}", found.name);
                if found.is_folder {
                    left.push(format!("{name}/"));
                    all.push(Found { name: format!("{name}/"), ..found });
                } else {
                    all.push(Found { name, ..found });
                }
            }
        }
        Ok(all)
    }

    /// Copies a file, or a folder with all that is in it, into staging, onto the disk for sure.
    pub(in crate::drive) fn stage_tree(
        &self,
        locker: &str,
        path: &str,
        staging: &str,
        lent: &LentFiles,
    ) -> io::Result<StagedCopy> {
        self.storage.over(|| {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            let from = beneath(self.locker(locker)?, folder, FOLDER)?;
            let to = beneath(self.root()?, STAGING, FOLDER)?;
            let place = self.root.join(STAGING).join(staging);
            let mut staged = StagedCopy { place, name: staging.to_owned(), files: Vec::new() };
            let stat = statat(&from, name, AtFlags::SYMLINK_NOFOLLOW)?;
            if is_folder(&stat) {
                let from = beneath(&from, name, FOLDER)?;
                copy_folder(&from, &to, staging, "", lent, &mut staged.files)?;
            } else if let Some(lent) = lent.get("").filter(|_| is_link(&stat)) {
                staged.files.push(Copied { path: String::new(), ..copy_lent(lent, &to, staging)? });
            } else if is_plain(&stat) {
                let copied = copy_file(&from, name, &to, staging)?;
                staged.files.push(Copied { path: String::new(), ..copied });
            } else {
                return Err(Errno::NOENT.into());
            }
            fsync(&to)?;
            Ok(staged)
        })
    }

    /// Moves a file or folder from one place below the root to another; folders above the target
    /// are made. Without `over`, nothing may be there; with it, a plain file is replaced by one.
    pub(in crate::drive) fn move_to(
        &self,
        from: (&str, &str),
        to: (&str, &str),
        over: bool,
    ) -> io::Result<()> {
        self.storage.over(|| {
            let Way { source, from_name, target, to_name } = self.way(from, to)?;
            if over && self.is_same_file(from, to) {
                // Two names of one file: the system would rename nothing.
                unlinkat(&source, from_name, AtFlags::empty())?;
                fsync(&source)?;
                return Ok(());
            }
            if over {
                renameat_with(&source, from_name, &target, to_name, RenameFlags::empty())?;
            } else {
                rename_new(&source, from_name, &target, to_name)?;
            }
            let forced = fsync(&target).and_then(|()| fsync(&source));
            forced.or_else(|error| {
                // What is refused is where it was; what it replaced, others bring back.
                rename_new(&target, to_name, &source, from_name)?;
                Err(error.into())
            })
        })
    }

    /// The reverse, when what followed failed. Rows say already that it is where it comes back to, so
    /// it stays there whether or not a full disk lets that be forced onto it.
    pub(in crate::drive) fn move_back(
        &self,
        from: (&str, &str),
        to: (&str, &str),
    ) -> io::Result<()> {
        self.storage.over(|| {
            let Way { source, from_name, target, to_name } = self.way(from, to)?;
            rename_new(&source, from_name, &target, to_name)?;
            match fsync(&target).and_then(|()| fsync(&source)) {
                Err(Errno::NOSPC | Errno::DQUOT) => Ok(()),
                forced => Ok(forced?),
            }
        })
    }

    /// The folders that something moves between; that which it comes to is made.
    fn way<'a>(&self, from: (&str, &'a str), to: (&str, &'a str)) -> io::Result<Way<'a>> {
        let (from_folder, from_name) = from.1.rsplit_once('/').unwrap_or(("", from.1));
        let (to_folder, to_name) = to.1.rsplit_once('/').unwrap_or(("", to.1));
        let source = beneath(self.locker(from.0)?, from_folder, FOLDER)?;
        let target = make_folders(self.make_locker(to.0)?, to_folder)?;
        Ok(Way { source, from_name, target, to_name })
    }
}

/// From where to where something moves.
struct Way<'a> {
    source: OwnedFd,
    from_name: &'a str,
    target: OwnedFd,
    to_name: &'a str,
}

/// Folders, plain files and lent ones; other symlinks and pipes are left behind.
fn copy_folder(
    from: &OwnedFd,
    into: &OwnedFd,
    name: &str,
    path: &str,
    lent: &LentFiles,
    files: &mut Vec<Copied>,
) -> io::Result<()> {
    mkdirat(into, name, Mode::from_raw_mode(0o755))?;
    let to = beneath(into, name, FOLDER)?;
    let below =
        |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
    for found in list_with(from, "", |name| lent.get(&below(name)))? {
        let path = below(&found.name);
        if found.is_folder {
            let inner = beneath(from, &found.name, FOLDER)?;
            copy_folder(&inner, &to, &found.name, &path, lent, files)?;
        } else if let Some(lent) = lent.get(&path).filter(|_| found.is_lent) {
            files.push(Copied { path, ..copy_lent(lent, &to, &found.name)? });
        } else {
            files.push(Copied { path, ..copy_file(from, &found.name, &to, &found.name)? });
        }
    }
    fsync(&to)?;
    Ok(())
}

fn copy_file(from: &OwnedFd, name: &str, to: &OwnedFd, new: &str) -> io::Result<Copied> {
    let source = File::from(beneath(from, name, OFlags::RDONLY | OFlags::NONBLOCK)?);
    let (size, modified_ns) = facts(&fstat(&source)?);
    let quick_key = quick_key(&source).map_err(only_read)?;
    let (target, origin) = copy_into(to, new, &source, Kinship::Locker)?;
    if origin != Origin::HardLink {
        settle(&target, modified_ns)?;
    }
    Ok(Copied { path: String::new(), size, modified_ns, quick_key, origin, reference: None })
}

/// A second reference: what it says comes from the row, not from the symlink.
fn copy_lent(lent: &Lent, to: &OwnedFd, new: &str) -> io::Result<Copied> {
    lent.point(to, new)?;
    Ok(Copied {
        path: String::new(),
        size: lent.sealed.size,
        modified_ns: lent.sealed.modified_ns,
        quick_key: lent.quick_key,
        origin: Origin::Reference,
        reference: Some(lent.id),
    })
}

/// The time of the original, and everything on the disk.
pub(super) fn settle(file: impl AsFd, modified_ns: i64) -> io::Result<()> {
    let time = Timespec {
        tv_sec: modified_ns.div_euclid(1_000_000_000),
        tv_nsec: modified_ns.rem_euclid(1_000_000_000),
    };
    futimens(&file, &Timestamps { last_access: time, last_modification: time })?;
    fsync(&file)?;
    Ok(())
}
