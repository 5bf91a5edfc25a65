//! Scans need somebody who reads.

use std::{fs, os::unix::fs::symlink};

use tunelocker::{
    app::{App, block_on},
    clock::Clock,
    ingest::ScanKind,
};

use super::{corpus::corpus, ids, library, scan, until};
use crate::harness::TestApp;

#[tokio::test]
async fn without_a_reader_a_scan_stops_and_marks_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (music, reader) = (folder.path().join("music"), folder.path().join("reader"));
    fs::create_dir(&music).unwrap();
    let corpus = corpus("clean", &["--tracks", "2000"]);
    for (at, row) in corpus.of_type("track").take(3).enumerate() {
        let path = row["path"].as_str().unwrap();
        let suffix = path.rsplit_once('.').unwrap().1;
        fs::copy(corpus.library.join(path), music.join(format!("{at}.{suffix}"))).unwrap();
    }
    let app = TestApp::spawn_with(|config| {
        config.libraries.push(("Music".to_owned(), music.clone()));
        config.workers.daemon = Some(reader.clone());
    })
    .await;
    until("the refusal", async || library(&app).await.state != "ok").await;
    let state = library(&app).await.state;
    assert!(state.contains("No worker process could be started"), "{state}");
    until("its end", async || !app.services.ingest.status().is_scanning).await;
    let status = app.services.ingest.status();
    let one = status.libraries.values().next().unwrap();
    assert_eq!((one.errors, one.problem.as_deref()), (0, Some(state.as_str())));
    assert_eq!(library(&app).await.scanned_at, None);

    // Nothing has to be forgotten once somebody can.
    symlink(env!("CARGO_BIN_EXE_tunelocker"), &reader).unwrap();
    scan(&app, ScanKind::Changes).await;
    assert_eq!(ids(&app).await.len(), 3);
    assert_eq!(library(&app).await.state, "ok");
    let status = app.services.ingest.status();
    assert_eq!(status.libraries.values().next().unwrap().problem, None);
}

#[test]
fn libraries_are_listed_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = TestApp::config(folder.path());
    config.libraries.push(("Music".to_owned(), folder.path().join("music")));
    block_on(async {
        let app = App::build(config, Clock::System).await.unwrap();
        let status = app.services().ingest.status();
        assert_eq!(status.libraries.len(), 1);
        assert!(status.is_scanning);
    });
}
