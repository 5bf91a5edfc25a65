//! Whether the drive is there and can be written to. The mount point of a disk that did not come up
//! is an empty folder, or another disk: taken for the drive, it would make everything look deleted,
//! and what is stored in it would be hidden by the disk that comes later. A disk that failed to keep
//! what was written may do so again. Either way nothing is stored, and nothing is changed.

use tokio_util::sync::CancellationToken;

use super::{
    Drive,
    put::{blocking, staging_name},
};
use crate::{Error, Result, accounts::Principal, storage::Fault};

/// So many of the oldest and of the newest files are looked for on a drive without its mark.
const SAMPLE: i64 = 500;
/// Under this it is kept which drive it is.
pub(super) const DRIVE: &str = "drive";
/// What administrators are told of it under.
const NOTICE: &str = "storage";

/// How the drive stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is there, and keeps what is written to it.
    Sound,
    /// The files that were stored are not there.
    Unmounted,
    /// A write to it failed; what failed. What is there is read where it can be.
    Degraded(Fault),
}

impl Standing {
    /// One word: `ok`, `unmounted`, `degraded`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Sound => "ok",
            Self::Unmounted => "unmounted",
            Self::Degraded(_) => "degraded",
        }
    }

    /// What an administrator should know, as sentences.
    #[must_use]
    pub fn worry(&self) -> Option<String> {
        match self {
            Self::Sound => None,
            Self::Unmounted => Some(
                "The disk of the lockers is not mounted. Nothing can be stored; nothing that was stored is changed."
                    .to_owned(),
            ),
            Self::Degraded(what) => Some(format!(
                "The disk of the lockers is failing: {what}. Nothing is stored until it was looked after and tried; what is there can be played and fetched. See that there is a backup."
            )),
        }
    }
}

impl Drive {
    /// How the drive stands now.
    pub async fn standing(&self) -> Result<Standing> {
        if let Some(what) = self.disk.storage().fault() {
            return Ok(Standing::Degraded(what));
        }
        Ok(if self.is_mounted().await? { Standing::Sound } else { Standing::Unmounted })
    }

    /// Whether things may be put in order on it.
    pub(super) async fn is_writable(&self) -> Result<bool> {
        Ok(self.db.storage().fault().is_none() && self.standing().await? == Standing::Sound)
    }

    /// The same for whoever has an error already.
    pub(super) async fn is_well(&self) -> bool {
        matches!(self.is_writable().await, Ok(true))
    }

    /// Refuses to write where the drive is not mounted, or failed, and where no row could tell of it.
    pub(super) async fn require_writable(&self) -> Result<()> {
        if let Some(what) = self.db.storage().fault() {
            return Err(Error::StorageDegraded(what.to_string()));
        }
        match self.standing().await? {
            Standing::Sound => Ok(()),
            Standing::Unmounted => Err(not_mounted()),
            Standing::Degraded(what) => Err(Error::StorageDegraded(what.to_string())),
        }
    }

    /// Tries the disks of the lockers and of the database, and takes them for sound again if they
    /// keep what is written to them. Administrators only.
    pub async fn try_storage(&self, principal: &Principal) -> Result<()> {
        principal.require_admin()?;
        self.try_disks().await?;
        // What the disk left undecided is decided as after a crash.
        self.finish_moves().await?;
        self.look_again().await?;
        self.finish_placings().await
    }

    pub(super) async fn try_disks(&self) -> Result<()> {
        self.db.try_storage().await?;
        // Another disk, or the bare mount point, proves nothing of this one.
        if !self.is_mounted().await? {
            return Err(not_mounted());
        }
        let (disk, name) = (self.disk.clone(), staging_name()?);
        blocking(move || disk.try_out(&name)).await
    }

    /// Tells administrators when the disk fails, and takes it back when it was tried, until `stop`.
    pub(super) async fn tell_of_storage(&self, stop: &CancellationToken) {
        let mut states = self.disk.storage().subscribe();
        states.mark_changed();
        while let Some(Ok(())) = stop.run_until_cancelled(states.changed()).await {
            let fault = states.borrow_and_update().clone();
            let text = fault.and_then(|what| Standing::Degraded(what).worry());
            if let Err(error) = self.accounts.tell_administrators(NOTICE, text.as_deref()).await {
                tracing::error!("administrators could not be told of the disk: {error:?}");
            }
        }
    }

    /// Whether this is the drive that the rows tell of. A new one is marked; one that lost its
    /// mark but not its files (a copy by hand) is marked again.
    pub(super) async fn is_mounted(&self) -> Result<bool> {
        let disk = self.disk.clone();
        // A disk that cannot even tell what it is has failed.
        let found = blocking(move || disk.storage().over(|| disk.id())).await?;
        let known = self.db.meta(DRIVE).await?;
        if found.is_some() && found == known {
            return Ok(true);
        }
        if !self.has_what_rows_tell_of().await? {
            return Ok(false);
        }
        let (disk, id) = (self.disk.clone(), staging_name()?);
        let mark = id.clone();
        blocking(move || disk.set_id(&mark)).await?;
        self.db.keep_meta(DRIVE, &id).await?;
        Ok(true)
    }

    /// Whether some of the files lie here that rows tell of, or no row tells of any. That there are
    /// lockers proves nothing: other hands make folders; and what removed users left may be cleared
    /// away by hand.
    async fn has_what_rows_tell_of(&self) -> Result<bool> {
        let places = sqlx::query_scalar!(
            r#"with live as (select locker_id from locker where path not like 'removed/%')
               select l.path || '/' || f.path as "place!: String"
               from drive_file f join locker l using (locker_id)
               where f.drive_file_id in
                 (select drive_file_id from (select drive_file_id from drive_file
                    where missing_at is null and locker_id in (select locker_id from live)
                    order by drive_file_id limit ?1)
                  union select drive_file_id from (select drive_file_id from drive_file
                    where missing_at is null and locker_id in (select locker_id from live)
                    order by drive_file_id desc limit ?1))
               union all
               select * from (select shelf || '/' || kept_id || '/' || name from drive_kept
                 where locker_id in (select locker_id from live)
                 order by kept_id limit ?1)"#,
            SAMPLE
        )
        .fetch_all(self.db.read())
        .await?;
        if places.is_empty() {
            return Ok(true);
        }
        let disk = self.disk.clone();
        // What cannot be looked at is not there.
        blocking(move || {
            Ok(places.iter().any(|place| matches!(disk.is_there("", place), Ok(true))))
        })
        .await
    }
}

fn not_mounted() -> Error {
    Error::Unavailable("The disk of the lockers is not mounted".to_owned())
}
