//! Moving, copying, finding, taking home: what a user does with a tree of files.

use std::{io::Read as _, os::unix::fs::MetadataExt as _};

use tunelocker::{
    Error,
    accounts::{NewUser, PlanChange},
    drive::{Condition, EntryKind, PlaceKind, RelativePath, Target},
};

use super::{Lockers, body, crash::start_again};

pub(super) fn path(text: &str) -> RelativePath {
    RelativePath::parse(text).unwrap()
}

impl Lockers {
    pub(super) fn only_new(&self, path: &str) -> Target {
        Target { condition: Condition::Absent, ..self.target(path) }
    }

    pub(super) async fn read(&self, name: &str) -> Vec<u8> {
        let opened = self.drive.open_file(&self.ann, self.locker, &path(name)).await.unwrap();
        let mut bytes = Vec::new();
        { opened.file }.read_to_end(&mut bytes).unwrap();
        bytes
    }
}

#[tokio::test]
async fn a_copy_counts_in_full_and_neither_changes_the_other() {
    let lockers = Lockers::with_quota(1_000).await;
    let (drive, ann, locker) = (&lockers.drive, &lockers.ann, lockers.locker);
    for (name, size) in [("a/1", 100), ("a/b/2", 200), ("a/empty", 0)] {
        lockers.put(name, &vec![7; size]).await.unwrap();
    }
    drive.make_folder(ann, locker, &path("a/nothing")).await.unwrap();
    let copied = drive.copy_to(ann, locker, &path("a"), &lockers.only_new("c/a")).await.unwrap();
    assert_eq!((copied.files, copied.size, copied.is_new), (3, 300, true));
    assert!(lockers.folder().join("c/a/nothing").is_dir());
    assert_eq!(lockers.usage().await.used, 600);
    assert_eq!((lockers.read("c/a/b/2").await, lockers.staged()), (vec![7; 200], 0));
    let (one, other) = (lockers.folder().join("a/1"), lockers.folder().join("c/a/1"));
    let (one, other) = (one.metadata().unwrap(), other.metadata().unwrap());
    assert_eq!(one.modified().unwrap(), other.modified().unwrap());
    if one.ino() == other.ino() {
        assert_eq!(one.mode() & 0o777, 0o444, "nobody writes into a shared inode");
    }

    // Replacing the original leaves the copy as it was.
    lockers.put("a/1", &[9; 10]).await.unwrap();
    assert_eq!(
        (lockers.read("a/1").await, lockers.read("c/a/1").await),
        (vec![9; 10], vec![7; 100])
    );
    let again = drive.copy_to(ann, locker, &path("a"), &lockers.only_new("c/a")).await;
    assert!(matches!(again, Err(Error::Exists { .. })), "{again:?}");
    let inside = drive.copy_to(ann, locker, &path("a"), &lockers.target("a/b/c")).await;
    assert!(matches!(inside, Err(Error::Forbidden(_))), "{inside:?}");
    let used = lockers.usage().await;
    let full = drive.copy_to(ann, locker, &path("c"), &lockers.target("d")).await;
    drive.copy_to(ann, locker, &path("c"), &lockers.target("e")).await.unwrap_err();
    assert!(full.is_ok() || matches!(full, Err(Error::QuotaExceeded { .. })));
    let most = lockers.usage().await;
    assert!(most.used <= 1_000 && most.reserved == 0 && used.used <= most.used, "{most:?}");
    assert_eq!((lockers.on_disk(), lockers.staged()), (most.used, 0));
}

#[tokio::test]
async fn a_second_copy_over_a_linked_file_and_a_move_over_its_twin_work() {
    let lockers = Lockers::with_quota(1_000).await;
    let (drive, ann, locker) = (&lockers.drive, &lockers.ann, lockers.locker);
    lockers.put("a", &[1; 100]).await.unwrap();
    drive.copy_to(ann, locker, &path("a"), &lockers.target("b")).await.unwrap();
    drive.copy_to(ann, locker, &path("a"), &lockers.target("b")).await.unwrap();
    let moved = drive.move_to(ann, locker, &path("a"), &lockers.target("b")).await.unwrap();
    assert!(!moved.is_new);
    let names: Vec<_> = drive.list(ann, locker, &path("")).await.unwrap();
    assert_eq!(names.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(), ["b"]);
    assert_eq!((lockers.usage().await.used, lockers.on_disk()), (100, 100));
}

