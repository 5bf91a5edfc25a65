//! A content that must not be here goes from every locker: files, what lies in the trash, earlier
//! versions. What nobody hashed yet is hashed first, in the background and also after a restart;
//! until then the take-down is open and says so. Watched folders are not ours to change: they are
//! named, and stay.

mod unhashed;

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Drive, disk::Spot, put::blocking};
use crate::{
    Error, Result,
    accounts::{Change, Principal},
    clock::Millis,
    ids::{LockerId, UserId},
};

/// Take-downs in one list.
const MOST: i64 = 100;
/// After a failure it is tried again.
const AGAIN: Duration = Duration::from_mins(5);

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
    /// The owner's login name, or the watched folder's; `None` for the household's and for what is
    /// left of removed users.
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
}

/// An open take-down as the work needs it.
struct Open {
    id: i64,
    hash: Vec<u8>,
    size: Option<i64>,
    by: UserId,
}

/// A file of a kept thing.
struct KeptFile {
    id: String,
    inner: String,
    locker: LockerId,
    path: String,
    spot: Spot,
    is_folder: bool,
    size: u64,
}

impl Drive {
    /// Who has a content, by its BLAKE3. Administrators only.
    pub async fn owners(&self, admin: &Principal, hash: &[u8; 32]) -> Result<Owners> {
        admin.require_admin()?;
        let content = hash.as_slice();
        let rows = sqlx::query!(
            r#"select 0 as "kind!: i64", f.locker_id as "locker?: i64", u.name as "user?: String",
                      f.path as "path!: String", f.size_bytes as "size!: i64"
               from drive_file f join locker l using (locker_id) left join user u using (user_id)
               where f.content_hash = ?1 and f.missing_at is null
               union all
               select iif(k.kind = 'trash', 1, 2), k.locker_id, u.name,
                      iif(f.path = '', k.path, k.path || '/' || f.path), f.size_bytes
               from drive_kept_file f join drive_kept k using (kept_id)
               join locker l using (locker_id) left join user u on u.user_id = l.user_id
               where f.content_hash = ?1 and k.gone_at is null
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
    /// ledgers say so. Administrators only.
    pub async fn take_down(
        &self,
        admin: &Principal,
        hash: &[u8; 32],
        reason: &str,
    ) -> Result<TakeDown> {
        let owners = self.owners(admin, hash).await?;
        let reason: String =
            reason.trim().chars().filter(|it| !it.is_control()).take(200).collect();
        let size = owners.files.first().map(|one| i64::try_from(one.size).unwrap_or(i64::MAX));
        let (content, user, now) = (hash.as_slice(), admin.user.0, self.clock.now());
        let mut tx = self.db.write().await?;
        let id = sqlx::query_scalar!(
            r#"insert into takedown (content_hash, size_bytes, reason, user_id, created_at)
               values (?1, ?2, ?3, nullif(?4, 0), ?5) returning takedown_id as "id!: i64""#,
            content,
            size,
            reason,
            user,
            now
        )
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        let open = Open { id, hash: content.to_vec(), size, by: admin.user };
        self.remove_known(&open).await?;
        if owners.unhashed == 0 {
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

    /// The BLAKE3 of somebody's file, for who knows it by its name. Administrators only.
    pub async fn content_of(&self, admin: &Principal, user: &str, path: &str) -> Result<Vec<u8>> {
        admin.require_admin()?;
        let locker = self.accounts.locker_of_user(admin, user).await?;
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

    /// Goes on with open take-downs until `stop`.
    pub(super) async fn keep_taking_down(&self, stop: &CancellationToken) {
        loop {
            let rest = match self.finish_take_downs(stop).await {
                Ok(()) => Duration::MAX,
                Err(error) => {
                    tracing::error!("a take-down could not be finished: {error:?}");
                    AGAIN
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.take_downs.notified() => (),
                () = tokio::time::sleep(rest) => (),
            }
        }
    }

    async fn finish_take_downs(&self, stop: &CancellationToken) -> Result<()> {
        let rows = sqlx::query!(
            r#"select takedown_id as "id!: i64", content_hash as "hash!: Vec<u8>",
                      size_bytes as "size?: i64", coalesce(user_id, 0) as "by!: i64"
               from takedown where done_at is null order by takedown_id"#
        )
        .fetch_all(self.db.read())
        .await?;
        for row in rows {
            let open = Open { id: row.id, hash: row.hash, size: row.size, by: UserId(row.by) };
            let Some(unread) = self.hash_all(open.size, stop).await? else { return Ok(()) };
            self.remove_known(&open).await?;
            self.close(open.id, unread).await?;
        }
        Ok(())
    }

    /// Files of kept things: of a content, or those without a hash.
    async fn kept_files(&self, hash: Option<&[u8]>, size: Option<i64>) -> Result<Vec<KeptFile>> {
        let rows = sqlx::query!(
            r#"select k.kept_id, f.path as inner, k.locker_id as "locker!: i64", k.path, k.shelf, k.name,
                      k.is_folder as "is_folder!: bool", f.size_bytes
               from drive_kept_file f join drive_kept k using (kept_id)
               where k.gone_at is null and f.content_hash is ?1 and (?2 is null or f.size_bytes = ?2)"#,
            hash,
            size
        )
        .fetch_all(self.db.read())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| KeptFile {
                spot: Spot { shelf: row.shelf, id: row.kept_id.clone(), name: row.name },
                id: row.kept_id,
                inner: row.inner,
                locker: LockerId(row.locker),
                path: row.path,
                is_folder: row.is_folder,
                size: row.size_bytes.unsigned_abs(),
            })
            .collect())
    }

    /// Removes what is known to be of a content, and counts it.
    async fn remove_known(&self, open: &Open) -> Result<()> {
        let files = sqlx::query!(
            r#"select locker_id as "locker!: i64", path, size_bytes from drive_file
               where content_hash = ? and missing_at is null"#,
            open.hash
        )
        .fetch_all(self.db.read())
        .await?;
        for row in files {
            let size = row.size_bytes.unsigned_abs();
            let locker = LockerId(row.locker);
            if self.erase(locker, &row.path, Some(&open.hash), open.by, "takedown").await? {
                self.tell(open.id, (1, 0), size).await?;
            }
        }
        for file in self.kept_files(Some(&open.hash), None).await? {
            if self.erase_kept(&file, open.by).await? {
                self.tell(open.id, (0, 1), file.size).await?;
            }
        }
        Ok(())
    }

    /// One file of trash or versions goes, if it is still kept.
    async fn erase_kept(&self, file: &KeptFile, by: UserId) -> Result<bool> {
        let lock = self.lock(file.locker);
        let turn = lock.lock().await;
        let change = Change { user: by, reason: "takedown", path: &file.path };
        let mut tx = self.db.write().await?;
        match self.require_kept(&mut tx, &file.id).await {
            Err(Error::NotFound(_)) => return Ok(false),
            there => there?,
        }
        if file.is_folder {
            let gone = sqlx::query!(
                "delete from drive_kept_file where kept_id = ? and path = ?",
                file.id,
                file.inner
            )
            .execute(&mut *tx)
            .await?
            .rows_affected();
            if gone == 0 {
                return Ok(false);
            }
            self.sum_kept(&mut tx, &file.id).await?;
            let path = format!("{}/{}", file.path, file.inner);
            let change = Change { path: &path, ..change };
            self.accounts.forget_kept(&mut tx, file.locker, file.size, change).await?;
            // Gone first: should the rows stay, the next look finds that there is nothing.
            let (disk, spot, inner) = (self.disk.clone(), file.spot.clone(), file.inner.clone());
            blocking(move || disk.erase_inside(&spot, &inner)).await?;
            tx.commit().await?;
        } else {
            self.accounts.let_go_as(&mut tx, &file.id, by, "takedown").await?;
            tx.commit().await?;
            self.sweep_gone().await?;
        }
        drop(turn);
        self.accounts.tell_usage(file.locker).await?;
        Ok(true)
    }

    async fn tell(&self, id: i64, (files, kept): (i64, i64), bytes: u64) -> Result<()> {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        let mut tx = self.db.write().await?;
        sqlx::query!(
            "update takedown set files = files + ?1, kept = kept + ?2, bytes = bytes + ?3,
                 size_bytes = coalesce(size_bytes, ?3) where takedown_id = ?4",
            files,
            kept,
            bytes,
            id
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    async fn close(&self, id: i64, unread: u64) -> Result<()> {
        let (now, unread) = (self.clock.now(), i64::try_from(unread).unwrap_or(i64::MAX));
        let mut tx = self.db.write().await?;
        sqlx::query!(
            "update takedown set done_at = ?, unread = ? where takedown_id = ?",
            now,
            unread,
            id
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    async fn take_down_row(&self, id: i64) -> Result<TakeDown> {
        let row = sqlx::query!(
            r#"select t.content_hash as "hash!: Vec<u8>", t.reason, u.name as "by?: String", t.created_at,
                      t.done_at, t.files, t.kept, t.bytes, t.unread
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
        })
    }
}
