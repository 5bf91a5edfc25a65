//! A disk that has no room at one moment: each of the calls that an upload is made of fails once with
//! ENOSPC. It is taken or refused with the cause, all that was acknowledged stays, the books agree, and
//! the next try succeeds.

use std::{collections::BTreeMap, path::PathBuf};

use reqwest::Method;

use super::{
    api::{Answer, Api},
    bytes,
    seen::Seen,
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
        Self { daemon, folders, api, kept: BTreeMap::new(), seed: 0, _home: home }
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
        if !is_taken(&answer, &why) {
            assert_ne!(failed, 0, "{why}: {}", answer.text());
            self.assert_kept(&why).await;
            let again = self.api.ask(put()).await.expect("an answer");
            assert!(again.is_success(), "{why}, then: {}", again.text());
        }
        self.kept.insert(path.to_owned(), seed);
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
        if !is_taken(&answer, &why) {
            assert_ne!(failed, 0, "{why}: {}", answer.text());
            self.assert_kept(&why).await;
            // It goes on where it stands.
            let head = self.api.must(self.api.tus(Method::HEAD, &address)).await;
            let at: usize = head.header("upload-offset").parse().unwrap();
            let rest = self.api.ask(self.api.tus_patch(&address, at, &bytes[at..])).await;
            let rest = rest.expect("an answer");
            assert!(rest.is_success(), "{why}, then from {at}: {}", rest.text());
        }
        self.kept.insert(path.to_owned(), seed);
        self.assert_kept(&why).await;
        failed != 0
    }

    /// All that was acknowledged is there, nothing besides, and the books say so.
    async fn assert_kept(&self, why: &str) {
        let seen = Seen::of(&self.folders).unwrap();
        let there: BTreeMap<_, _> =
            seen.files.iter().map(|(path, (hash, _))| (path, *hash)).collect();
        let hashes = self
            .kept
            .iter()
            .map(|(path, seed)| (path, *blake3::hash(&bytes(*seed, SIZE)).as_bytes()));
        assert_eq!(there, hashes.collect(), "{why}");
        let wrong = seen.against_the_books(&self.folders, &self.api).await;
        assert!(wrong.is_empty(), "{why}:\n{}", wrong.join("\n"));
    }
}

/// Whether it was taken; refused it must be with its cause, in words.
fn is_taken(answer: &Answer, why: &str) -> bool {
    if answer.is_success() {
        return true;
    }
    let told = answer.json();
    assert_eq!((answer.status, &told["type"]), (507, &"disk_full".into()), "{why}: {told}");
    assert!(told["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{why}: {told}");
    false
}

/// By PUT, of a new file and over one: taking room, publishing, and the books.
#[tokio::test]
async fn no_call_of_a_put_that_finds_no_room_loses_anything() {
    let mut at = Cupboard::new();
    let books = at.books();
    let kinds: [(&str, &[PathBuf], usize); 6] = [
        ("fallocate", &[], 1),
        ("mkdirat", &[], 1),
        ("linkat", &[], 0),
        ("renameat2", &[], 1),
        ("pwrite64", &books, 3),
        ("ftruncate,fallocate,write", &books, 0),
    ];
    for (calls, places, least) in kinds {
        let mut failures = 0;
        for n in 1..=MOST {
            let trouble = Trouble { calls, places, n };
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
