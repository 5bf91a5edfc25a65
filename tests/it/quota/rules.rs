//! Notices kept once each, who pays for shared copies, the household's locker, and what may go after
//! the grace.

use reqwest::Method;
use serde_json::{Value, json};
use tunelocker::accounts::{Abilities, NewUser, UserChange};

use super::{DAY, Desk, NOW};
use crate::drive::body;

const YEAR: i64 = 365 * 24 * 3600 * 1000;

impl Desk {
    /// What ann is told, the latest first.
    async fn told(&self) -> Vec<String> {
        self.lockers.accounts.look_for_notices().await.unwrap();
        let notices = Self::json(self.as_ann(Method::GET, "notices")).await;
        let text = |one: &Value| one["text"].as_str().unwrap().to_owned();
        notices["items"].as_array().unwrap().iter().map(text).collect()
    }

    /// A file of another user, kim.
    pub(super) async fn put_as_kim(&self, path: &str, bytes: &[u8]) {
        let accounts = &self.lockers.accounts;
        let kim = match accounts.principal_named("kim").await {
            Ok(kim) => kim,
            Err(_) => {
                let new = NewUser::new("kim", "kim's very own");
                let id = accounts.create_user(&self.lockers.admin, &new).await.unwrap();
                accounts.principal(id).await.unwrap()
            }
        };
        let mut target = self.lockers.target(path);
        target.locker = accounts.lockers(&kim).await.unwrap()[0].id;
        let length = Some(bytes.len() as u64);
        self.lockers.drive.put(&kim, &target, length, body(bytes)).await.unwrap();
    }

    pub(super) async fn used_of(&self, user: &str) -> u64 {
        let path = format!("users/{user}/storage");
        Self::json(self.as_admin(Method::GET, &path)).await["used"].as_u64().unwrap()
    }

