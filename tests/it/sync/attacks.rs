//! A hash alone never gives access: what somebody can try who knows hashes but not the bytes.

use serde_json::{Value, json};
use tunelocker::accounts::MatchPolicy;

use super::{Two, Who, bytes, hash, proof};

/// Bob's files on the disk.
fn files_of_bob(two: &Two) -> usize {
    std::fs::read_dir(two.lockers.drive_root().join("lockers/bob")).map_or(0, Iterator::count)
}

#[tokio::test]
async fn a_hash_without_the_bytes_gets_nothing() {
    let two = Two::new().await;
    two.policy(MatchPolicy::Server).await;
    let song = bytes(1, 400_000);
    two.lockers.put("song.flac", &song).await.unwrap();
    let mut key = [0; 32];
    for try_number in 0..5 {
        let standing = two.look(Who::Bob, "stolen.flac", &song).await;
        assert_eq!(standing["state"], "claimable");
        hex::decode_to_slice(standing["key"].as_str().unwrap(), &mut key).unwrap();
        let guess = match try_number {
            // The hash itself; the hash under the key; the beginning; nothing; a byte too few.
            0 => hash(&song),
            1 => blake3::keyed_hash(&key, blake3::hash(&song).as_bytes()).to_hex().to_string(),
            2 => proof(&standing, &song[..65_536]),
            3 => "00".repeat(32),
            _ => proof(&standing, &song[..song.len() - 1]),
        };
        let claims = json!({ "claims": [{ "claim": standing["claim"], "proof": guess }] });
        let answer = two.post(Who::Bob, "/api/v1/claims", &claims).await;
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["claims"][0]["type"], "proof_wrong", "{answer}");
        assert!(!answer.to_string().contains("song.flac"), "whose it is stays unsaid: {answer}");
        // The key is used up, even for who would be right now.
        let late = two.claim(Who::Bob, &standing, &song).await;
        assert_eq!(late["state"], "stale");
    }
    assert_eq!(files_of_bob(&two), 0);
    let usage = two.lockers.accounts.lockers(&two.bob).await.unwrap()[0].usage;
    assert_eq!((usage.used, usage.reserved), (0, 0));
}

#[tokio::test]
async fn who_guesses_on_waits_longer_and_longer() {
    let two = Two::new().await;
    two.policy(MatchPolicy::Server).await;
    let song = bytes(1, 10_000);
    two.lockers.put("song.flac", &song).await.unwrap();
    let mut statuses = Vec::new();
    for _ in 0..8 {
        let standing = two.look(Who::Bob, "x", &song).await;
        let guess = json!({ "claims": [{ "claim": standing["claim"], "proof": "11".repeat(32) }] });
        let answer = two.post(Who::Bob, "/api/v1/claims", &guess).await;
        if answer.status() == 429 {
            assert!(answer.headers().contains_key("retry-after"));
        }
        statuses.push(answer.status().as_u16());
    }
    assert_eq!(statuses[..6], [200; 6]);
    assert_eq!(statuses[7], 429, "{statuses:?}");
    // Many in one request are no way round it, and no key of the rest is used.
    let mut standings = Vec::new();
    for number in 0..20 {
        standings.push(two.look(Who::Ann, &format!("copy {number}"), &song).await);
    }
    let guesses: Vec<Value> = standings
        .iter()
        .map(|standing| json!({ "claim": standing["claim"], "proof": "22".repeat(32) }))
        .collect();
    let answer = two.post(Who::Ann, "/api/v1/claims", &json!({ "claims": guesses })).await;
    let answer: Value = answer.json().await.unwrap();
    let judged = answer["claims"].as_array().unwrap().iter();
    assert_eq!(judged.filter(|it| it["type"] == "proof_wrong").count(), 6, "{answer}");
}

