//! Taking in what somebody brought: one transaction, its events after it.

use std::collections::HashMap;

use serde_json::json;

use super::{
    Brought, BroughtPlaylist, TakenIn, Trial,
    decide::{Changes, Here, Moved, MovedPlaylist, NewMark, decide, entries_hash},
};
use crate::{
    Error, Result,
    accounts::Principal,
    catalog::{
        Catalog, ListenSource, Rules,
        marks::{self, kind},
        playlists::write_entries,
        visible::json_ids,
    },
    clock::Millis,
    db::Tx,
    events::Event,
    ids::{PlaylistId, TrackId, UserId},
};

/// Rows of one statement.
const ROWS: usize = 5_000;

impl Catalog {
    /// Takes in what the principal brought from another server; as a trial it only says what would
    /// be done. A principal who is nobody yet has nothing here.
    pub async fn take_in(
        &self,
        principal: &Principal,
        brought: &Brought,
        trial: Trial,
    ) -> Result<TakenIn> {
        let mut rules: HashMap<&str, Rules> = HashMap::new();
        for list in &brought.playlists {
            let Some(Ok(parsed)) = list.rules.as_ref().map(Rules::parse) else { continue };
            match self.try_rules(principal, None, &parsed).await {
                Ok(_) => drop(rules.insert(&list.key, parsed)),
                // Rules that make no sense here: what they chose there is taken as it is.
                Err(Error::Invalid(_) | Error::NotFound(_)) => (),
                Err(error) => return Err(error),
            }
        }
        let mut tx = self.db.write().await?;
        let here = read_here(&mut tx, principal.user, &brought.origin).await?;
        let (changes, told) = decide(&here, brought, |list| rules.contains_key(list.key.as_str()));
        if trial == Trial::Yes || !principal.is_person() {
            return Ok(told);
        }
        let user = principal.user;
        write_marks(&mut tx, user, &brought.origin, &changes.marks, self.clock.now()).await?;
        write_listens(&mut tx, user, &brought.client, &changes.listens).await?;
        self.write_bookmarks(&mut tx, user, &changes).await?;
        for list in &changes.new_playlists {
            let rules = rules.get(list.key.as_str());
            self.write_playlist(&mut tx, user, &brought.origin, list, rules).await?;
        }
        for (id, list) in &changes.filled {
            let (origin, key) = (brought.origin.as_str(), list.key.as_str());
            write_entries(&mut tx, *id, &list.tracks).await?;
            note_playlist(&mut tx, user, origin, key, *id, &list.tracks).await?;
        }
        if let (true, Some(queue)) = (changes.sets_queue, &brought.queue) {
            let tracks = json_ids(queue.tracks.iter().map(|track| track.0));
            let (current, at) =
                (queue.current as i64, queue.changed_at.unwrap_or_else(|| self.clock.now()));
            sqlx::query!(
                "insert into play_queue (user_id, current_index, position_ms, changed_at, changed_by, tracks)
                 values (?, ?, ?, ?, ?, ?)",
                user,
                current,
                queue.position_ms,
                at,
                brought.client,
                tracks
            )
            .execute(&mut *tx)
            .await?;
        }
        let has_lists = !changes.new_playlists.is_empty() || !changes.filled.is_empty();
        let revision = if has_lists { Some(self.bump_shown(&mut tx).await?) } else { None };
        tx.commit().await?;
        self.inner.marks.changed();
        if let Some(revision) = revision {
            self.announce(revision);
        }
        if !changes.listens.is_empty() {
            self.events.publish(Event::ListensRecorded { user });
        }
        if changes.sets_queue {
            self.events.publish(Event::QueueChanged { user });
        }
        Ok(told)
    }

    async fn write_bookmarks(
        &self,
        tx: &mut Tx,
        user: UserId,
        changes: &Changes<'_>,
    ) -> Result<()> {
        let now = self.clock.now();
        for bookmark in &changes.bookmarks {
            let (created, changed) =
                (bookmark.created_at.unwrap_or(now), bookmark.changed_at.unwrap_or(now));
            let position = bookmark.position_ms.max(0);
            sqlx::query!(
                "insert into bookmark (user_id, track_id, position_ms, comment, created_at, changed_at)
                 values (?, ?, ?, ?, ?, ?) on conflict do nothing",
                user,
                bookmark.track,
                position,
                bookmark.comment,
                created,
                changed
            )
            .execute(&mut **tx)
            .await?;
        }
        Ok(())
    }

