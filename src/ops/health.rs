//! Whether the server can do its work: the database answers and the drive has room.

use std::{fmt, path::PathBuf, sync::Arc};

use futures_util::future::BoxFuture;

use crate::{accounts::Accounts, db::Db};

/// Below this many free bytes uploads will soon fail.
const LOW: u64 = 64 * 1024 * 1024;

/// Looks after what the server stands on. Cheap to clone.
#[derive(Clone)]
pub struct Health {
    db: Db,
    accounts: Accounts,
    drive: Arc<PathBuf>,
    standing: Standing,
}

/// How the drive stands.
#[derive(Debug, Clone, Copy)]
pub struct DriveState {
    /// `ok`, `unmounted` or `degraded`.
    pub standing: &'static str,
    /// Whether some of its files are known to be damaged.
    pub has_damage: bool,
}

/// Asks for it.
pub type Standing = Arc<dyn Fn() -> BoxFuture<'static, DriveState> + Send + Sync>;

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
    /// The database: `ok`, `degraded` (it is damaged, or its disk failed; nothing is written to it)
    /// or `failed`.
    pub database: &'static str,
    /// The drive: `ok`, `full`, `unmounted` or `degraded` (its disk failed; either way nothing can be
    /// stored, and nothing is changed) or `failed`.
    pub storage: &'static str,
    /// The bytes of what is stored, as they were read last: `ok` or `damaged`.
    pub files: &'static str,
    /// The last backup: `ok`, `failed` or `none`.
    pub backup: &'static str,
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
    pub fn new(db: Db, accounts: Accounts, drive: PathBuf, standing: Standing) -> Self {
        Self { db, accounts, drive: drive.into(), standing }
    }

    /// Looks now.
    pub async fn report(&self) -> Report {
        let database = match self.db.answers().await {
            true if self.db.storage().fault().is_none() => "ok",
            true => "degraded",
            false => "failed",
        };
        let (mut standing, mut files, mut backup) = ("ok", "ok", "none");
        if database != "failed" {
            let drive = (self.standing)().await;
            standing = drive.standing;
            files = if drive.has_damage { "damaged" } else { "ok" };
            backup = self.backup().await;
        }
        let storage = match rustix::fs::statvfs(self.drive.as_path()) {
            Ok(_) if standing != "ok" => standing,
            Ok(disk) if LOW <= disk.f_bavail.saturating_mul(disk.f_frsize) => "ok",
            Ok(_) => "full",
            Err(_) => "failed",
        };
        let status = match (database, storage) {
            ("ok", "ok") if files == "ok" && backup != "failed" => "ok",
            ("failed", _) => "failed",
            _ => "degraded",
        };
        Report { status, database, storage, files, backup, version: env!("CARGO_PKG_VERSION") }
    }

    async fn backup(&self) -> &'static str {
        match self.accounts.last_backup().await {
            Ok(last) if last.failed_at.is_some() => "failed",
            Ok(last) if last.good_at.is_some() => "ok",
            _ => "none",
        }
    }
}
