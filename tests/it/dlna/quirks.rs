//! Known devices get what they need. The numbers are those of the list of quirks in the design;
//! what is tested elsewhere is named in [`ELSEWHERE`], what concerns a control point alone is not
//! for a server.

use tunelocker::accounts::DeviceChange;

use super::{control::Control, music};
use crate::harness::TestApp;

const SAMSUNG: &str = "DLNADOC/1.50 SEC_HHP_[TV]UE40/1.0";

/// Quirk and the test that holds it, in this face's tests or its modules.
const ELSEWHERE: &[(u32, &str)] = &[
    (2, "media.rs originals_come_as_renderers_ask"),
    (3, "protocol_info.rs profiles_only_when_the_terms_are_met"),
    (4, "quirks.rs headers_win_and_silence_falls_back"),
    (9, "media.rs converted_forms_are_what_they_say"),
    (11, "message.rs searches_are_read_as_the_field_does"),
    (13, "didl.rs track_and_album_as_golden_file"),
    (15, "media.rs originals_come_as_renderers_ask"),
    (19, "art.rs covers_keep_to_their_profiles"),
    (20, "door.rs description_services_and_icons_are_all_there"),
    (22, "browse.rs the_tree_leads_to_every_track"),
    (23, "didl.rs track_and_album_as_golden_file"),
    (24, "browse.rs pages_sorts_and_filters_hold"),
    (28, "didl.rs track_and_album_as_golden_file"),
    (32, "search.rs searches_stay_below_their_container_at_any_depth"),
    (34, "media.rs originals_come_as_renderers_ask"),
    (37, "art.rs covers_are_resources_for_those_who_look_there"),
    (39, "door.rs the_small_services_answer"),
    (40, "search.rs searches_stay_below_their_container_at_any_depth"),
    (46, "search.rs every_announced_property_is_understood"),
    (47, "media.rs originals_come_as_renderers_ask"),
    (48, "media.rs originals_come_as_renderers_ask"),
];

/// Titles below a container, for a device that calls itself so.
async fn titles(control: &Control, agent: &'static str, id: &str, sort: &str) -> Vec<String> {
    let page = control.named(agent).children(id, 0, 0, sort).await;
    page.titles().into_iter().map(ToOwned::to_owned).collect()
}

/// The types of the forms of a track, in order.
async fn forms(control: &Control, agent: &'static str, title: &str) -> Vec<String> {
    let page = control.named(agent).children("tracks", 0, 0, "").await;
    let resources = page.titled(title).resources();
    let info = resources.iter().map(|(_, attributes)| attributes["protocolInfo"].as_str());
    info.map(|info| info.split(':').nth(2).unwrap().to_owned()).collect()
}

/// 1, 5, 6, 8, 26.
#[tokio::test]
async fn samsung_gets_its_actions_and_no_foreign_words() {
    let (_app, control) = music::app().await;
    let tv = control.named(SAMSUNG);
    let features = tv.call("content-directory", "X_GetFeatureList", &[]).await.unwrap();
    assert!(features["FeatureList"].contains("samsung.com_BASICVIEW"));
    for (action, name) in [("X_GetObjectIDfromIndex", "ObjectID"), ("X_GetIndexfromRID", "Index")] {
        let answer = tv.call("content-directory", action, &[]).await.unwrap();
        assert_eq!(answer[name], "0", "{action}");
    }
    assert!(tv.call("content-directory", "X_SetBookmark", &[]).await.is_ok());
    assert_eq!(tv.call("content-directory", "X_Unheard", &[]).await, Err((500, 401)));
    let root = titles(&control, SAMSUNG, "0", "").await;
    assert!(!root.contains(&"Random albums".to_owned()), "{root:?}");
    assert!(titles(&control, "tests/1.0", "0", "").await.contains(&"Random albums".to_owned()));
    // Its namespace is declared for nobody, since nothing of it is used.
    for agent in [SAMSUNG, "tests/1.0"] {
        let description = control.named(agent).document("/device.xml").await;
        let didl = control.named(agent).children("tracks", 0, 0, "").await.didl;
        assert!(!description.contains("sec:") && !didl.contains("sec:"), "{agent}");
    }
}