#[tokio::test]
async fn keys_are_bound_to_user_file_and_place() {
    let two = Two::new().await;
    two.policy(MatchPolicy::Server).await;
    let (one, other) = (bytes(1, 10_000), bytes(2, 10_000));
    two.lockers.put("one", &one).await.unwrap();
    two.lockers.put("other", &other).await.unwrap();
    // Another user's key.
    let standing = two.look(Who::Bob, "mine", &one).await;
    assert_eq!(two.claim(Who::Ann, &standing, &one).await["state"], "stale");
    // Another file's bytes under the key.
    let standing = two.look(Who::Bob, "mine", &one).await;
    assert_eq!(two.claim(Who::Bob, &standing, &other).await["type"], "proof_wrong");
    // Twice.
    let standing = two.look(Who::Bob, "mine", &one).await;
    assert_eq!(two.claim(Who::Bob, &standing, &one).await["path"], "mine");
    assert_eq!(two.claim(Who::Bob, &standing, &one).await["state"], "stale");
    // Made up.
    let made_up = json!({ "claim": "00".repeat(16), "key": "00".repeat(32) });
    assert_eq!(two.claim(Who::Bob, &made_up, &one).await["state"], "stale");
    // A right size with a wrong hash, and the other way round.
    let lie = json!([{ "hash": hash(&one), "size": one.len() + 1, "path": "x" }]);
    assert_eq!(two.look_at(Who::Bob, &lie).await[0]["state"], "need");
    // The household's locker is not one that everybody may write to by naming it.
    let strange = json!({ "locker": "lo-999", "items": [] });
    assert_eq!(two.post(Who::Bob, "/api/v1/match", &strange).await.status(), 404);
}

#[tokio::test]
async fn under_own_a_strangers_file_looks_like_none() {
    let two = Two::new().await;
    let song = bytes(1, 300_000);
    two.lockers.put("song.flac", &song).await.unwrap();
    let there = two.look(Who::Bob, "x", &song).await;
    let absent = two.look(Who::Bob, "x", &bytes(9, 300_000)).await;
    assert_eq!(there, absent, "byte for byte the same answer");
    // A key that was given while the policy was wider is worth nothing without the bytes, and an
    // upload tells no more than any other.
    let put = two.client.put(two.lockers.app.url("/api/v1/files/x")).bearer_auth(&two.secrets[1]);
    let put = put.body(song.clone()).send().await.unwrap();
    assert_eq!(put.status(), 201);
}

#[tokio::test]
async fn a_claim_is_refused_where_an_upload_would_be() {
    let two = Two::new().await;
    two.policy(MatchPolicy::Server).await;
    let song = bytes(1, 50_000);
    two.lockers.put("song", &song).await.unwrap();
    let change = tunelocker::accounts::PlanChange {
        quota: Some(Some(40_000)),
        ..tunelocker::accounts::PlanChange::default()
    };
    let standing = two.look(Who::Bob, "mine", &song).await;
    two.lockers.accounts.set_plan(&two.lockers.admin, "Test", &change).await.unwrap();
    let claimed = two.claim(Who::Bob, &standing, &song).await;
    assert_eq!(
        (&claimed["state"], &claimed["type"]),
        (&json!("refused"), &json!("quota_exceeded"))
    );
    assert_eq!((&claimed["quota"], &claimed["needed"]), (&json!(40_000), &json!(50_000)));
    assert_eq!(files_of_bob(&two), 0);
    // The file changed since the key was given: it has to be sent.
    let change = tunelocker::accounts::PlanChange {
        quota: Some(Some(1 << 40)),
        ..tunelocker::accounts::PlanChange::default()
    };
    two.lockers.accounts.set_plan(&two.lockers.admin, "Test", &change).await.unwrap();
    let standing = two.look(Who::Bob, "mine", &song).await;
    two.lockers.put("song", &bytes(2, 50_000)).await.unwrap();
    assert_eq!(two.claim(Who::Bob, &standing, &song).await["state"], "need");
    assert_eq!(files_of_bob(&two), 0);
}
