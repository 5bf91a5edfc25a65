//! Grants come and end, exempt files do not count, and the ledger tells why.

use reqwest::Method;
use serde_json::json;
use tunelocker::Error;

use super::{DAY, Desk, NOW};

const YEAR: i64 = 365 * 24 * 3600 * 1000;

#[tokio::test]
async fn a_tier_for_a_year_comes_and_ends_and_nothing_is_lost() {
    let desk = Desk::new(1_000).await;
    desk.lockers.put("a", &[1; 900]).await.unwrap();
    assert!(desk.lockers.put("b", &[1; 700]).await.is_err());
    let tier = json!({ "tier": 3_000, "endsAt": NOW + YEAR, "reason": "a present" });
    assert_eq!(Desk::status(desk.as_ann(Method::POST, "users/ann/grants").json(&tier)).await, 403);
    for nothing in [json!({ "bytes": 0 }), json!({ "tier": 0 })] {
        let request = desk.as_admin(Method::POST, "users/ann/grants").json(&nothing);
        assert_eq!(Desk::status(request).await, 400, "{nothing}");
    }
    let grant = Desk::json(desk.as_admin(Method::POST, "users/ann/grants").json(&tier)).await;
    let more = json!({ "bytes": 100, "reason": "for ever" });
    Desk::json(desk.as_admin(Method::POST, "users/ann/grants").json(&more)).await;
    desk.lockers.put("b", &[1; 700]).await.unwrap();

    let storage = desk.storage().await;
    assert_eq!((&storage["quota"], &storage["used"]), (&json!(3_100), &json!(1_600)));
    let parts = &storage["parts"];
    assert_eq!((&parts["plan"], &parts["planQuota"]), (&json!("Test"), &json!(1_000)));
    assert_eq!(parts["next"], json!({ "at": NOW + YEAR, "quota": 1_100 }));
    assert_eq!(parts["grants"].as_array().unwrap().len(), 2);
    assert_eq!(parts["grants"][1]["id"], grant["id"]);

    desk.clock.advance(365 * DAY);
    let storage = desk.storage().await;
    assert_eq!((&storage["quota"], &storage["used"]), (&json!(1_100), &json!(1_600)));
    assert_eq!(storage["overSince"], json!(NOW + YEAR));
    let refused = desk.lockers.put("c", &[1]).await;
    let Err(Error::QuotaExceeded { used: 1_600, quota: 1_100, needed: 1 }) = refused else {
        panic!("{refused:?}")
    };
    // All else goes on: reading, moving, making smaller.
    let read = desk.as_ann(Method::GET, "files/b").send().await.unwrap();
    assert_eq!(read.bytes().await.unwrap().len(), 700);
    desk.lockers.put("b", &[1; 650]).await.unwrap();
    let to = json!({ "to": "moved" });
    assert_eq!(Desk::status(desk.as_ann(Method::POST, "files/b").json(&to)).await, 201);

    desk.clock.advance(180 * DAY);
    let refused = desk.as_ann(Method::PUT, "files/c").body("x").send().await.unwrap();
    assert_eq!(refused.status(), 413);
    let problem: serde_json::Value = refused.json().await.unwrap();
    assert_eq!(problem["type"], "locker_full_grace");
    assert_eq!((&problem["used"], &problem["quota"]), (&json!(1_550), &json!(1_100)));
    assert_eq!(desk.lockers.on_disk(), 1_550, "nothing was deleted");
    assert_eq!(Desk::status(desk.as_ann(Method::DELETE, "files/a")).await, 200);
    desk.explained().await;
}

#[tokio::test]
async fn a_grant_is_moved_and_taken_back_and_a_plan_in_use_stays() {
    let desk = Desk::new(1_000).await;
    let grant = json!({ "plan": "Plus", "endsAt": NOW + YEAR });
    let grant = Desk::json(desk.as_admin(Method::POST, "users/ann/grants").json(&grant)).await;
    let id = grant["id"].as_str().unwrap();
    assert_eq!(desk.storage().await["quota"], 20_000_000_000_u64);
    assert_eq!(Desk::status(desk.as_admin(Method::DELETE, "plans/Plus")).await, 409);
    let shorter = json!({ "endsAt": NOW + 1 });
    let change = desk.as_admin(Method::PATCH, &format!("grants/{id}")).json(&shorter);
    assert_eq!(Desk::status(change).await, 204);
    desk.clock.advance(DAY);
    assert_eq!(desk.storage().await["quota"], 1_000);
    assert_eq!(Desk::status(desk.as_admin(Method::DELETE, "plans/Plus")).await, 204);
    let tier = json!({ "tier": 5_000 });
    let tier = Desk::json(desk.as_admin(Method::POST, "users/ann/grants").json(&tier)).await;
    assert_eq!(desk.storage().await["quota"], 5_000);
    let path = format!("grants/{}", tier["id"].as_str().unwrap());
    assert_eq!(Desk::status(desk.as_ann(Method::DELETE, &path)).await, 403);
    assert_eq!(Desk::status(desk.as_admin(Method::DELETE, &path)).await, 204);
    assert_eq!(Desk::status(desk.as_admin(Method::DELETE, &path)).await, 404);
    assert_eq!(desk.storage().await["quota"], 1_000);
    let rows = desk.explained().await;
    assert_eq!(rows.iter().filter(|row| row["reason"] == "grant").count(), 4, "{rows:#?}");
    assert!(rows[0]["note"].as_str().unwrap().ends_with("allowed now: 1 kB"), "{:?}", rows[0]);
    // Of others nothing is told.
    let other = desk.as_ann(Method::GET, "users/root/grants");
    assert_eq!(Desk::status(other).await, 404);
    assert_eq!(Desk::status(desk.as_ann(Method::GET, "ledger?user=root")).await, 404);
}

