//! A folder that is watched for each user: `drop/USER/ORDER/…` below the drive's root. Whatever a
//! shop's own tools put there is delivered once nothing of it changed between two looks, and
//! removed when it is all stored.

use std::{
    collections::HashMap,
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{Deliveries, ItemSource, NewDelivery, NewItem, Received};
use crate::{
    Result,
    accounts::Deliverer,
    clock,
    drive::{Exempt, disk::digest, put::blocking},
    error::is_nowhere,
    watch::{Notice, Notices},
};

/// How often the folders are looked at while something comes, and where the system cannot tell of it:
/// what did not change for so long is taken for whole. With [`SETTLE`] that is less than the five
/// seconds in which everything that comes in is to be heard.
const EVERY: Duration = Duration::from_secs(3);
/// And while nothing does: other systems that share the disk change it without a word to this one.
const AT_REST: Duration = Duration::from_mins(1);
/// What comes is looked at so much later, with all that comes with it.
const SETTLE: Duration = Duration::from_secs(1);
/// Folders inside each other.
const DEEPEST: usize = 16;

/// What lay there at the last look: name and size and time of each file.
type Seen = Vec<(PathBuf, u64, Option<std::time::SystemTime>)>;

/// What failed is tried again after so long, then after twice that, and so on.
const AGAIN: Duration = AT_REST;
/// But at least so often: a disk was full, or not mounted, and nobody will say when it is not.
const AT_LEAST: Duration = Duration::from_hours(1);

/// Every order as it lay there at the last look.
type Looks = HashMap<PathBuf, Look>;

/// One of them.
#[derive(Debug, Default)]
struct Look {
    files: Seen,
    /// Tells its content from another, once that was asked.
    mark: Option<String>,
    tries: u32,
    tried_at: Option<Instant>,
}

impl Look {
    fn of(files: Seen) -> Self {
        Self { files, ..Self::default() }
    }

    /// Whether it is to be delivered now, being as it was.
    fn is_due(&self, now: Instant) -> bool {
        let rest = AGAIN.saturating_mul(1 << self.tries.saturating_sub(1).min(16)).min(AT_LEAST);
        !self.files.is_empty() && self.tried_at.is_none_or(|tried_at| tried_at + rest <= now)
    }
}

/// An order as it lies there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Dropped {
    user: String,
    order: String,
    place: PathBuf,
    files: Seen,
}

impl Deliveries {
    /// Looks at the folders until `stop`.
    pub(super) async fn watch_drops(&self, stop: &CancellationToken) {
        let ear = match self.drive.disk.absolute("drop") {
            Ok(root) => Ear::new(root),
            Err(error) => {
                tracing::warn!("the folders of deliveries cannot be watched: {error}");
                return;
            }
        };
        let mut seen = HashMap::new();
        while !stop.is_cancelled() {
            let is_at_rest = self.look(&mut seen, &ear).await.unwrap_or_else(|error| {
                tracing::warn!("the folders of deliveries could not be looked at: {error:?}");
                false
            });
            let wait = async {
                if !is_at_rest {
                    return tokio::time::sleep(EVERY).await;
                }
                tokio::select! {
                    () = clock::beat(AT_REST) => (),
                    () = ear.heard.notified() => tokio::time::sleep(SETTLE).await,
                }
            };
            stop.run_until_cancelled(wait).await;
        }
    }

    /// One look. What is as it was at the last one is delivered. Gives whether nothing is on its
    /// way, and what will be is told.
    async fn look(&self, seen: &mut Looks, ear: &Ear) -> Result<bool> {
        let (drive, root) = (self.drive.disk.absolute("")?, self.drive.disk.absolute("drop")?);
        let notices = ear.notices.clone();
        let (is_told, found) = blocking(move || {
            // Watched before it is looked at, so that nothing comes in between.
            let is_told = notices.is_some_and(|notices| watch(&notices, &drive, &root));
            Ok((is_told, walk(&root)?))
        })
        .await?;
        let mut before = std::mem::take(seen);
        for dropped in found {
            let last = before.remove(&dropped.place).filter(|look| look.files == dropped.files);
            let (mut look, is_known) = match last {
                Some(look) => (look, true),
                None => (Look::of(dropped.files.clone()), false),
            };
            // What failed is tried again once something of it changes, and now and then.
            if is_known && look.is_due(Instant::now()) {
                look.tries = look.tries.saturating_add(1);
                self.take_in(&dropped, &mut look.mark).await;
                look.tried_at = Some(Instant::now());
            }
            seen.insert(dropped.place, look);
        }
        let is_coming = seen.values().any(|look| !look.files.is_empty() && look.tries == 0);
        Ok(is_told && !is_coming)
    }

