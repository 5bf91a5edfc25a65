//! What a plan allows at once, and of what bitrate, where neither the account's own settings nor the
//! server's say anything of it.

use std::time::{Duration, Instant};

use reqwest::{Method, Response};
use serde_json::{Value, json};
use tunelocker::clock::Clock;

use super::{Desk, NOW};
use crate::harness::{TestApp, music};

/// Seconds of the track: more than the buffers of a connection hold.
const SECONDS: f64 = 240.0;

struct Stand {
    desk: Desk,
    track: String,
    size: u64,
}

impl Stand {
    async fn new(seconds: f64) -> Self {
        let clock = Clock::manual(NOW);
        let app = TestApp::spawn_at(clock.clone(), |config| {
            config.drive = config.data.with_file_name("drive");
            // What finds no place is refused at once.
            config.playback.queue_seconds = 0;
        })
        .await;
        let desk = Desk::over(app, clock, 100_000_000).await;
        let folder = tempfile::tempdir().unwrap();
        let wav = std::fs::read(music::wav(folder.path(), "long.wav", seconds)).unwrap();
        let (track, size) = desk.track_of("Music/long.wav", &wav).await;
        Self { desk, track, size }
    }

    async fn plan(&self, limits: Value) {
        let plan = json!({ "limits": limits });
        let set = self.desk.as_admin(Method::PUT, "plans/Test").json(&plan);
        assert_eq!(Desk::status(set).await, 204);
    }

    /// A stream whose body nobody reads.
    async fn begin(&self, how: &str) -> Response {
        let stream = format!("tracks/{}/stream{how}", self.track);
        self.desk.as_ann(Method::GET, &stream).send().await.unwrap()
    }

    async fn heard(&self, how: &str) -> u64 {
        let answer = self.begin(how).await;
        assert_eq!(answer.status(), 200, "{how}");
        answer.bytes().await.unwrap().len() as u64
    }

    /// Places come back behind those who left.
    async fn eventually_begins(&self, how: &str) -> Response {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let answer = self.begin(how).await;
            if answer.status() == 200 {
                return answer;
            }
            assert_eq!(answer.status(), 429, "{how}");
            assert!(Instant::now() < deadline, "the place never came back: {how}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn is_too_many(answer: Response, why: &str) {
    assert_eq!(answer.status(), 429, "{why}");
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["type"], "too_many", "{why}");
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(' ')), "{problem}");
}

#[tokio::test]
async fn a_plan_says_how_many_streams_there_are_at_once() {
    let stand = Stand::new(SECONDS).await;
    // The server by itself allows more than one.
    for (streams, more) in [(json!(null), 2), (json!(2), 2), (json!(1), 1), (json!(0), 0)] {
        stand.plan(json!({ "streams": streams })).await;
        let mut held = Vec::new();
        for number in 0..more {
            let answer = stand.eventually_begins("").await;
            assert_eq!(answer.status(), 200, "{streams}: {number}");
            held.push(answer);
        }
        if !streams.is_null() {
            is_too_many(stand.begin("").await, &format!("one more than {streams}")).await;
        }
        // One that ends makes room for another.
        if held.pop().is_some() {
            held.push(stand.eventually_begins("").await);
        }
    }
}

#[tokio::test]
async fn a_plan_says_how_many_transcodes_there_are_at_once() {
    let stand = Stand::new(SECONDS).await;
    stand.plan(json!({ "transcodes": 0 })).await;
    is_too_many(stand.begin("?format=opus").await, "none at all").await;
    assert_eq!(stand.heard("").await, stand.size, "the file itself is none");

    // Each is another, as what was made once is at hand.
    stand.plan(json!({ "transcodes": 1 })).await;
    let first = stand.begin("?format=opus&bitrate=64").await;
    assert_eq!(first.status(), 200);
    is_too_many(stand.begin("?format=opus&bitrate=80").await, "a second").await;
    drop(first);
    drop(stand.eventually_begins("?format=opus&bitrate=80").await);

    stand.plan(json!({})).await;
    let both = [
        stand.eventually_begins("?format=opus&bitrate=112").await,
        stand.begin("?format=opus&bitrate=128").await,
    ];
    assert!(both.iter().all(|one| one.status() == 200), "the server by itself allows two");
}

#[tokio::test]
async fn a_plan_says_how_large_streams_are() {
    const SHORT: u32 = 20;
    let stand = Stand::new(f64::from(SHORT)).await;
    let ways = ["?format=mp3&bitrate=320", "?format=opus&bitrate=192", "?format=flac"];
    let free = stand.heard(ways[0]).await;
    stand.plan(json!({ "bitrate": 64 })).await;
    // What the account says of itself is more, and the plan's word is the lower one.
    let own = json!({ "maxBitrate": 256 });
    assert_eq!(Desk::status(stand.desk.as_admin(Method::PATCH, "users/ann").json(&own)).await, 204);
    // Of a tenth more are the frames and the beginning.
    let most = u64::from(64_000 / 8 * SHORT) * 11 / 10 + 4_000;
    assert!(most < free, "{free} bytes without a limit");
    for way in ways {
        let heard = stand.heard(way).await;
        assert!(heard <= most, "{way}: {heard} bytes, {most} are the most");
    }
    // An app that says nothing is not spared; who says that he wants the file gets the file.
    for (way, most) in
        [("", most), ("&format=mp3&maxBitRate=320", most), ("&format=raw", stand.size)]
    {
        let (secret, id) = (stand.desk.secret(), &stand.track);
        let rest = format!("/rest/stream?apiKey={secret}&v=1.16.1&c=t&id={id}{way}");
        let answer = reqwest::get(stand.desk.lockers.app.url(&rest)).await.unwrap();
        assert_eq!(answer.status(), 200, "{way}");
        assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("audio/"), "{way}");
        let heard = answer.bytes().await.unwrap().len() as u64;
        assert!(heard <= most, "Subsonic {way}: {heard} bytes, {most} are the most");
    }
}
