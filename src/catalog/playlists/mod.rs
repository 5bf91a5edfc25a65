//! Playlists: own ones, those that others share, smart ones, and those kept in step with files.
//! Reading is here; changing in [`edit`], files people bring or take along in [`exchange`].

mod edit;
mod exchange;

use std::collections::HashMap;

use sqlx::{AssertSqlSafe, Row as _};

pub(in crate::catalog) use edit::write_entries;
pub use exchange::{Imported, Unmatched};

use crate::{
    Error, Result,
    accounts::Principal,
    catalog::{
        Catalog, Playlist, PlaylistMember, Track, mosaic,
        visible::{json_ids, within},
    },
    ids::{PlaylistId, TrackId, UserId},
};

/// More than any playlist in the field, less than what would hurt.
const MAX_ENTRIES: usize = 100_000;

/// What a playlist holds, for those who list it.
struct Contents {
    tracks: i64,
    duration_ms: i64,
    /// The first four different pictures.
    pictures: Vec<i64>,
}

impl Catalog {
    /// Own playlists, public ones of others and those shared with the principal, by name.
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
        let of = sqlx::query!(
            "select user_id, changed_at, rules from playlist where playlist_id = ?",
            id
        )
        .fetch_optional(self.db.read())
        .await?
        .ok_or(Error::NotFound("Playlist"))?;
        let tracks: Vec<i64> = match of.rules {
            Some(rules) => {
                let owner = UserId(of.user_id);
                let found = self.smart_tracks(principal, id, owner, of.changed_at, &rules).await?;
                found.tracks.iter().map(|track| track.0).collect()
            }
            None => {
                sqlx::query_scalar!(
                    "select track_id from playlist_entry where playlist_id = ? order by position",
                    id
                )
                .fetch_all(self.db.read())
                .await?
            }
        };
        let mut tracks = self.tracks_by_row(principal, &tracks).await?;
        tracks.retain(|track| principal.may_see(track.library));
        Ok(tracks)
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
        let user = principal.user.0;
        // A list kept in step with a file belongs to whoever may see its library.
        let visible = format!(
            "(iif(l.library_id is null, l.user_id = {user} or l.is_public = 1 or m.user_id is not null, {}))",
            within("l.library_id", principal, None)
        );
        let sql = format!(
            "select l.playlist_id, l.name, l.comment, l.is_public, l.is_open, l.rules, l.user_id,
                    u.name as owner, l.created_at, l.changed_at, l.path is not null as is_file,
                    coalesce(m.may_edit, 0) as may_edit,
                    (select json_group_array(json_array(w.name, s.may_edit)) from playlist_member s
                        join user w on w.user_id = s.user_id where s.playlist_id = l.playlist_id) as members,
                    (select count(*) from playlist_entry e join track t using (track_id)
                        where e.playlist_id = l.playlist_id and t.missing_at is null and {seen}) as tracks,
                    (select coalesce(sum(t.duration_ms), 0) from playlist_entry e join track t using (track_id)
                        where e.playlist_id = l.playlist_id and t.missing_at is null and {seen}) as duration_ms,
                    (select json_group_array(picture_id) from (
                        select coalesce(t.picture_id, a.picture_id) as picture_id
                        from playlist_entry e join track t using (track_id)
                        left join album a on a.album_id = t.album_id
                        where e.playlist_id = l.playlist_id and t.missing_at is null and {seen}
                          and coalesce(t.picture_id, a.picture_id) is not null
                        group by 1 order by min(e.position) limit 4)) as pictures
             from playlist l join user u on u.user_id = l.user_id
             left join playlist_member m on m.playlist_id = l.playlist_id and m.user_id = {user}
             where {visible} and {condition} order by l.name collate nocase, l.playlist_id"
        );
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(self.db.read()).await?;
        let mut lists = Vec::with_capacity(rows.len());
        for row in rows {
            let owner = row.get::<i64, _>("user_id");
            let is_own = owner == user;
            let is_file: bool = row.get("is_file");
            let is_open = row.get::<i64, _>("is_open") != 0;
            let rules: Option<String> = row.get("rules");
            let may_edit = is_own || is_open || row.get::<i64, _>("may_edit") != 0;
            let members: Vec<(String, i64)> = serde_json::from_str(row.get("members"))?;
            let mut list = Playlist {
                id: PlaylistId(row.get("playlist_id")),
                name: row.get("name"),
                comment: row.get("comment"),
                owner: row.get("owner"),
                is_own,
                is_managed: is_own && !is_file,
                is_public: row.get::<i64, _>("is_public") != 0 || is_file,
                is_open,
                is_readonly: !may_edit || is_file || rules.is_some(),
                rules: None,
                members: members
                    .into_iter()
                    .map(|(name, may_edit)| PlaylistMember { name, may_edit: may_edit != 0 })
                    .collect(),
                valid_until: None,
                track_count: 0,
                duration_ms: 0,
                picture: None,
                tiles: Vec::new(),
                created_at: row.get("created_at"),
                changed_at: row.get("changed_at"),
            };
            let contents = match &rules {
                None => Contents {
                    tracks: row.get("tracks"),
                    duration_ms: row.get("duration_ms"),
                    pictures: serde_json::from_str(row.get("pictures"))?,
                },
                Some(rules) => {
                    let owner = UserId(owner);
                    let found = self
                        .smart_tracks(principal, list.id, owner, list.changed_at, rules)
                        .await?;
                    list.valid_until = Some(found.valid_until);
                    self.contents(&found.tracks).await?
                }
            };
            list.rules = rules;
            list.track_count = contents.tracks as u32;
            list.duration_ms = contents.duration_ms as u64;
            lists.push((list, contents.pictures));
        }
        let pictures: HashMap<_, _> =
            self.pictures(lists.iter().flat_map(|(_, pictures)| pictures.iter().copied())).await?;
        Ok(lists
            .into_iter()
            .map(|(list, its)| {
                let its = its.iter().filter_map(|picture| pictures.get(picture).copied()).collect();
                let (picture, tiles) = mosaic::cover_of(its);
                Playlist { picture, tiles, ..list }
            })
            .collect())
    }

    /// Sums over tracks that are all visible.
    async fn contents(&self, tracks: &[TrackId]) -> Result<Contents> {
        let ids = json_ids(tracks.iter().map(|track| track.0));
        let row = sqlx::query!(
            r#"select count(*) as "tracks!: i64", coalesce(sum(t.duration_ms), 0) as "duration_ms!: i64",
                 (select json_group_array(picture_id) from (
                    select coalesce(f.picture_id, a.picture_id) as picture_id from json_each(?1) e
                    join track f on f.track_id = e.value left join album a on a.album_id = f.album_id
                    where coalesce(f.picture_id, a.picture_id) is not null
                    group by 1 order by min(e.key) limit 4)) as "pictures!: String"
               from json_each(?1) i join track t on t.track_id = i.value"#,
            ids
        )
        .fetch_one(self.db.read())
        .await?;
        let pictures = serde_json::from_str(&row.pictures)?;
        Ok(Contents { tracks: row.tracks, duration_ms: row.duration_ms, pictures })
    }
}
