//! How music gets in: scan, watch, understand, reconcile. Reads what watched folders and lockers
//! hold and tells `catalog`. Knows nothing of protocols or playback, and writes nothing to a
//! library.

mod barred;
mod changes;
mod cue;
mod diff;
mod finish;
pub mod libraries;
mod listing;
mod open;
mod playlists;
mod queue;
mod read;
mod recognise;
mod run;
mod scan;
mod sounds;
mod status;
mod walk;
mod watch;

pub use status::{LibraryScan, Phase, ScanStatus, Watching};

use std::{
    collections::BTreeMap,
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use tokio::sync::Notify;

use crate::{
    Result,
    accounts::Principal,
    catalog::Catalog,
    clock::Clock,
    db::Db,
    drive::Drive,
    events::Events,
    media::{tags::ReadOptions, worker::Pool},
};

/// What to scan for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ScanKind {
    /// What changed since the last time.
    Changes,
    /// Everything is read again, and what is gone is believed to be gone.
    Full,
}

/// Where music comes from and how it is read.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Watched folders: name and path.
    pub libraries: Vec<(String, PathBuf)>,
    /// Whether lockers may point at files of these folders, by name, where the configuration says.
    pub lends: BTreeMap<String, bool>,
    /// Root of the lockers.
    pub drive: PathBuf,
    /// How often folders that cannot be watched are compared.
    pub sweep: std::time::Duration,
    /// How names in tags are split.
    pub read: ReadOptions,
    /// Portions of files that are read at once; as many as the pool has workers.
    pub readers: usize,
}

/// The ingest service. Cheap to clone.
#[derive(Clone)]
pub struct Ingest {
    db: Db,
    clock: Clock,
    events: Events,
    drive: Drive,
    catalog: Catalog,
    pool: Pool,
    settings: Arc<Settings>,
    progress: status::Progress,
    queue: Arc<queue::Queue>,
    roots: Arc<Mutex<Arc<[libraries::Root]>>>,
    roots_changed: Arc<Notify>,
}

impl fmt::Debug for Ingest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ingest").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Ingest {
    /// Over an open catalogue. Nothing is scanned before [`Self::run`].
    #[must_use]
    pub fn new(
        db: Db,
        clock: Clock,
        events: Events,
        drive: Drive,
        catalog: Catalog,
        pool: Pool,
        settings: Settings,
    ) -> Self {
        let progress = status::Progress::new(events.clone());
        Self {
            db,
            clock,
            events,
            drive,
            catalog,
            pool,
            settings: settings.into(),
            progress,
            queue: Arc::default(),
            roots: Arc::new(Mutex::new(Arc::new([]))),
            roots_changed: Arc::default(),
        }
    }

    /// Asks for a scan of every library; it begins at once unless one runs. Administrators only,
    /// from their apps too. A full one is also their word that what is not there any more is gone.
    pub fn start_scan(&self, principal: &Principal, kind: ScanKind) -> Result<()> {
        principal.require_tending()?;
        self.request_scan(kind);
        Ok(())
    }

    /// How far scans are.
    #[must_use]
    pub fn status(&self) -> ScanStatus {
        self.progress.status()
    }
}
