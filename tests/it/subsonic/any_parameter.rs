//! Every parameter of every method, absent, empty, huge, negative, no number, of the wrong type,
//! somebody else's and gone: always an answer in form, never a fault of ours.

use std::{collections::BTreeMap, fmt::Write as _};

use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use reqwest::header;
use serde_json::json;
use tunelocker::{
    accounts::NewUser,
    config::{Feature, JukeboxOutput},
    protocols::subsonic,
};

use super::{App, House, PASSWORD, matrix, schema};

/// What every parameter is sent as; `None` is not at all.
fn values(others: &[String]) -> Vec<Option<String>> {
    let (huge, long) = ("9".repeat(300), "x".repeat(8_000));
    let values = [
        "",
        &huge,
        "9223372036854775808",
        "4294967296",
        "-1",
        "NaN",
        "1.5",
        "true",
        "word",
        &long,
        "%00%FF",
    ];
    let sent = values.into_iter().map(ToOwned::to_owned).chain(others.iter().cloned());
    std::iter::once(None).chain(sent.map(Some)).collect()
}

/// What some are sent as besides.
const MORE: &[&str] = &[
    "9223372036854775807",
    "-9223372036854775809",
    "1e308",
    "-0",
    "inf",
    "-inf",
    "0x10",
    "null",
    "[]",
    "%F0%9F%8E%B5",
    "%27%20or%201%3D1%20--",
    "../../etc/passwd",
    "%0d%0aX-Bad:%20yes",
    "tr-0",
    "tr--1",
    "al-99999999999999999999",
    "ar-1_zzzzzzzz",
    "fo-1",
    "pl-1",
    "%22%22",
    "*",
];

/// Asks by one way or the other, and holds the answer to the form that every answer has.
async fn ask(app: &App, method: &str, query: &str, posts: bool) {
    let shown = || format!("{method}?{query:.300}");
    let asked = if posts {
        let form = app.http.post(app.url(method, "")).body(query.trim_matches('&').to_owned());
        form.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
    } else {
        app.http.get(app.url(method, query))
    };
    let answer = asked.send().await;
    let answer = answer.unwrap_or_else(|error| panic!("{}: {error}", shown()));
    let status = answer.status().as_u16();
    if method == "getTranscodeStream" && (400..500).contains(&status) {
        return;
    }
    assert!(status == 200, "{}: {status}", shown());
    let kind = answer.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
    assert!(answer.headers().get("x-bad").is_none(), "{}", shown());
    if kind.starts_with("application/json") {
        let whole: serde_json::Value = answer.json().await.unwrap();
        let status = &whole["subsonic-response"]["status"];
        assert!(status == "ok" || status == "failed", "{}: {whole}", shown());
    } else {
        let is_media =
            ["audio/", "image/", "application/vnd.apple.mpegurl", "application/zip", "text/vtt"];
        assert!(is_media.iter().any(|is| kind.starts_with(is)), "{}: {kind}", shown());
    }
}

/// The query with one parameter replaced.
fn with(query: &str, name: &str, value: Option<&str>) -> String {
    let kept =
        query.split('&').filter(|pair| !pair.is_empty() && pair.split('=').next() != Some(name));
    let mut query = kept.collect::<Vec<_>>().join("&");
    if let Some(value) = value {
        let _ = write!(query, "&{name}={value}");
    }
    query
}

/// A house where everything is on, with somebody to break.
struct Broken {
    house: House,
    /// What each method is asked with where nothing is wrong.
    parameters: BTreeMap<&'static str, String>,
    /// What is bob's.
    foreign: String,
    /// Of each kind what is somebody else's, and what is gone.
    others: Vec<String>,
}

