//! Shares of what was taken down: it is in none of their pages, sounds and archives, and where nothing
//! is left of a share, it is gone.

use std::io::Cursor;

use reqwest::StatusCode;
use serde_json::json;
use tunelocker::{
    drive::{Condition, RelativePath, Target},
    matching::Extent,
};

use super::shares::{get, share, visitor};
use crate::{drive::body, harness::music::flac, ingest::until, subsonic::House};

/// Names and contents of an archive of a share.
async fn archive(url: &str) -> Vec<(String, Vec<u8>)> {
    let answer = get(&visitor(), &format!("{url}/download")).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let mut zip = zip::ZipArchive::new(Cursor::new(answer.bytes().await.unwrap())).unwrap();
    (0..zip.len())
        .map(|at| {
            let mut member = zip.by_index(at).unwrap();
            let mut bytes = Vec::new();
            std::io::copy(&mut member, &mut bytes).unwrap();
            (member.name().unwrap().into_owned(), bytes)
        })
        .collect()
}

#[tokio::test]
async fn what_was_taken_down_is_in_no_share() {
    let music = tempfile::tempdir().unwrap();
    let write = |name: &str, album: &str, title: &str| {
        flac(name).seconds(2.0).of("Band", album, title).write(music.path())
    };
    let bad = std::fs::read(write("bad.flac", "Album", "Badly")).unwrap();
    let good = std::fs::read(write("good.flac", "Album", "Goodly")).unwrap();
    let alone = std::fs::read(write("alone.flac", "Single", "Lonely")).unwrap();
    let house = House::over_library(music.path()).await;
    let (album, single) =
        (house.ann.id("album", "Album").await, house.ann.id("album", "Single").await);
    let (badly, goodly, lonely) = (
        house.ann.id("song", "Badly").await,
        house.ann.id("song", "Goodly").await,
        house.ann.id("song", "Lonely").await,
    );
    let made = house.ann.ok("createPlaylist", &format!("name=Mix&songId={badly}")).await;
    let list = made["playlist"]["id"].as_str().unwrap().to_owned();
    let share = async |items: &[&str]| {
        share(&house, json!({ "items": items, "mayDownload": true })).await.1
    };
    let whole = share(&[&album]).await;
    let mixed = share(&[&badly, &goodly, &lonely]).await;
    let (one, other, both) =
        (share(&[&badly]).await, share(&[&single]).await, share(&[&badly, &single]).await);
    let mix = share(&[&list]).await;
    assert_eq!(archive(&whole).await.len(), 2);
    assert_eq!(archive(&mixed).await.len(), 3);

    let ann = house.principal("ann").await;
    let bob = house.principal("bob").await;
    let locker = house.app.services.accounts.lockers(&bob).await.unwrap()[0].id;
    for bytes in [&bad, &alone] {
        // Somebody has it in a locker, too, so that it is known by its hash.
        let path = RelativePath::parse("mine.flac").unwrap();
        let target = Target { locker, path, condition: Condition::None };
        let drive = &house.app.services.drive;
        let hash = drive.put(&bob, &target, None, body(bytes)).await.unwrap().hash;
        house.app.services.matching.take_down(&ann, &hash, "", Extent::Content).await.unwrap();
    }
    for url in [&whole, &mixed] {
        let left = archive(url).await;
        assert_eq!(left.len(), 1, "{:?}", left[0].0);
        assert!(left[0].0.contains("Goodly") && left[0].1 == good);
        let page = get(&visitor(), url).await.text().await.unwrap();
        assert!(page.contains("Goodly") && !page.contains("Badly") && !page.contains("Lonely"));
        for part in ["stream", "download", "cover"] {
            let answer = get(&visitor(), &format!("{url}/tracks/{badly}/{part}")).await;
            assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{part}");
        }
    }
    // The same answer as of a share that never was.
    let never = get(&visitor(), &house.app.url("/s/never")).await;
    assert_eq!(never.status(), StatusCode::NOT_FOUND);
    let never = never.text().await.unwrap();
    for url in [&one, &other, &both] {
        let answer = get(&visitor(), url).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{url}");
        assert_eq!(answer.text().await.unwrap(), never);
        for part in ["download", "cover", &format!("tracks/{badly}/stream")] {
            let answer = get(&visitor(), &format!("{url}/{part}")).await;
            assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{part}");
        }
    }
    // A list is there, with nothing in it.
    let page = get(&visitor(), &mix).await;
    assert_eq!(page.status(), StatusCode::OK);
    let page = page.text().await.unwrap();
    assert!(page.contains("Mix") && !page.contains("Badly"));
    assert_eq!(get(&visitor(), &format!("{mix}/download")).await.status(), StatusCode::NOT_FOUND);

    // What may come back comes back to its shares.
    for down in house.app.services.drive.take_downs(&ann).await.unwrap() {
        house.app.services.matching.allow_again(&ann, down.id).await.unwrap();
    }
    until("they are seen again", async || {
        get(&visitor(), &one).await.status() == 200
            && get(&visitor(), &other).await.status() == 200
            && archive(&mixed).await.len() == 3
    })
    .await;
    assert_eq!(archive(&one).await[0].1, bad);
    assert_eq!(archive(&whole).await.len(), 2);
    assert_eq!(archive(&other).await[0].1, alone);
}
