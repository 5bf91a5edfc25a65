//! What a take-down asks of those who know of music: the sound of a content; that files of watched
//! folders, which are not ours to change, are hidden; and that nothing is left of what was made of
//! the files.

use std::path::PathBuf;

use tokio_util::sync::CancellationToken;

use super::{Matching, hashing::Hashed, rows::Place, source::read};
use crate::{
    Error, Result,
    accounts::Principal,
    catalog::path_text,
    drive::{Barred, Sound, TAKEN_DOWN, TakeDown},
    events::Event,
    ids::{LibraryId, MediaFileId},
    ingest::ScanKind,
    media::worker::Pool,
};

/// Encoders and readers differ about lengths by no more, ms.
const SAME_LENGTH_MS: i64 = 1000;

/// What else goes with a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Nothing: these bytes alone.
    Content,
    /// Whatever sounds the same: retagged, or in another container.
    Sound,
}

/// A file of the catalogue.
struct Known {
    file: MediaFileId,
    library: LibraryId,
    path: String,
    absolute: PathBuf,
}

impl Matching {
    /// Removes a content from every locker, hides it in watched folders, and keeps it away; what
    /// was made of it is gone too. Administrators only.
    pub async fn take_down(
        &self,
        admin: &Principal,
        hash: &[u8; 32],
        reason: &str,
        extent: Extent,
    ) -> Result<TakeDown> {
        admin.require_admin()?;
        let sound = match extent {
            Extent::Content => None,
            Extent::Sound => Some(self.sound_of(hash).await?),
        };
        let taken = self.parts.drive.take_down(admin, hash, reason, sound).await?;
        self.carry_through().await?;
        Ok(taken)
    }

    /// Lets a content come back: what is hidden is looked at again. Administrators only.
    pub async fn allow_again(&self, admin: &Principal, id: i64) -> Result<TakeDown> {
        let lifted = self.parts.drive.allow_again(admin, id).await?;
        // What is still barred for another reason is hidden again by the scan.
        if 0 < self.parts.catalog.show_again(TAKEN_DOWN).await? {
            self.parts.ingest.request_scan(ScanKind::Changes);
        }
        Ok(lifted)
    }

    /// Follows take-downs until `stop`: those that go on in the background, and those that a
    /// restart interrupted.
    pub(super) async fn follow_take_downs(&self, stop: &CancellationToken) {
        let mut events = self.parts.events.subscribe();
        loop {
            if let Err(error) = self.carry_through().await {
                tracing::error!("what was taken down could not be cleared away: {error:#?}");
            }
            loop {
                let event = tokio::select! {
                    () = stop.cancelled() => return,
                    event = events.recv() => event,
                };
                match event {
                    Ok(Event::TakenDown) => break,
                    Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
                    Ok(_) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => (),
                }
            }
        }
    }

    /// Hides what must not be served, and clears away what was made of it.
    pub(super) async fn carry_through(&self) -> Result<()> {
        let turn = self.taking_down.lock().await;
        let gone = self.taken_files().await?;
        let mut outcome = self.clear_away(&gone, TAKEN_DOWN).await;
        if outcome.is_ok() {
            self.forget_taken().await?;
        }
        for barred in self.parts.drive.barred().await? {
            self.hash_alike(&barred).await?;
            let mut hidden = self.of_content(&barred).await?;
            if let Some(sound) = &barred.sound {
                hidden.extend(self.of_sound(sound).await?);
            }
            outcome = outcome.and(self.clear_away(&hidden, &barred.sentence).await);
        }
        drop(turn);
        outcome
    }

    /// Nobody finds, hears or sees anything of these files from here on.
    async fn clear_away(&self, files: &[Known], reason: &str) -> Result<()> {
        let ids: Vec<MediaFileId> =
            files.iter().map(|known| known.file).filter(|file| 0 < file.0).collect();
        self.parts.catalog.hide_files(&ids, reason).await?;
        // Whatever of it fails, the rest goes.
        let mut outcome = Ok(());
        for known in files {
            outcome = outcome.and(self.parts.playback.forget_file(&known.absolute).await);
        }
        let places: Vec<_> =
            files.iter().map(|known| (known.library, known.path.clone())).collect();
        if !places.is_empty() {
            outcome = outcome.and(self.parts.catalog.forget_pictures(&places).await);
        }
        outcome
    }

    /// Files of lockers that went, as every library that holds them knows them.
    async fn taken_files(&self) -> Result<Vec<Known>> {
        let rows = sqlx::query!(
            r#"select distinct coalesce(m.media_file_id, 0) as "file!: i64", t.library_id as "library!: i64",
                      t.path as "path!: String", b.path as "root!: String"
               from takedown_file g join library of on of.locker_id = g.locker_id
               join library b on substr(of.path || '/' || g.path, 1, length(b.path) + 1) = b.path || '/'
               join track t on t.library_id = b.library_id
                 and t.path = substr(of.path || '/' || g.path, length(b.path) + 2)
               left join media_file m on m.media_file_id = t.media_file_id"#
        )
        .fetch_all(self.parts.db.read())
        .await?;
        Ok(rows.into_iter().map(|row| known(row.file, row.library, row.path, &row.root)).collect())
    }

