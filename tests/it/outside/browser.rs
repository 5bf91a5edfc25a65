//! The panel's pages of all this in Chromium, as a person uses them.

use std::{path::Path, process::Command};

use serde_json::json;

use super::{
    Home, podcasts,
    stub::{Reply, Stub},
};
use crate::harness::music;

#[tokio::test(flavor = "multi_thread")]
async fn a_person_uses_what_the_internet_brings() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert!(
        root.join(".cache/web/node_modules/playwright-core").exists(),
        "the browser's driver is missing; run tests/setup.sh node"
    );
    let tone = {
        let folder = tempfile::tempdir().unwrap();
        std::fs::read(music::wav(folder.path(), "tone.wav", 20.0)).unwrap()
    };
    let stub = Stub::start(move |asked| match asked.place() {
        "/listenbrainz/1/validate-token" => {
            Reply::json(json!({ "valid": true, "user_name": "annbrainz" }))
        }
        place if place.starts_with("/audio/") => Reply::ok("audio/wav", tone.clone()),
        _ => podcasts::show(asked, 2),
    })
    .await;
    let home = Home::open(stub, &[]).await;
    let (base, feed) = (home.house.app.url(""), home.stub.url("/feed.xml"));
    let stream = home.stub.url("/audio/live.wav");
    let node = tokio::task::spawn_blocking(move || {
        Command::new("node")
            .current_dir(root)
            .arg("tests/web/outside.mjs")
            .args(["--base", &base, "--feed", &feed, "--stream", &stream])
            .output()
            .expect("node runs")
    });
    let output = node.await.unwrap();
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
