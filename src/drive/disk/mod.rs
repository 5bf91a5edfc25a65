//! The one module that touches the disk. Every path is opened by [`beneath`], which never leaves
//! the folder that it starts from and never follows a symlink.

mod copy;
mod lasting;
mod lent;
mod link;
mod look;
mod renames;
mod room;
mod shelf;
mod shelved;
mod taken;
mod trial;

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{
        AtFlags, FallocateFlags, Mode, OFlags, RenameFlags, ResolveFlags, fallocate, fsync,
        mkdirat, openat, openat2, renameat_with, statat, unlinkat,
    },
    io::Errno,
};

pub use self::link::Origin;
pub(crate) use self::link::{Digests, Kinship, digest, quick_key};
pub use self::renames::Abilities;
pub(super) use self::{
    copy::{Copied, StagedCopy},
    lasting::LASTING,
    lent::{Lent, LentFiles},
    look::{Found, file_facts, folders_below, list, list_with, open_file, spell, unspeakable},
    shelf::{OnShelf, SHELVES, Spot},
};
use self::{
    look::{facts, is_folder, is_link, is_plain},
    renames::Replaced,
};
use crate::storage::{Storage, Written};

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
const STAGING: &str = "staging";
/// Carries the drive's id: without it, the disk that holds the lockers is not mounted.
const SENTINEL: &str = ".tunelocker-drive";

/// The drive's root folder.
#[derive(Debug, Clone)]
pub(super) struct Disk {
    root: PathBuf,
    abilities: Abilities,
    /// What writes goes through it, so that the first failure of the disk is known.
    storage: Storage,
}

/// A file in staging. Dropping it removes it, unless it is an upload that outlives the server.
pub(super) struct Staged {
    pub(super) file: Written,
    /// How its bytes got there.
    pub(super) origin: Origin,
    folder: OwnedFd,
    name: String,
    is_lasting: bool,
    /// Says where something was that went aside for it; goes when this does.
    note: Option<String>,
}

/// A file that was put in place; [`Placed::undo`] puts the old state back.
pub(super) struct Placed {
    /// What lies under its name in staging now, if anything does, is what was replaced.
    staged: Staged,
    was_lasting: bool,
    parent: OwnedFd,
    name: String,
    replaced: Replaced,
}

/// THE containment: opens `path` below `folder`, without leaving it, following no symlink.
pub(super) fn beneath(folder: impl AsFd, path: &str, flags: OFlags) -> io::Result<OwnedFd> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let path = if path.is_empty() { "." } else { path };
    match openat2(&folder, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve) {
        // An old kernel, or a container whose filter does not know the call.
        Err(Errno::NOSYS | Errno::PERM) => step_by_step(folder.as_fd(), path, flags),
        opened => Ok(opened?),
    }
}

/// The same where the kernel cannot do it in one: each part opened in the one before.
fn step_by_step(folder: BorrowedFd<'_>, path: &str, flags: OFlags) -> io::Result<OwnedFd> {
    let mut at = openat(folder, ".", FOLDER, Mode::empty())?;
    let mut parts = path.split('/').filter(|part| *part != ".").peekable();
    while let Some(part) = parts.next() {
        if part.is_empty() || part == ".." {
            return Err(Errno::XDEV.into());
        }
        let flags = if parts.peek().is_some() { FOLDER } else { flags | OFlags::CLOEXEC };
        at = openat(&at, part, flags | OFlags::NOFOLLOW, Mode::empty())?;
    }
    Ok(at)
}

impl Disk {
    /// Makes the root and staging, empties staging, and tries what publishing needs. A disk of a
    /// drive that fails is one that is only read.
    pub(super) fn open(root: PathBuf) -> io::Result<Self> {
        let mut disk = Self::at(root);
        let storage = disk.storage.clone();
        match storage.over(|| disk.prepare_to_write()) {
            Err(_) if storage.fault().is_some() && matches!(disk.id(), Ok(Some(_))) => Ok(disk),
            prepared => prepared.map(|()| disk),
        }
    }

