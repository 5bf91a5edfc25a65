//! Locks: who keeps whom away from what, for how long, and that a restart forgets none.

use std::time::Duration;

use reqwest::Response;
use tunelocker::{clock::Clock, config::Feature};

use super::{Dav, inner, token};
use crate::{
    drive::{archives::zip_of, start_again},
    outside::stub::{Reply, Stub},
};

const EXCLUSIVE: &str = "<?xml version='1.0'?><D:lockinfo xmlns:D='DAV:'><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype><D:owner>ann &amp; her <D:href>pad</D:href></D:owner></D:lockinfo>";
const SHARED: &str = "<D:lockinfo xmlns:D='DAV:'><D:lockscope><D:shared/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockinfo>";

async fn lock(dav: &Dav, path: &str, body: &str, headers: &[(&str, &str)]) -> Response {
    dav.ask("LOCK", path, headers, body.to_owned()).await
}

#[tokio::test]
async fn a_lock_keeps_others_away_and_its_holder_not() {
    let dav = Dav::with_quota(10_000).await;
    dav.put("household/a", b"1").await;
    let bob = dav.bob().await;
    let taken =
        lock(&dav, "household/a", EXCLUSIVE, &[("Timeout", "Second-120"), ("Depth", "0")]).await;
    assert_eq!(taken.status().as_u16(), 200);
    let token = token(&taken);
    let text = taken.text().await.unwrap();
    assert_eq!(inner(&text, "D:timeout"), Some("Second-120"));
    assert_eq!(inner(&text, "D:depth"), Some("0"));
    assert!(text.contains("ann &amp; her <D:href>pad</D:href></D:owner>"), "{text}");
    assert!(text.contains("<D:lockroot><D:href>/dav/household/a</D:href>"), "{text}");

    let held = format!("(<{token}>)");
    let tagged = format!("</dav/household/a> (<{token}>)");
    let change =
        "<propertyupdate xmlns='DAV:'><set><prop><x xmlns='u'/></prop></set></propertyupdate>";
    for (who, secret, shown, is_free) in [
        ("ann", &dav.secret, None, false),
        ("bob", &bob, None, false),
        // Somebody else's token opens nothing.
        ("bob", &bob, Some(held.as_str()), false),
        ("ann", &dav.secret, Some(&held), true),
        ("ann", &dav.secret, Some(&tagged), true),
    ] {
        for (method, body, good) in [("PUT", "2", 204), ("PROPPATCH", change, 207)] {
            let headers: Vec<_> = shown.iter().map(|shown| ("If", *shown)).collect();
            let answer = dav.ask_as((who, secret), method, "household/a", &headers, body).await;
            let expected = if is_free { good } else { 423 };
            assert_eq!(answer.status().as_u16(), expected, "{who} {method} {shown:?}");
            if !is_free {
                let text = answer.text().await.unwrap();
                let root = "<D:lock-token-submitted><D:href>/dav/household/a</D:href>";
                assert!(text.contains(root), "{text}");
            }
        }
    }
    for (method, headers) in [
        ("DELETE", vec![]),
        ("MOVE", vec![("Destination", "/dav/household/b")]),
        ("LOCK", vec![("Depth", "0")]),
    ] {
        let body = if method == "LOCK" { SHARED } else { "" };
        let answer = dav.ask(method, "household/a", &headers, body).await;
        assert_eq!(answer.status().as_u16(), 423, "{method}");
    }
    assert_eq!(dav.status("GET", "household/a", &[]).await, 200, "reading goes on");
    assert_eq!(
        dav.status("COPY", "household/a", &[("Destination", "/dav/household/c")]).await,
        201
    );
    assert_eq!(dav.put("household/c", b"free").await, 204, "a copy is not locked");

    // Letting go: the right one, at the right place, by the right person.
    let of = format!("<{token}>");
    let unlock = async |who: &str, secret: &str, path: &str, token: &str| {
        let headers = [("Lock-Token", token)];
        dav.ask_as((who, secret), "UNLOCK", path, &headers, "").await.status().as_u16()
    };
    assert_eq!(unlock("ann", &dav.secret, "household/a", "<urn:uuid:none>").await, 409);
    assert_eq!(unlock("ann", &dav.secret, "household/c", &of).await, 409);
    assert_eq!(unlock("bob", &bob, "household/a", &of).await, 403);
    assert_eq!(unlock("ann", &dav.secret, "household/a", &token).await, 400);
    assert_eq!(unlock("ann", &dav.secret, "household/a", &of).await, 204);
    assert_eq!(dav.put("household/a", b"3").await, 204);
    assert_eq!(dav.status("PUT", "household/a", &[("If", &held)]).await, 412, "no such lock now");
}

