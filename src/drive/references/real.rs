//! A file that was pointed at becomes a file of the locker's own: its bytes are copied beside it,
//! held against the hash, and put in the symlink's place before the row says so. A crash in between
//! leaves a file that is what its row says, and the next start sees that. Others that point at the
//! same share the first one's bytes. Nothing is charged: they counted in full all along.

use std::{fs::File, os::unix::ffi::OsStringExt as _, sync::Arc};

use crate::{
    Error, Result,
    drive::{
        Drive, Kinship, Origin,
        disk::{Lent, digest, file_facts},
        put::{blocking, staging_name},
    },
    events::Event,
    ids::LockerId,
    media::sealed::{Seal, Sealed},
    path_text,
};

/// A reference as its row has it.
#[derive(Debug, Clone)]
pub(super) struct Reference {
    pub(super) lent: Lent,
    pub(super) library: i64,
    pub(super) path: String,
    pub(super) hash: Vec<u8>,
    pub(super) is_missing: bool,
}

/// What points with a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Holder {
    /// A file of a locker: its row.
    File(i64),
    /// One that was kept: the kept thing, and the path in it.
    Kept(String, String),
}

/// Where a holder's symlink is: its locker, and folder and path below the drive's root.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    pub(super) locker: LockerId,
    pub(super) folder: String,
    pub(super) path: String,
    /// It is known to be gone.
    pub(super) is_missing: bool,
}

/// A file of a watched folder that has the bytes of a reference, as far as its hash was told.
pub(super) struct InFolder {
    pub(super) library: i64,
    /// In its library.
    pub(super) path: String,
    /// The folder lends.
    pub(super) lends: bool,
    pub(super) sealed: Sealed,
}

impl Drive {
    /// The references of a locker, whole: what must be copied before its folder may go elsewhere.
    pub(in crate::drive) async fn make_locker_real(&self, locker: LockerId) -> Result<()> {
        let references = sqlx::query_scalar!(
            r#"select reference_id as "id!: i64" from drive_reference where reference_id in
                 (select reference_id from drive_file where locker_id = ?1
                  union select f.reference_id from drive_kept_file f join drive_kept k using (kept_id)
                  where k.locker_id = ?1)"#,
            locker.0
        )
        .fetch_all(self.db.read())
        .await?;
        for id in references {
            let Some(reference) = self.reference(id).await? else { continue };
            let holders = self.holders(id).await?;
            let mut own = Vec::new();
            for holder in holders {
                if self.spot(&holder).await?.is_some_and(|spot| spot.locker == locker) {
                    own.push(holder);
                }
            }
            let places = self.in_folders(&reference.hash).await?;
            match self.bytes_of(&reference, &places).await? {
                Some((source, kinship)) => self.give(&reference, own, source, kinship).await?,
                None => tracing::warn!(
                    file = %reference.lent.sealed.path.display(),
                    "what a locker pointed at is not there; the locker goes without it"
                ),
            }
        }
        Ok(())
    }

    /// Gives everything that points with a reference bytes of its own. False if they are nowhere.
    pub(super) async fn make_reference_real(
        &self,
        reference: &Reference,
        places: &[InFolder],
    ) -> Result<bool> {
        let Some((source, kinship)) = self.bytes_of(reference, places).await? else {
            return Ok(false);
        };
        if reference.is_missing {
            self.set_missing(reference, false).await?;
        }
        let holders = self.holders(reference.lent.id).await?;
        self.give(reference, holders, source, kinship).await?;
        Ok(true)
    }

    /// The bytes of a reference, from its folder or from wherever else they are, proved.
    async fn bytes_of(
        &self,
        reference: &Reference,
        places: &[InFolder],
    ) -> Result<Option<(Arc<File>, Kinship)>> {
        // Another real file of the drive costs nothing.
        if let Some(file) = self.real_copy(reference).await? {
            return Ok(Some((file, Kinship::Locker)));
        }
        let mut unknown = None;
        let places = places.iter().map(|place| &place.sealed);
        for place in std::iter::once(&reference.lent.sealed).chain(places) {
            let (place, hash) = (place.clone(), reference.hash.clone());
            let opened = blocking(move || {
                let Some((file, _)) = place.look()? else { return Ok(None) };
                Ok(is_of(&file, &hash)?.then_some(Arc::new(file)))
            });
            match opened.await {
                Ok(Some(file)) => return Ok(Some((file, Kinship::Outside))),
                Ok(None) => (),
                // Another place may do; if none does, nobody knows that the bytes are nowhere.
                Err(error) => unknown = Some(error),
            }
        }
        unknown.map_or(Ok(None), Err)
    }

