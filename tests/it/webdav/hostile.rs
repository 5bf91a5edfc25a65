//! What nobody means well: paths that climb, XML that explodes, pieces of files, other people's
//! lockers.

use reqwest::StatusCode;

use super::Dav;

#[tokio::test]
async fn paths_lead_nowhere_else() {
    let dav = Dav::with_quota(10_000).await;
    std::fs::write(dav.lockers.app.folder.path().join("data/secret"), "secret").unwrap();
    std::fs::create_dir_all(dav.lockers.folder()).unwrap();
    std::os::unix::fs::symlink("/etc", dav.lockers.folder().join("link")).unwrap();
    for (path, status) in [
        ("/dav/ann/../../data/secret", "403"),
        ("/dav/ann/%2e%2e/%2e%2e/data/secret", "403"),
        ("/dav/ann/..%2f..%2fdata%2fsecret", "403"),
        ("/dav/ann/..%5c..%5cdata", "made"),
        ("/dav/ann/x%00.flac", "403"),
        ("/dav/ann/%c0%ae%c0%ae/x", "403"),
        ("/dav/ann/con", "made"),
        ("/dav/ann/x.", "made"),
        ("/dav/../dav/ann/x", "403"),
        ("/dav//ann/x", "403"),
        ("/dav/ann/%", "400"),
        ("/dav/ann/link/passwd", "404"),
    ] {
        for method in ["GET", "PROPFIND", "DELETE", "MKCOL"] {
            let answer = dav.raw(&format!("{method} {path} HTTP/1.1\r\nDepth: 0"), b"");
            let said = answer.split(' ').nth(1).unwrap_or_default();
            let expected = match (status, method) {
                // By other hands it might be there; nothing is made of that name.
                ("made", "MKCOL") => "403",
                ("made", _) => "404",
                // Into a link nothing is made: there is no such folder.
                ("404", "MKCOL") => "409",
                _ => status,
            };
            assert_eq!(said, expected, "{method} {path}: {answer}");
            assert!(!answer.contains("root:"), "{method} {path}");
        }
        let answer = dav.raw(&format!("PUT {path} HTTP/1.1\r\nContent-Length: 1"), b"x");
        assert!(answer.starts_with("HTTP/1.1 4"), "PUT {path}: {answer}");
    }
    assert!(!dav.list("ann/").await.iter().any(|name| name.contains("link")));
    std::fs::remove_file(dav.lockers.folder().join("link")).unwrap();
    assert_eq!((dav.lockers.on_disk(), dav.lockers.usage().await.used), (0, 0));
}

