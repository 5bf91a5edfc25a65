//! Playlists: own ones, public ones of others, and those kept in step with files.

use sqlx::{AssertSqlSafe, Row as _};

use crate::{
    Error, Result,
    accounts::Principal,
    catalog::{
        Catalog, Playlist, PlaylistChange, Track,
        annotations::require_person,
        visible::{json_ids, within},
    },
    db::Tx,
    ids::{PlaylistId, TrackId},
};

/// More than any playlist in the field, less than what would hurt.
const MAX_ENTRIES: usize = 100_000;

impl Catalog {
    /// Own playlists and public ones of others, by name.
    pub async fn playlists(&self, principal: &Principal) -> Result<Vec<Playlist>> {
        self.read_playlists(principal, "true").await
    }

    /// One playlist.
    pub async fn playlist(&self, principal: &Principal, id: PlaylistId) -> Result<Playlist> {
        let condition = format!("l.playlist_id = {}", id.0);
        self.read_playlists(principal, &condition).await?.pop().ok_or(Error::NotFound("Playlist"))
    }

    /// Its tracks in order; those that the principal may not see are left out.
    pub async fn playlist_tracks(
        &self,
        principal: &Principal,
        id: PlaylistId,
    ) -> Result<Vec<Track>> {
        self.playlist(principal, id).await?;
        let tracks: Vec<i64> = sqlx::query_scalar!(
            "select track_id from playlist_entry where playlist_id = ? order by position",
            id
        )
        .fetch_all(self.db.read())
        .await?;
        let mut tracks = self.tracks_by_row(principal, &tracks).await?;
        tracks.retain(|track| principal.may_see(track.library));
        Ok(tracks)
    }

    /// Makes a playlist. Tracks that the principal may not see are left out.
    pub async fn create_playlist(
        &self,
        principal: &Principal,
        name: &str,
        tracks: &[TrackId],
    ) -> Result<PlaylistId> {
        require_person(principal)?;
        let name = named(name)?;
        let tracks = self.only_visible(principal, tracks).await?;
        let now = self.clock.now();
        let mut tx = self.db.write().await?;
        let id = sqlx::query_scalar!(
            "insert into playlist (user_id, name, created_at, changed_at) values (?1, ?2, ?3, ?3)
             returning playlist_id as \"playlist_id!\"",
            principal.user,
            name,
            now
        )
        .fetch_one(&mut *tx)
        .await?
        .into();
        write_entries(&mut tx, id, &tracks).await?;
        let revision = self.bump_revision(&mut tx).await?;
        tx.commit().await?;
        self.announce(revision);
        Ok(id)
    }

    /// Changes an own playlist.
    pub async fn update_playlist(
        &self,
        principal: &Principal,
        id: PlaylistId,
        change: &PlaylistChange,
    ) -> Result<()> {
        self.require_own(principal, id).await?;
        let name = change.name.as_deref().map(named).transpose()?;
        let add = self.only_visible(principal, &change.add).await?;
        let replace = match &change.replace {
            Some(tracks) => Some(self.only_visible(principal, tracks).await?),
            None => None,
        };
        // A client counts positions in the list it was shown, where invisible tracks are left out.
        let shown: Vec<TrackId> = if change.remove.is_empty() {
            Vec::new()
        } else {
            self.playlist_tracks(principal, id).await?.iter().map(|track| track.id).collect()
        };
        let now = self.clock.now();
        let mut tx = self.db.write().await?;
        sqlx::query!(
            "update playlist set name = coalesce(?, name), comment = coalesce(?, comment),
                    is_public = coalesce(?, is_public), changed_at = ? where playlist_id = ?",
            name,
            change.comment,
            change.is_public,
            now,
            id
        )
        .execute(&mut *tx)
        .await?;
        if replace.is_some() || !change.remove.is_empty() || !add.is_empty() {
            let mut entries: Vec<TrackId> = match replace {
                Some(tracks) => tracks,
                None => sqlx::query_scalar!(
                    "select track_id from playlist_entry where playlist_id = ? order by position",
                    id
                )
                .fetch_all(&mut *tx)
                .await?
                .into_iter()
                .map(Into::into)
                .collect(),
            };
            remove_shown(&mut entries, &shown, &change.remove);
            entries.extend(add);
            if MAX_ENTRIES < entries.len() {
                return Err(Error::Invalid(format!(
                    "A playlist holds at most {MAX_ENTRIES} tracks"
                )));
            }
            write_entries(&mut tx, id, &entries).await?;
        }
        let revision = self.bump_revision(&mut tx).await?;
        tx.commit().await?;
        self.announce(revision);
        Ok(())
    }

    /// Removes an own playlist.
    pub async fn remove_playlist(&self, principal: &Principal, id: PlaylistId) -> Result<()> {
        self.require_own(principal, id).await?;
        let mut tx = self.db.write().await?;
        sqlx::query!("delete from playlist where playlist_id = ?", id).execute(&mut *tx).await?;
        let revision = self.bump_revision(&mut tx).await?;
        tx.commit().await?;
        self.announce(revision);
        Ok(())
    }

