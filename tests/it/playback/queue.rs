//! More transcodes wanted than may run: they wait for their turn, and not for ever.

use std::time::Duration;

use tunelocker::{
    Error,
    catalog::TrackFacts,
    playback::{Opened, Target, Wish},
};

use super::{Stage, bytes, listener, sound::tone, track};

fn wish(kbps: u32) -> Wish {
    Wish { max_bitrate_kbps: Some(kbps), ..Wish::to(Target::Mp3) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transcode_waits_for_its_turn() {
    let stage = Stage::with(|settings| {
        settings.transcodes = 1;
        settings.patience = Duration::from_secs(60);
    })
    .await;
    let path = tone(stage.folder.path(), "a.flac", 44_100, 2, &[]);
    let source = track(&path, TrackFacts { duration_ms: 4000, ..TrackFacts::default() });
    let kbps = [96, 112, 128, 160, 192, 224];
    let wishes = kbps.map(wish);
    let all = wishes.iter().enumerate().map(|(user, wish)| {
        let (stage, source) = (&stage, &source);
        async move {
            let who = listener(user as i64 + 1);
            let opened = stage.playback.open_source(&who, source, wish, "test").await.unwrap();
            bytes(opened).await.len()
        }
    });
    let lengths = futures_util::future::join_all(all).await;
    assert!(lengths.is_sorted() && 40_000 < lengths[0], "{lengths:?}");
    stage
        .eventually("all is given back", |stage| {
            let load = stage.playback.load();
            (load.transcodes, load.waiting, load.streams) == (0, 0, 0)
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn patience_ends_with_a_clear_sentence() {
    let stage = Stage::with(|settings| {
        settings.transcodes = 1;
        settings.patience = Duration::from_millis(100);
    })
    .await;
    let long = stage.folder.path().join("long.wav");
    let made = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", "anoisesrc=d=1200:r=44100:a=0.3", "-ac", "2"])
        .arg(&long)
        .status()
        .unwrap();
    assert!(made.success());
    let source = track(&long, TrackFacts { duration_ms: 1_200_000, ..TrackFacts::default() });
    // Held by somebody who reads slowly.
    let held = stage.open(&source, &wish(320)).await.unwrap();
    assert!(matches!(held, Opened::Live(_)));
    let refused = stage.playback.open_source(&listener(2), &source, &wish(64), "test").await;
    let Err(Error::TooMany { message, .. }) = refused else { panic!("{refused:?}") };
    assert!(message.contains("The server has 1 transcodes open"), "{message}");
    let refused = stage.open(&source, &wish(64)).await;
    assert!(matches!(refused, Err(Error::TooMany { .. })));
    drop(held);
    stage
        .eventually("nothing is left", |stage| {
            let load = stage.playback.load();
            load.workers <= 1 && (load.transcodes, load.waiting, load.streams) == (0, 0, 0)
        })
        .await;
}

/// Many at once for the very same: one worker makes it, whoever comes first.
#[tokio::test(flavor = "multi_thread")]
async fn all_who_want_the_same_at_once_share_it() {
    let stage = Stage::with(|settings| {
        settings.transcodes = 1;
        settings.patience = Duration::from_millis(1);
    })
    .await;
    let path = tone(stage.folder.path(), "a.flac", 44_100, 2, &[]);
    let source = track(&path, TrackFacts { duration_ms: 4000, ..TrackFacts::default() });
    let wish = wish(128);
    let all = (1..=8).map(|user| {
        let (stage, source, wish) = (&stage, &source, &wish);
        async move {
            let opened =
                stage.playback.open_source(&listener(user), source, wish, "test").await.unwrap();
            bytes(opened).await
        }
    });
    let heard = futures_util::future::join_all(all).await;
    assert!(heard.iter().all(|bytes| *bytes == heard[0]) && 40_000 < heard[0].len());
}
