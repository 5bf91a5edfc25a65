//! What comes to a full disk by other ways than as one file of its own: in archives, in parts, from
//! addresses, from a shop, by claims that have to copy, and by copying.

use std::{
    fs::File,
    path::{Path, PathBuf},
    time::Duration,
};

use reqwest::Method;
use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};
use serde_json::json;

use super::{
    super::{api::Answer, bytes},
    Cellar, FITS, TOO_MUCH,
};
use crate::{
    drive::archives::{tar_of, zip_of},
    harness::music,
};

/// Nothing, or why not in the way's own words.
type Told = Result<(), String>;

/// Where the bytes are that somebody wants once more.
pub(super) struct Sources {
    /// A watched folder on another disk, whose blocks cannot be shared.
    library: PathBuf,
    /// Parts that are whole and not joined.
    parts: Vec<String>,
    /// One that a shop may name.
    goods: String,
}

impl Sources {
    /// A watched folder with a song that is too much and one that fits.
    pub(super) fn beside(home: &Path) -> Self {
        let library = home.join("library");
        for (size, seconds) in [(TOO_MUCH, 36.0), (FITS, 12.0)] {
            let song = music::wav(&library, &claimed(size), seconds);
            assert!(size <= song.metadata().unwrap().len() as usize, "{seconds} s for {size}");
        }
        Self { library, parts: Vec::new(), goods: String::new() }
    }

    /// What the configuration has to say of them.
    pub(super) fn said(&self) -> String {
        format!("[libraries]\nMusic = '{}'\n", self.library.display())
    }
}

fn claimed(size: usize) -> String {
    format!("claimed {size}.wav")
}

/// What an answer tells: of a list of files, whether all of them were taken.
fn judged(answer: &Answer) -> Told {
    let is_taken = answer.is_success() && answer.json()["refused"].as_u64().unwrap_or(0) == 0;
    if is_taken { Ok(()) } else { Err(format!("{} {}", answer.status, answer.text())) }
}

