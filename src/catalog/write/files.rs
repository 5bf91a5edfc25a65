//! Rows of files that the scanner looked at.

use std::collections::{HashMap, HashSet};

use super::{
    batch::{Batch, Content, Scope},
    folders::{FolderIds, folder_of},
    gone,
    rows::{Rows, last_id, list},
};
use crate::{Result, db::Tx};

/// For each file of the batch, in order: its row, and whether the row was there before.
pub(super) type FileIds = Vec<(i64, bool)>;

/// Makes the rows fit the files of a batch. A row is found by where the file came from, else by
/// its path, so that a batch may come twice and two scans may meet.
pub(super) async fn upsert(
    tx: &mut Tx,
    scope: Scope,
    batch: &Batch,
    folders: &FolderIds,
    touched_albums: &mut HashSet<i64>,
) -> Result<FileIds> {
    let moved: HashSet<i64> =
        batch.files.iter().filter_map(|file| file.moved_from).map(|id| id.0).collect();
    let paths = list(batch.files.iter().map(|file| &file.path));
    let moved_list = list(&moved);
    let known = sqlx::query!(
        "select media_file_id, path from media_file
         where library_id = ?1 and path in (select value from json_each(?2))
         union
         select media_file_id, path from media_file
         where library_id = ?1 and media_file_id in (select value from json_each(?3))",
        scope.library,
        paths,
        moved_list
    )
    .fetch_all(&mut **tx)
    .await?;
    let present: HashMap<i64, String> =
        known.iter().map(|row| (row.media_file_id, row.path.clone())).collect();
    let by_path: HashMap<String, i64> =
        known.into_iter().map(|row| (row.path, row.media_file_id)).collect();

    let mut next = last_id(tx, "media_file").await?;
    let mut ids: FileIds = Vec::with_capacity(batch.files.len());
    let mut taken: HashSet<i64> = HashSet::new();
    let mut displaced = Vec::new();
    let (mut rows, mut sources) = (Rows::new(), Rows::new());
    for file in &batch.files {
        let here = by_path.get(&file.path).copied();
        let before = file.moved_from.map(|id| id.0).filter(|id| present.contains_key(id));
        let found = before.or(here.filter(|id| !moved.contains(id)));
        let id = if let Some(id) = found.filter(|id| !taken.contains(id)) {
            ids.push((id, true));
            id
        } else {
            next += 1;
            ids.push((next, false));
            next
        };
        taken.insert(id);
        if let Some(old) = present.get(&id).filter(|old| **old != file.path) {
            sources.row(|row| {
                row.text(old).text(&file.path).value(scope.library);
            });
        }
        // Another file took this one's place.
        displaced.extend(here.filter(|here| *here != id && !moved.contains(here)));
        let (state, reason, key) = match &file.content {
            Content::Tracks { quick_key, .. } => ("ok", "", Some(&quick_key[..])),
            Content::Unreadable(reason) => ("unreadable", reason.as_str(), None),
        };
        rows.row(|row| {
            row.value(id).value(scope.library).value(folders.get(folder_of(&file.path)));
            row.text(&file.path).value(file.size_bytes).value(file.modified_ns);
            row.value(file.inode).text(state).text(reason).bytes(key);
            row.value(file.sidecar_stamp).value(scope.now);
        });
    }
    if !displaced.is_empty() {
        gone::forget_files(tx, scope, &displaced, touched_albums).await?;
    }
    if !moved.is_empty() {
        // Out of each other's way: files may have swapped names.
        sqlx::query!(
            "update media_file set path = char(1) || media_file_id
             where library_id = ? and media_file_id in (select value from json_each(?))",
            scope.library,
            moved_list
        )
        .execute(&mut **tx)
        .await?;
    }
    sources
        .run(
            tx,
            "update picture set path = j.column2 from (values {rows}) j
             where picture.path = j.column1 and library_id = j.column3",
        )
        .await?;
    rows.run(
        tx,
        "insert into media_file (media_file_id, library_id, folder_id, path, size_bytes, modified_ns, inode,
                state, reason, quick_key, sidecar_stamp, scanned_at)
         values {rows}
         on conflict (media_file_id) do update set folder_id = excluded.folder_id, path = excluded.path,
            size_bytes = excluded.size_bytes, modified_ns = excluded.modified_ns, inode = excluded.inode,
            state = excluded.state, reason = excluded.reason, quick_key = excluded.quick_key,
            sidecar_stamp = excluded.sidecar_stamp, scanned_at = excluded.scanned_at",
    )
    .await?;
    Ok(ids)
}
