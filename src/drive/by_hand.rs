//! Files that other hands put at a place (another program, a network share) and that no look at the
//! whole disk has found yet. Whoever is about to put something there sees them first: what is
//! replaced is charged, kept as a version and meant by conditions, whoever brought it.

use super::{
    Drive,
    disk::Found,
    put::blocking,
    reconcile::{Fix, Presence, Seen, fix_of},
    rows::Row,
};
use crate::{Result, accounts::Locker, error::is_nowhere};

impl Drive {
    /// The row of a place as the disk has it now, before bytes are asked for. Its turn is taken only
    /// where the row does not fit.
    pub(super) async fn row_as_it_lies(&self, locker: &Locker, path: &str) -> Result<Option<Row>> {
        let row = self.row(locker.id, path).await?;
        if self.misfit(locker, path, row.as_ref()).await?.is_none() {
            return Ok(row);
        }
        let lock = self.lock(locker.id);
        let _turn = lock.lock().await;
        self.adopt_row(locker, path).await
    }

    /// The same for whoever has the locker's turn: the row fits what lies there, until the turn is
    /// over or other hands come again.
    pub(super) async fn adopt_row(&self, locker: &Locker, path: &str) -> Result<Option<Row>> {
        let row = self.row(locker.id, path).await?;
        let Some(fix) = self.misfit(locker, path, row.as_ref()).await? else { return Ok(row) };
        tracing::info!(path, "a file was put there, changed or taken away by other hands");
        self.fix(locker.id, &[fix], &mut Vec::new()).await?;
        self.row(locker.id, path).await
    }

    /// How a row must change to fit what lies there.
    async fn misfit(&self, locker: &Locker, path: &str, row: Option<&Row>) -> Result<Option<Fix>> {
        let lent = row.and_then(|row| row.lent.clone());
        let is_lent = lent.is_some();
        let (disk, folder, at) = (self.disk.clone(), locker.path.clone(), path.to_owned());
        let found = blocking(move || match disk.look(&folder, &at, lent.as_ref()) {
            Err(error) if is_nowhere(&error) => Ok(None),
            found => found.map(Some),
        })
        .await?;
        let seen = row.map(|row| Seen {
            size: row.size,
            modified_ns: row.modified_ns,
            presence: Presence::There,
            is_lent,
        });
        Ok(match found {
            Some(Found { is_folder: true, .. }) => None,
            Some(found) => fix_of(path, &found, seen.as_ref()),
            None => row.map(|_| Fix::Missing(path.to_owned())),
        })
    }
}
