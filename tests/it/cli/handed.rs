//! What the machine's own tools hand over, by `tunelocker deliver` and by the folder that is watched for
//! each user: the same names, counts to the byte, nothing replaced, nothing that was taken down.

use std::{fs, path::PathBuf};

use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use tunelocker::drive::RelativePath;

use super::{Place, Server, error_text, wait_for};

const ADMIN: (&str, &str) = ("root", "the admin's own");
const BOB: (&str, &str) = ("bob", "bob's very own");
const QUOTA: usize = 1_000_000;

struct Counter {
    place: Place,
    server: Server,
    client: Client,
}

/// Bytes that no other seed gives.
fn bytes(seed: &str, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(seed.as_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

impl Counter {
    fn new() -> Self {
        let place = Place::new();
        let server = place.serve(&["--no-lan"]);
        let quota = QUOTA.to_string();
        place.done(&["user", "add", ADMIN.0, "--password-stdin", "--role", "admin"], ADMIN.1);
        place.done(&["plan", "set", "Test", "--quota", &quota], "");
        place.done(&["user", "add", BOB.0, "--password-stdin", "--plan", "Test"], BOB.1);
        Self { place, server, client: Client::new() }
    }

    fn ask(&self, who: (&str, &str), method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/api/v1/{path}", self.server.url("http").unwrap());
        self.client.request(method, url).basic_auth(who.0, Some(who.1))
    }

    /// Bytes that bob's locker counts, and those it does not.
    async fn used(&self) -> (u64, u64) {
        let storage = self.ask(BOB, Method::GET, "storage").send().await.unwrap();
        let storage: Value = storage.json().await.unwrap();
        assert_eq!(storage["reserved"], 0, "{storage}");
        (storage["used"].as_u64().unwrap(), storage["exempt"].as_u64().unwrap())
    }

    fn locker(&self) -> PathBuf {
        self.place.data().join("lockers/bob")
    }

    async fn put(&self, path: &str, bytes: &[u8]) {
        let put = self.ask(BOB, Method::PUT, &format!("files/{path}")).body(bytes.to_vec());
        assert!(put.send().await.unwrap().status().is_success(), "{path}");
    }

    /// bob has it, and then nobody may.
    async fn take_down(&self, bytes: &[u8]) {
        self.put("bad.bin", bytes).await;
        let hash = blake3::hash(bytes).to_hex();
        let path = format!("contents/{hash}?reason=A%20letter%20came");
        let taken = self.ask(ADMIN, Method::DELETE, &path).send().await.unwrap();
        assert!(taken.status().is_success(), "{}", taken.text().await.unwrap());
        let there = self.locker().join("bad.bin");
        wait_for("the take-down", || (!there.exists()).then_some(()));
    }

    /// `tunelocker deliver` of one file; where it is, or why not.
    fn deliver(
        &self,
        order: &str,
        name: &str,
        bytes: &[u8],
        how: &[&str],
    ) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        fs::write(&file, bytes).unwrap();
        let fixed = ["deliver", "--user", "bob", "--order", order, "--json"];
        let file = [file.to_str().unwrap()];
        let output = self.place.run(&[&fixed[..], how, &file].concat());
        let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let is_stored = told[0]["stored"] == true;
        assert_eq!(output.status.success(), is_stored, "{output:?}");
        if is_stored {
            let path = told[0]["path"].as_str().unwrap().to_owned();
            assert_eq!(fs::read(self.locker().join(&path)).unwrap(), bytes, "{path}");
            return Ok(path);
        }
        let why = told[0]["problem"].as_str().map(str::to_owned);
        Err(why.unwrap_or_else(|| error_text(&output)))
    }

    /// Comes to lie whole in the watched folder.
    fn drop(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let (aside, folder) = (self.place.data().join("aside"), self.place.data().join("drop/bob"));
        fs::write(&aside, bytes).unwrap();
        fs::create_dir_all(&folder).unwrap();
        let place = folder.join(name);
        fs::rename(aside, &place).unwrap();
        place
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_command_delivers_counts_to_the_byte_where_it_is_to() {
    let counter = Counter::new();
    let counts = ["--counts"];
    let first = bytes("first", 300_000);
    assert_eq!(counter.deliver("1", "a.bin", &first, &counts).unwrap(), "Music/1/a.bin");
    assert_eq!(counter.used().await, (300_000, 0));
    let over = counter.deliver("2", "b.bin", &bytes("over", QUOTA - 299_999), &counts).unwrap_err();
    assert!(over.contains("does not fit"), "{over}");
    assert_eq!(counter.used().await, (300_000, 0));
    counter.deliver("3", "c.bin", &bytes("exact", QUOTA - 300_000), &counts).unwrap();
    assert_eq!(counter.used().await, (QUOTA as u64, 0));
    let more = counter.deliver("4", "d.bin", b"x", &counts).unwrap_err();
    assert!(more.contains("does not fit"), "{more}");
    counter.deliver("5", "e.bin", b"", &counts).unwrap();
    // What is bought does not count.
    counter.deliver("6", "f.bin", &bytes("bought", 50_000), &[]).unwrap();
    assert_eq!(counter.used().await, (QUOTA as u64, 50_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_command_delivers_is_held_to_the_rules() {
    let counter = Counter::new();
    for name in ["con.flac", "dotted.", "back\\slash", "a\u{7}b"] {
        let why = counter.deliver(name, name, b"some bytes", &[]).unwrap_err();
        let sentence = RelativePath::parse(name).unwrap_err().sentence;
        assert!(why.contains(sentence), "{name}: {why}");
    }
    assert_eq!(counter.used().await, (0, 0), "nothing of what was refused is there");
    let (before, after) = (bytes("before", 5_000), bytes("after", 7_000));
    counter.put("Music/7/song.bin", &before).await;
    assert_eq!(counter.deliver("7", "song.bin", &after, &[]).unwrap(), "Music/7/song (2).bin");
    assert_eq!(fs::read(counter.locker().join("Music/7/song.bin")).unwrap(), before);
    let bad = bytes("bad", 70_001);
    counter.take_down(&bad).await;
    let why = counter.deliver("8", "good name.bin", &bad, &[]).unwrap_err();
    assert!(why.contains("An administrator took this down: A letter came"), "{why}");
    assert!(!counter.locker().join("Music/8/good name.bin").exists());
    counter.deliver("9", "good.bin", b"good", &[]).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_dropped_is_held_to_the_rules() {
    let counter = Counter::new();
    let (before, after) = (bytes("before", 5_000), bytes("after", 7_000));
    let (bad, full) = (bytes("bad", 70_001), bytes("full", QUOTA - 5_000));
    counter.take_down(&bad).await;
    counter.put("Music/song.bin", &before).await;
    counter.put("full.bin", &full).await;
    let used = counter.used().await;
    assert_eq!(used, (QUOTA as u64, 0));
    let refused = counter.drop("taken down.bin", &bad);
    let taken = [("song.bin", &*after), ("none.bin", b""), ("con.flac", b"some bytes")]
        .map(|(name, bytes)| counter.drop(name, bytes));
    wait_for("all to be taken in", || taken.iter().all(|place| !place.exists()).then_some(()));
    let music = counter.locker().join("Music");
    assert_eq!(fs::read(music.join("song.bin")).unwrap(), before, "nothing is replaced");
    assert_eq!(fs::read(music.join("song (2).bin")).unwrap(), after);
    assert_eq!(fs::read(music.join("none.bin")).unwrap(), b"");
    // Nobody is there to be told of a name that no locker takes: it gets one that all do.
    assert_eq!(fs::read(music.join("_con.flac")).unwrap(), b"some bytes");
    // What is bought does not count, so it fits into a full locker.
    assert_eq!(counter.used().await, (QUOTA as u64, 7_010));
    // What is not taken is not thrown away either, and its owner is told.
    assert!(refused.exists());
    let told = async || {
        let all = counter.ask(BOB, Method::GET, "deliveries").send().await.unwrap();
        let all: Value = all.json().await.unwrap();
        let items = all["items"].as_array().unwrap().clone();
        items.into_iter().find(|one| one["order"].as_str().unwrap().starts_with("taken down.bin"))
    };
    let one = loop {
        match told().await {
            Some(one) if one["items"][0]["state"] == "failed" => break one,
            _ => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
        }
    };
    assert!(one.to_string().contains("An administrator took this down"), "{one}");
    assert!(!music.join("taken down.bin").exists() && !music.join("con.flac").exists());
}
