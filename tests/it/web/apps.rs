//! What is known of apps, through the API, and what follows for a stream.

use serde_json::{Value, json};
use tunelocker::accounts::{NewUser, Role};

use super::schema;
use crate::harness::{
    TestApp,
    music::{self, flac},
};

struct Caller {
    http: reqwest::Client,
    base: String,
    name: &'static str,
}

const PASSWORD: &str = "correct horse battery";

impl Caller {
    async fn of(app: &TestApp, name: &'static str, role: Role) -> Self {
        let accounts = &app.services.accounts;
        let new = NewUser { role, ..NewUser::new(name, PASSWORD) };
        accounts.create_user(&accounts.operator(), &new).await.unwrap();
        Self { http: reqwest::Client::new(), base: app.url("/api/v1/"), name }
    }

    async fn call(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.base))
            .basic_auth(self.name, Some(PASSWORD));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let (status, text) = schema::send(request).await;
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    async fn get(&self, path: &str) -> Value {
        let (status, value) = self.call("GET", path, None).await;
        assert_eq!(status, 200, "{path}: {value}");
        value
    }
}

#[tokio::test]
async fn administrators_say_what_apps_play() {
    let library = tempfile::tempdir().unwrap();
    flac("a.flac").of("A", "B", "Song").write(library.path());
    music::wav(library.path(), "b.wav", 1.0);
    let root = library.path().to_owned();
    let app = TestApp::spawn_with(|config| config.libraries.push(("Music".to_owned(), root))).await;
    let mira = Caller::of(&app, "mira", Role::Admin).await;
    let tom = Caller::of(&app, "tom", Role::User).await;
    for turn in 0.. {
        if mira.get("tracks").await["total"] == 2 {
            break;
        }
        assert!(turn < 300, "the scan does not end");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let tracks = mira.get("tracks").await;
    let song = tracks["items"].as_array().unwrap().iter().find(|one| one["title"] == "Song");
    let id = song.unwrap()["id"].as_str().unwrap().to_owned();

    let known = mira.get("clients").await;
    let names: Vec<&str> = known["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["client"].as_str())
        .collect();
    for name in ["*", "DSub", "Symfonium", "Amperfy", "Jamstash", "bonob"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    let why = async |query: &str| mira.get(&format!("tracks/{id}/decision?{query}")).await;
    assert_eq!(why("client=DSub").await["form"], "original");
    // As it was drawn from what is known of it: it plays FLAC badly.
    let decision = why("client=Jamstash").await;
    assert_eq!(decision["form"], "mp3");
    assert_eq!(decision["reason"], "Jamstash does not play flac in flac");
    assert_eq!(why("client=Jamstash&format=raw").await["form"], "original");

    let mine = json!({ "note": "Mine", "plays": ["mp3"], "target": "opus", "lanLimit": 96 });
    assert_eq!(mira.call("PUT", "clients/MyApp", Some(mine)).await.0, 204);
    let decision = why("client=myapp%202").await;
    assert_eq!(decision["form"], "opus", "{decision}");
    // And so it comes through the door.
    let url = format!(
        "{}?id={id}&u=mira&p={}&v=1.16.1&c=MyApp",
        app.url("/rest/stream"),
        PASSWORD.replace(' ', "%20")
    );
    let answer = reqwest::get(&url).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "audio/ogg");
    assert_eq!(mira.call("DELETE", "clients/MyApp", None).await.0, 204);
    assert_eq!(reqwest::get(&url).await.unwrap().headers()["content-type"], "audio/flac");
    assert_eq!(mira.call("DELETE", "clients/MyApp", None).await.0, 404);
    assert_eq!(mira.call("DELETE", "clients/*", None).await.0, 409);

    for wrong in [
        json!({ "target": "tape" }),
        json!({ "target": "mp3", "plays": ["A B"] }),
        json!({ "target": "mp3", "lanLimit": 1 }),
        json!({ "target": "mp3", "colour": "red" }),
        json!({}),
    ] {
        let (status, problem) = mira.call("PUT", "clients/x", Some(wrong.clone())).await;
        assert!((400..500).contains(&status), "{wrong}: {status} {problem}");
    }
    // Not everybody's business.
    let good = json!({ "target": "mp3" });
    assert_eq!(tom.call("GET", "clients", None).await.0, 403);
    assert_eq!(tom.call("PUT", "clients/x", Some(good)).await.0, 403);
    assert_eq!(tom.call("DELETE", "clients/DSub", None).await.0, 403);
    // But this is.
    assert_eq!(tom.get("listening").await, json!({ "gain": "off" }));
    assert_eq!(tom.call("PUT", "listening", Some(json!({ "gain": "auto" }))).await.0, 204);
    assert_eq!(tom.get("listening").await, json!({ "gain": "auto" }));
    assert_eq!(mira.get("listening").await, json!({ "gain": "off" }));

    let plan = json!({ "label": "", "quota": null, "limits": { "bitrate": 64, "streams": 2, "transcodes": 1 } });
    assert_eq!(mira.call("PUT", "plans/Unlimited", Some(plan)).await.0, 204);
    let plans = mira.get("plans").await;
    let items = plans["items"].as_array().unwrap();
    let changed = items.iter().find(|one| one["name"] == "Unlimited").unwrap();
    let limits = json!({
        "bitrate": 64, "streams": 2, "transcodes": 1, "dayBytes": null, "monthBytes": null, "rate": null,
    });
    assert_eq!(changed["limits"], limits);
}

#[tokio::test]
async fn what_cannot_be_played_is_named_with_its_reason() {
    let library = tempfile::tempdir().unwrap();
    flac("good.flac").of("A", "B", "Song").write(library.path());
    for name in ["sub/one.mp3", "three.ogg", "two.flac"] {
        music::write(library.path(), name, b"nothing of the kind");
    }
    let root = library.path().to_owned();
    let app = TestApp::spawn_with(|config| config.libraries.push(("Music".to_owned(), root))).await;
    let mira = Caller::of(&app, "mira", Role::Admin).await;
    let tom = Caller::of(&app, "tom", Role::User).await;
    let put =
        tom.http.put(format!("{}files/Mine/bad.mp3", tom.base)).basic_auth("tom", Some(PASSWORD));
    assert_eq!(put.body("no sound").send().await.unwrap().status(), 201);
    let until = async |who: &Caller, path: &str, is_so: &dyn Fn(&Value) -> bool| {
        for turn in 0.. {
            let found = who.get(path).await;
            if is_so(&found) {
                return found;
            }
            assert!(turn < 1000, "{path}: {found}");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        unreachable!()
    };
    let named = |list: &Value, name: &str| {
        list["items"].as_array().unwrap().iter().find(|one| one["name"] == name).cloned().unwrap()
    };
    let libraries =
        until(&mira, "libraries", &|list| named(list, "Music")["unreadable"] == 3).await;
    let id = named(&libraries, "Music")["id"].as_str().unwrap().to_owned();

    // By path, in parts, each with its reason.
    let first = mira.get(&format!("libraries/{id}/unreadable?limit=2")).await;
    assert_eq!((&first["total"], &first["next"]), (&json!(3), &json!("three.ogg")));
    let rest = mira.get(&format!("libraries/{id}/unreadable?limit=2&after=three.ogg")).await;
    assert_eq!(rest["next"], json!(null));
    let all = [first["items"].as_array().unwrap().as_slice(), rest["items"].as_array().unwrap()];
    let all = all.concat();
    let paths: Vec<&str> = all.iter().map(|one| one["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["sub/one.mp3", "three.ogg", "two.flac"]);
    assert!(all.iter().all(|one| !one["reason"].as_str().unwrap().is_empty()), "{all:?}");

    // In one's own files, and in the own locker's list; nobody answers for another's.
    let listed = until(&tom, "files/Mine", &|list| !list["entries"][0]["unplayable"].is_null());
    let why = listed.await["entries"][0]["unplayable"].clone();
    let own = named(&tom.get("lockers").await, "tom")["library"].as_str().unwrap().to_owned();
    let mine = tom.get(&format!("libraries/{own}/unreadable")).await;
    assert_eq!(
        (&mine["items"][0]["path"], &mine["items"][0]["reason"]),
        (&json!("Mine/bad.mp3"), &why)
    );
    for (who, library) in [(&tom, &id), (&mira, &own)] {
        let (status, _) = who.call("GET", &format!("libraries/{library}/unreadable"), None).await;
        assert_eq!(status, 404, "{library}");
    }
}
