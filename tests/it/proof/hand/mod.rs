//! Somebody at work in a folder of his own, who knows what he was told and what not: the world as
//! it must be, and, while an answer is missing, the world as it may be instead.

mod act;
mod after;
mod between;
mod lent;
mod own;
mod perform;
mod ways;

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
};

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

pub(super) use self::act::Act;
use self::between::{HOUSE, SHARED};
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

/// An upload by tus that was begun.
struct Begun {
    address: String,
    path: String,
    bytes: Vec<u8>,
    /// Of these the daemon said that it has them.
    acknowledged: usize,
}

/// Parts that are to be joined.
struct Joining {
    path: String,
    parts: Vec<Begun>,
}

/// How an import ended.
#[derive(PartialEq, Eq)]
enum Ended {
    Done,
    /// Nobody is there to say it.
    Unknown,
    /// The worker was killed over its archive.
    Unreadable,
    /// The disk failed under it; what came of it may be there or not.
    Failed,
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
    joining: Option<Joining>,
    /// Where the lockers lie, to see when somebody's is gone.
    pub(super) drive: PathBuf,
    /// Who is about to go.
    goer: String,
    /// The id of a folder that another shares.
    pub(super) shared: String,
    pub(super) shop: Option<Shop>,
    /// An order that nobody said of that it is done.
    ordered: Option<(Value, String, Hash)>,
    /// An import that nobody said of that it is over, and what was there before it.
    importing: Option<(String, World)>,
    /// What was sent, to be held once more for a claim.
    sent: HashMap<Hash, Vec<u8>>,
    /// Files with a whole past, by no crash.
    fresh: Option<String>,
    /// What lies in the watched folder for him to point at.
    pub(super) songs: Vec<Vec<u8>>,
    /// How often he came to point at something.
    pub(super) pointed: usize,
    seed: u64,
    most: usize,
    /// What he did last, for whoever reads what is wrong.
    last: Option<Act>,
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
            joining: None,
            drive: PathBuf::new(),
            goer: String::new(),
            shared: String::new(),
            shop: None,
            ordered: None,
            importing: None,
            sent: HashMap::new(),
            fresh: None,
            songs: Vec::new(),
            pointed: 0,
            seed: number << 32,
            most,
            last: None,
        }
    }

    /// What must be there for an act to be possible.
    pub(super) fn needs(&self, act: Act) -> Option<Act> {
        match act {
            Act::Put
            | Act::PutChunked
            | Act::Tus
            | Act::TusWhole
            | Act::TusDeferred
            | Act::TusJoin
            | Act::Dav
            | Act::Form
            | Act::Zip
            | Act::TusZip
            | Act::Import
            | Act::ImportZip
            | Act::ImportList
            | Act::Delivery
            | Act::DeliveryByUrl
            | Act::PutInHouse
            | Act::PutInShared
            | Act::RemoveUser
            | Act::RemoveUserAndFiles
            | Act::Refer
            | Act::Grant => None,
            Act::Claim => self.fresh.is_none().then_some(Act::Put),
            Act::GrantEnd => (self.world.grants == 0).then_some(Act::Grant),
            Act::Restore | Act::Purge | Act::EmptyTrash => {
                let is_empty = self.world.trash.iter().all(|it| it.0.contains(':'));
                is_empty.then_some(Act::Trash)
            }
            Act::MoveFromHouse | Act::TrashInHouse => {
                self.there(HOUSE).is_none().then_some(Act::PutInHouse)
            }
            Act::MoveFromShared => self.there(SHARED).is_none().then_some(Act::PutInShared),
            Act::VersionBack => self.world.replaced().is_none().then_some(Act::Replace),
            Act::MoveOver | Act::CopyOver => (self.plain().len() < 2).then_some(self.base()),
            _ => self.plain().is_empty().then_some(self.base()),
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
        self.last = Some(act);
        let mut after = self.world.clone();
        let api = self.api.clone();
        let files = |path: &str| format!("files/{path}");
        let request = match act {
            Act::Put
            | Act::PutChunked
            | Act::Dav
            | Act::Form
            | Act::TusWhole
            | Act::TusDeferred
            | Act::TusJoin
            | Act::Tus => {
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
            Act::Move | Act::MoveByDav | Act::Copy | Act::CopyByDav => {
                let (from, to) = (self.plain().pop()?, self.new_path());
                after.files.insert(to.clone(), after.files[&from]);
                if !matches!(act, Act::Copy | Act::CopyByDav) {
                    after.files.remove(&from);
                }
                if matches!(act, Act::MoveByDav | Act::CopyByDav) {
                    self.make_folder_of(&to).await?;
                    let to = to.replace(' ', "%20").replace('é', "%C3%A9");
                    let target = format!("/dav/{}/{to}", ADMIN.0);
                    let method = if act == Act::CopyByDav { "COPY" } else { "MOVE" };
                    api.dav(method, &from).header("Destination", target)
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
                after.move_all(&format!("{from}/"), &format!("{to}/"));
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
            Act::MoveOverTwin | Act::CopyOverTwin => {
                let (from, to) = (self.plain().pop()?, self.new_path());
                let wish = json!({ "to": to, "copy": true });
                after.files.insert(to.clone(), after.files[&from]);
                self.pending = Some(after.clone());
                let copied = api.ask(api.request(Method::POST, &files(&from)).json(&wish)).await?;
                if !copied.is_success() {
                    return None;
                }
                self.world = self.pending.take()?;
                after.keep_version(&to);
                if act == Act::MoveOverTwin {
                    after.files.remove(&from);
                }
                let wish = json!({ "to": to, "copy": act == Act::CopyOverTwin, "replace": true });
                api.request(Method::POST, &files(&from)).json(&wish)
            }
            Act::Trash | Act::TrashByDav | Act::Remove => {
                let path = self.plain().pop()?;
                let hash = after.files.remove(&path)?;
                if act != Act::Remove {
                    after.trash.push((path.clone(), hash));
                }
                if act == Act::Trash {
                    api.request(Method::DELETE, &files(&path))
                } else if act == Act::TrashByDav {
                    api.dav("DELETE", &path)
                } else {
                    api.request(Method::DELETE, &format!("{}?forever=true", files(&path)))
                }
            }
            Act::EmptyTrash => {
                after.trash.retain(|it| it.0.contains(':'));
                api.request(Method::DELETE, "trash")
            }
            Act::TakeDown => {
                let hash = after.files[&self.plain().pop()?];
                after.files.retain(|_, it| *it != hash);
                after.trash.retain(|it| it.1 != hash);
                after.versions.retain(|it| it.1 != hash);
                let address = format!("contents/{}?reason=proof", hex::encode(hash));
                api.administer(Method::DELETE, &address)
            }
            Act::PutInHouse
            | Act::MoveToHouse
            | Act::CopyToHouse
            | Act::MoveFromHouse
            | Act::TrashInHouse
            | Act::PutInShared
            | Act::MoveToShared
            | Act::CopyToShared
            | Act::MoveFromShared => self.between(act, &mut after)?,
            Act::RemoveUser | Act::RemoveUserAndFiles => {
                self.somebody_goes(act, &mut after).await?
            }
            Act::Restore | Act::Purge => {
                let (path, hash) = Self::trashed(&mut after)?;
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
                let (path, hash) = after.versions.remove(after.replaced()?);
                let id = self.kept_id(&format!("versions?path={path}"), &path).await?;
                after.keep_version(&path);
                after.files.insert(path, hash);
                api.request(Method::POST, &format!("versions/{id}"))
            }
            Act::Claim => self.claim(&mut after).await?,
            Act::Refer => self.refer(&mut after).await?,
            Act::Recall => api.lends(false).await?,
            Act::Zip
            | Act::TusZip
            | Act::Import
            | Act::ImportZip
            | Act::ImportList
            | Act::Delivery
            | Act::DeliveryByUrl => self.brought(act, &mut after).await?,
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
}
