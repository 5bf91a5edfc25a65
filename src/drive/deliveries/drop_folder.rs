//! A folder that is watched for each user: `drop/USER/ORDER/…` below the drive's root. Whatever a
//! shop's own tools put there is delivered once nothing of it changed between two looks. When all
//! of it is stored, just that is removed: what came meanwhile is the next delivery, and what is no
//! file stays where it is.

use std::{
    collections::HashMap,
    ffi::OsString,
    fs::{self, File, Metadata},
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{Deliveries, ItemSource, MOST_ITEMS, NewDelivery, NewItem, Received};
use crate::{
    Result,
    accounts::Deliverer,
    clock,
    drive::{Exempt, disk::digest, names::fitting, put::blocking},
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
/// Folders inside each other: more than a locker takes, so that what is too deep is refused with a
/// sentence.
const DEEPEST: usize = 200;

/// What lay there at the last look.
type Seen = Vec<Found>;

/// A file, as it lay there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    place: PathBuf,
    size: u64,
    modified: Option<SystemTime>,
}

impl Found {
    fn of(place: &Path, facts: &Metadata) -> Self {
        Self { place: place.to_owned(), size: facts.len(), modified: facts.modified().ok() }
    }
}

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
        // Files that come later under the same name are another order.
        let order = format!("{} {mark}", dropped.order);
        let source = format!("folder:{}", dropped.user);
        let mut is_done = true;
        for (number, files) in dropped.files.chunks(MOST_ITEMS).enumerate() {
            let order = if number == 0 { order.clone() } else { format!("{order} {}", number + 1) };
            let new = dropped.delivery(order, files);
            let received = self.deliver_from(&Deliverer::own(), &source, &new).await;
            is_done &= is_stored(dropped, received);
        }
        if !is_done {
            return;
        }
        let taken = dropped.clone();
        match blocking(move || taken.remove()).await {
            Ok(true) => (),
            Ok(false) => tracing::warn!(
                "{} is delivered; something that is no file, or came meanwhile, is still in it",
                dropped.place.display()
            ),
            Err(error) => {
                tracing::warn!("{} could not be removed: {error}", dropped.place.display());
            }
        }
    }
}

/// Whether all of it is stored; what is not is told.
fn is_stored(dropped: &Dropped, received: Result<Received>) -> bool {
    match received.as_ref().map(Received::delivery) {
        Ok(delivery) => {
            for item in delivery.items.iter().filter(|item| !item.is_stored) {
                tracing::warn!(order = dropped.order, "{}: {}", item.path, item.problem);
            }
            delivery.is_done
        }
        Err(error) => {
            tracing::warn!("{} is not delivered: {error}", dropped.place.display());
            false
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

impl Dropped {
    /// Some of its files as an order.
    fn delivery(&self, order: String, files: &[Found]) -> NewDelivery {
        let items = files.iter().map(|file| NewItem {
            from: ItemSource::File(file.place.clone()),
            path: Some(self.target(&file.place)),
        });
        NewDelivery {
            user: self.user.clone(),
            creates_account: false,
            order,
            product: None,
            exempt: Some(Exempt::Purchase),
            grants: Vec::new(),
            items: items.collect(),
        }
    }

    /// Where a file of it goes. Names that no locker takes are made into some that all do: nobody is
    /// there to be told of them.
    fn target(&self, file: &Path) -> String {
        let inside = match file.strip_prefix(&self.place) {
            Ok(inside) if !inside.as_os_str().is_empty() => {
                format!("{}/{}", self.order, inside.to_string_lossy())
            }
            // It is an order by itself.
            _ => self.order.clone(),
        };
        fitting(&format!("Music/{inside}"))
    }

    /// Removes what was delivered and the folders that are empty then. Gives whether nothing is left.
    fn remove(&self) -> io::Result<bool> {
        for file in &self.files {
            match fs::symlink_metadata(&file.place) {
                Ok(facts) if Found::of(&file.place, &facts) == *file => {
                    fs::remove_file(&file.place)?;
                }
                // Other bytes came there meanwhile.
                Ok(_) => (),
                Err(error) if is_nowhere(&error) => (),
                Err(error) => return Err(error),
            }
        }
        clear(&self.place)
    }
}

/// Tells one content of a folder from another, by every byte: what is taken for delivered is
/// deleted.
fn mark(files: &Seen) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    for Found { place, .. } in files {
        let content = digest(&File::open(place)?, None, |_| true)?;
        let content = content.ok_or(io::ErrorKind::InvalidData)?.content;
        hasher.update(place.as_os_str().as_encoded_bytes());
        hasher.update(&content);
    }
    Ok(hasher.finalize().to_hex().chars().take(16).collect())
}

/// Removes a folder and those in it, as far as they are empty. Gives whether it is gone.
fn clear(place: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(place) {
        Err(error) if is_nowhere(&error) => return Ok(true),
        Ok(facts) if !facts.is_dir() => return Ok(false),
        facts => facts?,
    };
    let mut is_empty = true;
    for (_, inside) in entries(place)? {
        is_empty &= clear(&inside)?;
    }
    if !is_empty {
        return Ok(false);
    }
    match fs::remove_dir(place) {
        // Something came this moment.
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(false),
        removed => removed.map(|()| true),
    }
}

/// Every order of every user. No folder, no orders.
fn walk(root: &Path) -> io::Result<Vec<Dropped>> {
    let mut found = Vec::new();
    for (user, folder) in entries(root)? {
        // Nobody is called otherwise.
        let Ok(user) = user.into_string() else { continue };
        for (name, place) in entries(&folder)? {
            let order = name.to_string_lossy().into_owned();
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

fn entries(folder: &Path) -> io::Result<Vec<(OsString, PathBuf)>> {
    let listed = match fs::read_dir(folder) {
        Err(error) if is_nowhere(&error) => return Ok(Vec::new()),
        listed => listed?,
    };
    listed.map(|entry| entry.map(|entry| (entry.file_name(), entry.path()))).collect()
}

/// Plain files, however deep; links are not followed.
fn collect(place: &Path, depth: usize, files: &mut Seen) -> io::Result<()> {
    let facts = match fs::symlink_metadata(place) {
        // It went while it was looked at.
        Err(error) if is_nowhere(&error) => return Ok(()),
        facts => facts?,
    };
    if facts.is_file() {
        files.push(Found::of(place, &facts));
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
        let files = vec![Found { place: PathBuf::from("a"), size: 1, modified: None }];
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
