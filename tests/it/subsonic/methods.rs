//! The methods and extensions of the protocol, and for each the test that proves what it means.
//! What has the right form in every spelling, whatever the parameters, is proved for all of them
//! at once over the route table (`matrix`, `any_parameter`, `conformance`).

use std::{collections::BTreeSet, fs, path::Path};

use tunelocker::protocols::subsonic;

use super::House;

/// Method, and the test that proves it.
const METHODS: &[(&str, &str)] = &[
    ("addChatMessage", "subsonic_chat_is_one_room"),
    ("changePassword", "subsonic_users_with_every_parameter"),
    ("createBookmark", "subsonic_bookmarks"),
    ("createInternetRadioStation", "radio_stations_are_kept_by_administrators"),
    ("createPlaylist", "subsonic_playlists_keep_order_and_owner"),
    ("createPodcastChannel", "podcasts_come_from_feed_to_ear"),
    ("createShare", "subsonic_shares_are_made_changed_and_revoked"),
    ("createUser", "subsonic_users_with_every_parameter"),
    ("deleteBookmark", "subsonic_bookmarks"),
    ("deleteInternetRadioStation", "radio_stations_are_kept_by_administrators"),
    ("deletePlaylist", "subsonic_playlists_keep_order_and_owner"),
    ("deletePodcastChannel", "podcasts_come_from_feed_to_ear"),
    ("deletePodcastEpisode", "podcasts_come_from_feed_to_ear"),
    ("deleteShare", "subsonic_shares_are_made_changed_and_revoked"),
    ("deleteUser", "subsonic_users_with_every_parameter"),
    ("download", "subsonic_originals_come_as_they_are"),
    ("downloadPodcastEpisode", "podcasts_come_from_feed_to_ear"),
    ("findSonicPath", "subsonic_music_that_sounds_alike_goes_together"),
    ("getAlbum", "subsonic_the_view_by_tags"),
    ("getAlbumInfo", "info_lies_beside_the_music"),
    ("getAlbumInfo2", "info_lies_beside_the_music"),
    ("getAlbumList", "subsonic_album_lists_in_every_order"),
    ("getAlbumList2", "subsonic_album_lists_in_every_order"),
    ("getArtist", "subsonic_the_view_by_tags"),
    ("getArtistInfo", "subsonic_artists_have_others_like_them"),
    ("getArtistInfo2", "subsonic_artists_have_others_like_them"),
    ("getArtists", "subsonic_the_view_by_tags"),
    ("getAvatar", "subsonic_avatars_are_encoded_anew"),
    ("getBookmarks", "subsonic_bookmarks"),
    ("getCaptions", "subsonic_there_are_no_videos"),
    ("getChatMessages", "subsonic_chat_is_one_room"),
    ("getCoverArt", "subsonic_covers_by_any_id"),
    ("getGenres", "subsonic_the_view_by_tags"),
    ("getIndexes", "subsonic_the_folder_view_shows_real_directories"),
    ("getInternetRadioStations", "radio_stations_are_kept_by_administrators"),
    ("getLicense", "subsonic_licenses_never_run_out"),
    ("getLyrics", "subsonic_lyrics_in_both_forms"),
    ("getLyricsBySongId", "subsonic_lyrics_in_both_forms"),
    ("getMusicDirectory", "subsonic_the_folder_view_shows_real_directories"),
    ("getMusicFolders", "subsonic_the_folder_view_shows_real_directories"),
    ("getNewestPodcasts", "podcasts_come_from_feed_to_ear"),
    ("getNowPlaying", "subsonic_scrobbles_count_exactly_once"),
    ("getOpenSubsonicExtensions", "subsonic_extensions_are_told_to_anybody"),
    ("getPlayQueue", "subsonic_one_queue_behind_both_forms"),
    ("getPlayQueueByIndex", "subsonic_one_queue_behind_both_forms"),
    ("getPlaylist", "subsonic_playlists_keep_order_and_owner"),
    ("getPlaylists", "subsonic_playlists_keep_order_and_owner"),
    ("getPodcastEpisode", "podcasts_come_from_feed_to_ear"),
    ("getPodcasts", "podcasts_come_from_feed_to_ear"),
    ("getRandomSongs", "subsonic_lots_are_drawn_from_what_is_there"),
    ("getScanStatus", "c36_a_scan_ends"),
    ("getShares", "subsonic_shares_are_made_changed_and_revoked"),
    ("getSimilarSongs", "subsonic_ids_of_either_view_are_taken_everywhere"),
    ("getSimilarSongs2", "subsonic_music_that_sounds_alike_goes_together"),
    ("getSong", "subsonic_the_view_by_tags"),
    ("getSongsByGenre", "subsonic_song_lists"),
    ("getSonicSimilarTracks", "subsonic_music_that_sounds_alike_goes_together"),
    ("getStarred", "subsonic_stars_and_ratings_show_everywhere_at_once"),
    ("getStarred2", "subsonic_stars_and_ratings_show_everywhere_at_once"),
    ("getTopSongs", "c20_top_and_similar_are_empty_rather_than_missing"),
    ("getTranscodeDecision", "subsonic_a_decision_is_made_and_kept_to"),
    ("getTranscodeStream", "subsonic_a_decision_is_made_and_kept_to"),
    ("getUser", "subsonic_users_with_every_parameter"),
    ("getUsers", "subsonic_users_with_every_parameter"),
    ("getVideoInfo", "subsonic_there_are_no_videos"),
    ("getVideos", "subsonic_there_are_no_videos"),
    ("hls", "subsonic_hls_addresses_stand_for_the_caller_alone"),
    ("hls.m3u8", "subsonic_hls_is_whole_and_without_clicks"),
    ("jukeboxControl", "subsonic_jukebox_plays_its_queue_to_the_end"),
    ("ping", "subsonic_every_way_of_signing_in"),
    ("refreshPodcasts", "podcasts_are_asked_conditionally_and_bring_what_is_new"),
    ("reportPlayback", "subsonic_playback_report_counts_once_beside_scrobbles"),
    ("savePlayQueue", "subsonic_one_queue_behind_both_forms"),
    ("savePlayQueueByIndex", "subsonic_one_queue_behind_both_forms"),
    ("scrobble", "subsonic_scrobbles_count_exactly_once"),
    ("search", "subsonic_words_find_what_has_them"),
    ("search2", "subsonic_words_find_what_has_them"),
    ("search3", "subsonic_words_find_what_has_them"),
    ("setRating", "subsonic_stars_and_ratings_show_everywhere_at_once"),
    ("star", "subsonic_stars_and_ratings_show_everywhere_at_once"),
    ("startScan", "c36_a_scan_ends"),
    ("stream", "subsonic_streams_are_transcoded_only_when_asked"),
    ("tokenInfo", "subsonic_a_key_tells_whose_it_is"),
    ("unstar", "subsonic_stars_and_ratings_show_everywhere_at_once"),
    ("updateInternetRadioStation", "radio_stations_are_kept_by_administrators"),
    ("updatePlaylist", "subsonic_playlists_keep_order_and_owner"),
    ("updateShare", "subsonic_shares_are_made_changed_and_revoked"),
    ("updateUser", "subsonic_users_with_every_parameter"),
];

