//! Resumable uploads as clients of tus 1.0 make them: by plain requests, and by real clients.

mod room;

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::Command,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{Client, Method, RequestBuilder, Response};
use tunelocker::{Error, clock::Clock, drive::Appended};

use super::{Lockers, crash::start_again, is_quota};

pub(super) struct Tus {
    pub(super) lockers: Lockers,
    pub(super) client: Client,
    pub(super) secret: String,
}

pub(super) fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 % 253) as u8).collect()
}

pub(super) fn path(path: &str) -> String {
    format!("path {}", STANDARD.encode(path))
}

pub(super) fn header(answer: &Response, name: &str) -> String {
    answer.headers().get(name).map_or_else(String::new, |it| it.to_str().unwrap().to_owned())
}

impl Tus {
    pub(super) async fn with_quota(quota: u64) -> Self {
        let lockers = Lockers::with_quota(quota).await;
        let new = lockers.accounts.create_app_password(&lockers.ann, "tus").await.unwrap();
        Self { lockers, client: Client::new(), secret: new.secret }
    }

    pub(super) fn request(&self, method: Method, address: &str) -> RequestBuilder {
        self.client
            .request(method, self.lockers.app.url(address))
            .bearer_auth(&self.secret)
            .header("Tus-Resumable", "1.0.0")
    }

    /// Makes an upload; its address.
    pub(super) async fn create(&self, length: usize, metadata: &str) -> String {
        let request = self.request(Method::POST, "/api/v1/uploads");
        let request = request.header("Upload-Length", length).header("Upload-Metadata", metadata);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 201, "{:?}", answer.text().await);
        assert!(header(&answer, "upload-expires").ends_with("GMT"));
        header(&answer, "location")
    }

    pub(super) async fn patch(&self, address: &str, offset: usize, body: &[u8]) -> Response {
        let request = self.request(Method::PATCH, address).header("Upload-Offset", offset);
        let request = request.header("Content-Type", "application/offset+octet-stream");
        request.body(body.to_vec()).send().await.unwrap()
    }

    /// The head of such a request, whose body follows.
    fn patch_head(&self, address: &str, at: usize, length: usize) -> String {
        format!(
            "PATCH {address} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nTus-Resumable: 1.0.0\r\n\
             Upload-Offset: {at}\r\nContent-Type: application/offset+octet-stream\r\nContent-Length: {length}\r\n\r\n",
            self.lockers.app.http, self.secret,
        )
    }

    pub(super) async fn offset(&self, address: &str) -> usize {
        let answer = self.request(Method::HEAD, address).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(header(&answer, "cache-control"), "no-store");
        header(&answer, "upload-offset").parse().unwrap()
    }

    pub(super) fn stored(&self, path: &str) -> Vec<u8> {
        std::fs::read(self.lockers.folder().join(path)).unwrap()
    }

    pub(super) async fn usage(&self) -> (u64, u64) {
        let usage = self.lockers.accounts.usage(&self.lockers.ann, self.lockers.locker).await;
        let usage = usage.unwrap();
        (usage.used, usage.reserved)
    }
}

