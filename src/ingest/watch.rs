//! Watching: the system tells of changes under the roots; they are gathered until a path has been
//! quiet for a moment, so that a file is read when it is whole. Where watching cannot work, folders
//! are swept instead, and the status says why.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rustix::io::Errno;
use tokio::sync::Notify;

use super::{libraries::Root, status::Watching};
use crate::{
    catalog::path_text,
    ids::LibraryId,
    watch::{Notice, Notices},
};

/// A path is quiet when nothing was heard of it for so long.
const QUIET: Duration = Duration::from_millis(700);
/// A file that is written without end is looked at now and then all the same.
const PATIENCE: Duration = Duration::from_secs(20);
/// Held paths; with more, everything is compared.
const MOST_HELD: usize = 20_000;

/// The watcher of all libraries.
pub(super) struct Watch {
    watcher: Result<Notices, String>,
    watched: HashMap<LibraryId, PathBuf>,
    heard: Arc<Heard>,
}

/// What was heard and is not quiet yet.
#[derive(Debug, Default)]
struct Heard {
    paths: Mutex<Paths>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct Paths {
    /// First and last time.
    held: HashMap<PathBuf, (Instant, Instant)>,
    /// Something was missed.
    overflow: bool,
}

/// What became quiet.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Quiet {
    /// Paths relative to their libraries.
    Paths(Vec<(LibraryId, String)>),
    /// Something was missed: everything must be compared.
    Everything,
}

impl Watch {
    pub(super) fn new() -> Self {
        let heard = Arc::new(Heard::default());
        let tell = Arc::clone(&heard);
        let watcher = Notices::new(move |notice| tell.hear(notice))
            .map_err(|error| format!("This system cannot tell of changes: {error}"));
        Self { watcher, watched: HashMap::new(), heard }
    }

    /// Watches these roots and no others. Gives how each is noticed now. Blocks: the trees are
    /// walked.
    pub(super) fn set(&mut self, roots: &[Root]) -> Vec<(LibraryId, Watching)> {
        let watcher = match &self.watcher {
            Ok(watcher) => watcher,
            Err(reason) => {
                return roots
                    .iter()
                    .map(|root| (root.id, Watching::Swept(reason.clone())))
                    .collect();
            }
        };
        self.watched.retain(|library, path| {
            let is_wanted = roots.iter().any(|root| root.id == *library && root.path == *path);
            // One that went and came back is another folder.
            let stays = is_wanted && path.is_dir() && watcher.watches(path);
            if !stays {
                watcher.unwatch(path);
            }
            stays
        });
        let mut result = Vec::with_capacity(roots.len());
        for root in roots {
            // It lies in a locker, which is watched: its folders must not be watched twice, for
            // one end of watching would end both.
            if root.shared.is_some() {
                result.push((root.id, Watching::Watched));
                continue;
            }
            #[expect(clippy::map_entry, reason = "watching may fail before the insert")]
            let how = if self.watched.contains_key(&root.id) {
                Watching::Watched
            } else if let Some(reason) = silent_file_system(&root.path) {
                Watching::Swept(reason)
            } else {
                match watcher.watch(&root.path) {
                    Ok(()) => {
                        self.watched.insert(root.id, root.path.clone());
                        Watching::Watched
                    }
                    Err(error) => {
                        watcher.unwatch(&root.path);
                        match sentence(error, &root.path) {
                            Some(reason) => Watching::Swept(reason),
                            None => Watching::Not,
                        }
                    }
                }
            };
            result.push((root.id, how));
        }
        result
    }

    /// A handle that waits for quiet.
    pub(super) fn ear(&self) -> Ear {
        Ear(Arc::clone(&self.heard))
    }
}

/// Waits for what becomes quiet.
pub(super) struct Ear(Arc<Heard>);

impl Ear {
    /// The next paths that are quiet, sorted to libraries by their roots.
    pub(super) async fn next(&self, roots: &[Root]) -> Quiet {
        loop {
            let wait = {
                let mut paths = self.0.lock();
                if std::mem::take(&mut paths.overflow) {
                    paths.held.clear();
                    return Quiet::Everything;
                }
                let quiet = take_quiet(&mut paths.held, Instant::now());
                if !quiet.is_empty() {
                    return Quiet::Paths(sort(&quiet, roots));
                }
                !paths.held.is_empty()
            };
            if wait {
                tokio::time::sleep(QUIET / 3).await;
            } else {
                self.0.wake.notified().await;
            }
        }
    }
}

