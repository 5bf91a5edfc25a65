//! Music in a folder of a locker that its owner shares with somebody: it is there for that user as
//! all other music is, and gone when the share ends.

use tunelocker::drive::{Condition, RelativePath, Target};

use super::{App, House, names};
use crate::{drive::body, harness::music::flac, ingest::until};

fn path(text: &str) -> RelativePath {
    RelativePath::parse(text).unwrap()
}

/// Puts a song into ann's locker; its bytes.
async fn put(house: &House, place: &str, title: &str) -> Vec<u8> {
    let scratch = tempfile::tempdir().unwrap();
    let file = flac(place).of("Miles", "Blue", title).write(scratch.path());
    let bytes = std::fs::read(file).unwrap();
    let ann = house.principal("ann").await;
    let services = &house.app.services;
    let locker = services.accounts.lockers(&ann).await.unwrap()[0].id;
    let target = Target { locker, path: path(place), condition: Condition::None };
    services.drive.put(&ann, &target, None, body(&bytes)).await.unwrap();
    bytes
}

async fn found(app: &App, title: &str) -> usize {
    let query = format!("query={}&songCount=20", title.replace(' ', "%20"));
    let found = app.ok("search3", &query).await["searchResult3"]["song"].clone();
    found.as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn music_of_a_shared_folder_is_the_others_to_hear() {
    let house = House::empty().await;
    let (ann, bob) = (&house.ann, &house.bob);
    let bytes = put(&house, "Music/Jazz/01 So What.flac", "So What").await;
    put(&house, "Music/Private/02 Mine.flac", "Mine").await;
    until("ann hears both", async || {
        found(ann, "So What").await == 1 && found(ann, "Mine").await == 1
    })
    .await;
    assert_eq!(found(bob, "So What").await, 0);

    let drive = &house.app.services.drive;
    let owner = house.principal("ann").await;
    let locker = house.app.services.accounts.lockers(&owner).await.unwrap()[0].id;
    let share =
        drive.share_folder(&owner, locker, &path("Music/Jazz"), "bob", false).await.unwrap();
    until("bob hears it", async || found(bob, "So What").await == 1).await;
    assert_eq!(found(bob, "Mine").await, 0, "what is not shared is not seen");
    assert_eq!(found(ann, "So What").await, 1, "its owner has it once");
    let folders = bob.ok("getMusicFolders", "").await["musicFolders"]["musicFolder"].clone();
    assert!(names(&folders).contains(&"Jazz (ann)"), "{folders}");
    let folders = ann.ok("getMusicFolders", "").await["musicFolders"]["musicFolder"].clone();
    assert!(!names(&folders).contains(&"Jazz (ann)"), "{folders}");

    // Played, starred and put into a playlist as all other music is.
    let song = bob.id("song", "So What").await;
    let heard = bob.get("download", &format!("id={song}")).await;
    assert_eq!(heard.bytes().await.unwrap(), bytes);
    bob.ok("star", &format!("id={song}")).await;
    bob.ok("createPlaylist", &format!("name=His&songId={song}")).await;
    let albums = bob.ok("getAlbumList2", "type=alphabeticalByName").await["albumList2"].clone();
    assert_eq!(names(&albums["album"]), ["Blue"]);

    // What is added appears; a folder that is renamed stays the same to him.
    put(&house, "Music/Jazz/03 Blue in Green.flac", "Blue in Green").await;
    until("bob hears what was added", async || found(bob, "Blue in Green").await == 1).await;
    let target = Target { locker, path: path("Music/Cool"), condition: Condition::Absent };
    drive.move_to(&owner, locker, &path("Music/Jazz"), &target).await.unwrap();
    let renamed = async || {
        let folders = bob.ok("getMusicFolders", "").await["musicFolders"]["musicFolder"].clone();
        names(&folders).contains(&"Cool (ann)")
    };
    until("the folder has its new name", renamed).await;
    until("its music is there", async || found(bob, "So What").await == 1).await;
    assert_eq!(bob.id("song", "So What").await, song);
    let heard = bob.get("download", &format!("id={song}")).await;
    assert_eq!(heard.bytes().await.unwrap(), bytes);

    // The share ends: at once it is gone, and comes back with what he added.
    drive.unshare_folder(&owner, share.id).await.unwrap();
    assert_eq!(found(bob, "So What").await, 0);
    assert_eq!(bob.refused("getSong", &format!("id={song}")).await, 70);
    let starred = bob.ok("getStarred2", "").await["starred2"]["song"].clone();
    assert!(starred.as_array().unwrap().is_empty(), "{starred}");
    drive.share_folder(&owner, locker, &path("Music/Cool"), "bob", false).await.unwrap();
    until("bob hears it again", async || found(bob, "So What").await == 1).await;
    let starred = bob.ok("getStarred2", "").await["starred2"]["song"].clone();
    assert_eq!(names(&starred), ["So What"]);

    // A folder that goes takes its shares along.
    drive.trash(&owner, locker, &path("Music/Cool"), &Condition::None).await.unwrap();
    until("it is gone with the folder", async || found(bob, "So What").await == 0).await;
    // Who administers the server is told of libraries, not of what people share with each other.
    let operator = house.app.services.accounts.operator();
    let told = house.app.services.accounts.library_access(&operator).await.unwrap();
    assert!(told.iter().all(|library| !library.name.contains("(ann)")), "{told:?}");
}
