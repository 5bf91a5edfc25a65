//! Uploads nobody comes back to, and what a crash left of others.

use std::{collections::HashMap, io};

use super::{Row, append::hash_of, staging_of};
use crate::{
    Result,
    drive::{
        Drive,
        disk::{self, LASTING},
        put::blocking,
        rows,
    },
    error::is_nowhere,
    ids::LockerId,
};

/// When uploads are tidied.
#[derive(Clone, Copy)]
pub(in crate::drive) enum TidyAt {
    /// Before anything is served: nobody is at work.
    Start,
    /// Files are made before their rows.
    Running,
}

impl Drive {
    /// Gives up what waited too long, and removes bytes and promises without a row. While the
    /// server runs, young bytes may just not have their row yet.
    pub(in crate::drive) async fn tidy_uploads(&self, at: TidyAt) -> Result<()> {
        let now = self.clock.now();
        let expired =
            sqlx::query_scalar!("select upload_id from upload where expires_at <= ?", now)
                .fetch_all(self.db.read())
                .await?;
        for id in expired {
            let (writer, _) = self.uploads.enter(&id);
            let _turn = writer.turn.lock().await;
            // It may have grown while this waited.
            if self.upload_row(&id).await?.is_some_and(|row| row.state.expires_at <= now) {
                self.expire_upload(&id).await?;
            }
            self.uploads.forget(&id);
        }
        self.forget_expired().await?;
        self.accounts.release_orphans().await?;
        let disk = self.disk.clone();
        for name in blocking(move || disk.lasting()).await? {
            let id = name.trim_start_matches(LASTING).to_owned();
            if self.upload_row(&id).await?.is_none_or(|row| row.state.etag.is_some()) {
                let disk = self.disk.clone();
                blocking(move || match at {
                    TidyAt::Start => disk.discard(&name),
                    TidyAt::Running => disk.discard_old(&name),
                })
                .await?;
            }
        }
        Ok(())
    }

    /// Publishes uploads whose last byte was stored before a crash: their clients will be told
    /// that everything arrived.
    pub(in crate::drive) async fn finish_uploads(&self) -> Result<()> {
        let whole = sqlx::query_scalar!(
            "select upload_id from upload where received = length and is_part = 0 and etag is null
             and is_deferred = 0 and unpacks = 0"
        )
        .fetch_all(self.db.read())
        .await?;
        for id in whole {
            if let Some(row) = self.upload_row(&id).await?
                && let Err(error) = self.finish(row).await
            {
                tracing::warn!(upload = id, "an upload could not be published: {error}");
            }
        }
        self.forget_lost().await
    }

    /// Uploads that less is left of than was said: their disk lost its power, or what was to become
    /// of them became of them. They go on where the disk has them.
    async fn forget_lost(&self) -> Result<()> {
        let disk = self.disk.clone();
        let staged = blocking(move || disk.staged()).await?;
        let staged: HashMap<String, u64> =
            staged.into_iter().map(|(name, _, size)| (name, size)).collect();
        let open = sqlx::query!(
            r#"select upload_id, received,
                      unpacks = 1 and (reservation_id is null or exists (
                          select 1 from import i where i.upload_id = u.upload_id)) as "is_unpacked!: bool"
               from upload u where etag is null"#
        )
        .fetch_all(self.db.read())
        .await?;
        for upload in open {
            let id = upload.upload_id;
            match staged.get(&staging_of(&id)) {
                None => {
                    tracing::warn!(upload = id, "nothing is left of an upload; it is given up");
                    self.drop_upload(&id).await?;
                }
                // Its client was told that all of it is here, and its room was given to what is in
                // it: nobody sends the rest. The import says so.
                Some(size) if *size < upload.received.unsigned_abs() && upload.is_unpacked => {
                    tracing::warn!(
                        upload = id,
                        size,
                        "the disk lost a part of an archive that was being unpacked; it is given up"
                    );
                    self.drop_upload(&id).await?;
                }
                Some(size) if *size < upload.received.unsigned_abs() => {
                    self.rewind(&id, *size).await?;
                }
                Some(_) => (),
            }
        }
        Ok(())
    }

