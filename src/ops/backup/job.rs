//! The service: backups by hand and by themselves, one at a time.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use super::{
    OF_DRIVE, Places, blocking,
    layout::{Folder, Snapshot},
    objects::Objects,
    real,
    restore::{Depth, look_over},
    take::{How, files},
};
use crate::{
    Error, Result,
    accounts::{Accounts, BackupPlan, LastBackup, Principal},
    clock::{self, Clock, Millis},
    db::Db,
};

/// How often the plan is looked at.
const LOOK: Duration = Duration::from_secs(300);
/// After a failure it is tried again so much later.
const TRY_AGAIN: Millis = 3600 * 1000;
const HOUR: Millis = 3600 * 1000;
/// So many planned backups after one of which everything was read back, everything is again.
const WHOLE_AFTER: u32 = 6;
/// What administrators are told of a failure under.
const NOTICE: &str = "backup";
/// Without a plan, a backup is old after so long.
const OLD: Millis = 30 * 24 * HOUR;

/// Makes backups. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Backups {
    places: Places,
    db: Db,
    clock: Clock,
    accounts: Accounts,
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// What kind of backup.
#[derive(Debug, Clone)]
pub struct Choice {
    /// The backup folder.
    pub folder: PathBuf,
    /// With the lockers' files; else only database and keys.
    pub has_files: bool,
    /// Read every file again, even if its size and time are those of the last snapshot.
    pub reads_all: bool,
    /// Read all of the snapshot back afterwards; else what is new in it.
    pub verifies: bool,
    /// So many snapshots stay; `None` keeps all.
    pub keep: Option<u32>,
}

impl Backups {
    /// Of this data folder and drive.
    #[must_use]
    pub fn new(data: &Path, drive: &Path, db: Db, clock: Clock, accounts: Accounts) -> Self {
        let places = Places { data: data.into(), drive: drive.into(), lent: Arc::default() };
        Self { places, db, clock, accounts, turn: Arc::default() }
    }

    /// Makes one now. Administrators only. A second one waits for the first.
    pub async fn take(&self, principal: &Principal, choice: Choice) -> Result<Snapshot> {
        principal.require_admin()?;
        let _turn = self.turn.lock().await;
        let folder = choice.folder.clone();
        let before = self.accounts.last_backup().await?;
        let is_same_folder = before.folder == folder.display().to_string();
        let is_whole = choice.verifies || (is_same_folder && WHOLE_AFTER <= before.since_whole);
        let taken = self.take_one(Choice { verifies: is_whole, ..choice }).await;
        let last = match &taken {
            Ok(snapshot) => LastBackup {
                since_whole: match is_whole {
                    true => 0,
                    false if is_same_folder => before.since_whole + 1,
                    false => 1,
                },
                good_at: Some(snapshot.taken_at),
                folder: folder.display().to_string(),
                bytes: snapshot.bytes,
                has_files: snapshot.has_files,
                skipped: snapshot.skipped.len() as u64,
                ..LastBackup::default()
            },
            Err(error) => LastBackup {
                failed_at: Some(self.clock.now()),
                failure: match error {
                    Error::Internal(source) => format!("{error}: {source:#}"),
                    other => other.to_string(),
                },
                ..before
            },
        };
        self.accounts.note_backup(&last).await?;
        let told = taken.is_err().then(|| format!("The last backup failed. {}", last.failure));
        self.accounts.tell_administrators(NOTICE, told.as_deref()).await?;
        taken
    }

