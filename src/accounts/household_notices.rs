//! Notices about the household's locker: to everybody who may put files there, and to the
//! administrators, who can give it more room.

use super::{
    Accounts, Locker, LockerKind,
    grants::{day, size},
    notices::insert,
    quota::{is_over_with, per_cent, share},
};
use crate::{
    Result,
    events::Event,
    ids::{LockerId, UserId},
};

/// What keys of these notices begin with.
const SHARE: &str = "household:";
const OVER: &str = "household-over";

impl Accounts {
    /// Looks at the household's locker and writes what is to be told of it.
    pub(super) async fn look_at_household(&self) -> Result<()> {
        let locker = sqlx::query_scalar!(
            r#"select locker_id as "id!: i64" from locker where kind = 'household' and user_id is null"#
        )
        .fetch_optional(self.db.read())
        .await?;
        let Some(locker) = locker.map(LockerId) else { return Ok(()) };
        let figures = self.figures_of(locker).await?;
        let state = figures.state;
        let reached = share(state.used, state.quota);
        let open = sqlx::query!(
            r#"select user_id as "user!: i64", key as "key!: String" from notice
               where closed_at is null and (key like 'household:%' or key = 'household-over')"#
        )
        .fetch_all(self.db.read())
        .await?;
        if reached.is_none() && open.is_empty() {
            return Ok(());
        }
        let is_past = |key: &str| match key.strip_prefix(SHARE) {
            Some(told) => {
                told.parse().is_ok_and(|told| is_over_with(state.used, state.quota, told))
            }
            None => !state.is_over(),
        };
        let who = if reached.is_some() { self.who_fills(locker).await? } else { Vec::new() };
        let now = self.clock.now();
        let mut moved = Vec::new();
        let mut tx = self.db.write().await?;
        for row in open.iter().filter(|row| is_past(&row.key)) {
            sqlx::query!(
                "update notice set closed_at = ? where user_id = ? and key = ? and closed_at is null",
                now,
                row.user,
                row.key
            )
            .execute(&mut *tx)
            .await?;
            moved.push(row.user);
        }
        if let Some(reached) = reached {
            let quota = state.quota.unwrap_or(0);
            let share_text = format!(
                "The household's locker holds {} of {} ({} %).",
                size(state.used),
                size(quota),
                per_cent(state.used, quota)
            );
            let over_text = figures.grace_ends.filter(|_| state.is_over()).map(|ends| {
                format!(
                    "The household's locker holds more than it may. Everything in it can be played, \
                     fetched and deleted; nothing can be added until it fits again. From {} on that is \
                     final.",
                    day(ends)
                )
            });
            for user in who {
                let own = open.iter().filter(|row| row.user == user.0);
                let highest =
                    own.clone().filter_map(|row| row.key.strip_prefix(SHARE)?.parse().ok());
                if highest.max().is_none_or(|told: u8| told < reached) {
                    insert(&mut tx, user, &format!("{SHARE}{reached}"), &share_text, now).await?;
                    moved.push(user.0);
                }
                if let Some(text) = &over_text
                    && !own.clone().any(|row| row.key == OVER)
                {
                    insert(&mut tx, user, OVER, text, now).await?;
                    moved.push(user.0);
                }
            }
        }
        tx.commit().await?;
        moved.sort_unstable();
        moved.dedup();
        for user in moved {
            self.events.publish(Event::AccountChanged { user: UserId(user) });
        }
        Ok(())
    }

    /// Administrators, and who may add files to this locker.
    async fn who_fills(&self, locker: LockerId) -> Result<Vec<UserId>> {
        let mut found = Vec::new();
        for user in self.users(&self.operator()).await? {
            if user.disabled_at.is_some() {
                continue;
            }
            let principal = self.principal(user.id).await?;
            let is_it = |one: &Locker| one.kind == LockerKind::Household && one.id == locker;
            let fills =
                principal.abilities.upload && self.lockers(&principal).await?.iter().any(is_it);
            if principal.is_admin() || fills {
                found.push(user.id);
            }
        }
        Ok(found)
    }
}
