//! Folders that are dropped in Chromium: all that is in them is sent, to where it is to go.

use std::path::{Path, PathBuf};

use super::script::Script;
use crate::harness::{TestApp, music, tree};

const PASSWORD: &str = "correct horse battery";

/// Some of them lie deep; in two folders lie more than a browser gives at a time.
fn many(root: &Path, word: &str) -> usize {
    let write = |path: String| {
        music::write(root, &path, format!("{word} {path} ").repeat(20).as_bytes());
    };
    for number in 0..230 {
        write(format!("wide {number:03}.bin"));
    }
    for number in 0..101 {
        write(format!("One/Two/Three/Four/deep {number:03}.bin"));
    }
    for depth in 0..12 {
        write(format!("{}step.bin", "Down/".repeat(depth)));
    }
    std::fs::create_dir_all(root.join("One/Nothing in it")).unwrap();
    tree(root).len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_folder_is_walked_whole_in_a_browser() {
    let folder = tempfile::tempdir().unwrap();
    let files = many(&folder.path().join("Upload"), "upload");
    assert_eq!(many(&folder.path().join("Files"), "files"), files);
    for path in ["locked.flac", "closed/inner.flac", "one.flac", "last/two.flac"] {
        music::write(&folder.path().join("Bad"), path, path.repeat(100).as_bytes());
    }
    let app = TestApp::spawn().await;
    app.services.accounts.ensure_first_admin("mira", PASSWORD).await.unwrap();
    Script::new("drops.mjs")
        .with("base", app.url(""))
        .with("password", PASSWORD)
        .with("folders", folder.path())
        .with("files", files.to_string())
        .pass_beside()
        .await;
    let locker = app.folder.path().join("data/lockers/mira");
    assert_eq!(tree(&locker.join("Upload")), tree(&folder.path().join("Upload")));
    assert_eq!(tree(&locker.join("Into/Files")), tree(&folder.path().join("Files")));
    let mut bad = tree(&folder.path().join("Bad"));
    bad.retain(|path, _| path.ends_with("one.flac") || path.ends_with("two.flac"));
    let stored: Vec<PathBuf> = tree(&locker.join("Bad")).into_keys().collect();
    assert_eq!(stored, bad.into_keys().collect::<Vec<_>>());
}