impl Heard {
    /// Called on the watcher's thread.
    fn hear(&self, notice: Notice) {
        let mut paths = self.lock();
        match notice {
            Notice::Changed(path) if paths.held.len() <= MOST_HELD => {
                let now = Instant::now();
                paths.held.entry(path).or_insert((now, now)).1 = now;
            }
            Notice::Changed(_) => paths.overflow = true,
            Notice::Missed(reason) => {
                tracing::warn!("watching: {reason}");
                // New folders may not be watched any more, and what is in them was missed.
                paths.overflow = true;
            }
        }
        drop(paths);
        self.wake.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Paths> {
        self.paths.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn take_quiet(held: &mut HashMap<PathBuf, (Instant, Instant)>, now: Instant) -> Vec<PathBuf> {
    let mut quiet = Vec::new();
    held.retain(|path, (first, last)| {
        let is_quiet = QUIET <= now.duration_since(*last) || PATIENCE <= now.duration_since(*first);
        if is_quiet {
            quiet.push(path.clone());
        }
        !is_quiet
    });
    quiet
}

/// The library and relative path of each; the longest root wins. What lies in a shared folder
/// belongs to that too.
fn sort(paths: &[PathBuf], roots: &[Root]) -> Vec<(LibraryId, String)> {
    let mut sorted = Vec::with_capacity(paths.len());
    for path in paths {
        let around =
            roots.iter().filter_map(|root| Some((root, path.strip_prefix(&root.path).ok()?)));
        let (shared, others): (Vec<_>, Vec<_>) =
            around.partition(|(root, _)| root.shared.is_some());
        let of = others.into_iter().max_by_key(|(root, _)| root.path.as_os_str().len());
        for (root, inside) in of.into_iter().chain(shared) {
            sorted.push((root.id, path_text::encode_path(inside)));
        }
    }
    sorted
}

/// Why this file system does not tell of changes that others make to it.
fn silent_file_system(root: &Path) -> Option<String> {
    const NETWORK: &[(u64, &str)] = &[
        (0x6969, "NFS"),
        (0xFF53_4D42, "CIFS"),
        (0xFE53_4D42, "SMB"),
        (0x517B, "SMB"),
        (0x6573_5546, "FUSE"),
        (0x0102_1997, "9p"),
    ];
    let stat = rustix::fs::statfs(root).ok()?;
    let kind = stat.f_type as u64 & 0xFFFF_FFFF;
    let (_, name) = NETWORK.iter().find(|(number, _)| *number == kind)?;
    Some(format!("{} is on {name}, which does not tell of changes", root.display()))
}

/// Why a tree cannot be watched; `None` if it is just not there.
fn sentence(error: Errno, root: &Path) -> Option<String> {
    match error {
        Errno::NOENT | Errno::NOTDIR => None,
        Errno::NOSPC => Some(format!(
            "{} has more folders than the system may watch (sysctl fs.inotify.max_user_watches)",
            root.display()
        )),
        _ => Some(format!("{} cannot be watched: {error}", root.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::LockerId;

    #[test]
    fn paths_are_let_go_when_quiet() {
        let start = Instant::now();
        let path = |name: &str| PathBuf::from(name);
        let mut held = HashMap::from([
            (path("quiet"), (start, start)),
            (path("busy"), (start, start + QUIET)),
        ]);
        assert_eq!(take_quiet(&mut held, start + QUIET), [path("quiet")]);
        assert!(take_quiet(&mut held, start + QUIET).is_empty());
        // Written without end.
        held.insert(path("busy"), (start, start + PATIENCE));
        assert_eq!(take_quiet(&mut held, start + PATIENCE), [path("busy")]);
    }

    #[test]
    fn paths_belong_to_the_longest_root() {
        let root = |id, path: &str| Root {
            id: LibraryId(id),
            name: String::new(),
            path: path.into(),
            locker: None,
            shared: None,
            scanned_at: None,
        };
        let shared = Root { shared: Some((LockerId(1), "s".to_owned())), ..root(3, "/m/s") };
        let both = sort(&[PathBuf::from("/m/s/x")], &[root(1, "/m"), shared]);
        assert_eq!(both, [(LibraryId(1), "s/x".to_owned()), (LibraryId(3), "x".to_owned())]);
        let roots = [root(1, "/m"), root(2, "/m/inner")];
        let paths = ["/m/a/1.mp3", "/m/inner/b", "/m/inner", "/other"].map(PathBuf::from);
        assert_eq!(
            sort(&paths, &roots),
            [
                (LibraryId(1), "a/1.mp3".to_owned()),
                (LibraryId(2), "b".to_owned()),
                (LibraryId(2), String::new())
            ]
        );
    }
}
