//! Other hands move, change and remove files of the folder, or put symlinks into a locker.

use super::*;

#[tokio::test]
async fn what_moves_in_the_folder_is_followed_and_other_bytes_are_never_given_out() {
    let lent = Lent::new(&[("one.wav", 3.0), ("two.wav", 5.0)]).await;
    let lockers = &lent.two.lockers;
    let bytes = fs::read(lent.song("one.wav")).unwrap();
    assert_eq!(lent.claim(Who::Ann, "a.wav", &bytes).await, "reference");
    fs::create_dir(lent.song("new")).unwrap();
    fs::rename(lent.song("one.wav"), lent.song("new/first.wav")).unwrap();
    assert_eq!(lent.file(Who::Ann, "a.wav").await.0, 503, "it is nowhere that is known");
    lent.rescan().await;
    lent.look().await;
    assert_eq!(lent.file(Who::Ann, "a.wav").await, (StatusCode::OK, bytes.clone()));
    assert_eq!(fs::read_link(lent.two.file("ann", "a.wav")).unwrap(), lent.song("new/first.wav"));
    lent.books_are_right().await;

    // Something else of the same name is another file.
    let song = lent.song("new/first.wav");
    let facts = fs::metadata(&song).unwrap();
    fs::write(&song, [7; 1000]).unwrap();
    assert_eq!(lent.file(Who::Ann, "a.wav").await.0, 503);
    fs::remove_file(&song).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &song).unwrap();
    assert_eq!(lent.file(Who::Ann, "a.wav").await.0, 503, "no link is followed");
    assert!(!lockers.drive.examine().await.unwrap().is_empty(), "the doctor says so");
    let used = lockers.usage().await.used;
    lent.rescan().await;
    lent.look().await;
    assert_eq!(lent.file(Who::Ann, "a.wav").await.0, 404);
    assert_eq!((used, lockers.usage().await.used), (bytes.len() as u64, 0));
    let told = lent.notices(Who::Ann).await;
    assert!(
        told.iter().any(|one| one.contains("a.wav") && one.contains("\"Music\"")),
        "the owner is told which file and which folder: {told:?}"
    );
    lent.books_are_right().await;

    // The same file comes back.
    fs::remove_file(&song).unwrap();
    fs::write(&song, &bytes).unwrap();
    fs::File::open(&song).unwrap().set_modified(facts.modified().unwrap()).unwrap();
    lent.rescan().await;
    lent.look().await;
    assert_eq!(lent.file(Who::Ann, "a.wav").await, (StatusCode::OK, bytes.clone()));
    assert_eq!(lockers.usage().await.used, bytes.len() as u64);
    assert_eq!(lent.notices(Who::Ann).await, Vec::<String>::new());
    lent.books_are_right().await;
}