#[tokio::test]
async fn what_a_move_replaces_is_kept() {
    let lockers = Lockers::with_quota(1_000).await;
    let (drive, ann, locker) = (&lockers.drive, &lockers.ann, lockers.locker);
    for (name, byte) in [("new", 1), ("old", 2), ("folder/x", 3), ("other/y", 4)] {
        lockers.put(name, &[byte; 100]).await.unwrap();
    }
    let refused = drive.move_to(ann, locker, &path("new"), &lockers.only_new("old")).await;
    assert!(matches!(refused, Err(Error::Exists { .. })), "{refused:?}");
    let moved = drive.move_to(ann, locker, &path("new"), &lockers.target("old")).await.unwrap();
    assert!(!moved.is_new);
    assert_eq!(lockers.read("old").await, [1; 100]);
    let versions = drive.versions(ann, locker, &path("old")).await.unwrap();
    assert_eq!((versions.len(), versions[0].size), (1, 100));

    drive.move_to(ann, locker, &path("folder"), &lockers.target("other")).await.unwrap();
    assert_eq!(lockers.read("other/x").await, [3; 100]);
    let trash = drive.trashed(ann, locker).await.unwrap();
    assert_eq!((trash.len(), trash[0].path.as_str(), trash[0].is_folder), (1, "other", true));
    let usage = lockers.usage().await;
    assert_eq!((usage.used, usage.reclaimable, lockers.on_disk()), (200, 200, 200));

    // Versions follow their file.
    drive.rename(ann, locker, &path("old"), &path("deep/er/new name")).await.unwrap();
    let followed = drive.versions(ann, locker, &path("deep/er/new name")).await.unwrap();
    assert_eq!(followed.len(), 1);
    drive.restore_version(ann, &followed[0].id).await.unwrap();
    assert_eq!(lockers.read("deep/er/new name").await, [2; 100]);
}

#[tokio::test]
async fn files_move_and_are_copied_between_lockers() {
    let lockers = Lockers::with_quota(250).await;
    let (drive, ann) = (&lockers.drive, &lockers.ann);
    let all = lockers.accounts.lockers(ann).await.unwrap();
    let household = all.iter().find(|locker| locker.id != lockers.locker).unwrap().id;
    lockers.put("mine/a", &[1; 100]).await.unwrap();
    lockers.put("mine/b", &[2; 50]).await.unwrap();
    let there = |name: &str| Target { locker: household, ..lockers.only_new(name) };
    drive.copy_to(ann, lockers.locker, &path("mine"), &there("copied")).await.unwrap();
    drive.move_to(ann, lockers.locker, &path("mine"), &there("moved")).await.unwrap();
    assert_eq!(lockers.usage().await.used, 0);
    let usage = lockers.accounts.usage(ann, household).await.unwrap();
    assert_eq!((usage.used, usage.reserved), (300, 0));
    let back = drive.move_to(ann, household, &path("copied"), &lockers.target("back")).await;
    back.unwrap();
    let full = drive.move_to(ann, household, &path("moved"), &lockers.target("more")).await;
    assert!(matches!(full, Err(Error::QuotaExceeded { .. })), "{full:?}");
    let still = drive.list(ann, household, &path("moved")).await.unwrap();
    assert_eq!(still.len(), 2, "all as it was");
    assert_eq!((lockers.usage().await.used, lockers.on_disk()), (150, 150));
    let (accounts, _drive) = start_again(&lockers, tunelocker::clock::Clock::System).await;
    assert_eq!(accounts.usage(ann, household).await.unwrap().used, 150);
}

#[tokio::test]
async fn a_shared_folder_is_a_place_of_its_own_for_who_it_is_shared_with() {
    let lockers = Lockers::with_quota(1_000).await;
    let (drive, ann, locker) = (&lockers.drive, &lockers.ann, lockers.locker);
    let bob = NewUser::new("bob", "bob's very own");
    let bob = lockers.accounts.create_user(&lockers.admin, &bob).await.unwrap();
    let bob = lockers.accounts.principal(bob).await.unwrap();
    for name in ["band/demo", "band/x/y", "private"] {
        lockers.put(name, &[1; 100]).await.unwrap();
    }
    assert!(drive.share_folder(ann, locker, &path(""), "bob", true).await.is_err());
    assert!(drive.share_folder(ann, locker, &path("private"), "bob", true).await.is_err());
    let share = drive.share_folder(ann, locker, &path("band"), "bob", false).await.unwrap();
    let places = drive.places(&bob).await.unwrap();
    let place = places.iter().find(|place| place.name == "band").unwrap();
    assert_eq!(place.kind, PlaceKind::Shared { id: share.id, owner: "ann".to_owned() });
    assert!(!place.may_write);
    assert_eq!(drive.list(&bob, locker, &path("band")).await.unwrap().len(), 2);
    for hidden in ["", "private", "bandx"] {
        let seen = drive.list(&bob, locker, &path(hidden)).await;
        assert!(matches!(seen, Err(Error::NotFound(_))), "{hidden}: {seen:?}");
    }
    let put =
        async |name: &str| drive.put(&bob, &lockers.target(name), Some(10), body(&[3; 10])).await;
    assert!(matches!(put("band/his").await, Err(Error::Forbidden(_))));

    drive.share_folder(ann, locker, &path("band"), "bob", true).await.unwrap();
    put("band/his").await.unwrap();
    assert_eq!(lockers.usage().await.used, 310, "the folder's owner is charged");
    assert!(matches!(put("his").await, Err(Error::NotFound(_))));
    let whole = drive.trash(&bob, locker, &path("band"), &Condition::None).await;
    assert!(matches!(whole, Err(Error::Forbidden(_))), "{whole:?}");
    let out = drive.rename(&bob, locker, &path("band/demo"), &path("demo")).await;
    assert!(matches!(out, Err(Error::NotFound(_))), "{out:?}");
    let gone = drive.trash(&bob, locker, &path("band/demo"), &Condition::None).await.unwrap();
    assert_eq!(gone.by, "bob");
    lockers.put("secret", &[1; 10]).await.unwrap();
    drive.trash(ann, locker, &path("secret"), &Condition::None).await.unwrap();
    let seen = drive.trashed(&bob, locker).await.unwrap();
    assert_eq!(seen.len(), 1, "only what was deleted in it");
    drive.restore(&bob, &gone.id, None).await.unwrap();

    // The share follows the folder, and ends with it.
    drive.rename(ann, locker, &path("band"), &path("old/group")).await.unwrap();
    assert_eq!(drive.list(&bob, locker, &path("old/group")).await.unwrap().len(), 3);
    drive.trash(ann, locker, &path("old"), &Condition::None).await.unwrap();
    assert!(drive.places(&bob).await.unwrap().iter().all(|place| place.name != "group"));
}

