//! What a user does with files that are there: look, list, open, make folders, remove for good.

use std::{fs::File, io, sync::Arc};

use super::{
    Condition, Drive, RelativePath,
    disk::{self, Found},
    put::{blocking, staging_name},
    reach::Access,
    rows::Row,
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
    /// When it came here, where that is known.
    pub created_at: Option<Millis>,
    /// Entity tag without quotes; files only.
    pub etag: Option<String>,
    /// The address that it was fetched from; not in lists of a folder.
    pub source: Option<String>,
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
            Err(Error::Exists { .. }) => {
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
        let (locker, path) = self.reach(principal, locker, folder, Access::Read).await?;
        let rows = Arc::new(self.rows_in(locker.id, path.as_str()).await?);
        let lent = Arc::clone(&rows);
        let (disk, root, is_root) = (self.disk.clone(), locker.path, path.is_root());
        let found = blocking(move || match disk.locker(&root) {
            // Nothing was stored yet; looking must not make folders.
            Err(error) if is_root && error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            root => {
                let lent = |name: &str| lent.get(name).and_then(|row| row.lent.as_ref());
                disk::list_with(&root?, path.as_str(), lent)
            }
        })
        .await?;
        let mut entries: Vec<Entry> = found
            .into_iter()
            .map(|found| {
                let row = rows.get(&found.name);
                entry(row, found)
            })
            .collect();
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(entries)
    }

    /// What one path is, without opening it. The root's name is empty.
    pub async fn stat(
        &self,
        principal: &Principal,
        locker: LockerId,
        path: &RelativePath,
    ) -> Result<Entry> {
        let (locker, path) = self.reach(principal, locker, path, Access::Read).await?;
        let row = self.row(locker.id, path.as_str()).await?;
        let (disk, root, is_root) = (self.disk.clone(), locker.path, path.is_root());
        let lent = row.as_ref().and_then(|row| row.lent.clone());
        let found = blocking(move || match disk.look(&root, path.as_str(), lent.as_ref()) {
            // Nothing was stored yet.
            Err(error) if is_root && error.kind() == io::ErrorKind::NotFound => Ok(Found {
                name: String::new(),
                is_folder: true,
                is_lent: false,
                size: 0,
                modified_ns: 0,
                born_at: None,
            }),
            found => found,
        })
        .await?;
        Ok(entry(row.as_ref(), found))
    }

    /// Opens a file for reading. A folder is an `Exists`.
    pub async fn open_file(
        &self,
        principal: &Principal,
        locker: LockerId,
        path: &RelativePath,
    ) -> Result<OpenFile> {
        let (locker, path) = self.reach(principal, locker, path, Access::Read).await?;
        let row = self.row(locker.id, path.as_str()).await?;
        if let Some((lent, row)) = row.as_ref().and_then(|row| Some((row.lent.as_ref()?, row))) {
            let file = self.open_lent(&locker.path, path.as_str(), lent).await?;
            let (size, modified_at) = (row.size, row.modified_ns / 1_000_000);
            return Ok(OpenFile { file, path, size, modified_at, etag: row.etag.clone() });
        }
        let (disk, root, name) = (self.disk.clone(), locker.path, path.clone());
        let (file, size, modified_ns) =
            blocking(move || disk::open_file(&disk.locker(&root)?, name.as_str())).await?;
        let etag = match row {
            Some(row) if row.size == size && row.modified_ns == modified_ns => row.etag,
            _ => loose_etag(size, modified_ns),
        };
        Ok(OpenFile { file, path, size, modified_at: modified_ns / 1_000_000, etag })
    }

    /// Removes a file, or a folder with all that is in it, for good, with the versions that it had;
    /// [`Self::trash`] is the way that can be undone. The condition is about a file.
    pub async fn remove(
        &self,
        principal: &Principal,
        locker: LockerId,
        path: &RelativePath,
        condition: &Condition,
    ) -> Result<()> {
        let (locker, path) = self.reach(principal, locker, path, Access::Change).await?;
        if path.is_root() {
            return Err(Error::Forbidden("A locker itself is not removed".to_owned()));
        }
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
        let (locker, path) = self.reach(principal, locker, path, Access::Write).await?;
        let (disk, root) = (self.disk.clone(), locker.path);
        blocking(move || disk.make_folder(&root, path.as_str())).await
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
        self.drive.require(self.locker.id, &path, &self.condition).await?;
        let (disk, root, name) =
            (self.drive.disk.clone(), self.locker.path.clone(), staging_name()?);
        let taken = path.clone();
        let taken = blocking(move || disk.take_out(&root, &taken, &name)).await?;
        match self.forget(&path).await {
            Ok(()) => {
                drop(turn);
                self.drive.events.publish(Event::DriveChanged { locker: self.locker.id, path });
                self.drive.accounts.tell_usage(self.locker.id).await?;
                blocking(move || taken.delete()).await?;
                self.drive.sweep_gone().await
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
        let now = drive.clock.now();
        drive.let_versions_go(&mut tx, self.locker.id, path, now).await?;
        drive.drop_shares(&mut tx, self.locker.id, path).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// What is found on the disk, with the entity tag of the row that tells of it.
fn entry(row: Option<&Row>, found: Found) -> Entry {
    let known = row.filter(|row| is_same(row.size, row.modified_ns, &found));
    let etag =
        known.map_or_else(|| loose_etag(found.size, found.modified_ns), |row| row.etag.clone());
    Entry {
        kind: if found.is_folder { EntryKind::Folder } else { EntryKind::File },
        size: if found.is_folder { 0 } else { found.size },
        modified_at: found.modified_ns / 1_000_000,
        created_at: row.map(|row| row.created_at).or(found.born_at),
        etag: (!found.is_folder).then_some(etag),
        source: row.and_then(|row| row.source.clone()),
        name: found.name,
    }
}

fn is_same(size: u64, modified_ns: i64, found: &Found) -> bool {
    size == found.size && modified_ns == found.modified_ns
}

/// For a file that was put there by other hands and has no row yet.
fn loose_etag(size: u64, modified_ns: i64) -> String {
    format!("d{size:x}-{modified_ns:x}")
}
