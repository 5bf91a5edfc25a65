//! Fields that follow from more than one file's tags, and both views' ids everywhere.

use serde_json::{Value, json};
use tunelocker::{
    accounts::UserChange,
    playback::{ClientProfile, Target},
};

use super::{App, House, names};

#[tokio::test]
async fn subsonic_moods_of_an_album_are_those_of_its_songs() {
    let house = House::open().await;
    let album = house.ann.id("album", "Blue").await;
    let album = house.ann.ok("getAlbum", &format!("id={album}")).await["album"].clone();
    assert_eq!(album["moods"], json!(["calm"]));
    let double = house.ann.id("album", "Double").await;
    let double = house.ann.ok("getAlbum", &format!("id={double}")).await["album"].clone();
    assert_eq!(double["moods"], json!([]));
}

#[tokio::test]
async fn subsonic_songs_say_what_a_stream_would_turn_them_into() {
    let house = House::open().await;
    let id = house.bob.id("song", "Untitled").await;
    let song = async |app: &App| app.ok("getSong", &format!("id={id}")).await["song"].clone();
    let before = song(&house.bob).await;
    assert!(
        before.get("transcodedContentType").is_none() && before.get("transcodedSuffix").is_none()
    );
    // A ceiling below the bitrate of a WAVE file: it comes as what the stream itself says.
    house.ann.ok("updateUser", "username=bob&maxBitRate=128").await;
    let capped = song(&house.bob).await;
    let stream = house.bob.get("stream", &format!("id={id}")).await;
    assert_eq!(capped["transcodedContentType"], stream.headers()["content-type"].to_str().unwrap());
    assert_eq!(capped["transcodedSuffix"], "mp3");
    assert_eq!(capped["contentType"], "audio/wav");
    assert!(song(&house.ann).await.get("transcodedSuffix").is_none());
}

/// An administrator says what an app plays: every answer with a song in it then says what the
/// stream itself gives this app, and other apps are told nothing.
#[tokio::test(flavor = "multi_thread")]
async fn subsonic_songs_say_what_this_app_is_sent() {
    let house = House::open().await;
    let admin = house.principal("ann").await;
    let playback = &house.app.services.playback;
    let profile = |client: &str, target, plays: &[&str]| ClientProfile {
        client: client.to_owned(),
        plays: plays.iter().map(ToString::to_string).collect(),
        target,
        ..ClientProfile::default()
    };
    playback.set_client_profile(&admin, &profile("tests", Target::Opus, &["flac"])).await.unwrap();
    playback.set_client_profile(&admin, &profile("old", Target::Mp3, &["mp3"])).await.unwrap();
    let wave = house.bob.id("song", "Untitled").await;
    let flac = house.bob.id("song", "All I Want").await;
    let album = house.bob.id("album", "Blue").await;
    for (client, id, suffix) in [
        ("tests", &wave, Some("opus")),
        ("tests", &flac, None),
        ("old phone", &flac, Some("mp3")),
        ("another", &wave, None),
    ] {
        let by = |method: &str, query: &str| {
            house.bob.url(method, query).replace("c=tests", &format!("c={client}"))
        };
        let query = format!("id={id}");
        let told: Value = reqwest::get(by("getSong", &query)).await.unwrap().json().await.unwrap();
        let told = &told["subsonic-response"]["song"];
        assert_eq!(told.get("transcodedSuffix").and_then(Value::as_str), suffix, "{client} {id}");
        let sent = reqwest::get(by("stream", &query)).await.unwrap();
        let sent = sent.headers()["content-type"].to_str().unwrap();
        let expected = told.get("transcodedContentType").unwrap_or(&told["contentType"]);
        assert_eq!(sent, expected, "{client} {id}");
        let xml = by("getSong", &query).replace("f=json", "f=xml");
        let xml = reqwest::get(xml).await.unwrap().text().await.unwrap();
        assert_eq!(xml.contains("transcodedSuffix"), suffix.is_some(), "{xml}");
    }
    // Wherever songs are listed.
    let old = |method: &str, query: &str| house.bob.url(method, query).replace("c=tests", "c=old");
    for (method, query, list) in [
        ("getAlbum", format!("id={album}"), "/album/song"),
        ("getMusicDirectory", format!("id={album}"), "/directory/child"),
        ("search3", "query=".to_owned(), "/searchResult3/song"),
        ("getRandomSongs", "size=500".to_owned(), "/randomSongs/song"),
        ("getSongsByGenre", "genre=Folk".to_owned(), "/songsByGenre/song"),
    ] {
        let told: Value = reqwest::get(old(method, &query)).await.unwrap().json().await.unwrap();
        let songs = told["subsonic-response"].pointer(list).and_then(Value::as_array).unwrap();
        assert!(!songs.is_empty(), "{method}");
        for song in songs {
            assert_eq!(song["transcodedSuffix"], "mp3", "{method}: {song}");
        }
    }
}

