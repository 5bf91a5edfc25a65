//! Files, archives and lists fetched from addresses, which are a stub on loopback that the
//! configuration lets the server ask.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use reqwest::Method;
use serde_json::{Value, json};
use tunelocker::{
    accounts::{NewUser, Principal, Usage},
    config::Feature,
    drive::{Destination, Import, NewImport, OwnLocks, RelativePath},
    ids::ImportId,
};

use super::{
    Lockers,
    archives::{Box, ended, whole, zip_of},
};
use crate::{
    harness::{TestApp, music},
    ingest::until,
    outside::{
        resume::part,
        stub::{Reply, Stub},
    },
};

pub(super) async fn over(stub: &Stub, quota: u64) -> Box {
    let allowed = stub.address.to_string().parse().unwrap();
    let app = TestApp::spawn_with(|config| {
        config.drive = config.data.with_file_name("drive");
        config.egress.allow = vec![allowed];
    })
    .await;
    Box::over(Lockers::over(app, quota).await).await
}

pub(super) async fn begin(ann: &Box, url: &str, folder: &str) -> (u16, Value) {
    let request = ann.request(Method::POST, "imports");
    let request = request.json(&json!({ "url": url, "folder": folder }));
    let (status, text) = crate::web::schema::send(request).await;
    (status, serde_json::from_str(&text).unwrap())
}

async fn import(ann: &Box, url: &str, folder: &str) -> Value {
    let (status, import) = begin(ann, url, folder).await;
    assert_eq!(status, 202, "{import}");
    ended(ann, import["id"].as_str().unwrap()).await
}

pub(super) async fn turn_on(ann: &Box) {
    let outside = &ann.lockers.app.services.outside;
    outside.set_on(&ann.lockers.admin, Feature::Imports, true).await.unwrap();
}

fn site() -> impl Fn(&crate::outside::stub::Asked) -> Reply + Send + Sync + 'static {
    |asked| match asked.place() {
        "/song.flac" => Reply::ok("audio/flac", vec![5; 200_000]),
        "/named" => Reply::ok("audio/mpeg", vec![6; 1000])
            .with("content-disposition", "attachment; filename*=UTF-8''J%C3%B3ga"),
        "/pack.zip" => Reply::ok("application/zip", zip_of(&[("a/1", b"one"), ("../b", b"two")])),
        "/list.m3u" => Reply::ok(
            "audio/x-mpegurl",
            "#EXTM3U\nsong.flac\n/other/song.flac\nhttp://10.0.0.1/inside.mp3\nmissing.mp3\n",
        ),
        "/other/song.flac" => Reply::ok("audio/flac", vec![7; 300]),
        "/page" => Reply::ok("text/html; charset=utf-8", "<p>no</p>"),
        "/secret" => Reply::status(403),
        "/broken.flac" => {
            Reply { breaks_after: Some(500), ..Reply::ok("audio/flac", vec![1; 100_000]) }
        }
        "/to-inside" => Reply::status(302).with("location", "http://192.168.1.1/x.flac"),
        "/large.flac" => Reply::ok("audio/flac", vec![1; 500_001]),
        _ => Reply::status(404),
    }
}

#[tokio::test]
async fn it_is_off_until_an_administrator_turns_it_on() {
    let stub = Stub::start(site()).await;
    let ann = over(&stub, 1_000_000).await;
    let (status, problem) = begin(&ann, &stub.url("/song.flac"), "").await;
    assert_eq!((status, &problem["type"]), (403, &"forbidden".into()));
    turn_on(&ann).await;
    let (_, list) = whole(ann.request(Method::GET, "imports").send().await.unwrap()).await;
    assert_eq!(list["mayFetch"], true);
    let import = import(&ann, &stub.url("/song.flac"), "From/afar").await;
    assert_eq!((&import["state"], &import["stored"]), (&"done".into(), &1.into()), "{import}");
    assert_eq!((&import["received"], &import["total"]), (&200_000.into(), &200_000.into()));
    assert_eq!(import["items"][0]["path"], "song.flac");
    assert_eq!(import["items"][0]["hash"], blake3::hash(&[5; 200_000]).to_hex().as_str());
    let stat = ann.request(Method::GET, "files/From/afar/song.flac?as=stat").send().await.unwrap();
    assert_eq!(whole(stat).await.1["source"], stub.url("/song.flac"));
    assert_eq!(ann.lockers.usage().await.used, 200_000);
    assert_eq!(stub.asked("/song.flac").len(), 1);
}

