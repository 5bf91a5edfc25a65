//! Somebody who has one of everything, and what others are told of it.

use std::collections::BTreeMap;

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tunelocker::accounts::{Feature, NewUser};

use super::{Operation, document, name};
use crate::{
    harness::music::flac,
    ingest::until,
    subsonic::{House, PASSWORD},
};

/// Something that is as a schema says, with all that it asks for.
fn sample(schema: &Value) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        return sample(document().pointer(reference.strip_prefix('#').unwrap()).unwrap());
    }
    for choice in ["anyOf", "oneOf"] {
        if let Some(first) = schema[choice].as_array() {
            return sample(&first[0]);
        }
    }
    if let Some(value) = schema["enum"].as_array() {
        return value[0].clone();
    }
    if !schema["const"].is_null() {
        return schema["const"].clone();
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str());
    match kind.unwrap_or("object") {
        "string" => json!("x"),
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or(json!(1)),
        "boolean" => json!(true),
        "array" => json!([sample(&schema["items"])]),
        _ => {
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            let of = |name: &Value| {
                let name = name.as_str().unwrap();
                (name.to_owned(), sample(&schema["properties"][name]))
            };
            Value::Object(required.iter().map(of).collect())
        }
    }
}

/// Bob's things, by what stands for them in an address.
pub(super) struct Things {
    house: House,
    ids: BTreeMap<&'static str, String>,
}

impl Things {
    pub(super) async fn new() -> Self {
        let house = House::open().await;
        let operator = house.app.services.accounts.operator();
        for user in ["kim", "eve"] {
            let new = NewUser::new(user, PASSWORD);
            house.app.services.accounts.create_user(&operator, &new).await.unwrap();
        }
        for feature in [Feature::Radio, Feature::Podcasts] {
            let admin = house.principal("ann").await;
            house.app.services.accounts.set_on(&admin, feature, true).await.unwrap();
        }
        let mut things = Self { house, ids: BTreeMap::new() };
        things.fill().await;
        things
    }

    fn request(&self, who: Option<&str>, method: Method, path: &str) -> RequestBuilder {
        let request = Client::new().request(method, self.house.app.url(&format!("/api/v1{path}")));
        match who {
            Some(user) => request.basic_auth(user, Some(PASSWORD)),
            None => request,
        }
    }

