//! Files whose bytes are nowhere go where their folders go, and are whole again when the bytes are
//! back, wherever they are then.

use super::*;

#[tokio::test]
async fn what_is_missing_survives_the_trash() {
    let lent = Lent::new(&[("one.wav", 3.0), ("two.wav", 5.0)]).await;
    let lockers = &lent.two.lockers;
    let (drive, ann, locker) = (&lockers.drive, &lockers.ann, lockers.locker);
    let [one, two] = ["one.wav", "two.wav"].map(|song| fs::read(lent.song(song)).unwrap());
    assert_eq!(lent.claim(Who::Ann, "Album/deep/one.wav", &one).await, "reference");
    assert_eq!(lent.claim(Who::Ann, "Album/two.wav", &two).await, "reference");
    let lost = lent.lose("one.wav").await;
    assert_eq!(lockers.usage().await.used, two.len() as u64);
    assert_eq!(lent.notices(Who::Ann).await.len(), 1);

    // There and back while it is missing: it still is.
    let kept = drive.trash(ann, locker, &path("Album"), &Condition::None).await.unwrap();
    assert_eq!((kept.files, kept.size), (2, (one.len() + two.len()) as u64));
    lent.look().await;
    assert_eq!(lent.notices(Who::Ann).await, Vec::<String>::new(), "it is not there to be missed");
    lent.books_are_right().await;
    let back = drive.restore(ann, &kept.id, None).await.unwrap();
    assert_eq!(back, path("Album"));
    assert_eq!(lent.file(Who::Ann, "Album/deep/one.wav").await.0, 404);
    assert_eq!(lent.file(Who::Ann, "Album/two.wav").await, (StatusCode::OK, two.clone()));
    assert_eq!(lockers.usage().await.used, two.len() as u64, "what is missing counts nothing");
    assert_eq!(lent.notices(Who::Ann).await.len(), 1, "its owner is told again");
    lent.books_are_right().await;

    // Whole again where it went: by another name, and told no more.
    lent.move_to("Album", "Other").await;
    lent.find(lost).await;
    assert_eq!(lent.file(Who::Ann, "Other/deep/one.wav").await, (StatusCode::OK, one.clone()));
    assert_eq!(lockers.usage().await.used, (one.len() + two.len()) as u64);
    assert_eq!(lent.notices(Who::Ann).await, Vec::<String>::new());
    lent.books_are_right().await;

    // The bytes come back while it is in the trash.
    let lost = lent.lose("one.wav").await;
    let kept = drive.trash(ann, locker, &path("Other"), &Condition::None).await.unwrap();
    lent.find(lost).await;
    lent.books_are_right().await;
    drive.restore(ann, &kept.id, None).await.unwrap();
    assert_eq!(lent.file(Who::Ann, "Other/deep/one.wav").await, (StatusCode::OK, one.clone()));
    assert_eq!(lockers.usage().await.used, (one.len() + two.len()) as u64);
    lent.books_are_right().await;

    // And while it is in the trash they go, so that it comes back missing.
    let kept = drive.trash(ann, locker, &path("Other"), &Condition::None).await.unwrap();
    let lost = lent.lose("one.wav").await;
    drive.restore(ann, &kept.id, None).await.unwrap();
    assert_eq!(lent.file(Who::Ann, "Other/deep/one.wav").await.0, 404);
    assert_eq!(lockers.usage().await.used, two.len() as u64);
    assert_eq!(lent.notices(Who::Ann).await.len(), 1);
    lent.books_are_right().await;
    lent.find(lost).await;
    assert_eq!(lent.file(Who::Ann, "Other/deep/one.wav").await, (StatusCode::OK, one));
    lent.books_are_right().await;
}

/// By itself, too: moved, deleted and back, deleted for good.
#[tokio::test]
async fn what_is_missing_is_moved_and_deleted_by_itself() {
    // A folder with nothing left in it is taken for one that is not there.
    let lent = Lent::new(&[("one.wav", 3.0), ("other.wav", 2.0)]).await;
    let lockers = &lent.two.lockers;
    let (drive, ann, locker) = (&lockers.drive, &lockers.ann, lockers.locker);
    let one = fs::read(lent.song("one.wav")).unwrap();
    assert_eq!(lent.claim(Who::Ann, "one.wav", &one).await, "reference");
    let lost = lent.lose("one.wav").await;
    lent.move_to("one.wav", "moved.wav").await;
    lent.books_are_right().await;
    let kept = drive.trash(ann, locker, &path("moved.wav"), &Condition::None).await.unwrap();
    assert_eq!(kept.files, 1);
    lent.look().await;
    assert_eq!(lent.notices(Who::Ann).await, Vec::<String>::new(), "it is not there to be missed");
    lent.books_are_right().await;
    drive.restore(ann, &kept.id, None).await.unwrap();
    assert_eq!(lent.file(Who::Ann, "moved.wav").await.0, 404);
    assert_eq!(lent.notices(Who::Ann).await.len(), 1);
    lent.find(lost).await;
    assert_eq!(lent.file(Who::Ann, "moved.wav").await, (StatusCode::OK, one.clone()));
    lent.books_are_right().await;

    let lost = lent.lose("one.wav").await;
    drive.remove(ann, locker, &path("moved.wav"), &Condition::None).await.unwrap();
    lent.look().await;
    assert_eq!(lent.notices(Who::Ann).await, Vec::<String>::new());
    assert!(lent.two.file("ann", "moved.wav").symlink_metadata().is_err());
    lent.find(lost).await;
    assert_eq!(lent.file(Who::Ann, "moved.wav").await.0, 404, "it was deleted for good");
    assert_eq!(lockers.usage().await.used, 0);
    lent.books_are_right().await;
}