#[tokio::test]
async fn tracks_archives_and_lists_come_in() {
    let stub = Stub::start(site()).await;
    let ann = over(&stub, 10_000_000).await;
    turn_on(&ann).await;
    let named = import(&ann, &stub.url("/named?token=1"), "").await;
    assert_eq!(named["items"][0]["path"], "Jóga.mp3", "{named}");
    let pack = import(&ann, &stub.url("/pack.zip"), "P").await;
    assert_eq!((&pack["stored"], &pack["refused"]), (&1.into(), &1.into()), "{pack}");
    assert_eq!(pack["items"][1]["problem"]["rule"], "dots");
    assert!(ann.lockers.folder().join("P/a/1").exists());
    assert!(!ann.lockers.folder().join("P/pack.zip").exists());
    let list = import(&ann, &stub.url("/list.m3u"), "L").await;
    assert_eq!((&list["stored"], &list["refused"]), (&2.into(), &2.into()), "{list}");
    let items = list["items"].as_array().unwrap();
    assert_eq!(items[0]["path"], "song.flac");
    assert_eq!(items[1]["path"], "song (2).flac", "both are kept");
    assert_eq!(items[2]["problem"]["type"], "source_forbidden");
    assert_eq!(items[3]["problem"]["type"], "source_unreachable");
    assert_eq!(std::fs::read(ann.lockers.folder().join("L/song (2).flac")).unwrap(), [7; 300]);
    assert_eq!((ann.lockers.usage().await.reserved, ann.lockers.staged()), (0, 0));
}

#[tokio::test]
async fn refusals_have_their_words() {
    let stub = Stub::start(site()).await;
    let ann = over(&stub, 500_000).await;
    turn_on(&ann).await;
    for (url, word) in [
        ("ftp://example.org/x", "source_forbidden"),
        ("http://127.0.0.1:9/x", "source_forbidden"),
        ("http://169.254.169.254/latest", "source_forbidden"),
        ("no address", "source_forbidden"),
    ] {
        let (status, problem) = begin(&ann, url, "").await;
        assert_eq!((status, &problem["type"]), (403, &word.into()), "{url}");
    }
    let (status, problem) = begin(&ann, &stub.url("/song.flac"), "../x").await;
    assert_eq!((status, &problem["rule"]), (400, &"dots".into()));
    for (path, word) in [
        ("/nothing", "source_unreachable"),
        ("/secret", "source_forbidden"),
        ("/to-inside", "source_forbidden"),
        ("/broken.flac", "source_unreachable"),
        ("/page", "invalid"),
        ("/large.flac", "quota_exceeded"),
    ] {
        let import = import(&ann, &stub.url(path), "").await;
        assert_eq!(import["state"], "failed", "{path}: {import}");
        assert_eq!(import["problem"]["type"], word, "{path}: {import}");
    }
    let usage = ann.lockers.usage().await;
    assert_eq!((usage.used, usage.reserved, ann.lockers.staged()), (0, 0, 0));
}

