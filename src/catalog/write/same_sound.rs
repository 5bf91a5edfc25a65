//! One file in several libraries is heard once, and what was heard is said of the others too: music
//! in a folder of a locker that is shared, and music of a watched folder that a locker points at.

use super::{
    rows::list,
    sound::{albums_of, refresh_albums},
};
use crate::{
    Result,
    catalog::{Catalog, memory::Forget as _},
    db::Tx,
    media::analysis::VERSION,
};

/// A track, and the one that it is the same file as.
struct Pair {
    track: i64,
    origin: i64,
}

impl Catalog {
    /// Says of tracks what was heard in the same file elsewhere. Whether there were any.
    pub(crate) async fn adopt_sounds(&self) -> Result<bool> {
        let mut tx = self.db.write().await?;
        // A folder that is shared may hold what points.
        let lent = lent_pairs(&mut tx).await?;
        let mut tracks = take_over(&mut tx, &lent).await?;
        let shared = shared_pairs(&mut tx).await?;
        tracks.extend(take_over(&mut tx, &shared).await?);
        if tracks.is_empty() {
            return Ok(false);
        }
        let albums = albums_of(&mut tx, &list(&tracks)).await?;
        refresh_albums(&mut tx, &albums).await?;
        tx.commit().await?;
        self.inner.sounds.changed();
        self.inner.memory.tracks.forget();
        Ok(true)
    }
}

/// Music of lockers whose bytes are a file of a watched folder: of its size and time, for that is
/// what they were proved to be.
async fn lent_pairs(tx: &mut Tx) -> Result<Vec<Pair>> {
    Ok(sqlx::query_as!(
        Pair,
        r#"select t.track_id as "track!: i64", o.track_id as "origin!: i64"
           from drive_file f join drive_reference r using (reference_id)
           join library l on l.locker_id = f.locker_id
           join track t on t.library_id = l.library_id and t.path = f.path
           join track o on o.library_id = r.library_id and o.path = r.path and o.cue_index is t.cue_index
           join sound s on s.track_id = o.track_id
           where f.reference_id is not null and f.missing_at is null
             and t.missing_at is null and o.missing_at is null and s.version = ?1
             and s.size_bytes = t.size_bytes and s.modified_ns = t.modified_ns
             and not exists (select 1 from sound x where x.track_id = t.track_id and x.version = ?1
                             and x.size_bytes = t.size_bytes and x.modified_ns = t.modified_ns)"#,
        VERSION
    )
    .fetch_all(&mut **tx)
    .await?)
}

/// Music in shared folders of lockers, which the lockers have too.
async fn shared_pairs(tx: &mut Tx) -> Result<Vec<Pair>> {
    Ok(sqlx::query_as!(
        Pair,
        r#"select t.track_id as "track!: i64", o.track_id as "origin!: i64"
           from shared_library h join track t using (library_id) join library b on b.locker_id = h.locker_id
           join track o on o.library_id = b.library_id and o.path = h.path || '/' || t.path
             and o.cue_index is t.cue_index
           join sound s on s.track_id = o.track_id
           where t.missing_at is null and o.missing_at is null and s.version = ?1
             and s.size_bytes = t.size_bytes and s.modified_ns = t.modified_ns
             and not exists (select 1 from sound x where x.track_id = t.track_id and x.version = ?1
                             and x.size_bytes = t.size_bytes and x.modified_ns = t.modified_ns)"#,
        VERSION
    )
    .fetch_all(&mut **tx)
    .await?)
}

/// The tracks of these pairs, which have what was heard of the others now.
async fn take_over(tx: &mut Tx, pairs: &[Pair]) -> Result<Vec<i64>> {
    for Pair { track, origin } in pairs {
        sqlx::query!(
            "insert into sound (track_id, version, size_bytes, modified_ns, reason, loudness_lufs, range_lu, peak,
                bpm, key, features, heard_at)
             select ?1, version, size_bytes, modified_ns, reason, loudness_lufs, range_lu, peak, bpm, key, features, heard_at
             from sound where track_id = ?2
             on conflict (track_id) do update set version = excluded.version, size_bytes = excluded.size_bytes,
                modified_ns = excluded.modified_ns, reason = excluded.reason,
                loudness_lufs = excluded.loudness_lufs, range_lu = excluded.range_lu, peak = excluded.peak,
                bpm = excluded.bpm, key = excluded.key, features = excluded.features, heard_at = excluded.heard_at",
            track,
            origin
        )
        .execute(&mut **tx)
        .await?;
        sqlx::query!(
            "update track set audio_hash = (select audio_hash from track where track_id = ?2) where track_id = ?1",
            track,
            origin
        )
        .execute(&mut **tx)
        .await?;
    }
    Ok(pairs.iter().map(|pair| pair.track).collect())
}
