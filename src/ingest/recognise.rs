//! Files that are new under their path but are known under another: moved or renamed between
//! folders. They are known again by their number, by their quick key, by their tags, or by their
//! sound alone; in each case only if nothing lies at the old path any more.

use std::{collections::HashSet, path::Path, sync::Arc};

use super::{
    read::Reader,
    sounds,
    walk::{Lent, absolute},
};
use crate::{
    Result,
    catalog::{
        identity,
        write::{Content, FileFound},
    },
    db::Db,
    error::is_nowhere,
    ids::{LibraryId, MediaFileId},
};

/// Lengths that differ by less are the same.
const SAME_LENGTH_MS: u64 = 1000;

/// A row that one of the files may have been.
pub(super) struct Candidate {
    /// Which of the new files.
    pub(super) file: usize,
    pub(super) row: i64,
    pub(super) path: String,
}

/// Fills in `moved_from` where a new file is an old one. `files` tells which are new.
pub(super) async fn recognise(
    db: &Db,
    reader: &Reader,
    library: LibraryId,
    files: &mut [(FileFound, bool)],
) -> Result<()> {
    let mut taken: HashSet<i64> =
        files.iter().filter_map(|(file, _)| file.moved_from).map(|id| id.0).collect();
    let open = |files: &[(FileFound, bool)]| {
        files.iter().any(|(file, is_added)| *is_added && file.moved_from.is_none())
    };
    if open(files) {
        let candidates = by_inode(db, library, files).await?;
        adopt(reader, files, candidates, &mut taken).await?;
    }
    if open(files) {
        let candidates = by_quick_key(db, library, files).await?;
        adopt(reader, files, candidates, &mut taken).await?;
    }
    if open(files) {
        let candidates = by_tags(db, library, files).await?;
        adopt(reader, files, candidates, &mut taken).await?;
    }
    if open(files) {
        let candidates = sounds::by_sound(db, reader, library, files).await?;
        adopt(reader, files, candidates, &mut taken).await?;
    }
    Ok(())
}

/// The new files that are still unknown.
pub(super) fn unknown(files: &[(FileFound, bool)]) -> impl Iterator<Item = (usize, &FileFound)> {
    let numbered = files.iter().enumerate();
    numbered
        .filter(|(_, (file, is_added))| *is_added && file.moved_from.is_none())
        .map(|(at, (file, _))| (at, file))
}

async fn by_inode(
    db: &Db,
    library: LibraryId,
    files: &[(FileFound, bool)],
) -> Result<Vec<Candidate>> {
    let inodes: Vec<i64> = unknown(files).map(|(_, file)| file.inode).collect();
    let inodes = serde_json::to_string(&inodes)?;
    let rows = sqlx::query!(
        "select media_file_id, path, inode, size_bytes, modified_ns from media_file
         where inode in (select value from json_each(?)) and library_id = ?",
        inodes,
        library
    )
    .fetch_all(db.read())
    .await?;
    let mut candidates = Vec::new();
    for row in rows {
        for (at, file) in unknown(files) {
            let is_same = (file.inode, file.size_bytes, file.modified_ns)
                == (row.inode, row.size_bytes, row.modified_ns);
            if is_same && file.path != row.path {
                candidates.push(Candidate {
                    file: at,
                    row: row.media_file_id,
                    path: row.path.clone(),
                });
            }
        }
    }
    Ok(candidates)
}

