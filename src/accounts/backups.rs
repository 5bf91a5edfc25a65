//! When backups are made by themselves, and how the last one went.

use std::{collections::HashMap, ffi::OsString, os::unix::ffi::OsStringExt as _, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::{Accounts, Principal};
use crate::{
    Error, Result,
    clock::Millis,
    media::sealed::{Seal, Sealed},
};

const PLAN: &str = "backup.plan";
const LAST: &str = "backup.last";

/// Backups by themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BackupPlan {
    /// The backup folder, absolute, as the server sees it.
    pub folder: String,
    /// So often, in hours.
    pub every_hours: u32,
    /// So many snapshots stay.
    pub keep: u32,
    /// Whether the lockers' files are in them.
    pub has_files: bool,
}

/// How the last backups went, by themselves or by hand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LastBackup {
    /// When the last good one was begun, ms since the epoch.
    pub good_at: Option<Millis>,
    /// Where it is.
    pub folder: String,
    /// Its files' bytes.
    pub bytes: u64,
    /// Whether the lockers' files are in it.
    pub has_files: bool,
    /// Files that could not be read.
    pub skipped: u64,
    /// So many good ones came after the last of which everything was read back.
    pub since_whole: u32,
    /// When the last try failed, if no good one came after it.
    pub failed_at: Option<Millis>,
    /// Why it failed.
    pub failure: String,
}

impl Accounts {
    /// Files of lockers, trash and versions whose bytes lie in watched folders, by their paths below
    /// the drive's root: where the bytes are, and what they must be.
    pub(crate) async fn lent_files(&self) -> Result<HashMap<PathBuf, Sealed>> {
        let rows = sqlx::query!(
            r#"select l.path || '/' || f.path as "place!: String", r.target, f.size_bytes, f.modified_ns, r.changed_ns, r.content_hash
               from drive_file f join locker l using (locker_id) join drive_reference r using (reference_id)
               where f.missing_at is null
               union all
               select k.shelf || '/' || k.kept_id || '/' || k.name || iif(f.path = '', '', '/' || f.path),
                      r.target, f.size_bytes, f.modified_ns, r.changed_ns, r.content_hash
               from drive_kept_file f join drive_kept k using (kept_id) join drive_reference r using (reference_id)
               where (k.gone_at is null or k.held_by is not null)"#
        )
        .fetch_all(self.db.read())
        .await?;
        let files = rows.into_iter().map(|row| {
            let path = OsString::from_vec(row.target).into();
            let (size, modified_ns) = (row.size_bytes.unsigned_abs(), row.modified_ns);
            let seal = Seal::of(row.changed_ns, &row.content_hash);
            (row.place.into(), Sealed { path, size, modified_ns, seal })
        });
        Ok(files.collect())
    }

    /// When backups are made by themselves; `None` if never. `Invalid` if there is a plan that is
    /// not understood, as a later version may write one: that must not end them without a word.
    pub async fn backup_plan(&self) -> Result<Option<BackupPlan>> {
        let Some(kept) = self.setting(PLAN).await? else { return Ok(None) };
        let plan = serde_json::from_str(&kept).map_err(|error| {
            Error::Invalid(format!("The backup plan cannot be read; set it again ({error})"))
        })?;
        Ok(Some(plan))
    }

    /// Sets or ends it. Administrators only.
    pub async fn set_backup_plan(
        &self,
        principal: &Principal,
        plan: Option<&BackupPlan>,
    ) -> Result<()> {
        principal.require_admin()?;
        if let Some(plan) = plan {
            let is_sound = (1..=24 * 366).contains(&plan.every_hours)
                && (1..=1000).contains(&plan.keep)
                && plan.folder.starts_with('/');
            if !is_sound {
                return Err(Error::Invalid(
                    "A backup plan names an absolute folder, an interval of 1 hour to a year, and 1 to 1000 snapshots to keep"
                        .to_owned(),
                ));
            }
        }
        let text = plan.map(serde_json::to_string).transpose()?;
        let mut tx = self.db.write().await?;
        self.write_setting(&mut tx, PLAN, text.as_deref()).await?;
        tx.commit().await?;
        Ok(())
    }

    /// How the last backups went.
    pub async fn last_backup(&self) -> Result<LastBackup> {
        let kept = self.setting(LAST).await?;
        Ok(kept.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    /// Keeps how one went.
    pub(crate) async fn note_backup(&self, last: &LastBackup) -> Result<()> {
        let mut tx = self.db.write().await?;
        self.write_setting(&mut tx, LAST, Some(&serde_json::to_string(last)?)).await?;
        tx.commit().await?;
        Ok(())
    }
}
