//! Where deleted and replaced things lie: `SHELF/ID/NAME` below the drive's root, with
//! `SHELF/ID.origin` beside it saying where it was, so that the disk explains itself. Each goes
//! there and comes back by a rename, or by a second link.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Write as _},
    os::fd::OwnedFd,
};

use rustix::{
    fs::{
        AtFlags, Mode, OFlags, RenameFlags, fsync, linkat, mkdirat, openat, renameat_with, statat,
    },
    io::Errno,
};

use super::{
    Disk, FOLDER, Lent, Placed, Replaced, beneath, facts, is_link, is_plain, list, list_with,
    make_folders, rename_new,
};

/// The shelves' folders below the drive's root; each has one for every locker's owner.
pub(in crate::drive) const SHELVES: [&str; 2] = ["trash", "versions"];
const ORIGIN: &str = ".origin";

/// One place of a shelf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::drive) struct Spot {
    /// `trash/OWNER` or `versions/OWNER`.
    pub(in crate::drive) shelf: String,
    /// The folder.
    pub(in crate::drive) id: String,
    /// What lies in it.
    pub(in crate::drive) name: String,
}

/// What lies on a shelf.
pub(in crate::drive) struct OnShelf {
    pub(in crate::drive) spot: Spot,
    pub(in crate::drive) is_folder: bool,
    /// Where it was, if that can still be read.
    pub(in crate::drive) origin: Option<String>,
}

impl Spot {
    /// Where it is below the drive's root.
    pub(in crate::drive) fn folder(&self) -> String {
        format!("{}/{}", self.shelf, self.id)
    }
}

impl Disk {
    pub(super) fn prepare(&self, spot: &Spot, origin: &str) -> io::Result<OwnedFd> {
        self.with_reserve(|| {
            self.storage.over(|| self.try_prepare(spot, origin)).inspect_err(|_| {
                // Half of it would be in the way of a second try.
                let _ = self.erase(spot);
            })
        })
    }

    fn try_prepare(&self, spot: &Spot, origin: &str) -> io::Result<OwnedFd> {
        let shelf = make_folders(self.root()?.into(), &spot.shelf)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let note = format!("{}{ORIGIN}", spot.id);
        let mut note = File::from(openat(&shelf, note, flags, Mode::from_raw_mode(0o644))?);
        note.write_all(origin.as_bytes())?;
        note.sync_all()?;
        mkdirat(&shelf, &*spot.id, Mode::from_raw_mode(0o755))?;
        fsync(&shelf)?;
        beneath(&shelf, &spot.id, FOLDER)
    }

    /// Moves a locker's file or folder to a shelf.
    pub(in crate::drive) fn shelve(&self, locker: &str, path: &str, spot: &Spot) -> io::Result<()> {
        self.storage.over(|| {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            let parent = beneath(self.locker(locker)?, folder, FOLDER)?;
            // Nothing is made for what is not there.
            statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
            let to = self.prepare(spot, path)?;
            if let Err(error) = rename_new(&parent, name, &to, &spot.name) {
                self.erase(spot)?;
                return Err(error);
            }
            // What is refused is where it was: no row tells of it on the shelf.
            let forced = fsync(&to).and_then(|()| fsync(&parent));
            forced.or_else(|error| {
                rename_new(&to, &spot.name, &parent, name)?;
                self.erase(spot)?;
                Err(error.into())
            })
        })
    }

    /// The reverse, when what followed failed: nothing of it is left on the shelf. Rows say already that
    /// it is where it comes back to, so it stays there whether or not that can be forced onto the disk.
    pub(in crate::drive) fn put_back(
        &self,
        spot: &Spot,
        locker: &str,
        path: &str,
    ) -> io::Result<()> {
        self.storage.over(|| {
            let (from, parent, name) = self.way_back(spot, locker, path)?;
            rename_new(&from, &spot.name, &parent, name)?;
            let forced = fsync(&parent).and_then(|()| fsync(&from));
            self.erase(spot)?;
            match forced {
                Err(Errno::NOSPC | Errno::DQUOT) => Ok(()),
                forced => Ok(forced?),
            }
        })
    }

