//! For whom the analysis stands back: scans and transcodes.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tunelocker::{
    accounts::Principal,
    analysis::Phase,
    catalog::{Track, TrackFacts, TrackSource},
    ids::TrackId,
    ingest::ScanKind,
    playback::{Opened, Target, Wish},
};

use super::{administrator, all_of, hearing, pieces::BANDS, until};
use crate::harness::{TestApp, music};

/// Readers of the scan: children of this process that stand back for nobody and do not decode.
fn readers() -> Vec<Pid> {
    let children = |task: fs::DirEntry| fs::read_to_string(task.path().join("children"));
    let ids: Vec<i32> = fs::read_dir("/proc/self/task")
        .unwrap()
        .filter_map(|task| children(task.ok()?).ok())
        .flat_map(|ids| ids.split_whitespace().map(|id| id.parse().unwrap()).collect::<Vec<_>>())
        .collect();
    let is_reader = |id: &i32| {
        let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let nice = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(16));
        line.split(|byte| *byte == 0).nth(1) == Some(b"worker") && nice == Some("0")
    };
    ids.iter().filter(|id| is_reader(id)).filter_map(|id| Pid::from_raw(*id)).collect()
}

/// Begins scans until one of them hangs because its readers stand still.
async fn hanging_scan(app: &TestApp, folder: &Path) -> Vec<Pid> {
    for round in 0..200 {
        for number in 0..40 {
            let path = format!("more/{round}-{number}.flac");
            music::flac(&path).tag("TITLE", &path).seconds(0.1).write(folder);
        }
        let before = app.services.ingest.status().last_scan_at;
        app.services.ingest.request_scan(ScanKind::Changes);
        // Also readers that come late stand still, and those of other pools stand by.
        let (mut stopped, mut since) = (Vec::new(), None);
        while app.services.ingest.status().last_scan_at == before {
            for reader in readers() {
                // One that has just ended cannot be stopped.
                if kill_process(reader, Signal::STOP).is_ok() {
                    stopped.push(reader);
                }
            }
            let is_scanning = app.services.ingest.status().is_scanning && !stopped.is_empty();
            let since = since.get_or_insert_with(Instant::now);
            if !is_scanning {
                *since = Instant::now();
            } else if Duration::from_secs(3) < since.elapsed() {
                return stopped;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        for reader in stopped {
            let _ = kill_process(reader, Signal::CONT);
        }
    }
    panic!("every scan was faster");
}

/// A transcode that comes to no end while nobody reads it: longer than a worker may be ahead.
async fn open_long(app: &TestApp, ann: &Principal, folder: &Path) -> Opened {
    let path = music::flac("long.flac").seconds(600.0).write(folder);
    let facts = TrackFacts {
        id: TrackId(9_999),
        duration_ms: 600_000,
        container: "flac".to_owned(),
        codec: "flac".to_owned(),
        sample_rate: 44_100,
        channels: 2,
        bit_depth: 16,
        size_bytes: fs::metadata(&path).unwrap().len(),
        content_type: "audio/flac",
        ..TrackFacts::default()
    };
    let source = TrackSource { track: Track::from(facts), path, lent: None, range_ms: None };
    app.services.playback.open_source(ann, &source, &Wish::to(Target::Wav), "test").await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn analysis_waits_for_scans_and_transcodes() {
    let (folder, data, aside) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    BANDS[0].piece(folder.path(), "a", 1);
    let app = hearing(folder.path(), data.path(), false).await;
    let ann = administrator(&app).await;
    until(&app, &ann, "the scan", |status| status.counts.tracks == 1).await;
    app.services.analysis.switch(&ann, false).await.unwrap();
    drop(app);
    let app = hearing(folder.path(), data.path(), true).await;
    until(&app, &ann, "a pause", |status| status.phase == Phase::Paused).await;

    let opened = open_long(&app, &ann, aside.path()).await;
    assert_eq!(app.services.playback.load().transcodes, 1);
    app.services.analysis.switch(&ann, true).await.unwrap();
    until(&app, &ann, "courtesy to a listener", |status| {
        status.phase == Phase::Streaming && status.counts.done == 0
    })
    .await;
    // A scan begins too; then the listener goes, and the scan is what it waits for.
    let readers = hanging_scan(&app, folder.path()).await;
    let begun = Instant::now();
    drop(opened);
    until(&app, &ann, "courtesy to a scan", |status| {
        status.phase == Phase::Scanning && status.counts.done == 0
    })
    .await;
    println!("stood back for a scan after {:?}", begun.elapsed());
    for reader in readers {
        // It may have been given up as hanging meanwhile.
        let _ = kill_process(reader, Signal::CONT);
    }
    until(&app, &ann, "the end", |status| {
        1 < status.counts.tracks && all_of(status.counts.tracks)(status)
    })
    .await;
}
