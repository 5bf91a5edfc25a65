//! The household's locker as administrators see it: how full it is, and which plan it is on.

use super::{Accounts, Change, Principal, Usage, plans::plan_named};
use crate::{
    Error, Result,
    db::Tx,
    events::Event,
    ids::{LockerId, UserId},
};

/// The household's locker.
#[derive(Debug, Clone)]
pub struct Household {
    /// Its row.
    pub locker: LockerId,
    /// The plan that it is on.
    pub plan: String,
    /// How full it is.
    pub usage: Usage,
}

impl Accounts {
    /// The household's locker, if there is one. Administrators only.
    pub async fn household_room(&self, admin: &Principal) -> Result<Option<Household>> {
        admin.require_admin()?;
        let row = sqlx::query!(
            r#"select l.locker_id as "id!: i64", p.name as "plan!: String"
               from locker l join plan p using (plan_id) where l.kind = 'household'"#
        )
        .fetch_optional(self.db.read())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let locker = LockerId(row.id);
        let usage = self.figures_of(locker).await?.usage();
        Ok(Some(Household { locker, plan: row.plan, usage }))
    }

    /// Puts the household's locker on another plan. Nothing that is stored goes. Administrators
    /// only.
    pub async fn set_household_plan(&self, admin: &Principal, plan: &str) -> Result<()> {
        admin.require_admin()?;
        let mut tx = self.db.write().await?;
        let plan = plan_named(&mut tx, plan).await?;
        let locker = sqlx::query_scalar!(
            r#"update locker set plan_id = ? where kind = 'household'
               returning locker_id as "id!: i64""#,
            plan
        )
        .fetch_optional(&mut *tx)
        .await?
        .ok_or(Error::NotFound("Household locker"))?;
        self.tell_household(&mut tx, LockerId(locker), admin.user, plan).await?;
        tx.commit().await?;
        self.events.publish(Event::AccountChanged { user: UserId(0) });
        Ok(())
    }

    /// A locker that is on a plan by itself may hold something else now: whether it is over is
    /// looked at again, and its ledger tells of it.
    pub(super) async fn tell_household(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        by: UserId,
        plan: i64,
    ) -> Result<()> {
        let name = sqlx::query_scalar!("select name from plan where plan_id = ?", plan)
            .fetch_one(&mut **tx)
            .await?;
        self.note_over(tx, &[locker]).await?;
        let quota = self.figures(tx, locker).await?.state.quota;
        let allowed = quota.map_or_else(|| "no limit".to_owned(), super::grants::size);
        let change = Change { user: by, reason: "plan", path: "" };
        self.note(tx, locker, change, &format!("On the plan {name}; allowed now: {allowed}")).await
    }
}
