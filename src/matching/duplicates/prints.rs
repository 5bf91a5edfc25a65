//! Fingerprints in the background, only of tracks that look like another one: as long, and named
//! alike. Everything else would cost hours and disk for nothing.

use std::{ffi::OsString, os::unix::ffi::OsStringExt as _};

use rustix::fs::{CWD, FileType, Mode, OFlags};
use tokio_util::sync::CancellationToken;

use crate::{
    Error, Result,
    catalog::path_text,
    matching::{
        Matching,
        hashing::{PAUSE, STRETCH},
    },
    media::{analysis, worker::Pool},
};

/// Pairs that are looked for at once.
const PORTION: i64 = 100;
/// Encodings of one recording differ by no more, ms.
const SAME_LENGTH_MS: i64 = 3_000;

/// A track as it is on the disk.
struct Track {
    id: i64,
    root: String,
    path: String,
    /// Where the bytes of a lent file are.
    target: Option<Vec<u8>>,
    size: i64,
    modified_ns: i64,
}

impl Matching {
    /// Compares all pairs that were not compared yet, if and while it may: what is left when the
    /// hours end comes with the next round.
    pub(in crate::matching) async fn compare_recordings(
        &self,
        stop: &CancellationToken,
    ) -> Result<()> {
        let Some(hours) = self.parts.hearing else { return Ok(()) };
        let pool = Pool::in_background(self.parts.program.clone(), 1);
        let last =
            sqlx::query_scalar!(r#"select coalesce(max(track_id), 0) as "last!: i64" from track"#)
                .fetch_one(self.parts.db.read())
                .await?;
        let (mut after, mut end) = ((0, 0), STRETCH);
        while after.0 <= last {
            let pairs = self.likely_pairs(after, end).await?;
            let is_all = (pairs.len() as i64) < PORTION;
            after = match pairs.last() {
                Some(pair) if !is_all => *pair,
                _ => (end, 0),
            };
            if is_all {
                end += STRETCH;
                if !self.turn(stop).await {
                    return Ok(());
                }
                tokio::time::sleep(PAUSE).await;
            }
            for (one, other) in pairs {
                if !hours.contain(self.parts.clock.now()) {
                    self.unsettle();
                    return Ok(());
                }
                if !self.turn(stop).await {
                    return Ok(());
                }
                self.compare(&pool, one, other).await?;
            }
        }
        Ok(())
    }

    /// Compares two tracks, if both can be heard.
    async fn compare(&self, pool: &Pool, one: i64, other: i64) -> Result<()> {
        let (Some(first), Some(second)) =
            (self.print(pool, one).await?, self.print(pool, other).await?)
        else {
            return Ok(());
        };
        let likeness =
            tokio::task::spawn_blocking(move || analysis::likeness(&first, &second)).await?;
        let mut tx = self.parts.db.write().await?;
        sqlx::query!(
            "insert into same_recording (one_id, other_id, likeness)
             select ?1, ?2, ?3 where exists (select 1 from track where track_id = ?1)
               and exists (select 1 from track where track_id = ?2)
             on conflict (one_id, other_id) do update set likeness = excluded.likeness",
            one,
            other,
            likeness
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Pairs behind one, of which the first is before `end`.
    async fn likely_pairs(&self, after: (i64, i64), end: i64) -> Result<Vec<(i64, i64)>> {
        let rows = sqlx::query!(
            r#"select one.track_id as "one!: i64", other.track_id as "other!: i64"
               from track one join track other on other.order_key = one.order_key
                 and other.track_id > one.track_id and other.missing_at is null
               where one.missing_at is null and one.cue_index is null and other.cue_index is null
                 and one.track_id >= ?1 and one.track_id < ?5 and (one.track_id, other.track_id) > (?1, ?2)
                 and abs(one.duration_ms - other.duration_ms) <= ?3
                 and lower(one.display_artist) = lower(other.display_artist)
                 and (one.audio_hash is null or one.audio_hash is not other.audio_hash)
                 and not exists (select 1 from same_recording s
                     join fingerprint a on a.track_id = s.one_id and a.size_bytes = one.size_bytes
                       and a.modified_ns = one.modified_ns
                     join fingerprint b on b.track_id = s.other_id and b.size_bytes = other.size_bytes
                       and b.modified_ns = other.modified_ns
                     where s.one_id = one.track_id and s.other_id = other.track_id)
               order by one.track_id, other.track_id limit ?4"#,
            after.0,
            after.1,
            SAME_LENGTH_MS,
            PORTION,
            end
        )
        .fetch_all(self.parts.db.read())
        .await?;
        Ok(rows.into_iter().map(|row| (row.one, row.other)).collect())
    }

    /// A track's fingerprint, made if it is not known; `None` if its file is not what the
    /// catalogue knows.
    async fn print(&self, pool: &Pool, track: i64) -> Result<Option<Vec<u32>>> {
        let row = sqlx::query!(
            r#"select l.path as root, t.path, t.size_bytes, t.modified_ns, f.print as "print?: Vec<u8>",
                      r.target as "target?: Vec<u8>"
               from track t join library l using (library_id)
               left join shared_library b using (library_id)
               left join drive_file d on d.locker_id = coalesce(l.locker_id, b.locker_id)
                    and d.path = iif(b.path is null, t.path, b.path || '/' || t.path)
               left join drive_reference r using (reference_id)
               left join fingerprint f on f.track_id = t.track_id and f.size_bytes = t.size_bytes
                 and f.modified_ns = t.modified_ns
               where t.track_id = ? and l.is_active = 1 and t.missing_at is null"#,
            track
        )
        .fetch_optional(self.parts.db.read())
        .await?;
        let Some(row) = row else { return Ok(None) };
        if let Some(print) = row.print {
            return Ok(Some(words(&print)));
        }
        let track = Track {
            id: track,
            root: row.root,
            path: row.path,
            target: row.target,
            size: row.size_bytes,
            modified_ns: row.modified_ns,
        };
        self.make_print(pool, track).await
    }

    async fn make_print(&self, pool: &Pool, track: Track) -> Result<Option<Vec<u32>>> {
        let path = match track.target {
            // Its size and time are the track's, and are looked at.
            Some(target) => OsString::from_vec(target).into(),
            None => path_text::decode(&track.root).join(path_text::decode(&track.path)),
        };
        let (size, modified_ns) = (track.size, track.modified_ns);
        let opened = tokio::task::spawn_blocking(move || open(&path, size, modified_ns)).await?;
        let Some(file) = opened else { return Ok(None) };
        let range = Some((0, analysis::FINGERPRINT_SECONDS * 1000));
        let print = match self.parts.playback.decode(file, range).await {
            Ok(decoding) => {
                let form = decoding.form();
                let (sound, rest) = decoding.split();
                let print = pool.fingerprint(sound, form).await?;
                // What came out is what counts, whether or not the file goes on.
                let _ = rest.end().await;
                print
            }
            Err(Error::Unavailable(_) | Error::Invalid(_)) => Vec::new(),
            Err(error) => return Err(error),
        };
        let bytes = print.as_slice();
        let mut tx = self.parts.db.write().await?;
        sqlx::query!(
            "insert into fingerprint (track_id, size_bytes, modified_ns, print)
             select ?1, ?2, ?3, ?4 where exists (select 1 from track where track_id = ?1)
             on conflict (track_id) do update set size_bytes = excluded.size_bytes,
                 modified_ns = excluded.modified_ns, print = excluded.print",
            track.id,
            track.size,
            track.modified_ns,
            bytes
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(Some(words(&print)))
    }
}

fn words(bytes: &[u8]) -> Vec<u32> {
    bytes
        .chunks_exact(4)
        .map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]))
        .collect()
}

fn open(path: &std::path::Path, size: i64, modified_ns: i64) -> Option<std::fs::File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = std::fs::File::from(rustix::fs::openat(CWD, path, flags, Mode::empty()).ok()?);
    let stat = rustix::fs::fstat(&file).ok()?;
    let modified =
        stat.st_mtime.saturating_mul(1_000_000_000).saturating_add(stat.st_mtime_nsec as i64);
    let is_same = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
        && stat.st_size == size
        && modified == modified_ns;
    is_same.then_some(file)
}
