//! Feeds, looked at again every few hours: asked conditionally, read by bounds, stored in one
//! transaction. A feed that is dead is asked ever more rarely and says why.

use futures_util::{StreamExt as _, stream};

use super::Podcasts;
use crate::{
    Result,
    accounts::Feature,
    clock,
    db::Tx,
    egress::{Fault, Limits, Wanted, header},
    media::feed::Feed,
    outside::{back_off, jitter},
};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
/// Between two looks at a feed that does well.
const EVERY: i64 = 4 * HOUR;
/// The first wait after a failure, and the longest.
const FIRST_WAIT: i64 = 10 * MINUTE;
const LONGEST_WAIT: i64 = 48 * HOUR;
/// Feeds that are fetched at once.
const AT_ONCE: usize = 3;
/// How often the rows are looked at while nobody knocks.
const TICK: std::time::Duration = std::time::Duration::from_mins(1);

/// A feed that is due.
struct Due {
    id: i64,
    url: String,
    etag: String,
    last_modified: String,
    image_url: String,
    has_picture: bool,
}

/// What a feed said.
enum Said {
    Same,
    New { feed: Feed, etag: String, last_modified: String },
}

impl Podcasts {
    /// Fetches what is due, for ever.
    pub(in super::super) async fn keep_fresh(&self) {
        loop {
            if let Err(error) = self.refresh_due().await {
                tracing::error!("podcasts could not be refreshed: {error:?}");
            }
            tokio::select! {
                () = clock::beat(TICK) => (),
                () = self.0.feeds.notified() => (),
            }
        }
    }

    async fn refresh_due(&self) -> Result<()> {
        if !self.0.is_on(Feature::Podcasts).await? {
            return Ok(());
        }
        self.forget_orphans().await?;
        let now = self.0.now();
        let rows = sqlx::query!(
            r#"select feed_id, url, etag, last_modified, image_url, picture is not null as "has_picture!: bool"
               from podcast_feed f where next_refresh_at <= ?
               and exists (select 1 from podcast_channel c where c.feed_id = f.feed_id)
               order by next_refresh_at limit 100"#,
            now
        )
        .fetch_all(self.0.of.db.read())
        .await?;
        let due = rows.into_iter().map(|row| Due {
            id: row.feed_id,
            url: row.url,
            etag: row.etag,
            last_modified: row.last_modified,
            image_url: row.image_url,
            has_picture: row.has_picture,
        });
        stream::iter(due)
            .for_each_concurrent(AT_ONCE, |due| async move {
                if let Err(error) = self.refresh_one(&due).await {
                    tracing::error!(url = due.url, "a feed could not be stored: {error:?}");
                }
            })
            .await;
        self.0.downloads.notify_one();
        Ok(())
    }

