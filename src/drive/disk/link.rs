//! One copy for many owners: a second file of the same bytes, by shared blocks where the file
//! system can, else as another name of an inode that nobody may write to, else as a copy.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _},
    os::fd::{AsRawFd as _, OwnedFd},
    os::unix::fs::FileExt as _,
    path::Path,
};

use rustix::{
    fs::{AtFlags, CWD, Mode, OFlags, fchmod, ioctl_ficlone, linkat, openat, unlinkat},
    io::Errno,
};

use super::{Disk, FOLDER, STAGING, Staged, beneath, file_facts, lent::point, room::require_room};
use crate::storage::{Written, only_read};

/// How a file's bytes got to where they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Sent, or found on the disk.
    Own,
    /// Blocks shared with another file.
    Reflink,
    /// Another name of an inode.
    HardLink,
    /// Copied.
    Copy,
    /// They lie in a watched folder; here is nothing but a symlink.
    Reference,
}

impl Origin {
    /// As the rows say it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Reflink => "reflink",
            Self::HardLink => "hardlink",
            Self::Copy => "copy",
            Self::Reference => "reference",
        }
    }
}

/// Whether a source may get another name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kinship {
    /// It lies in a locker: its inode may be made read-only and shared.
    Locker,
    /// It lies outside of the drive, where nothing of it is changed.
    Outside,
}

/// How much of a file its quick key is made of.
const QUICK: usize = 64 * 1024;

impl Disk {
    /// A file in staging with the bytes of another, on the disk already. The source is read from
    /// its start; whoever has to know that it did not change meanwhile looks afterwards.
    pub(in crate::drive) fn stage_copy(
        &self,
        name: &str,
        source: &File,
        kinship: Kinship,
    ) -> io::Result<Staged> {
        self.storage.over(|| {
            let folder = beneath(self.root()?, STAGING, FOLDER)?;
            let (file, origin) = copy_into(&folder, name, source, kinship)?;
            Ok(self.stage_made(folder, name, file, origin))
        })
    }

    /// The same of a file of a watched folder, which may be pointed at: where no blocks can be
    /// shared, what is staged is a symlink that says where the bytes are.
    pub(in crate::drive) fn stage_reference(
        &self,
        name: &str,
        source: &File,
        target: &Path,
    ) -> io::Result<Staged> {
        self.storage.over(|| {
            let folder = beneath(self.root()?, STAGING, FOLDER)?;
            let (file, origin) = match share_blocks(&folder, name, source)? {
                Some(file) => (file, Origin::Reflink),
                None => {
                    point(&folder, name, target, file_facts(source)?.1)?;
                    (source.try_clone()?, Origin::Reference)
                }
            };
            Ok(self.stage_made(folder, name, file, origin))
        })
    }

    fn stage_made(&self, folder: OwnedFd, name: &str, file: File, origin: Origin) -> Staged {
        let file = Written::new(file, self.storage.clone());
        Staged { file, folder, name: name.to_owned(), origin, is_lasting: false, note: None }
    }
}

/// A new file `name` of a folder with the bytes of another, on the disk already.
pub(super) fn copy_into(
    folder: &OwnedFd,
    name: &str,
    mut source: &File,
    kinship: Kinship,
) -> io::Result<(File, Origin)> {
    if let Some(made) = share_blocks(folder, name, source)? {
        return Ok((made, Origin::Reflink));
    }
    // Nothing is saved by sharing no bytes.
    if kinship == Kinship::Locker
        && 0 < source.metadata()?.len()
        && let Some(linked) = link_into(folder, name, source)?
    {
        return Ok((linked, Origin::HardLink));
    }
    // Copies leave the room that everything else needs as what is sent does.
    require_room(folder, source.metadata()?.len())?;
    let mut made = make(folder, name)?;
    source.rewind()?;
    let copied = io::copy(&mut source, &mut made)
        // Of two files, the one that fails may be the one that is read.
        .map_err(
            |error| if digest(source, None, |_| true).is_err() { only_read(error) } else { error },
        )
        .and_then(|_| made.sync_all());
    if let Err(error) = copied {
        unlinkat(folder, name, AtFlags::empty())?;
        return Err(error);
    }
    Ok((made, Origin::Copy))
}

fn make(folder: &OwnedFd, name: &str) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    Ok(File::from(openat(folder, name, flags, Mode::from_raw_mode(0o644))?))
}

/// A new file over the blocks of another; `None`, and nothing is there, where that cannot be.
fn share_blocks(folder: &OwnedFd, name: &str, source: &File) -> io::Result<Option<File>> {
    let made = make(folder, name)?;
    match ioctl_ficlone(&made, source) {
        Ok(()) => match made.sync_all() {
            Ok(()) => return Ok(Some(made)),
            Err(error) => {
                unlinkat(folder, name, AtFlags::empty())?;
                return Err(error);
            }
        },
        Err(error) => {
            unlinkat(folder, name, AtFlags::empty())?;
            if matches!(error, Errno::NOSPC | Errno::DQUOT) {
                return Err(Errno::NOSPC.into());
            }
        }
    }
    Ok(None)
}

