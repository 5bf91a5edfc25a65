//! The base of the protocol: forms, envelopes, errors, CORS, compression.

use reqwest::{Method, header};

use super::House;

#[tokio::test]
async fn subsonic_extensions_are_told_to_anybody() {
    let house = House::empty().await;
    let url = house.app.url("/rest/getOpenSubsonicExtensions.view?f=json");
    let whole: serde_json::Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    let list = whole["subsonic-response"]["openSubsonicExtensions"].as_array().unwrap();
    let names: Vec<&str> = list.iter().map(|each| each["name"].as_str().unwrap()).collect();
    for name in [
        "apiKeyAuthentication",
        "formPost",
        "indexBasedQueue",
        "songLyrics",
        "sonicSimilarity",
        "topSongsByArtistId",
        "transcodeOffset",
        "transcoding",
    ] {
        assert!(names.contains(&name), "{name}");
    }
    assert!(list.iter().all(|each| each["versions"][0] == 1));
}

#[tokio::test]
async fn subsonic_errors_have_their_codes() {
    let house = House::empty().await;
    let ann = &house.ann;
    for (method, query, code) in [
        // Missing.
        ("getAlbum", "", 10),
        ("getAlbum", "id=", 10),
        ("stream", "", 10),
        ("getAlbumList2", "", 10),
        ("getAlbumList2", "type=byGenre", 10),
        ("getAlbumList2", "type=byYear&fromYear=1", 10),
        ("createPlaylist", "", 10),
        ("star", "", 10),
        ("setRating", "id=tr-1", 10),
        ("scrobble", "", 10),
        ("createBookmark", "id=tr-1", 10),
        ("savePlayQueueByIndex", "id=tr-1", 10),
        ("savePlayQueueByIndex", "id=tr-1&currentIndex=1", 10),
        ("getTopSongs", "", 10),
        // Absurd.
        ("getAlbumList2", "type=upsideDown", 0),
        ("getAlbumList2", "type=newest&size=many", 0),
        ("getAlbumList2", "type=newest&offset=--5", 0),
        ("getRandomSongs", "fromYear=soon", 0),
        ("setRating", "id=tr-1&rating=6", 0),
        ("setRating", "id=tr-1&rating=-1", 0),
        ("getIndexes", "ifModifiedSince=yesterday", 0),
        ("scrobble", "id=tr-1&time=1&time=2", 0),
        ("noSuchMethod", "", 0),
        ("jukeboxControl", "action=get", 0),
        ("ping%2F..%2Fping", "", 0),
        // Not there.
        ("getAlbum", "id=al-999999", 70),
        ("getAlbum", "id=tr-1", 70),
        ("getAlbum", "id=1%27%20or%201=1", 70),
        ("getArtist", "id=ar-999999", 70),
        ("getSong", "id=tr-999999", 70),
        ("getMusicDirectory", "id=fo-999999", 70),
        ("getMusicDirectory", "id=999999", 70),
        ("getPlaylist", "id=pl-999999", 70),
        ("deletePlaylist", "id=pl-999999", 70),
        ("updatePlaylist", "playlistId=pl-999999&name=x", 70),
        ("star", "id=tr-999999", 70),
        ("stream", "id=tr-999999", 70),
        ("download", "id=tr-999999", 70),
        ("getCoverArt", "id=al-999999", 70),
        ("getArtistInfo2", "id=ar-999999", 70),
    ] {
        assert_eq!(ann.refused(method, query).await, code, "{method} {query}");
    }
    for (version, code) in [("0.9.0", 20), ("2.0.0", 30)] {
        let url = format!("{}&", house.app.url("/rest/ping?u=a&p=b&c=t&f=json"));
        let whole: serde_json::Value =
            reqwest::get(format!("{url}v={version}")).await.unwrap().json().await.unwrap();
        assert_eq!(whole["subsonic-response"]["error"]["code"], code);
    }
}

#[tokio::test]
async fn subsonic_errors_of_bytes_are_xml_that_apps_recognise() {
    let house = House::empty().await;
    let url = house.ann.url("stream", "id=tr-1").replace("&f=json", "");
    let answer = reqwest::get(url).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/xml; charset=utf-8");
    assert!(answer.text().await.unwrap().contains("code=\"70\""));
}

#[tokio::test]
async fn subsonic_jsonp_only_calls_functions() {
    let house = House::empty().await;
    let ask = async |callback: &str| {
        let url = house.ann.url("ping", "").replace("&f=json", "&f=jsonp");
        reqwest::get(format!("{url}callback={callback}")).await.unwrap()
    };
    let answer = ask("JSON_CALLBACK").await;
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/javascript; charset=utf-8");
    let text = answer.text().await.unwrap();
    assert!(text.starts_with("JSON_CALLBACK({\"subsonic-response\":") && text.ends_with("});"));
    for evil in ["alert(1)//", "", "a%0Ab", "%3Cscript%3E"] {
        let answer = ask(evil).await;
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/json; charset=utf-8");
        let whole: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(whole["subsonic-response"]["status"], "failed", "{evil}");
    }
}

