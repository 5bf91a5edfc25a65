//! The server, as its HTTP API shows it.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{self, HeaderValue},
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::{
    Fault, Result,
    bytes::{Body, whole},
};
use crate::egress;

const USER_AGENT: &str = concat!("tunelocker-sync/", env!("CARGO_PKG_VERSION"));
/// Files in one question.
pub(super) const ASKED: usize = 1_000;
/// Of an answer that is not a file.
const LARGEST: usize = 64 << 20;
/// Until an answer begins. Claims are judged by reading whole files.
const PATIENCE: Duration = Duration::from_mins(2);
const CLAIM_PATIENCE: Duration = Duration::from_mins(20);
/// What stays as it is in a path.
const PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// One server, user and place of files there. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Remote {
    client: Client<HttpsConnector<HttpConnector>, Body>,
    base: Arc<str>,
    authorization: HeaderValue,
    locker: Arc<str>,
    /// The folder of that place that is meant; '' is all of it.
    folder: Arc<str>,
}

/// A place of files there.
#[derive(Debug, Deserialize)]
struct Place {
    id: String,
    kind: String,
    name: String,
    owner: Option<String>,
}

/// What is told of a file.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Standing {
    pub(super) state: String,
    /// Paths that have these bytes; a few of them are named.
    #[serde(default)]
    pub(super) count: usize,
    #[serde(default)]
    pub(super) paths: Vec<String>,
    pub(super) claim: Option<String>,
    pub(super) key: Option<String>,
    pub(super) detail: Option<String>,
}

/// What came of a claim.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Claimed {
    pub(super) state: String,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) detail: Option<String>,
}

/// An entry of a folder there.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) size: u64,
    pub(super) etag: Option<String>,
}

