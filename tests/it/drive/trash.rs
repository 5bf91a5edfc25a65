//! Deleted and replaced files come back, and give way when room is needed.

use std::{fs, io, time::Duration};

use bytes::Bytes;
use futures_util::stream;
use tunelocker::{
    Error,
    accounts::KeepRules,
    clock::Clock,
    drive::{Condition, Drive, KeptKind},
};

use super::{Lockers, body, crash::start_again, tree::path};
use crate::{harness::TestApp, ingest::until};

/// Bytes in the trash and among the versions on the disk, without the notes beside them.
fn kept_on_disk(lockers: &Lockers) -> u64 {
    fn sum(folder: &std::path::Path) -> u64 {
        let entries = fs::read_dir(folder).into_iter().flatten().map(Result::unwrap);
        entries
            .filter(|entry| !entry.file_name().to_string_lossy().ends_with(".origin"))
            .map(|entry| {
                let facts = entry.metadata().unwrap();
                if facts.is_dir() { sum(&entry.path()) } else { facts.len() }
            })
            .sum()
    }
    ["trash", "versions"].iter().map(|shelf| sum(&lockers.drive_root().join(shelf))).sum()
}

#[tokio::test]
async fn what_was_deleted_comes_back_as_it_was() {
    let lockers = Lockers::with_quota(1_000).await;
    let (drive, ann, locker) = (&lockers.drive, &lockers.ann, lockers.locker);
    for (name, size) in [("a/1", 100), ("a/b/2", 200), ("c", 50)] {
        lockers.put(name, &vec![size as u8; size]).await.unwrap();
    }
    let kept = drive.trash(ann, locker, &path("a"), &Condition::None).await.unwrap();
    assert_eq!((kept.kind, kept.size, kept.files, kept.is_folder), (KeptKind::Trash, 300, 2, true));
    let on_disk = lockers.drive_root().join("trash/ann").join(&kept.id).join("a/b/2");
    assert_eq!(fs::read(on_disk).unwrap(), [200; 200], "plain files, readable without us");
    let usage = lockers.usage().await;
    assert_eq!((usage.used, usage.reclaimable, kept_on_disk(&lockers)), (50, 300, 300));
    assert!(matches!(
        drive.trash(ann, locker, &path("a"), &Condition::None).await,
        Err(Error::NotFound(_))
    ));

    // Its place is taken meanwhile.
    lockers.put("a", &[9; 10]).await.unwrap();
    assert_eq!(drive.restore(ann, &kept.id, None).await.unwrap().as_str(), "a (2)");
    assert_eq!(lockers.read("a (2)/b/2").await, [200; 200]);
    let usage = lockers.usage().await;
    assert_eq!((usage.used, usage.reclaimable, kept_on_disk(&lockers)), (360, 0, 0));
    assert!(matches!(drive.restore(ann, &kept.id, None).await, Err(Error::NotFound(_))));
    let opened = drive.open_file(ann, locker, &path("a (2)/1")).await.unwrap();
    assert!(!opened.etag.starts_with('d'), "its row came back with it");

    let kept = drive.trash(ann, locker, &path("c"), &Condition::None).await.unwrap();
    assert!(matches!(drive.restore(&lockers.admin, &kept.id, None).await, Err(Error::NotFound(_))));
    assert!(matches!(
        drive.delete_trashed(&lockers.admin, &kept.id).await,
        Err(Error::NotFound(_))
    ));
    drive.restore(ann, &kept.id, Some(&path("elsewhere/d"))).await.unwrap();
    for name in ["elsewhere", "a"] {
        drive.trash(ann, locker, &path(name), &Condition::None).await.unwrap();
    }
    let first = &drive.trashed(ann, locker).await.unwrap()[1];
    drive.delete_trashed(ann, &first.id).await.unwrap();
    assert_eq!(drive.empty_trash(ann, locker).await.unwrap(), 1);
    let usage = lockers.usage().await;
    assert_eq!((usage.used, usage.reclaimable, kept_on_disk(&lockers)), (300, 0, 0));
    assert_eq!(fs::read_dir(lockers.drive_root().join("trash/ann")).unwrap().count(), 0);
}

