//! Somebody at work in a folder of his own, who knows what he was told and what not: the world as
//! it must be, and, while an answer is missing, the world as it may be instead.

use std::collections::{BTreeMap, HashMap};

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::{
    api::{Api, OFFSET_STREAM, chunked},
    bytes,
    seen::{Hash, Seen},
    shop::Shop,
    world::World,
};
use crate::{drive::archives::zip_of, harness::daemon::ADMIN};

/// What a grant of these tests gives, in bytes.
pub(super) const GIFT: u64 = 1_000;

/// Something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Put,
    PutChunked,
    /// Half of it was acknowledged before.
    Tus,
    /// Made and sent by one request.
    TusWhole,
    Dav,
    Form,
    /// One file in an archive.
    Zip,
    /// The same as a resumable upload, unpacked behind its last byte.
    TusZip,
    /// From an address; it comes in after the answer.
    Import,
    /// An order of a shop over what it uploaded.
    Delivery,
    Replace,
    ReplaceByTus,
    ReplaceByDav,
    Move,
    MoveByDav,
    MoveFolder,
    MoveOver,
    Copy,
    CopyOver,
    Trash,
    Restore,
    Purge,
    VersionBack,
    Remove,
    Claim,
    Grant,
    GrantEnd,
}

/// An upload by tus that was begun.
struct Begun {
    address: String,
    path: String,
    bytes: Vec<u8>,
    /// Of these the daemon said that it has them.
    acknowledged: usize,
}

/// How an import ended.
enum Ended {
    Done,
    /// Nobody is there to say it.
    Unknown,
    /// The worker was killed over its archive.
    Unreadable,
}

/// A request, and what the world is when it was carried out.
pub(super) struct Step {
    request: RequestBuilder,
    after: World,
}

pub(super) struct Hand {
    folder: String,
    pub(super) api: Api,
    pub(super) world: World,
    /// What it may be instead, as long as nobody said.
    pending: Option<World>,
    begun: Vec<Begun>,
    pub(super) shop: Option<Shop>,
    /// An order that nobody said of that it is done.
    ordered: Option<(Value, String, Hash)>,
    /// What was sent, to be held once more for a claim.
    sent: HashMap<Hash, Vec<u8>>,
    /// Files with a whole past, by no crash.
    fresh: Option<String>,
    seed: u64,
    most: usize,
}

impl Hand {
    /// Files are up to `most` bytes.
    pub(super) fn new(number: u64, api: Api, most: usize) -> Self {
        Self {
            folder: format!("hand{number}"),
            api,
            world: World::default(),
            pending: None,
            begun: Vec::new(),
            shop: None,
            ordered: None,
            sent: HashMap::new(),
            fresh: None,
            seed: number << 32,
            most,
        }
    }

    /// What must be there for an act to be possible.
    pub(super) fn needs(&self, act: Act) -> Option<Act> {
        match act {
            Act::Put
            | Act::PutChunked
            | Act::Tus
            | Act::TusWhole
            | Act::Dav
            | Act::Form
            | Act::Zip
            | Act::TusZip
            | Act::Import
            | Act::Delivery
            | Act::Grant => None,
            Act::Claim => self.fresh.is_none().then_some(Act::Put),
            Act::GrantEnd => (self.world.grants == 0).then_some(Act::Grant),
            Act::Restore | Act::Purge => self.world.trash.is_empty().then_some(Act::Trash),
            Act::VersionBack => self.world.versions.is_empty().then_some(Act::Replace),
            Act::MoveOver | Act::CopyOver => (self.plain().len() < 2).then_some(Act::Put),
            _ => self.plain().is_empty().then_some(Act::Put),
        }
    }

    /// Does it, with all that it needs. Whether it was acknowledged.
    pub(super) async fn act(&mut self, act: Act) -> bool {
        self.provide(act).await && self.act_alone(act).await
    }

    /// Makes an act possible. Whether it is.
    pub(super) async fn provide(&mut self, act: Act) -> bool {
        while let Some(before) = self.needs(act) {
            if !Box::pin(self.act(before)).await {
                return false;
            }
        }
        true
    }

    /// Does what is possible. Whether it was acknowledged.
    pub(super) async fn act_alone(&mut self, act: Act) -> bool {
        match self.prepare(act).await {
            Some(step) => self.perform(act, step).await,
            None => false,
        }
    }

