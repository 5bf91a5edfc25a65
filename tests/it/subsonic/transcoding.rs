//! The extension `transcoding`, as an app negotiates.

use reqwest::{StatusCode, header};
use serde_json::{Value, json};

use super::{App, House, schema};
use crate::playback::sound::Sound;

/// The decision for these capabilities.
async fn decide(app: &App, id: &str, client: &Value) -> Value {
    let url = app.url("getTranscodeDecision", &format!("mediaId={id}&mediaType=song"));
    let answer = app.http.post(&url).json(client).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let whole: Value = answer.json().await.unwrap();
    assert_eq!(whole["subsonic-response"]["status"], "ok", "{whole}");
    schema::holds("getTranscodeDecision", &whole);
    let decision = whole["subsonic-response"]["transcodeDecision"].clone();
    let url = url.replace("&f=json", "");
    let xml = app.http.post(url).json(client).send().await.unwrap().text().await.unwrap();
    schema::is_ok_xml(&xml);
    let reasons = xml.matches("<transcodeReason>").count();
    assert_eq!(reasons, decision["transcodeReason"].as_array().unwrap().len(), "{xml}");
    assert_eq!(xml.contains("transcodeParams=\""), decision["canTranscode"] == true, "{xml}");
    decision
}

async fn stream(app: &App, id: &str, query: &str) -> reqwest::Response {
    app.get("getTranscodeStream", &format!("mediaId={id}&mediaType=song&{query}")).await
}

