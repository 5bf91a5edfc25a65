//! Files that are gone. Their tracks stay, hidden, with what people added to them, and know how
//! their file looked, so that they come back with it.

use std::collections::HashSet;

use super::{
    albums,
    batch::{FileGone, Scope},
    faces, pictures,
    rows::list,
};
use crate::{
    Result,
    catalog::{Catalog, works},
    db::Tx,
    ids::{FolderId, LibraryId},
};

impl Catalog {
    /// Hides the tracks of files that are gone. Rows that have moved since they were seen are
    /// left alone. `folders` are gone too; those are removed. Gives how many files went.
    pub(crate) async fn remove_files(
        &self,
        library: LibraryId,
        files: &[FileGone],
        folders: &[FolderId],
    ) -> Result<usize> {
        let scope = Scope { library, now: self.clock.now() };
        let mut tx = self.db.write().await?;
        let seen = list(files.iter().map(|file| (file.id, &file.path)));
        let gone = sqlx::query_scalar!(
            "select media_file_id from media_file f
             join json_each(?) j on f.media_file_id = j.value->>0 and f.path = j.value->>1
             where f.library_id = ?",
            seen,
            library
        )
        .fetch_all(&mut *tx)
        .await?;
        let mut touched = HashSet::new();
        forget_files(&mut tx, scope, &gone, &mut touched).await?;
        let touched: Vec<i64> = touched.into_iter().collect();
        works::mark_albums(&mut tx, &touched).await?;
        albums::refresh(&mut tx, scope, &touched).await?;
        let mut above = Vec::new();
        if !folders.is_empty() {
            let folders = list(folders);
            above = sqlx::query_scalar!(
                r#"select distinct parent_id as "parent!: i64" from folder
                   where folder_id in (select value from json_each(?)) and parent_id is not null"#,
                folders
            )
            .fetch_all(&mut *tx)
            .await?;
            // A folder that still holds files came back meanwhile.
            sqlx::query!(
                "delete from folder where library_id = ? and folder_id in (select value from json_each(?))
                   and not exists (
                     select 1 from media_file m join folder below on below.folder_id = m.folder_id
                     where below.library_id = folder.library_id
                       and (below.folder_id = folder.folder_id or below.path like folder.path || '/%'))",
                library,
                folders
            )
            .execute(&mut *tx)
            .await?;
        }
        faces::refresh(&mut tx, above, &touched).await?;
        let revision = self.bump_revision(&mut tx).await?;
        tx.commit().await?;
        self.announce(revision);
        Ok(gone.len())
    }
}

/// Removes file rows and hides their tracks. Albums to refresh are added to `touched_albums`.
pub(super) async fn forget_files(
    tx: &mut Tx,
    scope: Scope,
    files: &[i64],
    touched_albums: &mut HashSet<i64>,
) -> Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    let files = list(files);
    let tracks = sqlx::query!(
        "select track_id, album_id, path from track
         where media_file_id in (select value from json_each(?))",
        files
    )
    .fetch_all(&mut **tx)
    .await?;
    touched_albums.extend(tracks.iter().filter_map(|track| track.album_id));
    sqlx::query!(
        "update track set missing_at = coalesce(missing_at, ?), media_file_id = null,
                quick_key = (select quick_key from media_file f where f.media_file_id = track.media_file_id)
         where media_file_id in (select value from json_each(?))",
        scope.now,
        files
    )
    .execute(&mut **tx)
    .await?;
    let rows = list(tracks.iter().map(|track| track.track_id));
    works::mark_tracks(tx, &rows).await?;
    sqlx::query!("delete from track_search where rowid in (select value from json_each(?))", rows)
        .execute(&mut **tx)
        .await?;
    sqlx::query!(
        "delete from media_file where media_file_id in (select value from json_each(?))",
        files
    )
    .execute(&mut **tx)
    .await?;
    pictures::repair(tx, scope, tracks.iter().map(|track| track.path.as_str())).await
}

/// Hides single tracks whose file is still there: an image that lost a part, a file that can no
/// longer be read.
pub(super) async fn hide_tracks(tx: &mut Tx, scope: Scope, tracks: &[i64]) -> Result<()> {
    if tracks.is_empty() {
        return Ok(());
    }
    let tracks = list(tracks);
    works::mark_tracks(tx, &tracks).await?;
    sqlx::query!(
        "update track set missing_at = coalesce(missing_at, ?)
         where track_id in (select value from json_each(?))",
        scope.now,
        tracks
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "delete from track_search where rowid in (select value from json_each(?))",
        tracks
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
