//! The life of the service: what starts scans, and the two lanes that do them.

use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError},
    time::Duration,
};

use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::{
    Ingest, ScanKind, libraries,
    libraries::Root,
    queue::{PartOrder, plan},
    scan::{Belief, Order},
    status::Watching,
    walk::absolute,
    watch::{Ear, Quiet, Watch},
};
use crate::{
    Result,
    error::is_nowhere,
    events::Event,
    ids::{LibraryId, LockerId},
};

/// Watching is a hint; comparing is the truth, so it is done now and then in any case.
const COMPARE: Duration = Duration::from_hours(1);

impl Ingest {
    /// Lists the libraries, so that they can be asked about and scans can be asked for; these wait
    /// for [`Self::run`]. To be called before anybody is told that the server is ready.
    pub async fn list_libraries(&self) -> Result<()> {
        self.refresh_libraries().await?;
        for root in self.roots() {
            let (files, unreadable) = libraries::count_files(&self.db, root.id).await?;
            self.progress.remember(root.id, files, unreadable, root.scanned_at);
        }
        Ok(())
    }

    /// Keeps the catalogue in step with the libraries until `stop` is cancelled.
    pub async fn run(self, stop: CancellationToken) {
        let events = self.events.subscribe();
        // Those that were listed before the start are known; a failing database ends nothing.
        if let Err(error) = self.list_libraries().await {
            tracing::error!("libraries cannot be listed: {error:#?}");
        }
        let watch = Watch::new();
        let ear = watch.ear();
        tokio::join!(
            self.scan_wholes(&stop),
            self.scan_parts(&stop),
            self.hear_events(events, &stop),
            self.hear_changes(&ear, &stop),
            self.keep_watching(watch, &stop),
        );
    }

    /// The active libraries as they were last read.
    fn roots(&self) -> Vec<Root> {
        self.roots.lock().unwrap_or_else(PoisonError::into_inner).to_vec()
    }

    /// Makes library rows fit, and asks for a scan of those that are new here.
    async fn refresh_libraries(&self) -> Result<()> {
        libraries::ensure(&self.db, &self.clock, &self.events, &self.settings).await?;
        let roots = libraries::roots(&self.db).await?;
        let before = self.roots();
        let ids: Vec<LibraryId> = roots.iter().map(|root| root.id).collect();
        self.progress.keep(&ids);
        let is_new =
            |root: &&Root| !before.iter().any(|it| it.id == root.id && it.path == root.path);
        let new: Vec<LibraryId> = roots.iter().filter(is_new).map(|root| root.id).collect();
        *self.roots.lock().unwrap_or_else(PoisonError::into_inner) = roots.into();
        for library in new {
            self.progress.queued(library);
            self.queue.add_whole(library, ScanKind::Changes);
        }
        self.roots_changed.notify_one();
        Ok(())
    }

    async fn scan_wholes(&self, stop: &CancellationToken) {
        while let Some((library, kind)) = stop.run_until_cancelled(self.queue.next_whole()).await {
            let Some(root) = self.roots().into_iter().find(|root| root.id == library) else {
                self.progress.not_queued(library);
                continue;
            };
            self.scan_one(&root, &Order::whole(kind), stop).await;
            self.progress.not_queued(library);
            // The root may have come since it could not be watched.
            self.roots_changed.notify_one();
        }
    }

    async fn scan_parts(&self, stop: &CancellationToken) {
        while let Some((library, parts)) = stop.run_until_cancelled(self.queue.next_parts()).await {
            let Some(root) = self.roots().into_iter().find(|root| root.id == library) else {
                continue;
            };
            for order in self.plan(&root, parts).await {
                if stop.is_cancelled() {
                    return;
                }
                self.scan_one(&root, &order, stop).await;
            }
        }
    }

    async fn scan_one(&self, root: &Root, order: &Order, stop: &CancellationToken) {
        match self.scan(root, order, stop).await {
            Ok(ended) => {
                tracing::debug!(library = %root.name, from = %order.from, ?ended, "scanned");
            }
            // The next scan finds the rest: nothing counts as done that was not written.
            Err(error) => tracing::error!(library = %root.name, "a scan failed: {error:#?}"),
        }
    }

    async fn plan(&self, root: &Root, parts: BTreeSet<PartOrder>) -> Vec<Order> {
        let path = root.path.clone();
        let planned = tokio::task::spawn_blocking(move || {
            plan(&parts, |part| match std::fs::symlink_metadata(absolute(&path, part)) {
                Ok(found) => Some(found.is_dir()),
                Err(error) if is_nowhere(&error) => None,
                // Nobody can tell: its folder is listed, and nothing counts as gone.
                Err(_) => Some(false),
            })
        });
        planned.await.unwrap_or_default()
    }

