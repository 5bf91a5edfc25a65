//! A file that was retagged and moved at once is known again by its sound.

use tunelocker::{
    catalog::{Item, Starred},
    ids::TrackId,
    ingest::ScanKind,
};

use super::{first_scan, scan, tracks, until};
use crate::{
    analysis::pieces::{BANDS, encode},
    harness::TestApp,
};

#[tokio::test]
async fn a_retagged_and_moved_file_keeps_what_people_added_to_it() {
    let scratch = tempfile::tempdir().unwrap();
    let wav = BANDS[0].piece(scratch.path(), "piece", 1);
    let noise = BANDS[1].piece(scratch.path(), "noise", 2);
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().to_owned();
    let write = |from: &std::path::Path, path: &str, title: &str, artist: &str, album: &str| {
        let to = library.join(path);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        encode(from, &to, &[], &[("title", title), ("artist", artist), ("album", album)]);
    };
    write(&wav, "Old/song.flac", "Sogn", "Unknown", "Rips");
    write(&noise, "Old/stays.flac", "Stays", "Unknown", "Rips");
    let at = library.clone();
    let app = TestApp::spawn_with(|config| {
        config.libraries.push(("Music".to_owned(), at));
        config.analysis.enabled = true;
    })
    .await;
    first_scan(&app).await;
    let accounts = &app.services.accounts;
    accounts.ensure_first_admin("ann", "ann's own password").await.unwrap();
    let ann = accounts.principal_named("ann").await.unwrap();
    until("the sounds", async || {
        let counts = app.services.analysis.status(&ann).await.unwrap().counts;
        counts.tracks == 2 && counts.done == 2
    })
    .await;
    let id_of = async |path: &str| -> TrackId {
        tracks(&app).await.into_iter().find(|track| track.path == path).unwrap().id
    };
    let song = id_of("Old/song.flac").await;
    let catalog = &app.services.catalog;
    catalog.set_starred(&ann, Item::Track(song), Starred::Yes).await.unwrap();
    catalog.set_rating(&ann, Item::Track(song), Some(5)).await.unwrap();
    let playlist = catalog.create_playlist(&ann, "Best", &[song]).await.unwrap();

    // Gone and here again within one scan.
    std::fs::remove_file(library.join("Old/song.flac")).unwrap();
    write(&wav, "New/Artist/01 Song.flac", "Song", "Artist", "Album");
    scan(&app, ScanKind::Full).await;
    assert_eq!(id_of("New/Artist/01 Song.flac").await, song);
    let found = catalog.track(&ann, song).await.unwrap();
    assert_eq!((&*found.title, found.annotation.rating), ("Song", Some(5)));
    assert!(found.annotation.starred_at.is_some());

    // Gone for a while, then here again under yet another name.
    std::fs::remove_file(library.join("New/Artist/01 Song.flac")).unwrap();
    scan(&app, ScanKind::Full).await;
    assert_eq!(tracks(&app).await.len(), 1);
    write(&wav, "Third/x.flac", "Another Title", "Another Artist", "Another Album");
    // As long and not it.
    write(&noise, "Third/y.flac", "Noise again", "Nobody", "Nothing");
    scan(&app, ScanKind::Full).await;
    assert_eq!(id_of("Third/x.flac").await, song);
    let played = catalog.playlist_tracks(&ann, playlist).await.unwrap();
    assert_eq!(&*played[0].title, "Another Title");
    let other = id_of("Third/y.flac").await;
    assert!(other != song && other != id_of("Old/stays.flac").await, "its file is still there");
}
