//! The panel's pages of all this in Chromium, as a person uses them.

use serde_json::json;

use super::{
    Home, podcasts,
    stub::{Reply, Stub},
};
use crate::{harness::music, web::script::Script};

#[tokio::test(flavor = "multi_thread")]
async fn a_person_uses_what_the_internet_brings() {
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
    Script::new("outside.mjs")
        .with("base", base)
        .with("feed", feed)
        .with("stream", stream)
        .pass_beside()
        .await;
}
