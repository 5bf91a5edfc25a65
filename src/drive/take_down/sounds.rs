//! Files with other bytes and the same sound: retagged, or in another container. Those of lockers
//! whose sound the catalogue knows are found by it; the rest of that length is listened to.

use tokio_util::sync::CancellationToken;

use super::work::{KeptFile, Open};
use crate::{
    Error, Result,
    drive::{Drive, disk},
    ids::LockerId,
    media::format::{Named, named},
};

/// Encoders and readers differ about lengths by no more, ms.
const SAME_LENGTH_MS: i64 = 1000;

/// A file of a locker.
pub(super) struct LockerFile {
    pub(super) locker: LockerId,
    pub(super) path: String,
    pub(super) size: u64,
    /// Its own content, if it was hashed.
    pub(super) hash: Option<Vec<u8>>,
}

impl Drive {
    /// Files of lockers whose sound is known to be that of a take-down.
    pub(super) async fn sounding_alike(&self, open: &Open) -> Result<Vec<LockerFile>> {
        let Some(sound) = &open.sound else { return Ok(Vec::new()) };
        let hash = sound.hash.as_slice();
        let rows = sqlx::query!(
            r#"select f.locker_id as "locker!: i64", f.path as "path!: String", f.size_bytes as "size!: i64",
                      f.content_hash as "hash?: Vec<u8>"
               from track t join library b using (library_id)
               join drive_file f on f.locker_id = b.locker_id and f.path = t.path
               where t.audio_hash = ? and t.cue_index is null and f.missing_at is null"#,
            hash
        )
        .fetch_all(self.db.read())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| LockerFile {
                locker: LockerId(row.locker),
                path: row.path,
                size: row.size.unsigned_abs(),
                hash: row.hash,
            })
            .collect())
    }

    /// Listens to what may be of a take-down's sound and was never listened to: files of lockers,
    /// and of what they keep. `None`: told to stop.
    pub(super) async fn listen_for(
        &self,
        open: &Open,
        stop: &CancellationToken,
    ) -> Result<Option<(Vec<LockerFile>, Vec<KeptFile>)>> {
        let Some(sound) = &open.sound else { return Ok(Some((Vec::new(), Vec::new()))) };
        let length = sound.duration_ms.map(|length| i64::try_from(length).unwrap_or(i64::MAX));
        let rows = sqlx::query!(
            r#"select f.locker_id as "locker!: i64", l.path as "folder!: String", f.path as "path!: String",
                      f.size_bytes as "size!: i64", f.content_hash as "hash?: Vec<u8>"
               from track t join library b using (library_id) join locker l using (locker_id)
               join drive_file f on f.locker_id = b.locker_id and f.path = t.path
               where t.audio_hash is null and t.cue_index is null and t.missing_at is null
                 and f.missing_at is null
                 and (?1 is null or t.duration_ms between ?1 - ?2 and ?1 + ?2)"#,
            length,
            SAME_LENGTH_MS
        )
        .fetch_all(self.db.read())
        .await?;
        let (mut found, mut kept) = (Vec::new(), Vec::new());
        for row in rows {
            if stop.is_cancelled() {
                return Ok(None);
            }
            let (on, path) = (self.disk.clone(), row.path.clone());
            let read = move || Ok(disk::open_file(&on.locker(&row.folder)?, &path)?.0);
            if self.is_heard(read, &sound.hash).await? {
                found.push(LockerFile {
                    locker: LockerId(row.locker),
                    path: row.path,
                    size: row.size.unsigned_abs(),
                    hash: row.hash,
                });
            }
        }
        for file in self.all_kept_files().await? {
            let name = if file.inner.is_empty() { &file.path } else { &file.inner };
            if !matches!(named(name), Some(Named::Audio)) {
                continue;
            }
            if stop.is_cancelled() {
                return Ok(None);
            }
            let (on, spot, inner) = (self.disk.clone(), file.spot.clone(), file.inner.clone());
            if self.is_heard(move || on.open_inside(&spot, &inner), &sound.hash).await? {
                kept.push(file);
            }
        }
        Ok(Some((found, kept)))
    }

    /// Whether a file sounds so; what cannot be read does not.
    async fn is_heard(
        &self,
        open: impl FnOnce() -> std::io::Result<std::fs::File> + Send + 'static,
        hash: &[u8; 32],
    ) -> Result<bool> {
        let Ok(file) = tokio::task::spawn_blocking(open).await? else { return Ok(false) };
        match self.sound_of(&file).await {
            Ok(sound) => Ok(sound.as_ref() == Some(hash)),
            Err(Error::Invalid(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
