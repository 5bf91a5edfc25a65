//! One scan of one library, or of a part of it: walk, diff, read, apply, each beside the others
//! with little between them, then finish. Stopping it anywhere loses nothing: a folder counts as
//! done only when all of it is in the catalogue.

use std::{
    collections::HashSet,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::StreamExt as _;
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;

use super::{
    Ingest, ScanKind,
    changes::{Changes, WalkEnd},
    finish::Gone,
    libraries::{self, Root},
    read::{Part, Read, Reader},
    recognise::recognise,
    status::Tracker,
    walk::{Depth, Lent},
};
use crate::{
    Error, Result,
    catalog::write::{Batch, FolderPicture},
    drive::lent_places,
};

/// Files in one portion of reading.
const PORTION: usize = 64;
/// A transaction that takes longer keeps others waiting.
const LONGEST_WRITE: Duration = Duration::from_millis(100);
/// Batches after the first one, which shows the first albums soon: each transaction writes every
/// page of the database that it touches, and small ones touch most of the same pages again.
const SMALLEST_BATCH: usize = 256;
/// No batch is larger than this.
const LARGEST_BATCH: usize = 512;

/// Whether files that are not there are believed to be gone for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Belief {
    /// A few are; many need an administrator's word.
    Ask,
    /// They are: somebody who may removed them, or an administrator said so.
    Believe,
}

/// What to scan.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) kind: ScanKind,
    pub(super) belief: Belief,
    /// Relative to the library, '' for all of it.
    pub(super) from: String,
    pub(super) depth: Depth,
    /// Where `depth` is one: files and folders below that are known not to be there.
    pub(super) gone: Vec<String>,
}

impl Order {
    /// A whole library.
    pub(super) fn whole(kind: ScanKind) -> Self {
        let belief = match kind {
            ScanKind::Changes => Belief::Ask,
            ScanKind::Full => Belief::Believe,
        };
        Self { kind, belief, from: String::new(), depth: Depth::All, gone: Vec::new() }
    }

    pub(super) fn is_whole(&self) -> bool {
        self.from.is_empty() && self.depth == Depth::All
    }
}

/// How a scan ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// Everything was looked at.
    Complete,
    /// It was told to stop.
    Stopped,
    /// The root cannot be read, or what is missing is too much to believe.
    Refused,
}

/// What a scan gathers on its way for its last step.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) gone: Gone,
    /// Folders that the next scan is to look at again, whatever completes them.
    pub(super) incomplete: HashSet<String>,
    pub(super) artist_pictures: Vec<(String, FolderPicture)>,
    pub(super) changed: bool,
}

impl Ingest {
    /// Scans. Only one scan of whole libraries and one of parts run at a time.
    pub(super) async fn scan(
        &self,
        library: &Root,
        order: &Order,
        stop: &CancellationToken,
    ) -> Result<Ended> {
        if let Err(reason) = probe(&library.path).await {
            // The drive makes a new locker's folder in a moment, and says so.
            if library.locker.is_none() || library.scanned_at.is_some() {
                self.refuse(library, &reason).await?;
            }
            return Ok(Ended::Refused);
        }
        let tracker = self.progress.begin(library.id, order.is_whole(), self.clock.now());
        let mut result = self.run_steps(library, order, &tracker, stop).await;
        // That nobody can read says nothing about the files: they wait for the next scan.
        if let Err(Error::Unavailable(reason)) = &result {
            let reason = format!("The files cannot be read. {reason}");
            result = self.refuse(library, &reason).await.map(|()| Ended::Refused);
        }
        let (files, unreadable) = libraries::count_files(&self.db, library.id).await?;
        tracker.end(files, unreadable, self.clock.now());
        result
    }

    async fn run_steps(
        &self,
        library: &Root,
        order: &Order,
        tracker: &Tracker,
        stop: &CancellationToken,
    ) -> Result<Ended> {
        let known = self.known_folders(library.id, order).await?;
        let is_new = known.is_empty();
        let root: Arc<Path> = library.path.as_path().into();
        let lent = Arc::new(self.lent_in(library).await?);
        let reader = Reader {
            root: Arc::clone(&root),
            lent: Arc::clone(&lent),
            pool: self.pool.clone(),
            options: Arc::new(self.settings.read.clone()),
        };
        let (send, portions) = mpsc::channel::<Vec<Part>>(2);
        let changes = Changes {
            db: self.db.clone(),
            root: Arc::clone(&root),
            lent: Arc::clone(&lent),
            order: order.clone(),
            tracker: tracker.clone(),
            stop: stop.clone(),
        };
        let mut gathered = Gathered::default();
        let finding = changes.find(known, send);
        let storing = self.store(library, is_new, &reader, portions, &mut gathered, tracker, stop);
        let (found, stored) = tokio::join!(finding, storing);
        let (end, gone) = found?;
        stored?;
        gathered.gone = gone;
        if stop.is_cancelled() {
            return Ok(Ended::Stopped);
        }
        tracker.finishing();
        self.finish(library, &lent, order, &end, gathered, stop).await
    }

