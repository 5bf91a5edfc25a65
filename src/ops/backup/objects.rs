//! Contents, each once, by their hash.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, Read as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use rustix::fs::{Advice, fadvise};

use super::{cannot, sync_folder};
use crate::Result;

pub(super) const OBJECTS: &str = "objects";
const COMING: &str = ".coming";

/// The store below a backup folder.
#[derive(Debug)]
pub(super) struct Objects {
    folder: PathBuf,
    /// Folders that got something new.
    changed: HashSet<PathBuf>,
    /// Bytes that were not there before.
    pub(super) new_bytes: u64,
}

impl Objects {
    pub(super) fn of(folder: &Path) -> Self {
        Self { folder: folder.join(OBJECTS), changed: HashSet::new(), new_bytes: 0 }
    }

    pub(super) fn path(&self, hash: &str) -> PathBuf {
        let (shelf, _) = hash.split_at_checked(2).unwrap_or((hash, ""));
        self.folder.join(shelf).join(hash)
    }

    pub(super) fn has(&self, hash: &str) -> bool {
        self.path(hash).exists()
    }

    /// Puts a file's content in; its hash.
    pub(super) fn add(&mut self, file: &mut File) -> Result<String> {
        let coming = self.folder.join(COMING);
        let _ = fs::remove_file(&coming);
        let mut write = || -> io::Result<(blake3::Hash, u64)> {
            let mut to =
                fs::OpenOptions::new().write(true).create_new(true).mode(0o400).open(&coming)?;
            let (hash, length) = copy(file, &mut to)?;
            to.sync_all()?;
            Ok((hash, length))
        };
        let (hash, length) = write().map_err(cannot("write", &coming))?;
        let hash = hash.to_hex().to_string();
        let path = self.path(&hash);
        if path.exists() {
            fs::remove_file(&coming).map_err(cannot("write", &coming))?;
            return Ok(hash);
        }
        let shelf = path.parent().unwrap_or(&self.folder).to_owned();
        if !shelf.exists() {
            let mut make = fs::DirBuilder::new();
            make.mode(0o700).create(&shelf).map_err(cannot("make", &shelf))?;
            self.changed.insert(self.folder.clone());
        }
        fs::rename(&coming, &path).map_err(cannot("write", &path))?;
        self.changed.insert(shelf);
        self.new_bytes += length;
        Ok(hash)
    }

    /// Makes all that was added last.
    pub(super) fn sync(&mut self) -> Result<()> {
        for folder in self.changed.drain() {
            sync_folder(&folder)?;
        }
        Ok(())
    }

    /// Copies a content to a new file, and says whether it is what its name says.
    pub(super) fn copy_to(&self, hash: &str, to: &mut File, path: &Path) -> Result<bool> {
        let from = self.path(hash);
        let mut file = match File::open(&from) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            file => file.map_err(cannot("read", &from))?,
        };
        let (found, _) = copy(&mut file, to).map_err(cannot("write", path))?;
        Ok(found.to_hex().as_str() == hash)
    }

    /// Whether a content is there and whole, as the disk has it.
    pub(super) fn is_whole(&self, hash: &str) -> Result<bool> {
        let path = self.path(hash);
        if let Ok(file) = File::open(&path) {
            let _ = fadvise(&file, 0, None, Advice::DontNeed);
        }
        Ok(path.exists() && hash_of(&path)? == hash)
    }

    /// Whether a content is there; not, where a crash left nothing of it but a name.
    pub(super) fn is_there(&self, hash: &str, size: u64) -> bool {
        fs::metadata(self.path(hash)).is_ok_and(|facts| 0 < facts.len() || size == 0)
    }

    /// Puts a damaged content aside, so that the next backup brings it again. What is left of it stays:
    /// it may be the last of its kind.
    pub(super) fn put_aside(&self, hash: &str) -> Result<()> {
        let path = self.path(hash);
        match fs::rename(&path, path.with_extension("damaged")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(cannot("rename", &path)(error))
            }
            _ => Ok(()),
        }
    }

    /// Removes what no list names.
    pub(super) fn keep_only(&self, named: &HashSet<[u8; 32]>) -> Result<()> {
        for shelf in fs::read_dir(&self.folder).map_err(cannot("read", &self.folder))?.flatten() {
            if !shelf.path().is_dir() {
                continue;
            }
            for entry in fs::read_dir(shelf.path()).map_err(cannot("read", &shelf.path()))? {
                let entry = entry.map_err(cannot("read", &shelf.path()))?;
                let mut hash = [0; 32];
                let name = entry.file_name();
                // A name that is no hash is not ours.
                if hex::decode_to_slice(name.as_encoded_bytes(), &mut hash).is_ok()
                    && !named.contains(&hash)
                {
                    fs::remove_file(entry.path()).map_err(cannot("remove", &entry.path()))?;
                }
            }
        }
        Ok(())
    }
}

/// BLAKE3 of a file, hex.
pub(super) fn hash_of(path: &Path) -> Result<String> {
    let mut file = File::open(path).map_err(cannot("read", path))?;
    let (hash, _) = copy(&mut file, &mut io::sink()).map_err(cannot("read", path))?;
    Ok(hash.to_hex().to_string())
}

fn copy(from: &mut File, to: &mut impl io::Write) -> io::Result<(blake3::Hash, u64)> {
    let mut hasher = blake3::Hasher::new();
    let mut length = 0;
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            to.flush()?;
            return Ok((hasher.finalize(), length));
        }
        hasher.update(&buffer[..read]);
        to.write_all(&buffer[..read])?;
        length += read as u64;
    }
}
