//! Whether the database is whole: quickly after an end that was not clean and once a week, by every
//! index when somebody asks (`pragma integrity_check`). A damaged one is not written to any more.

use std::path::Path;

use sqlx::{Connection as _, SqlitePool};

use super::Db;
use crate::{Error, Result, clock::Millis, error::database_fault};

/// Read whole before anybody is served: a second or two. A larger one is read beside that.
const SMALL: u64 = 64 * 1024 * 1024;
/// When it was looked at last.
const CHECKED: &str = "database.checked";

/// Looks at a small database before it is used; whether it did. An error where it is damaged.
pub(super) async fn at_start(writer: &SqlitePool, path: &Path) -> anyhow::Result<bool> {
    if SMALL < std::fs::metadata(path)?.len() {
        return Ok(false);
    }
    let found: Result<String, _> =
        sqlx::query_scalar("pragma quick_check(1)").fetch_one(writer).await;
    let damage = match found {
        Ok(found) if found == "ok" => return Ok(true),
        Ok(found) => found,
        Err(error) => error.to_string(),
    };
    anyhow::bail!(
        "the database {} is damaged ({damage}); nothing was changed. Restore a backup into an empty folder (tunelocker restore), or, without one, see what `sqlite3 .recover` brings back",
        path.display()
    )
}

impl Db {
    /// Tries a disk that failed: if the database is whole, and what is written lasts, it is taken for
    /// sound again.
    pub(crate) async fn try_storage(&self) -> Result<()> {
        if self.parts.storage.fault().is_none() {
            return Ok(());
        }
        self.check_quickly().await?;
        self.parts.storage.clear();
        let mut tx = self.write().await?;
        sqlx::query(
            "insert into meta (key, value) values ('tried', cast(unixepoch() as text))
             on conflict (key) do update set value = excluded.value",
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await
    }

    /// Whether the database is whole, as far as can be seen without comparing every index: a damaged
    /// one is not written to any more. It reads all of the file, beside everybody else.
    pub async fn check_quickly(&self) -> Result<()> {
        let options = (*self.parts.reader.connect_options()).clone();
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await?;
        let found: Result<String, _> =
            sqlx::query_scalar("pragma quick_check(1)").fetch_one(&mut connection).await;
        connection.close().await?;
        let damage = match found {
            Ok(found) if found == "ok" => return Ok(()),
            Ok(found) => format!("the database is damaged ({found})"),
            Err(error) => match database_fault(&error) {
                Some(what) => what,
                None => return Err(error.into()),
            },
        };
        self.parts.storage.degrade(&damage);
        Err(Error::StorageDegraded(damage))
    }

    /// Every damage that a comparison of all tables with all indexes finds, as sentences.
    pub async fn damage(&self) -> Result<Vec<String>> {
        let options = (*self.parts.reader.connect_options()).clone();
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await?;
        let found: Result<Vec<String>, _> =
            sqlx::query_scalar("pragma integrity_check").fetch_all(&mut connection).await;
        connection.close().await?;
        let found = match found {
            Ok(found) => found,
            Err(error) => vec![database_fault(&error).ok_or(error)?],
        };
        let damage = found.into_iter().filter(|one| one != "ok");
        Ok(damage.map(|one| format!("The database is damaged: {one}")).collect())
    }

    /// Whether it has to be looked at before long: the last end was not clean, and it is large.
    #[must_use]
    pub fn is_unchecked(&self) -> bool {
        self.parts.is_unchecked
    }

    /// When it was looked at last; `None` if never.
    pub(crate) async fn checked_at(&self) -> Result<Option<Millis>> {
        self.meta_of(CHECKED).await
    }

    /// Keeps that it was.
    pub(crate) async fn keep_checked_at(&self, now: Millis) -> Result<()> {
        self.keep_meta_of(CHECKED, &now).await
    }

    /// Renews the statistics that questions are planned by, where they are old.
    pub(crate) async fn optimize(&self) -> Result<()> {
        sqlx::query("pragma optimize").execute(&self.parts.writer).await?;
        Ok(())
    }
}
