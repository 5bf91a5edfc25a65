//! What goes wrong while music plays: a worker that dies, a disk that fails, files that are cut,
//! replaced or removed. Clients see an end that is no regular one, and nothing stays behind.

use std::{
    fs::{self, File},
    io::{Seek as _, SeekFrom, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use futures_util::StreamExt as _;
use tunelocker::{
    body::LiveBody,
    catalog::TrackFacts,
    playback::{Opened, Target, Wish},
};

use super::{
    Stage,
    sound::{LENGTH, Sound, tone},
    track,
};
use crate::harness::{TestApp, denied::with_bad_blocks_from};

/// Two hours of 16 bit stereo silence that take no room on the disk: longer than a worker may be
/// ahead of its reader, so that it is never done.
fn long_silence(folder: &Path) -> PathBuf {
    let path = folder.join("long.wav");
    let data = 2 * 3600 * 44_100 * 4_u32;
    let mut file = File::create(&path).unwrap();
    file.write_all(b"RIFF").unwrap();
    file.write_all(&(36 + data).to_le_bytes()).unwrap();
    file.write_all(b"WAVEfmt \x10\0\0\0\x01\0\x02\0").unwrap();
    file.write_all(&44_100_u32.to_le_bytes()).unwrap();
    file.write_all(&(4 * 44_100_u32).to_le_bytes()).unwrap();
    file.write_all(b"\x04\0\x10\0data").unwrap();
    file.write_all(&data.to_le_bytes()).unwrap();
    file.set_len(u64::from(data) + 44).unwrap();
    path
}

fn facts(duration_ms: u64) -> TrackFacts {
    TrackFacts {
        duration_ms,
        sample_rate: 44_100,
        channels: 2,
        bit_depth: 16,
        bitrate_kbps: 1411,
        ..TrackFacts::default()
    }
}

/// A decoder that writes down the ids of its processes, one a line.
fn counted_decoder(folder: &Path) -> (PathBuf, PathBuf) {
    let (script, ids) = (folder.join("decoder"), folder.join("ids"));
    let worker = env!("CARGO_BIN_EXE_tunelocker-worker");
    let text = format!("#!/bin/sh\necho $$ >> {}\nexec {worker} \"$@\"\n", ids.display());
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    (script, ids)
}

fn ids(file: &Path) -> Vec<String> {
    fs::read_to_string(file).unwrap_or_default().lines().map(str::to_owned).collect()
}

fn kill(id: &str) {
    assert!(Command::new("kill").args(["-9", id]).status().unwrap().success());
}

/// Reads until the stream ends: how many bytes came, and whether it ended with an error.
async fn to_the_end(mut body: LiveBody) -> (usize, Option<String>) {
    let mut bytes = 0;
    while let Some(piece) = body.stream.next().await {
        match piece {
            Ok(piece) => bytes += piece.len(),
            Err(error) => {
                assert!(body.stream.next().await.is_none(), "nothing comes after an error");
                return (bytes, Some(error.to_string()));
            }
        }
    }
    (bytes, None)
}

async fn nothing_stays(stage: &Stage) {
    stage
        .eventually("nothing stays behind", |stage| {
            let load = stage.playback.load();
            load.workers <= 1 && load.transcodes == 0 && load.streams == 0 && stage.cached() == 0
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_midway_is_no_regular_end() {
    let folder = tempfile::tempdir().unwrap();
    let (script, started) = counted_decoder(folder.path());
    let stage = Stage::with(|settings| settings.decoder.path = script).await;
    let path = long_silence(folder.path());
    let source = track(&path, facts(7_200_000));
    let wish = Wish { max_bitrate_kbps: Some(320), ..Wish::to(Target::Mp3) };
    let Opened::Live(mut body) = stage.open(&source, &wish).await.unwrap() else {
        panic!("it cannot be done yet")
    };
    assert!(!body.stream.next().await.unwrap().unwrap().is_empty());
    kill(&ids(&started)[0]);
    let (_, error) = to_the_end(body).await;
    assert_eq!(error.as_deref(), Some("The decoder died over this file"));
    nothing_stays(&stage).await;

    // The next one finds everything in order.
    let path = tone(folder.path(), "a.flac", 44_100, 2, &[]);
    let heard = stage.hear(&track(&path, facts(4000)), &Wish::to(Target::Mp3)).await;
    assert!((Sound::of(&heard, "mp3").duration() - LENGTH).abs() < 0.05);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spare_that_was_killed_is_nobodys_trouble() {
    let folder = tempfile::tempdir().unwrap();
    let (script, started) = counted_decoder(folder.path());
    let stage = Stage::with(|settings| settings.decoder.path = script).await;
    let path = tone(folder.path(), "a.flac", 44_100, 2, &[]);
    let source = track(&path, facts(4000));
    for (turn, target) in [Target::Mp3, Target::Opus, Target::Aac].into_iter().enumerate() {
        let heard = stage.hear(&source, &Wish::to(target)).await;
        assert!((Sound::of(&heard, target.suffix()).duration() - LENGTH).abs() < 0.05);
        // Each play starts one, and then a spare.
        stage.eventually("a spare is there", |_| ids(&started).len() == 2 * (turn + 1)).await;
        kill(ids(&started).last().unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_see_that_a_stream_broke_off() {
    let folder = tempfile::tempdir().unwrap();
    let (script, started) = counted_decoder(folder.path());
    let music = folder.path().join("music");
    fs::create_dir(&music).unwrap();
    long_silence(&music);
    let house = Heard::open(&music, |config| config.workers.decoder = Some(script)).await;
    let mut answer = house.stream("format=mp3&maxBitRate=320").await;
    assert_eq!(answer.status(), 200);
    assert!(answer.chunk().await.unwrap().is_some());
    kill(&ids(&started)[0]);
    let error = loop {
        match answer.chunk().await {
            Ok(Some(_)) => (),
            Ok(None) => panic!("it looks like the whole track"),
            Err(error) => break error,
        }
    };
    assert!(error.is_body() || error.is_decode() || error.is_request(), "{error:?}");
    house.nothing_runs().await;
}

#[test]
fn a_disk_that_fails_is_no_end_of_the_music() {
    const GOOD: u64 = 8 << 20;
    with_bad_blocks_from(GOOD, async || {
        let stage = Stage::new().await;
        let path = long_silence(stage.folder.path());
        let source = track(&path, facts(7_200_000));
        // Small results: what was made has to be read again, too.
        for target in [Target::Mp3, Target::Opus] {
            let wish = Wish { max_bitrate_kbps: Some(128), ..Wish::to(target) };
            let Opened::Live(body) = stage.open(&source, &wish).await.unwrap() else {
                panic!("it cannot be done")
            };
            let (bytes, error) = to_the_end(body).await;
            let error = error.expect("not an end like any other");
            assert!(error.contains("cannot be read"), "{error}");
            // All that is readable was heard, nearly; the rest was not made up.
            if target == Target::Mp3 {
                let (seconds, readable) = (bytes as u64 / 16_000, GOOD / (4 * 44_100));
                assert!((readable - 5..=readable + 1).contains(&seconds), "{seconds} s");
            }
        }
        nothing_stays(&stage).await;
    });
}

#[test]
fn an_original_on_a_failing_disk_breaks_off() {
    const GOOD: u64 = 8 << 20;
    let folder = tempfile::tempdir().unwrap();
    long_silence(folder.path());
    with_bad_blocks_from(GOOD, async || {
        let house = Heard::open(folder.path(), |_| ()).await;
        let mut answer = house.stream("").await;
        assert!(GOOD < answer.content_length().unwrap());
        let mut bytes = 0;
        let error = loop {
            match answer.chunk().await {
                Ok(Some(piece)) => bytes += piece.len() as u64,
                Ok(None) => panic!("it looks like the whole track"),
                Err(error) => break error,
            }
        };
        assert!(0 < bytes && bytes <= GOOD + (1 << 20), "{bytes}: {error:?}");
        // What lies before the bad blocks can be had.
        let part = house.stream_range("bytes=0-999").await;
        assert_eq!(part.status(), 206);
        assert_eq!(part.bytes().await.unwrap().len(), 1000);
        house.nothing_runs().await;
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_change_while_they_play() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.wav");
    let truth: Vec<u8> = {
        let mut bytes = vec![0; 44];
        let silence = long_silence(folder.path());
        std::io::Read::read_exact(&mut File::open(&silence).unwrap(), &mut bytes).unwrap();
        fs::remove_file(silence).unwrap();
        bytes.extend((0..30_000_000_u32).map(|at| (at / 7) as u8));
        bytes
    };
    fs::write(&path, &truth).unwrap();
    let house = Heard::open(folder.path(), |config| config.lan = None).await;
    let all = async |mut answer: reqwest::Response, then: &dyn Fn()| {
        let mut bytes = answer.chunk().await.unwrap().unwrap().to_vec();
        then();
        while let Some(piece) = answer.chunk().await? {
            bytes.extend_from_slice(&piece);
        }
        Ok::<_, reqwest::Error>(bytes)
    };
    // Replaced by renaming, and removed: whoever listens hears the old one to its end.
    let replace = || {
        fs::write(folder.path().join("new.part"), b"something else").unwrap();
        fs::rename(folder.path().join("new.part"), &path).unwrap();
    };
    let heard = all(house.stream("").await, &replace).await.unwrap();
    assert!(heard == truth, "{} of {}", heard.len(), truth.len());
    house.music(&path, &truth).await;
    let remove = || fs::remove_file(&path).unwrap();
    let heard = all(house.stream("").await, &remove).await.unwrap();
    assert!(heard == truth, "{} of {}", heard.len(), truth.len());
    // Cut in place: the promised length cannot be kept, and that must be seen.
    house.music(&path, &truth).await;
    let cut = || {
        let mut file = File::options().write(true).open(&path).unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        file.set_len(1000).unwrap();
    };
    assert!(all(house.stream("").await, &cut).await.is_err());
    house.nothing_runs().await;
}

/// A server over one folder with one track, and an app that plays it.
struct Heard {
    app: TestApp,
    http: reqwest::Client,
    secret: String,
}

impl Heard {
    async fn open(music: &Path, change: impl FnOnce(&mut tunelocker::config::Config)) -> Self {
        let app = TestApp::spawn_with(|config| {
            config.libraries.push(("Music".to_owned(), music.to_owned()));
            change(config);
        })
        .await;
        let accounts = &app.services.accounts;
        accounts.ensure_first_admin("ann", "ann's very own").await.unwrap();
        let ann = accounts.principal_named("ann").await.unwrap();
        let secret = accounts.create_app_password(&ann, "tests").await.unwrap().secret;
        let house = Self { app, http: reqwest::Client::new(), secret };
        house.id().await;
        house
    }

    /// Puts the file back as it was, and waits until it is known again.
    async fn music(&self, path: &Path, bytes: &[u8]) {
        fs::write(path, bytes).unwrap();
        self.app.services.ingest.request_scan(tunelocker::ingest::ScanKind::Full);
        self.until(async || !self.app.services.ingest.status().is_scanning).await;
    }

    /// The id of the only track, as soon as there is one.
    async fn id(&self) -> i64 {
        let household = self.app.services.accounts.household().await.unwrap();
        let track = async || {
            let catalog = &self.app.services.catalog;
            let filter = tunelocker::catalog::TrackFilter::default();
            let order = tunelocker::catalog::TrackOrder::Title;
            let page = tunelocker::catalog::Page::ALL;
            let tracks = catalog.tracks(&household, &filter, order, page).await.unwrap();
            tracks.items.first().map(|track| track.id.0)
        };
        self.until(async || track().await.is_some()).await;
        track().await.unwrap()
    }

    async fn until(&self, is_so: impl AsyncFn() -> bool) {
        for _ in 0..6000 {
            if is_so().await {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("it never is so: {:?}", self.app.services.playback.load());
    }

    async fn request(&self, query: &str) -> reqwest::RequestBuilder {
        let query = format!("?u=ann&p={}&v=1.16.1&c=tests&{query}", self.secret);
        let path = format!("/rest/stream{query}&id=tr-{}", self.id().await);
        self.http.get(self.app.url(&path))
    }

    async fn stream(&self, query: &str) -> reqwest::Response {
        self.request(query).await.send().await.unwrap()
    }

    async fn stream_range(&self, range: &str) -> reqwest::Response {
        let request = self.request("").await.header(reqwest::header::RANGE, range);
        request.send().await.unwrap()
    }

    async fn nothing_runs(&self) {
        let playback = &self.app.services.playback;
        self.until(async || {
            let load = playback.load();
            load.workers <= 1 && load.transcodes == 0 && load.streams == 0
        })
        .await;
    }
}
