//! What people add: stars, ratings, plays, playlists, bookmarks, queues.

use serde_json::{Value, json};

use super::{App, House, PASSWORD, names};

async fn song(app: &App, title: &str) -> serde_json::Value {
    let id = app.id("song", title).await;
    app.ok("getSong", &format!("id={id}")).await["song"].clone()
}

#[tokio::test]
async fn subsonic_stars_and_ratings_show_everywhere_at_once() {
    let house = House::open().await;
    let ann = &house.ann;
    let (first, hits) = (ann.id("song", "First").await, ann.id("album", "Hits").await);
    let joni = ann.id("artist", "Joni Mitchell").await;
    // C34: any kind of id in any parameter, twice is fine.
    for _ in 0..2 {
        ann.ok("star", &format!("id={first}&id={hits}&id={joni}")).await;
    }
    for method in ["getStarred", "getStarred2"] {
        let name = if method == "getStarred" { "starred" } else { "starred2" };
        let starred = ann.ok(method, "").await[name].clone();
        assert_eq!(names(&starred["song"]), ["First"]);
        assert_eq!(names(&starred["album"]), ["Hits"]);
        assert_eq!(names(&starred["artist"]), ["Joni Mitchell"]);
        assert!(starred["song"][0]["starred"].is_string());
    }
    assert!(
        house.bob.ok("getStarred2", "").await["starred2"]["song"].as_array().unwrap().is_empty()
    );
    assert_eq!(ann.refused("star", &format!("id=tr-999&id={first}")).await, 70);
    ann.ok("unstar", &format!("id={first}&albumId={hits}&artistId={joni}")).await;
    assert_eq!(ann.ok("getStarred2", "").await["starred2"]["song"], json!([]));

    ann.ok("setRating", &format!("id={first}&rating=5")).await;
    house.bob.ok("setRating", &format!("id={first}&rating=2")).await;
    let rated = song(ann, "First").await;
    assert_eq!((&rated["userRating"], &rated["averageRating"]), (&json!(5), &json!(3.5)));
    ann.ok("setRating", &format!("id={first}&rating=0")).await;
    assert!(song(ann, "First").await.get("userRating").is_none());
}

#[tokio::test]
async fn subsonic_scrobbles_count_exactly_once() {
    let house = House::open().await;
    let ann = &house.ann;
    let (first, second) = (ann.id("song", "First").await, ann.id("song", "Second").await);
    // Now playing is no play.
    ann.ok("scrobble", &format!("id={first}&submission=false")).await;
    let playing = ann.ok("getNowPlaying", "").await["nowPlaying"]["entry"].clone();
    assert_eq!((&playing[0]["title"], &playing[0]["username"]), (&json!("First"), &json!("ann")));
    assert_eq!(playing[0]["playerName"], "tests");
    assert_eq!(song(ann, "First").await["playCount"], 0);
    // Late, out of order, with a stranger among them, and twice.
    let batch = format!(
        "id={first}&time=1700000300000&id=tr-9999&time=1700000200000&id={second}&time=1700000100000"
    );
    ann.ok("scrobble", &batch).await;
    ann.ok("scrobble", &batch).await;
    ann.ok("scrobble", &format!("id={first}&time=1700000000000")).await;
    let played = song(ann, "First").await;
    assert_eq!(played["playCount"], 2);
    assert_eq!(played["played"], "2023-11-14T22:18:20.000Z");
    assert_eq!(song(ann, "Second").await["playCount"], 1);
    assert_eq!(song(&house.bob, "First").await["playCount"], 0);
}

