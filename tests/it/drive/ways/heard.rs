//! What came in by any way is there to be heard in every face a player has, by itself and soon: nobody
//! asks for a scan, and no look of once an hour brings it. How soon that is in figures is measured, not
//! tested: `benches/playable.py`.

use std::time::{Duration, Instant};

use serde_json::Value;
use tunelocker::accounts::DeviceChange;

use super::{House, Way};
use crate::{dlna::Control, harness::music};

/// From the last byte on. The promise is five seconds; a machine that has much else to do gets more,
/// and what waits for the next look over everything is late in any case.
const SOON: Duration = Duration::from_secs(30);

/// Waits for it, no longer than until so long after the last byte.
async fn soon(what: &str, last_byte: Instant, condition: impl AsyncFn() -> bool) {
    while !condition().await {
        assert!(last_byte.elapsed() < SOON, "{what} within {SOON:?} of the last byte");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// An app of Subsonic.
struct Player<'a> {
    house: &'a House,
    secret: String,
}

impl Player<'_> {
    fn url(&self, method: &str, query: &str) -> String {
        let secret = &self.secret;
        let path = format!("/rest/{method}?u=ann&p={secret}&v=1.16.1&c=tests&f=json&{query}");
        self.house.lockers().app.url(&path)
    }

    async fn ask(&self, method: &str, query: &str) -> Value {
        let answer = reqwest::get(self.url(method, query)).await.unwrap();
        let whole: Value = answer.json().await.unwrap();
        let whole = whole["subsonic-response"].clone();
        assert_eq!(whole["status"], "ok", "{method}: {whole}");
        whole
    }

    /// The id of what has this title.
    async fn found(&self, title: &str) -> Option<String> {
        let found = self.ask("search3", &format!("query={title}&songCount=100")).await;
        let songs = found["searchResult3"]["song"].as_array()?;
        let song = songs.iter().find(|song| song["title"] == title)?;
        Some(song["id"].as_str().unwrap().to_owned())
    }

    /// The file behind an id.
    async fn heard(&self, id: &str) -> Option<Vec<u8>> {
        let url = self.url("stream", &format!("id={id}&format=raw"));
        let answer = reqwest::get(url).await.unwrap();
        let is_there = answer.status() == 200;
        let bytes = answer.bytes().await.unwrap();
        is_there.then(|| bytes.to_vec())
    }
}

impl House {
    async fn player(&self) -> Player<'_> {
        let lockers = self.lockers();
        let secret = lockers.accounts.create_app_password(&lockers.ann, "player").await.unwrap();
        Player { house: self, secret: secret.secret }
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

/// Each way waits for itself: what one sets going for all would hide that another sets nothing going.
#[tokio::test(flavor = "multi_thread")]
async fn every_way_is_heard_soon_without_a_scan() {
    let house = House::with_quota(100_000_000).await;
    let (player, renderer) = (house.player().await, house.renderer().await);
    let folder = tempfile::tempdir().unwrap();
    for way in Way::ALL {
        let title = format!("Way{way:?}");
        let song = music::flac(&format!("{way:?}.flac")).of("The Ways", "In", &title);
        let song = std::fs::read(song.write(folder.path())).unwrap();
        house.send(way, &format!("Music/{way:?}.flac"), &song).await.unwrap();
        let last_byte = Instant::now();
        soon(&format!("an app plays {title}"), last_byte, async || {
            match player.found(&title).await {
                Some(id) => player.heard(&id).await.is_some_and(|heard| heard == song),
                None => false,
            }
        })
        .await;
        soon(&format!("the panel shows {title}"), last_byte, async || {
            let all = house.get("tracks").await;
            all["items"].as_array().unwrap().iter().any(|one| one["title"] == title.as_str())
        })
        .await;
        soon(&format!("a renderer plays {title}"), last_byte, async || {
            let page = renderer.children("tracks", 0, 0, "+dc:title").await;
            let at = page.titles().iter().position(|one| *one == title);
            let Some(at) = at else { return false };
            let address = page.objects[at].resources()[0].0.to_owned();
            reqwest::get(&address).await.unwrap().status() == 200
        })
        .await;
    }
}