    /// Everything but the request that counts. `None`: nobody is there any more.
    pub(super) async fn prepare(&mut self, act: Act) -> Option<Step> {
        let mut after = self.world.clone();
        let api = self.api.clone();
        let files = |path: &str| format!("files/{path}");
        let request = match act {
            Act::Put | Act::PutChunked | Act::Dav | Act::Form | Act::TusWhole | Act::Tus => {
                let path = self.new_path();
                if act == Act::Dav {
                    self.make_folder_of(&path).await?;
                }
                self.upload(act, &path, &mut after).await?
            }
            Act::Replace | Act::ReplaceByTus | Act::ReplaceByDav => {
                let path = self.plain().pop()?;
                after.keep_version(&path);
                let by = match act {
                    Act::Replace => Act::Put,
                    Act::ReplaceByTus => Act::Tus,
                    _ => Act::Dav,
                };
                self.upload(by, &path, &mut after).await?
            }
            Act::Move | Act::MoveByDav | Act::Copy => {
                let (from, to) = (self.plain().pop()?, self.new_path());
                after.files.insert(to.clone(), after.files[&from]);
                if act != Act::Copy {
                    after.files.remove(&from);
                }
                if act == Act::MoveByDav {
                    self.make_folder_of(&to).await?;
                    let to = to.replace(' ', "%20").replace('é', "%C3%A9");
                    let target = format!("/dav/{}/{to}", ADMIN.0);
                    api.dav("MOVE", &from).header("Destination", target)
                } else {
                    let wish = json!({ "to": to, "copy": act == Act::Copy });
                    api.request(Method::POST, &files(&from)).json(&wish)
                }
            }
            Act::MoveFolder => {
                let path = self.plain().pop()?;
                let (from, name) = path.rsplit_once('/')?;
                let to = self.new_path().rsplit_once('/')?.0.to_owned();
                let hash = after.files.remove(&path)?;
                after.files.insert(format!("{to}/{name}"), hash);
                api.request(Method::POST, &files(from)).json(&json!({ "to": to }))
            }
            Act::MoveOver | Act::CopyOver => {
                let (from, to) = (self.plain().pop()?, self.plain().swap_remove(0));
                after.keep_version(&to);
                after.files.insert(to.clone(), after.files[&from]);
                if act == Act::MoveOver {
                    after.files.remove(&from);
                }
                let wish = json!({ "to": to, "copy": act == Act::CopyOver, "replace": true });
                api.request(Method::POST, &files(&from)).json(&wish)
            }
            Act::Trash | Act::Remove => {
                let path = self.plain().pop()?;
                let hash = after.files.remove(&path)?;
                if act == Act::Trash {
                    after.trash.push((path.clone(), hash));
                    api.request(Method::DELETE, &files(&path))
                } else {
                    api.request(Method::DELETE, &format!("{}?forever=true", files(&path)))
                }
            }
            Act::Restore | Act::Purge => {
                let (path, hash) = after.trash.pop()?;
                let id = self.kept_id("trash", &path).await?;
                let address = format!("trash/{id}");
                if act == Act::Purge {
                    api.request(Method::DELETE, &address)
                } else {
                    after.files.insert(path, hash);
                    api.request(Method::POST, &address).json(&json!({}))
                }
            }
            Act::VersionBack => {
                let (path, hash) = after.versions.pop()?;
                let id = self.kept_id(&format!("versions?path={path}"), &path).await?;
                after.keep_version(&path);
                after.files.insert(path, hash);
                api.request(Method::POST, &format!("versions/{id}"))
            }
            Act::Claim => self.claim(&mut after).await?,
            Act::Zip | Act::TusZip | Act::Import | Act::Delivery => {
                self.brought(act, &mut after).await?
            }
            Act::Grant => {
                after.grants += 1;
                let gift = json!({ "bytes": GIFT, "reason": "a proof" });
                api.administer(Method::POST, &format!("users/{}/grants", ADMIN.0)).json(&gift)
            }
            Act::GrantEnd => {
                after.grants -= 1;
                let grants = api.administer(Method::GET, &format!("users/{}/grants", ADMIN.0));
                let grants = api.ask(grants).await.filter(super::api::Answer::is_success)?.json();
                let mut all = grants["items"].as_array().unwrap().iter();
                let active = all.find(|it| it["active"] == true).unwrap_or(&Value::Null);
                api.administer(Method::DELETE, &format!("grants/{}", active["id"].as_str()?))
            }
        };
        Some(Step { request, after })
    }