/// 12, 31, 36, 41.
#[tokio::test]
async fn the_first_form_is_one_that_the_device_plays() {
    let (_app, control) = music::app().await;
    for (agent, first) in [
        ("tests/1.0", "audio/flac"),
        ("LGE_DLNA_SDK/1.6.0", "audio/mpeg"),
        ("PLAYSTATION 3", "audio/mpeg"),
        ("Denon-Heos/149200", "audio/x-flac"),
        // Not beyond 48 kHz: as it is.
        ("Linux UPnP/1.0 Sonos/70.3-35220 (ZPS6)", "audio/flac"),
    ] {
        assert_eq!(forms(&control, agent, "Sine One").await[0], first, "{agent}");
        assert_eq!(forms(&control, agent, "Bêta & Gamma").await[0], "audio/mpeg", "{agent}");
    }
    // What the listing says is what the answer says.
    let denon = control.named("Denon-Heos/149200").children("tracks", 0, 0, "").await;
    let (url, _) = denon.titled("Sine One").resources()[0];
    let asked = reqwest::Client::new().head(url).header("User-Agent", "Denon-Heos/149200");
    assert_eq!(asked.send().await.unwrap().headers()["content-type"], "audio/x-flac");
}

/// 14, 16, 17, 18, 29, 30, 42.
#[tokio::test]
async fn listings_follow_the_device() {
    let (_app, control) = music::app().await;
    // The sort that Panasonic sends of its own accord is passed over, its address plain ASCII.
    let panasonic = "Panasonic MIL DLNA CP UPnP/1.0 DLNADOC/1.50";
    let forced = "+upnp:class,-dc:title";
    assert_eq!(titles(&control, panasonic, "albums", forced).await[0], "Alpha Songs");
    assert_eq!(titles(&control, "tests/1.0", "albums", forced).await[0], "Bêta <&> Tunes");
    let tracks = control.named(panasonic).children("tracks", 0, 0, "").await;
    for track in &tracks.objects {
        assert!(!track.text("dc:date").is_empty());
        assert!(track.resources().iter().all(|(url, _)| url.is_ascii()));
    }
    // MusicCast: one object at a time in an order that must not fail.
    let sort = "+upnp:originalTrackNumber,+dc:title";
    let one = control.children("tracks", 1, 1, sort).await;
    assert_eq!((one.objects.len(), one.total), (1, 4));
    // Yamaha shows ASCII alone.
    let yamaha = control.named("KnOS/3.2 UPnP/1.0 DMP/3.5").children("tracks", 0, 0, "").await;
    assert!(yamaha.didl.is_ascii() && yamaha.titles().contains(&"Beta & Gamma"), "{}", yamaha.didl);
    // Sony asks for a word of its own by name, and says who it is in a header of its own.
    let named = control.browse("0", "BrowseDirectChildren", "*,av:mediaClass", 0, 0, "");
    let named = named.await.unwrap();
    assert!(named.objects.iter().all(|object| object.text("av:mediaClass") == "M"));
    assert!(!control.children("0", 0, 0, "").await.didl.contains("mediaClass"));
    let body = "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>\
                <u:Browse xmlns:u=\"urn:x:1\"><ObjectID>tracks</ObjectID>\
                <BrowseFlag>BrowseDirectChildren</BrowseFlag></u:Browse></s:Body></s:Envelope>";
    let asked = reqwest::Client::new()
        .post(format!("{}/control/content-directory", control.base))
        .header("X-AV-Client-Info", "av=5.0; cn=\"Lumin\"; mn=\"D1\"; mv=\"2.0\";")
        .body(body);
    let text = asked.send().await.unwrap().text().await.unwrap();
    assert!(text.contains("audio/x-flac"), "{text}");
    // Nothing says that it has no children.
    let every = control.children("0", 0, 0, "").await;
    assert!(!every.didl.contains("childCount=\"0\""));
}

