//! What was heard in tracks, and which tracks still wait to be heard. Only the room that analyses
//! in the background calls it.

use std::{collections::BTreeMap, ffi::OsString, os::unix::ffi::OsStringExt as _, path::PathBuf};

use super::rows::{Rows, list};
use crate::{
    Result,
    catalog::{Catalog, memory::Forget as _, path_text},
    db::Tx,
    ids::TrackId,
    media::analysis::{Heard, VERSION},
};

/// Under this it is kept whether tracks are heard.
const SWITCH: &str = "analysis";

/// A track that waits to be heard.
#[derive(Debug, Clone)]
pub struct SoundWanted {
    /// Which.
    pub track: TrackId,
    /// Where its file is.
    pub path: PathBuf,
    /// For a part of an image with a cue sheet: start and end in the file, ms.
    pub range_ms: Option<(u64, u64)>,
    /// The file as the catalogue knows it.
    pub size_bytes: i64,
    /// Likewise, ns since the epoch.
    pub modified_ns: i64,
    /// Its audio hash, if everything else is known of the sound that has it.
    pub known: Option<[u8; 32]>,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct SoundFound {
    /// As it was given out.
    pub wanted: SoundWanted,
    /// What was heard, or a sentence that says why nothing was.
    pub outcome: std::result::Result<Heard, String>,
}

/// How far it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SoundCounts {
    /// Tracks that are there.
    pub tracks: u64,
    /// Those of them that are done, heard or not.
    pub done: u64,
    /// Those of them in which nothing could be heard.
    pub unheard: u64,
}

impl Catalog {
    /// The next tracks after this one that wait to be heard, in the order of their ids. Those that
    /// are the same file as another are not among them: see [`Self::adopt_sounds`].
    pub(crate) async fn sounds_wanted(
        &self,
        after: TrackId,
        limit: u32,
    ) -> Result<Vec<SoundWanted>> {
        // The order of the joins is ours to say: along the ids, not library by library and sorted.
        let rows = sqlx::query!(
            r#"select t.track_id as "track_id!: i64", l.path as library_path, t.path, t.cue_index, t.start_ms, t.duration_ms,
                      t.size_bytes, t.modified_ns, t.audio_hash, r.target as "target?: Vec<u8>",
                      (s.version is ?2 and s.reason = '') as "is_known: bool"
               from track t cross join library l using (library_id) left join sound s using (track_id)
               left join shared_library b using (library_id)
               left join drive_file f on f.locker_id = coalesce(l.locker_id, b.locker_id)
                    and f.path = iif(b.path is null, t.path, b.path || '/' || t.path)
               left join drive_reference r using (reference_id)
               where t.track_id > ?1 and t.missing_at is null and l.is_active = 1
                 and (s.track_id is null or s.version <> ?2
                      or s.size_bytes <> t.size_bytes or s.modified_ns <> t.modified_ns)
                 and not exists (select 1 from shared_library h join library b on b.locker_id = h.locker_id
                                 join track o on o.library_id = b.library_id and o.path = h.path || '/' || t.path
                                 where h.library_id = t.library_id and b.is_active = 1 and o.missing_at is null)
                 and not exists (select 1 from track o join library b using (library_id)
                                 where o.library_id = r.library_id and o.path = r.path and o.cue_index is t.cue_index
                                   and o.size_bytes = t.size_bytes and o.modified_ns = t.modified_ns
                                   and b.is_active = 1 and o.missing_at is null)
               order by t.track_id limit ?3"#,
            after,
            VERSION,
            limit
        )
        .fetch_all(self.db.read())
        .await?;
        let wanted = rows.into_iter().map(|row| {
            let start = row.start_ms.max(0) as u64;
            let known = row.audio_hash.filter(|_| row.is_known == Some(true));
            SoundWanted {
                track: row.track_id.into(),
                path: match row.target {
                    // Its size and time are the track's, and are looked at.
                    Some(target) => OsString::from_vec(target).into(),
                    None => path_text::decode(&row.library_path).join(path_text::decode(&row.path)),
                },
                range_ms: row.cue_index.map(|_| (start, start + row.duration_ms.max(0) as u64)),
                size_bytes: row.size_bytes,
                modified_ns: row.modified_ns,
                known: known.and_then(|hash| hash.try_into().ok()),
            }
        });
        Ok(wanted.collect())
    }

