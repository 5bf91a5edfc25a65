//! Grants: bytes given to a user on top of the plan, for a while or for good, each with a reason
//! and an origin. What was taken back or has ended stays, for it explains the figures of its time.

use super::{Accounts, Change, Principal, notices::close_ending, plans::plan_named, quota};
use crate::{
    Error, Result,
    clock::{Millis, iso},
    db::Tx,
    events::Event,
    ids::{GrantId, LockerId, UserId},
};

/// What a grant gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gives {
    /// At least what this plan allows, as long as the grant lasts.
    Plan(String),
    /// At least so many bytes in all.
    Tier(u64),
    /// So many bytes more.
    Bytes(u64),
}

/// Where a grant comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantOrigin {
    /// An administrator gave it.
    Admin,
    /// A delivery brought it.
    Delivery,
    /// A rule made it of a delivery.
    Rule,
}

impl GrantOrigin {
    /// As rows and the API write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Delivery => "delivery",
            Self::Rule => "rule",
        }
    }

    fn from_column(text: &str) -> Self {
        match text {
            "delivery" => Self::Delivery,
            "rule" => Self::Rule,
            _ => Self::Admin,
        }
    }
}

/// A grant as it stands.
#[derive(Debug, Clone)]
pub struct Grant {
    /// Its row.
    pub id: GrantId,
    /// Whose, by login name.
    pub user: String,
    /// What it gives.
    pub gives: Gives,
    /// The same in bytes now; `None` is unlimited.
    pub bytes: Option<u64>,
    /// From when on.
    pub starts_at: Millis,
    /// Until when; `None` has no end.
    pub ends_at: Option<Millis>,
    /// Why, for people.
    pub reason: String,
    /// Where it comes from.
    pub origin: GrantOrigin,
    /// When it was made.
    pub created_at: Millis,
    /// When it was taken back.
    pub removed_at: Option<Millis>,
    /// Whether it gives now.
    pub is_active: bool,
}

/// A grant to make.
#[derive(Debug, Clone)]
pub struct NewGrant {
    /// What it gives.
    pub gives: Gives,
    /// From when on; now if none.
    pub starts_at: Option<Millis>,
    /// Until when; `None` has no end.
    pub ends_at: Option<Millis>,
    /// Why, for people.
    pub reason: String,
}

/// What a user's quota is made of.
#[derive(Debug, Clone)]
pub struct QuotaParts {
    /// The plan's name.
    pub plan: String,
    /// What it allows, in bytes; `None` is unlimited.
    pub plan_bytes: Option<u64>,
    /// Everything that was granted, the newest first.
    pub grants: Vec<Grant>,
    /// What all of it comes to now; `None` is unlimited.
    pub quota: Option<u64>,
    /// When the next active grant ends, and what is allowed from then on.
    pub next: Option<(Millis, Option<u64>)>,
}

