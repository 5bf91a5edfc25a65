//! The write side: batches of understood files become rows, in one short transaction each. Only
//! `ingest` calls it. Nothing here opens a file.

mod albums;
mod artists;
mod batch;
mod faces;
mod facts;
mod files;
mod folders;
mod genres;
mod gone;
mod heirs;
mod hide;
mod known;
mod pictures;
mod playlists;
mod prune;
mod rows;
mod same_sound;
mod sound;
mod tracks;

pub use batch::{
    Applied, Batch, Content, FileFound, FileGone, FolderFound, FolderPicture, LyricsFound,
    TrackFound,
};

pub use playlists::PlaylistFound;
pub use sound::{SoundCounts, SoundFound, SoundWanted};

use std::collections::HashSet;

use self::{
    batch::Scope,
    tracks::{Related, TrackToWrite},
};
use crate::{
    Result,
    catalog::{Catalog, works},
    ids::LibraryId,
};

impl Catalog {
    /// Writes what a scan found, in one transaction, and tells that the catalogue changed. A
    /// batch may come again after a crash: rows are found by path.
    pub(crate) async fn apply(&self, library: LibraryId, batch: &Batch) -> Result<Applied> {
        let scope = Scope { library, now: self.clock.now() };
        let mut tx = self.db.write().await?;
        let mut touched = HashSet::new();
        let folders = folders::upsert(&mut tx, scope, batch).await?;
        let mut applied = Applied::default();
        let (mut former, mut renamed) = (HashSet::new(), heirs::Votes::new());
        let mut marks_changed = false;
        if !batch.files.is_empty() {
            let files = files::upsert(&mut tx, scope, batch, &folders, &mut touched).await?;
            let (tracks, before) = known::resolve(&mut tx, scope, batch, &files).await?;
            touched.extend(&before.albums);
            gone::hide_tracks(&mut tx, scope, &before.surplus).await?;
            let people =
                tracks.iter().flat_map(|track| &track.facts.parts).map(|part| &part.person);
            let artists = artists::upsert(&mut tx, scope.now, people).await?;
            let names = tracks.iter().flat_map(|track| &track.found.tags.genres);
            let genres = genres::upsert(&mut tx, names).await?;
            let pictures = pictures::upsert(&mut tx, scope, batch, &folders).await?;
            let albums = albums::upsert(&mut tx, scope, &tracks, &artists, &folders).await?;
            let related = Related {
                artists: &artists,
                albums: &albums,
                folders: &folders,
                genres: &genres,
                pictures: &pictures,
            };
            let parts = tracks::upsert(&mut tx, scope, &tracks, &related).await?;
            marks_changed |= heirs::albums(&mut tx, scope, &tracks, &albums).await?;
            renamed = heirs::renamed(&mut tx, &before, &parts, &artists).await?;
            former = before.artists;
            touched.extend(albums.values());
            works::mark(&mut tx, artists.all().chain(former.iter().copied())).await?;
            let known = tracks.iter().filter(|track| track.row.is_some());
            let paths: Vec<&str> = known.map(|track: &TrackToWrite<'_>| track.path).collect();
            applied.known_tracks = paths.len();
            applied.new_tracks = tracks.len() - paths.len();
            if !paths.is_empty() {
                pictures::repair(&mut tx, scope, paths.into_iter()).await?;
            }
        } else if !batch.pictures.is_empty() {
            pictures::upsert(&mut tx, scope, batch, &folders).await?;
        }
        touched.extend(albums_of_pictures(&mut tx, batch, &folders).await?);
        let touched: Vec<i64> = touched.into_iter().collect();
        albums::refresh(&mut tx, scope, &touched).await?;
        let of_pictures = batch.pictures.iter().filter_map(|(folder, _)| folders.get(folder));
        faces::refresh(&mut tx, of_pictures.copied(), &touched).await?;
        works::mark_albums(&mut tx, &touched).await?;
        marks_changed |= heirs::artists(&mut tx, scope, &renamed).await?;
        prune::artists(&mut tx, &former).await?;
        folders::complete(&mut tx, &folders, &batch.complete).await?;
        let revision = self.bump_revision(&mut tx).await?;
        tx.commit().await?;
        if marks_changed {
            self.inner.marks.changed();
        }
        self.announce(revision);
        Ok(applied)
    }
}

/// Albums whose cover may follow from the folder pictures of a batch.
async fn albums_of_pictures(
    tx: &mut crate::db::Tx,
    batch: &Batch,
    folders: &folders::FolderIds,
) -> Result<Vec<i64>> {
    if batch.pictures.is_empty() {
        return Ok(Vec::new());
    }
    let folders = rows::list(batch.pictures.iter().filter_map(|(folder, _)| folders.get(folder)));
    let albums = sqlx::query_scalar!(
        r#"select album_id as "album_id!: i64" from album where folder_id in (select value from json_each(?1))
           union
           select album_id from track
           where folder_id in (select value from json_each(?1)) and album_id is not null"#,
        folders
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(albums)
}

#[cfg(test)]
mod tests;
