//! What a shop hands over: the example of a full locker and an album, the same order twice, files
//! that fail, accounts that are made, and a folder on the server's disk.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tunelocker::{
    accounts::{NewUser, SetUpState},
    drive::{Condition, NewUpload, RelativePath, Target},
};

use super::{DAY, Desk, NOW};
use crate::{
    harness::music,
    outside::stub::{Reply, Stub},
};

const GB: u64 = 1_000_000_000;
pub(super) const ORDER: &str = "deliveries";

impl Desk {
    /// A key that hands over what the administrator uploaded.
    pub(super) async fn key(&self) -> String {
        let label = json!({ "label": "The shop" });
        let made = Self::json(self.as_admin(Method::POST, "delivery-keys").json(&label)).await;
        made["secret"].as_str().unwrap().to_owned()
    }

    /// A whole part upload of the administrator.
    pub(super) async fn part(&self, bytes: &[u8]) -> String {
        let (drive, admin) = (&self.lockers.drive, &self.lockers.admin);
        let locker = self.lockers.accounts.lockers(admin).await.unwrap()[0].id;
        let new = NewUpload {
            path: None,
            locker,
            condition: Condition::None,
            length: bytes.len() as u64,
            metadata: String::new(),
        };
        let upload = drive.create_upload(admin, &new).await.unwrap();
        let (send, body) = tokio::sync::mpsc::channel(4);
        let bytes = bytes::Bytes::copy_from_slice(bytes);
        let sending = tokio::spawn(async move { send.send(bytes).await.unwrap() });
        let id = upload.id.clone();
        drive.clone().append_upload(admin.clone(), id, 0, None, body).await.unwrap();
        sending.await.unwrap();
        upload.id
    }

    /// An album of two songs that was uploaded, as items of an order.
    async fn album(&self) -> Value {
        let folder = tempfile::tempdir().unwrap();
        let mut items = Vec::new();
        for number in [1, 2] {
            let title = format!("Song {number}");
            let name = format!("{number}.flac");
            let song = music::flac(&name).of("The Band", "The Album", &title).number(number);
            let bytes = std::fs::read(song.write(folder.path())).unwrap();
            let upload = self.part(&bytes).await;
            items.push(json!({ "upload": upload, "path": format!("Music/The Album/{name}") }));
        }
        Value::Array(items)
    }

    pub(super) async fn deliver(&self, key: &str, order: &Value) -> (StatusCode, Value) {
        let request = self.request(key, Method::POST, ORDER).json(order);
        let (status, text) = crate::web::schema::send(request).await;
        let answer = serde_json::from_str(&text).unwrap_or(Value::Null);
        (StatusCode::from_u16(status).unwrap(), answer)
    }

    /// How a delivery stands when nothing of it is under way any more.
    pub(super) async fn delivered(&self, key: &str, order: &Value) -> Value {
        let (status, mut answer) = self.deliver(key, order).await;
        assert!(status.is_success(), "{status}: {answer}");
        let address = format!("{ORDER}/{}", answer["id"].as_str().unwrap());
        while answer["state"] == "running" {
            tokio::time::sleep(Duration::from_millis(5)).await;
            answer = Self::json(self.request(key, Method::GET, &address)).await;
        }
        answer
    }

    /// What is used and what is not counted; sparse, so that gigabytes cost nothing.
    async fn fill(&self, bytes: u64) {
        let path = self.lockers.folder().join("big.bin");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::File::create(path).unwrap().set_len(bytes).unwrap();
        self.lockers.drive.reconcile().await.unwrap();
    }
}

