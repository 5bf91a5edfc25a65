//! Files that are not where they were: on no shelf, or at no path any more. What was known of them,
//! most of all what they count, goes with them to where they are found.

use super::{Drive, reconcile::Fix, rows::charge};
use crate::{Result, accounts::Charge, clock::Millis, db::Tx, ids::LockerId};

/// A file that is not where it was any more, on a shelf or in its place: a crash may have come while
/// it went back, or other hands moved it.
#[derive(Debug)]
pub(super) struct Lost {
    pub(super) size_bytes: i64,
    pub(super) modified_ns: i64,
    content_hash: Option<Vec<u8>>,
    quick_key: Option<Vec<u8>>,
    origin: String,
    exempt: Option<String>,
    charged_bytes: Option<i64>,
    stored_at: Millis,
    /// Its bytes lie in a watched folder.
    pub(super) reference_id: Option<i64>,
}

impl Lost {
    /// What it counts.
    pub(super) fn charge(&self) -> Charge {
        charge(self.size_bytes, self.charged_bytes, self.exempt.as_deref())
    }
}

impl Drive {
    /// A file that was away and is there again as it was, as one whose disk came up late: what is
    /// known of it holds.
    pub(super) async fn if_back(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        fix: &Fix,
    ) -> Result<Option<Fix>> {
        let Fix::Write(path, size, modified_ns) = fix else { return Ok(None) };
        let size = i64::try_from(*size).unwrap_or(i64::MAX);
        let is_back = sqlx::query_scalar!(
            r#"select exists (select 1 from drive_file
                              where locker_id = ? and path = ? and size_bytes = ? and modified_ns = ?
                                and missing_at is not null and reference_id is null) as "is_back!: bool""#,
            locker.0,
            path,
            size,
            modified_ns
        )
        .fetch_one(&mut **tx)
        .await?;
        Ok(is_back.then(|| Fix::Back(path.clone())))
    }

    /// What is known of files that are at their paths no more, where it says what they count.
    pub(super) async fn lost_from(&self, locker: LockerId, paths: &[String]) -> Result<Vec<Lost>> {
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        let paths = serde_json::to_string(paths)?;
        let lost = sqlx::query_as!(
            Lost,
            "select size_bytes, modified_ns, content_hash, quick_key, origin, exempt, charged_bytes, stored_at,
                    reference_id
             from drive_file
             where locker_id = ? and missing_at is null and reference_id is null
               and (exempt is not null or charged_bytes is not null)
               and path in (select value from json_each(?))",
            locker.0,
            paths
        )
        .fetch_all(self.db.read())
        .await?;
        Ok(lost)
    }

    /// What is known of what a shelf held.
    pub(super) async fn lost_of(&self, kept: &str) -> Result<Vec<Lost>> {
        let lost = sqlx::query_as!(
            Lost,
            "select size_bytes, modified_ns, content_hash, quick_key, origin, exempt, charged_bytes, stored_at,
                    reference_id
             from drive_kept_file where kept_id = ?",
            kept
        )
        .fetch_all(self.db.read())
        .await?;
        Ok(lost)
    }

    /// A file that was found is one that was kept a moment ago, and what was known of it holds.
    pub(super) async fn remember_lost(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        path: &str,
        lost: &Lost,
    ) -> Result<()> {
        sqlx::query!(
            "update drive_file set content_hash = ?, quick_key = ?, origin = ?, exempt = ?, charged_bytes = ?,
                 stored_at = ?
             where locker_id = ? and path = ?",
            lost.content_hash,
            lost.quick_key,
            lost.origin,
            lost.exempt,
            lost.charged_bytes,
            lost.stored_at,
            locker.0,
            path
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}
