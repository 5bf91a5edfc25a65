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

/// What a phone is told to type leads here: on this machine, too, the port is the one that is open.
#[tokio::test]
async fn every_address_that_is_told_has_the_port_that_is_open() {
    let app = TestApp::spawn().await;
    let accounts = &app.services.accounts;
    accounts.ensure_first_admin("mira", "correct horse battery").await.unwrap();
    let mira = accounts.principal_named("mira").await.unwrap();
    let secret = accounts.create_app_password(&mira, "test").await.unwrap().secret;
    let request = reqwest::Client::new().get(app.url("/api/v1/addresses")).bearer_auth(secret);
    let told: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
    let urls = told["addresses"].as_array().unwrap();
    assert!(!urls.is_empty());
    for one in urls {
        let url = one["url"].as_str().unwrap();
        assert!(url.ends_with(&format!(":{}", app.http.port())), "{url}");
    }
}