    async fn take_one(&self, choice: Choice) -> Result<Snapshot> {
        // Whoever gives up waiting stops it.
        let stop = CancellationToken::new();
        let _guard = stop.clone().drop_guard();
        let at = self.clock.now();
        let (places, path) = (self.places.clone(), choice.folder.clone());
        let (folder, partial) = blocking(move || {
            places.refuse_inside(&path)?;
            if choice.has_files {
                places.require_drive()?;
            }
            let folder = Folder::open_or_make(&path)?;
            let partial = folder.begin(at)?;
            Ok((folder, partial))
        })
        .await?;
        self.db.copy_to(&partial.database()).await?;
        let lent = Arc::new(self.accounts.lent_files().await?);
        let places = Places { lent, ..self.places.clone() };
        let how = How { has_files: choice.has_files, reads_all: choice.reads_all, at };
        let path = choice.folder.clone();
        let (snapshot, fresh) =
            blocking(move || files(&places, &folder, partial, how, &stop)).await?;
        let depth = if choice.verifies { Depth::All } else { Depth::Of(fresh) };
        let (_, damaged) = look_over(&path, Some(&snapshot.name), depth).await?;
        if let Some(first) = damaged.first().map(|one| one.path.clone()) {
            let count = damaged.len();
            blocking(move || {
                let objects = Objects::of(&path);
                damaged
                    .iter()
                    .filter_map(|one| one.hash.as_deref())
                    .try_for_each(|hash| objects.put_aside(hash))
            })
            .await?;
            return Err(Error::Unavailable(format!(
                "The backup {} does not read back as it was written: {first}{}; is its disk failing?",
                snapshot.name,
                match count - 1 {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                }
            )));
        }
        // Only a good one pushes others out.
        if let Some(keep) = choice.keep {
            blocking(move || forget(&Folder::open(&path)?, keep)).await?;
        }
        tracing::info!(files = snapshot.files, "a backup was made: {}", snapshot.name);
        Ok(snapshot)
    }

    /// Whether one is under way.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.turn.try_lock().is_err()
    }

    /// Makes them as planned, until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        while stop.run_until_cancelled(clock::beat(LOOK)).await.is_some() {
            let made = match self.due().await {
                Ok(None) => continue,
                Ok(Some(plan)) => {
                    let operator = self.accounts.operator();
                    stop.run_until_cancelled(self.take(&operator, Choice::from(&plan))).await
                }
                Err(error) => Some(Err(error)),
            };
            if let Some(Err(error)) = made {
                tracing::error!("the planned backup failed: {error:?}");
            }
        }
    }

    async fn due(&self) -> Result<Option<BackupPlan>> {
        let Some(plan) = self.accounts.backup_plan().await? else { return Ok(None) };
        let last = self.accounts.last_backup().await?;
        Ok(is_due(&plan, &last, self.clock.now()).then_some(plan))
    }

    /// What an administrator should know, as a sentence: that there is no backup, that it is old,
    /// that the last try failed, or that nobody knows when one is due.
    pub async fn worry(&self) -> Result<Option<String>> {
        let plan = match self.accounts.backup_plan().await {
            Err(Error::Invalid(sentence)) => return Ok(Some(sentence)),
            plan => plan?,
        };
        let last = self.accounts.last_backup().await?;
        Ok(worry(plan.as_ref(), &last, self.clock.now()))
    }
}

impl From<&BackupPlan> for Choice {
    fn from(plan: &BackupPlan) -> Self {
        Self {
            folder: PathBuf::from(&plan.folder),
            has_files: plan.has_files,
            reads_all: false,
            verifies: false,
            keep: Some(plan.keep),
        }
    }
}

impl Places {
    /// A backup inside of what it is a backup of would be lost with it, and hold itself.
    fn refuse_inside(&self, folder: &Path) -> Result<()> {
        if !folder.is_absolute() {
            return Err(Error::Invalid("Name the backup folder from the root: /...".to_owned()));
        }
        let folder = real(folder);
        for root in [&self.data, &self.drive] {
            let root = real(root);
            if folder.starts_with(&root) || root.starts_with(&folder) {
                return Err(Error::Invalid(format!(
                    "{} and {} must lie apart; a backup belongs on another disk",
                    folder.display(),
                    root.display()
                )));
            }
        }
        Ok(())
    }

