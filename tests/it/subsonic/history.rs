//! The history behind scrobbles: each listen once, with who, when and by which client.

use serde_json::{Value, json};

use super::{App, House};

/// An address of the panel's API, asked with an app password.
pub(super) async fn panel(house: &House, app: &App, address: &str) -> Value {
    let answer = reqwest::Client::new()
        .get(house.app.url(&format!("/api/v1/{address}")))
        .bearer_auth(&app.secret)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200, "{address}");
    answer.json().await.unwrap()
}

/// Times and titles of the history, latest first.
async fn heard(house: &House, app: &App) -> Vec<(i64, String)> {
    let list = panel(house, app, "history").await;
    let pair = |item: &Value| {
        (item["at"].as_i64().unwrap(), item["track"]["title"].as_str().unwrap().to_owned())
    };
    list["items"].as_array().unwrap().iter().map(pair).collect()
}

#[tokio::test]
async fn subsonic_scrobbles_become_history_once_c33() {
    let house = House::open().await;
    let (ann, bob) = (&house.ann, &house.bob);
    let (first, second) = (ann.id("song", "First").await, ann.id("song", "Second").await);
    // One client sends seconds, another the same listen in milliseconds; strangers are skipped.
    ann.ok("scrobble", &format!("id={first}&time=1700000300")).await;
    ann.ok("scrobble", &format!("id={first}&time=1700000300000")).await;
    let batch = format!("id={second}&time=1700000100000&id=tr-9999&time=1&id=xx&time=2");
    for _ in 0..3 {
        ann.ok("scrobble", &batch).await;
    }
    assert_eq!(
        heard(&house, ann).await,
        [(1_700_000_300_000, "First".to_owned()), (1_700_000_100_000, "Second".to_owned())]
    );
    let list = panel(&house, ann, "history").await;
    assert_eq!(list["total"], 2);
    assert_eq!(
        (&list["items"][0]["client"], &list["items"][0]["source"], &list["items"][0]["heard"]),
        (&json!("tests"), &json!("scrobble"), &json!(null))
    );
    assert_eq!(panel(&house, bob, "history").await["total"], 0, "everybody sees their own");
    // A request that is repeated at once counts once though it says no time.
    bob.ok("scrobble", &format!("id={first}")).await;
    bob.ok("scrobble", &format!("id={first}&submission=true")).await;
    bob.ok("scrobble", &format!("id={second}&submission=false")).await;
    assert_eq!(panel(&house, bob, "history").await["total"], 1);
    // As many times as songs, or none at all.
    assert_eq!(ann.refused("scrobble", &format!("id={first}&id={second}&time=1")).await, 0);
    assert_eq!(ann.refused("scrobble", "").await, 10);
}

#[tokio::test]
async fn subsonic_history_adds_up() {
    let house = House::open().await;
    let ann = &house.ann;
    let first = ann.id("song", "First").await;
    let want = ann.id("song", "All I Want").await;
    let day = 24 * 3600 * 1000_i64;
    let noon = 1_700_006_400_000 / day * day + day / 2;
    for (id, at) in
        [(&first, noon), (&first, noon + day), (&want, noon + day), (&first, noon - 99 * day)]
    {
        ann.ok("scrobble", &format!("id={id}&time={at}")).await;
    }
    let range = format!("from={}&to={}", noon - day, noon + 2 * day);
    let sum = panel(&house, ann, &format!("history/summary?{range}")).await;
    assert_eq!((&sum["listens"], &sum["tracks"]), (&json!(3), &json!(2)));
    assert_eq!(sum["days"], json!([[noon / day, 1], [noon / day + 1, 2]]));
    assert_eq!(sum["topTracks"][0]["track"]["title"], "First");
    assert_eq!(
        (&sum["topTracks"][0]["plays"], &sum["topTracks"][1]["plays"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(sum["topAlbums"][0]["album"]["name"], "Hits");
    assert_eq!(sum["topArtists"][0]["artist"]["name"], "A Band");
    assert!(sum["heard"].as_f64().unwrap() > 0.0);
    // Half a day east of Greenwich, noon is the next day.
    let sum = panel(&house, ann, &format!("history/summary?{range}&zone=720")).await;
    assert_eq!(sum["days"], json!([[noon / day + 1, 1], [noon / day + 2, 2]]));
}
