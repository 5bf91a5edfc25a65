//! What is known of artists and albums: from files beside the music, then from stubs of those who
//! know more; never waiting for them.

use serde_json::{Value, json};
use tunelocker::config::Feature;

use super::{
    Home,
    stub::{Asked, Reply, Stub},
    until,
};
use crate::harness::music;

const MBID: &str = "aaaaaaaa-0000-4000-8000-000000000009";
const TRACKS: [(&str, &str, f64); 2] = [("First", "One", 2.0), ("Second", "Two", 2.0)];

fn services(asked: &Asked) -> Reply {
    match asked.place() {
        "/musicbrainz/ws/2/artist" => Reply::json(json!({ "artists": [
            { "id": "bbbbbbbb-0000-4000-8000-000000000001", "name": "Stella Nova", "score": 100 },
            { "id": MBID, "name": "STELLA", "score": 98 },
        ] })),
        "/musicbrainz/ws/2/release" => {
            Reply::json(json!({ "releases": [{ "id": MBID, "score": 100 }] }))
        }
        path if path.starts_with("/musicbrainz/ws/2/artist/") => {
            Reply::json(json!({ "relations": [
            { "type": "official homepage", "url": { "resource": "https://example.org/Q1" } },
            { "type": "wikidata", "url": { "resource": "https://www.wikidata.org/wiki/Q42" } },
        ] }))
        }
        "/wikidata/w/api.php" => Reply::json(
            json!({ "entities": { "Q42": { "sitelinks": { "enwiki": { "title": "Stella (singer)" } } } } }),
        ),
        "/wikipedia/api/rest_v1/page/summary/Stella%5F%28singer%29" => Reply::json(json!({
            "extract": "Stella is a <b>singer</b>.", "thumbnail": { "source": "https://upload.example.org/s.jpg" } })),
        _ => Reply::status(404),
    }
}

async fn about(home: &Home, method: &str, query: &str) -> Value {
    let envelope = home.house.ann.ok(method, query).await;
    let name = if method.starts_with("getAlbum") { "albumInfo" } else { &method[3..] };
    let name = format!("{}{}", name[..1].to_lowercase(), &name[1..]);
    envelope[&name].clone()
}

#[tokio::test]
async fn info_lies_beside_the_music() {
    let home = Home::over(Stub::start(services).await, &[], &TRACKS).await;
    let artist = home.house.ann.id("artist", "Stella").await;
    let album = home.house.ann.id("album", "First").await;
    let of_artist = format!("id={artist}");
    let before = about(&home, "getArtistInfo2", &of_artist).await;
    assert!(before.get("biography").is_none(), "{before}");
    music::write(&home.house.music, "Stella/artist.nfo", format!(
        "<?xml version=\"1.0\"?><artist><biography>Sings &lt;b&gt;well&lt;/b&gt;.</biography><musicBrainzArtistID>{MBID}</musicBrainzArtistID></artist>").as_bytes());
    music::write(
        &home.house.music,
        "Stella/First/album.nfo",
        b"<album><review>Her first.</review></album>",
    );
    for method in ["getArtistInfo", "getArtistInfo2"] {
        for id in [&artist, &album] {
            let found = about(&home, method, &format!("id={id}")).await;
            assert_eq!(found["biography"], "Sings well.", "{method}");
            assert_eq!(found["musicBrainzId"], MBID);
        }
    }
    for method in ["getAlbumInfo", "getAlbumInfo2"] {
        let found = about(&home, method, &format!("id={album}")).await;
        assert_eq!(found, json!({ "notes": "Her first." }), "{method}");
    }
    let xml = reqwest::get(home.house.ann.url("getArtistInfo2", &of_artist).replace("&f=json", ""));
    let xml = xml.await.unwrap().text().await.unwrap();
    assert!(xml.contains("<biography>Sings well.</biography>"), "{xml}");
    // Off means that nobody is asked.
    assert!(home.stub.asked("").is_empty());
}

