//! Files, archives and lists fetched from addresses, which are a stub on loopback that the
//! configuration lets the server ask.

use reqwest::Method;
use serde_json::{Value, json};
use tunelocker::config::Feature;

use super::{
    Lockers,
    archives::{Box, ended, whole, zip_of},
};
use crate::{
    harness::TestApp,
    outside::stub::{Reply, Stub},
};

async fn over(stub: &Stub, quota: u64) -> Box {
    let allowed = stub.address.to_string().parse().unwrap();
    let app = TestApp::spawn_with(|config| {
        config.drive = config.data.with_file_name("drive");
        config.egress.allow = vec![allowed];
    })
    .await;
    Box::over(Lockers::over(app, quota).await).await
}

async fn begin(ann: &Box, url: &str, folder: &str) -> (u16, Value) {
    let request = ann.request(Method::POST, "imports");
    whole(request.json(&json!({ "url": url, "folder": folder })).send().await.unwrap()).await
}

async fn import(ann: &Box, url: &str, folder: &str) -> Value {
    let (status, import) = begin(ann, url, folder).await;
    assert_eq!(status, 202, "{import}");
    ended(ann, import["id"].as_str().unwrap()).await
}

async fn turn_on(ann: &Box) {
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
