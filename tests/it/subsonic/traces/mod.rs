//! What seven apps really send, in their order, form and manner of signing in: syncing, playing,
//! seeking, scrobbling what was heard offline, and handing the queue over to another device. Written
//! from what is known of each app; no app was run.

mod by_json;
mod by_xml;

use std::collections::BTreeSet;

use md5::Digest as _;
use reqwest::{RequestBuilder, header};
use serde_json::Value;

use super::{House, names};

/// How an app signs in.
#[derive(Clone, Copy)]
enum Auth {
    /// `p=enc:` and hex.
    Hex,
    /// `t` and `s`.
    Token(&'static str),
    /// `apiKey`.
    Key,
}

/// An app as its traces know it.
struct Client<'a> {
    house: &'a House,
    name: &'static str,
    version: &'static str,
    form: &'static str,
    suffix: &'static str,
    auth: Auth,
}

impl Client<'_> {
    /// Everything that stands in each of its queries.
    fn common(&self) -> String {
        let secret = &self.house.ann.secret;
        let who = match self.auth {
            Auth::Hex => format!("u=ann&p=enc:{}", hex::encode(secret)),
            Auth::Token(salt) => {
                let token = hex::encode(md5::Md5::digest(format!("{secret}{salt}")));
                format!("u=ann&t={token}&s={salt}")
            }
            Auth::Key => format!("apiKey={secret}"),
        };
        format!("{who}&v={}&c={}&f={}", self.version, self.name, self.form)
    }

    /// A request of a method, not sent yet.
    fn request(&self, method: &str, query: &str) -> RequestBuilder {
        let (base, suffix, common) = (&self.house.ann.base, self.suffix, self.common());
        let request =
            reqwest::Client::new().get(format!("{base}{method}{suffix}?{common}&{query}"));
        // Some send an old header beside it, which must not matter.
        request.header(header::AUTHORIZATION, "Basic YW5uOndyb25n")
    }

    async fn bytes(&self, method: &str, query: &str) -> Vec<u8> {
        let answer = self.request(method, query).send().await.unwrap();
        assert!(answer.status().is_success(), "{} {method} {query}", self.name);
        answer.bytes().await.unwrap().to_vec()
    }

    async fn text(&self, method: &str, query: &str) -> String {
        String::from_utf8(self.bytes(method, query).await).unwrap()
    }

    /// The payload under `name` of an app that reads JSON.
    async fn json(&self, method: &str, query: &str, name: &str) -> Value {
        let text = self.text(method, query).await;
        let whole: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
        let envelope = &whole["subsonic-response"];
        assert_eq!(envelope["status"], "ok", "{} {method} {query}: {text}", self.name);
        envelope[name].clone()
    }

    /// The envelope of an app that reads XML.
    async fn xml(&self, method: &str, query: &str) -> Node {
        let text = self.text(method, query).await;
        let envelope = Node::read(&text);
        assert_eq!(envelope.get("status"), "ok", "{} {method} {query}: {text}", self.name);
        envelope
    }

    /// What is heard: the bytes of the file, from the start and from somewhere inside.
    async fn plays(&self, id: &str, path: &str) {
        let truth = std::fs::read(self.house.music.join(path)).unwrap();
        assert!(self.bytes("stream", &format!("id={id}")).await == truth, "{}", self.name);
        let middle = truth.len() / 2;
        let range = format!("bytes={middle}-");
        let part = self.request("stream", &format!("id={id}")).header(header::RANGE, range);
        let part = part.send().await.unwrap();
        assert_eq!(part.status(), 206, "{}", self.name);
        assert!(part.bytes().await.unwrap() == truth[middle..], "{}", self.name);
    }

    /// What was heard offline comes late, in one batch, and again because the answer got lost.
    async fn scrobbles_offline(&self, ids: &[String]) {
        let ann = &self.house.ann;
        let count = async |id: &str| {
            ann.ok("getSong", &format!("id={id}")).await["song"]["playCount"].as_u64().unwrap()
        };
        let mut before = Vec::new();
        for id in ids {
            before.push(count(id).await);
        }
        let pairs: Vec<String> = ids
            .iter()
            .enumerate()
            .map(|(at, id)| format!("id={id}&time={}", 1_700_000_000_000_u64 + at as u64 * 180_000))
            .collect();
        let batch = format!("{}&submission=true", pairs.join("&"));
        for _ in 0..2 {
            assert!(self.text("scrobble", &batch).await.contains("ok"), "{}", self.name);
        }
        for (id, before) in ids.iter().zip(before) {
            assert_eq!(count(id).await, before + 1, "{} {id}", self.name);
        }
    }

    /// A playlist made, put in another order by writing it anew, changed by places, and taken away.
    async fn keeps_a_playlist(&self) {
        let ann = &self.house.ann;
        let [one, two, three] = [
            ann.id("song", "All I Want").await,
            ann.id("song", "My Old Man").await,
            ann.id("song", "Little Green").await,
        ];
        let of = format!("Of{}", self.name);
        let told = async |method: &str, query: &str| {
            assert!(self.text(method, query).await.contains("ok"), "{} {method}", self.name);
        };
        told("createPlaylist", &format!("name={of}&songId={one}&songId={two}")).await;
        let lists = ann.ok("getPlaylists", "").await["playlists"]["playlist"].clone();
        let mut lists = lists.as_array().unwrap().iter();
        let list = lists.find(|list| list["name"] == of.as_str()).unwrap();
        let id = list["id"].as_str().unwrap();
        told("createPlaylist", &format!("playlistId={id}&songId={two}&songId={one}")).await;
        let change = format!("playlistId={id}&songIndexToRemove=0&songIdToAdd={three}");
        told("updatePlaylist", &change).await;
        let kept = ann.ok("getPlaylist", &format!("id={id}")).await["playlist"]["entry"].clone();
        assert_eq!(ids(&kept), [one, three], "{}", self.name);
        told("deletePlaylist", &format!("id={id}")).await;
        assert_eq!(ann.refused("getPlaylist", &format!("id={id}")).await, 70);
    }

    /// A position in a transcode is reached by beginning later.
    async fn seeks_transcoded(&self, id: &str) {
        let at = |more: &str| format!("id={id}&format=mp3&maxBitRate=128{more}");
        let whole = self.bytes("stream", &at("")).await;
        let later = self.bytes("stream", &at("&timeOffset=1")).await;
        assert!(later.len() < whole.len(), "{}: {} of {}", self.name, later.len(), whole.len());
    }
}

