//! The SQLite database: one writer, many readers, and the catalogue of migrations. WAL with
//! `synchronous=FULL` (SQLite's own default, measured to lose nothing at a power cut).

mod before;
mod check;
mod meta;
mod tx;

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use sqlx::{
    Connection as _, SqlitePool,
    migrate::{Migrate as _, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{Error, Result, storage::Storage};

/// Connections are back in their pools after it.
const RETURN: std::time::Duration = std::time::Duration::from_millis(200);

static MIGRATIONS: Migrator = sqlx::migrate!();

pub use tx::Tx;

/// A cheap handle to the database. Reads run side by side. Writes queue for the one writer.
#[derive(Debug, Clone)]
pub struct Db {
    // In one place: every service has one of these, and they are moved about a lot.
    parts: Arc<Parts>,
}

#[derive(Debug)]
struct Parts {
    reader: SqlitePool,
    writer: SqlitePool,
    storage: Storage,
    /// The last end was no clean one, and nobody looked yet whether it did harm.
    is_unchecked: bool,
}

/// The database was written by a newer version; it was left untouched.
#[derive(Debug, thiserror::Error)]
#[error(
    "{path} was written by a newer version of Tunelocker (schema {found}, this one knows {known}); nothing was changed. Start the newer version, or restore a backup"
)]
pub struct NewerSchema {
    /// The database file.
    pub path: PathBuf,
    /// The schema version in it.
    pub found: i64,
    /// The newest schema version that this program knows.
    pub known: i64,
}

impl Db {
    /// Opens the file, creating and migrating it as needed; what an older version wrote is copied
    /// first. Fails with [`NewerSchema`] inside when a newer version wrote it, and where it is damaged
    /// after an end that was not clean.
    pub async fn open(path: &Path) -> anyhow::Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(std::time::Duration::from_secs(10))
            .statement_cache_capacity(128)
            .pragma("temp_store", "memory");
        // Who closes it removes the log.
        let was_cut_short = path.exists() && wal_exists(path);
        refuse_newer_schema(path).await?;
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            // A disk that fails or is full makes SQLite take a transaction back by itself; the
            // connection still believes that it is in one then, and would never begin another.
            .before_acquire(|connection, _| {
                Box::pin(async move { Ok(!connection.is_in_transaction()) })
            })
            .connect_with(
                options
                    .clone()
                    .pragma("cache_size", "-10240")
                    // A scan writes the same pages again and again: into the database seldom.
                    .pragma("wal_autocheckpoint", "4000")
                    // Statistics are made of a part of each index: of a million rows they are as good,
                    // and nobody waits for the one writer meanwhile.
                    .pragma("analysis_limit", "400"),
            )
            .await
            .with_context(|| format!("cannot open the database {}", path.display()))?;
        let is_unchecked = was_cut_short && !check::at_start(&writer, path).await?;
        before::keep(&mut *writer.acquire().await?, path).await?;
        MIGRATIONS.run(&writer).await.context("cannot bring the database up to date")?;
        let reader = SqlitePoolOptions::new()
            .min_connections(0)
            .max_connections(4)
            // [`Self::rest`] comes sooner; this is for where it is not called.
            .idle_timeout(std::time::Duration::from_mins(5))
            .connect_with(
                options
                    .create_if_missing(false)
                    .pragma("cache_size", "-4096")
                    .pragma("query_only", "on"),
            )
            .await?;
        let storage = Storage::default();
        Ok(Self { parts: Arc::new(Parts { reader, writer, storage, is_unchecked }) })
    }

    /// The pool that reads run on.
    pub(crate) fn read(&self) -> &SqlitePool {
        &self.parts.reader
    }

    /// Starts a write transaction. It takes the write lock at once. Refused after the disk failed to
    /// keep one, and where the database is known to be damaged.
    pub(crate) async fn write(&self) -> Result<Tx> {
        if let Some(what) = self.parts.storage.fault() {
            return Err(Error::StorageDegraded(what.to_string()));
        }
        Ok(Tx::new(
            self.parts.writer.begin_with("BEGIN IMMEDIATE").await?,
            self.parts.storage.clone(),
        ))
    }

    /// Whether what is written to its disk lasts.
    #[must_use]
    pub fn storage(&self) -> &Storage {
        &self.parts.storage
    }

    /// Lets go of pages and statements that are kept for the next question, and of the connections
    /// that more than one question at a time needed. Connections that are at work are passed by.
    pub async fn rest(&self) {
        let mut resting = Vec::new();
        for pool in [&self.parts.reader, &self.parts.writer] {
            let mut is_first = true;
            while let Some(mut connection) = pool.try_acquire() {
                if !std::mem::take(&mut is_first) {
                    connection.close_on_drop();
                }
                resting.push(connection);
            }
        }
        for connection in &mut resting {
            let _ = connection.clear_cached_statements().await;
            let _ = sqlx::query("pragma shrink_memory")
                .persistent(false)
                .execute(&mut **connection)
                .await;
        }
        // They go back to their pools or end, each in a task of its own.
        drop(resting);
        tokio::time::sleep(RETURN).await;
    }

    /// Writes a whole copy, as one moment saw it, to a file that is not there yet. Others go on
    /// reading and writing meanwhile.
    pub(crate) async fn copy_to(&self, path: &Path) -> Result<()> {
        let options = (*self.parts.reader.connect_options()).clone().pragma("query_only", "off");
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await?;
        sqlx::query("vacuum into ?").bind(path.to_string_lossy()).execute(&mut connection).await?;
        connection.close().await?;
        Ok(())
    }

    /// Whether the database in a file is whole, and not of a newer version ([`NewerSchema`]). It
    /// is not written to.
    pub(crate) async fn examine(path: &Path) -> anyhow::Result<()> {
        refuse_newer_schema(path).await?;
        let options = SqliteConnectOptions::new().filename(path).read_only(true).immutable(true);
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await?;
        let found: String =
            sqlx::query_scalar("pragma integrity_check(1)").fetch_one(&mut connection).await?;
        connection.close().await?;
        anyhow::ensure!(found == "ok", "the database {} is damaged: {found}", path.display());
        Ok(())
    }

    /// Whether a read gets through.
    pub async fn answers(&self) -> bool {
        sqlx::query_scalar!("select 1").fetch_one(&self.parts.reader).await.is_ok()
    }

    /// Writes the log back and closes; the last thing before the process ends.
    pub async fn close(&self) {
        self.parts.reader.close().await;
        if let Ok(mut connection) = self.parts.writer.acquire().await {
            let _ = sqlx::query("pragma optimize").execute(&mut *connection).await;
            let _ = sqlx::query("pragma wal_checkpoint(truncate)").execute(&mut *connection).await;
        }
        self.parts.writer.close().await;
    }
}

