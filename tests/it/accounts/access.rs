//! Who sees which library, set-up, and devices on the LAN.

use tunelocker::{
    Error,
    accounts::{
        DeviceChange, DeviceOptions, LibrarySharing, Mode, NewUser, Scope, SetUpState, UserChange,
    },
};

use super::{Household, from};
use crate::harness::TestApp;

#[tokio::test]
async fn sharing_and_grants_change_what_is_seen_at_once() {
    let house = Household::new().await;
    let (accounts, admin) = (&house.accounts, &house.admin);
    accounts.create_user(admin, &NewUser::new("bob", "bob's own one")).await.unwrap();
    let bob = accounts.principal_named("bob").await.unwrap();
    let anns = accounts.lockers(&house.ann).await.unwrap()[0].library;
    let household = accounts.lockers(&house.ann).await.unwrap()[1].library;
    assert!(!bob.may_see(anns));

    let with_bob = LibrarySharing { granted: vec![bob.user], ..LibrarySharing::default() };
    let refused = accounts.share_library(&bob, anns, &with_bob).await;
    assert!(matches!(refused, Err(Error::NotFound(_))), "not bob's to share, nor to know of");
    let refused = accounts.share_library(admin, anns, &with_bob).await;
    assert!(matches!(refused, Err(Error::Forbidden(_))), "an admin does not open ann's locker");
    accounts.share_library(&house.ann, anns, &with_bob).await.unwrap();
    assert!(accounts.principal_named("bob").await.unwrap().may_see(anns));
    assert!(!accounts.principal_named("root").await.unwrap().may_see(anns));

    let none = UserChange { libraries: Some(Vec::new()), ..UserChange::default() };
    accounts.update_user(admin, "bob", &none).await.unwrap();
    let bob = accounts.principal_named("bob").await.unwrap();
    assert_eq!(bob.libraries.len(), 1, "the own locker stays");
    let two = UserChange { libraries: Some(vec![household, anns]), ..UserChange::default() };
    accounts.update_user(admin, "bob", &two).await.unwrap();
    let bob = accounts.principal_named("bob").await.unwrap();
    assert!(bob.may_see(household));
    assert!(!bob.may_see(anns), "an admin cannot grant somebody else's locker");
}

#[tokio::test]
async fn set_up_takes_its_link_once() {
    let app = TestApp::spawn().await;
    let (accounts, here) = (&app.services.accounts, from("192.0.2.1"));
    assert_eq!(accounts.set_up_state().await.unwrap(), SetUpState::Needed);
    let token = accounts.set_up_token().await.unwrap().unwrap();
    assert_eq!(accounts.set_up_token().await.unwrap().as_ref(), Some(&token));
    for wrong in ["", "0", &"0".repeat(32)] {
        let answer =
            accounts.complete_set_up(wrong, Mode::Hosting, "eve", "eve's own one", &here).await;
        assert!(answer.is_err());
    }
    let short = accounts.complete_set_up(&token, Mode::Hosting, "host", "short", &here).await;
    assert!(matches!(short, Err(Error::Invalid(_))));
    let (_, admin) = accounts
        .complete_set_up(&token, Mode::Hosting, "host", "the host's own", &here)
        .await
        .unwrap();
    assert!(admin.is_admin());
    assert_eq!(accounts.set_up_state().await.unwrap(), SetUpState::Done(Mode::Hosting));
    assert_eq!(accounts.set_up_token().await.unwrap(), None);
    let again =
        accounts.complete_set_up(&token, Mode::Household, "eve", "eve's own one", &here).await;
    assert!(again.is_err());

    accounts.create_user(&admin, &NewUser::new("guest", "the guest's own")).await.unwrap();
    let guest = accounts.user(&admin, "guest").await.unwrap();
    assert_eq!(guest.plan_name, "Free");
    let guest = accounts.principal(guest.id).await.unwrap();
    let lockers = accounts.lockers(&guest).await.unwrap();
    assert_eq!(lockers.len(), 1, "strangers see no household locker");
    assert_eq!(lockers[0].usage.quota, Some(5_000_000_000));
    assert!(accounts.household().await.unwrap().libraries.is_empty());
}

#[tokio::test]
async fn lan_devices_are_seen_blocked_and_bound() {
    let house = Household::new().await;
    let (accounts, admin) = (&house.accounts, &house.admin);
    let tv = "192.168.7.9".parse().unwrap();
    let seen = accounts.device(tv, "Some TV/1.0").await.unwrap().principal;
    assert_eq!(seen.scope, Scope::Device);
    assert_eq!(seen.libraries, accounts.household().await.unwrap().libraries);
    accounts.device("::ffff:192.168.7.9".parse().unwrap(), "").await.unwrap();
    let devices = accounts.devices(admin).await.unwrap();
    assert_eq!(devices.len(), 1, "the same over IPv6 sockets");
    assert_eq!(devices[0].user_agent, "Some TV/1.0");

    let bind = DeviceChange { user: Some(Some(house.ann.user)), ..DeviceChange::default() };
    accounts.update_device(admin, devices[0].id, &bind).await.unwrap();
    let bound = accounts.device(tv, "Some TV/1.0").await.unwrap().principal;
    assert_eq!((bound.user, bound.scope), (house.ann.user, Scope::Device));
    assert_eq!(bound.libraries, house.ann.libraries);
    assert!(!bound.is_admin());
    let numbered = DeviceChange { numbers_titles: Some(true), ..DeviceChange::default() };
    accounts.update_device(admin, devices[0].id, &numbered).await.unwrap();
    let admitted = accounts.device(tv, "Some TV/1.0").await.unwrap();
    let expected = DeviceOptions { numbers_titles: true, hides_length: false };
    assert_eq!((admitted.options, admitted.principal.user), (expected, house.ann.user));
    assert_eq!(accounts.devices(admin).await.unwrap()[0].options, expected);
    let block = DeviceChange { is_blocked: Some(true), ..DeviceChange::default() };
    accounts.update_device(admin, devices[0].id, &block).await.unwrap();
    assert!(matches!(accounts.device(tv, "").await, Err(Error::Forbidden(_))));
    accounts.device("192.168.7.10".parse().unwrap(), "").await.unwrap();
}
