//! The ledger: a row for every change of a figure (who, what, bytes, why), so that any figure can
//! be explained. The sums of its columns are the figures.

use super::{
    Accounts, LockerKind, Principal, Usage,
    quota::{Charge, Event, State},
};
use crate::{
    Error, Result,
    clock::Millis,
    db::Tx,
    events,
    ids::{LockerId, UserId},
};

/// A change of a locker's figures, for the ledger.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change<'a> {
    /// Whose doing; 0 for the server's own.
    pub(crate) user: UserId,
    /// One word: `upload`, `remove`, `found`, `missing`, `trash`, `restore`, `gave-way`, `came-back`,
    /// `purge`, `grant`, `plan`, `exempt`, `delivery`, `takedown`, `policy`.
    pub(crate) reason: &'a str,
    /// Which file, relative to the locker; or what else it was about.
    pub(crate) path: &'a str,
}

/// A row of the ledger. Amounts are bytes, and how the figures moved.
#[derive(Debug, Clone)]
pub struct LedgerRow {
    /// Its number; later rows have larger ones.
    pub id: i64,
    /// When.
    pub at: Millis,
    /// Who did it, by login name; `None` for the server itself or somebody who is gone.
    pub user: Option<String>,
    /// Of what is used.
    pub bytes: i64,
    /// Of what does not count.
    pub exempt: i64,
    /// Of trash and old versions.
    pub reclaimable: i64,
    /// One word.
    pub reason: String,
    /// Which file.
    pub path: String,
    /// A sentence, where the word does not say it all.
    pub note: String,
}

impl Accounts {
    /// How full a locker is that the principal may see.
    pub async fn usage(&self, principal: &Principal, locker: LockerId) -> Result<Usage> {
        Ok(self.locker(principal, locker).await?.usage)
    }

    /// Moves a locker's figures, whatever the quota says: what lies on the disk counts.
    pub(crate) async fn recount(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        (comes, goes): (Charge, Charge),
        change: Change<'_>,
    ) -> Result<()> {
        self.apply(tx, locker, Event::Recount { comes, goes }, Some(change)).await
    }

    /// Writes how the figures moved.
    pub(super) async fn enter(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        (before, after): (&State, &State),
        change: Change<'_>,
    ) -> Result<()> {
        let moved = |from: u64, to: u64| to as i64 - from as i64;
        let (bytes, exempt, reclaimable) = (
            moved(before.used, after.used),
            moved(before.exempt, after.exempt),
            moved(before.reclaimable, after.reclaimable),
        );
        let (now, user) = (self.clock.now(), change.user.0);
        sqlx::query!(
            "insert into ledger (at, locker_id, user_id, bytes, exempt_bytes, reclaimable_bytes, reason, path)
             values (?, ?, nullif(?, 0), ?, ?, ?, ?, ?)",
            now,
            locker.0,
            user,
            bytes,
            exempt,
            reclaimable,
            change.reason,
            change.path
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Writes of something that moved no figure but explains those to come: a grant, a plan.
    pub(super) async fn note(
        &self,
        tx: &mut Tx,
        locker: LockerId,
        change: Change<'_>,
        note: &str,
    ) -> Result<()> {
        let (now, user) = (self.clock.now(), change.user.0);
        sqlx::query!(
            "insert into ledger (at, locker_id, user_id, bytes, reason, path, note)
             values (?, ?, nullif(?, 0), 0, ?, ?, ?)",
            now,
            locker.0,
            user,
            change.reason,
            change.path,
            note
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// What moved a locker's figures, the latest first: at most `limit` rows before row `before`.
    /// For whoever may use the locker, and for administrators.
    pub async fn ledger(
        &self,
        principal: &Principal,
        locker: LockerId,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<LedgerRow>> {
        if !principal.is_admin() {
            self.locker(principal, locker).await?;
        }
        let before = before.unwrap_or(i64::MAX);
        let rows = sqlx::query!(
            r#"select l.ledger_id as "id!: i64", l.at, u.name as "user?: String", l.bytes,
                      l.exempt_bytes, l.reclaimable_bytes, l.reason, l.path, l.note
               from ledger l left join user u on u.user_id = l.user_id
               where l.locker_id = ? and l.ledger_id < ? order by l.ledger_id desc limit ?"#,
            locker.0,
            before,
            limit
        )
        .fetch_all(self.db.read())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| LedgerRow {
                id: row.id,
                at: row.at,
                user: row.user,
                bytes: row.bytes,
                exempt: row.exempt_bytes,
                reclaimable: row.reclaimable_bytes,
                reason: row.reason,
                path: row.path,
                note: row.note,
            })
            .collect())
    }

    /// The locker of a user, for administrators and for himself.
    pub async fn locker_of_user(&self, principal: &Principal, user: &str) -> Result<LockerId> {
        if principal.name.eq_ignore_ascii_case(user) && principal.is_person() {
            let own = self.lockers(principal).await?;
            let own = own.into_iter().find(|locker| locker.kind == LockerKind::User);
            return own.map(|locker| locker.id).ok_or(Error::NotFound("Locker"));
        }
        if !principal.is_admin() {
            return Err(Error::NotFound("User"));
        }
        let row = sqlx::query_scalar!(
            r#"select locker_id as "id!: i64" from locker join user using (user_id) where user.name = ?"#,
            user
        )
        .fetch_optional(self.db.read())
        .await?;
        row.map(LockerId).ok_or(Error::NotFound("User"))
    }

    /// The locker of a user by name, the household's where no one is named. Administrators only.
    pub async fn locker_of(&self, admin: &Principal, user: Option<&str>) -> Result<LockerId> {
        admin.require_admin()?;
        match user {
            Some(user) => self.locker_of_user(admin, user).await,
            None => {
                let household = self.household_room(admin).await?;
                household.map(|it| it.locker).ok_or(Error::NotFound("Locker"))
            }
        }
    }

    /// How full a user's locker is, for administrators and for himself.
    pub async fn usage_of(&self, principal: &Principal, user: &str) -> Result<Usage> {
        let locker = self.locker_of_user(principal, user).await?;
        Ok(self.figures_of(locker).await?.usage())
    }

    /// Tells whoever shows a locker's bar that it moved.
    pub(crate) async fn tell_usage(&self, locker: LockerId) -> Result<()> {
        let user = sqlx::query_scalar!("select user_id from locker where locker_id = ?", locker.0)
            .fetch_optional(self.db.read())
            .await?
            .flatten();
        self.events.publish(events::Event::AccountChanged { user: UserId(user.unwrap_or(0)) });
        Ok(())
    }
}
