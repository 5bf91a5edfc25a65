//! Whether a folder lends, said by the configuration.

use super::*;

/// What the configuration says of the folder, from a start on.
async fn start(lent: &Lent, says: Option<bool>) {
    let lockers = &lent.two.lockers;
    let db = lockers.app.folder.path().join("data/tunelocker.db");
    let db = tunelocker::db::Db::open(&db).await.unwrap();
    let settings = tunelocker::ingest::Settings {
        libraries: vec![("Music".to_owned(), lent.folder.path().to_owned())],
        lends: says.map(|says| ("Music".to_owned(), says)).into_iter().collect(),
        drive: lockers.drive_root(),
        sweep: std::time::Duration::from_hours(1),
        read: tunelocker::media::tags::ReadOptions::default(),
        readers: 1,
    };
    let (clock, events) = (tunelocker::clock::Clock::System, tunelocker::events::Events::default());
    tunelocker::ingest::libraries::ensure(&db, &clock, &events, &settings).await.unwrap();
    db.close().await;
    lent.look().await;
}

#[tokio::test]
async fn the_configuration_decides_where_it_says_something() {
    let lent = Lent::new(&[("one.wav", 3.0), ("two.wav", 5.0)]).await;
    let (drive, admin) = (&lent.two.lockers.drive, &lent.two.lockers.admin);
    let of = async || {
        let one = drive.lent_out(admin).await.unwrap()[0].1;
        (one.is_allowed, one.is_configured)
    };
    let bytes = fs::read(lent.song("one.wav")).unwrap();
    assert_eq!(of().await, (true, false), "an administrator said it");
    assert_eq!(lent.claim(Who::Ann, "a.wav", &bytes).await, "reference");

    // It says no: what pointed gets bytes of its own, and nobody says otherwise.
    start(&lent, Some(false)).await;
    assert_eq!(of().await, (false, true));
    assert!(!lent.is_link("a.wav"));
    assert!(drive.set_lending(admin, lent.library, true).await.is_err());
    drive.set_lending(admin, lent.library, false).await.unwrap();
    assert_eq!(of().await, (false, true));
    lent.books_are_right().await;

    // It says yes; then nothing, and what was so stays until somebody chooses.
    start(&lent, Some(true)).await;
    assert_eq!(of().await, (true, true));
    let two = fs::read(lent.song("two.wav")).unwrap();
    assert_eq!(lent.claim(Who::Bob, "b.wav", &two).await, "reference");
    assert!(drive.set_lending(admin, lent.library, false).await.is_err());
    start(&lent, None).await;
    assert_eq!(of().await, (true, false));
    drive.set_lending(admin, lent.library, false).await.unwrap();
    lent.look().await;
    assert_eq!(of().await, (false, false));
    lent.books_are_right().await;
}
