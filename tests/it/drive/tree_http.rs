//! The tree over JSON: trash, versions, copies, search, zip, shared folders.

use std::io::Cursor;

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tunelocker::accounts::NewUser;

use super::Lockers;
use crate::web::schema;

struct User {
    base: String,
    client: Client,
    secret: String,
}

impl User {
    async fn new(lockers: &Lockers, name: &str) -> Self {
        let principal = lockers.accounts.principal_named(name).await.unwrap();
        let secret =
            lockers.accounts.create_app_password(&principal, "script").await.unwrap().secret;
        Self { base: lockers.app.url("/api/v1/"), client: Client::new(), secret }
    }

    fn request(&self, method: Method, path: &str, body: Option<Value>) -> RequestBuilder {
        let request =
            self.client.request(method, format!("{}{path}", self.base)).bearer_auth(&self.secret);
        match body {
            Some(body) => request.json(&body),
            None => request,
        }
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Response {
        self.request(method, path, body).send().await.unwrap()
    }

    async fn json(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let (status, text) = schema::send(self.request(method, path, body)).await;
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.json(Method::GET, path, None).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    async fn put(&self, path: &str, bytes: &[u8]) {
        let url = format!("{}files/{path}", self.base);
        let sent = self.client.put(url).bearer_auth(&self.secret).body(bytes.to_vec());
        assert!(sent.send().await.unwrap().status().is_success(), "{path}");
    }
}

#[tokio::test]
async fn files_are_deleted_brought_back_copied_and_found() {
    let lockers = Lockers::with_quota(10_000).await;
    let ann = User::new(&lockers, "ann").await;
    ann.put("Music/B%C3%A4nd/song.flac", &[1; 100]).await;
    ann.put("Music/B%C3%A4nd/song.flac", &[2; 120]).await;
    let song = "files/Music/B%C3%A4nd/song.flac";

    let versions = ann.get("versions?path=Music/B%C3%A4nd/song.flac").await;
    let version = versions["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(versions["items"][0]["size"], 100);
    let bytes = ann.send(Method::GET, &format!("versions/{version}"), None).await;
    assert_eq!(bytes.bytes().await.unwrap(), vec![1; 100]);
    let (status, back) = ann.json(Method::POST, &format!("versions/{version}"), None).await;
    assert_eq!((status, &back["path"]), (200, &json!("Music/Bänd/song.flac")));

    let (status, kept) = ann.json(Method::DELETE, song, None).await;
    assert_eq!((status, &kept["name"], &kept["kind"]), (200, &json!("song.flac"), &json!("file")));
    let stat = ann.get("files/Music/B%C3%A4nd?as=stat").await;
    assert_eq!((&stat["kind"], &stat["path"]), (&json!("folder"), &json!("Music/Bänd")));
    let trash = ann.get("trash").await;
    assert_eq!(trash["items"][0]["id"], kept["id"]);
    let id = kept["id"].as_str().unwrap();
    let (status, back) = ann.json(Method::POST, &format!("trash/{id}"), Some(json!({}))).await;
    assert_eq!((status, &back["path"]), (200, &json!("Music/Bänd/song.flac")));
    let (status, gone) = ann.json(Method::POST, &format!("trash/{id}"), Some(json!({}))).await;
    assert_eq!((status, &gone["type"]), (404, &json!("not_found")));

    let to = |to: &str, more: Value| {
        let mut body = json!({ "to": to });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Some(body)
    };
    let (status, copied) =
        ann.json(Method::POST, song, to("Copies/song.flac", json!({ "copy": true }))).await;
    assert_eq!((status, &copied["replaced"]), (201, &json!(false)), "{copied}");
    let (status, there) = ann.json(Method::POST, song, to("Copies/song.flac", json!({}))).await;
    assert_eq!((status, &there["type"]), (409, &json!("exists")));
    assert!(there["etag"].is_string(), "{there}");
    // A file where a folder is, and a folder where a file is.
    for (path, tag) in [("files/Copies", false), ("files/Copies/song.flac/", true)] {
        let (status, there) = ann.json(Method::PUT, path, None).await;
        assert_eq!((status, &there["type"]), (409, &json!("exists")), "{path}");
        assert_eq!(there["etag"].is_string(), tag, "{there}");
    }
    let household = json!({ "locker": "household", "copy": true });
    let (status, _) = ann.json(Method::POST, song, to("From ann.flac", household)).await;
    assert_eq!(status, 201);
    let (status, replaced) =
        ann.json(Method::POST, song, to("Copies/song.flac", json!({ "replace": true }))).await;
    assert_eq!((status, &replaced["replaced"]), (200, &json!(true)));
    let hits = ann.get("file-search?q=SONG").await;
    assert_eq!(hits["items"].as_array().unwrap().len(), 1);
    assert_eq!(hits["items"][0]["path"], "Copies/song.flac");
    let hits = ann.get("file-search?q=from%20ann&locker=household").await;
    assert_eq!(hits["items"][0]["place"], "household");

    let forever = ann.send(Method::DELETE, "files/Copies?forever=true", None).await;
    assert_eq!(forever.status(), StatusCode::NO_CONTENT);
    assert_eq!(lockers.usage().await.used, 0);
    let (status, refused) = ann
        .json(
            Method::PUT,
            "keeping",
            Some(json!({ "trashDays": 1, "versionDays": 1, "versions": 1 })),
        )
        .await;
    assert_eq!((status, &refused["type"]), (403, &json!("forbidden")));
    let rules = json!({ "trashDays": 0, "versionDays": 0, "versions": 0 });
    assert_eq!(ann.get("keeping").await, rules, "nothing goes by itself");
    let (_, emptied) = ann.json(Method::DELETE, "trash", None).await;
    assert_eq!(emptied["deleted"], 0);
}

#[tokio::test]
async fn a_folder_comes_as_a_zip_that_unpacks_to_the_same() {
    let lockers = Lockers::with_quota(10_000_000).await;
    let ann = User::new(&lockers, "ann").await;
    let large: Vec<u8> = (0..700_000_u32).map(|at| (at * 7 % 251) as u8).collect();
    ann.put("Album/01%20%C3%9Cber.flac", &large).await;
    ann.put("Album/Scans/a:b.txt", b"text").await;
    ann.put("Album/empty/", b"").await;
    ann.put("other", b"not in it").await;
    let answer = ann.send(Method::GET, "files/Album?as=zip", None).await;
    let name = answer.headers()["content-disposition"].to_str().unwrap().to_owned();
    assert!(name.contains("Album.zip"), "{name}");
    let length = answer.content_length().unwrap();
    let bytes = answer.bytes().await.unwrap();
    assert_eq!(bytes.len() as u64, length, "the length was known before");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.zip"), Cursor::new(bytes).into_inner()).unwrap();
    let script = "import zipfile,sys; z=zipfile.ZipFile('a.zip'); assert z.testzip() is None; z.extractall('out')";
    let python = std::process::Command::new("python3")
        .args(["-c", script])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(python.status.success(), "{python:?}");
    let out = folder.path().join("out/Album");
    assert_eq!(std::fs::read(out.join("01 Über.flac")).unwrap(), large);
    assert_eq!(std::fs::read(out.join("Scans/a:b.txt")).unwrap(), b"text");
    assert!(out.join("empty").is_dir());
}

#[tokio::test]
async fn a_shared_folder_has_an_id_and_a_root_of_its_own() {
    let lockers = Lockers::with_quota(10_000).await;
    let bob = NewUser::new("bob", "bob's very own");
    lockers.accounts.create_user(&lockers.admin, &bob).await.unwrap();
    let (ann, bob) = (User::new(&lockers, "ann").await, User::new(&lockers, "bob").await);
    ann.put("Deep/Band/demo", &[1; 100]).await;
    let wish = json!({ "path": "Deep/Band", "user": "bob", "write": true });
    let (status, share) = ann.json(Method::PUT, "folder-shares", Some(wish)).await;
    assert_eq!(status, 200, "{share}");
    let id = share["id"].as_str().unwrap();
    let places = bob.get("places").await;
    let place = places["items"].as_array().unwrap().iter().find(|one| one["id"] == id).unwrap();
    assert_eq!((&place["name"], &place["owner"]), (&json!("Band"), &json!("ann")));
    let listed = bob.get(&format!("files/?locker={id}")).await;
    assert_eq!(listed["entries"][0]["name"], "demo");
    bob.put(&format!("new/his?locker={id}"), &[2; 50]).await;
    assert!(lockers.folder().join("Deep/Band/new/his").exists());
    let (_, kept) = bob.json(Method::DELETE, &format!("files/new?locker={id}"), None).await;
    assert_eq!((&kept["path"], &kept["by"]), (&json!("new"), &json!("bob")));
    assert_eq!(bob.get(&format!("trash?locker={id}")).await["items"][0]["path"], "new");
    // What comes back is called as his place calls it, and goes where he means it.
    let trashed = format!("trash/{}", kept["id"].as_str().unwrap());
    let wish = json!({ "to": "back" });
    let (status, back) = bob.json(Method::POST, &trashed, Some(wish)).await;
    assert_eq!((status, &back["path"]), (200, &json!("back")));
    assert!(lockers.folder().join("Deep/Band/back/his").exists());
    bob.put(&format!("demo?locker={id}"), &[3; 30]).await;
    let versions = bob.get(&format!("versions?path=demo&locker={id}")).await;
    let version = format!("versions/{}", versions["items"][0]["id"].as_str().unwrap());
    let (status, back) = bob.json(Method::POST, &version, None).await;
    assert_eq!((status, &back["path"]), (200, &json!("demo")));
    let wrong = bob.send(Method::GET, "files/Deep?locker=lo-1", None).await;
    assert_eq!(wrong.status(), StatusCode::NOT_FOUND);
    let ended = ann.send(Method::DELETE, &format!("folder-shares/{id}"), None).await;
    assert_eq!(ended.status(), StatusCode::NO_CONTENT);
    let gone = bob.send(Method::GET, &format!("files/?locker={id}"), None).await;
    assert_eq!(gone.status(), StatusCode::NOT_FOUND);
}
