//! C1 to C40: what real apps need, each from a real break (numbers of the design's list of clients).
//! The table names the test of each; those that are tried nowhere else are here.

use reqwest::header;
use serde_json::{Value, json};

use super::House;

/// Number, and the tests that hold it.
const TESTS: &[(u32, &[&str])] = &[
    (1, &["c01_the_type_is_our_own", "subsonic_old_readers_get_no_nested_additions"]),
    (2, &["subsonic_every_way_of_signing_in"]),
    (3, &["subsonic_every_way_of_signing_in", "c03_the_web_never_asks_for_a_password"]),
    (4, &["c04_the_version_is_always_the_same_three_numbers"]),
    (5, &["subsonic_every_method_answers_in_every_form", "subsonic_any_parameter_may_be_anything"]),
    (6, &["subsonic_errors_of_bytes_are_xml_that_apps_recognise"]),
    (
        7,
        &[
            "subsonic_every_method_answers_in_every_form",
            "subsonic_forms_may_be_huge_and_keep_their_order",
        ],
    ),
    (8, &["subsonic_an_empty_search_is_everything_once"]),
    (9, &["c09_hundreds_of_requests_and_huge_pages_are_fine"]),
    (
        10,
        &[
            "subsonic_one_song_is_a_list_of_one_everywhere",
            "subsonic_nothing_is_an_empty_list_everywhere",
        ],
    ),
    (11, &["subsonic_values_have_the_types_that_apps_read"]),
    (
        12,
        &["subsonic_album_lists_in_every_order", "subsonic_the_folder_view_shows_real_directories"],
    ),
    (
        13,
        &[
            "subsonic_every_answer_fits_the_published_schemas",
            "subsonic_values_have_the_types_that_apps_read",
        ],
    ),
    (14, &["subsonic_album_lists_in_every_order"]),
    (15, &["subsonic_the_view_by_tags"]),
    (16, &["subsonic_the_view_by_tags", "subsonic_every_id_that_is_handed_out_opens"]),
    (17, &["subsonic_additions_are_in_every_song_album_and_artist"]),
    (18, &["c18_ids_outlive_rescans_retags_and_moves"]),
    (19, &["c19_info_never_fails_for_what_is_there"]),
    (20, &["c20_top_and_similar_are_empty_rather_than_missing"]),
    (21, &["c21_genres_are_text_with_counts"]),
    (22, &["subsonic_additions_are_in_every_song_album_and_artist", "subsonic_the_view_by_tags"]),
    (23, &["subsonic_album_lists_in_every_order"]),
    (24, &["c24_any_word_says_how_many"]),
    (25, &["subsonic_originals_come_as_they_are"]),
    (26, &["c26_paths_are_clean_and_each_song_has_its_own"]),
    (27, &["subsonic_covers_by_any_id", "c27_no_picture_is_no_field"]),
    (28, &["subsonic_streams_are_transcoded_only_when_asked"]),
    (29, &["subsonic_streams_are_transcoded_only_when_asked"]),
    (30, &["subsonic_forms_may_be_huge_and_keep_their_order"]),
    (31, &["subsonic_one_queue_behind_both_forms", "c31_a_queue_mends_itself"]),
    (32, &["subsonic_playlists_keep_order_and_owner"]),
    (33, &["subsonic_scrobbles_count_exactly_once", "subsonic_originals_come_as_they_are"]),
    (34, &["subsonic_stars_and_ratings_show_everywhere_at_once"]),
    (35, &["c35_everybody_may_read_his_own_roles"]),
    (36, &["c36_a_scan_ends"]),
    (37, &["c37_a_passing_fault_is_not_not_found"]),
    (38, &["subsonic_scripts_of_any_origin_may_ask", "subsonic_a_web_app_of_another_origin_plays"]),
    (39, &["subsonic_nothing_redirects"]),
    (40, &["c40_what_is_offered_works"]),
];

