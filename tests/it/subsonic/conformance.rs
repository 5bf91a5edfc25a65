//! What holds for every answer of every method, on a whole library, on one song and on nothing:
//! ids open, additions are there, others see nothing of it.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::header;
use serde_json::Value;
use tunelocker::protocols::subsonic;

use super::{App, House, lists::check_values, matrix};

/// What OpenSubsonic added to a song and is always there, empty if need be.
const OF_SONG: &[&str] = &[
    "albumArtists",
    "artists",
    "bitDepth",
    "bpm",
    "channelCount",
    "comment",
    "contributors",
    "displayAlbumArtist",
    "displayArtist",
    "displayComposer",
    "explicitStatus",
    "genres",
    "groupings",
    "isrc",
    "mediaType",
    "moods",
    "movements",
    "musicBrainzId",
    "replayGain",
    "samplingRate",
    "sortName",
    "works",
];

/// The same of an album.
const OF_ALBUM: &[&str] = &[
    "artists",
    "discTitles",
    "displayArtist",
    "explicitStatus",
    "genres",
    "isCompilation",
    "moods",
    "musicBrainzId",
    "originalReleaseDate",
    "recordLabels",
    "releaseDate",
    "releaseTypes",
    "sortName",
    "version",
];

/// The same of an artist in the view by tags.
const OF_ARTIST: &[&str] = &["musicBrainzId", "roles", "sortName"];

/// What a song must have for apps that know Subsonic alone (C17).
const REQUIRED_OF_SONG: &[&str] = &[
    "id",
    "isDir",
    "title",
    "size",
    "suffix",
    "contentType",
    "duration",
    "type",
    "created",
    "path",
    "isVideo",
];

/// The answers in JSON of every method that has something to say, by method.
async fn answers(app: &App, parameters: &BTreeMap<&'static str, String>) -> Vec<(String, Value)> {
    let mut answers = Vec::new();
    for method in subsonic::methods() {
        let query = parameters.get(method).map_or("", String::as_str);
        let answer = app.get(method, query).await;
        // The one method that tells its errors by HTTP status.
        if method == "getTranscodeStream" && answer.status().is_client_error() {
            continue;
        }
        assert!(answer.status().is_success(), "{method} {query}: {}", answer.status());
        let kind = answer.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
        if kind.starts_with("application/json") {
            let whole: Value = answer.json().await.unwrap();
            answers.push((method.to_owned(), whole["subsonic-response"].clone()));
        }
    }
    answers
}

/// The same in XML, which the old schema judges; methods that have nothing but bytes to give are
/// left out.
async fn answers_in_xml(
    app: &App,
    parameters: &BTreeMap<&'static str, String>,
) -> Vec<(String, String)> {
    let mut answers = Vec::new();
    for method in subsonic::methods().filter(|method| *method != "getTranscodeStream") {
        let query = parameters.get(method).map_or("", String::as_str);
        let answer = reqwest::get(app.url(method, query).replace("&f=json", "")).await.unwrap();
        assert!(answer.status().is_success(), "{method} {query}: {}", answer.status());
        let kind = answer.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
        if kind.starts_with("text/xml") {
            answers.push((method.to_owned(), answer.text().await.unwrap()));
        }
    }
    answers
}

/// Calls for each object in a value: the name under which it stands, and itself.
fn objects<'a>(name: &'a str, value: &'a Value, each: &mut impl FnMut(&'a str, &'a Value)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| objects(name, item, each)),
        Value::Object(fields) => {
            each(name, value);
            for (name, value) in fields {
                objects(name, value, each);
            }
        }
        _ => (),
    }
}

/// The method that opens an id of this kind.
fn opener(id: &str) -> Option<&'static str> {
    Some(match id.split_once('-')?.0 {
        "tr" => "getSong",
        "al" => "getAlbum",
        "ar" => "getArtist",
        "fo" => "getMusicDirectory",
        "pl" => "getPlaylist",
        _ => return None,
    })
}