/// Extension with its versions, the test that proves it, and what that has to ask for.
const EXTENSIONS: &[(&str, &[i64], &str, &str)] = &[
    ("apiKeyAuthentication", &[1], "subsonic_a_key_tells_whose_it_is", "apiKey="),
    ("formPost", &[1], "subsonic_forms_may_be_huge_and_keep_their_order", "x-www-form-urlencoded"),
    ("getPodcastEpisode", &[1], "podcasts_come_from_feed_to_ear", "getPodcastEpisode"),
    ("indexBasedQueue", &[1], "subsonic_one_queue_behind_both_forms", "savePlayQueueByIndex"),
    ("playbackReport", &[1], "subsonic_playback_report_shows_where_it_is", "reportPlayback"),
    ("songLyrics", &[1, 2], "subsonic_synchronised_frames_are_lyrics", "enhanced=true"),
    (
        "sonicSimilarity",
        &[1],
        "subsonic_music_that_sounds_alike_goes_together",
        "getSonicSimilarTracks",
    ),
    (
        "topSongsByArtistId",
        &[1],
        "subsonic_every_id_that_is_handed_out_opens",
        "\"getTopSongs\", &format!(\"id=",
    ),
    ("transcodeOffset", &[1], "subsonic_streams_are_transcoded_only_when_asked", "timeOffset="),
    ("transcoding", &[1], "subsonic_a_decision_is_made_and_kept_to", "transcodeParams="),
];

