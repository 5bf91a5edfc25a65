//! The public page of a share, and its bytes: what opens, what does not, and that it is one answer.

use reqwest::{Client, StatusCode, header, redirect::Policy};
use serde_json::{Value, json};

use super::schema;
use crate::subsonic::{App, House, PASSWORD};

pub(super) fn visitor() -> Client {
    Client::builder().cookie_store(true).redirect(Policy::none()).build().unwrap()
}

/// A request to the panel's API with a person's own password.
async fn api(
    house: &House,
    app: &App,
    method: &str,
    address: &str,
    body: Value,
) -> (StatusCode, Value) {
    let request = Client::new()
        .request(method.parse().unwrap(), house.app.url(&format!("/api/v1/{address}")))
        .basic_auth(app.user, Some(PASSWORD))
        .json(&body);
    let (status, text) = schema::send(request).await;
    (StatusCode::from_u16(status).unwrap(), serde_json::from_str(&text).unwrap_or(Value::Null))
}

/// Makes a share; its id and address.
pub(super) async fn share(house: &House, body: Value) -> (String, String) {
    let (status, made) = api(house, &house.ann, "POST", "shares", body).await;
    assert_eq!(status, 201, "{made}");
    (made["id"].as_str().unwrap().to_owned(), made["url"].as_str().unwrap().to_owned())
}

pub(super) async fn get(client: &Client, url: &str) -> reqwest::Response {
    client.get(url).send().await.unwrap()
}

#[tokio::test]
async fn a_share_shows_and_plays_what_it_holds_and_nothing_else() {
    let house = House::open().await;
    let ann = &house.ann;
    let (blue, loose) =
        (ann.id("album", "Blue").await, ann.id("song", "Loose <&> \"quoted\"").await);
    let (want, first) = (ann.id("song", "All I Want").await, ann.id("song", "First").await);
    let body = json!({ "items": [blue, loose], "description": "<script>alert(1)</script> & more" });
    let (_, url) = share(&house, body).await;
    let visitor = visitor();
    let page = get(&visitor, &url).await;
    assert_eq!(page.status(), 200);
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(page.headers()["x-robots-tag"], "noindex, nofollow");
    assert_eq!(page.headers()["cache-control"], "no-store");
    let text = page.text().await.unwrap();
    assert!(!text.contains("<script>alert") && text.contains("&lt;script&gt;alert(1)"), "{text}");
    assert!(text.contains("All I Want") && text.contains("Loose &lt;&amp;&gt; &quot;quoted&quot;"));
    assert!(!text.contains("Second") && !text.contains(&house.music.display().to_string()));
    for tag in [
        "<meta property=\"og:title\"",
        "<meta property=\"og:type\" content=\"music.album\">",
        &format!("<meta property=\"og:url\" content=\"{url}\">"),
        &format!("<meta property=\"og:image\" content=\"{url}/cover?size=640\">"),
    ] {
        assert!(text.contains(tag), "{tag}: {text}");
    }
    let cover = get(&visitor, &format!("{url}/cover?size=100")).await;
    assert_eq!(
        (cover.status().as_u16(), &cover.headers()["content-type"]),
        (200, &header::HeaderValue::from_static("image/jpeg"))
    );

    // It is for listening: whatever is asked for, the original does not leave.
    for query in ["", "?format=raw", "?format=flac", "?format=mp3", "?format=wav&offset=0.2"] {
        let sound = get(&visitor, &format!("{url}/tracks/{want}/stream{query}")).await;
        assert_eq!(sound.status(), 200, "{query}");
        assert_eq!(sound.headers()["content-type"], "audio/mpeg", "{query}");
        assert!(sound.bytes().await.unwrap().len() > 1000, "{query}");
    }
    assert_eq!(get(&visitor, &format!("{url}/tracks/{want}/download")).await.status(), 403);
    // What is not in it is not there, with a right token too.
    for path in [
        format!("tracks/{first}/stream"),
        format!("tracks/{first}/download"),
        format!("tracks/{first}/cover"),
        "tracks/tr-9999/stream".to_owned(),
        "tracks/../tracks/stream".to_owned(),
        format!("tracks/{blue}/stream"),
    ] {
        assert_eq!(get(&visitor, &format!("{url}/{path}")).await.status(), 404, "{path}");
    }
    // And nothing else of the server opens by it.
    let token = url.rsplit('/').next().unwrap();
    let rest = house.app.url(&format!("/rest/stream?id={want}&c=x&apiKey={token}&f=json"));
    let refusal: Value = get(&visitor, &rest).await.json().await.unwrap();
    assert_eq!(refusal["subsonic-response"]["error"]["code"], 44);
    let stream = house.app.url(&format!("/api/v1/tracks/{want}/stream"));
    assert_eq!(get(&visitor, &stream).await.status(), 401);
}

