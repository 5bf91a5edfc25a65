//! What the readers say of a drawn library equals its manifest, field by field.

use std::{fs::File, os::unix::ffi::OsStrExt as _, path::PathBuf};

use serde_json::Value;
use tunelocker::media::{
    tags::Tags,
    worker::{ReadItem, ReadOptions},
};

use super::{corpus::Corpus, item, pool};

#[tokio::test]
async fn tags_equal_the_manifest_beside_hostile_files() {
    compare(&Corpus::hostile(300)).await;
}

#[tokio::test]
async fn tags_of_a_whole_library_equal_the_manifest() {
    compare(&Corpus::clean(2000)).await;
}

async fn compare(corpus: &Corpus) {
    let rows: Vec<&Value> = corpus.of_type("track").collect();
    let items =
        rows.iter().map(|row| item(&corpus.library, row["path"].as_str().unwrap())).collect();
    let pool = pool(2);
    let mut wrong = Vec::new();
    for (row, answer) in rows.iter().zip(pool.understand(items).await.unwrap()) {
        let path = row["path"].as_str().unwrap();
        match answer {
            Err(unreadable) => wrong.push(format!("{path}: {}", unreadable.reason)),
            Ok(understood) => {
                assert_eq!(Some(understood.size), row["size"].as_u64());
                for difference in differences(row, &understood.tags) {
                    wrong.push(format!("{path} ({}): {difference}", row["format"]));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differences:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(60)].join("\n")
    );
    assert!(pool.processes().len() <= 2);
}

#[tokio::test]
async fn hostile_files_are_read_or_refused_as_the_manifest_says() {
    let corpus = Corpus::hostile(300);
    let pool = pool(2);
    let mut wrong = Vec::new();
    let mut counted = [0; 3];
    for row in corpus.of_type("hostile") {
        let path = path_of(row);
        let file = corpus.library.join(&path);
        let expected = row["expect"].as_str().unwrap();
        // Links, pipes and folders are refused by whoever opens files, before any worker.
        let is_music =
            path.to_str().is_none_or(|path| tunelocker::media::format::named(path).is_some());
        if !file.symlink_metadata().is_ok_and(|is| is.is_file()) || !is_music {
            continue;
        }
        let Ok(opened) = File::open(&file) else { continue };
        let item = ReadItem {
            file: opened,
            relative_path: path.to_string_lossy().into_owned(),
            options: ReadOptions::default().into(),
        };
        let answer = pool.understand(vec![item]).await.unwrap().pop().unwrap();
        if let Err(unreadable) = &answer {
            assert!(!unreadable.reason.contains("worker"), "{path:?}: {unreadable:?}");
        }
        counted[match expected {
            "ok" => 0,
            "reject" => 1,
            _ => 2,
        }] += 1;
        match (expected, answer) {
            ("ok", Err(unreadable)) => wrong.push(format!("{path:?}: {}", unreadable.reason)),
            ("reject", Ok(understood)) => {
                wrong.push(format!("{path:?} was taken for {:?}", understood.tags.audio));
            }
            (_, Ok(understood)) => {
                assert!(understood.tags.title.is_some(), "{path:?} has no title");
            }
            _ => (),
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(counted.iter().all(|count| *count > 5), "{counted:?}");
}

fn path_of(row: &Value) -> PathBuf {
    match row["path"].as_str() {
        Some(path) => path.into(),
        None => {
            use base64::Engine as _;
            let bytes = base64::prelude::BASE64_STANDARD.decode(row["path_b64"].as_str().unwrap());
            std::ffi::OsStr::from_bytes(&bytes.unwrap()).into()
        }
    }
}

/// The names of a list, each once.
fn once(names: &Value) -> Vec<String> {
    let mut once = Vec::new();
    for name in names.as_array().unwrap() {
        let name = name.as_str().unwrap().to_owned();
        if !once.contains(&name) {
            once.push(name);
        }
    }
    once
}

/// Everything in which `tags` is not what the row says.
fn differences(row: &Value, tags: &Tags) -> Vec<String> {
    let mut found = Vec::new();
    let mut check = |name: &str, expected: Value, is: Value| {
        if expected != is {
            found.push(format!("{name}: expected {expected}, is {is}"));
        }
    };
    let list = |names: &[String]| Value::from(names.to_vec());
    let format = row["format"].as_str().unwrap();
    let id3v23 = row["id3"] == "2.3";

    check("title", row["title"].clone(), tags.title.clone().into());
    check("artists", row["artists"].clone(), list(&tags.artists));
    check("album", row["album"].clone(), tags.album.clone().into());
    check("album artists", row["albumartists"].clone(), list(&tags.album_artists));
    check("number", row["track"].clone(), tags.number.into());
    check("total", row["tracktotal"].clone(), tags.number_total.into());
    if tags.disc.is_some() || row["disctotal"] != 1 {
        check("disc", row["disc"].clone(), tags.disc.into());
        check("discs", row["disctotal"].clone(), tags.disc_total.into());
    }
    check("date", row["date"].clone(), tags.date.clone().into());
    if row["originaldate"] != row["date"] {
        check("original date", row["originaldate"].clone(), tags.original_date.clone().into());
    }
    check("genres", row["genres"].clone(), list(&tags.genres));
    // ID3v2.3 joins composers by a slash, and nothing in the file tells `A` and `B` from `A/B`.
    let composers = once(&row["composers"]);
    if id3v23 {
        check("composers", composers.join("/").into(), tags.composers.join("/").into());
    } else {
        check("composers", list(&composers), list(&tags.composers));
    }
    check("compilation", row["compilation"].clone(), tags.is_compilation.into());

    // ID3v2.3 has no frames for sort names; what stood there was not written.
    if let Some(sort) = row["sort"].as_object().filter(|_| !id3v23) {
        check("sort artists", sort["artists"].clone(), list(&tags.sort_artists));
        check("sort album artists", sort["albumartists"].clone(), list(&tags.sort_album_artists));
        check("sort album", sort["album"].clone(), tags.sort_album.clone().into());
    }
    if let Some(ids) = row["mb"].as_object() {
        check("recording", ids["recording"].clone(), tags.mbid_recording.clone().into());
        check("release track", ids["track"].clone(), tags.mbid_track.clone().into());
        check("release", ids["album"].clone(), tags.mbid_album.clone().into());
        check("group", ids["releasegroup"].clone(), tags.mbid_release_group.clone().into());
        check("artist ids", ids["artists"].clone(), list(&tags.mbid_artists));
        check("album artist ids", ids["albumartists"].clone(), list(&tags.mbid_album_artists));
    }
    if let Some(gains) = row["replaygain"].as_object() {
        let hundredths = |gain: Option<f64>| gain.map(|gain| (gain * 100.0).round() as i64);
        let expected = |name: &str| Value::from(hundredths(gains[name].as_f64()));
        check("track gain", expected("track"), hundredths(tags.track_gain).into());
        check("album gain", expected("album"), hundredths(tags.album_gain).into());
        if format != "opus" {
            check("track peak", gains["track_peak"].clone(), tags.track_peak.into());
            check("album peak", 1.0.into(), tags.album_peak.into());
        }
    }
    if let Some(more) = row["picard"].as_object() {
        check("label", Value::from(vec![more["label"].clone()]), list(&tags.record_labels));
        let types = Value::from(vec![more["releasetype"].clone()]);
        check("release type", types, list(&tags.release_types));
        check("bpm", more["bpm"].clone(), tags.bpm.into());
        check("isrc", more["isrc"].clone(), tags.extra.isrc.first().cloned().into());
    }
    check("has lyrics", (row["lyrics"] == "embedded").into(), (!tags.lyrics.is_empty()).into());

    let audio = &tags.audio;
    check("codec", row["codec"].clone(), audio.codec.clone().into());
    check("rate", row["sample_rate"].clone(), audio.sample_rate.into());
    check("channels", row["channels"].clone(), audio.channels.into());
    if format != "wavpack" {
        // FFmpeg fills WavPack with 32-bit samples whatever the manifest says.
        check("bits", row["bits"].as_u64().unwrap_or(0).into(), audio.bit_depth.into());
    }
    let expected_ms = row["duration"].as_f64().unwrap() * 1000.0;
    // MP3 and AAC count whole frames and the encoder's delay.
    if (audio.duration_ms as f64 - expected_ms).abs() > 120.0 {
        check("duration", expected_ms.into(), audio.duration_ms.into());
    }
    match (&row["cover_embedded"], &tags.picture) {
        (Value::Null, None) => (),
        (Value::Null, Some(_)) | (_, None) => {
            check("cover", row["cover_embedded"].clone(), tags.picture.is_some().into());
        }
        (cover, Some(picture)) => {
            check("cover type", cover["mime"].clone(), picture.mime.clone().into());
            check("cover width", cover["px"].clone(), picture.width.into());
            check("cover height", cover["px"].clone(), picture.height.into());
        }
    }
    found
}