#[tokio::test]
async fn replaced_contents_are_versions() {
    let lockers = Lockers::with_quota(1_000).await;
    let (drive, ann, locker) = (&lockers.drive, &lockers.ann, lockers.locker);
    let rules = KeepRules { versions: 2, ..KeepRules::default() };
    assert!(lockers.accounts.set_keep_rules(ann, rules).await.is_err());
    lockers.accounts.set_keep_rules(&lockers.admin, rules).await.unwrap();
    for byte in 1..=4_u8 {
        lockers.put("song", &[byte; 100]).await.unwrap();
        lockers.put("song", &[byte; 100]).await.unwrap();
    }
    let versions = drive.versions(ann, locker, &path("song")).await.unwrap();
    assert_eq!(versions.len(), 2, "the same bytes again are no version, and two are kept");
    let mut opened = drive.open_version(ann, &versions[1].id).await.unwrap();
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut opened.file, &mut bytes).unwrap();
    assert_eq!(bytes, [2; 100]);
    let usage = lockers.usage().await;
    assert_eq!((usage.used, usage.reclaimable, kept_on_disk(&lockers)), (100, 200, 200));

    drive.restore_version(ann, &versions[1].id).await.unwrap();
    assert_eq!(lockers.read("song").await, [2; 100]);
    let versions = drive.versions(ann, locker, &path("song")).await.unwrap();
    assert_eq!(versions.len(), 2);
    assert!(matches!(
        drive.open_version(&lockers.admin, &versions[0].id).await,
        Err(Error::NotFound(_))
    ));
    drive.delete_version(ann, &versions[0].id).await.unwrap();
    let usage = lockers.usage().await;
    assert_eq!((usage.used, usage.reclaimable, kept_on_disk(&lockers)), (100, 100, 100));
    // For good means with all that was.
    drive.remove(ann, locker, &path("song"), &Condition::None).await.unwrap();
    let usage = lockers.usage().await;
    assert_eq!((usage.used, usage.reclaimable, kept_on_disk(&lockers)), (0, 0, 0));
}

