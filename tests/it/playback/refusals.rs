//! What is not sound, or pretends to be, is refused with a sentence; nothing is opened behind it.

use tunelocker::{
    Error,
    catalog::TrackFacts,
    playback::{Target, Wish},
};

use super::{Stage, sound::tone, track};

#[tokio::test(flavor = "multi_thread")]
async fn refuses_what_is_not_sound() {
    let stage = Stage::new().await;
    let folder = stage.folder.path();
    let secret = tone(folder, "secret.mp3", 44_100, 2, &[]);
    let secret = secret.to_str().unwrap();
    let garbage: Vec<u8> =
        (0..200_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("concat.mp3", format!("ffconcat version 1.0\nfile {secret}\n").into_bytes()),
        ("concat.flac", b"ffconcat version 1.0\nfile secret.mp3\n".to_vec()),
        ("hls.mp3", format!("#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile://{secret}\n#EXT-X-ENDLIST\n").into_bytes()),
        ("dash.m4a", format!("<?xml version=\"1.0\"?><MPD><Period><AdaptationSet><Representation><BaseURL>{secret}</BaseURL></Representation></AdaptationSet></Period></MPD>").into_bytes()),
        ("sdp.mp3", b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n".to_vec()),
        ("garbage.mp3", garbage),
        ("empty.flac", Vec::new()),
        ("short.flac", b"fLaC".to_vec()),
        ("text.wav", b"RIFF\xff\xff\xff\xffWAVEfmt ".to_vec()),
    ];
    for (name, content) in cases {
        let path = folder.join(name);
        std::fs::write(&path, content).unwrap();
        let source = track(&path, TrackFacts { duration_ms: 1000, ..TrackFacts::default() });
        match stage.open(&source, &Wish::to(Target::Mp3)).await {
            Err(Error::Unavailable(reason)) => {
                assert!(!reason.contains('/') && 20 < reason.len(), "{name}: {reason}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
    stage
        .eventually("everything ends", |stage| {
            let load = stage.playback.load();
            load.workers <= 1 && load.transcodes == 0 && load.streams == 0 && stage.cached() == 0
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_what_is_no_plain_file() {
    let stage = Stage::new().await;
    let path = stage.folder.path().join("pipe.mp3");
    let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    let pipe = track(&path, TrackFacts::default());
    assert!(matches!(stage.open(&pipe, &Wish::default()).await, Err(Error::Unavailable(_))));
    let mut gone = pipe;
    gone.path = stage.folder.path().join("gone.mp3");
    assert!(matches!(stage.open(&gone, &Wish::default()).await, Err(Error::Unavailable(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn says_so_when_there_is_no_decoder() {
    let stage =
        Stage::with(|settings| settings.decoder.path = "/nowhere/tunelocker-worker".into()).await;
    let path = tone(stage.folder.path(), "a.flac", 44_100, 2, &[]);
    let source = track(&path, TrackFacts::default());
    assert!(matches!(
        stage.open(&source, &Wish::to(Target::Mp3)).await,
        Err(Error::Unavailable(_))
    ));
    assert_eq!(stage.hear(&source, &Wish::default()).await, std::fs::read(&path).unwrap());
}

#[test]
fn the_sandbox_holds() {
    let tried = std::process::Command::new(env!("CARGO_BIN_EXE_tunelocker-worker"))
        .arg("--selftest")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&tried.stdout);
    assert!(tried.status.success(), "{said}");
    assert!(14 <= said.lines().filter(|line| line.starts_with("refused ")).count(), "{said}");
}
