//! What every client does: ask what there is, go up, come down, make and remove.

use reqwest::StatusCode;

use super::{Dav, inner};

#[tokio::test]
async fn what_can_be_done_is_told_to_anybody() {
    let dav = Dav::with_quota(1000).await;
    for path in ["/", "/dav", "/dav/", "/dav/ann/anything"] {
        let request = dav.client.request(reqwest::Method::OPTIONS, dav.lockers.app.url(path));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        assert_eq!(answer.headers()["dav"], "1, 2");
        assert_eq!(answer.headers()["ms-author-via"], "DAV");
        assert!(answer.headers()["allow"].to_str().unwrap().contains("PROPFIND"));
    }
}

#[tokio::test]
async fn who_asks_is_known_by_login_or_app_password() {
    let dav = Dav::with_quota(1000).await;
    for (user, secret) in
        [("ann", dav.secret.as_str()), ("ann", "ann's very own"), ("ANN", &dav.secret)]
    {
        let answer = dav.ask_as((user, secret), "PROPFIND", "", &[("Depth", "0")], "").await;
        assert_eq!(answer.status().as_u16(), 207, "{user}");
    }
    let bare = dav.client.request(reqwest::Method::GET, dav.url("ann/x"));
    let cookie = dav.client.get(dav.url("ann/x")).header("Cookie", "tl_session=x");
    for request in [bare, cookie] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        let asks = answer.headers()["www-authenticate"].to_str().unwrap();
        assert!(asks.starts_with("Basic realm="), "{asks}");
    }
    let mut last = StatusCode::OK;
    for _ in 0..12 {
        last = dav.ask_as(("ann", "wrong"), "PROPFIND", "", &[], "").await.status();
        if last == StatusCode::TOO_MANY_REQUESTS {
            break;
        }
        assert_eq!(last, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS, "the one limiter holds here too");
    assert_eq!(dav.status("PROPFIND", "", &[("Depth", "0")]).await, 207, "app passwords go on");
}

#[tokio::test]
async fn the_list_of_places_is_what_one_may_read() {
    let dav = Dav::with_quota(1000).await;
    dav.bob().await;
    assert_eq!(dav.list("").await, ["/dav/", "/dav/ann/", "/dav/household/"]);
    assert_eq!(dav.list("ann").await, ["/dav/ann/"]);
    let answer = dav.ask("PROPFIND", "ann/", &[], "").await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN, "no depth is infinity");
    assert!(answer.text().await.unwrap().contains("<D:propfind-finite-depth/>"));
    let ours = dav.ask("PUT", "household/everybody", &[], "x").await;
    assert_eq!(ours.status(), StatusCode::CREATED);
    assert_eq!(dav.list("household/").await, ["/dav/household/", "/dav/household/everybody"]);
    // Nothing is made or removed among the places themselves.
    for (method, path) in [
        ("MKCOL", ""),
        ("PUT", "new"),
        ("MKCOL", "new/"),
        ("DELETE", "ann/"),
        ("DELETE", ""),
        ("LOCK", ""),
    ] {
        let status = dav.status(method, path, &[]).await;
        assert!(matches!(status, 403..=405), "{method} {path}: {status}");
    }
    let page = dav.ask("GET", "ann/", &[], "").await;
    assert_eq!(page.status(), StatusCode::OK);
    assert_eq!(dav.status("POST", "ann/", &[]).await, 405);
}

