//! What a crash or other hands leave is put right at the next start.

use tunelocker::{accounts::Accounts, clock::Clock, db::Db, drive::Drive, events::Events};

use super::Lockers;

/// Opens the same folders once more, as the next start does.
pub(crate) async fn start_again(lockers: &Lockers, clock: Clock) -> (Accounts, Drive) {
    let data = lockers.app.folder.path().join("data");
    let db = Db::open(&data.join("tunelocker.db")).await.unwrap();
    let events = Events::default();
    let accounts = Accounts::open(
        db.clone(),
        clock.clone(),
        events.clone(),
        &data.join("keys"),
        lockers.drive_root(),
    )
    .await
    .unwrap();
    let drive =
        Drive::open(lockers.drive_root(), db, clock, events, accounts.clone()).await.unwrap();
    (accounts, drive)
}

#[tokio::test]
async fn files_and_rows_are_made_to_fit() {
    let lockers = Lockers::with_quota(1000).await;
    for name in ["stays", "goes", "grows"] {
        lockers.put(name, &[1; 100]).await.unwrap();
    }
    std::fs::remove_file(lockers.folder().join("goes")).unwrap();
    std::fs::write(lockers.folder().join("grows"), [2; 150]).unwrap();
    std::fs::create_dir_all(lockers.folder().join("by hand/é")).unwrap();
    std::fs::write(lockers.folder().join("by hand/é/new"), [3; 33]).unwrap();
    let staging = lockers.drive_root().join("staging");
    std::fs::write(staging.join("left over"), [4; 10]).unwrap();
    std::fs::create_dir_all(staging.join("left/over")).unwrap();

    let (accounts, _drive) = start_again(&lockers, Clock::System).await;
    let usage = accounts.usage(&lockers.ann, lockers.locker).await.unwrap();
    assert_eq!((usage.used, usage.reserved), (100 + 150 + 33, 0));
    assert_eq!(lockers.on_disk(), usage.used);
    assert_eq!(lockers.staged(), 0);

    std::fs::write(lockers.folder().join("goes"), [5; 7]).unwrap();
    let (accounts, _drive) = start_again(&lockers, Clock::System).await;
    let usage = accounts.usage(&lockers.ann, lockers.locker).await.unwrap();
    assert_eq!(usage.used, 100 + 150 + 33 + 7, "what was missing came back");
}

#[tokio::test]
async fn a_drive_that_is_not_mounted_empties_nothing() {
    let lockers = Lockers::with_quota(1000).await;
    lockers.put("a", &[1; 100]).await.unwrap();
    // As when the disk did not come up: the mount point is there, and empty.
    let (drive, aside) = (lockers.drive_root(), lockers.app.folder.path().join("aside"));
    std::fs::rename(&drive, &aside).unwrap();
    std::fs::create_dir(&drive).unwrap();
    let refused = lockers.put("b", &[1; 10]).await;
    assert!(matches!(refused, Err(tunelocker::Error::Unavailable(_))), "{refused:?}");
    let (accounts, _drive) = start_again(&lockers, Clock::System).await;
    assert_eq!(accounts.usage(&lockers.ann, lockers.locker).await.unwrap().used, 100);

    std::fs::remove_dir_all(&drive).unwrap();
    std::fs::rename(&aside, &drive).unwrap();
    let (accounts, drive) = start_again(&lockers, Clock::System).await;
    assert_eq!(accounts.usage(&lockers.ann, lockers.locker).await.unwrap().used, 100);
    let opened =
        drive.open_file(&lockers.ann, lockers.locker, &lockers.target("a").path).await.unwrap();
    assert!(!opened.etag.starts_with('d'), "the row was kept");
}
