//! The API's own description: every route is in it, nothing else is, and it holds together.

use std::{
    collections::{BTreeSet, HashSet},
    path::Path,
};

use reqwest::{Client, Method};
use serde_json::{Value, json};
use tunelocker::accounts::Feature;

use super::schema::{self, document};
use crate::{
    harness::TestApp,
    subsonic::{App, House, PASSWORD},
};

const METHODS: [&str; 6] = ["get", "head", "put", "post", "patch", "delete"];

/// Routes of the API's sources, as `get /path`.
fn routes() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web/api");
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // tus names its methods itself; it is looked at below.
        if path.extension().is_none_or(|it| it != "rs") || path.ends_with("uploads.rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let text: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
        for (at, _) in text.match_indices(".route(\"") {
            let rest = &text[at + 8..];
            let (address, rest) = rest.split_once('"').unwrap();
            let method = rest.trim_start_matches(',').split('(').next().unwrap();
            assert!(METHODS.contains(&method), "{}: {method} {address}", path.display());
            found.insert(format!("{method} {}", plain(address)));
        }
        for (at, _) in text.match_indices("resource(\"") {
            let (address, rest) = text[at + 10..].split_once('"').unwrap();
            let service = rest.split(".service(").next().unwrap();
            for method in METHODS {
                if service.contains(&format!(".route({method}()")) {
                    found.insert(format!("{method} {}", plain(address)));
                }
            }
        }
    }
    for (address, methods) in
        [("/uploads", "options post"), ("/uploads/{id}", "options head patch post delete")]
    {
        found.extend(methods.split(' ').map(|method| format!("{method} {address}")));
    }
    found
}

fn plain(address: &str) -> String {
    address.replace(":.*}", "}")
}

#[test]
fn every_route_is_described_and_nothing_else() {
    let document = document();
    let described: BTreeSet<String> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            methods.as_object().unwrap().keys().map(move |method| format!("{method} {path}"))
        })
        .collect();
    let routes = routes();
    assert!(routes.len() > 120, "{}", routes.len());
    let missing: Vec<_> = routes.difference(&described).collect();
    let invented: Vec<_> = described.difference(&routes).collect();
    assert!(
        missing.is_empty() && invented.is_empty(),
        "missing {missing:?}, too many {invented:?}"
    );
}

#[test]
fn references_lead_somewhere_and_parameters_are_declared() {
    let document = document();
    let mut references = HashSet::new();
    collect(document, &mut references);
    assert!(references.len() > 15);
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            assert!(operation["summary"].as_str().is_some_and(|text| text.len() > 5));
            let declared: HashSet<&str> = operation["parameters"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|one| one["in"] == "path")
                .map(|one| one["name"].as_str().unwrap())
                .collect();
            let used: HashSet<&str> = path.split(['{', '}']).skip(1).step_by(2).collect();
            assert_eq!(declared, used, "{method} {path}");
            assert!(operation["responses"]["default"].is_object(), "{method} {path}");
        }
    }
}

fn collect<'a>(value: &'a Value, references: &mut HashSet<&'a str>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str() {
                    Some(reference) if name == "$ref" => {
                        references.insert(reference);
                    }
                    _ => collect(member, references),
                }
            }
        }
        Value::Array(members) => members.iter().for_each(|member| collect(member, references)),
        _ => (),
    }
}

#[tokio::test]
async fn it_is_served_to_whoever_asks() {
    let app = TestApp::spawn().await;
    let answer = reqwest::get(app.url("/api/v1/openapi.json")).await.unwrap();
    assert_eq!(answer.status(), 200);
    let served: Value = answer.json().await.unwrap();
    assert_eq!(served["openapi"], "3.1.0");
    assert_eq!(&served, document());
}

/// Answers that need what other tests have: a feed, a shop, a scrobbling service, a claim, speakers, broken files.
const ELSEWHERE: &[&str] = &[
    "get /imports/{id}",
    "get /libraries/{id}/unreadable",
    "post /app-passwords",
    "get /podcasts/{id}",
    "get /users/{name}/storage",
    "post /claims",
    "post /imports",
    "post /jukebox",
    "post /playlists/file",
    "post /podcasts",
    "post /scrobbling/lastfm",
];

