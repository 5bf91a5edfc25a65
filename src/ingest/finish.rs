//! The last step of a scan: what is gone is hidden, unless it is too much to believe; playlists
//! and artists' pictures are brought up to date; the library says how it is.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{
    Ingest,
    changes::WalkEnd,
    libraries::{self, Root},
    recognise::is_absent,
    scan::{Belief, Ended, Gathered, Order},
    walk::Lent,
};
use crate::{
    Result,
    catalog::write::{Batch, FileGone},
    ids::FolderId,
};

/// Losing more tracks than this at once, and more than a tenth, needs a word.
const MANY: i64 = 200;
/// Files in one transaction.
const PORTION: usize = 500;

/// Rows whose files a scan did not find.
#[derive(Debug, Default)]
pub(super) struct Gone {
    pub(super) files: Vec<FileGone>,
    /// Folders that are complete once these are hidden.
    pub(super) folders_to_complete: Vec<(String, [u8; 32])>,
}

impl Ingest {
    /// Hides what is gone and closes the scan.
    pub(super) async fn finish(
        &self,
        library: &Root,
        lent: &Arc<Lent>,
        order: &Order,
        end: &WalkEnd,
        mut gathered: Gathered,
        stop: &CancellationToken,
    ) -> Result<Ended> {
        // Below a folder that could not be listed nothing is known to be gone.
        let is_known = |path: &str| {
            !end.troubles.iter().any(|trouble| {
                trouble.is_empty() || path == trouble || path.starts_with(&format!("{trouble}/"))
            })
        };
        let unseen: Vec<&(String, i64)> =
            end.unseen.iter().filter(|(path, _)| is_known(path)).collect();
        let mut gone = std::mem::take(&mut gathered.gone.files);
        for portion in unseen.chunks(PORTION) {
            let folders: Vec<i64> = portion.iter().map(|(_, id)| *id).collect();
            gone.extend(self.files_of(&folders).await?);
        }
        let gone = self.confirm(library, lent, gone).await?;
        if order.belief == Belief::Ask
            && let Some(reason) = self.too_much(library, gone.len() as i64).await?
        {
            self.refuse(library, &reason).await?;
            return Ok(Ended::Refused);
        }
        let folders: Vec<FolderId> = unseen.iter().map(|(_, id)| FolderId(*id)).collect();
        if !gone.is_empty() || !folders.is_empty() {
            gathered.changed = true;
            for portion in gone.chunks(PORTION) {
                if stop.is_cancelled() {
                    return Ok(Ended::Stopped);
                }
                self.catalog.remove_files(library.id, portion, &[]).await?;
            }
            self.catalog.remove_files(library.id, &[], &folders).await?;
        }
        let mut complete = std::mem::take(&mut gathered.gone.folders_to_complete);
        complete.retain(|(folder, _)| !gathered.incomplete.contains(folder));
        if !complete.is_empty() {
            let batch = Batch { complete, ..Batch::default() };
            self.catalog.apply(library.id, &batch).await?;
        }
        if !gathered.artist_pictures.is_empty() {
            self.catalog.set_artist_pictures(library.id, &gathered.artist_pictures).await?;
        }
        self.sync_playlists(library, lent, order, &end.playlists, gathered.changed).await?;
        self.catalog.settle().await?;
        let scanned_at = order.is_whole().then(|| self.clock.now());
        libraries::set_scanned(&self.db, library.id, 0 < end.audio, scanned_at).await?;
        Ok(Ended::Complete)
    }

    async fn files_of(&self, folders: &[i64]) -> Result<Vec<FileGone>> {
        let folders = serde_json::to_string(folders)?;
        let rows = sqlx::query!(
            "select media_file_id, path from media_file
             where folder_id in (select value from json_each(?))",
            folders
        )
        .fetch_all(self.db.read())
        .await?;
        let gone =
            rows.into_iter().map(|row| FileGone { id: row.media_file_id.into(), path: row.path });
        Ok(gone.collect())
    }

    /// Those that still have their path and are really not there: a scan takes time, and files
    /// move and come meanwhile.
    async fn confirm(
        &self,
        library: &Root,
        lent: &Arc<Lent>,
        gone: Vec<FileGone>,
    ) -> Result<Vec<FileGone>> {
        let mut confirmed = Vec::with_capacity(gone.len());
        let root: Arc<std::path::Path> = library.path.as_path().into();
        for portion in gone.chunks(PORTION) {
            let seen: Vec<(i64, &str)> =
                portion.iter().map(|file| (file.id.0, file.path.as_str())).collect();
            let seen = serde_json::to_string(&seen)?;
            let rows = sqlx::query!(
                "select f.media_file_id, f.path from media_file f
                 join json_each(?) j on f.media_file_id = j.value->>0 and f.path = j.value->>1",
                seen
            )
            .fetch_all(self.db.read())
            .await?;
            let (root, lent) = (Arc::clone(&root), Arc::clone(lent));
            let absent = tokio::task::spawn_blocking(move || {
                let mut rows = rows;
                rows.retain(|row| is_absent(&root, &lent, &row.path));
                rows
            })
            .await?;
            confirmed.extend(
                absent
                    .into_iter()
                    .map(|row| FileGone { id: row.media_file_id.into(), path: row.path }),
            );
        }
        Ok(confirmed)
    }

    /// Why so many cannot be believed to be gone; `None` if they can.
    async fn too_much(&self, library: &Root, gone: i64) -> Result<Option<String>> {
        if gone == 0 {
            return Ok(None);
        }
        let known = sqlx::query_scalar!(
            r#"select count(*) as "count!: i64" from media_file where library_id = ?"#,
            library.id
        )
        .fetch_one(self.db.read())
        .await?;
        let confirm = "Nothing was removed. If this is right, start a full scan to confirm it";
        if gone == known {
            return Ok(Some(format!(
                "No music was found in {}, where {known} files were; is it mounted? {confirm}",
                library.path.display()
            )));
        }
        if MANY < gone && known / 10 < gone {
            return Ok(Some(format!("{gone} of {known} files are not there any more. {confirm}")));
        }
        Ok(None)
    }
}
