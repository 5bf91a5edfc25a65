//! What could not be heard just now is asked for again, and not written down as what cannot be
//! heard.

use std::fs::File;

use tunelocker::analysis::{Phase, Status};

use super::{administrator, hearing, pieces::BANDS, until};
use crate::harness::{TestApp, denied::with_bad_blocks_from, music};

/// Whether it is done, and heard one of two.
fn one_of_two(status: &Status) -> bool {
    status.phase == Phase::Done && status.counts.tracks == 2 && 0 < status.counts.done
}

async fn assert_one_waits(app: &TestApp) {
    let ann = administrator(app).await;
    until(app, &ann, "the end", one_of_two).await;
    let counts = app.services.analysis.status(&ann).await.unwrap().counts;
    assert_eq!((counts.done, counts.unheard), (1, 0));
}

#[test]
fn analysis_asks_a_failing_disk_again() {
    let (folder, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    music::flac("a/short.flac").of("Ann", "Album", "short").seconds(2.0).write(folder.path());
    let long = music::wav(folder.path(), "b/long.wav", 120.0);
    let good = 8 << 20;
    assert!(good < File::open(long).unwrap().metadata().unwrap().len());
    with_bad_blocks_from(good, async || {
        let app = hearing(folder.path(), data.path(), true).await;
        assert_one_waits(&app).await;
    });
}

#[tokio::test]
async fn analysis_without_its_decoder_writes_nothing_down() {
    let (folder, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    music::flac("a/short.flac").of("Ann", "Album", "short").seconds(2.0).write(folder.path());
    let scratch = tempfile::tempdir().unwrap();
    let piece = BANDS[0].piece(scratch.path(), "a", 1);
    let opus = folder.path().join("b/piece.opus");
    super::encode(&piece, &opus, &["-c:a", "libopus"], &[("title", "Piece")]);
    let app = TestApp::spawn_with(|config| {
        config.libraries.push(("Music".to_owned(), folder.path().to_owned()));
        data.path().clone_into(&mut config.data);
        data.path().clone_into(&mut config.drive);
        config.analysis.enabled = true;
        config.workers.decoder = Some("/nowhere/tunelocker-worker".into());
    })
    .await;
    assert_one_waits(&app).await;
}
