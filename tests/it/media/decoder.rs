//! Formats that the readers of tags do not know, asked of the decode worker in its sandbox.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use tunelocker::media::worker::{Pool, decoder::Program, sandbox::Sandbox};

use super::{read, tone};
use crate::harness::denied::without_seccomp;

fn program(path: &str) -> Program {
    Program { path: path.into(), sandbox: Sandbox::Required }
}

/// Readers that may ask the decoder of this build.
fn pool() -> Pool {
    let decoder = program(env!("CARGO_BIN_EXE_tunelocker-worker"));
    Pool::with_decoder(env!("CARGO_BIN_EXE_tunelocker").into(), 1, decoder)
}

const TAGS: &[&str] = &[
    "-metadata",
    "title=Träume",
    "-metadata",
    "artist=Someone; Else",
    "-metadata",
    "album=The Album",
    "-metadata",
    "track=3/9",
    "-metadata",
    "genre=Rock; Pop",
];

/// Name, arguments, container, codec, rate, bits, whether FFmpeg tags it.
type Row<'r> = (&'r str, &'r [&'r str], &'r str, &'r str, u32, u32, bool);

const TABLE: &[Row<'_>] = &[
    ("a.tta", &["-c:a", "tta", "-sample_fmt", "s16"], "tta", "tta", 44_100, 16, true),
    ("a.caf", &["-c:a", "pcm_s24be"], "caf", "pcm", 44_100, 24, true),
    ("b.caf", &["-c:a", "alac", "-sample_fmt", "s16p"], "caf", "alac", 44_100, 16, true),
    ("a.w64", &["-c:a", "pcm_s16le", "-ar", "96000"], "w64", "pcm", 96_000, 16, false),
    ("a.au", &["-c:a", "pcm_s16be"], "au", "pcm", 44_100, 16, true),
];

#[tokio::test]
async fn formats_of_the_decoder_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let pool = pool();
    for (name, arguments, container, codec, rate, bits, is_tagged) in TABLE {
        let path = tone(folder.path(), name, &[*arguments, TAGS].concat());
        let understood = read(&pool, &path).await;
        let understood = understood.unwrap_or_else(|error| panic!("{name}: {}", error.reason));
        let (tags, audio) = (&understood.tags, &understood.tags.audio);
        let is = (audio.container.as_str(), audio.codec.as_str(), audio.sample_rate);
        assert_eq!(is, (*container, *codec, *rate), "{name}");
        assert_eq!((audio.channels, audio.bit_depth), (2, *bits), "{name}");
        assert!(audio.duration_ms.abs_diff(1000) <= 25, "{name}: {audio:?}");
        assert!(0 < audio.bitrate_kbps, "{name}: {audio:?}");
        assert_eq!(understood.size, fs::metadata(&path).unwrap().len());
        if *is_tagged {
            assert_eq!(tags.title.as_deref(), Some("Träume"), "{name}");
            assert_eq!(tags.album.as_deref(), Some("The Album"), "{name}");
            assert_eq!(tags.genres, ["Rock", "Pop"], "{name}");
        } else {
            assert_eq!(tags.title.as_deref(), Some("a"), "{name}: its name is all there is");
        }
    }
}

#[tokio::test]
async fn a_length_that_is_not_written_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    // Into a pipe: there is no way back to the header.
    for (name, format, codec) in [
        ("a.webm", "webm", "libopus"),
        ("a.mka", "matroska", "libvorbis"),
        ("b.mka", "matroska", "flac"),
    ] {
        let path = folder.path().join(name);
        let made = Command::new("ffmpeg")
            .args(["-v", "error", "-nostdin", "-f", "lavfi", "-i", "sine=duration=3:r=48000"])
            .args(["-ac", "2", "-c:a", codec, "-f", format, "pipe:1"])
            .output()
            .unwrap();
        assert!(made.status.success());
        fs::write(&path, made.stdout).unwrap();
        let alone = read(&super::pool(1), &path).await.unwrap().tags.audio;
        assert_eq!(alone.duration_ms, 0, "{name}: the header says nothing");
        let known = read(&pool(), &path).await.unwrap().tags.audio;
        assert!(known.duration_ms.abs_diff(3000) <= 30, "{name}: {known:?}");
        assert_eq!((&known.container, &known.codec), (&alone.container, &alone.codec));
    }
}

#[tokio::test]
async fn what_is_no_music_stays_refused() {
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("film.mkv");
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc=size=64x64:duration=1"])
        .args(["-f", "lavfi", "-i", "sine=duration=1", "-c:a", "flac"])
        .arg(&film)
        .status();
    assert!(made.unwrap().success());
    let cut = fs::read(tone(folder.path(), "whole.tta", &["-c:a", "tta"])).unwrap();
    let files: &[(&str, &[u8])] = &[
        ("empty.tta", b""),
        ("header.tta", &cut[..22]),
        ("header.caf", b"caff\0\x01\0\0desc\0\0\0\0\0\0\0\x20"),
        ("header.au", b".snd\0\0\0\x18\xff\xff\xff\xff\0\0\0\x03\0\0\xac\x44\0\0\0\x02"),
        ("header.flac", b"fLaC\0\0\0\x22"),
        ("text.mp3", b"this is not music\n"),
        ("concat.mp3", b"ffconcat version 1.0\nfile film.mkv\n"),
    ];
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    let pool = pool();
    for name in files.iter().map(|(name, _)| *name).chain(["film.mkv"]) {
        let unreadable = read(&pool, &folder.path().join(name)).await.unwrap_err();
        assert!(unreadable.reason.starts_with("It"), "{name}: {}", unreadable.reason);
    }
}

#[tokio::test]
async fn a_decoder_that_fails_costs_its_file_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (tta, flac) = (
        tone(folder.path(), "a.tta", &["-c:a", "tta"]),
        tone(folder.path(), "a.flac", &["-metadata", "title=Tone"]),
    );
    for (name, script) in [
        ("dies", "exit 1"),
        ("babbles", "exec head -c 100000 /dev/zero >&0"),
        ("is silent", "exec sleep 0.2"),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let decoder = program(path.to_str().unwrap());
        let pool = Pool::with_decoder(env!("CARGO_BIN_EXE_tunelocker").into(), 1, decoder);
        assert!(refusal(&pool, &tta).await.contains("only the decoder reads"), "{name}");
        assert_eq!(read(&pool, &flac).await.unwrap().tags.title.as_deref(), Some("Tone"));
    }
    let decoder = program("/nowhere/tunelocker-worker");
    let pool = Pool::with_decoder(env!("CARGO_BIN_EXE_tunelocker").into(), 1, decoder);
    assert!(refusal(&pool, &tta).await.contains("only the decoder reads"));
}

#[test]
fn nothing_is_probed_without_its_sandbox() {
    let folder = tempfile::tempdir().unwrap();
    let path = tone(folder.path(), "a.tta", &["-c:a", "tta"]);
    without_seccomp(async || {
        assert!(refusal(&pool(), &path).await.contains("only the decoder reads"));
        let mut degraded = program(env!("CARGO_BIN_EXE_tunelocker-worker"));
        degraded.sandbox = Sandbox::Degraded;
        let pool = Pool::with_decoder(env!("CARGO_BIN_EXE_tunelocker").into(), 1, degraded);
        assert_eq!(read(&pool, &path).await.unwrap().tags.audio.codec, "tta");
    });
}

async fn refusal(pool: &Pool, path: &Path) -> String {
    read(pool, path).await.unwrap_err().reason
}
