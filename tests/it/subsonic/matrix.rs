//! Generated over the route table: every method in every form by every way of asking, and every
//! answer against the published schemas.

use std::collections::BTreeMap;

use reqwest::header;
use tunelocker::{config::JukeboxOutput, protocols::subsonic};

use super::{House, schema};
use crate::harness::music;

/// With speakers, and a picture of ann.
async fn furnished() -> House {
    let house = House::open_with(|config| {
        config.jukebox.output = JukeboxOutput::Silence { speed: 1 };
    })
    .await;
    let ann = house.principal("ann").await;
    let picture = music::jpeg(300, [9, 99, 9]);
    house.app.services.catalog.set_avatar(&ann, picture.into()).await.unwrap();
    house
}

/// Parameters with which each method has something to say. Methods that are not here take none.
pub(super) async fn parameters(house: &House) -> BTreeMap<&'static str, String> {
    let ann = &house.ann;
    // The drawn library has these; a smaller one is asked for what it has.
    let all = ann.ok("search3", "query=&artistCount=500&albumCount=500&songCount=500").await;
    let id = |kind: &str, names: [&str; 2]| {
        let list = all["searchResult3"][kind].as_array().unwrap();
        let named = |item: &&serde_json::Value| {
            names.iter().any(|name| item["title"] == *name || item["name"] == *name)
        };
        let item = list.iter().find(named).unwrap_or_else(|| panic!("{names:?}: {all}"));
        item["id"].as_str().unwrap().to_owned()
    };
    let (song, album) = (id("song", ["All I Want", "Song"]), id("album", ["Double", "Album"]));
    let artist = id("artist", ["Two", "Ann"]);
    let playlist = ann.ok("createPlaylist", &format!("name=Matrix&songId={song}")).await;
    let playlist = playlist["playlist"]["id"].as_str().unwrap().to_owned();
    ann.ok("createBookmark", &format!("id={song}&position=5")).await;
    ann.ok("savePlayQueue", &format!("id={song}&current={song}")).await;
    ann.ok("star", &format!("id={song}&id={album}&id={artist}")).await;
    ann.ok("scrobble", &format!("id={song}")).await;
    ann.ok("scrobble", &format!("id={song}&submission=false")).await;
    ann.ok("setRating", &format!("id={album}&rating=4")).await;
    let share = ann.ok("createShare", &format!("id={album}&description=mine")).await;
    let share = share["shares"]["share"][0]["id"].as_str().unwrap().to_owned();
    ann.ok("createShare", &format!("id={song}&expires=4000000000000")).await;
    let of_song = format!("id={song}");
    let mut parameters = BTreeMap::new();
    for method in [
        "getSong",
        "getLyricsBySongId",
        "getSimilarSongs",
        "getSonicSimilarTracks",
        "stream",
        "download",
        "star",
        "unstar",
        "scrobble",
        "deleteBookmark",
        "savePlayQueue",
        "getVideoInfo",
        "getPodcastEpisode",
    ] {
        parameters.insert(method, of_song.clone());
    }
    for method in ["getAlbum", "getAlbumInfo", "getAlbumInfo2", "getMusicDirectory", "getCoverArt"]
    {
        parameters.insert(method, format!("id={album}"));
    }
    for method in
        ["getArtist", "getArtistInfo", "getArtistInfo2", "getSimilarSongs2", "getTopSongs"]
    {
        parameters.insert(method, format!("id={artist}"));
    }
    for method in ["getAlbumList", "getAlbumList2"] {
        parameters.insert(method, "type=newest".to_owned());
    }
    let other = id("song", ["One", "Song"]);
    parameters.extend([
        ("findSonicPath", format!("startSongId={song}&endSongId={other}")),
        ("getSongsByGenre", "genre=Pop".to_owned()),
        ("getPlaylist", format!("id={playlist}")),
        ("createPlaylist", format!("playlistId={playlist}&songId={song}")),
        ("updatePlaylist", format!("playlistId={playlist}&comment=x")),
        ("setRating", format!("{of_song}&rating=3")),
        ("addChatMessage", "message=hello%20%3Chouse%3E".to_owned()),
        ("jukeboxControl", "action=get".to_owned()),
        ("createShare", of_song.clone()),
        ("updateShare", format!("id={share}&description=x")),
        ("deleteShare", format!("id={share}")),
        ("reportPlayback", format!("mediaId={song}&mediaType=song&positionMs=5&state=playing")),
        ("createBookmark", format!("{of_song}&position=1")),
        ("savePlayQueueByIndex", format!("{of_song}&currentIndex=0")),
        ("getLyrics", "artist=Joni%20Mitchell&title=All%20I%20Want".to_owned()),
        ("getUser", "username=ann".to_owned()),
        ("getAvatar", "username=ann".to_owned()),
        ("updateUser", "username=bob&email=b@example.org".to_owned()),
        ("search", "any=a".to_owned()),
        ("search2", "query=".to_owned()),
        ("search3", "query=".to_owned()),
    ]);
    parameters
}

/// Whether the answer of a method is bytes when all goes well.
fn is_bytes(method: &str) -> bool {
    ["stream", "download", "getCoverArt", "getAvatar"].contains(&method)
}