/// A request of the API; its answer, which is as described.
async fn call(house: &House, who: &App, method: Method, path: &str, body: Option<Value>) -> Value {
    let url = house.app.url(&format!("/api/v1/{path}"));
    let request = Client::new().request(method.clone(), url).basic_auth(who.user, Some(PASSWORD));
    let request = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    // All that is wrong is told at the end, not the first of it alone.
    let answer = tokio::spawn(schema::send(request)).await;
    match answer {
        Ok((status, text)) if (200..300).contains(&status) => {
            serde_json::from_str(&text).unwrap_or(Value::Null)
        }
        Ok((status, text)) => {
            WRONG.lock().unwrap().push(format!("{method} {path}: {status} {text}"));
            Value::Null
        }
        Err(failure) => {
            WRONG.lock().unwrap().push(format!("{method} {path}: {failure:?}"));
            Value::Null
        }
    }
}

/// What was wrong up to now.
static WRONG: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());

/// Every answer with JSON that is described was given, and was as described.
#[tokio::test]
async fn every_answer_is_as_described() {
    let house = House::open().await;
    let ann = &house.ann;
    let accounts = &house.app.services.accounts;
    let admin = house.principal("ann").await;
    accounts.set_on(&admin, Feature::Radio, true).await.unwrap();
    accounts.set_on(&admin, Feature::Podcasts, true).await.unwrap();
    let get = async |path: &str| call(&house, ann, Method::GET, path, None).await;
    let post =
        async |path: &str, body: Value| call(&house, ann, Method::POST, path, Some(body)).await;
    let put =
        async |path: &str, body: Value| call(&house, ann, Method::PUT, path, Some(body)).await;
    let id = |list: &Value, at: usize| list["items"][at]["id"].as_str().unwrap_or("-").to_owned();

    let (albums, artists, tracks) =
        (get("albums").await, get("artists").await, get("tracks?limit=5").await);
    let (album, artist, track) = (id(&albums, 0), id(&artists, 0), id(&tracks, 0));
    for path in [
        format!("albums/{album}"),
        format!("artists/{artist}"),
        format!("artists/{artist}/similar"),
        format!("radio/{track}"),
        format!("tracks/{track}"),
        format!("tracks/{track}/decision"),
        format!("tracks/{track}/lyrics"),
    ] {
        get(&path).await;
    }
    // Words of their own times, and none.
    for one in get("tracks?limit=50").await["items"].as_array().unwrap() {
        if one["hasLyrics"] == true {
            get(&format!("tracks/{}/lyrics", one["id"].as_str().unwrap())).await;
        }
    }
    // What people add.
    let kept = json!({ "name": "Mine", "tracks": [track] });
    let playlist = post("playlists", kept).await["id"].as_str().unwrap_or("-").to_owned();
    get(&format!("playlists/{playlist}")).await;
    let rules = json!({ "name": "Rules", "rules": { "all": [{ "is": { "title": "x" } }] } });
    post("playlists", rules).await;
    put(&format!("stars/{album}"), json!({})).await;
    let playing = json!({ "track": track, "state": "playing", "position": 0.0 });
    post("playback", playing.clone()).await;
    get("server").await;
    post("server/storage", json!({})).await;
    put("queue", json!({ "tracks": [track], "current": 0, "position": 1.5 })).await;
    post("shares", json!({ "items": [album], "description": "hear this" })).await;
    post("chat", json!({ "message": "hello" })).await;
    house.ann.ok("scrobble", &format!("id={track}&submission=true")).await;
    let station =
        json!({ "name": "One", "streamUrl": "http://radio.example/one", "homepageUrl": "" });
    post("radio", station).await;
    put("clients/Pocket", json!({ "target": "opus", "maxSampleRate": 48_000 })).await;
    // Files, their trash and versions.
    for (path, bytes) in [
        ("Docs/a.txt", "one"),
        ("Docs/a.txt", "two"),
        ("Docs/b.txt", "one"),
        ("Docs/c.txt", "three"),
    ] {
        let url = house.app.url(&format!("/api/v1/files/{path}"));
        let request = Client::new().put(url).bearer_auth(&ann.secret).body(bytes);
        assert!(schema::send(request).await.0 < 300);
    }
    post("files/Docs/b.txt", json!({ "to": "Docs/d.txt", "copy": true })).await;
    get("files/Docs").await;
    get("files/Docs/a.txt?as=stat").await;
    get("file-search?q=a").await;
    put("folder-shares", json!({ "path": "Docs", "user": "bob" })).await;
    get("folder-shares").await;
    let versions = get("versions?path=Docs/a.txt").await;
    post(&format!("versions/{}", id(&versions, 0)), json!({})).await;
    for path in ["Docs/c.txt", "Docs/b.txt"] {
        call(&house, ann, Method::DELETE, &format!("files/{path}"), None).await;
    }
    let trash = get("trash").await;
    post(&format!("trash/{}", id(&trash, 0)), json!({})).await;
    call(&house, ann, Method::DELETE, "trash", None).await;
    let hash = blake3::hash(b"three").to_hex().to_string();
    let asked = json!({ "items": [
        { "hash": hash, "size": 5, "path": "new" }, { "size": 9, "quick": hash, "path": "x" }, { "size": 1, "path": "../x" },
    ] });
    post("match", asked).await;
    let groups = get("duplicates?kind=exact").await;
    let group = &groups["groups"][0];
    post("duplicates", json!({ "what": "keep", "kind": group["kind"], "key": group["key"] })).await;
    get("duplicates/done").await;
    // Room.
    get(&format!("contents/{hash}")).await;
    get("contents?user=ann&path=Docs/a.txt").await;
    call(&house, ann, Method::DELETE, &format!("contents/{hash}"), None).await;
    let taken = get("takedowns").await["items"][0]["id"].clone();
    call(&house, ann, Method::DELETE, &format!("takedowns/{taken}"), None).await;
    post("users", json!({ "name": "kim", "password": "kim's very own" })).await;
    post("users/bob/grants", json!({ "plan": "Plus", "reason": "a present" })).await;
    get("users/bob/grants").await;
    get("users/bob/storage").await;
    put("exempt", json!({ "user": "ann", "path": "Docs/a.txt", "reason": "gift" })).await;
    get("overdue?order=oldest").await;
    post("bonus-rules", json!({ "product": "any", "bytes": 5 })).await;
    let key = post("delivery-keys", json!({ "label": "shop" })).await["secret"].clone();
    let order = json!({ "user": "bob", "order": "1", "items": [{ "upload": "gone" }] });
    let url = house.app.url("/api/v1/deliveries");
    let request = Client::new().post(url).bearer_auth(key.as_str().unwrap_or("-")).json(&order);
    let (status, delivered) = schema::send(request).await;
    assert_eq!(status, 202);
    let delivered: Value = serde_json::from_str(&delivered).unwrap();
    get(&format!("deliveries/{}", delivered["id"].as_str().unwrap_or("-"))).await;
    let webhook = json!({ "url": "https://example.org/told", "secret": "s" });
    put("notice-ways/webhook", webhook).await;
    put("analysis", json!({ "on": false })).await;
    post("scan", json!({ "full": false })).await;
    // Everything that needs no more than its address.
    let plain: Vec<&str> = operations("get").filter(|path| !path.contains('{')).collect();
    for path in plain {
        let query = match path {
            "/search" => "?q=a",
            "/history/summary" => "?from=0&to=9000000000000",
            "/contents" | "/versions" | "/overdue" | "/duplicates" | "/file-search" | "/qr"
            | "/events" => continue,
            _ => "",
        };
        get(&format!("{}{query}", path.trim_start_matches('/'))).await;
    }

    let seen = schema::seen();
    let expected = ["get", "put", "post", "delete"].into_iter().flat_map(|method| {
        operations(method)
            .filter(move |path| has_json(method, path))
            .map(move |path| format!("{method} {path}"))
    });
    let missed: Vec<String> = expected
        .filter(|name| !seen.contains(name) && !ELSEWHERE.contains(&name.as_str()))
        .collect();
    let wrong = WRONG.lock().unwrap().join("\n");
    assert!(missed.is_empty() && wrong.is_empty(), "nobody looked at {missed:?}\n{wrong}");
}

