//! Albums and artists that were tagged anew. When everything that an album held went to another
//! key, its row takes that key, so that stars, ratings and ids stay; when it went to an album that
//! was there before, what people added goes with it. Tracks may come one by one, as a tagger
//! writes them: the row that the first of them makes remembers where they came from.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    artists::ArtistIds,
    batch::Scope,
    facts,
    known::Before,
    rows::{Rows, list},
    tracks::{PartWritten, TrackToWrite},
};
use crate::{Result, catalog::identity::VARIOUS_ARTISTS_MBID, clock::Millis, db::Tx};

/// A row that is older has a life of its own: clients know its id.
const YOUNG: Millis = 24 * 3_600_000;

/// How many tracks went from a row to another.
pub(super) type Votes = BTreeMap<i64, HashMap<i64, usize>>;

/// A row that lost everything, and where most of it went.
struct Emptied {
    id: i64,
    to: i64,
    /// That row was made of this one's parts a moment ago.
    is_heir: bool,
}

/// For each album of the batch the album that most of its tracks were on before.
pub(super) fn origins<'t>(tracks: &'t [TrackToWrite<'_>]) -> HashMap<&'t str, i64> {
    let mut votes: HashMap<&str, BTreeMap<i64, usize>> = HashMap::new();
    for track in tracks {
        if let (Some(album), Some(before)) = (&track.facts.album, track.album_before) {
            *votes.entry(&album.key).or_default().entry(before).or_default() += 1;
        }
    }
    let most = |from: BTreeMap<i64, usize>| most(from.into_iter());
    votes.into_iter().filter_map(|(key, from)| Some((key, most(from)?))).collect()
}

/// Sees to albums whose tracks were all tagged anew. Tells whether annotations changed.
pub(super) async fn albums(
    tx: &mut Tx,
    scope: Scope,
    tracks: &[TrackToWrite<'_>],
    ids: &super::albums::AlbumIds,
) -> Result<bool> {
    let mut votes = Votes::new();
    for track in tracks {
        let now = track.facts.album.as_ref().and_then(|album| ids.get(&album.key));
        if let (Some(before), Some(now)) = (track.album_before, now)
            && before != *now
        {
            *votes.entry(before).or_default().entry(*now).or_default() += 1;
        }
    }
    if votes.is_empty() {
        return Ok(false);
    }
    let left = list(votes.keys());
    let empty = sqlx::query_scalar!(
        "select album_id from album where album_id in (select value from json_each(?))
           and not exists (select 1 from track x where x.album_id = album.album_id and x.missing_at is null)
         order by album_id",
        left
    )
    .fetch_all(&mut **tx)
    .await?;
    let targets = list(votes.values().flat_map(HashMap::keys));
    let young_since = scope.now - YOUNG;
    let young = sqlx::query!(
        r#"select album_id, origin_id as "origin_id!" from album
           where album_id in (select value from json_each(?)) and origin_id is not null and ? < created_at"#,
        targets,
        young_since
    )
    .fetch_all(&mut **tx)
    .await?;
    let heirs = young.into_iter().map(|row| (row.album_id, row.origin_id)).collect();
    let mut changed = false;
    for Emptied { id, to, is_heir } in emptied(&votes, &empty, &heirs) {
        changed = true;
        if is_heir {
            take_over_album(tx, id, to).await?;
        } else {
            move_annotations(tx, "album", id, to).await?;
        }
    }
    Ok(changed)
}

/// Sees to artists whose names were all tagged anew, after the albums. Tells whether annotations
/// changed.
pub(super) async fn artists(tx: &mut Tx, scope: Scope, votes: &Votes) -> Result<bool> {
    if votes.is_empty() {
        return Ok(false);
    }
    let left = list(votes.keys());
    // Various and unknown artists are nobody who could be renamed.
    let empty = sqlx::query_scalar!(
        "select artist_id from artist where artist_id in (select value from json_each(?))
           and coalesce(mbid, '') <> ? and name <> ?
           and not exists (select 1 from track_artist r join track x using (track_id)
                           where r.artist_id = artist.artist_id and x.missing_at is null)
           and not exists (select 1 from album_artist r join album a using (album_id)
                           where r.artist_id = artist.artist_id and 0 < a.track_count)
         order by artist_id",
        left,
        VARIOUS_ARTISTS_MBID,
        facts::UNKNOWN_ARTIST
    )
    .fetch_all(&mut **tx)
    .await?;
    let targets = list(votes.values().flat_map(HashMap::keys));
    let known = sqlx::query!(
        r#"select artist_id, origin_id, created_at, coalesce(mbid, '') = ? or name = ? as "is_nobody!: bool"
           from artist where artist_id in (select value from json_each(?))"#,
        VARIOUS_ARTISTS_MBID,
        facts::UNKNOWN_ARTIST,
        targets
    )
    .fetch_all(&mut **tx)
    .await?;
    let nobody: HashSet<i64> =
        known.iter().filter(|row| row.is_nobody).map(|row| row.artist_id).collect();
    let young = known.into_iter().filter(|row| scope.now - YOUNG < row.created_at);
    let heirs = young.filter_map(|row| Some((row.artist_id, row.origin_id?))).collect();
    let mut changed = false;
    for Emptied { id, to, is_heir } in emptied(votes, &empty, &heirs) {
        if nobody.contains(&to) {
            continue;
        }
        changed = true;
        if is_heir {
            take_over_artist(tx, id, to).await?;
        } else {
            move_annotations(tx, "artist", id, to).await?;
        }
    }
    Ok(changed)
}

/// Who stands where another stood on tracks that were known, and notes with new artists whose
/// place they took.
pub(super) async fn renamed(
    tx: &mut Tx,
    before: &Before,
    now: &[PartWritten<'_>],
    ids: &ArtistIds,
) -> Result<Votes> {
    let votes = replaced(before, now);
    let mut origins: HashMap<i64, BTreeMap<i64, usize>> = HashMap::new();
    for (from, to) in &votes {
        for (to, tracks) in to.iter().filter(|(to, _)| ids.is_new(**to)) {
            origins.entry(*to).or_default().insert(*from, *tracks);
        }
    }
    let mut rows = Rows::new();
    for (artist, from) in origins {
        rows.row(|row| {
            row.value(artist).value(most(from.into_iter()));
        });
    }
    rows.run(
        tx,
        "update artist set origin_id = j.column2 from (values {rows}) j where artist_id = j.column1",
    )
    .await?;
    Ok(votes)
}

/// Who stands where another stood: in the same role at the same place of a track on which the one
/// was not before and the other is no more.
fn replaced(before: &Before, now: &[PartWritten<'_>]) -> Votes {
    let mut votes = Votes::new();
    if before.parts.is_empty() {
        return votes;
    }
    let of_now: HashSet<(i64, i64)> = now.iter().map(|part| (part.track, part.artist)).collect();
    let of_before: HashSet<(i64, i64)> =
        before.parts.iter().map(|((track, ..), artist)| (*track, *artist)).collect();
    for part in now {
        let place = (part.track, part.role.to_owned(), i64::from(part.position));
        let Some(was) = before.parts.get(&place) else { continue };
        if *was != part.artist
            && !of_now.contains(&(part.track, *was))
            && !of_before.contains(&(part.track, part.artist))
        {
            *votes.entry(*was).or_default().entry(part.artist).or_default() += 1;
        }
    }
    votes
}

/// Pairs of an emptied row and where most of it went. Those whose annotations only move come
/// first: their goal may be taken over after that.
fn emptied(votes: &Votes, empty: &[i64], origins: &HashMap<i64, i64>) -> Vec<Emptied> {
    let mut pairs: Vec<Emptied> = empty
        .iter()
        .filter_map(|id| {
            let targets = votes.get(id)?.iter().map(|(to, tracks)| (*to, *tracks));
            let to = most(targets)?;
            Some(Emptied { id: *id, to, is_heir: origins.get(&to) == Some(id) })
        })
        .collect();
    pairs.sort_by_key(|pair| pair.is_heir);
    pairs
}

/// The id with the largest count; of equal ones the oldest.
fn most(counts: impl Iterator<Item = (i64, usize)>) -> Option<i64> {
    counts.max_by_key(|(id, count)| (*count, std::cmp::Reverse(*id))).map(|(id, _)| id)
}

/// The older row goes on as what the younger one is.
async fn take_over_album(tx: &mut Tx, older: i64, younger: i64) -> Result<()> {
    for sql in
        ["delete from album_artist where album_id = ?", "delete from album_disc where album_id = ?"]
    {
        sqlx::query(sql).bind(older).execute(&mut **tx).await?;
    }
    for sql in [
        "update track set album_id = ? where album_id = ?",
        "update album_artist set album_id = ? where album_id = ?",
        "update album_disc set album_id = ? where album_id = ?",
    ] {
        sqlx::query(sql).bind(older).bind(younger).execute(&mut **tx).await?;
    }
    let key = sqlx::query_scalar!("select key from album where album_id = ?", younger)
        .fetch_one(&mut **tx)
        .await?;
    // Two rows never have one key.
    sqlx::query!("update album set key = char(1) || album_id where album_id = ?", younger)
        .execute(&mut **tx)
        .await?;
    sqlx::query!(
        "update album set key = ?3, name = h.name, version = h.version, sort_name = h.sort_name,
                order_key = h.order_key, display_artist = h.display_artist,
                artist_order_key = h.artist_order_key, mbid = h.mbid,
                release_group_mbid = h.release_group_mbid, release_date = h.release_date,
                original_date = h.original_date, release_types = h.release_types,
                record_labels = h.record_labels, moods = h.moods, folder_id = h.folder_id
         from album h where album.album_id = ?1 and h.album_id = ?2",
        older,
        younger,
        key
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!("delete from album where album_id = ?", younger).execute(&mut **tx).await?;
    move_annotations(tx, "album", younger, older).await
}

async fn take_over_artist(tx: &mut Tx, older: i64, younger: i64) -> Result<()> {
    for sql in [
        "update track_artist set artist_id = ? where artist_id = ?",
        "update album_artist set artist_id = ? where artist_id = ?",
    ] {
        sqlx::query(sql).bind(older).bind(younger).execute(&mut **tx).await?;
    }
    let key = sqlx::query_scalar!("select key from artist where artist_id = ?", younger)
        .fetch_one(&mut **tx)
        .await?;
    sqlx::query!("update artist set key = char(1) || artist_id where artist_id = ?", younger)
        .execute(&mut **tx)
        .await?;
    sqlx::query!(
        "update artist set key = ?3, name = h.name, name_key = h.name_key, sort_name = h.sort_name,
                order_key = h.order_key, mbid = h.mbid,
                picture_id = coalesce(h.picture_id, artist.picture_id)
         from artist h where artist.artist_id = ?1 and h.artist_id = ?2",
        older,
        younger,
        key
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!("delete from artist_search where rowid in (?, ?)", older, younger)
        .execute(&mut **tx)
        .await?;
    sqlx::query!(
        "insert into artist_search (rowid, name) select artist_id, name from artist where artist_id = ?",
        older
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!("delete from artist where artist_id = ?", younger).execute(&mut **tx).await?;
    move_annotations(tx, "artist", younger, older).await
}

/// What people added to one item belongs to another: the earlier star, the later rating, all plays.
async fn move_annotations(tx: &mut Tx, kind: &str, from: i64, to: i64) -> Result<()> {
    sqlx::query!(
        "insert into annotation (user_id, kind, item_id, starred_at, rating, rated_at, play_count, played_at)
         select user_id, kind, ?3, starred_at, rating, rated_at, play_count, played_at
         from annotation where kind = ?1 and item_id = ?2
         on conflict (user_id, kind, item_id) do update set
            starred_at = coalesce(min(starred_at, excluded.starred_at), starred_at, excluded.starred_at),
            rating = iif(rating is null or coalesce(rated_at, 0) < coalesce(excluded.rated_at, 0),
                         coalesce(excluded.rating, rating), rating),
            rated_at = coalesce(max(rated_at, excluded.rated_at), rated_at, excluded.rated_at),
            play_count = play_count + excluded.play_count,
            played_at = coalesce(max(played_at, excluded.played_at), played_at, excluded.played_at)",
        kind,
        from,
        to
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!("delete from annotation where kind = ? and item_id = ?", kind, from)
        .execute(&mut **tx)
        .await?;
    // Shares show what goes on under the other id. What others know of it is kept, unless they
    // were asked about that one already.
    sqlx::query!(
        "update share_item set item_id = ?3 where kind = ?1 and item_id = ?2",
        kind,
        from,
        to
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "update or ignore remote_info set item_id = ?3 where kind = ?1 and item_id = ?2",
        kind,
        from,
        to
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!("delete from remote_info where kind = ? and item_id = ?", kind, from)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
