//! What stays over scans, and what ends with them: C18, C26, C31 and C36 of [`super::requirements`].

use std::collections::{BTreeMap, BTreeSet};

use super::{House, names};
use crate::harness::music::flac;

#[tokio::test]
async fn c18_ids_outlive_rescans_retags_and_moves() {
    let house = House::open().await;
    let ann = &house.ann;
    let ids = async |app: &super::App| -> BTreeMap<String, String> {
        let all = app.ok("search3", "query=&songCount=500&albumCount=500&artistCount=500").await;
        let mut ids = BTreeMap::new();
        for kind in ["song", "album", "artist"] {
            for item in all["searchResult3"][kind].as_array().unwrap() {
                let name = item["title"].as_str().or(item["name"].as_str()).unwrap();
                ids.insert(format!("{kind} {name}"), item["id"].as_str().unwrap().to_owned());
            }
        }
        ids
    };
    let before = ids(ann).await;
    // No id is used for two kinds.
    assert_eq!(before.values().collect::<BTreeSet<_>>().len(), before.len());
    let scan = async |query: &str| {
        ann.ok("startScan", query).await;
        house.wait_for_scan().await;
    };
    scan("fullScan=true").await;
    assert_eq!(ids(ann).await, before);
    // Another title in the tags, and another place on the disk.
    flac("Various/Hits/01 First.flac")
        .of("A Band", "Hits", "First of all")
        .number(1)
        .tag("ALBUMARTIST", "Various Artists")
        .tag("COMPILATION", "1")
        .tag("DATE", "1985")
        .tag("GENRE", "Pop")
        .write(&house.music);
    let old = house.music.join("Various/Hits/02 Second.flac");
    std::fs::rename(old, house.music.join("Various/Hits/zwei.flac")).unwrap();
    scan("").await;
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    let after = loop {
        let after = ids(ann).await;
        if after.contains_key("song First of all") {
            break after;
        }
        assert!(std::time::Instant::now() < deadline, "{after:?}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert_eq!(after["song First of all"], before["song First"]);
    for same in ["song Second", "album Hits", "artist A Band", "song All I Want", "artist Two"] {
        assert_eq!(after[same], before[same], "{same}");
    }
}

#[tokio::test]
async fn c26_paths_are_clean_and_each_song_has_its_own() {
    let house = House::open().await;
    // Another edition of an album that is there, and one more later.
    for edition in ["Remastered", "Deluxe"] {
        flac(&format!("Joni Mitchell/Blue ({edition})/01 All I Want.flac"))
            .of("Joni Mitchell", "Blue", "All I Want")
            .number(1)
            .tag("ALBUMARTIST", "Joni Mitchell")
            .tag("ALBUMVERSION", edition)
            .write(&house.music);
        house.ann.ok("startScan", "").await;
        house.wait_for_scan().await;
    }
    let all = house.ann.ok("search3", "query=&songCount=500").await;
    let songs = all["searchResult3"]["song"].as_array().unwrap();
    let alike = songs.iter().filter(|song| song["title"] == "All I Want").count();
    assert_eq!(alike, 3);
    let paths: BTreeSet<&str> = songs.iter().map(|song| song["path"].as_str().unwrap()).collect();
    assert_eq!(paths.len(), songs.len());
    for path in paths {
        assert!(!path.starts_with('/') && !path.contains("..") && !path.contains('\\'), "{path}");
        assert!(path.split('/').count() >= 3, "{path}");
    }
}

#[tokio::test]
async fn c31_a_queue_mends_itself() {
    let house = House::open().await;
    let ann = &house.ann;
    let (gone, kept) = (ann.id("song", "Untitled").await, ann.id("song", "First").await);
    ann.ok("savePlayQueue", &format!("id={gone}&id={kept}&current={gone}&position=7")).await;
    std::fs::remove_file(house.music.join("The Empty/Nothing/04 Untitled.wav")).unwrap();
    ann.ok("startScan", "").await;
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let queue = ann.ok("getPlayQueue", "").await["playQueue"].clone();
        for field in ["changed", "changedBy", "username"] {
            assert!(queue[field].is_string(), "{queue}");
        }
        let entries = queue["entry"].as_array().unwrap();
        assert!(entries.iter().any(|entry| entry["id"] == queue["current"]), "{queue}");
        if names(&queue["entry"]) == ["First"] {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "{queue}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn c36_a_scan_ends() {
    let house = House::open().await;
    let started = house.ann.ok("startScan", "fullScan=true").await["scanStatus"].clone();
    assert!(started["scanning"].is_boolean(), "{started}");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let status = house.ann.ok("getScanStatus", "").await["scanStatus"].clone();
        assert!(status["scanning"].is_boolean() && status["count"].is_u64(), "{status}");
        if status["scanning"] == false {
            assert!(status["count"].as_u64() >= Some(9), "{status}");
            return;
        }
        assert!(std::time::Instant::now() < deadline, "{status}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
