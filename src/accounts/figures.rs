//! A locker's figures in the database: read, judged by [`super::quota`], written back, in one
//! transaction. The one writer makes that one step; the write is bound to what was read besides.

use sqlx::SqliteExecutor;

use super::{
    Accounts, Change,
    quota::{self, Event, Gift, Outcome, Refusal, State, Term},
    reservations::signed,
};
use crate::{
    Error, Result,
    clock::Millis,
    db::Tx,
    ids::{LockerId, UserId},
};

const DAY: Millis = 24 * 3600 * 1000;
/// How long a locker may be over its quota before it is told so in other words.
pub(super) const GRACE_DAYS: i64 = 180;

/// How full a locker is, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Allowed in all; `None` is unlimited.
    pub quota: Option<u64>,
    /// Settled, and counted.
    pub used: u64,
    /// Promised to uploads in flight.
    pub reserved: u64,
    /// Settled, and not counted.
    pub exempt: u64,
    /// In trash and old versions; gives way when the room is needed.
    pub reclaimable: u64,
    /// Since when more is used than allowed.
    pub over_since: Option<Millis>,
    /// When the grace of a locker that is over its quota ends, or ended.
    pub grace_ends: Option<Millis>,
}

impl Usage {
    /// What is left; `None` is unlimited. What lies in the trash gives way.
    #[must_use]
    pub fn free(&self) -> Option<u64> {
        self.quota.map(|quota| quota.saturating_sub(self.used).saturating_sub(self.reserved))
    }
}

/// A locker's row with what its quota is made of.
pub(super) struct Figures {
    pub(super) state: State,
    pub(super) over_since: Option<Millis>,
    pub(super) grace_ends: Option<Millis>,
    /// Of the plan alone.
    pub(super) plan: Option<u64>,
    pub(super) terms: Vec<Term>,
}

impl Figures {
    pub(super) fn usage(&self) -> Usage {
        let State { used, reserved, reclaimable, exempt, quota, .. } = self.state;
        let (over_since, grace_ends) = (self.over_since, self.grace_ends);
        Usage { quota, used, reserved, exempt, reclaimable, over_since, grace_ends }
    }
}

impl Accounts {
    /// Everything about a locker's figures now.
    pub(super) async fn figures(&self, tx: &mut Tx, locker: LockerId) -> Result<Figures> {
        let row = read_row(&mut **tx, locker).await?;
        let terms = match row.user {
            Some(user) => read_terms(&mut **tx, user).await?,
            None => Vec::new(),
        };
        Ok(row.with(terms, self.clock.now()))
    }

    /// The same outside of a transaction.
    pub(super) async fn figures_of(&self, locker: LockerId) -> Result<Figures> {
        let row = read_row(self.db.read(), locker).await?;
        let terms = match row.user {
            Some(user) => read_terms(self.db.read(), user).await?,
            None => Vec::new(),
        };
        Ok(row.with(terms, self.clock.now()))
    }

    /// Carries an event out, or refuses it. With a change, the ledger tells of it. Trash and old
    /// versions give way as far as the rules say, for good.
    pub(super) async fn apply(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        event: Event,
        change: Option<Change<'_>>,
    ) -> Result<()> {
        self.apply_for(tx, locker, event, change, None).await
    }

    /// The same; what gives way is held by a promise, and comes back where that is given up.
    pub(super) async fn apply_for(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        event: Event,
        change: Option<Change<'_>>,
        promise: Option<i64>,
    ) -> Result<()> {
        let figures = self.figures(tx, locker).await?;
        let before = figures.state;
        let Outcome { state: mut after, give_way } =
            quota::decide(&before, event).map_err(refused)?;
        if let Some(change) = change {
            self.enter(tx, locker, (&before, &after), change).await?;
        }
        for gone in self.choose_to_give_way(tx, locker, give_way, promise).await? {
            let from = after;
            let event = Event::Forget { bytes: gone.bytes };
            after = quota::decide(&from, event).map_err(refused)?.state;
            let change = Change { user: UserId(0), reason: "gave-way", path: &gone.path };
            self.enter(tx, locker, (&from, &after), change).await?;
        }
        self.store(tx, locker, &figures, &after).await
    }

    /// Writes figures back; they must be what was read.
    async fn store(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        read: &Figures,
        after: &State,
    ) -> Result<()> {
        let now = self.clock.now();
        let over_since = match (after.is_over(), read.over_since) {
            (true, None) => Some(now),
            (true, since) => since,
            (false, _) => None,
        };
        let before = &read.state;
        let (used, was_used) = (signed(after.used)?, signed(before.used)?);
        let (reserved, was_reserved) = (signed(after.reserved)?, signed(before.reserved)?);
        let (reclaimable, was) = (signed(after.reclaimable)?, signed(before.reclaimable)?);
        let exempt = signed(after.exempt)?;
        let written = sqlx::query!(
            "update locker set used_bytes = ?, reserved_bytes = ?, reclaimable_bytes = ?,
                 exempt_bytes = ?, over_since = ?
             where locker_id = ? and used_bytes = ? and reserved_bytes = ? and reclaimable_bytes = ?",
            used,
            reserved,
            reclaimable,
            exempt,
            over_since,
            locker.0,
            was_used,
            was_reserved,
            was
        )
        .execute(&mut **tx)
        .await?
        .rows_affected();
        if written == 1 {
            return Ok(());
        }
        Err(Error::internal(anyhow::anyhow!("the figures of {locker} moved under a decision")))
    }

