//! Files that nobody hashed yet: only their bytes tell whether they are of a content.

use std::{fs::File, io};

use tokio_util::sync::CancellationToken;

use crate::{
    Result,
    drive::{
        Drive,
        disk::{self, digest, quick_key},
    },
};

impl Drive {
    /// Files without a hash that may be of a content of this size.
    pub(super) async fn count_unhashed(&self, size: Option<i64>) -> Result<u64> {
        let count = sqlx::query_scalar!(
            r#"select (select count(*) from drive_file where content_hash is null and missing_at is null
                         and (?1 is null or size_bytes = ?1))
                    + (select count(*) from drive_kept_file f join drive_kept k using (kept_id)
                       where f.content_hash is null and (k.gone_at is null or k.held_by is not null)
                         and (?1 is null or f.size_bytes = ?1)) as "count!: i64""#,
            size
        )
        .fetch_one(self.db.read())
        .await?;
        Ok(count.unsigned_abs())
    }

    /// Hashes every file that has no hash and may be of a content of this size; how many could not
    /// be read. `None`: told to stop.
    pub(super) async fn hash_all(
        &self,
        size: Option<i64>,
        stop: &CancellationToken,
    ) -> Result<Option<u64>> {
        let files = sqlx::query!(
            r#"select f.drive_file_id as "id!: i64", l.path as "folder!: String", f.path, f.size_bytes,
                      f.modified_ns
               from drive_file f join locker l using (locker_id)
               where f.content_hash is null and f.missing_at is null and (?1 is null or f.size_bytes = ?1)"#,
            size
        )
        .fetch_all(self.db.read())
        .await?;
        let mut unread = 0;
        for row in files {
            let (disk, path) = (self.disk.clone(), row.path);
            let open = move || Ok(disk::open_file(&disk.locker(&row.folder)?, &path)?.0);
            let Some((content, quick)) = hashed(open, row.size_bytes, stop).await? else {
                unread += 1;
                continue;
            };
            let mut tx = self.db.write().await?;
            sqlx::query!(
                "update drive_file set content_hash = ?1, quick_key = coalesce(quick_key, ?2)
                 where drive_file_id = ?3 and size_bytes = ?4 and modified_ns = ?5 and missing_at is null",
                content,
                quick,
                row.id,
                row.size_bytes,
                row.modified_ns
            )
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
        }
        for file in self.kept_files(None, size).await? {
            let (disk, spot, inner) = (self.disk.clone(), file.spot.clone(), file.inner.clone());
            let open = move || disk.open_inside(&spot, &inner);
            let length = i64::try_from(file.size).unwrap_or(i64::MAX);
            let Some((content, _)) = hashed(open, length, stop).await? else {
                unread += 1;
                continue;
            };
            let mut tx = self.db.write().await?;
            sqlx::query!(
                "update drive_kept_file set content_hash = ? where kept_id = ? and path = ?",
                content,
                file.id,
                file.inner
            )
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
        }
        Ok((!stop.is_cancelled()).then_some(unread))
    }
}

/// Content hash and quick key of a file that is so long; `None` if it cannot be read, is another
/// one by now, or it is time to stop.
async fn hashed(
    open: impl FnOnce() -> io::Result<File> + Send + 'static,
    length: i64,
    stop: &CancellationToken,
) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
    let stop = stop.clone();
    let read = tokio::task::spawn_blocking(move || {
        let file = open()?;
        let quick = quick_key(&file)?;
        Ok::<_, io::Error>(digest(&file, None, |_| !stop.is_cancelled())?.map(|it| (it, quick)))
    });
    match read.await? {
        Ok(Some((found, quick))) if found.length == length.unsigned_abs() => {
            Ok(Some((found.content.to_vec(), quick.to_vec())))
        }
        Ok(_) => Ok(None),
        Err(error) => {
            tracing::warn!("a file cannot be hashed for a take-down: {error}");
            Ok(None)
        }
    }
}
