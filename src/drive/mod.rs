//! What is kept: each locker's tree of plain files on disk, published by rename, charged to the
//! byte. Knows nothing of music.

mod archive;
mod by_hand;
mod condition;
mod deliveries;
mod disk;
mod doctor;
mod erase;
mod exempt;
mod files;
mod ground;
mod imports;
mod kept;
mod locked;
mod locks;
mod lost;
mod names;
mod pieces;
mod places;
mod placing;
mod properties;
mod put;
mod reach;
mod receive;
mod reconcile;
mod references;
mod rows;
mod scrub;
mod search;
mod share;
mod shared_costs;
mod shelves;
mod standing;
mod take_down;
mod transfer;
mod trash;
mod uploads;
mod versions;

use std::{
    collections::{HashMap, HashSet},
    io,
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

pub use condition::Condition;
pub use deliveries::{
    Deliveries, Delivery, Granted, Item, ItemSource, NewDelivery, NewItem, Product, Received,
};
pub use disk::{Abilities, Origin};
pub(crate) use disk::{Digests, Kinship, digest, quick_key};
pub use doctor::{abilities, examine, pointing};
pub use erase::Overdue;
pub use exempt::Exempt;
use exempt::Handover;
pub use files::{Content, Entry, EntryKind, OpenFile};
pub use imports::{
    Destination, Import, ImportItem, ImportState, Imports, NewImport, OwnLocks, Problem,
};
pub use kept::{Kept, KeptKind};
pub use locks::{LONGEST_LOCK, Lock, LockReach, LockScope, Locking, LocksAround, NewLock};
pub(crate) use names::composed;
pub use names::{NameProblem, RelativePath};
pub use places::{FolderShare, Place, PlaceKind};
pub use properties::{Property, PropertyChange, PropertyName};
pub use put::{Stored, Target};
pub(crate) use references::lent_places;
pub use references::{LentOut, Pointing};
pub use scrub::{Damage, ScrubState, Scrubbed, read_everything};
pub use search::Hit;
pub(crate) use share::Source;
pub use standing::Standing;
pub(crate) use take_down::{Barred, Sound, TAKEN_DOWN};
pub use take_down::{Lies, Owned, Owners, TakeDown};
pub use transfer::Moved;
use uploads::TidyAt;
pub use uploads::{Appended, Checksum, NewUpload, UploadForm, UploadState};

use crate::{
    Error, Result,
    accounts::{Accounts, Locker},
    clock::Clock,
    db::Db,
    events::{Event, Events},
    ids::LockerId,
    media::worker::Pool,
};

/// How often the disk is looked at for what other hands did.
const LOOK_AGAIN: Duration = Duration::from_hours(1);

/// The drive service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Drive {
    disk: disk::Disk,
    db: Db,
    clock: Clock,
    events: Events,
    accounts: Accounts,
    /// Publishing, removing and moving go one after the other in each locker.
    locks: Arc<Mutex<HashMap<LockerId, Arc<tokio::sync::Mutex<()>>>>>,
    /// Files that are being replaced by an upload which got the credit for it.
    credits: Arc<Mutex<HashSet<(LockerId, String)>>>,
    uploads: Arc<uploads::Writers>,
    /// Wakes who carries take-downs out.
    take_downs: Arc<tokio::sync::Notify>,
    /// Wakes who looks after what lies in watched folders.
    references: Arc<tokio::sync::Notify>,
    /// Tells sounds apart, where some must stay away.
    ear: Arc<OnceLock<Pool>>,
}

impl Drive {
    /// Over an open database; `root` is made if absent, and probed. What a crash left is put
    /// right before this returns. A disk that fails at that is read as far as it can be.
    pub async fn open(
        root: PathBuf,
        db: Db,
        clock: Clock,
        events: Events,
        accounts: Accounts,
    ) -> Result<Self> {
        let disk = disk::Disk::open(root.clone())
            .with_context(|| format!("the drive {} cannot be used", root.display()))?;
        let drive = Self {
            disk,
            db,
            clock,
            events,
            accounts,
            locks: Arc::default(),
            credits: Arc::default(),
            uploads: Arc::default(),
            take_downs: Arc::default(),
            references: Arc::default(),
            ear: Arc::default(),
        };
        if drive.is_writable().await? {
            drive.finish_moves().await?;
        }
        drive.reconcile().await?;
        if drive.is_writable().await? {
            drive.keep_abilities().await?;
            drive.finish_placings().await?;
            let disk = drive.disk.clone();
            put::blocking(move || disk.put_room_by()).await?;
            drive.tidy_uploads(TidyAt::Start).await?;
            drive.finish_uploads().await?;
        }
        Ok(drive)
    }