/// The household's files like anybody's, where no one is named.
#[tokio::test]
async fn the_households_files_may_be_exempt() {
    let desk = Desk::new(1_000).await;
    Desk::json(desk.as_ann(Method::PUT, "files/ours?locker=household").body(vec![7; 400])).await;
    let gift = json!({ "path": "ours", "reason": "gift" });
    assert_eq!(Desk::status(desk.as_ann(Method::PUT, "exempt").json(&gift)).await, 403);
    let counted =
        async || Desk::json(desk.as_admin(Method::GET, "household")).await["used"].clone();
    assert_eq!(counted().await, 400);
    let done = Desk::json(desk.as_admin(Method::PUT, "exempt").json(&gift)).await;
    assert_eq!((&done["files"], counted().await), (&json!(1), json!(0)));
    let named = Desk::json(desk.as_admin(Method::GET, "contents?path=ours")).await;
    assert_eq!(named["hash"], json!(blake3::hash(&[7; 400]).to_hex().to_string()));
    assert_eq!(Desk::status(desk.as_ann(Method::GET, "contents?path=ours")).await, 403);
    let counts = json!({ "path": "ours", "reason": null });
    Desk::json(desk.as_admin(Method::PUT, "exempt").json(&counts)).await;
    assert_eq!(counted().await, 400);
}

#[tokio::test]
async fn what_is_exempt_does_not_count_until_it_is_replaced() {
    let desk = Desk::new(1_000).await;
    desk.lockers.put("album/one", &[1; 400]).await.unwrap();
    desk.lockers.put("album/two", &[1; 300]).await.unwrap();
    let gift = json!({ "user": "ann", "path": "album", "reason": "gift" });
    assert_eq!(Desk::status(desk.as_ann(Method::PUT, "exempt").json(&gift)).await, 403);
    let done = Desk::json(desk.as_admin(Method::PUT, "exempt").json(&gift)).await;
    assert_eq!(done["files"], 2);
    let usage = desk.lockers.usage().await;
    assert_eq!((usage.used, usage.exempt), (0, 700));
    desk.lockers.put("full", &[1; 1_000]).await.unwrap();
    // One's own content in its place counts.
    assert!(desk.lockers.put("album/one", &[2; 1]).await.is_err());
    desk.lockers.put("full", &[1; 10]).await.unwrap();
    desk.lockers.put("album/one", &[2; 50]).await.unwrap();
    let counts = json!({ "user": "ann", "path": "album/two", "reason": null });
    Desk::json(desk.as_admin(Method::PUT, "exempt").json(&counts)).await;
    let usage = desk.lockers.usage().await;
    assert_eq!((usage.used, usage.exempt), (360, 0));
    let nothing = json!({ "user": "ann", "path": "none", "reason": "gift" });
    assert_eq!(Desk::status(desk.as_admin(Method::PUT, "exempt").json(&nothing)).await, 404);
    let rows = desk.explained().await;
    assert_eq!(rows.iter().filter(|row| row["reason"] == "exempt").count(), 3);
    // It outlasts a look at the disk.
    desk.lockers.drive.reconcile().await.unwrap();
    assert_eq!(desk.lockers.usage().await.used, 360);
}

#[tokio::test]
async fn what_is_not_said_of_a_plan_stays() {
    let desk = Desk::new(1_000).await;
    let quota = async |name: &str| {
        let plans = Desk::json(desk.as_admin(Method::GET, "plans")).await;
        let found = plans["items"].as_array().unwrap().iter().find(|one| one["name"] == name);
        found.map(|one| one["quota"].clone())
    };
    for (name, body, status, left) in [
        ("Test", json!({}), 204, Some(json!(1_000))),
        ("Test", json!({ "label": "x" }), 204, Some(json!(1_000))),
        ("Test", json!({ "quota": 2_000 }), 204, Some(json!(2_000))),
        ("Test", json!({ "quota": null }), 204, Some(json!(null))),
        ("New", json!({}), 400, None),
        ("New", json!({ "label": "x" }), 400, None),
        ("New", json!({ "quota": null }), 204, Some(json!(null))),
    ] {
        let request = desk.as_admin(Method::PUT, &format!("plans/{name}")).json(&body);
        assert_eq!(Desk::status(request).await, status, "{name} {body}");
        assert_eq!(quota(name).await, left, "{name} {body}");
    }
}