    pub(super) async fn perform(&mut self, act: Act, step: Step) -> bool {
        self.pending = Some(step.after);
        let Some(answer) = self.api.ask(step.request).await else { return false };
        // A disk without power makes these; then nothing was promised.
        if 500 <= answer.status {
            return false;
        }
        // It was the worker that was killed, and not the daemon: the archive could not be read.
        if act == Act::Zip && answer.json()["type"] == "unsupported_archive" {
            self.pending = None;
            return false;
        }
        assert!(answer.is_success(), "{act:?}: {} {}", answer.status, answer.text());
        let before = self.world.clone();
        let import = match act {
            Act::TusZip => Some(answer.header("tunelocker-import")),
            Act::Import => answer.json()["id"].as_str().map(str::to_owned),
            _ => None,
        };
        if act == Act::Delivery {
            assert_eq!(answer.json()["items"][0]["state"], "stored", "{}", answer.text());
            self.ordered = None;
        }
        if act == Act::Claim {
            let claimed = &answer.json()["claims"][0];
            match claimed["state"].as_str() {
                Some("claimed") => (),
                // A head without its body, or a disk that said no.
                None => return false,
                Some("refused") if claimed["status"].as_u64().is_some_and(|it| 500 <= it) => {
                    return false;
                }
                Some(other) => panic!("{other}: {claimed}"),
            }
        }
        self.world = self.pending.take().unwrap();
        if matches!(act, Act::Put | Act::Dav) {
            self.fresh = self.plain().pop();
        } else {
            self.fresh = None;
        }
        if matches!(act, Act::Tus | Act::ReplaceByTus) {
            self.begun.clear();
        }
        match import {
            // It was promised; whether it is done already, or at the next start, is judged then.
            Some(import) => match self.is_over(&import).await {
                Ended::Done => true,
                Ended::Unknown => false,
                Ended::Unreadable => {
                    self.world = before;
                    false
                }
            },
            None => true,
        }
    }

    /// The request that brings new bytes to a path. Of an upload by tus, all but its last half.
    async fn upload(&mut self, by: Act, path: &str, after: &mut World) -> Option<RequestBuilder> {
        let bytes = self.new_bytes();
        let hash = *blake3::hash(&bytes).as_bytes();
        after.files.insert(path.to_owned(), hash);
        self.sent.insert(hash, bytes.clone());
        let api = self.api.clone();
        let file = format!("files/{path}");
        Some(match by {
            Act::Put => api.request(Method::PUT, &file).body(bytes),
            Act::PutChunked => api.request(Method::PUT, &file).body(chunked(&bytes)),
            Act::Dav => api.dav("PUT", path).body(bytes),
            Act::Form => api.form(path, &bytes),
            Act::TusWhole => {
                api.tus_create(path, bytes.len()).header("Content-Type", OFFSET_STREAM).body(bytes)
            }
            _ => {
                let made = api.ask(api.tus_create(path, bytes.len())).await?;
                if !made.is_success() {
                    return None;
                }
                let (address, half) = (made.header("location"), bytes.len() / 2);
                let path = path.to_owned();
                let begun =
                    Begun { address: address.clone(), path, bytes: bytes.clone(), acknowledged: 0 };
                self.begun.push(begun);
                let stored = api.ask(api.tus_patch(&address, 0, &bytes[..half])).await?;
                if !stored.is_success() {
                    return None;
                }
                self.begun.last_mut()?.acknowledged = half;
                api.tus_patch(&address, half, &bytes[half..])
            }
        })
    }