#[tokio::test]
async fn tus_pieces_become_a_file() {
    let tus = Tus::with_quota(2_000_000).await;
    let whole = bytes(1_000_003);
    let options = tus.client.request(Method::OPTIONS, tus.lockers.app.url("/api/v1/uploads"));
    let options = options.send().await.unwrap();
    assert_eq!(options.status(), 204);
    assert_eq!(header(&options, "tus-version"), "1.0.0");
    for extension in [
        "creation",
        "creation-with-upload",
        "expiration",
        "checksum",
        "termination",
        "concatenation",
    ] {
        assert!(header(&options, "tus-extension").split(',').any(|it| it == extension));
    }
    assert!(header(&options, "access-control-allow-headers").contains("Upload-Offset"));

    let address = tus.create(whole.len(), &path("Music/Björk/Jóga.flac")).await;
    assert_eq!(tus.usage().await, (0, 1_000_003), "the room is promised at once");
    assert_eq!(tus.offset(&address).await, 0);
    let answer = tus.patch(&address, 0, &whole[..400_000]).await;
    assert_eq!(
        (answer.status().as_u16(), header(&answer, "upload-offset")),
        (204, "400000".into())
    );
    // Not where it goes on.
    assert_eq!(tus.patch(&address, 0, &whole[..10]).await.status(), 409);
    assert_eq!(tus.patch(&address, 500_000, &whole[500_000..]).await.status(), 409);
    // Not a body of this protocol, and not its version.
    let request = tus.request(Method::PATCH, &address).header("Upload-Offset", 400_000);
    assert_eq!(request.body("x").send().await.unwrap().status(), 415);
    let old = tus.client.head(tus.lockers.app.url(&address)).bearer_auth(&tus.secret);
    let old = old.header("Tus-Resumable", "0.2.2").send().await.unwrap();
    assert_eq!((old.status().as_u16(), header(&old, "tus-version")), (412, "1.0.0".into()));
    // More than was announced.
    let mut more = whole[400_000..].to_vec();
    more.push(0);
    assert_eq!(tus.patch(&address, 400_000, &more).await.status(), 413);
    let at = tus.offset(&address).await;
    assert!((400_000..=whole.len()).contains(&at));
    let answer = tus.patch(&address, at, &whole[at..]).await;
    assert_eq!(answer.status(), 204, "{:?}", answer.text().await);
    assert_eq!(tus.stored("Music/Björk/Jóga.flac"), whole);
    assert_eq!(tus.usage().await, (1_000_003, 0));
    // Who did not hear the last answer can ask again.
    assert_eq!(tus.offset(&address).await, whole.len());
    assert_eq!(tus.lockers.staged(), 0);
    let known = tus.request(Method::GET, "/api/v1/files/Music").send().await.unwrap();
    assert!(known.text().await.unwrap().contains("Björk"));
}

#[tokio::test]
async fn tus_checks_sums_and_starts_with_the_first_bytes() {
    let tus = Tus::with_quota(100_000).await;
    let whole = bytes(50_000);
    let request = tus.request(Method::POST, "/api/v1/uploads").header("Upload-Length", 50_000);
    let request = request.header("Upload-Metadata", path("summed"));
    let request = request.header("Content-Type", "application/offset+octet-stream");
    let answer = request.body(whole[..20_000].to_vec()).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), header(&answer, "upload-offset")), (201, "20000".into()));
    let address = header(&answer, "location");
    let patch = async |sum: String| {
        let request = tus.request(Method::PATCH, &address).header("Upload-Offset", 20_000);
        let request = request.header("Content-Type", "application/offset+octet-stream");
        request.header("Upload-Checksum", sum).body(whole[20_000..].to_vec()).send().await.unwrap()
    };
    let right = blake3::hash(&whole[20_000..]);
    let wrong = blake3::hash(&whole);
    assert_eq!(patch(format!("blake3 {}", STANDARD.encode(wrong.as_bytes()))).await.status(), 460);
    assert_eq!(tus.offset(&address).await, 20_000, "what was wrong is thrown away");
    assert_eq!(patch("crc32 AAAA".to_owned()).await.status(), 400);
    assert_eq!(patch("blake3 !".to_owned()).await.status(), 400);
    assert_eq!(patch(format!("blake3 {}", STANDARD.encode(right.as_bytes()))).await.status(), 204);
    assert_eq!(tus.stored("summed"), whole);
    // A refusal is told as it is, with a checksum or without: what is cut off fits none.
    let other = tus.request(Method::POST, "/api/v1/uploads").header("Upload-Defer-Length", "1");
    let other = other.header("Upload-Metadata", path("no room")).send().await.unwrap();
    let other = header(&other, "location");
    let much = bytes(200_000);
    let request = tus.request(Method::PATCH, &other).header("Upload-Offset", 0);
    let request = request.header("Content-Type", "application/offset+octet-stream");
    let sum = format!("blake3 {}", STANDARD.encode(blake3::hash(&much).as_bytes()));
    let refused = request.header("Upload-Checksum", sum).body(much).send().await.unwrap();
    assert_eq!(refused.status(), 413);
    assert_eq!(refused.json::<serde_json::Value>().await.unwrap()["type"], "quota_exceeded");
    assert_eq!(tus.offset(&other).await, 0);
    assert_eq!(tus.request(Method::DELETE, &other).send().await.unwrap().status(), 204);
    // The condition holds at the end, too.
    let only_new = format!("{},ifAbsent {}", path("late"), STANDARD.encode("true"));
    let address = tus.create(3, &only_new).await;
    tus.lockers.put("late", b"first").await.unwrap();
    let late = tus.patch(&address, 0, b"abc").await;
    assert_eq!(late.status(), 412, "clients of tus take 409 for another offset, and try again");
    assert_eq!(late.json::<serde_json::Value>().await.unwrap()["type"], "exists");
    assert_eq!(tus.stored("late"), b"first");
    assert_eq!(tus.usage().await, (50_005, 0));
}

