//! Playlists that are files of a library. They are kept in step with their files; clients may not
//! change them.

use std::collections::{HashMap, HashSet};

use super::rows::{Rows, list};
use crate::{
    Result,
    catalog::{Catalog, Rules},
    ids::LibraryId,
};

/// A playlist file that was read.
#[derive(Debug)]
pub struct PlaylistFound {
    /// The file, relative to the library.
    pub path: String,
    /// Shown name.
    pub name: String,
    /// Entries in order; each as the paths in the library that it may mean, best first.
    pub entries: Vec<Vec<String>>,
    /// Rules instead of entries.
    pub rules: Option<Rules>,
}

impl Catalog {
    /// Paths of the playlist files that a library has rows for.
    pub(crate) async fn playlist_files(&self, library: LibraryId) -> Result<Vec<String>> {
        let paths = sqlx::query_scalar!(
            r#"select path as "path!: String" from playlist where library_id = ? and path is not null"#,
            library
        )
        .fetch_all(self.db.read())
        .await?;
        Ok(paths)
    }

    /// Makes rows fit playlist files, and removes those of files that are gone. They belong to
    /// the locker's owner, else to the first administrator, and are seen by all who see a shared
    /// library. Without any user there are none.
    pub(crate) async fn apply_playlists(
        &self,
        library: LibraryId,
        found: &[PlaylistFound],
        gone: &[String],
    ) -> Result<()> {
        let now = self.clock.now();
        let mut tx = self.db.write().await?;
        let mut changed = false;
        if !gone.is_empty() {
            let gone = list(gone);
            let removed = sqlx::query!(
                "delete from playlist where library_id = ? and path in (select value from json_each(?))",
                library,
                gone
            )
            .execute(&mut *tx)
            .await?;
            changed |= 0 < removed.rows_affected();
        }
        let owner = sqlx::query!(
            r#"select coalesce((select k.user_id from locker k where k.locker_id = l.locker_id),
                        (select min(user_id) from user where role = 'admin')) as "user: i64",
                      l.is_shared
               from library l where library_id = ?"#,
            library
        )
        .fetch_optional(&mut *tx)
        .await?;
        let owner = owner.and_then(|owner| Some((owner.user?, owner.is_shared)));
        if let Some((user, is_public)) = owner {
            for playlist in found {
                let wanted: HashSet<&String> = playlist.entries.iter().flatten().collect();
                let wanted = list(wanted);
                let rows = sqlx::query!(
                    "select track_id, path from track
                     where library_id = ? and path in (select value from json_each(?))
                       and missing_at is null and coalesce(cue_index, 1) = 1",
                    library,
                    wanted
                )
                .fetch_all(&mut *tx)
                .await?;
                let tracks: HashMap<String, i64> =
                    rows.into_iter().map(|row| (row.path, row.track_id)).collect();
                let entries: Vec<i64> = playlist
                    .entries
                    .iter()
                    .filter_map(|paths| paths.iter().find_map(|path| tracks.get(path).copied()))
                    .collect();
                let rules = playlist.rules.as_ref().map(|rules| rules.to_json().to_string());
                let known = sqlx::query_scalar!(
                    "select rules from playlist where library_id = ? and path = ?",
                    library,
                    playlist.path
                )
                .fetch_optional(&mut *tx)
                .await?;
                let is_changed = known.as_ref() != Some(&rules);
                changed |= is_changed;
                let id = sqlx::query_scalar!(
                    r#"insert into playlist (user_id, name, is_public, library_id, path, rules, created_at, changed_at)
                       values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)
                       on conflict (library_id, path) do update set name = excluded.name,
                           rules = excluded.rules, changed_at = iif(?8, excluded.changed_at, changed_at)
                       returning playlist_id as "id!: i64""#,
                    user,
                    playlist.name,
                    is_public,
                    library,
                    playlist.path,
                    rules,
                    now,
                    is_changed
                )
                .fetch_one(&mut *tx)
                .await?;
                let before = sqlx::query_scalar!(
                    "select track_id from playlist_entry where playlist_id = ? order by position",
                    id
                )
                .fetch_all(&mut *tx)
                .await?;
                if before == entries {
                    continue;
                }
                changed = true;
                sqlx::query!("delete from playlist_entry where playlist_id = ?", id)
                    .execute(&mut *tx)
                    .await?;
                sqlx::query!("update playlist set changed_at = ? where playlist_id = ?", now, id)
                    .execute(&mut *tx)
                    .await?;
                let mut rows = Rows::new();
                for (position, track) in entries.iter().enumerate() {
                    rows.row(|row| {
                        row.value(id).value(position).value(*track);
                    });
                }
                rows.run(
                    &mut tx,
                    "insert into playlist_entry (playlist_id, position, track_id) values {rows}",
                )
                .await?;
            }
        }
        if changed {
            let revision = self.bump_shown(&mut tx).await?;
            tx.commit().await?;
            self.announce(revision);
        } else {
            tx.commit().await?;
        }
        Ok(())
    }
}
