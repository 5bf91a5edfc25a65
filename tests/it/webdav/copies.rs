//! COPY and MOVE: what is at the target, what comes along, where they may go.

use tunelocker::drive::{LockReach, RelativePath};

use super::Dav;

/// A file with a property, in a folder with one, below another.
async fn seeded() -> Dav {
    let dav = Dav::with_quota(100_000).await;
    for folder in ["ann/a", "ann/a/b", "ann/c"] {
        assert_eq!(dav.status("MKCOL", folder, &[]).await, 201);
    }
    for (path, bytes) in [("ann/a/1", "one"), ("ann/a/b/2", "two"), ("ann/c/1", "other")] {
        assert_eq!(dav.put(path, bytes.as_bytes()).await, 201);
    }
    for path in ["ann/a", "ann/a/1"] {
        let body = "<D:propertyupdate xmlns:D='DAV:'><D:set><D:prop><mood xmlns='urn:x'>fine</mood></D:prop></D:set></D:propertyupdate>";
        assert_eq!(dav.ask("PROPPATCH", path, &[], body).await.status().as_u16(), 207);
    }
    dav
}

async fn mood(dav: &Dav, path: &str) -> bool {
    let body = "<propfind xmlns='DAV:'><prop><mood xmlns='urn:x'/></prop></propfind>";
    let answer = dav.ask("PROPFIND", path, &[("Depth", "0")], body).await.text().await.unwrap();
    assert!(answer.contains("fine") != answer.contains("404"), "{path}: {answer}");
    answer.contains("fine")
}

#[tokio::test]
async fn copies_have_everything_and_leave_everything() {
    let dav = seeded().await;
    let to = |path: &str| dav.url(path);
    let copied = [("Destination", &*to("ann/copy"))];
    assert_eq!(dav.status("COPY", "ann/a", &copied).await, 201);
    assert_eq!(
        dav.list("ann/copy/").await,
        ["/dav/ann/copy/", "/dav/ann/copy/1", "/dav/ann/copy/b/"]
    );
    assert_eq!(dav.get("ann/copy/b/2").await, b"two");
    assert_eq!(dav.get("ann/a/b/2").await, b"two");
    for path in ["ann/copy", "ann/copy/1", "ann/a", "ann/a/1"] {
        assert!(mood(&dav, path).await, "{path}");
    }
    assert_eq!(dav.lockers.usage().await.used, 11 + 6, "a copy counts in full");

    // What is there already stays, or makes way.
    let kept = [copied[0], ("Overwrite", "F")];
    assert_eq!(dav.status("COPY", "ann/c", &kept).await, 412);
    assert_eq!(dav.status("COPY", "ann/c", &copied).await, 204);
    assert_eq!(dav.list("ann/copy/").await, ["/dav/ann/copy/", "/dav/ann/copy/1"]);
    assert!(!mood(&dav, "ann/copy").await && !mood(&dav, "ann/copy/1").await);

    // A file, and a folder without what is in it.
    let file = [("Destination", &*to("ann/c/1"))];
    assert_eq!(dav.status("COPY", "ann/a/1", &file).await, 204);
    assert_eq!((dav.get("ann/c/1").await, mood(&dav, "ann/c/1").await), (b"one".to_vec(), true));
    let alone = [("Destination", &*to("ann/alone")), ("Depth", "0")];
    assert_eq!(dav.status("COPY", "ann/a/", &alone).await, 201);
    assert_eq!(dav.list("ann/alone/").await, ["/dav/ann/alone/"]);
    assert!(mood(&dav, "ann/alone").await);
    assert_eq!(dav.status("COPY", "ann/a", &[alone[0], ("Depth", "1")]).await, 400);
    assert_eq!(
        dav.status("COPY", "ann/a/1", &[("Destination", "/dav/ann/x"), ("Depth", "0")]).await,
        201
    );
}

