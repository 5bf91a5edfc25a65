//! What is sent over which line, in Chromium.

use super::{music, script::Script};
use crate::harness::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn the_first_sound_is_small_where_the_line_is_slow() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("library");
    music::library(&root);
    let app =
        TestApp::spawn_with(|config| config.libraries = vec![("Music".to_owned(), root)]).await;
    app.services.accounts.ensure_first_admin("mira", "correct horse battery").await.unwrap();
    Script::new("quality.mjs")
        .with("base", app.url(""))
        .with("name", "mira")
        .with("password", "correct horse battery")
        .pass_beside()
        .await;
}
