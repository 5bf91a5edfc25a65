//! One suite over all ways in: whichever way a file comes, the same is promised, refused with the
//! same rule, counted to the byte, kept as a version where it replaces another, seen and heard.
//!
//! | way | what it is | what it does not do |
//! |---|---|---|
//! | `Put` | `PUT /api/v1/files/PATH`, length declared | |
//! | `PutChunked` | the same, chunked | |
//! | `Form` | `POST /api/v1/files/FOLDER`, multipart | |
//! | `Tus` | tus with `Upload-Length` | |
//! | `TusDeferred` | tus with `Upload-Defer-Length`, the length told with the last bytes | |
//! | `TusConcat` | tus in two parts that are joined | replacing needs room for all of it: nobody knows of a part what it will replace |
//! | `Dav` | WebDAV `PUT`, length declared | its own status and XML; the words are the same |
//! | `DavChunked` | the same, chunked | |
//! | `Zip` | a zip by `PUT` with `unpack=true` | |
//! | `TarGz` | a tar.gz by `POST` with `unpack=true` | |
//! | `TusZip` | a zip by tus with `unpack`, unpacked behind the last byte | |
//! | `FormZip` | a zip in a form with `unpack=true` | |
//! | `Import` | `POST /api/v1/imports`, from a stub on loopback | names come from the address and are made fit, so that none is refused; folders are |
//! | `ImportZip` | the same of a zip | |
//! | `Sync` | `tunelocker sync` of a folder | tells refusals by their sentence |
//! | `Delivery` | `POST /api/v1/deliveries` with an address, counted | never replaces: it takes another name; a bad name refuses the order |
//! | `DeliveryOfUpload` | the same with what the shop sent by tus before | |
//! | `Claim` | `POST /api/v1/claims` on bytes of another locker | |

mod brought;
mod ground;
mod heard;
mod resumable;
mod send;

use serde_json::Value;
use tunelocker::{
    accounts::MatchPolicy,
    config::Feature,
    drive::{Condition, RelativePath, Target},
    ids::LockerId,
    matching::Extent,
};

use self::send::{Only, Refusal, Way};
use super::{Lockers, archives::Box, body};
use crate::{
    harness::TestApp,
    outside::stub::{Reply, Stub},
};

/// A server that all ways lead into, and what they need.
struct House {
    ann: Box,
    stub: Stub,
    /// A key of a shop.
    key: String,
    /// Where another's files lie, that claims are about.
    theirs: LockerId,
}

impl House {
    async fn with_quota(quota: u64) -> Self {
        let stub = Stub::start(|_| Reply::status(404)).await;
        let allowed = stub.address.to_string().parse().unwrap();
        let app = TestApp::spawn_with(|config| {
            config.drive = config.data.with_file_name("drive");
            config.egress.allow = vec![allowed];
        })
        .await;
        let lockers = Lockers::over(app, quota).await;
        let (accounts, admin) = (&lockers.accounts, &lockers.admin);
        accounts.set_match_policy(admin, MatchPolicy::Server).await.unwrap();
        for feature in [Feature::Imports, Feature::Deliveries] {
            lockers.app.services.outside.set_on(admin, feature, true).await.unwrap();
        }
        let (_, key) = accounts.create_delivery_key(admin, "shop", "root").await.unwrap();
        let theirs = accounts.lockers(admin).await.unwrap()[0].id;
        Self { ann: Box::over(lockers).await, stub, key, theirs }
    }

    fn lockers(&self) -> &Lockers {
        &self.ann.lockers
    }

    /// Another has these bytes, too.
    async fn others_have(&self, bytes: &[u8]) -> tunelocker::Result<()> {
        let path = RelativePath::parse(&blake3::hash(bytes).to_hex()).unwrap();
        let target = Target { locker: self.theirs, path, condition: Condition::None };
        let (drive, admin) = (&self.lockers().drive, &self.lockers().admin);
        drive.put(admin, &target, None, body(bytes)).await.map(drop)
    }

    fn stored(&self, path: &str) -> Option<Vec<u8>> {
        std::fs::read(self.lockers().folder().join(path)).ok()
    }

    /// Used, and nothing promised or left in staging.
    async fn used(&self) -> u64 {
        let usage = self.lockers().usage().await;
        assert_eq!((usage.reserved, self.lockers().staged()), (0, 0));
        usage.used
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.ann.request(reqwest::Method::GET, path).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap()
    }
}

