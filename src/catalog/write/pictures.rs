//! Picture rows, by content. Bytes stay where they are; a row says in which file.

use std::collections::HashMap;

use super::{
    batch::{Batch, Content, FolderPicture, Scope},
    folders::FolderIds,
    rows::{Rows, last_id, list},
};
use crate::{Result, catalog::Catalog, db::Tx, ids::LibraryId, media::tags::PictureFacts};

/// Row ids by content hash in hex.
pub(super) type PictureIds = HashMap<String, i64>;

/// Makes rows for every picture in or beside the files of a batch, and points folders at theirs.
pub(super) async fn upsert(
    tx: &mut Tx,
    scope: Scope,
    batch: &Batch,
    folders: &FolderIds,
) -> Result<PictureIds> {
    let mut wanted: HashMap<&str, (&PictureFacts, &str, bool)> = HashMap::new();
    // A picture file is cheaper to open than one inside a track, so it is preferred as source.
    for picture in batch.pictures.iter().filter_map(|(_, picture)| picture.as_ref()) {
        wanted.insert(&picture.facts.hash, (&picture.facts, &picture.path, false));
    }
    for file in &batch.files {
        if let Content::Tracks { tracks, .. } = &file.content {
            for facts in tracks.iter().filter_map(|track| track.tags.picture.as_ref()) {
                wanted.entry(&facts.hash).or_insert((facts, &file.path, true));
            }
        }
    }
    let ids = ensure(tx, scope, wanted).await?;
    let mut of_folders = Rows::new();
    for (folder, picture) in &batch.pictures {
        let Some(folder) = folders.get(folder) else { continue };
        let picture = picture.as_ref().and_then(|picture| ids.get(&picture.facts.hash));
        of_folders.row(|row| {
            row.value(*folder).value(picture);
        });
    }
    of_folders
        .run(
            tx,
            "update folder set picture_id = j.column2 from (values {rows}) j
             where folder_id = j.column1 and picture_id is not j.column2",
        )
        .await?;
    Ok(ids)
}

/// A picture with its source and whether it is inside that.
type Source<'a> = (&'a PictureFacts, &'a str, bool);

/// Makes rows for pictures by their hashes.
async fn ensure(
    tx: &mut Tx,
    scope: Scope,
    mut wanted: HashMap<&str, Source<'_>>,
) -> Result<PictureIds> {
    wanted.retain(|hash, _| hash.len() == 64);
    let mut ids = PictureIds::with_capacity(wanted.len());
    if !wanted.is_empty() {
        let hashes = list(wanted.keys());
        let known = sqlx::query!(
            r#"select picture_id, lower(hex(hash)) as "hash!: String", library_id, path from picture
               where hash in (select unhex(value) from json_each(?))"#,
            hashes
        )
        .fetch_all(&mut **tx)
        .await?;
        ids.extend(known.into_iter().map(|row| (row.hash, row.picture_id)));
        let mut next = last_id(tx, "picture").await?;
        let mut new = Rows::new();
        for (hash, (facts, path, is_embedded)) in &wanted {
            if ids.contains_key(*hash) {
                continue;
            }
            let Ok(bytes) = hex::decode(hash) else { continue };
            next += 1;
            new.row(|row| {
                row.value(next).bytes(Some(&bytes)).text(&facts.mime).value(facts.width);
                row.value(facts.height).value(facts.size_bytes).value(scope.library);
                row.text(path).value(u8::from(*is_embedded));
            });
            ids.insert((*hash).to_owned(), next);
        }
        new.run(
            tx,
            "insert into picture (picture_id, hash, mime, width, height, size_bytes, library_id, path, is_embedded)
             values {rows}",
        )
        .await?;
    }
    Ok(ids)
}

impl Catalog {
    /// Gives artists the pictures found in their folders: a folder is that of an artist when all
    /// albums at and below it are his.
    pub(crate) async fn set_artist_pictures(
        &self,
        library: LibraryId,
        pictures: &[(String, FolderPicture)],
    ) -> Result<()> {
        let scope = Scope { library, now: self.clock.now() };
        let mut tx = self.db.write().await?;
        let wanted = pictures
            .iter()
            .map(|(_, picture)| {
                (picture.facts.hash.as_str(), (&picture.facts, picture.path.as_str(), false))
            })
            .collect();
        let ids = ensure(&mut tx, scope, wanted).await?;
        for (folder, picture) in pictures {
            let Some(id) = ids.get(&picture.facts.hash) else { continue };
            let (below, after) = (format!("{folder}/"), format!("{folder}0"));
            sqlx::query!(
                "update artist set picture_id = ?1 where artist_id = (
                    select max(aa.artist_id) from folder f
                    join album a on a.folder_id = f.folder_id
                    join album_artist aa on aa.album_id = a.album_id and aa.position = 0
                    where f.library_id = ?2 and (f.path = ?3 or (?4 < f.path and f.path < ?5))
                    having count(distinct aa.artist_id) = 1)",
                id,
                library,
                folder,
                below,
                after
            )
            .execute(&mut *tx)
            .await?;
        }
        let revision = self.bump_revision(&mut tx).await?;
        tx.commit().await?;
        self.announce(revision);
        Ok(())
    }
}

/// Pictures that were last seen inside these files are taken from another file that has them, if
/// they are not in there any more; those that nothing shows go.
pub(super) async fn repair<'a>(
    tx: &mut Tx,
    scope: Scope,
    paths: impl Iterator<Item = &'a str>,
) -> Result<()> {
    let paths = list(paths);
    let stale = sqlx::query_scalar!(
        "select picture_id from picture p
         where p.path in (select value from json_each(?)) and p.library_id = ? and p.is_embedded = 1
           and not exists (select 1 from track x where x.picture_id = p.picture_id and x.path = p.path
                             and x.library_id = p.library_id and x.missing_at is null)",
        paths,
        scope.library
    )
    .fetch_all(&mut **tx)
    .await?;
    if stale.is_empty() {
        return Ok(());
    }
    let stale = list(stale);
    sqlx::query!(
        "update picture set library_id = x.library_id, path = x.path, is_embedded = 1 from track x
         where x.picture_id = picture.picture_id and x.missing_at is null
           and picture.picture_id in (select value from json_each(?))",
        stale
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "delete from picture where picture_id in (select value from json_each(?))
           and not exists (select 1 from track x where x.picture_id = picture.picture_id)
           and not exists (select 1 from folder f where f.picture_id = picture.picture_id)",
        stale
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
