//! Music gets in: what the files say is what the catalogue holds, whatever happens to the files.

mod changes;
pub(crate) mod corpus;
mod crash;
mod manifest;
mod readers;
mod real_music;
mod sounds;
mod unreadable;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use tunelocker::{
    catalog::{Library, Page, Track, TrackFilter, TrackOrder},
    ingest::{Phase, ScanKind},
};

use crate::harness::TestApp;

/// A server over one watched folder, after its first scan.
async fn over(folder: &Path) -> TestApp {
    let folder = folder.to_owned();
    let app =
        TestApp::spawn_with(|config| config.libraries.push(("Music".to_owned(), folder))).await;
    first_scan(&app).await;
    app
}

/// Waits for the end of the first scan.
pub(crate) async fn first_scan(app: &TestApp) {
    until("the first scan", async || {
        let status = app.services.ingest.status();
        !status.libraries.is_empty()
            && status.libraries.values().all(|it| it.phase == Phase::Idle && it.ended_at.is_some())
    })
    .await;
}

/// Scans and waits for the end.
pub(crate) async fn scan(app: &TestApp, kind: ScanKind) {
    app.services.ingest.request_scan(kind);
    until("a scan", async || !app.services.ingest.status().is_scanning).await;
}

/// Polls until it is so; far longer than it can take, for busy machines.
pub(crate) async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(300);
    while !is_so().await {
        assert!(Instant::now() < deadline, "{what} does not come");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Every track that the household sees, by path.
pub(crate) async fn tracks(app: &TestApp) -> Vec<Track> {
    let household = app.services.accounts.household().await.unwrap();
    let filter = TrackFilter::default();
    let page = Page::ALL;
    let list = app.services.catalog.tracks(&household, &filter, TrackOrder::Title, page).await;
    let mut tracks = list.unwrap().items;
    tracks.sort_by(|a, b| (&a.path, a.number).cmp(&(&b.path, b.number)));
    tracks
}

/// Path and id of every track.
async fn ids(app: &TestApp) -> Vec<(String, i64)> {
    tracks(app).await.into_iter().map(|track| (track.path.clone(), track.id.0)).collect()
}

/// The one library.
async fn library(app: &TestApp) -> Library {
    let household = app.services.accounts.household().await.unwrap();
    app.services.catalog.libraries(&household).await.unwrap().remove(0)
}