    async fn require_own(&self, principal: &Principal, id: PlaylistId) -> Result<()> {
        require_person(principal)?;
        let playlist = self.playlist(principal, id).await?;
        if playlist.is_readonly {
            return Err(Error::Forbidden("Only its owner may change this playlist".to_owned()));
        }
        Ok(())
    }

    async fn only_visible(
        &self,
        principal: &Principal,
        tracks: &[TrackId],
    ) -> Result<Vec<TrackId>> {
        if MAX_ENTRIES < tracks.len() {
            return Err(Error::Invalid(format!("A playlist holds at most {MAX_ENTRIES} tracks")));
        }
        if tracks.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "select track_id from track where track_id in (select value from json_each('{}')) and {}",
            json_ids(tracks.iter().map(|track| track.0)),
            within("library_id", principal, None)
        );
        let seen: Vec<i64> =
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(self.db.read()).await?;
        let seen: std::collections::HashSet<i64> = seen.into_iter().collect();
        Ok(tracks.iter().copied().filter(|track| seen.contains(&track.0)).collect())
    }

    async fn read_playlists(
        &self,
        principal: &Principal,
        condition: &str,
    ) -> Result<Vec<Playlist>> {
        let seen = within("t.library_id", principal, None);
        // A list kept in step with a file belongs to whoever may see its library.
        let visible = format!(
            "(iif(l.library_id is null, l.user_id = {} or l.is_public = 1, {}))",
            principal.user.0,
            within("l.library_id", principal, None)
        );
        let sql = format!(
            "select l.playlist_id, l.name, l.comment, l.is_public, l.user_id, u.name as owner, l.created_at,
                    l.changed_at, l.path is not null as is_file,
                    (select count(*) from playlist_entry e join track t using (track_id)
                        where e.playlist_id = l.playlist_id and t.missing_at is null and {seen}) as tracks,
                    (select coalesce(sum(t.duration_ms), 0) from playlist_entry e join track t using (track_id)
                        where e.playlist_id = l.playlist_id and t.missing_at is null and {seen}) as duration_ms,
                    (select coalesce(t.picture_id, a.picture_id) from playlist_entry e join track t using (track_id)
                        left join album a on a.album_id = t.album_id
                        where e.playlist_id = l.playlist_id and t.missing_at is null and {seen}
                          and coalesce(t.picture_id, a.picture_id) is not null
                        order by e.position limit 1) as picture_id
             from playlist l join user u on u.user_id = l.user_id
             where {visible} and {condition} order by l.name collate nocase, l.playlist_id"
        );
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(self.db.read()).await?;
        let pictures = self.pictures(rows.iter().filter_map(|row| row.get("picture_id"))).await?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let is_own = row.get::<i64, _>("user_id") == principal.user.0;
                let is_file: bool = row.get("is_file");
                Playlist {
                    id: PlaylistId(row.get("playlist_id")),
                    name: row.get("name"),
                    comment: row.get("comment"),
                    owner: row.get("owner"),
                    is_own,
                    is_public: row.get::<i64, _>("is_public") != 0 || is_file,
                    is_readonly: !is_own || is_file,
                    track_count: row.get::<i64, _>("tracks") as u32,
                    duration_ms: row.get::<i64, _>("duration_ms") as u64,
                    picture: row
                        .get::<Option<i64>, _>("picture_id")
                        .and_then(|picture| pictures.get(&picture).copied()),
                    created_at: row.get("created_at"),
                    changed_at: row.get("changed_at"),
                }
            })
            .collect())
    }
}

/// A name with something in it.
fn named(name: &str) -> Result<&str> {
    let name = name.trim();
    if name.is_empty() || 500 < name.len() {
        return Err(Error::Invalid("A playlist needs a name of at most 500 bytes".to_owned()));
    }
    Ok(name)
}

/// Takes out the entries at these positions of the list as shown; entries that were not shown stay.
fn remove_shown(entries: &mut Vec<TrackId>, shown: &[TrackId], remove: &[u32]) {
    if remove.is_empty() {
        return;
    }
    let mut next = 0;
    entries.retain(|entry| {
        if shown.get(next) == Some(entry) {
            next += 1;
            !remove.contains(&((next - 1) as u32))
        } else {
            true
        }
    });
}

/// Replaces the entries of a playlist.
async fn write_entries(tx: &mut Tx, id: PlaylistId, tracks: &[TrackId]) -> Result<()> {
    sqlx::query!("delete from playlist_entry where playlist_id = ?", id).execute(&mut **tx).await?;
    let tracks = json_ids(tracks.iter().map(|track| track.0));
    sqlx::query!(
        "insert into playlist_entry (playlist_id, position, track_id)
         select ?, key, value from json_each(?)",
        id,
        tracks
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_what_was_shown() {
        let ids = |ids: &[i64]| ids.iter().map(|id| TrackId(*id)).collect::<Vec<_>>();
        let mut entries = ids(&[1, 2, 9, 3, 1]);
        remove_shown(&mut entries, &ids(&[1, 2, 3, 1]), &[3, 1, 1]);
        assert_eq!(entries, ids(&[1, 9, 3]));
    }
}
