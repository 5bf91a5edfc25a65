//! A disk with the database on it that is full to its last block: what would have to be written down is
//! refused in a sentence, what only reads goes on, and room that is made is room at once.

use std::{
    fs,
    time::{Duration, Instant},
};

use reqwest::{Method, RequestBuilder};
use serde_json::json;

use super::{
    super::{
        api::{Answer, Api},
        volume::fill,
    },
    ADMIN, Cellar, bytes,
};

/// More playlists than the books have room for without a new block.
const MOST: usize = 1_000;

/// A change of the books alone, and not a small one.
fn playlist(api: &Api, number: usize) -> RequestBuilder {
    let new = json!({ "name": format!("{number} {}", "of many songs ".repeat(30)) });
    api.request(Method::POST, "playlists").json(&new)
}

/// Taken, or refused in a sentence that says why.
fn is_taken(what: &str, answer: &Answer) -> bool {
    if answer.is_success() {
        return true;
    }
    let told = answer.json();
    let is_said = told["detail"].as_str().is_some_and(|detail| detail.contains(' '));
    let is_full = (answer.status, &told["type"]) == (507, &json!("disk_full"));
    let is_failing = (answer.status, &told["type"]) == (503, &json!("storage_degraded"));
    assert!(is_said && (is_full || is_failing), "{what}: {} {}", answer.status, answer.text());
    false
}

impl Cellar {
    /// What changes something, each by itself.
    async fn changes(&self, round: usize) -> Vec<(&'static str, bool)> {
        let api = &self.api;
        let sign_in = json!({ "name": ADMIN.0, "password": ADMIN.1 });
        let user = json!({ "name": format!("carl{round}"), "password": "carl's very own" });
        let folder = format!("files/keep/new {round}/");
        let requests = [
            ("playlist", playlist(api, MOST)),
            ("sign-in", api.request(Method::POST, "session").json(&sign_in)),
            ("PUT", api.request(Method::PUT, "files/keep/put.bin").body(bytes(6, 50_000))),
            ("tus", api.tus_create("keep/tus.bin", 50_000)),
            ("folder", api.request(Method::PUT, &folder)),
            (
                "move",
                api.request(Method::POST, "files/keep/one.bin").json(&json!({ "to": "one.bin" })),
            ),
            (
                "move back",
                api.request(Method::POST, "files/one.bin").json(&json!({ "to": "keep/one.bin" })),
            ),
            ("account", api.administer(Method::POST, "users").json(&user)),
            ("delete", api.request(Method::DELETE, "files/keep/three.bin")),
        ];
        let mut taken = Vec::new();
        for (what, request) in requests {
            let answer = api.ask(request).await.unwrap_or_else(|| panic!("{what}: no answer"));
            // It was not moved there, or is deleted already.
            let is_nowhere = matches!(what, "move back" | "delete") && answer.status == 404;
            taken.push((what, is_nowhere || is_taken(what, &answer)));
        }
        taken
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_has_no_block_left() {
    let mut cellar = Cellar::with_database(100_000_000).await;
    cellar.furnish().await;
    let track = cellar.track().await;
    let filler = cellar.volume.path().join("filler");
    let place = filler.clone();
    tokio::task::spawn_blocking(move || fill(&place)).await.unwrap();
    let api = &cellar.api;
    // The log of the database has room of its own at first.
    let mut refused = None;
    for number in 0..MOST {
        let answer = api.ask(playlist(api, number)).await.expect("an answer");
        if !is_taken("playlist", &answer) {
            refused = Some(number);
            break;
        }
    }
    assert!(refused.is_some(), "the books had room for {MOST} playlists");
    let taken = cellar.changes(0).await;
    println!("refused after {refused:?}; {taken:?}");
    assert!(taken.iter().any(|(_, is_taken)| !is_taken), "nothing was refused: {taken:?}");
    // What was put by is given up for who has to get in, and for making room from inside.
    for what in ["sign-in", "delete"] {
        assert!(taken.contains(&(what, true)), "{what}: {taken:?}");
    }
    // What was there is there to be read and heard.
    let list = api.must(api.request(Method::GET, "files/keep")).await.json();
    assert!(3 <= list["entries"].as_array().unwrap().len(), "{list}");
    let back = api.must(api.request(Method::GET, "files/keep/one.bin")).await;
    assert_eq!(back.bytes(), bytes(1, 500_000));
    let heard = api.must(api.request(Method::GET, &format!("tracks/{track}/stream"))).await;
    assert!(100_000 < heard.bytes().len());

    fs::remove_file(filler).unwrap();
    let freed = Instant::now();
    for round in 1.. {
        let taken = cellar.changes(round).await;
        if taken.iter().all(|(_, is_taken)| *is_taken) {
            break;
        }
        assert!(freed.elapsed() < Duration::from_secs(5), "5 s after room was made: {taken:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    cellar.assert_whole().await;
}