#[tokio::test]
async fn tus_goes_on_where_a_connection_broke() {
    let tus = Tus::with_quota(10_000_000).await;
    let whole = bytes(5_000_000);
    let address = tus.create(whole.len(), &path("broken")).await;
    let mut at = 0;
    for _ in 0..3 {
        let mut socket = TcpStream::connect(tus.lockers.app.http).unwrap();
        let head = tus.patch_head(&address, at, whole.len() - at);
        socket.write_all(head.as_bytes()).unwrap();
        socket.write_all(&whole[at..at + 1_000_000]).unwrap();
        // Asking ends whoever still writes, so what it says stays true.
        let before = at;
        while at == before {
            at = tus.offset(&address).await;
            if at == before {
                // That writer is gone; the next try brings the bytes.
                drop(socket);
                socket = TcpStream::connect(tus.lockers.app.http).unwrap();
                socket.write_all(head.as_bytes()).unwrap();
                socket.write_all(&whole[at..at + 1_000_000]).unwrap();
                socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
                let _ = socket.read(&mut [0; 1]);
            }
        }
        drop(socket);
        assert!(at <= before + 1_000_000, "{at}");
    }
    assert_eq!(tus.patch(&address, at, &whole[at..]).await.status(), 204);
    assert_eq!(tus.stored("broken"), whole);
}

/// A connection that is cut in the middle, without a word, as when a tab is closed.
#[tokio::test]
async fn tus_keeps_all_that_was_written_when_a_connection_is_cut() {
    let tus = Tus::with_quota(10_000_000).await;
    let whole = bytes(5_000_000);
    let address = tus.create(whole.len(), &path("cut")).await;
    let staged = || {
        let files = std::fs::read_dir(tus.lockers.drive_root().join("staging")).unwrap();
        files.map(|file| file.unwrap().metadata().unwrap().len()).max().unwrap_or(0)
    };
    let mut at = 0;
    for _ in 0..3 {
        let mut socket = TcpStream::connect(tus.lockers.app.http).unwrap();
        socket.write_all(tus.patch_head(&address, at, whole.len() - at).as_bytes()).unwrap();
        socket.write_all(&whole[at..at + 1_200_000]).unwrap();
        let mut written = staged();
        while written <= at as u64 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            written = staged();
        }
        // What nobody read yet is thrown away with the connection.
        rustix::net::sockopt::set_socket_linger(&socket, Some(Duration::ZERO)).unwrap();
        drop(socket);
        let before = at;
        at = tus.offset(&address).await;
        assert!(written <= at as u64 && at <= before + 1_200_000, "{before}, {written}, {at}");
    }
    assert_eq!(tus.patch(&address, at, &whole[at..]).await.status(), 204);
    assert_eq!(tus.stored("cut"), whole);
    assert_eq!(tus.usage().await, (5_000_000, 0));
}

#[tokio::test]
async fn tus_goes_on_after_the_server_started_again() {
    let lockers = Lockers::with_quota(10_000).await;
    let whole = bytes(4000);
    let half = lockers.begin(&lockers.drive, "half", 4000).await;
    lockers.append(&lockers.drive, &half, 0, &whole[..1500]).await;
    // All bytes stored, and killed before it was put in its place.
    let last = lockers.begin(&lockers.drive, "last", 4000).await;
    lockers.append(&lockers.drive, &last, 0, &whole[..3999]).await;
    lockers.staged_file(&last).write_all(&whole[3999..]).unwrap();
    lockers.say_received(&last, 4000, None).await;

    let (accounts, drive) = start_again(&lockers, Clock::System).await;
    assert_eq!(std::fs::read(lockers.folder().join("last")).unwrap(), whole);
    let usage = accounts.usage(&lockers.ann, lockers.locker).await.unwrap();
    assert_eq!((usage.used, usage.reserved), (4000, 4000), "the other's promise stands");
    let state = drive.upload(&lockers.ann, &half).await.unwrap();
    assert_eq!(state.offset, 1500);
    let done = lockers.append(&drive, &half, 1500, &whole[1500..]).await;
    let Appended::Done(stored) = done else { panic!("{done:?}") };
    assert_eq!(stored.hash, *blake3::hash(&whole).as_bytes(), "hashed from its first byte");
    assert_eq!(std::fs::read(lockers.folder().join("half")).unwrap(), whole);
    let usage = accounts.usage(&lockers.ann, lockers.locker).await.unwrap();
    assert_eq!((usage.used, usage.reserved), (8000, 0));

    // Nobody came back for a week.
    let left = lockers.begin(&drive, "left", 2000).await;
    lockers.append(&drive, &left, 0, &whole[..10]).await;
    let later = Clock::manual(Clock::System.now() + 8 * 86_400_000);
    let (accounts, drive) = start_again(&lockers, later).await;
    let gone = drive.upload(&lockers.ann, &left).await;
    assert!(matches!(gone, Err(Error::Expired(_))), "{gone:?}");
    let usage = accounts.usage(&lockers.ann, lockers.locker).await.unwrap();
    assert_eq!((usage.used, usage.reserved), (8000, 0));
    assert_eq!(lockers.staged(), 0);
}