#[tokio::test]
async fn xml_that_explodes_is_refused_and_the_server_lives() {
    let dav = Dav::with_quota(10_000).await;
    assert_eq!(dav.put("ann/a", b"x").await, StatusCode::CREATED);
    let deep = format!("{}{}", "<a xmlns='DAV:'>".repeat(3_000), "</a>".repeat(3_000));
    let wide = format!(
        "<propfind xmlns='DAV:'><prop>{}</prop></propfind>",
        (0..5_000).map(|number| format!("<x{number}/>")).collect::<String>()
    );
    let laughs = "<!DOCTYPE a [<!ENTITY b 'ha'><!ENTITY c '&b;&b;&b;&b;'>]><propfind xmlns='DAV:'><prop><x>&c;</x></prop></propfind>";
    let outside = "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><propfind xmlns='DAV:'><prop>&b;</prop></propfind>";
    let attributes = format!(
        "<propfind xmlns='DAV:' {}/>",
        (0..20_000).map(|number| format!("a{number}='' ")).collect::<String>()
    );
    let prefixes = format!(
        "<propfind xmlns='DAV:'>{}{}",
        (0..30)
            .map(|level| {
                let own: String =
                    (0..60).map(|number| format!(" xmlns:p{level}x{number}='u'")).collect();
                format!("<a{own}>")
            })
            .collect::<String>(),
        "<b/>".repeat(3_900)
    );
    let long = format!("<propfind xmlns='DAV:'><!--{}--></propfind>", "x".repeat(300_000));
    for (what, body, status) in [
        ("deep", deep.as_str(), 400),
        ("wide", &wide, 400),
        ("laughs", laughs, 400),
        ("outside", outside, 400),
        ("attributes", &attributes, 400),
        ("prefixes", &prefixes, 400),
        ("long", &long, 413),
        ("cut off", "<propfind xmlns='DAV:'><prop>", 400),
        ("no xml", "\u{1}\u{2}", 400),
        ("a name from nowhere", "<propfind xmlns='DAV:'><prop><x:y/></prop></propfind>", 400),
    ] {
        for method in ["PROPFIND", "PROPPATCH", "LOCK"] {
            let answer = dav.ask(method, "ann/a", &[("Depth", "0")], body.to_owned()).await;
            assert_eq!(answer.status().as_u16(), status, "{what}, {method}");
        }
    }
    // Nothing of the body is looked at before it is known who asks.
    let stranger = dav.ask_as(("ann", "no"), "PROPFIND", "ann/a", &[], deep).await;
    assert_eq!(stranger.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(dav.get("ann/a").await, b"x");
}

#[tokio::test]
async fn a_piece_never_takes_the_place_of_a_file() {
    let dav = Dav::with_quota(10_000).await;
    assert_eq!(dav.put("ann/a", b"0123456789").await, StatusCode::CREATED);
    for headers in [
        [("Content-Range", "bytes 0-1/10")],
        [("Content-Range", "bytes 2-3/*")],
        [("Content-Encoding", "gzip")],
    ] {
        let answer = dav.ask("PUT", "ann/a", &headers, "xy").await;
        assert!(matches!(answer.status().as_u16(), 400 | 415), "{headers:?}");
    }
    let cut = dav.raw("PUT /dav/ann/a HTTP/1.1\r\nContent-Length: 100", b"only this");
    assert!(!cut.starts_with("HTTP/1.1 2"), "{cut}");
    let both = dav.raw(
        "PUT /dav/ann/b HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked",
        b"3\r\nabc\r\n0\r\n\r\n",
    );
    assert!(both.starts_with("HTTP/1.1 400"), "{both}");
    assert_eq!(dav.get("ann/a").await, b"0123456789");
    for method in ["GET", "DELETE", "MKCOL", "COPY", "MOVE", "UNLOCK"] {
        let path = if method == "MKCOL" { "ann/new" } else { "ann/a" };
        let status = dav.ask(method, path, &[("Destination", "/dav/ann/z")], "body").await.status();
        assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{method}");
    }
    assert_eq!(dav.list("ann/").await, ["/dav/ann/", "/dav/ann/a"]);
    assert_eq!((dav.lockers.usage().await.used, dav.lockers.staged()), (10, 0));
}

/// What is somebody else's, and what is not there, are answered by the same bytes.
#[tokio::test]
async fn other_people_find_nothing() {
    let dav = Dav::with_quota(10_000).await;
    let bob = dav.bob().await;
    assert_eq!(dav.put("ann/hers", b"x").await, StatusCode::CREATED);
    let body =
        "<propertyupdate xmlns='DAV:'><set><prop><x xmlns='u'/></prop></set></propertyupdate>";
    let lock = "<lockinfo xmlns='DAV:'><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>";
    for method in
        ["GET", "PUT", "DELETE", "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK"]
    {
        let body = match method {
            "PROPPATCH" => body,
            "LOCK" => lock,
            "PUT" => "x",
            _ => "",
        };
        let mut answers = Vec::new();
        for path in ["ann/hers", "nobody/hers", "ann/not-there", "nobody/not-there"] {
            let headers =
                [("Depth", "0"), ("Destination", "/dav/bob/x"), ("Lock-Token", "<urn:uuid:1>")];
            let answer = dav.ask_as(("bob", &bob), method, path, &headers, body).await;
            answers.push((answer.status().as_u16(), answer.text().await.unwrap()));
        }
        assert_eq!(answers[0].0, 404, "{method}: {answers:?}");
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{method}: {answers:?}");
    }
    let list = dav.ask_as(("bob", &bob), "PROPFIND", "", &[("Depth", "1")], "").await;
    assert!(!list.text().await.unwrap().contains("ann"));
    assert_eq!(dav.get("ann/hers").await, b"x");
}
