//! What users add to episodes: stars, ratings, listens, bookmarks (C34).

use super::{Episode, Podcasts};
use crate::{Error, Result, accounts::Principal, catalog::Starred, clock::Millis, ids::EpisodeId};

/// A listen counts after half of an episode or this much of it, ms.
const HEARD_AT_MOST: u64 = 4 * 60 * 1000;
/// How far the clocks of two accounts of one listen may lie apart, ms.
const SAME_WITHIN: Millis = 60_000;

/// A bookmark in an episode.
#[derive(Debug, Clone)]
pub struct EpisodeBookmark {
    /// In what.
    pub episode: Episode,
    /// Where, ms.
    pub position_ms: i64,
    /// Comment.
    pub comment: String,
    /// Made.
    pub created_at: Millis,
    /// Moved.
    pub changed_at: Millis,
}

impl Podcasts {
    /// Stars or unstars; a second star keeps the first one's date.
    pub async fn set_starred(
        &self,
        principal: &Principal,
        id: EpisodeId,
        starred: Starred,
    ) -> Result<()> {
        self.episode(principal, id).await?;
        let at = (starred == Starred::Yes).then(|| self.0.now());
        let mut tx = self.0.of.db.write().await?;
        sqlx::query!(
            "insert into podcast_mark (user_id, episode_id, starred_at) values (?1, ?2, ?3)
             on conflict do update set starred_at = iif(?3 is null, null, coalesce(starred_at, ?3))",
            principal.user,
            id,
            at
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Rates 1 to 5, or removes the rating.
    pub async fn set_rating(
        &self,
        principal: &Principal,
        id: EpisodeId,
        rating: Option<u8>,
    ) -> Result<()> {
        if rating.is_some_and(|rating| !(1..=5).contains(&rating)) {
            return Err(Error::Invalid("A rating is a number from 1 to 5".to_owned()));
        }
        self.episode(principal, id).await?;
        let mut tx = self.0.of.db.write().await?;
        sqlx::query!(
            "insert into podcast_mark (user_id, episode_id, rating) values (?1, ?2, ?3)
             on conflict do update set rating = ?3",
            principal.user,
            id,
            rating
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Records listens with the time at which each began, or none if it was just now. Told late,
    /// twice or by somebody else too, one counts once. Episodes that the principal does not have
    /// are skipped.
    pub async fn record_listens(
        &self,
        principal: &Principal,
        listens: &[(EpisodeId, Option<Millis>)],
    ) -> Result<()> {
        for (id, began_at) in listens {
            let episode = match self.episode(principal, *id).await {
                Err(Error::NotFound(_) | Error::Forbidden(_)) => continue,
                other => other?,
            };
            let now = self.0.now();
            let at = began_at.unwrap_or(now);
            // Of an end only, the beginning may lie as far back as the episode is long.
            let length = began_at.map_or(episode.duration_ms, |_| 0);
            let length = Millis::try_from(length).unwrap_or(Millis::MAX);
            let from = at.saturating_sub(length).saturating_sub(SAME_WITHIN);
            let to = at.saturating_add(SAME_WITHIN);
            let mut tx = self.0.of.db.write().await?;
            if is_known(&mut tx, principal, *id, (from, to)).await? {
                continue;
            }
            let new = sqlx::query!(
                "insert into podcast_listen (user_id, episode_id, at) values (?, ?, ?) on conflict do nothing",
                principal.user,
                id,
                at
            )
            .execute(&mut *tx)
            .await?
            .rows_affected();
            if new > 0 {
                sqlx::query!(
                    "insert into podcast_mark (user_id, episode_id, play_count, played_at) values (?1, ?2, 1, ?3)
                     on conflict do update set play_count = play_count + 1,
                         played_at = max(coalesce(played_at, ?3), ?3)",
                    principal.user,
                    id,
                    at
                )
                .execute(&mut *tx)
                .await?;
            }
            tx.commit().await?;
        }
        Ok(())
    }

    /// Notes that a playback of an episode ended at `position_ms`. It was a listen if half of the
    /// episode or four minutes lie before; told twice, or scrobbled too, it counts once.
    pub async fn stopped(
        &self,
        principal: &Principal,
        id: EpisodeId,
        position_ms: u64,
    ) -> Result<()> {
        let episode = self.episode(principal, id).await?;
        let enough = match episode.duration_ms {
            0 => HEARD_AT_MOST,
            length => (length / 2).clamp(1, HEARD_AT_MOST),
        };
        if position_ms < enough {
            return Ok(());
        }
        let now = self.0.now();
        let heard = i64::try_from(position_ms.min(episode.duration_ms)).unwrap_or(i64::MAX);
        let began_at = now.saturating_sub(heard);
        let (from, to) = (began_at.saturating_sub(SAME_WITHIN), now.saturating_add(SAME_WITHIN));
        let mut connection = self.0.of.db.read().acquire().await?;
        if is_known(&mut connection, principal, id, (from, to)).await? {
            return Ok(());
        }
        drop(connection);
        self.record_listens(principal, &[(id, Some(began_at))]).await
    }

    /// Makes or moves a bookmark.
    pub async fn set_bookmark(
        &self,
        principal: &Principal,
        id: EpisodeId,
        position_ms: i64,
        comment: &str,
    ) -> Result<()> {
        self.episode(principal, id).await?;
        let (now, position) = (self.0.now(), position_ms.max(0));
        let comment: String = comment.chars().take(1000).collect();
        let mut tx = self.0.of.db.write().await?;
        sqlx::query!(
            "insert into podcast_mark (user_id, episode_id, bookmark_ms, bookmark_comment, bookmark_created_at, bookmark_changed_at)
             values (?1, ?2, ?3, ?4, ?5, ?5)
             on conflict do update set bookmark_ms = ?3, bookmark_comment = ?4,
                 bookmark_created_at = coalesce(bookmark_created_at, ?5), bookmark_changed_at = ?5",
            principal.user,
            id,
            position,
            comment,
            now
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Takes a bookmark away.
    pub async fn remove_bookmark(&self, principal: &Principal, id: EpisodeId) -> Result<()> {
        self.episode(principal, id).await?;
        let mut tx = self.0.of.db.write().await?;
        sqlx::query!(
            "update podcast_mark set bookmark_ms = null, bookmark_comment = '',
                    bookmark_created_at = null, bookmark_changed_at = null
             where user_id = ? and episode_id = ?",
            principal.user,
            id
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// All bookmarks in episodes, last moved first; none while podcasts are off.
    pub async fn bookmarks(&self, principal: &Principal) -> Result<Vec<EpisodeBookmark>> {
        if !self.0.is_on(crate::accounts::Feature::Podcasts).await? {
            return Ok(Vec::new());
        }
        let rows = sqlx::query!(
            r#"select episode_id, bookmark_ms as "position!: i64", bookmark_comment,
                      bookmark_created_at as "created_at!: i64", bookmark_changed_at as "changed_at!: i64"
               from podcast_mark where user_id = ? and bookmark_ms is not null
               order by bookmark_changed_at desc"#,
            principal.user
        )
        .fetch_all(self.0.of.db.read())
        .await?;
        let mut bookmarks = Vec::with_capacity(rows.len());
        for row in rows {
            match self.own_episode(principal, row.episode_id.into()).await {
                Ok(episode) => bookmarks.push(EpisodeBookmark {
                    episode,
                    position_ms: row.position,
                    comment: row.bookmark_comment,
                    created_at: row.created_at,
                    changed_at: row.changed_at,
                }),
                // Not subscribed any more.
                Err(Error::NotFound(_)) => (),
                Err(error) => return Err(error),
            }
        }
        Ok(bookmarks)
    }
}

/// Whether a listen that began in this time is known.
async fn is_known(
    connection: &mut sqlx::SqliteConnection,
    principal: &Principal,
    id: EpisodeId,
    (from, to): (Millis, Millis),
) -> Result<bool> {
    let known = sqlx::query_scalar!(
        "select at from podcast_listen where user_id = ? and episode_id = ? and at between ? and ? limit 1",
        principal.user,
        id,
        from,
        to
    )
    .fetch_optional(connection)
    .await?;
    Ok(known.is_some())
}
