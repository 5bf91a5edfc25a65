//! Orders whose files are at addresses: answered before anything is fetched, asked for meanwhile, sent
//! again, and gone on with when the server starts again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tunelocker::{accounts::NewUser, config::Feature};

use super::{Desk, deliveries::ORDER};
use crate::{
    harness::TestApp,
    outside::stub::{Asked, Reply, Stub},
};

/// A shop's site that answers when it is let.
async fn slow(doors: &Arc<Semaphore>) -> Stub {
    let doors = Arc::clone(doors);
    Stub::start(move |_| {
        while doors.try_acquire().map(tokio::sync::SemaphorePermit::forget).is_err() {
            std::thread::sleep(Duration::from_millis(2));
        }
        Reply::ok("audio/flac", vec![7; 300])
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_answered_before_it_is_fetched_and_granted_when_all_is_there() {
    let doors = Arc::new(Semaphore::new(0));
    let stub = slow(&doors).await;
    let desk = Desk::with_shop(&stub, 1_000).await;
    let key = desk.key().await;
    let item = |name: &str| json!({ "url": stub.url(name), "path": format!("Music{name}") });
    let here = desk.part(b"a booklet").await;
    let items =
        json!([item("/1.flac"), { "upload": here, "path": "Music/b.txt" }, item("/2.flac")]);
    let grants = json!([{ "bytes": 500, "days": 30 }]);
    let order = json!({ "user": "ann", "order": "1", "grants": grants, "items": items });

    let request = desk.request(&key, Method::POST, ORDER).json(&order);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let place = answer.headers()["location"].to_str().unwrap().to_owned();
    let place = place.strip_prefix("/api/v1/").unwrap().to_owned();
    let told: Value = answer.json().await.unwrap();
    let states = |told: &Value| -> Vec<String> {
        let items = told["items"].as_array().unwrap().iter();
        items.map(|item| item["state"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(told["state"], "running");
    assert_eq!(states(&told), ["waiting", "stored", "waiting"], "what is at hand is there");
    // Sent again it is the same one, and nothing is fetched twice.
    let (status, again) = desk.deliver(&key, &order).await;
    assert_eq!((status, &again["id"]), (StatusCode::ACCEPTED, &told["id"]));
    assert_eq!(again["state"], "running");

    // The shop that sent it may ask, its owner and administrators; nobody else.
    let asked = Desk::json(desk.request(&key, Method::GET, &place)).await;
    assert_eq!(asked["state"], "running");
    assert_eq!(Desk::json(desk.as_ann(Method::GET, &place)).await["order"], "1");
    assert_eq!(Desk::json(desk.as_admin(Method::GET, &place)).await["order"], "1");
    let other = desk.key().await;
    assert_eq!(Desk::status(desk.request(&other, Method::GET, &place)).await, 404);
    let (accounts, admin) = (&desk.lockers.accounts, &desk.lockers.admin);
    let bob = accounts.create_user(admin, &NewUser::new("bob", "bob's very own")).await.unwrap();
    let bob = accounts.principal(bob).await.unwrap();
    let bob = accounts.create_app_password(&bob, "test").await.unwrap().secret;
    assert_eq!(Desk::status(desk.request(&bob, Method::GET, &place)).await, 404);
    assert_eq!(Desk::status(desk.request("tld_wrong", Method::GET, &place)).await, 401);

    // One of two is there: nothing is granted yet.
    doors.add_permits(1);
    let one_more = async || {
        let told = Desk::json(desk.request(&key, Method::GET, &place)).await;
        states(&told).iter().filter(|state| *state == "stored").count()
    };
    while one_more().await < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(desk.storage().await["quota"], 1_000);
    doors.add_permits(1);
    let done = desk.delivered(&key, &order).await;
    assert_eq!(done["state"], "done", "{done}");
    assert_eq!(desk.storage().await["quota"], 1_500);
    let (status, _) = desk.deliver(&key, &order).await;
    assert_eq!(status, StatusCode::OK, "it was done before");
    assert_eq!(desk.storage().await["quota"], 1_500, "granted once");
    assert_eq!((stub.asked("/1.flac").len(), stub.asked("/2.flac").len()), (1, 1));
    let usage = desk.lockers.usage().await;
    assert_eq!((usage.used, usage.exempt, usage.reserved), (0, 609, 0));
    desk.explained().await;
}

/// A file in parts, as servers send it that can.
fn part(asked: &Asked, whole: &[u8]) -> Reply {
    let range = asked
        .headers
        .get("range")
        .and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
    let reply = match range {
        Some(from) => {
            let told = format!("bytes {from}-{}/{}", whole.len() - 1, whole.len());
            let mut reply = Reply::ok("audio/flac", &whole[from..]).with("content-range", &told);
            reply.status = 206;
            reply
        }
        None => Reply::ok("audio/flac", whole),
    };
    reply.with("etag", "\"one\"")
}

/// What arrived before the server stopped is not asked for again, and what the order grants is given
/// by the server that finished it.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_a_delivery_goes_on_where_it_was() {
    let song: Vec<u8> = (0..2_000_000_u32).map(|number| (number * 31 % 253) as u8).collect();
    let (turns, stops) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, stopped, held) = (Arc::clone(&turns), Arc::clone(&stops), song.clone());
    let stub = Stub::start(move |asked| {
        let reply = part(asked, &held);
        match counted.fetch_add(1, Ordering::SeqCst) {
            0 => Reply { breaks_after: Some(1_000_000), ..reply },
            // Says nothing as long as the first server lives.
            1 => {
                while stopped.load(Ordering::SeqCst) == 0 {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Reply::status(503)
            }
            _ => reply,
        }
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let (allowed, data) = (stub.address.to_string(), folder.path().to_owned());
    let spawn = async || {
        TestApp::spawn_with(|config| {
            data.clone_into(&mut config.data);
            data.clone_into(&mut config.drive);
            config.egress.allow = vec![allowed.parse().unwrap()];
        })
        .await
    };
    let app = spawn().await;
    let accounts = app.services.accounts.clone();
    let operator = accounts.operator();
    accounts.ensure_first_admin("root", "the admin's own").await.unwrap();
    accounts.create_user(&operator, &NewUser::new("bob", "correct horse")).await.unwrap();
    app.services.outside.set_on(&operator, Feature::Deliveries, true).await.unwrap();
    let (_, key) = accounts.create_delivery_key(&operator, "shop", "root").await.unwrap();
    let order = json!({
        "user": "bob", "order": "1", "grants": [{ "bytes": 500 }],
        "items": [{ "url": stub.url("/song.flac"), "path": "Music/song.flac" }],
    });
    let send = async |app: &TestApp| {
        let request = Client::new().post(app.url("/api/v1/deliveries")).bearer_auth(&key);
        let answer = request.json(&order).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json::<Value>().await.unwrap())
    };
    let (status, told) = send(&app).await;
    assert_eq!((status, &told["state"]), (202, &json!("running")), "{told}");
    while turns.load(Ordering::SeqCst) < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(app);
    let app = spawn().await;
    stops.store(1, Ordering::SeqCst);
    let place = format!("/api/v1/deliveries/{}", told["id"].as_str().unwrap());
    let done = loop {
        let asked = Client::new().get(app.url(&place)).bearer_auth(&key).send().await.unwrap();
        let told: Value = asked.json().await.unwrap();
        if told["state"] == "done" {
            break told;
        }
        assert_ne!(told["items"][0]["state"], "failed", "{told}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(done["items"][0]["size"], song.len());
    assert!(std::fs::read(data.join("lockers/bob/Music/song.flac")).unwrap() == song);
    assert_eq!(std::fs::read_dir(data.join("staging")).unwrap().count(), 0);
    let last = stub.asked("/song.flac").pop().unwrap();
    let range = last.headers.get("range").expect("the rest alone is asked for");
    assert!(range.starts_with("bytes=") && range != "bytes=0-", "{range}");
    let grants = app.services.accounts.grants(&operator, "bob").await.unwrap();
    assert_eq!(grants.len(), 1, "granted once");
    assert_eq!(send(&app).await.0, 200);
}
