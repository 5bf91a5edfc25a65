//! The books are checked: each difference is named, and repairing leaves none.

use std::fs;

use tunelocker::{
    db::Db,
    drive::{self, Condition},
};

use super::{Lockers, tree::path};

async fn direct(lockers: &Lockers) -> Vec<String> {
    let data = lockers.app.folder.path().join("data");
    let db = Db::open(&data.join("tunelocker.db")).await.unwrap();
    let found = drive::examine(&db, lockers.drive_root()).await.unwrap();
    db.close().await;
    found
}

#[tokio::test]
async fn differences_are_named_and_repaired() {
    let lockers = Lockers::with_quota(10_000).await;
    let (drive, ann, locker) = (&lockers.drive, &lockers.ann, lockers.locker);
    for (name, size) in [("a/1", 100), ("b", 200), ("c", 300), ("d", 400), ("e", 500)] {
        lockers.put(name, &vec![1; size]).await.unwrap();
    }
    lockers.put("b", &[2; 250]).await.unwrap();
    drive.copy_to(ann, locker, &path("a"), &lockers.target("copy")).await.unwrap();
    let kept = drive.trash(ann, locker, &path("c"), &Condition::None).await.unwrap();
    drive.trash(ann, locker, &path("d"), &Condition::None).await.unwrap();
    assert_eq!(drive.examine().await.unwrap(), Vec::<String>::new());
    assert_eq!(direct(&lockers).await, Vec::<String>::new());

    let root = lockers.drive_root();
    fs::write(lockers.folder().join("by hand"), [1; 10]).unwrap();
    fs::remove_file(lockers.folder().join("e")).unwrap();
    fs::write(lockers.folder().join("a/new"), [1; 77]).unwrap();
    fs::remove_file(lockers.folder().join("a/1")).unwrap();
    fs::rename(lockers.folder().join("a/new"), lockers.folder().join("a/1")).unwrap();
    fs::remove_dir_all(root.join("trash/ann").join(&kept.id)).unwrap();
    fs::create_dir_all(root.join("trash/ann/0123")).unwrap();
    fs::write(root.join("trash/ann/0123/lost"), [1; 5]).unwrap();
    fs::write(root.join("staging/left over"), [1; 5]).unwrap();
    let found = direct(&lockers).await;
    for sentence in [
        "lockers/ann: by hand lies on the disk and is not counted",
        "lockers/ann: e is counted and not on the disk",
        "lockers/ann: a/1 has 77 bytes on the disk and is counted with 100",
        "lockers/ann: what was kept of c is counted and not on the disk",
        "lockers/ann: trash/ann/0123/lost lies on the disk and is not counted",
        "staging/left over belongs to no upload",
    ] {
        assert!(found.iter().any(|one| one == sentence), "{sentence}: {found:?}");
    }
    assert_eq!(found.len(), 6, "{found:?}");
    let running = drive.examine().await.unwrap();
    assert_eq!(running.len(), 5, "what just came to staging may be in flight: {running:?}");

    drive.repair().await.unwrap();
    assert_eq!(drive.examine().await.unwrap(), Vec::<String>::new());
    let usage = lockers.usage().await;
    assert_eq!(usage.used, 10 + 77 + 250 + 100);
    assert_eq!((lockers.on_disk(), usage.reclaimable), (usage.used, 200 + 400 + 5));
}
