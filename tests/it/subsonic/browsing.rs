//! What there is to hear, in both views.

use serde_json::json;

use super::{House, names};

#[tokio::test]
async fn subsonic_the_view_by_tags() {
    let house = House::open().await;
    let ann = &house.ann;

    let artists = ann.ok("getArtists", "").await["artists"].clone();
    assert_eq!(artists["ignoredArticles"], "The El La Los Las Le Les");
    let mut listed = Vec::new();
    for index in artists["index"].as_array().unwrap() {
        for artist in index["artist"].as_array().unwrap() {
            listed.push((
                index["name"].as_str().unwrap().to_owned(),
                artist["name"].as_str().unwrap().to_owned(),
                artist["albumCount"].as_i64().unwrap(),
            ));
            // C15: the count is what getArtist lists.
            let id = artist["id"].as_str().unwrap();
            let whole = ann.ok("getArtist", &format!("id={id}")).await["artist"].clone();
            assert_eq!(whole["album"].as_array().unwrap().len() as i64, listed.last().unwrap().2);
        }
    }
    let expected = [
        ("E", "The Empty", 1),
        ("J", "Joni Mitchell", 1),
        ("L", "Loner", 1),
        ("M", "More", 1),
        ("T", "Two", 1),
        ("V", "Various Artists", 1),
    ];
    let expected = expected.map(|(index, name, count)| (index.to_owned(), name.to_owned(), count));
    assert_eq!(listed, expected);

    let album = ann.id("album", "Blue").await;
    let album = ann.ok("getAlbum", &format!("id={album}")).await["album"].clone();
    assert_eq!(names(&album["song"]), ["All I Want", "My Old Man", "Little Green"]);
    assert_eq!(album["artists"], json!([{"id": album["artistId"], "name": "Joni Mitchell"}]));
    assert_eq!(album["originalReleaseDate"], json!({"year": 1971, "month": 6}));
    assert_eq!(album["releaseDate"], json!({"year": 1971, "month": 6, "day": 22}));
    assert_eq!(album["recordLabels"], json!([{"name": "Reprise"}]));
    assert_eq!(album["explicitStatus"], "explicit");
    assert_eq!((&album["songCount"], &album["duration"]), (&json!(3), &json!(6)));
    let song = &album["song"][0];
    assert_eq!(song["path"], "Joni Mitchell/Blue/01 - All I Want.flac");
    assert_eq!(song["replayGain"], json!({"trackGain": -6.5, "trackPeak": 0.98}));
    assert_eq!(song["contentType"], "audio/flac");
    assert_eq!((&song["samplingRate"], &song["bitDepth"]), (&json!(44100), &json!(16)));
    assert_eq!(album["song"][1]["bpm"], 88);
    assert_eq!(album["song"][1]["comment"], "a comment");
    assert_eq!(album["song"][2]["isrc"], json!(["USRE10000001"]));

    let album = ann.id("album", "Double").await;
    let album = ann.ok("getAlbum", &format!("id={album}")).await["album"].clone();
    assert_eq!(names(&album["artists"]), ["Two", "More"]);
    assert_eq!(album["displayArtist"], "Two & More");
    let discs = json!([{"disc": 1, "title": "Heads"}, {"disc": 2, "title": "Tails"}]);
    assert_eq!(album["discTitles"], discs);
    let (one, two) = (&album["song"][0], &album["song"][1]);
    assert_eq!((&one["discNumber"], &two["discNumber"]), (&json!(1), &json!(2)));
    assert_eq!(names(&two["artists"]), ["Two", "Guest"]);
    assert_eq!(two["path"], "Two & More/Double/Disc 2/01 - Two.flac");
    let roles: Vec<&str> = one["contributors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|contributor| contributor["role"].as_str().unwrap())
        .collect();
    assert!(roles.contains(&"conductor") && roles.contains(&"composer"), "{roles:?}");
    assert_eq!(one["movements"], json!([{"name": "Allegro", "number": 1, "count": 3}]));
    assert_ne!(one["coverArt"], two["coverArt"]);

    // C16: guests open too, with what they appear on.
    let guest = two["artists"][1]["id"].as_str().unwrap();
    let guest = ann.ok("getArtist", &format!("id={guest}")).await["artist"].clone();
    assert_eq!(names(&guest["album"]), ["Double"]);

    let compilation = ann.id("album", "Hits").await;
    let hits = ann.ok("getAlbum", &format!("id={compilation}")).await["album"].clone();
    assert_eq!(hits["isCompilation"], true);
    assert_eq!(names(&hits["song"]), ["First", "Second"]);

    let untagged = ann.id("song", "Untitled").await;
    let song = ann.ok("getSong", &format!("id={untagged}")).await["song"].clone();
    assert_eq!((&song["track"], &song["album"]), (&json!(4), &json!("Nothing")));
    assert!(song.get("coverArt").is_none());

    let loose = ann.id("song", "Loose <&> \"quoted\"").await;
    let xml = ann.url("getSong", &format!("id={loose}")).replace("&f=json", "");
    let xml = reqwest::get(xml).await.unwrap().text().await.unwrap();
    assert!(xml.contains("title=\"Loose &lt;&amp;&gt; &quot;quoted&quot;\""), "{xml}");

    let genres = ann.ok("getGenres", "").await["genres"]["genre"].clone();
    let find = |name: &str| {
        let list = genres.as_array().unwrap();
        list.iter().find(|genre| genre["value"] == name).unwrap().clone()
    };
    assert_eq!(find("Pop"), json!({"songCount": 2, "albumCount": 1, "value": "Pop"}));
    assert_eq!(find("Rock"), json!({"songCount": 1, "albumCount": 1, "value": "Rock"}));
}

#[tokio::test]
async fn subsonic_the_folder_view_shows_real_directories() {
    let house = House::open().await;
    let ann = &house.ann;
    let folders = ann.ok("getMusicFolders", "").await["musicFolders"]["musicFolder"].clone();
    let music = folders.as_array().unwrap().iter().find(|each| each["name"] == "Music").unwrap();
    assert!(music["id"].is_i64());

    let indexes = ann.ok("getIndexes", &format!("musicFolderId={}", music["id"])).await;
    let indexes = &indexes["indexes"];
    let mut tops = Vec::new();
    for index in indexes["index"].as_array().unwrap() {
        for name in names(&index["artist"]) {
            tops.push(format!("{}:{name}", index["name"].as_str().unwrap()));
        }
    }
    assert_eq!(tops, ["E:The Empty", "J:Joni Mitchell", "T:Two & More", "V:Various"]);
    assert_eq!(names(&indexes["child"]), ["Loose <&> \"quoted\""]);

    // Down to the files, and up again by `parent`.
    let mut id = indexes["index"][2]["artist"][0]["id"].as_str().unwrap().to_owned();
    for (name, children) in [("Two & More", "Double"), ("Double", "CD1"), ("CD1", "One")] {
        let directory = ann.ok("getMusicDirectory", &format!("id={id}")).await["directory"].clone();
        assert_eq!(directory["name"], name);
        let child = &directory["child"][0];
        assert_eq!(child["title"], children);
        assert_eq!(child["parent"], id.as_str());
        id = child["id"].as_str().unwrap().to_owned();
    }

    // Nothing changed since: nothing is told.
    let seen = indexes["lastModified"].as_i64().unwrap();
    let again = ann.ok("getIndexes", &format!("ifModifiedSince={seen}")).await;
    assert!(again.get("indexes").is_none());
    assert!(ann.ok("getIndexes", "ifModifiedSince=1").await.get("indexes").is_some());
    // A playlist is no reason to fetch the whole collection again; a file is.
    ann.ok("createPlaylist", "name=Mine").await;
    let again = ann.ok("getIndexes", &format!("ifModifiedSince={seen}")).await;
    assert!(again.get("indexes").is_none());
    assert_eq!(ann.ok("getArtists", "").await["artists"]["lastModified"], seen);
    std::fs::remove_file(house.music.join("The Empty/Nothing/04 Untitled.wav")).unwrap();
    ann.ok("startScan", "").await;
    house.wait_for_scan().await;
    let again = ann.ok("getIndexes", &format!("ifModifiedSince={seen}")).await;
    assert!(seen < again["indexes"]["lastModified"].as_i64().unwrap());

    // Apps mix the views.
    for (kind, name, child) in
        [("album", "Blue", "All I Want"), ("artist", "Joni Mitchell", "Blue")]
    {
        let id = ann.id(kind, name).await;
        let directory = ann.ok("getMusicDirectory", &format!("id={id}")).await["directory"].clone();
        assert_eq!(directory["child"][0]["title"], child);
    }
    let root = ann.ok("getMusicDirectory", &format!("id={}", music["id"])).await;
    assert_eq!(root["directory"]["child"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn subsonic_every_id_that_is_handed_out_opens() {
    let house = House::open().await;
    let ann = &house.ann;
    let all = ann.ok("search3", "query=&artistCount=500&albumCount=500&songCount=500").await;
    let all = &all["searchResult3"];
    let mut artists = Vec::new();
    for song in all["song"].as_array().unwrap() {
        let get = |field: &str| song[field].as_str().map(ToOwned::to_owned);
        let id = get("id").unwrap();
        for method in ["getSong", "getSimilarSongs", "getAlbumInfo", "getLyricsBySongId"] {
            ann.ok(method, &format!("id={id}")).await;
        }
        ann.ok("getMusicDirectory", &format!("id={}", get("parent").unwrap())).await;
        ann.ok("getAlbum", &format!("id={}", get("albumId").unwrap())).await;
        for list in ["artists", "albumArtists"] {
            artists.extend(song[list].as_array().unwrap().iter().cloned());
        }
        for contributor in song["contributors"].as_array().unwrap() {
            artists.push(contributor["artist"].clone());
        }
    }
    for album in all["album"].as_array().unwrap() {
        let id = album["id"].as_str().unwrap();
        for method in ["getAlbum", "getMusicDirectory", "getAlbumInfo2", "getSimilarSongs"] {
            ann.ok(method, &format!("id={id}")).await;
        }
    }
    artists.extend(all["artist"].as_array().unwrap().iter().cloned());
    assert!(artists.iter().any(|artist| artist["name"] == "Con Ductor"));
    for artist in artists {
        let id = artist["id"].as_str().unwrap();
        for method in ["getArtist", "getArtistInfo", "getArtistInfo2", "getSimilarSongs2"] {
            ann.ok(method, &format!("id={id}")).await;
        }
        let by_id = ann.ok("getTopSongs", &format!("id={id}")).await;
        assert!(by_id["topSongs"]["song"].is_array());
    }
    let by_name = ann.ok("getTopSongs", "artist=joni%20mitchell").await;
    assert_eq!(by_name["topSongs"]["song"].as_array().unwrap().len(), 3);
    let nobody = ann.ok("getTopSongs", "artist=Nobody").await;
    assert_eq!(nobody["topSongs"]["song"], json!([]));
}
