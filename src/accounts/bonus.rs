//! What a delivery brings by itself: rules that an administrator edits. A host for others begins
//! with "an album makes a year of Plus".

use super::{Accounts, Gives, GrantOrigin, NewGrant, Principal, plans::plan_named};
use crate::{
    Error, Result,
    clock::Millis,
    db::Tx,
    ids::{GrantId, UserId},
};

const DAY: Millis = 24 * 3600 * 1000;

/// What a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bonus {
    /// Deliveries of an album.
    Album,
    /// Every delivery.
    Any,
}

impl Bonus {
    fn as_str(self) -> &'static str {
        match self {
            Self::Album => "album",
            Self::Any => "any",
        }
    }
}

/// A rule.
#[derive(Debug, Clone)]
pub struct BonusRule {
    /// Its row.
    pub id: i64,
    /// What it looks at.
    pub product: Bonus,
    /// What it gives.
    pub gives: Gives,
    /// For how many days; `None` has no end.
    pub days: Option<u32>,
}

impl Accounts {
    /// Every rule. Administrators only.
    pub async fn bonus_rules(&self, admin: &Principal) -> Result<Vec<BonusRule>> {
        admin.require_admin()?;
        let mut tx = self.db.write().await?;
        read(&mut tx).await
    }

    /// Adds a rule. Administrators only.
    pub async fn add_bonus_rule(
        &self,
        admin: &Principal,
        product: Bonus,
        gives: &Gives,
        days: Option<u32>,
    ) -> Result<i64> {
        admin.require_admin()?;
        let mut tx = self.db.write().await?;
        let id = self.insert_bonus_rule(&mut tx, product, gives, days).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Removes a rule; what it gave stays. Administrators only.
    pub async fn remove_bonus_rule(&self, admin: &Principal, id: i64) -> Result<()> {
        admin.require_admin()?;
        let mut tx = self.db.write().await?;
        let gone = sqlx::query!("delete from bonus_rule where bonus_rule_id = ?", id)
            .execute(&mut *tx)
            .await?
            .rows_affected();
        tx.commit().await?;
        if gone == 0 { Err(Error::NotFound("Rule")) } else { Ok(()) }
    }

    pub(super) async fn insert_bonus_rule(
        &self,
        tx: &mut Tx,
        product: Bonus,
        gives: &Gives,
        days: Option<u32>,
    ) -> Result<i64> {
        let (plan, bytes) = match gives {
            Gives::Plan(name) => (Some(plan_named(tx, name).await?), None),
            Gives::Bytes(bytes) => (None, Some(i64::try_from(*bytes).unwrap_or(i64::MAX))),
            Gives::Tier(_) => {
                return Err(Error::Invalid("A rule gives a plan or more bytes".to_owned()));
            }
        };
        let (product, now) = (product.as_str(), self.clock.now());
        let days = days.filter(|days| 0 < *days);
        Ok(sqlx::query_scalar!(
            r#"insert into bonus_rule (product, plan_id, bytes, days, created_at) values (?, ?, ?, ?, ?)
               returning bonus_rule_id as "id!: i64""#,
            product,
            plan,
            bytes,
            days,
            now
        )
        .fetch_one(&mut **tx)
        .await?)
    }

    /// Gives what the rules say of a delivery, as part of the transaction that finishes it.
    pub(crate) async fn apply_bonus(
        &self,
        tx: &mut Tx,
        user: UserId,
        is_album: bool,
        reason: &str,
    ) -> Result<Vec<GrantId>> {
        let now = self.clock.now();
        let mut given = Vec::new();
        for rule in read(tx).await? {
            if rule.product == Bonus::Album && !is_album {
                continue;
            }
            let new = NewGrant {
                gives: rule.gives,
                starts_at: None,
                ends_at: rule.days.map(|days| now + Millis::from(days) * DAY),
                reason: reason.to_owned(),
            };
            given.push(self.give_in(tx, UserId(0), user, &new, GrantOrigin::Rule).await?);
        }
        Ok(given)
    }
}

async fn read(tx: &mut Tx) -> Result<Vec<BonusRule>> {
    let rows = sqlx::query!(
        r#"select r.bonus_rule_id as "id!: i64", r.product, p.name as "plan?: String", r.bytes, r.days
           from bonus_rule r left join plan p using (plan_id) order by r.bonus_rule_id"#
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| BonusRule {
            id: row.id,
            product: if row.product == "album" { Bonus::Album } else { Bonus::Any },
            gives: match row.plan {
                Some(plan) => Gives::Plan(plan),
                None => Gives::Bytes(row.bytes.unwrap_or(0).unsigned_abs()),
            },
            days: row.days.and_then(|days| days.try_into().ok()),
        })
        .collect())
}
