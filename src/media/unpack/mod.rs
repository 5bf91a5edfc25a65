//! Archives taken apart: zip, tar, and tar packed by gzip, zstd or xz. The reading is done in a
//! worker process ([`read`]); here is what both sides say to each other. They speak over one line:
//! the worker tells of an entry, the daemon answers whether it wants it, and then its bytes come.
//! Names are words of a stranger: whoever takes an entry decides what it may be called.

mod line;
mod read;

use serde::{Deserialize, Serialize};

pub(super) use line::{Line, Said, hear};
pub(super) use read::read;

/// Names of entries may be this long, in bytes; a locker takes no longer ones.
pub(super) const LONGEST_NAME: usize = 8 << 10;

/// How far a worker may go with an archive.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Order {
    /// Bytes that may come out of it in all: what is more is a bomb.
    pub bytes: u64,
    /// Entries.
    pub entries: usize,
}

/// An entry as the archive tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its name, `/` between folders, not judged.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// Bytes, as the archive says; no more than these will come.
    pub size: u64,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EntryKind {
    /// A plain file.
    File,
    /// A folder.
    Folder,
    /// A symbolic or hard link.
    Link,
    /// A device, pipe or socket.
    Special,
    /// A file that needs a password.
    Locked,
    /// A file that is packed in a way that is not known here.
    Unknown,
}

impl EntryKind {
    /// Why it is never unpacked: a word for programs and a sentence. `None` for files and folders.
    #[must_use]
    pub fn refusal(self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::File | Self::Folder => return None,
            Self::Link => ("link", "Links in archives are not unpacked"),
            Self::Special => ("special", "It is a device or a pipe, no file"),
            Self::Locked => ("locked", "It is locked by a password"),
            Self::Unknown => ("method", "It is packed in a way that is not known here"),
        })
    }
}

/// What comes out of an archive, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unpacked {
    /// The next entry; nothing more comes until it is wanted or not.
    Entry(Entry),
    /// Bytes of the entry that was wanted.
    Bytes(bytes::Bytes),
    /// That was all of it.
    Whole,
    /// The rest of it cannot be had, as a sentence.
    Broken(String),
    /// There are no more entries; with a sentence where the archive broke off.
    End(Option<String>),
}

/// Endings of names of archives that are unpacked.
const ENDINGS: [&str; 8] =
    [".zip", ".tar", ".tgz", ".tar.gz", ".tar.zst", ".tzst", ".tar.xz", ".txz"];

/// Whether a file is called as an archive is that could be unpacked.
#[must_use]
pub fn is_archive_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ENDINGS.iter().any(|ending| ending.len() < name.len() && name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_are_known_by_name() {
        for name in ["a.zip", "A.ZIP", "x.tar.gz", "x.tgz", "x.tar", "x.tar.zst", "x.tar.xz"] {
            assert!(is_archive_name(name), "{name}");
        }
        for name in ["zip", ".zip", "a.zip.mp3", "a.gz", "a.7z", "a.rar", "tar", ""] {
            assert!(!is_archive_name(name), "{name}");
        }
    }
}