    async fn take_in(&self, dropped: &Dropped, known: &mut Option<String>) {
        let mark = match known {
            Some(mark) => mark.clone(),
            None => {
                let files = dropped.files.clone();
                match blocking(move || mark(&files)).await {
                    Ok(mark) => known.insert(mark).clone(),
                    Err(error) => {
                        tracing::warn!("{} cannot be read: {error}", dropped.place.display());
                        return;
                    }
                }
            }
        };
        let items = dropped.files.iter().filter_map(|(path, ..)| {
            let inside = path.strip_prefix(&dropped.place).ok()?.to_str()?;
            // A file that is an order by itself has no name inside of it.
            let inside = if inside.is_empty() { path.file_name()?.to_str()? } else { inside };
            let to = format!("Music/{}/{inside}", dropped.order);
            let alone = dropped.place == *path;
            let to = if alone { format!("Music/{inside}") } else { to };
            Some(NewItem { from: ItemSource::File(path.clone()), path: Some(to) })
        });
        let new = NewDelivery {
            user: dropped.user.clone(),
            creates_account: false,
            // Files that come later under the same name are another order.
            order: format!("{} {mark}", dropped.order),
            product: None,
            exempt: Some(Exempt::Purchase),
            grants: Vec::new(),
            items: items.collect(),
        };
        let source = format!("folder:{}", dropped.user);
        let received = self.deliver_from(&Deliverer::own(), &source, &new).await;
        match received.as_ref().map(Received::delivery) {
            Ok(delivery) if delivery.is_done => {
                let place = dropped.place.clone();
                if let Err(error) = blocking(move || remove(&place)).await {
                    tracing::warn!("{} could not be removed: {error}", dropped.place.display());
                }
            }
            Ok(delivery) => {
                for item in delivery.items.iter().filter(|item| !item.is_stored) {
                    tracing::warn!(order = dropped.order, "{}: {}", item.path, item.problem);
                }
            }
            Err(error) => {
                tracing::warn!("{} is not delivered: {error}", dropped.place.display());
            }
        }
    }
}

/// What the system tells of the folders.
struct Ear {
    notices: Option<Arc<Notices>>,
    heard: Arc<Notify>,
}

impl Ear {
    /// For orders below `root`. What else comes into the folder that holds it is others'.
    fn new(root: PathBuf) -> Self {
        let heard = Arc::new(Notify::new());
        let tell = Arc::clone(&heard);
        let notices = Notices::new(move |notice| match notice {
            Notice::Changed(path) if !path.starts_with(&root) && !root.starts_with(&path) => (),
            _ => tell.notify_one(),
        });
        Self { notices: notices.ok().map(Arc::new), heard }
    }
}

/// Watches the folder of all orders, and whether there is one. Gives whether that can be done.
fn watch(notices: &Notices, drive: &Path, root: &Path) -> bool {
    let is_watched = |path: &Path| notices.watches(path);
    let top = is_watched(drive) || notices.watch_alone(drive).is_ok();
    let below = is_watched(root) || !root.exists() || notices.watch(root).is_ok();
    top && below
}

/// Tells one content of a folder from another, by every byte: what is taken for delivered is
/// deleted.
fn mark(files: &Seen) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    for (path, ..) in files {
        let content = digest(&File::open(path)?, None, |_| true)?;
        let content = content.ok_or(io::ErrorKind::InvalidData)?.content;
        hasher.update(path.as_os_str().as_encoded_bytes());
        hasher.update(&content);
    }
    Ok(hasher.finalize().to_hex().chars().take(16).collect())
}

fn remove(place: &Path) -> io::Result<()> {
    if place.is_dir() { std::fs::remove_dir_all(place) } else { std::fs::remove_file(place) }
}

/// Every order of every user. No folder, no orders.
fn walk(root: &Path) -> io::Result<Vec<Dropped>> {
    let mut found = Vec::new();
    for (user, folder) in entries(root)? {
        for (order, place) in entries(&folder)? {
            // Half copied, as tools name it.
            if order.starts_with('.') || order.ends_with(".part") || order.ends_with(".tmp") {
                continue;
            }
            let mut files = Vec::new();
            collect(&place, 0, &mut files)?;
            files.sort();
            found.push(Dropped { user: user.clone(), order, place, files });
        }
    }
    Ok(found)
}

fn entries(folder: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let listed = match std::fs::read_dir(folder) {
        Err(error) if is_nowhere(&error) => return Ok(Vec::new()),
        listed => listed?,
    };
    let mut found = Vec::new();
    for entry in listed {
        let entry = entry?;
        if let Some(name) = entry.file_name().to_str() {
            found.push((name.to_owned(), entry.path()));
        }
    }
    Ok(found)
}

/// Plain files, however deep; links are not followed.
fn collect(place: &Path, depth: usize, files: &mut Seen) -> io::Result<()> {
    let facts = std::fs::symlink_metadata(place)?;
    if facts.is_file() {
        files.push((place.to_owned(), facts.len(), facts.modified().ok()));
    } else if facts.is_dir() && depth < DEEPEST {
        for (_, inside) in entries(place)? {
            collect(&inside, depth + 1, files)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_tried_again_less_and_less_often() {
        let files = vec![(PathBuf::from("a"), 1, None)];
        let now = Instant::now();
        assert!(Look::of(files.clone()).is_due(now) && !Look::of(Vec::new()).is_due(now));
        for (tries, minutes) in [(1, 1), (2, 2), (5, 16), (7, 60), (u32::MAX, 60)] {
            let tried_at = Some(now);
            let look = Look { files: files.clone(), mark: None, tries, tried_at };
            let later = now + Duration::from_mins(minutes);
            assert!(look.is_due(later), "{tries}");
            assert!(!look.is_due(later - Duration::from_secs(1)), "{tries}");
        }
    }
}