    async fn forget_taken(&self) -> Result<()> {
        let mut tx = self.parts.db.write().await?;
        sqlx::query!("delete from takedown_file").execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Files of watched folders that are of a content and can still be seen.
    async fn of_content(&self, barred: &Barred) -> Result<Vec<Known>> {
        let hash = barred.hash.as_slice();
        let rows = sqlx::query!(
            r#"select m.media_file_id as "file!: i64", m.library_id as "library!: i64", m.path as "path!: String",
                      b.path as "root!: String"
               from folder_hash h join media_file m using (media_file_id) join library b using (library_id)
               where h.content_hash = ? and h.size_bytes = m.size_bytes and h.modified_ns = m.modified_ns
                 and m.state = 'ok'"#,
            hash
        )
        .fetch_all(self.parts.db.read())
        .await?;
        Ok(rows.into_iter().map(|row| known(row.file, row.library, row.path, &row.root)).collect())
    }

    /// Files of watched folders that sound so and can still be seen; those of that length that
    /// were never listened to are listened to first.
    async fn of_sound(&self, sound: &Sound) -> Result<Vec<Known>> {
        let hash = sound.hash.as_slice();
        let length = sound.duration_ms.map(|length| i64::try_from(length).unwrap_or(i64::MAX));
        let rows = sqlx::query!(
            r#"select m.media_file_id as "file!: i64", m.library_id as "library!: i64", m.path as "path!: String",
                      b.path as "root!: String", t.audio_hash
               from track t join media_file m using (media_file_id) join library b on b.library_id = t.library_id
               where t.cue_index is null and t.missing_at is null and b.kind = 'folder'
                 and (t.audio_hash = ?1
                      or t.audio_hash is null and (?2 is null or t.duration_ms between ?2 - ?3 and ?2 + ?3))"#,
            hash,
            length,
            SAME_LENGTH_MS
        )
        .fetch_all(self.parts.db.read())
        .await?;
        let mut found = Vec::new();
        for row in rows {
            let is_it = row.audio_hash.is_some()
                || self.listen(Place::Folder { file: row.file }).await? == Some(sound.hash);
            if is_it {
                found.push(known(row.file, row.library, row.path, &row.root));
            }
        }
        Ok(found)
    }

    /// Hashes files of watched folders that are as long as a content and were never hashed.
    async fn hash_alike(&self, barred: &Barred) -> Result<()> {
        let Some(size) = barred.size.map(|size| i64::try_from(size).unwrap_or(i64::MAX)) else {
            return Ok(());
        };
        let files = sqlx::query_scalar!(
            r#"select m.media_file_id as "file!: i64" from media_file m join library b using (library_id)
               where m.size_bytes = ? and m.state = 'ok' and b.kind = 'folder' and b.is_active = 1
                 and not exists (select 1 from folder_hash h where h.media_file_id = m.media_file_id
                                 and h.size_bytes = m.size_bytes and h.modified_ns = m.modified_ns)"#,
            size
        )
        .fetch_all(self.parts.db.read())
        .await?;
        for file in files {
            let place = Place::Folder { file };
            let Some(source) = self.open(place).await? else { continue };
            let Some(digests) = read(&source, None).await? else { continue };
            let (size, modified_ns, content) = (source.size, source.modified_ns, digests.content);
            self.keep_folder_hashes(&[Hashed { place, size, modified_ns, content }]).await?;
        }
        Ok(())
    }

    /// The sound of a content, from whatever file of it there is.
    async fn sound_of(&self, hash: &[u8; 32]) -> Result<Sound> {
        let hash = hash.as_slice();
        let rows = sqlx::query!(
            r#"select f.drive_file_id as "file!: i64", 1 as "is_locker!: bool", t.audio_hash,
                      t.duration_ms as "duration_ms?: i64"
               from drive_file f join library b on b.locker_id = f.locker_id
               left join track t on t.library_id = b.library_id and t.path = f.path and t.cue_index is null
               where f.content_hash = ?1 and f.missing_at is null
               union all
               select m.media_file_id, 0, t.audio_hash, t.duration_ms
               from folder_hash h join media_file m using (media_file_id) join library b using (library_id)
               left join track t on t.media_file_id = m.media_file_id and t.cue_index is null
               where h.content_hash = ?1 and h.size_bytes = m.size_bytes and h.modified_ns = m.modified_ns
                 and b.kind = 'folder' and b.is_active = 1
               limit 20"#,
            hash
        )
        .fetch_all(self.parts.db.read())
        .await?;
        for row in rows {
            let place = if row.is_locker {
                Place::Locker { file: row.file }
            } else {
                Place::Folder { file: row.file }
            };
            let known = row.audio_hash.and_then(|hash| hash.try_into().ok());
            let heard = match known {
                Some(known) => Some(known),
                None => self.listen(place).await?,
            };
            if let Some(hash) = heard {
                return Ok(Sound { hash, duration_ms: row.duration_ms.map(i64::unsigned_abs) });
            }
        }
        Err(Error::Invalid(
            "Nobody here has a file of that content whose sound can be told; take down the content alone"
                .to_owned(),
        ))
    }

    async fn listen(&self, place: Place) -> Result<Option<[u8; 32]>> {
        let Some(source) = self.open(place).await? else { return Ok(None) };
        let pool = Pool::in_background(self.parts.program.clone(), 1);
        match pool.audio_hash(source.file.try_clone()?).await {
            // Another file of that content may be heard.
            Err(Error::Invalid(_)) => Ok(None),
            hash => hash,
        }
    }
}

fn known(file: i64, library: i64, path: String, root: &str) -> Known {
    let absolute = path_text::decode(root).join(path_text::decode(&path));
    Known { file: MediaFileId(file), library: LibraryId(library), path, absolute }
}
