//! A second user with the same files: next to nothing is sent, and next to nothing is stored.

use std::collections::BTreeMap;

use super::*;

/// Bytes that the disk really holds below a folder: inodes count once.
fn on_disk(root: &Path) -> u64 {
    let mut inodes = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let facts = entry.path().symlink_metadata().unwrap();
            if facts.is_dir() {
                folders.push(entry.path());
            } else {
                inodes.insert(facts.ino(), facts.blocks() * 512);
            }
        }
    }
    inodes.values().sum()
}

#[tokio::test]
async fn a_second_user_with_the_same_files_sends_next_to_nothing() {
    let two = Two::new().await;
    two.policy(MatchPolicy::Server).await;
    // Of the smallest size that a track has.
    let (count, size) = (300 * times().min(7), 256 * 1024);
    let folder = tempfile::tempdir().unwrap();
    collection(folder.path(), count, size);
    let total = count * size as u64;

    let wire = Wire::to(two.lockers.app.http).await;
    let ann = Station::of(&two, Who::Ann, &wire);
    let said = ann.done("sync", folder.path(), &[]).await;
    assert_eq!(said["sent"]["files"], count + 2, "{said}");
    assert!(total < wire.both());
    let before = on_disk(&two.lockers.drive_root());

    let bob = Station::of(&two, Who::Bob, &wire);
    let said = bob.done("sync", folder.path(), &[]).await;
    assert_eq!(said["claimed"]["files"], count + 2, "{said}");
    assert_eq!(said["carried"], 0);
    let both = wire.both();
    assert!(both < total / 100, "{both} of {total} bytes went up or down");
    let after = on_disk(&two.lockers.drive_root());
    assert!(after - before < total / 100, "the disk grew from {before} to {after}");
    let theirs = two.lockers.drive_root().join("lockers/bob");
    assert_eq!(tree(&theirs), tree(folder.path()));
    let usage = two.lockers.accounts.lockers(&two.bob).await.unwrap()[0].usage;
    assert_eq!((usage.used, usage.reserved), (total + 1, 0), "charged in full");

    // Under another name and on a new machine it is the same collection.
    let renamed = folder.path().with_extension("renamed");
    std::fs::rename(folder.path(), &renamed).unwrap();
    for station in [&bob, &Station::of(&two, Who::Bob, &wire)] {
        let said = station.done("sync", &renamed, &[]).await;
        assert_eq!((&said["had"]["files"], &said["carried"]), (&(count + 2).into(), &0.into()));
        assert!(wire.both() < total / 100);
    }
    std::fs::rename(&renamed, folder.path()).unwrap();
}

#[tokio::test]
async fn what_lies_in_a_folder_library_is_not_sent() {
    let folder = tempfile::tempdir().unwrap();
    let count = 12;
    for number in 0..count {
        // Each of another length, so of other bytes.
        music::wav(folder.path(), &format!("{number}.wav"), 4.0 + f64::from(number));
    }
    let total: u64 = tree(folder.path()).values().map(|bytes| bytes.len() as u64).sum();
    let two = Two::over(Some(folder.path())).await;
    first_scan(&two.lockers.app).await;
    let mine = tempfile::tempdir().unwrap();
    for (path, bytes) in tree(folder.path()) {
        music::write(mine.path(), path.to_str().unwrap(), &bytes);
    }
    let wire = Wire::to(two.lockers.app.http).await;
    let ann = Station::of(&two, Who::Ann, &wire);
    let said = ann.done("sync", mine.path(), &[]).await;
    assert_eq!((&said["claimed"]["files"], &said["carried"]), (&count.into(), &0.into()), "{said}");
    let up = wire.up();
    assert!(up < total / 100, "{up} of {total} bytes went up");
    assert_eq!(tree(&two.file("ann", "")), tree(mine.path()));
}

