//! Synchronised lyrics inside MP3 files (ID3's SYLT), from the bytes of the frame to the answer.

use std::{path::Path, process::Command};

use serde_json::json;

use super::House;

/// An ID3v2.4 tag with a title and a SYLT frame: stamps in ms behind their texts.
fn tag(title: &str, texts: &[(&str, u32)]) -> Vec<u8> {
    let mut sylt = b"\x03eng\x02\x01\0".to_vec();
    for (text, ms) in texts {
        sylt.extend_from_slice(text.as_bytes());
        sylt.push(0);
        sylt.extend_from_slice(&ms.to_be_bytes());
    }
    let mut frames = Vec::new();
    for (id, body) in [("TIT2", [b"\x03", title.as_bytes()].concat()), ("SYLT", sylt)] {
        frames.extend_from_slice(id.as_bytes());
        frames.extend_from_slice(&synchsafe(body.len()));
        frames.extend_from_slice(&[0, 0]);
        frames.extend_from_slice(&body);
    }
    [b"ID3\x04\0\0".as_slice(), &synchsafe(frames.len()), &frames].concat()
}

/// Seven bits a byte.
fn synchsafe(length: usize) -> [u8; 4] {
    [21, 14, 7, 0].map(|shift| (length >> shift) as u8 & 0x7f)
}

/// A second of sound behind that tag.
fn write(path: &Path, tag: &[u8]) {
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-f", "lavfi", "-i", "sine=f=440:d=1"])
        .args(["-id3v2_version", "0", "-f", "mp3", "-"])
        .output()
        .unwrap();
    assert!(made.status.success());
    std::fs::write(path, [tag, &made.stdout].concat()).unwrap();
}

#[tokio::test]
async fn subsonic_synchronised_frames_are_lyrics() {
    let music = tempfile::tempdir().unwrap().keep();
    write(&music.join("lines.mp3"), &tag("Lines", &[("First line", 250), ("Second line", 61_020)]));
    // Syllables: a line break begins a line, what has none goes on.
    let syllables = [("Sil", 100), ("ver ", 200), ("moon", 300), ("\nris", 600), ("ing", 700)];
    write(&music.join("words.mp3"), &tag("Words", &syllables));
    let house = House::over_library(&music).await;
    let bob = &house.bob;
    let lyrics = async |title: &str, more: &str| {
        let id = bob.id("song", title).await;
        let found = bob.ok("getLyricsBySongId", &format!("id={id}{more}")).await;
        found["lyricsList"]["structuredLyrics"][0].clone()
    };
    let lines = lyrics("Lines", "").await;
    assert_eq!((&lines["synced"], &lines["lang"]), (&json!(true), &json!("eng")), "{lines}");
    assert_eq!(
        lines["line"],
        json!([{ "start": 250, "value": "First line" }, { "start": 61_020, "value": "Second line" }])
    );
    assert!(lines.get("cueLine").is_none());
    let words = lyrics("Words", "&enhanced=true").await;
    assert_eq!(
        words["line"],
        json!([{ "start": 100, "value": "Silver moon" }, { "start": 600, "value": "rising" }])
    );
    let cues: Vec<(u64, &str)> = words["cueLine"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|line| line["cue"].as_array().unwrap())
        .map(|cue| (cue["start"].as_u64().unwrap(), cue["value"].as_str().unwrap().trim()))
        .collect();
    assert_eq!(cues, [(100, "Sil"), (200, "ver"), (300, "moon"), (600, "ris"), (700, "ing")]);
    // The old method gives the words alone.
    let old = bob.ok("getLyrics", "title=Lines").await;
    assert_eq!(old["lyrics"]["value"], "First line\nSecond line");
    std::fs::remove_dir_all(music).unwrap();
}

/// A text beside the song is its words, without times.
#[tokio::test]
async fn subsonic_plain_text_files_are_lyrics() {
    let music = tempfile::tempdir().unwrap().keep();
    write(&music.join("words.mp3"), &tag("Words", &[]));
    std::fs::write(music.join("words.txt"), "First line\r\n\r\nLast line\n").unwrap();
    let house = House::over_library(&music).await;
    let id = house.bob.id("song", "Words").await;
    let found = house.bob.ok("getLyricsBySongId", &format!("id={id}")).await;
    let words = &found["lyricsList"]["structuredLyrics"][0];
    assert_eq!(words["synced"], false, "{found}");
    let lines = words["line"].as_array().unwrap().iter();
    let lines: Vec<&str> = lines.map(|line| line["value"].as_str().unwrap()).collect();
    assert_eq!(lines, ["First line", "", "Last line"]);
    assert!(words["line"][0].get("start").is_none());
}