    fn prepare_to_write(&mut self) -> io::Result<()> {
        let staging = self.root.join(STAGING);
        fs::create_dir_all(&staging)?;
        self.bring_back_aside()?;
        for entry in fs::read_dir(&staging)? {
            let entry = entry?;
            if entry.file_name().as_encoded_bytes().starts_with(LASTING.as_bytes()) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
        self.probe()
    }

    /// A drive as it is, to be looked at.
    pub(super) fn at(root: PathBuf) -> Self {
        Self { root, abilities: Abilities::ALL, storage: Storage::default() }
    }

    /// What its file system can.
    pub(super) fn abilities(&self) -> Abilities {
        self.abilities
    }

    /// Whether what is written to it lasts.
    pub(super) fn storage(&self) -> &Storage {
        &self.storage
    }

    /// The id that the drive carries, if it carries one.
    pub(super) fn id(&self) -> io::Result<Option<String>> {
        match fs::read_to_string(self.root.join(SENTINEL)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        }
    }

    /// Marks a new drive, for good.
    pub(super) fn set_id(&self, id: &str) -> io::Result<()> {
        self.storage.over(|| {
            let mut file = File::create(self.root.join(SENTINEL))?;
            file.write_all(id.as_bytes())?;
            file.sync_all()?;
            self.root()?.sync_all()
        })
    }

    fn root(&self) -> io::Result<File> {
        File::open(&self.root)
    }

    /// A locker's folder.
    pub(super) fn locker(&self, path: &str) -> io::Result<OwnedFd> {
        beneath(self.root()?, path, FOLDER)
    }

    /// A locker's folder, made if it is not there.
    pub(super) fn make_locker(&self, path: &str) -> io::Result<OwnedFd> {
        self.storage.over(|| make_folders(self.root()?.into(), path))
    }

    /// A new file in staging. With a known length its room is taken at once, so that a full disk
    /// is known before a byte is sent.
    pub(super) fn stage(&self, name: &str, length: Option<u64>) -> io::Result<Staged> {
        self.storage.over(|| {
            let folder = beneath(self.root()?, STAGING, FOLDER)?;
            let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            let file = File::from(openat(&folder, name, flags, Mode::from_raw_mode(0o644))?);
            let file = Written::new(file, self.storage.clone());
            let (name, is_lasting) = (name.to_owned(), false);
            let staged = Staged { file, folder, name, origin: Origin::Own, is_lasting, note: None };
            if let Some(length) = length.filter(|length| 0 < *length) {
                room::require_room(&staged.folder, length)?;
                // Not every file system can; then the writes tell.
                let taken = fallocate(&staged.file, FallocateFlags::KEEP_SIZE, 0, length);
                if matches!(taken, Err(Errno::NOSPC | Errno::DQUOT)) {
                    return Err(Errno::NOSPC.into());
                }
            }
            Ok(staged)
        })
    }

    /// Puts a whole locker folder away as `removed/NAME`; false if there was none.
    pub(super) fn put_away(&self, locker: &str, name: &str) -> io::Result<bool> {
        self.storage.over(|| {
            let (folder, own) = locker.rsplit_once('/').unwrap_or(("", locker));
            let source = match beneath(self.root()?, folder, FOLDER) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
                opened => opened?,
            };
            let target = make_folders(self.root()?.into(), "removed")?;
            match rename_new(&source, own, &target, name) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
                moved => {
                    moved?;
                    fsync(&source)?;
                    fsync(&target)?;
                    Ok(true)
                }
            }
        })
    }

    /// Erases a locker that was put away, with its shelves. Symlinks go, not what they name.
    pub(super) fn erase_removed(&self, path: &str) -> io::Result<()> {
        self.storage.over(|| {
            let shelves = SHELVES.iter().map(|shelf| format!("{path}-{shelf}"));
            for folder in std::iter::once(path.to_owned()).chain(shelves) {
                match fs::remove_dir_all(self.root.join(folder)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => (),
                }
            }
            match beneath(self.root()?, "removed", FOLDER) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                opened => Ok(fsync(&opened?)?),
            }
        })
    }

    /// Makes a folder of a locker, with those above it.
    pub(super) fn make_folder(&self, locker: &str, path: &str) -> io::Result<()> {
        self.storage.over(|| make_folders(self.make_locker(locker)?, path).map(drop))
    }

    /// Where a path below the root is, for rows that others read.
    pub(super) fn absolute(&self, path: &str) -> io::Result<PathBuf> {
        std::path::absolute(self.root.join(path))
    }
}

