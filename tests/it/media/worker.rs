//! The process boundary: what a worker may not do, and what its death costs.

use std::{
    fs::{self, File},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use tunelocker::{
    Error,
    media::worker::{Pool, ReadItem, ReadOptions},
};

use super::{corpus::Corpus, item, pool, tone};
use crate::harness::times;

#[test]
fn a_confined_process_gets_nowhere() {
    let tried = Command::new(env!("CARGO_BIN_EXE_tunelocker"))
        .args(["worker", "--selftest"])
        .output()
        .unwrap();
    let said = String::from_utf8(tried.stdout).unwrap();
    assert!(tried.status.success(), "{said}");
    assert!(said.lines().filter(|line| line.starts_with("refused ")).count() >= 18, "{said}");
    assert!(said.lines().any(|line| line.starts_with("layers: seccomp")), "{said}");
}

#[tokio::test]
async fn a_killed_worker_costs_no_file() {
    let corpus = Corpus::hostile(300);
    let pool = pool(1);
    let paths: Vec<_> = corpus.of_type("track").map(|row| row["path"].as_str().unwrap()).collect();
    let items = paths.iter().cycle().take(900).map(|path| item(&corpus.library, path)).collect();
    let reading = tokio::spawn({
        let pool = pool.clone();
        async move { pool.understand(items).await.unwrap() }
    });
    let victim = loop {
        if let Some(id) = pool.processes().first() {
            break *id;
        }
        tokio::task::yield_now().await;
    };
    let killed = Command::new("kill").args(["-9", &victim.to_string()]).status().unwrap();
    assert!(killed.success());
    let answers = reading.await.unwrap();
    assert_eq!(answers.len(), 900);
    assert!(answers.iter().all(Result::is_ok));
    assert!(!pool.processes().contains(&victim));
}

#[tokio::test]
async fn workers_end_with_their_pool() {
    let folder = tempfile::tempdir().unwrap();
    tone(folder.path(), "a.flac", &[]);
    let pool = pool(1);
    assert!(pool.understand(vec![item(folder.path(), "a.flac")]).await.unwrap()[0].is_ok());
    let worker = PathBuf::from(format!("/proc/{}", pool.processes()[0]));
    assert!(worker.exists());
    drop(pool);
    // Well before the half minute after which an idle one ends by itself.
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while worker.exists() {
        assert!(std::time::Instant::now() < deadline, "the worker outlives its pool");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_worker_that_hangs_or_lies_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let music = tone(folder.path(), "a.flac", &[]);
    for (name, script) in [
        ("hangs", "exec sleep 600"),
        ("babbles", "exec head -c 100000 /dev/zero >&0"),
        ("claims", "printf '\\377\\377\\377\\177\\5\\0' >&0; exec sleep 600"),
        (
            "answers",
            "printf '\\2\\0\\0\\0\\5\\0{}' >&0; printf '\\4\\0\\0\\0\\5\\0\\0\\0\\0\\0' >&0; exec cat >/dev/null",
        ),
        ("dies", "exit 1"),
    ] {
        let ready = format!("printf '\\0\\0\\0\\0\\7\\0' >&0; {script}");
        let program = script_of(folder.path(), name, &ready);
        let pool = Pool::with_patience(program, 1, Duration::from_millis(500));
        let items = ["a.flac", "a.flac"].map(|name| item(folder.path(), name)).into();
        let answers = pool.understand(items).await.unwrap();
        let last = answers[1].as_ref().unwrap_err();
        assert_eq!(last.reason, "The worker process failed over this file", "{name}");
        let picture = pool.scale(fs::read(&music).unwrap().into(), 100).await;
        assert!(picture.is_err(), "{name}");
    }
}

#[tokio::test]
async fn that_no_worker_starts_says_nothing_about_the_files() {
    let folder = tempfile::tempdir().unwrap();
    tone(folder.path(), "a.flac", &[]);
    for (name, program) in [
        ("missing", folder.path().join("missing")),
        ("ends", script_of(folder.path(), "ends", "exit 1")),
        ("hangs", script_of(folder.path(), "hangs", "exec sleep 600")),
        ("babbles", script_of(folder.path(), "babbles", "exec head -c 100000 /dev/zero >&0")),
    ] {
        let pool = Pool::with_patience(program, 1, Duration::from_millis(500));
        let failed = pool.understand(vec![item(folder.path(), "a.flac")]).await.unwrap_err();
        let Error::Unavailable(reason) = failed else { panic!("{name}: {failed}") };
        assert!(reason.starts_with("No worker process could be started"), "{name}: {reason}");
    }
}

/// Writes a program. A shell does it: a file that is open for writing here while another test
/// starts a process could not be run.
fn script_of(folder: &Path, name: &str, script: &str) -> PathBuf {
    let path = folder.join(name);
    let written = Command::new("sh")
        .args(["-c", r#"printf '#!/bin/sh\n%s\n' "$1" > "$0" && chmod 755 "$0""#])
        .args([path.as_os_str(), script.as_ref()])
        .status();
    assert!(written.unwrap().success());
    path
}

#[tokio::test]
async fn only_regular_files_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("pipe.mp3");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    // Both ends, so that neither opening nor reading would ever end by itself.
    let pipe = File::options().read(true).write(true).custom_flags(libc::O_NONBLOCK).open(&fifo);
    for file in [pipe.unwrap(), File::open(folder.path()).unwrap()] {
        let item = ReadItem {
            file,
            relative_path: "pipe.mp3".into(),
            options: ReadOptions::default().into(),
        };
        let answer = pool(1).understand(vec![item]).await.unwrap().pop().unwrap();
        assert!(answer.unwrap_err().reason.contains("not a regular file"));
    }
}

#[tokio::test]
async fn two_thousand_broken_files_break_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut seeds = Vec::new();
    for name in
        ["a.mp3", "a.flac", "a.ogg", "a.opus", "a.m4a", "a.wav", "a.aiff", "a.wv", "a.wma", "a.mka"]
    {
        let tags = ["-metadata", "title=T", "-metadata", "artist=A", "-metadata", "track=1/2"];
        let path = tone(folder.path(), name, &[&tags[..], &["-t", "0.2"]].concat());
        seeds.push(fs::read(path).unwrap());
    }
    let mut random = Random(0x5eed);
    let pool = pool(2);
    let (mut understood, mut panics) = (0, 0);
    for round in 0..20 * times() {
        let items = (0..100).map(|number| {
            let broken = random.broken(&seeds[number % seeds.len()]);
            let path = folder.path().join(format!("{round}-{number}"));
            File::create(&path).unwrap().write_all(&broken).unwrap();
            item(folder.path(), &format!("{round}-{number}"))
        });
        for answer in pool.understand(items.collect()).await.unwrap() {
            match answer {
                Ok(_) => understood += 1,
                Err(unreadable) if unreadable.reason.starts_with("The reader failed") => {
                    panics += 1;
                }
                Err(unreadable) => {
                    let reason = unreadable.reason;
                    assert!(!reason.contains("worker process"), "{reason}");
                }
            }
        }
    }
    assert!((100 * times()..1990 * times()).contains(&understood), "{understood}");
    // Unoptimised builds check arithmetic that others wrap; a caught panic costs one file.
    assert!(panics < 20 * times(), "{panics}");
}

/// A generator that is the same everywhere (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most as u64) as usize
    }

    /// A copy with a few bytes changed, mostly in its head, perhaps cut.
    fn broken(&mut self, seed: &[u8]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..=self.below(12) {
            let within = if self.below(4) == 0 { bytes.len() } else { bytes.len().min(600) };
            let at = self.below(within);
            bytes[at] = match self.below(4) {
                0 => 0xff,
                1 => 0,
                2 => bytes[at] ^ (1 << self.below(8)),
                _ => self.below(256) as u8,
            };
        }
        if self.below(4) == 0 {
            bytes.truncate(1 + self.below(bytes.len()));
        }
        bytes
    }
}