    /// How many tracks were heard. Tracks are counted inside an index, and those that were heard
    /// from the few or many rows that say so.
    pub(crate) async fn sound_counts(&self) -> Result<SoundCounts> {
        let row = sqlx::query!(
            r#"select (select count(*) from track indexed by track_present
                       where missing_at is null and library_id in (select library_id from library where is_active = 1))
                          as "tracks!: i64",
                      count(*) filter (where s.size_bytes = t.size_bytes and s.modified_ns = t.modified_ns)
                          as "done!: i64",
                      count(*) filter (where s.reason <> '') as "unheard!: i64"
               from sound s cross join track t using (track_id) cross join library l using (library_id)
               where s.version = ?1 and t.missing_at is null and l.is_active = 1"#,
            VERSION
        )
        .fetch_one(self.db.read())
        .await?;
        Ok(SoundCounts {
            tracks: row.tracks.max(0) as u64,
            done: row.done.max(0) as u64,
            unheard: row.unheard.max(0) as u64,
        })
    }

    /// Keeps what was heard. Nobody is told: the revision stays, for nothing that a client lists
    /// has changed; [`Self::announce_sounds`] tells when a round is over.
    pub(crate) async fn record_sounds(&self, found: &[SoundFound]) -> Result<()> {
        let now = self.clock.now();
        let (mut rows, mut same, mut hashes) = (Rows::new(), Rows::new(), Rows::new());
        for SoundFound { wanted, outcome } in found {
            let heard = match outcome {
                Ok(heard) if heard.is_same => {
                    same.row(|row| {
                        row.value(wanted.track.0)
                            .value(wanted.size_bytes)
                            .value(wanted.modified_ns);
                    });
                    continue;
                }
                Ok(heard) => heard,
                Err(_) => &Heard::default(),
            };
            if let Some(hash) = heard.audio_hash {
                hashes.row(|row| {
                    row.value(wanted.track.0).bytes(Some(&hash));
                });
            }
            let loudness = heard.loudness.as_ref();
            let sound = heard.sound.as_ref();
            let features: Option<Vec<u8>> = sound
                .map(|sound| sound.features.iter().map(|value| value.cast_unsigned()).collect());
            rows.row(|row| {
                row.value(wanted.track.0).value(VERSION);
                row.value(wanted.size_bytes).value(wanted.modified_ns);
                row.text(outcome.as_ref().err().map_or("", String::as_str));
                row.value(loudness.map(|loudness| loudness.lufs));
                row.value(loudness.map(|loudness| loudness.range_lu));
                row.value(loudness.map(|loudness| loudness.peak));
                row.value(sound.and_then(|sound| sound.bpm).map(f64::from));
                row.value(sound.and_then(|sound| sound.key)).bytes(features.as_deref()).value(now);
            });
        }
        let tracks = list(found.iter().map(|found| found.wanted.track));
        let mut tx = self.db.write().await?;
        // A track may have gone while it was heard.
        rows.run(
            &mut tx,
            "insert into sound (track_id, version, size_bytes, modified_ns, reason, loudness_lufs, range_lu, peak,
                    bpm, key, features, heard_at)
             select * from (values {rows}) where exists (select 1 from track where track_id = column1)
             on conflict (track_id) do update set version = excluded.version, size_bytes = excluded.size_bytes,
                modified_ns = excluded.modified_ns, reason = excluded.reason,
                loudness_lufs = excluded.loudness_lufs, range_lu = excluded.range_lu, peak = excluded.peak,
                bpm = excluded.bpm, key = excluded.key, features = excluded.features, heard_at = excluded.heard_at",
        )
        .await?;
        same.run(
            &mut tx,
            "update sound set size_bytes = j.column2, modified_ns = j.column3 from (values {rows}) j
             where sound.track_id = j.column1",
        )
        .await?;
        hashes
            .run(
                &mut tx,
                "update track set audio_hash = j.column2 from (values {rows}) j
                 where track.track_id = j.column1",
            )
            .await?;
        let albums = albums_of(&mut tx, &tracks).await?;
        refresh_albums(&mut tx, &albums).await?;
        tx.commit().await?;
        self.inner.sounds.changed();
        // Gains are facts of tracks, and of all tracks of their albums.
        self.inner.memory.tracks.forget();
        Ok(())
    }

    /// Whether an administrator lets tracks be heard; yes until he says no.
    pub(crate) async fn sound_switch(&self) -> Result<bool> {
        Ok(self.db.meta(SWITCH).await?.as_deref() != Some("off"))
    }

    /// Keeps what he says.
    pub(crate) async fn keep_sound_switch(&self, is_on: bool) -> Result<()> {
        self.db.keep_meta(SWITCH, if is_on { "on" } else { "off" }).await
    }

    /// Tells that a round of hearing is over: gains may be other than before.
    pub(crate) async fn announce_sounds(&self) -> Result<()> {
        let mut tx = self.db.write().await?;
        let revision = self.bump_shown(&mut tx).await?;
        tx.commit().await?;
        self.announce(revision);
        Ok(())
    }
}

