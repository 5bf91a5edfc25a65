//! Albums that are in several libraries are shown once in lists over all of them.

use serde_json::Value;
use tunelocker::{accounts::LibrarySharing, ids::AlbumId};

use super::{House, names};
use crate::harness::music::flac;

#[tokio::test]
async fn equal_albums_are_shown_once_and_say_where_else_they_are() {
    let other = tempfile::tempdir().unwrap();
    let song = |title: &str, seconds: f64| {
        let file = flac(&format!("Twice/{title}.flac")).of("Ann", "Twice", title).seconds(seconds);
        file.tag("DATE", "1999")
    };
    // The same music, and the same name with other music.
    song("One", 2.0).write(other.path());
    flac("Hits/x.flac").of("Somebody", "Hits", "x").write(other.path());
    let path = other.path().to_owned();
    let house = House::open_with(move |config| {
        let music = &config.libraries[0].1;
        song("One", 2.0).picture(crate::harness::music::jpeg(40, [9, 9, 9])).write(music);
        config.libraries.push(("Copy".to_owned(), path));
    })
    .await;
    let ann = &house.ann;
    let listed = async |query: &str| {
        let list = ann.ok("getAlbumList2", query).await["albumList2"]["album"].clone();
        list.as_array().unwrap().clone()
    };
    let named = |list: &[Value], name: &str| {
        list.iter()
            .filter(|album| album["name"] == name)
            .map(|album| album["id"].clone())
            .collect::<Vec<_>>()
    };
    let all = listed("type=alphabeticalByName&size=50").await;
    let shown = named(&all, "Twice");
    assert_eq!(
        (shown.len(), named(&all, "Hits").len()),
        (1, 2),
        "{:?}",
        names(&Value::from(all.clone()))
    );
    let shuffled = listed("type=random&size=50").await;
    assert_eq!(named(&shuffled, "Twice"), shown);

    // The better copy is shown, and tells of the other; each library still has its own.
    let folders = ann.ok("getMusicFolders", "").await["musicFolders"]["musicFolder"].clone();
    let mut copies = Vec::new();
    for folder in folders.as_array().unwrap() {
        let query = format!(
            "type=alphabeticalByName&size=50&musicFolderId={}",
            folder["id"].to_string().trim_matches('"')
        );
        copies.extend(named(&listed(&query).await, "Twice"));
    }
    assert_eq!(copies.len(), 2);
    let principal = house.principal("ann").await;
    let id = AlbumId::parse(shown[0].as_str().unwrap()).unwrap();
    let also = house.app.services.catalog.also_in(&principal, id).await.unwrap();
    assert_eq!(also.len(), 1);
    assert_eq!(also[0].1, "Copy");
    assert!(copies.contains(&Value::from(also[0].0.to_string())));

    // A star on the copy that is not shown is no less a star.
    ann.ok("star", &format!("albumId={}", also[0].0)).await;
    assert_eq!(named(&listed("type=starred").await, "Twice"), [Value::from(also[0].0.to_string())]);
    drop(other);
}

/// Whoever sees one library alone sees its copy, whichever is the better one, and hears of no other.
#[tokio::test]
async fn a_copy_that_somebody_may_not_see_hides_none_of_his() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let song = || flac("Twice/One.flac").of("Ann", "Twice", "One").tag("DATE", "1999");
    // The better copy is in the first.
    song().picture(crate::harness::music::jpeg(40, [9, 9, 9])).write(first.path());
    song().write(second.path());
    let (path, music) = (second.path().to_owned(), first.path().to_owned());
    let house = House::over(first.path().to_owned(), move |config, _| {
        config.libraries.push(("First".to_owned(), music));
        config.libraries.push(("Second".to_owned(), path));
    })
    .await;
    house.wait_for_scan().await;
    let services = &house.app.services;
    let ann = house.principal("ann").await;
    let libraries = services.catalog.libraries(&ann).await.unwrap();
    let id = |name: &str| libraries.iter().find(|library| library.name == name).unwrap().id;
    let admin = services.accounts.operator();
    // Both are for everybody at first.
    let shown = async || {
        let list = house.bob.ok("getAlbumList2", "type=alphabeticalByName&size=9").await;
        let list = list["albumList2"]["album"].as_array().cloned().unwrap_or_default();
        list.iter().map(|album| album["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let best = shown().await;
    assert_eq!(best.len(), 1);
    let bob = house.principal("bob").await;
    let best_id = AlbumId::parse(&best[0]).unwrap();
    let also = services.catalog.also_in(&bob, best_id).await.unwrap();
    assert_eq!(also.iter().map(|one| one.1.as_str()).collect::<Vec<_>>(), ["Second"]);
    for (hidden, seen) in [("First", "Second"), ("Second", "First")] {
        services
            .accounts
            .share_library(&admin, id(hidden), &LibrarySharing::default())
            .await
            .unwrap();
        let found = shown().await;
        assert_eq!(found.len(), 1, "{hidden} is hidden");
        assert_eq!(found == best, seen == "First", "{hidden} is hidden");
        let bob = house.principal("bob").await;
        let album = AlbumId::parse(&found[0]).unwrap();
        assert!(services.catalog.also_in(&bob, album).await.unwrap().is_empty());
        // Nor is the other one found by its id, or by a search.
        let other = if found == best { &also[0].0 } else { &best_id };
        assert_eq!(house.bob.refused("getAlbum", &format!("id={other}")).await, 70);
        let search = house.bob.ok("search3", "query=Twice&albumCount=9").await;
        assert_eq!(search["searchResult3"]["album"].as_array().unwrap().len(), 1);
        let all = LibrarySharing { is_shared: true, ..LibrarySharing::default() };
        services.accounts.share_library(&admin, id(hidden), &all).await.unwrap();
    }
}
