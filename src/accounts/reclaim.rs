//! What a locker keeps of deleted and replaced files: shown apart from what is used, and given up,
//! oldest first, as part of whatever needs the room.

use super::{Accounts, Change, quota::Event};
use crate::{
    Result,
    db::Tx,
    ids::{LockerId, UserId},
};

/// How long and how many kept things stay, besides giving way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct KeepRules {
    /// Days in the trash; 0 is for ever.
    pub trash_days: u32,
    /// Days that a replaced version stays; 0 is for ever.
    pub version_days: u32,
    /// Versions of one file; 0 is any number.
    pub versions: u32,
}

impl Default for KeepRules {
    fn default() -> Self {
        Self { trash_days: 30, version_days: 90, versions: 10 }
    }
}

/// Something that gives way now.
pub(super) struct Chosen {
    pub(super) bytes: u64,
    pub(super) path: String,
}

impl Accounts {
    /// Counts bytes that came to the trash. Nothing gives way to them: they were here before.
    pub(crate) async fn count_discarded(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        bytes: u64,
    ) -> Result<()> {
        self.recount_kept(tx, locker, Event::Discard { bytes }, "keep").await
    }

    /// Counts bytes that came to the versions, and lets the oldest go if they do not fit beside
    /// what is used.
    pub(crate) async fn count_reclaimable(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        bytes: u64,
    ) -> Result<()> {
        self.recount_kept(tx, locker, Event::Keep { bytes }, "keep").await
    }

    /// They came back, and count elsewhere.
    pub(crate) async fn uncount_reclaimable(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        bytes: u64,
    ) -> Result<()> {
        self.recount_kept(tx, locker, Event::Forget { bytes }, "unkeep").await
    }

    /// Somebody removed a part of something kept.
    pub(crate) async fn forget_kept(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        bytes: u64,
        change: Change<'_>,
    ) -> Result<()> {
        self.apply(tx, locker, Event::Forget { bytes }, Some(change)).await
    }

    /// Nobody in particular did it: it follows from what somebody did to a file.
    async fn recount_kept(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        event: Event,
        reason: &'static str,
    ) -> Result<()> {
        let change = Change { user: UserId(0), reason, path: "" };
        self.apply(tx, locker, event, Some(change)).await
    }

    /// Gives one kept thing up: it no longer counts, and `drive` deletes its bytes.
    pub(crate) async fn let_go(&self, tx: &mut Tx, kept: &str) -> Result<()> {
        self.let_go_as(tx, kept, UserId(0), "let-go").await
    }

    /// The same, with who wanted it and why.
    pub(crate) async fn let_go_as(
        &self,
        tx: &mut Tx,
        kept: &str,
        user: UserId,
        reason: &str,
    ) -> Result<()> {
        let now = self.clock.now();
        let gone = sqlx::query!(
            r#"update drive_kept set gone_at = ? where kept_id = ? and gone_at is null
               returning locker_id as "locker!: i64", size_bytes as "bytes!: i64", path as "path!: String""#,
            now,
            kept
        )
        .fetch_optional(&mut **tx)
        .await?;
        let Some(gone) = gone else { return Ok(()) };
        let change = Change { user, reason, path: &gone.path };
        let event = Event::Forget { bytes: gone.bytes.unsigned_abs() };
        self.apply(tx, gone.locker.into(), event, Some(change)).await
    }

    /// The oldest that make up so many bytes, let go. The figure is the caller's.
    pub(super) async fn choose_to_give_way(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        at_least: u64,
    ) -> Result<Vec<Chosen>> {
        let (mut chosen, mut sum) = (Vec::new(), 0);
        let now = self.clock.now();
        while sum < at_least {
            let oldest = sqlx::query!(
                r#"update drive_kept set gone_at = ? where kept_id =
                     (select kept_id from drive_kept
                      where locker_id = ? and gone_at is null and 0 < size_bytes
                      order by kept_at, kept_id limit 1)
                   returning size_bytes as "bytes!: i64", path as "path!: String""#,
                now,
                locker.0
            )
            .fetch_optional(&mut **tx)
            .await?;
            let Some(oldest) = oldest else { break };
            let bytes = oldest.bytes.unsigned_abs();
            sum += bytes;
            chosen.push(Chosen { bytes, path: oldest.path });
        }
        Ok(chosen)
    }
}
