//! A web app in Chromium, from an origin of its own: everything goes through CORS (C38).

use super::House;
use crate::web::script::Script;

#[tokio::test]
async fn subsonic_a_web_app_of_another_origin_plays() {
    let house = House::open().await;
    let song = house.ann.id("song", "All I Want").await;
    let file = house.music.join("Joni Mitchell/Blue/01 All I Want.flac");
    let bytes = std::fs::metadata(file).unwrap().len().to_string();
    Script::new("subsonic.mjs")
        .with("server", house.app.url(""))
        .with("user", "ann")
        .with("secret", house.ann.secret.clone())
        .with("song", song)
        .with("bytes", bytes)
        .pass_beside()
        .await;
}
