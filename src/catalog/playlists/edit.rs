//! Making and changing playlists. The owner changes everything; who was let in changes tracks.

use crate::{
    Error, Result,
    accounts::Principal,
    catalog::{
        Catalog, Playlist, PlaylistChange, PlaylistMember, Rules, annotations::require_person,
        playlists::MAX_ENTRIES, visible::json_ids,
    },
    db::Tx,
    ids::{PlaylistId, TrackId},
};

impl Catalog {
    /// Makes a playlist. Tracks that the principal may not see are left out.
    pub async fn create_playlist(
        &self,
        principal: &Principal,
        name: &str,
        tracks: &[TrackId],
    ) -> Result<PlaylistId> {
        let tracks = self.only_visible(principal, tracks).await?;
        self.insert_playlist(principal, name, "", None, &tracks).await
    }

    /// Makes a smart playlist, after trying its rules.
    pub async fn create_smart_playlist(
        &self,
        principal: &Principal,
        name: &str,
        comment: &str,
        rules: &Rules,
    ) -> Result<PlaylistId> {
        self.try_rules(principal, None, rules).await?;
        self.insert_playlist(principal, name, comment, Some(rules), &[]).await
    }

    pub(super) async fn insert_playlist(
        &self,
        principal: &Principal,
        name: &str,
        comment: &str,
        rules: Option<&Rules>,
        tracks: &[TrackId],
    ) -> Result<PlaylistId> {
        require_person(principal)?;
        let name = named(name)?;
        let rules = rules.map(|rules| rules.to_json().to_string());
        let now = self.clock.now();
        let mut tx = self.db.write().await?;
        let id = sqlx::query_scalar!(
            "insert into playlist (user_id, name, comment, rules, created_at, changed_at)
             values (?1, ?2, ?3, ?4, ?5, ?5) returning playlist_id as \"playlist_id!\"",
            principal.user,
            name,
            comment,
            rules,
            now
        )
        .fetch_one(&mut *tx)
        .await?
        .into();
        write_entries(&mut tx, id, tracks).await?;
        let revision = self.bump_shown(&mut tx).await?;
        tx.commit().await?;
        self.announce(revision);
        Ok(id)
    }

    /// Changes a playlist.
    pub async fn update_playlist(
        &self,
        principal: &Principal,
        id: PlaylistId,
        change: &PlaylistChange,
    ) -> Result<()> {
        let before = self.require_changeable(principal, id, change).await?;
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
        let rules = match &change.rules {
            None => None,
            Some(_) if before.rules.is_none() => {
                return Err(Error::Invalid("This playlist has tracks, not rules".to_owned()));
            }
            Some(rules) => {
                self.try_rules(principal, Some(id), rules).await?;
                Some(rules.to_json().to_string())
            }
        };
        let now = self.clock.now();
        let mut tx = self.db.write().await?;
        sqlx::query!(
            "update playlist set name = coalesce(?, name), comment = coalesce(?, comment),
                    is_public = coalesce(?, is_public), is_open = coalesce(?, is_open),
                    rules = coalesce(?, rules), changed_at = max(?, changed_at + 1)
             where playlist_id = ?",
            name,
            change.comment,
            change.is_public,
            change.is_open,
            rules,
            now,
            id
        )
        .execute(&mut *tx)
        .await?;
        if let Some(members) = &change.members {
            write_members(&mut tx, id, members).await?;
        }
        if change.has_tracks() {
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
        let revision = self.bump_shown(&mut tx).await?;
        tx.commit().await?;
        self.announce(revision);
        Ok(())
    }

    /// Removes an own playlist.
    pub async fn remove_playlist(&self, principal: &Principal, id: PlaylistId) -> Result<()> {
        require_person(principal)?;
        let list = self.playlist(principal, id).await?;
        if !list.is_managed {
            return Err(only_owner());
        }
        let mut tx = self.db.write().await?;
        sqlx::query!("delete from playlist where playlist_id = ?", id).execute(&mut *tx).await?;
        let revision = self.bump_shown(&mut tx).await?;
        tx.commit().await?;
        self.announce(revision);
        Ok(())
    }

    /// The playlist, if the principal may make this change.
    async fn require_changeable(
        &self,
        principal: &Principal,
        id: PlaylistId,
        change: &PlaylistChange,
    ) -> Result<Playlist> {
        require_person(principal)?;
        let list = self.playlist(principal, id).await?;
        let is_smart = list.rules.is_some();
        if is_smart && change.has_tracks() {
            return Err(Error::Forbidden(
                "A smart playlist is filled by its rules; change those".to_owned(),
            ));
        }
        let is_allowed =
            if change.is_of_tracks(&list.name) { !list.is_readonly } else { list.is_managed };
        if is_allowed { Ok(list) } else { Err(only_owner()) }
    }
}

fn only_owner() -> Error {
    Error::Forbidden("Only its owner may change this playlist".to_owned())
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
    let remove: std::collections::HashSet<u32> = remove.iter().copied().collect();
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
pub(in crate::catalog) async fn write_entries(
    tx: &mut Tx,
    id: PlaylistId,
    tracks: &[TrackId],
) -> Result<()> {
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

/// Replaces the people with whom a playlist is shared.
async fn write_members(tx: &mut Tx, id: PlaylistId, members: &[PlaylistMember]) -> Result<()> {
    sqlx::query!("delete from playlist_member where playlist_id = ?", id)
        .execute(&mut **tx)
        .await?;
    for member in members {
        // The owner has it anyway.
        let written = sqlx::query!(
            "insert into playlist_member (playlist_id, user_id, may_edit)
             select ?1, u.user_id, ?3 from user u where u.name = ?2
             on conflict do update set may_edit = excluded.may_edit",
            id,
            member.name,
            member.may_edit
        )
        .execute(&mut **tx)
        .await?;
        if written.rows_affected() == 0 {
            return Err(Error::Invalid(format!("There is no user {:?}", member.name)));
        }
    }
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
