//! Checks the books: disk, rows, figures, ledger, promises, trash, versions and staging must tell
//! the same story. Each difference is a sentence.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    time::Duration,
};

use super::{
    Drive,
    disk::{self, Abilities, Disk, LASTING},
    kept::{held_ids, owner},
    put::blocking,
    reconcile::walk,
    references::{self, Pointing, lent_of_kept, lent_of_locker, pointed_wrongly},
    standing::{DRIVE, Standing},
    uploads::TidyAt,
};
use crate::{
    Result,
    accounts::{Audit, audit},
    db::Db,
    error::is_nowhere,
    ids::LockerId,
};

/// Where it is kept what the file system can.
const ABILITIES: &str = "drive.abilities";
/// What moves into staging and out again is gone sooner.
const IN_FLIGHT: Duration = Duration::from_mins(10);

/// The differences found in a data folder that no server runs over; nothing is changed.
pub async fn examine(db: &Db, root: PathBuf) -> Result<Vec<String>> {
    let doctor = Doctor { db: db.clone(), disk: Disk::at(root), drive: None, found: Vec::new() };
    doctor.run().await
}

/// What the file system of the drive can, as the last start found out; `None` before the first.
pub async fn abilities(db: &Db) -> Result<Option<Abilities>> {
    db.meta_of(ABILITIES).await
}

/// How much points into watched folders, and what of it is missing.
pub async fn pointing(db: &Db) -> Result<Pointing> {
    references::pointing(db).await
}

impl Drive {
    /// What the file system of the drive can, as the last start found out.
    pub async fn abilities(&self) -> Result<Option<Abilities>> {
        abilities(&self.db).await
    }

    /// Keeps what the start found out, for whoever looks later.
    pub(super) async fn keep_abilities(&self) -> Result<()> {
        let found = self.disk.abilities();
        if self.abilities().await? == Some(found) {
            return Ok(());
        }
        self.db.keep_meta_of(ABILITIES, &found).await
    }

    /// How much points into watched folders, and what of it is missing.
    pub async fn pointing(&self) -> Result<Pointing> {
        pointing(&self.db).await
    }

    /// The differences found while the server runs; nothing is changed. Each locker stands still
    /// while it is looked at.
    pub async fn examine(&self) -> Result<Vec<String>> {
        let doctor = Doctor {
            db: self.db.clone(),
            disk: self.disk.clone(),
            drive: Some(self),
            found: Vec::new(),
        };
        doctor.run().await
    }

    /// Makes rows fit the disk and figures the rows, after a disk that failed was tried. Files are never
    /// deleted by it.
    pub async fn repair(&self) -> Result<()> {
        if matches!(self.standing().await?, Standing::Degraded(_))
            || self.db.storage().fault().is_some()
        {
            self.try_disks().await?;
        }
        self.reconcile().await?;
        if self.is_writable().await? {
            self.tidy_uploads(TidyAt::Running).await?;
            self.sweep_gone().await?;
            self.look_at_references().await?;
            self.point_all_again().await?;
        }
        self.accounts.set_right().await
    }
}

struct Doctor<'a> {
    db: Db,
    disk: Disk,
    /// The running drive, whose lockers are stopped one by one.
    drive: Option<&'a Drive>,
    found: Vec<String>,
}

