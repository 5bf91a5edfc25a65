//! The jukebox by `jukeboxControl`: over an output that keeps time in silence, and over a program
//! that writes down what it is given.

use std::{
    os::unix::fs::PermissionsExt as _,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tunelocker::config::JukeboxOutput;

use super::{App, House, history::panel, names};

async fn status(app: &App, query: &str) -> Value {
    app.ok("jukeboxControl", query).await["jukeboxStatus"].clone()
}

async fn queue(app: &App) -> Value {
    app.ok("jukeboxControl", "action=get").await["jukeboxPlaylist"].clone()
}

/// Waits until the jukebox is as it should be.
async fn until(app: &App, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let now = status(app, "action=status").await;
        if fits(&now) {
            return now;
        }
        assert!(Instant::now() < deadline, "{what}: {now}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn silent(speed: u32) -> House {
    House::open_with(|config| config.jukebox.output = JukeboxOutput::Silence { speed }).await
}

#[tokio::test]
async fn subsonic_jukebox_plays_its_queue_to_the_end() {
    let house = silent(4).await;
    let ann = &house.ann;
    let idle = status(ann, "action=status").await;
    assert_eq!(idle, json!({"currentIndex": -1, "playing": false, "gain": 1.0, "position": 0}));
    let mut ids = String::new();
    for title in ["All I Want", "My Old Man", "Little Green"] {
        ids += &format!("&id={}", ann.id("song", title).await);
    }
    status(ann, &format!("action=add{ids}")).await;
    assert_eq!(status(ann, "action=status").await["playing"], false, "adding does not start");
    let started = status(ann, "action=start").await;
    assert_eq!((&started["playing"], &started["currentIndex"]), (&json!(true), &json!(0)));
    let playing = ann.ok("getNowPlaying", "").await["nowPlaying"]["entry"][0].clone();
    assert_eq!(
        (&playing["playerName"], &playing["username"], &playing["title"]),
        (&json!("Jukebox"), &json!("ann"), &json!("All I Want"))
    );
    // One after the other, and then it is over.
    until(ann, "the second", |now| now["currentIndex"].as_i64() >= Some(1)).await;
    until(ann, "the end", |now| now["playing"] == false && now["currentIndex"] == 2).await;
    assert_eq!(ann.ok("getNowPlaying", "").await["nowPlaying"]["entry"], json!([]));
    // Each was a listen of who put it there.
    let history = panel(&house, ann, "history").await;
    assert_eq!((&history["total"], &history["items"][0]["source"]), (&json!(3), &json!("jukebox")));
    // It begins anew where it stopped.
    status(ann, "action=skip&index=0").await;
    let held = status(ann, "action=stop").await;
    assert_eq!((&held["playing"], &held["currentIndex"]), (&json!(false), &json!(0)));
    until(ann, "holding", |now| now["playing"] == false).await;
    assert_eq!(status(ann, "action=start").await["playing"], true);
    status(ann, "action=clear").await;
    assert_eq!(status(ann, "action=status").await["currentIndex"], -1);
}

#[tokio::test]
async fn subsonic_jukebox_is_one_queue_for_all() {
    let house = silent(1).await;
    let (ann, bob) = (&house.ann, &house.bob);
    let one = ann.id("song", "All I Want").await;
    let (two, three) = (ann.id("song", "My Old Man").await, ann.id("song", "First").await);
    status(ann, &format!("action=add&id={one}&id=tr-9999&id={two}")).await;
    status(bob, &format!("action=add&id={three}")).await;
    for app in [ann, bob] {
        assert_eq!(names(&queue(app).await["entry"]), ["All I Want", "My Old Man", "First"]);
    }
    status(bob, "action=skip&index=1&offset=0").await;
    assert_eq!(queue(ann).await["currentIndex"], 1);
    // Taking one away before it keeps it; taking it away plays what was behind it.
    status(ann, "action=remove&index=0").await;
    let now = queue(bob).await;
    assert_eq!((&now["currentIndex"], &now["playing"]), (&json!(0), &json!(true)));
    status(bob, "action=remove&index=0").await;
    let now = queue(ann).await;
    assert_eq!((names(&now["entry"]), &now["currentIndex"]), (vec!["First"], &json!(0)));
    // The panel's words, as they are described.
    for wish in [
        json!({ "action": "gain", "gain": 0.5 }),
        json!({ "action": "skip", "index": 0, "offset": 0.0 }),
        json!({ "action": "start" }),
    ] {
        let address = house.app.url("/api/v1/jukebox");
        let request = reqwest::Client::new().post(address).bearer_auth(&ann.secret).json(&wish);
        assert_eq!(crate::web::schema::send(request).await.0, 200, "{wish}");
    }
    // Replacing keeps what plays where it is among the new ones.
    status(ann, &format!("action=set&id={one}&id={three}")).await;
    assert_eq!(queue(bob).await["currentIndex"], 1);
    status(ann, "action=shuffle").await;
    assert_eq!(queue(bob).await["entry"][0]["title"], "First");
    let gain = status(bob, "action=setGain&gain=0.25").await["gain"].as_f64().unwrap();
    assert!((gain - 0.25).abs() < 1e-6);

    // Who may not see a song counts without it.
    ann.ok("updateUser", "username=bob&musicFolderId=9999").await;
    let seen = queue(bob).await;
    assert_eq!((&seen["entry"], &seen["currentIndex"]), (&json!([]), &json!(-1)));
    assert_eq!(bob.refused("jukeboxControl", "action=skip&index=0").await, 10);
    status(bob, &format!("action=add&id={one}")).await;
    assert_eq!(queue(ann).await["entry"].as_array().unwrap().len(), 2);

    for (query, code) in [
        ("", 10),
        ("action=dance", 0),
        ("action=skip", 10),
        ("action=skip&index=99", 10),
        ("action=skip&index=-1", 0),
        ("action=skip&index=0&offset=NaN", 0),
        ("action=remove", 10),
        ("action=setGain", 10),
        ("action=setGain&gain=2", 0),
        ("action=setGain&gain=NaN", 0),
    ] {
        assert_eq!(ann.refused("jukeboxControl", query).await, code, "{query}");
    }
    ann.ok("updateUser", "username=bob&jukeboxRole=false").await;
    assert_eq!(bob.refused("jukeboxControl", "action=status").await, 50);
}

#[tokio::test]
async fn subsonic_jukebox_without_speakers_says_so() {
    let house = House::open().await;
    assert_eq!(house.ann.refused("jukeboxControl", "action=status").await, 0);
    assert_eq!(panel(&house, &house.ann, "jukebox").await, json!({ "there": false }));
}

/// Tracks of one format go into one run of the program, to the last sample and without a gap.
#[tokio::test]
async fn subsonic_jukebox_feeds_a_program_without_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let (program, heard, said) =
        (folder.path().join("speakers"), folder.path().join("heard"), folder.path().join("said"));
    let script =
        // Twice as fast as sound, as a device that takes what it can play.
        format!(
            "#!/bin/sh\ncd {}\necho \"$@\" >> said\nwhile head -c 17640 > piece && [ -s piece ]; do\n\
             cat piece >> heard; sleep 0.05; done\n",
            folder.path().display()
        );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let house = House::open_with(|config| {
        config.jukebox.output = JukeboxOutput::Program(program);
    })
    .await;
    let ann = &house.ann;
    let mut query = "action=set".to_owned();
    let mut bytes = 0;
    let mut form = (0, 0);
    for title in ["All I Want", "My Old Man", "Little Green"] {
        let id = ann.id("song", title).await;
        let song = ann.ok("getSong", &format!("id={id}")).await["song"].clone();
        form = (song["samplingRate"].as_u64().unwrap(), song["channelCount"].as_u64().unwrap());
        let url = ann.url("stream", &format!("id={id}&format=l16"));
        bytes += reqwest::get(url).await.unwrap().bytes().await.unwrap().len();
        query += &format!("&id={id}");
    }
    status(ann, &query).await;
    status(ann, "action=start").await;
    until(ann, "the end", |now| now["playing"] == false).await;
    let said = std::fs::read_to_string(said).unwrap();
    let expected = format!("-q -t raw -f S16_LE -r {} -c {} -\n", form.0, form.1);
    assert_eq!(said, expected, "one run for all");
    let heard = std::fs::read(heard).unwrap();
    assert_eq!(heard.len(), bytes);
    // Each track is a level of its own: three of them, and nothing in between.
    let mut levels: Vec<i16> =
        heard.chunks_exact(2).map(|sample| i16::from_le_bytes([sample[0], sample[1]])).collect();
    levels.dedup();
    assert_eq!(levels.len(), 3, "{levels:?}");
}
