//! A disk that is really full: what adds bytes is refused with the cause, all else goes on, and
//! room that is made is room.

use std::{fs, time::Duration};

use reqwest::Method;
use serde_json::json;

use super::{
    api::{Answer, Api, OFFSET_STREAM, chunked},
    bytes,
    seen::Seen,
    volume::{Volume, fill},
};
use crate::harness::{
    daemon::{ADMIN, Daemon, Folders, folders},
    music,
};

/// What no disk here has room for.
const TOO_MUCH: usize = 3_000_000;

struct Cellar {
    // It ends before its disk does.
    _daemon: Daemon,
    _home: tempfile::TempDir,
    volume: Volume,
    folders: Folders,
    api: Api,
}

impl Cellar {
    fn new(with_database: bool) -> Self {
        let home = tempfile::tempdir().unwrap();
        let volume = Volume::new(100_000_000);
        let mut folders = folders(home.path());
        folders.drive = volume.path().join("drive");
        if with_database {
            folders.data = volume.path().join("data");
            fs::create_dir(&folders.data).unwrap();
        }
        let daemon = Daemon::start(&folders);
        let api = Api::new(&daemon, &folders.app_password());
        Self { _home: home, volume, folders, api, _daemon: daemon }
    }

    /// A track that can be heard, some files, and an upload that is half done.
    async fn furnish(&self) -> (String, Vec<u8>) {
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
            if let Some(id) = tracks["items"][0]["id"].as_str() {
                return id.to_owned();
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

    async fn assert_whole(&self) {
        let seen = Seen::of(&self.folders).unwrap();
        let wrong = seen.against_the_books(&self.folders, &self.api).await;
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// The lockers' disk, filled to its last byte by somebody else.
#[tokio::test]
async fn the_disk_of_the_lockers_fills_up() {
    let cellar = Cellar::new(false);
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
    cellar.assert_whole().await;

    fs::remove_file(filler).unwrap();
    for (way, answer) in cellar.uploads(1_000_000).await {
        assert!(answer.is_success(), "{way}: {}", answer.text());
    }
    cellar.assert_whole().await;
}

/// The only disk, filled by uploads: they leave the room that everything else needs.
#[tokio::test]
async fn the_only_disk_fills_up() {
    let cellar = Cellar::new(true);
    cellar.furnish().await;
    let track = cellar.track().await;
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
    for (way, answer) in cellar.uploads(1_000_000).await {
        assert!(answer.is_success(), "{way}: {}", answer.text());
    }
    cellar.assert_whole().await;
}
