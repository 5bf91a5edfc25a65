//! Folder rows: the tree as it lies on disk.

use std::collections::{BTreeMap, HashMap};

use super::{
    batch::{Batch, Scope},
    rows::{Rows, last_id, list},
};
use crate::{Result, db::Tx};

/// Row ids of folders by path.
pub(super) type FolderIds = HashMap<String, i64>;

/// Makes the folders of a batch and everything above them, and brings their times up to date.
pub(super) async fn upsert(tx: &mut Tx, scope: Scope, batch: &Batch) -> Result<FolderIds> {
    let mut wanted: BTreeMap<String, Option<i64>> = BTreeMap::new();
    let named = batch.folders.iter().map(|folder| (folder.path.as_str(), Some(folder.modified_ns)));
    let of_files = batch.files.iter().map(|file| (folder_of(&file.path), None));
    let of_pictures = batch.pictures.iter().map(|(folder, _)| (folder.as_str(), None));
    let of_complete = batch.complete.iter().map(|(folder, _)| (folder.as_str(), None));
    for (path, modified) in named.chain(of_files).chain(of_pictures).chain(of_complete) {
        let known = wanted.entry(path.to_owned()).or_default();
        *known = modified.or(*known);
        let mut above = path;
        while !above.is_empty() {
            above = folder_of(above);
            wanted.entry(above.to_owned()).or_default();
        }
    }
    if wanted.is_empty() {
        return Ok(FolderIds::new());
    }
    let paths = list(wanted.keys());
    let mut ids: FolderIds = HashMap::with_capacity(wanted.len());
    let mut times = HashMap::new();
    let known = sqlx::query!(
        "select folder_id, path, modified_ns from folder
         where library_id = ? and path in (select value from json_each(?))",
        scope.library,
        paths
    )
    .fetch_all(&mut **tx)
    .await?;
    for row in known {
        times.insert(row.folder_id, row.modified_ns);
        ids.insert(row.path, row.folder_id);
    }
    let mut next = last_id(tx, "folder").await?;
    let mut new = Rows::new();
    let mut touched = Rows::new();
    // In order of path, so that parents come first.
    for (path, modified) in &wanted {
        if let Some(id) = ids.get(path) {
            if modified.is_some_and(|modified| times.get(id) != Some(&modified)) {
                touched.row(|row| {
                    row.value(*id).value(*modified);
                });
            }
            continue;
        }
        next += 1;
        let parent = (!path.is_empty()).then(|| ids.get(folder_of(path))).flatten().copied();
        let name = path.rsplit_once('/').map_or(path.as_str(), |(_, name)| name);
        new.row(|row| {
            row.value(next).value(scope.library).value(parent).text(path);
            row.text(&crate::catalog::path_text::shown(name));
            row.value(modified.unwrap_or(0)).value(scope.now);
        });
        ids.insert(path.clone(), next);
    }
    new.run(
        tx,
        "insert into folder (folder_id, library_id, parent_id, path, name, modified_ns, created_at)
         values {rows}",
    )
    .await?;
    touched
        .run(
            tx,
            "update folder set modified_ns = j.column2 from (values {rows}) j
             where folder_id = j.column1",
        )
        .await?;
    Ok(ids)
}

/// Notes the fingerprints of folders whose files are all in the catalogue now.
pub(super) async fn complete(
    tx: &mut Tx,
    ids: &FolderIds,
    complete: &[(String, [u8; 32])],
) -> Result<()> {
    let mut rows = Rows::new();
    for (path, fingerprint) in complete {
        if let Some(id) = ids.get(path) {
            rows.row(|row| {
                row.value(*id).bytes(Some(fingerprint));
            });
        }
    }
    rows.run(
        tx,
        "update folder set fingerprint = j.column2 from (values {rows}) j
         where folder_id = j.column1",
    )
    .await
}

/// The folder of a path relative to the library; '' for the root.
pub(super) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}