#[tokio::test]
async fn a_lock_of_a_folder_reaches_as_far_as_it_says() {
    let dav = Dav::with_quota(10_000).await;
    for folder in ["ann/d", "ann/d/e", "ann/f"] {
        dav.status("MKCOL", folder, &[]).await;
    }
    dav.put("ann/d/e/x", b"1").await;
    let alone = token(&lock(&dav, "ann/d", EXCLUSIVE, &[("Depth", "0")]).await);
    // Its list of members is locked; what is in them is not.
    assert_eq!(dav.put("ann/d/new", b"1").await, 423);
    assert_eq!(dav.status("MKCOL", "ann/d/new", &[]).await, 423);
    assert_eq!(dav.status("DELETE", "ann/d/e", &[]).await, 423);
    assert_eq!(dav.status("MOVE", "ann/d/e", &[("Destination", "/dav/ann/f/e")]).await, 423);
    assert_eq!(dav.put("ann/d/e/x", b"2").await, 204);
    assert_eq!(dav.put("ann/d/e/y", b"2").await, 201);
    let held = format!("</dav/ann/d> (<{alone}>)");
    assert_eq!(dav.ask("PUT", "ann/d/new", &[("If", &held)], "1").await.status(), 201);
    assert_eq!(dav.status("UNLOCK", "ann/d", &[("Lock-Token", &format!("<{alone}>"))]).await, 204);

    let inner_lock = token(&lock(&dav, "ann/d/e/x", EXCLUSIVE, &[("Depth", "0")]).await);
    let refused = lock(&dav, "ann/d", EXCLUSIVE, &[]).await;
    assert_eq!(refused.status().as_u16(), 207, "something inside is locked");
    let text = refused.text().await.unwrap();
    assert!(text.contains("/dav/ann/d/e/x</D:href><D:status>HTTP/1.1 423"), "{text}");
    assert!(text.contains("/dav/ann/d</D:href><D:status>HTTP/1.1 424"), "{text}");
    for (method, headers) in [("DELETE", vec![]), ("MOVE", vec![("Destination", "/dav/ann/z")])] {
        let answer = dav.ask(method, "ann/d", &headers, "").await;
        assert_eq!(answer.status().as_u16(), 207, "{method}");
        assert!(
            answer.text().await.unwrap().contains("/dav/ann/d/e/x</D:href><D:status>HTTP/1.1 423")
        );
    }
    assert_eq!(dav.status("COPY", "ann/f", &[("Destination", "/dav/ann/d")]).await, 207);
    assert_eq!(dav.get("ann/d/e/x").await, b"2", "all or nothing");
    let headers = [("Lock-Token", &*format!("<{inner_lock}>"))];
    assert_eq!(dav.status("UNLOCK", "ann/d/e/x", &headers).await, 204);

    let deep = token(&lock(&dav, "ann/d", EXCLUSIVE, &[("Depth", "infinity")]).await);
    assert_eq!(dav.put("ann/d/e/x", b"3").await, 423);
    assert_eq!(lock(&dav, "ann/d/e/x", SHARED, &[]).await.status().as_u16(), 423);
    assert_eq!(lock(&dav, "ann/d", EXCLUSIVE, &[("Depth", "1")]).await.status().as_u16(), 400);
    let found = dav.ask("PROPFIND", "ann/d/e/", &[("Depth", "1")], "").await.text().await.unwrap();
    assert_eq!(found.matches(&deep).count(), 3, "told of the folder and of both in it: {found}");
    // An untagged token is about the address itself, which the lock above reaches.
    let held = format!("(<{deep}>)");
    assert_eq!(dav.ask("PUT", "ann/d/e/x", &[("If", &held)], "4").await.status(), 204);
    assert_eq!(dav.status("DELETE", "ann/d", &[("If", &held)]).await, 204);
    assert_eq!(dav.status("MKCOL", "ann/d", &[]).await, 201, "and the lock went with it");
    assert_eq!(dav.put("ann/d/x", b"1").await, 201);
}

