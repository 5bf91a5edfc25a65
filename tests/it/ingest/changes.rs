//! Files move, change, go and come back while people's stars hang on them.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;
use tunelocker::{
    accounts::NewUser,
    catalog::{Item, Starred},
    ids::TrackId,
    ingest::{ScanKind, Watching},
};

use super::{corpus::corpus, ids, library, over, scan, tracks, until};

/// Copies an album of FLAC files with a known sound into `to`; gives their names.
fn album(to: &Path, count: usize) -> Vec<String> {
    let corpus = corpus("clean", &["--tracks", "2000"]);
    fs::create_dir_all(to).unwrap();
    let rows = corpus.of_type("track").filter(|row| row["format"] == "flac");
    let mut names = Vec::new();
    for (at, row) in rows.take(count).enumerate() {
        let name = format!("{at:03}.flac");
        fs::copy(corpus.library.join(row["path"].as_str().unwrap()), to.join(&name)).unwrap();
        names.push(name);
    }
    names
}

/// Copies a whole album of FLAC files, known by its title alone, into `to`; gives their names.
fn one_album(to: &Path) -> Vec<String> {
    let corpus = corpus("clean", &["--tracks", "2000"]);
    fs::create_dir_all(to).unwrap();
    let mut folders: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let by_title = |row: &&Value| row["format"] == "flac" && row["mb"].is_null();
    for row in corpus.of_type("track").filter(by_title) {
        let (folder, name) = row["path"].as_str().unwrap().rsplit_once('/').unwrap();
        folders.entry(folder).or_default().push(name);
    }
    let (folder, names) = folders.into_iter().find(|(_, names)| 3 < names.len()).unwrap();
    for name in &names {
        fs::copy(corpus.library.join(folder).join(name), to.join(name)).unwrap();
    }
    names.into_iter().map(str::to_owned).collect()
}

/// Another title of the same length: as a tagger would, by a new file in place of the old.
fn retag(file: &Path) {
    retag_field(file, "TITLE");
}

/// Another value of the same length in a field of a FLAC file.
fn retag_field(file: &Path, field: &str) {
    let mut bytes = fs::read(file).unwrap();
    // The length of a comment stands before it, so that `ALBUM` is not found in `MYALBUM`.
    let name = format!("{field}=");
    let is_comment = |at: &usize| {
        let length = bytes[at - 4..*at].try_into().map_or(0, u32::from_le_bytes) as usize;
        bytes[*at..].len() > name.len()
            && bytes[*at..at + name.len()].eq_ignore_ascii_case(name.as_bytes())
            && (name.len()..1000).contains(&length)
    };
    let at = (4..bytes.len()).find(is_comment).unwrap() + name.len();
    bytes[at] = if bytes[at] == b'X' { b'Y' } else { b'X' };
    let new = file.with_extension("tmp");
    fs::write(&new, bytes).unwrap();
    fs::rename(new, file).unwrap();
}

#[tokio::test]
async fn tracks_keep_their_ids() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    album(&root.join("a"), 6);
    let app = over(root).await;
    let first = ids(&app).await;
    assert_eq!(first.len(), 6);
    let id = |at: usize| first[at].1;

    // Renamed in place, swapped, moved to another folder, retagged.
    fs::rename(root.join("a/000.flac"), root.join("a/renamed.flac")).unwrap();
    fs::rename(root.join("a/001.flac"), root.join("a/x.flac")).unwrap();
    fs::rename(root.join("a/002.flac"), root.join("a/001.flac")).unwrap();
    fs::rename(root.join("a/x.flac"), root.join("a/002.flac")).unwrap();
    fs::create_dir(root.join("b")).unwrap();
    fs::rename(root.join("a/003.flac"), root.join("b/003.flac")).unwrap();
    retag(&root.join("a/004.flac"));
    scan(&app, ScanKind::Changes).await;
    let named = |path: &str, id: i64| (path.to_owned(), id);
    let second = [
        named("a/001.flac", id(2)),
        named("a/002.flac", id(1)),
        named("a/004.flac", id(4)),
        named("a/005.flac", id(5)),
        named("a/renamed.flac", id(0)),
        named("b/003.flac", id(3)),
    ];
    assert_eq!(ids(&app).await, second);

    // The whole folder under another name; a copy is another track.
    fs::rename(root.join("a"), root.join("c")).unwrap();
    fs::copy(root.join("c/001.flac"), root.join("c/copy.flac")).unwrap();
    scan(&app, ScanKind::Changes).await;
    let third = ids(&app).await;
    let copy = third.iter().find(|(path, _)| path == "c/copy.flac").unwrap().1;
    assert!(first.iter().all(|(_, id)| *id != copy));
    assert_eq!(third.iter().find(|(path, _)| path == "c/renamed.flac").unwrap().1, id(0));
    assert_eq!(third.len(), 7);

    // Away and back under another name, from elsewhere: new number, new time.
    fs::copy(root.join("c/renamed.flac"), folder.path().join("kept.bin")).unwrap();
    fs::remove_file(root.join("c/renamed.flac")).unwrap();
    scan(&app, ScanKind::Changes).await;
    assert_eq!(ids(&app).await.len(), 6);
    fs::create_dir(root.join("d")).unwrap();
    fs::rename(root.join("kept.bin"), root.join("d/back.flac")).unwrap();
    scan(&app, ScanKind::Changes).await;
    assert_eq!(ids(&app).await.iter().find(|(path, _)| path == "d/back.flac").unwrap().1, id(0));

    // Moved and retagged at once.
    fs::rename(root.join("c/005.flac"), root.join("d/005.flac")).unwrap();
    let before = fs::read(root.join("d/005.flac")).unwrap();
    fs::write(root.join("d/new.flac"), [&before[..], b"more"].concat()).unwrap();
    fs::remove_file(root.join("d/005.flac")).unwrap();
    scan(&app, ScanKind::Changes).await;
    assert_eq!(ids(&app).await.iter().find(|(path, _)| path == "d/new.flac").unwrap().1, id(5));
}

