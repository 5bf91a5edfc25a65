//! Plain files as their owner sees them: bytes, names, folders, links, other people.

use std::{io::Read as _, os::unix::fs::symlink};

use bytes::Bytes;
use tunelocker::{
    Error,
    accounts::{Abilities, UserChange},
    drive::{Condition, Content, EntryKind, NewUpload, RelativePath, Target},
    events::Event,
};

use super::{Lockers, body};

fn path(text: &str) -> RelativePath {
    RelativePath::parse(text).unwrap()
}

#[tokio::test]
async fn bytes_come_back_exactly_and_lie_there_plainly() {
    let lockers = Lockers::with_quota(10_000_000).await;
    let mut events = lockers.app.services.events.subscribe();
    let bytes: Vec<u8> = (0..1_300_001_u32).map(|number| (number * 7 % 251) as u8).collect();
    let stored = lockers.put("Music/Björk/Homogenic/05 Jóga.flac", &bytes).await.unwrap();
    assert_eq!(stored.hash, *blake3::hash(&bytes).as_bytes());
    let on_disk = lockers.folder().join("Music/Björk/Homogenic/05 Jóga.flac");
    assert_eq!(std::fs::read(on_disk).unwrap(), bytes);
    let mut told = false;
    while let Ok(event) = events.try_recv() {
        told |= event
            == Event::DriveChanged {
                locker: lockers.locker,
                path: stored.path.as_str().to_owned(),
            };
    }
    assert!(told, "ingest hears of it");

    let mut back = Vec::new();
    let opened = lockers.drive.open_file(&lockers.ann, lockers.locker, &stored.path).await.unwrap();
    assert_eq!((opened.size, &opened.etag), (bytes.len() as u64, &stored.etag));
    { opened.file }.read_to_end(&mut back).unwrap();
    assert_eq!(back, bytes);
}

#[tokio::test]
async fn accents_compose_either_way() {
    let lockers = Lockers::with_quota(1000).await;
    lockers.put("Bjo\u{308}rk/a", &[1; 10]).await.unwrap();
    let again = lockers.put("Bj\u{f6}rk/a", &[2; 20]).await.unwrap();
    assert!(!again.is_new);
    assert_eq!(again.path.as_str(), "Bjo\u{308}rk/a", "as it was sent first");
    assert_eq!((lockers.usage().await.used, lockers.on_disk()), (20, 20));
}

#[tokio::test]
async fn folders_are_listed_made_moved_and_removed() {
    let lockers = Lockers::with_quota(1000).await;
    for (name, size) in [("a/1", 10), ("a/2", 20), ("a/b/3", 30), ("ab", 40)] {
        lockers.put(name, &vec![1; size]).await.unwrap();
    }
    let (drive, ann, locker) = (&lockers.drive, &lockers.ann, lockers.locker);
    let listed = drive.list(ann, locker, &path("a")).await.unwrap();
    let names: Vec<_> =
        listed.iter().map(|entry| (entry.name.as_str(), entry.kind, entry.size)).collect();
    assert_eq!(
        names,
        [("1", EntryKind::File, 10), ("2", EntryKind::File, 20), ("b", EntryKind::Folder, 0)]
    );
    assert!(listed[0].etag.as_ref().is_some_and(|etag| !etag.starts_with('d')));
    assert!(
        matches!(drive.open_path(ann, locker, &path("")).await.unwrap(), Content::Folder(all) if all.len() == 2)
    );

    drive.make_folder(ann, locker, &path("new/deep")).await.unwrap();
    drive.rename(ann, locker, &path("a"), &path("new/deep/moved")).await.unwrap();
    let moved = drive.open_file(ann, locker, &path("new/deep/moved/b/3")).await.unwrap();
    assert!(!moved.etag.starts_with('d'), "the row moved along");
    assert!(matches!(
        drive.rename(ann, locker, &path("ab"), &path("new")).await,
        Err(Error::Exists { .. })
    ));
    assert!(
        matches!(lockers.put("new", &[1]).await, Err(Error::Exists { .. })),
        "a folder is in the way"
    );
    assert!(
        matches!(lockers.put("ab/c", &[1]).await, Err(Error::Exists { .. })),
        "a file is in the way"
    );
    assert_eq!(lockers.usage().await.used, 100);

    drive.remove(ann, locker, &path("new"), &Condition::None).await.unwrap();
    assert_eq!((lockers.usage().await.used, lockers.on_disk(), lockers.staged()), (40, 40, 0));
    let gone = drive.remove(ann, locker, &path("new"), &Condition::None).await;
    assert!(matches!(gone, Err(Error::NotFound(_))));
    let stale = drive.remove(ann, locker, &path("ab"), &Condition::Match(vec!["x".into()])).await;
    assert!(matches!(stale, Err(Error::PreconditionFailed { .. })));
    drive.remove(ann, locker, &path("ab"), &Condition::Present).await.unwrap();
    assert_eq!(lockers.usage().await.used, 0);
}

