//! A scan that is killed loses nothing and leaves nothing.

use std::{
    fs,
    process::{Command, Stdio},
};

use super::{corpus::corpus, first_scan, tracks, until};
use crate::harness::TestApp;

#[tokio::test]
async fn killed_in_the_middle_it_goes_on() {
    let corpus = corpus("clean", &["--tracks", "2000"]);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut child = Command::new(env!("CARGO_BIN_EXE_tunelocker"))
        .arg("serve")
        .args(["--no-lan", "--listen", "127.0.0.1:0", "--data"])
        .arg(&data)
        .arg("--library")
        .arg(format!("Music={}", corpus.library.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // The log grows with the first batches; the scan is far from done then.
    until("the first batches", async || {
        fs::metadata(data.join("tunelocker.db-wal")).is_ok_and(|log| 400_000 < log.len())
    })
    .await;
    child.kill().unwrap();
    child.wait().unwrap();

    let library = corpus.library.clone();
    let app = TestApp::spawn_with(|config| {
        config.data = data.clone();
        config.drive = data;
        config.libraries.push(("Music".to_owned(), library));
    })
    .await;
    first_scan(&app).await;
    let parts: usize =
        corpus.of_type("cue").map(|row| row["tracks"].as_array().unwrap().len()).sum();
    assert_eq!(tracks(&app).await.len(), corpus.of_type("track").count() + parts);
}
