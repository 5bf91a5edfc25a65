//! What is in something that lies on a shelf: read while it lies there, and erased file by file.

use std::{fs::File, io};

use rustix::{
    fs::{AtFlags, unlinkat},
    io::Errno,
};

use super::{Disk, FOLDER, LentFiles, beneath, list_with, open_file, shelf::Spot};

impl Disk {
    /// A kept file, open for reading.
    pub(in crate::drive) fn open_shelved(&self, spot: &Spot) -> io::Result<(File, u64, i64)> {
        open_file(&beneath(self.root()?, &spot.folder(), FOLDER)?, &spot.name)
    }

    /// A file of something kept, open for reading: the thing itself, or one inside of a folder.
    pub(in crate::drive) fn open_inside(&self, spot: &Spot, inner: &str) -> io::Result<File> {
        let folder = beneath(self.root()?, &spot.folder(), FOLDER)?;
        let path =
            if inner.is_empty() { spot.name.clone() } else { format!("{}/{inner}", spot.name) };
        Ok(open_file(&folder, &path)?.0)
    }

    /// Deletes one file inside of a kept folder, if it is there.
    pub(in crate::drive) fn erase_inside(&self, spot: &Spot, inner: &str) -> io::Result<()> {
        self.storage.over(|| {
            let (below, name) = inner.rsplit_once('/').unwrap_or(("", inner));
            let folder = format!("{}/{}/{below}", spot.folder(), spot.name);
            let folder = match beneath(self.root()?, folder.trim_end_matches('/'), FOLDER) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                folder => folder?,
            };
            match unlinkat(&folder, name, AtFlags::empty()) {
                Err(Errno::NOENT) => Ok(()),
                done => Ok(done?),
            }
        })
    }

    /// Every file in something kept, relative to it; '' is a file itself.
    pub(in crate::drive) fn shelved_files(
        &self,
        spot: &Spot,
        lent: &LentFiles,
    ) -> io::Result<Vec<(String, u64, i64)>> {
        let folder = beneath(self.root()?, &spot.folder(), FOLDER)?;
        let (mut files, mut left) = (Vec::new(), vec![String::new()]);
        while let Some(at) = left.pop() {
            let below =
                |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}/{name}") };
            let inner = |path: &str| path.split_once('/').map_or("", |(_, inner)| inner).to_owned();
            for found in list_with(&folder, &at, |name| lent.get(&inner(&below(name))))? {
                let path = below(&found.name);
                if found.is_folder {
                    left.push(path);
                } else {
                    files.push((inner(&path), found.size, found.modified_ns));
                }
            }
        }
        Ok(files)
    }
}
