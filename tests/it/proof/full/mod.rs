//! A disk that is really full: what adds bytes is refused with the cause, all else goes on, and
//! room that is made is room.

mod brought;
mod database;

use std::{fs, time::Duration};

use reqwest::Method;
use rustix::fs::{FallocateFlags, fallocate};
use serde_json::json;

use self::brought::Sources;
use super::{
    api::{Answer, Api, OFFSET_STREAM, chunked},
    bytes,
    seen::Seen,
    shop::Shop,
    volume::{Volume, fill},
};
use crate::harness::{
    daemon::{ADMIN, Daemon, Folders, folders},
    music,
};

/// What no disk here has room for.
const TOO_MUCH: usize = 3_000_000;

/// What every disk here has room for, once some was made.
const FITS: usize = 1_000_000;

struct Cellar {
    // It ends before its disk does.
    _daemon: Daemon,
    _home: tempfile::TempDir,
    volume: Volume,
    folders: Folders,
    api: Api,
    shop: Shop,
    sources: Sources,
}

impl Cellar {
    /// Over a disk of so many bytes, the database on another.
    async fn new(disk: u64) -> Self {
        Self::over(Volume::new(disk), false).await
    }

    /// Over the only disk.
    async fn with_database(disk: u64) -> Self {
        Self::over(Volume::new(disk), true).await
    }