async fn by_quick_key(
    db: &Db,
    library: LibraryId,
    files: &[(FileFound, bool)],
) -> Result<Vec<Candidate>> {
    let key_of = |file: &FileFound| match &file.content {
        Content::Tracks { quick_key, .. } => Some(*quick_key),
        Content::Unreadable(_) => None,
    };
    let keys: Vec<String> =
        unknown(files).filter_map(|(_, file)| key_of(file)).map(hex::encode).collect();
    let keys = serde_json::to_string(&keys)?;
    let rows = sqlx::query!(
        r#"select media_file_id as "media_file_id!: i64", path, size_bytes, quick_key from media_file
           where substr(quick_key, 1, 8) in (select unhex(substr(value, 1, 16)) from json_each(?))
             and quick_key is not null and library_id = ?"#,
        keys,
        library
    )
    .fetch_all(db.read())
    .await?;
    let mut candidates = Vec::new();
    for row in rows {
        for (at, file) in unknown(files) {
            let is_same = key_of(file)
                .is_some_and(|key| row.quick_key.as_deref() == Some(&key[..]))
                && file.size_bytes == row.size_bytes
                && file.path != row.path;
            if is_same {
                candidates.push(Candidate {
                    file: at,
                    row: row.media_file_id,
                    path: row.path.clone(),
                });
            }
        }
    }
    Ok(candidates)
}

async fn by_tags(
    db: &Db,
    library: LibraryId,
    files: &[(FileFound, bool)],
) -> Result<Vec<Candidate>> {
    let tags_of = |file: &FileFound| match &file.content {
        Content::Tracks { tracks, .. } if tracks.len() == 1 => Some(tracks[0].tags.clone()),
        _ => None,
    };
    let found: Vec<_> =
        unknown(files).filter_map(|(at, file)| Some((at, tags_of(file)?))).collect();
    let titles: Vec<String> = found
        .iter()
        .filter_map(|(_, tags)| tags.sort_title.as_deref().or(tags.title.as_deref()))
        .map(identity::order_key)
        .collect();
    let titles = serde_json::to_string(&titles)?;
    let rows = sqlx::query!(
        r#"select media_file_id as "row!: i64", path, title, display_artist, album_name, duration_ms, mbid_recording
           from track
           where order_key in (select value from json_each(?)) and missing_at is null
             and library_id = ? and cue_index is null and media_file_id is not null"#,
        titles,
        library
    )
    .fetch_all(db.read())
    .await?;
    let mut candidates = Vec::new();
    for row in rows {
        for (at, tags) in &found {
            let is_same_recording =
                row.mbid_recording.is_some() && row.mbid_recording == tags.mbid_recording;
            let is_named_alike = tags.title.as_deref() == Some(&row.title)
                && tags.display_artist.as_deref() == Some(&row.display_artist);
            let is_same = (is_same_recording || is_named_alike)
                && tags.album.as_deref().unwrap_or_default() == row.album_name
                && tags.audio.duration_ms.abs_diff(row.duration_ms.max(0) as u64) < SAME_LENGTH_MS;
            if is_same {
                candidates.push(Candidate { file: *at, row: row.row, path: row.path.clone() });
            }
        }
    }
    Ok(candidates)
}

/// Takes those candidates whose old path is empty now, each row once.
async fn adopt(
    reader: &Reader,
    files: &mut [(FileFound, bool)],
    candidates: Vec<Candidate>,
    taken: &mut HashSet<i64>,
) -> Result<()> {
    if candidates.is_empty() {
        return Ok(());
    }
    let (root, lent) = (Arc::clone(&reader.root), Arc::clone(&reader.lent));
    let vacated = tokio::task::spawn_blocking(move || {
        let mut vacated = candidates;
        vacated.retain(|candidate| is_absent(&root, &lent, &candidate.path));
        vacated
    })
    .await?;
    for candidate in vacated {
        let file = &mut files[candidate.file].0;
        if file.moved_from.is_none() && taken.insert(candidate.row) {
            file.moved_from = Some(MediaFileId(candidate.row));
        }
    }
    Ok(())
}

/// Whether surely nothing is there: an error that could mean anything else is no proof.
pub(super) fn is_absent(root: &Path, lent: &Lent, path: &str) -> bool {
    match std::fs::symlink_metadata(absolute(root, path)) {
        Ok(found) => !(found.is_file() || found.is_symlink() && lent.contains_key(path)),
        Err(error) => is_nowhere(&error),
    }
}
