//! The doors that files come in by, and what clients do with files that are there.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use reqwest::{
    Body, Client, Method, RequestBuilder,
    header::{HeaderMap, HeaderValue},
    multipart::{Form, Part},
};
use serde_json::{Value, json};

use super::volume::Volume;
use crate::harness::daemon::{ADMIN, Daemon};

/// One client of a daemon.
#[derive(Clone)]
pub(super) struct Api {
    client: Client,
    address: String,
    secret: String,
    /// The power of its disk is gone.
    is_cut: Arc<AtomicBool>,
}

/// What a daemon answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.body
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(super) fn header(&self, name: &str) -> String {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    }

    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl Api {
    pub(super) fn new(daemon: &Daemon, secret: &str) -> Self {
        Self::at(&daemon.http, secret)
    }

    /// At ADDR:PORT.
    pub(super) fn at(address: &str, secret: &str) -> Self {
        let client = Client::builder().timeout(Duration::from_mins(2)).build().unwrap();
        let (address, secret) = (address.to_owned(), secret.to_owned());
        Self { client, address, secret, is_cut: Arc::default() }
    }

    /// With a disk that may lose its power.
    pub(super) fn over(mut self, volume: Option<&Volume>) -> Self {
        self.is_cut = volume.map(Volume::is_cut).unwrap_or_default();
        self
    }

    /// To `/api/v1/PATH`.
    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("http://{}/api/v1/{path}", self.address);
        self.client.request(method, url).bearer_auth(&self.secret)
    }

    /// To the administrator's locker by WebDAV.
    pub(super) fn dav(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.client.request(method, self.dav_url(path)).basic_auth(ADMIN.0, Some(&self.secret))
    }

    /// The address of a file by WebDAV.
    pub(super) fn dav_url(&self, path: &str) -> String {
        format!("http://{}/dav/{}/{path}", self.address, ADMIN.0)
    }

    /// By tus, at an address that the daemon gave or at `/api/v1/uploads`.
    pub(super) fn tus(&self, method: Method, address: &str) -> RequestBuilder {
        let address = if address.is_empty() { "/api/v1/uploads" } else { address };
        let path = match address.split_once("/api/v1/") {
            Some((_, path)) => path,
            None => address,
        };
        self.request(method, path).header("Tus-Resumable", "1.0.0")
    }

    /// A new upload by tus for a path; its bytes may come with it.
    pub(super) fn tus_create(&self, path: &str, length: usize) -> RequestBuilder {
        let request = self.tus(Method::POST, "").header("Upload-Length", length);
        request.header("Upload-Metadata", format!("path {}", STANDARD.encode(path)))
    }

    /// The same whose length is told with its last bytes.
    pub(super) fn tus_deferred(&self, path: &str) -> RequestBuilder {
        let request = self.tus(Method::POST, "").header("Upload-Defer-Length", "1");
        request.header("Upload-Metadata", format!("path {}", STANDARD.encode(path)))
    }

    /// What joins parts to a file.
    pub(super) fn tus_join(&self, parts: &[String], path: &str) -> RequestBuilder {
        let request = self.tus(Method::POST, "");
        request
            .header("Upload-Concat", format!("final;{}", parts.join(" ")))
            .header("Upload-Metadata", format!("path {}", STANDARD.encode(path)))
    }

    /// A new upload by tus of an archive that is to be unpacked.
    pub(super) fn tus_archive(&self, length: usize) -> RequestBuilder {
        let (path, yes) = (STANDARD.encode("pack.zip"), STANDARD.encode("true"));
        let request = self.tus(Method::POST, "").header("Upload-Length", length);
        request.header("Upload-Metadata", format!("path {path},unpack {yes}"))
    }

    /// The watched folder as the administrator's page shows it. `None`: nobody is there.
    pub(super) async fn folder(&self) -> Option<Value> {
        let answer = self.ask(self.administer(Method::GET, "libraries")).await?;
        let all = answer.json();
        all["items"].as_array()?.iter().find(|one| one["kind"] == "folder").cloned()
    }

    /// Says whether lockers may point at its files.
    pub(super) async fn lends(&self, lends: bool) -> Option<RequestBuilder> {
        let folder = self.folder().await?;
        let wish = json!({ "shared": true, "onLan": false, "granted": [], "lends": lends });
        let address = format!("libraries/{}", folder["id"].as_str()?);
        Some(self.administer(Method::PATCH, &address).json(&wish))
    }

    /// Waits until all that is to have bytes of its own has. False: nobody is there any more.
    pub(super) async fn until_real(&self) -> bool {
        loop {
            let Some(folder) = self.folder().await else { return false };
            if folder["lends"] == true || folder["lent"]["files"] == 0 {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// A request of the administrator's with his own password: an app password does not reach that.
    pub(super) fn administer(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path)).basic_auth(ADMIN.0, Some(ADMIN.1))
    }

    /// A new upload by tus that is a part, for a shop to hand over.
    pub(super) fn tus_part(&self, length: usize) -> RequestBuilder {
        let request = self.tus(Method::POST, "").header("Upload-Length", length);
        request.header("Upload-Concat", "partial")
    }

    /// The whole address of `/api/v1/PATH`.
    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}/api/v1/{path}", self.address)
    }

    /// A form with one file.
    pub(super) fn form(&self, path: &str, bytes: &[u8]) -> RequestBuilder {
        let part = Part::bytes(bytes.to_vec()).file_name(path.to_owned());
        self.request(Method::POST, "files/").multipart(Form::new().part("file", part))
    }

    /// What claims these bytes as a path. `None`: nobody is there, or nothing to claim.
    pub(super) async fn claim(&self, path: &str, bytes: &[u8]) -> Option<RequestBuilder> {
        let hex = |bytes: &[u8]| blake3::hash(bytes).to_hex().to_string();
        let quick = hex(&bytes[..bytes.len().min(65_536)]);
        let item = json!({ "hash": hex(bytes), "quick": quick, "size": bytes.len(), "path": path });
        let wish = self.request(Method::POST, "match").json(&json!({ "items": [item] }));
        let standing = self.ask(wish).await?.json()["items"][0].clone();
        let mut key = [0; 32];
        hex::decode_to_slice(standing["key"].as_str()?, &mut key).ok()?;
        let proof = blake3::keyed_hash(&key, bytes).to_hex().to_string();
        let claims = json!({ "claims": [{ "claim": standing["claim"], "proof": proof }] });
        Some(self.request(Method::POST, "claims").json(&claims))
    }

    /// Bytes for an upload by tus.
    pub(super) fn tus_patch(&self, address: &str, offset: usize, bytes: &[u8]) -> RequestBuilder {
        let request = self.tus(Method::PATCH, address).header("Upload-Offset", offset);
        request.header("Content-Type", OFFSET_STREAM).body(bytes.to_vec())
    }

    /// Sends it. `None`: no answer came, because nobody is there any more; or one that proves
    /// nothing: where the power goes while bytes are forced onto the disk, the system says of some
    /// that they are there which are not, and a machine of one disk would say nothing any more.
    pub(super) async fn ask(&self, request: RequestBuilder) -> Option<Answer> {
        let answer = request.send().await.ok()?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        // The head is the word that counts; a body that broke off changes nothing about it.
        let body = answer.bytes().await.unwrap_or_default();
        let answer = Answer { status, headers, body };
        (!answer.is_success() || !self.is_cut()).then_some(answer)
    }

    /// Whether the disk has lost its power.
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut.load(Ordering::SeqCst)
    }

    /// Waits until nothing that goes on by itself does: no import, no delivery, no take-down.
    pub(super) async fn until_quiet(&self) {
        let is_all = async |path: &str, is_over: fn(&Value) -> bool| {
            let all = self.must(self.administer(Method::GET, path)).await.json();
            all["items"].as_array().unwrap().iter().all(is_over)
        };
        while !(is_all("imports", |one| one["over"] == true).await
            && is_all("deliveries", |one| one["state"] != "running").await
            && is_all("takedowns", |one| !one["doneAt"].is_null()).await)
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The same with another's name and password.
    pub(super) fn as_user(&self, who: (&str, &str), method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path)).basic_auth(who.0, Some(who.1))
    }

    /// Sends what must be answered well.
    pub(super) async fn must(&self, request: RequestBuilder) -> Answer {
        let answer = self.ask(request).await.expect("an answer");
        assert!(answer.is_success(), "{}: {}", answer.status, answer.text());
        answer
    }

    /// The figures of the own locker.
    pub(super) async fn usage(&self) -> Value {
        let lockers = self.must(self.request(Method::GET, "lockers")).await.json();
        let mine = lockers["items"].as_array().unwrap().iter().find(|it| it["kind"] == "user");
        mine.unwrap().clone()
    }

    /// A plan of so many bytes, for the administrator himself.
    pub(super) async fn set_quota(&self, quota: u64) {
        let plan = json!({ "quota": quota });
        let own = format!("users/{}", ADMIN.0);
        self.must(self.administer(Method::PUT, "plans/Proof").json(&plan)).await;
        self.must(self.administer(Method::PATCH, &own).json(&json!({ "plan": "Proof" }))).await;
    }
}

pub(super) const OFFSET_STREAM: HeaderValue =
    HeaderValue::from_static("application/offset+octet-stream");

/// Bytes in pieces, their number not told.
pub(super) fn chunked(bytes: &[u8]) -> Body {
    let pieces: Vec<_> = bytes
        .chunks(50_000)
        .map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece)))
        .collect();
    Body::wrap_stream(futures_util::stream::iter(pieces))
}
