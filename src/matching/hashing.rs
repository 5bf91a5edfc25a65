//! Hashes of what nobody sent: files of watched folders, and files that other hands put into a
//! locker. One after the other, slowly, never beside a scan or a transcode; what is to do follows
//! from the rows alone.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use rustix::fs::{Advice, fadvise};
use tokio_util::sync::CancellationToken;

use super::{Matching, rows::Place};
use crate::{
    Result,
    accounts::MatchPolicy,
    clock,
    drive::{Digests, Source, digest, quick_key},
};

/// No revision at all.
pub(super) const NOTHING: i64 = -1;
/// Files that are asked for at once.
const PORTION: u32 = 64;
/// Rows that are looked at in one statement, and the rest after it: a million at once would hold a
/// connection for seconds.
pub(super) const STRETCH: i64 = 4_000;
pub(super) const PAUSE: Duration = Duration::from_millis(100);
/// How often it looks for what is to do, and whether others are done.
const LOOK: Duration = Duration::from_mins(5);
const WAIT: Duration = Duration::from_secs(2);
/// Of each second of reading it rests so many times that long: the disk belongs to the listeners.
const REST: u32 = 4;
/// Hashes of watched folders are written together after so long: a transaction for each of a
/// million small files would wear out a card. One that is lost at a crash is made again.
const HOLD: Duration = Duration::from_secs(10);
/// Reads are told apart in pieces of this size, and rests with them.
const BREATH: usize = 16 << 20;

impl Matching {
    /// Hashes what has no hash, and follows take-downs, until `stop` is cancelled.
    pub async fn run(self, stop: CancellationToken) {
        tokio::join!(self.hash_everything(&stop), self.follow_take_downs(&stop));
    }

