//! A disk that breaks: what could not be forced onto it is refused and never taken for stored by a
//! second try, nothing more is written to it, and all that can be read goes on. It is written to
//! again when somebody tried it.

use std::{fs, path::PathBuf, time::Duration};

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    api::{Answer, Api, OFFSET_STREAM},
    bytes,
    seen::Seen,
    trace::{Trace, Which},
    volume::{Volume, fill},
};
use crate::harness::daemon::{Daemon, Folders, folders};

/// Bytes of a file here.
const SIZE: usize = 300_000;

struct Box {
    daemon: Daemon,
    folders: Folders,
    api: Api,
    // Daemons end before their disk does.
    volume: Option<Volume>,
    _home: tempfile::TempDir,
}

impl Box {
    fn new(volume: Option<Volume>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut folders = folders(home.path());
        if let Some(volume) = &volume {
            folders.drive = volume.path().join("drive");
        }
        let daemon = Daemon::start(&folders);
        let api = Api::new(&daemon, &folders.app_password());
        Self { daemon, folders, api, volume, _home: home }
    }

    async fn put(&self, path: &str, seed: u64) -> Answer {
        let request = self.api.request(Method::PUT, &format!("files/{path}"));
        self.api.ask(request.body(bytes(seed, SIZE))).await.unwrap()
    }

    /// What changes something, by every way, each of another name: what was answered.
    async fn changes(&self, round: usize) -> Vec<(String, Answer)> {
        let api = &self.api;
        let at = |name: &str| format!("{round}/{name}.bin");
        let file = |name: &str| format!("files/{}", at(name));
        let requests = [
            ("PUT", api.request(Method::PUT, &file("put")).body(bytes(1, SIZE))),
            ("PUT over it", api.request(Method::PUT, &file("put")).body(bytes(2, SIZE))),
            ("form", api.form(&at("form"), &bytes(1, SIZE))),
            ("WebDAV", api.dav("PUT", &at("dav")).body(bytes(1, SIZE))),
            (
                "tus",
                api.tus_create(&at("tus"), SIZE)
                    .header("Content-Type", OFFSET_STREAM)
                    .body(bytes(1, SIZE)),
            ),
            ("MKCOL", api.dav("MKCOL", &format!("{round} new"))),
            ("trash", api.request(Method::DELETE, &file("put"))),
        ];
        let mut answers = Vec::new();
        for (way, request) in requests {
            let answer = api.ask(request).await.unwrap_or_else(|| panic!("{way}: no answer"));
            answers.push((way.to_owned(), answer));
        }
        answers
    }

    async fn health(&self) -> Value {
        let url = format!("http://{}/health", self.daemon.http);
        reqwest::get(url).await.unwrap().json().await.unwrap()
    }

    async fn try_disks(&self) -> Answer {
        let request = self.api.administer(Method::POST, "server/storage");
        self.api.ask(request).await.unwrap()
    }

    async fn assert_reads(&self, path: &str, seed: u64) {
        let read = self.api.request(Method::GET, &format!("files/{path}"));
        assert_eq!(self.api.must(read).await.bytes(), bytes(seed, SIZE));
    }

