//! The first run: who is the admin, and is this a household or a host for others. The link's
//! secret is on the console only; without it a stranger cannot claim a new server.

use std::sync::PoisonError;

use subtle::ConstantTimeEq as _;

use super::{
    Accounts, Bonus, Gives, NewUser, Origin, Principal, Role, SessionCookie,
    keys::random,
    lockers::Sharing,
    plans::{GB, insert_plan, plan_named},
    rules::{check_name, check_password},
};
use crate::{Error, Result, db::Tx, events::Event, ids::UserId};

/// Among how many members a household's free space is shared out at set-up.
const MEMBERS: u64 = 5;

/// What the server is for; it decides plans and the household locker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// People who share a roof and their music.
    Household,
    /// Strangers, each with a locker.
    Hosting,
}

impl Mode {
    fn as_str(self) -> &'static str {
        match self {
            Self::Household => "household",
            Self::Hosting => "hosting",
        }
    }
}

/// Where the set-up stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetUpState {
    /// Nobody is here yet; the set-up link waits.
    Needed,
    /// Done; this was chosen.
    Done(Mode),
}

impl Accounts {
    /// Where the set-up stands.
    pub async fn set_up_state(&self) -> Result<SetUpState> {
        let row = sqlx::query!(
            r#"select exists (select 1 from user) as "is_inhabited!: bool",
                      (select value from meta where key = 'mode') as mode"#
        )
        .fetch_one(self.db.read())
        .await?;
        Ok(match row.mode.as_deref() {
            _ if !row.is_inhabited => SetUpState::Needed,
            Some("hosting") => SetUpState::Done(Mode::Hosting),
            _ => SetUpState::Done(Mode::Household),
        })
    }

    /// The secret of the one-time set-up link, made on first call and the same until it is used
    /// or the server restarts. `None` once somebody is here. Print it on the console only.
    pub async fn set_up_token(&self) -> Result<Option<String>> {
        if self.set_up_state().await? != SetUpState::Needed {
            return Ok(None);
        }
        let fresh = hex::encode(random::<16>()?);
        let mut token = self.set_up.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Some(token.get_or_insert(fresh).clone()))
    }

    /// Whether this is the open set-up link's secret; wrong ones are counted.
    pub async fn check_set_up_token(&self, token: &str, origin: &Origin) -> Result<()> {
        let right = self.set_up.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let fits = right.is_some_and(|right| right.as_bytes().ct_eq(token.as_bytes()).into());
        if fits && self.set_up_state().await? == SetUpState::Needed {
            return Ok(());
        }
        self.limiter.take("set-up link", origin.address)?;
        Err(Error::Forbidden(
            "This set-up link is not valid any more; the newest one is in the server's log"
                .to_owned(),
        ))
    }

    /// Makes plans, household locker and the first admin, and signs him in.
    pub async fn complete_set_up(
        &self,
        token: &str,
        mode: Mode,
        name: &str,
        password: &str,
        origin: &Origin,
    ) -> Result<(SessionCookie, Principal)> {
        self.check_set_up_token(token, origin).await?;
        let user = self.make_first_admin(mode, name, password).await?.ok_or_else(|| {
            Error::Conflict("Somebody has set this server up already; sign in".to_owned())
        })?;
        *self.set_up.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let account = self.account(user).await?.ok_or(Error::NotFound("User"))?;
        self.start_session(&account, origin).await
    }

    /// The unattended way: a household with this admin, if nobody is here yet. Idempotent.
    pub async fn ensure_first_admin(&self, name: &str, password: &str) -> Result<()> {
        if self.set_up_state().await? == SetUpState::Needed {
            self.make_first_admin(Mode::Household, name, password).await?;
        }
        Ok(())
    }

    /// One transaction; `None` if somebody came first.
    async fn make_first_admin(
        &self,
        mode: Mode,
        name: &str,
        password: &str,
    ) -> Result<Option<UserId>> {
        let name = check_name(name)?;
        check_password(password)?;
        let hash = self.passwords.hash(password).await?;
        let mut tx = self.db.write().await?;
        let users = sqlx::query_scalar!("select count(*) from user").fetch_one(&mut *tx).await?;
        if 0 < users {
            return Ok(None);
        }
        self.set_mode(&mut tx, mode).await?;
        let new = NewUser { role: Role::Admin, ..NewUser::new(name, password) };
        let user = self.insert_user(&mut tx, name, &hash, &new).await?;
        // The first admin sees the household's locker even where it is not shared with all.
        sqlx::query!(
            "insert into library_grant (user_id, library_id)
             select ?, library_id from library where kind = 'household' on conflict do nothing",
            user.0
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.memory.forget_all();
        self.events.publish(Event::LibrariesChanged);
        self.events.publish(Event::AccountChanged { user });
        Ok(Some(user))
    }

    /// Chooses the household if nothing was chosen: users made by the command line first.
    pub(super) async fn settle_mode(&self, tx: &mut Tx) -> Result<()> {
        let mode = sqlx::query_scalar!("select value from meta where key = 'mode'")
            .fetch_optional(&mut **tx)
            .await?;
        match mode {
            Some(_) => Ok(()),
            None => self.set_mode(tx, Mode::Household).await,
        }
    }

    async fn set_mode(&self, tx: &mut Tx, mode: Mode) -> Result<()> {
        let default_plan = match mode {
            Mode::Household => {
                let share = self.equal_share();
                insert_plan(
                    tx,
                    "Member",
                    "An equal share of the disk",
                    Some(share),
                    self.clock.now(),
                )
                .await?;
                "Member"
            }
            Mode::Hosting => {
                let plus = Gives::Plan("Plus".to_owned());
                let has_rules = sqlx::query_scalar!(
                    r#"select exists (select 1 from bonus_rule) as "has_rules!: bool""#
                )
                .fetch_one(&mut **tx)
                .await?;
                if !has_rules && plan_named(tx, "Plus").await.is_ok() {
                    self.insert_bonus_rule(tx, Bonus::Album, &plus, Some(365)).await?;
                }
                "Free"
            }
        };
        let sharing = match mode {
            Mode::Household => Sharing::Everybody,
            Mode::Hosting => Sharing::Nobody,
        };
        self.insert_household_locker(tx, sharing).await?;
        let mode = mode.as_str();
        tx.keep_meta("mode", mode).await?;
        tx.keep_meta("default_plan", default_plan).await
    }

    /// Admins are unlimited; others get the mode's plan.
    pub(super) async fn default_plan(&self, tx: &mut Tx, role: Role) -> Result<i64> {
        if role == Role::Admin
            && let Ok(plan) = plan_named(tx, "Unlimited").await
        {
            return Ok(plan);
        }
        let name = sqlx::query_scalar!("select value from meta where key = 'default_plan'")
            .fetch_optional(&mut **tx)
            .await?;
        plan_named(tx, name.as_deref().unwrap_or("Free")).await
    }

    /// A member's part of what the drive has free now, in whole GB, at least one.
    fn equal_share(&self) -> i64 {
        let existing = self.drive.ancestors().find(|folder| folder.exists());
        let free = existing
            .and_then(|folder| rustix::fs::statvfs(folder).ok())
            .map_or(0, |disk| disk.f_bavail.saturating_mul(disk.f_frsize));
        let whole = i64::try_from(free / MEMBERS).unwrap_or(i64::MAX) / GB;
        whole.max(1) * GB
    }
}
