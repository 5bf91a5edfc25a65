//! Lists a tree of folders, one folder at a time and in order, with bounded memory. Symbolic links
//! are not followed, so there are no loops and nothing outside the root; pipes and devices are
//! passed by.

use std::{
    collections::HashMap,
    mem::MaybeUninit,
    ops::ControlFlow,
    os::{fd::OwnedFd, unix::ffi::OsStrExt as _},
    path::{Path, PathBuf},
};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir};

use super::listing::{Entry, Listing, is_skipped_folder, kind_of};
use crate::{media::sealed::Sealed, path_text};

/// Folders nested deeper are not listed: no music lies there, and paths have a longest length.
const DEEPEST: usize = 200;

/// Files of a locker whose bytes lie in a watched folder, by path: symlinks that stand for music.
pub(super) type Lent = HashMap<String, Sealed>;

/// Whether to go down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// Everything below.
    All,
    /// This folder alone.
    One,
}

/// What the walk came upon.
#[derive(Debug)]
pub(super) enum Step {
    /// A folder.
    Folder(Listing),
    /// A folder that cannot be listed, and why; nothing is known of what is below it.
    Trouble {
        /// Relative to the root.
        path: String,
        /// A sentence.
        reason: String,
    },
}

/// Lists `from` (relative to `root`, '' for all) and what is below it. `tell` may break off.
pub(super) fn walk(
    root: &Path,
    from: &str,
    depth: Depth,
    lent: &Lent,
    mut tell: impl FnMut(Step) -> ControlFlow<()>,
) {
    let mut pending = vec![from.to_owned()];
    let mut buffer = vec![MaybeUninit::uninit(); 32 << 10];
    while let Some(path) = pending.pop() {
        let absolute = absolute(root, &path);
        let step = match list(&absolute, &path, lent, &mut buffer) {
            Ok((listing, mut below)) => {
                if depth == Depth::All && path.matches('/').count() < DEEPEST {
                    // The last one pushed is listed next, so the order is that of names.
                    below.sort_unstable_by(|a, b| b.cmp(a));
                    pending.extend(below);
                }
                Step::Folder(listing)
            }
            Err(error) => Step::Trouble { path, reason: sentence(&absolute, error) },
        };
        if tell(step).is_break() {
            return;
        }
    }
}

/// The place of a relative path on disk.
pub(super) fn absolute(root: &Path, path: &str) -> PathBuf {
    if path.is_empty() { root.to_owned() } else { root.join(path_text::decode(path)) }
}

/// Opens a folder itself, never through a link; the root may be one.
pub(super) fn open_folder(absolute: &Path, path: &str) -> rustix::io::Result<OwnedFd> {
    let mut flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    if !path.is_empty() {
        flags |= OFlags::NOFOLLOW;
    }
    rustix::fs::openat(CWD, absolute, flags, Mode::empty())
}

