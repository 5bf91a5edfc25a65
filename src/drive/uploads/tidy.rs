//! Uploads nobody comes back to, and what a crash left of others.

use super::{super::disk::LASTING, Row};
use crate::{
    Result,
    drive::{Drive, put::blocking},
};

impl Drive {
    /// Gives up what waited too long, and removes bytes and promises without a row.
    pub(in crate::drive) async fn tidy_uploads(&self) -> Result<()> {
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
                self.drop_upload(&id).await?;
            }
            self.uploads.forget(&id);
        }
        self.accounts.release_orphans().await?;
        let disk = self.disk.clone();
        for name in blocking(move || disk.lasting()).await? {
            let id = name.trim_start_matches(LASTING).to_owned();
            // Made before its row, so a young one may just not have it yet; the next start sees.
            if self.upload_row(&id).await?.is_none_or(|row| row.state.etag.is_some()) {
                let disk = self.disk.clone();
                blocking(move || disk.discard_old(&name)).await?;
            }
        }
        Ok(())
    }

    /// Publishes uploads whose last byte was stored before a crash: their clients will be told
    /// that everything arrived.
    pub(in crate::drive) async fn finish_uploads(&self) -> Result<()> {
        let whole = sqlx::query_scalar!(
            "select upload_id from upload where received = length and is_part = 0 and etag is null"
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
        Ok(())
    }

    async fn finish(&self, row: Row) -> Result<()> {
        let principal = self.accounts.principal(row.user).await?;
        self.publish_upload(&principal, row, None).await.map(drop)
    }
}