    async fn over(volume: Volume, with_database: bool) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut folders = folders(home.path());
        folders.drive = volume.path().join("drive");
        if with_database {
            folders.data = volume.path().join("data");
            fs::create_dir(&folders.data).unwrap();
        }
        let shop = Shop::open().await;
        let sources = Sources::beside(home.path());
        let said = shop.allowed() + &sources.said();
        fs::write(folders.data.join("tunelocker.toml"), said).unwrap();
        let daemon = Daemon::start(&folders);
        let api = Api::new(&daemon, &folders.app_password());
        let shop = shop.trusted_by(&api).await;
        Self { _home: home, volume, folders, api, shop, sources, _daemon: daemon }
    }

    /// A track that can be heard, some files, and an upload that is half done.
    async fn furnish(&mut self) -> (String, Vec<u8>) {
        self.provide_sources().await;
        let api = &self.api;
        let sound = tempfile::tempdir().unwrap();
        music::wav(sound.path(), "song.wav", 2.0);
        let song = fs::read(sound.path().join("song.wav")).unwrap();
        api.must(api.request(Method::PUT, "files/keep/song.wav").body(song)).await;
        for name in ["one", "two", "three"] {
            let file = format!("files/keep/{name}.bin");
            api.must(api.request(Method::PUT, &file).body(bytes(1, 500_000))).await;
        }
        let half = bytes(2, 800_000);
        let made = api.must(api.tus_create("keep/half.bin", half.len())).await;
        let address = made.header("location");
        api.must(api.tus_patch(&address, 0, &half[..400_000])).await;
        (address, half)
    }

    /// The track's id, as soon as it can be heard.
    async fn track(&self) -> String {
        for _ in 0..600 {
            let tracks = self.api.must(self.api.request(Method::GET, "tracks")).await.json();
            let all = tracks["items"].as_array().unwrap();
            // Those of the watched folder are there besides.
            if let Some(song) = all.iter().find(|one| one["title"] == "song") {
                return song["id"].as_str().unwrap().to_owned();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the track never came");
    }

    /// Uploads by every way.
    async fn uploads(&self, size: usize) -> Vec<(&'static str, Answer)> {
        let (api, bytes) = (&self.api, bytes(3, size));
        let new = |name: &str| format!("files/keep/{name}.bin");
        let put = |name| api.request(Method::PUT, &new(name));
        let requests = [
            ("PUT", put("put").body(bytes.clone())),
            ("PUT chunked", put("chunked").body(chunked(&bytes))),
            ("PUT over a file", put("one").body(bytes.clone())),
            ("form", api.form("keep/form.bin", &bytes)),
            ("WebDAV", api.dav("PUT", "keep/dav.bin").body(bytes.clone())),
            ("WebDAV chunked", api.dav("PUT", "keep/davc.bin").body(chunked(&bytes))),
            ("tus", api.tus_create("keep/tus.bin", size)),
            (
                "tus with its bytes",
                api.tus_create("keep/tusw.bin", size)
                    .header("Content-Type", OFFSET_STREAM)
                    .body(bytes.clone()),
            ),
        ];
        let mut answers = Vec::new();
        for (way, request) in requests {
            answers
                .push((way, api.ask(request).await.unwrap_or_else(|| panic!("{way}: no answer"))));
        }
        answers
    }

    async fn assert_full(&self) {
        for (way, answer) in self.uploads(TOO_MUCH).await {
            assert_eq!(answer.status, 507, "{way}: {}", answer.text());
            if way.starts_with("WebDAV") {
                assert!(
                    answer.text().contains("sufficient-disk-space"),
                    "{way}: {}",
                    answer.text()
                );
            } else {
                assert!(answer.text().contains("\"disk_full\""), "{way}: {}", answer.text());
            }
        }
        for (way, told) in self.brought(TOO_MUCH).await {
            let why = told.expect_err(way);
            assert!(
                why.contains("\"disk_full\"") || why.contains("sufficient-disk-space"),
                "{way}: {why}"
            );
        }
        let keep: Vec<_> = fs::read_dir(self.folders.drive.join("lockers/root/keep"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !["one.bin", "two.bin", "three.bin", "song.wav"].contains(&&**name))
            .collect();
        assert!(keep.is_empty(), "half-published: {keep:?}");
    }

    /// Reading, hearing, signing in and deleting.
    async fn assert_all_else_goes_on(&self, track: &str) {
        let api = &self.api;
        let sign_in = json!({ "name": ADMIN.0, "password": ADMIN.1 });
        api.must(api.request(Method::POST, "session").json(&sign_in)).await;
        let list = api.must(api.request(Method::GET, "files/keep")).await.json();
        assert_eq!(list["entries"].as_array().unwrap().len(), 4, "{list}");
        let back = api.must(api.request(Method::GET, "files/keep/one.bin")).await;
        assert_eq!(back.bytes(), bytes(1, 500_000));
        let heard = api.must(api.request(Method::GET, &format!("tracks/{track}/stream"))).await;
        assert!(100_000 < heard.bytes().len());
        api.must(api.request(Method::DELETE, "files/keep/two.bin")).await;
        api.must(api.request(Method::DELETE, "files/keep/three.bin?forever=true")).await;
    }

    /// All that was refused is taken now.
    async fn assert_takes_again(&self) {
        for (way, answer) in self.uploads(FITS).await {
            assert!(answer.is_success(), "{way}: {}", answer.text());
        }
        for (way, told) in self.brought(FITS).await {
            assert_eq!(told, Ok(()), "{way}");
        }
        self.assert_order_goes_on().await;
    }

    async fn assert_whole(&self) {
        let seen = Seen::of(&self.folders).unwrap();
        let wrong = seen.against_the_books(&self.folders, &self.api).await;
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// The lockers' disk, filled to its last byte by somebody else.
#[tokio::test(flavor = "multi_thread")]
async fn the_disk_of_the_lockers_fills_up() {
    let mut cellar = Cellar::new(100_000_000).await;
    let (address, half) = cellar.furnish().await;
    let track = cellar.track().await;
    let filler = cellar.volume.path().join("filler");
    let place = filler.clone();
    // Connections that were closed meanwhile are noticed meanwhile.
    tokio::task::spawn_blocking(move || fill(&place)).await.unwrap();
    assert_eq!(cellar.volume.free(), 0);
    cellar.assert_full().await;
    cellar.assert_all_else_goes_on(&track).await;
    let api = &cellar.api;
    // Its room was taken when it was begun.
    api.must(api.tus_patch(&address, 400_000, &half[400_000..])).await;
    cellar.assert_hands_over().await;
    cellar.assert_whole().await;

    fs::remove_file(filler).unwrap();
    cellar.assert_takes_again().await;
    cellar.assert_whole().await;
}

/// The only disk, filled by uploads: they leave the room that everything else needs.
#[tokio::test(flavor = "multi_thread")]
async fn the_only_disk_fills_up() {
    // So large that what uploads leave is more than the log of the database ever takes.
    let mut cellar = Cellar::with_database(1_000_000_000).await;
    cellar.furnish().await;
    let track = cellar.track().await;
    // Most of it is somebody else's, so that it is soon full.
    let others = fs::File::create(cellar.volume.path().join("others")).unwrap();
    let theirs = cellar.volume.free() - 60_000_000;
    fallocate(others, FallocateFlags::empty(), 0, theirs).unwrap();
    let api = &cellar.api;
    for number in 0.. {
        let file = format!("files/more/{number}.bin");
        let answer = api.ask(api.request(Method::PUT, &file).body(bytes(number, 2_500_000))).await;
        let answer = answer.unwrap();
        if answer.status == 507 {
            break;
        }
        assert!(answer.is_success(), "{}", answer.text());
    }
    assert!(0 < cellar.volume.free(), "nothing is left to work with");
    cellar.assert_full().await;
    cellar.assert_all_else_goes_on(&track).await;
    cellar.assert_whole().await;
    api.must(api.request(Method::DELETE, "files/more?forever=true")).await;
    cellar.assert_takes_again().await;
    cellar.assert_whole().await;
}
