//! The pictures that stand for folders. They are worked out where something changes, for lists of
//! folders are long and are read often.

use super::rows::list;
use crate::{Result, db::Tx};

/// Works out again which pictures stand for these folders, those of these albums, and all that
/// lie above them. Below a folder without a picture of its own only the first few hundred are
/// looked at.
pub(super) async fn refresh(
    tx: &mut Tx,
    folders: impl IntoIterator<Item = i64>,
    albums: &[i64],
) -> Result<()> {
    let folders: Vec<i64> = folders.into_iter().collect();
    if folders.is_empty() && albums.is_empty() {
        return Ok(());
    }
    let (folders, albums) = (list(folders), list(albums));
    sqlx::query!(
        "with recursive up (folder_id) as (
             select value from json_each(?1)
             union select folder_id from album
                   where album_id in (select value from json_each(?2)) and folder_id is not null
             union select f.parent_id from up join folder f using (folder_id) where f.parent_id is not null)
         update folder set (face_id, face_hash) = (
             select p.picture_id, hex(substr(p.hash, 1, 4)) from picture p where p.picture_id = coalesce(
                 folder.picture_id,
                 (select b.picture_id from album b
                  where b.folder_id = folder.folder_id and b.picture_id is not null limit 1),
                 (select b.picture_id
                  from (select c.folder_id from folder c
                        where c.library_id = folder.library_id and folder.path <> ''
                          and c.path > folder.path || '/' and c.path < folder.path || '0'
                        order by c.path limit 300) c
                       join album b on b.folder_id = c.folder_id
                  where b.picture_id is not null limit 1)))
         where folder_id in (select folder_id from up)",
        folders,
        albums
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
