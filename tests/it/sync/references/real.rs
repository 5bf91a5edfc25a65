//! What pointed gets bytes of its own before its folder, its library or its owner goes, and in backups.

use super::*;

#[tokio::test]
async fn it_is_made_real_before_the_folder_stops_lending() {
    let lent = Lent::new(&[("one.wav", 3.0)]).await;
    let lockers = &lent.two.lockers;
    let (drive, ann, locker) = (&lockers.drive, &lockers.ann, lockers.locker);
    let bytes = fs::read(lent.song("one.wav")).unwrap();
    for name in ["a.wav", "b.wav", "c.wav"] {
        assert_eq!(lent.claim(Who::Ann, name, &bytes).await, "reference");
    }
    assert_eq!(lent.claim(Who::Bob, "d.wav", &bytes).await, "reference");
    let kept = drive.trash(ann, locker, &path("c.wav"), &Condition::None).await.unwrap();
    let etag = drive.stat(ann, locker, &path("a.wav")).await.unwrap().etag;
    let used = lockers.usage().await;
    let lent_out = drive.lent_out(&lockers.admin).await.unwrap();
    assert_eq!((lent_out[0].1.files, lent_out[0].1.bytes), (1, bytes.len() as u64));
    // Who is no administrator cannot say so.
    assert!(drive.set_lending(ann, lent.library, false).await.is_err());

    drive.set_lending(&lockers.admin, lent.library, false).await.unwrap();
    lent.look().await;
    fs::remove_file(lent.song("one.wav")).unwrap();
    let mut inodes = std::collections::BTreeSet::new();
    for (who, name) in [("ann", "a.wav"), ("ann", "b.wav"), ("bob", "d.wav")] {
        let own = lent.two.file(who, name);
        let facts = own.symlink_metadata().unwrap();
        assert!(facts.is_file(), "{name}");
        assert_eq!(fs::read(own).unwrap(), bytes);
        inodes.insert(facts.ino());
    }
    assert_eq!(inodes.len(), 1, "one copy on the disk for all of them");
    let usage = lockers.usage().await;
    assert_eq!((usage.used, usage.reclaimable), (used.used, used.reclaimable), "charged once");
    assert_eq!(drive.stat(ann, locker, &path("a.wav")).await.unwrap().etag, etag, "it is the same");
    drive.restore(ann, &kept.id, None).await.unwrap();
    assert_eq!(lent.file(Who::Ann, "c.wav").await, (StatusCode::OK, bytes.clone()));
    assert_eq!(drive.lent_out(&lockers.admin).await.unwrap()[0].1.files, 0);
    lent.books_are_right().await;
    // Later claims are copies, or share with those.
    assert_eq!(lent.claim(Who::Bob, "e.wav", &bytes).await, "hardlink");
}

#[tokio::test]
async fn a_folder_that_leaves_the_configuration_or_moves_loses_nobody_anything() {
    let lent = Lent::new(&[("one.wav", 3.0), ("two.wav", 5.0)]).await;
    let lockers = &lent.two.lockers;
    let bytes = fs::read(lent.song("one.wav")).unwrap();
    assert_eq!(lent.claim(Who::Ann, "a.wav", &bytes).await, "reference");
    let db = lockers.app.folder.path().join("data/tunelocker.db");
    let db = tunelocker::db::Db::open(&db).await.unwrap();
    let configured = async |libraries: Vec<(String, PathBuf)>| {
        let settings = tunelocker::ingest::Settings {
            libraries,
            lends: std::collections::BTreeMap::new(),
            drive: lockers.drive_root(),
            sweep: std::time::Duration::from_hours(1),
            read: tunelocker::media::tags::ReadOptions::default(),
            readers: 1,
        };
        let (clock, events) =
            (tunelocker::clock::Clock::System, tunelocker::events::Events::default());
        tunelocker::ingest::libraries::ensure(&db, &clock, &events, &settings).await.unwrap();
    };
    // Its path is another one now, and the same files are there.
    let moved = lent.folder.path().with_extension("moved");
    fs::rename(lent.folder.path(), &moved).unwrap();
    configured(vec![("Music".to_owned(), moved.clone())]).await;
    lent.look().await;
    assert_eq!(lent.file(Who::Ann, "a.wav").await, (StatusCode::OK, bytes.clone()));
    assert_eq!(fs::read_link(lent.two.file("ann", "a.wav")).unwrap(), moved.join("one.wav"));
    lent.books_are_right().await;
    // It is no library any more.
    configured(Vec::new()).await;
    lent.look().await;
    fs::remove_dir_all(&moved).unwrap();
    assert!(!lent.is_link("a.wav"));
    assert_eq!(lent.file(Who::Ann, "a.wav").await, (StatusCode::OK, bytes));
    lent.books_are_right().await;
    fs::create_dir(lent.folder.path()).unwrap();
}