/// Albums of tracks; both as lists of ids.
pub(super) async fn albums_of(tx: &mut Tx, tracks: &str) -> Result<String> {
    let albums = sqlx::query_scalar!(
        r#"select distinct album_id as "album_id!: i64" from track
           where track_id in (select value from json_each(?)) and album_id is not null"#,
        tracks
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(list(&albums))
}

/// Loudness of these albums (a JSON list), from that of their tracks weighted by their lengths:
/// what one measurement over all of it gives, up to the gate. An album of which something still
/// waits has none, for its gain must not change from song to song.
pub(super) async fn refresh_albums(tx: &mut Tx, albums: &str) -> Result<()> {
    let is_any = sqlx::query_scalar!(r#"select 1 as "one!: i64" from sound limit 1"#)
        .fetch_optional(&mut **tx)
        .await?;
    if is_any.is_none() {
        return Ok(());
    }
    sqlx::query!(
        "delete from album_sound where album_id in (select value from json_each(?))",
        albums
    )
    .execute(&mut **tx)
    .await?;
    let tracks = sqlx::query!(
        r#"select t.album_id as "album!: i64", t.duration_ms, s.track_id as "heard?: i64", s.loudness_lufs, s.peak
           from track t left join sound s using (track_id)
           where t.album_id in (select value from json_each(?)) and t.missing_at is null"#,
        albums
    )
    .fetch_all(&mut **tx)
    .await?;
    let mut sums: BTreeMap<i64, Sum> = BTreeMap::new();
    for track in tracks {
        let sum = sums.entry(track.album).or_default();
        sum.is_waiting |= track.heard.is_none();
        if let (Some(lufs), Some(peak)) = (track.loudness_lufs, track.peak) {
            sum.add(lufs, peak, track.duration_ms);
        }
    }
    let mut rows = Rows::new();
    for (album, sum) in sums {
        if let Some((lufs, peak)) = sum.loudness() {
            rows.row(|row| {
                row.value(album).value(lufs).value(peak);
            });
        }
    }
    rows.run(tx, "insert into album_sound (album_id, loudness_lufs, peak) values {rows}").await
}

/// Power of an album as it adds up.
#[derive(Debug, Default)]
struct Sum {
    is_waiting: bool,
    power: f64,
    length: f64,
    peak: f64,
}

impl Sum {
    fn add(&mut self, lufs: f64, peak: f64, duration_ms: i64) {
        let length = duration_ms.max(1) as f64;
        self.power += length * 10.0_f64.powf(lufs / 10.0);
        self.length += length;
        self.peak = self.peak.max(peak);
    }

    fn loudness(&self) -> Option<(f64, f64)> {
        let is_heard = !self.is_waiting && 0.0 < self.length;
        is_heard.then(|| (10.0 * (self.power / self.length).log10(), self.peak))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_album_is_as_loud_as_its_tracks_together() {
        let mut sum = Sum::default();
        assert_eq!(sum.loudness(), None);
        sum.add(-20.0, 0.5, 60_000);
        let (lufs, peak) = sum.loudness().unwrap();
        assert!((lufs + 20.0).abs() < 1e-9 && (peak - 0.5).abs() < 1e-9);
        // As long again at half the power: three quarters of it on the whole.
        sum.add(-20.0 - 3.0103, 0.9, 60_000);
        let (lufs, peak) = sum.loudness().unwrap();
        assert!((lufs + 21.249).abs() < 0.01, "{lufs}");
        assert!((peak - 0.9).abs() < 1e-9);
        sum.is_waiting = true;
        assert_eq!(sum.loudness(), None);
    }
}
