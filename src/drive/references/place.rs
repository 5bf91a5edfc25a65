//! Where the bytes of lent files are, for those who know only the database.

use std::{collections::HashMap, ffi::OsString, os::unix::ffi::OsStringExt as _};

use crate::{
    Result,
    db::Db,
    drive::{
        disk::LentFiles,
        rows::{inside, lent},
    },
    ids::LockerId,
    media::sealed::{Seal, Sealed},
};

/// Lent files in a folder of a locker ('' for all of it), by their paths relative to it, and where
/// their bytes are. Those that are missing are left out.
pub(crate) async fn lent_places(
    db: &Db,
    locker: LockerId,
    folder: &str,
) -> Result<HashMap<String, Sealed>> {
    let (first, last) = inside(folder);
    let rows = sqlx::query!(
        r#"select f.path, f.size_bytes, f.modified_ns, r.target, r.changed_ns, r.content_hash
           from drive_file f join drive_reference r using (reference_id)
           where f.locker_id = ?1 and f.reference_id is not null and f.missing_at is null
             and (?2 = '' or (?3 <= f.path and f.path < ?4))"#,
        locker.0,
        folder,
        first,
        last
    )
    .fetch_all(db.read())
    .await?;
    let skipped = if folder.is_empty() { 0 } else { folder.len() + 1 };
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let path = OsString::from_vec(row.target).into();
            let (size, modified_ns) = (row.size_bytes.unsigned_abs(), row.modified_ns);
            let seal = Seal::of(row.changed_ns, &row.content_hash);
            Some((row.path.get(skipped..)?.to_owned(), Sealed { path, size, modified_ns, seal }))
        })
        .collect())
}

/// A row that points, as it is read.
struct Row {
    path: String,
    size_bytes: i64,
    modified_ns: i64,
    reference: i64,
    target: Vec<u8>,
    quick_key: Vec<u8>,
    changed_ns: i64,
    content_hash: Vec<u8>,
}

/// Lent files of something kept, by their paths in it; '' is a file itself.
pub(in crate::drive) async fn lent_of_kept(db: &Db, id: &str) -> Result<LentFiles> {
    let rows = sqlx::query_as!(
        Row,
        r#"select f.path, f.size_bytes, f.modified_ns, r.reference_id as "reference!: i64", r.target, r.quick_key, r.changed_ns,
                      r.content_hash
           from drive_kept_file f join drive_reference r using (reference_id) where f.kept_id = ?"#,
        id
    )
    .fetch_all(db.read())
    .await?;
    Ok(by_path(rows))
}

/// Lent files of a locker by their paths, also those whose symlink was not there.
pub(in crate::drive) async fn lent_of_locker(db: &Db, locker: LockerId) -> Result<LentFiles> {
    let rows = sqlx::query_as!(
        Row,
        r#"select f.path, f.size_bytes, f.modified_ns, r.reference_id as "reference!: i64", r.target, r.quick_key, r.changed_ns,
                      r.content_hash
           from drive_file f join drive_reference r using (reference_id)
           where f.locker_id = ? and f.reference_id is not null and r.missing_at is null"#,
        locker.0
    )
    .fetch_all(db.read())
    .await?;
    Ok(by_path(rows))
}

fn by_path(rows: Vec<Row>) -> LentFiles {
    let lent = |row: Row| {
        let reference = (Some(row.reference), Some(row.target), Some(row.quick_key));
        let facts = (row.size_bytes, row.modified_ns);
        Some((row.path, lent(reference, facts, (Some(row.changed_ns), Some(row.content_hash)))?))
    };
    rows.into_iter().filter_map(lent).collect()
}