#[tokio::test]
async fn shared_locks_go_together() {
    let dav = Dav::with_quota(10_000).await;
    let bob = dav.bob().await;
    dav.put("household/a", b"1").await;
    let anns = token(&lock(&dav, "household/a", SHARED, &[]).await);
    let bobs = dav.ask_as(("bob", &bob), "LOCK", "household/a", &[], SHARED).await;
    assert_eq!(bobs.status().as_u16(), 200);
    let bobs = token(&bobs);
    assert_eq!(lock(&dav, "household/a", EXCLUSIVE, &[]).await.status().as_u16(), 423);
    for (who, secret, token) in [("ann", &dav.secret, &anns), ("bob", &bob, &bobs)] {
        let held = format!("(<{token}>)");
        for (headers, status) in [(vec![], 423), (vec![("If", held.as_str())], 204)] {
            let answer = dav.ask_as((who, secret), "PUT", "household/a", &headers, "2").await;
            assert_eq!(answer.status().as_u16(), status, "{who}");
        }
    }
}

#[tokio::test]
async fn a_name_can_be_taken_before_the_file_is_there() {
    let dav = Dav::with_quota(10_000).await;
    let taken = lock(&dav, "ann/later", EXCLUSIVE, &[]).await;
    assert_eq!(taken.status().as_u16(), 201);
    let token = token(&taken);
    assert_eq!(dav.get("ann/later").await, b"");
    assert_eq!(dav.put("ann/later", b"mine").await, 423);
    let held = format!("(<{token}>)");
    assert_eq!(dav.ask("PUT", "ann/later", &[("If", &held)], "mine").await.status(), 204);
    for (path, status) in [("ann/no/where", 409), ("ann/folder/", 409), ("ann/nul", 403)] {
        let refused = lock(&dav, path, EXCLUSIVE, &[]).await;
        assert_eq!(refused.status().as_u16(), status, "{path}");
    }
    let ann = &dav.lockers.ann;
    let root = tunelocker::drive::RelativePath::parse("").unwrap();
    let around = dav.lockers.drive.locks(ann, dav.lockers.locker, &root).await.unwrap();
    assert_eq!(around.locks.len(), 1, "what was refused left no lock");
}

#[tokio::test]
async fn time_ends_locks_and_asking_again_keeps_them() {
    let clock = Clock::manual(1_800_000_000_000);
    let dav = Dav::at(clock.clone()).await;
    dav.put("ann/a", b"1").await;
    let taken = lock(&dav, "ann/a", EXCLUSIVE, &[("Timeout", "Infinite, Second-4100000000")]).await;
    let token = token(&taken);
    let text = taken.text().await.unwrap();
    assert_eq!(inner(&text, "D:timeout"), Some("Second-3600"), "an hour is the longest");
    let held = format!("(<{token}>)");
    clock.advance(Duration::from_secs(3000));
    let again = dav.ask("LOCK", "ann/a", &[("If", &held), ("Timeout", "Second-900")], "").await;
    assert_eq!(again.status().as_u16(), 200);
    assert!(again.headers().get("lock-token").is_none());
    assert_eq!(inner(&again.text().await.unwrap(), "D:timeout"), Some("Second-900"));
    clock.advance(Duration::from_secs(899));
    assert_eq!(dav.put("ann/a", b"2").await, 423);
    clock.advance(Duration::from_secs(1));
    assert_eq!(dav.put("ann/a", b"2").await, 204);
    assert_eq!(dav.status("LOCK", "ann/a", &[("If", &held)]).await, 412, "too late");
    assert_eq!(dav.status("LOCK", "ann/a", &[]).await, 400, "which one?");
}

