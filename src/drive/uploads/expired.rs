//! What was given up is remembered for a month, so that whoever comes back is told so.

use crate::{Error, Result, accounts::Principal, clock::Millis, drive::Drive};

const REMEMBERED: Millis = 30 * 24 * 3600 * 1000;

impl Drive {
    /// Why there is no upload of that id.
    pub(super) async fn why_gone(&self, principal: &Principal, id: &str) -> Result<Error> {
        let expired = sqlx::query_scalar!(
            r#"select count(*) as "count!: i64" from upload_expired where upload_id = ? and user_id = ?"#,
            id,
            principal.user.0
        )
        .fetch_one(self.db.read())
        .await?;
        let is_expired = 0 < expired && principal.is_person();
        Ok(if is_expired { Error::Expired("This upload") } else { Error::NotFound("Upload") })
    }

    /// Gives an upload up that nobody came back to.
    pub(super) async fn expire_upload(&self, id: &str) -> Result<()> {
        let now = self.clock.now();
        let mut tx = self.db.write().await?;
        sqlx::query!(
            "insert or ignore into upload_expired (upload_id, user_id, expired_at)
             select upload_id, user_id, ? from upload where upload_id = ? and etag is null",
            now,
            id
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.drop_upload(id).await
    }

    pub(super) async fn forget_expired(&self) -> Result<()> {
        let before = self.clock.now() - REMEMBERED;
        let mut tx = self.db.write().await?;
        sqlx::query!("delete from upload_expired where expired_at < ?", before)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }
}