#[tokio::test]
async fn subsonic_every_id_of_every_answer_opens() {
    let house = House::open().await;
    let ann = &house.ann;
    let answers = answers(ann, &matrix::parameters(&house).await).await;
    let (mut ids, mut covers, mut urls) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (_, answer) in &answers {
        objects("", answer, &mut |_, object| {
            let text = |name: &str| object[name].as_str().map(ToOwned::to_owned);
            let kinds = ["id", "parent", "albumId", "artistId", "current"];
            ids.extend(kinds.into_iter().filter_map(text));
            covers.extend(text("coverArt"));
            let image_urls = ["artistImageUrl", "smallImageUrl", "mediumImageUrl", "largeImageUrl"];
            urls.extend(image_urls.into_iter().filter_map(text));
        });
    }
    assert!(ids.len() > 30 && covers.len() > 4 && urls.len() > 4, "{ids:?} {covers:?} {urls:?}");
    for id in &ids {
        if let Some(method) = opener(id) {
            ann.ok(method, &format!("id={id}")).await;
        }
    }
    for kind in ["tr-", "al-", "ar-", "fo-", "pl-"] {
        assert!(ids.iter().any(|id| id.starts_with(kind)), "no {kind} was handed out");
    }
    for cover in &covers {
        let answer = ann.get("getCoverArt", &format!("id={cover}&size=50")).await;
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "image/jpeg", "{cover}");
    }
    // Whoever shows pictures loads these without credentials.
    for url in &urls {
        let answer = reqwest::get(url).await.unwrap();
        assert_eq!(answer.status(), 200, "{url}");
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "image/jpeg", "{url}");
        assert_eq!(answer.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*", "{url}");
        let forged = format!("{}0", &url[..url.len() - 1]);
        if forged != *url {
            assert_eq!(reqwest::get(forged).await.unwrap().status(), 404, "{url}");
        }
    }
}

#[tokio::test]
async fn subsonic_picture_addresses_end_with_their_user() {
    let house = House::open().await;
    let artist = house.bob.id("artist", "Joni Mitchell").await;
    let whole = house.bob.ok("getArtist", &format!("id={artist}")).await;
    let url = whole["artist"]["artistImageUrl"].as_str().unwrap().to_owned();
    assert_eq!(reqwest::get(&url).await.unwrap().status(), 200);
    house.ann.ok("deleteUser", "username=bob").await;
    assert_eq!(reqwest::get(&url).await.unwrap().status(), 404);
}

#[tokio::test]
async fn subsonic_additions_are_in_every_song_album_and_artist() {
    let house = House::open().await;
    let answers = answers(&house.ann, &matrix::parameters(&house).await).await;
    let mut seen = BTreeMap::new();
    for (method, answer) in &answers {
        objects("", answer, &mut |name, object| {
            let id = object["id"].as_str().unwrap_or_default();
            let is_reference = object.as_object().unwrap().len() == 2;
            let is_by_tags = object.get("isDir").is_none();
            let wanted = match id.split('-').next().unwrap() {
                "tr" if object["isDir"] == false => [OF_SONG, REQUIRED_OF_SONG].concat(),
                "al" if is_by_tags && name == "album" => OF_ALBUM.to_vec(),
                "ar" if is_by_tags && !is_reference && !is_folder_view(method) => {
                    OF_ARTIST.to_vec()
                }
                _ => return,
            };
            *seen.entry(id[..2].to_owned()).or_insert(0) += 1;
            for field in wanted {
                assert!(object.get(field).is_some(), "{method} {name} {id} has no {field}");
            }
        });
    }
    assert!(seen["tr"] > 20 && seen["al"] > 10 && seen["ar"] > 5, "{seen:?}");
}

/// Methods whose artists are those of the folder view, which OpenSubsonic added nothing to.
fn is_folder_view(method: &str) -> bool {
    ["getIndexes", "getStarred", "search2", "getArtistInfo", "getMusicDirectory"].contains(&method)
}

