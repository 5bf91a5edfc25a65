//! Tells of changes in trees of folders, by inotify. One watch a folder, set without a look at any
//! file: who walks a tree to watch it must not pay for every file in it, and the crates that watch
//! trees do.

use std::{
    collections::{HashMap, HashSet},
    ffi::OsStr,
    mem::MaybeUninit,
    os::{fd::OwnedFd, unix::ffi::OsStrExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rustix::{
    fs::{
        CWD, FileType, Mode, OFlags, RawDir,
        inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags},
    },
    io::Errno,
};

/// What counts as a change. Reading does not, or scans would wake themselves.
const CHANGES: WatchFlags = WatchFlags::ATTRIB
    .union(WatchFlags::CLOSE_WRITE)
    .union(WatchFlags::CREATE)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MODIFY)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::EXCL_UNLINK)
    .union(WatchFlags::ONLYDIR);

/// What counts where only what comes matters.
const ARRIVALS: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::ONLYDIR);

/// Bytes of events read at once.
const ROOM: usize = 16 << 10;

/// What is told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// Something about this path.
    Changed(PathBuf),
    /// More than could be told; a sentence.
    Missed(String),
}

/// The watches of all trees. Dropping it ends the telling.
pub(crate) struct Notices(Arc<Watches>);

struct Watches {
    inotify: OwnedFd,
    places: Mutex<Places>,
}

#[derive(Default)]
struct Places {
    /// Folders by the number of their watch.
    folders: HashMap<i32, PathBuf>,
    /// Those of them whose folders are nobody's business.
    alone: HashSet<i32>,
    is_over: bool,
}

impl Notices {
    /// Watches nothing yet. `tell` is called on a thread of its own.
    pub(crate) fn new(tell: impl Fn(Notice) + Send + 'static) -> std::io::Result<Self> {
        let inotify = inotify::init(CreateFlags::CLOEXEC)?;
        let watches = Arc::new(Watches { inotify, places: Mutex::default() });
        let theirs = Arc::clone(&watches);
        std::thread::Builder::new().name("watch".to_owned()).spawn(move || theirs.hear(&tell))?;
        Ok(Self(watches))
    }

    /// Watches a folder and what is below it. Blocks: the tree is walked.
    pub(crate) fn watch(&self, root: &Path) -> rustix::io::Result<()> {
        self.0.add(root, WatchFlags::empty()).and_then(|()| self.0.add_below(root))
    }

    /// Watches what comes into a folder, and nothing else about it: a database may lie in it, which
    /// is written to all the time.
    pub(crate) fn watch_alone(&self, folder: &Path) -> rustix::io::Result<()> {
        let mut places = self.0.places();
        if places.is_over {
            return Err(Errno::IO);
        }
        let watch = inotify::add_watch(&self.0.inotify, folder, ARRIVALS)?;
        places.folders.insert(watch, folder.to_owned());
        places.alone.insert(watch);
        Ok(())
    }

    /// Whether this very folder is watched.
    pub(crate) fn watches(&self, root: &Path) -> bool {
        self.0.places().folders.values().any(|folder| folder == root)
    }

    /// Watches a folder and what is below it no longer.
    pub(crate) fn unwatch(&self, root: &Path) {
        self.0.forget(root);
    }
}

impl Drop for Notices {
    fn drop(&mut self) {
        self.0.places().is_over = true;
        // A watch that goes is told, and so wakes the thread.
        if let Ok(watch) = inotify::add_watch(&self.0.inotify, "/", WatchFlags::DELETE_SELF) {
            let _ = inotify::remove_watch(&self.0.inotify, watch);
        }
    }
}

impl Watches {
    /// One folder. Held while it is added, so that nothing is heard of a watch that nobody knows.
    fn add(&self, folder: &Path, how: WatchFlags) -> rustix::io::Result<()> {
        let mut places = self.places();
        if places.is_over {
            return Err(Errno::IO);
        }
        let watch = inotify::add_watch(&self.inotify, folder, CHANGES | how)?;
        places.folders.insert(watch, folder.to_owned());
        Ok(())
    }