#[tokio::test]
async fn subsonic_playlists_keep_order_and_owner() {
    let house = House::open().await;
    let (ann, bob) = (&house.ann, &house.bob);
    let (one, two, three) = (
        ann.id("song", "All I Want").await,
        ann.id("song", "My Old Man").await,
        ann.id("song", "Little Green").await,
    );
    let query = format!("name=Mine&songId={three}&songId={one}&songId={three}");
    let made = ann.ok("createPlaylist", &query).await["playlist"].clone();
    assert_eq!(names(&made["entry"]), ["Little Green", "All I Want", "Little Green"]);
    assert_eq!((&made["songCount"], &made["owner"]), (&json!(3), &json!("ann")));
    assert_eq!((&made["public"], &made["readonly"]), (&json!(false), &json!(false)));
    let id = made["id"].as_str().unwrap();

    // Positions are those before the change (C32).
    let query = format!(
        "playlistId={id}&songIndexToRemove=0&songIndexToRemove=2&songIdToAdd={two}&songIdToAdd={one}\
         &name=Ours&comment=two%20words"
    );
    ann.ok("updatePlaylist", &query).await;
    let changed = ann.ok("getPlaylist", &format!("id={id}")).await["playlist"].clone();
    assert_eq!(names(&changed["entry"]), ["All I Want", "My Old Man", "All I Want"]);
    assert_eq!((&changed["name"], &changed["comment"]), (&json!("Ours"), &json!("two words")));

    // Private is not there for others; public is seen, not changed.
    assert_eq!(bob.refused("getPlaylist", &format!("id={id}")).await, 70);
    ann.ok("updatePlaylist", &format!("playlistId={id}&public=true")).await;
    let seen = bob.ok("getPlaylists", "").await["playlists"]["playlist"].clone();
    assert_eq!((&seen[0]["name"], &seen[0]["readonly"]), (&json!("Ours"), &json!(true)));
    assert_eq!(bob.refused("updatePlaylist", &format!("playlistId={id}&name=x")).await, 50);
    assert_eq!(bob.refused("deletePlaylist", &format!("id={id}")).await, 50);
    assert_eq!(bob.refused("getPlaylists", "username=ann").await, 50);
    // As somebody sees them; an administrator may ask for anybody.
    let seen = async |app: &App, query: &str| {
        let all = app.ok("getPlaylists", query).await["playlists"]["playlist"].clone();
        let ids =
            all.as_array().unwrap().iter().map(|list| list["id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(seen(bob, "username=BOB").await, seen(bob, "").await);
    bob.ok("createPlaylist", "name=Secret").await;
    assert_eq!(ann.refused("getPlaylists", "username=bob").await, 50);
    let asked = async |name: &str| {
        let url = ann.url_with(PASSWORD, "getPlaylists", &format!("username={name}"));
        let whole: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
        whole["subsonic-response"].clone()
    };
    let bobs = asked("bob").await["playlists"]["playlist"].clone();
    assert_eq!(bobs.as_array().unwrap().len(), seen(bob, "").await.len(), "{bobs}");
    assert_eq!(asked("nobody").await["error"]["code"], 70);

    // Replacing is how apps reorder.
    let query = format!("playlistId={id}&songId={two}&songId={one}");
    let replaced = ann.ok("createPlaylist", &query).await["playlist"].clone();
    assert_eq!(names(&replaced["entry"]), ["My Old Man", "All I Want"]);
    assert_eq!(replaced["name"], "Ours");
    let emptied = ann.ok("createPlaylist", &format!("playlistId={id}")).await;
    assert_eq!(emptied["playlist"]["entry"], json!([]));
    ann.ok("deletePlaylist", &format!("id={id}")).await;
    assert_eq!(ann.refused("getPlaylist", &format!("id={id}")).await, 70);
}

#[tokio::test]
async fn subsonic_bookmarks() {
    let house = House::open().await;
    let ann = &house.ann;
    let one = ann.id("song", "All I Want").await;
    ann.ok("createBookmark", &format!("id={one}&position=1500&comment=here")).await;
    ann.ok("createBookmark", &format!("id={one}&position=1700&comment=there")).await;
    let marks = ann.ok("getBookmarks", "").await["bookmarks"]["bookmark"].clone();
    assert_eq!(marks.as_array().unwrap().len(), 1);
    assert_eq!((&marks[0]["position"], &marks[0]["comment"]), (&json!(1700), &json!("there")));
    assert_eq!(marks[0]["entry"]["title"], "All I Want");
    assert_eq!(song(ann, "All I Want").await["bookmarkPosition"], 1700);
    assert_eq!(house.bob.ok("getBookmarks", "").await["bookmarks"]["bookmark"], json!([]));
    ann.ok("deleteBookmark", &format!("id={one}")).await;
    assert_eq!(ann.ok("getBookmarks", "").await["bookmarks"]["bookmark"], json!([]));
}

#[tokio::test]
async fn subsonic_one_queue_behind_both_forms() {
    let house = House::open().await;
    let ann = &house.ann;
    let (one, two) = (ann.id("song", "All I Want").await, ann.id("song", "My Old Man").await);
    let ids = format!("id={one}&id={two}&id={one}");
    ann.ok("savePlayQueueByIndex", &format!("{ids}&currentIndex=2&position=1234")).await;
    let by_index = ann.ok("getPlayQueueByIndex", "").await["playQueueByIndex"].clone();
    assert_eq!((&by_index["currentIndex"], &by_index["position"]), (&json!(2), &json!(1234)));
    assert_eq!((&by_index["changedBy"], &by_index["username"]), (&json!("tests"), &json!("ann")));
    let by_id = ann.ok("getPlayQueue", "").await["playQueue"].clone();
    assert_eq!(by_id["current"], one.as_str());
    assert_eq!(names(&by_id["entry"]), ["All I Want", "My Old Man", "All I Want"]);
    ann.ok("savePlayQueue", &format!("{ids}&current={two}")).await;
    let by_index = ann.ok("getPlayQueueByIndex", "").await["playQueueByIndex"].clone();
    assert_eq!(by_index["currentIndex"], 1);
    // A current song that is not among them is the first (C31).
    ann.ok("savePlayQueue", &format!("id={two}&current={one}")).await;
    assert_eq!(ann.ok("getPlayQueue", "").await["playQueue"]["current"], two.as_str());
    assert!(house.bob.ok("getPlayQueue", "").await.get("playQueue").is_none());
    ann.ok("savePlayQueue", "").await;
    assert!(ann.ok("getPlayQueue", "").await.get("playQueue").is_none());
}

#[tokio::test]
async fn subsonic_lyrics_in_both_forms() {
    let house = House::open().await;
    let ann = &house.ann;
    let id = ann.id("song", "All I Want").await;
    let list = ann.ok("getLyricsBySongId", &format!("id={id}")).await["lyricsList"].clone();
    let lyrics = &list["structuredLyrics"][0];
    assert_eq!(
        (&lyrics["synced"], &lyrics["displayArtist"]),
        (&json!(true), &json!("Joni Mitchell"))
    );
    assert_eq!(
        lyrics["line"],
        json!([
            {"start": 500, "value": "I am on a lonely road"},
            {"start": 1000, "value": "and I am traveling"}
        ])
    );
    let old = ann.ok("getLyrics", "artist=joni%20mitchell&title=all%20i%20want").await;
    assert_eq!(old["lyrics"]["value"], "I am on a lonely road\nand I am traveling");
    let none = ann.id("song", "First").await;
    let none = ann.ok("getLyricsBySongId", &format!("id={none}")).await;
    assert_eq!(none["lyricsList"]["structuredLyrics"], json!([]));
}
