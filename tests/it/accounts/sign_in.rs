//! Right and wrong credentials of each kind.

use tunelocker::{
    Error,
    accounts::{Credentials, NewUser, PlanChange, Role, Scope, UserChange},
    error::AuthFailure,
};

use super::{ADMIN_PASSWORD, ANN_PASSWORD, Household, failure, from, password, token};

#[tokio::test]
async fn login_passwords() {
    let house = Household::new().await;
    let here = from("192.0.2.1");
    let ann = house.accounts.authenticate(password("ann", ANN_PASSWORD), &here).await.unwrap();
    assert_eq!((&*ann.name, ann.scope), ("ann", Scope::Full));
    let shouted = house.accounts.authenticate(password("ANN", ANN_PASSWORD), &here).await.unwrap();
    assert_eq!(shouted.user, ann.user, "names are case-blind");
    let wrong = failure(house.accounts.authenticate(password("ann", "wrong one"), &here).await);
    let unknown = failure(house.accounts.authenticate(password("bob", "wrong one"), &here).await);
    assert_eq!(wrong, AuthFailure::Wrong);
    assert_eq!(wrong, unknown);
    assert_eq!(wrong.to_string(), unknown.to_string());
}

#[tokio::test]
async fn app_passwords_as_password_token_and_key() {
    let house = Household::new().await;
    let (accounts, here) = (&house.accounts, from("192.0.2.1"));
    let new = accounts.create_app_password(&house.ann, "phone").await.unwrap();
    let plain = new.secret.replace('-', "");
    for typed in
        [new.secret.clone(), plain.clone(), plain.to_uppercase(), new.secret.replace('-', " ")]
    {
        let ann = accounts.authenticate(password("ann", &typed), &here).await.unwrap();
        assert_eq!((&*ann.name, ann.scope), ("ann", Scope::App), "{typed}");
        accounts.authenticate(token("ann", &typed, "c19b2d"), &here).await.unwrap();
        accounts.authenticate(token("Ann", &typed, ""), &here).await.unwrap();
        accounts.authenticate(Credentials::ApiKey(typed), &here).await.unwrap();
    }
    assert_eq!(
        failure(accounts.authenticate(password("root", &new.secret), &here).await),
        AuthFailure::Wrong,
        "another's app password"
    );
    assert_eq!(
        failure(accounts.authenticate(token("ann", "wrong", "s"), &here).await),
        AuthFailure::Wrong
    );
    assert_eq!(
        failure(accounts.authenticate(token("ann", ANN_PASSWORD, "s"), &here).await),
        AuthFailure::Wrong,
        "a login password is no token's secret"
    );

    let listed = accounts.app_passwords(&house.ann).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].label.as_str(), listed[0].used_by.as_str()), ("phone", "test"));
    assert_eq!(listed[0].used_from, "192.0.2.1");
    assert!(listed[0].used_at.is_some());

    let revoked = accounts.revoke_app_password(&house.admin, new.id).await;
    assert!(matches!(revoked, Err(Error::NotFound(_))), "it is ann's");
    accounts.revoke_app_password(&house.ann, new.id).await.unwrap();
    let key = Credentials::ApiKey(new.secret.clone());
    assert_eq!(failure(accounts.authenticate(key, &here).await), AuthFailure::InvalidKey);
    assert_eq!(
        failure(accounts.authenticate(token("ann", &new.secret, "s"), &here).await),
        AuthFailure::TokenUnsupported
    );
    assert_eq!(
        failure(accounts.authenticate(password("ann", &new.secret), &here).await),
        AuthFailure::Wrong
    );
}

#[tokio::test]
async fn tokens_tell_unknown_and_keyless_users_alike() {
    let house = Household::new().await;
    let here = from("192.0.2.1");
    let keyless = failure(house.accounts.authenticate(token("ann", "x", "s"), &here).await);
    let unknown = failure(house.accounts.authenticate(token("nobody", "x", "s"), &here).await);
    // CVE-2025-27112: md5 of nothing let unknown users in.
    let nothing = failure(house.accounts.authenticate(token("nobody", "", "s"), &here).await);
    assert_eq!(keyless, AuthFailure::TokenUnsupported);
    assert_eq!((&keyless, &keyless), (&unknown, &nothing));
    for key in ["", "abcd", "abcd-efgh-ijkl-mnop", &"x".repeat(10_000)] {
        let answer = house.accounts.authenticate(Credentials::ApiKey(key.to_owned()), &here).await;
        assert_eq!(failure(answer), AuthFailure::InvalidKey);
    }
}

#[tokio::test]
async fn an_app_cannot_make_or_revoke_app_passwords() {
    let house = Household::new().await;
    let new = house.accounts.create_app_password(&house.ann, "phone").await.unwrap();
    let key = Credentials::ApiKey(new.secret);
    let app = house.accounts.authenticate(key, &from("192.0.2.1")).await.unwrap();
    let made = house.accounts.create_app_password(&app, "another").await;
    assert!(matches!(made, Err(Error::Forbidden(_))));
    let revoked = house.accounts.revoke_app_password(&app, new.id).await;
    assert!(matches!(revoked, Err(Error::Forbidden(_))));
    let changed = house.accounts.set_password(&app, "ann", "from my stolen phone").await;
    assert!(matches!(changed, Err(Error::Forbidden(_))));
    let mail = UserChange { email: Some("eve@example.org".to_owned()), ..UserChange::default() };
    let changed = house.accounts.update_user(&app, "ann", &mail).await;
    assert!(matches!(changed, Err(Error::Forbidden(_))));
}

