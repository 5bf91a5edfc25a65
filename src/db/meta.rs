//! Facts of which there is one each, by name: what an administrator switched, what the start found,
//! how far something that takes days has come.

use serde::{Serialize, de::DeserializeOwned};

use super::{Db, Tx};
use crate::Result;

impl Db {
    /// A fact; `None` if it was never kept.
    pub(crate) async fn meta(&self, key: &str) -> Result<Option<String>> {
        Ok(sqlx::query_scalar!("select value from meta where key = ?", key)
            .fetch_optional(self.read())
            .await?)
    }

    /// One of several parts; `None`, too, if a later version wrote it in another form.
    pub(crate) async fn meta_of<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        Ok(self.meta(key).await?.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// Keeps a fact in place of the one before.
    pub(crate) async fn keep_meta(&self, key: &str, value: &str) -> Result<()> {
        let mut tx = self.write().await?;
        tx.keep_meta(key, value).await?;
        tx.commit().await
    }

    /// Keeps one of several parts.
    pub(crate) async fn keep_meta_of<T: Serialize + Sync>(
        &self,
        key: &str,
        value: &T,
    ) -> Result<()> {
        self.keep_meta(key, &serde_json::to_string(value)?).await
    }
}

impl Tx {
    /// The same as a part of something larger.
    pub(crate) async fn keep_meta(&mut self, key: &str, value: &str) -> Result<()> {
        sqlx::query!(
            "insert into meta (key, value) values (?, ?)
             on conflict (key) do update set value = excluded.value",
            key,
            value
        )
        .execute(&mut **self)
        .await?;
        Ok(())
    }
}