    /// The disk has less than it said it has: an upload goes on where that ends.
    async fn rewind(&self, id: &str, size: u64) -> Result<()> {
        tracing::warn!(
            upload = id,
            size,
            "the disk lost a part of an upload; it goes on from there"
        );
        let received = i64::try_from(size).unwrap_or(i64::MAX);
        let mut tx = self.db.write().await?;
        sqlx::query!(
            "update upload set received = ?1, content_hash = null,
                 length = iif(is_deferred, ?1, length) where upload_id = ?2",
            received,
            id
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    async fn finish(&self, row: Row) -> Result<()> {
        let (disk, staging) = (self.disk.clone(), staging_of(&row.id));
        let staged = blocking(move || match disk.claim(&staging) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            staged => {
                let staged = staged?;
                Ok(Some((staged.file.metadata()?.len(), hash_of(&staged.file)?)))
            }
        })
        .await?;
        // Where no hash was written down yet, it is before the file is put in its place.
        if staged.is_some_and(|(_, staged)| row.hash.is_none_or(|hash| hash == staged)) {
            let (principal, hash) = (self.accounts.principal(row.user).await?, row.hash);
            return self.publish_upload(&principal, row, hash).await.map(drop);
        }
        let placed = self.hash_at(row.locker, &row.path).await?;
        let there = self.row(row.locker, &row.path).await?;
        if let Some((there, hash)) = there.as_ref().zip(placed.filter(|_| placed == row.hash)) {
            return self.close_placed(row, there, hash).await;
        }
        // What lies in staging may be what was at the place before, unless that is still there.
        let is_untouched = match (&there, placed) {
            (None, None) => true,
            (Some(there), Some(placed)) => there.hash.as_deref() == Some(&placed[..]),
            _ => false,
        };
        match staged {
            Some((size, _)) if is_untouched && size < row.state.length => {
                self.rewind(&row.id, size).await
            }
            _ => self.drop_upload(&row.id).await,
        }
    }

    /// BLAKE3 of the file at a path of a locker, if there is one.
    async fn hash_at(&self, locker: LockerId, path: &str) -> Result<Option<[u8; 32]>> {
        let folder = sqlx::query_scalar!("select path from locker where locker_id = ?", locker)
            .fetch_optional(self.db.read())
            .await?;
        let (disk, path) = (self.disk.clone(), path.to_owned());
        blocking(move || {
            let Some(folder) = folder else { return Ok(None) };
            match disk.locker(&folder).and_then(|root| disk::open_file(&root, &path)) {
                Ok((file, ..)) => hash_of(&file).map(Some),
                Err(error) if is_nowhere(&error) || error.kind() == io::ErrorKind::IsADirectory => {
                    Ok(None)
                }
                Err(error) => Err(error),
            }
        })
        .await
    }

    /// An upload that was put in its place and counted by nobody but the start: its promise is
    /// given back, and its client is told that all is done.
    async fn close_placed(&self, row: Row, there: &rows::Row, hash: [u8; 32]) -> Result<()> {
        let (mut tx, hash) = (self.db.write().await?, hash.as_slice());
        if let Some(reservation) = row.reservation {
            self.accounts.unpromise(&mut tx, reservation).await?;
        }
        sqlx::query!(
            "update upload set etag = ?, reservation_id = null where upload_id = ?",
            there.etag,
            row.id
        )
        .execute(&mut *tx)
        .await?;
        sqlx::query!(
            "update drive_file set content_hash = ? where locker_id = ? and path = ?",
            hash,
            row.locker,
            row.path
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        let (disk, staging) = (self.disk.clone(), staging_of(&row.id));
        blocking(move || disk.discard(&staging)).await
    }
}