impl Doctor<'_> {
    async fn run(mut self) -> Result<Vec<String>> {
        let known = self.db.meta(DRIVE).await?;
        let disk = self.disk.clone();
        let id = blocking(move || disk.id()).await?;
        if known.is_some() && id != known {
            self.say(
                "The drive is not the one that the files were stored on; is its disk mounted?",
            );
            return Ok(self.found);
        }
        for books in audit(&self.db).await? {
            let lock = self.drive.map(|drive| drive.lock(books.locker));
            let _turn = match &lock {
                Some(lock) => Some(lock.lock().await),
                None => None,
            };
            self.files(&books).await?;
            self.shelves(&books).await?;
        }
        // All figures at one moment, from one statement each.
        for books in audit(&self.db).await? {
            self.figures(&books);
        }
        self.uploads().await?;
        Ok(self.found)
    }

    fn say(&mut self, sentence: impl Into<String>) {
        self.found.push(sentence.into());
    }

    fn say_all(&mut self, whose: &str, all: Vec<String>) {
        self.found.extend(all.into_iter().map(|one| format!("{whose}: {one}")));
    }

    fn figures(&mut self, books: &Audit) {
        let whose = &books.path;
        for (what, [figure, rows, ledger]) in [
            ("used", books.used),
            ("exempt", books.exempt),
            ("in trash and versions", books.reclaimable),
        ] {
            if figure != rows {
                self.found.push(format!(
                    "{whose}: {figure} bytes are shown as {what}, and its files come to {rows}"
                ));
            }
            if figure != ledger {
                self.found.push(format!(
                    "{whose}: {figure} bytes are shown as {what}, and the ledger sums up to {ledger}"
                ));
            }
        }
        let [figure, promised] = books.reserved;
        if figure != promised {
            self.found.push(format!(
                "{whose}: {figure} bytes are shown as reserved, and {promised} are promised to uploads"
            ));
        }
    }

    /// The tree on the disk against its rows.
    async fn files(&mut self, books: &Audit) -> Result<()> {
        let rows = sqlx::query!(
            r#"select path, size_bytes, reference_id is not null as "is_lent!: bool" from drive_file
               where locker_id = ? and missing_at is null"#,
            books.locker.0
        )
        .fetch_all(self.db.read())
        .await?;
        let mut rows: HashMap<String, (u64, bool)> = rows
            .into_iter()
            .map(|row| (row.path, (row.size_bytes.unsigned_abs(), row.is_lent)))
            .collect();
        let lent = lent_of_locker(&self.db, books.locker).await?;
        let (disk, folder) = (self.disk.clone(), books.path.clone());
        let found = blocking(move || match walk(&disk, &folder, &lent) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            found => found.map(|(found, _)| found),
        })
        .await?;
        let mut differences = Vec::new();
        for (path, file) in found {
            match rows.remove(&path) {
                None => differences.push(format!("{path} lies on the disk and is not counted")),
                Some((size, _)) if size != file.size => differences.push(format!(
                    "{path} has {} bytes on the disk and is counted with {size}",
                    file.size
                )),
                Some((_, true)) if !file.is_lent => differences.push(format!(
                    "{path} has bytes of its own and is known as one that points into a folder"
                )),
                Some((_, false)) if file.is_lent => differences.push(format!(
                    "{path} points into a folder and is known as one with bytes of its own"
                )),
                Some(_) => (),
            }
        }
        differences.extend(self.unspeakable(&books.path).await?);
        differences.extend(pointed_wrongly(&self.db, &self.disk, books.locker).await?);
        let mut gone: Vec<String> = rows.into_keys().collect();
        gone.sort();
        differences
            .extend(gone.into_iter().map(|path| format!("{path} is counted and not on the disk")));
        self.say_all(&books.path, differences);
        Ok(())
    }

    /// What other hands gave names that no face can say: nobody sees it, and it does not count.
    async fn unspeakable(&self, folder: &str) -> Result<Vec<String>> {
        let (disk, folder) = (self.disk.clone(), folder.to_owned());
        blocking(move || {
            let root = match disk.locker(&folder) {
                Err(error) if is_nowhere(&error) => return Ok(Vec::new()),
                root => root?,
            };
            let mut folders = vec![String::new()];
            disk::folders_below(&root, "", |path| {
                folders.push(path.to_owned());
                true
            })?;
            let mut found = Vec::new();
            for folder in folders {
                let names = match disk::unspeakable(&root, &folder) {
                    // Gone between listing and looking.
                    Err(error) if is_nowhere(&error) => continue,
                    names => names?,
                };
                let place = |name| if folder.is_empty() { name } else { format!("{folder}/{name}") };
                found.extend(names.into_iter().map(place));
            }
            let say = |path| format!(
                "{path} has a name that is not UTF-8: it is not shown and does not count; give it another name on the disk"
            );
            Ok(found.into_iter().map(say).collect())
        })
        .await
    }

    /// Trash and versions on the disk against their rows.
    async fn shelves(&mut self, books: &Audit) -> Result<()> {
        let mut rows = self.kept_rows(books.locker).await?;
        let (disk, whose) = (self.disk.clone(), owner(&books.path).to_owned());
        let on_shelves = blocking(move || disk.look_at_shelves(&whose)).await?;
        let mut found = Vec::with_capacity(on_shelves.len());
        for on_shelf in on_shelves {
            let lent = lent_of_kept(&self.db, &on_shelf.spot.id).await?;
            let (disk, spot) = (self.disk.clone(), on_shelf.spot.clone());
            let files = blocking(move || disk.shelved_files(&spot, &lent)).await?;
            found.push((on_shelf.spot, files.iter().map(|(_, size, _)| size).sum::<u64>()));
        }
        let mut differences = Vec::new();
        let held = held_ids(&self.db, books.locker).await?;
        for (spot, size) in found.into_iter().filter(|(spot, _)| !held.contains(&spot.id)) {
            let place = format!("{}/{}", spot.folder(), spot.name);
            match rows.remove(&spot.id) {
                None => differences.push(format!("{place} lies on the disk and is not counted")),
                Some((_, counted)) if counted != size => differences.push(format!(
                    "{place} has {size} bytes on the disk and is counted with {counted}"
                )),
                Some(_) => (),
            }
        }
        for (path, _) in rows.into_values() {
            differences.push(format!("what was kept of {path} is counted and not on the disk"));
        }
        self.say_all(&books.path, differences);
        Ok(())
    }

    /// Id, path and bytes. What is about to be deleted may be there or not.
    async fn kept_rows(&self, locker: LockerId) -> Result<HashMap<String, (String, u64)>> {
        let rows = sqlx::query!(
            "select kept_id, path, size_bytes from drive_kept where locker_id = ? and gone_at is null",
            locker.0
        )
        .fetch_all(self.db.read())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.kept_id, (row.path, row.size_bytes.unsigned_abs())))
            .collect())
    }

    /// Staging against uploads and promises.
    async fn uploads(&mut self) -> Result<()> {
        let disk = self.disk.clone();
        let staged = blocking(move || disk.staged()).await?;
        let uploads = sqlx::query!(
            "select upload_id, received, reservation_id, unpacks as \"unpacks!: bool\" from upload
             where etag is null"
        )
        .fetch_all(self.db.read())
        .await?;
        let promises =
            sqlx::query!("select reservation_id as \"id!: i64\", staging from reservation")
                .fetch_all(self.db.read())
                .await?;
        let in_flight: HashSet<&str> = promises.iter().map(|one| one.staging.as_str()).collect();
        for (name, age, _) in &staged {
            let is_upload = name
                .strip_prefix(LASTING)
                .is_some_and(|id| uploads.iter().any(|upload| upload.upload_id == id));
            let is_young = self.drive.is_some() && *age < IN_FLIGHT;
            if !is_upload && !in_flight.contains(name.as_str()) && !is_young {
                self.found.push(format!("staging/{name} belongs to no upload"));
            }
        }
        for upload in &uploads {
            let id = &upload.upload_id;
            let stored =
                staged.iter().find(|(name, ..)| name.strip_prefix(LASTING) == Some(id.as_str()));
            match stored {
                None => self.found.push(format!("The upload {id} has no file in staging")),
                Some((.., size)) if *size < upload.received.unsigned_abs() => {
                    self.found.push(format!(
                        "The upload {id} has {size} bytes in staging and {} were acknowledged",
                        upload.received
                    ));
                }
                Some(_) => (),
            }
            let is_promised =
                upload.reservation_id.is_some_and(|id| promises.iter().any(|one| one.id == id));
            // What is being unpacked needs no room any more.
            if !is_promised && !upload.unpacks {
                self.found.push(format!("Nothing is promised to the upload {id}"));
            }
        }
        for promise in promises.iter().filter(|one| one.staging.starts_with(LASTING)) {
            if !uploads.iter().any(|upload| upload.reservation_id == Some(promise.id)) {
                self.found.push(format!("{} has a promise and is no upload", promise.staging));
            }
        }
        Ok(())
    }
}
