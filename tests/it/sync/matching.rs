//! What is told of whose files, under which policy; and what a claim makes.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use serde_json::json;
use tunelocker::accounts::MatchPolicy;

use super::{Two, Who, bytes, hash, quick};

#[tokio::test]
async fn own_files_are_had_and_can_be_had_twice() {
    let two = Two::new().await;
    let song = bytes(1, 300_000);
    two.lockers.put("Music/a.flac", &song).await.unwrap();

    let had = two.look(Who::Ann, "Music/a.flac", &song).await;
    assert_eq!(had, json!({ "state": "have", "count": 1, "paths": ["Music/a.flac"] }));
    // Elsewhere: it is told where, with a key to have it there too.
    let had = two.look(Who::Ann, "Copy/b.flac", &song).await;
    assert_eq!((&had["state"], &had["paths"]), (&json!("have"), &json!(["Music/a.flac"])));
    let claimed = two.claim(Who::Ann, &had, &song).await;
    assert_eq!((&claimed["state"], &claimed["path"]), (&json!("claimed"), &json!("Copy/b.flac")));
    assert_eq!(std::fs::read(two.file("ann", "Copy/b.flac")).unwrap(), song);
    let usage = two.lockers.usage().await;
    assert_eq!((usage.used, usage.reserved), (600_000, 0), "each file counts in full");
    let had = two.look(Who::Ann, "Copy/b.flac", &song).await;
    assert_eq!(had["paths"], json!(["Copy/b.flac", "Music/a.flac"]), "the wanted one first");
    // Names are the same however their accents are composed; told as they were asked about.
    two.lockers.put("Bj\u{f6}rk/J\u{f3}ga", &bytes(9, 4_000)).await.unwrap();
    let apart = "Bjo\u{308}rk/Jo\u{301}ga";
    let named = two.look(Who::Ann, apart, &bytes(9, 4_000)).await;
    assert_eq!((&named["count"], &named["paths"]), (&json!(1), &json!([apart])));
    // Removed files are not had.
    let path = two.lockers.target("Music/a.flac").path;
    let none = tunelocker::drive::Condition::None;
    two.lockers.drive.remove(&two.lockers.ann, two.lockers.locker, &path, &none).await.unwrap();
    let had = two.look(Who::Ann, "Music/a.flac", &song).await;
    assert_eq!(had["paths"], json!(["Copy/b.flac"]));
}

#[tokio::test]
async fn a_claim_shares_the_inode_and_no_owner_reaches_the_other() {
    let two = Two::new().await;
    two.policy(MatchPolicy::Server).await;
    let song = bytes(2, 500_000);
    two.lockers.put("song.flac", &song).await.unwrap();
    let standing = two.look(Who::Bob, "mine/song.flac", &song).await;
    assert_eq!(standing["state"], "claimable");
    let claimed = two.claim(Who::Bob, &standing, &song).await;
    assert_eq!(claimed["state"], "claimed", "{claimed}");
    let (theirs, ours) = (two.file("bob", "mine/song.flac"), two.file("ann", "song.flac"));
    assert_eq!(std::fs::read(&theirs).unwrap(), song);
    let facts = std::fs::metadata(&theirs).unwrap();
    match claimed["origin"].as_str().unwrap() {
        "hardlink" => {
            assert_eq!(facts.ino(), std::fs::metadata(&ours).unwrap().ino());
            assert_eq!(facts.permissions().mode() & 0o777, 0o444);
        }
        origin => assert_eq!(origin, "reflink"),
    }
    let bobs = two.lockers.accounts.lockers(&two.bob).await.unwrap()[0].usage;
    assert_eq!((bobs.used, bobs.reserved), (500_000, 0), "charged in full");

    // Each goes on with what is his.
    two.lockers.put("song.flac", b"replaced").await.unwrap();
    assert_eq!(std::fs::read(&theirs).unwrap(), song);
    assert_eq!(std::fs::read(&ours).unwrap(), b"replaced");
    let path = two.lockers.target("song.flac").path;
    let none = tunelocker::drive::Condition::None;
    two.lockers.drive.remove(&two.lockers.ann, two.lockers.locker, &path, &none).await.unwrap();
    assert_eq!(std::fs::read(&theirs).unwrap(), song);
    let known = two.look(Who::Bob, "mine/song.flac", &song).await;
    assert_eq!(known["state"], "have");
}