#[tokio::test]
async fn files_are_found_by_name_everywhere_one_may_look() {
    let lockers = Lockers::with_quota(10_000).await;
    let (drive, ann) = (&lockers.drive, &lockers.ann);
    for name in ["Music/Björk/05 Jóga.flac", "Music/Björk/06 Unravel.flac", "Notes/joga class.txt"]
    {
        lockers.put(name, &[1; 10]).await.unwrap();
    }
    let household = lockers.accounts.lockers(ann).await.unwrap()[1].id;
    let target = Target { locker: household, ..lockers.target("JOGA.pdf") };
    drive.put(ann, &target, Some(3), body(&[1; 3])).await.unwrap();
    let names = async |text: &str| {
        let (_, hits) = drive.find(ann, None, text, 50).await.unwrap();
        hits.iter().map(|hit| hit.path.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        names("joga").await,
        ["Music/Björk/05 Jóga.flac", "Notes/joga class.txt", "JOGA.pdf"]
    );
    assert_eq!(names("BJORK").await, ["Music/Björk"], "a folder");
    assert_eq!(names("flac 06").await, ["Music/Björk/06 Unravel.flac"]);
    // No row tells of folders without files, wherever they lie.
    for folder in ["Music/Empty Jóga", "Jogas/in"] {
        drive.make_folder(ann, lockers.locker, &path(folder)).await.unwrap();
    }
    assert_eq!(
        names("joga").await,
        [
            "Music/Björk/05 Jóga.flac",
            "Notes/joga class.txt",
            "Jogas",
            "Music/Empty Jóga",
            "JOGA.pdf"
        ]
    );
    assert_eq!(names("BJORK").await, ["Music/Björk"], "told once");
    assert_eq!(drive.find(ann, None, "joga", 3).await.unwrap().1.len(), 3);
    drive.share_folder(ann, lockers.locker, &path("Music"), "root", false).await.unwrap();
    let (_, hits) = drive.find(&lockers.admin, None, "joga", 50).await.unwrap();
    let seen: Vec<_> = hits.iter().map(|hit| hit.path.as_str()).collect();
    assert_eq!(seen, ["JOGA.pdf", "Björk/05 Jóga.flac", "Empty Jóga"], "as he sees it");
    let share = drive.folder_shares(ann, lockers.locker).await.unwrap().remove(0);
    drive.unshare_folder(ann, share.id).await.unwrap();
    assert!(drive.find(ann, None, "  ", 50).await.is_err());
    let (_, hits) = drive.find(&lockers.admin, None, "unravel", 50).await.unwrap();
    assert!(hits.is_empty(), "nobody finds what he may not see");
    let found = drive.stat(ann, lockers.locker, &path("Music/Björk")).await.unwrap();
    assert_eq!((found.kind, found.size), (EntryKind::Folder, 0));
}

#[tokio::test]
async fn a_smaller_quota_makes_kept_things_give_way_only_when_room_is_needed() {
    let lockers = Lockers::with_quota(1_000).await;
    let (drive, ann, locker) = (&lockers.drive, &lockers.ann, lockers.locker);
    for name in ["a", "b"] {
        lockers.put(name, &[1; 300]).await.unwrap();
        drive.trash(ann, locker, &path(name), &Condition::None).await.unwrap();
    }
    let change = PlanChange { quota: Some(Some(400)), ..PlanChange::default() };
    lockers.accounts.set_plan(&lockers.admin, "Test", &change).await.unwrap();
    assert_eq!(lockers.usage().await.reclaimable, 600);
    lockers.put("c", &[1; 50]).await.unwrap();
    let left = drive.trashed(ann, locker).await.unwrap();
    assert_eq!(left.iter().map(|kept| kept.path.as_str()).collect::<Vec<_>>(), ["b"]);
}