/// 21, 25, 44, 45.
#[tokio::test]
async fn documents_are_plain_and_addresses_stay() {
    let (_app, control) = music::app().await;
    let http = reqwest::Client::new();
    for accept in ["application/json", "image/*;q=0.9", "text/html, */*"] {
        let asked = http.get(format!("{}/device.xml", control.base)).header("Accept", accept);
        let answer = asked.send().await.unwrap();
        let kinds: Vec<_> = answer.headers().get_all("content-type").iter().collect();
        assert_eq!(kinds, ["text/xml; charset=\"utf-8\""], "{accept}");
    }
    let first = control.children("tracks", 0, 5000, "").await;
    assert!(!first.didl.contains("<?xml"));
    let prefixes = ["xmlns:dc=", "xmlns:upnp=", "xmlns:dlna="];
    assert!(prefixes.iter().all(|prefix| first.didl.contains(prefix)));
    let again = control.children("tracks", 0, 5000, "").await;
    assert_eq!(first.didl, again.didl);
    assert!(!first.didl.contains('?'), "an address with a query");
}

/// 38, 59.
#[tokio::test]
async fn xbox_and_freebox_see_what_they_expect() {
    let (_app, control) = music::app().await;
    let xbox = control.named("Xbox/2.0.8955.0 UPnP/1.0 Xbox/2.0.8955.0");
    let description = xbox.document("/device.xml").await;
    assert!(description.contains("<modelName>Windows Media Player Sharing</modelName>"));
    let arguments = [
        ("ContainerID", "7"),
        ("BrowseFlag", "BrowseDirectChildren"),
        ("SortCriteria", "+microsoft:sourceURL"),
    ];
    let albums = xbox.call("content-directory", "Browse", &arguments).await.unwrap();
    assert_eq!(albums["TotalMatches"], "2");
    let root = xbox.children("0", 0, 0, "").await;
    assert_eq!(root.titled("Folders").text("upnp:class"), "object.container.storageFolder");
    assert_eq!(root.titled("Folders").text("upnp:storageUsed"), "-1");
    let tracks = xbox.children("4", 0, 0, "").await;
    let (url, _) = tracks.titled("Sine One").resources()[0];
    let cover = reqwest::get(format!("{url}?albumArt=true")).await.unwrap();
    assert_eq!(cover.headers()["content-type"], "image/jpeg");

    for (agent, word) in [("tests/1.0", "CI=1"), ("Freebox-Player/1.0", "CI=0")] {
        let tracks = control.named(agent).children("tracks", 0, 0, "").await;
        let track = tracks.titled("Sine One");
        let (url, attributes) = track.resources()[1];
        assert!(attributes["protocolInfo"].contains(word), "{agent}");
        let asked = reqwest::Client::new().head(url).header("User-Agent", agent);
        let features = asked.send().await.unwrap().headers()["contentFeatures.dlna.org"].clone();
        assert!(attributes["protocolInfo"].ends_with(features.to_str().unwrap()), "{agent}");
    }
}

/// What an administrator told of the one device there is.
async fn tell(app: &TestApp, change: DeviceChange) {
    let accounts = &app.services.accounts;
    accounts.ensure_first_admin("root", "a long password").await.unwrap();
    let admin = accounts.principal_named("root").await.unwrap();
    let devices = accounts.devices(&admin).await.unwrap();
    accounts.update_device(&admin, devices[0].id, &change).await.unwrap();
}