#[tokio::test]
async fn a_restart_forgets_no_lock() {
    let dav = Dav::with_quota(10_000).await;
    dav.put("ann/a", b"1").await;
    let token = token(&lock(&dav, "ann/a", EXCLUSIVE, &[]).await);
    let (_, drive) = start_again(&dav.lockers, Clock::System).await;
    let path = tunelocker::drive::RelativePath::parse("a").unwrap();
    let around = drive.locks(&dav.lockers.ann, dav.lockers.locker, &path).await.unwrap();
    assert_eq!(around.locks.len(), 1);
    assert_eq!(around.locks[0].token, token);
    assert!(around.locks[0].owner.contains("ann &amp; her"));
}

#[tokio::test]
async fn nobody_has_locks_without_end() {
    let dav = Dav::with_quota(10_000).await;
    dav.put("ann/a", b"1").await;
    let (drive, ann) = (&dav.lockers.drive, &dav.lockers.ann);
    for number in 0..1000 {
        let new = tunelocker::drive::NewLock {
            locker: dav.lockers.locker,
            path: tunelocker::drive::RelativePath::parse(&format!("n{number}")).unwrap(),
            scope: tunelocker::drive::LockScope::Shared,
            reach: tunelocker::drive::LockReach::Itself,
            owner: String::new(),
            lasts: Duration::from_mins(5),
        };
        drive.take_lock(ann, &new).await.unwrap();
    }
    assert_eq!(lock(&dav, "ann/a", SHARED, &[]).await.status().as_u16(), 429);
    let long = EXCLUSIVE.replace("her", &"x".repeat(5000));
    assert_eq!(lock(&dav, "ann/a", &long, &[]).await.status().as_u16(), 400);
}