    /// Gives it workers that tell sounds apart: a take-down may be of a sound in whatever bytes.
    pub fn hear_with(&self, pool: Pool) {
        // A second one would be as good as the first.
        let _ = self.ear.set(pool);
    }

    /// Follows users that come and go, and looks at the disk now and then, until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        tokio::join!(
            self.follow(&stop),
            self.keep_taking_down(&stop),
            self.keep_references(&stop),
            self.tell_of_storage(&stop),
            self.keep_scrubbing(&stop)
        );
    }

    async fn follow(&self, stop: &CancellationToken) {
        let mut changes = self.events.subscribe();
        // Whoever came before this listened, the first administrator for one.
        if let Err(error) = self.follow_users().await {
            tracing::error!("the drive could not be put in order: {error:?}");
        }
        let mut again =
            tokio::time::interval_at(tokio::time::Instant::now() + LOOK_AGAIN, LOOK_AGAIN);
        loop {
            let done = tokio::select! {
                () = stop.cancelled() => return,
                _ = again.tick() => self.look_again().await,
                change = changes.recv() => match change {
                    Ok(Event::LibrariesChanged) | Err(RecvError::Lagged(_)) => self.follow_all().await,
                    Ok(Event::DriveChanged { .. }) => self.share_costs().await,
                    Ok(_) => Ok(()),
                    Err(RecvError::Closed) => return,
                },
            };
            if let Err(error) = done {
                tracing::error!("the drive could not be put in order: {error:?}");
            }
        }
    }

    async fn follow_all(&self) -> Result<()> {
        self.follow_users().await?;
        self.share_costs().await
    }

    /// What is done once an hour, and by whoever cannot wait: lockers that are over their quota for
    /// too long, where an administrator wants that, then the disk.
    pub async fn look_again(&self) -> Result<()> {
        if !self.is_writable().await? {
            // It says so.
            return self.reconcile().await;
        }
        self.clear_overdue().await?;
        self.reconcile().await?;
        let disk = self.disk.clone();
        put::blocking(move || disk.put_room_by()).await?;
        self.prune().await?;
        self.tidy_uploads(TidyAt::Running).await
    }

    /// New lockers get their folder, those of removed users go away.
    async fn follow_users(&self) -> Result<()> {
        if !self.is_writable().await? {
            return Ok(());
        }
        self.put_orphans_away().await?;
        let lockers = sqlx::query!(
            "select locker_id, path from locker l where path not like 'removed/%'
             and not exists (select 1 from drive_file f where f.locker_id = l.locker_id)"
        )
        .fetch_all(self.db.read())
        .await?;
        for locker in lockers {
            let disk = self.disk.clone();
            let is_new = put::blocking(move || {
                let is_new = disk.locker(&locker.path).is_err();
                disk.make_locker(&locker.path).map(|_| is_new)
            })
            .await?;
            if is_new {
                // Whoever looked for the folder before it was there looks again.
                let locker = locker.locker_id.into();
                self.events.publish(Event::DriveChanged { locker, path: String::new() });
            }
        }
        Ok(())
    }

    /// Gives up the room that was put by for a full disk, for whoever has to get in to make more;
    /// false where there is none any more.
    pub(crate) async fn give_up_room(&self) -> bool {
        let disk = self.disk.clone();
        put::blocking(move || Ok(disk.give_up_reserve())).await.unwrap_or(false)
    }

    fn lock(&self, locker: LockerId) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(locks.entry(locker).or_default())
    }

    /// A path as the locker spells it.
    async fn spelled(&self, locker: &Locker, path: &RelativePath) -> Result<RelativePath> {
        if path.as_str().is_ascii() {
            return Ok(path.clone());
        }
        let (disk, folder, path) = (self.disk.clone(), locker.path.clone(), path.clone());
        put::blocking(move || match disk.locker(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(path),
            root => Ok(RelativePath::from_disk(disk::spell(&root?, path.as_str())?)),
        })
        .await
    }
}

/// What the disk said, as a reaction: not there, in the way, full, or our fault.
fn disk_error(error: io::Error) -> Error {
    use rustix::io::Errno;
    match Errno::from_io_error(&error) {
        Some(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::XDEV) => Error::NotFound("File"),
        Some(Errno::EXIST | Errno::ISDIR | Errno::NOTEMPTY) => condition::exists(None),
        Some(Errno::NAMETOOLONG) => Error::Invalid("The name is too long for this disk".to_owned()),
        Some(Errno::INVAL) => Error::Invalid("The disk does not take that name or move".to_owned()),
        Some(Errno::ROFS) => Error::Unavailable("The server's disk is read-only".to_owned()),
        _ => error.into(),
    }
}
