//! What a user does with files that are there: list, open, remove, make folders, rename.

use std::{fs::File, io};

use super::{
    Condition, Drive, RelativePath,
    disk::{self, Found},
    put::{blocking, staging_name},
};
use crate::{
    Error, Result,
    accounts::{Change, Charge, Locker, Principal},
    clock::Millis,
    events::Event,
    ids::LockerId,
};

/// What an entry of a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A plain file.
    File,
    /// A folder.
    Folder,
}

/// One entry of a folder.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// Bytes; 0 for a folder.
    pub size: u64,
    /// When it was last changed.
    pub modified_at: Millis,
    /// Entity tag without quotes; files only.
    pub etag: Option<String>,
}

/// A stored file, open for reading.
#[derive(Debug)]
pub struct OpenFile {
    /// The open file.
    pub file: File,
    /// Where it is, as the locker spells it.
    pub path: RelativePath,
    /// Bytes.
    pub size: u64,
    /// When it was last changed.
    pub modified_at: Millis,
    /// Entity tag without quotes.
    pub etag: String,
}

/// What lies at a path.
#[derive(Debug)]
pub enum Content {
    /// A file, open.
    File(OpenFile),
    /// A folder with what is in it, by name.
    Folder(Vec<Entry>),
}

impl Drive {
    /// What lies at a path: a file to read or a folder to list.
    pub async fn open_path(
        &self,
        principal: &Principal,
        locker: LockerId,
        path: &RelativePath,
    ) -> Result<Content> {
        match self.open_file(principal, locker, path).await {
            Err(Error::Conflict(_)) => {
                Ok(Content::Folder(self.list(principal, locker, path).await?))
            }
            opened => Ok(Content::File(opened?)),
        }
    }

    /// What is in a folder, by name.
    pub async fn list(
        &self,
        principal: &Principal,
        locker: LockerId,
        folder: &RelativePath,
    ) -> Result<Vec<Entry>> {
        let locker = self.accounts.locker(principal, locker).await?;
        let path = self.spelled(&locker, folder).await?;
        let rows = self.rows_in(locker.id, path.as_str()).await?;
        let (disk, root, is_root) = (self.disk.clone(), locker.path, path.is_root());
        let found = blocking(move || match disk.locker(&root) {
            // Nothing was stored yet; looking must not make folders.
            Err(error) if is_root && error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            root => disk::list(&root?, path.as_str()),
        })
        .await?;
        let mut entries: Vec<Entry> = found
            .into_iter()
            .map(|found| {
                let row = rows.get(&found.name);
                let known = row.filter(|row| is_same(row.size, row.modified_ns, &found));
                let etag = known.map_or_else(
                    || loose_etag(found.size, found.modified_ns),
                    |row| row.etag.clone(),
                );
                Entry {
                    kind: if found.is_folder { EntryKind::Folder } else { EntryKind::File },
                    size: if found.is_folder { 0 } else { found.size },
                    modified_at: found.modified_ns / 1_000_000,
                    etag: (!found.is_folder).then_some(etag),
                    name: found.name,
                }
            })
            .collect();
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(entries)
    }

    /// Opens a file for reading. A folder is a `Conflict`.
    pub async fn open_file(
        &self,
        principal: &Principal,
        locker: LockerId,
        path: &RelativePath,
    ) -> Result<OpenFile> {
        let locker = self.accounts.locker(principal, locker).await?;
        let path = self.spelled(&locker, path).await?;
        let row = self.row(locker.id, path.as_str()).await?;
        let (disk, root, name) = (self.disk.clone(), locker.path, path.clone());
        let (file, size, modified_ns) =
            blocking(move || disk::open_file(&disk.locker(&root)?, name.as_str())).await?;
        let etag = match row {
            Some(row) if row.size == size && row.modified_ns == modified_ns => row.etag,
            _ => loose_etag(size, modified_ns),
        };
        Ok(OpenFile { file, path, size, modified_at: modified_ns / 1_000_000, etag })
    }

    /// Removes a file, or a folder with all that is in it. The condition is about a file.
    pub async fn remove(
        &self,
        principal: &Principal,
        locker: LockerId,
        path: &RelativePath,
        condition: &Condition,
    ) -> Result<()> {
        let locker = self.accounts.writable_locker(principal, locker).await?;
        if path.is_root() {
            return Err(Error::Forbidden("A locker itself is not removed".to_owned()));
        }
        let path = self.spelled(&locker, path).await?;
        let removal = Removal {
            drive: self.clone(),
            locker,
            path,
            condition: condition.clone(),
            principal: principal.clone(),
        };
        tokio::spawn(removal.run()).await?
    }

