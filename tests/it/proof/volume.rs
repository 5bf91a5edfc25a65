//! A small ext4 of its own, which can lose its power: what was not forced onto it is gone then.

use std::{
    fs::File,
    os::fd::AsRawFd as _,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// `_IOR('X', 125, __u32)`, of `fs/ext4/ext4.h`.
const SHUTDOWN: libc::Ioctl = 0x8004_587d_u32 as libc::Ioctl;
/// Not even what is in the journal's memory is written: as when the plug is drawn.
const NO_LOG_FLUSH: u32 = 2;

/// A mounted one. Dropping it unmounts it.
pub(super) struct Volume {
    home: tempfile::TempDir,
    is_cut: Arc<AtomicBool>,
}

impl Volume {
    /// One of so many bytes, empty.
    pub(super) fn new(bytes: u64) -> Self {
        let volume = Self { home: tempfile::tempdir().unwrap(), is_cut: Arc::default() };
        File::create(volume.image()).unwrap().set_len(bytes).unwrap();
        run(Command::new("mkfs.ext4").args(["-q", "-F", "-m", "0"]).arg(volume.image()));
        std::fs::create_dir(volume.path()).unwrap();
        volume.mount();
        volume
    }

    fn image(&self) -> PathBuf {
        self.home.path().join("image")
    }

    pub(super) fn path(&self) -> PathBuf {
        self.home.path().join("mounted")
    }

    /// With a journal that writes itself seldom: what a program does not force stays in memory for
    /// as long as a cut may need.
    fn mount(&self) {
        let options = "loop,noatime,commit=600";
        run(Command::new("mount").args(["-o", options]).arg(self.image()).arg(self.path()));
    }

    /// The power is gone, now.
    #[expect(unsafe_code, reason = "the call has no safe name")]
    pub(super) fn cut(&self) {
        let root = File::open(self.path()).unwrap();
        let flag = NO_LOG_FLUSH;
        self.is_cut.store(true, Ordering::SeqCst);
        // SAFETY: the call reads one `__u32` behind the pointer, which outlives it.
        let done = unsafe { libc::ioctl(root.as_raw_fd(), SHUTDOWN, &raw const flag) };
        assert_eq!(done, 0, "{}", std::io::Error::last_os_error());
    }

    /// The power is back: mounted again, its journal replayed. Nobody may have a file open on it.
    pub(super) fn remount(&self) {
        run(Command::new("umount").arg(self.path()));
        self.mount();
        self.is_cut.store(false, Ordering::SeqCst);
    }

    /// Whether its power is gone, or goes at this moment.
    pub(super) fn is_cut(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_cut)
    }

    /// Bytes that still fit.
    pub(super) fn free(&self) -> u64 {
        let facts = rustix::fs::statvfs(self.path()).unwrap();
        facts.f_bavail * facts.f_frsize
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| {
        panic!("{command:?}: {error}; .ci/packages test installs what is missing")
    });
    assert!(
        output.status.success(),
        "{command:?} needs root and loop devices: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A file that takes all the room that is left.
pub(super) fn fill(path: &Path) {
    use std::io::Write as _;
    let mut file = File::create(path).unwrap();
    for size in [1 << 20, 1 << 16, 1 << 12, 1] {
        let piece = vec![7; size];
        while file.write_all(&piece).and_then(|()| file.sync_data()).is_ok() {}
    }
}
