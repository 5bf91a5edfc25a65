//! What came in by any way is there to be heard in every face a player has, and nobody asks for a scan.
//! How soon that is is measured, not tested: `benches/playable.py`.

use std::collections::BTreeSet;

use serde_json::Value;
use tunelocker::accounts::DeviceChange;

use super::{House, Way};
use crate::{dlna::Control, harness::music, ingest::until};

impl House {
    /// What a player of Subsonic is answered.
    async fn subsonic(&self, method: &str, query: &str) -> Value {
        let lockers = self.lockers();
        let secret = lockers.accounts.create_app_password(&lockers.ann, "player").await.unwrap();
        let url =
            format!("/rest/{method}?u=ann&p={}&v=1.16.1&c=tests&f=json&{query}", secret.secret);
        let answer = reqwest::get(lockers.app.url(&url)).await.unwrap();
        let whole: Value = answer.json().await.unwrap();
        let whole = whole["subsonic-response"].clone();
        assert_eq!(whole["status"], "ok", "{method}: {whole}");
        whole
    }

    /// A device on the LAN that acts as ann.
    async fn renderer(&self) -> Control {
        let control = Control::new(self.lockers().app.lan);
        control.children("0", 0, 0, "").await;
        let (accounts, admin) = (&self.lockers().accounts, &self.lockers().admin);
        let device = accounts.devices(admin).await.unwrap()[0].id;
        let change =
            DeviceChange { user: Some(Some(self.lockers().ann.user)), ..DeviceChange::default() };
        accounts.update_device(admin, device, &change).await.unwrap();
        control
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_is_heard_without_a_scan() {
    let house = House::with_quota(100_000_000).await;
    let renderer = house.renderer().await;
    let folder = tempfile::tempdir().unwrap();
    let mut wanted = BTreeSet::new();
    for way in Way::ALL {
        let title = format!("Way {way:?}");
        let song = music::flac(&format!("{way:?}.flac")).of("The Ways", "In", &title);
        let song = std::fs::read(song.write(folder.path())).unwrap();
        house.send(way, &format!("Music/{way:?}.flac"), &song).await.unwrap();
        wanted.insert(title);
    }
    let all_of = |list: &Value| -> BTreeSet<String> {
        let all = list.as_array().into_iter().flatten();
        all.map(|one| one["title"].as_str().unwrap().to_owned()).collect()
    };
    until("the panel shows all", async || all_of(&house.get("tracks").await["items"]) == wanted)
        .await;
    until("an app finds all", async || {
        let found = house.subsonic("search3", "query=Way&songCount=100").await;
        all_of(&found["searchResult3"]["song"]) == wanted
    })
    .await;
    let found = house.subsonic("search3", "query=Way&songCount=100").await;
    for song in found["searchResult3"]["song"].as_array().unwrap() {
        let id = song["id"].as_str().unwrap();
        let one = house.subsonic("getSong", &format!("id={id}")).await;
        assert_eq!(one["song"]["title"], song["title"]);
    }
    until("a renderer lists all", async || {
        let page = renderer.children("tracks", 0, 0, "+dc:title").await;
        page.titles().into_iter().map(str::to_owned).collect::<BTreeSet<_>>() == wanted
    })
    .await;
    // And what it is given there sounds.
    let page = renderer.children("tracks", 0, 0, "+dc:title").await;
    for object in &page.objects {
        let address = object.resources()[0].0.to_owned();
        assert_eq!(reqwest::get(&address).await.unwrap().status(), 200, "{address}");
    }
}
