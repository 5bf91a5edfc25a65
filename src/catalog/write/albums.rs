//! Album rows: what tracks say about their album, and what follows from all of its tracks.

use std::collections::{BTreeMap, HashMap};

use super::{
    artists::ArtistIds,
    batch::Scope,
    facts::{self, AlbumSeen},
    folders::{FolderIds, folder_of},
    heirs,
    rows::{Rows, last_id, list},
    sound,
    tracks::TrackToWrite,
};
use crate::{Result, catalog::identity, db::Tx};

/// Row ids by album key.
pub(super) type AlbumIds = HashMap<String, i64>;

/// Makes rows for the albums of these tracks. What albums say of themselves comes from the first
/// of the tracks in disc and track order.
pub(super) async fn upsert(
    tx: &mut Tx,
    scope: Scope,
    tracks: &[TrackToWrite<'_>],
    artists: &ArtistIds,
    folders: &FolderIds,
) -> Result<AlbumIds> {
    let mut first: BTreeMap<&str, (&AlbumSeen, &TrackToWrite<'_>)> = BTreeMap::new();
    let mut discs: BTreeMap<(&str, u32), &str> = BTreeMap::new();
    for track in tracks {
        let Some(album) = &track.facts.album else { continue };
        let tags = &track.found.tags;
        if let Some(title) = tags.disc_title.as_deref().filter(|title| !title.is_empty()) {
            discs.entry((&album.key, tags.disc.unwrap_or(1))).or_insert(title);
        }
        let known = first.entry(&album.key).or_insert((album, track));
        if track.place() < known.1.place() {
            *known = (album, track);
        }
    }
    let mut ids = AlbumIds::with_capacity(first.len());
    if first.is_empty() {
        return Ok(ids);
    }
    let keys = list(first.keys());
    let known = sqlx::query!(
        "select album_id, key from album
         where library_id = ? and key in (select value from json_each(?))",
        scope.library,
        keys
    )
    .fetch_all(&mut **tx)
    .await?;
    ids.extend(known.into_iter().map(|row| (row.key, row.album_id)));
    let origins = heirs::origins(tracks);
    let mut next = last_id(tx, "album").await?;
    let (mut rows, mut credits) = (Rows::new(), Rows::new());
    let mut known = Vec::with_capacity(ids.len());
    for (key, (album, track)) in &first {
        let id = if let Some(id) = ids.get(*key) {
            known.push(*id);
            *id
        } else {
            next += 1;
            ids.insert((*key).to_owned(), next);
            next
        };
        let tags = &track.found.tags;
        let sort_name = tags.sort_album.as_deref().unwrap_or(&album.name);
        let by = album.artists.first();
        let by = by.map(|person| person.sort_name.as_deref().unwrap_or(&person.name));
        let folder = identity::album_folder(folder_of(track.path));
        rows.row(|row| {
            row.value(id).value(scope.library).text(key).text(&album.name);
            row.text(tags.album_version.as_deref().unwrap_or_default());
            row.text(sort_name).text(&identity::order_key(sort_name));
            row.text(&album.display_artist).text(&identity::order_key(by.unwrap_or_default()));
            row.option(tags.mbid_album.as_deref()).option(tags.mbid_release_group.as_deref());
            row.text(&track.facts.release_date);
            row.text(tags.original_date.as_deref().unwrap_or_default());
            row.text(&json(&tags.release_types)).text(&json(&tags.record_labels));
            row.text(&json(&tags.extra.moods)).value(folders.get(folder)).value(scope.now);
            row.value(origins.get(*key));
        });
        for (position, person) in album.artists.iter().enumerate() {
            if let Some(artist) = artists.of(person) {
                credits.row(|row| {
                    row.value(id).value(position).value(artist);
                });
            }
        }
    }
    rows.run(
        tx,
        "insert into album (album_id, library_id, key, name, version, sort_name, order_key, display_artist,
                artist_order_key, mbid, release_group_mbid, release_date, original_date, release_types,
                record_labels, moods, folder_id, created_at, origin_id)
         values {rows}
         on conflict (album_id) do update set name = excluded.name, version = excluded.version,
            sort_name = excluded.sort_name, order_key = excluded.order_key,
            display_artist = excluded.display_artist, artist_order_key = excluded.artist_order_key,
            mbid = excluded.mbid, release_group_mbid = excluded.release_group_mbid,
            release_date = excluded.release_date, original_date = excluded.original_date,
            release_types = excluded.release_types, record_labels = excluded.record_labels,
            moods = excluded.moods, folder_id = excluded.folder_id",
    )
    .await?;
    if !known.is_empty() {
        let known = list(known);
        sqlx::query!(
            "delete from album_artist where album_id in (select value from json_each(?))",
            known
        )
        .execute(&mut **tx)
        .await?;
    }
    credits
        .run(tx, "insert or ignore into album_artist (album_id, position, artist_id) values {rows}")
        .await?;
    let mut titles = Rows::new();
    for ((key, disc), title) in discs {
        if let Some(id) = ids.get(key) {
            titles.row(|row| {
                row.value(*id).value(disc).text(title);
            });
        }
    }
    titles
        .run(tx, "insert or replace into album_disc (album_id, disc, title) values {rows}")
        .await?;
    Ok(ids)
}

/// Works out again what follows from an album's tracks: counts, year, genre, cover, who it is by
/// when no tag says it, and its words for search. Albums without any track go.
pub(super) async fn refresh(tx: &mut Tx, scope: Scope, albums: &[i64]) -> Result<()> {
    if albums.is_empty() {
        return Ok(());
    }
    let albums = list(albums);
    derive_artists(tx, scope, &albums).await?;
    sound::refresh_albums(tx, &albums).await?;
    // One pass over the tracks of each album; `max` over text prefers 'explicit' to 'clean'.
    sqlx::query!(
        "update album set
            track_count = t.tracks, duration_ms = t.duration, size_bytes = t.size,
            is_compilation = t.compilation,
            explicit = iif(t.explicit = 'explicit', 'explicit', iif(t.clean = t.tracks, 'clean', '')),
            year = coalesce(iif(length(original_date) >= 4, cast(substr(original_date, 1, 4) as integer), null), t.year, album.year),
            picture_id = coalesce(
                (select picture_id from folder f where f.folder_id = album.folder_id),
                (select f.picture_id from track x join folder f using (folder_id)
                 where x.album_id = album.album_id and x.missing_at is null and f.picture_id is not null
                 order by x.disc, x.number limit 1),
                (select x.picture_id from track x
                 where x.album_id = album.album_id and x.missing_at is null and x.picture_id is not null
                 order by x.disc, x.number, x.track_id limit 1))
         from (select a.value as id, count(x.track_id) as tracks, coalesce(sum(x.duration_ms), 0) as duration,
                      coalesce(sum(x.size_bytes) filter (where coalesce(x.cue_index, 1) <= 1), 0) as size,
                      coalesce(max(x.is_compilation), 0) as compilation, max(x.explicit) as explicit,
                      count(*) filter (where x.explicit = 'clean') as clean, min(x.year) as year
               from json_each(?) a left join track x on x.album_id = a.value and x.missing_at is null
               group by a.value) t
         where album.album_id = t.id",
        albums
    )
    .execute(&mut **tx)
    .await?;
    refresh_genres(tx, &albums).await?;
    tell_apart(tx, &albums).await?;
    sqlx::query!(
        "update album set picture_hash =
             (select hex(substr(p.hash, 1, 4)) from picture p where p.picture_id = album.picture_id)
         where album_id in (select value from json_each(?))",
        albums
    )
    .execute(&mut **tx)
    .await?;
    // The moods of all of its tracks, the most frequent first.
    sqlx::query!(
        "update album set moods = (
            select json_group_array(mood) from (
                select m.value as mood from track x, json_each(x.extra, '$.moods') m
                where x.album_id = album.album_id and x.missing_at is null and x.extra <> '{}'
                group by m.value order by count(*) desc, m.value))
         where album_id in (select x.album_id from track x
                            where x.album_id in (select value from json_each(?)) and x.extra <> '{}')",
        albums
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "delete from album_search where rowid in (select value from json_each(?))",
        albums
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "insert into album_search (rowid, name, artist)
         select album_id, name || ' ' || version, display_artist from album
         where album_id in (select value from json_each(?)) and 0 < track_count",
        albums
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "delete from album where album_id in (select value from json_each(?))
           and not exists (select 1 from track x where x.album_id = album.album_id)",
        albums
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Numbers albums that are called like another one of that artist. Several may be new at once and
/// do not see each other's number yet, so each counts those before it.
async fn tell_apart(tx: &mut Tx, albums: &str) -> Result<()> {
    sqlx::query!(
        "update album set edition = (
            select max(o.edition) + count(*) filter (where o.album_id < album.album_id) from album o
            where o.artist_order_key = album.artist_order_key and o.order_key = album.order_key
              and o.track_count > 0)
         where album_id in (select value from json_each(?)) and track_count > 0
           and exists (select 1 from album o
                       where o.artist_order_key = album.artist_order_key and o.order_key = album.order_key
                         and o.track_count > 0 and o.edition = album.edition
                         and o.album_id < album.album_id)",
        albums
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The genres of all of its tracks, the most frequent first.
async fn refresh_genres(tx: &mut Tx, albums: &str) -> Result<()> {
    sqlx::query!(
        "delete from genre_album where album_id in (select value from json_each(?))",
        albums
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "insert into genre_album (genre_id, order_key, album_id, library_id, place, tracks)
         select genre_id, order_key, album_id, library_id,
                row_number() over (partition by album_id order by tracks desc, position, name) - 1, tracks
         from (select a.album_id, a.library_id, a.order_key, g.genre_id, g.name,
                      count(*) as tracks, min(tg.position) as position
               from json_each(?) j cross join album a on a.album_id = j.value
                    cross join track t on t.album_id = a.album_id and t.missing_at is null
                    cross join track_genre tg using (track_id) cross join genre g using (genre_id)
               group by a.album_id, g.genre_id)",
        albums
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "update album set genre = coalesce((
            select g.name from genre_album ga join genre g using (genre_id)
            where ga.album_id = album.album_id and ga.place = 0), '')
         where album_id in (select value from json_each(?))",
        albums
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Albums whose tags name no album artist are by the artist of their tracks if that is one and
/// the same, else by various artists.
async fn derive_artists(tx: &mut Tx, scope: Scope, albums: &str) -> Result<()> {
    let derived = sqlx::query!(
        r#"select a.album_id, count(distinct x.display_artist) as "artists!: i64", min(x.track_id) as "track: i64"
           from album a join track x on x.album_id = a.album_id
           where a.album_id in (select value from json_each(?)) and a.key not like 'al:%'
             and x.missing_at is null
             and not exists (select 1 from track_artist r
                             join track y using (track_id)
                             where y.album_id = a.album_id and r.role = 'albumartist' and r.sub_role <> 'derived')
           group by a.album_id"#,
        albums
    )
    .fetch_all(&mut **tx)
    .await?;
    if derived.is_empty() {
        return Ok(());
    }
    let various = facts::various();
    let mut various_id = None;
    if derived.iter().any(|album| 1 < album.artists) {
        let ids = super::artists::upsert(tx, scope.now, std::iter::once(&various)).await?;
        various_id = ids.of(&various);
    }
    let (mut mixed, mut single) = (Vec::new(), Vec::new());
    for album in &derived {
        match (album.artists, album.track) {
            (1, track) => single.push((album.album_id, track)),
            _ => mixed.push(album.album_id),
        }
    }
    let all = list(derived.iter().map(|album| album.album_id));
    sqlx::query!(
        "delete from album_artist where album_id in (select value from json_each(?))",
        all
    )
    .execute(&mut **tx)
    .await?;
    let single = list(single);
    sqlx::query!(
        "insert into album_artist (album_id, position, artist_id)
         select j.value->>0, r.position, r.artist_id
         from json_each(?) j join track_artist r on r.track_id = j.value->>1 and r.role = 'artist'",
        single
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "update album set display_artist = x.display_artist,
                artist_order_key = coalesce((select r.order_key from album_artist aa join artist r using (artist_id)
                                             where aa.album_id = album.album_id and aa.position = 0), '')
         from json_each(?) j join track x on x.track_id = j.value->>1
         where album.album_id = j.value->>0",
        single
    )
    .execute(&mut **tx)
    .await?;
    if let Some(various_id) = various_id {
        let mixed = list(mixed);
        sqlx::query!(
            "insert into album_artist (album_id, position, artist_id)
             select value, 0, ? from json_each(?)",
            various_id,
            mixed
        )
        .execute(&mut **tx)
        .await?;
        let order_key = identity::order_key(&various.name);
        sqlx::query!(
            "update album set display_artist = ?, artist_order_key = ?
             where album_id in (select value from json_each(?))",
            various.name,
            order_key,
            mixed
        )
        .execute(&mut **tx)
        .await?;
    }
    // The tracks say so too, marked as derived so that the next batch may think again.
    sqlx::query!(
        "delete from track_artist where role = 'albumartist' and sub_role = 'derived' and track_id in
            (select track_id from track where album_id in (select value from json_each(?)))",
        all
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "insert into track_artist (track_id, role, position, sub_role, artist_id)
         select x.track_id, 'albumartist', aa.position, 'derived', aa.artist_id
         from track x join album_artist aa using (album_id)
         where x.album_id in (select value from json_each(?))",
        all
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "update track set display_album_artist = a.display_artist from album a
         where a.album_id = track.album_id and track.album_id in (select value from json_each(?))",
        all
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

fn json(list: &[String]) -> String {
    serde_json::to_string(list).unwrap_or_else(|_| "[]".to_owned())
}
