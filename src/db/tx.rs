//! A write transaction that knows whether its disk kept it.

use std::ops::{Deref, DerefMut};

use sqlx::{Sqlite, SqliteConnection, Transaction};

use crate::{Result, error::database_fault, storage::Storage};

/// A write transaction. It holds the one writer; keep it short and never wait for a network in it.
/// Dropping it takes everything back.
#[derive(Debug)]
pub struct Tx {
    inner: Transaction<'static, Sqlite>,
    storage: Storage,
}

impl Tx {
    pub(super) fn new(inner: Transaction<'static, Sqlite>, storage: Storage) -> Self {
        Self { inner, storage }
    }

    /// Makes it last. A disk that could not is not written to any more: SQLite takes the
    /// transaction back, and nobody is told that it was done.
    pub(crate) async fn commit(self) -> Result<()> {
        self.inner.commit().await.map_err(|error| {
            if let Some(what) = database_fault(&error) {
                self.storage.degrade(&what);
            }
            error.into()
        })
    }
}

impl Deref for Tx {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.inner
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.inner
    }
}
