//! litmus 0.13, the conformance suite of WebDAV: all of it.

use std::process::Command;

use super::Dav;
use crate::harness::machine::has;

#[tokio::test(flavor = "multi_thread")]
async fn litmus_passes_whole() {
    if !has("litmus") {
        return;
    }
    let dav = Dav::with_quota(100_000_000).await;
    for suite in ["basic", "copymove", "props", "locks", "http"] {
        // It writes a log where it stands.
        let folder = tempfile::tempdir().unwrap();
        let mut litmus = Command::new("litmus");
        litmus
            .env("TESTS", suite)
            .args(["-k", &dav.url("ann/"), "ann", &dav.secret])
            .current_dir(folder.path());
        let run = tokio::task::spawn_blocking(move || litmus.output()).await.unwrap().unwrap();
        let said = String::from_utf8_lossy(&run.stdout).into_owned();
        let summary = said.lines().find(|line| line.contains("summary for"));
        let summary = summary.unwrap_or_else(|| panic!("{suite}: {said}"));
        assert!(summary.contains("0 failed. 100.0%"), "{said}");
        println!("{summary}");
    }
}
