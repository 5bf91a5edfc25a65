//! What the workers hear, beside what others measure.

use std::{
    fs::{self, File},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Command,
};

use tunelocker::media::{
    analysis::{DIMENSIONS, Heard, Order, Unheard},
    worker::Pool,
};

use super::pool;
use crate::analysis::pieces::{BANDS, encode};

async fn hear(pool: &Pool, path: &Path, order: &Order) -> Result<Heard, Unheard> {
    pool.analyse(File::open(path).unwrap(), None, order).await.unwrap()
}

/// Integrated loudness as ffmpeg measures it.
fn measured(path: &Path) -> f64 {
    let out = Command::new("ffmpeg")
        .args(["-nostdin", "-i"])
        .arg(path)
        .args(["-af", "ebur128", "-f", "null", "-"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&out.stderr);
    let summary = &text[text.rfind("Summary:").unwrap()..];
    let line = summary.lines().find_map(|line| line.trim().strip_prefix("I:")).unwrap();
    line.trim().strip_suffix("LUFS").unwrap().trim().parse().unwrap()
}

#[tokio::test]
async fn loudness_is_what_others_measure() {
    let folder = tempfile::tempdir().unwrap();
    let pool = pool(1);
    for (at, band) in BANDS.iter().enumerate() {
        let wav = band.piece(folder.path(), &format!("{at}"), 7);
        let heard = hear(&pool, &wav, &Order::default()).await.unwrap();
        let loudness = heard.loudness.unwrap();
        let other = measured(&wav);
        assert!((loudness.lufs - other).abs() < 0.2, "{}: {loudness:?}, {other}", band.name);
        assert!((loudness.peak - 20_000.0 / 32_768.0).abs() < 0.001, "{loudness:?}");
        let sound = heard.sound.unwrap();
        assert_eq!(sound.features.len(), DIMENSIONS);
    }
}

#[tokio::test]
async fn the_audio_hash_is_of_the_sound_alone() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let pool = pool(1);
    let (one, other) = (BANDS[0].piece(root, "one", 1), BANDS[0].piece(root, "other", 2));
    for (suffix, codec) in [
        ("flac", "flac"),
        ("mp3", "libmp3lame"),
        ("ogg", "libvorbis"),
        ("opus", "libopus"),
        ("m4a", "aac"),
        ("wav", "pcm_s16le"),
    ] {
        let path = |name: &str| root.join(name).with_extension(suffix);
        let hash = async |path: &Path| {
            let first = hear(&pool, path, &Order::default()).await;
            match first {
                Ok(heard) => heard.audio_hash.unwrap(),
                // Sound that this process cannot decode has a hash all the same.
                Err(Unheard::NoDecoder) => {
                    let order = Order { known: Some([0; 32]), ..Order::default() };
                    assert_eq!(hear(&pool, path, &order).await, Err(Unheard::NoDecoder));
                    [suffix.len() as u8; 32]
                }
                Err(Unheard::Failed(reason) | Unheard::Unread(reason)) => {
                    panic!("{}: {reason}", path.display())
                }
            }
        };
        encode(&one, &path("first"), &["-c:a", codec], &[("title", "First")]);
        let first = hash(&path("first")).await;
        if suffix == "opus" {
            continue;
        }
        let tags = [("title", "Another title, and a long one"), ("artist", "Somebody")];
        encode(&path("first"), &path("retagged"), &["-c", "copy"], &tags);
        assert_eq!(hash(&path("retagged")).await, first, "{suffix}");
        assert_ne!(fs::read(path("first")).unwrap(), fs::read(path("retagged")).unwrap());
        encode(&other, &path("second"), &["-c:a", codec], &[("title", "First")]);
        assert_ne!(hash(&path("second")).await, first, "{suffix}");

        // Known already: nothing else is computed.
        let order = Order { known: Some(first), ..Order::default() };
        let same = hear(&pool, &path("retagged"), &order).await.unwrap();
        assert!(same.is_same && same.loudness.is_none() && same.audio_hash == Some(first));
        let different = hear(&pool, &path("second"), &order).await.unwrap();
        assert!(!different.is_same && different.loudness.is_some());
    }
}

#[tokio::test]
async fn a_part_is_heard_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let pool = pool(1);
    // A soft piece, then a loud one, in one file.
    let soft = root.join("soft.wav");
    encode(&BANDS[2].piece(root, "low", 1), &soft, &["-af", "volume=-20dB"], &[]);
    let loud = BANDS[1].piece(root, "loud", 1);
    let joined = root.join("joined.flac");
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y", "-i"])
        .arg(&soft)
        .arg("-i")
        .arg(&loud)
        .args(["-filter_complex", "concat=n=2:v=0:a=1"])
        .arg(&joined)
        .status()
        .unwrap();
    assert!(made.success());
    for (path, range_ms) in [(&soft, (0, 5_000)), (&loud, (5_000, 10_000))] {
        let whole = hear(&pool, path, &Order::default()).await.unwrap();
        let order = Order { range_ms: Some(range_ms), ..Order::default() };
        let part = hear(&pool, &joined, &order).await.unwrap();
        assert_eq!(part.audio_hash, None);
        let (whole, part) = (whole.loudness.unwrap(), part.loudness.unwrap());
        assert!((whole.lufs - part.lufs).abs() < 0.1, "{whole:?} {part:?}");
        assert!((whole.peak - part.peak).abs() < 0.01, "{whole:?} {part:?}");
    }
    let order = Order { range_ms: Some((90_000, 99_000)), ..Order::default() };
    assert!(matches!(hear(&pool, &joined, &order).await, Err(Unheard::Failed(_))));
}

#[tokio::test]
async fn what_cannot_be_heard_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let pool = pool(1);
    let text = root.join("text.flac");
    fs::write(&text, "this is no music").unwrap();
    assert_eq!(hear(&pool, &text, &Order::default()).await, Err(Unheard::NoDecoder));
    let silence = root.join("silence.wav");
    encode(&BANDS[0].piece(root, "a", 1), &silence, &["-af", "volume=0"], &[]);
    let heard = hear(&pool, &silence, &Order::default()).await.unwrap();
    assert_eq!((heard.loudness, heard.sound), (None, None));
    assert!(heard.audio_hash.is_some());

    // A worker that dies over a file, and one that is not there.
    let dies = root.join("dies");
    let script = "#!/bin/sh\nprintf '\\0\\0\\0\\0\\7\\0' >&0; head -c 1 <&0 >/dev/null; exit 1\n";
    fs::write(&dies, script).unwrap();
    fs::set_permissions(&dies, fs::Permissions::from_mode(0o755)).unwrap();
    let reason = "The worker process failed over this file".to_owned();
    let dying = Pool::in_background(dies, 1);
    assert_eq!(hear(&dying, &silence, &Order::default()).await, Err(Unheard::Failed(reason)));
    let none = Pool::in_background(root.join("missing"), 1);
    let file = File::open(&silence).unwrap();
    assert!(none.analyse(file, None, &Order::default()).await.is_err());
}
