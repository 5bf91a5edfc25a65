//! Who gets in, with what, and who does not: through the verifier that every door uses.

mod access;
mod guessing;
mod sign_in;

use tunelocker::{
    Error,
    accounts::{Accounts, Credentials, NewUser, Origin, Principal, Role},
    error::AuthFailure,
    ids::UserId,
};

use crate::harness::TestApp;

/// A household with an admin and ann.
pub(crate) struct Household {
    /// Stops when dropped.
    _app: TestApp,
    pub(crate) accounts: Accounts,
    pub(crate) admin: Principal,
    pub(crate) ann: Principal,
}

pub(crate) const ADMIN_PASSWORD: &str = "the admin's own";
pub(crate) const ANN_PASSWORD: &str = "ann's very own";

impl Household {
    pub(crate) async fn new() -> Self {
        let app = TestApp::spawn().await;
        let accounts = app.services.accounts.clone();
        accounts.ensure_first_admin("root", ADMIN_PASSWORD).await.unwrap();
        let admin = accounts.principal_named("root").await.unwrap();
        let ann = accounts.create_user(&admin, &NewUser::new("ann", ANN_PASSWORD)).await.unwrap();
        let ann = accounts.principal(ann).await.unwrap();
        Self { _app: app, accounts, admin, ann }
    }
}

pub(crate) fn from(address: &str) -> Origin {
    Origin { address: address.parse().unwrap(), client: "test".to_owned() }
}

pub(crate) fn password(user: &str, password: &str) -> Credentials {
    Credentials::Password { user: user.to_owned(), password: password.to_owned() }
}

pub(crate) fn token(user: &str, secret: &str, salt: &str) -> Credentials {
    use md5::{Digest as _, Md5};
    let token = hex::encode(Md5::digest(format!("{secret}{salt}")));
    Credentials::Token { user: user.to_owned(), token, salt: salt.to_owned() }
}

/// Why nobody was recognised.
pub(crate) fn failure(answer: tunelocker::Result<Principal>) -> AuthFailure {
    match answer {
        Err(Error::Unauthenticated(failure)) => failure,
        Err(other) => panic!("another error: {other:?}"),
        Ok(principal) => panic!("{} got in", principal.name),
    }
}

#[tokio::test]
async fn a_household_has_plans_lockers_and_roles() {
    let house = Household::new().await;
    let plans = house.accounts.plans(&house.admin).await.unwrap();
    let quota = |name: &str| plans.iter().find(|plan| plan.name == name).unwrap().quota;
    assert_eq!(quota("Free"), Some(5_000_000_000));
    assert_eq!(quota("Plus"), Some(20_000_000_000));
    assert_eq!(quota("Unlimited"), None);
    let share = quota("Member").unwrap();
    assert!(1_000_000_000 <= share && share % 1_000_000_000 == 0, "{share}");

    let lockers = house.accounts.lockers(&house.ann).await.unwrap();
    assert_eq!(lockers.len(), 2, "her own and the household's");
    assert_eq!(lockers[0].path, "lockers/ann");
    assert_eq!(lockers[0].usage.quota, Some(share));
    assert_eq!(lockers[1].path, "household");
    assert_eq!(lockers[1].usage.quota, None);
    let admins = house.accounts.lockers(&house.admin).await.unwrap();
    assert_eq!(admins[0].path, "lockers/root");
    assert_eq!(admins[0].usage.quota, None);

    assert_eq!(house.admin.role, Role::Admin);
    assert!(house.ann.may_see(lockers[0].library) && house.ann.may_see(lockers[1].library));
    assert!(!house.admin.may_see(lockers[0].library), "not even an admin sees ann's locker");
    let lan = house.accounts.household().await.unwrap();
    assert_eq!(&*lan.libraries, &[lockers[1].library], "the LAN sees the household alone");
    assert!(!lan.is_admin() && !lan.is_person());
}

#[tokio::test]
async fn only_admins_administer() {
    let house = Household::new().await;
    let (accounts, ann) = (&house.accounts, &house.ann);
    let forbidden = |answer: Result<(), Error>| matches!(answer, Err(Error::Forbidden(_)));
    assert!(forbidden(accounts.users(ann).await.map(drop)));
    assert!(forbidden(
        accounts.create_user(ann, &NewUser::new("bob", "bob's own one")).await.map(drop)
    ));
    assert!(forbidden(accounts.remove_user(ann, "root").await));
    assert!(forbidden(accounts.set_password(ann, "root", "mine from now on").await));
    assert!(forbidden(
        accounts.set_plan(ann, "Free", &tunelocker::accounts::PlanChange::default()).await
    ));
    assert!(forbidden(accounts.devices(ann).await.map(drop)));
    assert!(matches!(accounts.user(ann, "root").await, Err(Error::NotFound(_))));
    let change = tunelocker::accounts::UserChange { role: Some(Role::Admin), ..Default::default() };
    assert!(forbidden(accounts.update_user(ann, "ann", &change).await), "nobody promotes oneself");
    let change = tunelocker::accounts::UserChange { role: Some(Role::User), ..Default::default() };
    assert!(
        matches!(
            accounts.update_user(&house.admin, "root", &change).await,
            Err(Error::Conflict(_))
        ),
        "the last admin stays one"
    );
    assert!(matches!(accounts.remove_user(&house.admin, "root").await, Err(Error::Conflict(_))));
    assert!(matches!(accounts.principal(UserId(999)).await, Err(Error::NotFound(_))));
}
