//! What lies in folders, seen through [`super::beneath`].

use std::{ffi::CStr, fs::File, io, os::fd::OwnedFd};

use rustix::{
    fs::{AtFlags, Dir, FileType, OFlags, Stat, fstat, statat},
    io::Errno,
};

use super::{FOLDER, Lent, beneath, copy::born};
use crate::{clock::Millis, drive::names::is_same_name, error::is_nowhere};

/// One plain file or folder as a walk finds it.
pub(in crate::drive) struct Found {
    pub(in crate::drive) name: String,
    pub(in crate::drive) is_folder: bool,
    /// It is a symlink, and its bytes lie in a watched folder; size and time are theirs.
    pub(in crate::drive) is_lent: bool,
    pub(in crate::drive) size: u64,
    pub(in crate::drive) modified_ns: i64,
    /// When a folder was made, where the disk knows that; rows tell it of files.
    pub(in crate::drive) born_at: Option<Millis>,
}

/// The path as the disk spells it: parts that are there already keep their composition.
pub(in crate::drive) fn spell(folder: &OwnedFd, path: &str) -> io::Result<String> {
    if path.is_ascii() {
        return Ok(path.to_owned());
    }
    let mut spelled = String::with_capacity(path.len());
    for part in path.split('/') {
        let listed = if part.is_ascii() { Ok(Vec::new()) } else { list(folder, &spelled) };
        let listed = match listed {
            // Nothing there yet: as sent.
            Err(error) if is_nowhere(&error) => Vec::new(),
            listed => listed?,
        };
        let exact = listed.iter().find(|found| found.name == part);
        let same = exact.or_else(|| listed.iter().find(|found| is_same_name(&found.name, part)));
        if !spelled.is_empty() {
            spelled.push('/');
        }
        spelled.push_str(same.map_or(part, |found| &found.name));
    }
    Ok(spelled)
}

/// The plain files and folders of a folder. Symlinks, pipes and names that are not UTF-8 are
/// left out.
pub(in crate::drive) fn list(locker: &OwnedFd, path: &str) -> io::Result<Vec<Found>> {
    list_with(locker, path, |_| None)
}

/// The same with those symlinks, by name, that stand for lent files.
pub(in crate::drive) fn list_with<'l>(
    locker: &OwnedFd,
    path: &str,
    mut lent: impl FnMut(&str) -> Option<&'l Lent>,
) -> io::Result<Vec<Found>> {
    let folder = beneath(locker, path, FOLDER)?;
    let mut found = Vec::new();
    for entry in Dir::read_from(&folder)? {
        let entry = entry?;
        let Some(name) = plain_name(entry.file_name()) else { continue };
        let stat = match statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            // Gone between listing and looking.
            Err(Errno::NOENT) => continue,
            stat => stat?,
        };
        let is_folder = is_folder(&stat);
        if is_folder || is_plain(&stat) {
            let (size, modified_ns) = facts(&stat);
            let born_at = is_folder.then(|| born(&folder, name)).flatten();
            let (name, is_lent) = (name.to_owned(), false);
            found.push(Found { name, is_folder, is_lent, size, modified_ns, born_at });
        } else if is_link(&stat)
            && let Some(lent) = lent(name)
        {
            found.push(lent.found(name));
        }
    }
    Ok(found)
}

/// Names in a folder that are not UTF-8, as well as they can be shown.
pub(in crate::drive) fn unspeakable(locker: &OwnedFd, path: &str) -> io::Result<Vec<String>> {
    let folder = beneath(locker, path, FOLDER)?;
    let mut found = Vec::new();
    for entry in Dir::read_from(&folder)? {
        let entry = entry?;
        if entry.file_name().to_str().is_err() {
            found.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(found)
}

/// Paths of the folders below a path, each before those in it, as long as `each` wants more. Looks at
/// no file: most file systems say what an entry is with its name.
pub(in crate::drive) fn folders_below(
    locker: &OwnedFd,
    path: &str,
    mut each: impl FnMut(&str) -> bool,
) -> io::Result<()> {
    let mut left = vec![path.to_owned()];
    while let Some(at) = left.pop() {
        let folder = match beneath(locker, &at, FOLDER) {
            // Gone between listing and looking.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            folder => folder?,
        };
        for entry in Dir::read_from(&folder)? {
            let entry = entry?;
            let Some(name) = plain_name(entry.file_name()) else { continue };
            let is_folder = match entry.file_type() {
                FileType::Unknown => statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW)
                    .is_ok_and(|stat| is_folder(&stat)),
                kind => kind == FileType::Directory,
            };
            if is_folder {
                let found = if at.is_empty() { name.to_owned() } else { format!("{at}/{name}") };
                if !each(&found) {
                    return Ok(());
                }
                left.push(found);
            }
        }
    }
    Ok(())
}

/// A plain file, open for reading, with its size and time.
pub(in crate::drive) fn open_file(locker: &OwnedFd, path: &str) -> io::Result<(File, u64, i64)> {
    // A pipe must not make the opener wait.
    let file = File::from(beneath(locker, path, OFlags::RDONLY | OFlags::NONBLOCK)?);
    let stat = fstat(&file)?;
    if !is_plain(&stat) {
        return Err(Errno::ISDIR.into());
    }
    let (size, modified_ns) = facts(&stat);
    Ok((file, size, modified_ns))
}

/// Size and time of an open file.
pub(in crate::drive) fn file_facts(file: &File) -> io::Result<(u64, i64)> {
    Ok(facts(&fstat(file)?))
}

fn plain_name(name: &CStr) -> Option<&str> {
    name.to_str().ok().filter(|name| !matches!(*name, "." | ".."))
}

pub(super) fn is_folder(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}

pub(super) fn is_plain(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
}

pub(super) fn is_link(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Symlink
}

pub(super) fn facts(stat: &Stat) -> (u64, i64) {
    let nanoseconds = i64::try_from(stat.st_mtime_nsec).unwrap_or(0);
    let modified = stat.st_mtime.saturating_mul(1_000_000_000).saturating_add(nanoseconds);
    (u64::try_from(stat.st_size).unwrap_or(0), modified)
}