#[tokio::test]
async fn kept_things_give_way_oldest_first_to_the_byte() {
    let lockers = Lockers::with_quota(1_000).await;
    let (drive, ann, locker) = (&lockers.drive, &lockers.ann, lockers.locker);
    for name in ["1", "2", "3"] {
        lockers.put(name, &[1; 300]).await.unwrap();
        drive.trash(ann, locker, &path(name), &Condition::None).await.unwrap();
    }
    lockers.put("fits", &[2; 100]).await.unwrap();
    let usage = lockers.usage().await;
    assert_eq!((usage.used, usage.reclaimable), (100, 900), "exactly full");
    // One byte more, of unknown length too.
    let put = drive.put(ann, &lockers.target("byte"), None, body(&[3])).await;
    put.unwrap();
    let left = drive.trashed(ann, locker).await.unwrap();
    assert_eq!(left.iter().map(|kept| kept.path.as_str()).collect::<Vec<_>>(), ["3", "2"]);
    assert_eq!(kept_on_disk(&lockers), 600, "its bytes are gone from the disk");
    lockers.put("large", &[4; 899]).await.unwrap();
    let usage = lockers.usage().await;
    assert_eq!((usage.used, usage.reclaimable, kept_on_disk(&lockers)), (1_000, 0, 0));
    assert!(matches!(lockers.put("more", &[1]).await, Err(Error::QuotaExceeded { .. })));

    // In a full locker a deletion can be undone, and a replacement leaves no version.
    let kept = drive.trash(ann, locker, &path("large"), &Condition::None).await.unwrap();
    drive.restore(ann, &kept.id, None).await.unwrap();
    lockers.put("large", &[5; 899]).await.unwrap();
    let usage = lockers.usage().await;
    assert_eq!((usage.used, usage.reclaimable, usage.reserved), (1_000, 0, 0));
    let kept = drive.trash(ann, locker, &path("large"), &Condition::None).await.unwrap();
    lockers.put("other", &[6; 101]).await.unwrap();
    assert!(matches!(drive.restore(ann, &kept.id, None).await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn what_a_crash_left_is_put_in_order_and_nothing_is_lost() {
    let lockers = Lockers::with_quota(10_000).await;
    let (drive, ann, locker) = (&lockers.drive, &lockers.ann, lockers.locker);
    for (name, size) in [("a/1", 100), ("b", 200), ("c", 300), ("d", 400)] {
        lockers.put(name, &vec![size as u8; size]).await.unwrap();
    }
    let kept = drive.trash(ann, locker, &path("d"), &Condition::None).await.unwrap();
    let root = lockers.drive_root();
    let shelf = root.join("trash/ann");
    let moved = |id: &str, from: &str, note: Option<&str>| {
        fs::create_dir_all(shelf.join(id)).unwrap();
        if let Some(note) = note {
            fs::write(shelf.join(format!("{id}.origin")), note).unwrap();
        }
        let name = from.rsplit('/').next().unwrap();
        fs::rename(lockers.folder().join(from), shelf.join(id).join(name)).unwrap();
    };
    // Between the rename and the row; before the rename; before the version took its place.
    moved("1111", "a/1", Some("a/1"));
    moved("2222", "b", None);
    fs::create_dir_all(shelf.join("3333")).unwrap();
    fs::write(shelf.join("4444.origin"), "x").unwrap();
    let versions = root.join("versions/ann/5555");
    fs::create_dir_all(&versions).unwrap();
    fs::write(root.join("versions/ann/5555.origin"), "c").unwrap();
    fs::hard_link(lockers.folder().join("c"), versions.join("c")).unwrap();

    let (accounts, again) = start_again(&lockers, Clock::System).await;
    let usage = accounts.usage(ann, locker).await.unwrap();
    assert_eq!((usage.used, usage.reclaimable), (300, 700));
    let mut trash: Vec<_> = again.trashed(ann, locker).await.unwrap();
    trash.sort_by(|one, other| one.path.cmp(&other.path));
    let paths: Vec<_> = trash.iter().map(|kept| (kept.path.as_str(), kept.size)).collect();
    assert_eq!(paths, [("a/1", 100), ("b", 200), ("d", 400)]);
    assert!(again.versions(ann, locker, &path("c")).await.unwrap().is_empty());
    assert!(
        !versions.exists() && !shelf.join("3333").exists() && !shelf.join("4444.origin").exists()
    );
    again.restore(ann, &trash[0].id, None).await.unwrap();
    assert_eq!(fs::read(lockers.folder().join("a/1")).unwrap(), [100; 100]);

    // Other hands emptied part of the trash.
    fs::remove_dir_all(shelf.join(&kept.id)).unwrap();
    let (accounts, _) = start_again(&lockers, Clock::System).await;
    let usage = accounts.usage(ann, locker).await.unwrap();
    assert_eq!((usage.used, usage.reclaimable), (400, 200));
}

#[tokio::test]
async fn old_things_leave_the_trash_by_themselves() {
    let clock = Clock::manual(1_700_000_000_000);
    let time = clock.clone();
    let app = TestApp::spawn_at(time, |config| {
        config.drive = config.data.with_file_name("drive");
    })
    .await;
    let lockers = Lockers::over(app, 1_000).await;
    let (drive, ann, locker) = (&lockers.drive, &lockers.ann, lockers.locker);
    lockers.put("a", &[1; 10]).await.unwrap();
    lockers.put("a", &[2; 20]).await.unwrap();
    drive.trash(ann, locker, &path("a"), &Condition::None).await.unwrap();
    // Nothing goes by itself, however old it is, unless an administrator switched that on.
    clock.advance(Duration::from_hours(24 * 365 * 20));
    drive.prune().await.unwrap();
    assert_eq!(lockers.usage().await.reclaimable, 30);
    drive.restore(ann, &drive.trashed(ann, locker).await.unwrap()[0].id, None).await.unwrap();
    drive.trash(ann, locker, &path("a"), &Condition::None).await.unwrap();
    let rules = KeepRules { trash_days: 30, version_days: 365 * 20 + 90, versions: 0 };
    lockers.accounts.set_keep_rules(&lockers.admin, rules).await.unwrap();
    clock.advance(Duration::from_hours(24 * 31));
    drive.prune().await.unwrap();
    assert!(drive.trashed(ann, locker).await.unwrap().is_empty());
    assert_eq!(drive.versions(ann, locker, &path("a")).await.unwrap().len(), 1);
    clock.advance(Duration::from_hours(24 * 60));
    drive.prune().await.unwrap();
    assert_eq!((lockers.usage().await.reclaimable, kept_on_disk(&lockers)), (0, 0));
}

#[tokio::test]
async fn what_gave_way_to_nothing_comes_back() {
    let lockers = Lockers::with_quota(1_000_000).await;
    let (drive, ann, locker) = (&lockers.drive, &lockers.ann, lockers.locker);
    for name in ["1", "2"] {
        lockers.put(name, &[1; 300_000]).await.unwrap();
        drive.trash(ann, locker, &path(name), &Condition::None).await.unwrap();
    }
    let all_is_back = async |drive: &Drive, why: &str| {
        // What is dropped is given back by a task of its own.
        until(why, async || lockers.usage().await.reserved == 0).await;
        let usage = lockers.usage().await;
        assert_eq!((usage.used, usage.reclaimable), (0, 600_000), "{why}");
        assert_eq!(drive.trashed(ann, locker).await.unwrap().len(), 2, "{why}");
        assert_eq!(kept_on_disk(&lockers), 600_000, "{why}");
        assert_eq!(drive.examine().await.unwrap(), Vec::<String>::new(), "{why}");
    };
    let large = lockers.target("large");
    // Of unknown length, and a byte too much in the end.
    let refused = drive.put(ann, &large, None, body(&[2; 1_000_001])).await;
    assert!(matches!(refused, Err(Error::QuotaExceeded { .. })), "{refused:?}");
    all_is_back(drive, "refused in the end").await;
    // Broken off behind its promise.
    let broken = stream::iter([Ok(Bytes::from(vec![2; 500_000])), Err(io::Error::other("gone"))]);
    drive.put(ann, &large, Some(900_000), broken).await.unwrap_err();
    all_is_back(drive, "broken off").await;

    // One that waits holds it over a restart; nobody sees it meanwhile, and it counts nowhere.
    let id = lockers.begin(drive, "large", 900_000).await;
    lockers.append(drive, &id, 0, &[2; 1_000]).await;
    let held = async |drive: &Drive| {
        assert!(drive.trashed(ann, locker).await.unwrap().is_empty());
        let usage = lockers.usage().await;
        assert_eq!((usage.reserved, usage.reclaimable), (900_000, 0));
        assert_eq!(kept_on_disk(&lockers), 600_000);
        assert_eq!(drive.examine().await.unwrap(), Vec::<String>::new());
    };
    held(drive).await;
    let (_, again) = start_again(&lockers, Clock::System).await;
    held(&again).await;
    again.terminate_upload(ann, &id).await.unwrap();
    all_is_back(&again, "given up").await;

    // It comes, and it is gone.
    let id = lockers.begin(drive, "large", 900_000).await;
    lockers.append(drive, &id, 0, &[2; 900_000]).await;
    let usage = lockers.usage().await;
    assert_eq!((usage.used, usage.reclaimable, kept_on_disk(&lockers)), (900_000, 0, 0));
    assert_eq!(drive.examine().await.unwrap(), Vec::<String>::new());
}

/// Whoever does not say how much comes is promised more than that; no more gives way in the end
/// than had to.
#[tokio::test]
async fn no_more_gives_way_than_had_to() {
    let lockers = Lockers::with_quota(1_000_000).await;
    let (drive, ann, locker) = (&lockers.drive, &lockers.ann, lockers.locker);
    for name in ["1", "2", "3", "4", "5", "6", "7", "8", "9"] {
        lockers.put(name, &[1; 60_000]).await.unwrap();
        drive.trash(ann, locker, &path(name), &Condition::None).await.unwrap();
    }
    drive.put(ann, &lockers.target("new"), None, body(&[2; 470_000])).await.unwrap();
    let usage = lockers.usage().await;
    assert_eq!((usage.used, usage.reclaimable), (470_000, 8 * 60_000));
    assert_eq!(kept_on_disk(&lockers), 8 * 60_000);
    let mut left: Vec<_> = drive.trashed(ann, locker).await.unwrap();
    left.sort_by(|one, other| one.path.cmp(&other.path));
    assert_eq!(left[0].path.as_str(), "2", "the oldest went");
    assert_eq!(drive.examine().await.unwrap(), Vec::<String>::new());
}
