//! What does not count needs no room: in a locker that is full to the byte, and in one that is over
//! its quota; and nothing that counts slips in with it.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tunelocker::{accounts::PlanChange, clock::Clock};

use super::{DAY, Desk, NOW};
use crate::{
    harness::TestApp,
    outside::stub::{Reply, Stub},
};

impl Desk {
    /// A desk whose shop has addresses at the stub.
    pub(super) async fn with_shop(stub: &Stub, quota: u64) -> Self {
        let address = stub.address.to_string();
        let clock = Clock::manual(NOW);
        let app = TestApp::spawn_at(clock.clone(), |config| {
            config.drive = config.data.with_file_name("drive");
            config.egress.allow = vec![address.parse().unwrap()];
        })
        .await;
        let desk = Self::over(app, clock, quota).await;
        let on = desk.as_admin(Method::PUT, "outside/deliveries").json(&json!({ "on": true }));
        assert_eq!(Self::status(on).await, 204);
        desk
    }

    async fn set_quota(&self, bytes: u64) {
        let change = PlanChange { quota: Some(Some(bytes)), ..PlanChange::default() };
        self.lockers.accounts.set_plan(&self.lockers.admin, "Test", &change).await.unwrap();
    }

    /// The first file of an order that counts, as it stands.
    async fn counted(&self, key: &str, order: &str, upload: &str) -> Value {
        let items = json!([{ "upload": upload, "path": format!("counted/{order}") }]);
        let order = json!({ "user": "ann", "order": order, "exempt": null, "items": items });
        self.deliver(key, &order).await.1["items"][0].clone()
    }
}

#[tokio::test]
async fn an_exempt_delivery_comes_into_a_locker_that_is_full_or_over() {
    let stub = Stub::start(|asked| match asked.place() {
        "/told.flac" => Reply::ok("audio/flac", vec![1; 30_000]),
        _ => Reply { is_untold: true, ..Reply::ok("audio/flac", vec![2; 30_000]) },
    })
    .await;
    let desk = Desk::with_shop(&stub, 10_000).await;
    let key = desk.key().await;
    desk.lockers.put("full.bin", &[9; 10_000]).await.unwrap();
    let mut exempt = 0;
    for (at, round) in ["full", "over", "long over"].into_iter().enumerate() {
        match at {
            1 => desk.set_quota(4_000).await,
            2 => desk.clock.advance(200 * DAY),
            _ => (),
        }
        let upload = desk.part(&[3; 30_000]).await;
        let counted = desk.part(&[4]).await;
        let items = json!([
            { "upload": upload, "path": format!("Music/{round}/sent.flac") },
            { "url": stub.url("/told.flac"), "path": format!("Music/{round}/told.flac") },
            { "url": stub.url("/untold.flac"), "path": format!("Music/{round}/untold.flac") },
        ]);
        let order = json!({ "user": "ann", "order": round, "items": items });
        let done = desk.delivered(&key, &order).await;
        assert_eq!(done["state"], "done", "{done}");
        exempt += 3 * 30_000;
        let usage = desk.lockers.usage().await;
        assert_eq!((usage.used, usage.exempt, usage.reserved), (10_000, exempt, 0), "{round}");
        assert_eq!(desk.lockers.on_disk(), 10_000 + exempt);
        // One byte that counts does not come with it.
        let refused = desk.counted(&key, &format!("{round} and more"), &counted).await;
        let word = if at == 2 { "locker_full_grace" } else { "quota_exceeded" };
        assert_eq!((&refused["state"], &refused["type"]), (&json!("failed"), &json!(word)));
        assert!(desk.lockers.put("more.bin", &[1]).await.is_err(), "{round}");
        assert_eq!(desk.lockers.usage().await.used, 10_000);
    }
    desk.explained().await;
    assert_eq!(desk.lockers.drive.examine().await.unwrap(), Vec::<String>::new());
}

/// A file that does not count is made to share its bytes with another, and parted from it again.
#[tokio::test]
async fn an_exempt_file_is_linked_without_room() {
    let desk = Desk::new(100_000).await;
    let key = desk.key().await;
    let song = vec![5; 50_000];
    desk.lockers.put("own.flac", &song).await.unwrap();
    let items = json!([{ "upload": desk.part(&song).await, "path": "Music/bought.flac" }]);
    let order = json!({ "user": "ann", "order": "1", "items": items });
    assert_eq!(desk.deliver(&key, &order).await.0, StatusCode::CREATED);
    desk.lockers.put("full.bin", &[9; 50_000]).await.unwrap();
    for round in ["full", "over"] {
        if round == "over" {
            desk.set_quota(4_000).await;
        }
        let groups = Desk::json(desk.as_ann(Method::GET, "duplicates?kind=exact")).await;
        let wish = json!({
            "what": "link", "kind": "exact", "key": groups["groups"][0]["key"],
            "locker": desk.lockers.locker.to_string(), "path": "Music/bought.flac",
        });
        let linked = Desk::json(desk.as_ann(Method::POST, "duplicates").json(&wish)).await;
        let usage = desk.lockers.usage().await;
        assert_eq!((usage.used, usage.exempt, usage.reserved), (100_000, 50_000, 0), "{round}");
        let back = format!("duplicates/done/{}", linked["id"]);
        assert_eq!(Desk::status(desk.as_ann(Method::DELETE, &back)).await, 204, "{round}");
        let usage = desk.lockers.usage().await;
        assert_eq!((usage.used, usage.exempt, usage.reserved), (100_000, 50_000, 0), "{round}");
    }
    desk.explained().await;
    assert_eq!(desk.lockers.drive.examine().await.unwrap(), Vec::<String>::new());
}
