//! Two tracks that are the same music become one for people: when one of them goes, what was added
//! to it goes on with the other. Its own marks stay with it, unseen, so that all of it can be taken
//! back; what was added is remembered for that.

use serde::{Deserialize, Serialize};

use crate::{Result, accounts::Principal, catalog::Catalog, clock::Millis, db::Tx, ids::TrackId};

/// Whose marks go on with the other track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Everybody's: who sees the one sees the other.
    All,
    /// The principal's alone.
    Own,
}

/// What was added to the track that stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merged {
    from: i64,
    to: i64,
    marks: Vec<Added>,
    /// Whose bookmark was taken over.
    bookmarks: Vec<i64>,
    /// Places in playlists: which list, and where.
    entries: Vec<(i64, i64)>,
    /// Rows of the history.
    listens: Vec<i64>,
}

/// What was added to a user's mark, and what was there where that cannot be told from it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Added {
    user: i64,
    /// The star, and what it was before.
    star: Option<Millis>,
    star_before: Option<Millis>,
    /// The rating.
    rating: Option<i64>,
    plays: i64,
    played_at: Option<Millis>,
    played_before: Option<Millis>,
}

impl Catalog {
    /// Adds what people added to one track to the other: the earlier star, a rating where there is
    /// none, plays, history, places in playlists, and a bookmark where there is none.
    pub(crate) async fn merge_track(
        &self,
        principal: &Principal,
        from: TrackId,
        to: TrackId,
        whose: Whose,
    ) -> Result<Merged> {
        let only = (whose == Whose::Own).then_some(principal.user.0);
        let mut tx = self.db.write().await?;
        let mut merged = Merged { from: from.0, to: to.0, ..Merged::default() };
        merged.marks = add_marks(&mut tx, from, to, only).await?;
        merged.bookmarks = sqlx::query_scalar!(
            r#"insert into bookmark (user_id, track_id, position_ms, comment, created_at, changed_at)
               select user_id, ?2, position_ms, comment, created_at, changed_at from bookmark
               where track_id = ?1 and (?3 is null or user_id = ?3)
               on conflict do nothing returning user_id as "user_id!: i64""#,
            from,
            to,
            only
        )
        .fetch_all(&mut *tx)
        .await?;
        let entries = sqlx::query!(
            r#"update playlist_entry set track_id = ?2
               where track_id = ?1 and playlist_id in (
                   select playlist_id from playlist where library_id is null and (?3 is null or user_id = ?3))
               returning playlist_id as "playlist_id!: i64", position as "position!: i64""#,
            from,
            to,
            only
        )
        .fetch_all(&mut *tx)
        .await?;
        merged.entries = entries.into_iter().map(|row| (row.playlist_id, row.position)).collect();
        merged.listens = sqlx::query_scalar!(
            r#"update or ignore listen set track_id = ?2
               where track_id = ?1 and (?3 is null or user_id = ?3)
               returning listen_id as "listen_id!: i64""#,
            from,
            to,
            only
        )
        .fetch_all(&mut *tx)
        .await?;
        let revision = self.bump_revision(&mut tx).await?;
        tx.commit().await?;
        self.inner.marks.changed();
        self.announce(revision);
        Ok(merged)
    }

    /// Takes back what [`Self::merge_track`] added. What people did since stays.
    pub(crate) async fn part_tracks(&self, merged: &Merged) -> Result<()> {
        let Merged { from, to, .. } = *merged;
        let mut tx = self.db.write().await?;
        for added in &merged.marks {
            let Added { user, star, star_before, rating, plays, played_at, played_before } = *added;
            sqlx::query!(
                "update annotation set
                     starred_at = iif(?4 is not null and starred_at = ?4, ?5, starred_at),
                     rated_at = iif(?6 is not null and rating = ?6, null, rated_at),
                     rating = iif(?6 is not null and rating = ?6, null, rating),
                     play_count = max(play_count - ?7, 0),
                     played_at = iif(?8 is not null and played_at = ?8, ?9, played_at)
                 where user_id = ?1 and kind = ?2 and item_id = ?3",
                user,
                "track",
                to,
                star,
                star_before,
                rating,
                plays,
                played_at,
                played_before
            )
            .execute(&mut *tx)
            .await?;
        }
        for user in &merged.bookmarks {
            sqlx::query!("delete from bookmark where user_id = ? and track_id = ?", user, to)
                .execute(&mut *tx)
                .await?;
        }
        for (list, position) in &merged.entries {
            sqlx::query!(
                "update playlist_entry set track_id = ? where playlist_id = ? and position = ? and track_id = ?",
                from,
                list,
                position,
                to
            )
            .execute(&mut *tx)
            .await?;
        }
        for listen in &merged.listens {
            sqlx::query!(
                "update or ignore listen set track_id = ? where listen_id = ? and track_id = ?",
                from,
                listen,
                to
            )
            .execute(&mut *tx)
            .await?;
        }
        let revision = self.bump_revision(&mut tx).await?;
        tx.commit().await?;
        self.inner.marks.changed();
        self.announce(revision);
        Ok(())
    }
}

async fn add_marks(
    tx: &mut Tx,
    from: TrackId,
    to: TrackId,
    only: Option<i64>,
) -> Result<Vec<Added>> {
    let rows = sqlx::query!(
        r#"select o.user_id as "user_id!: i64", o.starred_at, o.rating, o.rated_at, o.play_count, o.played_at,
                  n.starred_at as "own_starred_at?: i64", n.rating as "own_rating?: i64",
                  n.played_at as "own_played_at?: i64"
           from annotation o
           left join annotation n on n.user_id = o.user_id and n.kind = 'track' and n.item_id = ?2
           where o.kind = 'track' and o.item_id = ?1 and (?3 is null or o.user_id = ?3)"#,
        from,
        to,
        only
    )
    .fetch_all(&mut **tx)
    .await?;
    let mut marks = Vec::with_capacity(rows.len());
    for row in rows {
        let earlier = |at: &Millis| row.own_starred_at.is_none_or(|own| *at < own);
        let later = |at: &Millis| row.own_played_at.is_none_or(|own| own < *at);
        let added = Added {
            user: row.user_id,
            star: row.starred_at.filter(earlier),
            star_before: row.own_starred_at,
            rating: row.rating.filter(|_| row.own_rating.is_none()),
            plays: row.play_count,
            played_at: row.played_at.filter(later),
            played_before: row.own_played_at,
        };
        let rated_at = row.rated_at.filter(|_| added.rating.is_some());
        sqlx::query!(
            "insert into annotation (user_id, kind, item_id, starred_at, rating, rated_at, play_count, played_at)
             values (?1, 'track', ?2, ?3, ?4, ?5, ?6, ?7)
             on conflict do update set starred_at = coalesce(excluded.starred_at, starred_at),
                 rating = coalesce(rating, excluded.rating), rated_at = coalesce(rated_at, excluded.rated_at),
                 play_count = play_count + excluded.play_count,
                 played_at = coalesce(excluded.played_at, played_at)",
            added.user,
            to,
            added.star,
            added.rating,
            rated_at,
            added.plays,
            added.played_at
        )
        .execute(&mut **tx)
        .await?;
        marks.push(added);
    }
    Ok(marks)
}
