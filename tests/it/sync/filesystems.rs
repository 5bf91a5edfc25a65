//! One copy for many owners on what people put their music on: by shared blocks where the file system
//! can, by a copy where it can nothing; and no owner reaches another's bytes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tunelocker::{
    accounts::MatchPolicy,
    drive::{Abilities, Condition, RelativePath},
};

use super::{Two, Who, bytes};
use crate::harness::{
    denied::with_renames_alone,
    volume::{Format, Volume},
};

/// Whether blocks of a file are those of another file, too, as the file system tells.
fn shares_blocks(file: &Path) -> bool {
    // Of what was not written back yet nothing is told.
    fs::File::open(file).unwrap().sync_all().unwrap();
    let told = Command::new("filefrag").arg("-v").arg(file).output().unwrap();
    assert!(told.status.success(), "{told:?}");
    String::from_utf8_lossy(&told.stdout).contains("shared")
}

/// Ann's file is claimed by bob, replaced by her, copied, brought back and deleted; a word for how the
/// claim was made.
async fn live_with_one_copy(two: &Two, root: PathBuf) -> (String, bool) {
    two.policy(MatchPolicy::Server).await;
    let (drive, ann, locker) = (&two.lockers.drive, &two.lockers.ann, two.lockers.locker);
    let file = |who: &str, path: &str| root.join("lockers").join(who).join(path);
    let at = |path: &str| RelativePath::parse(path).unwrap();
    let (song, other) = (bytes(1, 1_000_000), bytes(2, 900_000));
    two.lockers.put("song", &song).await.unwrap();
    let standing = two.look(Who::Bob, "mine/song", &song).await;
    assert_eq!(standing["state"], "claimable");
    let claimed = two.claim(Who::Bob, &standing, &song).await;
    assert_eq!(claimed["state"], "claimed", "{claimed}");
    let (ours, theirs) = (file("ann", "song"), file("bob", "mine/song"));
    assert_eq!(fs::read(&theirs).unwrap(), song);
    let is_shared = shares_blocks(&ours) && shares_blocks(&theirs);

    // Replaced: the other's bytes stay, and the old ones are a version.
    two.lockers.put("song", &other).await.unwrap();
    assert_eq!((fs::read(&ours).unwrap(), fs::read(&theirs).unwrap()), (other, song.clone()));
    let versions = drive.versions(ann, locker, &at("song")).await.unwrap();
    assert_eq!(versions.len(), 1);
    drive.copy_to(ann, locker, &at("song"), &two.lockers.target("again")).await.unwrap();
    drive.restore_version(ann, &versions[0].id).await.unwrap();
    assert_eq!(fs::read(&ours).unwrap(), song);
    assert_eq!(fs::read(file("ann", "again")).unwrap(), bytes(2, 900_000));

    // Deleted for good: the other's is whole.
    drive.remove(ann, locker, &at("song"), &Condition::None).await.unwrap();
    drive.empty_trash(ann, locker).await.unwrap();
    assert!(!ours.exists());
    assert_eq!(fs::read(&theirs).unwrap(), song);
    assert_eq!(drive.examine().await.unwrap(), Vec::<String>::new());
    let read = drive.read_everything().await.unwrap();
    assert!(read.damaged.is_empty() && 2 <= read.files, "{read:?}");
    (claimed["origin"].as_str().unwrap().to_owned(), is_shared)
}

async fn on(format: Format) {
    let volume = Volume::of(format);
    let root = volume.path().join("drive");
    let two = Two::with(|config| config.drive.clone_from(&root)).await;
    let can = two.lockers.drive.abilities().await.unwrap();
    let all = Abilities { no_replace: true, exchange: true, links: true, reflinks: true };
    assert_eq!(can, Some(all), "{format:?}");
    let made = live_with_one_copy(&two, root).await;
    assert_eq!(made, ("reflink".to_owned(), true), "{format:?}");
}

#[tokio::test]
async fn btrfs_shares_blocks() {
    on(Format::Btrfs).await;
}

#[tokio::test]
async fn xfs_shares_blocks() {
    on(Format::Xfs).await;
}

#[tokio::test]
async fn ext4_shares_inodes() {
    let volume = Volume::of(Format::Ext4);
    let root = volume.path().join("drive");
    let two = Two::with(|config| config.drive.clone_from(&root)).await;
    assert!(!two.lockers.drive.abilities().await.unwrap().unwrap().reflinks);
    assert_eq!(live_with_one_copy(&two, root).await, ("hardlink".to_owned(), false));
}

/// As on a memory card: nothing is shared, and what is replaced goes aside first.
#[test]
fn a_file_system_of_renames_alone_copies() {
    with_renames_alone(async || {
        let volume = tempfile::tempdir().unwrap();
        let root = volume.path().join("drive");
        let two = Two::with(|config| config.drive.clone_from(&root)).await;
        let can = two.lockers.drive.abilities().await.unwrap();
        let none = Abilities { no_replace: false, exchange: false, links: false, reflinks: false };
        assert_eq!(can, Some(none));
        assert_eq!(live_with_one_copy(&two, root).await, ("copy".to_owned(), false));
    });
}