/// Every number has a test, and every test is there.
#[test]
fn subsonic_all_forty_requirements_have_their_tests() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/subsonic");
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|is| is == "rs") {
            text.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
    let numbers: Vec<u32> = TESTS.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (1..=40).collect::<Vec<_>>());
    for (number, tests) in TESTS {
        for test in *tests {
            assert!(text.contains(&format!("fn {test}()")), "C{number}: {test}");
        }
    }
}

#[tokio::test]
async fn c01_the_type_is_our_own() {
    let house = House::empty().await;
    for envelope in [house.ann.envelope("ping", "").await, house.ann.envelope("getAlbum", "").await]
    {
        assert_eq!(envelope["type"], "tunelocker");
        assert_eq!(envelope["openSubsonic"], true);
        assert!(envelope["serverVersion"].is_string());
    }
}

#[tokio::test]
async fn c03_the_web_never_asks_for_a_password() {
    let house = House::empty().await;
    for query in ["", "u=ann&p=wrong&c=t", "u=ann&c=t", "apiKey=wrong&c=t"] {
        for method in ["ping", "stream", "getCoverArt", "nonsense", ""] {
            let url = house.app.url(&format!("/rest/{method}.view?{query}"));
            let asked = reqwest::Client::new().get(url).header("Authorization", "Basic bm86bm8=");
            let answer = asked.send().await.unwrap();
            assert_eq!(answer.status(), 200, "{method} {query}");
            assert!(answer.headers().get(header::WWW_AUTHENTICATE).is_none());
        }
    }
}

#[tokio::test]
async fn c04_the_version_is_always_the_same_three_numbers() {
    let house = House::empty().await;
    for version in ["1.2.0", "1.13.0", "1.16.1", "1.99.9", "2.0.0", "nonsense", ""] {
        for form in ["json", "xml"] {
            let url = house.ann.url("ping", "").replace("v=1.16.1", &format!("v={version}"));
            let url = url.replace("f=json", &format!("f={form}"));
            let text = reqwest::get(url).await.unwrap().text().await.unwrap();
            let expected =
                if form == "json" { "\"version\":\"1.16.1\"" } else { " version=\"1.16.1\"" };
            assert!(text.contains(expected), "{version} {form}: {text}");
        }
    }
}

#[tokio::test]
async fn c09_hundreds_of_requests_and_huge_pages_are_fine() {
    let house = House::open().await;
    for _ in 0..400 {
        house.ann.ok("getLicense", "").await;
    }
    let all = house
        .ann
        .ok("search3", "query=''&albumCount=10000&songCount=10000&artistCount=10000")
        .await;
    assert_eq!(all["searchResult3"]["song"].as_array().unwrap().len(), 9);
}

#[tokio::test]
async fn c19_info_never_fails_for_what_is_there() {
    let house = House::open().await;
    let all = house.ann.ok("search3", "query=&songCount=500&albumCount=500&artistCount=500").await;
    for kind in ["song", "album", "artist"] {
        for item in all["searchResult3"][kind].as_array().unwrap() {
            let id = format!("id={}", item["id"].as_str().unwrap());
            for method in ["getArtistInfo", "getArtistInfo2"] {
                let name = if method == "getArtistInfo" { "artistInfo" } else { "artistInfo2" };
                let info = house.ann.ok(method, &id).await[name].clone();
                assert!(info["similarArtist"].is_array(), "{method} {kind}: {info}");
            }
            for method in ["getAlbumInfo", "getAlbumInfo2"] {
                if kind != "artist" {
                    assert!(house.ann.ok(method, &id).await["albumInfo"].is_object(), "{kind}");
                }
            }
        }
    }
}

#[tokio::test]
async fn c20_top_and_similar_are_empty_rather_than_missing() {
    let house = House::open().await;
    let loner = house.ann.id("artist", "The Empty").await;
    for (method, name, query) in [
        ("getTopSongs", "topSongs", "artist=Nobody%20At%20All".to_owned()),
        ("getSimilarSongs2", "similarSongs2", format!("id={loner}")),
        ("getSimilarSongs", "similarSongs", format!("id={loner}&count=0")),
    ] {
        assert!(house.ann.ok(method, &query).await[name]["song"].is_array(), "{method}");
    }
}