#[tokio::test]
async fn subsonic_scripts_of_any_origin_may_ask() {
    let house = House::empty().await;
    let http = reqwest::Client::new();
    let url = house.app.url("/rest/stream.view");
    let asked = http
        .request(Method::OPTIONS, &url)
        .header(header::ORIGIN, "https://player.example.org")
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "GET")
        .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "range,x-anything")
        .send()
        .await
        .unwrap();
    assert_eq!(asked.status(), 204);
    assert_eq!(asked.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    assert_eq!(asked.headers()[header::ACCESS_CONTROL_ALLOW_HEADERS], "range,x-anything");
    assert!(
        asked.headers()[header::ACCESS_CONTROL_ALLOW_METHODS].to_str().unwrap().contains("POST")
    );
    for url in [url, house.ann.url("ping", ""), house.app.url("/rest/nothing")] {
        let answer = http.get(url).header(header::ORIGIN, "null").send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        let exposed = answer.headers()[header::ACCESS_CONTROL_EXPOSE_HEADERS].to_str().unwrap();
        assert!(exposed.contains("Content-Range") && exposed.contains("X-Total-Count"));
        assert!(answer.headers().get("access-control-allow-credentials").is_none());
        assert!(answer.headers().get(header::SET_COOKIE).is_none());
    }
}

#[tokio::test]
async fn subsonic_nothing_redirects() {
    let house = House::empty().await;
    let http =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    for path in ["/rest", "/rest/", "/rest/ping", "/rest/ping/", "/rest//ping", "/rest/a/b/c"] {
        let answer = http.get(house.app.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert!(answer.text().await.unwrap().contains("<subsonic-response"), "{path}");
    }
}

#[tokio::test]
async fn subsonic_long_answers_are_compressed_for_those_who_take_it() {
    let house = House::open().await;
    let http = reqwest::Client::new();
    let ask = |method: &str, encoding: &'static str| {
        let url = house.ann.url(method, "type=newest");
        http.get(url).header(header::ACCEPT_ENCODING, encoding).send()
    };
    let long = ask("getAlbumList2", "gzip").await.unwrap();
    assert_eq!(long.headers()[header::CONTENT_ENCODING], "gzip");
    let packed = long.bytes().await.unwrap();
    assert_eq!(packed[..2], [0x1f, 0x8b]);
    let plain = ask("getAlbumList2", "identity").await.unwrap();
    assert!(plain.headers().get(header::CONTENT_ENCODING).is_none());
    assert!(packed.len() < plain.bytes().await.unwrap().len() / 2);
    let short = ask("ping", "gzip").await.unwrap();
    assert!(short.headers().get(header::CONTENT_ENCODING).is_none());
}

#[tokio::test]
async fn subsonic_forms_may_be_huge_and_keep_their_order() {
    let house = House::open().await;
    let ann = &house.ann;
    let all = ann.ok("search3", "query=&songCount=500").await;
    let ids: Vec<&str> = all["searchResult3"]["song"]
        .as_array()
        .unwrap()
        .iter()
        .map(|song| song["id"].as_str().unwrap())
        .collect();
    // Everything in an empty query, as some apps do: 20,000 entries in the body.
    let wanted: Vec<&str> = (0..20_000).map(|at| ids[at * 7 % ids.len()]).collect();
    let mut form = format!("u=ann&p={}&v=1.9.0&c=play:Sub&f=json&name=Huge", ann.secret);
    for id in &wanted {
        form.push_str("&songId=");
        form.push_str(id);
    }
    let post = |method: &str, form: String| {
        ann.http
            .post(format!("{}{method}", ann.base))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form)
            .send()
    };
    let made: serde_json::Value =
        post("createPlaylist.view", form).await.unwrap().json().await.unwrap();
    let list = made["subsonic-response"]["playlist"]["entry"].as_array().unwrap();
    let got: Vec<&str> = list.iter().map(|song| song["id"].as_str().unwrap()).collect();
    assert_eq!(got, wanted);

    // Longer than any queue: refused, or cut off while it is still being sent.
    let too_long = post("ping.view?f=json&x=", "x".repeat(17 << 20)).await;
    if let Ok(answer) = too_long {
        let whole: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(whole["subsonic-response"]["error"]["code"], 0, "{whole}");
    }
    // A queue of 1600 ids in a URL (C30).
    let query = format!("id={}", wanted[..1600].join("&id="));
    ann.ok("savePlayQueue", &query).await;
    let queue = ann.ok("getPlayQueue", "").await;
    assert_eq!(queue["playQueue"]["entry"].as_array().unwrap().len(), 1600);
}
