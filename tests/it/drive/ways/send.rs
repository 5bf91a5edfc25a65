//! How a file is sent by each way, and what is told when it is refused.

use std::process::Stdio;

use reqwest::{
    Body, Method, RequestBuilder, Response,
    multipart::{Form, Part},
};
use serde_json::{Value, json};

use super::{
    super::archives::{ended, gzip, tar_of, whole, zip_of},
    House,
    resumable::Tus,
};

/// A way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Put,
    PutChunked,
    Form,
    Tus,
    TusDeferred,
    TusConcat,
    Dav,
    DavChunked,
    Zip,
    TarGz,
    TusZip,
    FormZip,
    Import,
    ImportZip,
    Sync,
    Delivery,
    DeliveryOfUpload,
    Claim,
}

/// What a client says of what may be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Only<'a> {
    /// Whatever is there.
    Any,
    /// Nothing.
    Absent,
    /// The file of this entity tag.
    Match(&'a str),
}

/// Why a file was not taken.
#[derive(Debug, Default)]
pub(super) struct Refusal {
    pub(super) word: String,
    /// Entity tag of what is in the way; '' where none is told.
    pub(super) etag: String,
    /// Of the answer or, in a list, of the problem; 0 where none is told.
    pub(super) status: u16,
    /// '' where the way tells sentences only.
    pub(super) rule: String,
    pub(super) detail: String,
}

impl Refusal {
    pub(super) fn of(problem: &Value) -> Self {
        let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
        let status = problem["status"].as_u64().and_then(|it| it.try_into().ok()).unwrap_or(0);
        let (word, rule, detail) = (text("type"), text("rule"), text("detail"));
        Self { word, rule, detail, etag: text("etag"), status }
    }
}

pub(super) type Sent = Result<(), Refusal>;

impl Way {
    pub(super) const ALL: [Self; 18] = [
        Self::Put,
        Self::PutChunked,
        Self::Form,
        Self::Tus,
        Self::TusDeferred,
        Self::TusConcat,
        Self::Dav,
        Self::DavChunked,
        Self::Zip,
        Self::TarGz,
        Self::TusZip,
        Self::FormZip,
        Self::Import,
        Self::ImportZip,
        Self::Sync,
        Self::Delivery,
        Self::DeliveryOfUpload,
        Self::Claim,
    ];

    /// Whether a shop brings it, which never replaces.
    pub(super) fn is_delivery(self) -> bool {
        matches!(self, Self::Delivery | Self::DeliveryOfUpload)
    }

    /// Whether it tells of a list of files what became of each.
    pub(super) fn lists(self) -> bool {
        let is_archive = matches!(
            self,
            Self::Zip | Self::TarGz | Self::TusZip | Self::FormZip | Self::ImportZip
        );
        is_archive || self == Self::Import
    }

    /// Whether a client can say this by this way.
    pub(super) fn can_want(self, only: Only<'_>) -> bool {
        match only {
            Only::Any => true,
            Only::Absent => self != Self::Sync && !self.is_delivery(),
            Only::Match(_) => {
                matches!(self, Self::Put | Self::PutChunked | Self::Dav | Self::DavChunked)
            }
        }
    }

    /// Whether a path can be said at all by this way.
    pub(super) fn can_say(self, path: &str) -> bool {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        match self {
            // Old headers of tar hold 100 bytes.
            Self::TarGz => path.len() <= 100,
            Self::Sync => name.len() < 256,
            // The folder alone is named.
            Self::Import => tunelocker::drive::RelativePath::parse(folder).is_err(),
            // Quotes in the header of a part would have to be escaped otherwise.
            Self::Form => !path.contains(['\\', '\u{7}']),
            _ => true,
        }
    }
}

fn pieces(bytes: &[u8]) -> Body {
    let pieces: Vec<_> =
        bytes.chunks(60_000).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
    Body::wrap_stream(futures_util::stream::iter(pieces))
}