/// 7.
#[tokio::test]
async fn titles_are_numbered_for_who_sorts_by_them() {
    let (app, control) = music::app().await;
    let albums = control.children("albums", 0, 0, "").await;
    let album = albums.titled("Alpha Songs").id().to_owned();
    let plain = control.children(&album, 0, 0, "").await;
    let plain: Vec<&str> = plain.titles();
    assert!(2 <= plain.len(), "{plain:?}");
    tell(&app, DeviceChange { numbers_titles: Some(true), ..DeviceChange::default() }).await;
    let numbered = control.children(&album, 0, 0, "").await;
    let expected: Vec<String> =
        (1..).zip(&plain).map(|(at, title)| format!("{at:03} {title}")).collect();
    assert_eq!(numbered.titles(), expected);
    // The place is that in the whole list, whatever the page, and folders stay as they are.
    let second = control.children(&album, 1, 1, "").await;
    assert_eq!(second.titles(), expected[1..2]);
    assert_eq!(control.children("albums", 0, 0, "").await.titles(), albums.titles());
    let tracks = control.children("tracks", 0, 0, "").await;
    assert!(tracks.titles()[0].starts_with("000001 "), "{:?}", tracks.titles());
    tell(&app, DeviceChange { numbers_titles: Some(false), ..DeviceChange::default() }).await;
    assert_eq!(control.children(&album, 0, 0, "").await.titles(), plain);
}

/// 57.
#[tokio::test]
async fn conversions_end_with_the_connection_for_who_knows_no_length() {
    let (app, control) = music::app().await;
    let tracks = control.children("tracks", 0, 0, "").await;
    let resources = tracks.titled("Sine One").resources();
    let form = |kind: &str| {
        let is = |(_, attributes): &&(&str, &std::collections::BTreeMap<String, String>)| {
            attributes["protocolInfo"].contains(kind)
        };
        resources.iter().find(is).unwrap().0.to_owned()
    };
    let (original, mp3, wav) = (form("audio/flac"), form("audio/mpeg"), form("audio/wav"));
    let http = reqwest::Client::new();
    let get = async |url: &str, agent: &str| {
        http.get(url).header("User-Agent", agent).send().await.unwrap()
    };
    let usual = get(&wav, "tests/1.0").await;
    let length: usize = usual.headers()["content-length"].to_str().unwrap().parse().unwrap();
    let whole = usual.bytes().await.unwrap();
    assert_eq!(whole.len(), length);
    // By its name, by what an administrator told, and both while it is made and when it is kept.
    let by_name = "Roku SoundBridge/3.0";
    for (agent, urls) in [(by_name, [&wav, &mp3]), ("tests/1.0", [&wav, &mp3])] {
        if agent != by_name {
            let change = DeviceChange { hides_length: Some(true), ..DeviceChange::default() };
            tell(&app, change).await;
        }
        for url in urls {
            let answer = get(url, agent).await;
            assert_eq!(answer.status(), 200, "{agent} {url}");
            for absent in ["content-length", "transfer-encoding", "content-range"] {
                assert!(answer.headers().get(absent).is_none(), "{agent} {url}: {absent}");
            }
            assert_eq!(answer.headers()["connection"], "close", "{agent} {url}");
            let bytes = answer.bytes().await.unwrap();
            assert!(10_000 < bytes.len(), "{agent} {url}: {}", bytes.len());
            if url == &wav {
                assert!(bytes == whole, "{agent}: the same sound");
            }
            let head = http.head(url).header("User-Agent", agent).send().await.unwrap();
            assert!(head.headers().get("content-length").is_none(), "{agent} {url}");
            assert!(head.headers().get("transfer-encoding").is_none(), "{agent} {url}");
        }
    }
    // Originals keep their lengths and ranges.
    let answer = http.get(&original).header("Range", "bytes=0-9").send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.content_length()), (206, Some(10)));
}

/// The table above names tests that are there.
#[test]
fn quirks_that_are_tested_elsewhere_are() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut text = String::new();
    let mut todo = vec![root.join("src/protocols/dlna"), root.join("tests/it/dlna")];
    while let Some(path) = todo.pop() {
        if path.is_dir() {
            todo.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|is| is == "rs") {
            text.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
    for (number, place) in ELSEWHERE {
        let test = place.split(' ').nth(1).unwrap();
        assert!(text.contains(&format!("fn {test}()")), "quirk {number}: {place}");
    }
}
