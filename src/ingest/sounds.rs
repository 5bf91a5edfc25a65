//! Files that were retagged and moved at once: nothing of them is as before but the sound. A new
//! file is listened to only if a track of just its length is missing, so that a first scan, and
//! albums that are simply new, cost nothing.

use std::sync::Arc;

use futures_util::{StreamExt as _, stream};

use super::{
    open::open,
    read::Reader,
    recognise::{Candidate, is_absent, unknown},
};
use crate::{
    Error, Result,
    catalog::write::{Content, FileFound},
    db::Db,
    ids::LibraryId,
};

/// Encoders and readers differ about lengths by no more, ms.
const SAME_LENGTH_MS: i64 = 1000;

/// A track whose file may be gone.
struct Lost {
    /// `None` for one that is known to be gone.
    row: Option<i64>,
    path: String,
    duration_ms: i64,
    audio_hash: Vec<u8>,
}

/// Tracks whose sound a new file has. Files that were listened to keep their hash: the catalogue
/// finds tracks by it whose files went earlier.
pub(super) async fn by_sound(
    db: &Db,
    reader: &Reader,
    library: LibraryId,
    files: &mut [(FileFound, bool)],
) -> Result<Vec<Candidate>> {
    let new: Vec<(usize, i64)> = unknown(files)
        .filter_map(|(at, file)| match &file.content {
            Content::Tracks { tracks, .. }
                if tracks.len() == 1 && tracks[0].cue_index.is_none() =>
            {
                let length = tracks[0].tags.audio.duration_ms;
                Some((at, i64::try_from(length).ok().filter(|length| 0 < *length)?))
            }
            _ => None,
        })
        .collect();
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let lost = lost(db, reader, library, &new).await?;
    let is_wanted = |length: i64| {
        lost.iter().any(|lost| lost.duration_ms.abs_diff(length) < SAME_LENGTH_MS.unsigned_abs())
    };
    let wanted: Vec<(usize, String)> = new
        .into_iter()
        .filter(|(_, length)| is_wanted(*length))
        .map(|(at, _)| (at, files[at].0.path.clone()))
        .collect();
    let mut hashes = stream::iter(wanted)
        .map(async |(at, path)| Ok::<_, Error>((at, sound_of(reader, path).await?)))
        .buffer_unordered(2);
    let mut candidates = Vec::new();
    while let Some(hashed) = hashes.next().await {
        let (at, Some(hash)) = hashed? else { continue };
        files[at].0.audio_hash = Some(hash);
        let same = lost.iter().filter(|lost| lost.audio_hash == hash);
        candidates.extend(same.filter_map(|lost| {
            Some(Candidate { file: at, row: lost.row?, path: lost.path.clone() })
        }));
    }
    Ok(candidates)
}

/// Tracks of these lengths whose sound is known and at whose path nothing lies any more.
async fn lost(
    db: &Db,
    reader: &Reader,
    library: LibraryId,
    new: &[(usize, i64)],
) -> Result<Vec<Lost>> {
    let lengths: Vec<i64> = new.iter().map(|(_, length)| *length).collect();
    let lengths = serde_json::to_string(&lengths)?;
    let rows = sqlx::query!(
        r#"select distinct t.track_id, t.media_file_id as "row?: i64", t.path, t.duration_ms,
                  t.audio_hash as "audio_hash!: Vec<u8>"
           from json_each(?1) j join track t on t.library_id = ?2
             and t.duration_ms between j.value - ?3 and j.value + ?3
           where t.audio_hash is not null and t.cue_index is null"#,
        lengths,
        library,
        SAME_LENGTH_MS
    )
    .fetch_all(db.read())
    .await?;
    let (root, lent) = (Arc::clone(&reader.root), Arc::clone(&reader.lent));
    let lost = tokio::task::spawn_blocking(move || {
        rows.into_iter()
            .filter(|row| row.row.is_none() || is_absent(&root, &lent, &row.path))
            .map(|row| Lost {
                row: row.row,
                path: row.path,
                duration_ms: row.duration_ms,
                audio_hash: row.audio_hash,
            })
            .collect()
    });
    Ok(lost.await?)
}

async fn sound_of(reader: &Reader, path: String) -> Result<Option<[u8; 32]>> {
    let (root, lent) = (Arc::clone(&reader.root), Arc::clone(&reader.lent));
    let opened = tokio::task::spawn_blocking(move || open(&root, &lent, &path)).await?;
    let Ok(file) = opened else { return Ok(None) };
    match reader.pool.audio_hash(file).await {
        Err(Error::Invalid(_)) => Ok(None),
        hash => hash,
    }
}
