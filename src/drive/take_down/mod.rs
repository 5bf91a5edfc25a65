//! A content that must not be here goes from every locker: files, what lies in the trash, earlier
//! versions; where that is wanted, with everything that sounds the same. What nobody hashed yet is
//! hashed first, in the background and also after a restart; until then the take-down is open and
//! says so. It stays away after that ([`barred`]). Watched folders are not ours to change: whoever
//! knows of music hides what lies there.

mod barred;
mod sounds;
mod unhashed;
mod work;

pub(crate) use self::barred::{Barred, TAKEN_DOWN};
use self::work::Open;
use super::Drive;
use crate::{Error, Result, accounts::Principal, clock::Millis, ids::LockerId};

/// Take-downs in one list.
const MOST: i64 = 100;

/// Where a file of a content lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lies {
    /// In a locker.
    Locker,
    /// In a locker's trash.
    Trash,
    /// Beside the file that took its place.
    Versions,
    /// In a watched folder, which the server only reads.
    Folder,
}

/// A file of a content that an administrator asks about.
#[derive(Debug, Clone)]
pub struct Owned {
    /// Where it lies.
    pub lies: Lies,
    /// Its locker, if it is in one.
    pub locker: Option<LockerId>,
    /// The owner's login name, or the watched folder's; `None` for the household's. Of removed users
    /// the folder that their files were put away to, as `removed/NAME-DATE-NUMBER`.
    pub user: Option<String>,
    /// Where it lies, or was when it was deleted or replaced.
    pub path: String,
    /// Bytes.
    pub size: u64,
}

/// Who has a content.
#[derive(Debug, Clone)]
pub struct Owners {
    /// What is known.
    pub files: Vec<Owned>,
    /// Files that nobody hashed yet and that may be of it.
    pub unhashed: u64,
}

/// A take-down and how far it is.
#[derive(Debug, Clone)]
pub struct TakeDown {
    /// Its row.
    pub id: i64,
    /// BLAKE3 of the content.
    pub hash: Vec<u8>,
    /// Why, for people.
    pub reason: String,
    /// Who wanted it, by login name.
    pub by: Option<String>,
    /// Since when.
    pub created_at: Millis,
    /// When everything had been looked at.
    pub done_at: Option<Millis>,
    /// Files that went.
    pub files: u64,
    /// Files that went from trash and versions.
    pub kept: u64,
    /// Bytes of both.
    pub bytes: u64,
    /// Files that could not be read, and so not be judged.
    pub unread: u64,
    /// Whether other bytes of the same sound go and stay away too.
    pub with_sound: bool,
    /// How often somebody tried to bring it back.
    pub refused: u64,
    /// Since when it may come back, if it may.
    pub lifted_at: Option<Millis>,
}

/// A sound that must not be here, in whatever bytes.
#[derive(Debug, Clone)]
pub(crate) struct Sound {
    /// BLAKE3 of it, as [`crate::media::worker::Pool::audio_hash`] gives it.
    pub(crate) hash: [u8; 32],
    /// How long it is, if that is known.
    pub(crate) duration_ms: Option<u64>,
}

impl Drive {
    /// Who has a content, by its BLAKE3. Administrators only.
    pub async fn owners(&self, admin: &Principal, hash: &[u8; 32]) -> Result<Owners> {
        admin.require_admin()?;
        let content = hash.as_slice();
        let rows = sqlx::query!(
            r#"select 0 as "kind!: i64", f.locker_id as "locker?: i64",
                      coalesce(u.name, iif(l.kind = 'user', l.path, null)) as "user?: String",
                      f.path as "path!: String", f.size_bytes as "size!: i64"
               from drive_file f join locker l using (locker_id) left join user u using (user_id)
               where f.content_hash = ?1 and f.missing_at is null
               union all
               select iif(k.kind = 'trash', 1, 2), k.locker_id, coalesce(u.name, iif(l.kind = 'user', l.path, null)),
                      iif(f.path = '', k.path, k.path || '/' || f.path), f.size_bytes
               from drive_kept_file f join drive_kept k using (kept_id)
               join locker l using (locker_id) left join user u on u.user_id = l.user_id
               where f.content_hash = ?1 and (k.gone_at is null or k.held_by is not null)
               union all
               select 3, null, b.name, m.path, m.size_bytes
               from folder_hash h join media_file m using (media_file_id)
               join library b using (library_id)
               where h.content_hash = ?1 and h.size_bytes = m.size_bytes and h.modified_ns = m.modified_ns
                 and b.kind = 'folder' and b.is_active = 1
               order by 1, 2, 4"#,
            content
        )
        .fetch_all(self.db.read())
        .await?;
        let size = rows.first().map(|row| row.size);
        let files = rows
            .into_iter()
            .map(|row| Owned {
                lies: match row.kind {
                    0 => Lies::Locker,
                    1 => Lies::Trash,
                    2 => Lies::Versions,
                    _ => Lies::Folder,
                },
                locker: row.locker.map(LockerId),
                user: row.user,
                path: row.path,
                size: row.size.unsigned_abs(),
            })
            .collect();
        Ok(Owners { files, unhashed: self.count_unhashed(size).await? })
    }