#[tokio::test]
async fn an_administrators_app_password_is_no_administrator() {
    let house = Household::new().await;
    let (accounts, here) = (&house.accounts, from("192.0.2.1"));
    let new = accounts.create_app_password(&house.admin, "phone").await.unwrap();
    for credentials in [
        password("root", &new.secret),
        token("root", &new.secret, "salt"),
        Credentials::ApiKey(new.secret.clone()),
    ] {
        let app = accounts.authenticate(credentials, &here).await.unwrap();
        assert!(!app.is_admin() && app.tends_music());
        let refused = |answer: tunelocker::Result<()>| match answer {
            Err(Error::Forbidden(why)) => assert!(why.contains("your own password"), "{why}"),
            other => panic!("{other:?}"),
        };
        let eve = NewUser::new("eve", "eve's own one");
        refused(accounts.create_user(&app, &eve).await.map(drop));
        refused(accounts.set_password(&app, "ann", "from a stolen phone").await);
        refused(accounts.set_password(&app, "root", "from a stolen phone").await);
        refused(accounts.remove_user(&app, "ann").await);
        let up = UserChange { role: Some(Role::Admin), ..UserChange::default() };
        refused(accounts.update_user(&app, "ann", &up).await);
        refused(accounts.set_plan(&app, "Free", &PlanChange::default()).await);
        refused(accounts.users(&app).await.map(drop));
        refused(accounts.user(&app, "ann").await.map(drop));
    }
    // His own password still is all of him, by every door that takes one.
    let root = accounts.authenticate(password("root", ADMIN_PASSWORD), &here).await.unwrap();
    assert!(root.is_admin());
}

#[tokio::test]
async fn sessions_begin_last_and_end() {
    let house = Household::new().await;
    let (accounts, here) = (&house.accounts, from("192.0.2.1"));
    let (one, ann) = accounts.sign_in("ann", ANN_PASSWORD, &here).await.unwrap();
    let (two, _) = accounts.sign_in("ann", ANN_PASSWORD, &here).await.unwrap();
    assert_ne!(one.value, two.value);
    let session = |value: &str| Credentials::Session(value.to_owned());
    let known = accounts.authenticate(session(&one.value), &here).await.unwrap();
    assert_eq!((known.user, known.scope), (ann.user, Scope::Full));
    assert_eq!(accounts.sessions(&ann).await.unwrap().len(), 2);
    let app_password = accounts.create_app_password(&ann, "phone").await.unwrap().secret;
    assert!(accounts.sign_in("ann", &app_password, &here).await.is_err(), "no session for an app");

    accounts.sign_out(&one.value).await.unwrap();
    let gone = failure(accounts.authenticate(session(&one.value), &here).await);
    assert_eq!(gone, AuthFailure::Missing);
    accounts.authenticate(session(&two.value), &here).await.unwrap();
    accounts.set_password(&ann, "ann", "a new one for ann").await.unwrap();
    let gone = failure(accounts.authenticate(session(&two.value), &here).await);
    assert_eq!(gone, AuthFailure::Missing, "a new password ends sessions");
    for nonsense in ["", "x", &"A".repeat(43), &"x".repeat(10_000)] {
        assert_eq!(
            failure(accounts.authenticate(session(nonsense), &here).await),
            AuthFailure::Missing
        );
    }
}

#[tokio::test]
async fn what_changes_is_obeyed_at_once() {
    let house = Household::new().await;
    let (accounts, here) = (&house.accounts, from("192.0.2.1"));
    let new = accounts.create_app_password(&house.ann, "phone").await.unwrap();
    let key = || Credentials::ApiKey(new.secret.clone());
    let login = || password("ann", ANN_PASSWORD);
    accounts.authenticate(key(), &here).await.unwrap();
    accounts.authenticate(login(), &here).await.unwrap();

    let off = UserChange { is_disabled: Some(true), ..UserChange::default() };
    accounts.update_user(&house.admin, "ann", &off).await.unwrap();
    assert_eq!(failure(accounts.authenticate(key(), &here).await), AuthFailure::InvalidKey);
    assert_eq!(failure(accounts.authenticate(login(), &here).await), AuthFailure::Wrong);
    let on = UserChange { is_disabled: Some(false), ..UserChange::default() };
    accounts.update_user(&house.admin, "ann", &on).await.unwrap();
    accounts.authenticate(key(), &here).await.unwrap();

    accounts.set_password(&house.admin, "ann", "chosen by the admin").await.unwrap();
    assert_eq!(failure(accounts.authenticate(login(), &here).await), AuthFailure::Wrong);
    accounts.authenticate(password("ann", "chosen by the admin"), &here).await.unwrap();
    accounts.remove_user(&house.admin, "ann").await.unwrap();
    assert_eq!(failure(accounts.authenticate(key(), &here).await), AuthFailure::InvalidKey);
}