    async fn bob(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let request = self.request(Some("bob"), method.clone(), path);
        let request = body.iter().fold(request, RequestBuilder::json);
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    async fn get(&self, path: &str) -> Value {
        self.bob(Method::GET, path, None).await
    }

    fn keep(&mut self, name: &'static str, id: &Value) {
        let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
        assert!(id != "null", "{name}");
        self.ids.insert(name, id);
    }

    async fn put_file(&self, path: &str, bytes: Vec<u8>) {
        let put = self.request(Some("bob"), Method::PUT, &format!("/files/{path}")).body(bytes);
        let answer = put.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }

    /// Bob has one of everything.
    async fn fill(&mut self) {
        let folder = tempfile::tempdir().unwrap();
        let song = flac("s.flac")
            .seconds(1.0)
            .of("Bobs Band", "Bobs Album", "Bobs Song")
            .tag("LYRICS", "la")
            .write(folder.path());
        self.put_file("Music/song.flac", std::fs::read(song).unwrap()).await;
        for (path, text) in [
            ("Docs/a.txt", "one"),
            ("Docs/a.txt", "two"),
            ("Docs/b.txt", "gone"),
            ("Docs/twin.txt", "two"),
        ] {
            self.put_file(path, text.as_bytes().to_vec()).await;
        }
        self.bob(Method::DELETE, "/files/Docs/b.txt", None).await;
        until("bob hears his song", async || {
            !self.get("/search?q=Bobs").await["tracks"].as_array().unwrap().is_empty()
        })
        .await;
        let found = self.get("/search?q=Bobs").await;
        let ids = ["tracks", "albums", "artists"].map(|kind| found[kind][0]["id"].clone());
        for (name, id) in ["track", "album", "artist"].into_iter().zip(&ids) {
            self.keep(name, id);
        }
        let lockers = self.get("/lockers").await;
        self.keep("locker", &lockers["items"][0]["id"]);
        let track = ids[0].clone();
        let body = json!({ "name": "Bobs", "tracks": [track] });
        let made = self.bob(Method::POST, "/playlists", Some(body)).await;
        self.keep("playlist", &made["id"]);
        let made = self.bob(Method::POST, "/shares", Some(json!({ "items": [track] }))).await;
        self.keep("share", &made["id"]);
        let body = json!({ "path": "Docs", "user": "eve" });
        self.bob(Method::PUT, "/folder-shares", Some(body)).await;
        self.house.bob.ok("scrobble", &format!("id={}&submission=true", self.ids["track"])).await;
        let sign_in = json!({ "name": "bob", "password": PASSWORD });
        let signed = self.request(None, Method::POST, "/session").json(&sign_in).send().await;
        assert_eq!(signed.unwrap().status(), StatusCode::NO_CONTENT);
        let made = self
            .request(Some("bob"), Method::POST, "/uploads")
            .header("Tus-Resumable", "1.0.0")
            .header("Upload-Length", "5")
            .header("Upload-Metadata", "filename YmlnLnR4dA==")
            .send()
            .await
            .unwrap();
        assert_eq!(made.status(), StatusCode::CREATED);
        let place = made.headers()["location"].to_str().unwrap();
        let upload = json!(place.rsplit('/').next().unwrap());
        self.keep("upload", &upload);
        self.put_zip().await;
        let key = self.request(Some("ann"), Method::POST, "/delivery-keys");
        let key = key.json(&json!({ "label": "shop" })).send().await.unwrap();
        let key: Value = key.json().await.unwrap();
        let order = json!({ "user": "bob", "order": "1", "items": [{ "upload": "gone" }] });
        let made = self.request(None, Method::POST, "/deliveries");
        let made = made.bearer_auth(key["secret"].as_str().unwrap()).json(&order).send().await;
        let made: Value = made.unwrap().json().await.unwrap();
        self.keep("delivery", &made["id"]);
        let groups = self.get("/duplicates?kind=exact").await;
        let group = &groups["groups"][0];
        let body = json!({ "what": "keep", "kind": group["kind"], "key": group["key"] });
        self.bob(Method::POST, "/duplicates", Some(body)).await;
        for (name, path) in [
            ("trash", "/trash"),
            ("version", "/versions?path=Docs/a.txt"),
            ("folder-share", "/folder-shares"),
            ("session", "/sessions"),
            ("app-password", "/app-passwords"),
            ("history", "/history"),
            ("import", "/imports"),
            ("done", "/duplicates/done"),
        ] {
            let list = self.get(path).await;
            self.keep(name, &list["items"][0]["id"]);
        }
        let database = self.house.app.folder.path().join("data/tunelocker.db");
        let database = sqlx::SqlitePool::connect(database.to_str().unwrap()).await.unwrap();
        sqlx::query(
            "insert into notice (user_id, key, text, at) select user_id, 'test', 'Bob only', 1 from user where name = 'bob'",
        )
        .execute(&database)
        .await
        .unwrap();
        let notices = self.get("/notices").await;
        self.keep("notice", &notices["items"][0]["id"]);
        let bob = self.house.principal("bob").await;
        let lockers = self.house.app.services.accounts.lockers(&bob).await.unwrap();
        self.keep("library", &json!(lockers[0].library.to_string()));
    }

    /// An archive that is unpacked, and so an import.
    async fn put_zip(&self) {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        zip.start_file::<_, ()>("in.txt", zip::write::FileOptions::default()).unwrap();
        let bytes = zip.finish().unwrap().into_inner();
        let put = self.request(Some("bob"), Method::PUT, "/files/z.zip?unpack=true").body(bytes);
        let status = put.send().await.unwrap().status();
        assert!(status.is_success(), "{status}");
    }

    /// The address of an operation upon Bob's things, and what it is sent.
    fn of_bob(&self, (method, path): &Operation, operation: &Value) -> (String, Option<Value>) {
        let of = |name: &str| self.ids[name].clone();
        let segment = path.trim_start_matches('/').split('/').next().unwrap();
        let id = match segment {
            "app-passwords" => of("app-password"),
            "sessions" => of("session"),
            "folder-shares" => of("folder-share"),
            "duplicates" => of("done"),
            "albums" | "covers" => of("album"),
            "artists" => of("artist"),
            "tracks" | "radio" | "stars" => of("track"),
            "playlists" => of("playlist"),
            "shares" => of("share"),
            "versions" => of("version"),
            "trash" => of("trash"),
            "imports" => of("import"),
            "uploads" => of("upload"),
            "notices" => of("notice"),
            "history" => of("history"),
            "deliveries" => of("delivery"),
            "libraries" => of("library"),
            _ => "1".to_owned(),
        };
        let mut address = path
            .replace("{id}", &id)
            .replace("{path}", "Docs/a.txt")
            .replace("{name}", "bob")
            .replace("{hash}", &"0".repeat(64))
            .replace("{feature}", "radio")
            .replace("{service}", "listenbrainz")
            .replace("{client}", "app")
            .replace("{way}", "mail");
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        let mut body = schema.is_object().then(|| sample(schema));
        let (locker, track) = (of("locker"), of("track"));
        match name(&(method.clone(), path.clone())).as_str() {
            "get /file-search" => address += &format!("?q=a&locker={locker}"),
            "get /versions" => address += &format!("?path=Docs/a.txt&locker={locker}"),
            "get /trash" | "delete /trash" | "get /ledger" | "get /folder-shares" => {
                address += &format!("?locker={locker}");
            }
            "put /folder-shares" => {
                body = Some(json!({ "locker": locker, "path": "Docs", "user": "kim" }));
            }
            "post /playback" => {
                body = Some(json!({ "track": track, "state": "playing", "position": 0.0 }));
            }
            "post /shares" => body = Some(json!({ "items": [track] })),
            "post /files/{path}" => {
                address += &format!("?locker={locker}");
                body = Some(json!({ "to": "Docs/moved.txt", "locker": locker }));
            }
            other if other.ends_with("/files/{path}") => address += &format!("?locker={locker}"),
            "get /contents" => address += "?user=bob&path=Docs/a.txt",
            "get /overdue" => address += "?order=oldest",
            "get /qr" => address += "?text=x",
            "get /search" => address += "?q=a",
            "get /duplicates" => address += "?kind=exact",
            "get /history/summary" => address += "?from=0&to=9000000000000",
            _ => (),
        }
        (address, body)
    }

    pub(super) async fn ask(
        &self,
        who: Option<&str>,
        operation: &(Operation, Value),
    ) -> (StatusCode, String) {
        let ((method, path), described) = operation;
        let (address, body) = self.of_bob(&operation.0, described);
        let mut request = self.request(who, method.clone(), &address);
        if path.starts_with("/uploads") {
            request = request
                .header("Tus-Resumable", "1.0.0")
                .header("Upload-Offset", "0")
                .header("Content-Type", "application/offset+octet-stream");
            if *method == Method::POST {
                request = request.header("X-HTTP-Method-Override", "PATCH");
            }
            request = request.body("12345");
        } else if let Some(body) = &body {
            request = request.json(body);
        } else if described["requestBody"].is_object() {
            request = request.body("x");
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        // A stream of events goes on for ever.
        let text = if status.is_success() { String::new() } else { answer.text().await.unwrap() };
        (status, text)
    }

    /// All that is Bob's and all that is decided for everybody, as text.
    pub(super) async fn state(&self) -> String {
        let admin = self.house.principal("ann").await;
        let accounts = &self.house.app.services.accounts;
        let mut state = format!(
            "{:?} {:?}",
            accounts.quota_rules().await.unwrap(),
            accounts.users(&admin).await.unwrap().iter().map(|user| &user.name).collect::<Vec<_>>()
        );
        for path in [
            "/files/Docs",
            "/files/Docs/a.txt",
            "/trash",
            "/versions?path=Docs/a.txt",
            "/folder-shares",
            "/playlists",
            "/shares",
            "/imports",
            "/duplicates/done",
            "/notices",
            "/lockers",
            "/queue",
            "/history",
            "/keeping",
            "/match/policy",
            "/analysis",
            "/radio",
            "/places",
            "/storage",
            "/outside",
        ] {
            let answer = self.request(Some("bob"), Method::GET, path).send().await.unwrap();
            state += &format!("\n{path} {}", answer.text().await.unwrap());
        }
        let offset = self
            .request(Some("bob"), Method::HEAD, &format!("/uploads/{}", self.ids["upload"]))
            .header("Tus-Resumable", "1.0.0");
        let offset = offset.send().await.unwrap();
        state + &format!("\n{:?}", offset.headers().get("upload-offset"))
    }
}