/// A phone that plays mp3 and wants opus.
fn phone() -> Value {
    json!({
        "name": "Phone", "platform": "Android", "maxAudioBitrate": 0,
        "maxTranscodingAudioBitrate": 96_000,
        "directPlayProfiles": [
            { "containers": ["mp3"], "audioCodecs": ["mp3"], "protocols": ["http"], "maxAudioChannels": 2 },
            { "containers": ["mp4"], "audioCodecs": ["aac"], "protocols": [] },
        ],
        "transcodingProfiles": [
            { "container": "webm", "audioCodec": "opus", "protocol": "http" },
            { "container": "ogg", "audioCodec": "opus", "protocol": "http", "maxAudioChannels": 1 },
        ],
        "codecProfiles": [],
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn subsonic_a_decision_is_made_and_kept_to() {
    let house = House::open().await;
    let ann = &house.ann;
    let id = ann.id("song", "Untitled").await;
    let decision = decide(ann, &id, &phone()).await;
    assert_eq!(decision["canDirectPlay"], false);
    assert_eq!(decision["canTranscode"], true);
    // One reason for each of its direct-play profiles.
    assert_eq!(decision["transcodeReason"].as_array().unwrap().len(), 2, "{decision}");
    assert_eq!(decision["sourceStream"]["container"], "wav");
    let stream_details = &decision["transcodeStream"];
    assert_eq!(
        (stream_details["container"].as_str(), stream_details["codec"].as_str()),
        (Some("ogg"), Some("opus"))
    );
    assert_eq!(stream_details["audioBitrate"], 96_000);
    assert_eq!(stream_details["audioChannels"], 1);
    let params = decision["transcodeParams"].as_str().unwrap();
    // Already fit for an address.
    assert!(params.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));

    let answer = stream(ann, &id, &format!("transcodeParams={params}")).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "audio/ogg");
    let sound = Sound::of(&answer.bytes().await.unwrap(), "opus");
    assert_eq!((sound.codec.as_str(), sound.channels, sound.rate), ("opus", 1, 48_000));
    assert!((sound.duration() - 1.0).abs() < 0.001, "{}", sound.duration());
    let answer = stream(ann, &id, &format!("offset=0.25&transcodeParams={params}")).await;
    let sound = Sound::of(&answer.bytes().await.unwrap(), "opus");
    assert!((sound.duration() - 0.75).abs() < 0.001, "{}", sound.duration());
}

#[tokio::test(flavor = "multi_thread")]
async fn subsonic_what_an_app_plays_is_not_transcoded() {
    let house = House::open().await;
    let id = house.ann.id("song", "All I Want").await;
    let everything = json!({ "name": "x", "platform": "y", "directPlayProfiles": [
        { "containers": [], "audioCodecs": [], "protocols": [] } ] });
    let decision = decide(&house.ann, &id, &everything).await;
    assert_eq!(
        (&decision["canDirectPlay"], &decision["canTranscode"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(decision["transcodeReason"], json!([]));
    assert!(decision.get("transcodeParams").is_none() && decision.get("transcodeStream").is_none());
    let nothing = decide(&house.ann, &id, &json!({ "name": "x", "platform": "y" })).await;
    assert_eq!(nothing["canDirectPlay"], false);
    assert_ne!(nothing["errorReason"], "");
}

#[tokio::test(flavor = "multi_thread")]
async fn subsonic_a_decision_may_be_a_playlist() {
    let house = House::open().await;
    let id = house.ann.id("song", "Untitled").await;
    let client = json!({ "name": "x", "platform": "y", "transcodingProfiles": [
        { "container": "mp4", "audioCodec": "aac", "protocol": "hls" } ] });
    let decision = decide(&house.ann, &id, &client).await;
    assert_eq!(decision["transcodeStream"]["protocol"], "hls");
    let params = decision["transcodeParams"].as_str().unwrap();
    let answer = stream(&house.ann, &id, &format!("transcodeParams={params}")).await;
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/vnd.apple.mpegurl");
    let list = answer.text().await.unwrap();
    let segment = list.lines().find(|line| line.ends_with("/0.m4s")).unwrap();
    let made = reqwest::get(house.app.url(&format!("/rest/{segment}"))).await.unwrap();
    assert_eq!(made.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn subsonic_failures_of_a_decided_stream_are_http() {
    let house = House::open().await;
    let ann = &house.ann;
    let id = ann.id("song", "Untitled").await;
    let other = ann.id("song", "All I Want").await;
    let decision = decide(ann, &id, &phone()).await;
    let params = decision["transcodeParams"].as_str().unwrap().to_owned();
    let mut changed = params.clone();
    changed.replace_range(5..6, if &changed[5..6] == "A" { "B" } else { "A" });
    let ok = format!("transcodeParams={params}");
    for (id, query, status) in [
        (id.as_str(), "", 400),
        (&id, "transcodeParams=", 400),
        (&id, "transcodeParams=nonsense", 400),
        (&id, &format!("transcodeParams={changed}"), 400),
        (&other, &ok, 400),
        (&id, &format!("{ok}&offset=x"), 400),
        (&id, &format!("{ok}&offset=-1"), 400),
        (&id, &format!("{ok}&offset=7"), 400),
        ("tr-999", &ok, 400),
        ("nonsense", &ok, 404),
    ] {
        let answer = stream(ann, id, query).await;
        assert_eq!(answer.status().as_u16(), status, "{id} {query}");
        assert!(answer.headers()[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/plain"));
        assert!(10 < answer.text().await.unwrap().len());
    }
    // What the user may have has become less than what was decided.
    let operator = house.app.services.accounts.operator();
    let capped =
        tunelocker::accounts::UserChange { max_bitrate_kbps: Some(Some(64)), ..Default::default() };
    house.app.services.accounts.update_user(&operator, "ann", &capped).await.unwrap();
    assert_eq!(stream(ann, &id, &ok).await.status(), StatusCode::GONE);
    let decision = decide(ann, &id, &phone()).await;
    assert_eq!(decision["transcodeStream"]["audioBitrate"], 64_000);
    // Another library, another song, gone: 404 for who could have had it.
    let free =
        tunelocker::accounts::UserChange { max_bitrate_kbps: Some(None), ..Default::default() };
    house.app.services.accounts.update_user(&operator, "ann", &free).await.unwrap();
    let file = house.music.join("The Empty/Nothing/04 Untitled.wav");
    std::fs::remove_file(file).unwrap();
    assert!(stream(ann, &id, &ok).await.status().as_u16() >= 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn subsonic_nonsense_instead_of_capabilities_is_named() {
    let house = House::open().await;
    let ann = &house.ann;
    let id = ann.id("song", "Untitled").await;
    let url = ann.url("getTranscodeDecision", &format!("mediaId={id}&mediaType=song"));
    let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    let many: Vec<Value> = vec![json!({ "containers": [], "audioCodecs": [] }); 201];
    let many = json!({ "directPlayProfiles": many }).to_string();
    let cases = [
        "",
        "{",
        "[]",
        "null",
        "7",
        "{\"directPlayProfiles\": 7}",
        &deep,
        &many,
        &" ".repeat(1 << 21),
    ];
    for body in cases {
        let post = ann.http.post(&url).header(header::CONTENT_TYPE, "application/json");
        let answer = post.body(body.to_owned()).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let whole: Value = answer.json().await.unwrap();
        assert_eq!(whole["subsonic-response"]["error"]["code"], 0, "{body:.40}");
    }
    // Numbers as texts, texts as lists, members nobody knows: taken.
    let odd = json!({ "name": null, "else": {}, "codecProfiles": [ { "type": "AudioCodec", "name": "mp3",
        "limitations": [
            { "name": "audioBitrate", "comparison": "LessThanEqual", "values": "128000", "required": true },
            { "name": "audioSamplerate", "comparison": "Equals", "values": [44100], "required": false },
            { "name": "audioColour", "comparison": "Equals", "values": ["red"], "required": true } ] } ],
        "transcodingProfiles": [ { "container": "mp3", "audioCodec": "mp3", "protocol": "http" } ] });
    let decision = decide(ann, &id, &odd).await;
    assert_eq!(decision["transcodeStream"]["audioBitrate"], 128_000, "{decision}");
    assert_eq!(ann.refused("getTranscodeDecision", "mediaType=song").await, 10);
    assert_eq!(
        ann.refused("getTranscodeDecision", &format!("mediaId={id}&mediaType=film")).await,
        0
    );
    assert_eq!(
        ann.refused("getTranscodeDecision", &format!("mediaId={id}&mediaType=song")).await,
        0
    );
}

/// The song's file becomes another one of the same name, and a scan has seen it.
async fn replace_untitled(house: &House) {
    let before = house.app.services.ingest.status().last_scan_at;
    crate::harness::music::wav(&house.music, "The Empty/Nothing/04 Untitled.wav", 2.0);
    house.app.services.ingest.request_scan(tunelocker::ingest::ScanKind::Changes);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while house.app.services.ingest.status().last_scan_at == before
        || house.app.services.ingest.status().is_scanning
    {
        assert!(std::time::Instant::now() < deadline, "no scan");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn subsonic_what_was_decided_for_another_file_is_gone() {
    let house = House::open().await;
    let ann = &house.ann;
    let id = ann.id("song", "Untitled").await;
    let decision = decide(ann, &id, &phone()).await;
    let params = format!("transcodeParams={}", decision["transcodeParams"].as_str().unwrap());
    assert_eq!(stream(ann, &id, &params).await.status(), 200);
    let playlist = ann.get("hls.m3u8", &format!("id={id}&bitRate=96")).await;
    let playlist = playlist.text().await.unwrap();
    let segment = playlist.lines().find(|line| line.ends_with("/0.m4s")).unwrap();
    let segment = house.app.url(&format!("/rest/{}", segment.trim_start_matches("/rest/")));
    assert_eq!(reqwest::get(&segment).await.unwrap().status(), 200);

    replace_untitled(&house).await;
    let song = ann.ok("getSong", &format!("id={id}")).await;
    assert_eq!(song["song"]["duration"], 2, "it is the same song with other bytes");
    let answer = stream(ann, &id, &params).await;
    assert_eq!(answer.status(), StatusCode::GONE);
    assert!(answer.text().await.unwrap().contains("new decision"));
    for name in ["0.m4s", "init.mp4", "index.m3u8"] {
        let url = segment.replace("0.m4s", name);
        assert_eq!(reqwest::get(&url).await.unwrap().status(), StatusCode::GONE, "{name}");
    }
    // A new decision is about the new file.
    let decision = decide(ann, &id, &phone()).await;
    let params = format!("transcodeParams={}", decision["transcodeParams"].as_str().unwrap());
    let sound = Sound::of(&stream(ann, &id, &params).await.bytes().await.unwrap(), "opus");
    assert!((sound.duration() - 2.0).abs() < 0.001, "{}", sound.duration());
}

#[tokio::test]
async fn subsonic_a_decision_knows_the_profile_of_the_file() {
    let music = tempfile::tempdir().unwrap();
    for name in ["a.m4a", "b.aac"] {
        let made = std::process::Command::new("ffmpeg")
            .args(["-v", "error", "-nostdin", "-f", "lavfi", "-i", "sine=f=440:d=1"])
            .args(["-metadata", &format!("title={name}"), "-c:a", "aac"])
            .arg(music.path().join(name))
            .status();
        assert!(made.unwrap().success());
    }
    let house = House::over_library(music.path()).await;
    let found = house.ann.ok("search3", "query=").await["searchResult3"]["song"].clone();
    assert_eq!(found.as_array().unwrap().len(), 2);
    for song in found.as_array().unwrap() {
        let id = song["id"].as_str().unwrap();
        for (wanted, is_direct) in [("LC", true), ("HE-AAC", false)] {
            let client = json!({ "name": "x", "platform": "y",
                "directPlayProfiles": [{ "containers": [], "audioCodecs": ["aac"], "protocols": [] }],
                "codecProfiles": [{ "type": "AudioCodec", "name": "aac", "limitations": [
                    { "name": "audioProfile", "comparison": "Equals", "values": [wanted], "required": true }] }] });
            let decision = decide(&house.ann, id, &client).await;
            assert_eq!(decision["sourceStream"]["audioProfile"], "LC", "{decision}");
            assert_eq!(decision["canDirectPlay"], is_direct, "{decision}");
        }
    }
}
