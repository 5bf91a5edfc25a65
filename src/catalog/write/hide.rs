//! Files that are there and must not be heard or seen: what an administrator took down in a folder
//! that is not ours to change. Their tracks are hidden as if the files could not be read, and come
//! back with what people added to them when that is lifted.

use std::collections::{BTreeMap, HashSet};

use super::{albums, batch::Scope, faces, gone, pictures, rows::list};
use crate::{
    Result,
    catalog::{Catalog, works},
    ids::{LibraryId, MediaFileId},
};

impl Catalog {
    /// Hides these files; the sentence says why. Those that are hidden already stay as they are.
    pub(crate) async fn hide_files(&self, files: &[MediaFileId], reason: &str) -> Result<()> {
        if files.is_empty() {
            return Ok(());
        }
        let files = list(files);
        let mut tx = self.db.write().await?;
        let tracks = sqlx::query!(
            r#"select track_id as "track!: i64", album_id, library_id, path from track
               where media_file_id in (select value from json_each(?)) and missing_at is null"#,
            files
        )
        .fetch_all(&mut *tx)
        .await?;
        sqlx::query!(
            "update media_file set state = 'unreadable', reason = ?
             where media_file_id in (select value from json_each(?))",
            reason,
            files
        )
        .execute(&mut *tx)
        .await?;
        let mut by_library: BTreeMap<i64, Vec<_>> = BTreeMap::new();
        for track in tracks {
            by_library.entry(track.library_id).or_default().push(track);
        }
        for (library, tracks) in by_library {
            let scope = Scope { library: LibraryId(library), now: self.clock.now() };
            let ids: Vec<i64> = tracks.iter().map(|track| track.track).collect();
            gone::hide_tracks(&mut tx, scope, &ids).await?;
            pictures::repair(&mut tx, scope, tracks.iter().map(|track| track.path.as_str()))
                .await?;
            let touched: HashSet<i64> = tracks.iter().filter_map(|track| track.album_id).collect();
            let touched: Vec<i64> = touched.into_iter().collect();
            works::mark_albums(&mut tx, &touched).await?;
            albums::refresh(&mut tx, scope, &touched).await?;
            faces::refresh(&mut tx, Vec::new(), &touched).await?;
        }
        let revision = self.bump_revision(&mut tx).await?;
        tx.commit().await?;
        self.announce(revision);
        Ok(())
    }

    /// Files that were hidden for a reason that begins so are read again by the next scan.
    pub(crate) async fn show_again(&self, reason: &str) -> Result<u64> {
        let mut tx = self.db.write().await?;
        let folders = sqlx::query_scalar!(
            "update media_file set modified_ns = -1
             where state = 'unreadable' and substr(reason, 1, length(?1)) = ?1 returning folder_id",
            reason
        )
        .fetch_all(&mut *tx)
        .await?;
        let hidden = folders.len() as u64;
        let folders = list(&folders);
        sqlx::query!(
            "update folder set fingerprint = null where folder_id in (select value from json_each(?))",
            folders
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(hidden)
    }

    /// What was kept of pictures that were in these files, and are shown for nothing else, goes.
    pub(crate) async fn forget_pictures(&self, files: &[(LibraryId, String)]) -> Result<()> {
        let files = list(files);
        let hashes = sqlx::query_scalar!(
            r#"select distinct p.hash as "hash!: Vec<u8>"
               from json_each(?) j join track t on t.library_id = j.value->>0 and t.path = j.value->>1
               join picture p using (picture_id)
               where not exists (select 1 from track x where x.picture_id = p.picture_id and x.missing_at is null)
                 and not exists (select 1 from folder f where f.picture_id = p.picture_id)"#,
            files
        )
        .fetch_all(self.db.read())
        .await?;
        let hashes = hashes.into_iter().map(hex::encode).collect();
        self.inner.covers.forget(hashes).await
    }
}