#[tokio::test]
async fn a_share_with_download_gives_the_file_itself() {
    let house = House::open().await;
    let want = house.ann.id("song", "All I Want").await;
    let (id, url) = share(&house, json!({ "items": [want], "mayDownload": true })).await;
    let visitor = visitor();
    let answer = get(&visitor, &format!("{url}/tracks/{want}/download")).await;
    assert_eq!(answer.status(), 200);
    let name = answer.headers()["content-disposition"].to_str().unwrap().to_owned();
    assert!(name.starts_with("attachment; filename=\"01 All I Want.flac\""), "{name}");
    let file = std::fs::read(house.music.join("Joni Mitchell/Blue/01 All I Want.flac")).unwrap();
    assert_eq!(answer.bytes().await.unwrap(), file);
    let part = visitor
        .get(format!("{url}/tracks/{want}/stream?format=raw"))
        .header("range", "bytes=0-9")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (part.status().as_u16(), part.bytes().await.unwrap().to_vec()),
        (206, file[..10].to_vec())
    );
    // Taken back: from the next byte on.
    let (status, _) =
        api(&house, &house.ann, "PATCH", &format!("shares/{id}"), json!({ "mayDownload": false }))
            .await;
    assert_eq!(status, 204);
    assert_eq!(get(&visitor, &format!("{url}/tracks/{want}/download")).await.status(), 403);
    // A change by somebody else is of nothing.
    let (status, _) =
        api(&house, &house.bob, "PATCH", &format!("shares/{id}"), json!({ "mayDownload": true }))
            .await;
    assert_eq!(status, 404);
    let (status, _) = api(&house, &house.bob, "DELETE", &format!("shares/{id}"), json!({})).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn unknown_expired_and_revoked_shares_are_one_answer() {
    let house = House::open().await;
    let (ann, bob) = (&house.ann, &house.bob);
    // What has no picture shows none, rather than a broken one.
    let nothing = ann.id("album", "Nothing").await;
    let (_, plain) = share(&house, json!({ "items": [nothing] })).await;
    let text = get(&visitor(), &plain).await.text().await.unwrap();
    assert!(text.contains("Untitled") && !text.contains("/cover"), "{text}");
    let past = json!({ "items": [nothing], "expiresAt": 1_000_000_000_000_i64 });
    let (status, problem) = api(&house, ann, "POST", "shares", past).await;
    assert_eq!((status.as_u16(), &problem["detail"]), (400, &"A share ends in the future".into()));
    let want = ann.id("song", "All I Want").await;
    let (revoked, revoked_url) = share(&house, json!({ "items": [want] })).await;
    let (expired, expired_url) =
        share(&house, json!({ "items": [want], "password": "secret" })).await;
    let bobs = bob.ok("createShare", &format!("id={want}")).await;
    let bobs_url = bobs["shares"]["share"][0]["url"].as_str().unwrap().to_owned();
    let urls = [&revoked_url, &expired_url, &bobs_url];
    let visitor = visitor();
    for url in urls {
        assert_eq!(get(&visitor, url).await.status(), 200);
    }
    ann.ok("deleteShare", &format!("id={revoked}")).await;
    ann.ok("updateShare", &format!("id={expired}&expires=1000000000000")).await;
    let disable = json!({ "disabled": true });
    assert_eq!(api(&house, ann, "PATCH", "users/bob", disable).await.0, 204);

    let unknown = house.app.url(&format!("/s/{}", "a".repeat(32)));
    let mut pages = std::collections::BTreeSet::new();
    let malformed = [
        house.app.url("/s/x"),
        house.app.url("/s/%20"),
        house.app.url(&format!("/s/{}", "A".repeat(32))),
    ];
    for url in urls.into_iter().chain([&unknown]).chain(&malformed) {
        let answer = get(&visitor, url).await;
        assert_eq!(answer.status(), 404, "{url}");
        pages.insert(answer.text().await.unwrap());
        let guess = visitor.post(url).form(&[("password", "secret")]).send().await.unwrap();
        assert_eq!(guess.status(), 404, "{url}");
        pages.insert(guess.text().await.unwrap());
    }
    assert_eq!(pages.len(), 1, "{pages:?}");
    let mut problems = std::collections::BTreeSet::new();
    for url in urls.into_iter().chain([&unknown]) {
        for path in [format!("tracks/{want}/stream"), "cover".to_owned()] {
            let answer = get(&visitor, &format!("{url}/{path}")).await;
            assert_eq!(answer.status(), 404, "{url}");
            problems.insert(answer.text().await.unwrap());
        }
    }
    assert_eq!(problems.len(), 1, "{problems:?}");
}

