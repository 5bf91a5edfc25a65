//! The panel's pages of room and deliveries in Chromium, as a person uses them.

use reqwest::Method;
use serde_json::json;
use tunelocker::clock::Clock;

use super::{DAY, Desk, NOW};
use crate::{
    harness::TestApp,
    outside::stub::{Reply, Stub},
    web::script::Script,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_person_sees_his_room_and_an_administrator_gives_more() {
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
    // What is no answer to whether her files go too removes nobody.
    let odd = desk.as_admin(Method::DELETE, "users/ann?deleteFiles=maybe").send().await.unwrap();
    assert_eq!(odd.status(), 400);
    let odd: serde_json::Value = odd.json().await.unwrap();
    assert!(odd["detail"].as_str().is_some_and(|text| 10 < text.len()), "{odd}");
    let root = desk.lockers.drive_root();
    assert!(root.join("lockers/ann/bought").exists());
    Script::new("room.mjs").with("base", desk.lockers.app.url("")).pass_beside().await;
    // She went, and her files with her.
    let left = || std::fs::read_dir(root.join("removed")).map_or(1, Iterator::count);
    while root.join("lockers/ann").exists() || left() > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

/// What an administrator decides about room, taken down, and told.
#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_makes_the_rules() {
    let stub = Stub::start(|_| Reply::status(204)).await;
    let port =
        stub.url("").rsplit(':').next().unwrap().trim_end_matches('/').parse::<u16>().unwrap();
    let clock = Clock::manual(NOW);
    let app = TestApp::spawn_at(clock.clone(), |config| {
        config.drive = config.data.with_file_name("drive");
        config.egress.allow = vec![format!("127.0.0.1:{port}").parse().unwrap()];
    })
    .await;
    let desk = Desk::over(app, clock, 1_000_000).await;
    // A locker that is over for too long, and a content in a file, a version, the trash.
    for (name, bytes) in [("Music/Old/large.flac", 600_000), ("Music/Old/small.flac", 300_000)] {
        desk.lockers.put(name, &vec![1; bytes]).await.unwrap();
    }
    let less = json!({ "quota": 500_000 });
    Desk::json(desk.as_admin(Method::PUT, "plans/Test").json(&less)).await;
    desk.clock.advance(181 * DAY);
    for path in ["bad.bin", "again.bin"] {
        desk.put_as_kim(path, &[9; 5_000]).await;
    }
    desk.put_as_kim("again.bin", &[8; 10]).await;
    Desk::json(desk.as_ann(Method::PUT, "files/ours.bin?locker=household").body(vec![7; 70])).await;
    let hash = blake3::hash(&[9; 5_000]).to_hex();
    Script::new("rules.mjs")
        .with("base", desk.lockers.app.url(""))
        .with("hash", hash.as_str())
        .with("hook", stub.url("/told"))
        .pass_beside()
        .await;
    // From when it is switched on, real notices come too.
    let told = stub.asked("/told");
    assert_eq!(told.iter().filter(|one| one.body.contains("This is a test")).count(), 1);
    let rules = Desk::json(desk.as_admin(Method::GET, "quota-rules")).await;
    let chosen = json!({
        "graceDays": 30, "sharedCopies": "split", "deletion": "largest", "downloadsCount": true,
    });
    assert_eq!(rules, chosen);
    let kept = Desk::json(desk.as_admin(Method::GET, "keeping")).await;
    assert_eq!(kept, json!({ "trashDays": 7, "versionDays": 0, "versions": 0 }));
    let policy = Desk::json(desk.as_admin(Method::GET, "match/policy")).await;
    assert_eq!(policy["policy"], "server");
}