/// A WAVE file of so many bytes that no other number gives; most of it is a hole.
fn thin_wav(root: &Path, path: &str, number: u64, size: u32) {
    let mut head = b"RIFF".to_vec();
    head.extend_from_slice(&(size - 8).to_le_bytes());
    head.extend_from_slice(
        b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data",
    );
    head.extend_from_slice(&(size - 44).to_le_bytes());
    head.extend_from_slice(&bytes(number, 64));
    let path = music::write(root, path, &head);
    std::fs::File::options().write(true).open(path).unwrap().set_len(size.into()).unwrap();
}

/// The database's log is empty: what it takes for a while says nothing of what things take.
async fn written_back(home: &Path) {
    let file = home.join("data/tunelocker.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let mut db = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query("pragma wal_checkpoint(truncate)").execute(&mut db).await.unwrap();
    db.close().await.unwrap();
}

#[tokio::test]
async fn what_lies_in_a_folder_library_takes_no_room_a_second_time() {
    // On another file system than the lockers, so that no blocks can be shared.
    let (folder, mine) =
        (tempfile::tempdir_in("/dev/shm").unwrap(), tempfile::tempdir_in("/dev/shm").unwrap());
    let (count, size) = (300 * times().min(7), 2 << 20);
    for root in [folder.path(), mine.path()] {
        for number in 0..count {
            let path = format!("Artist {}/Album {}/{number:04} Söng.wav", number % 7, number % 13);
            thin_wav(root, &path, number, size);
        }
    }
    let total = count * u64::from(size);
    let two = Two::over(Some(folder.path())).await;
    two.policy(MatchPolicy::Server).await;
    first_scan(&two.lockers.app).await;
    let (drive, admin) = (&two.lockers.drive, &two.lockers.admin);
    let library = drive.lent_out(admin).await.unwrap()[0].0;
    drive.set_lending(admin, library, true).await.unwrap();

    let wire = Wire::to(two.lockers.app.http).await;
    let bob = Station::of(&two, Who::Bob, &wire);
    // Who has a hash and not the bytes gets nothing.
    let one = std::fs::read(mine.path().join("Artist 0/Album 0/0000 Söng.wav")).unwrap();
    let standing = two.look(Who::Bob, "x.wav", &one).await;
    assert_eq!(standing["state"], "claimable", "{standing}");
    assert_eq!(two.claim(Who::Bob, &standing, &one[1..]).await["state"], "refused");
    assert!(!two.file("bob", "x.wav").is_symlink());

    let home = two.lockers.app.folder.path();
    written_back(home).await;
    let before = on_disk(home);
    let said = bob.done("sync", mine.path(), &[]).await;
    written_back(home).await;
    assert_eq!((&said["claimed"]["files"], &said["carried"]), (&count.into(), &0.into()), "{said}");
    let (up, after) = (wire.up(), on_disk(home));
    assert!(up < total / 100, "{up} of {total} bytes went up");
    assert!(after - before < total / 100, "drive and data grew from {before} to {after}");
    let usage = two.lockers.accounts.lockers(&two.bob).await.unwrap()[0].usage;
    assert_eq!((usage.used, usage.reserved), (total, 0), "charged in full");
    assert_eq!(drive.examine().await.unwrap(), Vec::<String>::new());

    // Under another name it is the same collection; and it comes back whole.
    let renamed = mine.path().with_extension("renamed");
    std::fs::rename(mine.path(), &renamed).unwrap();
    let said = bob.done("sync", &renamed, &[]).await;
    assert_eq!((&said["had"]["files"], &said["carried"]), (&count.into(), &0.into()));
    let part = tempfile::tempdir_in("/dev/shm").unwrap();
    bob.done("pull", part.path(), &["--dry-run"]).await;
    let theirs = two.file("bob", "Artist 0/Album 0/0000 Söng.wav");
    assert_eq!(std::fs::read(theirs).unwrap(), one);
    std::fs::remove_dir_all(&renamed).unwrap();
}
