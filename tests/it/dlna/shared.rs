//! What is in lockers, on the LAN: the household's is for every device, a locker for the device that
//! its owner is bound to, a folder that he shares for that of whom he shares it with.

use tunelocker::{
    accounts::{DeviceChange, NewUser, Principal},
    drive::{Condition, RelativePath, Target},
    ids::LockerId,
};

use super::control::Control;
use crate::{
    drive::body,
    harness::{TestApp, music::flac},
    ingest::until,
};

async fn put(app: &TestApp, who: &Principal, locker: LockerId, place: &str, title: &str) {
    let scratch = tempfile::tempdir().unwrap();
    let file = flac(place).of("Miles", title, title).write(scratch.path());
    let path = RelativePath::parse(place).unwrap();
    let target = Target { locker, path, condition: Condition::None };
    let bytes = std::fs::read(file).unwrap();
    app.services.drive.put(who, &target, None, body(&bytes)).await.unwrap();
}

async fn titles(control: &Control) -> Vec<String> {
    let all = control.children("tracks", 0, 0, "+dc:title").await;
    all.titles().iter().map(|title| (*title).to_owned()).collect()
}

#[tokio::test]
async fn who_sees_what_of_lockers_stays_right_on_the_lan() {
    let app =
        TestApp::spawn_with(|config| config.drive = config.data.with_file_name("drive")).await;
    let accounts = &app.services.accounts;
    let operator = accounts.operator();
    let mut people = Vec::new();
    for name in ["ann", "bob"] {
        let id =
            accounts.create_user(&operator, &NewUser::new(name, "correct horse")).await.unwrap();
        people.push(accounts.principal(id).await.unwrap());
    }
    let [ann, bob] = people.as_slice() else { panic!("two") };
    let lockers = accounts.lockers(ann).await.unwrap();
    let (own, household) = (lockers[0].id, lockers[1].id);
    put(&app, ann, own, "Music/Jazz/shared.flac", "Shared").await;
    put(&app, ann, own, "Music/private.flac", "Private").await;
    put(&app, ann, household, "ours.flac", "Ours").await;
    let (drive, jazz) = (&app.services.drive, RelativePath::parse("Music/Jazz").unwrap());
    let share = drive.share_folder(ann, own, &jazz, "bob", false).await.unwrap();

    let control = Control::new(app.lan);
    until("the household's is there", async || titles(&control).await == ["Ours"]).await;
    let device = accounts.devices(&operator).await.unwrap()[0].id;
    let bind = async |user| {
        let change = DeviceChange { user: Some(user), ..DeviceChange::default() };
        accounts.update_device(&operator, device, &change).await.unwrap();
    };
    bind(Some(bob.user)).await;
    until("bob's device has what ann shares", async || {
        titles(&control).await == ["Ours", "Shared"]
    })
    .await;
    // Its bytes too, and by every way through the tree.
    let found = control.children("tracks", 0, 0, "+dc:title").await;
    let (address, _) = found.titled("Shared").resources()[0];
    let address = address.to_owned();
    assert_eq!(reqwest::get(&address).await.unwrap().status(), 200);
    assert_eq!(control.children("albums", 0, 0, "+dc:title").await.titles(), ["Ours", "Shared"]);
    let roots = control.children("folders", 0, 0, "").await;
    assert!(roots.titles().contains(&"Jazz (ann)"), "{:?}", roots.titles());

    bind(Some(ann.user)).await;
    until("ann's device has all of hers, once", async || {
        titles(&control).await == ["Ours", "Private", "Shared"]
    })
    .await;
    // Of the household it is, again, none of theirs: neither listed nor had by its address.
    bind(None).await;
    assert_eq!(titles(&control).await, ["Ours"]);
    assert_eq!(reqwest::get(&address).await.unwrap().status(), 404);
    bind(Some(bob.user)).await;
    drive.unshare_folder(ann, share.id).await.unwrap();
    until("what is not shared any more is gone", async || titles(&control).await == ["Ours"]).await;
    assert_eq!(reqwest::get(&address).await.unwrap().status(), 404);
}