/// Looks without writing: a newer database must stay untouched, byte for byte.
async fn refuse_newer_schema(path: &Path) -> anyhow::Result<()> {
    if !path.exists() {
        return Ok(());
    }
    let known = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0);
    let options =
        SqliteConnectOptions::new().filename(path).read_only(true).immutable(!wal_exists(path));
    let mut connection = <sqlx::SqliteConnection as sqlx::Connection>::connect_with(&options)
        .await
        .with_context(|| format!("cannot open the database {}", path.display()))?;
    let found = applied(&mut connection)
        .await
        .with_context(|| format!("cannot open the database {}", path.display()))?;
    let found = found.into_iter().max().unwrap_or(0);
    sqlx::Connection::close(connection).await?;
    if known < found {
        return Err(NewerSchema { path: path.to_owned(), found, known }.into());
    }
    Ok(())
}

/// The versions of the migrations that made this schema; none in a new database. What cannot be read
/// is an error: taken for none, it would be changed.
async fn applied(connection: &mut sqlx::SqliteConnection) -> anyhow::Result<HashSet<i64>> {
    const TABLE: &str = "_sqlx_migrations";
    let sql = "select exists (select 1 from sqlite_master where type = 'table' and name = ?)";
    let is_there: bool =
        sqlx::query_scalar(sql).bind(TABLE).persistent(false).fetch_one(&mut *connection).await?;
    if !is_there {
        return Ok(HashSet::new());
    }
    let applied = connection.list_applied_migrations(TABLE).await?;
    Ok(applied.iter().map(|migration| migration.version).collect())
}

/// A log beside the database means that it was not closed; `immutable` would not see it.
fn wal_exists(path: &Path) -> bool {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    Path::new(&name).exists()
}

#[cfg(test)]
mod tests;
