//! People's accounts.

use super::{
    Abilities, Accounts, Principal, Role,
    plans::plan_named,
    rules::{check_name, check_password},
};
use crate::{
    Error, Result,
    clock::Millis,
    db::Tx,
    events::Event,
    ids::{LibraryId, PlanId, UserId},
};

/// A person's account.
#[derive(Debug, Clone)]
pub struct User {
    /// Its row.
    pub id: UserId,
    /// Login name, fixed for life.
    pub name: String,
    /// What others see.
    pub display_name: String,
    /// May be empty.
    pub email: String,
    /// What the user is here.
    pub role: Role,
    /// The tier.
    pub plan: PlanId,
    /// Its name.
    pub plan_name: String,
    /// Switches.
    pub abilities: Abilities,
    /// The user's own ceiling on top of the plan's.
    pub max_bitrate_kbps: Option<u32>,
    /// The same of the plan.
    pub plan_bitrate_kbps: Option<u32>,
    /// Visible libraries, ascending.
    pub libraries: Vec<LibraryId>,
    /// When it was made.
    pub created_at: Millis,
    /// Since when it is shut out.
    pub disabled_at: Option<Millis>,
    /// When the picture last changed, if there is one.
    pub avatar_changed_at: Option<Millis>,
}

/// A user to make.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Login name: `[a-z0-9][a-z0-9._-]{0,63}`.
    pub name: String,
    /// At least eight characters.
    pub password: String,
    /// What the user is here.
    pub role: Role,
    /// A plan's name; the server's default for the role if none.
    pub plan: Option<String>,
    /// What others see.
    pub display_name: String,
    /// May be empty.
    pub email: String,
    /// Switches.
    pub abilities: Abilities,
}

impl NewUser {
    /// An ordinary user with defaults for everything else.
    #[must_use]
    pub fn new(name: &str, password: &str) -> Self {
        Self {
            name: name.to_owned(),
            password: password.to_owned(),
            role: Role::User,
            plan: None,
            display_name: String::new(),
            email: String::new(),
            abilities: Abilities::default(),
        }
    }
}

/// What to change of a user; `None` leaves it. Users may change their own display name and
/// e-mail; the rest is an admin's.
#[derive(Debug, Clone, Default)]
pub struct UserChange {
    /// What others see.
    pub display_name: Option<String>,
    /// May be empty.
    pub email: Option<String>,
    /// What the user is here. The last admin stays one.
    pub role: Option<Role>,
    /// A plan's name.
    pub plan: Option<String>,
    /// Switches.
    pub abilities: Option<Abilities>,
    /// Own ceiling; `Some(None)` is none.
    pub max_bitrate_kbps: Option<Option<u32>>,
    /// Exactly these libraries (and the own locker) are visible.
    pub libraries: Option<Vec<LibraryId>>,
    /// Shut out or let in.
    pub is_disabled: Option<bool>,
}

/// What becomes of a removed user's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Files {
    PutAway,
    Erase,
}

impl Accounts {
    /// Whom a user id stands for, with full rights: for tests, the command line and the control
    /// socket, which have proved themselves otherwise.
    pub async fn principal(&self, user: UserId) -> Result<Principal> {
        let account = self.account(user).await?.ok_or(Error::NotFound("User"))?;
        Ok(account.full.clone())
    }

    /// The same of a user who is not shut out; `NotFound` otherwise.
    pub(crate) async fn enabled_principal(&self, user: UserId) -> Result<Principal> {
        let account = self.account(user).await?.filter(|account| !account.is_disabled);
        Ok(account.ok_or(Error::NotFound("User"))?.full.clone())
    }

    /// The same by login name.
    pub async fn principal_named(&self, name: &str) -> Result<Principal> {
        let account = self.load_named(&name.to_ascii_lowercase()).await?;
        Ok(account.ok_or(Error::NotFound("User"))?.full.clone())
    }

    /// An admin's rights with nobody behind them: the command line and the control socket.
    #[must_use]
    pub fn operator(&self) -> Principal {
        Principal::operator()
    }

    /// Somebody who is about to get an account: nobody yet, who sees what a new user would.
    pub(crate) async fn newcomer(&self) -> Result<Principal> {
        let libraries = self.visible_libraries(UserId(0), Abilities::default()).await?;
        Ok(Principal::household(libraries))
    }

    /// Every user, by name. Admin only.
    pub async fn users(&self, admin: &Principal) -> Result<Vec<User>> {
        admin.require_admin()?;
        self.read_users(None).await
    }

    /// One user: oneself, or anybody for an admin.
    pub async fn user(&self, principal: &Principal, name: &str) -> Result<User> {
        if !principal.name.eq_ignore_ascii_case(name) {
            // Others are not even told that there is one.
            match principal.role {
                Role::Admin => principal.require_admin()?,
                Role::User => return Err(Error::NotFound("User")),
            }
        }
        self.read_users(Some(name)).await?.pop().ok_or(Error::NotFound("User"))
    }