#[tokio::test]
async fn moves_take_everything_along() {
    let dav = seeded().await;
    let (from, to) = ("ann/a", [("Destination", "/dav/ann/new%20name/")]);
    assert_eq!(dav.status("MOVE", from, &to).await, 201);
    assert_eq!(dav.status("PROPFIND", from, &[("Depth", "0")]).await, 404);
    assert_eq!(dav.get("ann/new%20name/b/2").await, b"two");
    assert!(mood(&dav, "ann/new%20name").await && mood(&dav, "ann/new%20name/1").await);
    assert_eq!(dav.status("MOVE", "ann/c", &[to[0], ("Overwrite", "F")]).await, 412);
    assert_eq!(dav.status("MOVE", "ann/c", &to).await, 204);
    assert_eq!(dav.get("ann/new%20name/1").await, b"other");
    assert!(!mood(&dav, "ann/new%20name").await, "what was overwritten is gone whole");
    // Nothing of what was there comes back with a new folder of that name.
    assert_eq!(dav.status("MKCOL", "ann/a", &[]).await, 201);
    assert!(!mood(&dav, "ann/a").await);
    // To the household's locker and back.
    assert_eq!(
        dav.status("MOVE", "ann/new%20name", &[("Destination", "/dav/household/ours")]).await,
        201
    );
    assert_eq!(dav.get("household/ours/1").await, b"other");
    assert_eq!(dav.lockers.usage().await.used, 0);
}

#[tokio::test]
async fn destinations_are_judged() {
    let dav = seeded().await;
    dav.bob().await;
    let host = dav.lockers.app.http;
    let elsewhere = format!("http://{host}.evil.example/dav/ann/x");
    let outside = format!("http://{host}/rest/x");
    for method in ["COPY", "MOVE"] {
        for (destination, status) in [
            ("http://evil.example/dav/ann/x", 502),
            (&elsewhere, 502),
            (&outside, 502),
            ("/dav/ann/no/where", 409),
            ("/dav/bob/x", 409),
            ("/dav/nobody/x", 409),
            ("/dav/", 403),
            ("/dav/ann/", 403),
            ("/dav/ann/../bob/x", 403),
            ("/dav/ann/a%2fx", 403),
            ("/dav/ann/x%00", 403),
            ("/dav/ann/x%5cy", 403),
            ("/dav/ann/NUL", 403),
            ("/dav/ann/a", 403),
            ("/dav/ann/a/", 403),
            ("/dav/ann/a/b", 403),
            ("/dav/ann/a/b/inside", 403),
            ("not an address", 400),
            ("/dav/ann/%zz", 400),
        ] {
            let answer = dav.status(method, "ann/a", &[("Destination", destination)]).await;
            assert_eq!(answer, status, "{method} {destination}");
        }
        assert_eq!(dav.status(method, "ann/a", &[]).await, 400, "nowhere to");
        let strange = [("Destination", "/dav/ann/x"), ("Overwrite", "perhaps")];
        assert_eq!(dav.status(method, "ann/a", &strange).await, 400);
        // Onto the folder that it is in: that would take away what is moved.
        assert_eq!(dav.status(method, "ann/a/b", &[("Destination", "/dav/ann/a")]).await, 403);
        assert_eq!(dav.status(method, "ann/none", &[("Destination", "/dav/ann/x")]).await, 404);
    }
    assert_eq!(dav.list("ann/").await, ["/dav/ann/", "/dav/ann/a/", "/dav/ann/c/"]);
}

/// What moves by other hands than WebDAV's leaves no lock and takes its properties along.
#[tokio::test]
async fn other_faces_move_properties_too() {
    let dav = seeded().await;
    let (drive, ann, locker) = (&dav.lockers.drive, &dav.lockers.ann, dav.lockers.locker);
    let path = |text| RelativePath::parse(text).unwrap();
    let lock = tunelocker::drive::NewLock {
        locker,
        path: path("a/1"),
        scope: tunelocker::drive::LockScope::Exclusive,
        reach: LockReach::Itself,
        owner: String::new(),
        lasts: std::time::Duration::from_mins(1),
    };
    drive.take_lock(ann, &lock).await.unwrap();
    drive.rename(ann, locker, &path("a"), &path("z")).await.unwrap();
    assert!(mood(&dav, "ann/z").await && mood(&dav, "ann/z/1").await);
    assert!(drive.locks(ann, locker, &path("a")).await.unwrap().locks.is_empty());
    assert!(drive.locks(ann, locker, &path("z")).await.unwrap().locks.is_empty());
    drive.remove(ann, locker, &path("z"), &tunelocker::drive::Condition::None).await.unwrap();
    drive.make_folder(ann, locker, &path("z")).await.unwrap();
    assert!(!mood(&dav, "ann/z").await);
}
