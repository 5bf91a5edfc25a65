//! Subscriptions: make, list, change, end.

use super::{Channel, ChannelStatus, Podcasts, Retention};
use crate::{
    Error, Result,
    accounts::{Feature, Principal},
    ids::PodcastId,
};

/// Subscriptions of one user.
const MOST: i64 = 500;
/// A feed is not asked again for so long, however often somebody says "refresh".
const PATIENCE_MS: i64 = 60_000;

impl Podcasts {
    /// Subscribes to a feed; a feed that one has already stays one's own. It is fetched soon.
    pub async fn subscribe(&self, principal: &Principal, url: &str) -> Result<PodcastId> {
        self.require(principal).await?;
        // The same address in another spelling is the same feed.
        let mut url = self.0.of.egress.check(url)?;
        url.set_fragment(None);
        let (url, now) = (url.to_string(), self.0.now());
        let mut tx = self.0.of.db.write().await?;
        let count = sqlx::query_scalar!(
            r#"select count(*) as "count!: i64" from podcast_channel where user_id = ?"#,
            principal.user
        )
        .fetch_one(&mut *tx)
        .await?;
        if MOST <= count {
            return Err(Error::Conflict(format!("There are {MOST} podcasts already")));
        }
        let feed = sqlx::query_scalar!(
            r#"insert into podcast_feed (url, created_at) values (?1, ?2)
               on conflict (url) do update set url = url returning feed_id as "id!: i64""#,
            url,
            now
        )
        .fetch_one(&mut *tx)
        .await?;
        let id = sqlx::query_scalar!(
            r#"insert into podcast_channel (user_id, feed_id, created_at) values (?1, ?2, ?3)
               on conflict (user_id, feed_id) do update set feed_id = feed_id
               returning channel_id as "id!: i64""#,
            principal.user,
            feed,
            now
        )
        .fetch_one(&mut *tx)
        .await?;
        // A feed that somebody else has is known; this user's newest episodes are still to come.
        self.want_newest(&mut tx, feed).await?;
        tx.commit().await?;
        self.0.feeds.notify_one();
        self.0.downloads.notify_one();
        Ok(id.into())
    }

    /// The principal's channels by title, with their episodes or without; none while podcasts are
    /// off.
    pub async fn channels(
        &self,
        principal: &Principal,
        with_episodes: WithEpisodes,
    ) -> Result<Vec<Channel>> {
        if !self.0.is_on(Feature::Podcasts).await? {
            return Ok(Vec::new());
        }
        let mut channels = self.read_channels(principal, None).await?;
        if with_episodes == WithEpisodes::Yes {
            for episode in self.read_episodes(principal, None, None, i64::MAX).await? {
                let of = channels.iter_mut().find(|channel| channel.id == episode.channel);
                if let Some(channel) = of {
                    channel.episodes.push(episode);
                }
            }
        }
        Ok(channels)
    }

    /// One channel with all its episodes.
    pub async fn channel(&self, principal: &Principal, id: PodcastId) -> Result<Channel> {
        self.0.require(Feature::Podcasts).await?;
        let mut channel = self.own_channel(principal, id).await?;
        channel.episodes = self.read_episodes(principal, Some(id), None, i64::MAX).await?;
        Ok(channel)
    }