    /// What comes in by others' hands: in an archive, from an address, from a shop.
    async fn brought(&mut self, act: Act, after: &mut World) -> Option<RequestBuilder> {
        let (path, bytes) = (self.new_path(), self.new_bytes());
        let hash = *blake3::hash(&bytes).as_bytes();
        after.files.insert(path.clone(), hash);
        let api = self.api.clone();
        Some(match act {
            Act::Zip => {
                let address = "files/pack.zip?unpack=true";
                api.request(Method::PUT, address).body(zip_of(&[(&path, &bytes)]))
            }
            Act::TusZip => {
                let pack = zip_of(&[(&path, &bytes)]);
                let made = api.ask(api.tus_archive(pack.len())).await?;
                let address = made.is_success().then(|| made.header("location"))?;
                api.tus_patch(&address, 0, &pack)
            }
            Act::Import => {
                let (folder, name) = path.rsplit_once('/')?;
                let url = self.shop.as_ref()?.show(name, bytes);
                let wish = json!({ "url": url, "folder": folder });
                api.request(Method::POST, "imports").json(&wish)
            }
            _ => {
                let made = api.ask(api.tus_part(bytes.len())).await?;
                let address = made.is_success().then(|| made.header("location"))?;
                let sent = api.ask(api.tus_patch(&address, 0, &bytes)).await?;
                if !sent.is_success() {
                    return None;
                }
                self.seed += 1;
                let order = json!({
                    "user": ADMIN.0, "order": self.seed.to_string(), "exempt": null,
                    "items": [{ "upload": address, "path": path }],
                });
                self.ordered = Some((order.clone(), path, hash));
                self.shop.as_ref()?.order(&api, &order)
            }
        })
    }

