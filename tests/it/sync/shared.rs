//! Have and need, and claims, for a folder that somebody shared to be written to: what lies in it
//! is told, nothing else of the locker is, and its owner is charged.

use serde_json::{Value, json};
use tunelocker::drive::RelativePath;

use super::{Two, Who, bytes, hash, proof, quick};
use crate::ingest::until;

impl Two {
    async fn look_in(&self, place: &str, path: &str, bytes: &[u8]) -> (u16, Value) {
        let item = json!({ "hash": hash(bytes), "quick": quick(bytes), "size": bytes.len(), "path": path });
        let question = json!({ "locker": place, "items": [item] });
        let answer = self.post(Who::Bob, "/api/v1/match", &question).await;
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.unwrap();
        (status, if status == 200 { body["items"][0].clone() } else { body })
    }
}

#[tokio::test]
async fn matching_and_claims_reach_into_a_shared_folder() {
    let two = Two::new().await;
    let (shared, private, his) = (bytes(1, 90_000), bytes(2, 90_000), bytes(3, 70_000));
    two.lockers.put("Ours/in.bin", &shared).await.unwrap();
    two.lockers.put("private.bin", &private).await.unwrap();
    let bobs = two.lockers.accounts.lockers(&two.bob).await.unwrap()[0].id;
    let target = tunelocker::drive::Target { locker: bobs, ..two.lockers.target("his.bin") };
    two.lockers.drive.put(&two.bob, &target, None, crate::drive::body(&his)).await.unwrap();

    let folder = RelativePath::parse("Ours").unwrap();
    let (drive, ann, locker) = (&two.lockers.drive, &two.lockers.ann, two.lockers.locker);
    let share = drive.share_folder(ann, locker, &folder, "bob", false).await.unwrap();
    let place = share.id.to_string();
    let (_, standing) = two.look_in(&place, "new.bin", &his).await;
    assert_eq!((&standing["state"], &standing["type"]), (&json!("refused"), &json!("forbidden")));
    assert!(standing.get("key").is_none(), "{standing}");
    let (_, standing) = two.look_in(&place, "in.bin", &shared).await;
    assert_eq!((&standing["state"], &standing["paths"]), (&json!("have"), &json!(["in.bin"])));
    drive.share_folder(ann, locker, &folder, "bob", true).await.unwrap();

    let (_, standing) = two.look_in(&place, "in.bin", &shared).await;
    assert_eq!((&standing["state"], &standing["paths"]), (&json!("have"), &json!(["in.bin"])));
    let (_, standing) = two.look_in(&place, "new.bin", &private).await;
    assert_eq!(standing["state"], "need", "what else ann has is none of his");
    // Asked by the beginning alone, it is as if it were not there either.
    for (bytes, expected) in [(&shared, "maybe"), (&private, "unknown")] {
        let item = json!({ "quick": quick(bytes), "size": bytes.len(), "path": "x.bin" });
        let question = json!({ "locker": place, "items": [item] });
        let answer = two.post(Who::Bob, "/api/v1/match", &question).await;
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["items"][0]["state"], expected);
    }

    // His own bytes get there without being sent, and count at ann's.
    let before = two.lockers.usage().await.used;
    let (_, standing) = two.look_in(&place, "sub/new.bin", &his).await;
    assert_eq!(standing["state"], "claimable", "{standing}");
    let claims =
        json!({ "claims": [{ "claim": standing["claim"], "proof": proof(&standing, &his) }] });
    let answer = two.post(Who::Bob, "/api/v1/claims", &claims).await;
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["claims"][0]["state"], "claimed", "{answer}");
    assert_eq!(answer["claims"][0]["path"], "sub/new.bin", "as his place calls it");
    assert_eq!(std::fs::read(two.file("ann", "Ours/sub/new.bin")).unwrap(), his);
    assert_eq!(two.lockers.usage().await.used, before + 70_000);

    drive.unshare_folder(ann, share.id).await.unwrap();
    assert_eq!(two.look_in(&place, "in.bin", &shared).await.0, 404);
}

/// A folder that is shared is a library of its own over the same files: each is read once.
#[tokio::test]
async fn what_is_shared_is_hashed_and_heard_once() {
    let two = Two::hearing().await;
    let scratch = tempfile::tempdir().unwrap();
    let song = crate::harness::music::flac("song.flac").seconds(5.0).of("A", "B", "Song");
    let song = std::fs::read(song.write(scratch.path())).unwrap();
    two.lockers.put("Ours/song.flac", &song).await.unwrap();
    let data = two.lockers.app.folder.path().join("data/tunelocker.db");
    let database = sqlx::SqlitePool::connect(data.to_str().unwrap()).await.unwrap();
    let count = async |statement: &'static str| -> i64 {
        sqlx::query_scalar(statement).fetch_one(&database).await.unwrap()
    };
    until("it is heard", async || {
        count("select count(*) from sound where bpm is not 77").await == 1
    })
    .await;
    // What no reading could find out: where it is found, it was not read again.
    let mark = [7_u8; 32];
    sqlx::query("update drive_file set content_hash = ?")
        .bind(&mark[..])
        .execute(&database)
        .await
        .unwrap();
    sqlx::query("update sound set bpm = 77").execute(&database).await.unwrap();
    sqlx::query("update track set audio_hash = ?")
        .bind(&mark[..])
        .execute(&database)
        .await
        .unwrap();

    let folder = RelativePath::parse("Ours").unwrap();
    let (drive, ann) = (&two.lockers.drive, &two.lockers.ann);
    drive.share_folder(ann, two.lockers.locker, &folder, "bob", false).await.unwrap();
    until("it is said of the other, too", async || {
        count("select count(*) from sound s join track using (track_id) where s.bpm = 77 and audio_hash = x'0707070707070707070707070707070707070707070707070707070707070707'").await == 2
    })
    .await;
    until("its hash is known", async || {
        two.lockers.app.services.matching.hash_now();
        count("select count(*) from folder_hash where content_hash = x'0707070707070707070707070707070707070707070707070707070707070707'").await == 1
    })
    .await;
}
