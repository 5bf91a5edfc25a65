//! Backups as an operator makes them: of a server that works, brought back into fresh folders and
//! served from there.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use reqwest::{Client, StatusCode};
use serde_json::Value;

use super::{Place, Server, error_text};
use crate::harness::tree;

const PASSWORD: &str = "a long password";

/// A server with an administrator over this place's data, on a drive of its own if it has one.
fn serve(place: &Place, drive: Option<&Path>) -> Server {
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0", "--no-lan"]);
    command.env("TUNELOCKER_ADMIN_USER", "ann").env("TUNELOCKER_ADMIN_PASSWORD", PASSWORD);
    if let Some(drive) = drive {
        command.arg("--drive").arg(drive);
    }
    Server::start(command)
}

/// An app password, and files by it.
struct Hand {
    client: Client,
    base: String,
    secret: String,
}

impl Hand {
    fn new(place: &Place, server: &Server) -> Self {
        let secret = place.done(&["user", "app-password", "ann", "--label", "test"], "");
        Self::with(server, secret)
    }

    fn with(server: &Server, secret: String) -> Self {
        let base = format!("{}/api/v1/files", server.url("http").unwrap());
        Self { client: Client::new(), base, secret }
    }

    async fn put(&self, path: &str, bytes: &[u8]) {
        let request = self.client.put(format!("{}/{path}", self.base)).body(bytes.to_vec());
        let answer = request.basic_auth("ann", Some(&self.secret)).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }

    async fn delete(&self, path: &str) {
        let request = self.client.delete(format!("{}/{path}", self.base));
        let answer = request.basic_auth("ann", Some(&self.secret)).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }

    /// What the API says of something else than files.
    async fn ask(&self, of: &str) -> Value {
        let request = self.client.get(self.base.replace("/files", &format!("/{of}")));
        let answer = request.basic_auth("ann", Some(&self.secret)).send().await.unwrap();
        assert!(answer.status().is_success(), "{of}: {}", answer.status());
        answer.json().await.unwrap()
    }

