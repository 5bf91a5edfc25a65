//! The bytes themselves: opened where the rows say they are, and only if they still are the ones
//! that the rows speak of.

use std::sync::Arc;

use super::{Matching, rows::Place};
use crate::{
    Result,
    catalog::path_text,
    drive::{Digests, Kinship, Source, digest},
    media::sealed::Sealed,
};

impl Matching {
    /// Opens what lies at a place; `None` if that is gone or changed.
    pub(super) async fn open(&self, place: Place) -> Result<Option<Source>> {
        match place {
            Place::Locker { file } => {
                let Some(row) = self.locker_file(file).await? else { return Ok(None) };
                let source = match self.parts.drive.source(row.locker, &row.path).await {
                    Err(
                        crate::Error::NotFound(_)
                        | crate::Error::Conflict(_)
                        | crate::Error::Exists { .. }
                        | crate::Error::Unavailable(_),
                    ) => return Ok(None),
                    opened => opened?,
                };
                let is_same = (source.size, source.modified_ns) == (row.size, row.modified_ns);
                Ok(is_same.then_some(source))
            }
            Place::Folder { file } => {
                let Some(row) = self.folder_file(file).await? else { return Ok(None) };
                let path = path_text::decode(&row.root).join(path_text::decode(&row.path));
                let (size, modified_ns) = (row.size, row.modified_ns);
                let place = path.clone();
                let opened = tokio::task::spawn_blocking(move || {
                    Sealed { path, size, modified_ns, seal: None }.open_as_of().ok()
                });
                let Some((file, changed_ns)) = opened.await? else { return Ok(None) };
                let (file, kinship) = (Arc::new(file), Kinship::Outside);
                // Whatever is proved of it from now on holds as of that time.
                let lendable =
                    self.parts.drive.lendable(row.library, &row.path, place, changed_ns).await?;
                Ok(Some(Source { file, kinship, size, modified_ns, lendable }))
            }
        }
    }
}

/// Reads all of it, once.
pub(super) async fn read(source: &Source, key: Option<[u8; 32]>) -> Result<Option<Digests>> {
    let file = Arc::clone(&source.file);
    let digests = tokio::task::spawn_blocking(move || digest(&file, key.as_ref(), |_| true));
    match digests.await? {
        Ok(digests) => Ok(digests.filter(|it| it.length == source.size)),
        // A disk that fails over a file is no reason to fail over the rest.
        Err(error) => {
            tracing::warn!("a file could not be read to be matched: {error}");
            Ok(None)
        }
    }
}