    /// Fetches the principal's feeds soon, those that were not fetched a moment ago.
    pub async fn refresh(&self, principal: &Principal) -> Result<()> {
        self.require(principal).await?;
        let now = self.0.now();
        let before = now - PATIENCE_MS;
        let mut tx = self.0.of.db.write().await?;
        sqlx::query!(
            "update podcast_feed set next_refresh_at = ?2
             where (refreshed_at is null or refreshed_at < ?3 or failures > 0) and feed_id in
                   (select feed_id from podcast_channel where user_id = ?1)",
            principal.user,
            now,
            before
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.0.feeds.notify_one();
        Ok(())
    }

    /// Changes what is kept of a channel.
    pub async fn set_retention(
        &self,
        principal: &Principal,
        id: PodcastId,
        retention: Retention,
    ) -> Result<()> {
        self.require(principal).await?;
        let is_zero = retention.keep_newest == Some(0) || retention.keep_days == Some(0);
        if 100 < retention.fetch_newest || is_zero {
            return Err(Error::Invalid(
                "Up to 100 episodes are downloaded by themselves, and at least one is kept"
                    .to_owned(),
            ));
        }
        let mut tx = self.0.of.db.write().await?;
        let feed = sqlx::query_scalar!(
            r#"update podcast_channel set fetch_newest = ?3, keep_newest = ?4, keep_days = ?5
               where channel_id = ?1 and user_id = ?2 returning feed_id as "id!: i64""#,
            id,
            principal.user,
            retention.fetch_newest,
            retention.keep_newest,
            retention.keep_days
        )
        .fetch_optional(&mut *tx)
        .await?
        .ok_or(Error::NotFound("Podcast"))?;
        self.want_newest(&mut tx, feed).await?;
        tx.commit().await?;
        self.0.downloads.notify_one();
        Ok(())
    }

    /// Ends a subscription; its files are removed from the locker. A feed without subscribers is
    /// forgotten.
    pub async fn unsubscribe(&self, principal: &Principal, id: PodcastId) -> Result<()> {
        self.require(principal).await?;
        self.own_channel(principal, id).await?;
        for episode in self.read_episodes(principal, Some(id), None, i64::MAX).await? {
            self.remove_file(principal, episode.id).await?;
            self.forget_begun(principal.user, episode.id).await?;
        }
        let mut tx = self.0.of.db.write().await?;
        let feed = sqlx::query_scalar!(
            r#"delete from podcast_channel where channel_id = ? and user_id = ?
               returning feed_id as "id!: i64""#,
            id,
            principal.user
        )
        .fetch_optional(&mut *tx)
        .await?
        .ok_or(Error::NotFound("Podcast"))?;
        sqlx::query!(
            "delete from podcast_download where user_id = ?1 and episode_id in
                 (select episode_id from podcast_episode where feed_id = ?2)",
            principal.user,
            feed
        )
        .execute(&mut *tx)
        .await?;
        sqlx::query!(
            "delete from podcast_feed where feed_id = ?1
             and not exists (select 1 from podcast_channel c where c.feed_id = ?1)",
            feed
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.0.drop_unused_pictures().await
    }

    async fn own_channel(&self, principal: &Principal, id: PodcastId) -> Result<Channel> {
        self.read_channels(principal, Some(id)).await?.pop().ok_or(Error::NotFound("Podcast"))
    }

    async fn read_channels(
        &self,
        principal: &Principal,
        only: Option<PodcastId>,
    ) -> Result<Vec<Channel>> {
        let rows = sqlx::query!(
            "select c.channel_id, c.fetch_newest, c.keep_newest, c.keep_days, f.url, f.title, f.description,
                    f.author, f.link, f.image_url, f.picture, f.refreshed_at, f.error
             from podcast_channel c join podcast_feed f using (feed_id)
             where c.user_id = ?1 and (?2 is null or c.channel_id = ?2)
             order by f.title collate nocase, c.channel_id",
            principal.user,
            only
        )
        .fetch_all(self.0.of.db.read())
        .await?;
        let small = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
        Ok(rows
            .into_iter()
            .map(|row| Channel {
                id: row.channel_id.into(),
                title: if row.title.is_empty() { row.url.clone() } else { row.title },
                url: row.url,
                description: row.description,
                author: row.author,
                link: row.link,
                image_url: row.image_url,
                picture: row.picture,
                status: match (row.error.is_empty(), row.refreshed_at) {
                    (false, _) => ChannelStatus::Failed,
                    (true, None) => ChannelStatus::New,
                    (true, Some(_)) => ChannelStatus::Completed,
                },
                error: row.error,
                retention: Retention {
                    fetch_newest: small(row.fetch_newest),
                    keep_newest: row.keep_newest.map(small),
                    keep_days: row.keep_days.map(small),
                },
                refreshed_at: row.refreshed_at,
                episodes: Vec::new(),
            })
            .collect())
    }
}

/// Whether episodes are listed with their channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithEpisodes {
    /// They are.
    Yes,
    /// They are not.
    No,
}