    /// A real file of a locker or shelf with the bytes of a reference.
    async fn real_copy(&self, reference: &Reference) -> Result<Option<Arc<File>>> {
        let hash = reference.hash.as_slice();
        let rows = sqlx::query!(
            r#"select l.path as "folder!: String", f.path as "path!: String"
               from drive_file f join locker l using (locker_id)
               where f.content_hash = ?1 and f.reference_id is null and f.missing_at is null
               union all
               select k.shelf || '/' || k.kept_id, k.name || iif(f.path = '', '', '/' || f.path)
               from drive_kept_file f join drive_kept k using (kept_id)
               where f.content_hash = ?1 and f.reference_id is null and (k.gone_at is null or k.held_by is not null)"#,
            hash
        )
        .fetch_all(self.db.read())
        .await?;
        for row in rows {
            let (disk, hash) = (self.disk.clone(), reference.hash.clone());
            let opened = blocking(move || {
                let Ok(file) = disk.open_real(&row.folder, &row.path) else { return Ok(None) };
                Ok(is_of(&file, &hash)?.then_some(Arc::new(file)))
            });
            if let Some(file) = opened.await? {
                return Ok(Some(file));
            }
        }
        Ok(None)
    }

    /// Files of watched folders that were of this content when they were hashed.
    pub(super) async fn in_folders(&self, hash: &[u8]) -> Result<Vec<InFolder>> {
        let rows = sqlx::query!(
            r#"select m.library_id as "library!: i64", m.path, b.path as root, m.size_bytes, m.modified_ns,
                      b.may_refer = 1 as "lends!: bool"
               from folder_hash h join media_file m using (media_file_id) join library b using (library_id)
               where h.content_hash = ?1 and h.size_bytes = m.size_bytes and h.modified_ns = m.modified_ns
                 and b.kind = 'folder' and b.is_active = 1
                 and b.library_id not in (select library_id from shared_library)"#,
            hash
        )
        .fetch_all(self.db.read())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let path = path_text::decode(&row.root).join(path_text::decode(&row.path));
                let (size, modified_ns) = (row.size_bytes.unsigned_abs(), row.modified_ns);
                let sealed = Sealed { path, size, modified_ns, seal: None };
                InFolder { library: row.library, path: row.path, lends: row.lends, sealed }
            })
            .collect())
    }

    async fn give(
        &self,
        reference: &Reference,
        holders: Vec<Holder>,
        mut source: Arc<File>,
        mut kinship: Kinship,
    ) -> Result<()> {
        for holder in holders {
            let Some(made) = self.give_one(reference, &holder, &source, kinship).await? else {
                continue;
            };
            (source, kinship) = (made, Kinship::Locker);
        }
        Ok(())
    }

    /// The file that took the symlink's place, if it did.
    async fn give_one(
        &self,
        reference: &Reference,
        holder: &Holder,
        source: &Arc<File>,
        kinship: Kinship,
    ) -> Result<Option<Arc<File>>> {
        let Some(spot) = self.spot(holder).await? else { return Ok(None) };
        let lock = self.lock(spot.locker);
        let turn = lock.lock().await;
        // It may have been moved while this waited.
        let Some(spot) = self.spot(holder).await? else { return Ok(None) };
        let (disk, place, source) = (self.disk.clone(), spot.clone(), Arc::clone(source));
        let (name, hash, modified_ns) =
            (staging_name()?, reference.hash.clone(), reference.lent.sealed.modified_ns);
        let made = blocking(move || {
            let staged = disk.stage_copy(&name, &source, kinship)?;
            // What was copied byte by byte may have been written to meanwhile.
            if staged.origin == Origin::Copy && !is_of(&staged.file, &hash)? {
                return Err(std::io::ErrorKind::Interrupted.into());
            }
            let (file, origin) = (staged.file.try_clone()?, staged.origin);
            if !disk.make_real(staged, &place.folder, &place.path, modified_ns)? {
                return Ok(None);
            }
            let (_, modified_ns) = file_facts(&file)?;
            Ok(Some((Arc::new(file), origin, modified_ns)))
        })
        .await?;
        let (file, origin, modified_ns) = match made {
            Some((file, origin, modified_ns)) => (Some(file), origin, modified_ns),
            // Its symlink is gone: so is its file, once that is known.
            None if spot.is_missing => (None, Origin::Own, modified_ns),
            None => return Ok(None),
        };
        self.write_real(reference.lent.id, holder, origin, modified_ns).await?;
        drop(turn);
        if let (Holder::File(_), Some(_)) = (holder, &file) {
            let (locker, path) = (spot.locker, spot.path);
            self.events.publish(Event::DriveChanged { locker, path });
        }
        Ok(file)
    }

    async fn write_real(
        &self,
        reference: i64,
        holder: &Holder,
        origin: Origin,
        modified_ns: i64,
    ) -> Result<()> {
        let origin = origin.as_str();
        let mut tx = self.db.write().await?;
        match holder {
            Holder::File(id) => {
                sqlx::query!(
                    "update drive_file set reference_id = null, origin = ?, modified_ns = ?
                     where drive_file_id = ? and reference_id = ?",
                    origin,
                    modified_ns,
                    id,
                    reference
                )
                .execute(&mut *tx)
                .await?;
            }
            Holder::Kept(id, path) => {
                sqlx::query!(
                    "update drive_kept_file set reference_id = null, origin = ?, modified_ns = ?
                     where kept_id = ? and path = ? and reference_id = ?",
                    origin,
                    modified_ns,
                    id,
                    path,
                    reference
                )
                .execute(&mut *tx)
                .await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }

    /// One reference.
    pub(super) async fn reference(&self, id: i64) -> Result<Option<Reference>> {
        let row = sqlx::query!(
            r#"select library_id, path, target, size_bytes, modified_ns, changed_ns, content_hash, quick_key,
                      missing_at is not null as "is_missing!: bool"
               from drive_reference where reference_id = ?"#,
            id
        )
        .fetch_optional(self.db.read())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let sealed = Sealed {
            path: std::ffi::OsString::from_vec(row.target).into(),
            size: row.size_bytes.unsigned_abs(),
            modified_ns: row.modified_ns,
            seal: Seal::of(row.changed_ns, &row.content_hash),
        };
        let quick_key = row.quick_key.try_into().map_err(|_| {
            Error::internal(anyhow::anyhow!("the quick key of reference {id} is none"))
        })?;
        Ok(Some(Reference {
            lent: Lent { id, sealed, quick_key },
            library: row.library_id,
            path: row.path,
            hash: row.content_hash,
            is_missing: row.is_missing,
        }))
    }

    /// Everything that points with a reference.
    pub(super) async fn holders(&self, reference: i64) -> Result<Vec<Holder>> {
        let files = sqlx::query_scalar!(
            "select drive_file_id from drive_file where reference_id = ?",
            reference
        )
        .fetch_all(self.db.read())
        .await?;
        let kept = sqlx::query!(
            "select kept_id, f.path from drive_kept_file f join drive_kept k using (kept_id)
             where f.reference_id = ? and (k.gone_at is null or k.held_by is not null)",
            reference
        )
        .fetch_all(self.db.read())
        .await?;
        let kept = kept.into_iter().map(|row| Holder::Kept(row.kept_id, row.path));
        Ok(files.into_iter().map(Holder::File).chain(kept).collect())
    }

    /// Where a holder is now.
    pub(super) async fn spot(&self, holder: &Holder) -> Result<Option<Spot>> {
        match holder {
            Holder::File(id) => {
                let row = sqlx::query!(
                    r#"select f.locker_id as "locker!: i64", l.path as folder, f.path,
                              f.missing_at is not null as "is_missing!: bool"
                       from drive_file f join locker l using (locker_id)
                       where drive_file_id = ? and f.reference_id is not null"#,
                    id
                )
                .fetch_optional(self.db.read())
                .await?;
                Ok(row.map(|row| Spot {
                    locker: row.locker.into(),
                    folder: row.folder,
                    path: row.path,
                    is_missing: row.is_missing,
                }))
            }
            Holder::Kept(id, inner) => {
                let row = sqlx::query!(
                    "select locker_id, shelf, name from drive_kept where kept_id = ? and (gone_at is null or held_by is not null)",
                    id
                )
                .fetch_optional(self.db.read())
                .await?;
                Ok(row.map(|row| Spot {
                    locker: row.locker_id.into(),
                    folder: format!("{}/{id}", row.shelf),
                    path: match inner.as_str() {
                        "" => row.name,
                        inner => format!("{}/{inner}", row.name),
                    },
                    is_missing: false,
                }))
            }
        }
    }
}

/// Whether a file is of this content.
pub(super) fn is_of(file: &File, hash: &[u8]) -> std::io::Result<bool> {
    Ok(digest(file, None, |_| true)?.is_some_and(|it| it.content == hash))
}
