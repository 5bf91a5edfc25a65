//! Pictures from outside: fetched within bounds, looked at and scaled by a worker, kept in the
//! database as one JPEG each, handed out in the wanted size.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;

use super::Shared;
use crate::{
    Error, Result,
    catalog::Cover,
    egress::{Limits, Wanted},
};

/// Longest edge that is kept, pixels.
const KEPT: u32 = 1000;
/// Longest side that is asked for in a size of its own.
const SMALLEST: u32 = 16;

/// Scaled pictures that are kept in memory, some tens of kilobytes each.
const MOST: usize = 64;

/// Scaled pictures in memory, the last one that was made in front.
#[derive(Debug, Default)]
pub(super) struct Pictures {
    scaled: Mutex<VecDeque<(Key, Bytes)>>,
}

/// A picture's hash, and the size in pixels.
type Key = (Arc<str>, u32);

impl Pictures {
    fn get(&self, key: &Key) -> Option<Bytes> {
        let scaled = self.scaled.lock().unwrap_or_else(PoisonError::into_inner);
        scaled.iter().find(|(each, _)| each == key).map(|(_, bytes)| bytes.clone())
    }

    fn insert(&self, key: Key, bytes: Bytes) {
        let mut scaled = self.scaled.lock().unwrap_or_else(PoisonError::into_inner);
        scaled.push_front((key, bytes));
        scaled.truncate(MOST);
    }
}

impl Shared {
    /// Fetches a picture and keeps it; gives its hash.
    pub(super) async fn fetch_picture(&self, url: &str) -> Result<String> {
        let answer = self.of.egress.ask(Wanted::get(url, Limits::PICTURE)).await?;
        if !answer.is_success() {
            return Err(Error::Unavailable(format!("The picture answers {}", answer.status())));
        }
        let bytes = answer.bytes().await?;
        self.keep_picture(bytes).await
    }

    /// Keeps a picture that somebody sent; gives its hash.
    pub(super) async fn keep_picture(&self, bytes: Bytes) -> Result<String> {
        let scaled = self.of.pool.scale(bytes, KEPT).await?;
        let hash = blake3::hash(&scaled).to_hex().to_string();
        let (now, bytes) = (self.now(), scaled.as_ref());
        let mut tx = self.of.db.write().await?;
        sqlx::query!(
            "insert into remote_picture (hash, bytes, created_at) values (?, ?, ?) on conflict do nothing",
            hash,
            bytes,
            now
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(hash)
    }

    /// A picture by its hash, no larger than `size` pixels.
    pub(super) async fn picture(&self, hash: &str, size: Option<u32>) -> Result<Cover> {
        let size = size.map_or(KEPT, |size| size.clamp(SMALLEST, KEPT));
        let key: Key = (hash.into(), size);
        let cover = |bytes| Cover {
            bytes,
            mime: "image/jpeg",
            tag: format!("{}-{size}", hash.get(..16).unwrap_or(hash)),
        };
        if let Some(bytes) = self.pictures.get(&key) {
            return Ok(cover(bytes));
        }
        let bytes = sqlx::query_scalar!("select bytes from remote_picture where hash = ?", hash)
            .fetch_optional(self.of.db.read())
            .await?
            .ok_or(Error::NotFound("Picture"))?;
        let mut bytes = Bytes::from(bytes);
        if size < KEPT {
            bytes = self.of.pool.scale(bytes, size).await?;
        }
        self.pictures.insert(key, bytes.clone());
        Ok(cover(bytes))
    }

    /// Removes pictures that nothing shows any more.
    pub(super) async fn drop_unused_pictures(&self) -> Result<()> {
        let mut tx = self.of.db.write().await?;
        sqlx::query!(
            "delete from remote_picture where hash not in
                 (select picture from podcast_feed where picture is not null
                  union all select picture from radio_station where picture is not null)"
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }
}
