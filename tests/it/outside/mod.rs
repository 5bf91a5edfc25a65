//! What goes out to the internet, tried against stubs of its services on loopback. The stubs are
//! reached by an exception of the configuration; everything else of this machine stays refused.

mod admin;
mod browser;
mod episodes;
mod info;
mod podcasts;
mod radio;
pub(crate) mod resume;
mod scrobbling;
pub(crate) mod stub;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tunelocker::{clock::Clock, config::Feature};

use crate::{
    harness::music::flac,
    subsonic::{House, PASSWORD},
};
use stub::Stub;

/// A household whose outside is a stub, at a time that tests move.
struct Home {
    house: House,
    clock: Clock,
    stub: Stub,
}

impl Home {
    /// With nothing but this stub, and everything of `on` turned on.
    async fn open(stub: Stub, on: &[Feature]) -> Self {
        Self::over(stub, on, &[]).await
    }

    /// The same with music: album, title and length in seconds of each track by "Stella".
    async fn over(stub: Stub, on: &[Feature], tracks: &[(&str, &str, f64)]) -> Self {
        let music = tempfile::tempdir().unwrap().keep();
        for (number, (album, title, seconds)) in tracks.iter().enumerate() {
            flac(&format!("Stella/{album}/{title}.flac"))
                .of("Stella", album, title)
                .tag("ALBUMARTIST", "Stella")
                .tag("GENRE", "Pop")
                .tag("MUSICBRAINZ_TRACKID", "bbbbbbbb-0000-4000-8000-000000000001")
                .number(number as u32 + 1)
                .seconds(*seconds)
                .write(&music);
        }
        let clock = Clock::manual(Clock::System.now());
        let has_music = !tracks.is_empty();
        let house = House::at(clock.clone(), music, |config, music| {
            if has_music {
                config.libraries.push(("Music".to_owned(), music.to_owned()));
            }
            config.egress.allow = vec![stub.address.to_string().parse().unwrap()];
            let url = stub.url("");
            let outside = &mut config.outside;
            outside.lastfm_url = format!("{url}/lastfm/");
            outside.lastfm_sign_in_url = format!("{url}/agree/");
            outside.listenbrainz_url = format!("{url}/listenbrainz");
            outside.musicbrainz_url = format!("{url}/musicbrainz");
            outside.wikidata_url = format!("{url}/wikidata");
            outside.wikipedia_url = format!("{url}/wikipedia");
        })
        .await;
        if has_music {
            house.wait_for_scan().await;
        }
        let ann = house.principal("ann").await;
        for feature in on {
            house.app.services.outside.set_on(&ann, *feature, true).await.unwrap();
        }
        Self { house, clock, stub }
    }

    /// A call of the panel's API by a person's own password; status and body.
    async fn api(&self, user: &str, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let url = self.house.app.url(&format!("/api/v1/{path}"));
        let mut request = reqwest::Client::new()
            .request(method.parse().unwrap(), url)
            .basic_auth(user, Some(PASSWORD));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let (status, text) = crate::web::schema::send(request).await;
        (status, serde_json::from_str(&text).unwrap_or(json!(null)))
    }

    /// Time passes, and whoever waits for it is woken.
    async fn pass(&self, time: Duration) {
        self.clock.advance(time);
        let ann = self.house.principal("ann").await;
        // Turning on what is on wakes everybody.
        for feature in Feature::ALL {
            if self.house.app.services.outside.is_on(feature).await.unwrap() {
                self.house.app.services.outside.set_on(&ann, feature, true).await.unwrap();
            }
        }
    }
}

/// Asks again and again until the answer is as wanted, and gives it.
async fn until<F: Future<Output = Value>>(
    ask: impl Fn() -> F,
    is_so: impl Fn(&Value) -> bool,
) -> Value {
    let deadline = Instant::now() + Duration::from_secs(40);
    loop {
        let answer = ask().await;
        if is_so(&answer) {
            return answer;
        }
        assert!(Instant::now() < deadline, "it does not come to be: {answer:#}");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}
