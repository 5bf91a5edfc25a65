//! Apps that read XML.

use reqwest::header;

use super::{Auth, Client, House, Node, is_whole, queue_elsewhere};

const ALL_I_WANT: &str = "Joni Mitchell/Blue/01 All I Want.flac";

/// The directories below one, and all songs on the way, as an app walks them.
async fn walk(client: &Client<'_>, id: &str, songs: &mut Vec<String>) {
    let mut todo = vec![id.to_owned()];
    while let Some(id) = todo.pop() {
        let answer = client.xml("getMusicDirectory", &format!("id={id}")).await;
        for child in answer.child("directory").all("child") {
            let id = child.get("id").to_owned();
            if child.get("isDir") == "true" {
                todo.push(id);
            } else {
                for field in ["title", "suffix", "contentType", "size", "duration", "path"] {
                    assert!(!child.get(field).is_empty(), "{field}: {child:?}");
                }
                songs.push(id);
            }
        }
    }
}

/// Everything in the folder view.
async fn walk_all(client: &Client<'_>) -> Vec<String> {
    let indexes = client.xml("getIndexes", "").await;
    let indexes = indexes.child("indexes");
    let mut songs: Vec<String> =
        indexes.all("child").into_iter().map(|child| child.get("id").to_owned()).collect();
    for index in indexes.all("index") {
        for artist in index.all("artist") {
            walk(client, artist.get("id"), &mut songs).await;
        }
    }
    songs
}

/// The id of a song by its title, as the app finds it.
async fn find(client: &Client<'_>, words: &str, title: &str) -> Node {
    let found = client.xml("search3", &format!("query={words}&songCount=50")).await;
    let result = found.children.into_iter().next().unwrap();
    result
        .children
        .into_iter()
        .find(|each| each.name == "song" && each.get("title") == title)
        .unwrap()
}

