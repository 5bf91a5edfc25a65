//! Plans: named tiers with a quota and caps. `Free`, `Plus` and `Unlimited` are there from the
//! first start; a household adds `Member`.

use super::{Accounts, Caps, Principal};
use crate::{
    Error, Result,
    db::Tx,
    events::Event,
    ids::{PlanId, UserId},
};

/// 10^9 bytes, and shown so.
pub(super) const GB: i64 = 1_000_000_000;
/// Name, label, quota.
const SEEDS: [(&str, &str, Option<i64>); 3] = [
    ("Free", "5 GB", Some(5 * GB)),
    ("Plus", "20 GB", Some(20 * GB)),
    ("Unlimited", "No limit", None),
];

/// A named tier.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Its row.
    pub id: PlanId,
    /// Its name, unique whatever the case.
    pub name: String,
    /// A word for people, e.g. a price.
    pub label: String,
    /// Bytes; `None` is unlimited.
    pub quota: Option<u64>,
    /// Ceilings.
    pub caps: Caps,
    /// Users and lockers on it.
    pub users: u32,
}

/// What to make of a plan; `None` leaves what is there.
#[derive(Debug, Clone, Default)]
pub struct PlanChange {
    /// A word for people.
    pub label: Option<String>,
    /// Bytes; `Some(None)` is unlimited.
    pub quota: Option<Option<u64>>,
    /// Ceilings.
    pub caps: Option<Caps>,
}