#[tokio::test]
async fn an_emptied_root_empties_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("music");
    album(&root.join("a"), 3);
    let app = over(&root).await;
    let before = ids(&app).await;
    let away = folder.path().join("away");

    // Not there at all, as an unmounted disk whose mount point is gone.
    fs::rename(&root, &away).unwrap();
    scan(&app, ScanKind::Changes).await;
    assert_eq!(ids(&app).await, before);
    assert!(library(&app).await.state.contains("not there"), "{}", library(&app).await.state);
    // A full scan does not change that: there is nothing to look at.
    scan(&app, ScanKind::Full).await;
    assert_eq!(ids(&app).await, before);

    // There, and empty: an unmounted disk whose mount point stays.
    fs::create_dir(&root).unwrap();
    scan(&app, ScanKind::Changes).await;
    assert_eq!(ids(&app).await, before);
    assert!(library(&app).await.state.contains("full scan"), "{}", library(&app).await.state);

    // Back again.
    fs::remove_dir(&root).unwrap();
    fs::rename(&away, &root).unwrap();
    scan(&app, ScanKind::Changes).await;
    assert_eq!((ids(&app).await, library(&app).await.state.as_str()), (before.clone(), "ok"));

    // Gone for good, by an administrator's word; and still known when it comes back.
    fs::rename(&root, &away).unwrap();
    fs::create_dir(&root).unwrap();
    scan(&app, ScanKind::Full).await;
    assert!(ids(&app).await.is_empty());
    fs::remove_dir(&root).unwrap();
    fs::rename(&away, &root).unwrap();
    scan(&app, ScanKind::Changes).await;
    assert_eq!(ids(&app).await, before);
}

#[tokio::test]
async fn changes_are_heard() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    album(&root.join("a"), 3);
    let app = over(root).await;
    let is_watched = async || {
        let status = app.services.ingest.status();
        status.libraries.values().all(|it| it.watching == Watching::Watched)
    };
    until("watching", is_watched).await;
    album(&root.join("new/album"), 2);
    until("the new album", async || ids(&app).await.len() == 5).await;
    fs::remove_file(root.join("a/000.flac")).unwrap();
    until("the loss", async || ids(&app).await.len() == 4).await;
    fs::rename(root.join("new"), root.join("newer")).unwrap();
    until("the new name", async || {
        ids(&app).await.iter().filter(|(path, _)| path.starts_with("newer/album/")).count() == 2
    })
    .await;
    // Words for a song.
    fs::write(root.join("a/001.lrc"), "[00:00.00]la\n[00:01.00]la la\n").unwrap();
    until("the words", async || tracks(&app).await.iter().any(|track| track.has_lyrics)).await;
}

#[tokio::test]
async fn an_album_that_is_tagged_anew_keeps_its_id_and_stars() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let files = one_album(&root.join("a"));
    let app = over(root).await;
    let (accounts, catalog) = (&app.services.accounts, &app.services.catalog);
    let new = NewUser::new("ann", "quite a long password");
    accounts.create_user(&accounts.operator(), &new).await.unwrap();
    let ann = accounts.principal_named("ann").await.unwrap();
    let before = tracks(&app).await;
    let album = before[0].album.unwrap();
    assert!(before.iter().all(|track| track.album == Some(album)));
    catalog.set_starred(&ann, Item::Album(album), Starred::Yes).await.unwrap();
    catalog.set_rating(&ann, Item::Album(album), Some(4)).await.unwrap();
    let entries: Vec<TrackId> = before.iter().map(|track| track.id).collect();
    let playlist = catalog.create_playlist(&ann, "Best", &entries).await.unwrap();

    // The first file alone, as a tagger that was stopped; then the rest.
    retag_field(&root.join("a").join(&files[0]), "ALBUM");
    scan(&app, ScanKind::Changes).await;
    assert_ne!(tracks(&app).await[0].album, Some(album));
    for file in &files[1..] {
        retag_field(&root.join("a").join(file), "ALBUM");
    }
    scan(&app, ScanKind::Changes).await;
    assert!(tracks(&app).await.iter().all(|track| track.album == Some(album)));
    let found = catalog.album(&ann, album).await.unwrap();
    assert!(found.name.starts_with(['X', 'Y']), "{}", found.name);
    assert!(found.annotation.starred_at.is_some());
    assert_eq!(found.annotation.rating, Some(4));
    let played = catalog.playlist_tracks(&ann, playlist).await.unwrap();
    assert_eq!(played.iter().map(|track| track.id).collect::<Vec<_>>(), entries);
}
