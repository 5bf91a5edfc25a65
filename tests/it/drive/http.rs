//! The files of a locker over HTTP: as curl, a script and a browser send them.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use reqwest::{Client, Method, Response, StatusCode, header};
use serde_json::Value;

use super::Lockers;

struct Ann {
    lockers: Lockers,
    client: Client,
    secret: String,
}

impl Ann {
    async fn with_quota(quota: u64) -> Self {
        let lockers = Lockers::with_quota(quota).await;
        let new = lockers.accounts.create_app_password(&lockers.ann, "curl").await.unwrap();
        Self { lockers, client: Client::new(), secret: new.secret }
    }

    fn url(&self, path: &str) -> String {
        self.lockers.app.url(&format!("/api/v1/files/{path}"))
    }

    async fn send(&self, method: Method, path: &str, body: Vec<u8>) -> Response {
        self.client
            .request(method, self.url(path))
            .bearer_auth(&self.secret)
            .body(body)
            .send()
            .await
            .unwrap()
    }

    /// The bytes of a request as they are, and the whole answer.
    fn raw(&self, head: &str, body: &[u8]) -> String {
        let mut socket = TcpStream::connect(self.lockers.app.http).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let host = self.lockers.app.http;
        let head = format!(
            "{head}\r\nHost: {host}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n",
            self.secret
        );
        socket.write_all(head.as_bytes()).unwrap();
        // A refusal may close before the last byte is sent; then the answer is there already.
        let _ = socket.write_all(body);
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }
}

async fn problem(answer: Response) -> Value {
    let kind = answer.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
    assert_eq!(kind, "application/problem+json");
    answer.json().await.unwrap()
}

