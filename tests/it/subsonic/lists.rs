//! Lists and searches: orders, pages, empties, arrays, dates.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{House, names};

#[tokio::test]
async fn subsonic_album_lists_in_every_order() {
    let house = House::open().await;
    let ann = &house.ann;
    let list = async |query: &str| -> Vec<String> {
        let two = ann.ok("getAlbumList2", query).await["albumList2"]["album"].clone();
        let one = ann.ok("getAlbumList", query).await["albumList"]["album"].clone();
        if !query.contains("random") {
            assert_eq!(names(&one), names(&two), "{query}");
        }
        assert!(one.as_array().unwrap().iter().all(|album| album["isDir"] == true));
        names(&two).into_iter().map(ToOwned::to_owned).collect()
    };
    let by_name = ["Blue", "Double", "Hits", "Nothing", "Singles"];
    assert_eq!(list("type=alphabeticalByName").await, by_name);
    let by_artist = list("type=alphabeticalByArtist").await;
    assert_eq!(by_artist, ["Nothing", "Blue", "Singles", "Double", "Hits"]);
    assert_eq!(list("type=newest").await.len(), 5);
    assert_eq!(list("type=random&size=3").await.len(), 3);
    // C23: both directions, both ends.
    assert_eq!(list("type=byYear&fromYear=1971&toYear=1985").await, ["Blue", "Hits"]);
    assert_eq!(list("type=byYear&fromYear=3000&toYear=0").await, ["Double", "Hits", "Blue"]);
    assert_eq!(list("type=byGenre&genre=pop").await, ["Hits"]);
    for empty in ["starred", "highest", "frequent", "recent"] {
        assert!(list(&format!("type={empty}")).await.is_empty(), "{empty}");
    }

    // C24, C9, C14: any word for how many; too many is fine; past the end is empty.
    assert_eq!(list("type=alphabeticalByName&limit=2&offset=1").await, by_name[1..3]);
    assert_eq!(list("type=alphabeticalByName&size=10000").await, by_name);
    assert!(list("type=alphabeticalByName&offset=5").await.is_empty());
    assert!(list("type=alphabeticalByName&offset=4000000000").await.is_empty());
    assert!(list("type=alphabeticalByName&size=0").await.is_empty());
    // C12: stale music folders are all of them.
    for folder in ["0", "999", "x", ""] {
        let query = format!("type=alphabeticalByName&musicFolderId={folder}");
        assert_eq!(list(&query).await, by_name);
    }
    let page = ann.get("getAlbumList2", "type=newest&size=1").await;
    assert_eq!(page.headers()["X-Total-Count"], "5");

    // Marks are seen at once.
    let blue = ann.id("album", "Blue").await;
    let hits = ann.id("album", "Hits").await;
    ann.ok("star", &format!("albumId={hits}")).await;
    ann.ok("setRating", &format!("id={blue}&rating=4")).await;
    ann.ok("setRating", &format!("id={hits}&rating=5")).await;
    assert_eq!(list("type=starred").await, ["Hits"]);
    assert_eq!(list("type=highest").await, ["Hits", "Blue"]);
    let first = ann.id("song", "First").await;
    ann.ok("scrobble", &format!("id={first}&time=1700000000000")).await;
    assert_eq!(list("type=recent").await, ["Hits"]);
    assert_eq!(list("type=frequent").await, ["Hits"]);
    // They are ann's alone.
    let of_bob = house.bob.ok("getAlbumList2", "type=starred").await;
    assert_eq!(of_bob["albumList2"]["album"], json!([]));
}

#[tokio::test]
async fn subsonic_song_lists() {
    let house = House::open().await;
    let ann = &house.ann;
    let random = ann.ok("getRandomSongs", "size=500").await["randomSongs"]["song"].clone();
    let unique: BTreeSet<&str> =
        random.as_array().unwrap().iter().map(|song| song["id"].as_str().unwrap()).collect();
    assert_eq!(unique.len(), 9);
    let old = ann.ok("getRandomSongs", "fromYear=1985&toYear=1985&genre=Rock").await;
    assert_eq!(names(&old["randomSongs"]["song"]), ["Second"]);
    let folk = ann.ok("getSongsByGenre", "genre=Folk&count=2&offset=1").await;
    assert_eq!(names(&folk["songsByGenre"]["song"]), ["My Old Man", "Little Green"]);
    let none = ann.ok("getSongsByGenre", "genre=Polka").await;
    assert_eq!(none["songsByGenre"]["song"], json!([]));
}