#[tokio::test]
async fn subsonic_one_song_is_a_list_of_one_everywhere() {
    let house = House::of_one().await;
    let Some(folder) = super::schema::folder() else { return };
    let openapi = super::schema::openapi::OpenApi::open(&folder);
    let mut wrong = Vec::new();
    let parameters = matrix::parameters(&house).await;
    for (method, answer) in answers(&house.ann, &parameters).await {
        check_values(&method, "", &answer);
        // The schemas know what is a list and what is not.
        wrong.extend(openapi.check(&method, &serde_json::json!({ "subsonic-response": answer })));
    }
    let xml = answers_in_xml(&house.ann, &parameters).await;
    assert!(xml.len() > 70, "{}", xml.len());
    wrong.extend(super::schema::xsd::check(&folder, &xml));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn subsonic_nothing_has_nothing_that_is_null() {
    let house = House::empty().await;
    let ids = "id=tr-1&songId=tr-1&mediaId=tr-1&type=newest&genre=x&query=&rating=1&position=1\
               &currentIndex=0&artist=x&title=x&action=get&name=x";
    let parameters: BTreeMap<_, _> = subsonic::methods()
        .filter(|method| !["deleteUser", "changePassword", "updateUser"].contains(method))
        .map(|method| (method, ids.to_owned()))
        .collect();
    for (method, answer) in answers(&house.ann, &parameters).await {
        check_values(&method, "", &answer);
        let code = &answer["error"]["code"];
        let is_told = answer["status"] == "ok" || [0, 10, 50, 70].iter().any(|is| code == is);
        assert!(is_told, "{method}: {answer}");
    }
    let Some(folder) = super::schema::folder() else { return };
    let xml = answers_in_xml(&house.ann, &parameters).await;
    assert!(xml.len() > 70, "{}", xml.len());
    let wrong = super::schema::xsd::check(&folder, &xml);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn subsonic_what_others_have_is_not_found() {
    let house = House::open().await;
    let (ann, bob) = (&house.ann, &house.bob);
    let (song, album) = (ann.id("song", "All I Want").await, ann.id("album", "Blue").await);
    let artist = ann.id("artist", "Joni Mitchell").await;
    let indexes = ann.ok("getIndexes", "").await["indexes"]["index"].clone();
    let folder = indexes[1]["artist"][0]["id"].as_str().unwrap().to_owned();
    let list = ann.ok("createPlaylist", &format!("name=Joni&songId={song}")).await;
    let list = list["playlist"]["id"].as_str().unwrap().to_owned();
    ann.ok("createBookmark", &format!("id={song}&position=5")).await;
    let cover = ann.ok("getSong", &format!("id={song}")).await["song"]["coverArt"].clone();
    let ids =
        [&song, &album, &artist, &folder, &list, cover.as_str().unwrap()].map(ToOwned::to_owned);
    // From now on bob sees no library at all.
    let admin = house.principal("ann").await;
    let change = tunelocker::accounts::UserChange {
        libraries: Some(Vec::new()),
        ..tunelocker::accounts::UserChange::default()
    };
    house.app.services.accounts.update_user(&admin, "bob", &change).await.unwrap();
    let Some(endpoints) = super::schema::endpoints() else { return };
    let mut asked = 0;
    for method in subsonic::methods() {
        for parameter in endpoints.get(method).into_iter().flatten() {
            let is_id = parameter == "id" || parameter.to_lowercase().ends_with("id");
            if !is_id || parameter == "musicFolderId" {
                continue;
            }
            for id in &ids {
                let query = format!(
                    "{parameter}={id}&rating=3&position=1&currentIndex=0&mediaType=song&positionMs=0\
                     &state=playing&name=x&action=set&url=x&comment=x&startSongId={id}&endSongId={id}"
                );
                let answer = bob.get(method, &query).await;
                asked += 1;
                let kind = answer.headers().get(header::CONTENT_TYPE).cloned();
                let kind = kind.map(|kind| kind.to_str().unwrap().to_owned()).unwrap_or_default();
                assert!(!kind.starts_with("audio/"), "{method} {query}");
                assert!(!kind.starts_with("image/"), "{method} {query}");
                let text = answer.text().await.unwrap();
                for secret in ["All I Want", "Joni", "Blue"] {
                    assert!(!text.contains(secret), "{method} {query}: {text}");
                }
            }
        }
    }
    assert!(asked > 100, "{asked}");
    for (method, id) in [
        ("getSong", &song),
        ("getAlbum", &album),
        ("getArtist", &artist),
        ("getMusicDirectory", &folder),
        ("getPlaylist", &list),
        ("stream", &song),
        ("download", &song),
        ("getCoverArt", &album),
        ("star", &song),
        ("getAlbumInfo2", &album),
        ("getArtistInfo2", &artist),
        ("getSimilarSongs", &song),
        ("getLyricsBySongId", &song),
    ] {
        assert_eq!(bob.refused(method, &format!("id={id}")).await, 70, "{method}");
    }
}
