//! Carrying take-downs out: everything that is of one goes, now and in the background.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Sound, sounds::LockerFile};
use crate::{
    Error, Result,
    accounts::Change,
    drive::{Drive, disk::Spot, kept::held_ids, put::blocking},
    events::Event,
    ids::{LockerId, UserId},
};

/// After a failure it is tried again.
const AGAIN: Duration = Duration::from_mins(5);

/// An open take-down as the work needs it.
pub(super) struct Open {
    pub(super) id: i64,
    pub(super) hash: Vec<u8>,
    pub(super) size: Option<i64>,
    pub(super) by: UserId,
    pub(super) sound: Option<Sound>,
    pub(super) is_done: bool,
}

/// A file of a kept thing.
pub(super) struct KeptFile {
    pub(super) id: String,
    pub(super) inner: String,
    pub(super) locker: LockerId,
    pub(super) path: String,
    pub(super) spot: Spot,
    pub(super) is_folder: bool,
    pub(super) size: u64,
}

impl Drive {
    /// Goes on with open take-downs until `stop`.
    pub(in crate::drive) async fn keep_taking_down(&self, stop: &CancellationToken) {
        loop {
            let rest = match self.finish_take_downs(stop).await {
                Ok(()) => Duration::MAX,
                Err(error) => {
                    tracing::error!("a take-down could not be finished: {error:?}");
                    AGAIN
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.take_downs.notified() => (),
                () = tokio::time::sleep(rest) => (),
            }
        }
    }

    async fn finish_take_downs(&self, stop: &CancellationToken) -> Result<()> {
        // What is not seen now would count as gone.
        self.require_writable().await?;
        let rows = sqlx::query!(
            r#"select takedown_id as "id!: i64", content_hash as "hash!: Vec<u8>",
                      size_bytes as "size?: i64", coalesce(user_id, 0) as "by!: i64",
                      audio_hash, duration_ms, done_at is not null as "is_done!: bool"
               from takedown where lifted_at is null order by takedown_id"#
        )
        .fetch_all(self.db.read())
        .await?;
        for row in rows {
            let hash = row.audio_hash.and_then(|hash| hash.try_into().ok());
            let duration_ms = row.duration_ms.map(i64::unsigned_abs);
            let sound = hash.map(|hash| Sound { hash, duration_ms });
            let (by, is_done) = (UserId(row.by), row.is_done);
            let open = Open { id: row.id, hash: row.hash, size: row.size, by, sound, is_done };
            if open.is_done {
                // Found since: by other hands, or in a copy that nobody had hashed.
                self.remove_known(&open).await?;
                continue;
            }
            let Some(unread) = self.hash_all(open.size, stop).await? else { return Ok(()) };
            self.remove_known(&open).await?;
            let Some((files, kept)) = self.listen_for(&open, stop).await? else { return Ok(()) };
            self.remove_files(&open, files, kept).await?;
            self.close(open.id, unread).await?;
        }
        Ok(())
    }

    /// Wakes who carries take-downs out: something that may be of one was hashed.
    pub(crate) fn look_for_taken_down(&self) {
        self.take_downs.notify_one();
    }

    /// Every file of everything that is kept.
    pub(super) async fn all_kept_files(&self) -> Result<Vec<KeptFile>> {
        let mut files = self.kept_files(None, None).await?;
        let hashes = sqlx::query_scalar!(
            r#"select distinct content_hash as "hash!: Vec<u8>" from drive_kept_file where content_hash is not null"#
        )
        .fetch_all(self.db.read())
        .await?;
        for hash in hashes {
            files.extend(self.kept_files(Some(&hash), None).await?);
        }
        Ok(files)
    }

    /// Files of kept things: of a content, or those without a hash.
    pub(super) async fn kept_files(
        &self,
        hash: Option<&[u8]>,
        size: Option<i64>,
    ) -> Result<Vec<KeptFile>> {
        let rows = sqlx::query!(
            r#"select k.kept_id, f.path as inner, k.locker_id as "locker!: i64", k.path, k.shelf, k.name,
                      k.is_folder as "is_folder!: bool", f.size_bytes
               from drive_kept_file f join drive_kept k using (kept_id)
               where (k.gone_at is null or k.held_by is not null) and f.content_hash is ?1 and (?2 is null or f.size_bytes = ?2)"#,
            hash,
            size
        )
        .fetch_all(self.db.read())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| KeptFile {
                spot: Spot { shelf: row.shelf, id: row.kept_id.clone(), name: row.name },
                id: row.kept_id,
                inner: row.inner,
                locker: LockerId(row.locker),
                path: row.path,
                is_folder: row.is_folder,
                size: row.size_bytes.unsigned_abs(),
            })
            .collect())
    }

    /// Removes what is known to be of a take-down.
    pub(super) async fn remove_known(&self, open: &Open) -> Result<()> {
        let rows = sqlx::query!(
            r#"select locker_id as "locker!: i64", path, size_bytes from drive_file
               where content_hash = ? and missing_at is null"#,
            open.hash
        )
        .fetch_all(self.db.read())
        .await?;
        let file = |(locker, path, size): (i64, String, i64)| LockerFile {
            locker: LockerId(locker),
            path,
            size: size.unsigned_abs(),
            hash: Some(open.hash.clone()),
        };
        let mut files: Vec<_> =
            rows.into_iter().map(|row| file((row.locker, row.path, row.size_bytes))).collect();
        files.extend(self.sounding_alike(open).await?);
        let kept = self.kept_files(Some(&open.hash), None).await?;
        self.remove_files(open, files, kept).await
    }

    /// Removes files, counts them, and tells whoever keeps what was made of them.
    async fn remove_files(
        &self,
        open: &Open,
        files: Vec<LockerFile>,
        kept: Vec<KeptFile>,
    ) -> Result<()> {
        let is_any = !files.is_empty() || !kept.is_empty();
        for LockerFile { locker, path, size, hash } in files {
            if self.erase(locker, &path, hash.as_deref(), open.by, "takedown").await? {
                self.tell(open, (1, 0), size, Some((locker, &path))).await?;
            }
        }
        for file in kept {
            if self.erase_kept(&file, open.by).await? {
                self.tell(open, (0, 1), file.size, None).await?;
            }
        }
        if is_any {
            self.events.publish(Event::TakenDown);
        }
        Ok(())
    }

    /// One file of trash or versions goes, if it is still kept.
    async fn erase_kept(&self, file: &KeptFile, by: UserId) -> Result<bool> {
        let lock = self.lock(file.locker);
        let turn = lock.lock().await;
        let change = Change { user: by, reason: "takedown", path: &file.path };
        let mut tx = self.db.write().await?;
        // What a promise holds is counted nowhere.
        let is_held = held_ids(&self.db, file.locker).await?.contains(&file.id);
        match self.require_kept(&mut tx, &file.id).await {
            Err(Error::NotFound(_)) if !is_held => return Ok(false),
            Err(Error::NotFound(_)) => (),
            there => there?,
        }
        if file.is_folder {
            let gone = sqlx::query!(
                "delete from drive_kept_file where kept_id = ? and path = ?",
                file.id,
                file.inner
            )
            .execute(&mut *tx)
            .await?
            .rows_affected();
            if gone == 0 {
                return Ok(false);
            }
            self.sum_kept(&mut tx, &file.id).await?;
            if !is_held {
                let path = format!("{}/{}", file.path, file.inner);
                let change = Change { path: &path, ..change };
                self.accounts.forget_kept(&mut tx, file.locker, file.size, change).await?;
            }
            // Gone first: should the rows stay, the next look finds that there is nothing.
            // A removed user's shelf may have been put away since it was looked up.
            let shelf =
                sqlx::query_scalar!("select shelf from drive_kept where kept_id = ?", file.id)
                    .fetch_one(&mut *tx)
                    .await?;
            let (disk, inner) = (self.disk.clone(), file.inner.clone());
            let spot = Spot { shelf, ..file.spot.clone() };
            blocking(move || disk.erase_inside(&spot, &inner)).await?;
            tx.commit().await?;
        } else {
            self.accounts.let_go_as(&mut tx, &file.id, by, "takedown").await?;
            self.give_up_hold(&mut tx, &file.id).await?;
            tx.commit().await?;
            self.sweep_gone().await?;
        }
        drop(turn);
        self.accounts.tell_usage(file.locker).await?;
        Ok(true)
    }

    async fn tell(
        &self,
        open: &Open,
        (files, kept): (i64, i64),
        bytes: u64,
        place: Option<(LockerId, &str)>,
    ) -> Result<()> {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        let mut tx = self.db.write().await?;
        sqlx::query!(
            "update takedown set files = files + ?1, kept = kept + ?2, bytes = bytes + ?3,
                 size_bytes = iif(audio_hash is null, coalesce(size_bytes, ?3), size_bytes)
             where takedown_id = ?4",
            files,
            kept,
            bytes,
            open.id
        )
        .execute(&mut *tx)
        .await?;
        if let Some((locker, path)) = place {
            sqlx::query!(
                "insert into takedown_file (takedown_id, locker_id, path) values (?, ?, ?)",
                open.id,
                locker,
                path
            )
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    pub(super) async fn close(&self, id: i64, unread: u64) -> Result<()> {
        let (now, unread) = (self.clock.now(), i64::try_from(unread).unwrap_or(i64::MAX));
        let mut tx = self.db.write().await?;
        sqlx::query!(
            "update takedown set done_at = ?, unread = ? where takedown_id = ?",
            now,
            unread,
            id
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }
}
