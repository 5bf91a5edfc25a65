//! What a locker keeps of deleted and replaced files: shown apart from what is used, and given up,
//! oldest first, as part of whatever needs the room.

use super::{
    Accounts, Change,
    quota::{self, Event},
};
use crate::{
    Result,
    db::Tx,
    ids::{LockerId, UserId},
};

/// How long and how many kept things stay, besides giving way. Unless an administrator says
/// otherwise nothing goes for its age or its number: nothing is deleted by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct KeepRules {
    /// Days in the trash; 0 is for ever.
    pub trash_days: u32,
    /// Days that a replaced version stays; 0 is for ever.
    pub version_days: u32,
    /// Versions of one file; 0 is any number.
    pub versions: u32,
}

/// Something that gives way now.
pub(super) struct Chosen {
    pub(super) bytes: u64,
    pub(super) path: String,
}

/// Something that gave way to a promise, and is still there.
struct Held {
    id: String,
    bytes: u64,
    path: String,
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

    /// A promise was settled, and its figures say so: as much of what gave way to it as was needed
    /// in the end, the oldest first, is gone for good, and deleted at the next sweep. The rest comes
    /// back: whoever does not say how much will come is promised more than that.
    pub(super) async fn settle_held(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        promise: i64,
    ) -> Result<()> {
        let held = self.held(tx, promise).await?;
        if held.is_empty() {
            return Ok(());
        }
        let state = self.figures(tx, locker).await?.state;
        let bytes: Vec<u64> = held.iter().map(|one| one.bytes).collect();
        let gone = quota::gone_for_good(&state, &bytes);
        for (at, one) in held.iter().enumerate() {
            if gone <= at {
                self.bring_back(tx, locker, one).await?;
                continue;
            }
            sqlx::query!("update drive_kept set held_by = null where kept_id = ?", one.id)
                .execute(&mut **tx)
                .await?;
        }
        Ok(())
    }

    /// What gave way to a promise that came to nothing comes back.
    pub(super) async fn bring_held_back(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        promise: i64,
    ) -> Result<()> {
        for one in self.held(tx, promise).await? {
            self.bring_back(tx, locker, &one).await?;
        }
        Ok(())
    }

    /// What a promise holds, the oldest first.
    async fn held(&self, tx: &mut Tx, promise: i64) -> Result<Vec<Held>> {
        let rows = sqlx::query!(
            "select kept_id, size_bytes, path from drive_kept where held_by = ?
             order by kept_at, kept_id",
            promise
        )
        .fetch_all(&mut **tx)
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| Held {
                id: row.kept_id,
                bytes: row.size_bytes.unsigned_abs(),
                path: row.path,
            })
            .collect())
    }

    async fn bring_back(&self, tx: &mut Tx, locker: LockerId, held: &Held) -> Result<()> {
        sqlx::query!(
            "update drive_kept set gone_at = null, held_by = null where kept_id = ?",
            held.id
        )
        .execute(&mut **tx)
        .await?;
        let change = Change { user: UserId(0), reason: "came-back", path: &held.path };
        self.apply(tx, locker, Event::Discard { bytes: held.bytes }, Some(change)).await
    }

    /// The oldest that make up so many bytes, let go: for good, or held by a promise. The figure is
    /// the caller's.
    pub(super) async fn choose_to_give_way(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        at_least: u64,
        promise: Option<i64>,
    ) -> Result<Vec<Chosen>> {
        let (mut chosen, mut sum) = (Vec::new(), 0);
        let now = self.clock.now();
        while sum < at_least {
            let oldest = sqlx::query!(
                r#"update drive_kept set gone_at = ?, held_by = ? where kept_id =
                     (select kept_id from drive_kept
                      where locker_id = ? and gone_at is null and 0 < size_bytes
                      order by kept_at, kept_id limit 1)
                   returning size_bytes as "bytes!: i64", path as "path!: String""#,
                now,
                promise,
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
