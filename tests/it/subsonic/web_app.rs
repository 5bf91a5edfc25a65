//! A web app in Chromium, from an origin of its own: everything goes through CORS (C38).

use std::{path::Path, process::Command};

use super::House;

#[tokio::test]
async fn subsonic_a_web_app_of_another_origin_plays() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert!(
        root.join(".cache/web/node_modules/playwright-core").exists(),
        "the browser's driver is missing; run tests/setup.sh node"
    );
    let house = House::open().await;
    let song = house.ann.id("song", "All I Want").await;
    let file = house.music.join("Joni Mitchell/Blue/01 All I Want.flac");
    let bytes = std::fs::metadata(file).unwrap().len().to_string();
    let arguments = [
        ("--server", house.app.url("")),
        ("--user", "ann".to_owned()),
        ("--secret", house.ann.secret.clone()),
        ("--song", song),
        ("--bytes", bytes),
    ];
    let mut node = Command::new("node");
    node.arg(root.join("tests/web/subsonic.mjs"));
    for (name, value) in arguments {
        node.args([name, &value]);
    }
    let output = tokio::task::spawn_blocking(move || node.output()).await.unwrap();
    let output = output.expect("node runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{said}", String::from_utf8_lossy(&output.stdout));
}
