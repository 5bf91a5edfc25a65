//! From an upload to a listener: what lies in a locker is heard by whom it belongs to, within
//! seconds and with no scan command.

use std::time::Duration;

use serde_json::Value;
use tunelocker::{accounts::NewUser, catalog::Page};

use super::Lockers;
use crate::harness::music;

/// One household member with an app.
struct Member<'a> {
    lockers: &'a Lockers,
    client: reqwest::Client,
    secret: String,
}

impl<'a> Member<'a> {
    async fn new(lockers: &'a Lockers, name: &str) -> Self {
        let principal = lockers.accounts.principal_named(name).await.unwrap();
        let new = lockers.accounts.create_app_password(&principal, "app").await.unwrap();
        Self { lockers, client: reqwest::Client::new(), secret: new.secret }
    }

    async fn upload(&self, path: &str, bytes: &[u8]) {
        let url = self.lockers.app.url(&format!("/api/v1/files/{path}"));
        let sent = self.client.put(url).bearer_auth(&self.secret).body(bytes.to_vec());
        assert_eq!(sent.send().await.unwrap().status(), 201);
    }

    fn rest(&self, method: &str, parameters: &str) -> String {
        let path =
            format!("/rest/{method}?apiKey={}&v=1.16.1&c=test&f=json&{parameters}", self.secret);
        self.lockers.app.url(&path)
    }

    /// The id of the song of this title, if the member hears it now.
    async fn song(&self, title: &str) -> Option<String> {
        let url = self.rest("search3", &format!("query={title}"));
        let answer: Value = self.client.get(url).send().await.unwrap().json().await.unwrap();
        let songs = answer["subsonic-response"]["searchResult3"]["song"].as_array()?.clone();
        songs.iter().find(|song| song["title"] == title)?["id"].as_str().map(str::to_owned)
    }

    /// The same, waiting as a person would.
    async fn hears(&self, title: &str) -> String {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(id) = self.song(title).await {
                return id;
            }
            assert!(tokio::time::Instant::now() < deadline, "{title} never came");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn download(&self, id: &str) -> bytes::Bytes {
        let url = self.rest("download", &format!("id={id}"));
        self.client.get(url).send().await.unwrap().bytes().await.unwrap()
    }
}

#[tokio::test]
async fn household_tracks_are_everybodys_and_personal_ones_the_owners() {
    let lockers = Lockers::with_quota(100_000_000).await;
    lockers
        .accounts
        .create_user(&lockers.admin, &NewUser::new("bob", "bob's very own"))
        .await
        .unwrap();
    let (ann, bob) = (Member::new(&lockers, "ann").await, Member::new(&lockers, "bob").await);
    let made = tempfile::tempdir().unwrap();
    let ours = music::flac("ours.flac").of("The House", "Together", "Ours").write(made.path());
    let hers = music::flac("hers.flac").of("Ann", "Alone", "Hers").write(made.path());
    let (ours, hers) = (std::fs::read(ours).unwrap(), std::fs::read(hers).unwrap());

    ann.upload("The%20House/ours.flac?locker=household", &ours).await;
    ann.upload("Alone/hers.flac", &hers).await;
    let her_id = ann.hears("Hers").await;
    for member in [&ann, &bob] {
        let id = member.hears("Ours").await;
        assert!(member.download(&id).await == ours, "the same bytes");
    }
    assert!(ann.download(&her_id).await == hers, "the same bytes");

    // By now everything was read: what bob and the LAN do not see, they never will.
    assert_eq!(bob.song("Hers").await, None);
    assert!(bob.download(&her_id).await != hers, "not even by its id");
    let lan = lockers.accounts.household().await.unwrap();
    let catalog = &lockers.app.services.catalog;
    let page = Page { offset: 0, limit: 10 };
    assert_eq!(catalog.search_tracks(&lan, "Ours", page).await.unwrap().len(), 1);
    assert_eq!(catalog.search_tracks(&lan, "Hers", page).await.unwrap().len(), 0);
}