#[tokio::test]
async fn c21_genres_are_text_with_counts() {
    let house = House::open().await;
    let url = house.ann.url("getGenres", "").replace("f=json", "f=xml");
    let xml = reqwest::get(url).await.unwrap().text().await.unwrap();
    assert!(xml.contains("<genre songCount=\"3\" albumCount=\"1\">Folk</genre>"), "{xml}");
    let genres = house.ann.ok("getGenres", "").await["genres"]["genre"].clone();
    for genre in genres.as_array().unwrap() {
        assert!(genre["value"].is_string() && genre["songCount"].as_u64() > Some(0));
        assert!(genre["albumCount"].as_u64() > Some(0), "{genre}");
    }
}

#[tokio::test]
async fn c24_any_word_says_how_many() {
    let house = House::open().await;
    for word in ["size", "limit", "count"] {
        for (method, query, path) in [
            ("getAlbumList2", "type=byYear&fromYear=3000&toYear=0", "albumList2/album"),
            ("getAlbumList", "type=byGenre&genre=Pop", "albumList/album"),
            ("getSongsByGenre", "genre=Folk", "songsByGenre/song"),
            ("getRandomSongs", "", "randomSongs/song"),
            ("getTopSongs", "artist=Joni%20Mitchell", "topSongs/song"),
        ] {
            let answer = house.ann.ok(method, &format!("{query}&{word}=1")).await;
            let list = path.split('/').fold(&answer, |value, part| &value[part]);
            assert_eq!(list.as_array().unwrap().len(), 1, "{method} {word}");
        }
    }
}

#[tokio::test]
async fn c27_no_picture_is_no_field() {
    let house = House::open().await;
    let nothing = house.ann.id("album", "Nothing").await;
    let album = house.ann.ok("getAlbum", &format!("id={nothing}")).await["album"].clone();
    assert!(album.get("coverArt").is_none() && album["song"][0].get("coverArt").is_none());
    let artist = house.ann.id("artist", "The Empty").await;
    let artist = house.ann.ok("getArtist", &format!("id={artist}")).await["artist"].clone();
    assert!(artist.get("coverArt").is_none() && artist.get("artistImageUrl").is_none());
    assert_eq!(house.ann.refused("getCoverArt", "id=").await, 10);
    assert_eq!(house.ann.refused("getCoverArt", "").await, 10);
}

#[tokio::test]
async fn c35_everybody_may_read_his_own_roles() {
    let house = House::empty().await;
    for app in [&house.ann, &house.bob] {
        let user = app.ok("getUser", &format!("username={}", app.user)).await["user"].clone();
        for role in [
            "admin",
            "settings",
            "download",
            "upload",
            "playlist",
            "coverArt",
            "comment",
            "podcast",
            "stream",
            "jukebox",
            "share",
            "videoConversion",
        ] {
            assert!(user[format!("{role}Role")].is_boolean(), "{role}: {user}");
        }
        assert!(user["scrobblingEnabled"].is_boolean());
        assert!(user["folder"].as_array().unwrap().iter().all(Value::is_i64));
    }
}

#[tokio::test]
async fn c37_a_passing_fault_is_not_not_found() {
    let house = House::open().await;
    let ann = &house.ann;
    let song = ann.id("song", "All I Want").await;
    let cover = ann.ok("getSong", &format!("id={song}")).await["song"]["coverArt"].clone();
    // The disk is away: everything is still known, nothing is deleted.
    let away = house.music.with_extension("away");
    std::fs::rename(&house.music, &away).unwrap();
    ann.ok("startScan", "").await;
    house.wait_for_scan().await;
    assert_eq!(ann.refused("stream", &format!("id={song}")).await, 0);
    assert_eq!(ann.refused("download", &format!("id={song}")).await, 0);
    assert_eq!(ann.refused("getCoverArt", &format!("id={}", cover.as_str().unwrap())).await, 0);
    ann.ok("getSong", &format!("id={song}")).await;
    std::fs::rename(&away, &house.music).unwrap();
    assert_eq!(
        ann.get("stream", &format!("id={song}")).await.headers()["content-type"],
        "audio/flac"
    );
}