/// Another name of a file's inode, which is read-only from then on; `None` where that cannot be.
fn link_into(folder: &OwnedFd, name: &str, source: &File) -> io::Result<Option<File>> {
    let place = format!("/proc/self/fd/{}", source.as_raw_fd());
    let linked = fchmod(source, Mode::from_raw_mode(0o444))
        .and_then(|()| linkat(CWD, place, folder, name, AtFlags::SYMLINK_FOLLOW));
    match linked {
        Ok(()) => (),
        Err(Errno::NOSPC | Errno::DQUOT) => return Err(Errno::NOSPC.into()),
        Err(_) => return Ok(None),
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = File::from(openat(folder, name, flags, Mode::empty())?);
    // Other hands may have put it there a moment ago.
    if let Err(error) = file.sync_all() {
        unlinkat(folder, name, AtFlags::empty())?;
        return Err(error);
    }
    Ok(Some(file))
}

/// BLAKE3 of a file's first 64 KiB.
pub(crate) fn quick_key(file: &File) -> io::Result<[u8; 32]> {
    let mut buffer = vec![0; QUICK];
    let mut filled = 0;
    while filled < QUICK {
        match file.read_at(&mut buffer[filled..], filled as u64)? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(*blake3::hash(&buffer[..filled]).as_bytes())
}

/// What [`digest`] finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Digests {
    /// BLAKE3 of everything.
    pub(crate) content: [u8; 32],
    /// The same under a key, where one was given.
    pub(crate) keyed: Option<[u8; 32]>,
    /// Bytes read.
    pub(crate) length: u64,
}

/// Reads a whole file once. `go_on` is asked at each piece.
pub(crate) fn digest(
    mut file: &File,
    key: Option<&[u8; 32]>,
    mut go_on: impl FnMut(usize) -> bool,
) -> io::Result<Option<Digests>> {
    file.rewind()?;
    let mut content = blake3::Hasher::new();
    let mut keyed = key.map(blake3::Hasher::new_keyed);
    let mut length = 0;
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            let keyed = keyed.map(|keyed| *keyed.finalize().as_bytes());
            let content = *content.finalize().as_bytes();
            return Ok(Some(Digests { content, keyed, length }));
        }
        content.update(&buffer[..read]);
        if let Some(keyed) = &mut keyed {
            keyed.update(&buffer[..read]);
        }
        length += read as u64;
        if !go_on(read) {
            return Ok(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    use super::*;

    #[test]
    fn a_lockers_bytes_are_shared_and_others_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::open(folder.path().join("drive")).unwrap();
        disk.make_locker("lockers/ann").unwrap();
        let path = folder.path().join("drive/lockers/ann/a");
        std::fs::write(&path, [7; 100_000]).unwrap();
        let source = File::open(&path).unwrap();
        let staged = disk.stage_copy("one", &source, Kinship::Locker).unwrap();
        let origin = staged.origin;
        assert!(matches!(origin, Origin::Reflink | Origin::HardLink), "{origin:?}");
        drop(staged.place(&disk, "lockers/bob", "b").unwrap());
        let made = folder.path().join("drive/lockers/bob/b");
        assert_eq!(std::fs::read(&made).unwrap(), [7; 100_000]);
        if origin == Origin::HardLink {
            let facts = std::fs::metadata(&made).unwrap();
            assert_eq!((facts.nlink(), facts.permissions().mode() & 0o777), (2, 0o444));
        }

        let outside = folder.path().join("outside");
        std::fs::write(&outside, b"abc").unwrap();
        let mode = std::fs::metadata(&outside).unwrap().permissions().mode();
        let source = File::open(&outside).unwrap();
        let staged = disk.stage_copy("two", &source, Kinship::Outside).unwrap();
        assert_ne!(staged.origin, Origin::HardLink);
        drop(staged.place(&disk, "lockers/bob", "c").unwrap());
        let facts = std::fs::metadata(&outside).unwrap();
        assert_eq!((facts.nlink(), facts.permissions().mode()), (1, mode));
        assert_eq!(std::fs::read(folder.path().join("drive/lockers/bob/c")).unwrap(), b"abc");
    }

    #[test]
    fn quick_keys_are_of_the_beginning() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let bytes: Vec<u8> = (0..200_000_u32).map(|at| (at % 251) as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        let file = File::open(&path).unwrap();
        assert_eq!(quick_key(&file).unwrap(), *blake3::hash(&bytes[..65_536]).as_bytes());
        let key = [9; 32];
        let found = digest(&file, Some(&key), |_| true).unwrap().unwrap();
        assert_eq!(found.content, *blake3::hash(&bytes).as_bytes());
        assert_eq!(found.keyed, Some(*blake3::keyed_hash(&key, &bytes).as_bytes()));
        assert_eq!(found.length, 200_000);
        assert_eq!(digest(&file, None, |_| false).unwrap(), None);
    }
}