#[tokio::test]
async fn a_share_with_a_password_opens_to_who_knows_it() {
    let house = House::open().await;
    let want = house.ann.id("song", "All I Want").await;
    let (id, url) = share(&house, json!({ "items": [want], "password": "lemon tree" })).await;
    let (_, other) = share(&house, json!({ "items": [want], "password": "lemon tree" })).await;
    let (visitor, stranger) = (visitor(), visitor());
    let stream = format!("{url}/tracks/{want}/stream");
    let locked = get(&visitor, &url).await;
    assert_eq!(locked.status(), 200);
    let text = locked.text().await.unwrap();
    assert!(
        text.contains("type=\"password\"") && !text.contains("All I Want") && !text.contains("og:"),
        "{text}"
    );
    assert_eq!(get(&visitor, &stream).await.status(), 401);
    assert_eq!(get(&visitor, &format!("{url}/cover")).await.status(), 401);

    let give = |client: &Client, password: &'static str| {
        client.post(&url).form(&[("password", password)]).send()
    };
    assert_eq!(give(&visitor, "lime tree").await.unwrap().status(), 401);
    let right = give(&visitor, "lemon tree").await.unwrap();
    assert_eq!(right.status(), 303);
    let cookie = right.headers()["set-cookie"].to_str().unwrap().to_owned();
    let path = url.strip_prefix(&house.app.url("")).unwrap();
    for part in ["HttpOnly", "SameSite=Lax", &format!("Path={path}")] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(get(&visitor, &url).await.text().await.unwrap().contains("All I Want"));
    assert_eq!(get(&visitor, &stream).await.status(), 200);
    assert_eq!(get(&stranger, &stream).await.status(), 401);
    // One share's proof is no other's, and a made-up one is none.
    let proof = cookie.split(['=', ';']).nth(1).unwrap();
    for (url, proof) in [
        (&other, proof.to_owned()),
        (&url, proof.replace('.', "0.")),
        (&url, "9999999999999.00".to_owned()),
    ] {
        let answer = stranger
            .get(format!("{url}/tracks/{want}/stream"))
            .header("cookie", format!("tl_share={proof}"))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 401, "{proof}");
    }
    // A new password ends what the old one opened; none opens to all.
    let change = async |password: Value| {
        let body = json!({ "password": password });
        assert_eq!(api(&house, &house.ann, "PATCH", &format!("shares/{id}"), body).await.0, 204);
    };
    change(json!("orange tree")).await;
    assert_eq!(get(&visitor, &stream).await.status(), 401);
    // Guesses run out; who has the link alone is told to wait.
    let mut last = StatusCode::OK;
    for _ in 0..8 {
        last = give(&stranger, "pear tree").await.unwrap().status();
    }
    assert_eq!(last, 429);
    assert_eq!(give(&stranger, "orange tree").await.unwrap().status(), 429);
    change(Value::Null).await;
    assert_eq!(get(&stranger, &stream).await.status(), 200);
    let (status, problem) =
        api(&house, &house.ann, "PATCH", &format!("shares/{id}"), json!({ "password": "abc" }))
            .await;
    assert_eq!((status.as_u16(), &problem["type"]), (400, &json!("invalid")));
}

#[tokio::test]
async fn guessing_addresses_runs_out_and_right_ones_open() {
    let house = House::open().await;
    let want = house.ann.id("song", "All I Want").await;
    let (_, url) = share(&house, json!({ "items": [want] })).await;
    let visitor = visitor();
    let mut refused = 0;
    for guess in 0..80 {
        let token: String = format!("{guess:032}").replace(['0', '1', '8', '9'], "a");
        let answer = get(&visitor, &house.app.url(&format!("/s/{token}"))).await;
        match answer.status().as_u16() {
            404 => (),
            429 => {
                assert!(answer.headers().contains_key("retry-after"));
                refused += 1;
            }
            other => panic!("{other}"),
        }
    }
    assert!((1..=20).contains(&refused), "{refused}");
    assert_eq!(get(&visitor, &url).await.status(), 200);
}