impl Remote {
    pub(super) fn new(server: &str, user: &str, secret: &str, locker: &str) -> Result<Self> {
        let url = Url::parse(server)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .filter(|url| url.username().is_empty() && url.password().is_none())
            .ok_or_else(|| {
                Fault::Here("the server is written http://HOST:PORT or https://HOST".to_owned())
            })?;
        let base =
            format!("{}{}", url.origin().ascii_serialization(), url.path().trim_end_matches('/'));
        let here = |error: anyhow::Error| Fault::Here(format!("{error:#}"));
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(Duration::from_secs(10)));
        connector.set_keepalive(Some(Duration::from_secs(20)));
        connector.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(egress::tls().map_err(here)?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(20))
            .build(connector);
        let pair = STANDARD.encode(format!("{user}:{secret}"));
        let mut authorization = HeaderValue::from_str(&format!("Basic {pair}"))
            .map_err(|_| Fault::Here("that name or secret cannot be sent".to_owned()))?;
        authorization.set_sensitive(true);
        let (locker, folder) = (locker.into(), Arc::from(""));
        Ok(Self { client, base: base.into(), authorization, locker, folder })
    }

    /// In a place of the user's: `me`, `household`, an id, or OWNER/FOLDER for a folder that somebody
    /// shares; and in a folder of it, where '' is all of it.
    pub(super) async fn within(self, place: &str, folder: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct Answer {
            items: Vec<Place>,
        }
        let folder = Arc::from(folder.trim().trim_matches('/'));
        let Some((owner, name)) = place.split_once('/') else { return Ok(Self { folder, ..self }) };
        let request = self.request(Method::GET, "/places");
        let answer: Answer =
            json_of(self.done(request, whole(Bytes::new()), PATIENCE).await?).await?;
        let shared = answer.items.iter().filter(|it| it.kind == "shared");
        let fits = |it: &&Place| it.owner.as_deref() == Some(owner) && it.name == name;
        let found: Vec<&Place> = shared.filter(fits).collect();
        let locker = match found.as_slice() {
            [one] => Arc::from(one.id.as_str()),
            [] => return Err(Fault::Here(format!("{owner} shares no folder {name} with you"))),
            _ => {
                let ids: Vec<&str> = found.iter().map(|it| it.id.as_str()).collect();
                return Err(Fault::Here(format!(
                    "{owner} shares more than one folder {name} with you; name its id instead: {}",
                    ids.join(", ")
                )));
            }
        };
        Ok(Self { locker, folder, ..self })
    }

    /// A path as that place calls it.
    fn there(&self, path: &str) -> String {
        match (&*self.folder, path) {
            ("", path) => path.to_owned(),
            (folder, "") => folder.to_owned(),
            (folder, path) => format!("{folder}/{path}"),
        }
    }

    /// The other way; `None` for what lies elsewhere in the place.
    fn inner(&self, path: &str) -> Option<String> {
        match &*self.folder {
            "" => Some(path.to_owned()),
            folder => Some(path.strip_prefix(folder)?.strip_prefix('/')?.to_owned()),
        }
    }

    /// What is told of these files: `{"hash"?, "quick"?, "size", "path"}` each.
    pub(super) async fn look(&self, items: &[Value]) -> Result<Vec<Standing>> {
        #[derive(Deserialize)]
        struct Answer {
            items: Vec<Standing>,
        }
        let mut items = items.to_vec();
        for item in &mut items {
            let path = item["path"].as_str().unwrap_or_default();
            item["path"] = json!(self.there(path));
        }
        let question = json!({ "locker": &*self.locker, "items": items });
        let mut answer: Answer = self.ask("/match", &question, PATIENCE).await?;
        for standing in &mut answer.items {
            standing.paths = standing.paths.iter().filter_map(|path| self.inner(path)).collect();
        }
        if answer.items.len() == items.len() {
            Ok(answer.items)
        } else {
            Err(Fault::Strange("it answers another number of files than were asked about".into()))
        }
    }

    /// What comes of these proofs: claim and proof each.
    pub(super) async fn claim(&self, proofs: &[(String, String)]) -> Result<Vec<Claimed>> {
        #[derive(Deserialize)]
        struct Answer {
            claims: Vec<Claimed>,
        }
        let claims: Vec<Value> =
            proofs.iter().map(|(claim, proof)| json!({ "claim": claim, "proof": proof })).collect();
        let answer: Answer =
            self.ask("/claims", &json!({ "claims": claims }), CLAIM_PATIENCE).await?;
        if answer.claims.len() == proofs.len() {
            Ok(answer.claims)
        } else {
            Err(Fault::Strange("it answers another number of claims than were made".into()))
        }
    }

    /// Moves a file of the locker.
    pub(super) async fn rename(&self, from: &str, to: &str) -> Result<()> {
        let request = self.request(Method::POST, &self.file(from));
        let request = request.header(header::CONTENT_TYPE, "application/json");
        self.done(request, whole(json!({ "to": self.there(to) }).to_string()), PATIENCE)
            .await
            .map(drop)
    }

    /// What is in a folder.
    pub(super) async fn list(&self, folder: &str) -> Result<Vec<Entry>> {
        #[derive(Deserialize)]
        struct Answer {
            entries: Vec<Entry>,
        }
        let request = self.request(Method::GET, &self.file(folder));
        let answer = self.done(request, whole(Bytes::new()), PATIENCE).await?;
        Ok(json_of::<Answer>(answer).await?.entries)
    }

    /// A file's bytes from `offset` on, if it still has this entity tag; how many bytes come
    /// before them (all or none of the offset).
    pub(super) async fn fetch(
        &self,
        path: &str,
        offset: u64,
        etag: Option<&str>,
    ) -> Result<(u64, Incoming)> {
        let mut request = self.request(Method::GET, &self.file(path));
        if let (true, Some(etag)) = (0 < offset, etag) {
            request = request
                .header(header::RANGE, format!("bytes={offset}-"))
                .header(header::IF_RANGE, format!("\"{etag}\""));
        }
        let answer = self.done(request, whole(Bytes::new()), PATIENCE).await?;
        let begins = if answer.status() == StatusCode::PARTIAL_CONTENT { offset } else { 0 };
        Ok((begins, answer.into_body()))
    }

    /// A request of tus: `address` is whole or a path.
    pub(super) fn tus(&self, method: Method, address: &str) -> hyper::http::request::Builder {
        let request = if address.starts_with("/api/") {
            self.signed(method, &format!("{}{address}", self.base))
        } else {
            self.request(method, "/uploads")
        };
        request.header("Tus-Resumable", "1.0.0")
    }

    /// Says where a file goes, for tus.
    pub(super) fn metadata(&self, path: &str) -> String {
        let path = STANDARD.encode(self.there(path));
        format!("path {path},locker {}", STANDARD.encode(&*self.locker))
    }

    /// Sends a request; any answer that is no success is a fault.
    pub(super) async fn done(
        &self,
        request: hyper::http::request::Builder,
        body: Body,
        patience: Duration,
    ) -> Result<Response<Incoming>> {
        let request =
            request.body(body).map_err(|error| Fault::Here(format!("bad request: {error}")))?;
        let answer = tokio::time::timeout(patience, self.client.request(request))
            .await
            .map_err(|_| Fault::Unreachable("it does not answer".to_owned()))?
            .map_err(|error| unreachable(&error))?;
        if answer.status().is_success() { Ok(answer) } else { Err(refusal(answer).await) }
    }

    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        address: &str,
        question: &Value,
        patience: Duration,
    ) -> Result<T> {
        let mut pause = Duration::from_millis(500);
        for try_number in 0.. {
            let request = self.request(Method::POST, address);
            let request = request.header(header::CONTENT_TYPE, "application/json");
            let answered = match self.done(request, whole(question.to_string()), patience).await {
                Ok(answer) => json_of(answer).await,
                Err(fault) => Err(fault),
            };
            match answered {
                Err(fault) if fault.may_pass() && try_number < 5 => {
                    tokio::time::sleep(wait(&fault, pause)).await;
                    pause *= 2;
                }
                answered => return answered,
            }
        }
        Err(Fault::Unreachable("it does not answer".to_owned()))
    }

    fn file(&self, path: &str) -> String {
        let path = self.there(path);
        let path = utf8_percent_encode(&path, PATH);
        let locker = utf8_percent_encode(&self.locker, NON_ALPHANUMERIC);
        format!("/files/{path}?locker={locker}")
    }

    fn request(&self, method: Method, path: &str) -> hyper::http::request::Builder {
        self.signed(method, &format!("{}/api/v1{path}", self.base))
    }

    fn signed(&self, method: Method, address: &str) -> hyper::http::request::Builder {
        Request::builder()
            .method(method)
            .uri(address)
            .header(header::USER_AGENT, USER_AGENT)
            .header(header::AUTHORIZATION, self.authorization.clone())
    }
}

