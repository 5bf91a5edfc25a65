//! What the drive's file system can, found out at the start, and how a file is replaced where it
//! cannot exchange two: what was there goes aside under a name of its own with a note of where it
//! was, so that at every moment each of the two files is somewhere, and a start after a crash knows
//! what to do with it.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::fd::OwnedFd,
};

use rustix::{
    fs::{
        AtFlags, Mode, OFlags, RenameFlags, fsync, ioctl_ficlone, linkat, openat, renameat_with,
        statat, unlinkat,
    },
    io::Errno,
};

use super::{Disk, FOLDER, STAGING, Spot, Staged, beneath, is_folder, make_folders, rename_new};

/// What the names of files that went aside begin with.
const ASIDE: &str = "was-";
/// What the names of their notes end with.
const NOTE: &str = ".origin";

/// What a file system can besides renaming.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that it can or cannot")]
pub struct Abilities {
    /// Renaming without replacing what is there.
    pub no_replace: bool,
    /// Exchanging two names.
    pub exchange: bool,
    /// Several names for one file.
    pub links: bool,
    /// Several files of the same blocks.
    pub reflinks: bool,
}

impl Abilities {
    /// Everything, as long as nobody looked.
    pub(in crate::drive) const ALL: Self =
        Self { no_replace: true, exchange: true, links: true, reflinks: true };

    /// What it can and what not, in words.
    #[must_use]
    pub fn sentence(self) -> String {
        match self.missing().join(", ") {
            none if none.is_empty() => "all that keeps files safest".to_owned(),
            missing => format!("no {missing}; that is done in more steps, or by copying"),
        }
    }

    /// What is missing, in words.
    fn missing(self) -> Vec<&'static str> {
        let all = [
            (self.no_replace, "renaming without replacing"),
            (self.exchange, "exchanging two files"),
            (self.links, "hard links"),
            (self.reflinks, "shared blocks (reflinks)"),
        ];
        all.into_iter().filter(|(has, _)| !has).map(|(_, what)| what).collect()
    }
}

/// What became of the file that was replaced.
pub(super) enum Replaced {
    /// There was none.
    Nothing,
    /// It has the name in staging that the new one had.
    Exchanged,
    /// It went aside; the new one had this name in staging.
    Aside(String),
}

impl Disk {
    /// Tries what publishing needs in staging: without renames that replace, and bytes that are on
    /// the disk for sure, it is no drive. The rest is found out and told.
    pub(super) fn probe(&mut self) -> io::Result<()> {
        let mut probe = self.stage("probe", None)?;
        probe.file.write_all(&[0; 4096])?;
        probe.file.sync_all()?;
        let other = self.stage("probe-2", None)?;
        let rename = |flags| renameat_with(&probe.folder, "probe", &probe.folder, "probe-2", flags);
        let abilities = Abilities {
            no_replace: matches!(rename(RenameFlags::NOREPLACE), Err(Errno::EXIST)),
            exchange: rename(RenameFlags::EXCHANGE).is_ok(),
            links: linkat(&probe.folder, "probe", &probe.folder, "probe-3", AtFlags::empty())
                .is_ok(),
            reflinks: ioctl_ficlone(&other.file, &probe.file).is_ok(),
        };
        if abilities.links {
            unlinkat(&probe.folder, "probe-3", AtFlags::empty())?;
        }
        rename(RenameFlags::empty())?;
        fsync(&probe.folder)?;
        self.abilities = abilities;
        let missing = abilities.missing().join(", ");
        if !abilities.no_replace || !abilities.exchange || !abilities.links {
            tracing::warn!(
                drive.missing = missing,
                "the file system of the drive cannot do all that keeps files safest; what it cannot is done in more steps, or by copying"
            );
        } else {
            tracing::info!(drive.missing = missing, "the drive was tried");
        }
        Ok(())
    }

    fn rename(
        &self,
        (from, name): (&OwnedFd, &str),
        (to, new): (&OwnedFd, &str),
        flags: RenameFlags,
    ) -> Result<(), Errno> {
        let refused = (flags == RenameFlags::NOREPLACE && !self.abilities.no_replace)
            // Without links nothing but a note makes the old file outlive a crash.
            || (flags == RenameFlags::EXCHANGE && !(self.abilities.exchange && self.abilities.links));
        if refused { Err(Errno::INVAL) } else { renameat_with(from, name, to, new, flags) }
    }

