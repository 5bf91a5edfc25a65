//! Apps that read JSON.

use reqwest::header;
use serde_json::{Value, json};

use super::{Auth, Client, House, ids, is_whole, names, queue_elsewhere};

const ALL_I_WANT: &str = "Joni Mitchell/Blue/01 All I Want.flac";

/// Every song by empty searches, page by page until one is empty.
async fn sync_by_search(
    client: &Client<'_>,
    spelling: &str,
    more: &str,
    page: usize,
) -> Vec<String> {
    let mut found = Vec::new();
    loop {
        let query = format!(
            "query={spelling}&artistCount=0&albumCount=0&songCount={page}&songOffset={}{more}",
            found.len()
        );
        let songs = client.json("search3", &query, "searchResult3").await["song"].clone();
        found.extend(ids(&songs));
        if songs.as_array().unwrap().is_empty() {
            return found;
        }
    }
}

#[tokio::test]
async fn trace_of_symfonium() {
    let house = House::open().await;
    let app = Client {
        house: &house,
        name: "Symfonium",
        version: "1.13.0",
        form: "json",
        suffix: "",
        auth: Auth::Key,
    };
    // Connect.
    let extensions = app.json("getOpenSubsonicExtensions", "", "openSubsonicExtensions").await;
    assert!(
        extensions.as_array().unwrap().iter().any(|each| each["name"] == "apiKeyAuthentication")
    );
    app.json("ping", "", "").await;
    let folders = app.json("getMusicFolders", "", "musicFolders").await;
    assert!(folders["musicFolder"].as_array().unwrap().iter().all(|folder| folder["id"].is_i64()));
    // Sync: everything must be there, or it stops.
    let genres = app.json("getGenres", "", "genres").await["genre"].clone();
    assert!(genres.as_array().unwrap().iter().all(|genre| genre["value"].is_string()));
    let songs = sync_by_search(&app, "%22%22", "&musicFolderId=0", 4).await;
    is_whole(&songs);
    for (kind, count) in [("album", 5), ("artist", 8)] {
        let query = format!("query=%22%22&{kind}Count=500&songCount=0&musicFolderId=0");
        let found = app.json("search3", &query, "searchResult3").await[kind].clone();
        assert!(found.as_array().unwrap().len() >= count, "{kind}: {found}");
        for item in found.as_array().unwrap() {
            assert!(kind != "album" || item["artists"].is_array(), "{item}");
        }
    }
    app.json("getBookmarks", "", "bookmarks").await;
    app.json("getPlaylists", "", "playlists").await;
    app.json("getStarred2", "", "starred2").await;
    app.json("getPodcasts", "includeEpisodes=true", "podcasts").await;
    app.json("getInternetRadioStations", "", "internetRadioStations").await;
    // Pictures without a size, lyrics, the sound.
    let joni = house.ann.id("artist", "Joni Mitchell").await;
    let artist = app.json("getArtist", &format!("id={joni}"), "artist").await;
    assert_eq!(artist["coverArt"].as_str().unwrap().split('_').next(), Some(joni.as_str()));
    let cover =
        app.bytes("getCoverArt", &format!("id={}", artist["coverArt"].as_str().unwrap())).await;
    assert_eq!(image::load_from_memory(&cover).unwrap().width(), 600);
    let song = house.ann.id("song", "All I Want").await;
    let lyrics =
        app.json("getLyricsBySongId", &format!("id={song}&enhanced=true"), "lyricsList").await;
    assert_eq!(lyrics["structuredLyrics"][0]["synced"], true);
    app.plays(&song, ALL_I_WANT).await;
    // On the way it negotiates, and seeks in what was agreed on.
    let able = json!({ "name": "Symfonium", "platform": "Android",
        "maxTranscodingAudioBitrate": 96_000,
        "transcodingProfiles": [{ "container": "ogg", "audioCodec": "opus", "protocol": "http" }] });
    let media = format!("mediaId={song}&mediaType=song");
    let url = format!("{}getTranscodeDecision?{}&{media}", house.ann.base, app.common());
    let answer = house.ann.http.post(url).json(&able).send().await.unwrap();
    let whole: Value = answer.json().await.unwrap();
    let decision = &whole["subsonic-response"]["transcodeDecision"];
    assert_eq!(decision["transcodeStream"]["codec"], "opus", "{whole}");
    let agreed =
        format!("{media}&transcodeParams={}", decision["transcodeParams"].as_str().unwrap());
    let (all, rest) = (
        app.bytes("getTranscodeStream", &agreed).await,
        app.bytes("getTranscodeStream", &format!("{agreed}&offset=1")).await,
    );
    assert!(all.starts_with(b"OggS") && rest.starts_with(b"OggS") && rest.len() < all.len());
    app.keeps_a_playlist().await;
    app.scrobbles_offline(&songs[..3]).await;
    let other = house.ann.id("song", "My Old Man").await;
    let queue = format!("id={song}&id={other}&id={song}&currentIndex=2&position=1500");
    app.json("savePlayQueueByIndex", &queue, "").await;
    queue_elsewhere(&house, &["All I Want", "My Old Man", "All I Want"], &song, 1500).await;
}

