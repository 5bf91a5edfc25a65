//! Which of the tracks in a batch are already in the catalogue: by their file's row, or hidden
//! since their file went and now back, known again by path, by the file's quick key, by its sound,
//! or by what their tags say.

use std::collections::{HashMap, HashSet};

use super::{
    batch::{Batch, Content, Scope},
    facts::{self, TrackFacts},
    files::FileIds,
    rows::list,
    tracks::TrackToWrite,
};
use crate::{Result, db::Tx};

/// Tracks whose lengths differ by less are of the same length.
const SAME_LENGTH_MS: u64 = 1000;

/// What the files of the batch were before it.
#[derive(Debug, Default)]
pub(super) struct Before {
    /// Albums of their tracks.
    pub(super) albums: HashSet<i64>,
    /// Everybody who took part in these.
    pub(super) artists: HashSet<i64>,
    /// Who took part in them, by track, role and position.
    pub(super) parts: HashMap<(i64, String, i64), i64>,
    /// Tracks that their files no longer hold.
    pub(super) surplus: Vec<i64>,
}

/// A hidden track.
struct Hidden {
    id: i64,
    path: String,
    cue_index: Option<i64>,
    quick_key: Option<Vec<u8>>,
    audio_hash: Option<Vec<u8>>,
    size_bytes: i64,
    title: String,
    artist: String,
    album: String,
    duration_ms: i64,
    recording: Option<String>,
    album_id: Option<i64>,
}

/// The tracks of the batch, each with the row that it had.
pub(super) async fn resolve<'a>(
    tx: &mut Tx,
    scope: Scope,
    batch: &'a Batch,
    files: &FileIds,
) -> Result<(Vec<TrackToWrite<'a>>, Before)> {
    let mut before = Before::default();
    let known_files = files.iter().filter(|(_, was_there)| *was_there).map(|(id, _)| *id);
    let mut rows: HashMap<(i64, Option<i64>), (i64, Option<i64>)> = HashMap::new();
    let known_files = list(known_files);
    if known_files != "[]" {
        let tracks = sqlx::query!(
            r#"select track_id, media_file_id as "file!: i64", cue_index, album_id from track
               where media_file_id in (select value from json_each(?))"#,
            known_files
        )
        .fetch_all(&mut **tx)
        .await?;
        for track in tracks {
            before.albums.extend(track.album_id);
            rows.insert((track.file, track.cue_index), (track.track_id, track.album_id));
        }
    }
    let mut found = Vec::with_capacity(batch.files.len());
    for (file, (file_id, _)) in batch.files.iter().zip(files) {
        let Content::Tracks { tracks, .. } = &file.content else { continue };
        for track in tracks {
            let row = rows.remove(&(*file_id, track.cue_index.map(i64::from)));
            let facts = facts::track_facts(&track.tags, &file.path);
            found.push(TrackToWrite {
                file,
                file_id: *file_id,
                path: &file.path,
                found: track,
                facts,
                row: row.map(|(track, _)| track),
                album_before: row.and_then(|(_, album)| album),
            });
        }
    }
    before.surplus.extend(rows.into_values().map(|(track, _)| track));
    revive(tx, scope, &mut found, &mut before).await?;
    let known = list(found.iter().filter_map(|track| track.row));
    if known != "[]" {
        let parts = sqlx::query!(
            "select track_id, role, position, artist_id from track_artist
             where track_id in (select value from json_each(?)) and sub_role <> 'derived'",
            known
        )
        .fetch_all(&mut **tx)
        .await?;
        for part in parts {
            before.artists.insert(part.artist_id);
            before.parts.insert((part.track_id, part.role, part.position), part.artist_id);
        }
        let artists = sqlx::query_scalar!(
            "select distinct artist_id from album_artist where album_id in
                 (select album_id from track where track_id in (select value from json_each(?)))",
            known
        )
        .fetch_all(&mut **tx)
        .await?;
        before.artists.extend(artists);
    }
    Ok((found, before))
}

