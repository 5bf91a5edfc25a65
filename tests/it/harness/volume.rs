//! A small file system of its own: an ext4 that can lose its power, whose unforced bytes are gone then;
//! one whose disk fails; and such as can share blocks.

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

/// What the image is formatted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Hard links and renames of every kind.
    Ext4,
    /// The same, and shared blocks.
    Btrfs,
    /// The same.
    Xfs,
}

impl Format {
    fn make(self, image: &Path) {
        let (program, arguments): (_, &[&str]) = match self {
            Self::Ext4 => ("mkfs.ext4", &["-q", "-F", "-m", "0"]),
            Self::Btrfs => ("mkfs.btrfs", &["-q", "-f"]),
            Self::Xfs => ("mkfs.xfs", &["-q", "-f"]),
        };
        run(Command::new(program).args(arguments).arg(image));
    }
}

/// A mounted one. Dropping it unmounts it.
pub(crate) struct Volume {
    home: tempfile::TempDir,
    /// What its image lies on may be smaller than it is.
    is_thin: bool,
    format: Format,
    is_cut: Arc<AtomicBool>,
}

impl Volume {
    /// One of so many bytes, empty.
    pub(crate) fn new(bytes: u64) -> Self {
        Self::make(Format::Ext4, bytes, None)
    }

    /// One whose disk has so many bytes less than it says, and fails when they are asked for.
    pub(crate) fn thin(bytes: u64, real: u64) -> Self {
        Self::make(Format::Ext4, bytes, Some(real))
    }

    /// One of a certain kind, empty.
    pub(crate) fn of(format: Format) -> Self {
        // The least that each of them takes; a sparse file holds little of it.
        Self::make(format, 400_000_000, None)
    }

    fn make(format: Format, bytes: u64, real: Option<u64>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let is_thin = real.is_some();
        let volume = Self { home, is_thin, format, is_cut: Arc::default() };
        std::fs::create_dir(volume.below()).unwrap();
        if let Some(real) = real {
            let size = format!("size={real}");
            run(Command::new("mount")
                .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
                .arg(volume.below()));
        }
        File::create(volume.image()).unwrap().set_len(bytes).unwrap();
        format.make(&volume.image());
        std::fs::create_dir(volume.path()).unwrap();
        volume.mount();
        volume
    }

    /// What the disk is made of.
    pub(crate) fn below(&self) -> PathBuf {
        self.home.path().join("below")
    }

    fn image(&self) -> PathBuf {
        self.below().join("image")
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.home.path().join("mounted")
    }

    /// With a journal that writes itself seldom: what a program does not force stays in memory for
    /// as long as a cut may need.
    fn mount(&self) {
        let options = match self.format {
            Format::Ext4 => "loop,noatime,commit=600",
            Format::Btrfs | Format::Xfs => "loop,noatime",
        };
        run(Command::new("mount").args(["-o", options]).arg(self.image()).arg(self.path()));
    }

    /// The power is gone, now.
    #[expect(unsafe_code, reason = "the call has no safe name")]
    pub(crate) fn cut(&self) {
        let root = File::open(self.path()).unwrap();
        let flag = NO_LOG_FLUSH;
        self.is_cut.store(true, Ordering::SeqCst);
        // SAFETY: the call reads one `__u32` behind the pointer, which outlives it.
        let done = unsafe { libc::ioctl(root.as_raw_fd(), SHUTDOWN, &raw const flag) };
        assert_eq!(done, 0, "{}", std::io::Error::last_os_error());
    }

    /// The power is back: mounted again, its journal replayed. Nobody may have a file open on it.
    pub(crate) fn remount(&self) {
        loop {
            run(Command::new("umount").arg(self.path()));
            self.mount();
            // Somebody else's namespace of mounts may hold the one that was shut down for a while.
            if File::open(self.path()).and_then(|root| root.sync_all()).is_ok() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
        self.is_cut.store(false, Ordering::SeqCst);
    }

    /// Whether its power is gone, or goes at this moment.
    pub(crate) fn is_cut(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_cut)
    }

    /// Bytes that still fit.
    pub(crate) fn free(&self) -> u64 {
        let facts = rustix::fs::statvfs(self.path()).unwrap();
        facts.f_bavail * facts.f_frsize
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
        if self.is_thin {
            let _ = Command::new("umount").arg("-l").arg(self.below()).status();
        }
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
pub(crate) fn fill(path: &Path) {
    use std::io::Write as _;
    let mut file = File::create(path).unwrap();
    for size in [1 << 20, 1 << 16, 1 << 12, 1] {
        let piece = vec![7; size];
        while file.write_all(&piece).and_then(|()| file.sync_data()).is_ok() {}
    }
}
