//! Music that real people made and tagged: the soundtracks of two games, from Debian's packages.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use futures_util::StreamExt as _;
use serde_json::Value;
use tunelocker::{
    catalog::{AlbumFilter, AlbumOrder, Page},
    playback::{Opened, Target, Wish},
};

use super::{over, tracks};

/// Where `tests/setup.sh music` puts the packages.
fn music() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/music");
    assert!(folder.exists(), "run tests/setup.sh music");
    folder
}

/// What another program says of a file: seconds, and texts by their names in lower case.
fn probed(path: &Path) -> (f64, BTreeMap<String, String>) {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-of", "json", "-show_entries"])
        .arg("format=duration:format_tags:stream=duration:stream_tags")
        .arg(path)
        .output()
        .unwrap();
    let whole: Value = serde_json::from_slice(&output.stdout).unwrap();
    let stream = &whole["streams"][0];
    let texts = [&stream["tags"], &whole["format"]["tags"]];
    let texts = texts.iter().filter_map(|tags| tags.as_object()).flatten();
    let texts = texts.map(|(name, text)| {
        (name.to_lowercase(), text.as_str().unwrap_or_default().trim().to_owned())
    });
    (stream["duration"].as_str().unwrap().parse().unwrap(), texts.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn real_music_is_what_it_says_and_plays() {
    let music = music();
    let app = over(&music).await;
    let found = tracks(&app).await;
    let household = app.services.accounts.household().await.unwrap();
    let mut wrong = Vec::new();
    let mut albums: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
    for track in &found {
        let path = music.join(&track.path);
        let (seconds, texts) = probed(&path);
        let text = |name: &str| texts.get(name).map_or("", String::as_str);
        let off = track.duration_ms as f64 / 1000.0 - seconds;
        if 0.05 < off.abs() {
            wrong.push(format!("{}: {off:+} s", track.path));
        }
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let title = if text("title").is_empty() { stem } else { text("title") };
        let is_named = text("artist").is_empty() || track.display_artist == text("artist");
        if track.title != title || !is_named {
            wrong.push(format!("{}: {} by {}", track.path, track.title, track.display_artist));
        }
        if !text("album").is_empty() {
            if track.album_name != text("album") {
                wrong.push(format!("{}: on {}", track.path, track.album_name));
            }
            // Without an album artist an album is that of its folder.
            let artist = [text("album_artist"), text("albumartist")].concat();
            let folder = path.parent().unwrap().to_str().unwrap();
            let whose = if artist.is_empty() { folder } else { &artist };
            let key = format!("{} of {whose}", track.album_name);
            albums.entry(key).or_default().insert(track.album.expect("an album").0);
        }
        // The original is the file, and the end of some is had in another form.
        let playback = &app.services.playback;
        match playback.open(&household, track.id, &Wish::default(), "tests").await.unwrap() {
            Opened::File(body) => assert_eq!(body.len, fs::metadata(&path).unwrap().len()),
            Opened::Live(_) => panic!("{}: not the original", track.path),
        }
        if track.id.0 % 4 != 0 {
            continue;
        }
        let wish = Wish {
            offset: Duration::from_millis(track.duration_ms.saturating_sub(2000)),
            ..Wish::to(Target::Wav)
        };
        let Opened::Live(mut body) =
            playback.open(&household, track.id, &wish, "tests").await.unwrap()
        else {
            panic!("{}: nobody can have asked for that before", track.path)
        };
        let mut bytes = 0;
        while let Some(piece) = body.stream.next().await {
            bytes += piece.unwrap_or_else(|error| panic!("{}: {error}", track.path)).len();
        }
        let seconds = (bytes - 44) as f64 / f64::from(2 * track.channels * track.sample_rate);
        if 0.05 < (seconds - 2.0).abs() {
            wrong.push(format!("{}: {seconds} s of its last two", track.path));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    let files = walk(&music);
    assert!(40 < files && found.len() == files, "{} of {files}", found.len());
    // A soundtrack by many over many years is one album.
    assert!(albums.values().all(|ids| ids.len() == 1), "{albums:?}");
    let all = &app.services.catalog;
    let listed =
        all.albums(&household, &AlbumFilter::default(), AlbumOrder::Name, Page::ALL).await.unwrap();
    let wesnoth = listed.items.iter().find(|album| album.name == "The Battle for Wesnoth OST");
    let wesnoth = wesnoth.expect("the soundtrack of Wesnoth");
    assert_eq!(wesnoth.display_artist, "Wesnoth Project");
}

/// Files of music below a folder.
fn walk(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| {
            if path.is_dir() {
                walk(&path)
            } else {
                usize::from(path.extension().is_some_and(|suffix| suffix == "ogg"))
            }
        })
        .sum()
}
