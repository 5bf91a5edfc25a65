//! Whether the server can do its work: the database answers and the drive has room.

use std::{fmt, path::PathBuf, sync::Arc};

use futures_util::future::BoxFuture;

use crate::db::Db;

/// Below this many free bytes uploads will soon fail.
const LOW: u64 = 64 * 1024 * 1024;

/// Looks after what the server stands on. Cheap to clone.
#[derive(Clone)]
pub struct Health {
    db: Db,
    drive: Arc<PathBuf>,
    mounted: Mounted,
}

/// Asks whether the drive is the one that the files were stored on.
pub type Mounted = Arc<dyn Fn() -> BoxFuture<'static, bool> + Send + Sync>;

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health").field("drive", &self.drive).finish_non_exhaustive()
    }
}

/// What was found.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Report {
    /// `ok`, `degraded` (it serves, but something needs a hand) or `failed`.
    pub status: &'static str,
    /// The database.
    pub database: &'static str,
    /// The drive: `ok`, `full`, `unmounted` (nothing can be stored, and nothing is changed) or
    /// `failed`.
    pub storage: &'static str,
    /// The program.
    pub version: &'static str,
}

impl Report {
    /// Whether requests can be served.
    #[must_use]
    pub fn serves(&self) -> bool {
        self.status != "failed"
    }
}

impl Health {
    /// Over an open database, the drive's root, and who knows that drive.
    #[must_use]
    pub fn new(db: Db, drive: PathBuf, mounted: Mounted) -> Self {
        Self { db, drive: drive.into(), mounted }
    }

    /// Looks now.
    pub async fn report(&self) -> Report {
        let database = if self.db.answers().await { "ok" } else { "failed" };
        let storage = match rustix::fs::statvfs(self.drive.as_path()) {
            Ok(_) if database == "ok" && !(self.mounted)().await => "unmounted",
            Ok(disk) if LOW <= disk.f_bavail.saturating_mul(disk.f_frsize) => "ok",
            Ok(_) => "full",
            Err(_) => "failed",
        };
        let status = match (database, storage) {
            ("ok", "ok") => "ok",
            ("ok", _) => "degraded",
            _ => "failed",
        };
        Report { status, database, storage, version: env!("CARGO_PKG_VERSION") }
    }
}
