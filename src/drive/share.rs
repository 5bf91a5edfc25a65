//! A file from bytes that are here already: in a locker or in a watched folder. Charged in full,
//! through the same reservation and the same publishing as bytes that are sent.

use std::{fs::File, sync::Arc};

use super::{
    Drive, Kinship, Origin, Stored, Target,
    disk::{self, digest, file_facts},
    exempt::Handover,
    put::{Publishing, blocking, refuse_unless, staging_name},
    reach::Access,
    references::Lendable,
};
use crate::{Error, Result, accounts::Principal, ids::LockerId};

/// Bytes that are here, open, as they were when they were found.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// The open file.
    pub(crate) file: Arc<File>,
    /// Where it lies.
    pub(crate) kinship: Kinship,
    /// Bytes.
    pub(crate) size: u64,
    /// When it was last changed, ns since the epoch.
    pub(crate) modified_ns: i64,
    /// It may be pointed at.
    pub(crate) lendable: Option<Lendable>,
}

impl Drive {
    /// Opens a file of a locker by its path, whoever asks: only for those who have proved that
    /// they hold its bytes, or will before they learn anything of them.
    pub(crate) async fn source(&self, locker: LockerId, path: &str) -> Result<Source> {
        let folder = sqlx::query_scalar!("select path from locker where locker_id = ?", locker.0)
            .fetch_optional(self.db.read())
            .await?
            .ok_or(Error::NotFound("File"))?;
        if let Some(lent) = self.lent_at(locker, path).await? {
            let file = Arc::new(self.open_lent(&folder, path, &lent).await?);
            let lendable = self.lendable_again(&lent).await?;
            let (size, modified_ns) = (lent.sealed.size, lent.sealed.modified_ns);
            return Ok(Source { file, kinship: Kinship::Outside, size, modified_ns, lendable });
        }
        let (disk, path) = (self.disk.clone(), path.to_owned());
        let opened = blocking(move || disk::open_file(&disk.locker(&folder)?, &path)).await?;
        let (file, size, modified_ns) = opened;
        let (file, kinship) = (Arc::new(file), Kinship::Locker);
        Ok(Source { file, kinship, size, modified_ns, lendable: None })
    }

    /// Makes a file of bytes that are here; `hash` is their BLAKE3. `Conflict` if they changed
    /// since they were found. How it was made is told with it.
    pub(crate) async fn put_shared(
        &self,
        principal: &Principal,
        target: &Target,
        source: Source,
        hash: [u8; 32],
    ) -> Result<(Stored, Origin)> {
        let (locker, path) =
            self.reach(principal, target.locker, &target.path, Access::Write).await?;
        if target.path.is_root() {
            return Err(Error::Invalid("Say which file this is".to_owned()));
        }
        let before = self.row_as_it_lies(&locker, path.as_str()).await?;
        refuse_unless(&target.condition, before.as_ref())?;
        let is_new = before.is_none();
        let promised = before.map_or(source.size, |row| row.more_for(source.size, &hash));
        let staging = staging_name()?;
        let reservation = self.accounts.reserve(locker.id, promised, &staging).await?;
        let (disk, size) = (self.disk.clone(), source.size);
        // In the place of another file it is a copy: a crash between disk and row must leave one of
        // the two, and a symlink without its row is none.
        let lendable = match source.lendable.clone() {
            Some(lendable) if is_new && 0 < size => {
                let may_point = self.may_point(&lendable, size, source.modified_ns).await?;
                may_point.then_some(lendable)
            }
            _ => None,
        };
        let target_file = lendable.as_ref().map(|it| it.target.clone());
        let staged = blocking(move || {
            let staged = match target_file {
                Some(target) => disk.stage_reference(&staging, &source.file, &target)?,
                None => disk.stage_copy(&staging, &source.file, source.kinship)?,
            };
            let facts = file_facts(&source.file)?;
            let is_same = facts == (source.size, source.modified_ns)
                && file_facts(&staged.file)?.0 == source.size
                // What was copied byte by byte may have been written to meanwhile.
                && (staged.origin != Origin::Copy
                    || digest(&staged.file, None, |_| true)?.is_some_and(|it| it.content == hash));
            Ok(is_same.then_some(staged))
        })
        .await;
        let staged = match staged {
            Ok(Some(staged)) => staged,
            failed => {
                reservation.release().await?;
                failed?;
                return Err(Error::Conflict("The file was changed meanwhile".to_owned()));
            }
        };
        let origin = staged.origin;
        let publishing = Publishing {
            drive: self.clone(),
            locker,
            path,
            condition: target.condition.clone(),
            user: principal.user,
            reservation,
            received: size,
            hash,
            upload: None,
            handover: Handover::default(),
            lendable,
        };
        let stored = tokio::spawn(publishing.run(staged)).await??;
        Ok((stored, origin))
    }
}