    /// Feeds whose last subscriber's account was removed.
    async fn forget_orphans(&self) -> Result<()> {
        let any = sqlx::query_scalar!(
            "select feed_id from podcast_feed f
             where not exists (select 1 from podcast_channel c where c.feed_id = f.feed_id) limit 1"
        )
        .fetch_optional(self.0.of.db.read())
        .await?;
        if any.is_none() {
            return Ok(());
        }
        let mut tx = self.0.of.db.write().await?;
        sqlx::query!(
            "delete from podcast_feed where not exists
                 (select 1 from podcast_channel c where c.feed_id = podcast_feed.feed_id)"
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.0.drop_unused_pictures().await
    }

    async fn refresh_one(&self, due: &Due) -> Result<()> {
        match self.fetch_feed(due).await {
            Err(reason) => {
                tracing::debug!(url = due.url, reason, "a feed failed");
                self.note_failure(due.id, &reason).await
            }
            Ok(Said::Same) => self.note_same(due.id).await,
            Ok(Said::New { mut feed, etag, last_modified }) => {
                let wants_picture = !feed.image_url.is_empty()
                    && (!due.has_picture || feed.image_url != due.image_url);
                let picture = if wants_picture {
                    self.0.fetch_picture(&feed.image_url).await.map(Some)
                } else {
                    Ok(None)
                };
                let picture = picture.unwrap_or_else(|error| {
                    tracing::debug!(url = feed.image_url, "a feed's picture failed: {error}");
                    // The address of the one that is shown, so that the new one is tried again with
                    // the next change of the feed.
                    if due.has_picture {
                        feed.image_url.clone_from(&due.image_url);
                    }
                    None
                });
                self.store(due.id, &feed, &etag, &last_modified, picture).await
            }
        }
    }

    /// The feed, or why not, as a sentence.
    async fn fetch_feed(&self, due: &Due) -> Result<Said, String> {
        let mut wanted = Wanted::get(&due.url, Limits::FEED).with(
            header::ACCEPT,
            "application/rss+xml, application/atom+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.1",
        );
        if !due.etag.is_empty() {
            wanted = wanted.with(header::IF_NONE_MATCH, &due.etag);
        }
        if !due.last_modified.is_empty() {
            wanted = wanted.with(header::IF_MODIFIED_SINCE, &due.last_modified);
        }
        let sentence = |fault: Fault| fault.to_string();
        let answer = self.0.of.egress.ask(wanted).await.map_err(sentence)?;
        if answer.status() == 304 {
            return Ok(Said::Same);
        }
        if !answer.is_success() {
            return Err(format!("The feed's server answers {}", answer.status()));
        }
        let text = |name| answer.header(&name).map(|text| text.chars().take(500).collect());
        let etag = text(header::ETAG).unwrap_or_default();
        let last_modified = text(header::LAST_MODIFIED).unwrap_or_default();
        let bytes = answer.bytes().await.map_err(sentence)?;
        let feed = self.0.of.pool.feed(&bytes).await.map_err(|error| error.to_string())?;
        Ok(Said::New { feed, etag, last_modified })
    }

    async fn note_failure(&self, feed: i64, reason: &str) -> Result<()> {
        let mut tx = self.0.of.db.write().await?;
        let failures = sqlx::query_scalar!(
            r#"update podcast_feed set failures = failures + 1, error = ? where feed_id = ?
               returning failures as "failures!: i64""#,
            reason,
            feed
        )
        .fetch_optional(&mut *tx)
        .await?;
        let next = self.0.now() + back_off(failures.unwrap_or(1), FIRST_WAIT, LONGEST_WAIT);
        sqlx::query!("update podcast_feed set next_refresh_at = ? where feed_id = ?", next, feed)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    async fn note_same(&self, feed: i64) -> Result<()> {
        let now = self.0.now();
        let next = now + jitter(EVERY);
        let mut tx = self.0.of.db.write().await?;
        sqlx::query!(
            "update podcast_feed set refreshed_at = ?2, next_refresh_at = ?3, failures = 0, error = ''
             where feed_id = ?1",
            feed,
            now,
            next
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    async fn store(
        &self,
        id: i64,
        feed: &Feed,
        etag: &str,
        last_modified: &str,
        picture: Option<String>,
    ) -> Result<()> {
        let now = self.0.now();
        let next = now + jitter(EVERY);
        let mut tx = self.0.of.db.write().await?;
        sqlx::query!(
            "update podcast_feed set title = ?2, description = ?3, author = ?4, link = ?5, image_url = ?6,
                    picture = coalesce(?7, picture), etag = ?8, last_modified = ?9, refreshed_at = ?10,
                    next_refresh_at = ?11, failures = 0, error = ''
             where feed_id = ?1",
            id,
            feed.title,
            feed.description,
            feed.author,
            feed.link,
            feed.image_url,
            picture,
            etag,
            last_modified,
            now,
            next
        )
        .execute(&mut *tx)
        .await?;
        for episode in &feed.episodes {
            let size = i64::try_from(episode.size_bytes).unwrap_or(0);
            let duration = i64::try_from(episode.duration_ms).unwrap_or(0);
            // What is said to come out tomorrow came out now.
            let published = episode.published_at.unwrap_or(now).min(now);
            let says_when = i64::from(episode.published_at.is_some());
            sqlx::query!(
                "insert into podcast_episode (feed_id, guid, title, description, audio_url, audio_type,
                                              size_bytes, duration_ms, published_at, created_at)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
                 on conflict (feed_id, guid) do update set title = ?3, description = ?4, audio_url = ?5,
                     audio_type = ?6, size_bytes = ?7, duration_ms = iif(?8 > 0, ?8, duration_ms),
                     published_at = iif(?11, ?9, published_at)
                 where (title, description, audio_url, audio_type, size_bytes) is not (?3, ?4, ?5, ?6, ?7)
                    or (?8 > 0 and duration_ms <> ?8) or (?11 and published_at <> ?9)",
                id,
                episode.guid,
                episode.title,
                episode.description,
                episode.audio_url,
                episode.audio_type,
                size,
                duration,
                published,
                now,
                says_when
            )
            .execute(&mut *tx)
            .await?;
        }
        self.want_newest(&mut tx, id).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Asks for the newest episodes of a feed that its subscribers get unasked and have no word on
    /// yet. Whatever a user removed stays removed.
    pub(super) async fn want_newest(&self, tx: &mut Tx, feed: i64) -> Result<()> {
        let now = self.0.now();
        sqlx::query!(
            "insert into podcast_download (user_id, episode_id, status, changed_at)
             select c.user_id, e.episode_id, 'wanted', ?2
             from podcast_channel c
             join (select episode_id, row_number() over (order by published_at desc, episode_id desc) as place
                   from podcast_episode where feed_id = ?1) e
             where c.feed_id = ?1 and e.place <= c.fetch_newest
             on conflict do nothing",
            feed,
            now
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}