#[tokio::test]
async fn links_lead_nowhere() {
    let lockers = Lockers::with_quota(1000).await;
    lockers.put("inside", &[1; 10]).await.unwrap();
    let secret = lockers.app.folder.path().join("data/tunelocker.db");
    let (folder, outside) = (lockers.folder(), tempfile::tempdir().unwrap());
    symlink(&secret, folder.join("database")).unwrap();
    symlink(outside.path(), folder.join("away")).unwrap();
    symlink("/", folder.join("root")).unwrap();
    symlink("loop", folder.join("loop")).unwrap();
    let (drive, ann, locker) = (&lockers.drive, &lockers.ann, lockers.locker);
    for link in ["database", "away", "root/etc/passwd", "loop", "loop/x", "away/x"] {
        let opened = drive.open_path(ann, locker, &path(link)).await;
        assert!(matches!(opened, Err(Error::NotFound(_))), "{link}: {opened:?}");
    }
    assert!(drive.make_folder(ann, locker, &path("away/x")).await.is_err());
    assert!(lockers.put("away/x", &[1]).await.is_err());
    assert!(drive.rename(ann, locker, &path("inside"), &path("away/inside")).await.is_err());
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
    let names: Vec<_> = drive.list(ann, locker, &path("")).await.unwrap();
    assert_eq!(names.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(), ["inside"]);
    lockers.put("database", &[2; 5]).await.unwrap();
    assert!(
        std::fs::read(&secret).unwrap().starts_with(b"SQLite format 3"),
        "the link itself was replaced"
    );
}

#[tokio::test]
async fn other_people_find_nothing() {
    let lockers = Lockers::with_quota(1000).await;
    lockers.put("hers", &[1; 10]).await.unwrap();
    let (drive, locker) = (&lockers.drive, lockers.locker);
    let household = lockers.accounts.household().await.unwrap();
    for stranger in [&lockers.admin, &household] {
        let opened = drive.open_file(stranger, locker, &path("hers")).await;
        let listed = drive.list(stranger, locker, &path("")).await.map(drop);
        let put = drive.put(stranger, &lockers.target("his"), Some(1), body(&[1])).await.map(drop);
        let removed = drive.remove(stranger, locker, &path("hers"), &Condition::None).await;
        for answer in [opened.map(drop), listed, put, removed] {
            assert!(matches!(answer, Err(Error::NotFound(_))), "{answer:?}");
        }
    }
    let abilities = Abilities { upload: false, ..Abilities::default() };
    let change = UserChange { abilities: Some(abilities), ..UserChange::default() };
    lockers.accounts.update_user(&lockers.admin, "ann", &change).await.unwrap();
    let ann = lockers.accounts.principal_named("ann").await.unwrap();
    let put = drive.put(&ann, &lockers.target("more"), Some(1), body(&[1])).await;
    assert!(matches!(put, Err(Error::Forbidden(_))));
    drive.open_file(&ann, locker, &path("hers")).await.unwrap();
}