#[tokio::test]
async fn subsonic_every_method_answers_in_every_form() {
    let house = furnished().await;
    let ann = &house.ann;
    let parameters = parameters(&house).await;
    let mut answers = 0;
    let mut refused = Vec::new();
    for method in subsonic::methods().chain(["noSuchMethod"]) {
        for suffix in ["", ".view"] {
            for (form, kind) in [
                ("xml", "text/xml; charset=utf-8"),
                ("json", "application/json; charset=utf-8"),
                ("jsonp&callback=cb", "text/javascript; charset=utf-8"),
            ] {
                let query = format!(
                    "u=ann&p={}&v=1.16.1&c=tests&f={form}&{}",
                    ann.secret_for(method),
                    parameters.get(method).map_or("", String::as_str)
                );
                let url = format!("{}{method}{suffix}", ann.base);
                let post = ann
                    .http
                    .post(&url)
                    .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .body(query.clone());
                for request in [ann.http.get(format!("{url}?{query}")), post] {
                    let answer = request.send().await.unwrap();
                    answers += 1;
                    // The one method whose failures are HTTP's own.
                    if method == "getTranscodeStream" {
                        assert_eq!(answer.status(), 400, "{method}{suffix} {form}");
                        continue;
                    }
                    assert_eq!(answer.status(), 200, "{method}{suffix} {form}");
                    let found = answer.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
                    let text = answer.bytes().await.unwrap();
                    if is_bytes(method) && found != kind {
                        assert!(
                            found.starts_with("audio/") || found.starts_with("image/"),
                            "{found}"
                        );
                        continue;
                    }
                    assert_eq!(found, kind, "{method}{suffix} {form}");
                    let text = String::from_utf8(text.to_vec()).unwrap();
                    let (ok, failed) = check_form(form, &text);
                    assert!(ok != failed, "{method}{suffix} {form}: {text}");
                    if failed && !refused.contains(&method) {
                        refused.push(method);
                    }
                }
            }
        }
    }
    assert_eq!(answers, (subsonic::methods().count() + 1) * 12);
    refused.retain(|method| !EXPECTED_REFUSALS.contains(method));
    assert!(refused.is_empty(), "refused: {refused:?}");
}

/// What this server does not offer, what needs parameters that the table has not, and what is
/// not there: refused, in form.
const EXPECTED_REFUSALS: &[&str] = &[
    "deleteShare",
    "updateShare",
    "changePassword",
    "createInternetRadioStation",
    "createPodcastChannel",
    "createUser",
    "deleteInternetRadioStation",
    "deletePlaylist",
    "deletePodcastChannel",
    "deletePodcastEpisode",
    "deleteUser",
    "downloadPodcastEpisode",
    "getCaptions",
    "getPodcastEpisode",
    "getTranscodeDecision",
    "getTranscodeStream",
    "getVideoInfo",
    "hls",
    "hls.m3u8",
    "noSuchMethod",
    "refreshPodcasts",
    "updateInternetRadioStation",
];

/// Whether an answer is an envelope that says ok, or failed.
fn check_form(form: &str, text: &str) -> (bool, bool) {
    if form == "xml" {
        let mut reader = quick_xml::Reader::from_str(text);
        while reader.read_event().unwrap() != quick_xml::events::Event::Eof {}
        return (text.contains(" status=\"ok\" "), text.contains(" status=\"failed\" "));
    }
    let text = text.strip_prefix("cb(").and_then(|text| text.strip_suffix(");")).unwrap_or(text);
    let whole: serde_json::Value = serde_json::from_str(text).unwrap();
    let status = &whole["subsonic-response"]["status"];
    (status == "ok", status == "failed")
}

#[tokio::test]
async fn subsonic_every_answer_fits_the_published_schemas() {
    let Some(folder) = schema::folder() else { return };
    let house = furnished().await;
    let ann = &house.ann;
    let parameters = parameters(&house).await;
    let openapi = schema::openapi::OpenApi::open(&folder);
    let mut wrong = Vec::new();
    let mut xml = Vec::new();
    let mut queries: Vec<(&str, &str)> = subsonic::methods()
        .map(|method| (method, parameters.get(method).map_or("", String::as_str)))
        .collect();
    ann.ok("addChatMessage", "message=first").await;
    ann.ok("jukeboxControl", &format!("action=set&{}", parameters["getSong"])).await;
    queries.push(("jukeboxControl", "action=status"));
    for kind in ["alphabeticalByName", "starred", "recent", "highest"] {
        queries.push(("getAlbumList", ["type=", kind].concat().leak()));
        queries.push(("getAlbumList2", ["type=", kind].concat().leak()));
    }
    queries.extend([("getAlbum", ""), ("getLyrics", ""), ("getAlbum", "id=al-999")]);
    for (method, query) in queries {
        let answer = ann.get(method, query).await;
        let kind = answer.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
        if kind.starts_with("application/json") {
            let whole = answer.json().await.unwrap();
            wrong.extend(openapi.check(method, &whole));
            let url = ann.url(method, query).replace("&f=json", "");
            let text = reqwest::get(url).await.unwrap().text().await.unwrap();
            xml.push((format!("{method} {query}"), text));
        }
    }
    wrong.extend(schema::xsd::check(&folder, &xml));
    assert!(wrong.is_empty(), "{} defects:\n{}", wrong.len(), wrong.join("\n"));
    assert!(xml.len() > 80);
}

#[tokio::test]
async fn subsonic_old_readers_get_no_nested_additions() {
    let house = House::open_with(|config| {
        config.subsonic.legacy_xml.push("Old Radio".to_owned());
    })
    .await;
    let album = house.ann.id("album", "Double").await;
    let url = house.ann.url("getAlbum", &format!("id={album}")).replace("&f=json", "");
    let new = reqwest::get(&url).await.unwrap().text().await.unwrap();
    assert!(new.contains("<contributors") && new.contains("<albumArtists"));
    for client in ["DSub", "dsub", "old%20radio"] {
        let url = url.replace("c=tests", &format!("c={client}"));
        let old = reqwest::get(url).await.unwrap().text().await.unwrap();
        assert!(!old.contains("<contributors") && !old.contains("<artist"), "{old}");
        assert!(old.contains("<song ") && old.contains("displayArtist="));
    }
}