    async fn write_playlist(
        &self,
        tx: &mut Tx,
        user: UserId,
        origin: &str,
        list: &BroughtPlaylist,
        rules: Option<&Rules>,
    ) -> Result<()> {
        let now = self.clock.now();
        let name = Some(list.name.trim()).filter(|name| !name.is_empty()).unwrap_or("Playlist");
        let name: String = name.chars().take(120).collect();
        let rules = rules.map(|rules| rules.to_json().to_string());
        let (created, changed) = (list.created_at.unwrap_or(now), list.changed_at.unwrap_or(now));
        let id: PlaylistId = sqlx::query_scalar!(
            r#"insert into playlist (user_id, name, comment, is_public, rules, created_at, changed_at)
               values (?, ?, ?, ?, ?, ?, ?) returning playlist_id as "playlist_id!""#,
            user,
            name,
            list.comment,
            list.is_public,
            rules,
            created,
            changed
        )
        .fetch_one(&mut **tx)
        .await?
        .into();
        let tracks: &[TrackId] = if rules.is_some() { &[] } else { &list.tracks };
        write_entries(tx, id, tracks).await?;
        for member in &list.members {
            sqlx::query!(
                "insert into playlist_member (playlist_id, user_id)
                 select ?1, user_id from user where name = ?2 and user_id <> ?3 on conflict do nothing",
                id,
                member,
                user
            )
            .execute(&mut **tx)
            .await?;
        }
        note_playlist(tx, user, origin, &list.key, id, tracks).await
    }
}