/// A folder's listing and the paths of folders in it.
fn list(
    absolute: &Path,
    path: &str,
    lent: &Lent,
    buffer: &mut [MaybeUninit<u8>],
) -> rustix::io::Result<(Listing, Vec<String>)> {
    let folder = open_folder(absolute, path)?;
    let own = rustix::fs::fstat(&folder)?;
    let (mut entries, mut below) = (Vec::new(), Vec::new());
    let mut ignored = false;
    let mut reader = RawDir::new(&folder, buffer);
    while let Some(entry) = reader.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name == b".nomedia" {
            ignored = true;
        }
        if name.first() == Some(&b'.') {
            continue;
        }
        let mut kind = entry.file_type();
        let relevant = kind_of(name);
        let may_be_lent = |kind| kind == FileType::Symlink && !lent.is_empty();
        if kind == FileType::Unknown
            || ((kind == FileType::RegularFile || may_be_lent(kind)) && relevant.is_some())
        {
            // Gone or unreadable between listing and looking: as if it were not there.
            let Ok(stat) =
                rustix::fs::statat(&folder, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW)
            else {
                continue;
            };
            kind = FileType::from_raw_mode(stat.st_mode);
            if let (FileType::RegularFile, Some(relevant)) = (kind, relevant) {
                entries.push(Entry {
                    name: path_text::encode(name),
                    kind: relevant,
                    size_bytes: stat.st_size,
                    modified_ns: time_ns(stat.st_mtime, stat.st_mtime_nsec),
                    inode: stat.st_ino as i64,
                });
            } else if let (true, Some(relevant)) = (may_be_lent(kind), relevant) {
                let name = path_text::encode(name);
                let whole = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
                entries.extend(lent.get(&whole).map(|sealed| Entry {
                    name,
                    kind: relevant,
                    size_bytes: i64::try_from(sealed.size).unwrap_or(i64::MAX),
                    modified_ns: sealed.modified_ns,
                    inode: stat.st_ino as i64,
                }));
            }
        }
        if kind == FileType::Directory && !is_skipped_folder(name) {
            let name = path_text::encode(name);
            below.push(if path.is_empty() { name } else { format!("{path}/{name}") });
        }
    }
    if ignored {
        entries.clear();
        below.clear();
    }
    let modified_ns = time_ns(own.st_mtime, own.st_mtime_nsec);
    Ok((Listing::new(path.to_owned(), modified_ns, entries), below))
}

fn time_ns(seconds: i64, nanoseconds: impl TryInto<i64>) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds.try_into().unwrap_or(0))
}

fn sentence(absolute: &Path, error: rustix::io::Errno) -> String {
    let shown = String::from_utf8_lossy(absolute.as_os_str().as_bytes()).into_owned();
    match error {
        rustix::io::Errno::NOENT => format!("{shown} is not there"),
        rustix::io::Errno::ACCESS | rustix::io::Errno::PERM => format!("{shown} may not be read"),
        rustix::io::Errno::NOTDIR | rustix::io::Errno::LOOP => format!("{shown} is not a folder"),
        error => format!("{shown} cannot be read: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders(root: &Path, from: &str, depth: Depth) -> Vec<(String, Vec<String>)> {
        let mut found = Vec::new();
        walk(root, from, depth, &Lent::new(), |step| {
            if let Step::Folder(listing) = step {
                let names = listing.entries.iter().map(|entry| entry.name.clone()).collect();
                found.push((listing.path, names));
            }
            ControlFlow::Continue(())
        });
        found
    }

    #[test]
    fn lists_in_order_and_follows_no_link() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        for folder in ["b/CD1", "a", ".hidden", "quiet", "pipe.mp3"] {
            std::fs::create_dir_all(at(folder)).unwrap();
        }
        for file in ["b/2.mp3", "b/1.FLAC", "b/x.nfo", "a/._1.mp3", ".hidden/x.mp3", "quiet/x.mp3"]
        {
            std::fs::write(at(file), "x").unwrap();
        }
        std::fs::write(at("quiet/.nomedia"), "").unwrap();
        std::os::unix::fs::symlink("..", at("a/loop")).unwrap();
        std::os::unix::fs::symlink("../b/2.mp3", at("a/link.mp3")).unwrap();
        rustix::fs::mknodat(CWD, at("a/fifo.mp3"), FileType::Fifo, Mode::RWXU, 0).unwrap();

        let named = |path: &str, names: &[&str]| {
            (path.to_owned(), names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(
            folders(root.path(), "", Depth::All),
            [
                named("", &[]),
                named("a", &[]),
                named("b", &["1.FLAC", "2.mp3"]),
                named("b/CD1", &[]),
                named("pipe.mp3", &[]),
                named("quiet", &[]),
            ]
        );
        assert_eq!(folders(root.path(), "b", Depth::One), [named("b", &["1.FLAC", "2.mp3"])]);
        assert_eq!(folders(&at("nowhere"), "", Depth::All), []);
        assert_eq!(folders(root.path(), "a/loop", Depth::All), []);
    }
}
