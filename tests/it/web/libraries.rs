//! What an administrator decides about a library, in Chromium.

use super::script::Script;
use crate::harness::{TestApp, music};

#[tokio::test(flavor = "multi_thread")]
async fn the_panel_shows_and_keeps_whether_a_folder_lends() {
    let folder = tempfile::tempdir().unwrap();
    let roots = ["Music", "Said"].map(|name| (name.to_owned(), folder.path().join(name)));
    for (name, root) in &roots {
        music::wav(root, &format!("{name}.wav"), 0.5);
    }
    let app = TestApp::spawn_with(|config| {
        config.libraries = roots.to_vec();
        config.lends = [("Said".to_owned(), true)].into();
    })
    .await;
    app.services.accounts.ensure_first_admin("mira", "correct horse battery").await.unwrap();
    Script::new("libraries.mjs").with("base", app.url("")).pass_beside().await;
    // Who goes round the panel is told the same.
    let client = reqwest::Client::new();
    let mira = |request: reqwest::RequestBuilder| {
        request.basic_auth("mira", Some("correct horse battery")).send()
    };
    let all = mira(client.get(app.url("/api/v1/libraries"))).await.unwrap();
    let all: serde_json::Value = all.json().await.unwrap();
    let said = all["items"].as_array().unwrap().iter().find(|one| one["name"] == "Said").unwrap();
    assert_eq!((&said["lends"], &said["lendsFixed"]), (&true.into(), &true.into()), "{said}");
    let address = app.url(&format!("/api/v1/libraries/{}", said["id"].as_str().unwrap()));
    for (lends, status) in [(true, 204), (false, 403)] {
        let wish = serde_json::json!({ "shared": true, "onLan": false, "lends": lends });
        let answer = mira(client.patch(&address).json(&wish)).await.unwrap();
        assert_eq!(answer.status(), status, "lends {lends}");
    }
}