#[tokio::test]
async fn trace_of_dsub() {
    let house = House::open().await;
    // The first request of all, in the way of old servers.
    let first = Client {
        house: &house,
        name: "DSub",
        version: "1.2.0",
        form: "xml",
        suffix: ".view",
        auth: Auth::Hex,
    };
    let pong = first.xml("ping", "").await;
    assert_eq!((pong.get("version"), pong.get("type")), ("1.16.1", "tunelocker"));
    let app = Client { auth: Auth::Token("c19b2d"), ..first };
    let license = app.xml("getLicense", "").await;
    assert_eq!(license.child("license").get("valid"), "true");
    let user = app.xml("getUser", "username=ann").await;
    assert_eq!(user.child("user").get("streamRole"), "true");
    for folder in app.xml("getMusicFolders", "").await.child("musicFolders").all("musicFolder") {
        assert!(folder.get("id").parse::<i32>().is_ok(), "{folder:?}");
    }
    let songs = walk_all(&app).await;
    is_whole(&songs);
    // Both views, and nothing nested that its parser would take for something else.
    let artists = app.xml("getArtists", "").await;
    let mut albums = 0;
    for index in artists.child("artists").all("index") {
        for artist in index.all("artist") {
            let whole = app.xml("getArtist", &format!("id={}", artist.get("id"))).await;
            let listed = whole.child("artist").all("album").len();
            assert_eq!(listed.to_string(), artist.get("albumCount"));
            albums += listed;
        }
    }
    assert_eq!(albums, 6);
    let double = house.ann.id("album", "Double").await;
    let album = app.xml("getAlbum", &format!("id={double}")).await;
    for song in album.child("album").all("song") {
        assert!(song.children.is_empty(), "{song:?}");
    }
    for (method, name) in [
        ("getPodcasts", "podcasts"),
        ("getChatMessages", "chatMessages"),
        ("getShares", "shares"),
        ("getBookmarks", "bookmarks"),
        ("getInternetRadioStations", "internetRadioStations"),
        ("getScanStatus", "scanStatus"),
        ("getNowPlaying", "nowPlaying"),
        ("getVideos", "videos"),
    ] {
        app.xml(method, "").await.child(name);
    }
    // It downloads with ranges, and stars what it has: a directory.
    let song = find(&app, "all%20want", "All I Want").await;
    let id = song.get("id").to_owned();
    app.plays(&id, ALL_I_WANT).await;
    let truth = std::fs::read(house.music.join(ALL_I_WANT)).unwrap();
    let resumed = app.request("download", &format!("id={id}")).header(header::RANGE, "bytes=500-");
    let resumed = resumed.send().await.unwrap();
    assert_eq!(resumed.status(), 206);
    assert!(resumed.bytes().await.unwrap() == truth[500..]);
    app.xml("star", &format!("id={}", song.get("parent"))).await;
    let starred = app.xml("getStarred", "").await;
    let starred = starred.child("starred").all("album");
    assert!(starred.iter().any(|album| album.get("id") == song.get("parent")), "{starred:?}");
    // An error in the place of sound is one that it recognises.
    let gone = app.request("stream", "id=tr-999999").send().await.unwrap();
    assert!(gone.headers()[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/xml"));
    app.xml("createBookmark", &format!("id={id}&position=1234&comment=")).await;
    let marks = app.xml("getBookmarks", "").await;
    let mark = &marks.child("bookmarks").all("bookmark")[0];
    assert_eq!((mark.get("position"), mark.child("entry").get("id")), ("1234", id.as_str()));
    app.seeks_transcoded(&id).await;
    app.keeps_a_playlist().await;
    app.scrobbles_offline(&songs[..2]).await;
    let other = find(&app, "old%20man", "My Old Man").await;
    let other = other.get("id");
    app.xml("savePlayQueue", &format!("id={id}&id={other}&current={other}&position=77")).await;
    queue_elsewhere(&house, &["All I Want", "My Old Man"], other, 77).await;
    let queue = app.xml("getPlayQueue", "").await;
    assert!(!queue.child("playQueue").get("changed").is_empty());
}

#[tokio::test]
async fn trace_of_ultrasonic() {
    let house = House::open().await;
    let app = Client {
        house: &house,
        name: "Ultrasonic",
        version: "1.13.0",
        form: "xml",
        suffix: ".view",
        auth: Auth::Token("9f8e7d"),
    };
    app.xml("ping", "").await;
    app.xml("getLicense", "").await;
    let folders = app.xml("getMusicFolders", "").await;
    let folders = folders.child("musicFolders").all("musicFolder");
    let indexes = app.xml("getIndexes", &format!("musicFolderId={}", folders[0].get("id"))).await;
    let seen = indexes.child("indexes").get("lastModified").to_owned();
    is_whole(&walk_all(&app).await);
    // Nothing new since then.
    let again = app.xml("getIndexes", &format!("ifModifiedSince={seen}")).await;
    assert!(again.children.is_empty());
    // Albums in the server's order, however it asks for pages.
    let mut listed = Vec::new();
    for offset in [0, 2, 4, 6] {
        let page = app
            .xml("getAlbumList2", &format!("type=alphabeticalByName&size=2&offset={offset}"))
            .await;
        let albums = page.child("albumList2").all("album").into_iter();
        listed.extend(albums.map(|album| album.get("name").to_owned()));
    }
    assert_eq!(listed, ["Blue", "Double", "Hits", "Nothing", "Singles"]);
    let song = find(&app, "all%20want", "All I Want").await;
    let id = song.get("id").to_owned();
    app.plays(&id, ALL_I_WANT).await;
    let cover = app.bytes("getCoverArt", &format!("id={}&size=200", song.get("coverArt"))).await;
    assert_eq!(image::load_from_memory(&cover).unwrap().width(), 200);
    // No picture is told as an error, not shown as one.
    let bare = house.ann.id("album", "Nothing").await;
    let none = app.text("getCoverArt", &format!("id={bare}")).await;
    assert!(none.contains("code=\"70\""), "{none}");
    app.xml("createBookmark", &format!("id={id}&position=500")).await;
    let one = app.xml("getBookmarks", "").await;
    assert_eq!(one.child("bookmarks").all("bookmark").len(), 1);
    app.keeps_a_playlist().await;
    app.scrobbles_offline(std::slice::from_ref(&id)).await;
    app.xml("savePlayQueue", &format!("id={id}&current={id}&position=5")).await;
    queue_elsewhere(&house, &["All I Want"], &id, 5).await;
}

#[tokio::test]
async fn trace_of_amperfy() {
    let house = House::open().await;
    let app = Client {
        house: &house,
        name: "Amperfy",
        version: "1.13.0",
        form: "xml",
        suffix: "",
        auth: Auth::Token("0a1b2c3d"),
    };
    let pong = app.xml("ping", "").await;
    assert_eq!(
        pong.get("version").split('.').filter_map(|part| part.parse::<u32>().ok()).count(),
        3
    );
    app.xml("getGenres", "").await.child("genres");
    // The number of pages follows from the sum of the albums of all artists.
    let artists = app.xml("getArtists", "").await;
    let counts =
        artists.child("artists").all("index").into_iter().flat_map(|index| index.all("artist"));
    let total: usize =
        counts.map(|artist| artist.get("albumCount").parse::<usize>().unwrap()).sum();
    assert!(total >= 5, "{total}");
    let pages = (0..total.div_ceil(2)).map(|page| {
        let (app, offset) = (&app, page * 2);
        async move {
            app.xml("getAlbumList2", &format!("type=alphabeticalByName&size=2&offset={offset}"))
                .await
        }
    });
    let mut songs = Vec::new();
    for page in futures_util::future::join_all(pages).await {
        for album in page.child("albumList2").all("album") {
            let created = album.get("created");
            assert!(created.len() == 24 && created.ends_with('Z'), "{created}");
            let whole = app.xml("getAlbum", &format!("id={}", album.get("id"))).await;
            songs.extend(
                whole.child("album").all("song").into_iter().map(|song| song.get("id").to_owned()),
            );
        }
    }
    is_whole(&songs);
    for method in ["getPodcasts", "getInternetRadioStations", "getPlaylists", "getStarred2"] {
        app.xml(method, "").await;
    }
    let song = find(&app, "all%20want", "All I Want").await;
    let id = song.get("id").to_owned();
    let lyrics = app.xml("getLyricsBySongId", &format!("id={id}")).await;
    let lyrics = lyrics.child("lyricsList");
    assert_eq!(lyrics.child("structuredLyrics").all("line")[0].text, "I am on a lonely road");
    app.plays(&id, ALL_I_WANT).await;
    let raw = app.bytes("stream", &format!("id={id}&format=raw")).await;
    assert!(raw == std::fs::read(house.music.join(ALL_I_WANT)).unwrap());
    let mp3 = app.request("stream", &format!("id={id}&format=mp3")).send().await.unwrap();
    assert_eq!(mp3.headers()[header::CONTENT_TYPE], "audio/mpeg");
    // Deleted is 70, and only that.
    let gone = app.text("getAlbum", "id=al-999999").await;
    assert!(gone.contains("code=\"70\""), "{gone}");
    app.seeks_transcoded(&id).await;
    app.keeps_a_playlist().await;
    app.scrobbles_offline(&songs[..3]).await;
    app.xml("savePlayQueue", &format!("id={id}&current={id}&position=1")).await;
    queue_elsewhere(&house, &["All I Want"], &id, 1).await;
}