#[tokio::test]
async fn a_file_goes_up_and_comes_down_the_same() {
    let ann = Ann::with_quota(10_000_000).await;
    let bytes: Vec<u8> = (0..1_000_003_u32).map(|number| (number * 31 % 253) as u8).collect();
    let stored =
        ann.send(Method::PUT, "Music/Bj%C3%B6rk/100%25%20J%C3%B3ga.flac", bytes.clone()).await;
    assert_eq!(stored.status(), StatusCode::CREATED);
    let etag = stored.headers()[header::ETAG].clone();
    let stored: Value = stored.json().await.unwrap();
    assert_eq!(stored["path"], "Music/Björk/100% Jóga.flac");
    assert_eq!(stored["hash"], blake3::hash(&bytes).to_hex().as_str());
    assert_eq!(
        std::fs::read(ann.lockers.folder().join("Music/Björk/100% Jóga.flac")).unwrap(),
        bytes
    );

    let url = "Music/Bj%C3%B6rk/100%25%20J%C3%B3ga.flac";
    let back = ann.send(Method::GET, url, Vec::new()).await;
    assert_eq!(back.headers()[header::ETAG], etag);
    assert_eq!(back.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    assert!(
        back.headers()[header::CONTENT_DISPOSITION].to_str().unwrap().starts_with("attachment")
    );
    assert!(back.bytes().await.unwrap() == bytes, "the same bytes");
    let head = ann.send(Method::HEAD, url, Vec::new()).await;
    assert_eq!(head.headers()[header::CONTENT_LENGTH], "1000003");
    let part = ann
        .client
        .get(ann.url(url))
        .basic_auth("ann", Some(&ann.secret))
        .header(header::RANGE, "bytes=10-19")
        .send()
        .await
        .unwrap();
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.bytes().await.unwrap(), bytes[10..20]);

    let listed: Value =
        ann.send(Method::GET, "Music/Bj%C3%B6rk/", Vec::new()).await.json().await.unwrap();
    assert_eq!(listed["entries"][0]["name"], "100% Jóga.flac");
    assert_eq!(listed["entries"][0]["size"], 1_000_003);
    let listed: Value = ann.send(Method::GET, "", Vec::new()).await.json().await.unwrap();
    assert_eq!(listed["entries"][0]["kind"], "folder");
    assert_eq!(ann.send(Method::DELETE, url, Vec::new()).await.status(), StatusCode::OK);
    assert_eq!(ann.send(Method::GET, url, Vec::new()).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(ann.lockers.usage().await.used, 0);
}

#[tokio::test]
async fn conditions_and_names() {
    let ann = Ann::with_quota(1000).await;
    let put = async |name: &str, value: &str| {
        let request = ann.client.put(ann.url("a")).bearer_auth(&ann.secret).header(name, value);
        request.body("x").send().await.unwrap()
    };
    let first = put("If-None-Match", "*").await;
    assert_eq!(first.status(), StatusCode::CREATED);
    let etag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
    let again = put("If-None-Match", "*").await;
    assert_eq!(again.status(), StatusCode::PRECONDITION_FAILED);
    let again = problem(again).await;
    assert_eq!(again["type"], "exists");
    assert_eq!(format!("{}", again["etag"]), etag, "it says what is there");
    assert_eq!(put("If-Match", &etag).await.status(), StatusCode::OK);
    let stale = put("If-Match", &etag).await;
    assert_eq!(stale.status(), StatusCode::PRECONDITION_FAILED);
    assert_eq!(problem(stale).await["type"], "precondition_failed");
    assert_eq!(put("Content-Range", "bytes 0-0/2").await.status(), StatusCode::BAD_REQUEST);
    for (name, rule) in [
        ("%2e%2e%2fx", "dots"),
        ("a%00b", "control"),
        ("a%5Cb", "backslash"),
        ("x.", "trailing"),
        ("nul", "reserved"),
        ("%ff", "encoding"),
        ("%2fetc/x", "absolute"),
    ] {
        let head = format!("PUT /api/v1/files/{name} HTTP/1.1\r\nContent-Length: 1");
        let answer = ann.raw(&head, b"\r\nx");
        assert!(answer.starts_with("HTTP/1.1 400"), "{name}: {answer}");
        assert!(answer.contains(&format!("\"rule\":\"{rule}\"")), "{name}: {answer}");
    }
    assert_eq!(std::fs::read_dir(ann.lockers.folder()).unwrap().count(), 1);
}

#[tokio::test]
async fn over_quota_is_refused_with_figures_and_without_the_body() {
    let ann = Ann::with_quota(1000).await;
    assert_eq!(ann.send(Method::PUT, "a", vec![1; 400]).await.status(), StatusCode::CREATED);
    // The announced body never comes: the answer does not wait for it.
    let answer = ann.raw("PUT /api/v1/files/b HTTP/1.1\r\nContent-Length: 700", b"\r\n");
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    for figure in ["\"quota_exceeded\"", "\"used\":400", "\"quota\":1000", "\"needed\":700"] {
        assert!(answer.contains(figure), "{figure}: {answer}");
    }
    let chunked = format!("\r\n{:x}\r\n{}\r\n0\r\n\r\n", 601, "x".repeat(601));
    let head = "PUT /api/v1/files/c HTTP/1.1\r\nTransfer-Encoding: chunked";
    let answer = ann.raw(head, chunked.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    let chunked = format!("\r\n{:x}\r\n{}\r\n0\r\n\r\n", 600, "x".repeat(600));
    let answer = ann.raw(head, chunked.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let usage = ann.lockers.usage().await;
    assert_eq!((usage.used, usage.reserved, ann.lockers.on_disk()), (1000, 0, 1000));
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let ann = Ann::with_quota(100_000).await;
    let head = "PUT /api/v1/files/broken HTTP/1.1\r\nContent-Length: 50000";
    let mut socket = TcpStream::connect(ann.lockers.app.http).unwrap();
    let head = format!("{head}\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n", ann.secret);
    socket.write_all(head.as_bytes()).unwrap();
    socket.write_all(&[1; 20_000]).unwrap();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while ann.lockers.usage().await.reserved != 50_000 {
        assert!(tokio::time::Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    drop(socket);
    while ann.lockers.usage().await.reserved != 0 || ann.lockers.staged() != 0 {
        assert!(tokio::time::Instant::now() < deadline, "{:?}", ann.lockers.usage().await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!((ann.lockers.usage().await.used, ann.lockers.on_disk()), (0, 0));
}

#[tokio::test]
async fn strangers_and_other_sites_are_kept_out() {
    let ann = Ann::with_quota(1000).await;
    let anonymous = ann.client.put(ann.url("a")).body("x").send().await.unwrap();
    assert_eq!(anonymous.status(), StatusCode::UNAUTHORIZED);
    let wrong = ann
        .client
        .put(ann.url("a"))
        .bearer_auth("abcd-efgh-ijkl-mnop")
        .body("x")
        .send()
        .await
        .unwrap();
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);

    let origin = crate::accounts::from("127.0.0.1");
    let (cookie, _) = ann.lockers.accounts.sign_in("ann", "ann's very own", &origin).await.unwrap();
    let with_cookie = |origin: Option<String>| {
        let request = ann
            .client
            .put(ann.url("a"))
            .header(header::COOKIE, format!("tl_session={}", cookie.value));
        let request = match origin {
            Some(origin) => request.header(header::ORIGIN, origin),
            None => request,
        };
        request.body("x").send()
    };
    let forged = with_cookie(Some("http://evil.example".to_owned())).await.unwrap();
    assert_eq!(forged.status(), StatusCode::FORBIDDEN);
    assert_eq!(with_cookie(None).await.unwrap().status(), StatusCode::FORBIDDEN);
    let own = format!("http://{}", ann.lockers.app.http);
    assert_eq!(with_cookie(Some(own)).await.unwrap().status(), StatusCode::CREATED);

    let household = ann.client.put(ann.url("shared.txt?locker=household")).bearer_auth(&ann.secret);
    assert_eq!(household.body("x").send().await.unwrap().status(), StatusCode::CREATED);
    assert!(ann.lockers.drive_root().join("household/shared.txt").exists());
    let other = ann.client.get(ann.url("?locker=lo-999")).bearer_auth(&ann.secret);
    assert_eq!(other.send().await.unwrap().status(), StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_at_once_over_http() {
    let size = 50_021_u64;
    let quota = 20 * size + 20_000;
    let ann = std::sync::Arc::new(Ann::with_quota(quota).await);
    let uploads: Vec<_> = (0..64_u8)
        .map(|number| {
            let ann = std::sync::Arc::clone(&ann);
            tokio::spawn(async move {
                let answer =
                    ann.send(Method::PUT, &format!("{number}"), vec![number; size as usize]).await;
                let status = answer.status();
                assert!(matches!(status.as_u16(), 201 | 413), "{status}");
                u64::from(status == StatusCode::CREATED)
            })
        })
        .collect();
    let mut accepted = 0;
    for upload in uploads {
        accepted += upload.await.unwrap();
    }
    let usage = ann.lockers.usage().await;
    assert_eq!((accepted, usage.used, usage.reserved), (20, 20 * size, 0));
    assert_eq!((ann.lockers.on_disk(), ann.lockers.staged()), (20 * size, 0));
}
