//! Listens passed on to stubs of Last.fm and ListenBrainz: signed, batched, once each, after
//! troubles too.

use std::{sync::Arc, time::Duration};

use md5::{Digest as _, Md5};
use serde_json::{Value, json};
use tunelocker::config::Feature;

use super::{
    Home,
    stub::{Asked, Reply, Stub},
    until,
};

const KEY: &str = "0123456789abcdef0123456789abcdef";
const SECRET: &str = "fedcba9876543210fedcba9876543210";
const TOKEN: &str = "11111111-2222-3333-4444-555555555555";
/// In the past, ms; both services count in seconds.
const T0: i64 = 1_700_000_000_000;

/// Both services as they should be.
fn services(asked: &Asked) -> Reply {
    match asked.place() {
        "/lastfm/" => match asked.field("method").as_deref() {
            Some("auth.getToken") => Reply::json(json!({ "token": "tok" })),
            Some("auth.getSession") => Reply::json(
                json!({ "session": { "name": "annfm", "key": "sessionkey", "subscriber": 0 } }),
            ),
            Some("track.scrobble") => Reply::json(
                json!({ "scrobbles": { "@attr": { "accepted": 1, "ignored": 0 }, "scrobble": {} } }),
            ),
            _ => Reply::json(json!({})),
        },
        "/listenbrainz/1/validate-token" => {
            Reply::json(json!({ "code": 200, "valid": true, "user_name": "annbrainz" }))
        }
        _ => Reply::json(json!({ "status": "ok" })),
    }
}

async fn home() -> Home {
    let tracks = [("Long", "One", 33.0), ("Long", "Two", 34.0), ("Short", "Blip", 2.0)];
    let home = Home::over(Stub::start(services).await, &[Feature::Scrobbling], &tracks).await;
    let keys = Some(json!({ "key": KEY, "secret": SECRET }));
    assert_eq!(home.api("ann", "PUT", "outside/lastfm/keys", keys).await.0, 204);
    home
}

async fn connect(home: &Home, service: &str) {
    let token = if service == "lastfm" {
        let (status, begun) = home.api("ann", "POST", "scrobbling/lastfm", None).await;
        assert_eq!(status, 200, "{begun}");
        let page = home.stub.url(&format!("/agree/?api%5Fkey={KEY}&token=tok"));
        assert_eq!(begun["url"].as_str().unwrap().replace("api_key", "api%5Fkey"), page);
        begun["token"].as_str().unwrap().to_owned()
    } else {
        TOKEN.to_owned()
    };
    let body = Some(json!({ "token": token }));
    let path = format!("scrobbling/{service}");
    assert_eq!(home.api("ann", "PUT", &path, body).await.0, 204);
}

async fn account(home: &Home, service: &str) -> Value {
    let (_, shown) = home.api("ann", "GET", "scrobbling", None).await;
    let items = shown["items"].as_array().unwrap().clone();
    items.into_iter().find(|one| one["service"] == service).unwrap_or_default()
}

/// Calls of a method of Last.fm.
fn calls(home: &Home, method: &str) -> Vec<Asked> {
    let mut asked = home.stub.asked("/lastfm/");
    asked.retain(|asked| asked.field("method").as_deref() == Some(method));
    asked
}

/// Listens sent to ListenBrainz, without "playing now".
fn brainz(home: &Home) -> Vec<Value> {
    let bodies = home.stub.asked("/listenbrainz/1/submit-listens");
    let bodies = bodies.iter().map(|asked| serde_json::from_str::<Value>(&asked.body).unwrap());
    bodies.filter(|body| body["listen_type"] != "playing_now").collect()
}

fn is_signed(asked: &Asked) -> bool {
    let mut fields: Vec<(String, String)> = asked
        .body
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| {
            let decode = |text: &str| {
                percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
            };
            (decode(name), decode(value))
        })
        .filter(|(name, _)| name != "api_sig" && name != "format")
        .collect();
    fields.sort();
    let text: String = fields.iter().map(|(name, value)| format!("{name}{value}")).collect();
    asked.field("api_sig") == Some(hex::encode(Md5::digest(format!("{text}{SECRET}").as_bytes())))
}