    async fn read_users(&self, name: Option<&str>) -> Result<Vec<User>> {
        let rows = sqlx::query!(
            r#"select u.user_id, u.name, u.display_name, u.email, u.role, u.plan_id, p.name as plan_name,
                      u.abilities, u.max_bitrate_kbps, p.max_bitrate_kbps as plan_bitrate, u.created_at, u.disabled_at, a.changed_at as "avatar_changed_at?"
               from user u join plan p using (plan_id) left join avatar a using (user_id)
               where ?1 is null or u.name = ?1 order by u.name"#,
            name
        )
        .fetch_all(self.db.read())
        .await?;
        let mut users = Vec::with_capacity(rows.len());
        for row in rows {
            let id = UserId(row.user_id);
            let abilities = serde_json::from_str(&row.abilities)?;
            users.push(User {
                id,
                name: row.name,
                display_name: row.display_name,
                email: row.email,
                role: Role::from_column(&row.role),
                plan: row.plan_id.into(),
                plan_name: row.plan_name,
                abilities,
                max_bitrate_kbps: row.max_bitrate_kbps.and_then(|rate| rate.try_into().ok()),
                plan_bitrate_kbps: row.plan_bitrate.and_then(|rate| rate.try_into().ok()),
                libraries: self.visible_libraries(id, abilities).await?,
                created_at: row.created_at,
                disabled_at: row.disabled_at,
                avatar_changed_at: row.avatar_changed_at,
            });
        }
        Ok(users)
    }

    /// Makes a user with a locker. Admin only. On a server that nobody set up, it becomes a
    /// household's.
    pub async fn create_user(&self, admin: &Principal, new: &NewUser) -> Result<UserId> {
        admin.require_admin()?;
        let name = check_name(&new.name)?;
        check_password(&new.password)?;
        let hash = self.passwords.hash(&new.password).await?;
        let mut tx = self.db.write().await?;
        self.settle_mode(&mut tx).await?;
        let user = self.insert_user(&mut tx, name, &hash, new).await?;
        tx.commit().await?;
        self.memory.forget_all();
        self.events.publish(Event::LibrariesChanged);
        self.events.publish(Event::AccountChanged { user });
        Ok(user)
    }

    pub(super) async fn insert_user(
        &self,
        tx: &mut Tx,
        name: &str,
        hash: &str,
        new: &NewUser,
    ) -> Result<UserId> {
        let plan = match &new.plan {
            Some(plan) => plan_named(tx, plan).await?,
            None => self.default_plan(tx, new.role).await?,
        };
        let (role, now) = (new.role.as_str(), self.clock.now());
        let abilities = serde_json::to_string(&new.abilities)?;
        let display_name = super::one_line(&new.display_name, 100);
        let email = super::one_line(&new.email, 200);
        let user = sqlx::query_scalar!(
            r#"insert into user (name, display_name, email, role, password_hash, plan_id, abilities, created_at, changed_at)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)
             on conflict (name) do nothing returning user_id as "id!: i64""#,
            name,
            display_name,
            email,
            role,
            hash,
            plan,
            abilities,
            now
        )
        .fetch_optional(&mut **tx)
        .await?
        .ok_or_else(|| Error::Conflict(format!("There is a user {name} already")))?;
        self.insert_user_locker(tx, UserId(user), name).await?;
        Ok(UserId(user))
    }

    /// Changes a user.
    pub async fn update_user(
        &self,
        principal: &Principal,
        name: &str,
        change: &UserChange,
    ) -> Result<()> {
        let is_own = principal.is_person() && principal.name.eq_ignore_ascii_case(name);
        let is_personal = change.role.is_none()
            && change.plan.is_none()
            && change.abilities.is_none()
            && change.max_bitrate_kbps.is_none()
            && change.libraries.is_none()
            && change.is_disabled.is_none();
        if is_own && is_personal && principal.abilities.settings {
            principal.require_own_password()?;
        } else {
            principal.require_admin()?;
        }
        let now = self.clock.now();
        let mut tx = self.db.write().await?;
        let user = user_named(&mut tx, name).await?;
        if let Some(text) = &change.display_name {
            let text = super::one_line(text, 100);
            sqlx::query!("update user set display_name = ? where user_id = ?", text, user)
                .execute(&mut *tx)
                .await?;
        }
        if let Some(text) = &change.email {
            let text = super::one_line(text, 200);
            sqlx::query!("update user set email = ? where user_id = ?", text, user)
                .execute(&mut *tx)
                .await?;
        }
        if let Some(role) = change.role {
            let role = role.as_str();
            sqlx::query!("update user set role = ? where user_id = ?", role, user)
                .execute(&mut *tx)
                .await?;
        }
        if let Some(name) = &change.plan {
            let plan = plan_named(&mut tx, name).await?;
            sqlx::query!("update user set plan_id = ? where user_id = ?", plan, user)
                .execute(&mut *tx)
                .await?;
            let note = format!("Now on the plan {name}");
            self.tell_of_quota(&mut tx, UserId(user), principal.user, "plan", &note).await?;
        }
        if let Some(mut abilities) = change.abilities {
            abilities.sees_shared &= change.libraries.is_none();
            let abilities = serde_json::to_string(&abilities)?;
            sqlx::query!("update user set abilities = ? where user_id = ?", abilities, user)
                .execute(&mut *tx)
                .await?;
        }
        if let Some(rate) = change.max_bitrate_kbps {
            sqlx::query!("update user set max_bitrate_kbps = ? where user_id = ?", rate, user)
                .execute(&mut *tx)
                .await?;
        }
        if let Some(libraries) = &change.libraries {
            set_granted(&mut tx, user, libraries).await?;
        }
        if let Some(is_disabled) = change.is_disabled {
            let at = is_disabled.then_some(now);
            sqlx::query!("update user set disabled_at = ? where user_id = ?", at, user)
                .execute(&mut *tx)
                .await?;
        }
        sqlx::query!("update user set changed_at = ? where user_id = ?", now, user)
            .execute(&mut *tx)
            .await?;
        refuse_no_admin(&mut tx).await?;
        tx.commit().await?;
        self.forget(UserId(user));
        self.events.publish(Event::AccountChanged { user: UserId(user) });
        Ok(())
    }