/// The specification's example, to the letter.
#[tokio::test]
async fn an_album_makes_a_year_of_plus_and_then_all_is_as_before_and_nothing_lost() {
    let desk = Desk::new(5 * GB).await;
    let rule = json!({ "product": "album", "plan": "Plus", "days": 365 });
    Desk::json(desk.as_admin(Method::POST, "bonus-rules").json(&rule)).await;
    desk.fill(4_900_000_000).await;
    assert_eq!(desk.storage().await["used"], 4_900_000_000_u64);
    let key = desk.key().await;
    // 100 MB of booklet make it an album that would not fit.
    let mut items = desk.album().await;
    let booklet = desk.part(&vec![7; 100_000_000]).await;
    let booklet = json!({ "upload": booklet, "path": "Music/The Album/booklet.pdf" });
    items.as_array_mut().unwrap().push(booklet);
    let order = json!({ "user": "ann", "order": "A-1", "items": items });
    let (status, done) = desk.deliver(&key, &order).await;
    assert_eq!((status, &done["state"]), (StatusCode::CREATED, &json!("done")), "{done}");

    let storage = desk.storage().await;
    assert_eq!(storage["used"], 4_900_000_000_u64, "what is bought does not count");
    assert!(100_000_000 < storage["exempt"].as_u64().unwrap());
    assert_eq!(storage["quota"], 20 * GB);
    let end = NOW + i64::try_from(365 * DAY.as_millis()).unwrap();
    assert_eq!(storage["parts"]["next"], json!({ "at": end, "quota": 5 * GB }));
    assert_eq!(storage["parts"]["grants"][0]["origin"], "rule");
    // It plays at once.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    let song = loop {
        let found = Desk::json(desk.as_ann(Method::GET, "tracks")).await;
        let songs = found["items"].as_array().unwrap().clone();
        if let Some(song) = songs.iter().find(|song| song["title"] == "Song 2") {
            break song["id"].as_str().unwrap().to_owned();
        }
        assert!(tokio::time::Instant::now() < deadline, "it never came");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let stream = format!("tracks/{song}/stream");
    assert_eq!(Desk::status(desk.as_ann(Method::GET, &stream)).await, 200);
    let rows = desk.explained().await;
    assert_eq!(rows.iter().filter(|row| row["reason"] == "delivery").count(), 3);

    desk.clock.advance(365 * DAY);
    let storage = desk.storage().await;
    assert_eq!((&storage["quota"], &storage["used"]), (&json!(5 * GB), &json!(4_900_000_000_u64)));
    assert_eq!(storage["overSince"], Value::Null);
    assert_eq!(Desk::status(desk.as_ann(Method::GET, &stream)).await, 200, "nothing is lost");
    assert!(desk.lockers.folder().join("Music/The Album/booklet.pdf").exists());
    // The shop's own locker got back what was promised to the uploads.
    let shop = Desk::json(desk.as_admin(Method::GET, "storage")).await;
    assert_eq!((&shop["used"], &shop["reserved"]), (&json!(0), &json!(0)));
    assert_eq!(desk.lockers.staged(), 0);
}

#[tokio::test]
async fn an_order_is_carried_out_once_and_goes_on_where_it_failed() {
    let desk = Desk::new(1_000).await;
    let key = desk.key().await;
    desk.lockers.put("a.txt", b"ann's own").await.unwrap();
    let there = desk.part(b"first").await;
    let grants = json!([{ "bytes": 500, "days": 30 }]);
    let items = json!([
        { "upload": there, "path": "a.txt" },
        { "upload": "not-there", "path": "b.txt" },
    ]);
    let order = json!({ "user": "ann", "order": "1", "grants": grants, "items": items });
    let (status, open) = desk.deliver(&key, &order).await;
    assert_eq!((status, &open["state"]), (StatusCode::ACCEPTED, &json!("open")));
    // What was there already is not replaced.
    assert_eq!(open["items"][0]["path"], "a (2).txt");
    assert_eq!(open["items"][0]["state"], "stored");
    assert_eq!(open["items"][1]["state"], "failed");
    assert_eq!(open["items"][1]["problem"], "Upload not found");
    assert_eq!(desk.storage().await["quota"], 1_000, "nothing is granted for half of it");
    let (_, again) = desk.deliver(&key, &order).await;
    assert_eq!(again["id"], open["id"]);
    assert_eq!(again["items"][0], open["items"][0]);
    assert_eq!(std::fs::read(desk.lockers.folder().join("a.txt")).unwrap(), b"ann's own");
    let other = json!({ "user": "ann", "order": "1", "items": [{ "upload": "x" }] });
    assert_eq!(desk.deliver(&key, &other).await.0, StatusCode::CONFLICT);

    let upload = desk.part(b"second").await;
    let items = json!([{ "upload": upload, "path": "c.txt" }]);
    let order = json!({ "user": "ann", "order": "2", "grants": grants, "items": items });
    let together = tokio::join!(
        desk.deliver(&key, &order),
        desk.deliver(&key, &order),
        desk.deliver(&key, &order)
    );
    let mut statuses = Vec::new();
    for (status, done) in [together.0, together.1, together.2] {
        assert_eq!(done["state"], "done", "{done}");
        statuses.push(status.as_u16());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 201], "one carried it out");
    assert_eq!(desk.storage().await["quota"], 1_500, "granted once");
    let usage = desk.lockers.usage().await;
    assert_eq!((usage.used, usage.exempt), (9, 11));
    // Files that count are held to the quota like any.
    let upload = desk.part(&[1; 2_000]).await;
    let items = json!([{ "upload": upload, "path": "d.txt" }]);
    let order = json!({ "user": "ann", "order": "3", "exempt": null, "items": items });
    let (_, refused) = desk.deliver(&key, &order).await;
    let problem = refused["items"][0]["problem"].as_str().unwrap();
    assert!(problem.starts_with("This does not fit"), "{problem}");
    desk.explained().await;
}

