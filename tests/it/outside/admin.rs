//! The switches: off until an administrator turns them on, and the configuration has the last
//! word.

use serde_json::json;
use tunelocker::config::Feature;

use super::{
    Home,
    stub::{Reply, Stub},
};
use crate::harness::TestApp;

#[tokio::test]
async fn outside_everything_is_off_until_an_administrator_turns_it_on() {
    let home = Home::open(Stub::start(|_| Reply::status(404)).await, &[]).await;
    let (_, shown) = home.api("bob", "GET", "outside", None).await;
    let features = shown["features"].as_array().unwrap();
    assert_eq!(features.len(), Feature::ALL.len());
    assert!(features.iter().all(|one| one["on"] == false && one["forbidden"] == false), "{shown}");
    for feature in Feature::ALL {
        let path = format!("outside/{}", feature.name());
        let on = || Some(json!({ "on": true }));
        assert_eq!(home.api("bob", "PUT", &path, on()).await.0, 403);
        assert_eq!(home.api("ann", "PUT", &path, on()).await.0, 204);
        assert!(home.house.app.services.outside.is_on(feature).await.unwrap());
    }
    assert_eq!(
        home.api("ann", "PUT", "outside/podcasts", Some(json!({ "on": false }))).await.0,
        204
    );
    assert!(!home.house.app.services.outside.is_on(Feature::Podcasts).await.unwrap());
    assert_eq!(home.api("ann", "PUT", "outside/else", Some(json!({ "on": true }))).await.0, 404);
}

#[tokio::test]
async fn outside_the_configuration_has_the_last_word() {
    let app = TestApp::spawn_with(|config| config.outside.forbid = vec![Feature::Podcasts]).await;
    let accounts = &app.services.accounts;
    let operator = accounts.operator();
    let refused = app.services.outside.set_on(&operator, Feature::Podcasts, true).await;
    assert!(refused.unwrap_err().to_string().contains("configuration"));
    // Also where it was on before.
    accounts.set_on(&operator, Feature::Podcasts, true).await.unwrap();
    assert!(!app.services.outside.is_on(Feature::Podcasts).await.unwrap());
    app.services.outside.set_on(&operator, Feature::Radio, true).await.unwrap();
    assert!(app.services.outside.is_on(Feature::Radio).await.unwrap());
}

#[tokio::test]
async fn outside_lastfm_keys_are_kept_closed() {
    let home = Home::open(Stub::start(|_| Reply::status(404)).await, &[]).await;
    let keys = json!({ "key": "0123456789abcdef0123456789abcdef", "secret": "fedcba9876543210fedcba9876543210" });
    let path = "outside/lastfm/keys";
    assert_eq!(home.api("bob", "PUT", path, Some(keys.clone())).await.0, 403);
    assert_eq!(
        home.api("ann", "PUT", path, Some(json!({ "key": "x", "secret": "y" }))).await.0,
        400
    );
    assert_eq!(home.api("ann", "PUT", path, Some(keys)).await.0, 204);
    let (_, shown) = home.api("bob", "GET", "outside", None).await;
    assert_eq!(shown["lastfm"], json!({ "ready": true, "key": null }));
    let (_, shown) = home.api("ann", "GET", "outside", None).await;
    assert_eq!(shown["lastfm"]["key"], "0123456789abcdef0123456789abcdef");
    assert!(!shown.to_string().contains("fedcba"), "{shown}");
    // Nor does the database tell.
    for file in ["tunelocker.db", "tunelocker.db-wal"] {
        let bytes =
            std::fs::read(home.house.app.folder.path().join("data").join(file)).unwrap_or_default();
        let secret = b"fedcba9876543210fedcba9876543210";
        assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{file}");
    }
    assert_eq!(home.api("ann", "DELETE", path, None).await.0, 204);
    assert_eq!(home.house.app.services.accounts.lastfm_keys().await.unwrap(), None);
}