/// Bytes that no other seed gives.
fn bytes(seed: &str, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(seed.as_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_gives_the_same_bytes_back_and_counts_them() {
    let house = House::with_quota(100_000_000).await;
    let mut used = 0;
    for way in Way::ALL {
        for (name, length) in [("some.bin", 700_001), ("none.bin", 0)] {
            let (path, whole) =
                (format!("{way:?}/in/{name}"), bytes(&format!("{way:?}{name}"), length));
            house.send(way, &path, &whole).await.unwrap_or_else(|why| panic!("{path}: {why:?}"));
            assert!(house.stored(&path).is_some_and(|stored| stored == whole), "{path}");
            used += whole.len() as u64;
            assert_eq!(house.used().await, used, "{path}");
            let back = house.ann.request(reqwest::Method::GET, &format!("files/{path}"));
            let back = back.send().await.unwrap();
            let etag = back.headers()["etag"].to_str().unwrap().to_owned();
            assert!(back.bytes().await.unwrap() == whole, "{path}");
            let stat = house.get(&format!("files/{path}?as=stat")).await;
            assert_eq!(format!("{}", stat["etag"]), etag, "{path}");
            assert_eq!(stat["size"], length, "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_takes_what_fits_and_not_a_byte_more() {
    for way in Way::ALL {
        let house = House::with_quota(1_000_000).await;
        let first = bytes("first", 300_000);
        house
            .send(way, "in/first.bin", &first)
            .await
            .unwrap_or_else(|why| panic!("{way:?}: {why:?}"));
        let over = bytes("over", 700_001);
        let refusal = house.send(way, "in/over.bin", &over).await.expect_err("it does not fit");
        assert_eq!(refusal.word, "quota_exceeded", "{way:?}: {refusal:?}");
        assert!(house.stored("in/over.bin").is_none(), "{way:?}");
        assert_eq!(house.used().await, 300_000, "{way:?}");
        let exact = bytes("exact", 700_000);
        house
            .send(way, "in/exact.bin", &exact)
            .await
            .unwrap_or_else(|why| panic!("{way:?}: {why:?}"));
        assert_eq!(house.used().await, 1_000_000, "{way:?}");
        let more = house.send(way, "in/more.bin", b"x").await.expect_err("it is full");
        assert_eq!(more.word, "quota_exceeded", "{way:?}: {more:?}");
        house.send(way, "in/none.bin", b"").await.unwrap_or_else(|why| panic!("{way:?}: {why:?}"));
        assert_eq!(house.used().await, 1_000_000, "{way:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_refuses_the_same_names_by_the_same_rule() {
    let house = House::with_quota(1_000_000).await;
    let long = format!("in/{}", "x".repeat(256));
    let deep = "d/".repeat(65) + "x";
    for way in Way::ALL {
        for (path, rule) in [
            ("in/con.flac", "reserved"),
            ("in/dotted.", "trailing"),
            ("blank /x.flac", "trailing"),
            ("in/back\\slash", "backslash"),
            ("in/a\u{7}b", "control"),
            (long.as_str(), "long"),
            (deep.as_str(), "deep"),
        ] {
            // Disks have no names that are so long or so deep to be synced, and addresses give
            // files fit names.
            if !way.can_say(path) {
                continue;
            }
            let refusal = house.send(way, path, b"some bytes").await;
            let refusal = refusal.expect_err(path);
            let Refusal { word, rule: told, detail, .. } = &refusal;
            assert_eq!(word, "name_invalid", "{way:?} {path}: {refusal:?}");
            assert!(
                told == rule || (told.is_empty() && !detail.is_empty()),
                "{way:?} {path}: {refusal:?}"
            );
            // Where only a sentence is told, it is the rule's.
            let sentence = RelativePath::parse(path).unwrap_err().sentence;
            assert!(!told.is_empty() || detail.contains(sentence), "{way:?} {path}: {refusal:?}");
        }
        house.send(way, &format!("fine/{way:?}.bin"), b"fine").await.unwrap();
    }
    let fine = Way::ALL.len() as u64 * 4;
    assert_eq!(house.used().await, fine, "nothing of what was refused is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_keeps_what_it_replaces_as_a_version() {
    let house = House::with_quota(100_000_000).await;
    for way in Way::ALL {
        let path = format!("{way:?}/song.bin");
        let (before, after) =
            (bytes(&format!("{way:?} before"), 5000), bytes(&format!("{way:?} after"), 7000));
        house.send(way, &path, &before).await.unwrap();
        let used = house.used().await;
        house.send(way, &path, &after).await.unwrap_or_else(|why| panic!("{path}: {why:?}"));
        let versions = house.get(&format!("versions?path={path}")).await;
        let versions = versions["items"].as_array().unwrap();
        if way.is_delivery() {
            // What a shop brings never takes the place of another file.
            assert!(versions.is_empty());
            assert_eq!(house.stored(&path).unwrap(), before);
            assert_eq!(house.stored(&format!("{way:?}/song (2).bin")).unwrap(), after);
            continue;
        }
        assert_eq!(house.stored(&path).unwrap(), after, "{way:?}");
        assert_eq!(house.used().await, used + 2000, "{way:?}");
        assert_eq!((versions.len(), &versions[0]["size"]), (1, &5000.into()), "{way:?}");
        let id = versions[0]["id"].as_str().unwrap();
        let old = house.ann.request(reqwest::Method::GET, &format!("versions/{id}"));
        assert!(old.send().await.unwrap().bytes().await.unwrap() == before, "{way:?}");
        // The same again is no version.
        house.send(way, &path, &after).await.unwrap_or_else(|why| panic!("{path}: {why:?}"));
        let versions = house.get(&format!("versions?path={path}")).await;
        assert_eq!(versions["items"].as_array().unwrap().len(), 1, "{way:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_replaces_in_a_full_locker() {
    let ways = Way::ALL.into_iter();
    for way in ways.filter(|way| !way.is_delivery() && *way != Way::TusConcat) {
        let house = House::with_quota(10_000).await;
        house.send(way, "in/a.bin", &bytes("a", 10_000)).await.unwrap();
        let other = bytes("b", 10_000);
        house.send(way, "in/a.bin", &other).await.unwrap_or_else(|why| panic!("{way:?}: {why:?}"));
        assert_eq!(house.stored("in/a.bin").unwrap(), other, "{way:?}");
        let refusal = house.send(way, "in/a.bin", &bytes("c", 10_001)).await.expect_err("larger");
        assert_eq!(refusal.word, "quota_exceeded", "{way:?}");
        assert_eq!(house.stored("in/a.bin").unwrap(), other, "{way:?}");
        assert_eq!(house.used().await, 10_000, "{way:?}");
    }
}

/// The same cause has the same word and tells the same entity tag, whichever way a client asks, and
/// the status that its face has for it.
#[tokio::test(flavor = "multi_thread")]
async fn every_way_says_the_same_of_what_is_there() {
    let house = House::with_quota(100_000_000).await;
    let (before, after) = (bytes("before", 5000), bytes("after", 7000));
    for way in Way::ALL {
        let path = format!("{way:?}/song.bin");
        house.send(Way::Put, &path, &before).await.unwrap();
        let there = house.get(&format!("files/{path}?as=stat")).await["etag"].clone();
        for (only, word) in
            [(Only::Absent, "exists"), (Only::Match("not-this"), "precondition_failed")]
        {
            if !way.can_want(only) {
                continue;
            }
            let refusal = house.send_if(way, only, &path, &after).await.expect_err("it is there");
            assert_eq!(refusal.word, word, "{way:?}: {refusal:?}");
            assert_eq!(refusal.etag, there, "{way:?}: {refusal:?}");
            // Lists of what became of many files tell no status of one, or that of a claim.
            let status = match way {
                way if way.lists() => 0,
                Way::Claim => 409,
                _ => 412,
            };
            assert_eq!(refusal.status, status, "{way:?}: {refusal:?}");
            assert_eq!(house.stored(&path).unwrap(), before, "{way:?}");
        }
        // What is as wanted is taken.
        if way.can_want(Only::Match("")) {
            let there = Only::Match(there.as_str().unwrap());
            house.send_if(way, there, &path, &after).await.unwrap();
            assert_eq!(house.stored(&path).unwrap(), after, "{way:?}");
        }
        if way.can_want(Only::Absent) {
            house.send_if(way, Only::Absent, &format!("{way:?}/new.bin"), &after).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_way_brings_back_what_was_taken_down() {
    let house = House::with_quota(100_000_000).await;
    let bad = bytes("bad", 70_001);
    house.send(Way::Put, "in/bad.bin", &bad).await.unwrap();
    let (matching, admin) = (&house.lockers().app.services.matching, &house.lockers().admin);
    let hash = blake3::hash(&bad).into();
    let taken = matching.take_down(admin, &hash, "A letter came", Extent::Content).await.unwrap();
    assert!(house.stored("in/bad.bin").is_none());
    for way in Way::ALL {
        let path = format!("{way:?}/bad.bin");
        let refusal = house.send(way, &path, &bad).await.expect_err("it must stay away");
        assert_eq!(refusal.word, "forbidden", "{way:?}: {refusal:?}");
        let sentence = "An administrator took this down: A letter came";
        assert!(refusal.detail.contains(sentence), "{way:?}: {refusal:?}");
        assert!(house.stored(&path).is_none(), "{way:?}");
        let good = house.send(way, &format!("{way:?}/good.bin"), &bytes("good", 1000)).await;
        good.unwrap_or_else(|why| panic!("{way:?}: {why:?}"));
    }
    assert_eq!(house.used().await, Way::ALL.len() as u64 * 1000);
    let allowed = matching.allow_again(admin, taken.id).await.unwrap();
    // A claim asks first, and is told then; who is to have had it is refused too, by the test.
    assert_eq!(allowed.refused, Way::ALL.len() as u64, "{allowed:?}");
    for way in Way::ALL {
        let path = format!("{way:?}/bad.bin");
        house.send(way, &path, &bad).await.unwrap_or_else(|why| panic!("{way:?}: {why:?}"));
        assert_eq!(house.stored(&path).as_deref(), Some(bad.as_slice()), "{way:?}");
    }
}
