//! `playbackReport` and `indexBasedQueue` as apps use them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{App, House, history::panel, names};

async fn plays(app: &App, id: &str) -> i64 {
    app.ok("getSong", &format!("id={id}")).await["song"]["playCount"].as_i64().unwrap()
}

async fn playing(app: &App) -> Value {
    app.ok("getNowPlaying", "").await["nowPlaying"]["entry"].clone()
}

/// Plays at a hundredfold speed until the server reckons that the end is reached.
async fn play_to_the_end(app: &App, id: &str, more: &str) {
    let report =
        |state: &str| format!("mediaId={id}&mediaType=song&positionMs=0&state={state}{more}");
    app.ok("reportPlayback", &report("starting")).await;
    assert_eq!(playing(app).await[0]["positionMs"], 0);
    app.ok("reportPlayback", &format!("{}&playbackRate=100", report("playing"))).await;
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let entry = playing(app).await[0].clone();
        assert_eq!((&entry["state"], &entry["playbackRate"]), (&json!("playing"), &json!(100.0)));
        let length = entry["duration"].as_i64().unwrap() * 1000;
        if length <= entry["positionMs"].as_i64().unwrap() {
            break;
        }
        assert!(Instant::now() < deadline, "{entry}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    app.ok("reportPlayback", &report("stopped")).await;
    assert_eq!(playing(app).await, json!([]));
}

#[tokio::test]
async fn subsonic_playback_report_counts_once_beside_scrobbles() {
    let house = House::open().await;
    let ann = &house.ann;
    let id = ann.id("song", "First").await;
    play_to_the_end(ann, &id, "").await;
    assert_eq!(plays(ann, &id).await, 1);
    // The same app scrobbles it too, and sends that again.
    for _ in 0..2 {
        ann.ok("scrobble", &format!("id={id}")).await;
    }
    assert_eq!(plays(ann, &id).await, 1);
    let history = panel(&house, ann, "history").await;
    assert_eq!((&history["total"], &history["items"][0]["source"]), (&json!(1), &json!("report")));
    assert!(history["items"][0]["heard"].as_f64().unwrap() > 0.0);
    // For show only: shown, and nothing else.
    let second = ann.id("song", "Second").await;
    play_to_the_end(ann, &second, "&ignoreScrobble=true").await;
    assert_eq!(plays(ann, &second).await, 0);
}

#[tokio::test]
async fn subsonic_playback_report_shows_where_it_is() {
    let house = House::open().await;
    let (ann, bob) = (&house.ann, &house.bob);
    let (one, two) = (ann.id("song", "All I Want").await, ann.id("song", "My Old Man").await);
    let report = |id: &str, state: &str, at: i64| {
        format!("mediaId={id}&mediaType=song&positionMs={at}&state={state}")
    };
    ann.ok("reportPlayback", &report(&one, "starting", 0)).await;
    ann.ok("reportPlayback", &report(&one, "paused", 400)).await;
    let entry = playing(bob).await[0].clone();
    assert_eq!(
        (&entry["state"], &entry["positionMs"], &entry["title"], &entry["username"]),
        (&json!("paused"), &json!(400), &json!("All I Want"), &json!("ann"))
    );
    // Saying that it plays, in the old way, does not take it from the app that reports.
    ann.ok("scrobble", &format!("id={one}&submission=false")).await;
    assert_eq!(playing(ann).await[0]["state"], "paused");
    // Another song on the same app takes its place; beyond the end is the end.
    ann.ok("reportPlayback", &report(&two, "paused", 99_999_999)).await;
    let entry = playing(ann).await;
    assert_eq!(names(&entry), ["My Old Man"]);
    assert!(entry[0]["positionMs"].as_i64().unwrap() < 99_999_999);
    // In the old way there is a state as well.
    bob.ok("scrobble", &format!("id={one}&submission=false")).await;
    let all = playing(ann).await;
    let bobs = all.as_array().unwrap().iter().find(|entry| entry["username"] == "bob").unwrap();
    assert_eq!((&bobs["state"], &bobs["playbackRate"]), (&json!("playing"), &json!(1.0)));
    // A stop without a beginning is taken, and does nothing.
    bob.ok("reportPlayback", &report(&two, "stopped", 5)).await;
    for (query, code) in [
        (String::new(), 10),
        (format!("mediaId={one}"), 10),
        (format!("mediaId={one}&mediaType=song&positionMs=0"), 10),
        (format!("mediaId={one}&mediaType=film&positionMs=0&state=playing"), 0),
        (format!("mediaId={one}&mediaType=song&positionMs=x&state=playing"), 0),
        (format!("mediaId={one}&mediaType=song&positionMs=0&state=humming"), 0),
        (format!("mediaId={one}&mediaType=song&positionMs=0&state=playing&playbackRate=NaN"), 0),
        (format!("mediaId={one}&mediaType=song&positionMs=0&state=playing&playbackRate=-1"), 0),
        (report("tr-9999", "playing", 0), 70),
        (report("al-1", "playing", 0), 70),
        (report("pod-1", "playing", 0).replace("song", "podcast"), 70),
    ] {
        assert_eq!(ann.refused("reportPlayback", &query).await, code, "{query}");
    }
}

#[tokio::test]
async fn subsonic_queue_stays_consistent_c31() {
    let house = House::open().await;
    let ann = &house.ann;
    let (one, two) = (ann.id("song", "All I Want").await, ann.id("song", "My Old Man").await);
    // The index counts what was sent: a podcast before it is left out, and the index follows.
    let ids = format!("id=pod-7&id={one}&id={two}");
    ann.ok("savePlayQueueByIndex", &format!("{ids}&currentIndex=2&position=77")).await;
    let queue = ann.ok("getPlayQueueByIndex", "").await["playQueueByIndex"].clone();
    assert_eq!(
        (&queue["currentIndex"], &queue["position"], &queue["entry"][1]["id"]),
        (&json!(1), &json!(77), &json!(two))
    );
    for member in ["changed", "changedBy", "username"] {
        assert!(queue[member].is_string(), "{queue}");
    }
    for (query, code) in
        [("&currentIndex=3", 10), ("&currentIndex=-1", 10), ("", 10), ("&currentIndex=x", 0)]
    {
        assert_eq!(ann.refused("savePlayQueueByIndex", &format!("{ids}{query}")).await, code);
    }
    // Songs that went away leave no queue without a current song.
    ann.ok("savePlayQueueByIndex", "id=tr-9998&id=tr-9999&currentIndex=1").await;
    for (method, name) in
        [("getPlayQueue", "playQueue"), ("getPlayQueueByIndex", "playQueueByIndex")]
    {
        assert!(ann.ok(method, "").await.get(name).is_none(), "{method}");
    }
    // The panel finds what an app left, and by which app.
    ann.ok("savePlayQueue", &format!("id={one}&id={two}&current={two}&position=1500")).await;
    let queue = panel(&house, ann, "queue").await;
    assert_eq!(
        (&queue["current"], &queue["position"], &queue["changedBy"]),
        (&json!(1), &json!(1.5), &json!("tests"))
    );
    ann.ok("savePlayQueueByIndex", "").await;
    assert!(ann.ok("getPlayQueueByIndex", "").await.get("playQueueByIndex").is_none());
}

#[tokio::test]
async fn subsonic_advertised_extensions_work() {
    let house = House::open().await;
    let ann = &house.ann;
    let list = ann.ok("getOpenSubsonicExtensions", "").await["openSubsonicExtensions"].clone();
    let found: Vec<&str> =
        list.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    for name in [
        "apiKeyAuthentication",
        "formPost",
        "indexBasedQueue",
        "playbackReport",
        "topSongsByArtistId",
    ] {
        assert!(found.contains(&name), "{name}: {found:?}");
    }
    // formPost and apiKeyAuthentication: everything in the body, and the key alone.
    let form = format!("apiKey={}&v=1.16.1&c=tests&f=json", ann.secret);
    let post = |method: &str, form: String| {
        ann.http
            .post(house.app.url(&format!("/rest/{method}")))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form)
    };
    let answer: Value = post("tokenInfo", form.clone()).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["subsonic-response"]["tokenInfo"]["username"], "ann");
    let both = format!("{form}&u=ann");
    let answer: Value = post("ping", both).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["subsonic-response"]["error"]["code"], 43);
    let wrong = form.replace(&ann.secret, "aaaa-bbbb-cccc-dddd");
    let answer: Value = post("ping", wrong).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["subsonic-response"]["error"]["code"], 44);
    // topSongsByArtistId: the id wins over the name, and names that are shared do not matter.
    let joni = ann.id("artist", "Joni Mitchell").await;
    let one = ann.id("song", "Little Green").await;
    ann.ok("scrobble", &format!("id={one}&time=1700000000000")).await;
    let top = ann.ok("getTopSongs", &format!("id={joni}&artist=A%20Band")).await;
    let top = names(&top["topSongs"]["song"]).into_iter().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(top[0], "Little Green");
    assert!(!top.contains(&"First".to_owned()), "{top:?}");
    assert_eq!(ann.ok("getTopSongs", "id=ar-9999").await["topSongs"]["song"], json!([]));
}