#[tokio::test]
async fn trace_of_tempo() {
    let house = House::open().await;
    let app = Client {
        house: &house,
        name: "Tempo",
        version: "1.15.0",
        form: "json",
        suffix: "",
        auth: Auth::Token("abcdef"),
    };
    app.json("ping", "", "").await;
    app.json("getOpenSubsonicExtensions", "", "openSubsonicExtensions").await;
    // Its home screen.
    for kind in ["random", "recent", "frequent", "newest", "starred"] {
        app.json("getAlbumList2", &format!("type={kind}&size=20&offset=0"), "albumList2").await;
    }
    let by_year = |from: i32, to: i32| format!("type=byYear&size=500&fromYear={from}&toYear={to}");
    let up = app.json("getAlbumList2", &by_year(1900, 2100), "albumList2").await["album"].clone();
    let down = app.json("getAlbumList2", &by_year(2100, 1900), "albumList2").await["album"].clone();
    assert_eq!(names(&up), ["Blue", "Hits", "Double"]);
    assert_eq!(names(&down), ["Double", "Hits", "Blue"]);
    let random = app.json("getRandomSongs", "size=500", "randomSongs").await["song"].clone();
    is_whole(&ids(&random));
    let artists = app.json("getArtists", "", "artists").await["index"].clone();
    for index in artists.as_array().unwrap() {
        for artist in index["artist"].as_array().unwrap() {
            let id = format!("id={}", artist["id"].as_str().unwrap());
            app.json("getArtist", &id, "artist").await;
            app.json("getArtistInfo2", &id, "artistInfo2").await;
            app.json("getSimilarSongs2", &format!("{id}&count=20"), "similarSongs2").await;
        }
    }
    let top = app.json("getTopSongs", "artist=Joni%20Mitchell&count=100", "topSongs").await;
    assert_eq!(top["song"].as_array().unwrap().len(), 3);
    for (method, name) in [
        ("getPodcasts", "podcasts"),
        ("getInternetRadioStations", "internetRadioStations"),
        ("getShares", "shares"),
    ] {
        assert!(app.json(method, "", name).await.is_object(), "{method}");
    }
    let song = house.ann.id("song", "All I Want").await;
    app.json("getLyricsBySongId", &format!("id={song}"), "lyricsList").await;
    app.plays(&song, ALL_I_WANT).await;
    app.seeks_transcoded(&song).await;
    app.keeps_a_playlist().await;
    app.scrobbles_offline(std::slice::from_ref(&song)).await;
    app.json("savePlayQueue", &format!("id={song}&current={song}&position=900"), "").await;
    queue_elsewhere(&house, &["All I Want"], &song, 900).await;
    let queue = app.json("getPlayQueue", "", "playQueue").await;
    assert_eq!(queue["changedBy"], "Tempo");
}