#[tokio::test]
async fn a_file_goes_up_and_comes_down_the_same() {
    let dav = Dav::with_quota(10_000_000).await;
    let bytes: Vec<u8> = (0..1_000_003_u32).map(|number| (number * 31 % 253) as u8).collect();
    assert_eq!(dav.put("ann/Music/x", b"x").await, StatusCode::CONFLICT, "no folder for it yet");
    assert_eq!(dav.status("MKCOL", "ann/Music", &[]).await, 201);
    assert_eq!(dav.status("MKCOL", "ann/Music/Bj%C3%B6rk/", &[]).await, 201);
    assert_eq!(dav.status("MKCOL", "ann/Music", &[]).await, 405);
    assert_eq!(dav.status("MKCOL", "ann/no/where", &[]).await, 409);
    let url = "ann/Music/Bj%C3%B6rk/100%25%20J%C3%B3ga.flac";
    let stored = dav.ask("PUT", url, &[], bytes.clone()).await;
    assert_eq!(stored.status(), StatusCode::CREATED);
    let etag = stored.headers()["etag"].to_str().unwrap().to_owned();
    let on_disk = dav.lockers.folder().join("Music/Björk/100% Jóga.flac");
    assert_eq!(std::fs::read(on_disk).unwrap(), bytes);

    let back = dav.ask("GET", url, &[], "").await;
    assert_eq!(back.headers()["etag"], *etag);
    assert_eq!(back.headers()["content-type"], "audio/flac");
    assert_eq!(back.headers()["content-security-policy"], "default-src 'none'; sandbox");
    assert!(back.bytes().await.unwrap() == bytes, "the same bytes");
    let head = dav.ask("HEAD", url, &[], "").await;
    assert_eq!(head.headers()["content-length"], "1000003");
    for (range, condition, status, length) in [
        ("bytes=10-19", etag.as_str(), 206, 10),
        ("bytes=-3", "", 206, 3),
        ("bytes=10-19", "\"other\"", 200, bytes.len()),
        ("bytes=2000000-", "", 416, 0),
    ] {
        let headers = [("Range", range), ("If-Range", condition)];
        let headers = if condition.is_empty() { &headers[..1] } else { &headers };
        let part = dav.ask("GET", url, headers, "").await;
        assert_eq!(part.status().as_u16(), status, "{range} {condition}");
        assert_eq!(part.bytes().await.unwrap().len(), length, "{range} {condition}");
    }
    assert_eq!(dav.status("GET", url, &[("If-None-Match", &etag)]).await, 304);

    let again = dav.ask("PUT", url, &[], "shorter").await;
    assert_eq!(again.status(), StatusCode::NO_CONTENT);
    assert_ne!(again.headers()["etag"], *etag);
    assert_eq!(dav.get(url).await, b"shorter");
    for path in ["ann/Music", "ann/Music/", "ann/Music/new/", "ann"] {
        assert_eq!(dav.put(path, b"x").await, StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
    assert_eq!(dav.put(&format!("{url}/x"), b"x").await, StatusCode::CONFLICT, "below a file");

    assert_eq!(dav.status("DELETE", url, &[]).await, 204);
    assert_eq!(dav.status("GET", url, &[]).await, 404);
    assert_eq!(dav.status("DELETE", url, &[]).await, 404);
    assert_eq!(dav.status("DELETE", "ann/Music", &[("Depth", "0")]).await, 400);
    assert_eq!(dav.status("DELETE", "ann/Music", &[]).await, 204);
    let trash = dav.lockers.drive.trashed(&dav.lockers.ann, dav.lockers.locker).await.unwrap();
    assert_eq!(trash.len(), 2, "what was deleted lies in the trash");
    assert_eq!(dav.list("ann/").await, ["/dav/ann/"]);
}

#[tokio::test]
async fn changes_hold_to_their_conditions() {
    let dav = Dav::with_quota(1000).await;
    let put = async |name: &str, value: &str| {
        dav.ask("PUT", "ann/a", &[(name, value)], "xy").await.status().as_u16()
    };
    assert_eq!(put("If-Match", "*").await, 412);
    assert_eq!(put("If-None-Match", "*").await, 201);
    assert_eq!(put("If-None-Match", "*").await, 412);
    let etag = |answer: reqwest::Response| answer.headers()["etag"].to_str().unwrap().to_owned();
    let first = etag(dav.ask("HEAD", "ann/a", &[], "").await);
    assert_eq!(put("If-Match", &first).await, 204);
    assert_eq!(put("If-Match", &first).await, 412, "it is another file now");
    let second = etag(dav.ask("HEAD", "ann/a", &[], "").await);
    assert_eq!(put("If-None-Match", &second).await, 412);
    assert_eq!(put("If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37 GMT").await, 412);
    assert_eq!(put("If", &format!("([{second}])")).await, 204);
    assert_eq!(put("If", &format!("([{second}])")).await, 412);
    assert_eq!(put("If", "(Not [\"x\"])").await, 204);
    assert_eq!(put("If", "([\"x\"").await, 400);
    assert_eq!(put("If", "</dav/ann/b> (Not [\"x\"])").await, 204, "another, not there");
    assert_eq!(put("If", "<http://evil.example/dav/ann/a> ([\"x\"])").await, 412);
    for method in ["DELETE", "PROPPATCH", "COPY", "MOVE"] {
        let headers = [("If-Match", "\"x\""), ("Destination", "/dav/ann/b")];
        let body = if method == "PROPPATCH" {
            "<propertyupdate xmlns='DAV:'><set><prop><x xmlns='u'/></prop></set></propertyupdate>"
        } else {
            ""
        };
        let status = dav.ask(method, "ann/a", &headers, body).await.status().as_u16();
        assert_eq!(status, 412, "{method}");
    }
    assert_eq!(dav.get("ann/a").await, b"xy");
}

/// macOS sends in chunks and tells the length apart, leaves its own little files, asks how much
/// room there is; Windows asks with other words and sets its times.
#[tokio::test]
async fn finder_and_explorer_are_at_home() {
    let dav = Dav::with_quota(100_000).await;
    let bytes = vec![7; 30_000];
    let chunked = |bytes: &[u8]| {
        let pieces: Vec<_> =
            bytes.chunks(9_999).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
        reqwest::Body::wrap_stream(futures_util::stream::iter(pieces))
    };
    for name in [".DS_Store", "._song.mp3", "song.mp3"] {
        let headers = [("X-Expected-Entity-Length", "30000")];
        let answer = dav.ask("PUT", &format!("ann/{name}"), &headers, chunked(&bytes)).await;
        assert_eq!(answer.status(), StatusCode::CREATED, "{name}");
        assert_eq!(dav.get(&format!("ann/{name}")).await, bytes, "{name}");
    }
    let lies = [("X-Expected-Entity-Length", "10")];
    let answer = dav.ask("PUT", "ann/lie", &lies, chunked(&bytes)).await;
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE, "a promise is held to the byte");
    assert_eq!(dav.status("GET", "ann/lie", &[]).await, 404);
    let quota = "<D:propfind xmlns:D='DAV:'><D:prop><D:quota-available-bytes/><D:quota-used-bytes/></D:prop></D:propfind>";
    for path in ["", "ann/"] {
        let answer =
            dav.ask("PROPFIND", path, &[("Depth", "0")], quota).await.text().await.unwrap();
        assert_eq!(inner(&answer, "D:quota-used-bytes"), Some("90000"), "{answer}");
        assert_eq!(inner(&answer, "D:quota-available-bytes"), Some("10000"), "{answer}");
    }
    let windows = "<?xml version=\"1.0\" encoding=\"utf-8\" ?><D:propertyupdate xmlns:D=\"DAV:\" xmlns:Z=\"urn:schemas-microsoft-com:\"><D:set><D:prop><Z:Win32CreationTime>Tue, 24 Nov 2026 10:00:00 GMT</Z:Win32CreationTime><Z:Win32LastModifiedTime>Tue, 24 Nov 2026 10:00:00 GMT</Z:Win32LastModifiedTime><Z:Win32FileAttributes>00000020</Z:Win32FileAttributes></D:prop></D:set></D:propertyupdate>";
    let headers = [("User-Agent", "Microsoft-WebDAV-MiniRedir/10.0.19045"), ("Translate", "f")];
    let answer = dav.ask("PROPPATCH", "ann/song.mp3", &headers, windows).await;
    assert_eq!(answer.status().as_u16(), 207);
    let text = answer.text().await.unwrap();
    assert_eq!(
        (text.matches("200 OK").count(), text.matches("HTTP/1.1").count()),
        (1, 1),
        "{text}"
    );
    assert_eq!(dav.status("PROPFIND", "ann/", &[("Depth", "1,noroot")]).await, 207);
}

#[tokio::test]
async fn music_that_comes_this_way_is_heard() {
    let dav = Dav::with_quota(50_000_000).await;
    let folder = tempfile::tempdir().unwrap();
    let song = crate::harness::music::flac("song.flac").of("Somebody", "An Album", "By Drive");
    let bytes = std::fs::read(song.write(folder.path())).unwrap();
    assert_eq!(dav.put("ann/song.flac", &bytes).await, StatusCode::CREATED);
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let query = format!("/rest/search3?apiKey={}&v=1.16.1&c=t&f=json&query=Drive", dav.secret);
        let found = dav.client.get(dav.lockers.app.url(&query)).send().await.unwrap();
        let found = found.text().await.unwrap();
        if found.contains("By Drive") {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "never heard of: {found}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
