//! What a crash leaves of files that point, between the rename and the row: at the next look, nothing
//! of it is forgotten. The disk is made what the crash would have left.

use super::*;

impl Lent {
    /// A place of a shelf for something that was at `origin`, as the daemon makes one.
    fn shelf(&self, shelf: &str, origin: &str) -> PathBuf {
        let id = "0123456789abcdef";
        let place = self.two.lockers.drive_root().join(shelf).join("ann").join(id);
        fs::create_dir_all(&place).unwrap();
        fs::write(place.with_extension("origin"), origin).unwrap();
        place.join(origin)
    }

    async fn start(&self) {
        self.two.lockers.drive.reconcile().await.unwrap();
    }
}

#[tokio::test]
async fn a_way_to_the_trash_or_back_that_was_cut_short_loses_nothing() {
    let lent = Lent::new(&[("one.wav", 3.0), ("two.wav", 5.0)]).await;
    let lockers = &lent.two.lockers;
    let (drive, ann, locker) = (&lockers.drive, &lockers.ann, lockers.locker);
    let [one, two] = ["one.wav", "two.wav"].map(|song| fs::read(lent.song(song)).unwrap());
    assert_eq!(lent.claim(Who::Ann, "Album/deep/one.wav", &one).await, "reference");
    assert_eq!(lent.claim(Who::Ann, "Album/two.wav", &two).await, "reference");
    let lost = lent.lose("one.wav").await;
    let kept = drive.trash(ann, locker, &path("Album"), &Condition::None).await.unwrap();
    let shelved = lockers.drive_root().join("trash/ann").join(&kept.id).join("Album");
    let is_back = async || {
        assert_eq!(lent.file(Who::Ann, "Album/deep/one.wav").await.0, 404);
        assert_eq!(lent.file(Who::Ann, "Album/two.wav").await, (StatusCode::OK, two.clone()));
        assert_eq!(lockers.usage().await.used, two.len() as u64);
        assert_eq!(lent.notices(Who::Ann).await.len(), 1);
        assert_eq!(drive.trashed(ann, locker).await.unwrap().len(), 0);
        lent.books_are_right().await;
    };

    fs::rename(shelved, lent.two.file("ann", "Album")).unwrap();
    lent.start().await;
    is_back().await;
    // The other way.
    fs::rename(lent.two.file("ann", "Album"), lent.shelf("trash", "Album")).unwrap();
    lent.start().await;
    assert_eq!(lockers.usage().await.used, 0);
    lent.look().await;
    assert_eq!(lent.notices(Who::Ann).await, Vec::<String>::new());
    lent.books_are_right().await;
    let kept = drive.trashed(ann, locker).await.unwrap();
    assert_eq!((kept.len(), kept[0].files), (1, 2));
    drive.restore(ann, &kept[0].id, None).await.unwrap();
    is_back().await;
    lent.find(lost).await;
    assert_eq!(lent.file(Who::Ann, "Album/deep/one.wav").await, (StatusCode::OK, one));
    lent.books_are_right().await;
}

#[tokio::test]
async fn what_came_over_a_file_is_there_and_the_file_is_its_version() {
    let lent = Lent::new(&[("one.wav", 3.0), ("two.wav", 5.0)]).await;
    let lockers = &lent.two.lockers;
    let (drive, ann, locker) = (&lockers.drive, &lockers.ann, lockers.locker);
    let [one, two] = ["one.wav", "two.wav"].map(|song| fs::read(lent.song(song)).unwrap());
    assert_eq!(lent.claim(Who::Ann, "from", &one).await, "reference");
    assert_eq!(lent.claim(Who::Ann, "points", &two).await, "reference");
    lockers.put("plain", b"plain").await.unwrap();
    for (name, before) in [("plain", &b"plain"[..]), ("points", &two)] {
        // Cut short after the copy took the name, before its row.
        let file = lent.two.file("ann", name);
        fs::hard_link(&file, lent.shelf("versions", name)).unwrap();
        let copy = lockers.drive_root().join("staging/copy");
        std::os::unix::fs::symlink(lent.song("one.wav"), &copy).unwrap();
        fs::rename(copy, &file).unwrap();
        lent.start().await;
        assert_eq!(lent.file(Who::Ann, name).await, (StatusCode::OK, one.clone()), "{name}");
        lent.books_are_right().await;
        let versions = drive.versions(ann, locker, &path(name)).await.unwrap();
        assert_eq!(versions.len(), 1, "{name}");
        // And back again, which is cut short, too.
        let shelved = lockers.drive_root().join("versions/ann").join(&versions[0].id);
        fs::rename(shelved.join(name), &file).unwrap();
        lent.start().await;
        assert_eq!(lent.file(Who::Ann, name).await, (StatusCode::OK, before.to_vec()), "{name}");
        lent.books_are_right().await;
    }
    assert_eq!(lockers.usage().await.used, (one.len() + 5 + two.len()) as u64);
}
