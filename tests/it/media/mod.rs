//! Files of every kind through the worker processes, as ingest sends them.

mod analysis;
pub(crate) mod corpus;
mod decoder;
mod fields;
mod formats;
mod manifest;
mod pictures;
mod worker;

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Command,
};

use tunelocker::media::worker::{Pool, ReadItem, ReadOptions, Understood, Unreadable};

/// The worker program of this build.
pub(crate) fn pool(processes: usize) -> Pool {
    Pool::new(env!("CARGO_BIN_EXE_tunelocker").into(), processes)
}

/// An item for one file.
pub(crate) fn item(root: &Path, relative_path: &str) -> ReadItem {
    ReadItem {
        file: File::open(root.join(relative_path)).unwrap(),
        relative_path: relative_path.to_owned(),
        options: ReadOptions::default().into(),
    }
}

/// Reads one file by itself.
pub(crate) async fn read(pool: &Pool, path: &Path) -> Result<Understood, Unreadable> {
    let (folder, name) = (path.parent().unwrap(), path.file_name().unwrap());
    pool.understand(vec![item(folder, name.to_str().unwrap())]).await.unwrap().pop().unwrap()
}

/// One second of a tone as `name`, encoded as its suffix or `arguments` say.
pub(crate) fn tone(folder: &Path, name: &str, arguments: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i"])
        .arg("sine=frequency=1000:sample_rate=44100:duration=1")
        .args(["-ac", "2"])
        .args(arguments)
        .arg(&path)
        .status()
        .unwrap();
    assert!(made.success(), "{name}");
    path
}