#[tokio::test]
async fn the_policy_says_whose_files_count() {
    let two = Two::new().await;
    let song = bytes(3, 100_000);
    two.lockers.put("song.flac", &song).await.unwrap();
    let new = json!([{ "quick": quick(&song), "size": song.len(), "path": "x" }]);
    for (policy, whole, beginning) in [
        (MatchPolicy::Own, "need", "unknown"),
        (MatchPolicy::Off, "need", "unknown"),
        (MatchPolicy::Server, "claimable", "maybe"),
    ] {
        two.policy(policy).await;
        assert_eq!(two.look(Who::Bob, "x", &song).await["state"], whole, "{policy:?}");
        assert_eq!(two.look_at(Who::Bob, &new).await[0]["state"], beginning, "{policy:?}");
        // What is in the own locker is told in any case.
        assert_eq!(two.look(Who::Ann, "song.flac", &song).await["state"], "have", "{policy:?}");
        assert_eq!(two.look_at(Who::Ann, &new).await[0]["state"], "maybe", "{policy:?}");
    }
    two.policy(MatchPolicy::Off).await;
    let elsewhere = two.look(Who::Ann, "elsewhere", &song).await;
    assert!(elsewhere.get("key").is_none(), "off is off: {elsewhere}");
    // Only administrators choose.
    let refused = two.client.put(two.lockers.app.url("/api/v1/match/policy"));
    let refused = refused.bearer_auth(&two.secrets[1]).json(&json!({ "policy": "server" }));
    assert_eq!(refused.send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn files_of_a_shared_folder_can_be_claimed_hashed_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let ms = std::fs::read(crate::harness::music::wav(folder.path(), "one.wav", 3.0)).unwrap();
    let two = Two::over(Some(folder.path())).await;
    let app = &two.lockers.app;
    crate::ingest::first_scan(app).await;
    // Whole hash known or not yet: the proof is over every byte.
    let standing = two.look(Who::Ann, "a.flac", &ms).await;
    assert_eq!(standing["state"], "claimable", "libraries that one may read are one's own");
    let before = std::fs::metadata(folder.path().join("one.wav")).unwrap();
    let claimed = two.claim(Who::Ann, &standing, &ms).await;
    assert_eq!(claimed["state"], "claimed", "{claimed}");
    assert_ne!(claimed["origin"], "hardlink", "nothing of a folder is touched");
    let after = std::fs::metadata(folder.path().join("one.wav")).unwrap();
    assert_eq!((after.nlink(), after.mode(), after.ino()), (1, before.mode(), before.ino()));
    assert_eq!(std::fs::read(two.file("ann", "a.flac")).unwrap(), ms);

    // Something that begins alike and ends otherwise is not it, and nobody is blamed.
    let mut other = ms.clone();
    *other.last_mut().unwrap() ^= 1;
    let standing = two.look(Who::Ann, "b.flac", &other).await;
    if standing["state"] == "claimable" {
        assert_eq!(two.claim(Who::Ann, &standing, &other).await["state"], "need");
    }
    assert_eq!(two.look(Who::Ann, "b.flac", &other).await["state"], "need");
}

#[tokio::test]
async fn what_other_hands_put_there_is_hashed_in_the_background() {
    let two = Two::new().await;
    let song = bytes(4, 200_000);
    two.lockers.put("here", b"x").await.unwrap();
    std::fs::write(two.file("ann", "by hand"), &song).unwrap();
    two.lockers.drive.reconcile().await.unwrap();
    let new = json!([{ "quick": quick(&song), "size": song.len(), "path": "by hand" }]);
    assert_eq!(two.look_at(Who::Ann, &new).await[0]["state"], "maybe", "not known is not new");
    two.lockers.app.services.matching.hash_now();
    crate::ingest::until("the hash", async || {
        two.look(Who::Ann, "by hand", &song).await["state"] == "have"
    })
    .await;
}

#[tokio::test]
async fn many_files_in_one_question() {
    let two = Two::new().await;
    let known = bytes(5, 1000);
    two.lockers.put("k", &known).await.unwrap();
    let items: Vec<_> = (0..10_000)
        .map(|number| {
            let path =
                format!("Some/Longish Folder Name/{number} with a name as songs have it.flac");
            let hash = if number == 7 { hash(&known) } else { hash(&bytes(number + 10, 8)) };
            json!({ "hash": hash, "size": 1000, "path": path })
        })
        .collect();
    let answers = two.look_at(Who::Ann, &json!(items)).await;
    assert_eq!(answers.as_array().unwrap().len(), 10_000);
    assert_eq!((&answers[7]["state"], &answers[8]["state"]), (&json!("have"), &json!("need")));
    let more = json!({ "items": vec![items[0].clone(); 10_001] });
    assert_eq!(two.post(Who::Ann, "/api/v1/match", &more).await.status(), 400);
    // One bad name does not spoil the rest.
    let some = json!([{ "hash": hash(&known), "size": 1000, "path": "../k" }, items[7].clone()]);
    let answers = two.look_at(Who::Ann, &some).await;
    assert_eq!((&answers[0]["rule"], &answers[1]["state"]), (&json!("dots"), &json!("have")));
}

#[tokio::test]
async fn equal_files_are_told_of_in_few_words() {
    let two = Two::new().await;
    let count = 400;
    std::fs::create_dir_all(two.file("ann", "Empty")).unwrap();
    for number in 0..count {
        std::fs::write(two.file("ann", &format!("Empty/{number:04}")), b"").unwrap();
    }
    two.lockers.drive.reconcile().await.unwrap();
    two.lockers.app.services.matching.hash_now();
    crate::ingest::until("the hashes", async || {
        two.look(Who::Ann, "elsewhere", b"").await["count"] == count
    })
    .await;
    let item = |path: String| json!({ "hash": hash(b""), "size": 0, "path": path });
    let items: Vec<_> = (0..2 * count).map(|number| item(format!("Empty/{number:04}"))).collect();
    let answer = two.post(Who::Ann, "/api/v1/match", &json!({ "items": items })).await;
    let text = answer.text().await.unwrap();
    assert!(text.len() < 200 * items.len(), "{} bytes", text.len());
    let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
    let last = &answer["items"][count - 1];
    let last_path = format!("Empty/{:04}", count - 1);
    assert_eq!(last["paths"], json!([last_path, "Empty/0000", "Empty/0001", "Empty/0002"]));
    assert_eq!((&last["count"], last.get("key")), (&json!(count), None));
    let next = &answer["items"][count];
    assert_eq!(next["paths"], json!(["Empty/0000", "Empty/0001", "Empty/0002", "Empty/0003"]));
    assert!(next["key"].is_string(), "{next}");
}