    /// Makes a folder and those above it.
    pub async fn make_folder(
        &self,
        principal: &Principal,
        locker: LockerId,
        path: &RelativePath,
    ) -> Result<()> {
        let locker = self.accounts.writable_locker(principal, locker).await?;
        let path = self.spelled(&locker, path).await?;
        let (disk, root) = (self.disk.clone(), locker.path);
        blocking(move || disk::make_folders(disk.make_locker(&root)?, path.as_str()).map(drop))
            .await
    }

    /// Moves a file or folder within its locker; nothing may be at the target.
    pub async fn rename(
        &self,
        principal: &Principal,
        locker: LockerId,
        from: &RelativePath,
        to: &RelativePath,
    ) -> Result<()> {
        let locker = self.accounts.writable_locker(principal, locker).await?;
        if from.is_root() || to.is_root() {
            return Err(Error::Forbidden("A locker itself is not moved".to_owned()));
        }
        let from = self.spelled(&locker, from).await?;
        let to = self.spelled(&locker, to).await?;
        let moving = Moving { drive: self.clone(), locker, from, to };
        tokio::spawn(moving.run()).await?
    }
}

/// A removal, which runs to its end once it began.
struct Removal {
    drive: Drive,
    locker: Locker,
    path: RelativePath,
    condition: Condition,
    principal: Principal,
}

impl Removal {
    async fn run(self) -> Result<()> {
        let lock = self.drive.lock(self.locker.id);
        let turn = lock.lock().await;
        let path = self.path.as_str().to_owned();
        if self.condition != Condition::None {
            let there = self.drive.row(self.locker.id, &path).await?;
            if !self.condition.holds(there.as_ref().map(|row| row.etag.as_str())) {
                return Err(Error::Conflict(
                    "The file is not the one that was expected".to_owned(),
                ));
            }
        }
        let (disk, root, name) =
            (self.drive.disk.clone(), self.locker.path.clone(), staging_name()?);
        let taken = path.clone();
        let taken = blocking(move || disk.take_out(&root, &taken, &name)).await?;
        match self.forget(&path).await {
            Ok(()) => {
                drop(turn);
                self.drive.events.publish(Event::DriveChanged { locker: self.locker.id, path });
                self.drive.accounts.tell_usage(self.locker.id).await?;
                blocking(move || taken.delete()).await
            }
            Err(error) => {
                blocking(move || taken.undo()).await?;
                Err(error)
            }
        }
    }

    async fn forget(&self, path: &str) -> Result<()> {
        let drive = &self.drive;
        let change = Change { user: self.principal.user, reason: "remove", path };
        let mut tx = drive.db.write().await?;
        let freed = drive.delete_rows(&mut tx, self.locker.id, path).await?;
        let moves = (Charge::default(), freed);
        drive.accounts.recount(&mut tx, self.locker.id, moves, change).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// A move, which runs to its end once it began.
struct Moving {
    drive: Drive,
    locker: Locker,
    from: RelativePath,
    to: RelativePath,
}

impl Moving {
    async fn run(self) -> Result<()> {
        let lock = self.drive.lock(self.locker.id);
        let _turn = lock.lock().await;
        self.on_disk(&self.from, &self.to).await?;
        if let Err(error) = self.in_rows().await {
            self.on_disk(&self.to, &self.from).await?;
            return Err(error);
        }
        for path in [&self.from, &self.to] {
            let path = path.as_str().to_owned();
            self.drive.events.publish(Event::DriveChanged { locker: self.locker.id, path });
        }
        Ok(())
    }

    async fn on_disk(&self, from: &RelativePath, to: &RelativePath) -> Result<()> {
        let (disk, root) = (self.drive.disk.clone(), self.locker.path.clone());
        let (from, to) = (from.clone(), to.clone());
        blocking(move || disk.rename(&root, from.as_str(), to.as_str())).await
    }

    async fn in_rows(&self) -> Result<()> {
        let mut tx = self.drive.db.write().await?;
        // Rows of files that were missing at the target give way.
        self.drive.delete_rows(&mut tx, self.locker.id, self.to.as_str()).await?;
        let (from, to) = (self.from.as_str(), self.to.as_str());
        let (first, last) = super::rows::inside(from);
        sqlx::query!(
            "update drive_file set path = ?1 || substr(path, length(?2) + 1)
             where locker_id = ?3 and (path = ?2 or (?4 <= path and path < ?5))",
            to,
            from,
            self.locker.id.0,
            first,
            last
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }
}

fn is_same(size: u64, modified_ns: i64, found: &Found) -> bool {
    size == found.size && modified_ns == found.modified_ns
}

/// For a file that was put there by other hands and has no row yet.
fn loose_etag(size: u64, modified_ns: i64) -> String {
    format!("d{size:x}-{modified_ns:x}")
}