#[tokio::test]
async fn c40_what_is_offered_works() {
    let house = House::open().await;
    let ann = &house.ann;
    let offered = ann.ok("getOpenSubsonicExtensions", "").await["openSubsonicExtensions"].clone();
    let song = ann.id("song", "All I Want").await;
    let artist = ann.id("artist", "Joni Mitchell").await;
    for extension in offered.as_array().unwrap() {
        let name = extension["name"].as_str().unwrap();
        let tried = match name {
            "apiKeyAuthentication" => {
                let url = format!(
                    "{}?apiKey={}&c=t&f=json",
                    house.app.url("/rest/tokenInfo"),
                    ann.secret
                );
                let whole: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
                whole["subsonic-response"]["tokenInfo"]["username"] == "ann"
            }
            "formPost" => {
                let form = format!("u=ann&p={}&c=t&f=json", ann.secret);
                let asked = reqwest::Client::new()
                    .post(house.app.url("/rest/ping"))
                    .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
                let whole: Value = asked.body(form).send().await.unwrap().json().await.unwrap();
                whole["subsonic-response"]["status"] == "ok"
            }
            "indexBasedQueue" => {
                ann.ok("savePlayQueueByIndex", &format!("id={song}&currentIndex=0")).await;
                ann.ok("getPlayQueueByIndex", "").await["playQueueByIndex"]["currentIndex"] == 0
            }
            "songLyrics" => {
                let list = ann.ok("getLyricsBySongId", &format!("id={song}&enhanced=true")).await;
                list["lyricsList"]["structuredLyrics"][0]["synced"] == true
            }
            "topSongsByArtistId" => {
                let top = ann.ok("getTopSongs", &format!("id={artist}")).await;
                top["topSongs"]["song"].as_array().unwrap().len() == 3
            }
            "transcodeOffset" => {
                let answer = ann.get("stream", &format!("id={song}&format=mp3&timeOffset=1")).await;
                answer.headers()["content-type"] == "audio/mpeg"
            }
            "transcoding" => {
                let query = format!("mediaId={song}&mediaType=song");
                let able = json!({ "name": "x", "platform": "y", "directPlayProfiles": [
                    { "containers": [], "audioCodecs": [], "protocols": [] } ] });
                let asked = ann.http.post(ann.url("getTranscodeDecision", &query)).json(&able);
                let whole: Value = asked.send().await.unwrap().json().await.unwrap();
                whole["subsonic-response"]["transcodeDecision"]["canDirectPlay"] == true
            }
            "playbackReport" => {
                let query = format!("mediaId={song}&mediaType=song&positionMs=0&state=playing");
                ann.ok("reportPlayback", &query).await["status"] == "ok"
            }
            "sonicSimilarity" => {
                let query = format!("id={song}");
                ann.ok("getSonicSimilarTracks", &query).await["sonicMatch"].is_array()
            }
            // Off until an administrator wants podcasts; `outside::podcasts` hears them.
            "getPodcastEpisode" => ann.refused("getPodcastEpisode", "id=pe-999999").await == 50,
            other => panic!("{other} is offered and not tried here"),
        };
        assert!(tried, "{name}");
        let versions = extension["versions"].as_array().unwrap();
        assert!(!versions.is_empty() && versions.iter().all(Value::is_i64), "{extension}");
    }
    assert!(offered.as_array().unwrap().iter().all(|each| each["versions"][0] == json!(1)));
}
