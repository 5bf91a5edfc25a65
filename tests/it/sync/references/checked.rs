//! The doctor knows what points into watched folders: how much, what of it is missing, and whatever
//! does not fit.

use super::*;

#[tokio::test]
async fn each_difference_of_what_points_is_named() {
    let lent = Lent::new(&[("one.wav", 3.0), ("two.wav", 5.0), ("three.wav", 1.0)]).await;
    let lockers = &lent.two.lockers;
    let (drive, ann, locker) = (&lockers.drive, &lockers.ann, lockers.locker);
    let [one, two, three] =
        ["one.wav", "two.wav", "three.wav"].map(|song| fs::read(lent.song(song)).unwrap());
    assert_eq!(drive.pointing().await.unwrap(), tunelocker::drive::Pointing::default());
    for (name, bytes) in [("a.wav", &one), ("b.wav", &one), ("c.wav", &two), ("d.wav", &three)] {
        assert_eq!(lent.claim(Who::Ann, name, bytes).await, "reference");
    }
    let kept = drive.trash(ann, locker, &path("b.wav"), &Condition::None).await.unwrap();
    lockers.put("c.wav", b"other").await.unwrap();
    let version = drive.versions(ann, locker, &path("c.wav")).await.unwrap()[0].clone();
    let pointing = drive.pointing().await.unwrap();
    let bytes = (one.len() + two.len() + three.len()) as u64;
    assert_eq!((pointing.files, pointing.kept, pointing.bytes), (2, 2, bytes));
    assert_eq!(pointing.missing, Vec::<String>::new());
    lent.books_are_right().await;

    // Gone, and nobody has looked yet: in the locker and in the trash.
    let aside = lent.song("aside");
    fs::rename(lent.song("one.wav"), &aside).unwrap();
    let target = lent.song("one.wav");
    let (lost, trash) =
        ("which is not there or is another file now", format!("trash/ann/{}", kept.id));
    let expected = [
        format!("lockers/ann: a.wav points at {}, {lost}", target.display()),
        format!("lockers/ann: {trash}/b.wav points at {}, {lost}", target.display()),
    ];
    assert_eq!(drive.examine().await.unwrap(), expected);
    // Looked at, it is missing, and its owner knows: the books are right, and it is told apart.
    lent.rescan().await;
    lent.look().await;
    lent.books_are_right().await;
    let missing = drive.pointing().await.unwrap().missing;
    let is_missing =
        |place: &str| format!("lockers/ann: {place} is missing: it points at {}", target.display());
    assert_eq!(missing, [is_missing("a.wav"), is_missing(&format!("{trash}/b.wav"))]);
    // Back, and nobody has looked yet; repairing looks.
    fs::rename(&aside, lent.song("one.wav")).unwrap();
    let found = drive.examine().await.unwrap();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].ends_with("which is there, and is known as missing"), "{found:?}");
    drive.repair().await.unwrap();
    lent.books_are_right().await;
    assert_eq!(lent.file(Who::Ann, "a.wav").await, (StatusCode::OK, one));

    // Other bytes, in a version; a symlink that says something else.
    fs::write(lent.song("two.wav"), vec![1; two.len()]).unwrap();
    let own = lent.two.file("ann", "d.wav");
    fs::remove_file(&own).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &own).unwrap();
    let expected = [
        format!(
            "lockers/ann: d.wav points at {}, and its symlink says /etc/passwd",
            lent.song("three.wav").display()
        ),
        format!(
            "lockers/ann: versions/ann/{}/c.wav points at {}, {lost}",
            version.id,
            lent.song("two.wav").display()
        ),
    ];
    assert_eq!(drive.examine().await.unwrap(), expected);
    drive.repair().await.unwrap();
    assert_eq!(fs::read_link(&own).unwrap(), lent.song("three.wav"), "it says again what holds");
}