    /// Gives a locker's file, or its symlink, a second name on a shelf: its size and time. `None` where
    /// there is no such file, or where the disk has no links.
    pub(in crate::drive) fn link_out(
        &self,
        locker: &str,
        path: &str,
        spot: &Spot,
        lent: Option<&Lent>,
    ) -> io::Result<Option<(u64, i64)>> {
        self.storage.over(|| {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            // Where there is no such folder, placing the other file says so, or makes it.
            let Ok(parent) = self.locker(locker).and_then(|root| beneath(root, folder, FOLDER))
            else {
                return Ok(None);
            };
            let stat = match statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW) {
                Err(Errno::NOENT) => return Ok(None),
                stat => stat?,
            };
            let facts = match lent.filter(|_| is_link(&stat)) {
                Some(lent) => (lent.sealed.size, lent.sealed.modified_ns),
                None if is_plain(&stat) => facts(&stat),
                None => return Ok(None),
            };
            let to = self.prepare(spot, path)?;
            match linkat(&parent, name, &to, &*spot.name, AtFlags::empty()) {
                Ok(()) => {
                    // No row would ever tell of what is left here.
                    fsync(&to).or_else(|error| self.erase(spot).and(Err(error.into())))?;
                    Ok(Some(facts))
                }
                Err(error) => {
                    self.erase(spot)?;
                    match error {
                        Errno::PERM
                        | Errno::OPNOTSUPP
                        | Errno::NOSYS
                        | Errno::MLINK
                        | Errno::NOENT => Ok(None),
                        error => Err(error.into()),
                    }
                }
            }
        })
    }

    /// Moves something from its shelf to a path of a locker where nothing is. The emptied folder
    /// stays until [`Self::erase`].
    pub(in crate::drive) fn unshelve(
        &self,
        spot: &Spot,
        locker: &str,
        path: &str,
    ) -> io::Result<()> {
        self.bring_back(spot, locker, path, false)
    }

    /// The same in the place of a plain file: at every moment one of the two is there.
    pub(in crate::drive) fn unshelve_over(
        &self,
        spot: &Spot,
        locker: &str,
        path: &str,
    ) -> io::Result<()> {
        self.bring_back(spot, locker, path, true)
    }

    fn bring_back(&self, spot: &Spot, locker: &str, path: &str, over: bool) -> io::Result<()> {
        self.storage.over(|| {
            let (from, parent, name) = self.way_back(spot, locker, path)?;
            if over {
                renameat_with(&from, &*spot.name, &parent, name, RenameFlags::empty())?;
            } else {
                rename_new(&from, &spot.name, &parent, name)?;
            }
            let forced = fsync(&parent).and_then(|()| fsync(&from));
            forced.or_else(|error| {
                // Rows still say that it is on its shelf.
                rename_new(&parent, name, &from, &spot.name)?;
                Err(error.into())
            })
        })
    }

    /// The folder of something kept, that which it comes back to, and its name there.
    fn way_back<'a>(
        &self,
        spot: &Spot,
        locker: &str,
        path: &'a str,
    ) -> io::Result<(OwnedFd, OwnedFd, &'a str)> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let from = beneath(self.root()?, &spot.folder(), FOLDER)?;
        let parent = make_folders(self.make_locker(locker)?, folder)?;
        Ok((from, parent, name))
    }

    /// The reverse, when what followed failed.
    pub(in crate::drive) fn reshelve(
        &self,
        spot: &Spot,
        locker: &str,
        path: &str,
    ) -> io::Result<()> {
        self.storage.over(|| {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            let parent = beneath(self.locker(locker)?, folder, FOLDER)?;
            let to = beneath(self.root()?, &spot.folder(), FOLDER)?;
            rename_new(&parent, name, &to, &spot.name)?;
            fsync(&to)?;
            fsync(&parent)?;
            Ok(())
        })
    }

    /// Deletes what lies at a spot, if it is there.
    pub(in crate::drive) fn erase(&self, spot: &Spot) -> io::Result<()> {
        self.storage.over(|| {
            let shelf = self.root.join(&spot.shelf);
            for gone in [
                fs::remove_dir_all(shelf.join(&spot.id)),
                fs::remove_file(shelf.join(format!("{}{ORIGIN}", spot.id))),
            ] {
                match gone {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => (),
                }
            }
            Ok(())
        })
    }

    /// Deletes what lies at spots, so that no power cut brings it back.
    pub(in crate::drive) fn erase_for_good(&self, spots: &[Spot]) -> io::Result<()> {
        self.storage.over(|| {
            let mut shelves = BTreeSet::new();
            for spot in spots {
                self.erase(spot)?;
                shelves.insert(&spot.shelf);
            }
            for shelf in shelves {
                if let Some(shelf) = self.shelf(shelf)? {
                    fsync(&shelf)?;
                }
            }
            Ok(())
        })
    }

    /// All that lies on the shelves of one owner, after what a crash left was removed: folders with
    /// nothing in them, and notes without a folder.
    pub(in crate::drive) fn on_shelves(&self, owner: &str) -> io::Result<Vec<OnShelf>> {
        for shelf in SHELVES {
            let shelf = format!("{shelf}/{owner}");
            let Some(opened) = self.shelf(&shelf)? else { continue };
            let (found, unknown) = (list(&opened, "")?, Lent::unknown());
            for note in found.iter().filter(|found| !found.is_folder) {
                let Some(id) = note.name.strip_suffix(ORIGIN) else { continue };
                if !found.iter().any(|other| other.is_folder && other.name == id) {
                    fs::remove_file(self.root.join(&shelf).join(&note.name))?;
                }
            }
            for folder in found.into_iter().filter(|found| found.is_folder) {
                if list_with(&opened, &folder.name, |_| Some(&unknown))?.is_empty() {
                    let (shelf, id, name) = (shelf.clone(), folder.name, String::new());
                    self.erase(&Spot { shelf, id, name })?;
                }
            }
        }
        self.look_at_shelves(owner)
    }

    /// All that lies on the shelves of one owner.
    pub(in crate::drive) fn look_at_shelves(&self, owner: &str) -> io::Result<Vec<OnShelf>> {
        let mut all = Vec::new();
        for shelf in SHELVES {
            let shelf = format!("{shelf}/{owner}");
            let Some(opened) = self.shelf(&shelf)? else { continue };
            let unknown = Lent::unknown();
            for folder in list(&opened, "")?.into_iter().filter(|found| found.is_folder) {
                // A symlink may stand for a lent file; whose it is, its row tells.
                let Some(inside) =
                    list_with(&opened, &folder.name, |_| Some(&unknown))?.into_iter().next()
                else {
                    continue;
                };
                let note = self.root.join(&shelf).join(format!("{}{ORIGIN}", folder.name));
                let origin = fs::read_to_string(note).ok().filter(|origin| !origin.is_empty());
                let spot = Spot { shelf: shelf.clone(), id: folder.name, name: inside.name };
                all.push(OnShelf { spot, is_folder: inside.is_folder, origin });
            }
        }
        Ok(all)
    }

    /// A shelf of one owner, if there is one.
    fn shelf(&self, path: &str) -> io::Result<Option<OwnedFd>> {
        match beneath(self.root()?, path, FOLDER) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => opened.map(Some),
        }
    }

    /// Whether two files or symlinks, each by its folder and path below the root, are one by two names.
    pub(in crate::drive) fn is_same_file(&self, one: (&str, &str), other: (&str, &str)) -> bool {
        let inode = |(folder, path): (&str, &str)| {
            let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
            let parent = beneath(self.locker(folder).ok()?, above, FOLDER).ok()?;
            let stat = statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
            (is_plain(&stat) || is_link(&stat)).then_some((stat.st_dev, stat.st_ino))
        };
        let one = inode(one);
        one.is_some() && one == inode(other)
    }
}

impl Placed {
    /// Whether something was at its place before, which lies in staging now.
    pub(in crate::drive) fn has_replaced(&self) -> bool {
        !matches!(self.replaced, Replaced::Nothing)
    }

    /// Whether that is a file. Links that other hands made are nothing to keep.
    pub(in crate::drive) fn has_replaced_file(&self) -> bool {
        let (folder, name) = (&self.staged.folder, &*self.staged.name);
        self.has_replaced()
            && statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).is_ok_and(|stat| is_plain(&stat))
    }

    /// Moves the file that was replaced to a shelf, where it could not be linked before.
    pub(in crate::drive) fn shelve(
        &mut self,
        disk: &Disk,
        path: &str,
        spot: &Spot,
    ) -> io::Result<()> {
        disk.storage.over(|| {
            if !self.has_replaced() {
                return Ok(());
            }
            let to = disk.prepare(spot, path)?;
            rename_new(&self.staged.folder, &self.staged.name, &to, &spot.name)?;
            self.staged.name.clear();
            fsync(&to)?;
            Ok(())
        })
    }
}