    /// Removes a content from every locker, its trash and its versions. What is known goes before
    /// this returns; what nobody hashed yet is hashed in the background, and goes then. The owners'
    /// ledgers say so, and nobody can bring it back. With a sound, so does everything that sounds
    /// so. Administrators only.
    pub(crate) async fn take_down(
        &self,
        admin: &Principal,
        hash: &[u8; 32],
        reason: &str,
        sound: Option<Sound>,
    ) -> Result<TakeDown> {
        let owners = self.owners(admin, hash).await?;
        let reason: String =
            reason.trim().chars().filter(|it| !it.is_control()).take(200).collect();
        let size = owners.files.first().map(|one| i64::try_from(one.size).unwrap_or(i64::MAX));
        let (content, user, now) = (hash.as_slice(), admin.user.0, self.clock.now());
        let audio = sound.as_ref().map(|sound| sound.hash.as_slice());
        let length = sound.as_ref().and_then(|sound| sound.duration_ms);
        let length = length.map(|length| i64::try_from(length).unwrap_or(i64::MAX));
        let mut tx = self.db.write().await?;
        let id = sqlx::query_scalar!(
            r#"insert into takedown (content_hash, size_bytes, reason, user_id, created_at, audio_hash, duration_ms)
               values (?1, ?2, ?3, nullif(?4, 0), ?5, ?6, ?7) returning takedown_id as "id!: i64""#,
            content,
            size,
            reason,
            user,
            now,
            audio,
            length
        )
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        let is_whole = owners.unhashed == 0 && sound.is_none();
        let hash = content.to_vec();
        let open = Open { id, hash, size, by: admin.user, sound, is_done: false };
        self.remove_known(&open).await?;
        if is_whole {
            self.close(id, 0).await?;
        } else {
            self.take_downs.notify_one();
        }
        self.take_down_row(id).await
    }

    /// Every take-down, the newest first. Administrators only.
    pub async fn take_downs(&self, admin: &Principal) -> Result<Vec<TakeDown>> {
        admin.require_admin()?;
        let ids = sqlx::query_scalar!(
            "select takedown_id from takedown order by takedown_id desc limit ?",
            MOST
        )
        .fetch_all(self.db.read())
        .await?;
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            found.push(self.take_down_row(id).await?);
        }
        Ok(found)
    }

    /// The BLAKE3 of somebody's file, or of the household's, for who knows it by its name.
    /// Administrators only.
    pub async fn content_of(
        &self,
        admin: &Principal,
        user: Option<&str>,
        path: &str,
    ) -> Result<Vec<u8>> {
        let locker = self.accounts.locker_of(admin, user).await?;
        let hash = sqlx::query_scalar!(
            "select content_hash from drive_file where locker_id = ? and path = ? and missing_at is null",
            locker.0,
            path
        )
        .fetch_optional(self.db.read())
        .await?
        .ok_or(Error::NotFound("File"))?;
        hash.ok_or_else(|| {
            Error::Unavailable("That file was not hashed yet; try again in some minutes".to_owned())
        })
    }

    async fn take_down_row(&self, id: i64) -> Result<TakeDown> {
        let row = sqlx::query!(
            r#"select t.content_hash as "hash!: Vec<u8>", t.reason, u.name as "by?: String", t.created_at,
                      t.done_at, t.files, t.kept, t.bytes, t.unread, t.refused, t.lifted_at,
                      t.audio_hash is not null as "with_sound!: bool"
               from takedown t left join user u using (user_id) where t.takedown_id = ?"#,
            id
        )
        .fetch_one(self.db.read())
        .await?;
        Ok(TakeDown {
            id,
            hash: row.hash,
            reason: row.reason,
            by: row.by,
            created_at: row.created_at,
            done_at: row.done_at,
            files: row.files.unsigned_abs(),
            kept: row.kept.unsigned_abs(),
            bytes: row.bytes.unsigned_abs(),
            unread: row.unread.unsigned_abs(),
            with_sound: row.with_sound,
            refused: row.refused.unsigned_abs(),
            lifted_at: row.lifted_at,
        })
    }
}
