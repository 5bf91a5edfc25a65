//! Finds the files of both roots. Symbolic links are neither followed nor kept, but for those that
//! stand for a file of a watched folder: of them the bytes are kept, as a file like any other.

use std::{
    fs::{self, File, Metadata},
    io,
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::{Path, PathBuf},
};

use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};

use super::{
    NOT_OF_DRIVE, OF_DATA, Places, RESERVE, STAGING,
    layout::{Root, spell},
    real,
};
use crate::media::sealed::Sealed;

/// Something found. Times are ns since the epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) root: Root,
    /// Relative to its root.
    pub(super) path: PathBuf,
    pub(super) is_folder: bool,
    /// A symlink whose bytes lie in a watched folder; size and time are theirs.
    pub(super) is_lent: bool,
    pub(super) mode: u32,
    pub(super) size: u64,
    pub(super) modified_ns: i64,
}

impl Found {
    fn of(root: Root, path: PathBuf, facts: &Metadata) -> Self {
        let (size, modified_ns) =
            if facts.is_dir() { (0, 0) } else { (facts.len(), modified_ns(facts)) };
        let mode = facts.mode() & 0o777;
        let (is_folder, is_lent) = (facts.is_dir(), false);
        Self { root, path, is_folder, is_lent, mode, size, modified_ns }
    }

    fn lent(path: PathBuf, sealed: &Sealed) -> Self {
        let (root, size, modified_ns) = (Root::Drive, sealed.size, sealed.modified_ns);
        Self { root, path, is_folder: false, is_lent: true, mode: 0o644, size, modified_ns }
    }

    pub(super) fn spelled(&self) -> String {
        spell(self.path.as_os_str().as_bytes())
    }
}

pub(super) fn modified_ns(facts: &Metadata) -> i64 {
    facts.mtime().saturating_mul(1_000_000_000).saturating_add(facts.mtime_nsec())
}

impl Places {
    fn root(&self, root: Root) -> &Path {
        match root {
            Root::Data => &self.data,
            Root::Drive => &self.drive,
        }
    }

    /// Opens a file that was found, through no link.
    pub(super) fn open(&self, found: &Found) -> io::Result<File> {
        if let Some(sealed) = self.lent.get(&found.path).filter(|_| found.is_lent) {
            return sealed.open();
        }
        let root = File::open(self.root(found.root))?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let within = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        Ok(File::from(openat2(&root, &found.path, flags, Mode::empty(), within)?))
    }

    /// Everything that belongs into a backup, folders before what is in them. `has_files` tells
    /// whether that includes the drive.
    pub(super) fn walk(
        &self,
        has_files: bool,
        each: &mut dyn FnMut(Found),
        failed: &mut dyn FnMut(&Path, io::Error),
    ) {
        for name in OF_DATA {
            visit(self, Root::Data, PathBuf::from(name), &|_| false, each, failed);
        }
        if !has_files {
            return;
        }
        let (data, drive) = (real(&self.data), real(&self.drive));
        let is_same = data == drive;
        let inner = data.strip_prefix(&drive).ok().map(Path::to_owned).filter(|_| !is_same);
        let skip = move |path: &Path| {
            path == Path::new(STAGING)
                || path == Path::new(RESERVE)
                || (is_same && NOT_OF_DRIVE.iter().any(|name| path == Path::new(name)))
                || inner.as_deref() == Some(path)
        };
        for name in names_in(&self.drive, failed) {
            visit(self, Root::Drive, name, &skip, each, failed);
        }
    }
}

fn visit(
    places: &Places,
    root: Root,
    path: PathBuf,
    skip: &dyn Fn(&Path) -> bool,
    each: &mut dyn FnMut(Found),
    failed: &mut dyn FnMut(&Path, io::Error),
) {
    if skip(&path) {
        return;
    }
    let absolute = places.root(root).join(&path);
    let facts = match fs::symlink_metadata(&absolute) {
        Ok(facts) => facts,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return,
        Err(error) => return failed(&absolute, error),
    };
    let lent = places.lent.get(&path).filter(|_| root == Root::Drive && facts.is_symlink());
    if let Some(sealed) = lent {
        return each(Found::lent(path, sealed));
    }
    if !facts.is_file() && !facts.is_dir() {
        return;
    }
    each(Found::of(root, path.clone(), &facts));
    if !facts.is_dir() {
        return;
    }
    for name in names_in(&absolute, failed) {
        visit(places, root, path.join(name), skip, each, failed);
    }
}

/// What a folder holds, in order. One that is gone holds nothing.
fn names_in(folder: &Path, failed: &mut dyn FnMut(&Path, io::Error)) -> Vec<PathBuf> {
    let mut names = Vec::new();
    match fs::read_dir(folder) {
        Ok(entries) => {
            for entry in entries {
                match entry {
                    Ok(entry) => names.push(PathBuf::from(entry.file_name())),
                    Err(error) => failed(folder, error),
                }
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => (),
        Err(error) => failed(folder, error),
    }
    names.sort_unstable();
    names
}
