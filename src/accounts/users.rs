//! People's accounts.

use super::{Abilities, Accounts, Principal, Role};
use crate::{
    Error, Result,
    clock::Millis,
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
    /// Visible libraries, ascending.
    pub libraries: Vec<LibraryId>,
    /// When it was made.
    pub created_at: Millis,
    /// Since when it is shut out.
    pub disabled_at: Option<Millis>,
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

impl Accounts {
    /// Whom a user id stands for, with full rights: for tests, the command line and the control
    /// socket, which have proved themselves otherwise.
    pub async fn principal(&self, user: UserId) -> Result<Principal> {
        let _ = user;
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }

    /// The same by login name.
    pub async fn principal_named(&self, name: &str) -> Result<Principal> {
        let _ = name;
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }

    /// An admin's rights with nobody behind them: the command line before anybody is here.
    #[must_use]
    pub fn operator(&self) -> Principal {
        Principal::operator()
    }

    /// Every user, by name. Admin only.
    pub async fn users(&self, admin: &Principal) -> Result<Vec<User>> {
        admin.require_admin()?;
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }

    /// One user: oneself, or anybody for an admin.
    pub async fn user(&self, principal: &Principal, name: &str) -> Result<User> {
        let _ = (principal, name);
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }

    /// Makes a user with a locker. Admin only.
    pub async fn create_user(&self, admin: &Principal, new: &NewUser) -> Result<UserId> {
        admin.require_admin()?;
        let _ = new;
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }

    /// Changes a user.
    pub async fn update_user(
        &self,
        principal: &Principal,
        name: &str,
        change: &UserChange,
    ) -> Result<()> {
        let _ = (principal, name, change);
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }

    /// Removes a user; the drive puts the locker away under `removed/`. Admin only; never the
    /// last admin.
    pub async fn remove_user(&self, admin: &Principal, name: &str) -> Result<()> {
        admin.require_admin()?;
        let _ = name;
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }

    /// Sets a login password: one's own, or anybody's for an admin. Other sessions end.
    pub async fn set_password(
        &self,
        principal: &Principal,
        name: &str,
        password: &str,
    ) -> Result<()> {
        let _ = (principal, name, password);
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }
}