#[tokio::test]
async fn a_share_can_be_taken_home_whole() {
    let house = House::open().await;
    let (blue, first) = (house.ann.id("album", "Blue").await, house.ann.id("song", "First").await);
    let visitor = visitor();
    let (_, url) = share(&house, json!({ "items": [blue, first], "mayDownload": true })).await;
    let page = get(&visitor, &url).await.text().await.unwrap();
    assert!(page.contains("/download\" download>") && page.contains("Download all"), "{page}");
    let answer = get(&visitor, &format!("{url}/download")).await;
    assert_eq!(answer.headers()["content-type"], "application/zip");
    let told = answer.content_length().unwrap();
    let name = answer.headers()["content-disposition"].to_str().unwrap().to_owned();
    assert!(name.contains("4 tracks.zip"), "{name}");
    let bytes = answer.bytes().await.unwrap();
    assert_eq!(bytes.len() as u64, told);
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("all.zip");
    std::fs::write(&archive, &bytes).unwrap();
    let done = std::process::Command::new("python3")
        .args(["-c", "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; z.extractall(sys.argv[2])"])
        .args([&archive, &folder.path().join("out")])
        .status()
        .unwrap();
    assert!(done.success());
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder.path().join("out/4 tracks")).unwrap() {
        found.push(std::fs::read(entry.unwrap().path()).unwrap());
    }
    found.sort();
    let mut expected: Vec<Vec<u8>> = [
        "Joni Mitchell/Blue/01 All I Want.flac",
        "Joni Mitchell/Blue/02 My Old Man.flac",
        "Joni Mitchell/Blue/03 Little Green.flac",
        "Various/Hits/01 First.flac",
    ]
    .iter()
    .map(|path| std::fs::read(house.music.join(path)).unwrap())
    .collect();
    expected.sort();
    assert!(found == expected, "the files themselves, each once");
    // For listening alone: no way to all, as there is none to one.
    let (_, url) = share(&house, json!({ "items": [blue] })).await;
    assert_eq!(get(&visitor, &format!("{url}/download")).await.status(), 403);
    assert!(!get(&visitor, &url).await.text().await.unwrap().contains("id=\"all\""));
    assert_eq!(get(&visitor, &house.app.url("/s/nothing/download")).await.status(), 404);
}

#[tokio::test]
async fn administrators_see_whose_shares_there_are_and_end_them() {
    let house = House::open().await;
    let blue = house.bob.id("album", "Blue").await;
    let made = house.bob.ok("createShare", &format!("id={blue}&description=mine")).await;
    let made = &made["shares"]["share"][0];
    let (id, url) = (made["id"].as_str().unwrap(), made["url"].as_str().unwrap());
    let nothing = Value::Null;
    let (status, _) = api(&house, &house.bob, "GET", "admin/shares", nothing.clone()).await;
    assert_eq!(status, 403);
    let (status, list) = api(&house, &house.ann, "GET", "admin/shares", nothing.clone()).await;
    assert_eq!(status, 200);
    let shown = &list["items"][0];
    assert_eq!((&shown["owner"], &shown["description"]), (&json!("bob"), &json!("mine")));
    let token = url.rsplit('/').next().unwrap();
    assert!(!list.to_string().contains(token), "the address is its owner's secret");
    // Others cannot end it; an administrator can.
    let (_, own) = api(&house, &house.ann, "GET", "shares", nothing.clone()).await;
    assert_eq!(own["items"], json!([]), "it is not hers");
    let path = format!("shares/{id}");
    assert_eq!(api(&house, &house.ann, "DELETE", &path, nothing.clone()).await.0, 204);
    assert_eq!(get(&visitor(), url).await.status(), 404);
    assert_eq!(api(&house, &house.ann, "DELETE", &path, nothing).await.0, 404);
}

#[tokio::test]
async fn a_listen_can_be_taken_back() {
    let house = House::open().await;
    let (ann, bob) = (&house.ann, &house.bob);
    let song = bob.id("song", "All I Want").await;
    for at in [1_700_000_000_000_i64, 1_700_000_500_000] {
        bob.ok("scrobble", &format!("id={song}&time={at}")).await;
    }
    let history = async || api(&house, bob, "GET", "history", Value::Null).await.1;
    let both = history().await;
    assert_eq!(both["total"], 2);
    let latest = both["items"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("history/{latest}");
    assert_eq!(api(&house, ann, "DELETE", &path, Value::Null).await.0, 404, "it is not hers");
    assert_eq!(api(&house, bob, "DELETE", &path, Value::Null).await.0, 204);
    assert_eq!(api(&house, bob, "DELETE", &path, Value::Null).await.0, 404);
    assert_eq!(history().await["total"], 1);
    let shown = bob.ok("getSong", &format!("id={song}")).await["song"].clone();
    assert_eq!(
        (&shown["playCount"], &shown["played"]),
        (&json!(1), &json!("2023-11-14T22:13:20.000Z"))
    );
    let album = bob.ok("getAlbumList2", "type=frequent").await["albumList2"]["album"][0].clone();
    assert_eq!((&album["name"], &album["playCount"]), (&json!("Blue"), &json!(1)));
    // The last one: as if it had never been heard.
    let last = history().await["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(api(&house, bob, "DELETE", &format!("history/{last}"), Value::Null).await.0, 204);
    let shown = bob.ok("getSong", &format!("id={song}")).await["song"].clone();
    assert_eq!(shown["playCount"], 0);
    assert!(shown.get("played").is_none(), "{shown}");
    let none = bob.ok("getAlbumList2", "type=recent").await["albumList2"]["album"].clone();
    assert_eq!(none, json!([]));
}
