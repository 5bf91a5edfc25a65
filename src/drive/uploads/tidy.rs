//! Uploads nobody comes back to, and what a crash left of others.

use std::io;

use super::{Row, append::hash_of, staging_of};
use crate::{
    Result,
    drive::{
        Drive,
        disk::{self, LASTING},
        put::blocking,
    },
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

    /// Uploads that nothing is left of: a disk lost its power, or what was to become of them
    /// became of them.
    async fn forget_lost(&self) -> Result<()> {
        let disk = self.disk.clone();
        let lasting = blocking(move || disk.lasting()).await?;
        let open = sqlx::query_scalar!("select upload_id from upload where etag is null")
            .fetch_all(self.db.read())
            .await?;
        for id in open {
            if !lasting.contains(&staging_of(&id)) {
                tracing::warn!(upload = id, "nothing is left of an upload; it is given up");
                self.drop_upload(&id).await?;
            }
        }
        Ok(())
    }

    async fn finish(&self, row: Row) -> Result<()> {
        let (disk, staging) = (self.disk.clone(), staging_of(&row.id));
        let staged = blocking(move || match disk.claim(&staging) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            staged => hash_of(&staged?.file).map(Some),
        })
        .await?;
        // It was in its place already when the crash came. What lies in staging, if anything does,
        // is what was there before.
        if staged.is_none() || row.hash.is_some_and(|hash| staged != Some(hash)) {
            return self.close_placed(row).await;
        }
        let (principal, hash) = (self.accounts.principal(row.user).await?, row.hash);
        // Where it was not written down yet, it is before the file is put in its place.
        self.publish_upload(&principal, row, hash).await.map(drop)
    }

    /// An upload that was put in its place and counted by nobody but the start: its promise is
    /// given back, and its client is told that all is done. If it is not there, it is over.
    async fn close_placed(&self, row: Row) -> Result<()> {
        let folder = sqlx::query_scalar!("select path from locker where locker_id = ?", row.locker)
            .fetch_optional(self.db.read())
            .await?;
        let (disk, path) = (self.disk.clone(), row.path.clone());
        let placed = blocking(move || {
            let Some(folder) = folder else { return Ok(None) };
            match disk.locker(&folder).and_then(|root| disk::open_file(&root, &path)) {
                Ok((file, ..)) => hash_of(&file).map(Some),
                Err(_) => Ok(None),
            }
        })
        .await?;
        let there = self.row(row.locker, &row.path).await?;
        let Some((there, hash)) = there.zip(placed.filter(|_| placed == row.hash)) else {
            return self.drop_upload(&row.id).await;
        };
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