#[tokio::test]
async fn scrobbles_reach_lastfm_signed_and_once() {
    let home = home().await;
    let ann = &home.house.ann;
    let (one, blip) = (ann.id("song", "One").await, ann.id("song", "Blip").await);
    // Heard before the account was connected: kept to ourselves.
    ann.ok("scrobble", &format!("id={one}&time={T0}")).await;
    connect(&home, "lastfm").await;
    assert!(calls(&home, "auth.getSession").iter().all(is_signed));
    assert_eq!(account(&home, "lastfm").await["name"], "annfm");
    let at = T0 + 3_600_000;
    let batch = format!("id={one}&time={at}&id={blip}&time={}", at + 60_000);
    ann.ok("scrobble", &batch).await;
    ann.ok("scrobble", &batch).await;
    let shown =
        until(|| account(&home, "lastfm"), |one| one["waiting"] == 0 && one["sent"] == 1).await;
    // Last.fm takes nothing below half a minute.
    assert_eq!((&shown["refused"], &shown["error"]), (&json!(1), &json!("")));
    let sent = calls(&home, "track.scrobble");
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert!(is_signed(&sent[0]) && sent[0].method == "POST");
    for (name, value) in [
        ("sk", "sessionkey"),
        ("api_key", KEY),
        ("artist[0]", "Stella"),
        ("track[0]", "One"),
        ("album[0]", "Long"),
        ("timestamp[0]", "1700003600"),
        ("duration[0]", "33"),
        ("mbid[0]", "bbbbbbbb-0000-4000-8000-000000000001"),
    ] {
        assert_eq!(sent[0].field(name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(sent[0].field("artist[1]"), None);

    ann.ok("scrobble", &format!("id={one}&submission=false")).await;
    until(|| async { json!(calls(&home, "track.updateNowPlaying").len()) }, |count| *count == 1)
        .await;
    assert_eq!(calls(&home, "track.updateNowPlaying")[0].field("track").as_deref(), Some("One"));
    ann.ok("star", &format!("id={one}")).await;
    home.house.app.services.outside.scrobbling.wake();
    until(|| async { json!(calls(&home, "track.love").len()) }, |count| *count == 1).await;
    ann.ok("unstar", &format!("id={one}")).await;
    home.house.app.services.outside.scrobbling.wake();
    until(|| async { json!(calls(&home, "track.unlove").len()) }, |count| *count == 1).await;
    assert_eq!(calls(&home, "track.love").len(), 1);
    assert_eq!(home.api("ann", "DELETE", "scrobbling/lastfm", None).await.0, 204);
    assert_eq!(account(&home, "lastfm").await, json!(null));
}

#[tokio::test]
async fn scrobbles_reach_listenbrainz_in_batches() {
    let home = home().await;
    let ann = &home.house.ann;
    let (one, two) = (ann.id("song", "One").await, ann.id("song", "Two").await);
    connect(&home, "listenbrainz").await;
    assert_eq!(account(&home, "listenbrainz").await["name"], "annbrainz");
    let listens: String = (0..60)
        .map(|at| {
            format!("id={}&time={}&", if at % 2 == 0 { &one } else { &two }, T0 + at * 60_000)
        })
        .collect();
    ann.ok("scrobble", &listens).await;
    until(|| account(&home, "listenbrainz"), |one| one["sent"] == 60).await;
    let sent = brainz(&home);
    let sizes: Vec<_> = sent.iter().map(|body| body["payload"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [50, 10]);
    assert_eq!(sent[0]["listen_type"], "import");
    let first = &sent[0]["payload"][0];
    assert_eq!(first["listened_at"], T0 / 1000);
    assert_eq!(first["track_metadata"]["artist_name"], "Stella");
    assert_eq!(first["track_metadata"]["release_name"], "Long");
    assert_eq!(first["track_metadata"]["additional_info"]["duration_ms"], 33_000);
    let header = &home.stub.asked("/listenbrainz/1/submit-listens")[0].headers["authorization"];
    assert_eq!(*header, format!("Token {TOKEN}"));
    ann.ok("star", &format!("id={one}")).await;
    home.house.app.services.outside.scrobbling.wake();
    let feedback = || async { json!(home.stub.asked("/listenbrainz/1/feedback").len()) };
    until(feedback, |count| *count == 1).await;
}

#[tokio::test]
async fn scrobbles_wait_while_a_service_is_away() {
    let home = home().await;
    let ann = &home.house.ann;
    let one = ann.id("song", "One").await;
    connect(&home, "listenbrainz").await;
    home.stub.answer(|_| Reply::status(503));
    ann.ok("scrobble", &format!("id={one}&time={T0}")).await;
    let waiting = until(|| account(&home, "listenbrainz"), |one| one["error"] != "").await;
    assert_eq!((&waiting["waiting"], &waiting["broken"]), (&json!(1), &json!(false)));
    assert!(waiting["error"].as_str().unwrap().contains("503"));
    home.stub.answer(services);
    ann.ok("scrobble", &format!("id={one}&time={}", T0 + 600_000)).await;
    home.pass(Duration::from_mins(10)).await;
    let sent = until(|| account(&home, "listenbrainz"), |one| one["sent"] == 2).await;
    assert_eq!((&sent["waiting"], &sent["error"]), (&json!(0), &json!("")));
    let last = brainz(&home).pop().unwrap();
    assert_eq!(last["payload"].as_array().unwrap().len(), 2, "both at once when it is back");
}

#[tokio::test]
async fn scrobbles_that_are_refused_do_not_hold_the_others() {
    let home = home().await;
    let ann = &home.house.ann;
    let one = ann.id("song", "One").await;
    connect(&home, "listenbrainz").await;
    let odd = Arc::new(((T0 + 60_000) / 1000).to_string());
    home.stub.answer(move |asked| {
        if asked.body.contains(odd.as_str()) { Reply::status(400) } else { services(asked) }
    });
    let listens: String = (0..3).map(|at| format!("id={one}&time={}&", T0 + at * 60_000)).collect();
    ann.ok("scrobble", &listens).await;
    let shown = until(|| account(&home, "listenbrainz"), |one| one["waiting"] == 0).await;
    assert_eq!((&shown["sent"], &shown["refused"]), (&json!(2), &json!(1)));
}

#[tokio::test]
async fn scrobbles_stop_when_the_credential_is_refused_until_the_user_mends_it() {
    let home = home().await;
    let ann = &home.house.ann;
    let one = ann.id("song", "One").await;
    connect(&home, "lastfm").await;
    home.stub.answer(|asked| match asked.field("method").as_deref() {
        Some("track.scrobble") => Reply {
            status: 403,
            ..Reply::json(json!({ "error": 9, "message": "Invalid session key" }))
        },
        _ => services(asked),
    });
    ann.ok("scrobble", &format!("id={one}&time={T0}")).await;
    let shown = until(|| account(&home, "lastfm"), |one| one["broken"] == true).await;
    assert!(shown["error"].as_str().unwrap().contains("Invalid session key"), "{shown}");
    let tries = calls(&home, "track.scrobble").len();
    home.pass(Duration::from_hours(24)).await;
    home.stub.answer(services);
    connect(&home, "lastfm").await;
    let shown = until(|| account(&home, "lastfm"), |one| one["sent"] == 1).await;
    assert_eq!((&shown["broken"], &shown["error"]), (&json!(false), &json!("")));
    assert_eq!(calls(&home, "track.scrobble").len(), tries + 1, "nobody asked in between");
}

#[tokio::test]
async fn scrobbles_stay_here_for_who_wants_that() {
    let home = home().await;
    let ann = &home.house.ann;
    let one = ann.id("song", "One").await;
    let wrong = Some(json!({ "token": "no token!" }));
    assert_eq!(home.api("ann", "PUT", "scrobbling/listenbrainz", wrong).await.0, 400);
    connect(&home, "listenbrainz").await;
    let accounts = &home.house.app.services.accounts;
    let mut abilities = home.house.principal("ann").await.abilities;
    abilities.scrobbling = false;
    let change =
        tunelocker::accounts::UserChange { abilities: Some(abilities), ..Default::default() };
    accounts.update_user(&accounts.operator(), "ann", &change).await.unwrap();
    ann.ok("scrobble", &format!("id={one}&time={T0}")).await;
    let shown = until(|| account(&home, "listenbrainz"), |one| one["waiting"] == 0).await;
    assert_eq!(shown["sent"], 0);
    assert!(brainz(&home).is_empty());
    // Off for everybody: nobody can connect.
    let principal = home.house.principal("ann").await;
    home.house.app.services.outside.set_on(&principal, Feature::Scrobbling, false).await.unwrap();
    let body = Some(json!({ "token": TOKEN }));
    assert_eq!(home.api("bob", "PUT", "scrobbling/listenbrainz", body).await.0, 403);
    let (_, shown) = home.api("bob", "GET", "scrobbling", None).await;
    assert_eq!((&shown["on"], &shown["items"]), (&json!(false), &json!([])));
}