    /// Files that were aside when the server ended: back in their place if nothing is there, else
    /// among the versions, where they are found.
    pub(super) fn bring_back_aside(&self) -> io::Result<()> {
        let staging = beneath(self.root()?, STAGING, FOLDER)?;
        for entry in fs::read_dir(self.root.join(STAGING))? {
            let note = entry?.file_name().to_string_lossy().into_owned();
            let Some(aside) = note.strip_suffix(NOTE).filter(|it| it.starts_with(ASIDE)) else {
                continue;
            };
            let text = fs::read_to_string(self.root.join(STAGING).join(&note))?;
            // A note that was not written whole is one whose file never went.
            if let Some((locker, path)) = text.split_once('\n')
                && statat(&staging, aside, AtFlags::SYMLINK_NOFOLLOW).is_ok()
            {
                self.settle_aside(&staging, aside, (locker, path))?;
            }
            unlinkat(&staging, &*note, AtFlags::empty())?;
        }
        Ok(())
    }

    fn settle_aside(
        &self,
        staging: &OwnedFd,
        aside: &str,
        (locker, path): (&str, &str),
    ) -> io::Result<()> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parent = make_folders(self.make_locker(locker)?, folder)?;
        match rename_new(staging, aside, &parent, name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => (),
            back => {
                back?;
                return Ok(fsync(&parent)?);
            }
        }
        let owner = locker.rsplit('/').next().unwrap_or(locker);
        let id = aside.trim_start_matches(ASIDE).to_owned();
        let spot = Spot { shelf: format!("versions/{owner}"), id, name: name.to_owned() };
        let to = self.prepare(&spot, path)?;
        rename_new(staging, aside, &to, name)?;
        Ok(fsync(&to)?)
    }
}