#[tokio::test]
async fn info_from_outside_is_asked_for_behind_the_request_and_kept() {
    let home = Home::over(Stub::start(services).await, &[Feature::Info], &TRACKS).await;
    let artist = format!("id={}", home.house.ann.id("artist", "Stella").await);
    let album = format!("id={}", home.house.ann.id("album", "First").await);
    // The first answer has what is there, which is nothing.
    let first = about(&home, "getArtistInfo2", &artist).await;
    assert!(first.get("biography").is_none() && first["similarArtist"].is_array());
    let known =
        until(|| about(&home, "getArtistInfo2", &artist), |found| found["biography"].is_string())
            .await;
    assert_eq!(known["biography"], "Stella is a singer.");
    assert_eq!(known["musicBrainzId"], MBID, "the one of that name, not the first");
    assert_eq!(known["largeImageUrl"], "https://upload.example.org/s.jpg");
    let known =
        until(|| about(&home, "getAlbumInfo2", &album), |found| found["musicBrainzId"].is_string())
            .await;
    assert_eq!(
        known["smallImageUrl"],
        format!("https://coverartarchive.org/release/{MBID}/front-250")
    );
    let asked = home.stub.asked("").len();
    for _ in 0..3 {
        about(&home, "getArtistInfo2", &artist).await;
        about(&home, "getArtistInfo", &artist).await;
        about(&home, "getAlbumInfo", &album).await;
    }
    assert_eq!(home.stub.asked("").len(), asked, "once is enough");
    let agent = &home.stub.asked("/musicbrainz")[0].headers["user-agent"];
    assert!(agent.starts_with("Tunelocker/"), "{agent}");
}

#[tokio::test]
async fn info_of_lastfm_names_those_who_are_alike() {
    let home = Home::over(
        Stub::start(|asked| match asked.field("method").as_deref() {
            Some("artist.getInfo") => Reply::json(json!({ "artist": {
                "url": "https://www.last.fm/music/Stella",
                "bio": { "content": "Born.<script>x</script> <a href=\"https://www.last.fm/music/Stella\">Read more on Last.fm</a>. User-contributed text" } } })),
            Some("artist.getSimilar") => Reply::json(json!({ "similarartists": { "artist": [{ "name": "Nobody Here" }, { "name": "stella" }] } })),
            _ => services(asked),
        })
        .await,
        &[Feature::Info],
        &TRACKS,
    )
    .await;
    let keys = json!({ "key": "0123456789abcdef0123456789abcdef", "secret": "0123456789abcdef0123456789abcdef" });
    assert_eq!(home.api("ann", "PUT", "outside/lastfm/keys", Some(keys)).await.0, 204);
    let artist = home.house.ann.id("artist", "Stella").await;
    let query = format!("id={artist}&includeNotPresent=true");
    let known =
        until(|| about(&home, "getArtistInfo2", &query), |found| found["biography"].is_string())
            .await;
    assert_eq!(known["biography"], "Born.");
    assert_eq!(known["lastFmUrl"], "https://www.last.fm/music/Stella");
    assert_eq!(
        known["similarArtist"],
        json!([{ "id": "-1", "name": "Nobody Here", "albumCount": 0 }])
    );
    let here = about(&home, "getArtistInfo2", &format!("id={artist}")).await;
    assert_eq!(here["similarArtist"], json!([]));
}

#[tokio::test]
async fn info_never_fails_when_nobody_answers() {
    let home =
        Home::over(Stub::start(|_| Reply::status(500)).await, &[Feature::Info], &TRACKS).await;
    let artist = format!("id={}", home.house.ann.id("artist", "Stella").await);
    about(&home, "getArtistInfo2", &artist).await;
    until(|| async { json!(home.stub.asked("/musicbrainz").len()) }, |count| *count == 1).await;
    // It is not asked again at once, however often somebody looks.
    for _ in 0..5 {
        about(&home, "getArtistInfo2", &artist).await;
    }
    assert_eq!(home.stub.asked("/musicbrainz").len(), 1);
}