    /// Looks again whether lockers are over their quota, after plans or grants changed.
    pub(super) async fn note_over(&self, tx: &mut Tx, lockers: &[LockerId]) -> Result<()> {
        for &locker in lockers {
            let figures = self.figures(tx, locker).await?;
            let state = figures.state;
            self.store(tx, locker, &figures, &state).await?;
        }
        Ok(())
    }
}

/// A row of `locker` as it is.
struct Row {
    user: Option<i64>,
    state: State,
    over_since: Option<Millis>,
    plan: Option<u64>,
    grace_days: i64,
}

impl Row {
    fn with(self, terms: Vec<Term>, now: Millis) -> Figures {
        let quota = quota::quota_at(self.plan, &terms, now);
        let mut state = State { quota, ..self.state };
        // Nobody may have looked since a grant ended.
        let over_since = self
            .over_since
            .or_else(|| quota::fell_below(state.used, self.plan, &terms, now))
            .filter(|_| state.is_over());
        let grace_ends = over_since.map(|since| since.saturating_add(self.grace_days * DAY));
        state.is_grace_over = grace_ends.is_some_and(|ends| ends <= now);
        Figures { state, over_since, grace_ends, plan: self.plan, terms }
    }
}

async fn read_row(from: impl SqliteExecutor<'_>, locker: LockerId) -> Result<Row> {
    let row = sqlx::query!(
        r#"select l.user_id as "user?: i64", l.used_bytes as "used!: i64",
                  l.reserved_bytes as "reserved!: i64", l.reclaimable_bytes as "reclaimable!: i64",
                  l.exempt_bytes as "exempt!: i64", l.over_since as "over_since?: i64",
                  p.quota_bytes as "plan?: i64",
                  (select value from setting where name = 'quota.grace_days') as "grace?: String"
           from locker l left join user u on u.user_id = l.user_id
           left join plan p on p.plan_id = coalesce(u.plan_id, l.plan_id)
           where l.locker_id = ?"#,
        locker.0
    )
    .fetch_optional(from)
    .await?
    .ok_or(Error::NotFound("Locker"))?;
    let state = State {
        used: row.used.unsigned_abs(),
        reserved: row.reserved.unsigned_abs(),
        reclaimable: row.reclaimable.unsigned_abs(),
        exempt: row.exempt.unsigned_abs(),
        ..State::default()
    };
    Ok(Row {
        user: row.user,
        state,
        over_since: row.over_since,
        plan: row.plan.map(i64::unsigned_abs),
        grace_days: row.grace.and_then(|days| days.parse().ok()).unwrap_or(GRACE_DAYS),
    })
}

/// What a user was granted and not deprived of.
pub(super) async fn read_terms(from: impl SqliteExecutor<'_>, user: i64) -> Result<Vec<Term>> {
    let rows = sqlx::query!(
        r#"select g.kind, g.bytes as "bytes?: i64", g.plan_id as "plan?: i64",
                  p.quota_bytes as "quota?: i64", g.starts_at, g.ends_at as "ends_at?: i64"
           from quota_grant g left join plan p using (plan_id)
           where g.user_id = ? and g.removed_at is null"#,
        user
    )
    .fetch_all(from)
    .await?;
    let term = |kind: &str, bytes: Option<i64>, plan: Option<i64>, quota: Option<i64>| {
        let bytes = bytes.map(i64::unsigned_abs);
        match (kind, plan) {
            ("add-bytes", _) => Gift::Bytes(bytes.unwrap_or(0)),
            (_, Some(_)) => Gift::Tier(quota.map(i64::unsigned_abs)),
            (_, None) => Gift::Tier(bytes),
        }
    };
    Ok(rows
        .into_iter()
        .map(|row| Term {
            gift: term(&row.kind, row.bytes, row.plan, row.quota),
            starts: row.starts_at,
            ends: row.ends_at,
        })
        .collect())
}

/// The refusal in everybody's words.
pub(super) fn refused(refusal: Refusal) -> Error {
    let Refusal { used, quota, needed, is_grace_over } = refusal;
    if is_grace_over {
        Error::GraceOver { used, quota, needed }
    } else {
        Error::QuotaExceeded { used, quota, needed }
    }
}