    /// What of a locker, or of a shared folder of one, lies in a watched folder.
    async fn lent_in(&self, library: &Root) -> Result<Lent> {
        match (library.locker, &library.shared) {
            (Some(locker), _) => lent_places(&self.db, locker, "").await,
            (None, Some((locker, folder))) => lent_places(&self.db, *locker, folder).await,
            (None, None) => Ok(Lent::new()),
        }
    }

    /// Reads portions side by side, in order, and writes what came of them.
    async fn store(
        &self,
        library: &Root,
        is_new: bool,
        reader: &Reader,
        portions: mpsc::Receiver<Vec<Part>>,
        gathered: &mut Gathered,
        tracker: &Tracker,
        stop: &CancellationToken,
    ) -> Result<()> {
        let reads = ReceiverStream::new(portions).map(|parts| -> JoinHandle<Result<Read>> {
            let reader = reader.clone();
            tokio::spawn(async move { reader.read(parts).await })
        });
        let mut reads = reads.buffered(self.settings.readers + 1);
        let mut batch = Batch::default();
        let mut limit = PORTION;
        while let Some(read) = stop.run_until_cancelled(reads.next()).await.flatten() {
            let mut read = read??;
            if !is_new {
                recognise(&self.db, reader, library.id, &mut read.files).await?;
            }
            self.keep_out(reader, &mut read).await?;
            // Only the last part of a large folder would complete it.
            gathered.incomplete.extend(std::mem::take(&mut read.incomplete));
            read.complete.retain(|(folder, _)| !gathered.incomplete.contains(folder));
            tracker.read(read.files.len() as u64, read.errors);
            gathered.artist_pictures.append(&mut read.artist_pictures);
            add(&mut batch, read);
            if limit <= batch.files.len() {
                limit = self.write(library, &mut batch, gathered).await?;
            }
        }
        if !stop.is_cancelled() {
            self.write(library, &mut batch, gathered).await?;
        }
        Ok(())
    }

    /// Writes the batch and gives the size of the next one: as many as fit the time.
    async fn write(
        &self,
        library: &Root,
        batch: &mut Batch,
        gathered: &mut Gathered,
    ) -> Result<usize> {
        let files = batch.files.len();
        if files == 0 && batch.pictures.is_empty() && batch.complete.is_empty() {
            return Ok(PORTION);
        }
        let began = Instant::now();
        self.catalog.apply(library.id, batch).await?;
        let took = began.elapsed().max(Duration::from_micros(100));
        gathered.changed = true;
        *batch = Batch::default();
        let fitting = LONGEST_WRITE.as_secs_f64() / took.as_secs_f64() * files as f64;
        Ok((fitting as usize).clamp(SMALLEST_BATCH, LARGEST_BATCH))
    }

    /// Says why a library cannot be scanned, in its state and in the log.
    pub(super) async fn refuse(&self, library: &Root, reason: &str) -> Result<()> {
        tracing::warn!(library = %library.name, "{reason}");
        self.progress.refused(library.id, reason);
        libraries::set_state(&self.db, library.id, reason).await
    }
}

/// The folder of a path; '' for the root.
pub(super) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn add(batch: &mut Batch, read: Read) {
    batch.folders.extend(read.folders);
    batch.files.extend(read.files.into_iter().map(|(file, _)| file));
    batch.pictures.extend(read.pictures);
    batch.complete.extend(read.complete);
}

/// Whether the root is there and can be listed; else a sentence.
async fn probe(root: &Path) -> Result<(), String> {
    let path = root.to_owned();
    let listed = tokio::task::spawn_blocking(move || std::fs::read_dir(path).map(drop)).await;
    match listed {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(format!("The folder {} is not there; is it mounted?", root.display()))
        }
        Ok(Err(error)) => Err(format!("The folder {} cannot be read: {error}", root.display())),
        Err(_) => Err(format!("The folder {} cannot be read", root.display())),
    }
}

/// Portions of what a walk found, of about equal work.
#[derive(Debug, Default)]
pub(super) struct Portions {
    parts: Vec<Part>,
    files: usize,
}

impl Portions {
    /// Adds a folder's work; gives what is ready to be read.
    pub(super) fn add(&mut self, mut part: Part) -> Vec<Vec<Part>> {
        let mut ready = Vec::new();
        while PORTION < self.files + part.files.len() {
            let rest = part.files.split_off(PORTION.saturating_sub(self.files));
            self.parts.push(Part {
                folder: part.folder.clone(),
                files: std::mem::replace(&mut part.files, rest),
                cover: None,
                artist_picture: None,
                complete: None,
            });
            ready.extend(self.take());
        }
        self.files += part.files.len();
        self.parts.push(part);
        if PORTION <= self.files + self.parts.len() / 4 {
            ready.extend(self.take());
        }
        ready
    }

    /// What is left.
    pub(super) fn take(&mut self) -> Option<Vec<Part>> {
        self.files = 0;
        (!self.parts.is_empty()).then(|| std::mem::take(&mut self.parts))
    }
}

/// What a walk leaves to the last step.
pub(super) type Found = (WalkEnd, Gone);