    /// Uploads and library lists.
    async fn hear_events(
        &self,
        mut events: tokio::sync::broadcast::Receiver<Event>,
        stop: &CancellationToken,
    ) {
        while let Some(event) = stop.run_until_cancelled(events.recv()).await {
            match event {
                Ok(Event::DriveChanged { locker, path }) => {
                    self.drive_changed(locker, &path);
                    if self.has_shared_at(locker, &path)
                        && let Err(error) = self.refresh_libraries().await
                    {
                        tracing::error!("libraries cannot be listed: {error:#?}");
                    }
                }
                Ok(Event::LibrariesChanged) => {
                    if let Err(error) = self.refresh_libraries().await {
                        tracing::error!("libraries cannot be listed: {error:#?}");
                    }
                }
                Ok(_) => (),
                Err(RecvError::Lagged(_)) => {
                    if let Err(error) = self.refresh_libraries().await {
                        tracing::error!("libraries cannot be listed: {error:#?}");
                    }
                    self.request_scan(ScanKind::Changes);
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn drive_changed(&self, locker: LockerId, path: &str) {
        let path = path.trim_matches('/');
        for root in self.roots() {
            if let Some(path) = part_of(&root, locker, path) {
                self.queue.add_part(root.id, PartOrder { path, belief: Belief::Believe });
            }
        }
    }

    /// Whether a folder that is shared is at this path of a locker, or below it: it may have gone
    /// or moved with its shares.
    fn has_shared_at(&self, locker: LockerId, path: &str) -> bool {
        let path = path.trim_matches('/');
        let is_there =
            |(of, shared): &(LockerId, String)| *of == locker && inner_path(path, shared).is_some();
        self.roots().iter().filter_map(|root| root.shared.as_ref()).any(is_there)
    }

    /// What the system tells of the trees.
    async fn hear_changes(&self, ear: &Ear, stop: &CancellationToken) {
        loop {
            let roots = self.roots();
            let Some(quiet) = stop.run_until_cancelled(ear.next(&roots)).await else { return };
            match quiet {
                Quiet::Everything => self.request_scan(ScanKind::Changes),
                Quiet::Paths(paths) => {
                    for (library, path) in paths {
                        self.queue.add_part(library, PartOrder { path, belief: Belief::Ask });
                    }
                }
            }
        }
    }

    /// Watches what can be watched, and compares the rest now and then.
    async fn keep_watching(&self, watch: Watch, stop: &CancellationToken) {
        let watch = Arc::new(std::sync::Mutex::new(watch));
        let mut sweep = tokio::time::interval(self.settings.sweep.max(Duration::from_secs(1)));
        sweep.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        sweep.tick().await;
        let mut compared = tokio::time::Instant::now();
        loop {
            let roots = self.roots();
            let own = Arc::clone(&watch);
            let set = tokio::task::spawn_blocking(move || {
                own.lock().unwrap_or_else(PoisonError::into_inner).set(&roots)
            });
            let watched = set.await.unwrap_or_default();
            for (library, how) in &watched {
                if let Watching::Swept(reason) = how
                    && !self.progress.is_swept(*library)
                {
                    tracing::warn!("{reason}; it is compared every {:?}", self.settings.sweep);
                }
                self.progress.watching(*library, how.clone());
            }
            let is_sweep = tokio::select! {
                () = stop.cancelled() => return,
                () = self.roots_changed.notified() => false,
                _ = sweep.tick() => true,
            };
            if !is_sweep {
                continue;
            }
            let is_due = COMPARE <= compared.elapsed();
            if is_due {
                compared = tokio::time::Instant::now();
            }
            for (library, how) in watched {
                if is_due || how != Watching::Watched {
                    self.queue.add_whole(library, ScanKind::Changes);
                }
            }
        }
    }

    /// Asks for a scan of every library, for the operator's own command line, which stands above
    /// users.
    pub fn request_scan(&self, kind: ScanKind) {
        for root in self.roots() {
            self.progress.queued(root.id);
            self.queue.add_whole(root.id, kind);
        }
    }
}

/// What of a library changed when this path of a locker did: nothing, a part, or '' for all of it.
fn part_of(root: &Root, locker: LockerId, path: &str) -> Option<String> {
    if root.locker == Some(locker) {
        return Some(path.to_owned());
    }
    let (_, shared) = root.shared.as_ref().filter(|(of, _)| *of == locker)?;
    inner_path(shared, path).or_else(|| inner_path(path, shared).map(|_| String::new()))
}

/// A path relative to a folder that it is or lies in.
fn inner_path(folder: &str, path: &str) -> Option<String> {
    if folder.is_empty() {
        return Some(path.to_owned());
    }
    let rest = path.strip_prefix(folder)?;
    if rest.is_empty() { Some(String::new()) } else { rest.strip_prefix('/').map(str::to_owned) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_a_locker_is_one_of_its_shared_folders() {
        let root = |locker: Option<i64>, shared: Option<(i64, &str)>| Root {
            id: LibraryId(1),
            name: String::new(),
            path: "/x".into(),
            locker: locker.map(LockerId),
            shared: shared.map(|(id, path)| (LockerId(id), path.to_owned())),
            scanned_at: None,
        };
        for (root, path, expected) in [
            (root(Some(1), None), "a/b", Some("a/b")),
            (root(Some(2), None), "a/b", None),
            (root(None, Some((1, "Jazz"))), "Jazz/a.mp3", Some("a.mp3")),
            (root(None, Some((1, "Jazz"))), "Jazz", Some("")),
            (root(None, Some((1, "M/Jazz"))), "M", Some("")),
            (root(None, Some((1, "M/Jazz"))), "", Some("")),
            (root(None, Some((1, "Jazz"))), "Jazzy/a.mp3", None),
            (root(None, Some((2, "Jazz"))), "Jazz/a.mp3", None),
            (root(None, None), "Jazz", None),
        ] {
            assert_eq!(part_of(&root, LockerId(1), path).as_deref(), expected, "{path} {root:?}");
        }
    }
}