impl Accounts {
    /// A user's grants, the newest first: one's own, or anybody's for an administrator.
    pub async fn grants(&self, principal: &Principal, user: &str) -> Result<Vec<Grant>> {
        self.locker_of_user(principal, user).await?;
        let now = self.clock.now();
        let rows = sqlx::query!(
            r#"select g.quota_grant_id as "id!: i64", u.name as "user!: String", g.kind, g.bytes,
                      p.name as "plan?: String", p.quota_bytes as "quota?: i64", g.starts_at,
                      g.ends_at, g.reason, g.origin, g.created_at, g.removed_at
               from quota_grant g join user u using (user_id)
               left join plan p on p.plan_id = g.plan_id
               where u.name = ? order by g.quota_grant_id desc"#,
            user
        )
        .fetch_all(self.db.read())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let fixed = row.bytes.unwrap_or(0).unsigned_abs();
                let (gives, bytes) = match (row.kind.as_str(), row.plan) {
                    ("add-bytes", _) => (Gives::Bytes(fixed), Some(fixed)),
                    (_, Some(plan)) => (Gives::Plan(plan), row.quota.map(i64::unsigned_abs)),
                    (_, None) => (Gives::Tier(fixed), Some(fixed)),
                };
                let is_within = row.starts_at <= now && row.ends_at.is_none_or(|ends| now < ends);
                Grant {
                    id: row.id.into(),
                    user: row.user,
                    gives,
                    bytes,
                    starts_at: row.starts_at,
                    ends_at: row.ends_at,
                    reason: row.reason,
                    origin: GrantOrigin::from_column(&row.origin),
                    created_at: row.created_at,
                    removed_at: row.removed_at,
                    is_active: is_within && row.removed_at.is_none(),
                }
            })
            .collect())
    }

    /// What a user's quota is made of: one's own, or anybody's for an administrator.
    pub async fn quota_parts(&self, principal: &Principal, user: &str) -> Result<QuotaParts> {
        let locker = self.locker_of_user(principal, user).await?;
        let figures = self.figures_of(locker).await?;
        let plan = sqlx::query_scalar!(
            "select p.name from user u join plan p using (plan_id) where u.name = ?",
            user
        )
        .fetch_optional(self.db.read())
        .await?
        .ok_or(Error::NotFound("User"))?;
        let now = self.clock.now();
        let after = |at| quota::quota_at(figures.plan, &figures.terms, at);
        let next = quota::ends(&figures.terms, now).first().map(|ends| (*ends, after(*ends)));
        Ok(QuotaParts {
            plan,
            plan_bytes: figures.plan,
            grants: self.grants(principal, user).await?,
            quota: figures.state.quota,
            next,
        })
    }

    /// Gives a user more. Administrators only.
    pub async fn give(&self, admin: &Principal, user: &str, new: &NewGrant) -> Result<GrantId> {
        admin.require_admin()?;
        let mut tx = self.db.write().await?;
        let id = sqlx::query_scalar!("select user_id from user where name = ?", user)
            .fetch_optional(&mut *tx)
            .await?
            .ok_or(Error::NotFound("User"))?;
        let grant = self.give_in(&mut tx, admin.user, UserId(id), new, GrantOrigin::Admin).await?;
        tx.commit().await?;
        self.events.publish(Event::AccountChanged { user: UserId(id) });
        Ok(grant)
    }

    /// The same as part of a transaction, for deliveries and rules; the event is the caller's.
    pub(crate) async fn give_in(
        &self,
        tx: &mut Tx,
        by: UserId,
        user: UserId,
        new: &NewGrant,
        origin: GrantOrigin,
    ) -> Result<GrantId> {
        let now = self.clock.now();
        let starts_at = new.starts_at.unwrap_or(now);
        if new.ends_at.is_some_and(|ends| ends <= starts_at) {
            return Err(Error::Invalid("A grant ends after it begins".to_owned()));
        }
        if matches!(new.gives, Gives::Tier(0) | Gives::Bytes(0)) {
            return Err(Error::Invalid("A grant of no bytes gives nothing".to_owned()));
        }
        let too_large = |_| Error::Invalid("That is more than can be granted".to_owned());
        let (kind, plan, bytes) = match &new.gives {
            Gives::Plan(name) => ("set-tier", Some(plan_named(tx, name).await?), None),
            Gives::Tier(bytes) => {
                ("set-tier", None, Some(i64::try_from(*bytes).map_err(too_large)?))
            }
            Gives::Bytes(bytes) => {
                ("add-bytes", None, Some(i64::try_from(*bytes).map_err(too_large)?))
            }
        };
        let reason = super::one_line(&new.reason, 200);
        let origin = origin.as_str();
        let id = sqlx::query_scalar!(
            r#"insert into quota_grant (user_id, kind, plan_id, bytes, starts_at, ends_at, reason, origin, created_by, created_at)
               values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, nullif(?9, 0), ?10)
               returning quota_grant_id as "id!: i64""#,
            user.0,
            kind,
            plan,
            bytes,
            starts_at,
            new.ends_at,
            reason,
            origin,
            by.0,
            now
        )
        .fetch_one(&mut **tx)
        .await?;
        let note = format!("{} {}", words(&new.gives), span(starts_at, new.ends_at));
        self.tell_of_quota(tx, user, by, "grant", &note).await?;
        Ok(GrantId(id))
    }

    /// Gives a grant another end, or none. Administrators only.
    pub async fn end_grant_at(
        &self,
        admin: &Principal,
        id: GrantId,
        ends_at: Option<Millis>,
    ) -> Result<()> {
        admin.require_admin()?;
        let mut tx = self.db.write().await?;
        let row = sqlx::query!(
            r#"update quota_grant set ends_at = ?1
               where quota_grant_id = ?2 and removed_at is null and (?1 is null or starts_at < ?1)
               returning user_id as "user!: i64", reason as "reason!: String""#,
            ends_at,
            id.0
        )
        .fetch_optional(&mut *tx)
        .await?
        .ok_or(Error::NotFound("Grant"))?;
        close_ending(&mut tx, UserId(row.user), id.0, self.clock.now()).await?;
        let end = ends_at.map_or_else(|| "has no end".to_owned(), |at| format!("ends {}", day(at)));
        let note = format!("The grant \"{}\" {end}", row.reason);
        self.tell_of_quota(&mut tx, UserId(row.user), admin.user, "grant", &note).await?;
        tx.commit().await?;
        self.events.publish(Event::AccountChanged { user: UserId(row.user) });
        Ok(())
    }

    /// Takes a grant back. Nothing that is stored goes. Administrators only.
    pub async fn take_back(&self, admin: &Principal, id: GrantId) -> Result<()> {
        admin.require_admin()?;
        let now = self.clock.now();
        let mut tx = self.db.write().await?;
        let row = sqlx::query!(
            r#"update quota_grant set removed_at = ? where quota_grant_id = ? and removed_at is null
               returning user_id as "user!: i64", reason as "reason!: String""#,
            now,
            id.0
        )
        .fetch_optional(&mut *tx)
        .await?
        .ok_or(Error::NotFound("Grant"))?;
        close_ending(&mut tx, UserId(row.user), id.0, now).await?;
        let note = format!("The grant \"{}\" was taken back", row.reason);
        self.tell_of_quota(&mut tx, UserId(row.user), admin.user, "grant", &note).await?;
        tx.commit().await?;
        self.events.publish(Event::AccountChanged { user: UserId(row.user) });
        Ok(())
    }

    /// Something changed what a user may hold: the ledger tells of it, and whether the locker is
    /// over its quota is looked at again.
    pub(super) async fn tell_of_quota(
        &self,
        tx: &mut Tx,
        user: UserId,
        by: UserId,
        reason: &str,
        note: &str,
    ) -> Result<()> {
        let locker = sqlx::query_scalar!(
            r#"select locker_id as "id!: i64" from locker where user_id = ?"#,
            user.0
        )
        .fetch_optional(&mut **tx)
        .await?;
        let Some(locker) = locker.map(LockerId) else { return Ok(()) };
        self.note_over(tx, &[locker]).await?;
        let now = self.figures(tx, locker).await?.state.quota;
        let allowed = now.map_or_else(|| "no limit".to_owned(), size);
        let change = Change { user: by, reason, path: "" };
        self.note(tx, locker, change, &format!("{note}; allowed now: {allowed}")).await
    }

    /// A plan allows something else now: told to all who have it, by plan or by grant.
    pub(super) async fn plan_moved(&self, tx: &mut Tx, by: UserId, plan: i64) -> Result<()> {
        let users = sqlx::query_scalar!(
            r#"select user_id as "id!: i64" from user where plan_id = ?1
               union select user_id from quota_grant where plan_id = ?1 and removed_at is null"#,
            plan
        )
        .fetch_all(&mut **tx)
        .await?;
        let name = sqlx::query_scalar!("select name from plan where plan_id = ?", plan)
            .fetch_one(&mut **tx)
            .await?;
        for user in users {
            let note = format!("The plan {name} was changed");
            self.tell_of_quota(tx, UserId(user), by, "plan", &note).await?;
        }
        let lockers = sqlx::query_scalar!(
            r#"select locker_id as "id!: i64" from locker where plan_id = ? and user_id is null"#,
            plan
        )
        .fetch_all(&mut **tx)
        .await?;
        for locker in lockers {
            self.tell_household(tx, LockerId(locker), by, plan).await?;
        }
        Ok(())
    }

    /// Before a plan goes: grants that are over keep what it allowed; one that is not refuses.
    pub(super) async fn free_plan_of_grants(&self, tx: &mut Tx, plan: i64) -> Result<()> {
        let now = self.clock.now();
        let is_given = sqlx::query_scalar!(
            r#"select exists (select 1 from quota_grant where plan_id = ? and removed_at is null
                 and (ends_at is null or ? < ends_at)) as "is_given!: bool""#,
            plan,
            now
        )
        .fetch_one(&mut **tx)
        .await?;
        if is_given {
            return Err(Error::Conflict(
                "Users have this plan by a grant; take those back first".to_owned(),
            ));
        }
        sqlx::query!(
            "update quota_grant set plan_id = null,
                 bytes = (select coalesce(quota_bytes, 4611686018427387903) from plan where plan_id = ?1)
             where plan_id = ?1",
            plan
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

fn words(gives: &Gives) -> String {
    match gives {
        Gives::Plan(name) => format!("At least the plan {name}"),
        Gives::Tier(bytes) => format!("At least {}", size(*bytes)),
        Gives::Bytes(bytes) => format!("{} more", size(*bytes)),
    }
}

fn span(starts: Millis, ends: Option<Millis>) -> String {
    match ends {
        None => format!("from {} on", day(starts)),
        Some(ends) => format!("from {} until {}", day(starts), day(ends)),
    }
}

/// `2026-11-25`.
pub(super) fn day(at: Millis) -> String {
    iso(at).chars().take(10).collect()
}

/// Bytes for people: 1 GB is 10^9 of them.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 4] =
        [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)];
    let Some((name, unit)) = UNITS.into_iter().find(|(_, unit)| *unit <= bytes) else {
        return format!("{bytes} bytes");
    };
    let tenths = bytes / (unit / 10);
    match tenths % 10 {
        0 => format!("{} {name}", tenths / 10),
        rest => format!("{}.{rest} {name}", tenths / 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_for_people() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1500, "1.5 kB"),
            (4_900_000_000, "4.9 GB"),
            (20_000_000_000, "20 GB"),
            (1_250_000_000_000, "1.2 TB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}
