//! A disk that has no room at one moment: each of the calls that an upload is made of fails once with
//! ENOSPC. It is taken or refused with the cause, all that was acknowledged stays, the books agree, and
//! the next try succeeds.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use reqwest::Method;
use serde_json::json;

use super::{
    api::{Answer, Api},
    bytes,
    seen::{Hash, Seen},
    trace::{Trace, Which},
};
use crate::harness::daemon::{Daemon, Folders, folders};

/// Bytes of a file here: some pieces as they are written.
const SIZE: usize = 700_000;
/// More calls than an upload makes of a kind.
const MOST: usize = 100;

struct Cupboard {
    daemon: Daemon,
    folders: Folders,
    api: Api,
    /// What was acknowledged: seeds of the files by their paths.
    kept: BTreeMap<String, u64>,
    /// And of those that they replaced.
    versions: Vec<(String, u64)>,
    seed: u64,
    _home: tempfile::TempDir,
}

/// What is made to fail: calls, and the places where they do, all if there are none.
struct Trouble<'a> {
    calls: &'a str,
    places: &'a [PathBuf],
    n: usize,
}

impl Cupboard {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let folders = folders(home.path());
        let daemon = Daemon::start(&folders);
        let api = Api::new(&daemon, &folders.app_password());
        Self {
            daemon,
            folders,
            api,
            kept: BTreeMap::new(),
            versions: Vec::new(),
            seed: 0,
            _home: home,
        }
    }

    fn new_bytes(&mut self) -> (u64, Vec<u8>) {
        self.seed += 1;
        (self.seed, bytes(self.seed, SIZE))
    }

    /// The database's files.
    fn books(&self) -> Vec<PathBuf> {
        ["tunelocker.db", "tunelocker.db-wal", "tunelocker.db-shm"]
            .map(|name| self.folders.data.join(name))
            .to_vec()
    }

    fn begin(&self, trouble: &Trouble<'_>) -> Trace {
        let Trouble { calls, places, n } = trouble;
        Trace::fail(self.daemon.pid(), calls, "ENOSPC", Which::Only(*n), places)
    }

    /// Sends a file by PUT; whether a call failed meanwhile.
    async fn put(&mut self, path: &str, trouble: &Trouble<'_>) -> bool {
        let why = format!("{} {} of PUT {path}", trouble.calls, trouble.n);
        let (seed, bytes) = self.new_bytes();
        let file = format!("files/{path}");
        let put = || self.api.request(Method::PUT, &file).body(bytes.clone());
        let trace = self.begin(trouble);
        let answer = self.api.ask(put()).await.expect("an answer");
        let failed = trace.failed();
        let why = format!("{why}, answered {}", answer.status);
        if !self.is_taken(&answer, trouble.calls, &why).await {
            assert_ne!(failed, 0, "{why}: {}", answer.text());
            self.assert_kept(&why).await;
            let again = self.api.ask(put()).await.expect("an answer");
            assert!(again.is_success(), "{why}, then: {}", again.text());
        }
        if let Some(before) = self.kept.insert(path.to_owned(), seed) {
            self.versions.push((path.to_owned(), before));
        }
        self.assert_kept(&why).await;
        failed != 0
    }

    /// Sends the bytes of an upload by tus that was begun; whether a call failed meanwhile.
    async fn append(&mut self, path: &str, calls: &str, n: usize) -> bool {
        let why = format!("{calls} {n} of tus {path}");
        let (seed, bytes) = self.new_bytes();
        let made = self.api.must(self.api.tus_create(path, SIZE)).await;
        let address = made.header("location");
        let id = address.rsplit('/').next().unwrap();
        let staged = self.folders.drive.join("staging").join(format!("up-{id}"));
        assert!(staged.exists(), "{} is where its bytes go", staged.display());
        let trouble = Trouble { calls, places: &[staged], n };
        let trace = self.begin(&trouble);
        let answer = self.api.ask(self.api.tus_patch(&address, 0, &bytes)).await;
        let answer = answer.expect("an answer");
        let failed = trace.failed();
        if !self.is_taken(&answer, calls, &why).await {
            assert_ne!(failed, 0, "{why}: {}", answer.text());
            self.assert_kept(&why).await;
            // It goes on where it stands.
            let head = self.api.must(self.api.tus(Method::HEAD, &address)).await;
            let at: usize = head.header("upload-offset").parse().unwrap();
            let rest = self.api.ask(self.api.tus_patch(&address, at, &bytes[at..])).await;
            let rest = rest.expect("an answer");
            assert!(rest.is_success(), "{why}, then from {at}: {}", rest.text());
        }
        if let Some(before) = self.kept.insert(path.to_owned(), seed) {
            self.versions.push((path.to_owned(), before));
        }
        self.assert_kept(&why).await;
        failed != 0
    }

    /// Moves a file; whether a call failed meanwhile.
    async fn moved(&mut self, from: &str, to: &str, trouble: &Trouble<'_>) -> bool {
        let why = format!("{} {} of moving {from}", trouble.calls, trouble.n);
        let file = format!("files/{from}");
        let wish = json!({ "to": to });
        let go = || self.api.request(Method::POST, &file).json(&wish);
        let trace = self.begin(trouble);
        let answer = self.api.ask(go()).await.expect("an answer");
        let failed = trace.failed();
        let why = format!("{why}, answered {}", answer.status);
        if !self.is_taken(&answer, trouble.calls, &why).await {
            self.assert_kept(&why).await;
            let again = self.api.ask(go()).await.expect("an answer");
            assert!(again.is_success(), "{why}, then: {}", again.text());
        }
        let seed = self.kept.remove(from).unwrap();
        self.kept.insert(to.to_owned(), seed);
        self.assert_kept(&why).await;
        failed != 0
    }

    /// Puts a file into the trash and takes it back; whether a call failed meanwhile.
    async fn trashed(&mut self, path: &str, trouble: &Trouble<'_>) -> bool {
        let why = format!("{} {} of trashing {path}", trouble.calls, trouble.n);
        let file = format!("files/{path}");
        let trace = self.begin(trouble);
        let mut answer = self.api.ask(self.api.request(Method::DELETE, &file)).await.unwrap();
        let mut failed = trace.failed();
        let why = format!("{why}, answered {}", answer.status);
        if !self.is_taken(&answer, trouble.calls, &why).await {
            self.assert_kept(&why).await;
            answer = self.api.must(self.api.request(Method::DELETE, &file)).await;
        }
        let seed = self.kept.remove(path).unwrap();
        self.assert_kept(&why).await;

        let id = answer.json()["id"].as_str().unwrap().to_owned();
        let back = || self.api.request(Method::POST, &format!("trash/{id}")).json(&json!({}));
        let trace = self.begin(trouble);
        let answer = self.api.ask(back()).await.expect("an answer");
        failed += trace.failed();
        let why = format!("{why}, taking it back answered {}", answer.status);
        if !self.is_taken(&answer, trouble.calls, &why).await {
            self.assert_kept(&why).await;
            self.api.must(back()).await;
        }
        self.kept.insert(path.to_owned(), seed);
        self.assert_kept(&why).await;
        failed != 0
    }

    /// Whether it was taken; refused it must be with its cause, in words. What could not be forced onto
    /// the database's disk may be taken for a failing one, until somebody tries it.
    async fn is_taken(&self, answer: &Answer, calls: &str, why: &str) -> bool {
        if answer.is_success() {
            return true;
        }
        let told = answer.json();
        assert!(
            told["detail"].as_str().is_some_and(|detail| detail.contains(' ')),
            "{why}: {told}"
        );
        if calls.starts_with("fsync") && answer.status == 503 {
            assert_eq!(told["type"], "storage_degraded", "{why}");
            self.api.must(self.api.administer(Method::POST, "server/storage")).await;
        } else {
            assert_eq!((answer.status, &told["type"]), (507, &"disk_full".into()), "{why}: {told}");
        }
        false
    }

    /// All that was acknowledged is there, nothing besides, and the books say so.
    async fn assert_kept(&self, why: &str) {
        let seen = Seen::of(&self.folders).unwrap();
        let short = |hash: &Hash| hex::encode(&hash[..4]);
        let hash = |seed: u64| short(blake3::hash(&bytes(seed, SIZE)).as_bytes());
        let all = |there: BTreeSet<String>, wanted: BTreeSet<String>, what: &str| {
            let more: Vec<_> = there.difference(&wanted).collect();
            let less: Vec<_> = wanted.difference(&there).collect();
            assert!(more.is_empty() && less.is_empty(), "{why}: {what}: {more:?}, but no {less:?}");
        };
        let there = seen.files.iter().map(|(path, (hash, _))| format!("{path} {}", short(hash)));
        let kept = self.kept.iter().map(|(path, seed)| format!("{path} {}", hash(*seed)));
        all(there.collect(), kept.collect(), "files");
        let there = seen.versions.iter().map(|(path, hash)| format!("{path} {}", short(hash)));
        let versions = self.versions.iter().map(|(path, seed)| format!("{path} {}", hash(*seed)));
        all(there.collect(), versions.collect(), "versions");
        assert_eq!(seen.versions.len(), self.versions.len(), "{why}");
        let wrong = seen.against_the_books(&self.folders, &self.api).await;
        assert!(wrong.is_empty(), "{why}:\n{}", wrong.join("\n"));
    }
}