/// The table names every method of the protocol, each test is there, and the file that it stands
/// in asks that method.
#[tokio::test]
async fn subsonic_every_method_and_extension_has_its_test() {
    let listed: Vec<&str> = METHODS.iter().map(|(method, _)| *method).collect();
    let served: Vec<&str> = subsonic::methods().collect();
    let (one, other): (BTreeSet<_>, BTreeSet<_>) =
        (listed.iter().collect(), served.iter().collect());
    assert_eq!(one, other);
    assert_eq!(listed.len(), served.len());
    let mut files = Vec::new();
    for folder in ["subsonic", "outside"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it").join(folder);
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            // The table itself proves nothing.
            if path.extension().is_some_and(|is| is == "rs") && !path.ends_with("methods.rs") {
                files.push(fs::read_to_string(path).unwrap());
            }
        }
    }
    let own = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file!())).unwrap();
    files.push(own.split("#[tokio::test]").skip(2).collect());
    let holds = |test: &str, word: &str| {
        let stands = format!("fn {test}()");
        files.iter().any(|text| text.contains(&stands) && text.contains(word))
    };
    for (method, test) in METHODS {
        let (by_name, by_address) = (format!("\"{method}\""), format!("/rest/{method}"));
        assert!(holds(test, &by_name) || holds(test, &by_address), "{method}: {test}");
    }
    for (extension, _, test, asked) in EXTENSIONS {
        assert!(holds(test, asked), "{extension}: {test}");
    }
    let house = House::empty().await;
    let told = house.ann.ok("getOpenSubsonicExtensions", "").await;
    let mut told: Vec<(String, Vec<i64>)> = told["openSubsonicExtensions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|each| {
            let versions = each["versions"].as_array().unwrap().iter();
            let versions = versions.map(|version| version.as_i64().unwrap()).collect();
            (each["name"].as_str().unwrap().to_owned(), versions)
        })
        .collect();
    told.sort();
    let table = EXTENSIONS.iter();
    let table: Vec<_> =
        table.map(|(name, versions, ..)| ((*name).to_owned(), versions.to_vec())).collect();
    assert_eq!(told, table);
}

#[tokio::test]
async fn subsonic_licenses_never_run_out() {
    let house = House::empty().await;
    let license = house.bob.ok("getLicense", "").await["license"].clone();
    assert_eq!(license["valid"], true);
    // As a whole date or not at all (C13), and never one that has passed.
    if let Some(end) = license.get("licenseExpires") {
        assert!("2099" < end.as_str().unwrap(), "{license}");
    }
    assert!(license.get("trialExpires").is_none(), "{license}");
}