async fn note_playlist(
    tx: &mut Tx,
    user: UserId,
    origin: &str,
    key: &str,
    id: PlaylistId,
    tracks: &[TrackId],
) -> Result<()> {
    let entries = entries_hash(tracks);
    let entries = entries.as_slice();
    sqlx::query!(
        "insert into moved_playlist (user_id, origin, key, playlist_id, entries) values (?, ?, ?, ?, ?)
         on conflict do update set playlist_id = excluded.playlist_id, entries = excluded.entries",
        user,
        origin,
        key,
        id,
        entries
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Adds stars, ratings and plays, and remembers what was taken. Plays of a track count for its
/// album and its artists too, as listens do.
async fn write_marks(
    tx: &mut Tx,
    user: UserId,
    origin: &str,
    marks: &[NewMark],
    now: Millis,
) -> Result<()> {
    for marks in marks.chunks(ROWS) {
        let row = |mark: &NewMark| {
            let (kind, id) = kind(mark.item);
            json!([kind, id, mark.starred_at, mark.rating, mark.plays, mark.played_at])
        };
        let rows = serde_json::to_string(&marks.iter().map(row).collect::<Vec<_>>())?;
        sqlx::query!(
            "insert into annotation (user_id, kind, item_id, starred_at, rating, rated_at, play_count, played_at)
             select ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3,
                    iif(value ->> 3 is null, null, ?2), value ->> 4, value ->> 5
             from json_each(?3) where true
             on conflict do update set
                 starred_at = coalesce(starred_at, excluded.starred_at),
                 rating = coalesce(rating, excluded.rating),
                 rated_at = coalesce(rated_at, excluded.rated_at),
                 play_count = play_count + excluded.play_count,
                 played_at = coalesce(max(played_at, excluded.played_at), played_at, excluded.played_at)",
            user,
            now,
            rows
        )
        .execute(&mut **tx)
        .await?;
        sqlx::query!(
            "insert into moved_mark (user_id, origin, kind, item_id, has_star, has_rating, play_count)
             select ?1, ?2, value ->> 0, value ->> 1, value ->> 2 is not null, value ->> 3 is not null, value ->> 4
             from json_each(?3) where true
             on conflict do update set has_star = max(has_star, excluded.has_star),
                 has_rating = max(has_rating, excluded.has_rating),
                 play_count = play_count + excluded.play_count",
            user,
            origin,
            rows
        )
        .execute(&mut **tx)
        .await?;
        sqlx::query!(
            "insert into annotation (user_id, kind, item_id, play_count, played_at)
             select ?1, kind, item_id, sum(plays), max(at) from (
                 select 'album' as kind, t.album_id as item_id, value ->> 4 as plays, value ->> 5 as at
                 from json_each(?2) join track t on t.track_id = value ->> 1
                 where value ->> 0 = 'track' and 0 < value ->> 4 and t.album_id is not null
                 union all
                 select 'artist', a.artist_id, value ->> 4, value ->> 5
                 from json_each(?2) join track_artist a on a.track_id = value ->> 1 and a.role = 'artist'
                 where value ->> 0 = 'track' and 0 < value ->> 4)
             where true group by kind, item_id
             on conflict do update set play_count = play_count + excluded.play_count,
                 played_at = coalesce(max(played_at, excluded.played_at), played_at, excluded.played_at)",
            user,
            rows
        )
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

async fn write_listens(
    tx: &mut Tx,
    user: UserId,
    client: &str,
    listens: &[(TrackId, Millis)],
) -> Result<()> {
    let source = ListenSource::Import.as_str();
    for listens in listens.chunks(ROWS) {
        let rows: Vec<_> = listens.iter().map(|(track, at)| [track.0, *at]).collect();
        let rows = serde_json::to_string(&rows)?;
        sqlx::query!(
            "insert into listen (user_id, track_id, at, client, source)
             select ?1, value ->> 0, value ->> 1, ?2, ?3 from json_each(?4) where true
             on conflict do nothing",
            user,
            client,
            source,
            rows
        )
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

/// What is here of the user's.
async fn read_here(tx: &mut Tx, user: UserId, origin: &str) -> Result<Here> {
    let mut here = Here::default();
    let marked = sqlx::query!(
        "select kind, item_id, starred_at, rating from annotation
         where user_id = ? and (starred_at is not null or rating is not null)",
        user
    )
    .fetch_all(&mut **tx)
    .await?;
    for row in marked {
        let Some(item) = marks::item(&row.kind, row.item_id) else { continue };
        if row.starred_at.is_some() {
            here.starred.insert(item);
        }
        if row.rating.is_some() {
            here.rated.insert(item);
        }
    }
    let moved = sqlx::query!(
        "select kind, item_id, has_star, has_rating, play_count from moved_mark where user_id = ? and origin = ?",
        user,
        origin
    )
    .fetch_all(&mut **tx)
    .await?;
    for row in moved {
        let Some(item) = marks::item(&row.kind, row.item_id) else { continue };
        let moved = Moved {
            has_star: row.has_star != 0,
            has_rating: row.has_rating != 0,
            play_count: row.play_count.max(0) as u64,
        };
        here.moved.insert(item, moved);
    }
    let listens = sqlx::query!("select track_id, at from listen where user_id = ?", user)
        .fetch_all(&mut **tx)
        .await?;
    here.listens = listens.into_iter().map(|row| (TrackId(row.track_id), row.at)).collect();
    let bookmarks = sqlx::query_scalar!("select track_id from bookmark where user_id = ?", user)
        .fetch_all(&mut **tx)
        .await?;
    here.bookmarks = bookmarks.into_iter().map(TrackId).collect();
    here.has_queue = sqlx::query_scalar!(
        r#"select exists (select 1 from play_queue where user_id = ?) as "has!: bool""#,
        user
    )
    .fetch_one(&mut **tx)
    .await?;
    let lists = sqlx::query!(
        r#"select m.key, m.playlist_id, m.entries, p.rules is not null as "is_smart!: bool",
                  (select json_group_array(track_id order by position) from playlist_entry e
                   where e.playlist_id = m.playlist_id) as "tracks!: String"
           from moved_playlist m join playlist p using (playlist_id) where m.user_id = ? and m.origin = ?"#,
        user,
        origin
    )
    .fetch_all(&mut **tx)
    .await?;
    for row in lists {
        let tracks: Vec<TrackId> = serde_json::from_str(&row.tracks)?;
        let list = MovedPlaylist {
            id: row.playlist_id.into(),
            written: row.entries,
            now: entries_hash(&tracks),
            is_smart: row.is_smart,
        };
        here.playlists.insert(row.key, list);
    }
    Ok(here)
}
