//! The panel's pages of room and deliveries in Chromium, as a person uses them.

use std::{path::Path, process::Command};

use reqwest::Method;
use serde_json::json;
use tunelocker::clock::Clock;

use super::Desk;
use crate::harness::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn a_person_sees_his_room_and_an_administrator_gives_more() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert!(
        root.join(".cache/web/node_modules/playwright-core").exists(),
        "the browser's driver is missing; run tests/setup.sh node"
    );
    let app =
        TestApp::spawn_with(|config| config.drive = config.data.with_file_name("drive")).await;
    let desk = Desk::over(app, Clock::System, 1_000_000).await;
    desk.lockers
        .put("Music/a long name of a file that was put here.flac", &vec![1; 950_000])
        .await
        .unwrap();
    desk.lockers.put("bought", &vec![1; 40_000]).await.unwrap();
    let bought = json!({ "user": "ann", "path": "bought", "reason": "purchase" });
    Desk::json(desk.as_admin(Method::PUT, "exempt").json(&bought)).await;
    let day = 24 * 3600 * 1000;
    let tier = json!({ "tier": 1_100_000, "endsAt": Clock::System.now() + 5 * day, "reason": "A present" });
    Desk::json(desk.as_admin(Method::POST, "users/ann/grants").json(&tier)).await;
    desk.lockers.accounts.look_for_notices().await.unwrap();
    let base = desk.lockers.app.url("");
    let node = tokio::task::spawn_blocking(move || {
        Command::new("node")
            .current_dir(root)
            .args(["tests/web/room.mjs", "--base", &base])
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