    /// A backup of a disk that is not there would look good, and push the good ones out.
    fn require_drive(&self) -> Result<()> {
        if self.drive.join(OF_DRIVE).exists() {
            return Ok(());
        }
        Err(Error::Unavailable(format!(
            "The files of the lockers are not at {}; is their disk mounted? Nothing was backed up",
            self.drive.display()
        )))
    }
}

fn forget(folder: &Folder, keep: u32) -> Result<()> {
    if folder.forget(keep as usize)? == 0 {
        return Ok(());
    }
    let mut named = HashSet::new();
    for snapshot in folder.snapshots()? {
        folder.lines(&snapshot, |line| {
            let mut hash = [0; 32];
            if let Some(text) = line.hash
                && hex::decode_to_slice(text, &mut hash).is_ok()
            {
                named.insert(hash);
            }
            Ok(())
        })?;
    }
    Objects::of(&folder.path).keep_only(&named)
}

fn is_due(plan: &BackupPlan, last: &LastBackup, now: Millis) -> bool {
    let waits = last.failed_at.is_some_and(|at| now - at < TRY_AGAIN);
    // A clock that went back is no reason to wait for years.
    let is_fresh = last.good_at.is_some_and(|at| {
        (0..Millis::from(plan.every_hours) * HOUR).contains(&(now - at))
            && last.folder == plan.folder
    });
    !waits && !is_fresh
}

fn worry(plan: Option<&BackupPlan>, last: &LastBackup, now: Millis) -> Option<String> {
    if last.failed_at.is_some() {
        return Some(format!("The last backup failed. {}", last.failure));
    }
    let Some(good) = last.good_at else {
        return Some("There is no backup yet.".to_owned());
    };
    if 0 < last.skipped {
        return Some(format!("{} files could not be read for the last backup.", last.skipped));
    }
    let old = plan.map_or(OLD, |plan| 2 * Millis::from(plan.every_hours) * HOUR);
    let days = (now - good) / (24 * HOUR);
    (old < now - good).then(|| format!("The last backup is {days} days old."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> BackupPlan {
        BackupPlan { folder: "/b".to_owned(), every_hours: 24, keep: 7, has_files: true }
    }

    fn good(at: Millis) -> LastBackup {
        LastBackup { good_at: Some(at), folder: "/b".to_owned(), ..LastBackup::default() }
    }

    #[test]
    fn a_backup_is_due_when_its_time_has_come() {
        let now = 1000 * HOUR;
        assert!(is_due(&plan(), &LastBackup::default(), now));
        assert!(!is_due(&plan(), &good(now - 23 * HOUR), now));
        assert!(is_due(&plan(), &good(now - 24 * HOUR), now));
        assert!(is_due(&plan(), &good(now + HOUR), now), "made in the future");
        let elsewhere = LastBackup { folder: "/c".to_owned(), ..good(now) };
        assert!(is_due(&plan(), &elsewhere, now));
        let failed = LastBackup { failed_at: Some(now - HOUR / 2), ..LastBackup::default() };
        assert!(!is_due(&plan(), &failed, now));
        assert!(is_due(&plan(), &failed, now + HOUR));
    }

    #[test]
    fn none_old_and_failed_are_told() {
        let now = 10_000 * HOUR;
        assert!(worry(None, &LastBackup::default(), now).unwrap().contains("no backup"));
        assert_eq!(worry(None, &good(now - OLD), now), None);
        assert!(worry(None, &good(now - OLD - 1), now).unwrap().contains("30 days"));
        assert!(worry(Some(&plan()), &good(now - 49 * HOUR), now).unwrap().contains("2 days"));
        let partly = LastBackup { skipped: 3, ..good(now) };
        assert!(worry(None, &partly, now).unwrap().contains("3 files"));
        let failed = LastBackup { failed_at: Some(now), failure: "Why".to_owned(), ..good(now) };
        assert!(worry(Some(&plan()), &failed, now).unwrap().ends_with("Why"));
    }
}
