//! Playlists beyond a list of songs: rules, other people, files. The same lists by the panel's
//! API and by Subsonic.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tunelocker::catalog::{SmartKind, SmartOperator, smart_fields};

use super::schema;
use crate::subsonic::{App, House, names};

/// A request to the panel's API by an app's credential.
async fn api(house: &House, who: &App, method: Method, path: &str, body: &Value) -> (u16, Value) {
    let request = reqwest::Client::new()
        .request(method, house.app.url(&format!("/api/v1/{path}")))
        .basic_auth(who.user, Some(&who.secret))
        .json(body);
    let (status, text) = schema::send(request).await;
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

async fn get(house: &House, who: &App, path: &str) -> Value {
    let (status, answer) = api(house, who, Method::GET, path, &Value::Null).await;
    assert_eq!(status, 200, "{path}: {answer}");
    answer
}

async fn smart(house: &House, who: &App, name: &str, rules: Value) -> String {
    let body = json!({ "name": name, "rules": rules });
    let (status, made) = api(house, who, Method::POST, "playlists", &body).await;
    assert_eq!(status, 201, "{made}");
    made["id"].as_str().unwrap().to_owned()
}

async fn titles(who: &App, id: &str) -> Vec<String> {
    let list = who.ok("getPlaylist", &format!("id={id}")).await;
    names(&list["playlist"]["entry"]).into_iter().map(ToOwned::to_owned).collect()
}

#[tokio::test]
async fn playlists_by_rules_follow_tags_and_marks() {
    let house = House::open().await;
    let ann = &house.ann;
    let list = async |rules: Value| -> Vec<String> {
        let id = smart(&house, ann, "Rules", rules).await;
        titles(ann, &id).await
    };
    let by = |rule: Value| json!({ "all": [rule], "sort": "title" });
    for (rule, expected) in [
        (json!({"is": {"album": "blue"}}), vec!["All I Want", "Little Green", "My Old Man"]),
        (json!({"contains": {"artist": "GUEST"}}), vec!["Two"]),
        (json!({"is": {"artist": "Other Band"}}), vec!["Second"]),
        (json!({"is": {"genre": "rock"}}), vec!["Second"]),
        (json!({"inTheRange": {"year": [1980, 1990]}}), vec!["First", "Second"]),
        (json!({"is": {"originalYear": 1971}}), vec!["All I Want", "Little Green", "My Old Man"]),
        (
            json!({"before": {"releaseDate": "1985"}}),
            vec!["All I Want", "Little Green", "My Old Man"],
        ),
        (json!({"after": {"releaseDate": "1985"}}), vec!["One", "Two"]),
        (json!({"is": {"bpm": 88}}), vec!["My Old Man"]),
        (json!({"is": {"comment": "A Comment"}}), vec!["My Old Man"]),
        (json!({"is": {"mood": "Calm"}}), vec!["Little Green"]),
        (json!({"is": {"compilation": true}}), vec!["First", "Second"]),
        (json!({"is": {"explicit": true}}), vec!["All I Want"]),
        (json!({"is": {"hasLyrics": true}}), vec!["All I Want", "My Old Man", "One"]),
        (json!({"is": {"fileType": "wav"}}), vec!["Untitled"]),
        (json!({"startsWith": {"filePath": "two & more/double/cd2"}}), vec!["Two"]),
        (json!({"endsWith": {"title": "want"}}), vec!["All I Want"]),
        (json!({"is": {"composer": "Com Poser"}}), vec!["One"]),
        (json!({"gt": {"duration": 3600}}), vec![]),
        (json!({"is": {"title": "x'; drop table track; --"}}), vec![]),
    ] {
        assert_eq!(list(by(rule.clone())).await, expected, "{rule}");
    }
    let every = list(json!({ "all": [], "sort": "title" })).await;
    assert_eq!(every.len(), 9, "{every:?}");
    assert_eq!(list(json!({ "all": [{"is": {"hasCoverArt": false}}] })).await.len(), 4);
    assert_eq!(list(json!({ "all": [{"notContains": {"album": "blue"}}] })).await.len(), 6);
    assert_eq!(
        list(json!({ "any": [{"is": {"title": "One"}}, {"is": {"title": "Two"}}],
        "sort": "-title" }))
        .await,
        ["Two", "One"]
    );
    assert_eq!(list(json!({ "all": [], "sort": "title", "limit": 2 })).await, every[..2]);
    assert_eq!(list(json!({ "all": [], "sort": "title", "limitPercent": 30 })).await, every[..3]);
    assert_eq!(list(json!({ "all": [], "sort": "random", "limit": 4 })).await.len(), 4);
    assert_eq!(list(json!({ "all": [{"inTheLast": {"dateAdded": 1}}] })).await.len(), 9);
    assert_eq!(list(json!({ "all": [{"notInTheLast": {"dateAdded": 1}}] })).await, [""; 0]);
}

/// Every field by every operator that fits it; what one finds and its contrary together are all.
#[tokio::test]
async fn playlists_by_rules_can_ask_about_every_field() {
    let house = House::open().await;
    let ann = &house.ann;
    let song = ann.id("song", "One").await;
    let other = ann.ok("createPlaylist", &format!("name=Other&songId={song}")).await;
    let other = other["playlist"]["id"].as_str().unwrap().to_owned();
    let id = smart(&house, ann, "Rules", json!({ "all": [] })).await;
    let count = async |operator: &str, field: &str, value: &Value| {
        let rules = json!({ "all": [{ operator: { field: value } }], "sort": field });
        let rules = if field == "playlist" { json!({ "all": rules["all"] }) } else { rules };
        let path = format!("playlists/{id}");
        let body = json!({ "rules": rules });
        let (status, said) = api(&house, ann, Method::PATCH, &path, &body).await;
        assert!((200..300).contains(&status), "{body}: {status} {said}");
        titles(ann, &id).await.len()
    };
    let contraries = [
        ("is", "isNot"),
        ("contains", "notContains"),
        ("inTheLast", "notInTheLast"),
        ("inPlaylist", "notInPlaylist"),
    ];
    for field in smart_fields() {
        let value = |operator: &str| match (field.kind, operator) {
            (SmartKind::Moment, "inTheLast" | "notInTheLast") => json!(30),
            (SmartKind::Number(_), "inTheRange") => json!([1, 3000]),
            (SmartKind::Moment | SmartKind::Date, "inTheRange") => {
                json!(["1970-01-01", "1999-12-31"])
            }
            (SmartKind::Text, _) => json!("a"),
            (SmartKind::Number(_), _) => json!(2),
            (SmartKind::Flag, _) => json!(true),
            (SmartKind::Moment | SmartKind::Date, _) => json!("1985-01-01"),
            (SmartKind::Playlist, _) => json!(other),
        };
        for (operator, of) in SmartOperator::ALL.iter().filter(|(_, of)| of.fits(field.kind)) {
            let found = count(operator, field.name, &value(operator)).await;
            assert!(found <= 9, "{operator:?} {of:?} {}", field.name);
            if let Some((_, contrary)) = contraries.iter().find(|(one, _)| one == operator) {
                let rest = count(contrary, field.name, &value(operator)).await;
                assert_eq!(found + rest, 9, "{operator} and {contrary} of {}", field.name);
            }
        }
    }
}

#[tokio::test]
async fn playlists_by_rules_see_a_new_mark_at_once() {
    let house = House::open().await;
    let (ann, bob) = (&house.ann, &house.bob);
    let loved = smart(&house, ann, "Loved", json!({ "all": [{"is": {"loved": true}}] })).await;
    let rules = json!({ "all": [{"gt": {"playCount": 0}}, {"inTheLast": {"lastPlayed": 7}}],
        "sort": "-playCount" });
    let heard = smart(&house, ann, "Heard", rules).await;
    let never = json!({ "all": [{"is": {"playCount": 0}}, {"is": {"rating": 0}}] });
    let never = smart(&house, ann, "Never", never).await;
    assert_eq!(titles(ann, &loved).await, [""; 0]);
    assert_eq!(titles(ann, &never).await.len(), 9);
    let (one, first) = (ann.id("song", "One").await, ann.id("song", "First").await);
    ann.ok("star", &format!("id={one}")).await;
    bob.ok("star", &format!("id={first}")).await;
    ann.ok("setRating", &format!("id={first}&rating=4")).await;
    ann.ok("scrobble", &format!("id={one}")).await;
    ann.ok("scrobble", &format!("id={first}&time=1000000000000")).await;
    assert_eq!(titles(ann, &loved).await, ["One"]);
    assert_eq!(titles(ann, &heard).await, ["One"]);
    assert_eq!(titles(ann, &never).await.len(), 7);

    // The rules are data of the owner; others see the list when it is public, with her marks.
    assert_eq!(bob.refused("getPlaylist", &format!("id={loved}")).await, 70);
    ann.ok("updatePlaylist", &format!("playlistId={loved}&public=true&name=Hers")).await;
    assert_eq!(titles(bob, &loved).await, ["One"]);
    let seen = bob.ok("getPlaylist", &format!("id={loved}")).await["playlist"].clone();
    assert_eq!((&seen["name"], &seen["readonly"]), (&json!("Hers"), &json!(true)));
    assert!(seen["validUntil"].is_string(), "{seen}");
    assert_eq!(seen["songCount"], 1);
    // Nobody puts songs into it, not even she.
    for who in [ann, bob] {
        assert_eq!(
            who.refused("updatePlaylist", &format!("playlistId={loved}&songIdToAdd={first}")).await,
            50
        );
    }

    // Lists can speak of lists, but not in circles.
    let both = json!({ "any": [{"inPlaylist": {"id": loved}}, {"inPlaylist": {"id": heard}}] });
    let both = smart(&house, ann, "Both", both).await;
    assert_eq!(titles(ann, &both).await, ["One"]);
    let circle = json!({ "rules": { "all": [{"inPlaylist": {"id": both}}] } });
    let (status, refused) =
        api(&house, ann, Method::PATCH, &format!("playlists/{loved}"), &circle).await;
    assert_eq!(status, 400, "{refused}");
    let itself = json!({ "rules": { "all": [{"inPlaylist": {"id": loved}}] } });
    let (status, refused) =
        api(&house, ann, Method::PATCH, &format!("playlists/{loved}"), &itself).await;
    assert_eq!(status, 400, "{refused}");
    let wrong = json!({ "name": "x", "rules": { "all": [{"is": {"password": "x"}}] } });
    let (status, refused) = api(&house, ann, Method::POST, "playlists", &wrong).await;
    assert_eq!(status, 400, "{refused}");
    assert!(refused["detail"].as_str().unwrap().contains("password"), "{refused}");
    // What editors show.
    let fields = get(&house, ann, "smart-fields").await;
    let loved = fields["items"].as_array().unwrap().iter().find(|it| it["name"] == "loved");
    assert_eq!(loved.unwrap()["operators"], json!(["is", "isNot"]));
}

#[tokio::test]
async fn playlists_are_shared_with_whom_their_owner_names() {
    let house = House::open().await;
    let (ann, bob) = (&house.ann, &house.bob);
    let (one, two) = (ann.id("song", "One").await, ann.id("song", "Two").await);
    let made = ann.ok("createPlaylist", &format!("name=Ours&songId={one}")).await;
    let id = made["playlist"]["id"].as_str().unwrap().to_owned();
    let path = format!("playlists/{id}");
    let share = async |body: Value| api(&house, ann, Method::PATCH, &path, &body).await.0;
    assert_eq!(bob.refused("getPlaylist", &format!("id={id}")).await, 70);

    // To look at.
    assert_eq!(share(json!({ "members": [{ "name": "bob" }] })).await, 204);
    let seen = bob.ok("getPlaylist", &format!("id={id}")).await["playlist"].clone();
    assert_eq!((&seen["readonly"], &seen["allowedUser"]), (&json!(true), &json!(["bob"])));
    assert_eq!(
        bob.refused("updatePlaylist", &format!("playlistId={id}&songIdToAdd={two}")).await,
        50
    );

    // To work on together: tracks, and nothing but those.
    assert_eq!(share(json!({ "members": [{ "name": "bob", "edit": true }] })).await, 204);
    let seen = bob.ok("getPlaylists", "").await["playlists"]["playlist"][0].clone();
    assert_eq!(seen["readonly"], false);
    bob.ok("updatePlaylist", &format!("playlistId={id}&songIdToAdd={two}")).await;
    assert_eq!(titles(ann, &id).await, ["One", "Two"]);
    bob.ok("createPlaylist", &format!("playlistId={id}&name=Ours&songId={two}")).await;
    assert_eq!(titles(ann, &id).await, ["Two"]);
    for change in ["name=Mine", "public=true", "comment=x"] {
        let query = format!("playlistId={id}&{change}");
        assert_eq!(bob.refused("updatePlaylist", &query).await, 50, "{change}");
    }
    assert_eq!(bob.refused("deletePlaylist", &format!("id={id}")).await, 50);

    // Open to everybody who sees it.
    assert_eq!(share(json!({ "members": [], "public": true, "open": true })).await, 204);
    bob.ok("updatePlaylist", &format!("playlistId={id}&songIdToAdd={one}")).await;
    assert_eq!(titles(bob, &id).await, ["Two", "One"]);
    assert_eq!(share(json!({ "open": false })).await, 204);
    assert_eq!(
        bob.refused("updatePlaylist", &format!("playlistId={id}&songIdToAdd={one}")).await,
        50
    );
    assert_eq!(share(json!({ "members": [{ "name": "nobody" }] })).await, 400);
}

#[tokio::test]
async fn playlists_come_and_go_as_files() {
    let house = House::open().await;
    let ann = &house.ann;
    let ids = [ann.id("song", "Two").await, ann.id("song", "All I Want").await];
    let made = ann
        .ok("createPlaylist", &format!("name=A%20%26%20B&songId={}&songId={}", ids[0], ids[1]))
        .await;
    let id = made["playlist"]["id"].as_str().unwrap().to_owned();
    let http = reqwest::Client::new();
    for format in ["m3u8", "pls", "xspf"] {
        let address = house.app.url(&format!("/api/v1/playlists/{id}/file?format={format}"));
        let answer = http.get(address).basic_auth("ann", Some(&ann.secret)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let disposition = answer.headers()["content-disposition"].to_str().unwrap().to_owned();
        assert!(disposition.contains(&format!("A%20%26%20B.{format}")), "{disposition}");
        let file = answer.bytes().await.unwrap();
        if format == "m3u8" {
            let text = std::str::from_utf8(&file).unwrap();
            assert!(text.contains("\nJoni Mitchell/Blue/01 All I Want.flac\n"), "{text}");
            assert!(text.contains("Joni Mitchell - All I Want"), "{text}");
        }
        let address = house.app.url(&format!("/api/v1/playlists/file?format={format}"));
        let request = http.post(address).basic_auth("ann", Some(&ann.secret)).body(file);
        let back: Value = serde_json::from_str(&super::schema::send(request).await.1).unwrap();
        assert_eq!((&back["matched"], &back["unmatched"]), (&json!(2), &json!([])), "{format}");
        let back = back["id"].as_str().unwrap().to_owned();
        assert_eq!(titles(ann, &back).await, ["Two", "All I Want"]);
        let named = ann.ok("getPlaylist", &format!("id={back}")).await;
        assert_eq!(named["playlist"]["name"], "A & B");
    }

    // From another machine: other roots, other case, titles only, and what is not here.
    let file = "#EXTM3U\nC:\\Musik\\JONI MITCHELL\\Blue\\02 my old man.flac\n\
        #EXTINF:9,A Band - First\nhttp://elsewhere/stream\n\
        #EXTINF:9,Nobody - Nothing\nnot/here.mp3\n/etc/passwd\n";
    let address = house.app.url("/api/v1/playlists/file?format=m3u&name=Brought");
    let request = http.post(address).basic_auth("ann", Some(&ann.secret)).body(file);
    let back: Value = serde_json::from_str(&super::schema::send(request).await.1).unwrap();
    assert_eq!(back["matched"], 2, "{back}");
    assert_eq!(
        back["unmatched"],
        json!([{ "position": 3, "text": "Nobody - Nothing" }, { "position": 4, "text": "/etc/passwd" }])
    );
    assert_eq!(titles(ann, back["id"].as_str().unwrap()).await, ["My Old Man", "First"]);
    let (status, _) =
        api(&house, ann, Method::POST, "playlists/file?format=exe", &Value::Null).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn playlists_of_a_library_follow_their_files() {
    let house = House::open().await;
    let ann = &house.ann;
    let write = |name: &str, text: &str| std::fs::write(house.music.join(name), text).unwrap();
    write(
        "mix.xspf",
        "<playlist version=\"1\" xmlns=\"http://xspf.org/ns/0/\"><title>Mix</title>\
        <trackList><track><location>Various/Hits/01%20First.flac</location></track></trackList></playlist>",
    );
    write(
        "folk.nsp",
        r#"{"name": "Folk of the year", "all": [{"is": {"genre": "Folk"}}], "sort": "-tracknumber"}"#,
    );
    write("wrong.nsp", r#"{"all": [{"is": {"nonsense": 1}}]}"#);
    let lists = async || {
        ann.ok("startScan", "").await;
        house.wait_for_scan().await;
        let lists = ann.ok("getPlaylists", "").await["playlists"]["playlist"].clone();
        names(&lists).into_iter().map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lists().await, ["Folk of the year", "Mix"]);
    let all = ann.ok("getPlaylists", "").await["playlists"]["playlist"].clone();
    let folk = all[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(titles(ann, &folk).await, ["Little Green", "My Old Man", "All I Want"]);
    assert_eq!(all[0]["readonly"], true);
    assert_eq!(ann.refused("deletePlaylist", &format!("id={folk}")).await, 50);
    write(
        "folk.nsp",
        r#"{"name": "Folk", "all": [{"is": {"genre": "Folk"}}], "limit": 1, "sort": "title"}"#,
    );
    assert_eq!(lists().await, ["Folk", "Mix"]);
    assert_eq!(titles(ann, &folk).await, ["All I Want"]);
    std::fs::remove_file(house.music.join("folk.nsp")).unwrap();
    assert_eq!(lists().await, ["Mix"]);
}
