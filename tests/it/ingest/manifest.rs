//! The catalogue against the truth of made libraries.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tunelocker::catalog::{AlbumFilter, AlbumOrder, Page, Track};

use super::{
    corpus::{corpus, path_of, strings},
    over, tracks,
};

#[tokio::test]
async fn a_clean_library_is_as_its_manifest_says() {
    let corpus = corpus("clean", &["--tracks", "2000"]);
    let app = over(&corpus.library).await;
    let found = tracks(&app).await;
    let mut whole: BTreeMap<&str, &Track> = BTreeMap::new();
    let mut parts: BTreeMap<&str, Vec<&Track>> = BTreeMap::new();
    let images: BTreeSet<String> =
        corpus.of_type("cue").map(|row| row["audio"].as_str().unwrap().to_owned()).collect();
    for track in &found {
        if images.contains(&track.path) {
            parts.entry(&track.path).or_default().push(track);
        } else {
            assert!(whole.insert(&track.path, track).is_none(), "{} twice", track.path);
        }
    }
    let mut wrong = Vec::new();
    let mut expected = 0;
    for row in corpus.of_type("track") {
        expected += 1;
        let path = row["path"].as_str().unwrap();
        match whole.get(path) {
            Some(track) => compare(row, track, &mut wrong),
            None => wrong.push(format!("{path}: missing")),
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
    assert_eq!(whole.len(), expected);

    for row in corpus.of_type("cue") {
        let tracks = &parts[row["audio"].as_str().unwrap()];
        let wanted = row["tracks"].as_array().unwrap();
        assert_eq!(tracks.len(), wanted.len());
        for (track, wanted) in tracks.iter().zip(wanted) {
            assert_eq!(track.title, wanted["title"].as_str().unwrap());
            assert_eq!(track.number.map(u64::from), wanted["track"].as_u64());
            assert!(
                track.duration_ms.abs_diff((wanted["duration"].as_f64().unwrap() * 1000.0) as u64)
                    <= 50
            );
            assert_eq!(track.album_name, row["album"].as_str().unwrap());
        }
    }

    // Albums: no two of the manifest became one, none fell apart, except by the manifest's will.
    let household = app.services.accounts.household().await.unwrap();
    let albums = app
        .services
        .catalog
        .albums(&household, &AlbumFilter::default(), AlbumOrder::Name, Page::ALL)
        .await
        .unwrap();
    let mut by_index: BTreeMap<u64, BTreeSet<i64>> = BTreeMap::new();
    for row in corpus.of_type("track") {
        let track = whole[row["path"].as_str().unwrap()];
        let album = track.album.expect("an album");
        by_index.entry(row["album_index"].as_u64().unwrap()).or_default().insert(album.0);
    }
    for (index, rows) in &by_index {
        assert_eq!(rows.len(), 1, "album {index} fell apart");
    }
    let counted: u32 = albums.items.iter().map(|album| album.track_count).sum();
    assert_eq!(counted as usize, found.len());
    for row in corpus.of_type("cover") {
        let folder = row["path"].as_str().unwrap().rsplit_once('/').unwrap().0;
        let track = found.iter().find(|track| track.path.starts_with(folder)).unwrap();
        assert!(track.picture.is_some(), "{folder} has a cover");
    }
}

/// Every field that the manifest knows.
fn compare(row: &Value, track: &Track, wrong: &mut Vec<String>) {
    let path = &track.path;
    let mut check = |what: &str, found: String, wanted: String| {
        if found != wanted {
            wrong.push(format!("{path}: {what} is {found:?}, not {wanted:?}"));
        }
    };
    let names = |refs: &[tunelocker::catalog::ArtistRef]| {
        refs.iter().map(|artist| artist.name.to_lowercase()).collect::<Vec<_>>()
    };
    // ID3v2.3 joins several values with a slash, which some names hold: told apart nowhere.
    let list = |found: Vec<String>, wanted: &Value| {
        let wanted: Vec<String> = strings(wanted).iter().map(|name| name.to_lowercase()).collect();
        if row["id3"] == "2.3" {
            (found.join("/"), wanted.join("/"))
        } else {
            (found.join("|"), wanted.join("|"))
        }
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    check("title", track.title.clone(), text(&row["title"]));
    check("album", track.album_name.clone(), text(&row["album"]));
    let (found, wanted) = list(names(&track.artists), &row["artists"]);
    check("artists", found, wanted);
    let (found, wanted) = list(names(&track.album_artists), &row["albumartists"]);
    check("album artists", found, wanted);
    let (found, wanted) =
        list(track.genres.iter().map(|genre| genre.to_lowercase()).collect(), &row["genres"]);
    check("genres", found, wanted);
    check(
        "number",
        format!("{:?}", track.number),
        format!("{:?}", row["track"].as_u64().map(|it| it as u32)),
    );
    if row["disctotal"].as_u64() > Some(1) {
        check(
            "disc",
            format!("{:?}", track.disc),
            format!("{:?}", row["disc"].as_u64().map(|it| it as u32)),
        );
    }
    check("date", track.release_date.clone(), text(&row["date"]));
    check("codec", track.codec.clone(), text(&row["codec"]));
    check("rate", track.sample_rate.to_string(), row["sample_rate"].to_string());
    check("channels", track.channels.to_string(), row["channels"].to_string());
    // The maker's encoder writes 32 bits into WavPack, whatever the manifest assumes.
    let bits = if row["format"] == "wavpack" { Some(32) } else { row["bits"].as_u64() };
    check("bits", track.bit_depth.to_string(), bits.unwrap_or(0).to_string());
    check("size", track.size_bytes.to_string(), row["size"].to_string());
    let wanted_ms = row["duration"].as_f64().unwrap() * 1000.0;
    if 60 < track.duration_ms.abs_diff(wanted_ms as u64) {
        check("duration", track.duration_ms.to_string(), wanted_ms.to_string());
    }
    let compilation = row["compilation"].as_bool().unwrap();
    if compilation {
        check("compilation", track.is_compilation.to_string(), compilation.to_string());
    }
    check("lyrics", track.has_lyrics.to_string(), (!row["lyrics"].is_null()).to_string());
    if row["mb"].is_object() {
        check("recording", track.mbid.clone().unwrap_or_default(), text(&row["mb"]["recording"]));
    }
    if row["replaygain"].is_object() {
        let (found, wanted) = (track.gain.track_gain, row["replaygain"]["track"].as_f64());
        let is_near =
            found.zip(wanted).is_some_and(|(found, wanted)| (found - wanted).abs() < 0.02);
        check("track gain", is_near.to_string(), true.to_string());
    }
    if let Some(bpm) = row["picard"]["bpm"].as_u64() {
        check("bpm", track.bpm.to_string(), bpm.to_string());
    }
    let has_cover = row["cover_embedded"].is_object() || row["cover_file"].is_string();
    check("cover", track.picture.is_some().to_string(), has_cover.to_string());
}

#[tokio::test]
async fn a_hostile_library_does_no_harm() {
    let corpus = corpus("hostile", &["--tracks", "300", "--hostile"]);
    let app = over(&corpus.library).await;
    let found: BTreeSet<String> =
        tracks(&app).await.into_iter().map(|track| track.path.clone()).collect();
    for row in corpus.of_type("track") {
        assert!(found.contains(row["path"].as_str().unwrap()), "{} is missing", row["path"]);
    }
    let mut wrong = Vec::new();
    for row in corpus.of_type("hostile") {
        let path = path_of(row);
        match (row["expect"].as_str().unwrap(), found.contains(&path)) {
            ("ok", false) => wrong.push(format!("{} {path:?} is missing", row["kind"])),
            ("reject", true) => wrong.push(format!("{} {path:?} is in", row["kind"])),
            _ => (),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Nothing outside the library, nothing through a link.
    assert!(found.iter().all(|path| !path.contains("/links/")));
    let status = app.services.ingest.status();
    assert!(status.libraries.values().all(|it| 0 < it.errors));
}