    async fn get(&self, path: &str) -> (StatusCode, Vec<u8>) {
        let request = self.client.get(format!("{}/{path}", self.base));
        let answer = request.basic_auth("ann", Some(&self.secret)).send().await.unwrap();
        (answer.status(), answer.bytes().await.unwrap().to_vec())
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A file of some length that no other is like.
fn bytes(seed: u8, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&[seed]).finalize_xof().fill(&mut bytes);
    bytes
}

#[tokio::test]
async fn a_backup_comes_back_whole() {
    let place = Place::new();
    let (drive, to) = (place.folder.path().join("drive"), place.folder.path().join("backup"));
    let server = serve(&place, Some(&drive));
    let hand = Hand::new(&place, &server);
    hand.put("Music/one.bin", &bytes(1, 300_000)).await;
    hand.put("Music/same.bin", &bytes(1, 300_000)).await;
    hand.put("Brief an Jürgen %41.txt", b"Lieber J\xc3\xbcrgen").await;
    hand.put("later.bin", &bytes(2, 10)).await;

    let taken = place.json(&["backup", text(&to), "--verify"]);
    assert_eq!(taken["skipped"], Value::Array(vec![]), "{taken}");
    let new = taken["newBytes"].as_u64().unwrap();
    // Equal contents are kept once; keys and marks are small.
    assert!((300_000..310_000).contains(&new), "{taken}");

    hand.put("later.bin", &bytes(3, 20)).await;
    hand.delete("Music/same.bin").await;
    let again = place.json(&["backup", text(&to)]);
    assert!(again["newBytes"].as_u64().unwrap() < 1000, "{again}");
    let nothing = place.json(&["backup", text(&to)]);
    assert_eq!(nothing["newBytes"], 0, "{nothing}");

    // The last one, in a fresh place, by its own server.
    let fresh = Place::new();
    let elsewhere = fresh.folder.path().join("elsewhere");
    let arguments = ["restore", text(&to), "--drive", text(&elsewhere)];
    fresh.done(&arguments, "");
    let lockers = |drive: &Path| tree(&drive.join("lockers"));
    assert_eq!(lockers(&elsewhere), lockers(&drive));
    let again = serve(&fresh, Some(&elsewhere));
    let same_hand = Hand::with(&again, hand.secret.clone());
    assert_eq!(same_hand.get("later.bin").await, (StatusCode::OK, bytes(3, 20)));
    assert_eq!(same_hand.get("Music/one.bin").await, (StatusCode::OK, bytes(1, 300_000)));
    assert_eq!(same_hand.get("Music/same.bin").await.0, StatusCode::NOT_FOUND);

    // And the first one: what was there then.
    let old = Place::new();
    let list = place.json(&["restore", text(&to), "--list"]);
    assert_eq!(list.as_array().unwrap().len(), 3, "{list}");
    let first = list[0]["snapshot"].as_str().unwrap();
    old.done(&["restore", text(&to), "--snapshot", first], "");
    let before = serve(&old, None);
    let hand = Hand::with(&before, same_hand.secret.clone());
    assert_eq!(hand.get("later.bin").await, (StatusCode::OK, bytes(2, 10)));
    assert_eq!(hand.get("Music/same.bin").await, (StatusCode::OK, bytes(1, 300_000)));

    // Nothing that is there is overwritten.
    drop(before);
    let refused = old.run(&["restore", text(&to)]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(error_text(&refused).contains("is there already"), "{refused:?}");
}

#[tokio::test]
async fn an_upload_in_flight_does_not_come_back() {
    let place = Place::new();
    let to = place.folder.path().join("backup");
    let server = serve(&place, None);
    let hand = Hand::new(&place, &server);
    hand.put("whole.bin", &bytes(1, 1000)).await;
    let uploads = hand.base.replace("/files", "/uploads");
    let begun = hand.client.post(uploads).basic_auth("ann", Some(&hand.secret));
    let begun = begun.header("Tus-Resumable", "1.0.0").header("Upload-Length", 5000);
    let begun = begun.header("Upload-Metadata", "path aGFsZi5iaW4=").send().await.unwrap();
    assert_eq!(begun.status(), StatusCode::CREATED);
    place.done(&["backup", text(&to)], "");

    let fresh = Place::new();
    fresh.done(&["restore", text(&to)], "");
    assert_eq!(fresh.done(&["doctor"], ""), "everything is in order");
    let again = serve(&fresh, None);
    let hand = Hand::with(&again, hand.secret.clone());
    let storage = hand.base.replace("/files", "/storage");
    let storage = hand.client.get(storage).basic_auth("ann", Some(&hand.secret));
    let storage: Value = storage.send().await.unwrap().json().await.unwrap();
    assert!(storage.to_string().contains("\"reserved\":0"), "{storage}");
    assert_eq!(hand.get("whole.bin").await, (StatusCode::OK, bytes(1, 1000)));
}

/// What gave way to an upload that a backup does not keep is back in the trash, as whole as it was.
#[tokio::test]
async fn what_an_upload_held_is_in_the_trash_again() {
    let place = Place::new();
    let to = place.folder.path().join("backup");
    let server = serve(&place, None);
    place.done(&["plan", "set", "Small", "--quota", "10000"], "");
    place.done(&["user", "set-plan", "ann", "Small"], "");
    let hand = Hand::new(&place, &server);
    hand.put("old.bin", &bytes(1, 4000)).await;
    hand.put("stays.bin", &bytes(2, 1000)).await;
    hand.delete("old.bin").await;
    let uploads = hand.base.replace("/files", "/uploads");
    let begun = hand.client.post(uploads).basic_auth("ann", Some(&hand.secret));
    let begun = begun.header("Tus-Resumable", "1.0.0").header("Upload-Length", 9000);
    let begun = begun.header("Upload-Metadata", "path aGFsZi5iaW4=").send().await.unwrap();
    assert_eq!(begun.status(), StatusCode::CREATED);
    assert_eq!(hand.ask("trash").await["items"], serde_json::json!([]), "it gave way");
    place.done(&["backup", text(&to)], "");
    drop(server);

    let fresh = Place::new();
    fresh.done(&["restore", text(&to)], "");
    let again = serve(&fresh, None);
    let hand = Hand::with(&again, hand.secret.clone());
    let trash = hand.ask("trash").await;
    assert_eq!(
        (&trash["items"][0]["name"], trash["items"].as_array().unwrap().len()),
        (&"old.bin".into(), 1)
    );
    let storage = hand.ask("storage").await;
    let figures = ["used", "reserved", "reclaimable"].map(|name| storage[name].as_u64().unwrap());
    assert_eq!(figures, [1000, 0, 4000], "{storage}");
    let back = format!("/trash/{}", trash["items"][0]["id"].as_str().unwrap());
    let back = hand.client.post(hand.base.replace("/files", &back)).json(&serde_json::json!({}));
    let back = back.basic_auth("ann", Some(&hand.secret)).send().await.unwrap();
    assert!(back.status().is_success(), "{back:?}");
    assert_eq!(hand.get("old.bin").await, (StatusCode::OK, bytes(1, 4000)));
    drop(again);
    assert_eq!(fresh.done(&["doctor"], ""), "everything is in order");
}

#[tokio::test]
async fn damage_in_a_backup_is_found_and_named() {
    let place = Place::new();
    let to = place.folder.path().join("backup");
    let server = serve(&place, None);
    let hand = Hand::new(&place, &server);
    hand.put("a/good.bin", &bytes(1, 5000)).await;
    hand.put("a/bad.bin", &bytes(2, 5000)).await;
    place.done(&["backup", text(&to)], "");
    place.done(&["restore", text(&to), "--check"], "");

    let hash = blake3::hash(&bytes(2, 5000)).to_hex().to_string();
    let object = to.join("objects").join(&hash[..2]).join(&hash);
    let mut content = fs::read(&object).unwrap();
    content[2500] ^= 1;
    fs::remove_file(&object).unwrap();
    fs::write(&object, content).unwrap();
    let checked = place.run(&["restore", text(&to), "--check"]);
    assert_eq!(checked.status.code(), Some(1));
    let said = String::from_utf8(checked.stdout).unwrap();
    assert!(said.contains("damaged: lockers/ann/a/bad.bin"), "{said}");

    let fresh = Place::new();
    let refused = fresh.run(&["restore", text(&to)]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(!fresh.data().join("tunelocker.db").exists());
    let fresh = Place::new();
    let lossy = fresh.done(&["restore", text(&to), "--despite-damage"], "");
    assert!(lossy.contains("bad.bin"), "{lossy}");
    let again = serve(&fresh, None);
    let hand = Hand::with(&again, hand.secret.clone());
    assert_eq!(hand.get("a/good.bin").await, (StatusCode::OK, bytes(1, 5000)));
    assert_eq!(hand.get("a/bad.bin").await.0, StatusCode::NOT_FOUND);
}

#[test]
fn a_backup_goes_elsewhere_and_only_where_it_may() {
    let place = Place::new();
    let _server = serve(&place, None);
    let inside = place.data().join("backup");
    let refused = place.run(&["backup", text(&inside)]);
    assert!(error_text(&refused).contains("must lie apart"), "{refused:?}");
    let used = place.folder.path().join("used");
    fs::create_dir(&used).unwrap();
    fs::write(used.join("thesis.tex"), "").unwrap();
    let refused = place.run(&["backup", text(&used)]);
    assert!(error_text(&refused).contains("neither empty nor a backup folder"), "{refused:?}");
    let refused = place.run(&["restore", text(&used), "--list"]);
    assert_eq!(refused.status.code(), Some(0));
    let refused = place.run(&["restore", text(&used)]);
    assert!(error_text(&refused).contains("a server runs over"), "{refused:?}");
    let fresh = Place::new();
    let refused = fresh.run(&["restore", text(&used)]);
    assert!(error_text(&refused).contains("no backup folder"), "{refused:?}");
    let refused = fresh.run(&["restore", text(&place.folder.path().join("nowhere"))]);
    assert_eq!(refused.status.code(), Some(1));
}

/// A disk that is not mounted is no empty drive: the good backups stay.
#[tokio::test]
async fn a_drive_that_is_not_there_is_not_backed_up() {
    let place = Place::new();
    let (drive, to) = (place.folder.path().join("drive"), place.folder.path().join("backup"));
    let server = serve(&place, Some(&drive));
    let hand = Hand::new(&place, &server);
    hand.put("kept.bin", &bytes(1, 100)).await;
    place.done(&["backup", text(&to), "--keep", "1"], "");
    let away = place.folder.path().join("away");
    fs::rename(&drive, &away).unwrap();
    fs::create_dir(&drive).unwrap();
    let refused = place.run(&["backup", text(&to), "--keep", "1"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(error_text(&refused).contains("is their disk mounted"), "{refused:?}");
    let list = place.json(&["restore", text(&to), "--list"]);
    assert_eq!(list[0]["files"].as_u64().unwrap(), place_files(&away), "{list}");
    assert_eq!(list.as_array().unwrap().len(), 1);
    place.done(&["backup", text(&to), "--without-files"], "");
}

/// Files of a drive that a backup keeps, and the server's keys.
fn place_files(drive: &Path) -> u64 {
    let keys = drive.parent().unwrap().join("data/keys");
    let kept = |path: &&PathBuf| *path != Path::new(".tunelocker-reserve");
    (tree(drive).keys().filter(kept).count() + tree(&keys).len()) as u64
}

/// Old snapshots go, and with them what only they held.
#[tokio::test]
async fn as_many_snapshots_stay_as_wished() {
    let place = Place::new();
    let to = place.folder.path().join("backup");
    let server = serve(&place, None);
    let hand = Hand::new(&place, &server);
    let objects = || tree(&to.join("objects")).len();
    hand.put("kept.bin", &bytes(0, 100)).await;
    let mut counts = Vec::new();
    for round in 1..6 {
        hand.put("changing.bin", &bytes(round, 100)).await;
        // A replaced content may be kept as a version; this is about the backup.
        place.done(&["backup", text(&to), "--keep", "2"], "");
        counts.push(objects());
    }
    let list = place.json(&["restore", text(&to), "--list"]);
    assert_eq!(list.as_array().unwrap().len(), 2, "{list}");
    place.done(&["restore", text(&to), "--check"], "");
    let without = place.json(&["backup", text(&to), "--without-files", "--keep", "1"]);
    assert_eq!(without["hasFiles"], false);
    assert!(objects() < counts[0], "only keys stay: {} of {counts:?}", objects());
}

/// Everything that was acknowledged before a backup began is in it, whatever goes on meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_missing_from_a_backup_under_load() {
    let place = Place::new();
    let to = place.folder.path().join("backup");
    let server = serve(&place, None);
    let hand = std::sync::Arc::new(Hand::new(&place, &server));
    let rounds = 2 + crate::harness::times().min(20);
    let stop = tokio_util::sync::CancellationToken::new();
    let acknowledged = std::sync::Arc::new(std::sync::Mutex::new(BTreeMap::new()));
    let writers: Vec<_> = (0..8_u8)
        .map(|writer| {
            let (hand, stop, acknowledged) = (hand.clone(), stop.clone(), acknowledged.clone());
            tokio::spawn(async move {
                for number in 0_u32.. {
                    if stop.is_cancelled() {
                        break;
                    }
                    let content = [&[writer][..], &number.to_le_bytes()].concat();
                    let path = format!("w{writer}/{number}.bin");
                    hand.put(&path, &content).await;
                    acknowledged.lock().unwrap().insert(path, content);
                }
            })
        })
        .collect();
    for _ in 0..rounds {
        let before = acknowledged.lock().unwrap().clone();
        let (run, folder) = (place.command(&["backup", text(&to), "--json"]), to.clone());
        let output = tokio::task::spawn_blocking({
            let mut run = run;
            move || run.output().unwrap()
        })
        .await
        .unwrap();
        assert!(output.status.success(), "{output:?}");
        let fresh = Place::new();
        fresh.done(&["restore", text(&folder)], "");
        let found = tree(&fresh.data().join("lockers/ann"));
        for (path, content) in &before {
            assert_eq!(found.get(Path::new(path)), Some(content), "{path}");
        }
        let again = serve(&fresh, None);
        let hand = Hand::with(&again, hand.secret.clone());
        if let Some((path, content)) = before.last_key_value() {
            assert_eq!(hand.get(path).await, (StatusCode::OK, content.clone()));
        }
    }
    stop.cancel();
    for writer in writers {
        writer.await.unwrap();
    }
    assert!(!acknowledged.lock().unwrap().is_empty());
}