impl Staged {
    /// Renames into place whatever is there; what became of that.
    pub(super) fn rename_into(
        &mut self,
        disk: &Disk,
        (locker, path): (&str, &str),
        parent: &OwnedFd,
        name: &str,
    ) -> io::Result<Replaced> {
        let rename = |flags| disk.rename((&self.folder, &self.name), (parent, name), flags);
        match rename(RenameFlags::NOREPLACE) {
            Ok(()) => return Ok(Replaced::Nothing),
            Err(Errno::EXIST | Errno::INVAL | Errno::NOSYS) => (),
            Err(error) => return Err(error.into()),
        }
        match statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => {
                rename(RenameFlags::empty())?;
                return Ok(Replaced::Nothing);
            }
            stat if is_folder(&stat?) => return Err(Errno::ISDIR.into()),
            _ => (),
        }
        match rename(RenameFlags::EXCHANGE) {
            Ok(()) => return Ok(Replaced::Exchanged),
            Err(Errno::INVAL | Errno::NOSYS) => (),
            Err(error) => return Err(error.into()),
        }
        self.put_aside((locker, path), parent, name)?;
        let plain = RenameFlags::empty();
        if let Err(error) = renameat_with(&self.folder, &*self.name, parent, name, plain) {
            self.take_back_aside(parent, name)?;
            return Err(error.into());
        }
        let aside = format!("{ASIDE}{}", self.name);
        Ok(Replaced::Aside(std::mem::replace(&mut self.name, aside)))
    }

    /// The note first, for sure; then what is at the place goes.
    fn put_aside(
        &mut self,
        (locker, path): (&str, &str),
        parent: &OwnedFd,
        name: &str,
    ) -> io::Result<()> {
        let aside = format!("{ASIDE}{}", self.name);
        let note = format!("{aside}{NOTE}");
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mut file = File::from(openat(&self.folder, &*note, flags, Mode::from_raw_mode(0o644))?);
        self.note = Some(note);
        file.write_all(format!("{locker}\n{path}").as_bytes())?;
        file.sync_all()?;
        fsync(&self.folder)?;
        renameat_with(parent, name, &self.folder, &*aside, RenameFlags::empty())?;
        fsync(&self.folder)?;
        Ok(())
    }

    fn take_back_aside(&self, parent: &OwnedFd, name: &str) -> io::Result<()> {
        rename_new(&self.folder, &format!("{ASIDE}{}", self.name), parent, name)?;
        Ok(fsync(parent)?)
    }

    /// Out of its place again, and what went aside for it back into it.
    pub(super) fn undo_aside(
        &mut self,
        staged: String,
        parent: &OwnedFd,
        name: &str,
    ) -> io::Result<()> {
        renameat_with(parent, name, &self.folder, &*staged, RenameFlags::empty())?;
        self.name = staged;
        self.take_back_aside(parent, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A drive on a file system that knows no more than renaming.
    fn poor(home: &tempfile::TempDir) -> Disk {
        let mut disk = Disk::open(home.path().to_owned()).unwrap();
        disk.abilities =
            Abilities { no_replace: false, exchange: false, links: false, reflinks: false };
        disk
    }

    fn staged(disk: &Disk, name: &str, bytes: &[u8]) -> Staged {
        let mut staged = disk.stage(name, None).unwrap();
        staged.file.write_all(bytes).unwrap();
        staged
    }

    fn read(home: &tempfile::TempDir, path: &str) -> String {
        fs::read_to_string(home.path().join(path)).unwrap()
    }

    fn left(home: &tempfile::TempDir) -> usize {
        fs::read_dir(home.path().join(STAGING)).unwrap().count()
    }

    const AT: (&str, &str) = ("lockers/ann", "Music/song");

    #[test]
    fn a_disk_of_few_abilities_replaces_and_takes_back() {
        let home = tempfile::tempdir().unwrap();
        let disk = poor(&home);
        drop(staged(&disk, "1", b"old").place(&disk, AT.0, AT.1).unwrap());
        assert_eq!((read(&home, "lockers/ann/Music/song").as_str(), left(&home)), ("old", 0));
        let placed = staged(&disk, "2", b"new").place(&disk, AT.0, AT.1).unwrap();
        assert!(placed.has_replaced());
        assert_eq!(read(&home, "lockers/ann/Music/song"), "new");
        placed.undo().unwrap();
        assert_eq!((read(&home, "lockers/ann/Music/song").as_str(), left(&home)), ("old", 0));
        drop(staged(&disk, "3", b"new").place(&disk, AT.0, AT.1).unwrap());
        assert_eq!((read(&home, "lockers/ann/Music/song").as_str(), left(&home)), ("new", 0));
        // What is kept goes to its shelf, and its note with it.
        let spot = Spot { shelf: "versions/ann".into(), id: "v".into(), name: "song".into() };
        let mut placed = staged(&disk, "4", b"newer").place(&disk, AT.0, AT.1).unwrap();
        placed.shelve(&disk, AT.1, &spot).unwrap();
        drop(placed);
        assert_eq!((read(&home, "versions/ann/v/song").as_str(), left(&home)), ("new", 0));
        // A folder is not replaced.
        fs::create_dir_all(home.path().join("lockers/ann/folder")).unwrap();
        let refused = staged(&disk, "5", b"x").place(&disk, AT.0, "folder");
        assert!(refused.is_err() && home.path().join("lockers/ann/folder").is_dir());
    }

    #[test]
    fn what_a_crash_left_aside_is_put_back_or_kept() {
        let home = tempfile::tempdir().unwrap();
        let disk = poor(&home);
        drop(staged(&disk, "1", b"old").place(&disk, AT.0, AT.1).unwrap());
        // Before the new one had the place.
        let mut new = staged(&disk, "2", b"new");
        let parent = beneath(disk.root().unwrap(), "lockers/ann/Music", FOLDER).unwrap();
        new.put_aside(AT, &parent, "song").unwrap();
        std::mem::forget(new);
        assert!(!home.path().join("lockers/ann/Music/song").exists());
        Disk::open(home.path().to_owned()).unwrap();
        assert_eq!((read(&home, "lockers/ann/Music/song").as_str(), left(&home)), ("old", 0));
        // After it, before anybody had written that down.
        let disk = poor(&home);
        std::mem::forget(staged(&disk, "3", b"new").place(&disk, AT.0, AT.1).unwrap());
        Disk::open(home.path().to_owned()).unwrap();
        assert_eq!((read(&home, "lockers/ann/Music/song").as_str(), left(&home)), ("new", 0));
        assert_eq!(read(&home, "versions/ann/3/song"), "old");
        assert_eq!(read(&home, "versions/ann/3.origin"), AT.1);
        // Before the old one went: there is nothing but a note.
        fs::write(home.path().join("staging/was-4.origin"), "lockers/ann\nMusic/song").unwrap();
        Disk::open(home.path().to_owned()).unwrap();
        assert_eq!((read(&home, "lockers/ann/Music/song").as_str(), left(&home)), ("new", 0));
    }

    #[test]
    fn what_a_disk_lacks_has_a_name() {
        let home = tempfile::tempdir().unwrap();
        let disk = poor(&home);
        assert_eq!(disk.abilities.missing().len(), 4);
        assert!(Abilities::ALL.missing().is_empty());
        let found = Disk::open(home.path().to_owned()).unwrap().abilities;
        assert!(found.links && found.no_replace, "{found:?}");
        assert_eq!(left(&home), 0);
    }
}