/// An element of an answer.
#[derive(Debug, Default)]
struct Node {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
    children: Vec<Node>,
}

impl Node {
    fn read(text: &str) -> Self {
        use quick_xml::{Reader, events::Event};
        let mut reader = Reader::from_str(text);
        let mut open = vec![Self::default()];
        let node = |tag: &quick_xml::events::BytesStart<'_>| Self {
            name: tag.name().as_ref().to_owned(),
            attributes: tag
                .attributes()
                .map(|attribute| {
                    let attribute = attribute.unwrap();
                    let value = quick_xml::escape::unescape(&attribute.value).unwrap().into_owned();
                    (attribute.key.as_ref().to_owned(), value)
                })
                .collect(),
            ..Self::default()
        };
        loop {
            match reader.read_event().unwrap() {
                Event::Start(tag) => open.push(node(&tag)),
                Event::Empty(tag) => open.last_mut().unwrap().children.push(node(&tag)),
                Event::Text(part) => open.last_mut().unwrap().text.push_str(&part.into_inner()),
                Event::End(_) => {
                    let done = open.pop().unwrap();
                    open.last_mut().unwrap().children.push(done);
                }
                Event::Eof => return open.pop().unwrap().children.pop().unwrap(),
                _ => (),
            }
        }
    }

    /// An attribute; "" if it is not there.
    fn get(&self, name: &str) -> &str {
        self.attributes.iter().find(|(is, _)| is == name).map_or("", |(_, value)| value)
    }

    /// The first child of a name.
    fn child(&self, name: &str) -> &Self {
        self.children
            .iter()
            .find(|child| child.name == name)
            .unwrap_or_else(|| panic!("no {name}: {self:?}"))
    }

    /// All children of a name.
    fn all(&self, name: &str) -> Vec<&Self> {
        self.children.iter().filter(|child| child.name == name).collect()
    }
}

/// Every song of the drawn library once, whatever way they were found.
fn is_whole(ids: &[String]) {
    let unique: BTreeSet<&String> = ids.iter().collect();
    assert_eq!((ids.len(), unique.len()), (9, 9), "{ids:?}");
}

/// The ids of a list.
fn ids(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// The queue as another device reads it.
async fn queue_elsewhere(house: &House, expected: &[&str], current: &str, position: i64) {
    let queue = house.ann.ok("getPlayQueue", "").await["playQueue"].clone();
    assert_eq!(names(&queue["entry"]), expected);
    assert_eq!((&queue["current"], &queue["position"]), (&current.into(), &position.into()));
}
