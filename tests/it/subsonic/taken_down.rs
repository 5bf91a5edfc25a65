//! What was taken down is nowhere to be heard or seen: not in a watched folder, which stays as it is,
//! not in what was made of it, not in other tags; until it may come back.

use std::path::{Path, PathBuf};

use tunelocker::{
    drive::{Condition, RelativePath, Target},
    ids::LockerId,
    matching::Extent,
};

use super::House;
use crate::{
    drive::body,
    harness::music::{flac, jpeg},
    ingest::until,
};

async fn found(house: &House, title: &str) -> usize {
    let query = format!("query={title}&songCount=20");
    let found = house.ann.ok("search3", &query).await["searchResult3"]["song"].clone();
    found.as_array().map_or(0, Vec::len)
}

/// Names of files of a cache.
fn kept(house: &House, folder: &str) -> Vec<PathBuf> {
    let mut folders = vec![house.app.folder.path().join("data/cache").join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.retain(|path| !folder.is_empty() || path.is_file());
    files.sort();
    files
}

async fn put(house: &House, locker: LockerId, place: &str, bytes: &[u8]) -> tunelocker::Result<()> {
    let ann = house.principal("ann").await;
    let path = RelativePath::parse(place).unwrap();
    let target = Target { locker, path, condition: Condition::None };
    house.app.services.drive.put(&ann, &target, None, body(bytes)).await.map(drop)
}

/// The same sound in other tags: the name of the file makes the sound.
fn retagged(folder: &Path, title: &str) -> Vec<u8> {
    let scratch = tempfile::tempdir_in(folder.parent().unwrap()).unwrap();
    let file = flac("bad.flac").seconds(9.0).of("Other", "Other", title).write(scratch.path());
    std::fs::read(file).unwrap()
}

#[tokio::test]
async fn nothing_is_left_of_it_in_folders_and_caches() {
    let music = tempfile::tempdir().unwrap();
    let folder = music.path();
    let bad = flac("bad.flac").seconds(9.0).of("Bad", "Bad", "Badly").picture(jpeg(600, [9, 1, 1]));
    let bad = bad.write(folder);
    flac("good.flac").seconds(9.0).of("Good", "Good", "Goodly").write(folder);
    let house = House::over_library(folder).await;
    let ann = house.principal("ann").await;
    let services = &house.app.services;
    let locker = services.accounts.lockers(&ann).await.unwrap()[0].id;
    let bytes = std::fs::read(&bad).unwrap();
    put(&house, locker, "mine.flac", &bytes).await.unwrap();
    put(&house, locker, "mine in other tags.flac", &retagged(folder, "Retagged")).await.unwrap();
    until("all is seen", async || {
        found(&house, "Badly").await == 2 && found(&house, "Retagged").await == 1
    })
    .await;
    let songs = house.ann.ok("search3", "query=Badly&songCount=9").await["searchResult3"].clone();
    let ids: Vec<String> = songs["song"]
        .as_array()
        .unwrap()
        .iter()
        .map(|song| song["id"].as_str().unwrap().to_owned())
        .collect();
    for id in &ids {
        house.ann.ok("star", &format!("id={id}")).await;
        for query in ["format=mp3&maxBitRate=96", "format=opus"] {
            let heard = house.ann.get("stream", &format!("id={id}&{query}")).await;
            assert!(!heard.bytes().await.unwrap().is_empty());
        }
        house.ann.get("getCoverArt", &format!("id={id}&size=100")).await;
    }
    let good = house.ann.id("song", "Goodly").await;
    house
        .ann
        .get("stream", &format!("id={good}&format=mp3&maxBitRate=96"))
        .await
        .bytes()
        .await
        .unwrap();
    until("transcodes are kept", async || kept(&house, "transcodes").len() == 5).await;
    let covers = kept(&house, "").len() - 5;
    assert!(0 < covers, "pictures are kept");

    let hash = *blake3::hash(&bytes).as_bytes();
    let taken = services.matching.take_down(&ann, &hash, "A letter", Extent::Sound).await.unwrap();
    // What is known is gone when the answer is there.
    assert_eq!(found(&house, "Badly").await, 0);
    assert_eq!(kept(&house, "transcodes").len(), 1, "only the other's is left");
    assert_eq!(kept(&house, "").len(), 1, "no picture is left");
    for id in &ids {
        assert_eq!(house.ann.refused("stream", &format!("id={id}")).await, 70);
        assert_eq!(house.ann.refused("getSong", &format!("id={id}")).await, 70);
    }
    assert!(bad.exists(), "a folder that is only read stays as it is");
    until("what sounds the same is gone", async || found(&house, "Retagged").await == 0).await;
    until("all is looked at", async || {
        let rows = services.drive.take_downs(&ann).await.unwrap();
        rows[0].done_at.is_some()
    })
    .await;
    let rows = services.drive.take_downs(&ann).await.unwrap();
    assert_eq!((rows[0].files, rows[0].with_sound), (2, true), "{rows:?}");

    // Nor does it come again: as it was, in other tags, by the folder.
    for again in [bytes.clone(), retagged(folder, "Again")] {
        let refused = put(&house, locker, "again.flac", &again).await.unwrap_err();
        assert_eq!(refused.to_string(), "An administrator took this down: A letter");
    }
    std::fs::copy(&bad, folder.join("copy.flac")).unwrap();
    std::fs::write(folder.join("tagged.flac"), retagged(folder, "Sneaked")).unwrap();
    flac("later.flac").of("Good", "Good", "Later").write(folder);
    until("what is new is seen", async || found(&house, "Later").await == 1).await;
    crate::ingest::scan(&house.app, tunelocker::ingest::ScanKind::Full).await;
    assert_eq!((found(&house, "Badly").await, found(&house, "Sneaked").await), (0, 0));
    assert_eq!(found(&house, "Goodly").await, 1);

    // Allowed again: the folder's come back as they were, what is gone from lockers can be sent.
    let allowed = services.matching.allow_again(&ann, taken.id).await.unwrap();
    assert!(allowed.lifted_at.is_some() && allowed.refused == 2, "{allowed:?}");
    until("they are seen again", async || {
        found(&house, "Badly").await == 2 && found(&house, "Sneaked").await == 1
    })
    .await;
    let starred = house.ann.ok("getStarred2", "").await["starred2"]["song"].clone();
    assert_eq!(starred.as_array().unwrap().len(), 1, "{starred}");
    put(&house, locker, "mine.flac", &bytes).await.unwrap();
    until("it is heard from the locker", async || found(&house, "Badly").await == 3).await;
}