    async fn assert_whole(&self) {
        let seen = Seen::of(&self.folders).unwrap();
        let wrong = seen.against_the_books(&self.folders, &self.api).await;
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// From the first refusal on everything is refused, in each door's own words.
fn assert_all_refused_from_the_first(answers: &[(String, Answer)], why: &str) -> bool {
    let first = answers.iter().position(|(_, answer)| !answer.is_success());
    let Some(first) = first else { return false };
    for (way, answer) in &answers[first..] {
        // What was to be thrown away may never have come to be.
        assert_eq!(answer.status, 503, "{why}, {way}: {}", answer.text());
        assert!(answer.text().contains("storage_degraded"), "{why}, {way}: {}", answer.text());
        // A form tells of each file by itself.
        let waits = way == "form" || !answer.header("retry-after").is_empty();
        assert!(waits, "{why}, {way}");
    }
    true
}

/// Each `fsync` of each way is the first that fails, and those after it fail too.
#[tokio::test]
async fn no_failed_fsync_is_taken_for_stored() {
    let at = Box::new(None);
    assert!(at.put("before.bin", 7).await.is_success());
    let mut failures = 0;
    for n in 1.. {
        at.api.must(at.api.dav("MKCOL", &n.to_string())).await;
        let trace = Trace::fail(at.daemon.pid(), "fsync,fdatasync", "EIO", Which::From(n), &[]);
        let answers = at.changes(n).await;
        let has_failed = assert_all_refused_from_the_first(&answers, &format!("from call {n} on"));
        let health = at.health().await;
        at.assert_reads("before.bin", 7).await;
        drop(trace);
        // Whatever was answered well is there.
        for (way, name, seed) in [("form", "form", 1), ("WebDAV", "dav", 1), ("tus", "tus", 1)] {
            if answers.iter().any(|(one, answer)| one == way && answer.is_success()) {
                at.assert_reads(&format!("{n}/{name}.bin"), seed).await;
            }
        }
        if !has_failed {
            break;
        }
        failures += 1;
        assert_eq!(health["status"], "degraded", "{n}: {health}");
        let says = [&health["storage"], &health["database"]].map(|one| one == "degraded");
        assert!(says.contains(&true), "{n}: {health}");
        // The disk is well again, and nobody knows: a second try is no proof.
        let again = at.put("again.bin", 8).await;
        assert_eq!(again.status, 503, "{n}: {}", again.text());
        let server = at.api.must(at.api.administer(Method::GET, "server")).await.json();
        assert!(server["attention"].to_string().contains("fail"), "{n}: {server}");
        let tried = at.try_disks().await;
        assert!(tried.is_success(), "{n}: {}", tried.text());
        assert_eq!(tried.json(), json!({ "database": "ok", "drive": "ok" }));
        assert!(at.put("again.bin", 8).await.is_success());
        at.assert_whole().await;
    }
    assert!(3 <= failures, "{failures}");
}

/// The lockers' disk breaks alone: what stores is refused, also when the disk does as if nothing had
/// been, and what needs the database alone goes on.
#[tokio::test]
async fn a_failing_disk_of_the_lockers_stops_what_stores() {
    let at = Box::new(None);
    assert!(at.put("before.bin", 7).await.is_success());
    at.api.must(at.api.dav("MKCOL", "1")).await;
    let folder = at.folders.drive.join("lockers/root");
    let trace = Trace::fail(at.daemon.pid(), "fsync", "EIO", Which::From(1), &[folder]);
    let refused = at.put("new.bin", 1).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    drop(trace);
    assert_all_refused_from_the_first(&at.changes(1).await, "when it is well again");
    let health = at.health().await;
    assert_eq!((&health["database"], &health["storage"]), (&json!("ok"), &json!("degraded")));
    let api = &at.api;
    let new = json!({ "name": "songs" });
    api.must(api.request(Method::POST, "playlists").json(&new)).await;
    at.assert_reads("before.bin", 7).await;
    let told = async || {
        let notices = api.must(api.administer(Method::GET, "notices")).await.json();
        notices.to_string().contains("The disk of the lockers is failing")
    };
    while !told().await {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(at.try_disks().await.is_success());
    assert!(at.put("new.bin", 1).await.is_success());
    while told().await {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    at.assert_whole().await;
}

/// The database's disk breaks alone: a change that it could not keep is refused, and so is every
/// change after it; what was there can be read.
#[tokio::test]
async fn a_failing_disk_of_the_database_stops_every_change() {
    let at = Box::new(None);
    assert!(at.put("before.bin", 7).await.is_success());
    let secret = at.folders.app_password();
    let log = at.folders.data.join("tunelocker.db-wal");
    let trace = Trace::fail(at.daemon.pid(), "fsync,fdatasync", "EIO", Which::From(1), &[log]);
    let api = &at.api;
    let playlist = || {
        let new = json!({ "name": "songs" });
        api.ask(api.request(Method::POST, "playlists").json(&new))
    };
    let refused = playlist().await.unwrap();
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(refused.text().contains("storage_degraded"), "{}", refused.text());
    let health = at.health().await;
    assert_eq!((&health["database"], &health["storage"]), (&json!("degraded"), &json!("ok")));
    let still = at.try_disks().await;
    assert_eq!(still.status, 503, "{}", still.text());
    assert_eq!(at.put("new.bin", 1).await.status, 503);
    let subsonic = format!(
        "http://{}/rest/createPlaylist?u=root&p={secret}&v=1.16.1&c=test&f=json&name=songs",
        at.daemon.http
    );
    let subsonic: Value = reqwest::get(subsonic).await.unwrap().json().await.unwrap();
    let subsonic = &subsonic["subsonic-response"];
    assert_eq!(subsonic["status"], "failed", "{subsonic}");
    assert!(subsonic.to_string().contains("Nothing can be stored now"), "{subsonic}");
    at.assert_reads("before.bin", 7).await;
    drop(trace);
    assert_eq!(playlist().await.unwrap().status, 503);
    assert!(at.try_disks().await.is_success());
    assert!(playlist().await.unwrap().is_success());
    at.assert_whole().await;
}

/// A disk that gives no more blocks than it has, and says no where it promised some: a device that
/// fails, with no help of the daemon's.
#[tokio::test]
async fn a_breaking_disk_is_read_and_not_written_until_it_is_well() {
    let mut at = Box::new(Some(Volume::thin(200_000_000, 40_000_000)));
    assert!(at.put("before.bin", 7).await.is_success());
    let below = at.volume.as_ref().unwrap().below().join("filler");
    let filler: PathBuf = below.clone();
    tokio::task::spawn_blocking(move || fill(&filler)).await.unwrap();
    // It may say at first that it has no room.
    let mut answers = Vec::new();
    for number in 0..50 {
        let answer = at.put(&format!("new/{number}.bin"), number).await;
        let status = answer.status;
        assert!([503, 507].contains(&status), "{}", answer.text());
        answers.push(answer);
        if status == 503 {
            break;
        }
    }
    let last = answers.last().unwrap();
    assert!(last.text().contains("storage_degraded"), "{}", last.text());
    assert_eq!(at.health().await["storage"], "degraded");
    at.assert_reads("before.bin", 7).await;
    let still = at.try_disks().await;
    assert_eq!(still.status, 503, "{}", still.text());

    // A restart finds it no better, and serves what it can.
    at.daemon.kill();
    at.daemon = Daemon::start(&at.folders);
    at.api = Api::new(&at.daemon, &at.folders.app_password());
    assert_eq!(at.health().await["storage"], "degraded");
    assert_eq!(at.put("new.bin", 1).await.status, 503);
    at.assert_reads("before.bin", 7).await;

    at.daemon.kill();
    fs::remove_file(below).unwrap();
    at.volume.as_ref().unwrap().remount();
    at.daemon = Daemon::start(&at.folders);
    at.api = Api::new(&at.daemon, &at.folders.app_password());
    assert_eq!(at.health().await["storage"], "ok");
    at.assert_reads("before.bin", 7).await;
    assert!(at.put("new.bin", 1).await.is_success());
    at.assert_whole().await;
}