#[tokio::test]
async fn subsonic_artists_have_others_like_them() {
    let house = House::open().await;
    let ann = &house.ann;
    let two = ann.id("artist", "Two").await;
    // Named beside him on a track or an album, and of the same genre.
    for (method, name) in [("getArtistInfo", "artistInfo"), ("getArtistInfo2", "artistInfo2")] {
        let info = ann.ok(method, &format!("id={two}")).await[name].clone();
        let mut like = names(&info["similarArtist"]);
        like.sort_unstable();
        assert_eq!(like, ["Guest", "More"], "{method}");
        let one = ann.ok(method, &format!("id={two}&count=1")).await[name].clone();
        assert_eq!(one["similarArtist"].as_array().unwrap().len(), 1);
        for size in ["smallImageUrl", "mediumImageUrl", "largeImageUrl"] {
            assert!(
                info[size].as_str().unwrap().starts_with(&house.app.url("/rest/image/")),
                "{size}"
            );
        }
    }
    // Heard by the same person: nothing else ties these two.
    let joni = ann.id("artist", "Joni Mitchell").await;
    let similar = async || {
        let info = ann.ok("getArtistInfo2", &format!("id={joni}")).await["artistInfo2"].clone();
        names(&info["similarArtist"]).into_iter().map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    assert!(similar().await.is_empty());
    for title in ["All I Want", "First"] {
        let song = ann.id("song", title).await;
        ann.ok("scrobble", &format!("id={song}&time=1700000000000")).await;
    }
    assert_eq!(similar().await, ["A Band"]);
}

#[tokio::test]
async fn subsonic_ids_of_either_view_are_taken_everywhere() {
    let house = House::open().await;
    let ann = &house.ann;
    let song = ann.id("song", "All I Want").await;
    let song = ann.ok("getSong", &format!("id={song}")).await["song"].clone();
    let folder = song["parent"].as_str().unwrap().to_owned();
    let above =
        ann.ok("getMusicDirectory", &format!("id={folder}")).await["directory"]["parent"].clone();
    let above = above.as_str().unwrap();
    let blue = ann.id("album", "Blue").await;
    let joni = ann.id("artist", "Joni Mitchell").await;
    for (by_folder, by_tags) in [(folder.as_str(), blue.as_str()), (above, joni.as_str())] {
        for id in [by_folder, by_tags] {
            let id = format!("id={id}");
            for method in [
                "getMusicDirectory",
                "getSimilarSongs",
                "getSimilarSongs2",
                "getArtistInfo",
                "getArtistInfo2",
            ] {
                ann.ok(method, &id).await;
            }
            ann.ok("setRating", &format!("{id}&rating=4")).await;
            ann.ok("star", &id).await;
            let cover = ann.get("getCoverArt", &format!("{id}&size=60")).await;
            assert_eq!(cover.headers()["content-type"], "image/jpeg", "{id}");
        }
    }
    // A directory opens as what lies in it.
    let album = ann.ok("getAlbum", &format!("id={folder}")).await["album"].clone();
    assert_eq!((&album["id"], &album["name"]), (&json!(blue), &json!("Blue")));
    let artist = ann.ok("getArtist", &format!("id={above}")).await["artist"].clone();
    assert_eq!((&artist["id"], &artist["name"]), (&json!(joni), &json!("Joni Mitchell")));
    let info = ann.ok("getAlbumInfo", &format!("id={folder}")).await["albumInfo"].clone();
    assert_eq!(info["musicBrainzId"], "aaaaaaaa-0000-4000-8000-000000000001");
    let top = ann.ok("getTopSongs", &format!("id={above}")).await["topSongs"]["song"].clone();
    assert_eq!(top.as_array().unwrap().len(), 3);
    let similar = ann.ok("getSimilarSongs", &format!("id={folder}")).await["similarSongs"].clone();
    assert!(!similar["song"].as_array().unwrap().is_empty());
    // Stars and ratings of directories show in the view that has directories.
    let starred = ann.ok("getStarred", "").await["starred"].clone();
    let listed: Vec<&str> = starred["album"]
        .as_array()
        .unwrap()
        .iter()
        .map(|album| album["id"].as_str().unwrap())
        .collect();
    assert!(listed.contains(&blue.as_str()) && listed.contains(&folder.as_str()), "{listed:?}");
    let directory = ann.ok("getMusicDirectory", &format!("id={folder}")).await["directory"].clone();
    assert_eq!(directory["userRating"], 4);
    assert!(directory["starred"].is_string());
    for id in [&folder, &blue] {
        ann.ok("unstar", &format!("id={id}")).await;
    }
    assert_eq!(ann.ok("getStarred", "").await["starred"]["album"].as_array().unwrap().len(), 1);
    // A guest opens as a directory too, with what he appears on.
    let guest = ann.id("artist", "Guest").await;
    let directory = ann.ok("getMusicDirectory", &format!("id={guest}")).await["directory"].clone();
    assert_eq!(names(&directory["child"]), ["Double"]);
    // A song is no directory, a playlist no artist.
    let song = song["id"].as_str().unwrap();
    assert_eq!(ann.refused("getMusicDirectory", &format!("id={song}")).await, 70);
    assert_eq!(ann.refused("getAlbum", &format!("id={song}")).await, 70);
    // Whoever may not see the library does not see its directories.
    let admin = house.principal("ann").await;
    let change = UserChange { libraries: Some(Vec::new()), ..UserChange::default() };
    house.app.services.accounts.update_user(&admin, "bob", &change).await.unwrap();
    for method in
        ["getAlbum", "getArtist", "getMusicDirectory", "getAlbumInfo", "getSimilarSongs", "star"]
    {
        assert_eq!(house.bob.refused(method, &format!("id={folder}")).await, 70, "{method}");
    }
}
