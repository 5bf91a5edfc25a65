//! A trial of the disk: bytes are written, forced onto it, read back from it and deleted.

use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    os::fd::OwnedFd,
};

use rustix::fs::{Advice, AtFlags, Mode, OFlags, fadvise, fsync, openat, unlinkat};

use super::{Disk, FOLDER, STAGING, beneath};

/// Bytes that are tried: more than a disk puts into a corner of its own.
const TRIED: usize = 1 << 20;

impl Disk {
    /// Takes the disk for sound again if it keeps what is written to a file `name` of staging.
    pub(in crate::drive) fn try_out(&self, name: &str) -> io::Result<()> {
        self.storage.over(|| {
            let staging = beneath(self.root()?, STAGING, FOLDER)?;
            let tried = try_in(&staging, name);
            let gone = unlinkat(&staging, name, AtFlags::empty());
            tried?;
            gone?;
            Ok(fsync(&staging)?)
        })?;
        self.storage.clear();
        Ok(())
    }
}

fn try_in(folder: &OwnedFd, name: &str) -> io::Result<()> {
    let mut bytes = vec![0; TRIED];
    blake3::Hasher::new().update(name.as_bytes()).finalize_xof().fill(&mut bytes);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let mut file = File::from(openat(folder, name, flags, Mode::from_raw_mode(0o600))?);
    file.write_all(&bytes)?;
    file.sync_all()?;
    fsync(folder)?;
    // What is on the disk is asked for, not what the memory remembers of it.
    let _ = fadvise(&file, 0, None, Advice::DontNeed);
    let mut back = Vec::with_capacity(TRIED);
    File::from(beneath(folder, name, OFlags::RDONLY)?).read_to_end(&mut back)?;
    if back == bytes {
        return Ok(());
    }
    Err(rustix::io::Errno::IO.into())
}