/// Gives new tracks the rows of hidden ones that they are.
async fn revive(
    tx: &mut Tx,
    scope: Scope,
    found: &mut [TrackToWrite<'_>],
    before: &mut Before,
) -> Result<()> {
    let new: Vec<&TrackToWrite<'_>> = found.iter().filter(|track| track.row.is_none()).collect();
    if new.is_empty() {
        return Ok(());
    }
    let any = sqlx::query_scalar!(
        "select 1 from track where library_id = ? and missing_at is not null limit 1",
        scope.library
    )
    .fetch_optional(&mut **tx)
    .await?;
    if any.is_none() {
        return Ok(());
    }
    let paths = list(new.iter().map(|track| track.path));
    let keys = list(new.iter().filter_map(|track| quick_key(track)).map(hex::encode));
    let titles = list(new.iter().map(|track| &track.facts.order_key));
    let sounds = list(new.iter().filter_map(|track| track.file.audio_hash).map(hex::encode));
    let hidden = sqlx::query!(
        "select track_id, path, cue_index, quick_key, audio_hash, size_bytes, title, display_artist, album_name, duration_ms,
                mbid_recording, album_id
         from track
         where library_id = ?1 and missing_at is not null and media_file_id is null
           and (path in (select value from json_each(?2))
             or quick_key in (select unhex(value) from json_each(?3))
             or order_key in (select value from json_each(?4))
             or audio_hash in (select unhex(value) from json_each(?5)))
         order by track_id",
        scope.library,
        paths,
        keys,
        titles,
        sounds
    )
    .fetch_all(&mut **tx)
    .await?;
    let mut hidden: Vec<Hidden> = hidden
        .into_iter()
        .map(|row| {
            before.albums.extend(row.album_id);
            Hidden {
                id: row.track_id,
                path: row.path,
                cue_index: row.cue_index,
                quick_key: row.quick_key,
                audio_hash: row.audio_hash,
                size_bytes: row.size_bytes,
                title: row.title,
                artist: row.display_artist,
                album: row.album_name,
                duration_ms: row.duration_ms,
                recording: row.mbid_recording,
                album_id: row.album_id,
            }
        })
        .collect();
    // The surest sign is tried on all tracks before the next one.
    let signs: [fn(&TrackToWrite<'_>, &Hidden) -> bool; 4] =
        [has_key, has_sound, has_path, has_tags];
    for is_same in signs {
        for track in found.iter_mut().filter(|track| track.row.is_none()) {
            let cue_index = track.found.cue_index.map(i64::from);
            let at = hidden
                .iter()
                .position(|hidden| hidden.cue_index == cue_index && is_same(track, hidden));
            if let Some(at) = at {
                let Hidden { id, album_id, .. } = hidden.swap_remove(at);
                track.row = Some(id);
                track.album_before = album_id;
            }
        }
    }
    Ok(())
}

fn quick_key<'a>(track: &TrackToWrite<'a>) -> Option<&'a [u8; 32]> {
    match &track.file.content {
        Content::Tracks { quick_key, .. } => Some(quick_key),
        Content::Unreadable(_) => None,
    }
}

fn has_key(track: &TrackToWrite<'_>, hidden: &Hidden) -> bool {
    quick_key(track).is_some_and(|key| hidden.quick_key.as_deref() == Some(key.as_slice()))
        && track.file.size_bytes == hidden.size_bytes
}

fn has_sound(track: &TrackToWrite<'_>, hidden: &Hidden) -> bool {
    let sound = track.file.audio_hash.as_ref().map(<[u8; 32]>::as_slice);
    sound.is_some() && hidden.audio_hash.as_deref() == sound && hidden.cue_index.is_none()
}

fn has_path(track: &TrackToWrite<'_>, hidden: &Hidden) -> bool {
    hidden.path == track.path
}

fn has_tags(track: &TrackToWrite<'_>, hidden: &Hidden) -> bool {
    let tags = &track.found.tags;
    let TrackFacts { title, display_artist, .. } = &track.facts;
    let is_named_alike = hidden.title == *title
        && hidden.artist == *display_artist
        && hidden.album == tags.album.as_deref().map(str::trim).unwrap_or_default();
    let is_same_recording = hidden.recording.is_some() && hidden.recording == tags.mbid_recording;
    (is_named_alike || is_same_recording)
        && tags.audio.duration_ms.abs_diff(hidden.duration_ms.max(0) as u64) < SAME_LENGTH_MS
}
