//! Podcasts from feed to ear, with a feed on loopback.

use std::time::Duration;

use serde_json::{Value, json};
use tunelocker::{
    accounts::{PlanChange, UserChange},
    config::Feature,
};

use super::{
    Home,
    stub::{Asked, Reply, Stub},
    until,
};
use crate::{harness::music, subsonic::schema};

/// An episode's sound: a second for each number, so that lengths tell them apart.
pub(super) fn sound(number: u32) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = music::flac("x.flac")
        .tag("TITLE", "tag")
        .seconds(f64::from(number) + 2.0)
        .write(folder.path());
    std::fs::read(path).unwrap()
}

/// A feed of so many episodes, the last one the newest.
fn feed(base: &str, episodes: u32) -> String {
    let items: String = (1..=episodes)
        .rev()
        .map(|number| {
            format!(
                "<item><title>Episode {number}: \"&amp;\"</title><guid>g{number}</guid>\
                 <pubDate>{number:02} Jan 2024 10:00:00 GMT</pubDate>\
                 <description>&lt;p&gt;About {number}&lt;/p&gt;&lt;script&gt;alert(1)&lt;/script&gt;</description>\
                 <enclosure url=\"{base}/audio/{number}.flac\" type=\"audio/flac\" length=\"99\"/></item>"
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\"?><rss version=\"2.0\" xmlns:itunes=\"http://www.itunes.com/dtds/podcast-1.0.dtd\">\
         <channel><title>The Show</title><description>All of it</description><itunes:author>Ann Onym</itunes:author>\
         <itunes:image href=\"{base}/art.jpg\"/>{items}</channel></rss>"
    )
}

/// Serves the feed with an ETag, its picture and its sounds.
pub(super) fn show(asked: &Asked, episodes: u32) -> Reply {
    let base = format!("http://{}", asked.headers["host"]);
    match asked.place() {
        "/feed.xml" => {
            let tag = format!("\"v{episodes}\"");
            if asked.headers.get("if-none-match") == Some(&tag) {
                return Reply::status(304);
            }
            Reply::ok("application/rss+xml", feed(&base, episodes)).with("etag", &tag)
        }
        "/art.jpg" => Reply::ok("image/jpeg", music::jpeg(1200, [200, 30, 60])),
        path => match path.strip_prefix("/audio/").and_then(|rest| rest.strip_suffix(".flac")) {
            Some(number) => Reply::ok("audio/flac", sound(number.parse().unwrap())),
            None => Reply::status(404),
        },
    }
}

async fn home(episodes: u32) -> Home {
    let stub = Stub::start(move |asked| show(asked, episodes)).await;
    Home::open(stub, &[Feature::Podcasts]).await
}

/// The only channel with its episodes, once its newest ones are as wanted.
pub(super) async fn channel_when(home: &Home, statuses: &[&str]) -> Value {
    let ask =
        || async { home.house.bob.ok("getPodcasts", "").await["podcasts"]["channel"][0].clone() };
    until(ask, |channel| {
        let found = channel["episode"].as_array().into_iter().flatten();
        let found: Vec<_> = found.map(|episode| episode["status"].as_str().unwrap()).collect();
        found.len() >= statuses.len() && found[..statuses.len()] == *statuses
    })
    .await
}

async fn used(home: &Home) -> u64 {
    let bob = home.house.principal("bob").await;
    home.house.app.services.accounts.lockers(&bob).await.unwrap()[0].usage.used
}

#[tokio::test]
async fn podcasts_come_from_feed_to_ear() {
    let home = home(3).await;
    let (ann, bob) = (&home.house.ann, &home.house.bob);
    let url = home.stub.url("/feed.xml");
    bob.ok("createPodcastChannel", &format!("url={url}")).await;
    bob.ok("createPodcastChannel", &format!("url={url}%23top")).await;
    let channel = channel_when(&home, &["completed", "new", "new"]).await;
    assert_eq!(channel["title"], "The Show");
    assert_eq!(
        (&channel["status"], &channel["description"]),
        (&json!("completed"), &json!("All of it"))
    );
    let all = bob.ok("getPodcasts", "includeEpisodes=false").await;
    assert_eq!(all["podcasts"]["channel"].as_array().unwrap().len(), 1, "the same feed once");
    assert!(all["podcasts"]["channel"][0].get("episode").is_none());

    let episode = &channel["episode"][0];
    let id = episode["id"].as_str().unwrap();
    assert_eq!(episode["title"], "Episode 3: \"&\"");
    assert_eq!(episode["description"], "About 3");
    assert_eq!(episode["publishDate"], "2024-01-03T10:00:00.000Z");
    assert_eq!((&episode["duration"], &episode["type"]), (&json!(5), &json!("podcast")));
    assert_eq!((&episode["streamId"], &episode["channelId"]), (&json!(id), &channel["id"]));
    let new = &channel["episode"][1];
    assert!(new.get("streamId").is_none() && new["duration"] == 0, "{new}");
    let one = bob.ok("getPodcastEpisode", &format!("id={id}")).await;
    assert_eq!(one["podcastEpisode"], *episode);
    let newest = bob.ok("getNewestPodcasts", "count=2").await;
    assert_eq!(newest["newestPodcasts"]["episode"].as_array().unwrap().len(), 2);

    // Its bytes, whole, in part and in another form.
    let file = sound(3);
    assert_eq!(used(&home).await, file.len() as u64);
    for method in ["stream", "download"] {
        let answer = bob.get(method, &format!("id={id}")).await;
        assert_eq!(answer.headers()["content-type"], "audio/flac");
        assert!(answer.bytes().await.unwrap() == file, "{method}");
    }
    let part = reqwest::Client::new()
        .get(bob.url("stream", &format!("id={id}")))
        .header("range", "bytes=4-7");
    assert_eq!(part.send().await.unwrap().bytes().await.unwrap(), file[4..8]);
    let mp3 = bob.get("stream", &format!("id={id}&format=mp3&maxBitRate=64")).await;
    assert_eq!(mp3.headers()["content-type"], "audio/mpeg");
    assert!(mp3.bytes().await.unwrap().len() > 5000);
    for cover in [&channel["coverArt"], &episode["coverArt"]] {
        let answer =
            bob.get("getCoverArt", &format!("id={}&size=100", cover.as_str().unwrap())).await;
        assert_eq!(answer.headers()["content-type"], "image/jpeg");
        assert_eq!(image::load_from_memory(&answer.bytes().await.unwrap()).unwrap().width(), 100);
    }

    // What is added to it by its id (C34); it is no music.
    bob.ok("star", &format!("id={id}")).await;
    bob.ok("setRating", &format!("id={id}&rating=4")).await;
    for _ in 0..2 {
        bob.ok("scrobble", &format!("id={id}&time=1700000000000")).await;
    }
    bob.ok("createBookmark", &format!("id={id}&position=1500&comment=here")).await;
    let one = bob.ok("getPodcastEpisode", &format!("id={id}")).await["podcastEpisode"].clone();
    assert!(one["starred"].is_string());
    assert_eq!((&one["userRating"], &one["playCount"]), (&json!(4), &json!(1)));
    assert_eq!(
        (&one["bookmarkPosition"], &one["played"]),
        (&json!(1500), &json!("2023-11-14T22:13:20.000Z"))
    );
    let bookmarks = bob.ok("getBookmarks", "").await;
    let bookmark = &bookmarks["bookmarks"]["bookmark"][0];
    assert_eq!((&bookmark["entry"]["id"], &bookmark["comment"]), (&json!(id), &json!("here")));
    bob.ok("deleteBookmark", &format!("id={id}")).await;
    bob.ok("unstar", &format!("id={id}")).await;
    let one = bob.ok("getPodcastEpisode", &format!("id={id}")).await["podcastEpisode"].clone();
    assert!(one.get("starred").is_none() && one.get("bookmarkPosition").is_none());
    let found = bob.ok("search3", "query=Episode").await;
    assert!(found["searchResult3"]["song"].as_array().is_none_or(Vec::is_empty), "{found}");

    // Nobody else has it.
    for method in [
        "getPodcastEpisode",
        "stream",
        "star",
        "downloadPodcastEpisode",
        "deletePodcastEpisode",
        "createBookmark",
    ] {
        assert_eq!(ann.refused(method, &format!("id={id}&position=1")).await, 70, "{method}");
    }
    let channel_id = channel["id"].as_str().unwrap();
    assert_eq!(ann.refused("deletePodcastChannel", &format!("id={channel_id}")).await, 70);
    assert_eq!(ann.refused("getPodcasts", &format!("id={channel_id}")).await, 70);

    // Away and back again.
    bob.ok("deletePodcastEpisode", &format!("id={id}")).await;
    assert_eq!(used(&home).await, 0);
    assert_eq!(bob.refused("stream", &format!("id={id}")).await, 0);
    channel_when(&home, &["deleted", "new", "new"]).await;
    bob.ok("downloadPodcastEpisode", &format!("id={id}")).await;
    channel_when(&home, &["completed", "new", "new"]).await;
    bob.ok("deletePodcastChannel", &format!("id={channel_id}")).await;
    assert_eq!(used(&home).await, 0);
    assert_eq!(bob.refused("getPodcastEpisode", &format!("id={id}")).await, 70);
}

#[tokio::test]
async fn podcasts_fit_the_published_schemas() {
    let Some(folder) = schema::folder() else { return };
    let home = home(2).await;
    let bob = &home.house.bob;
    bob.ok("createPodcastChannel", &format!("url={}", home.stub.url("/feed.xml"))).await;
    let channel = channel_when(&home, &["completed", "new"]).await;
    let id = channel["episode"][0]["id"].as_str().unwrap();
    bob.ok("createBookmark", &format!("id={id}&position=5")).await;
    bob.ok("savePlayQueue", &format!("id={id}&current={id}")).await;
    let openapi = schema::openapi::OpenApi::open(&folder);
    let (mut wrong, mut xml) = (Vec::new(), Vec::new());
    let of_episode = format!("id={id}");
    for (method, query) in [
        ("getPodcasts", ""),
        ("getNewestPodcasts", ""),
        ("getPodcastEpisode", of_episode.as_str()),
        ("getBookmarks", ""),
        ("getPlayQueue", ""),
        ("getPlayQueueByIndex", ""),
        ("refreshPodcasts", ""),
    ] {
        let whole = bob.get(method, query).await.json().await.unwrap();
        wrong.extend(openapi.check(method, &whole));
        // The old schema ends before this method.
        if method == "getPodcastEpisode" {
            continue;
        }
        let url = bob.url(method, query).replace("&f=json", "");
        xml.push((method.to_owned(), reqwest::get(url).await.unwrap().text().await.unwrap()));
    }
    wrong.extend(schema::xsd::check(&folder, &xml));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn podcasts_are_asked_conditionally_and_bring_what_is_new() {
    let home = home(1).await;
    let bob = &home.house.bob;
    bob.ok("createPodcastChannel", &format!("url={}", home.stub.url("/feed.xml"))).await;
    channel_when(&home, &["completed"]).await;
    // Too soon: nothing is asked.
    bob.ok("refreshPodcasts", "").await;
    home.pass(Duration::from_mins(2)).await;
    bob.ok("refreshPodcasts", "").await;
    until(|| async { json!(home.stub.asked("/feed.xml").len()) }, |count| *count == 2).await;
    assert_eq!(home.stub.asked("/feed.xml")[1].headers["if-none-match"], "\"v1\"");
    let ask = || async { home.api("bob", "GET", "podcasts", None).await.1["items"][0].clone() };
    until(ask, |channel| channel["refreshedAt"] == home.clock.now()).await;
    // By itself, some hours later.
    home.stub.answer(|asked| show(asked, 2));
    home.pass(Duration::from_hours(5)).await;
    channel_when(&home, &["completed", "completed"]).await;
    assert_eq!(home.stub.asked("/feed.xml").len(), 3);
    assert_eq!(home.stub.asked("/art.jpg").len(), 1, "the picture is kept");
}

#[tokio::test]
async fn podcasts_of_dead_feeds_say_so_and_are_asked_ever_more_rarely() {
    let home = Home::open(Stub::start(|_| Reply::status(503)).await, &[Feature::Podcasts]).await;
    let bob = &home.house.bob;
    bob.ok("createPodcastChannel", &format!("url={}", home.stub.url("/feed.xml"))).await;
    let ask = || async { bob.ok("getPodcasts", "").await["podcasts"]["channel"][0].clone() };
    let channel = until(ask, |channel| channel["status"] == "error").await;
    assert!(channel["errorMessage"].as_str().unwrap().contains("503"), "{channel}");
    // It is tried again, whenever its time has come.
    let asked = || async {
        home.pass(Duration::from_mins(25)).await;
        json!(home.stub.asked("/feed.xml").len())
    };
    until(asked, |count| count.as_u64() >= Some(3)).await;
    home.stub.answer(|asked| show(asked, 1));
    let ask = || async {
        home.pass(Duration::from_hours(3)).await;
        bob.ok("getPodcasts", "").await["podcasts"]["channel"][0].clone()
    };
    until(ask, |channel| channel["status"] == "completed").await;
    let channel = channel_when(&home, &["completed"]).await;
    assert_eq!(channel["status"], "completed");
}

#[tokio::test]
async fn podcasts_count_against_the_quota_of_who_subscribed() {
    let home = home(1).await;
    let accounts = &home.house.app.services.accounts;
    let operator = accounts.operator();
    let small = PlanChange { quota: Some(Some(100)), ..PlanChange::default() };
    accounts.set_plan(&operator, "Small", &small).await.unwrap();
    let change = UserChange { plan: Some("Small".to_owned()), ..UserChange::default() };
    accounts.update_user(&operator, "bob", &change).await.unwrap();
    let bob = &home.house.bob;
    bob.ok("createPodcastChannel", &format!("url={}", home.stub.url("/feed.xml"))).await;
    let channel = channel_when(&home, &["error"]).await;
    assert_eq!(used(&home).await, 0);
    let id = channel["id"].as_str().unwrap();
    let (_, shown) = home.api("bob", "GET", &format!("podcasts/{id}"), None).await;
    let why = shown["episodes"][0]["error"].as_str().unwrap();
    assert!(why.contains("does not fit") && why.contains("of 100 bytes"), "{why}");
    // Asked for, it is refused at once, as apps understand it.
    let tiny = PlanChange { quota: Some(Some(50)), ..PlanChange::default() };
    accounts.set_plan(&operator, "Small", &tiny).await.unwrap();
    let episode = channel["episode"][0]["id"].as_str().unwrap();
    let refused = bob.envelope("downloadPodcastEpisode", &format!("id={episode}")).await;
    let error = &refused["error"];
    assert_eq!(error["code"], 50, "{refused}");
    assert!(error["message"].as_str().unwrap().contains("0 of 50 bytes are used"), "{refused}");
    let (status, problem) = home.api("bob", "PUT", &format!("episodes/{episode}/file"), None).await;
    assert_eq!((status, &problem["type"]), (413, &json!("quota_exceeded")), "{problem}");
}

#[tokio::test]
async fn podcasts_keep_what_their_channel_says() {
    let home = home(4).await;
    let bob = &home.house.bob;
    bob.ok("createPodcastChannel", &format!("url={}", home.stub.url("/feed.xml"))).await;
    let channel = channel_when(&home, &["completed", "new", "new", "new"]).await;
    let id = channel["id"].as_str().unwrap();
    let path = format!("podcasts/{id}");
    let kept = |fetch: u32, keep: Value| {
        Some(json!({ "fetchNewest": fetch, "keepNewest": keep, "keepDays": null }))
    };
    assert_eq!(home.api("bob", "PATCH", &path, kept(3, json!(null))).await.0, 204);
    let channel = channel_when(&home, &["completed", "completed", "completed", "new"]).await;
    let third = channel["episode"][2]["id"].as_str().unwrap();
    bob.ok("star", &format!("id={third}")).await;
    assert_eq!(home.api("bob", "PATCH", &path, kept(3, json!(1))).await.0, 204);
    // The starred one stays; what went away does not come back by itself.
    channel_when(&home, &["completed", "deleted", "completed", "new"]).await;
    home.pass(Duration::from_hours(9)).await;
    until(|| async { json!(home.stub.asked("/feed.xml").len()) }, |count| *count == 2).await;
    channel_when(&home, &["completed", "deleted", "completed", "new"]).await;
    assert_eq!(home.api("ann", "PATCH", &path, kept(1, json!(1))).await.0, 404);
    assert_eq!(home.api("bob", "PATCH", &path, kept(1, json!(0))).await.0, 400);
}

#[tokio::test]
async fn podcasts_lead_nowhere_inside() {
    let canary = Stub::start(|_| Reply::ok("audio/flac", sound(1))).await;
    let inside = canary.url("");
    let home = Home::open(
        Stub::start(move |asked| match asked.place() {
            "/moved.xml" => Reply::status(302).with("location", &format!("{inside}/feed.xml")),
            _ => Reply::ok("text/xml", feed(&inside, 1)),
        })
        .await,
        &[Feature::Podcasts],
    )
    .await;
    let bob = &home.house.bob;
    for url in [
        canary.url("/feed.xml"),
        "http://localhost/feed.xml".into(),
        "file:///etc/passwd".into(),
        "http://192.168.0.1/".into(),
    ] {
        let refused = bob.envelope("createPodcastChannel", &format!("url={url}")).await;
        let later = refused["status"] == "ok";
        assert!(later == url.contains("localhost"), "{url}: {refused}");
    }
    bob.ok("createPodcastChannel", &format!("url={}", home.stub.url("/moved.xml"))).await;
    bob.ok("createPodcastChannel", &format!("url={}", home.stub.url("/feed.xml"))).await;
    // The name is refused when it is resolved, the redirect when it is followed, the sound when it
    // is fetched, and the picture is done without.
    let ask = || async { bob.ok("getPodcasts", "").await["podcasts"]["channel"].clone() };
    let channels = until(ask, |channels| {
        let channels = channels.as_array().unwrap();
        let failed = channels.iter().filter(|one| one["status"] == "error").count();
        failed == 2 && channels.iter().any(|one| one["episode"][0]["status"] == "error")
    })
    .await;
    assert!(channels.to_string().contains("not on the public internet"), "{channels:#}");
    assert!(canary.asked("").is_empty());
}

#[tokio::test]
async fn podcasts_are_no_way_in_for_what_is_no_sound() {
    let home = Home::open(
        Stub::start(|asked| match asked.place() {
            "/feed.xml" => show(asked, 2),
            "/audio/2.flac" => Reply::ok("audio/flac", "<html>no sound</html>"),
            _ => Reply::ok("text/html", "<html>a page</html>"),
        })
        .await,
        &[Feature::Podcasts],
    )
    .await;
    let bob = &home.house.bob;
    bob.ok("createPodcastChannel", &format!("url={}", home.stub.url("/feed.xml"))).await;
    let channel = channel_when(&home, &["error", "new"]).await;
    let older = channel["episode"][1]["id"].as_str().unwrap();
    bob.ok("downloadPodcastEpisode", &format!("id={older}")).await;
    channel_when(&home, &["error", "error"]).await;
    assert_eq!(used(&home).await, 0);
    let locker = home.house.app.folder.path().join("data/lockers/bob/Podcasts/The Show");
    let names =
        std::fs::read_dir(locker).into_iter().flatten().flatten().map(|file| file.file_name());
    let left: Vec<_> = names.filter(|name| name != ".nomedia").collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn podcasts_need_the_switch_and_the_right() {
    let home = home(1).await;
    let bob = &home.house.bob;
    let new = format!("url={}", home.stub.url("/feed.xml"));
    home.house.ann.ok("updateUser", "username=bob&podcastRole=false").await;
    for method in ["createPodcastChannel", "refreshPodcasts"] {
        assert_eq!(bob.refused(method, &new).await, 50, "{method}");
    }
    home.house.ann.ok("updateUser", "username=bob&podcastRole=true").await;
    bob.ok("createPodcastChannel", &new).await;
    let channel = channel_when(&home, &["completed"]).await;
    let episode = channel["episode"][0]["id"].as_str().unwrap().to_owned();
    let ann = home.house.principal("ann").await;
    home.house.app.services.outside.set_on(&ann, Feature::Podcasts, false).await.unwrap();
    let none = bob.ok("getPodcasts", "").await;
    assert_eq!(none["podcasts"], json!({ "channel": [] }));
    assert_eq!(bob.refused("createPodcastChannel", &new).await, 50);
    assert_eq!(bob.refused("getPodcastEpisode", &format!("id={episode}")).await, 50);
    assert!(!home.house.ann.ok("getOpenSubsonicExtensions", "").await.to_string().is_empty());
}