#[tokio::test]
async fn whoever_puts_the_time_back_deceives_nobody() {
    let lent = Lent::new(&[("one.wav", 3.0), ("two.wav", 5.0)]).await;
    let (song, bytes) = (lent.song("one.wav"), fs::read(lent.song("one.wav")).unwrap());
    assert_eq!(lent.claim(Who::Ann, "a.wav", &bytes).await, "reference");
    let time = fs::metadata(&song).unwrap().modified().unwrap();
    let write = |bytes: &[u8], time| {
        fs::write(&song, bytes).unwrap();
        fs::File::options().write(true).open(&song).unwrap().set_modified(time).unwrap();
    };
    // A tagger that writes into the padding and keeps the time.
    let mut other = bytes.clone();
    other[5000] ^= 1;
    write(&other, time);
    assert_eq!(lent.file(Who::Ann, "a.wav").await.0, 503);
    lent.look().await;
    assert_eq!(lent.file(Who::Ann, "a.wav").await.0, 404, "it is missing, and that is said");
    assert_eq!(lent.notices(Who::Ann).await.len(), 1);
    // Nor can the changed file be had by the hash that it had.
    let standing = lent.two.look(Who::Bob, "b.wav", &bytes).await;
    if standing["state"] == "claimable" {
        assert_eq!(lent.two.claim(Who::Bob, &standing, &bytes).await["state"], "need");
    }
    write(&bytes, time);
    lent.look().await;
    assert_eq!(lent.file(Who::Ann, "a.wav").await, (StatusCode::OK, bytes.clone()));
    assert_eq!(lent.notices(Who::Ann).await, Vec::<String>::new());

    // Touched, and of the same bytes: it is hashed again, and found again.
    fs::set_permissions(&song, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(lent.file(Who::Ann, "a.wav").await.0, 200, "what changed says nothing of the bytes");
    write(&bytes, time + std::time::Duration::from_secs(60));
    assert_eq!(lent.file(Who::Ann, "a.wav").await.0, 503);
    lent.rescan().await;
    lent.two.lockers.app.services.matching.hash_now();
    until("the file to be found again", async || {
        lent.look().await;
        lent.file(Who::Ann, "a.wav").await.0 == 200
    })
    .await;
    assert!(lent.is_link("a.wav"));
    lent.books_are_right().await;
}

#[tokio::test]
async fn the_bytes_come_from_elsewhere_where_there_are_any() {
    let lent = Lent::new(&[("one.wav", 3.0), ("two.wav", 5.0)]).await;
    let lockers = &lent.two.lockers;
    let bytes = fs::read(lent.song("one.wav")).unwrap();
    assert_eq!(lent.claim(Who::Ann, "a.wav", &bytes).await, "reference");
    let bobs = lockers.accounts.lockers(&lent.two.bob).await.unwrap()[0].id;
    let target = Target { locker: bobs, ..lockers.target("sent.wav") };
    let body = crate::drive::body(&bytes);
    lockers.drive.put(&lent.two.bob, &target, None, body).await.unwrap();
    fs::remove_file(lent.song("one.wav")).unwrap();
    lent.rescan().await;
    lent.look().await;
    assert!(!lent.is_link("a.wav"));
    assert_eq!(lent.file(Who::Ann, "a.wav").await, (StatusCode::OK, bytes.clone()));
    assert_eq!(lent.notices(Who::Ann).await, Vec::<String>::new());
    lent.books_are_right().await;
}

#[tokio::test]
async fn a_root_that_is_not_there_starts_nothing() {
    let lent = Lent::new(&[("one.wav", 3.0), ("two.wav", 5.0)]).await;
    let lockers = &lent.two.lockers;
    let bytes = fs::read(lent.song("one.wav")).unwrap();
    assert_eq!(lent.claim(Who::Ann, "a.wav", &bytes).await, "reference");
    let aside = lent.folder.path().with_extension("aside");
    for is_empty in [true, false] {
        fs::rename(lent.folder.path(), &aside).unwrap();
        if is_empty {
            fs::create_dir(lent.folder.path()).unwrap();
        }
        lent.rescan().await;
        lent.look().await;
        lockers.drive.reconcile().await.unwrap();
        assert_eq!(lent.file(Who::Ann, "a.wav").await.0, 503);
        assert_eq!(lockers.usage().await.used, bytes.len() as u64);
        assert_eq!(lent.notices(Who::Ann).await, Vec::<String>::new());
        if is_empty {
            fs::remove_dir(lent.folder.path()).unwrap();
        }
        fs::rename(&aside, lent.folder.path()).unwrap();
        assert_eq!(lent.file(Who::Ann, "a.wav").await, (StatusCode::OK, bytes.clone()));
    }
    lent.rescan().await;
    lent.look().await;
    lent.books_are_right().await;
}

#[tokio::test]
async fn a_link_that_no_row_tells_of_is_nothing() {
    let lent = Lent::new(&[("one.wav", 3.0), ("two.wav", 5.0)]).await;
    let lockers = &lent.two.lockers;
    let bytes = fs::read(lent.song("one.wav")).unwrap();
    assert_eq!(lent.claim(Who::Ann, "a.wav", &bytes).await, "reference");
    let folder = lent.two.file("bob", "");
    // To what ann points at, to what nobody points at, and out of everything.
    for (name, to) in [
        ("hers.wav", lent.song("one.wav")),
        ("free.wav", lent.song("two.wav")),
        ("passwd.wav", "/etc/passwd".into()),
    ] {
        std::os::unix::fs::symlink(&to, folder.join(name)).unwrap();
        std::os::unix::fs::symlink(&to, lent.two.file("ann", &format!("other {name}"))).unwrap();
    }
    lockers.drive.reconcile().await.unwrap();
    lent.rescan().await;
    for name in ["hers.wav", "free.wav", "passwd.wav"] {
        assert_eq!(lent.file(Who::Bob, name).await.0, 404, "{name}");
        let dav = lent.ask(Who::Bob, Method::GET, &format!("/dav/bob/{name}")).await;
        assert_eq!(dav.status(), 404, "{name}");
    }
    for name in ["other free.wav", "other passwd.wav"] {
        assert_eq!(lent.file(Who::Ann, name).await.0, 404, "{name}");
    }
    let usage = lockers.accounts.lockers(&lent.two.bob).await.unwrap()[0].usage;
    assert_eq!(usage.used, 0);
    // What says something else now says again what the row says, or at least means nothing else.
    let own = lent.two.file("ann", "a.wav");
    fs::remove_file(&own).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &own).unwrap();
    assert_eq!(lent.file(Who::Ann, "a.wav").await, (StatusCode::OK, bytes));
    // Where her own went, it is missing.
    fs::remove_file(&own).unwrap();
    assert_eq!(lent.file(Who::Ann, "a.wav").await.0, 404);
}
