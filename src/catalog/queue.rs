//! Bookmarks and the saved play queue: where somebody goes on, on another device too.

use crate::{
    Result,
    accounts::Principal,
    catalog::{
        Bookmark, Catalog, Item, PlayQueue, SavedQueue, annotations::require_person,
        visible::json_ids,
    },
    clock::Millis,
    events::Event,
    ids::TrackId,
};

impl Catalog {
    /// The principal's bookmarks, last moved first.
    pub async fn bookmarks(&self, principal: &Principal) -> Result<Vec<Bookmark>> {
        let rows = sqlx::query!(
            "select track_id, position_ms, comment, created_at, changed_at from bookmark
             where user_id = ? order by changed_at desc, track_id",
            principal.user
        )
        .fetch_all(self.db.read())
        .await?;
        let ids: Vec<TrackId> = rows.iter().map(|row| row.track_id.into()).collect();
        let tracks = self.tracks_by_id(principal, &ids).await?;
        Ok(rows
            .into_iter()
            .filter_map(|row| {
                let track = tracks.iter().find(|track| track.id.0 == row.track_id)?.clone();
                Some(Bookmark {
                    track,
                    position_ms: row.position_ms,
                    comment: row.comment,
                    created_at: row.created_at,
                    changed_at: row.changed_at,
                })
            })
            .collect())
    }

    /// Sets or moves a bookmark.
    pub async fn set_bookmark(
        &self,
        principal: &Principal,
        track: TrackId,
        position_ms: i64,
        comment: &str,
    ) -> Result<()> {
        self.require_visible(principal, Item::Track(track)).await?;
        let (now, position_ms) = (self.clock.now(), position_ms.max(0));
        let mut tx = self.db.write().await?;
        sqlx::query!(
            "insert into bookmark (user_id, track_id, position_ms, comment, created_at, changed_at)
             values (?1, ?2, ?3, ?4, ?5, ?5)
             on conflict do update set position_ms = ?3, comment = ?4, changed_at = ?5",
            principal.user,
            track,
            position_ms,
            comment,
            now
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.bookmarked(principal.user, track).await
    }

    /// Removes a bookmark; none there is fine.
    pub async fn remove_bookmark(&self, principal: &Principal, track: TrackId) -> Result<()> {
        self.require_visible(principal, Item::Track(track)).await?;
        let mut tx = self.db.write().await?;
        sqlx::query!(
            "delete from bookmark where user_id = ? and track_id = ?",
            principal.user,
            track
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.bookmarked(principal.user, track).await
    }

    /// The saved queue. Tracks that are gone are dropped, and the current one repaired for it.
    pub async fn play_queue(&self, principal: &Principal) -> Result<Option<PlayQueue>> {
        let Some(saved) = self.saved_queue(principal).await? else { return Ok(None) };
        let tracks = self.tracks_by_id(principal, &saved.entries).await?;
        let (current_index, position_ms) =
            saved.place(|id| tracks.iter().any(|track| track.id == id));
        Ok(Some(PlayQueue {
            tracks,
            current_index,
            position_ms,
            changed_at: saved.changed_at,
            changed_by: saved.changed_by,
        }))
    }

    /// The queue as it was saved, whatever became of its entries. Ids below 0 stand for what is no
    /// track ([`crate::ids::EpisodeId::as_track`]).
    pub async fn saved_queue(&self, principal: &Principal) -> Result<Option<SavedQueue>> {
        let row = sqlx::query!(
            "select current_index, position_ms, changed_at, changed_by, tracks from play_queue where user_id = ?",
            principal.user
        )
        .fetch_optional(self.db.read())
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(SavedQueue {
            entries: serde_json::from_str(&row.tracks)?,
            current: usize::try_from(row.current_index).unwrap_or(0),
            position_ms: row.position_ms,
            changed_at: row.changed_at,
            changed_by: row.changed_by,
        }))
    }

    /// Saves the queue; an empty list clears it. Gives back when that was.
    pub async fn save_play_queue(
        &self,
        principal: &Principal,
        tracks: &[TrackId],
        current_index: usize,
        position_ms: i64,
        client: &str,
    ) -> Result<Millis> {
        require_person(principal)?;
        let now = self.clock.now();
        let mut tx = self.db.write().await?;
        if tracks.is_empty() {
            sqlx::query!("delete from play_queue where user_id = ?", principal.user)
                .execute(&mut *tx)
                .await?;
        } else {
            let current = current_index.min(tracks.len() - 1) as i64;
            let position_ms = position_ms.max(0);
            let tracks = json_ids(tracks.iter().map(|track| track.0));
            sqlx::query!(
                "insert into play_queue (user_id, current_index, position_ms, changed_at, changed_by, tracks)
                 values (?1, ?2, ?3, ?4, ?5, ?6)
                 on conflict do update set current_index = ?2, position_ms = ?3, changed_at = ?4,
                        changed_by = ?5, tracks = ?6",
                principal.user,
                current,
                position_ms,
                now,
                client,
                tracks
            )
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        self.events.publish(Event::QueueChanged { user: principal.user });
        Ok(now)
    }
}

impl SavedQueue {
    /// Which entry plays, and where in it (ms), when only those remain of which `remains` says so.
    pub fn place(&self, remains: impl Fn(TrackId) -> bool) -> (usize, i64) {
        let (index, is_same) = repaired(&self.entries, self.current, remains);
        (index, if is_same { self.position_ms } else { 0 })
    }
}

/// Where the current track is among those that remain, and whether it is still the same one.
fn repaired(saved: &[TrackId], current: usize, remains: impl Fn(TrackId) -> bool) -> (usize, bool) {
    let before = saved.iter().take(current).filter(|id| remains(**id)).count();
    let left = saved.iter().filter(|id| remains(**id)).count();
    let is_same = saved.get(current).is_some_and(|id| remains(*id));
    (before.min(left.saturating_sub(1)), is_same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn current_follows_what_remains() {
        let saved = [TrackId(1), TrackId(2), TrackId(3), TrackId(4)];
        assert_eq!(repaired(&saved, 2, |_| true), (2, true));
        assert_eq!(repaired(&saved, 2, |id| id.0 != 1), (1, true));
        assert_eq!(repaired(&saved, 2, |id| id.0 != 3), (2, false));
        assert_eq!(repaired(&saved, 3, |id| id.0 != 4), (2, false));
        assert_eq!(repaired(&saved, 1, |_| false), (0, false));
    }
}