    /// Everything below a folder that is watched itself: what is made meanwhile is told. What is
    /// gone, or may not be read, is passed over.
    fn add_below(&self, top: &Path) -> rustix::io::Result<()> {
        let mut buffer = vec![MaybeUninit::uninit(); ROOM];
        let mut pending = vec![top.to_owned()];
        while let Some(folder) = pending.pop() {
            for name in folders_in(&folder, folder == top, &mut buffer)? {
                let below = folder.join(OsStr::from_bytes(&name));
                match self.add(&below, WatchFlags::DONT_FOLLOW) {
                    Ok(()) => pending.push(below),
                    Err(Errno::NOENT | Errno::NOTDIR | Errno::ACCESS | Errno::NAMETOOLONG) => (),
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    fn forget(&self, top: &Path) {
        let mut places = self.places();
        places.folders.retain(|watch, folder| {
            let goes = folder.starts_with(top);
            if goes {
                // It may be gone with its folder already.
                let _ = inotify::remove_watch(&self.inotify, *watch);
            }
            !goes
        });
    }

    /// The thread: until the owner is gone.
    fn hear(&self, tell: &impl Fn(Notice)) {
        let mut buffer = vec![MaybeUninit::uninit(); ROOM];
        let mut reader = Reader::new(&self.inotify, &mut buffer);
        loop {
            let (watch, what, name) = match reader.next() {
                Ok(event) => (
                    event.wd(),
                    event.events(),
                    event.file_name().map(|name| OsStr::from_bytes(name.to_bytes()).to_owned()),
                ),
                Err(Errno::INTR) => continue,
                Err(error) => {
                    // Nobody hears anything any more, so nothing is watched.
                    let mut places = self.places();
                    places.is_over = true;
                    places.folders.clear();
                    drop(places);
                    return tell(Notice::Missed(error.to_string()));
                }
            };
            let (folder, is_alone) = {
                let mut places = self.places();
                if places.is_over {
                    return;
                }
                if what.contains(ReadFlags::IGNORED) {
                    places.folders.remove(&watch);
                    places.alone.remove(&watch);
                    continue;
                }
                (places.folders.get(&watch).cloned(), places.alone.contains(&watch))
            };
            if what.contains(ReadFlags::QUEUE_OVERFLOW) {
                tell(Notice::Missed("more changed at once than the system could tell".to_owned()));
                continue;
            }
            let Some(folder) = folder else { continue };
            let path = name.map_or_else(|| folder.clone(), |name| folder.join(name));
            if what.contains(ReadFlags::ISDIR)
                && !is_alone
                && path != folder
                && let Err(error) = self.follow(&path, what)
            {
                let path = path.display();
                tell(Notice::Missed(format!("{path} cannot be watched: {error}")));
            }
            tell(Notice::Changed(path));
        }
    }

    /// A folder came or went.
    fn follow(&self, path: &Path, what: ReadFlags) -> rustix::io::Result<()> {
        if what.contains(ReadFlags::MOVED_FROM) {
            // Wherever it is now, it is not here.
            self.forget(path);
        }
        let is_hidden = path.file_name().is_some_and(|name| name.as_bytes().starts_with(b"."));
        if what.intersects(ReadFlags::CREATE | ReadFlags::MOVED_TO) && !is_hidden {
            match self.add(path, WatchFlags::DONT_FOLLOW) {
                Ok(()) => self.add_below(path)?,
                Err(Errno::NOENT | Errno::NOTDIR | Errno::ACCESS) => (),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Names of the folders in a folder; hidden ones hold no music. Where the file system does not say
/// what an entry is, the watch, which takes nothing but folders, will.
fn folders_in(
    folder: &Path,
    is_top: bool,
    buffer: &mut [MaybeUninit<u8>],
) -> rustix::io::Result<Vec<Vec<u8>>> {
    let mut how = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    if !is_top {
        how |= OFlags::NOFOLLOW;
    }
    let folder = match rustix::fs::openat(CWD, folder, how, Mode::empty()) {
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::ACCESS | Errno::NAMETOOLONG) => {
            return Ok(Vec::new());
        }
        folder => folder?,
    };
    let mut names = Vec::new();
    let mut reader = RawDir::new(&folder, buffer);
    while let Some(entry) = reader.next() {
        let entry = match entry {
            // It went meanwhile.
            Err(Errno::NOENT) => break,
            entry => entry?,
        };
        let name = entry.file_name().to_bytes();
        let may_be = matches!(entry.file_type(), FileType::Directory | FileType::Unknown);
        if may_be && !name.starts_with(b".") {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeSet,
        fs,
        sync::mpsc::{Receiver, channel},
        time::Duration,
    };

    use super::*;

    /// Everything told until this path was.
    fn told(told: &Receiver<Notice>, last: &Path) -> BTreeSet<PathBuf> {
        let mut all = BTreeSet::new();
        loop {
            match told.recv_timeout(Duration::from_secs(20)) {
                Ok(Notice::Changed(path)) if path == last => return all,
                Ok(Notice::Changed(path)) => drop(all.insert(path)),
                other => panic!("{other:?}; before it {all:?}"),
            }
        }
    }

    #[test]
    fn trees_are_followed_wherever_they_go() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("root");
        let at = |path: &str| root.join(path);
        fs::create_dir_all(at("a/b")).unwrap();
        fs::create_dir_all(place.path().join("outside/c")).unwrap();
        fs::write(at("a/b/old.flac"), "x").unwrap();
        std::os::unix::fs::symlink(place.path().join("outside"), at("link")).unwrap();
        let (tell, heard) = channel();
        let notices = Notices::new(move |notice| drop(tell.send(notice))).unwrap();
        assert_eq!(notices.watch(&at("nowhere")), Err(Errno::NOENT));
        notices.watch(&root).unwrap();
        assert!(notices.watches(&root) && notices.watches(&at("a/b")));
        assert!(!notices.watches(&at("link")));
        // Reading is no change; a change behind a link is not one of this tree.
        fs::read(at("a/b/old.flac")).unwrap();
        fs::write(place.path().join("outside/c/new"), "x").unwrap();
        fs::write(at("a/b/new.flac"), "x").unwrap();
        assert_eq!(told(&heard, &at("a/b/new.flac")), BTreeSet::new());
        // A new tree, a moved one, one that comes from outside and one that leaves.
        fs::create_dir_all(at("x/y")).unwrap();
        fs::rename(at("a/b"), at("x/moved")).unwrap();
        fs::rename(place.path().join("outside"), at("inside")).unwrap();
        fs::write(at("mark"), "x").unwrap();
        let all = told(&heard, &at("mark"));
        for path in ["x", "a/b", "x/moved", "inside"] {
            assert!(all.contains(&at(path)), "{path}: {all:?}");
        }
        assert!(!notices.watches(&at("a/b")));
        for path in ["x/moved/1", "x/y/2", "inside/c/3"] {
            fs::write(at(path), "x").unwrap();
            told(&heard, &at(path));
        }
        fs::remove_dir_all(at("x")).unwrap();
        let all = told(&heard, &at("x"));
        assert!(all.contains(&at("x/moved/1")), "{all:?}");
        notices.unwatch(&root);
        fs::write(at("quiet"), "x").unwrap();
        drop(notices);
        // The thread is gone, and with it the sender.
        while let Ok(notice) = heard.recv_timeout(Duration::from_secs(20)) {
            assert_ne!(notice, Notice::Changed(at("quiet")));
        }
        assert!(matches!(heard.try_recv(), Err(std::sync::mpsc::TryRecvError::Disconnected)));
    }

    #[test]
    fn a_folder_alone_tells_of_its_own_entries() {
        let place = tempfile::tempdir().unwrap();
        let at = |path: &str| place.path().join(path);
        fs::create_dir(at("old")).unwrap();
        let (tell, heard) = channel();
        let notices = Notices::new(move |notice| drop(tell.send(notice))).unwrap();
        notices.watch_alone(place.path()).unwrap();
        fs::create_dir(at("new")).unwrap();
        assert_eq!(told(&heard, &at("new")), BTreeSet::new());
        assert!(!notices.watches(&at("new")) && !notices.watches(&at("old")));
        for path in ["new/1", "old/2", "mark"] {
            fs::write(at(path), "x").unwrap();
        }
        assert_eq!(told(&heard, &at("mark")), BTreeSet::new());
        // A watch below it tells of what the one alone does not.
        notices.watch(&at("new")).unwrap();
        fs::write(at("new/3"), "x").unwrap();
        let _ = told(&heard, &at("new/3"));
    }
}