/// Every byte that is not a letter or a slash, so that clients change nothing.
pub(super) fn encoded(path: &str) -> String {
    path.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' => (byte as char).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// What HTTP has for it.
fn on_condition(request: RequestBuilder, only: Only<'_>) -> RequestBuilder {
    match only {
        Only::Any => request,
        Only::Absent => request.header("If-None-Match", "*"),
        Only::Match(etag) => request.header("If-Match", format!("\"{etag}\"")),
    }
}

/// What an answer with a status for the one file tells.
pub(super) async fn plain(answer: Response) -> Sent {
    if answer.status().is_success() {
        return Ok(());
    }
    let status = answer.status().as_u16();
    let refusal = Refusal::of(&answer.json().await.unwrap_or_default());
    assert_eq!(refusal.status, status, "the problem says so, too");
    Err(refusal)
}

/// What an answer with a list of files tells of the only one.
pub(super) fn listed(answer: &Value) -> Sent {
    let problem = match &answer["items"][0] {
        Value::Null => answer,
        item => &item["problem"],
    };
    if problem.is_null() { Ok(()) } else { Err(Refusal::of(problem)) }
}

impl House {
    pub(super) async fn send(&self, way: Way, path: &str, bytes: &[u8]) -> Sent {
        self.send_if(way, Only::Any, path, bytes).await
    }

    /// The same under a condition.
    pub(super) async fn send_if(&self, way: Way, only: Only<'_>, path: &str, bytes: &[u8]) -> Sent {
        let files = format!("files/{}", encoded(path));
        let if_absent = if only == Only::Absent { "&ifAbsent=true" } else { "" };
        let put = |body: Body| on_condition(self.ann.request(Method::PUT, &files).body(body), only);
        let tus = Tus { is_deferred: way == Way::TusDeferred, unpacks: false, only };
        match way {
            Way::Put => plain(put(bytes.to_vec().into()).send().await.unwrap()).await,
            Way::PutChunked => plain(put(pieces(bytes)).send().await.unwrap()).await,
            Way::Form | Way::FormZip => {
                let (name, bytes, how) = match way {
                    Way::Form => (path, bytes.to_vec(), "unpack=false"),
                    _ => ("pack.zip", zip_of(&[(path, bytes)]), "unpack=true"),
                };
                let part = Part::bytes(bytes).file_name(name.to_owned());
                let form = Form::new().part("file", part);
                let url = format!("files/?{how}{if_absent}");
                let sent = self.ann.request(Method::POST, &url).multipart(form).send().await;
                listed(&whole(sent.unwrap()).await.1)
            }
            Way::Tus | Way::TusDeferred => self.tus(path, bytes, tus).await.map(drop),
            Way::TusConcat => self.concat(path, bytes, only).await,
            Way::Dav => self.dav(path, bytes.to_vec().into(), only).await,
            Way::DavChunked => self.dav(path, pieces(bytes), only).await,
            Way::Zip => {
                let url = "files/pack.zip?unpack=true";
                let request = self.ann.request(Method::PUT, url).body(zip_of(&[(path, bytes)]));
                listed(&whole(on_condition(request, only).send().await.unwrap()).await.1)
            }
            Way::TarGz => {
                let tar = gzip(&tar_of(&[(path, bytes)]).into_inner().unwrap());
                let url = format!("files/?unpack=true{if_absent}");
                let request = self.ann.request(Method::POST, &url).body(tar);
                listed(&whole(request.send().await.unwrap()).await.1)
            }
            Way::TusZip => {
                let archive = zip_of(&[(path, bytes)]);
                let id = self.tus("pack.zip", &archive, Tus { unpacks: true, ..tus }).await?;
                listed(&ended(&self.ann, &id.expect("an import")).await)
            }
            Way::Import => {
                let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
                self.import(folder, name, bytes.to_vec(), only).await
            }
            Way::ImportZip => self.import("", "pack.zip", zip_of(&[(path, bytes)]), only).await,
            Way::Sync => self.sync(path, bytes).await,
            Way::Delivery => self.deliver_by_address(path, bytes).await,
            Way::DeliveryOfUpload => self.deliver_upload(path, bytes).await,
            Way::Claim => self.claim(path, bytes, only).await,
        }
    }

    async fn dav(&self, path: &str, body: Body, only: Only<'_>) -> Sent {
        // Clients of WebDAV make folders before files.
        let parts: Vec<&str> = path.split('/').collect();
        for depth in 1..parts.len() {
            let folder = encoded(&parts[..depth].join("/"));
            let made = Method::from_bytes(b"MKCOL").unwrap();
            let made = self.ann.request(made, &format!("../../dav/ann/{folder}"));
            made.send().await.unwrap();
        }
        let url = format!("../../dav/ann/{}", encoded(path));
        let request = on_condition(self.ann.request(Method::PUT, &url).body(body), only);
        let answer = request.send().await.unwrap();
        if answer.status().is_success() {
            return Ok(());
        }
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        let inner = |from: &str, to: &str| {
            let rest = text.split_once(from).map_or("", |(_, rest)| rest);
            rest.split_once(to).map_or("", |(found, _)| found).to_owned()
        };
        Err(Refusal {
            word: inner("<T:word>", "</T:word>"),
            rule: inner("<T:name-invalid rule=\"", "\""),
            detail: inner("<T:message>", "</T:message>"),
            etag: inner(" etag=\"", "\""),
            status,
        })
    }

    async fn sync(&self, path: &str, bytes: &[u8]) -> Sent {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tree").join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, bytes).unwrap();
        let accounts = &self.lockers().accounts;
        let secret =
            accounts.create_app_password(&self.lockers().ann, "sync").await.unwrap().secret;
        let report = folder.path().join("report.csv");
        let ran = tokio::process::Command::new(env!("CARGO_BIN_EXE_tunelocker"))
            .args(["sync".as_ref(), folder.path().join("tree").as_os_str()])
            .args(["--to", &self.lockers().app.url(""), "--as", "ann", "--report"])
            .arg(&report)
            .env_clear()
            .env("HOME", folder.path())
            .env("TUNELOCKER_SECRET", secret)
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap();
        let report = std::fs::read_to_string(&report)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&ran.stderr)));
        let line = report.lines().find(|line| line.contains("refused"));
        let Some(line) = line else {
            assert!(ran.status.success(), "{report}{}", String::from_utf8_lossy(&ran.stderr));
            return Ok(());
        };
        // It tells sentences; each is one of a word.
        let word = if line.contains("This does not fit") {
            "quota_exceeded"
        } else if line.contains("An administrator took this down") {
            "forbidden"
        } else if line.contains("name") || line.contains("folders") {
            "name_invalid"
        } else {
            ""
        };
        Err(Refusal { word: word.to_owned(), detail: report, ..Refusal::default() })
    }

    async fn claim(&self, path: &str, bytes: &[u8], only: Only<'_>) -> Sent {
        if bytes.is_empty() {
            // Nothing is not claimed; it is sent.
            return plain(
                self.ann
                    .request(Method::PUT, &format!("files/{}", encoded(path)))
                    .send()
                    .await
                    .unwrap(),
            )
            .await;
        }
        // Where it must not be here, they cannot have it either.
        let _ = self.others_have(bytes).await;
        let item = json!({
            "hash": blake3::hash(bytes).to_hex().as_str(), "size": bytes.len(), "path": path,
        });
        let question = json!({ "items": [item], "ifAbsent": only == Only::Absent });
        let asked = self.ann.request(Method::POST, "match").json(&question);
        let (_, answer) = whole(asked.send().await.unwrap()).await;
        let standing = &answer["items"][0];
        match standing["state"].as_str() {
            Some("refused") => return Err(Refusal::of(standing)),
            // It lies there already.
            Some("have") if standing["claim"].is_null() => return Ok(()),
            _ => (),
        }
        let mut key = [0; 32];
        hex::decode_to_slice(standing["key"].as_str().expect("a key"), &mut key).unwrap();
        let proof = blake3::keyed_hash(&key, bytes).to_hex();
        let claim = json!({ "claim": standing["claim"], "proof": proof.as_str() });
        let asked = self.ann.request(Method::POST, "claims").json(&json!({ "claims": [claim] }));
        let (_, answer) = whole(asked.send().await.unwrap()).await;
        let made = &answer["claims"][0];
        if made["state"] == "claimed" { Ok(()) } else { Err(Refusal::of(made)) }
    }
}
