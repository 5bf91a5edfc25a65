//! Nothing kept twice, plans, and the network drive's card, in Chromium.

use super::script::Script;
use crate::harness::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_kept_twice_and_the_drive_opens_as_its_card_says() {
    let app = TestApp::spawn().await;
    let token = app.services.accounts.set_up_token().await.unwrap().unwrap();
    let link = app.url(&format!("/setup?token={token}"));
    Script::new("kept.mjs").with("setup", link).pass_beside().await;
}

/// What is told to be typed leads here: never to an interface that is not listened at.
#[tokio::test]
async fn the_address_that_is_told_is_the_one_that_is_open() {
    let app = TestApp::spawn().await;
    let accounts = &app.services.accounts;
    accounts.ensure_first_admin("mira", "correct horse battery").await.unwrap();
    let mira = accounts.principal_named("mira").await.unwrap();
    let secret = accounts.create_app_password(&mira, "test").await.unwrap().secret;
    let request = reqwest::Client::new().get(app.url("/api/v1/addresses")).bearer_auth(secret);
    let told: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
    let here = format!("http://{}", app.http);
    assert_eq!(told, serde_json::json!({ "addresses": [{ "url": here }], "hereOnly": true }));
}