    /// Waits for the end of an import, unless somebody dies before.
    async fn is_over(&self, import: &str) -> Ended {
        loop {
            let look = self.api.request(Method::GET, &format!("imports/{import}"));
            let Some(answer) = self.api.ask(look).await.filter(super::api::Answer::is_success)
            else {
                return Ended::Unknown;
            };
            let state = answer.json();
            if state["over"] == true {
                if state["problem"]["type"] == "unsupported_archive" {
                    return Ended::Unreadable;
                }
                assert_eq!(state["state"], "done", "{state}");
                return Ended::Done;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    /// What was sent a moment ago, at another path without sending it.
    async fn claim(&mut self, after: &mut World) -> Option<RequestBuilder> {
        let hash = self.world.files[self.fresh.as_ref()?];
        let (path, bytes) = (self.new_path(), &self.sent[&hash]);
        let hex = |bytes: &[u8]| blake3::hash(bytes).to_hex().to_string();
        let quick = hex(&bytes[..bytes.len().min(65_536)]);
        let item = json!({ "hash": hex(bytes), "quick": quick, "size": bytes.len(), "path": path });
        let wish = self.api.request(Method::POST, "match").json(&json!({ "items": [item] }));
        let standing = self.api.ask(wish).await?.json()["items"][0].clone();
        let mut key = [0; 32];
        hex::decode_to_slice(standing["key"].as_str()?, &mut key).ok()?;
        let proof = blake3::keyed_hash(&key, bytes).to_hex().to_string();
        after.files.insert(path, hash);
        let claims = json!({ "claims": [{ "claim": standing["claim"], "proof": proof }] });
        Some(self.api.request(Method::POST, "claims").json(&claims))
    }

    async fn kept_id(&self, shelf: &str, path: &str) -> Option<String> {
        let answer = self.api.ask(self.api.request(Method::GET, shelf)).await?;
        let all = answer.json()["items"].as_array()?.clone();
        let found = all.iter().find(|it| it["path"] == path);
        assert!(found.is_some() || !answer.is_success(), "{shelf}: {path} is not among {all:?}");
        Some(found?["id"].as_str()?.to_owned())
    }

    /// `WebDAV` wants it to be there.
    async fn make_folder_of(&self, path: &str) -> Option<()> {
        let folder = path.rsplit_once('/')?.0;
        let made = self.api.request(Method::PUT, &format!("files/{folder}/"));
        self.api.ask(made).await.filter(super::api::Answer::is_success).map(drop)
    }

    /// Files without versions.
    fn plain(&self) -> Vec<String> {
        let has_past = |path: &&String| self.world.versions.iter().any(|it| it.0 == **path);
        self.world.files.keys().filter(|path| !has_past(path)).cloned().collect()
    }

    fn new_path(&mut self) -> String {
        self.seed += 1;
        let number = self.seed & 0xffff_ffff;
        format!("{}/at {number:04}/{number:04} é.bin", self.folder)
    }

    fn new_bytes(&mut self) -> Vec<u8> {
        self.seed += 1;
        let size = usize::try_from(self.seed * 7_919 % 900 + 100).unwrap() * self.most / 1_000;
        bytes(self.seed, size)
    }

    /// The name in staging of the upload by tus that was begun last.
    pub(super) fn staged(&self) -> Option<String> {
        let id = self.begun.last()?.address.rsplit('/').next()?;
        Some(format!("up-{id}"))
    }

    /// After a start: which of the worlds it is that the disk shows, or what is wrong.
    pub(super) fn settle(&mut self, seen: &Seen, quota: Option<u64>) -> Result<(), String> {
        let own = |path: &str| path.starts_with(&format!("{}/", self.folder));
        let shelf = |shelf: &[(String, Hash)]| {
            let mut kept: Vec<_> = shelf.iter().filter(|it| own(&it.0)).cloned().collect();
            kept.sort();
            kept
        };
        let files = seen.files.iter().filter(|it| own(it.0));
        let files: BTreeMap<String, Hash> = files.map(|(path, it)| (path.clone(), it.0)).collect();
        let (trash, versions) = (shelf(&seen.trash), shelf(&seen.versions));
        let is = |world: &&World| {
            let sorted = |shelf: &[(String, Hash)]| {
                let mut kept = shelf.to_vec();
                kept.sort();
                kept
            };
            world.files == files
                && sorted(&world.trash) == trash
                && sorted(&world.versions) == versions
                && quota.is_none_or(|quota| world.grants * GIFT == quota)
        };
        let pending = self.pending.take();
        let found = [Some(&self.world), pending.as_ref()].into_iter().flatten().find(is).cloned();
        if let Some(found) = found {
            self.world = found;
            self.fresh = None;
            return Ok(());
        }
        let there = World { files, trash, versions, grants: quota.unwrap_or(0) / GIFT };
        let mut text = format!("{} is neither as acknowledged", self.folder);
        text.push_str(&self.world.told_from(&there));
        if let Some(pending) = pending {
            text = format!(
                "{text}\nnor as it would be after what was asked{}",
                pending.told_from(&there)
            );
        }
        Err(text)
    }

    /// After a start: uploads that were begun go on where they were, at or behind what was
    /// acknowledged.
    pub(super) async fn resume(&mut self) -> Result<(), String> {
        // A shop that heard nothing sends its order again; that brings what is missing, once.
        if let Some((order, path, hash)) = self.ordered.take() {
            let shop = self.shop.as_ref().ok_or("there is no shop")?;
            let answer = self.api.ask(shop.order(&self.api, &order)).await;
            let answer = answer.ok_or("nobody is there")?;
            let told = answer.json();
            if told["items"][0]["state"] != "stored" || told["items"][0]["path"] != path.as_str() {
                return Err(format!("the order of {path} is not carried out: {told}"));
            }
            self.world.files.insert(path, hash);
        }
        for begun in std::mem::take(&mut self.begun) {
            let Begun { address, path, bytes, acknowledged } = begun;
            let head = self.api.ask(self.api.tus(Method::HEAD, &address)).await;
            let head = head.ok_or("nobody is there")?;
            let offset: Option<usize> = head.header("upload-offset").parse().ok();
            let Some(offset) = offset.filter(|offset| acknowledged <= *offset) else {
                return Err(format!(
                    "{path}: {acknowledged} bytes were acknowledged, and the upload stands at {offset:?} ({})",
                    head.status
                ));
            };
            let hash = *blake3::hash(&bytes).as_bytes();
            if offset < bytes.len() {
                let sent = self.api.ask(self.api.tus_patch(&address, offset, &bytes[offset..]));
                let sent = sent.await.ok_or("nobody is there")?;
                if !sent.is_success() {
                    return Err(format!("{path} does not go on: {}", sent.text()));
                }
                if self.world.files.contains_key(&path) {
                    self.world.keep_version(&path);
                }
                self.world.files.insert(path, hash);
            } else if self.world.files.get(&path) != Some(&hash) {
                return Err(format!("{path} is whole and not published"));
            }
        }
        Ok(())
    }
}
