//! Which files there are to read: of lockers, then of trash and versions, in the order of their keys,
//! so that it can be gone on with.

use serde::{Deserialize, Serialize};

use super::Scrub;
use crate::Result;

/// Files that are asked for at once.
const PORTION: u32 = 64;
/// So many other places of the same bytes are looked at.
const MOST_OTHERS: u32 = 20;

/// A file, as its row has it.
#[derive(Debug, Clone)]
pub(super) struct Row {
    key: Key,
    /// The locker.
    pub(super) locker: i64,
    /// The locker's folder.
    pub(super) owner: String,
    /// The folder that it lies in, below the drive's root.
    pub(super) folder: String,
    /// Where in that.
    pub(super) path: String,
    pub(super) size: u64,
    pub(super) modified_ns: i64,
    pub(super) hash: Vec<u8>,
}

#[derive(Debug, Clone)]
enum Key {
    File(i64),
    Kept(String, String),
}

/// What was read last; nothing at first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct After {
    file: i64,
    /// Set once all files of lockers were read.
    kept: Option<(String, String)>,
}

impl Row {
    /// Below the drive's root.
    pub(super) fn place(&self) -> String {
        format!("{}/{}", self.folder, self.path)
    }

    pub(super) fn after(&self) -> After {
        match &self.key {
            Key::File(file) => After { file: *file, kept: None },
            Key::Kept(id, path) => After { file: i64::MAX, kept: Some((id.clone(), path.clone())) },
        }
    }
}

impl Scrub<'_> {
    /// The next few.
    pub(super) async fn rows(&self, after: &After) -> Result<Vec<Row>> {
        if after.kept.is_none() {
            let files = self.files(after.file).await?;
            if !files.is_empty() {
                return Ok(files);
            }
        }
        let (id, path) = after.kept.clone().unwrap_or_default();
        self.kept(&id, &path).await
    }

    async fn files(&self, after: i64) -> Result<Vec<Row>> {
        let rows = sqlx::query!(
            r#"select f.drive_file_id as "id!: i64", f.locker_id, l.path as owner, f.path, f.size_bytes,
                      f.modified_ns, f.content_hash as "hash!: Vec<u8>"
               from drive_file f join locker l using (locker_id)
               where f.drive_file_id > ? and f.missing_at is null and f.reference_id is null
                 and f.content_hash is not null
               order by f.drive_file_id limit ?"#,
            after,
            PORTION
        )
        .fetch_all(self.db.read())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| Row {
                key: Key::File(row.id),
                locker: row.locker_id,
                folder: row.owner.clone(),
                owner: row.owner,
                path: row.path,
                size: row.size_bytes.unsigned_abs(),
                modified_ns: row.modified_ns,
                hash: row.hash,
            })
            .collect())
    }

    async fn kept(&self, id: &str, path: &str) -> Result<Vec<Row>> {
        let rows = sqlx::query!(
            r#"select f.kept_id, f.path, k.locker_id, l.path as owner,
                      k.shelf || '/' || k.kept_id as "folder!: String",
                      k.name || iif(f.path = '', '', '/' || f.path) as "within!: String",
                      f.size_bytes, f.modified_ns, f.content_hash as "hash!: Vec<u8>"
               from drive_kept_file f join drive_kept k using (kept_id) join locker l using (locker_id)
               where (f.kept_id, f.path) > (?, ?) and (k.gone_at is null or k.held_by is not null)
                 and f.reference_id is null and f.content_hash is not null
               order by f.kept_id, f.path limit ?"#,
            id,
            path,
            PORTION
        )
        .fetch_all(self.db.read())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| Row {
                key: Key::Kept(row.kept_id, row.path),
                locker: row.locker_id,
                owner: row.owner,
                folder: row.folder,
                path: row.within,
                size: row.size_bytes.unsigned_abs(),
                modified_ns: row.modified_ns,
                hash: row.hash,
            })
            .collect())
    }

    /// Files of which nobody knows what was stored: other hands brought them, and they are about to
    /// be hashed.
    pub(super) async fn unknown(&self) -> Result<u64> {
        let count = sqlx::query_scalar!(
            r#"select (select count(*) from drive_file where content_hash is null and missing_at is null)
                    + (select count(*) from drive_kept_file f join drive_kept k using (kept_id)
                       where f.content_hash is null and k.gone_at is null) as "count!: i64""#
        )
        .fetch_one(self.db.read())
        .await?;
        Ok(count.unsigned_abs())
    }

    /// Whether a row still says what it said.
    pub(super) async fn is_still(&self, row: &Row) -> Result<bool> {
        let is_there = match &row.key {
            Key::File(id) => {
                sqlx::query_scalar!(
                    r#"select exists (select 1 from drive_file f join locker l using (locker_id)
                         where f.drive_file_id = ? and f.path = ? and l.path = ? and f.content_hash = ?
                           and f.missing_at is null) as "is!: bool""#,
                    id,
                    row.path,
                    row.folder,
                    row.hash
                )
                .fetch_one(self.db.read())
                .await?
            }
            Key::Kept(id, path) => {
                sqlx::query_scalar!(
                    r#"select exists (select 1 from drive_kept_file where kept_id = ? and path = ?)
                         as "is!: bool""#,
                    id,
                    path
                )
                .fetch_one(self.db.read())
                .await?
            }
        };
        Ok(is_there)
    }

    /// Other places that should hold the same bytes.
    pub(super) async fn others(&self, row: &Row) -> Result<Vec<Row>> {
        let size = i64::try_from(row.size).unwrap_or(i64::MAX);
        let rows = sqlx::query!(
            r#"select l.path as "folder!: String", f.path as "path!: String", f.modified_ns as "modified_ns!: i64"
               from drive_file f join locker l using (locker_id)
               where f.content_hash = ?1 and f.size_bytes = ?2 and f.missing_at is null and f.reference_id is null
               union all
               select k.shelf || '/' || k.kept_id, k.name || iif(f.path = '', '', '/' || f.path), f.modified_ns
               from drive_kept_file f join drive_kept k using (kept_id)
               where f.content_hash = ?1 and f.size_bytes = ?2 and f.reference_id is null and k.gone_at is null
               limit ?3"#,
            row.hash,
            size,
            MOST_OTHERS
        )
        .fetch_all(self.db.read())
        .await?;
        Ok(rows
            .into_iter()
            .filter(|it| it.folder != row.folder || it.path != row.path)
            .map(|it| Row {
                folder: it.folder,
                path: it.path,
                modified_ns: it.modified_ns,
                ..row.clone()
            })
            .collect())
    }
}