#[tokio::test]
async fn a_lock_binds_the_other_doors_too() {
    let site = Stub::start(|_| Reply::ok("application/octet-stream", "2")).await;
    let allowed = site.address.to_string().parse().unwrap();
    let dav = Dav::with(100_000, |config| config.egress.allow = vec![allowed]).await;
    let outside = &dav.lockers.app.services.outside;
    outside.set_on(&dav.lockers.admin, Feature::Imports, true).await.unwrap();
    dav.put("household/a", b"1").await;
    dav.put("ann/own", b"1").await;
    let bob = dav.bob().await;
    let taken =
        dav.ask_as(("bob", &bob), "LOCK", "household/a", &[("Depth", "0")], EXCLUSIVE).await;
    assert_eq!(taken.status().as_u16(), 200);
    assert_eq!(lock(&dav, "ann/own", EXCLUSIVE, &[("Depth", "0")]).await.status().as_u16(), 200);

    let api = async |method: &str, address: &str, body: &str| {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request =
            dav.client.request(method, dav.lockers.app.url(&format!("/api/v1/{address}")));
        let request = if body.starts_with('{') {
            request.header("content-type", "application/json")
        } else {
            request
        };
        let answer = request.bearer_auth(&dav.secret).body(body.to_owned()).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json::<serde_json::Value>().await.unwrap_or_default())
    };
    // Somebody else's keeps everybody away, whatever he says.
    for despite in ["", "&despiteLock=true"] {
        for (method, path, body) in [
            ("PUT", "files/a", "2"),
            ("DELETE", "files/a", ""),
            ("POST", "files/a", r#"{"to":"b"}"#),
        ] {
            let (status, said) =
                api(method, &format!("{path}?locker=household{despite}"), body).await;
            assert_eq!((status, &said["type"]), (423, &"locked".into()), "{method} {said}");
            assert_eq!(said["mine"], false);
            assert!(said["detail"].as_str().unwrap().contains("bob"), "{said}");
        }
    }
    let upload = async |path: &str, locker: &str, query: &str| {
        use base64::Engine as _;
        let words = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        let metadata = format!("path {},locker {}", words(path), words(locker));
        let request = dav.client.post(dav.lockers.app.url(&format!("/api/v1/uploads{query}")));
        let request = request.header("Tus-Resumable", "1.0.0").header("Upload-Length", "5");
        let request = request.header("Upload-Metadata", metadata).bearer_auth(&dav.secret);
        request.send().await.unwrap().status().as_u16()
    };
    let form = async |path: &str, query: &str| {
        let part = reqwest::multipart::Part::bytes(b"22".to_vec()).file_name(path.to_owned());
        let form = reqwest::multipart::Form::new().part("file", part);
        let request = dav.client.post(dav.lockers.app.url(&format!("/api/v1/files/?{query}")));
        let answer = request.multipart(form).bearer_auth(&dav.secret).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json::<serde_json::Value>().await.unwrap()["items"][0].clone())
    };
    let unpack = async |path: &str, query: &str| {
        let request = dav
            .client
            .put(dav.lockers.app.url(&format!("/api/v1/files/pack.zip?unpack=true&{query}")));
        let request = request.body(zip_of(&[(path, b"333")])).bearer_auth(&dav.secret);
        let answer = request.send().await.unwrap();
        answer.json::<serde_json::Value>().await.unwrap()["items"][0].clone()
    };
    let import = async |path: &str, locker: &str| {
        let wish = serde_json::json!({ "url": site.url(&format!("/{path}")), "locker": locker });
        let (_, mut import) = api("POST", "imports", &wish.to_string()).await;
        while import["over"] == false {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            let id = import["id"].as_str().unwrap().to_owned();
            import = api("GET", &format!("imports/{id}"), "").await.1;
        }
        import
    };
    for despite in ["", "&despiteLock=true"] {
        let (status, item) = form("a", &format!("locker=household{despite}")).await;
        assert_eq!((status, &item["problem"]["type"]), (423, &"locked".into()), "{item}");
        let item = unpack("a", &format!("locker=household{despite}")).await;
        assert_eq!(item["problem"]["type"], "locked", "{item}");
    }
    let import_of_theirs = import("a", "household").await;
    assert_eq!(import_of_theirs["problem"]["type"], "locked", "{import_of_theirs}");
    assert_eq!(upload("a", "household", "").await, 423);
    assert_eq!(upload("a", "household", "?despiteLock=true").await, 423);
    assert_eq!(dav.get("household/a").await, b"1");
    assert_eq!(api("GET", "files/a?locker=household", "").await.0, 200, "reading goes on");
    assert_eq!(api("PUT", "files/other?locker=household", "2").await.0, 201);

    // One's own asks whether that is meant.
    for (method, path, body) in [
        ("PUT", "files/own", "2"),
        ("DELETE", "files/own", ""),
        ("POST", "files/own", r#"{"to":"b"}"#),
    ] {
        let (status, said) = api(method, path, body).await;
        assert_eq!((status, &said["mine"]), (423, &true.into()), "{method} {said}");
    }
    let (status, item) = form("own", "").await;
    assert_eq!((status, &item["problem"]["type"]), (423, &"locked".into()), "{item}");
    let item = unpack("own", "").await;
    assert_eq!(item["problem"]["type"], "locked", "{item}");
    let import_of_own = import("own", "me").await;
    assert_eq!(import_of_own["problem"]["type"], "locked", "{import_of_own}");
    assert_eq!(dav.get("ann/own").await, b"1");
    assert_eq!(unpack("own", "despiteLock=true").await["problem"], serde_json::Value::Null);
    assert_eq!(dav.get("ann/own").await, b"333");
    assert_eq!(form("own", "despiteLock=true").await.0, 201);
    assert_eq!(upload("own", "me", "").await, 423);
    assert_eq!(upload("own", "me", "?despiteLock=true").await, 201);
    assert_eq!(api("PUT", "files/own?despiteLock=true", "22").await.0, 200);
    assert_eq!(dav.get("ann/own").await, b"22");
    assert_eq!(api("POST", "files/own?despiteLock=true", r#"{"to":"b"}"#).await.0, 201);
    assert_eq!(dav.get("ann/b").await, b"22");
}