#[tokio::test]
async fn a_removed_user_takes_real_bytes_along() {
    let lent = Lent::new(&[("one.wav", 3.0)]).await;
    let lockers = &lent.two.lockers;
    let bytes = fs::read(lent.song("one.wav")).unwrap();
    assert_eq!(lent.claim(Who::Bob, "deep/d.wav", &bytes).await, "reference");
    lockers.accounts.remove_user(&lockers.admin, "bob").await.unwrap();
    let removed = lockers.drive_root().join("removed");
    let put_away = || {
        let folders = fs::read_dir(&removed).into_iter().flatten();
        folders.map(|folder| folder.unwrap().path().join("deep/d.wav")).find(|file| file.exists())
    };
    until("bob's folder to be put away", async || put_away().is_some()).await;
    let file = put_away().unwrap();
    assert!(file.symlink_metadata().unwrap().is_file());
    assert_eq!(fs::read(file).unwrap(), bytes);
}

#[tokio::test]
async fn a_backup_has_the_bytes_and_what_comes_back_is_real() {
    let lent = Lent::new(&[("one.wav", 3.0)]).await;
    let lockers = &lent.two.lockers;
    let (drive, ann, locker) = (&lockers.drive, &lockers.ann, lockers.locker);
    let bytes = fs::read(lent.song("one.wav")).unwrap();
    for name in ["a/one.wav", "b.wav"] {
        assert_eq!(lent.claim(Who::Ann, name, &bytes).await, "reference");
    }
    drive.trash(ann, locker, &path("b.wav"), &Condition::None).await.unwrap();
    let aside = tempfile::tempdir().unwrap();
    let choice = tunelocker::ops::backup::Choice {
        folder: aside.path().join("kept"),
        has_files: true,
        reads_all: false,
        verifies: true,
        keep: None,
    };
    let snapshot = lockers.app.services.backups.take(&lockers.admin, choice).await.unwrap();
    assert_eq!(snapshot.skipped, Vec::<String>::new());
    let (data, root) = (aside.path().join("data"), aside.path().join("drive"));
    let kept = aside.path().join("kept");
    tunelocker::ops::backup::restore(&kept, None, &data, &root, false).await.unwrap();
    let back = root.join("lockers/ann/a/one.wav");
    assert!(back.symlink_metadata().unwrap().is_file());
    assert_eq!(fs::read(&back).unwrap(), bytes);

    // A server over it knows that they are its own now, with the folder or without.
    fs::remove_file(lent.song("one.wav")).unwrap();
    let db = tunelocker::db::Db::open(&data.join("tunelocker.db")).await.unwrap();
    let (clock, events) = (tunelocker::clock::Clock::System, tunelocker::events::Events::default());
    let (accounts, keys) = (tunelocker::accounts::Accounts::open, data.join("keys"));
    let accounts = accounts(db.clone(), clock.clone(), events.clone(), &keys, root.clone());
    let accounts = accounts.await.unwrap();
    let again = tunelocker::drive::Drive::open(root, db, clock, events, accounts).await.unwrap();
    assert_eq!(again.examine().await.unwrap(), Vec::<String>::new());
    let Content::File(mut file) = again.open_path(ann, locker, &path("a/one.wav")).await.unwrap()
    else {
        panic!("a file");
    };
    let mut read = Vec::new();
    std::io::Read::read_to_end(&mut file.file, &mut read).unwrap();
    assert_eq!(read, bytes);
    let trashed = again.trashed(ann, locker).await.unwrap();
    let place = again.restore(ann, &trashed[0].id, None).await.unwrap();
    let Content::File(mut file) = again.open_path(ann, locker, &place).await.unwrap() else {
        panic!("a file");
    };
    let mut read = Vec::new();
    std::io::Read::read_to_end(&mut file.file, &mut read).unwrap();
    assert_eq!(read, bytes, "what was in the trash, too");
}
