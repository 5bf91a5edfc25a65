//! What a plan lets its users stream a day and a month, and how fast.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{DAY, Desk};
use crate::harness::music;

impl Desk {
    /// ann's one track, put into her locker: its id and its bytes.
    async fn track(&self) -> (String, u64) {
        let folder = tempfile::tempdir().unwrap();
        let path =
            music::flac("one.flac").of("Ann", "Days", "One").seconds(4.0).write(folder.path());
        self.track_of("Music/one.flac", &std::fs::read(path).unwrap()).await
    }

    pub(super) async fn track_of(&self, path: &str, bytes: &[u8]) -> (String, u64) {
        self.lockers.put(path, bytes).await.unwrap();
        let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
        loop {
            let found = Self::json(self.as_ann(Method::GET, "tracks")).await;
            if let Some(id) = found["items"][0]["id"].as_str() {
                return (id.to_owned(), bytes.len() as u64);
            }
            assert!(tokio::time::Instant::now() < deadline, "it never came");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn limit(&self, limits: Value) {
        let plan = json!({ "quota": 10_000_000, "limits": limits });
        assert_eq!(Self::status(self.as_admin(Method::PUT, "plans/Test").json(&plan)).await, 204);
    }
}

#[tokio::test]
async fn a_days_bytes_are_counted_and_start_anew_at_midnight() {
    let desk = Desk::new(10_000_000).await;
    let (track, size) = desk.track().await;
    desk.limit(json!({ "dayBytes": 2 * size, "monthBytes": 3 * size })).await;
    let stream = format!("tracks/{track}/stream");
    let play = async || {
        let answer = desk.as_ann(Method::GET, &stream).send().await.unwrap();
        let status = answer.status();
        let wait = answer.headers().get("retry-after").cloned();
        let wait = wait.map(|wait| wait.to_str().unwrap().parse::<i64>().unwrap());
        (status.as_u16(), answer.bytes().await.unwrap(), wait)
    };
    for _ in 0..2 {
        let (status, bytes, _) = play().await;
        assert_eq!((status, bytes.len() as u64), (200, size));
    }
    let (status, problem, wait) = play().await;
    assert_eq!(status, 429);
    let problem: Value = serde_json::from_slice(&problem).unwrap();
    assert_eq!(problem["type"], "too_many");
    let taken = desk.lockers.app.services.playback.taken(&desk.lockers.ann).await.unwrap();
    assert_eq!((taken.day, taken.month), (2 * size, 2 * size));
    assert_eq!(wait, Some((taken.day_ends - super::NOW) / 1000));
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("a day") && detail.contains("starts anew at 20"), "{detail}");
    // Subsonic has its own form for it.
    let rest = format!("/rest/stream?apiKey={}&v=1.16.1&c=t&f=json&id={track}", desk.secret());
    let refused: Value =
        reqwest::get(desk.lockers.app.url(&rest)).await.unwrap().json().await.unwrap();
    let error = &refused["subsonic-response"]["error"];
    assert_eq!(error["code"], 0);
    assert!(error["message"].as_str().unwrap().contains("starts anew"), "{refused}");

    desk.clock.advance(Duration::from_millis((taken.day_ends - super::NOW).unsigned_abs()));
    let (status, ..) = play().await;
    assert_eq!(status, 200, "another day");
    let (status, problem, wait) = play().await;
    assert_eq!(status, 429);
    let problem: Value = serde_json::from_slice(&problem).unwrap();
    assert!(problem["detail"].as_str().unwrap().contains("a month"), "{problem}");
    assert!(Duration::from_secs(wait.unwrap().unsigned_abs()) > DAY);
}

#[tokio::test]
async fn a_rate_is_held_and_no_limit_is_none() {
    let desk = Desk::new(10_000_000).await;
    let folder = tempfile::tempdir().unwrap();
    let long = std::fs::read(music::wav(folder.path(), "long.wav", 8.0)).unwrap();
    let (track, size) = desk.track_of("Music/long.wav", &long).await;
    // All of it is seven seconds' worth, of which five may go ahead.
    let rate = size / 7;
    desk.limit(json!({ "rate": rate * 8 / 1000 })).await;
    let stream = format!("tracks/{track}/stream");
    let began = std::time::Instant::now();
    let answer = desk.as_ann(Method::GET, &stream).send().await.unwrap();
    assert_eq!(answer.bytes().await.unwrap().len() as u64, size);
    // Nothing is asked of the last piece.
    let least = size.saturating_sub(5 * rate + 96 * 1024) as f64 / rate as f64;
    assert!(0.2 < least, "a track that is long enough to tell: {size}");
    let took = began.elapsed().as_secs_f64();
    assert!(least <= took, "{took} s for {size} bytes, at least {least}");
    desk.limit(json!({})).await;
    let answer = desk.as_ann(Method::GET, &stream).send().await.unwrap();
    assert_eq!(answer.bytes().await.unwrap().len() as u64, size);
}

/// A household's member gets his own back whatever he heard, unless an administrator wants files
/// that are fetched to count; then every way to the sound does.
#[tokio::test]
async fn files_that_are_fetched_count_where_an_administrator_wants_it() {
    let desk = Desk::new(10_000_000).await;
    let (track, size) = desk.track().await;
    desk.lockers.put("Music/notes.txt", b"words").await.unwrap();
    desk.limit(json!({ "dayBytes": size })).await;
    let get = async |path: &str| {
        let url = desk.lockers.app.url(path);
        let answer = reqwest::Client::new()
            .get(url)
            .basic_auth("ann", Some(desk.secret()))
            .send()
            .await
            .unwrap();
        let (status, wait) =
            (answer.status().as_u16(), answer.headers().contains_key("retry-after"));
        (status, wait, String::from_utf8_lossy(&answer.bytes().await.unwrap()).into_owned())
    };
    let taken =
        async || desk.lockers.app.services.playback.taken(&desk.lockers.ann).await.unwrap().day;
    let ways =
        ["/dav/ann/Music/one.flac", "/api/v1/files/Music/one.flac", "/api/v1/files/Music?as=zip"];
    for way in ways {
        assert_eq!(get(way).await.0, 200, "{way}");
    }
    assert_eq!(taken().await, 0, "one's own files are no streams");
    let mut rules = Desk::json(desk.as_admin(Method::GET, "quota-rules")).await;
    rules["downloadsCount"] = json!(true);
    let set = desk.as_admin(Method::PUT, "quota-rules").json(&rules);
    assert_eq!(Desk::status(set).await, 204);
    for way in ["/dav/ann/Music/notes.txt", "/api/v1/files/Music/notes.txt"] {
        assert_eq!(get(way).await.0, 200, "{way}");
    }
    assert_eq!(taken().await, 0, "words are not played");
    assert_eq!(get(ways[0]).await.0, 200);
    assert_eq!(taken().await, size);
    for way in ways {
        let (status, says_when, text) = get(way).await;
        assert_eq!((status, says_when), (429, true), "{way}");
        assert!(text.contains("starts anew at 20"), "{way}: {text}");
    }
    let stream = format!("/api/v1/tracks/{track}/stream");
    assert_eq!(get(&stream).await.0, 429, "it is one count");
    assert_eq!(get("/dav/ann/Music/notes.txt").await.0, 200);
    let head = desk.as_ann(Method::HEAD, "files/Music/one.flac");
    assert_eq!(Desk::status(head).await, 200, "to ask what it is costs nothing");
    desk.clock.advance(DAY);
    assert_eq!(get(ways[1]).await.0, 200, "another day");
    assert_eq!(taken().await, size);
}

/// Who listens by a link takes of what the one who shared it may stream.
#[tokio::test]
async fn a_share_counts_for_whoever_made_it() {
    let desk = Desk::new(10_000_000).await;
    let (track, size) = desk.track().await;
    desk.limit(json!({ "dayBytes": size })).await;
    let wish = json!({ "items": [track], "mayDownload": true });
    let made = Desk::json(desk.as_ann(Method::POST, "shares").json(&wish)).await;
    let link = made["url"].as_str().unwrap();
    let path = &link[link.find("/s/").unwrap()..];
    let file = desk.lockers.app.url(&format!("{path}/tracks/{track}/download"));
    assert_eq!(reqwest::get(&file).await.unwrap().bytes().await.unwrap().len() as u64, size);
    let refused = reqwest::get(&file).await.unwrap();
    assert_eq!(refused.status(), 429);
    assert!(refused.headers().contains_key("retry-after"));
}
