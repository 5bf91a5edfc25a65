//! Albums that are in several libraries are shown once in lists over all of them.

use serde_json::Value;
use tunelocker::ids::AlbumId;

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