#[tokio::test]
async fn keys_open_one_door_and_end() {
    let desk = Desk::new(1_000).await;
    let key = desk.key().await;
    let order = json!({ "user": "nobody", "order": "1", "items": [{ "upload": "x" }] });
    assert_eq!(desk.deliver(&key, &order).await.0, StatusCode::NOT_FOUND);
    assert_eq!(desk.deliver("tld_wrong", &order).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(desk.deliver(desk.secret(), &order).await.0, StatusCode::UNAUTHORIZED);
    // It is no password for anything else.
    for path in ["session", "storage", "deliveries", "files/"] {
        let status = Desk::status(desk.request(&key, Method::GET, path)).await;
        assert_eq!(status, 401, "{path}");
    }
    let label = json!({ "label": "mine" });
    let forbidden = desk.as_ann(Method::POST, "delivery-keys").json(&label);
    assert_eq!(Desk::status(forbidden).await, 403);
    let keys = Desk::json(desk.as_admin(Method::GET, "delivery-keys")).await;
    assert!(keys["items"][0]["usedAt"].is_i64());
    assert!(!keys.to_string().contains(&key));
    let path = format!("delivery-keys/{}", keys["items"][0]["id"].as_str().unwrap());
    assert_eq!(Desk::status(desk.as_admin(Method::DELETE, &path)).await, 204);
    assert_eq!(desk.deliver(&key, &order).await.0, StatusCode::UNAUTHORIZED);
    // Addresses are asked only where an administrator wants it.
    let key = desk.key().await;
    let items = json!([{ "url": "http://127.0.0.1:9/x.flac" }]);
    let order = json!({ "user": "ann", "order": "2", "items": items });
    let refused = desk.delivered(&key, &order).await;
    let problem = refused["items"][0]["problem"].as_str().unwrap();
    assert!(problem.contains("switched off"), "{problem}");
    let on = desk.as_admin(Method::PUT, "outside/deliveries").json(&json!({ "on": true }));
    assert_eq!(Desk::status(on).await, 204);
    let refused = desk.delivered(&key, &order).await;
    let problem = refused["items"][0]["problem"].as_str().unwrap();
    assert!(problem.contains("not one that is fetched from"), "{problem}");
}

#[tokio::test]
async fn an_account_is_made_and_its_owner_gets_in_by_the_invitation() {
    let desk = Desk::new(1_000).await;
    let key = desk.key().await;
    let upload = desk.part(b"song").await;
    let items = json!([{ "upload": upload, "path": "s.txt" }]);
    let order = json!({ "user": "Bob.Low@example.org", "order": "1", "items": items });
    assert_eq!(desk.deliver(&key, &order).await.0, StatusCode::NOT_FOUND);
    let mut order = order;
    order["create"] = json!(true);
    let (status, done) = desk.deliver(&key, &order).await;
    assert_eq!((status, &done["user"]), (StatusCode::CREATED, &json!("bob-low")), "{done}");
    let (_, again) = desk.deliver(&key, &order).await;
    assert_eq!(done["invitation"], again["invitation"], "shown again while it waits");
    let link = done["invitation"]["url"].as_str().unwrap();
    let path = &link[link.find("/invite/").unwrap()..];
    let jar = reqwest::Client::builder()
        .cookie_store(true)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let page = jar.get(desk.lockers.app.url(path)).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    assert!(page.contains("bob-low"));
    let token = page.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let accept = async |password: &str| {
        let fields = [("token", token), ("password", password)];
        jar.post(desk.lockers.app.url(path)).form(&fields).send().await.unwrap().status()
    };
    assert_eq!(accept("short").await, 400);
    assert_eq!(accept("bob's very own").await, 303);
    let session = jar.get(desk.lockers.app.url("/api/v1/session")).send().await.unwrap();
    let session: Value = session.json().await.unwrap();
    assert!(session.to_string().contains("bob-low"), "{session}");
    assert_eq!(jar.get(desk.lockers.app.url(path)).send().await.unwrap().status(), 404);
    let (_, over) = desk.deliver(&key, &order).await;
    assert_eq!(over["invitation"], Value::Null);
}

#[tokio::test]
async fn what_is_dropped_into_a_folder_is_delivered() {
    let desk = Desk::new(1_000).await;
    let folder = desk.lockers.drive_root().join("drop/ann/Order 7/Album");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("1.txt"), b"one").unwrap();
    std::fs::write(folder.join("2.txt"), b"two").unwrap();
    let there = desk.lockers.folder().join("Music/Order 7/Album/2.txt");
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    while !there.exists() || folder.exists() {
        assert!(tokio::time::Instant::now() < deadline, "it was not taken in");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let usage = desk.lockers.usage().await;
    assert_eq!((usage.used, usage.exempt), (0, 6));
    let own = Desk::json(desk.as_ann(Method::GET, ORDER)).await;
    assert_eq!(own["items"][0]["state"], "done");
    assert!(own["items"][0]["order"].as_str().unwrap().starts_with("Order 7"));

    // The same order again, of the same names and sizes: other bytes are another delivery.
    let aside = desk.lockers.drive_root().join("Order 7");
    std::fs::create_dir_all(aside.join("Album")).unwrap();
    std::fs::write(aside.join("Album/1.txt"), b"one").unwrap();
    std::fs::write(aside.join("Album/2.txt"), b"TWO").unwrap();
    std::fs::rename(&aside, desk.lockers.drive_root().join("drop/ann/Order 7")).unwrap();
    while desk.lockers.drive_root().join("drop/ann/Order 7").exists() {
        assert!(tokio::time::Instant::now() < deadline, "it was not taken in");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let stored = there.with_file_name("2 (2).txt");
    assert_eq!(std::fs::read(stored).unwrap(), b"TWO", "nothing is deleted that was not stored");
}

/// A host for others begins with the rule; a household without one.
#[tokio::test]
async fn a_host_begins_with_the_album_bonus() {
    let app = crate::harness::TestApp::spawn().await;
    let accounts = &app.services.accounts;
    assert_eq!(accounts.set_up_state().await.unwrap(), SetUpState::Needed);
    let token = accounts.set_up_token().await.unwrap().unwrap();
    let origin = crate::accounts::from("127.0.0.1");
    let mode = tunelocker::accounts::Mode::Hosting;
    accounts.complete_set_up(&token, mode, "root", "the admin's own", &origin).await.unwrap();
    let rules = accounts.bonus_rules(&accounts.operator()).await.unwrap();
    assert_eq!(rules.len(), 1);
    assert_eq!(
        (rules[0].days, &rules[0].gives),
        (Some(365), &tunelocker::accounts::Gives::Plan("Plus".to_owned()))
    );
    accounts.remove_bonus_rule(&accounts.operator(), rules[0].id).await.unwrap();
    assert!(accounts.bonus_rules(&accounts.operator()).await.unwrap().is_empty());
    let new = NewUser::new("kim", "kim's very own");
    let kim = accounts.create_user(&accounts.operator(), &new).await.unwrap();
    let kim = accounts.principal(kim).await.unwrap();
    let locker = accounts.lockers(&kim).await.unwrap()[0].id;
    let path = RelativePath::parse("x").unwrap();
    let target = Target { locker, path, condition: Condition::None };
    let body = crate::drive::body(b"x");
    app.services.drive.put(&kim, &target, Some(1), body).await.unwrap();
}

/// With a key alone: the shop sends the bytes, then says whose they are.
#[tokio::test]
async fn a_shop_uploads_with_its_key_and_sees_nothing_else() {
    let desk = Desk::new(1_000).await;
    let key = desk.key().await;
    let tus = |method: Method, path: &str| {
        desk.request(&key, method, path).header("tus-resumable", "1.0.0")
    };
    // What its client says of a path is a name and no place.
    let made = tus(Method::POST, "uploads")
        .header("upload-length", "10")
        .header("upload-metadata", "filename Ym9vay5wZGY=,locker aG91c2Vob2xk")
        .send()
        .await
        .unwrap();
    assert_eq!(made.status(), StatusCode::CREATED);
    let place = made.headers()["location"].to_str().unwrap().to_owned();
    let upload = place.rsplit_once("/api/v1/").unwrap().1.to_owned();
    let send = async |offset: &str, bytes: &'static str| {
        let part = tus(Method::PATCH, &upload)
            .header("upload-offset", offset)
            .header("content-type", "application/offset+octet-stream")
            .body(bytes);
        Desk::status(part).await
    };
    assert_eq!(send("0", "01234").await, 204);
    let head = tus(Method::HEAD, &upload).send().await.unwrap();
    assert_eq!(head.headers()["upload-offset"], "5", "it goes on where it broke off");
    assert_eq!(send("5", "56789").await, 204);
    assert!(!desk.lockers.folder().join("book.pdf").exists(), "it is nobody's yet");
    let items = json!([{ "upload": place, "path": "Music/book.pdf" }]);
    let order = json!({ "user": "ann", "order": "1", "items": items });
    let (status, done) = desk.deliver(&key, &order).await;
    assert_eq!((status, &done["state"]), (StatusCode::CREATED, &json!("done")), "{done}");
    let stored = std::fs::read(desk.lockers.folder().join("Music/book.pdf")).unwrap();
    assert_eq!(stored, b"0123456789");

    // Of the account behind it, it sees and makes nothing else.
    let (drive, admin) = (&desk.lockers.drive, &desk.lockers.admin);
    let locker = desk.lockers.accounts.lockers(admin).await.unwrap()[0].id;
    let own = NewUpload {
        path: Some(RelativePath::parse("private").unwrap()),
        locker,
        condition: Condition::None,
        length: 5,
        metadata: String::new(),
    };
    let own = drive.create_upload(admin, &own).await.unwrap().id;
    for method in [Method::HEAD, Method::DELETE] {
        assert_eq!(Desk::status(tus(method, &format!("uploads/{own}"))).await, 404);
    }
    let joined = tus(Method::POST, "uploads").header("upload-concat", format!("final;{place}"));
    assert_eq!(Desk::status(joined).await, 403);
    assert_eq!(Desk::status(desk.request("tld_wrong", Method::POST, "uploads")).await, 401);
    let keys = Desk::json(desk.as_admin(Method::GET, "delivery-keys")).await;
    let path = format!("delivery-keys/{}", keys["items"][0]["id"].as_str().unwrap());
    assert_eq!(Desk::status(desk.as_admin(Method::DELETE, &path)).await, 204);
    let late = tus(Method::POST, "uploads").header("upload-length", "1");
    assert_eq!(Desk::status(late).await, 401, "a revoked key opens nothing");
}

/// Addresses are fetched from where an administrator wants that, and what fails is tried again with
/// the same order.
#[tokio::test]
async fn files_are_fetched_from_the_shops_addresses() {
    let stub = Stub::start(|asked| match asked.place() {
        "/1.flac" => Reply::ok("audio/flac", vec![1; 300]),
        "/2.flac" => Reply::ok("audio/flac", vec![2; 200]),
        _ => Reply::status(404),
    })
    .await;
    let address = stub.url("");
    let address = address.strip_prefix("http://").unwrap().trim_end_matches('/').to_owned();
    let clock = tunelocker::clock::Clock::manual(NOW);
    let app = crate::harness::TestApp::spawn_at(clock.clone(), |config| {
        config.drive = config.data.with_file_name("drive");
        config.egress.allow = vec![address.parse().unwrap()];
    })
    .await;
    let desk = Desk::over(app, clock, 1_000).await;
    let on = desk.as_admin(Method::PUT, "outside/deliveries").json(&json!({ "on": true }));
    assert_eq!(Desk::status(on).await, 204);
    let key = desk.key().await;
    let item = |name: &str| json!({ "url": stub.url(name), "path": format!("Music/Album{name}") });
    let items = json!([item("/1.flac"), item("/2.flac"), item("/3.flac")]);
    let order = json!({ "user": "ann", "order": "1", "items": items });
    let open = desk.delivered(&key, &order).await;
    assert_eq!(open["state"], "open", "{open}");
    let problem = open["items"][2]["problem"].as_str().unwrap();
    assert!(problem.ends_with("answers 404"), "{problem}");
    let file = |name: &str| std::fs::read(desk.lockers.folder().join("Music/Album").join(name));
    assert_eq!(file("1.flac").unwrap(), vec![1; 300]);
    assert_eq!(file("2.flac").unwrap(), vec![2; 200]);
    stub.answer(|_| Reply::ok("audio/flac", vec![3; 100]));
    let done = desk.delivered(&key, &order).await;
    assert_eq!(done["state"], "done", "{done}");
    assert_eq!(file("3.flac").unwrap(), vec![3; 100]);
    let asked = ["/1.flac", "/2.flac", "/3.flac"].map(|path| stub.asked(path).len());
    assert_eq!(asked, [1, 1, 2], "what is there is not fetched again");
    let usage = desk.lockers.usage().await;
    assert_eq!((usage.used, usage.exempt), (0, 600));
    desk.explained().await;
}