#[tokio::test]
async fn tus_joins_parts() {
    let tus = Tus::with_quota(10_000).await;
    let whole = bytes(3000);
    let part = async |range: std::ops::Range<usize>| {
        let request =
            tus.request(Method::POST, "/api/v1/uploads").header("Upload-Concat", "partial");
        let answer = request.header("Upload-Length", range.len()).send().await.unwrap();
        assert_eq!(answer.status(), 201);
        header(&answer, "location")
    };
    let (first, second) = (part(0..1000).await, part(1000..3000).await);
    let join = async |parts: &str| {
        let request = tus.request(Method::POST, "/api/v1/uploads");
        let request = request.header("Upload-Concat", format!("final;{parts}"));
        request.header("Upload-Metadata", path("joined")).send().await.unwrap()
    };
    assert_eq!(tus.patch(&second, 0, &whole[1000..]).await.status(), 204);
    assert_eq!(join(&format!("{first} {second}")).await.status(), 400, "one is not whole");
    assert_eq!(tus.patch(&first, 0, &whole[..1000]).await.status(), 204);
    assert_eq!(join(&format!("{first} {first}")).await.status(), 400);
    assert_eq!(join("/api/v1/uploads/none").await.status(), 404);
    assert_eq!(tus.usage().await, (0, 3000));
    let answer = join(&format!("{first} {second}")).await;
    assert_eq!(answer.status(), 201, "{:?}", answer.text().await);
    assert_eq!(tus.stored("joined"), whole);
    assert_eq!(tus.usage().await, (3000, 0));
    let address = header(&answer, "location");
    let state = tus.request(Method::HEAD, &address).send().await.unwrap();
    assert_eq!(header(&state, "upload-concat"), format!("final;{first} {second}"));
    assert_eq!(tus.patch(&address, 3000, b"").await.status(), 403, "nothing comes behind it");
    assert_eq!(tus.request(Method::HEAD, &first).send().await.unwrap().status(), 404);
    assert_eq!(tus.lockers.staged(), 0);
}

/// tuspy and tus-js-client: whole, in pieces, broken off and resumed, side by side.
#[tokio::test(flavor = "multi_thread")]
async fn tus_clients_upload_and_resume() {
    let tus = Tus::with_quota(100_000_000).await;
    let whole = bytes(7_000_001);
    let file = tus.lockers.app.folder.path().join("sent.bin");
    std::fs::write(&file, &whole).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (url, secret) = (tus.lockers.app.url("/api/v1/uploads"), tus.secret.clone());
    tokio::task::spawn_blocking(move || {
        for (program, script) in [
            (root.join(".cache/venv/bin/python"), "tests/clients/tus_client.py"),
            ("node".into(), "tests/clients/tus_client.mjs"),
        ] {
            let run = Command::new(&program)
                .arg(root.join(script))
                .args([url.as_str(), &secret])
                .arg(&file)
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&run.stdout).into_owned()
                + &String::from_utf8_lossy(&run.stderr);
            assert!(run.status.success(), "{script}: {said}");
        }
    })
    .await
    .unwrap();
    for path in
        ["py/whole.bin", "py/resumed.bin", "js/whole.bin", "js/resumed.bin", "js/parallel.bin"]
    {
        assert!(tus.stored(path) == whole, "{path}");
    }
    assert_eq!(tus.usage().await, (5 * 7_000_001, 0));
}