/// How long to wait before the next try: as the server says, up to a minute, else as before.
pub(super) fn wait(fault: &Fault, pause: Duration) -> Duration {
    match fault {
        Fault::Refused { retry_after: Some(seconds), .. } => Duration::from_secs(*seconds.min(&60)),
        _ => pause.min(Duration::from_secs(30)),
    }
}

async fn json_of<T: serde::de::DeserializeOwned>(answer: Response<Incoming>) -> Result<T> {
    let body = Limited::new(answer.into_body(), LARGEST).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            let most = LARGEST >> 20;
            Fault::Here(format!("the server's answer is longer than the {most} MiB that are read"))
        } else {
            Fault::Unreachable(error.to_string())
        }
    })?;
    serde_json::from_slice(&body.to_bytes()).map_err(|error| Fault::Strange(error.to_string()))
}

/// What the server said, in its own words where it has some.
async fn refusal(answer: Response<Incoming>) -> Fault {
    #[derive(Default, Deserialize)]
    struct Problem {
        #[serde(rename = "type", default)]
        kind: String,
        detail: Option<String>,
    }
    let status = answer.status();
    let retry_after = answer
        .headers()
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    let body = Limited::new(answer.into_body(), 64 << 10).collect().await;
    let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let problem: Problem = serde_json::from_slice(&body).unwrap_or_default();
    let detail = problem.detail.unwrap_or_else(|| format!("the server answered {status}"));
    Fault::Refused { status: status.as_u16(), kind: problem.kind, detail, retry_after }
}

/// The last cause says most.
fn unreachable(error: &(dyn std::error::Error + 'static)) -> Fault {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    Fault::Unreachable(cause.to_string())
}
