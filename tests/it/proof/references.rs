//! Killed while a file of a locker comes to point into a watched folder, and while it gets bytes of
//! its own: at each of the system calls that this is made of. What was answered is there, what was
//! not is there whole or not at all, and no symlink is left behind.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::{api::Api, trace::Trace};
use crate::harness::{
    daemon::{Daemon, Folders, folders},
    music, times,
};

/// Songs of the folder; each round uses one up.
const SONGS: usize = 40;

struct Lending {
    home: tempfile::TempDir,
    /// On another file system than the lockers: no blocks can be shared.
    music: tempfile::TempDir,
    folders: Folders,
    secret: String,
    daemon: Daemon,
    api: Api,
    round: usize,
    /// What was answered: path and bytes.
    files: BTreeMap<String, Vec<u8>>,
}

fn serve(folders: &Folders, music: &Path) -> Daemon {
    Daemon::start_with(folders, &["--library", &format!("Music={}", music.display())])
}

/// Every symlink below a folder.
fn links(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let kind = path.symlink_metadata().unwrap();
        if kind.is_symlink() {
            found.push(path);
        } else if kind.is_dir() {
            found.extend(links(&path));
        }
    }
    found
}

impl Lending {
    async fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let music = tempfile::tempdir_in("/dev/shm").unwrap();
        for number in 0..SONGS {
            // Each of another length, so of other bytes.
            let seconds = 0.3 + 0.01 * f64::from(u32::try_from(number).unwrap());
            music::wav(music.path(), &format!("{number}.wav"), seconds);
        }
        let folders = folders(home.path());
        let daemon = serve(&folders, music.path());
        let secret = folders.app_password();
        let api = Api::new(&daemon, &secret);
        let files = BTreeMap::new();
        let new = Self { home, music, folders, secret, daemon, api, round: 0, files };
        new.until("the folder's scan", |one| one["scannedAt"].is_i64()).await;
        new.api.must(new.lends(true).await).await;
        new
    }

    async fn library(&self) -> Value {
        let all = self.api.must(self.api.administer(Method::GET, "libraries")).await.json();
        let one = all["items"].as_array().unwrap().iter().find(|one| one["name"] == "Music");
        one.unwrap().clone()
    }

    async fn until(&self, what: &str, is_so: impl Fn(&Value) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(120);
        while !is_so(&self.library().await) {
            assert!(Instant::now() < deadline, "{what} does not come");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn lends(&self, lends: bool) -> RequestBuilder {
        let one = self.library().await;
        let access = json!({ "shared": true, "onLan": false, "granted": [], "lends": lends });
        let address = format!("libraries/{}", one["id"].as_str().unwrap());
        self.api.administer(Method::PATCH, &address).json(&access)
    }

    /// The next song: where it shall be, its bytes, and the request that claims it.
    async fn claim(&mut self) -> (String, Vec<u8>, RequestBuilder) {
        self.round += 1;
        let bytes =
            fs::read(self.music.path().join(format!("{}.wav", self.round % SONGS))).unwrap();
        let path = format!("round {}/song.wav", self.round);
        let hex = |bytes: &[u8]| blake3::hash(bytes).to_hex().to_string();
        let quick = hex(&bytes[..bytes.len().min(65_536)]);
        let item =
            json!({ "hash": hex(&bytes), "quick": quick, "size": bytes.len(), "path": path });
        let wish = self.api.request(Method::POST, "match").json(&json!({ "items": [item] }));
        let standing = self.api.must(wish).await.json()["items"][0].clone();
        let mut key = [0; 32];
        hex::decode_to_slice(standing["key"].as_str().unwrap(), &mut key).unwrap();
        let proof = blake3::keyed_hash(&key, &bytes).to_hex().to_string();
        let claims = json!({ "claims": [{ "claim": standing["claim"], "proof": proof }] });
        (path, bytes, self.api.request(Method::POST, "claims").json(&claims))
    }

    /// Starts it again and judges.
    async fn revive(&mut self, why: &str) {
        self.daemon.kill();
        self.daemon = serve(&self.folders, self.music.path());
        self.api = Api::new(&self.daemon, &self.secret);
        assert_eq!(self.folders.doctor(), Vec::<String>::new(), "{why}");
        for (path, bytes) in &self.files {
            let back = self.api.must(self.api.request(Method::GET, &format!("files/{path}"))).await;
            assert!(back.bytes() == bytes, "{why}: {path} is of other bytes");
        }
        let own = self.folders.drive.join("lockers/root");
        for link in links(&own) {
            let path = link.strip_prefix(&own).unwrap().to_str().unwrap();
            let there = self.api.request(Method::GET, &format!("files/{path}"));
            let status = self.api.ask(there).await.unwrap().status;
            assert_eq!(status, 200, "{why}: nobody knows the symlink {path}");
        }
        assert_eq!(links(&self.folders.drive.join("staging")), Vec::<PathBuf>::new(), "{why}");
    }

    fn calls(&self) -> Trace {
        Trace::count(self.daemon.pid(), self.home.path().join("calls"))
    }
}

/// So many of all points, all where the tests are told to take their time.
fn some_of(calls: BTreeMap<&'static str, usize>, wanted: usize) -> Vec<(&'static str, usize)> {
    let all: Vec<_> =
        calls.into_iter().flat_map(|(call, most)| (1..=most).map(move |n| (call, n))).collect();
    let step = if times() == 1 { (all.len() / wanted).max(1) } else { 1 };
    all.into_iter().step_by(step).take(if times() == 1 { wanted } else { SONGS - 3 }).collect()
}

#[tokio::test]
async fn killed_while_a_file_comes_to_point_into_a_folder() {
    let mut house = Lending::new().await;
    let (path, bytes, claim) = house.claim().await;
    let trace = house.calls();
    let said = house.api.must(claim).await.json();
    let calls = trace.counted();
    assert_eq!(said["claims"][0]["origin"], "reference", "{said}");
    assert!(house.folders.drive.join("lockers/root").join(&path).is_symlink());
    // The doctor of the command line counts it.
    let told = house.folders.command("doctor").arg("--json").output().unwrap();
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    let points = json!({ "files": 1, "kept": 0, "bytes": bytes.len(), "missing": [] });
    assert_eq!((&told["differences"], &told["references"]), (&json!([]), &points), "{told}");
    let told = house.folders.command("doctor").output().unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(told.contains("1 file of lockers and 0 in trash and versions point"), "{told}");
    house.files.insert(path, bytes);
    let mut died = 0;
    for (call, n) in some_of(calls, 14) {
        let why = format!("killed at {call} {n} of a claim");
        let (path, bytes, claim) = house.claim().await;
        let trace = Trace::kill_at(house.daemon.pid(), call, n);
        let said = house.api.ask(claim).await;
        died += usize::from(!trace.lives());
        drop(trace);
        let is_claimed = said.is_some_and(|said| said.json()["claims"][0]["state"] == "claimed");
        if is_claimed {
            house.files.insert(path.clone(), bytes.clone());
        }
        house.revive(&why).await;
        let there = house.api.request(Method::GET, &format!("files/{path}"));
        let there = house.api.ask(there).await.unwrap();
        assert!(there.status == 404 || there.bytes() == bytes, "{why}: {}", there.status);
        if there.status == 200 {
            house.files.insert(path, bytes);
        }
    }
    assert!(7 <= died, "{died} deaths");
}

#[tokio::test]
async fn killed_while_a_file_gets_bytes_of_its_own() {
    let mut house = Lending::new().await;
    let mut points = Vec::new();
    let mut died = 0;
    for at in 0.. {
        // Two files that point at one song, one that does by another path, and one in the trash.
        let (path, bytes, claim) = house.claim().await;
        let said = house.api.must(claim).await.json();
        assert_eq!(said["claims"][0]["origin"], "reference", "{said}");
        for copy in ["second", "kept"] {
            let to = format!("{copy} {}.wav", house.round);
            let wish = json!({ "to": to, "copy": true });
            let request = house.api.request(Method::POST, &format!("files/{path}")).json(&wish);
            house.api.must(request).await;
            if copy == "kept" {
                house.api.must(house.api.request(Method::DELETE, &format!("files/{to}"))).await;
            } else {
                house.files.insert(to, bytes.clone());
            }
        }
        house.files.insert(path, bytes);
        let recall = house.lends(false).await;
        let Some((call, n)) = points.get(at).copied() else {
            if at != 0 {
                break;
            }
            let trace = house.calls();
            house.api.must(recall).await;
            house.until("bytes of their own", |one| one["lent"]["files"] == 0).await;
            points = vec![("", 0)];
            points.extend(some_of(trace.counted(), 12));
            house.revive("all went well").await;
            house.api.must(house.lends(true).await).await;
            continue;
        };
        let why = format!("killed at {call} {n} of making files real");
        let trace = Trace::kill_at(house.daemon.pid(), call, n);
        let _ = house.api.ask(recall).await;
        let deadline = Instant::now() + Duration::from_secs(10);
        while trace.lives() && Instant::now() < deadline {
            let address = "libraries";
            let asked = house.api.ask(house.api.administer(Method::GET, address)).await;
            let done = asked.is_some_and(|all| {
                let all = all.json();
                let items = all["items"].as_array().cloned().unwrap_or_default();
                items.iter().any(|one| one["name"] == "Music" && one["lent"]["files"] == 0)
            });
            if done {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        died += usize::from(!trace.lives());
        drop(trace);
        house.revive(&why).await;
        house.api.must(house.lends(false).await).await;
        house.until("bytes of their own", |one| one["lent"]["files"] == 0).await;
        let left = links(&house.folders.drive);
        assert_eq!(left, Vec::<PathBuf>::new(), "{why}");
        house.revive(&why).await;
        house.api.must(house.lends(true).await).await;
    }
    assert!(6 <= died, "{died} deaths");
}

/// The judgement can say no.
#[tokio::test]
async fn a_symlink_that_was_left_is_caught() {
    let mut house = Lending::new().await;
    let own = house.folders.drive.join("lockers/root");
    fs::create_dir_all(&own).unwrap();
    symlink(house.music.path().join("0.wav"), own.join("left.wav")).unwrap();
    let judged = futures_util::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(
        house.revive("a symlink was left"),
    ));
    assert!(judged.await.is_err());
}