/// The addresses that have a method.
fn operations(method: &str) -> impl Iterator<Item = &'static str> {
    let paths = document()["paths"].as_object().unwrap();
    let method = method.to_owned();
    paths
        .iter()
        .filter(move |(_, methods)| methods.get(&method).is_some())
        .map(|(path, _)| path.as_str())
}

fn has_json(method: &str, path: &str) -> bool {
    let answers = document()["paths"][path][method]["responses"].as_object().unwrap();
    answers.iter().any(|(status, answer)| {
        status.starts_with('2') && !answer["content"]["application/json"].is_null()
    })
}

/// Nor is what a request brings.
#[test]
fn every_request_says_what_is_in_it() {
    let mut bare = Vec::new();
    for (path, methods) in document()["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let body = &operation["requestBody"]["content"]["application/json"]["schema"];
            let is_told = ["properties", "$ref", "oneOf", "anyOf", "allOf", "items"]
                .iter()
                .any(|word| body.get(word).is_some());
            if body.is_object() && !is_told {
                bare.push(format!("{method} {path}"));
            }
        }
    }
    assert!(bare.is_empty(), "{bare:?}");
}

/// No answer is an object of which nothing is said.
#[test]
fn every_answer_says_what_is_in_it() {
    fn bare(schema: &Value, at: &str, found: &mut Vec<String>) {
        let Some(members) = schema.as_object() else { return };
        let says = ["properties", "additionalProperties", "allOf", "anyOf", "oneOf"];
        if members.get("type").is_some_and(|kind| kind == "object")
            && !says.iter().any(|word| members.contains_key(*word))
        {
            found.push(at.to_owned());
        }
        for (name, member) in members {
            match member {
                Value::Array(parts) => parts.iter().for_each(|part| bare(part, at, found)),
                member => bare(member, &format!("{at}.{name}"), found),
            }
        }
    }
    let mut found = Vec::new();
    for (name, schema) in document()["components"]["schemas"].as_object().unwrap() {
        bare(schema, name, &mut found);
    }
    for method in ["get", "put", "post", "patch", "delete"] {
        for path in operations(method) {
            bare(
                &document()["paths"][path][method]["responses"],
                &format!("{method} {path}"),
                &mut found,
            );
        }
    }
    assert!(found.is_empty(), "{found:?}");
}

/// Every time is of one form, and said to be.
#[test]
fn times_are_milliseconds() {
    fn wrong(schema: &Value, at: &str, found: &mut Vec<String>) {
        let Some(members) = schema.as_object() else {
            let parts = schema.as_array().into_iter().flatten();
            parts.for_each(|part| wrong(part, at, found));
            return;
        };
        if members.get("format").is_some_and(|format| format == "date-time") {
            found.push(at.to_owned());
        }
        let properties = members.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            let is_time = name.ends_with("At")
                || ["at", "created", "ended", "modified", "graceEnds", "overSince"]
                    .contains(&name.as_str());
            let says = property["description"].as_str().unwrap_or_default();
            let kind = &property["type"];
            let is_number = *kind == "integer" || *kind == json!(["integer", "null"]);
            if is_time && !(is_number && says.starts_with("ms ")) {
                found.push(format!("{at}.{name}"));
            }
        }
        for (name, member) in members {
            wrong(member, &format!("{at}.{name}"), found);
        }
    }
    let mut found = Vec::new();
    wrong(document(), "", &mut found);
    assert!(found.is_empty(), "{found:#?}");
}