#[tokio::test]
async fn a_removed_users_files_are_put_away_not_deleted() {
    let lockers = Lockers::with_quota(1000).await;
    lockers.put("hers", &[1; 10]).await.unwrap();
    lockers.accounts.remove_user(&lockers.admin, "ann").await.unwrap();
    let removed = lockers.drive_root().join("removed");
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    while !removed.exists() || std::fs::read_dir(&removed).unwrap().count() == 0 {
        assert!(tokio::time::Instant::now() < deadline, "nothing was put away");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let away = std::fs::read_dir(&removed).unwrap().next().unwrap().unwrap();
    assert!(away.file_name().to_str().unwrap().starts_with("ann-20"));
    assert_eq!(std::fs::read(away.path().join("hers")).unwrap(), [1; 10]);
}

/// Only where an administrator says so they go for good, with trash and versions; what others have
/// of the same bytes stays.
#[tokio::test]
async fn a_removed_users_files_are_erased_on_request() {
    let lockers = Lockers::with_quota(1000).await;
    lockers.put("hers", &[1; 10]).await.unwrap();
    lockers.put("hers", &[2; 10]).await.unwrap();
    lockers.put("gone", &[3; 10]).await.unwrap();
    let gone = lockers.target("gone");
    lockers.drive.trash(&lockers.ann, lockers.locker, &gone.path, &gone.condition).await.unwrap();
    let root = lockers.drive_root();
    let outside = root.join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("theirs"), b"x").unwrap();
    std::os::unix::fs::symlink(&outside, root.join("lockers/ann/link")).unwrap();
    lockers.accounts.remove_user_and_files(&lockers.admin, "ann").await.unwrap();
    let is_empty = |name: &str| match std::fs::read_dir(root.join(name)) {
        Ok(mut inside) => inside.next().is_none(),
        Err(_) => false,
    };
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    while root.join("lockers/ann").exists() || !is_empty("removed") {
        assert!(tokio::time::Instant::now() < deadline, "the files are still there");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert!(!root.join("trash/ann").exists() && !root.join("versions/ann").exists());
    assert_eq!(std::fs::read(outside.join("theirs")).unwrap(), b"x");
    // The name is free again, and begins with nothing.
    let new = tunelocker::accounts::NewUser::new("ann", "another long password");
    lockers.accounts.create_user(&lockers.admin, &new).await.unwrap();
    let usage = lockers.accounts.usage_of(&lockers.admin, "ann").await.unwrap();
    assert_eq!(usage.used, 0);
}

/// Other hands (scp, a network share) put files there between two looks at the disk: they are files
/// like any other to conditions, versions and the quota.
#[tokio::test]
async fn what_other_hands_just_put_there_is_replaced_as_any_file_is() {
    let lockers = Lockers::with_quota(1_000).await;
    let (drive, ann, locker) = (&lockers.drive, &lockers.ann, lockers.locker);
    let stale = lockers.put("changed", &[1; 100]).await.unwrap().etag;
    for name in ["new", "tus", "moved onto", "copied onto", "changed"] {
        std::fs::write(lockers.folder().join(name), [9; 50]).unwrap();
    }
    let absent = |path: &str| Target { condition: Condition::Absent, ..lockers.target(path) };
    let put = async |target: Target| drive.put(ann, &target, Some(3), body(b"abc")).await;
    let versions = async |path: &str| {
        let path = lockers.target(path).path;
        let kept = drive.versions(ann, locker, &path).await.unwrap();
        kept.iter().map(|one| one.size).collect::<Vec<_>>()
    };
    let refused = put(absent("new")).await;
    assert!(matches!(refused, Err(Error::Exists { .. })), "{refused:?}");
    assert_eq!(std::fs::read(lockers.folder().join("new")).unwrap(), [9; 50]);
    assert_eq!(lockers.usage().await.used, 150, "it counts from then on");
    put(lockers.target("new")).await.unwrap();
    assert_eq!(versions("new").await, [50]);

    let upload = |condition| NewUpload {
        path: Some(lockers.target("tus").path),
        locker,
        condition,
        length: 3,
        metadata: String::new(),
    };
    let refused = drive.create_upload(ann, &upload(Condition::Absent)).await;
    assert!(matches!(refused, Err(Error::Exists { .. })), "{refused:?}");
    let begun = drive.create_upload(ann, &upload(Condition::None)).await.unwrap();
    let (send, receive) = tokio::sync::mpsc::channel(1);
    send.send(Bytes::from_static(b"abc")).await.unwrap();
    drop(send);
    drive.clone().append_upload(ann.clone(), begun.id, 0, None, receive).await.unwrap();
    assert_eq!(versions("tus").await, [50]);

    // What was changed is another file, and kept as it is now.
    let condition = Condition::Match(vec![stale]);
    let expected = Target { condition, ..lockers.target("changed") };
    assert!(matches!(put(expected).await, Err(Error::PreconditionFailed { .. })));
    put(lockers.target("changed")).await.unwrap();
    assert_eq!(versions("changed").await, [50]);

    let from = lockers.target("new").path;
    drive.copy_to(ann, locker, &from, &lockers.target("copied onto")).await.unwrap();
    drive.move_to(ann, locker, &from, &lockers.target("moved onto")).await.unwrap();
    assert_eq!((versions("copied onto").await, versions("moved onto").await[0]), (vec![50], 50));
    // A version comes back in the place of what other hands brought.
    std::fs::write(lockers.folder().join("tus"), [8; 70]).unwrap();
    let version = &drive.versions(ann, locker, &lockers.target("tus").path).await.unwrap()[0];
    drive.restore_version(ann, &version.id).await.unwrap();
    assert_eq!(versions("tus").await[0], 70);
    // Nor is there what they took away.
    std::fs::remove_file(lockers.folder().join("changed")).unwrap();
    put(absent("changed")).await.unwrap();
    assert_eq!(drive.examine().await.unwrap(), Vec::<String>::new());
}