#[tokio::test]
async fn it_can_be_ended_while_it_runs() {
    // A server that says the head of a large file and then nothing more.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stub = Stub::start(site()).await;
    let app = TestApp::spawn_with(|config| {
        config.drive = config.data.with_file_name("drive");
        config.egress.allow = vec![address.to_string().parse().unwrap()];
    })
    .await;
    drop(stub);
    let ann = Box::over(Lockers::over(app, 1_000_000).await).await;
    turn_on(&ann).await;
    let (status, begun) = begin(&ann, &format!("http://{address}/slow.flac"), "").await;
    assert_eq!(status, 202);
    let (mut socket, _) = listener.accept().await.unwrap();
    let mut asked = [0; 4096];
    assert!(0 < tokio::io::AsyncReadExt::read(&mut socket, &mut asked).await.unwrap());
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: audio/flac\r\ncontent-length: 400000\r\n\r\nabc";
    tokio::io::AsyncWriteExt::write_all(&mut socket, head).await.unwrap();
    let id = begun["id"].as_str().unwrap();
    loop {
        let request = ann.request(Method::GET, &format!("imports/{id}"));
        let (_, import) = whole(request.send().await.unwrap()).await;
        assert_eq!(import["over"], false, "{import}");
        if import["received"] == 3 {
            assert_eq!((&import["state"], &import["total"]), (&"fetching".into(), &400_000.into()));
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(ann.lockers.usage().await.reserved, 400_000, "promised while it comes in");
    let ended = ann.request(Method::DELETE, &format!("imports/{id}")).send().await.unwrap();
    assert_eq!(ended.status(), 204);
    let request = ann.request(Method::GET, &format!("imports/{id}"));
    let (_, import) = whole(request.send().await.unwrap()).await;
    assert_eq!(import["state"], "cancelled");
    assert!(!ann.lockers.folder().join("slow.flac").exists());
    // Given back by the drop, which nobody waits for.
    while 0 < ann.lockers.usage().await.reserved || 0 < ann.lockers.staged() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// Bytes that differ from each other.
fn sound(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().finalize_xof().fill(&mut bytes);
    bytes
}

#[tokio::test]
async fn what_broke_off_goes_on_where_it_was() {
    let whole = sound(3_000_000);
    let (held, turns) = (whole.clone(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&turns);
    let stub = Stub::start(move |asked| match asked.place() {
        "/song.flac" => {
            let reply = part(asked, &held, "\"one\"");
            // In the middle, and a little later.
            match counted.fetch_add(1, Ordering::SeqCst) {
                0 => Reply { breaks_after: Some(1_500_000), ..reply },
                1 => Reply { breaks_after: Some(700_000), ..reply },
                _ => reply,
            }
        }
        // It is another file each time that it is asked for.
        "/changes.flac" => {
            let tag = format!("\"{}\"", counted.fetch_add(1, Ordering::SeqCst));
            let reply = part(asked, &held, &tag);
            Reply { breaks_after: (tag == "\"3\"").then_some(1000), ..reply }
        }
        _ => Reply::status(404),
    })
    .await;
    let ann = over(&stub, 10_000_000).await;
    turn_on(&ann).await;
    let done = import(&ann, &stub.url("/song.flac"), "In").await;
    assert_eq!((&done["state"], &done["stored"]), (&"done".into(), &1.into()), "{done}");
    assert_eq!(std::fs::read(ann.lockers.folder().join("In/song.flac")).unwrap(), whole);
    let asked = stub.asked("/song.flac");
    let ranges: Vec<_> = asked.iter().map(|one| one.headers.get("range").cloned()).collect();
    assert_eq!((ranges.len(), &ranges[0]), (3, &None));
    let starts: Vec<u64> = ranges[1..]
        .iter()
        .map(|range| {
            let range = range.as_ref().unwrap().trim_start_matches("bytes=");
            range.trim_end_matches('-').parse().unwrap()
        })
        .collect();
    assert!(0 < starts[0] && starts[0] < starts[1] && starts[1] < 3_000_000, "{starts:?}");
    let stat = ann.request(Method::GET, "files/In/song.flac?as=stat").send().await.unwrap();
    assert_eq!(whole_of(stat).await["source"], stub.url("/song.flac"));
    assert_eq!(ann.lockers.usage().await.used, 3_000_000);
    let ledger = ann.request(Method::GET, "ledger?limit=10").send().await.unwrap();
    let ledger = whole_of(ledger).await;
    let row = ledger["items"].as_array().unwrap().iter().find(|row| row["path"] == "In/song.flac");
    assert_eq!(row.unwrap()["reason"], "import", "it came from an address: {ledger}");

    // Nothing is put together from two files, and nothing is left of what ended.
    let failed = import(&ann, &stub.url("/changes.flac"), "In").await;
    assert_eq!(failed["problem"]["type"], "source_unreachable", "{failed}");
    let usage = ann.lockers.usage().await;
    assert_eq!((usage.used, usage.reserved, ann.lockers.staged()), (3_000_000, 0, 0));
    let done = import(&ann, &stub.url("/changes.flac"), "In").await;
    assert_eq!(done["state"], "done", "{done}");
}

async fn whole_of(answer: reqwest::Response) -> Value {
    whole(answer).await.1
}

/// What bob imports over two lives of one server, of which the first ends when `is_time`: the import
/// when it is over, and the folder of it all.
async fn over_two_lives(
    stub: &Stub,
    place: &str,
    is_time: impl AsyncFn(&TestApp, ImportId, &Principal) -> bool,
    between: impl FnOnce(),
) -> (Import, tempfile::TempDir) {
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
    let accounts = &app.services.accounts;
    let operator = accounts.operator();
    let new = NewUser::new("bob", "correct horse battery");
    let bob = accounts.create_user(&operator, &new).await.unwrap();
    let bob = accounts.principal(bob).await.unwrap();
    app.services.outside.set_on(&operator, Feature::Imports, true).await.unwrap();
    let into = Destination {
        locker: accounts.lockers(&bob).await.unwrap()[0].id,
        folder: RelativePath::root(),
        place: String::new(),
        shown: String::new(),
        only_new: false,
        own_locks: OwnLocks::Heed,
    };
    let new = NewImport { url: stub.url(place), into };
    let id = app.services.imports.fetch(&bob, &new).await.unwrap().id;
    while !is_time(&app, id, &bob).await {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    drop(app);
    let app = spawn().await;
    // The first one has left by now.
    between();
    let import = loop {
        let (import, _) = app.services.imports.one(&bob, id).await.unwrap();
        if import.state.is_over() {
            break import;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    let locker = accounts_of(&app, &bob).await;
    assert_eq!(locker.reserved, 0, "nothing is left of it");
    assert_eq!(std::fs::read_dir(data.join("staging")).unwrap().count(), 0);
    (import, folder)
}

async fn accounts_of(app: &TestApp, principal: &Principal) -> Usage {
    let accounts = &app.services.accounts;
    let locker = accounts.lockers(principal).await.unwrap()[0].id;
    accounts.usage(principal, locker).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_it_goes_on_where_it_was() {
    let song = sound(2_000_000);
    let pack = zip_of(&[("in/song.flac", &song)]);
    for (place, bytes, stored) in
        [("/song.flac", &song, "song.flac"), ("/pack.zip", &pack, "in/song.flac")]
    {
        let (held, turns) = (bytes.clone(), Arc::new(AtomicUsize::new(0)));
        let (counted, stops) = (Arc::clone(&turns), Arc::new(AtomicUsize::new(0)));
        let stopped = Arc::clone(&stops);
        let stub = Stub::start(move |asked| {
            let reply = part(asked, &held, "\"one\"");
            match counted.fetch_add(1, Ordering::SeqCst) {
                0 => Reply { breaks_after: Some(1_000_000), ..reply },
                // Says nothing as long as the first server lives.
                1 => {
                    while stopped.load(Ordering::SeqCst) == 0 {
                        std::thread::sleep(std::time::Duration::from_millis(5));
                    }
                    Reply::status(503)
                }
                _ => reply,
            }
        })
        .await;
        let is_time = async |_: &TestApp, _, _: &Principal| 2 <= turns.load(Ordering::SeqCst);
        let between = || stops.store(1, Ordering::SeqCst);
        let (import, folder) = over_two_lives(&stub, place, is_time, between).await;
        assert_eq!((import.state.as_str(), import.stored), ("done", 1), "{import:?}");
        assert_eq!(import.name, place.trim_start_matches('/'));
        let lies = folder.path().join("lockers/bob");
        assert!(std::fs::read(lies.join(stored)).unwrap() == song, "{place}");
        assert!(!lies.join("pack.zip").exists() && !lies.join("archive").exists());
        let last = stub.asked(place).pop().unwrap();
        let range = last.headers.get("range").expect("the rest alone is asked for");
        assert!(range.starts_with("bytes=") && range != "bytes=0-", "{range}");
    }
}

/// An archive that arrived is unpacked after a restart without being asked for again.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_what_arrived_is_unpacked() {
    let names: Vec<String> = (0..2000).map(|number| format!("{number}.txt")).collect();
    let files: Vec<(&str, &[u8])> =
        names.iter().map(|name| (name.as_str(), &b"text"[..])).collect();
    let pack = zip_of(&files);
    let stub = Stub::start(move |asked| part(asked, &pack, "\"one\"")).await;
    let is_time = async |app: &TestApp, id, bob: &Principal| {
        let (import, _) = app.services.imports.one(bob, id).await.unwrap();
        0 < import.stored
    };
    let (import, folder) = over_two_lives(&stub, "/pack.zip", is_time, || ()).await;
    assert_eq!((import.state.as_str(), import.stored, import.refused), ("done", 2000, 0));
    assert_eq!(std::fs::read_dir(folder.path().join("lockers/bob")).unwrap().count(), 2000);
    assert_eq!(stub.asked("/pack.zip").len(), 1);
}

#[tokio::test]
async fn a_list_becomes_a_playlist_in_its_order() {
    let folder = tempfile::tempdir().unwrap();
    let song = |name: &str, title: &str| {
        let file = music::flac(name).of("A", "B", title).write(folder.path());
        (format!("/{name}"), std::fs::read(file).unwrap())
    };
    let songs = [song("z.flac", "Zed"), song("a.flac", "Ay"), song("m.flac", "Em")];
    let held = songs.clone();
    let stub = Stub::start(move |asked| {
        if asked.place() == "/Evening.m3u" {
            let list = "#EXTM3U\n#EXTINF:2,Zed\nz.flac\nmissing.flac\nm.flac\na.flac\n";
            return Reply::ok("audio/x-mpegurl", list);
        }
        let found = held.iter().find(|(name, _)| name == asked.place());
        found.map_or(Reply::status(404), |(_, bytes)| Reply::ok("audio/flac", bytes.clone()))
    })
    .await;
    let ann = over(&stub, 10_000_000).await;
    turn_on(&ann).await;
    let done = import(&ann, &stub.url("/Evening.m3u"), "Lists").await;
    assert_eq!((&done["stored"], &done["refused"]), (&3.into(), &1.into()), "{done}");
    let text = std::fs::read_to_string(ann.lockers.folder().join("Lists/Evening.m3u8")).unwrap();
    let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines, ["z.flac", "m.flac", "a.flac"]);
    until("the playlist is there", async || {
        let (_, all) = whole(ann.request(Method::GET, "playlists").send().await.unwrap()).await;
        let found = all["items"].as_array().unwrap().iter().find(|one| one["name"] == "Evening");
        let Some(found) = found.cloned() else { return false };
        let address = format!("playlists/{}", found["id"].as_str().unwrap());
        let (_, list) = whole(ann.request(Method::GET, &address).send().await.unwrap()).await;
        let titles: Vec<_> = list["tracks"]
            .as_array()
            .map(|all| all.iter().map(|one| one["title"].as_str().unwrap().to_owned()).collect())
            .unwrap_or_default();
        titles == ["Zed", "Em", "Ay"]
    })
    .await;
}
