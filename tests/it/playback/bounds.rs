//! Limits, the cache, and that nothing survives its client.

use std::time::Duration;

use futures_util::StreamExt as _;
use tunelocker::{
    Error,
    accounts::Caps,
    catalog::TrackFacts,
    playback::{Opened, Target, Wish},
};

use super::{
    Stage, bytes, listener,
    sound::{LENGTH, Sound, hard, tone},
    track,
};
use crate::harness::times;

fn facts() -> TrackFacts {
    TrackFacts {
        duration_ms: (LENGTH * 1000.0) as u64,
        sample_rate: 44_100,
        channels: 2,
        bit_depth: 16,
        bitrate_kbps: 700,
        ..TrackFacts::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_original_is_the_file() {
    let stage = Stage::new().await;
    let path = stage.folder.path().join("a.dsf");
    std::fs::write(&path, vec![7; 100_000]).unwrap();
    let source = track(&path, facts());
    let Opened::File(body) = stage.open(&source, &Wish::default()).await.unwrap() else {
        panic!("an original is a file")
    };
    assert_eq!((body.len, body.content_type.as_ref()), (100_000, "audio/x"));
    assert_eq!(stage.playback.load().streams, 1);
    drop(body);
    assert_eq!(stage.playback.load().streams, 0);
    assert_eq!(stage.playback.load().workers, 0, "an original needs no worker");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_transcode_is_a_file_with_the_same_bytes() {
    let stage = Stage::new().await;
    let path = tone(stage.folder.path(), "a.flac", 44_100, 2, &[]);
    let source = track(&path, facts());
    let wish = Wish::to(Target::Opus);
    let first = stage.hear(&source, &wish).await;
    stage.eventually("the transcode is kept", |stage| stage.cached() == 1).await;
    let again = stage.open(&source, &wish).await.unwrap();
    assert!(matches!(&again, Opened::File(body) if body.len == first.len() as u64));
    assert_eq!(bytes(again).await, first);
    // Other bytes, another entry.
    tone(stage.folder.path(), "a.flac", 48_000, 2, &[]);
    assert!(matches!(stage.open(&source, &wish).await.unwrap(), Opened::Live(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_estimated_length_is_kept_to_the_byte() {
    let stage = Stage::new().await;
    let path = tone(stage.folder.path(), "a.flac", 44_100, 2, &[]);
    // As long as the sound, longer, shorter.
    for (duration_ms, target, kbps) in
        [(4_000, Target::Mp3, 128), (4_500, Target::Mp3, 112), (3_000, Target::Opus, 96)]
    {
        let source = track(&path, TrackFacts { duration_ms, ..facts() });
        let wish = Wish { max_bitrate_kbps: Some(kbps), estimate_length: true, ..Wish::to(target) };
        let Opened::Live(body) = stage.open(&source, &wish).await.unwrap() else {
            panic!("cached")
        };
        let promised = body.len.expect("a length");
        // What comes is compared with the promise in there.
        let heard = super::live(body).await.unwrap();
        let estimate = (duration_ms + 110) * u64::from(kbps) / 8;
        // A transcode that was finished already when the answer began has its true length.
        let is_true = || stage.cached() > 0 && Sound::of(&heard, "any").duration() > LENGTH - 0.05;
        // Opus needs room for its pages, too.
        let is_near = match target {
            Target::Opus => (estimate..estimate * 106 / 100 + 512).contains(&promised),
            _ => promised == estimate,
        };
        assert!(is_near || is_true(), "{promised} for {estimate}");
    }
}

/// Encoders overrun their rate where the sound is hard; what was promised must hold all of it.
#[tokio::test(flavor = "multi_thread")]
async fn an_estimated_length_cuts_nothing_off() {
    const SECONDS: f64 = 66.0;
    let stage = Stage::new().await;
    let path = hard(stage.folder.path(), "hard.flac", SECONDS);
    let source = track(&path, TrackFacts { duration_ms: (SECONDS * 1000.0) as u64, ..facts() });
    for (target, kbps) in [
        (Target::Opus, 48),
        (Target::Opus, 128),
        (Target::Mp3, 96),
        (Target::Aac, 64),
        (Target::M4a, 64),
    ] {
        let wish = Wish { max_bitrate_kbps: Some(kbps), estimate_length: true, ..Wish::to(target) };
        let Opened::Live(body) = stage.open(&source, &wish).await.unwrap() else {
            panic!("{target:?} is cached")
        };
        let promised = body.len;
        let heard = super::live(body).await.unwrap();
        assert!(promised.is_none_or(|len| len == heard.len() as u64), "{target:?} {promised:?}");
        let is_constant = matches!(target, Target::Opus | Target::Mp3);
        assert!(promised.is_some() || !is_constant, "{target:?}");
        let duration = Sound::of(&heard, target.suffix()).duration();
        assert!((duration - SECONDS).abs() < 0.05, "{target:?} {kbps}: {duration} s");
        // What fills the rest is little.
        let filling = heard.iter().rev().take_while(|byte| **byte == 0).count();
        assert!(filling < heard.len() / 40, "{target:?} {kbps}: {filling} of {}", heard.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_want_the_same_share_it() {
    let stage = Stage::with(|settings| settings.transcodes = 1).await;
    let path = tone(stage.folder.path(), "a.flac", 44_100, 2, &[]);
    let source = track(&path, facts());
    let wish = Wish::to(Target::Mp3);
    let one = stage.open(&source, &wish).await.unwrap();
    let other = stage.playback.open_source(&listener(2), &source, &wish, "b").await.unwrap();
    let (one, other) = tokio::join!(bytes(one), bytes(other));
    assert!(one == other && !one.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_at_once_is_said_clearly() {
    let stage = Stage::with(|settings| settings.streams_per_user = 2).await;
    let path = tone(stage.folder.path(), "a.flac", 44_100, 2, &[]);
    let source = track(&path, facts());
    let held = [
        stage.open(&source, &Wish::default()).await.unwrap(),
        stage.open(&source, &Wish::default()).await.unwrap(),
    ];
    let refused = stage.open(&source, &Wish::default()).await;
    assert!(matches!(refused, Err(Error::TooMany { .. })));
    assert!(stage.playback.open_source(&listener(2), &source, &Wish::default(), "").await.is_ok());
    drop(held);
    assert!(stage.open(&source, &Wish::default()).await.is_ok());

    let mut capped = listener(3);
    capped.caps = Caps { max_transcodes: Some(0), ..Caps::default() };
    let wish = Wish::to(Target::Mp3);
    let refused = stage.playback.open_source(&capped, &source, &wish, "").await;
    assert!(matches!(refused, Err(Error::TooMany { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_survives_its_client() {
    let stage = Stage::with(|settings| {
        settings.transcodes = 3;
        settings.transcodes_per_user = 3;
    })
    .await;
    // Long enough that it is not over before the client goes.
    let path = stage.folder.path().join("long.wav");
    let made = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", "anoisesrc=d=1200:r=44100:a=0.3", "-ac", "2"])
        .arg(&path)
        .status()
        .unwrap();
    assert!(made.success());
    let source = track(&path, TrackFacts { duration_ms: 1_200_000, ..facts() });
    for turn in 0..100 * times() {
        let wish = Wish {
            max_bitrate_kbps: Some(if turn % 2 == 0 { 128 } else { 192 }),
            offset: Duration::from_secs(turn % 3),
            ..Wish::to(if turn % 5 == 0 { Target::Opus } else { Target::Mp3 })
        };
        // The permit of the one before comes back when its worker has ended.
        let opened = loop {
            let opening = stage.open(&source, &wish);
            match tokio::time::timeout(Duration::from_secs(20), opening).await.unwrap() {
                Ok(opened) => break opened,
                Err(Error::TooMany { .. }) => tokio::time::sleep(Duration::from_millis(5)).await,
                Err(other) => panic!("{other:?}"),
            }
        };
        let Opened::Live(mut body) = opened else { panic!("an aborted transcode was kept") };
        if turn % 4 != 0 {
            assert!(!body.stream.next().await.unwrap().unwrap().is_empty());
        }
    }
    stage
        .eventually("no worker but the spare, no permit, no file", |stage| {
            let load = stage.playback.load();
            load.workers <= 1 && load.transcodes == 0 && load.streams == 0 && stage.cached() == 0
        })
        .await;
    // An open that is given up leaves nothing either.
    let wish = Wish::to(Target::Flac);
    let opening = stage.open(&source, &wish);
    let _ = tokio::time::timeout(Duration::from_millis(1), opening).await;
    stage
        .eventually("nothing is left", |stage| {
            let load = stage.playback.load();
            load.workers <= 1 && load.transcodes == 0 && load.streams == 0 && stage.cached() == 0
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_is_an_error_and_not_an_end() {
    let stage = Stage::new().await;
    let path = tone(stage.folder.path(), "a.flac", 44_100, 2, &[]);
    let source = track(&path, facts());
    // It says that it began, writes something and is gone.
    let script = stage.folder.path().join("dying");
    std::fs::write(&script, "#!/bin/sh\nexit 1\n").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&script, mode).unwrap();
    let stage = Stage::with(|settings| settings.decoder.path = script).await;
    let opened = stage.open(&source, &Wish::to(Target::Mp3)).await;
    assert!(matches!(opened, Err(Error::Unavailable(_))), "{opened:?}");
    stage.eventually("nothing is left", |stage| stage.cached() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_cache_lets_the_oldest_go() {
    let stage = Stage::with(|settings| settings.cache_bytes = 150_000).await;
    let path = tone(stage.folder.path(), "a.flac", 44_100, 2, &[]);
    let source = track(&path, facts());
    for kbps in [128, 160, 192] {
        let wish = Wish { max_bitrate_kbps: Some(kbps), ..Wish::to(Target::Mp3) };
        let heard = stage.hear(&source, &wish).await;
        assert!((Sound::of(&heard, "mp3").duration() - LENGTH).abs() < 0.05);
    }
    stage
        .eventually("it is within its bounds", |stage| {
            stage.playback.load().transcodes == 0 && stage.playback.load().cache_bytes <= 150_000
        })
        .await;
    assert_eq!(stage.cached(), 1);
}