/// Whole words and their beginnings, in any case and without accents; all of them, over title,
/// album and artist; each kind for itself.
#[tokio::test]
async fn subsonic_words_find_what_has_them() {
    let house = House::open().await;
    let ann = &house.ann;
    let found = async |method: &str, container: &str, query: &str| {
        let answer = ann.ok(method, query).await[container].clone();
        let names = |kind: &str| {
            let mut names: Vec<String> =
                super::names(&answer[kind]).into_iter().map(str::to_owned).collect();
            names.sort();
            names
        };
        (names("artist"), names("album"), names("song"))
    };
    let words = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    for (method, container) in [("search2", "searchResult2"), ("search3", "searchResult3")] {
        for (query, artists, albums, songs) in [
            (
                "query=blue",
                &[][..],
                &["Blue"][..],
                &["All I Want", "Little Green", "My Old Man"][..],
            ),
            ("query=LITTLE", &[], &[], &["Little Green"]),
            ("query=joni%20gre", &[], &[], &["Little Green"]),
            ("query=other%20band", &["Ōther Band"], &[], &["Second"]),
            ("query=%C5%8Cther", &["Ōther Band"], &[], &["Second"]),
            ("query=blue&songCount=0", &[], &["Blue"], &[]),
            ("query=blue&songCount=1&songOffset=2&albumCount=0", &[], &[], &[]),
            ("query=nobodyhasthis", &[], &[], &[]),
        ] {
            let (some_artists, some_albums, some_songs) = found(method, container, query).await;
            if query.contains("songOffset") {
                assert_eq!(some_songs.len(), 1, "{method} {query}");
                assert!(some_albums.is_empty(), "{method} {query}");
                continue;
            }
            assert_eq!(some_artists, words(artists), "{method} {query}");
            assert_eq!(some_albums, words(albums), "{method} {query}");
            assert_eq!(some_songs, words(songs), "{method} {query}");
        }
    }
    let old = ann.ok("search", "any=little").await["searchResult"].clone();
    assert_eq!(super::names(&old["match"]), ["Little Green"]);
    assert_eq!(old["totalHits"], 1);
}

/// Drawn by lot: each at most once, from what the filter leaves, as many as there are, and every
/// one of them in the long run.
#[tokio::test]
async fn subsonic_lots_are_drawn_from_what_is_there() {
    let house = House::open().await;
    let ann = &house.ann;
    let draw = async |query: &str| -> Vec<String> {
        let drawn = ann.ok("getRandomSongs", query).await["randomSongs"]["song"].clone();
        super::names(&drawn).into_iter().map(str::to_owned).collect()
    };
    let mut seen = BTreeSet::new();
    for round in 0.. {
        // Few of many are drawn by their ids, many of few are shuffled.
        let few = draw("size=2").await;
        assert_eq!(few.iter().collect::<BTreeSet<_>>().len(), 2, "{few:?}");
        seen.extend(few);
        if seen.len() == 9 {
            break;
        }
        assert!(round < 500, "never drawn: all but {seen:?}");
    }
    assert_eq!(draw("size=500").await.into_iter().collect::<BTreeSet<_>>(), seen);
    for _ in 0..20 {
        let folk = draw("size=1&genre=folk").await;
        assert!(["All I Want", "My Old Man", "Little Green"].contains(&&*folk[0]), "{folk:?}");
        assert_eq!(draw("size=3&fromYear=1980&toYear=1990").await.len(), 2);
    }
    let mut albums = BTreeSet::new();
    for _ in 0..200 {
        let answer = ann.get("getAlbumList2", "type=random&size=1").await;
        assert_eq!(answer.headers()["x-total-count"], "5");
        let answer: serde_json::Value = answer.json().await.unwrap();
        let list = &answer["subsonic-response"]["albumList2"]["album"];
        assert_eq!(list.as_array().unwrap().len(), 1);
        albums.insert(list[0]["name"].as_str().unwrap().to_owned());
    }
    assert_eq!(albums.len(), 5, "{albums:?}");
    // Who pages comes to an end (C14).
    for (offset, left) in [(3, 2), (5, 0), (500, 0)] {
        let query = format!("type=random&size=50&offset={offset}");
        let list = ann.ok("getAlbumList2", &query).await["albumList2"]["album"].clone();
        assert_eq!(list.as_array().unwrap().len(), left, "{offset}");
    }
}
