//! Files whose bytes lie in a watched folder. In a locker's tree such a file is a symlink, which
//! tells people where the bytes are. Nothing here follows it: which file is opened, and that it
//! still is the same one, its row says.

use std::{
    collections::HashMap,
    fs::File,
    io,
    os::{fd::OwnedFd, unix::ffi::OsStringExt as _},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{
        AtFlags, OFlags, RenameFlags, Timespec, Timestamps, fsync, readlinkat, renameat_with,
        statat, symlinkat, unlinkat, utimensat,
    },
    io::Errno,
};

use super::{
    Disk, FOLDER, Found, Origin, STAGING, Staged, beneath, copy::settle, is_link, list_with,
    open_file,
};
use crate::media::sealed::Sealed;

/// A lent file as its row knows it.
#[derive(Debug, Clone)]
pub(in crate::drive) struct Lent {
    /// Row of the reference.
    pub(in crate::drive) id: i64,
    /// Where the bytes are, and what they must be.
    pub(in crate::drive) sealed: Sealed,
    pub(in crate::drive) quick_key: [u8; 32],
}

/// Lent files by their paths, relative to what was asked about; '' is that itself.
pub(in crate::drive) type LentFiles = HashMap<String, Lent>;

impl Lent {
    /// Any symlink at all, where only that something is there matters.
    pub(super) fn unknown() -> Self {
        let sealed = Sealed { path: PathBuf::new(), size: 0, modified_ns: 0, seal: None };
        Self { id: 0, sealed, quick_key: [0; 32] }
    }

    /// The symlink as a file that is found.
    pub(super) fn found(&self, name: &str) -> Found {
        Found {
            name: name.to_owned(),
            is_folder: false,
            is_lent: true,
            size: self.sealed.size,
            modified_ns: self.sealed.modified_ns,
            born_at: None,
        }
    }

    /// Makes the symlink.
    pub(super) fn point(&self, folder: &OwnedFd, name: &str) -> io::Result<()> {
        point(folder, name, &self.sealed.path, self.sealed.modified_ns)
    }
}

/// A symlink with the time of what it names, for people who list the folder.
pub(super) fn point(
    folder: &OwnedFd,
    name: &str,
    target: &Path,
    modified_ns: i64,
) -> io::Result<()> {
    symlinkat(target, folder, name)?;
    let time = Timespec {
        tv_sec: modified_ns.div_euclid(1_000_000_000),
        tv_nsec: modified_ns.rem_euclid(1_000_000_000),
    };
    let times = Timestamps { last_access: time, last_modification: time };
    // Only for the eye.
    let _ = utimensat(folder, name, &times, AtFlags::SYMLINK_NOFOLLOW);
    Ok(())
}

impl Disk {
    /// What the symlink at a path of a locker or shelf says; `None` if there is none.
    pub(in crate::drive) fn link_text(
        &self,
        folder: &str,
        path: &str,
    ) -> io::Result<Option<PathBuf>> {
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parent = match self.locker(folder).and_then(|root| beneath(root, above, FOLDER)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            parent => parent?,
        };
        match readlinkat(&parent, name, Vec::new()) {
            Ok(text) => Ok(Some(std::ffi::OsString::from_vec(text.into_bytes()).into())),
            Err(Errno::NOENT | Errno::INVAL) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Every symlink at a path of a folder below the root, or in it: its path relative to that, and
    /// what it says.
    pub(in crate::drive) fn links_below(
        &self,
        folder: &str,
        path: &str,
    ) -> io::Result<Vec<(String, PathBuf)>> {
        if let Some(text) = self.link_text(folder, path)? {
            return Ok(vec![(String::new(), text)]);
        }
        let (root, unknown) = (self.locker(folder)?, Lent::unknown());
        let (mut links, mut left) = (Vec::new(), vec![String::new()]);
        while let Some(at) = left.pop() {
            let place = format!("{path}/{at}");
            let listed = match list_with(&root, place.trim_matches('/'), |_| Some(&unknown)) {
                // A file.
                Err(error) if error.kind() == io::ErrorKind::NotADirectory => continue,
                listed => listed?,
            };
            for found in listed {
                let inner = if at.is_empty() { found.name } else { format!("{at}/{}", found.name) };
                if found.is_folder {
                    left.push(inner);
                } else if found.is_lent
                    && let Some(text) = self.link_text(folder, &format!("{path}/{inner}"))?
                {
                    links.push((inner, text));
                }
            }
        }
        Ok(links)
    }

    /// Opens a lent file, whose symlink must be at its path. `None` if the bytes are not there, or
    /// are other ones. A file of that size in the symlink's place is about to be known as its own.
    pub(in crate::drive) fn open_lent(
        &self,
        folder: &str,
        path: &str,
        lent: &Lent,
    ) -> io::Result<Option<File>> {
        if self.link_text(folder, path)?.is_none() {
            let (file, size, _) = open_file(&self.locker(folder)?, path)?;
            return if size == lent.sealed.size {
                Ok(Some(file))
            } else {
                Err(Errno::NOENT.into())
            };
        }
        match lent.sealed.open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => opened.map(Some),
        }
    }

    /// Removes a symlink, if one is there.
    pub(in crate::drive) fn remove_link(&self, folder: &str, path: &str) -> io::Result<()> {
        self.storage.over(|| {
            if self.link_text(folder, path)?.is_none() {
                return Ok(());
            }
            let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
            let parent = beneath(self.locker(folder)?, above, FOLDER)?;
            unlinkat(&parent, name, AtFlags::empty())?;
            fsync(&parent)?;
            Ok(())
        })
    }

    /// Puts a staged file, whose bytes are on the disk, in the place of a symlink, with the time of
    /// the file that it stood for. False, and nothing is done, if no symlink is there.
    pub(in crate::drive) fn make_real(
        &self,
        mut staged: Staged,
        folder: &str,
        path: &str,
        modified_ns: i64,
    ) -> io::Result<bool> {
        self.storage.over(|| {
            let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
            let parent = beneath(self.locker(folder)?, above, FOLDER)?;
            match statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW) {
                Err(Errno::NOENT) => return Ok(false),
                stat if !is_link(&stat?) => return Ok(false),
                _ => (),
            }
            // Another name of somebody's file keeps that file's time.
            if staged.origin != Origin::HardLink {
                settle(&staged.file, modified_ns)?;
            }
            renameat_with(&staged.folder, &*staged.name, &parent, name, RenameFlags::empty())?;
            staged.name.clear();
            fsync(&parent)?;
            Ok(true)
        })
    }

    /// Makes a symlink that says something else now say what its row says. Whether it did.
    pub(in crate::drive) fn point_again(
        &self,
        folder: &str,
        path: &str,
        staging: &str,
        lent: &Lent,
    ) -> io::Result<bool> {
        self.storage.over(|| {
            match self.link_text(folder, path)? {
                Some(text) if text != lent.sealed.path => (),
                _ => return Ok(false),
            }
            let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
            let parent = beneath(self.locker(folder)?, above, FOLDER)?;
            let from = beneath(self.root()?, STAGING, FOLDER)?;
            lent.point(&from, staging)?;
            renameat_with(&from, staging, &parent, name, RenameFlags::empty())?;
            fsync(&parent)?;
            Ok(true)
        })
    }

    /// Opens a file below the drive's root for reading, to take its bytes.
    pub(in crate::drive) fn open_real(&self, folder: &str, path: &str) -> io::Result<File> {
        Ok(super::open_file(&beneath(self.root()?, folder, OFlags::DIRECTORY)?, path)?.0)
    }
}
