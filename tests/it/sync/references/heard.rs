//! Music that points is the same file as the folder's: it is heard once.

use super::*;

#[tokio::test]
async fn what_points_is_not_heard_again() {
    let lent = Lent::with(&[("one.wav", 6.0)], |config| config.analysis.enabled = true).await;
    let lockers = &lent.two.lockers;
    let bytes = fs::read(lent.song("one.wav")).unwrap();
    let data = lockers.app.folder.path().join("data/tunelocker.db");
    let database = sqlx::SqlitePool::connect(data.to_str().unwrap()).await.unwrap();
    let count = async |statement: &'static str| -> i64 {
        sqlx::query_scalar(statement).fetch_one(&database).await.unwrap()
    };
    until("the folder's is heard", async || count("select count(*) from sound").await == 1).await;
    // What no hearing could find out.
    let mark = [7_u8; 32];
    sqlx::query("update sound set bpm = 77").execute(&database).await.unwrap();
    sqlx::query("update track set audio_hash = ?")
        .bind(&mark[..])
        .execute(&database)
        .await
        .unwrap();
    assert_eq!(lent.claim(Who::Ann, "Ours/a.wav", &bytes).await, "reference");
    let both = "select count(*) from sound s join track t using (track_id)
                where s.bpm = 77 and hex(t.audio_hash) = '0707070707070707070707070707070707070707070707070707070707070707'";
    until("it is said of the locker's, too", async || count(both).await == 2).await;
    // And of the library that a shared folder of the locker is.
    let drive = &lockers.drive;
    drive.share_folder(&lockers.ann, lockers.locker, &path("Ours"), "bob", false).await.unwrap();
    until("and of the shared folder's", async || count(both).await == 3).await;
    assert_eq!(count("select count(*) from sound where bpm is not 77").await, 0);
}