async fn house() -> Broken {
    let house = House::open_with(|config| {
        config.jukebox.output = JukeboxOutput::Silence { speed: 1 };
    })
    .await;
    let admin = house.principal("ann").await;
    for feature in [Feature::Podcasts, Feature::Radio] {
        house.app.services.outside.set_on(&admin, feature, true).await.unwrap();
    }
    let accounts = &house.app.services.accounts;
    let operator = accounts.operator();
    accounts.create_user(&operator, &NewUser::new("cat", PASSWORD)).await.unwrap();
    let mut parameters = matrix::parameters(&house).await;
    let song = house.ann.id("song", "First").await;
    parameters.extend([
        ("updateUser", "username=cat&email=c@example.org".to_owned()),
        ("changePassword", "username=cat&password=another-long-one".to_owned()),
        ("createUser", "username=dan&password=a-long-password&email=d@example.org".to_owned()),
        ("deleteUser", "username=dan".to_owned()),
        ("jukeboxControl", format!("action=add&id={song}")),
        ("createShare", format!("id={song}")),
        ("findSonicPath", format!("startSongId={song}&endSongId={song}")),
        ("getSonicSimilarTracks", format!("id={song}")),
        ("getTranscodeDecision", format!("mediaId={song}&mediaType=song")),
        ("getTranscodeStream", {
            let ticket = ticket(&house.ann, &song).await;
            format!("mediaId={song}&mediaType=song&transcodeParams={ticket}")
        }),
        ("reportPlayback", format!("mediaId={song}&mediaType=song&positionMs=0&state=playing")),
        ("hls", format!("id={song}")),
        ("hls.m3u8", format!("id={song}")),
        ("addChatMessage", "message=hello".to_owned()),
        ("createInternetRadioStation", "streamUrl=http://127.0.0.1:9/&name=x".to_owned()),
        ("updateInternetRadioStation", "id=1&streamUrl=http://127.0.0.1:9/&name=x".to_owned()),
        ("createPodcastChannel", "url=http://127.0.0.1:9/".to_owned()),
    ]);
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let (ann, bob) = (&house.ann, &house.bob);
    let of_bob = bob.ok("createPlaylist", &format!("name=Bobs&songId={song}")).await;
    let foreign = text(&of_bob["playlist"]["id"]);
    let share = bob.ok("createShare", &format!("id={song}")).await;
    let mut others = vec![foreign.clone(), text(&share["shares"]["share"][0]["id"])];
    let list = ann.ok("createPlaylist", "name=Gone").await;
    others.push(text(&list["playlist"]["id"]));
    ann.ok("deletePlaylist", &format!("id={}", others[2])).await;
    let share = ann.ok("createShare", &format!("id={song}")).await;
    others.push(text(&share["shares"]["share"][0]["id"]));
    ann.ok("deleteShare", &format!("id={}", others[3])).await;
    // A song, its album and its artist whose file is gone, an episode and a user that never were.
    let lost = ann.ok("search3", "query=Untitled").await["searchResult3"]["song"][0].clone();
    others.extend([text(&lost["id"]), "pe-99".to_owned(), "nobody".to_owned()]);
    std::fs::remove_file(house.music.join("The Empty/Nothing/04 Untitled.wav")).unwrap();
    ann.ok("startScan", "").await;
    house.wait_for_scan().await;
    Broken { house, parameters, foreign, others }
}

/// What a decision says a stream is asked for with.
async fn ticket(app: &App, song: &str) -> String {
    let able = json!({ "name": "x", "platform": "y", "transcodingProfiles": [
        { "container": "ogg", "audioCodec": "opus", "protocol": "http" } ] });
    let url = app.url("getTranscodeDecision", &format!("mediaId={song}&mediaType=song"));
    let answer = app.http.post(url).json(&able).send().await.unwrap();
    let whole: serde_json::Value = answer.json().await.unwrap();
    let decision = &whole["subsonic-response"]["transcodeDecision"];
    decision["transcodeParams"].as_str().unwrap_or_else(|| panic!("{whole}")).to_owned()
}

#[tokio::test]
async fn subsonic_any_parameter_may_be_anything() {
    let Some(endpoints) = schema::endpoints() else { return };
    let Broken { house, parameters, foreign, others } = house().await;
    let values = values(&others);
    let mut asked = 0;
    for method in subsonic::methods() {
        let published = if method == "hls" { "hls.m3u8" } else { method };
        let names = endpoints.get(published);
        let names = names.unwrap_or_else(|| panic!("{method} is not among the published methods"));
        let usual = parameters.get(method).map_or("", String::as_str);
        for name in names {
            for value in &values {
                // By both ways in turn.
                let query = with(usual, name, value.as_deref());
                ask(&house.ann, method, &query, asked % 2 == 1).await;
                asked += 1;
            }
        }
    }
    assert!(asked > 2_000, "{asked}");
    // What is somebody else's is still his, and the house still stands.
    house.bob.ok("getPlaylist", &format!("id={foreign}")).await;
    house.ann.ok("getAlbumList2", "type=newest").await;
}

#[tokio::test]
async fn subsonic_any_parameters_together_may_be_anything() {
    let Some(endpoints) = schema::endpoints() else { return };
    let Broken { house, parameters, others, .. } = house().await;
    let methods: Vec<&'static str> = subsonic::methods().collect();
    let mut names: Vec<String> = endpoints.values().flatten().cloned().collect();
    names.extend(["v", "c", "f", "callback"].map(ToOwned::to_owned));
    let mut values: Vec<String> = values(&others).into_iter().flatten().collect();
    values.extend(MORE.iter().map(|value| (*value).to_owned()));
    let value = prop_oneof![
        3 => prop::sample::select(values),
        1 => "[ -~]{0,20}".prop_map(|text| text.replace(['&', '#', '%', '+'], "_")),
        1 => any::<i64>().prop_map(|number| number.to_string()),
    ];
    let query = prop::collection::vec((prop::sample::select(names), value), 0..6);
    let one = (prop::sample::select(methods), query, any::<bool>(), any::<bool>());
    let config = Config { cases: 1, ..Config::default() };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]));
    for _ in 0..600 {
        let (method, pairs, is_usual, posts) = one.new_tree(&mut runner).unwrap().current();
        let mut query = match parameters.get(method) {
            Some(usual) if is_usual => usual.clone(),
            _ => String::new(),
        };
        for (name, value) in pairs {
            // Nobody whom the tests need goes away.
            if name != "username" {
                let _ = write!(query, "&{name}={value}");
            }
        }
        ask(&house.ann, method, &query, posts).await;
    }
    house.ann.ok("ping", "").await;
}