impl Staged {
    fn storage(&self) -> Storage {
        self.file.storage().clone()
    }

    /// Puts the file, whose bytes are on the disk already, at `path` of a locker.
    pub(super) fn place(mut self, disk: &Disk, locker: &str, path: &str) -> io::Result<Placed> {
        let storage = disk.storage.clone();
        storage.over(|| {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            let parent = make_folders(disk.make_locker(locker)?, folder)?;
            let replaced = self.rename_into(disk, (locker, path), &parent, name)?;
            let was_lasting = std::mem::take(&mut self.is_lasting);
            let placed =
                Placed { parent, name: name.to_owned(), staged: self, was_lasting, replaced };
            if let Err(error) = fsync(&placed.parent) {
                placed.undo()?;
                return Err(error.into());
            }
            Ok(placed)
        })
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.name.is_empty() && !self.is_lasting {
            let _ = unlinkat(&self.folder, &*self.name, AtFlags::empty());
        }
        if let Some(note) = &self.note {
            let _ = unlinkat(&self.folder, &**note, AtFlags::empty());
        }
    }
}

impl Placed {
    /// The rows could not be written: the old file comes back, or nothing is there.
    pub(super) fn undo(mut self) -> io::Result<()> {
        let storage = self.staged.storage();
        storage.over(|| {
            let flags = match self.replaced {
                Replaced::Aside(staged) => {
                    self.staged.undo_aside(staged, &self.parent, &self.name)?;
                    self.staged.is_lasting = self.was_lasting;
                    return Ok(());
                }
                Replaced::Exchanged => RenameFlags::EXCHANGE,
                Replaced::Nothing => RenameFlags::empty(),
            };
            renameat_with(
                &self.parent,
                &*self.name,
                &self.staged.folder,
                &*self.staged.name,
                flags,
            )?;
            self.staged.is_lasting = self.was_lasting;
            fsync(&self.parent)?;
            Ok(())
        })
    }
}

/// Makes the folders of `path` below `folder`, each on the disk before the next.
pub(super) fn make_folders(folder: OwnedFd, path: &str) -> io::Result<OwnedFd> {
    let mut at = folder;
    for part in path.split('/').filter(|part| !part.is_empty()) {
        match mkdirat(&at, part, Mode::from_raw_mode(0o755)) {
            Ok(()) => fsync(&at)?,
            Err(Errno::EXIST) => (),
            Err(error) => return Err(error.into()),
        }
        at = match beneath(&at, part, FOLDER) {
            // A file, or a link, where a folder has to be.
            Err(error)
                if Errno::from_io_error(&error)
                    .is_some_and(|code| matches!(code, Errno::NOTDIR | Errno::LOOP)) =>
            {
                return Err(Errno::EXIST.into());
            }
            opened => opened?,
        };
    }
    Ok(at)
}

/// Renames where nothing may be at the target, also on disks that cannot promise it.
fn rename_new(from: &OwnedFd, name: &str, to: &OwnedFd, new: &str) -> io::Result<()> {
    match renameat_with(from, name, to, new, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS)
            if matches!(statat(to, new, AtFlags::SYMLINK_NOFOLLOW), Err(Errno::NOENT)) =>
        {
            Ok(renameat_with(from, name, to, new, RenameFlags::empty())?)
        }
        moved => Ok(moved?),
    }
}

/// Whether a folder lies at this path, for start-up.
pub(super) fn is_there(path: &Path) -> bool {
    path.is_dir()
}