    async fn hash_everything(&self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(error) = self.round(stop).await {
                tracing::error!("files could not be hashed: {error:#?}");
            }
            self.pending().sweep(self.parts.clock.now());
            tokio::select! {
                () = stop.cancelled() => return,
                () = clock::beat(LOOK) => (),
                () = self.wanted.notified() => (),
            }
        }
    }

    /// Asks for a round over everything now. Tests and whoever changed the policy do.
    pub fn hash_now(&self) {
        self.unsettle();
        self.wanted.notify_one();
    }

    /// Asks for a round over lockers now: somebody waits for one of their files.
    pub(super) fn hash_lockers_now(&self) {
        self.wanted.notify_one();
    }

    async fn round(&self, stop: &CancellationToken) -> Result<()> {
        let mut after = 0;
        loop {
            let files = self.unhashed_of_lockers(after, PORTION).await?;
            let Some(last) = files.last() else { break };
            after = *last;
            for file in files {
                if !self.turn(stop).await {
                    return Ok(());
                }
                if let Some((hashed, quick)) = self.hash_of(Place::Locker { file }, stop).await? {
                    self.keep_locker_hash(file, &hashed, &quick).await?;
                }
            }
        }
        // Looking at every row of a large library for nothing would be no rest.
        let revision = self.revision().await?;
        if self.settled.load(Ordering::Relaxed) == revision {
            return Ok(());
        }
        self.settled.store(revision, Ordering::Relaxed);
        let done = match self.hash_folders(stop).await {
            Ok(()) => self.compare_recordings(stop).await,
            failed => failed,
        };
        if done.is_err() {
            self.unsettle();
        }
        done
    }

    /// Not everything is hashed and compared: the next round looks again.
    pub(super) fn unsettle(&self) {
        self.settled.store(NOTHING, Ordering::Relaxed);
    }

    async fn hash_folders(&self, stop: &CancellationToken) -> Result<()> {
        // Where nothing is matched with folders, reading them all would be for nothing, unless a
        // content must not be here of which nobody knows how long it is.
        let is_unmatched = self.parts.accounts.match_policy().await? == MatchPolicy::Off;
        let barred = self.parts.drive.barred().await?;
        if is_unmatched && barred.iter().all(|one| one.size.is_some()) {
            return Ok(());
        }
        self.adopt_hashes().await?;
        let most = sqlx::query_scalar!(
            r#"select coalesce(max(media_file_id), 0) as "most!: i64" from media_file"#
        )
        .fetch_one(self.parts.db.read())
        .await?;
        let (mut after, mut end) = (0, STRETCH);
        while after < most {
            let files = self.unhashed_of_folders((after, end), PORTION).await?;
            after = match files.last() {
                Some(last) if files.len() == PORTION as usize => *last,
                _ => end,
            };
            if after == end {
                end += STRETCH;
                tokio::time::sleep(PAUSE).await;
            }
            let (mut held, mut since) = (Vec::new(), Instant::now());
            for file in files {
                if !self.turn(stop).await {
                    break;
                }
                let hashed = self.hash_of(Place::Folder { file }, stop).await?;
                held.extend(hashed.map(|(hashed, _)| hashed));
                if HOLD <= since.elapsed() {
                    self.keep_folder_hashes(&std::mem::take(&mut held)).await?;
                    since = Instant::now();
                }
            }
            self.keep_folder_hashes(&held).await?;
            if !barred.is_empty() {
                self.carry_through().await?;
            }
            if stop.is_cancelled() {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn revision(&self) -> Result<i64> {
        Ok(self.parts.db.meta_of("revision").await?.unwrap_or(0))
    }

    /// Waits until nobody else needs the disk; false when told to stop.
    pub(super) async fn turn(&self, stop: &CancellationToken) -> bool {
        while self.parts.ingest.status().is_scanning || 0 < self.parts.playback.load().transcodes {
            if stop.run_until_cancelled(tokio::time::sleep(WAIT)).await.is_none() {
                return false;
            }
        }
        !stop.is_cancelled()
    }

    /// Hashes what lies there, and its quick key; `None` if it can't be read, or is not what its row knows.
    async fn hash_of(
        &self,
        place: Place,
        stop: &CancellationToken,
    ) -> Result<Option<(Hashed, [u8; 32])>> {
        let Some(source) = self.open(place).await? else { return Ok(None) };
        let (of, stop) = (source.clone(), stop.clone());
        let read = tokio::task::spawn_blocking(move || slowly(&of, &stop)).await?;
        let (digests, quick) = match read {
            Ok(Some(read)) => read,
            Ok(None) => return Ok(None),
            Err(error) => {
                tracing::debug!("a file cannot be hashed: {error}");
                return Ok(None);
            }
        };
        if digests.length != source.size {
            return Ok(None);
        }
        let hashed = Hashed {
            place,
            size: source.size,
            modified_ns: source.modified_ns,
            content: digests.content,
        };
        Ok(Some((hashed, quick)))
    }

    async fn unhashed_of_lockers(&self, after: i64, limit: u32) -> Result<Vec<i64>> {
        let files = sqlx::query_scalar!(
            "select drive_file_id from drive_file
             where (content_hash is null or quick_key is null) and missing_at is null
               and drive_file_id > ? order by drive_file_id limit ?",
            after,
            limit
        )
        .fetch_all(self.parts.db.read())
        .await?;
        Ok(files)
    }

    async fn unhashed_of_folders(&self, (after, end): (i64, i64), limit: u32) -> Result<Vec<i64>> {
        let files = sqlx::query_scalar!(
            // Along the ids: library by library each portion would look at every file. What is not
            // there now waits for the next round.
            "select m.media_file_id from media_file m
             where m.media_file_id > ?1 and m.media_file_id <= ?2 and m.state = 'ok' and +m.library_id in
                   (select library_id from library where kind = 'folder' and is_active = 1 and state = 'ok')
               and not exists (select 1 from folder_hash h where h.media_file_id = m.media_file_id
                               and h.size_bytes = m.size_bytes and h.modified_ns = m.modified_ns)
               and not exists (select 1 from shared_library s join drive_file f on f.locker_id = s.locker_id
                                 and f.path = s.path || '/' || m.path and f.missing_at is null
                               where s.library_id = m.library_id)
             order by m.media_file_id limit ?3",
            after,
            end,
            limit
        )
        .fetch_all(self.parts.db.read())
        .await?;
        Ok(files)
    }

    /// What lies in a locker's folder that is shared is one file in two libraries: it is read once, in
    /// the locker.
    async fn adopt_hashes(&self) -> Result<()> {
        let mut tx = self.parts.db.write().await?;
        sqlx::query!(
            "insert into folder_hash (media_file_id, size_bytes, modified_ns, content_hash)
             select m.media_file_id, f.size_bytes, f.modified_ns, f.content_hash
             from shared_library s join media_file m using (library_id)
             join drive_file f on f.locker_id = s.locker_id and f.path = s.path || '/' || m.path
             where f.missing_at is null and f.content_hash is not null
               and f.size_bytes = m.size_bytes and f.modified_ns = m.modified_ns
               and not exists (select 1 from folder_hash h where h.media_file_id = m.media_file_id
                               and h.size_bytes = m.size_bytes and h.modified_ns = m.modified_ns)
             on conflict (media_file_id) do update set size_bytes = excluded.size_bytes,
                 modified_ns = excluded.modified_ns, content_hash = excluded.content_hash"
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Keeps what files of watched folders hash to, of those whose rows still speak of them.
    pub(super) async fn keep_folder_hashes(&self, hashed: &[Hashed]) -> Result<()> {
        if hashed.is_empty() {
            return Ok(());
        }
        let mut tx = self.parts.db.write().await?;
        for one in hashed {
            let Place::Folder { file } = one.place else { continue };
            let (size, content) =
                (i64::try_from(one.size).unwrap_or(i64::MAX), one.content.as_slice());
            sqlx::query!(
                "insert into folder_hash (media_file_id, size_bytes, modified_ns, content_hash)
                 select ?1, ?2, ?3, ?4 where exists (
                     select 1 from media_file where media_file_id = ?1 and size_bytes = ?2 and modified_ns = ?3)
                 on conflict (media_file_id) do update set size_bytes = excluded.size_bytes,
                     modified_ns = excluded.modified_ns, content_hash = excluded.content_hash",
                file,
                size,
                one.modified_ns,
                content
            )
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Keeps it at once: somebody may wait for it.
    async fn keep_locker_hash(&self, file: i64, hashed: &Hashed, quick: &[u8; 32]) -> Result<()> {
        let size = i64::try_from(hashed.size).unwrap_or(i64::MAX);
        let (content, quick) = (hashed.content.as_slice(), quick.as_slice());
        let mut tx = self.parts.db.write().await?;
        sqlx::query!(
            "update drive_file set content_hash = ?1, quick_key = ?2
             where drive_file_id = ?3 and size_bytes = ?4 and modified_ns = ?5 and missing_at is null",
            content,
            quick,
            file,
            size,
            hashed.modified_ns
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        if self.parts.drive.barred().await?.iter().any(|one| one.hash == hashed.content) {
            self.parts.drive.look_for_taken_down();
        }
        Ok(())
    }
}

/// What a file hashes to, and what it was then.
#[derive(Debug, Clone)]
pub(super) struct Hashed {
    pub(super) place: Place,
    /// Bytes.
    pub(super) size: u64,
    pub(super) modified_ns: i64,
    pub(super) content: [u8; 32],
}

/// Reads all of a file, and rests between the pieces. What was read does not push out of memory
/// what others need.
fn slowly(
    source: &Source,
    stop: &CancellationToken,
) -> std::io::Result<Option<(Digests, [u8; 32])>> {
    let quick = quick_key(&source.file)?;
    let mut since = Instant::now();
    let mut held = 0;
    let digests = digest(&source.file, None, |read| {
        held += read;
        if BREATH <= held {
            std::thread::sleep(since.elapsed().min(Duration::from_secs(1)) * REST);
            held = 0;
            since = Instant::now();
        }
        !stop.is_cancelled()
    })?;
    std::thread::sleep(since.elapsed().min(Duration::from_secs(1)) * REST);
    let _ = fadvise(Arc::as_ref(&source.file), 0, None, Advice::DontNeed);
    Ok(digests.map(|digests| (digests, quick)))
}