#[tokio::test]
async fn something_else_may_take_the_place_of_what_is_missing() {
    let lent = Lent::new(&[("one.wav", 3.0), ("two.wav", 5.0)]).await;
    let lockers = &lent.two.lockers;
    let (drive, ann, locker) = (&lockers.drive, &lockers.ann, lockers.locker);
    let one = fs::read(lent.song("one.wav")).unwrap();
    for name in ["sent", "copied", "moved", "restored", "version", "folder"] {
        assert_eq!(lent.claim(Who::Ann, name, &one).await, "reference");
    }
    // A version that can come back, and one that cannot: its own bytes are nowhere.
    drive.remove(ann, locker, &path("version"), &Condition::None).await.unwrap();
    lockers.put("version", b"first").await.unwrap();
    assert_eq!(lent.claim(Who::Ann, "away/version", &one).await, "reference");
    lockers.put("version", b"second").await.unwrap();
    let version = drive.versions(ann, locker, &path("version")).await.unwrap()[0].clone();
    drive.move_to(ann, locker, &path("away/version"), &lockers.target("version")).await.unwrap();
    lockers.put("restored (old)", b"old").await.unwrap();
    let kept = drive.trash(ann, locker, &path("restored (old)"), &Condition::None).await.unwrap();
    lockers.put("lost version", b"now").await.unwrap();
    assert_eq!(lent.claim(Who::Ann, "away/lost", &one).await, "reference");
    drive.move_to(ann, locker, &path("away/lost"), &lockers.target("lost version")).await.unwrap();
    lockers.put("lost version", b"new").await.unwrap();
    let gone = drive.versions(ann, locker, &path("lost version")).await.unwrap()[0].clone();

    let lost = lent.lose("one.wav").await;
    assert_eq!(lent.notices(Who::Ann).await.len(), 6);
    lockers.put("sent", b"sent").await.unwrap();
    lockers.put("source", b"source").await.unwrap();
    drive.copy_to(ann, locker, &path("source"), &lockers.target("copied")).await.unwrap();
    drive.move_to(ann, locker, &path("source"), &lockers.target("moved")).await.unwrap();
    lockers.put("some/file", b"folder").await.unwrap();
    drive.move_to(ann, locker, &path("some"), &lockers.target("folder")).await.unwrap();
    drive.restore_version(ann, &version.id).await.unwrap();
    // What is missing may come back to its place, so that what was deleted gets another.
    let to = path("restored");
    assert_eq!(drive.restore(ann, &kept.id, Some(&to)).await.unwrap(), path("restored (2)"));
    let refused = drive.restore_version(ann, &gone.id).await;
    assert!(refused.is_err(), "no file gives way to one without bytes: {refused:?}");
    for (name, bytes) in [
        ("sent", &b"sent"[..]),
        ("copied", b"source"),
        ("moved", b"source"),
        ("folder/file", b"folder"),
        ("version", b"first"),
        ("restored (2)", b"old"),
        ("lost version", b"new"),
    ] {
        assert_eq!(lent.file(Who::Ann, name).await, (StatusCode::OK, bytes.to_vec()), "{name}");
    }
    lent.look().await;
    let told = lent.notices(Who::Ann).await;
    assert!(matches!(&told[..], [one] if one.starts_with("restored ")), "{told:?}");
    lent.books_are_right().await;
    lent.find(lost).await;
    assert_eq!(lent.file(Who::Ann, "restored").await, (StatusCode::OK, one.clone()));
    for name in ["sent", "copied", "moved", "version"] {
        assert_ne!(lent.file(Who::Ann, name).await.1, one, "{name}");
    }
    drive.restore_version(ann, &gone.id).await.unwrap();
    assert_eq!(lent.file(Who::Ann, "lost version").await, (StatusCode::OK, one));
    lent.books_are_right().await;
}