#[tokio::test]
async fn subsonic_an_empty_search_is_everything_once() {
    let house = House::open().await;
    let ann = &house.ann;
    for spelling in ["query=", "query=%22%22", "query=''", "query=*", "musicFolderId=0"] {
        let mut seen = Vec::new();
        for offset in (0..).step_by(4) {
            let query =
                format!("{spelling}&songCount=4&songOffset={offset}&artistCount=0&albumCount=0");
            let page = ann.ok("search3", &query).await["searchResult3"].clone();
            assert_eq!((&page["artist"], &page["album"]), (&json!([]), &json!([])));
            let songs = page["song"].as_array().unwrap();
            seen.extend(songs.iter().map(|song| song["id"].as_str().unwrap().to_owned()));
            if songs.is_empty() {
                break;
            }
        }
        let unique: BTreeSet<&String> = seen.iter().collect();
        assert_eq!((seen.len(), unique.len()), (9, 9), "{spelling}");
    }
    for (query, songs) in [
        ("joni%20bl", vec!["All I Want", "Little Green", "My Old Man"]),
        ("OTHER", vec!["Second"]),
        ("all%20want", vec!["All I Want"]),
        ("want%20nothing", vec![]),
        ("%22my%20old%22", vec!["My Old Man"]),
        ("litt*", vec!["Little Green"]),
    ] {
        for method in ["search2", "search3"] {
            let found = ann.ok(method, &format!("query={query}")).await;
            let result = if method == "search2" { "searchResult2" } else { "searchResult3" };
            let mut found = names(&found[result]["song"]);
            found.sort_unstable();
            assert_eq!(found, songs, "{method} {query}");
        }
    }
    let old = ann.ok("search", "any=double&count=1").await["searchResult"].clone();
    assert_eq!((&old["offset"], &old["totalHits"]), (&json!(0), &json!(2)));
    assert_eq!(old["match"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn subsonic_nothing_is_an_empty_list_everywhere() {
    let house = House::empty().await;
    for (method, query, path) in [
        ("getAlbumList", "type=newest", "albumList/album"),
        ("getAlbumList2", "type=newest", "albumList2/album"),
        ("getRandomSongs", "", "randomSongs/song"),
        ("getSongsByGenre", "genre=x", "songsByGenre/song"),
        ("getNowPlaying", "", "nowPlaying/entry"),
        ("getStarred", "", "starred/song"),
        ("getStarred2", "", "starred2/artist"),
        ("getGenres", "", "genres/genre"),
        ("getArtists", "", "artists/index"),
        ("getIndexes", "", "indexes/index"),
        ("search2", "query=", "searchResult2/artist"),
        ("search3", "query=", "searchResult3/album"),
        ("search", "any=x", "searchResult/match"),
        ("getPlaylists", "", "playlists/playlist"),
        ("getBookmarks", "", "bookmarks/bookmark"),
        ("getShares", "", "shares/share"),
        ("getPodcasts", "", "podcasts/channel"),
        ("getNewestPodcasts", "", "newestPodcasts/episode"),
        ("getInternetRadioStations", "", "internetRadioStations/internetRadioStation"),
        ("getChatMessages", "", "chatMessages/chatMessage"),
        ("getVideos", "", "videos/video"),
        ("getTopSongs", "artist=x", "topSongs/song"),
    ] {
        let answer = house.ann.ok(method, query).await;
        let found = path.split('/').fold(&answer, |value, part| &value[part]);
        assert_eq!(found, &json!([]), "{method}");
    }
    let queue = house.ann.ok("getPlayQueue", "").await;
    assert!(queue.get("playQueue").is_none());
    let lyrics = house.ann.ok("getLyrics", "artist=x&title=y").await;
    assert_eq!(lyrics["lyrics"], json!({"value": ""}));
}

#[tokio::test]
async fn subsonic_values_have_the_types_that_apps_read() {
    let house = House::open().await;
    let ann = &house.ann;
    let song = ann.id("song", "First").await;
    ann.ok("star", &format!("id={song}")).await;
    ann.ok("scrobble", &format!("id={song}")).await;
    ann.ok("createPlaylist", &format!("name=P&songId={song}")).await;
    ann.ok("createBookmark", &format!("id={song}&position=5")).await;
    ann.ok("savePlayQueue", &format!("id={song}")).await;
    let mut dates = 0;
    for (method, query) in [
        ("getStarred2", ""),
        ("getStarred", ""),
        ("getPlaylists", ""),
        ("getBookmarks", ""),
        ("getPlayQueue", ""),
        ("getAlbumList2", "type=newest"),
        ("getIndexes", ""),
        ("search3", "query="),
        ("getScanStatus", ""),
        ("getUser", "username=ann"),
    ] {
        let answer = ann.ok(method, query).await;
        dates += check_values(method, "", &answer);
    }
    assert!(dates > 20, "{dates} dates seen");
}

/// Nothing is null; ids are text but where the protocol says numbers; dates are exact; whole
/// numbers fit where apps have 32 bits. Gives the number of dates.
pub(super) fn check_values(method: &str, name: &str, value: &Value) -> usize {
    match value {
        Value::Null => panic!("{method}: {name} is null"),
        Value::Array(items) => items.iter().map(|item| check_values(method, name, item)).sum(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| check_values(method, name, value)).sum()
        }
        Value::Number(number) => {
            let is_long = ["size", "playCount", "position", "lastModified", "time", "count"];
            let fits = number.as_i64().is_none_or(|number| i32::try_from(number).is_ok());
            assert!(fits || is_long.contains(&name), "{method}: {name} = {number}");
            let is_text = name == "id" && method != "getMusicFolders"
                || name.ends_with("Id") && name != "playerId";
            assert!(!is_text, "{method}: {name} is a number");
            0
        }
        Value::String(text) if is_date_field(name) => {
            let shape: String = text
                .chars()
                .map(|letter| if letter.is_ascii_digit() { 'd' } else { letter })
                .collect();
            assert_eq!(shape, "dddd-dd-ddTdd:dd:dd.dddZ", "{method}: {name}");
            1
        }
        Value::String(_) | Value::Bool(_) => 0,
    }
}

fn is_date_field(name: &str) -> bool {
    ["created", "changed", "starred", "played", "lastScan"].contains(&name)
}