#[tokio::test]
async fn trace_of_substreamer() {
    let house = House::open().await;
    let app = Client {
        house: &house,
        name: "substreamer8",
        version: "1.15.0",
        form: "json",
        suffix: "",
        auth: Auth::Hex,
    };
    app.json("ping", "", "").await;
    let user = app.json("getUser", "username=ann", "user").await;
    assert_eq!((&user["streamRole"], &user["downloadRole"]), (&json!(true), &json!(true)));
    let found = app
        .json("search3", "query=''&albumCount=10000&artistCount=0&songCount=0", "searchResult3")
        .await;
    assert_eq!(found["album"].as_array().unwrap().len(), 5);
    let listed = app
        .json("getAlbumList2", "type=alphabeticalByArtist&size=500&offset=0", "albumList2")
        .await["album"]
        .clone();
    let mut songs = Vec::new();
    for id in ids(&listed) {
        let album = app.json("getAlbum", &format!("id={id}"), "album").await;
        songs.extend(ids(&album["song"]));
    }
    is_whole(&songs);
    let past = app
        .json("getAlbumList2", "type=alphabeticalByArtist&size=500&offset=500", "albumList2")
        .await;
    assert_eq!(past["album"], json!([]));
    let status = app.json("startScan", "fullScan=true", "scanStatus").await;
    assert!(status["scanning"].is_boolean());
    while app.json("getScanStatus", "", "scanStatus").await["scanning"] == true {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    // It trusts the announced length to the byte.
    let song = house.ann.id("song", "Untitled").await;
    let query = format!("id={song}&format=mp3&maxBitRate=128&estimateContentLength=true");
    for offset in ["", "&timeOffset=0"] {
        let answer = app.request("stream", &format!("{query}{offset}")).send().await.unwrap();
        let promised = answer.content_length().unwrap();
        assert_eq!(answer.bytes().await.unwrap().len() as u64, promised);
    }
    let lyrics = house.ann.id("song", "All I Want").await;
    let lyrics = app.json("getLyricsBySongId", &format!("id={lyrics}"), "lyricsList").await;
    assert!(lyrics["structuredLyrics"].is_array());
    app.seeks_transcoded(&house.ann.id("song", "All I Want").await).await;
    app.keeps_a_playlist().await;
    app.scrobbles_offline(&songs[..2]).await;
    app.json(
        "savePlayQueue",
        &format!("id={}&id={}&current={}&position=3", songs[0], songs[1], songs[1]),
        "",
    )
    .await;
    let queue = app.json("getPlayQueue", "", "playQueue").await;
    assert_eq!(queue["current"], songs[1].as_str());
}

#[tokio::test]
async fn trace_of_feishin() {
    let house = House::open().await;
    let app = Client {
        house: &house,
        name: "Feishin",
        version: "1.13.0",
        form: "json",
        suffix: ".view",
        auth: Auth::Token("s1s2s3"),
    };
    app.json("ping", "", "").await;
    is_whole(&sync_by_search(&app, "%22%22", "", 500).await);
    let answer = app
        .request("getAlbumList2", "type=alphabeticalByName&size=2&offset=2")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.headers()["X-Total-Count"], "5");
    let whole: Value = answer.json().await.unwrap();
    assert_eq!(names(&whole["subsonic-response"]["albumList2"]["album"]), ["Hits", "Nothing"]);
    let joni = house.ann.id("artist", "Joni Mitchell").await;
    for (method, name, query) in [
        ("getArtistInfo", "artistInfo", format!("id={joni}&count=25")),
        ("getArtistInfo2", "artistInfo2", format!("id={joni}&count=25")),
        ("getSimilarSongs2", "similarSongs2", format!("id={joni}&count=50")),
        ("getTopSongs", "topSongs", "artist=Joni%20Mitchell&count=50".to_owned()),
        ("getStarred", "starred", String::new()),
        ("getStarred2", "starred2", String::new()),
    ] {
        assert!(app.json(method, &query, name).await.is_object(), "{method}");
    }
    let song = house.ann.id("song", "All I Want").await;
    app.plays(&song, ALL_I_WANT).await;
    // It says what plays, and only later that it was heard.
    app.json("scrobble", &format!("id={song}&submission=false"), "").await;
    let playing = app.json("getNowPlaying", "", "nowPlaying").await["entry"].clone();
    assert_eq!(
        (&playing[0]["title"], &playing[0]["playerName"]),
        (&json!("All I Want"), &json!("Feishin"))
    );
    app.keeps_a_playlist().await;
    app.scrobbles_offline(std::slice::from_ref(&song)).await;
    // The queue as a form, as its desktop sends it.
    let other = house.ann.id("song", "First").await;
    let form = format!("{}&id={song}&id={other}&current={other}&position=10", app.common());
    let sent = reqwest::Client::new()
        .post(format!("{}savePlayQueue.view", house.ann.base))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form);
    assert_eq!(sent.send().await.unwrap().status(), 200);
    queue_elsewhere(&house, &["All I Want", "First"], &other, 10).await;
}
