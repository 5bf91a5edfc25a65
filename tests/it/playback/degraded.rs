//! A system that cannot build the sandbox: nothing is decoded there unless somebody said so, and
//! everything else works.

use std::process::Command;

use tunelocker::{
    Error,
    catalog::TrackFacts,
    media::worker::sandbox::Sandbox,
    playback::{Target, Wish},
};

use super::{
    Stage,
    sound::{LENGTH, Sound, tone},
    track,
};
use crate::{harness::denied::without_seccomp, media};

#[test]
fn without_seccomp_nothing_is_decoded_unless_told() {
    without_seccomp(async || {
        let stage = Stage::new().await;
        let path = tone(stage.folder.path(), "a.flac", 44_100, 2, &["-metadata", "title=Tone"]);
        let source = track(&path, TrackFacts { duration_ms: 4000, ..TrackFacts::default() });
        match stage.open(&source, &Wish::to(Target::Mp3)).await {
            Err(Error::Unavailable(reason)) => {
                let names = reason.contains("seccomp") && reason.contains("workers.sandbox");
                assert!(names, "the one setting that helps is named: {reason}");
            }
            other => panic!("{other:?}"),
        }
        stage
            .eventually("nothing is left of it", |stage| {
                let load = stage.playback.load();
                load.transcodes == 0 && load.streams == 0 && stage.cached() == 0
            })
            .await;
        assert_eq!(stage.hear(&source, &Wish::default()).await, std::fs::read(&path).unwrap());
        // Tags are read by safe code, behind the walls that are left.
        let tags = media::read(&media::pool(1), &path).await.unwrap().tags;
        assert_eq!(tags.title.as_deref(), Some("Tone"));

        let stage = Stage::with(|settings| settings.decoder.sandbox = Sandbox::Degraded).await;
        let heard = stage.hear(&source, &Wish::to(Target::Mp3)).await;
        assert!((Sound::of(&heard, "mp3").duration() - LENGTH).abs() < 0.05);
    });
}

#[test]
fn the_self_test_notices_a_missing_wall() {
    without_seccomp(async || {
        for (program, arguments) in [
            (env!("CARGO_BIN_EXE_tunelocker-worker"), &["--selftest"][..]),
            (env!("CARGO_BIN_EXE_tunelocker"), &["worker", "--selftest"]),
        ] {
            let tried = Command::new(program).args(arguments).output().unwrap();
            let said = String::from_utf8_lossy(&tried.stdout);
            assert!(!tried.status.success(), "{said}");
            let layers = said.lines().find(|line| line.starts_with("layers: ")).unwrap();
            assert!(!layers.contains("seccomp"), "{said}");
        }
    });
}
