//! Room on the disk that uploads leave to everything else: signing in, the books, the trash. A full
//! disk refuses uploads, and nothing besides.

use std::{
    fs::{self, File},
    io,
    os::fd::AsFd,
};

use rustix::{
    fs::{FallocateFlags, fallocate, fstatvfs},
    io::Errno,
};

use super::{Disk, Staged};

/// Uploads leave a fiftieth of a disk, and never more than this, in bytes: enough for the books, and
/// nothing that anybody misses on a large one.
const MOST_LEFT: u64 = 256 * 1024 * 1024;
/// Files of so many bytes there are not.
const NO_DISK: u64 = i64::MAX as u64 / 2;
/// A file that is given up where others left no room for deleting. Backups leave it out by this name.
const RESERVE: &str = ".tunelocker-reserve";
/// Its bytes on a large disk: folders of the trash need blocks, and on a disk of its own with them so
/// do the books and the log of the database.
const MOST_RESERVED: u64 = 32 * 1024 * 1024;
/// And on a small one.
const LEAST_RESERVED: u64 = 512 * 1024;

/// A two hundredth of a disk, within reason.
fn reserved(all: u64) -> u64 {
    (all / 200).clamp(LEAST_RESERVED, MOST_RESERVED)
}

/// Refuses unless so many bytes fit on the disk of a file or folder beside what uploads leave.
pub(super) fn require_room(on: impl AsFd, bytes: u64) -> io::Result<()> {
    let facts = fstatvfs(on)?;
    let (all, free) = (facts.f_blocks * facts.f_frsize, facts.f_bavail * facts.f_frsize);
    let left = (all / 50).min(MOST_LEFT);
    // Some file systems do not know how large they are. What no disk has is refused as nonsense by
    // those who count it.
    if (1..NO_DISK).contains(&bytes) && 0 < all && free < bytes.saturating_add(left) {
        return Err(Errno::NOSPC.into());
    }
    Ok(())
}

impl Staged {
    /// Refuses unless so many more bytes fit.
    pub(in crate::drive) fn require_room(&self, bytes: u64) -> io::Result<()> {
        require_room(&self.folder, bytes)
    }
}

impl Disk {
    /// Refuses unless so many bytes fit.
    pub(in crate::drive) fn require_free(&self, bytes: u64) -> io::Result<()> {
        require_room(self.root()?, bytes)
    }

    /// Bytes that may be used up.
    pub(in crate::drive) fn free(&self) -> io::Result<u64> {
        let facts = fstatvfs(self.root()?)?;
        let left = (facts.f_blocks * facts.f_frsize / 50).min(MOST_LEFT);
        Ok((facts.f_bavail * facts.f_frsize).saturating_sub(left))
    }

    /// Puts some room by, where there is enough.
    pub(in crate::drive) fn put_room_by(&self) -> io::Result<()> {
        let (place, root) = (self.root.join(RESERVE), self.root()?);
        let facts = fstatvfs(&root)?;
        let wanted = reserved(facts.f_blocks * facts.f_frsize);
        let there = fs::metadata(&place).map_or(0, |facts| facts.len());
        if wanted <= there || require_room(root, wanted - there).is_err() {
            return Ok(());
        }
        self.storage.over(|| {
            let file = File::options().write(true).create(true).truncate(false).open(&place)?;
            match fallocate(&file, FallocateFlags::empty(), 0, wanted) {
                // It is no reserve where it takes no room.
                Err(_) => fs::remove_file(&place),
                Ok(()) => Ok(()),
            }
        })
    }

    /// Does what needs a little room; on a full disk with what was put by.
    pub(super) fn with_reserve<T>(&self, work: impl Fn() -> io::Result<T>) -> io::Result<T> {
        match work() {
            Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                if self.give_up_reserve() {
                    work()
                } else {
                    Err(error)
                }
            }
            done => done,
        }
    }

    /// Gives up what was put by; false where there is nothing any more.
    pub(in crate::drive) fn give_up_reserve(&self) -> bool {
        fs::remove_file(self.root.join(RESERVE)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_disk_puts_more_by_and_a_small_one_little() {
        const MIB: u64 = 1024 * 1024;
        assert_eq!(reserved(4 * MIB), MIB / 2);
        assert_eq!(reserved(1000 * MIB), 5 * MIB);
        assert_eq!(reserved(u64::MAX), 32 * MIB);
    }

    #[test]
    fn what_an_older_version_put_by_grows() {
        let home = tempfile::tempdir().unwrap();
        let disk = Disk::open(home.path().to_owned()).unwrap();
        let place = home.path().join(RESERVE);
        fs::write(&place, vec![0; 512 * 1024]).unwrap();
        disk.put_room_by().unwrap();
        let facts = fstatvfs(disk.root().unwrap()).unwrap();
        let wanted = reserved(facts.f_blocks * facts.f_frsize);
        assert_eq!(fs::metadata(&place).unwrap().len(), wanted);
    }
}