impl Cellar {
    /// What copies, joins and orders are made of.
    pub(super) async fn provide_sources(&mut self) {
        let api = &self.api;
        for size in [TOO_MUCH, FITS] {
            let path = format!("copies/{size}.bin");
            let file = api.request(Method::PUT, &format!("files/{path}"));
            api.must(file.body(bytes(size as u64, size))).await;
            // Nobody may give it another name, so whoever wants it twice needs its bytes twice.
            let file = File::open(self.folders.drive.join("lockers/root").join(path)).unwrap();
            let flags = ioctl_getflags(&file).unwrap();
            ioctl_setflags(&file, flags | IFlags::IMMUTABLE).unwrap();
        }
        let mut parts = Vec::new();
        for seed in [31, 32, 33] {
            let bytes = bytes(seed, TOO_MUCH / 2);
            let part = api.must(api.tus_part(bytes.len())).await.header("location");
            api.must(api.tus_patch(&part, 0, &bytes)).await;
            parts.push(part);
        }
        self.sources.goods = parts.pop().unwrap();
        self.sources.parts = parts;
        while !api.folder().await.unwrap()["scannedAt"].is_i64() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Brings so many bytes by every way.
    pub(super) async fn brought(&self, size: usize) -> Vec<(&'static str, Told)> {
        let (api, bytes) = (&self.api, bytes(4, size));
        let ask = async |request| judged(&api.ask(request).await.expect("an answer"));
        let zip = api.request(Method::PUT, "files/keep/pack.zip?unpack=true");
        let zip = zip.body(zip_of(&[("zip.bin", &bytes)]));
        let tar = api.request(Method::POST, "files/keep/?unpack=true");
        let tar = tar.body(tar_of(&[("tar.bin", &bytes)]).into_inner().unwrap());
        let from = format!("copies/{size}.bin");
        let copy = json!({ "to": "keep/copy.bin", "copy": true });
        let copy = api.request(Method::POST, &format!("files/{from}")).json(&copy);
        let dav = api.dav("COPY", &from).header("Destination", api.dav_url("keep/davcopy.bin"));
        vec![
            ("zip by PUT", ask(zip).await),
            ("tar by POST", ask(tar).await),
            ("archive by tus", self.archive_by_tus(&bytes).await),
            ("parts by tus", self.parts_by_tus(&bytes).await),
            ("joined by tus", ask(api.tus_join(&self.sources.parts, "keep/joined.bin")).await),
            ("import", self.import("import.bin", bytes.clone()).await),
            ("import of a zip", self.import("pack.zip", zip_of(&[("far.bin", &bytes)])).await),
            ("delivery", self.delivery(size).await),
            ("claim", self.claim(size).await),
            ("copy", ask(copy).await),
            ("copy by WebDAV", ask(dav).await),
        ]
    }

    async fn archive_by_tus(&self, bytes: &[u8]) -> Told {
        let api = &self.api;
        let pack = zip_of(&[("keep/tuszip.bin", bytes)]);
        let made = api.ask(api.tus_archive(pack.len())).await.expect("an answer");
        judged(&made)?;
        let sent = api.ask(api.tus_patch(&made.header("location"), 0, &pack)).await.unwrap();
        judged(&sent)?;
        self.until_over(&sent.header("tunelocker-import")).await
    }

    async fn parts_by_tus(&self, bytes: &[u8]) -> Told {
        let (api, mut parts) = (&self.api, Vec::new());
        let sent = async {
            for part in bytes.chunks(bytes.len() / 2) {
                let made = api.ask(api.tus_part(part.len())).await.expect("an answer");
                judged(&made)?;
                parts.push(made.header("location"));
                let sent = api.tus_patch(&parts[parts.len() - 1], 0, part);
                judged(&api.ask(sent).await.expect("an answer"))?;
            }
            judged(&api.ask(api.tus_join(&parts, "keep/parts.bin")).await.expect("an answer"))
        };
        let told = sent.await;
        if told.is_err() {
            // A client that gives up says so.
            for part in parts {
                api.must(api.tus(Method::DELETE, &part)).await;
            }
        }
        told
    }

    async fn import(&self, name: &str, bytes: Vec<u8>) -> Told {
        let api = &self.api;
        let wish = json!({ "url": self.shop.show(name, bytes), "folder": "keep" });
        let begun = api.ask(api.request(Method::POST, "imports").json(&wish)).await.unwrap();
        judged(&begun)?;
        self.until_over(begun.json()["id"].as_str().unwrap()).await
    }

    /// How an import ended.
    async fn until_over(&self, import: &str) -> Told {
        let (api, look) = (&self.api, format!("imports/{import}"));
        loop {
            let answer = api.must(api.request(Method::GET, &look)).await;
            let state = answer.json();
            if state["over"] == true {
                let is_done = state["state"] == "done" && state["refused"] == 0;
                return if is_done { Ok(()) } else { Err(answer.text()) };
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The same order each time it is asked for.
    async fn delivery(&self, size: usize) -> Told {
        let url = self.shop.show("bought.bin", bytes(5, size));
        let path = format!("keep/bought {size}.bin");
        self.order(&size.to_string(), json!({ "url": url, "path": path })).await
    }

    async fn order(&self, number: &str, item: serde_json::Value) -> Told {
        let order = json!({ "user": "root", "order": number, "exempt": null, "items": [item] });
        let told = self.shop.until_delivered(&self.api, &order).await.expect("an answer");
        let is_stored = told["items"][0]["state"] == "stored";
        if is_stored { Ok(()) } else { Err(told.to_string()) }
    }

    /// Claims what lies in the watched folder, whose bytes have to be copied.
    async fn claim(&self, size: usize) -> Told {
        let song = std::fs::read(self.sources.library.join(claimed(size))).unwrap();
        let claim = self.api.claim("keep/claimed.wav", &song).await.expect("something to claim");
        let answer = self.api.ask(claim).await.expect("an answer");
        let is_claimed = answer.json()["claims"][0]["state"] == "claimed";
        if is_claimed { Ok(()) } else { Err(answer.text()) }
    }

    /// The room of what a shop sent before was taken then.
    pub(super) async fn assert_hands_over(&self) {
        let item = json!({ "upload": self.sources.goods, "path": "goods.bin" });
        assert_eq!(self.order("goods", item).await, Ok(()));
        let back = self.api.must(self.api.request(Method::GET, "files/goods.bin")).await;
        assert_eq!(back.bytes(), bytes(33, TOO_MUCH / 2));
    }

    /// The order that failed is carried out when it comes once more.
    pub(super) async fn assert_order_goes_on(&self) {
        assert_eq!(self.delivery(TOO_MUCH).await, Ok(()));
    }
}