/// By PUT, of a new file and over one: taking room, publishing, and the books.
#[tokio::test]
async fn no_call_of_a_put_that_finds_no_room_loses_anything() {
    for (calls, in_books, least) in [
        ("fallocate", false, 1),
        ("mkdirat", false, 1),
        ("linkat", false, 0),
        ("renameat2", false, 1),
        ("fsync,fdatasync", false, 3),
        ("pwrite64", true, 3),
        ("ftruncate,fallocate,write", true, 0),
    ] {
        // Each begins anew: all that is there is looked at again and again.
        let mut at = Cupboard::new();
        let places = if in_books { at.books() } else { Vec::new() };
        let mut failures = 0;
        for n in 1..=MOST {
            let trouble = Trouble { calls, places: &places, n };
            // Folders are made and a version is kept, too.
            let path = format!("{n} {}/new.bin", calls.replace(',', " "));
            let new = at.put(&path, &trouble).await;
            let over = at.put(&path, &trouble).await;
            if !new && !over {
                break;
            }
            failures += 1;
        }
        println!("{calls}: {failures}");
        assert!(least <= failures && failures < MOST, "{calls}: {failures}");
    }
}

/// By tus: the bytes themselves and what forces them onto the disk.
#[tokio::test]
async fn no_call_of_a_tus_upload_that_finds_no_room_loses_anything() {
    let mut at = Cupboard::new();
    for (calls, least) in
        [("write,pwrite64,writev", 2), ("fsync,fdatasync", 1), ("renameat2,linkat", 0)]
    {
        let mut failures = 0;
        for n in 1..=MOST {
            let path = format!("tus/{} {n}.bin", calls.replace(',', " "));
            if !at.append(&path, calls, n).await {
                break;
            }
            failures += 1;
        }
        println!("{calls}: {failures}");
        assert!(least <= failures && failures < MOST, "{calls}: {failures}");
    }
}

/// Moves, the trash and back: what is not forced onto the disk is where it was.
#[tokio::test]
async fn no_call_of_a_move_that_finds_no_room_loses_anything() {
    for (calls, in_books) in
        [("mkdirat", false), ("renameat2", false), ("fsync,fdatasync", false), ("pwrite64", true)]
    {
        let mut at = Cupboard::new();
        let places = if in_books { at.books() } else { Vec::new() };
        let mut failures = 0;
        for n in 1..=MOST {
            let trouble = Trouble { calls, places: &places, n };
            let path = format!("{n} {}.bin", calls.replace(',', " "));
            at.put(&path, &Trouble { calls: "mkdirat", places: &[], n: MOST }).await;
            let moved = at.moved(&path, &format!("moved/{n}/{path}"), &trouble).await;
            let trashed = at.trashed(&format!("moved/{n}/{path}"), &trouble).await;
            if !moved && !trashed {
                break;
            }
            failures += 1;
        }
        println!("{calls}: {failures}");
        assert!((1..MOST).contains(&failures), "{calls}: {failures}");
    }
}