    /// Waits until figures are so.
    async fn until_used(&self, figures: &[(&str, u64)]) {
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
        loop {
            let mut found = Vec::new();
            for (user, _) in figures {
                found.push((*user, self.used_of(user).await));
            }
            if found == figures {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "{found:?} and not {figures:?}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test]
async fn each_notice_is_given_once() {
    let desk = Desk::new(1_000).await;
    assert!(desk.told().await.is_empty());
    desk.lockers.put("a", &[1; 850]).await.unwrap();
    let first = desk.told().await;
    assert_eq!(first, ["Your locker holds 850 bytes of 1 kB (85 %)."]);
    assert_eq!(desk.told().await, first, "once");
    desk.lockers.put("b", &[1; 150]).await.unwrap();
    let both = desk.told().await;
    assert!(both[0].contains("100 %") && both.len() == 2, "{both:?}");
    let notices = Desk::json(desk.as_ann(Method::GET, "notices")).await;
    for notice in notices["items"].as_array().unwrap() {
        let seen = format!("notices/{}/seen", notice["id"]);
        assert_eq!(Desk::status(desk.as_admin(Method::POST, &seen)).await, 404, "of others");
        assert_eq!(Desk::status(desk.as_ann(Method::POST, &seen)).await, 204);
    }
    assert!(desk.told().await.is_empty(), "put away, and not given again");
    // Far below and up again is news.
    desk.lockers.put("a", &[1; 10]).await.unwrap();
    assert!(desk.told().await.is_empty());
    desk.lockers.put("a", &[1; 700]).await.unwrap();
    assert_eq!(desk.told().await.len(), 1);
}

/// The household's locker is on a plan; who may fill it is told, and administrators.
#[tokio::test]
async fn the_households_locker_tells_those_who_fill_it() {
    let desk = Desk::new(1_000).await;
    let accounts = &desk.lockers.accounts;
    let kid = NewUser::new("kid", "the kid's own");
    let kid = accounts.create_user(&desk.lockers.admin, &kid).await.unwrap();
    let change = UserChange {
        abilities: Some(Abilities { upload: false, ..Abilities::default() }),
        ..UserChange::default()
    };
    accounts.update_user(&desk.lockers.admin, "kid", &change).await.unwrap();
    let plan = json!({ "plan": "Test" });
    assert_eq!(Desk::status(desk.as_ann(Method::PUT, "household").json(&plan)).await, 403);
    let room = Desk::json(desk.as_admin(Method::GET, "household")).await;
    assert_eq!((&room["plan"], &room["quota"]), (&json!("Unlimited"), &json!(null)));
    let file = desk.as_ann(Method::PUT, "files/a?locker=household").body(vec![1; 960]);
    assert_eq!(Desk::status(file).await, 201);
    assert!(desk.told().await.is_empty(), "it has no limit");
    assert_eq!(Desk::status(desk.as_admin(Method::PUT, "household").json(&plan)).await, 204);
    let room = Desk::json(desk.as_admin(Method::GET, "household")).await;
    assert_eq!(
        (&room["plan"], &room["quota"], &room["used"]),
        (&json!("Test"), &json!(1_000), &json!(960))
    );
    let first = desk.told().await;
    assert_eq!(first, ["The household's locker holds 960 bytes of 1 kB (96 %)."]);
    assert_eq!(desk.told().await, first, "once");
    let notices = async |who: &tunelocker::accounts::Principal| {
        accounts
            .notices(who, false)
            .await
            .unwrap()
            .into_iter()
            .map(|one| one.text)
            .collect::<Vec<_>>()
    };
    assert_eq!(notices(&desk.lockers.admin).await, first);
    let kid = accounts.principal(kid).await.unwrap();
    assert!(notices(&kid).await.is_empty(), "who may not upload can do nothing about it");
    // A smaller plan: over, with a grace; then room again, and it is over.
    let less = json!({ "quota": 500 });
    Desk::json(desk.as_admin(Method::PUT, "plans/Test").json(&less)).await;
    let told = desk.told().await;
    assert!(
        told.iter().any(|text| text.starts_with("The household's locker holds more than")),
        "{told:?}"
    );
    assert!(told.iter().any(|text| text.contains("of 500 bytes (192 %)")), "{told:?}");
    let refused =
        desk.as_ann(Method::PUT, "files/b?locker=household").body("x").send().await.unwrap();
    assert_eq!(refused.status(), 413);
    let ledger = Desk::json(desk.as_ann(Method::GET, "ledger?locker=household")).await;
    let notes = ledger["items"].to_string();
    assert!(notes.contains("On the plan Test; allowed now: 500 bytes"), "{notes}");
    let unlimited = json!({ "plan": "Unlimited" });
    assert_eq!(Desk::status(desk.as_admin(Method::PUT, "household").json(&unlimited)).await, 204);
    assert!(desk.told().await.is_empty(), "nothing of it holds any more");
}

#[tokio::test]
async fn the_end_of_a_grant_is_told_thirty_seven_and_one_days_before() {
    let desk = Desk::new(1_000).await;
    let tier = json!({ "tier": 5_000, "endsAt": NOW + YEAR, "reason": "Order 1" });
    Desk::json(desk.as_admin(Method::POST, "users/ann/grants").json(&tier)).await;
    desk.lockers.put("a", &[1; 1_500]).await.unwrap();
    let mut counts = Vec::new();
    for days in [334, 1, 22, 1, 5, 1] {
        desk.clock.advance(days * DAY);
        counts.push(desk.told().await.len());
    }
    // On the days 334, 335, 357, 358, 363, 364.
    assert_eq!(counts, [0, 1, 1, 2, 2, 3]);
    let told = desk.told().await;
    assert!(told[0].contains("\"Order 1\" ends on 2027-11-25"), "{told:?}");
    assert!(told[0].contains("may hold 1 kB then"), "{told:?}");
    desk.clock.advance(DAY);
    let told = desk.told().await;
    assert!(told.iter().any(|text| text.contains("holds more than it may")), "{told:?}");
    assert!(!told.iter().any(|text| text.contains("Order 1")), "it has ended: {told:?}");
}

/// An end that was moved is told anew, and what was told of it before no longer holds.
#[tokio::test]
async fn what_was_told_of_an_end_goes_with_it() {
    let desk = Desk::new(1_000).await;
    let give = json!({ "tier": 5_000, "endsAt": NOW + YEAR, "reason": "Order 1" });
    let grant = Desk::json(desk.as_admin(Method::POST, "users/ann/grants").json(&give)).await;
    let grant = format!("grants/{}", grant["id"].as_str().unwrap());
    desk.clock.advance(364 * DAY);
    assert_eq!(desk.told().await.len(), 1);
    let move_to = async |ends: i64| {
        let change = desk.as_admin(Method::PATCH, &grant).json(&json!({ "endsAt": ends }));
        assert_eq!(Desk::status(change).await, 204);
        desk.told().await
    };
    assert!(move_to(NOW + 2 * YEAR).await.is_empty(), "that is a year from now");
    let day = 24 * 3600 * 1000;
    let told = move_to(NOW + YEAR + 5 * day).await;
    assert!(told.len() == 1 && told[0].contains("2027-11-30"), "{told:?}");
    assert_eq!(Desk::status(desk.as_admin(Method::DELETE, &grant)).await, 204);
    assert!(desk.told().await.is_empty(), "it was taken back");
}

/// Whoever was removed pays for nothing, and nobody's share is smaller for it.
#[tokio::test]
async fn who_is_gone_shares_no_costs() {
    let desk = Desk::new(10_000).await;
    desk.put_as_kim("song", &[7; 1_000]).await;
    desk.lockers.put("song", &[7; 1_000]).await.unwrap();
    let split = json!({
        "graceDays": 180, "sharedCopies": "first-owner", "deletion": null, "downloadsCount": false,
    });
    assert_eq!(Desk::status(desk.as_admin(Method::PUT, "quota-rules").json(&split)).await, 204);
    desk.until_used(&[("ann", 0), ("kim", 1_000)]).await;
    desk.lockers.accounts.remove_user(&desk.lockers.admin, "kim").await.unwrap();
    desk.until_used(&[("ann", 1_000)]).await;
    desk.explained().await;
}

#[tokio::test]
async fn shared_copies_are_paid_for_as_the_rule_says() {
    let desk = Desk::new(10_000).await;
    desk.lockers.put("song", &[7; 1_001]).await.unwrap();
    desk.put_as_kim("mine/song", &[7; 1_001]).await;
    desk.put_as_kim("mine/other", &[8; 10]).await;
    desk.until_used(&[("ann", 1_001), ("kim", 1_011)]).await;
    let rules = Desk::json(desk.as_admin(Method::GET, "quota-rules")).await;
    let plain = json!({
        "graceDays": 180, "sharedCopies": "full", "deletion": null, "downloadsCount": false,
    });
    assert_eq!(rules, plain);
    let rule = async |shared: &str| {
        let mut rules = rules.clone();
        rules["sharedCopies"] = json!(shared);
        assert_eq!(Desk::status(desk.as_ann(Method::PUT, "quota-rules").json(&rules)).await, 403);
        let set = desk.as_admin(Method::PUT, "quota-rules").json(&rules);
        assert_eq!(Desk::status(set).await, 204);
    };
    rule("split").await;
    desk.until_used(&[("ann", 501), ("kim", 510)]).await;
    rule("first-owner").await;
    desk.until_used(&[("ann", 1_001), ("kim", 10)]).await;
    // The first lets it go; the next pays.
    assert_eq!(Desk::status(desk.as_ann(Method::DELETE, "files/song")).await, 200);
    desk.until_used(&[("ann", 0), ("kim", 1_011)]).await;
    desk.lockers.put("again", &[7; 1_001]).await.unwrap();
    desk.until_used(&[("ann", 0), ("kim", 1_011)]).await;
    rule("full").await;
    desk.until_used(&[("ann", 1_001), ("kim", 1_011)]).await;
    desk.explained().await;
}

#[tokio::test]
async fn nothing_goes_by_itself_unless_it_was_switched_on_with_a_list_before() {
    let desk = Desk::new(1_000).await;
    for (name, bytes) in [("a", 300), ("b", 500), ("c", 200)] {
        desk.lockers.put(name, &vec![1; bytes]).await.unwrap();
        desk.clock.advance(DAY);
    }
    let less = json!({ "quota": 600 });
    Desk::json(desk.as_admin(Method::PUT, "plans/Test").json(&less)).await;
    let list = async |order: &str| {
        let path = format!("overdue?order={order}");
        let found = Desk::json(desk.as_admin(Method::GET, &path)).await;
        let files = found["items"][0]["files"].as_array().cloned().unwrap_or_default();
        files.iter().map(|file| file["path"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(list("largest").await.is_empty(), "the grace runs");
    desk.clock.advance(181 * DAY);
    assert_eq!(list("largest").await, ["b"]);
    assert_eq!(list("oldest").await, ["a", "b"]);
    assert_eq!(list("newest").await, ["c", "b"]);
    desk.lockers.drive.look_again().await.unwrap();
    assert_eq!(desk.lockers.on_disk(), 1_000, "listed is not deleted");
    let rules = json!({ "graceDays": 180, "sharedCopies": "full", "deletion": "largest" });
    Desk::json(desk.as_admin(Method::PUT, "quota-rules").json(&rules)).await;
    desk.lockers.drive.look_again().await.unwrap();
    assert_eq!((desk.lockers.on_disk(), desk.used_of("ann").await), (500, 500));
    let rows = desk.explained().await;
    assert_eq!(rows[0]["reason"], "overdue");
}
