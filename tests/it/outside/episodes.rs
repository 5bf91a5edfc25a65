//! Episodes in the player: decided upon, streamed, queued and counted like songs.

use std::time::Duration;

use serde_json::{Value, json};
use tunelocker::config::Feature;

use super::{
    Home,
    podcasts::{channel_when, show},
    stub::Stub,
};

/// What an app plays that wants Opus of everything, in one stream or in segments.
fn opus_app() -> Value {
    json!({ "name": "x", "platform": "y", "maxTranscodingAudioBitrate": 64_000,
        "directPlayProfiles": [{ "containers": ["mp3"], "audioCodecs": ["mp3"], "protocols": ["http"] }],
        "transcodingProfiles": [{ "container": "ogg", "audioCodec": "opus", "protocol": "http" }] })
}

#[tokio::test(flavor = "multi_thread")]
async fn podcasts_are_played_queued_and_counted_like_songs() {
    let stub = Stub::start(|asked| show(asked, 2)).await;
    let home = Home::over(stub, &[Feature::Podcasts], &[("One", "Song", 2.0)]).await;
    let (ann, bob) = (&home.house.ann, &home.house.bob);
    bob.ok("createPodcastChannel", &format!("url={}", home.stub.url("/feed.xml"))).await;
    let channel = channel_when(&home, &["completed", "new"]).await;
    let id = channel["episode"][0]["id"].as_str().unwrap();
    let new = channel["episode"][1]["id"].as_str().unwrap();

    // Decided, and then as it was decided.
    let media = format!("mediaId={id}&mediaType=podcast");
    let decide = |app: &crate::subsonic::App, media: &str| {
        let url = app.url("getTranscodeDecision", media);
        reqwest::Client::new().post(url).json(&opus_app()).send()
    };
    let decision: Value = decide(bob, &media).await.unwrap().json().await.unwrap();
    let decision = &decision["subsonic-response"]["transcodeDecision"];
    assert_eq!(decision["sourceStream"]["codec"], "flac", "{decision}");
    assert_eq!(decision["transcodeStream"]["audioBitrate"], 64_000);
    let ticket = decision["transcodeParams"].as_str().unwrap();
    let query = format!("{media}&transcodeParams={ticket}&offset=1");
    let answer = bob.get("getTranscodeStream", &query).await;
    assert_eq!(answer.headers()["content-type"], "audio/ogg");
    let sound = crate::playback::sound::Sound::of(&answer.bytes().await.unwrap(), "opus");
    assert!((sound.duration() - 3.0).abs() < 0.01, "{}", sound.duration());
    // In segments.
    let playlist = bob.get("hls.m3u8", &format!("id={id}&bitRate=96")).await.text().await.unwrap();
    let segment = playlist.lines().find(|line| line.ends_with("/0.m4s")).unwrap();
    let made = reqwest::get(home.house.app.url(&format!("/rest/{segment}"))).await.unwrap();
    assert_eq!(
        (made.status().as_u16(), &made.headers()["content-type"] == "audio/mp4"),
        (200, true)
    );
    // Whoever has no such channel has no such episode; what is not here cannot be played.
    let refused: Value = decide(ann, &media).await.unwrap().json().await.unwrap();
    assert_eq!(refused["subsonic-response"]["error"]["code"], 70, "{refused}");
    assert_eq!(ann.get("getTranscodeStream", &query).await.status(), 404);
    assert_eq!(ann.refused("hls.m3u8", &format!("id={id}")).await, 70);
    let absent = format!("mediaId={new}&mediaType=podcast");
    let refused: Value = decide(bob, &absent).await.unwrap().json().await.unwrap();
    assert_eq!(refused["subsonic-response"]["status"], "failed");

    // A queue of both comes back as it was.
    let song = bob.id("song", "Song").await;
    let queue = format!("id={song}&id={id}&id={song}&current={id}&position=700");
    bob.ok("savePlayQueue", &queue).await;
    let saved = bob.ok("getPlayQueue", "").await["playQueue"].clone();
    let ids: Vec<&str> =
        saved["entry"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [song.as_str(), id, song.as_str()]);
    assert_eq!((&saved["current"], &saved["position"]), (&json!(id), &json!(700)));
    assert_eq!(
        (&saved["entry"][1]["type"], &saved["entry"][0]["type"]),
        (&json!("podcast"), &json!("music"))
    );
    let by_index = bob.ok("getPlayQueueByIndex", "").await["playQueueByIndex"].clone();
    assert_eq!(by_index["currentIndex"], 1);
    bob.ok("savePlayQueueByIndex", &format!("id={id}&id={song}&currentIndex=1&position=5")).await;
    let saved = bob.ok("getPlayQueue", "").await["playQueue"].clone();
    assert_eq!((&saved["current"], saved["entry"].as_array().unwrap().len()), (&json!(song), 2));

    // Whoever has it sees who hears it, by either way of saying so.
    let playing = async |app: &crate::subsonic::App| {
        let all = app.ok("getNowPlaying", "").await["nowPlaying"]["entry"].clone();
        all.as_array().unwrap().clone()
    };
    bob.ok("scrobble", &format!("id={id}&submission=false")).await;
    assert_eq!((playing(bob).await.len(), playing(ann).await.len()), (1, 0));
    let report = format!("{media}&positionMs=1500&state=paused&playbackRate=2");
    bob.ok("reportPlayback", &report).await;
    let shown = playing(bob).await;
    assert_eq!(
        (shown.len(), &shown[0]["id"], &shown[0]["type"]),
        (1, &json!(id), &json!("podcast"))
    );
    assert_eq!((&shown[0]["username"], &shown[0]["positionMs"]), (&json!("bob"), &json!(1500)));
    assert_eq!((&shown[0]["state"], &shown[0]["playbackRate"]), (&json!("paused"), &json!(2.0)));
    bob.ok("reportPlayback", &format!("{media}&positionMs=0&state=stopped")).await;
    assert!(playing(bob).await.is_empty());

    // Heard to its middle and told twice, and scrobbled too: one listen.
    let count = async || {
        let one = bob.ok("getPodcastEpisode", &format!("id={id}")).await;
        one["podcastEpisode"]["playCount"].as_u64().unwrap()
    };
    for (state, position, more, expected) in [
        ("starting", 0, "", 0),
        ("playing", 3900, "", 0),
        ("stopped", 1000, "", 0),
        ("stopped", 3900, "&ignoreScrobble=true", 0),
        ("stopped", 3900, "", 1),
        ("stopped", 3900, "", 1),
    ] {
        let report = format!("{media}&positionMs={position}&state={state}{more}");
        bob.ok("reportPlayback", &report).await;
        assert_eq!(count().await, expected, "{report}");
    }
    for again in [
        "",
        "",
        &format!("&time={}", home.clock.now()),
        &format!("&time={}", home.clock.now() / 1000),
    ] {
        bob.ok("scrobble", &format!("id={id}{again}")).await;
        assert_eq!(count().await, 1, "{again}");
    }
    assert_eq!(bob.refused("reportPlayback", &format!("{media}&positionMs=1&state=odd")).await, 0);
    assert_eq!(
        ann.refused("reportPlayback", &format!("{media}&positionMs=1&state=stopped")).await,
        70
    );
    // The panel says the same in its own words, some time later.
    home.pass(Duration::from_hours(1)).await;
    let said = json!({ "track": id, "state": "playing", "position": 1.0, "device": "a" });
    assert_eq!(home.api("bob", "POST", "playback", Some(said)).await.0, 204);
    let said = json!({ "track": id, "state": "stopped", "position": 3.0, "device": "a" });
    assert_eq!(home.api("bob", "POST", "playback", Some(said.clone())).await.0, 204);
    assert_eq!(home.api("ann", "POST", "playback", Some(said)).await.0, 404);
    assert_eq!(count().await, 2);

    // Unsubscribed: it is gone from the queue, and what is left goes on.
    bob.ok("savePlayQueue", &format!("id={id}&id={song}&current={id}&position=9")).await;
    bob.ok("deletePodcastChannel", &format!("id={}", channel["id"].as_str().unwrap())).await;
    let saved = bob.ok("getPlayQueue", "").await["playQueue"].clone();
    assert_eq!((&saved["current"], &saved["position"]), (&json!(song), &json!(0)));
    assert_eq!(bob.get("getTranscodeStream", &query).await.status(), 404);
}