    /// Removes a user; the drive puts the locker away under `removed/`. Admin only; never the
    /// last admin.
    pub async fn remove_user(&self, admin: &Principal, name: &str) -> Result<()> {
        self.remove(admin, name, Files::PutAway).await
    }

    /// The same, and the drive erases the locker with all that is in it.
    pub async fn remove_user_and_files(&self, admin: &Principal, name: &str) -> Result<()> {
        self.remove(admin, name, Files::Erase).await
    }

    async fn remove(&self, admin: &Principal, name: &str, files: Files) -> Result<()> {
        admin.require_admin()?;
        let mut tx = self.db.write().await?;
        let user = user_named(&mut tx, name).await?;
        if files == Files::Erase {
            sqlx::query!("update locker set is_erased = 1 where user_id = ?", user)
                .execute(&mut *tx)
                .await?;
        }
        sqlx::query!(
            "update library set is_active = 0, is_shared = 0, is_on_lan = 0
             where locker_id in (select locker_id from locker where user_id = ?)",
            user
        )
        .execute(&mut *tx)
        .await?;
        sqlx::query!("delete from user where user_id = ?", user).execute(&mut *tx).await?;
        refuse_no_admin(&mut tx).await?;
        tx.commit().await?;
        self.memory.forget_all();
        self.events.publish(Event::AccountChanged { user: UserId(user) });
        self.events.publish(Event::LibrariesChanged);
        Ok(())
    }

    /// Sets a login password: one's own, or anybody's for an admin. All sessions of that user
    /// end; app passwords stay.
    pub async fn set_password(
        &self,
        principal: &Principal,
        name: &str,
        password: &str,
    ) -> Result<()> {
        let is_own = principal.is_person() && principal.name.eq_ignore_ascii_case(name);
        if is_own && principal.abilities.settings {
            principal.require_own_password()?;
        } else {
            principal.require_admin()?;
        }
        check_password(password)?;
        let hash = self.passwords.hash(password).await?;
        let now = self.clock.now();
        let mut tx = self.db.write().await?;
        let user = user_named(&mut tx, name).await?;
        sqlx::query!(
            "update user set password_hash = ?, changed_at = ? where user_id = ?",
            hash,
            now,
            user
        )
        .execute(&mut *tx)
        .await?;
        sqlx::query!("delete from session where user_id = ?", user).execute(&mut *tx).await?;
        tx.commit().await?;
        self.forget(UserId(user));
        self.events.publish(Event::AccountChanged { user: UserId(user) });
        Ok(())
    }
}

/// Exactly these libraries from now on; the own locker always.
async fn set_granted(tx: &mut Tx, user: i64, libraries: &[LibraryId]) -> Result<()> {
    sqlx::query!("delete from library_grant where user_id = ?", user).execute(&mut **tx).await?;
    let chosen = serde_json::to_string(libraries)?;
    // Somebody else's locker is never opened this way: only its owner shares it.
    sqlx::query!(
        "insert into library_grant (user_id, library_id)
         select ?1, library_id from library
         where library_id in (select value from json_each(?2)) and (kind <> 'locker' or is_shared = 1)
           and library_id not in (select library_id from shared_library)",
        user,
        chosen
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "update user set abilities = json_set(abilities, '$.sees_shared', json('false')) where user_id = ?",
        user
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn user_named(tx: &mut Tx, name: &str) -> Result<i64> {
    sqlx::query_scalar!("select user_id from user where name = ?", name)
        .fetch_optional(&mut **tx)
        .await?
        .ok_or(Error::NotFound("User"))
}

/// Somebody must be able to administer the server after the change.
async fn refuse_no_admin(tx: &mut Tx) -> Result<()> {
    let admins = sqlx::query_scalar!(
        "select count(*) from user where role = 'admin' and disabled_at is null"
    )
    .fetch_one(&mut **tx)
    .await?;
    let users = sqlx::query_scalar!("select count(*) from user").fetch_one(&mut **tx).await?;
    if admins == 0 && 0 < users {
        return Err(Error::Conflict(
            "This is the last administrator; make another one first".to_owned(),
        ));
    }
    Ok(())
}
