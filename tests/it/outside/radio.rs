//! Internet radio: administrators keep the list, everybody sees it.

use serde_json::json;
use tunelocker::config::Feature;

use super::{
    Home,
    stub::{Reply, Stub},
};
use crate::harness::music;

#[tokio::test]
async fn radio_stations_are_kept_by_administrators() {
    let home = Home::open(Stub::start(|_| Reply::status(404)).await, &[]).await;
    let (ann, bob) = (&home.house.ann, &home.house.bob);
    let new = "streamUrl=http://radio.example.org:8000/live&name=One%20%26%20Only&homepageUrl=https://radio.example.org/";
    assert_eq!(ann.refused("createInternetRadioStation", new).await, 50);
    let none = ann.ok("getInternetRadioStations", "").await;
    assert_eq!(none["internetRadioStations"], json!({ "internetRadioStation": [] }));
    let principal = home.house.principal("ann").await;
    home.house.app.services.outside.set_on(&principal, Feature::Radio, true).await.unwrap();

    assert_eq!(bob.refused("createInternetRadioStation", new).await, 50);
    ann.ok("createInternetRadioStation", new).await;
    let listed = bob.ok("getInternetRadioStations", "").await;
    let station = listed["internetRadioStations"]["internetRadioStation"][0].clone();
    let id = station["id"].as_str().unwrap().to_owned();
    assert_eq!(
        station,
        json!({ "id": id, "name": "One & Only", "streamUrl": "http://radio.example.org:8000/live",
                "homePageUrl": "https://radio.example.org/" })
    );
    assert_eq!(ann.refused("createInternetRadioStation", "name=X").await, 10);
    for wrong in ["file:///etc/passwd", "javascript:1", "radio", "http://a:b@x/"] {
        let query = format!("name=X&streamUrl={wrong}");
        assert_eq!(ann.refused("createInternetRadioStation", &query).await, 0, "{wrong}");
    }
    let change = format!("id={id}&streamUrl=https://radio.example.org/hd&name=Two");
    assert_eq!(bob.refused("updateInternetRadioStation", &change).await, 50);
    ann.ok("updateInternetRadioStation", &change).await;
    let listed = bob.ok("getInternetRadioStations", "").await;
    let station = &listed["internetRadioStations"]["internetRadioStation"][0];
    assert_eq!(station["name"], "Two");
    assert_eq!(station["homePageUrl"], "https://radio.example.org/", "what was not sent stays");

    assert_eq!(bob.refused("getCoverArt", &format!("id={id}")).await, 70);
    let jpeg = music::jpeg(300, [9, 90, 200]);
    let put = reqwest::Client::new()
        .put(home.house.app.url(&format!("/api/v1/radio/{id}/cover")))
        .basic_auth("ann", Some(&ann.secret))
        .body(jpeg);
    assert_eq!(put.send().await.unwrap().status(), 204);
    let listed = bob.ok("getInternetRadioStations", "").await;
    let cover = listed["internetRadioStations"]["internetRadioStation"][0]["coverArt"].clone();
    let picture = bob.get("getCoverArt", &format!("id={}&size=64", cover.as_str().unwrap())).await;
    assert_eq!(picture.headers()["content-type"], "image/jpeg");

    assert_eq!(bob.refused("deleteInternetRadioStation", &format!("id={id}")).await, 50);
    ann.ok("deleteInternetRadioStation", &format!("id={id}")).await;
    assert_eq!(ann.refused("deleteInternetRadioStation", &format!("id={id}")).await, 70);
    assert_eq!(ann.refused("updateInternetRadioStation", &change).await, 70);
    // Nothing of all this was asked of anybody.
    assert!(home.stub.asked("").is_empty());
}