impl Accounts {
    /// The plans that every installation starts with; what an admin removed stays removed.
    pub(super) async fn seed_plans(&self) -> Result<()> {
        let mut tx = self.db.write().await?;
        let fresh = sqlx::query!(
            "insert into meta (key, value) values ('plans', 'seeded') on conflict do nothing"
        )
        .execute(&mut *tx)
        .await?
        .rows_affected();
        if 0 < fresh {
            for (name, label, quota) in SEEDS {
                insert_plan(&mut tx, name, label, quota, self.clock.now()).await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }

    /// Every plan, by name.
    pub async fn plans(&self, _principal: &Principal) -> Result<Vec<Plan>> {
        let rows = sqlx::query!(
            r#"select plan_id as "plan_id!: i64", name, label, quota_bytes, max_bitrate_kbps, max_streams, max_transcodes,
                      stream_day_bytes, stream_month_bytes, stream_rate_kbps,
                      (select count(*) from user u where u.plan_id = plan.plan_id)
                      + (select count(*) from locker l where l.plan_id = plan.plan_id) as "users!: i64"
               from plan order by name"#
        )
        .fetch_all(self.db.read())
        .await?;
        let cap = |value: Option<i64>| value.and_then(|value| u32::try_from(value).ok());
        Ok(rows
            .into_iter()
            .map(|row| Plan {
                id: row.plan_id.into(),
                name: row.name,
                label: row.label,
                quota: row.quota_bytes.map(i64::unsigned_abs),
                caps: Caps {
                    max_bitrate_kbps: cap(row.max_bitrate_kbps),
                    max_streams: cap(row.max_streams),
                    max_transcodes: cap(row.max_transcodes),
                    day_bytes: row.stream_day_bytes.map(i64::unsigned_abs),
                    month_bytes: row.stream_month_bytes.map(i64::unsigned_abs),
                    rate_kbps: cap(row.stream_rate_kbps).filter(|rate| 0 < *rate),
                },
                users: row.users as u32,
            })
            .collect())
    }

    /// Makes or changes the plan of this name. A new one needs a quota.
    pub async fn set_plan(&self, admin: &Principal, name: &str, change: &PlanChange) -> Result<()> {
        admin.require_admin()?;
        let name = super::one_line(name, 64);
        if name.is_empty() {
            return Err(Error::Invalid("A plan needs a name".to_owned()));
        }
        let now = self.clock.now();
        let mut tx = self.db.write().await?;
        let found = sqlx::query_scalar!("select plan_id from plan where name = ?", name)
            .fetch_optional(&mut *tx)
            .await?;
        let id = match found {
            Some(id) => id,
            None if change.quota.is_none() => {
                return Err(Error::Invalid(
                    "Say how many bytes a new plan allows, or that it has no limit".to_owned(),
                ));
            }
            None => insert_plan(&mut tx, &name, "", None, now).await?,
        };
        if let Some(label) = &change.label {
            let label = super::one_line(label, 100);
            sqlx::query!("update plan set label = ? where plan_id = ?", label, id)
                .execute(&mut *tx)
                .await?;
        }
        if let Some(quota) = change.quota {
            let quota = quota
                .map(i64::try_from)
                .transpose()
                .map_err(|_| Error::Invalid("That quota is too large".to_owned()))?;
            sqlx::query!("update plan set quota_bytes = ? where plan_id = ?", quota, id)
                .execute(&mut *tx)
                .await?;
        }
        if let Some(caps) = change.caps {
            let bytes =
                |bytes: Option<u64>| bytes.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
            let (day, month) = (bytes(caps.day_bytes), bytes(caps.month_bytes));
            let rate = caps.rate_kbps.filter(|rate| 0 < *rate);
            sqlx::query!(
                "update plan set max_bitrate_kbps = ?, max_streams = ?, max_transcodes = ?,
                     stream_day_bytes = ?, stream_month_bytes = ?, stream_rate_kbps = ? where plan_id = ?",
                caps.max_bitrate_kbps,
                caps.max_streams,
                caps.max_transcodes,
                day,
                month,
                rate,
                id
            )
            .execute(&mut *tx)
            .await?;
        }
        if change.quota.is_some() {
            self.plan_moved(&mut tx, admin.user, id).await?;
        }
        let users = sqlx::query_scalar!(
            r#"select user_id as "id!: i64" from user where plan_id = ?1
               union select user_id from quota_grant where plan_id = ?1 and removed_at is null"#,
            id
        )
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        self.memory.forget_all();
        for user in users {
            self.events.publish(Event::AccountChanged { user: UserId(user) });
        }
        Ok(())
    }

    /// Removes a plan that nobody is on.
    pub async fn remove_plan(&self, admin: &Principal, name: &str) -> Result<()> {
        admin.require_admin()?;
        let mut tx = self.db.write().await?;
        let id = plan_named(&mut tx, name).await?;
        let is_used = sqlx::query_scalar!(
            r#"select exists (select 1 from user where plan_id = ?1)
               or exists (select 1 from locker where plan_id = ?1)
               or exists (select 1 from meta where key = 'default_plan' and value = ?2 collate nocase) as "used!: bool""#,
            id,
            name
        )
        .fetch_one(&mut *tx)
        .await?;
        if is_used {
            return Err(Error::Conflict(format!(
                "The plan {name} is in use or new users get it; move them to another first"
            )));
        }
        self.free_plan_of_grants(&mut tx, id).await?;
        sqlx::query!("delete from plan where plan_id = ?", id).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Makes a plan, or finds the one that has this name.
pub(super) async fn insert_plan(
    tx: &mut Tx,
    name: &str,
    label: &str,
    quota: Option<i64>,
    now: i64,
) -> Result<i64> {
    Ok(sqlx::query_scalar!(
        r#"insert into plan (name, label, quota_bytes, created_at) values (?, ?, ?, ?)
         on conflict (name) do update set name = name returning plan_id as "id!: i64""#,
        name,
        label,
        quota,
        now
    )
    .fetch_one(&mut **tx)
    .await?)
}

/// The row of a plan by name, whatever the case.
pub(super) async fn plan_named(tx: &mut Tx, name: &str) -> Result<i64> {
    sqlx::query_scalar!("select plan_id from plan where name = ?", name)
        .fetch_optional(&mut **tx)
        .await?
        .ok_or(Error::NotFound("Plan"))
}
