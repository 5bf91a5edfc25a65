//! The panel's files in Chromium: folders, upload, rename, copy, move, undo, trash, versions, search,
//! zip and sharing, by mouse and keyboard.

use std::{path::Path, process::Command};

use tunelocker::accounts::NewUser;

use crate::harness::TestApp;

const PASSWORD: &str = "correct horse battery";

#[tokio::test(flavor = "multi_thread")]
async fn a_person_keeps_files_in_order() {
    let app = TestApp::spawn().await;
    let accounts = &app.services.accounts;
    accounts.ensure_first_admin("mira", PASSWORD).await.unwrap();
    let mira = accounts.principal_named("mira").await.unwrap();
    accounts.create_user(&mira, &NewUser::new("tom", PASSWORD)).await.unwrap();
    let file = app.folder.path().join("Cover art.jpg");
    std::fs::write(&file, crate::harness::music::jpeg(300, [40, 90, 160])).unwrap();
    let base = app.url("");
    tokio::task::spawn_blocking(move || use_it(&base, &file)).await.unwrap();
}

fn use_it(base: &str, file: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert!(
        root.join(".cache/web/node_modules/playwright-core").exists(),
        "the browser's driver is missing; run tests/setup.sh node"
    );
    let output = Command::new("node")
        .arg(root.join("tests/web/files.mjs"))
        .args(["--base", base, "--password", PASSWORD])
        .arg("--upload")
        .arg(file)
        .output()
        .expect("node runs");
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
