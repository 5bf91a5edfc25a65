//! Bytes: originals as they are on disk, ranges, downloads, covers.

use reqwest::header;

use super::House;
use crate::harness::music;

#[tokio::test]
async fn subsonic_originals_come_as_they_are() {
    let house = House::open().await;
    let ann = &house.ann;
    for (title, path, kind) in [
        ("All I Want", "Joni Mitchell/Blue/01 All I Want.flac", "audio/flac"),
        ("Untitled", "The Empty/Nothing/04 Untitled.wav", "audio/wav"),
    ] {
        let truth = std::fs::read(house.music.join(path)).unwrap();
        let id = ann.id("song", title).await;
        for (method, query) in
            [("stream", ""), ("stream", "format=raw&maxBitRate=64"), ("download", "")]
        {
            let answer = ann.get(method, &format!("id={id}&{query}")).await;
            assert_eq!(answer.status(), 200);
            assert_eq!(answer.headers()[header::CONTENT_TYPE], kind);
            assert_eq!(answer.headers()[header::ACCEPT_RANGES], "bytes");
            assert_eq!(answer.headers()[header::CONTENT_LENGTH], truth.len().to_string().as_str());
            assert_eq!(answer.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
            let disposition = answer.headers().get(header::CONTENT_DISPOSITION);
            assert_eq!(disposition.is_some(), method == "download");
            assert!(answer.headers().get(header::CONTENT_ENCODING).is_none());
            assert!(answer.bytes().await.unwrap() == truth, "{method} {title}");
        }
        let part = ann
            .http
            .get(ann.url("stream", &format!("id={id}")))
            .header(header::RANGE, "bytes=100-199")
            .send()
            .await
            .unwrap();
        assert_eq!(part.status(), 206);
        let range = format!("bytes 100-199/{}", truth.len());
        assert_eq!(part.headers()[header::CONTENT_RANGE], range.as_str());
        assert_eq!(part.bytes().await.unwrap(), truth[100..200]);
        let head = ann.http.head(ann.url("stream", &format!("id={id}"))).send().await.unwrap();
        assert_eq!(head.headers()[header::CONTENT_LENGTH], truth.len().to_string().as_str());
    }
    // Streaming is no play (C33).
    let id = ann.id("song", "All I Want").await;
    assert_eq!(ann.ok("getSong", &format!("id={id}")).await["song"]["playCount"], 0);
    assert!(
        ann.ok("getNowPlaying", "").await["nowPlaying"]["entry"].as_array().unwrap().is_empty()
    );
    assert_eq!(ann.refused("stream", &format!("id={id}&format=tape")).await, 0);
}

#[tokio::test]
async fn subsonic_names_of_downloads_are_safe() {
    let house = House::open().await;
    let id = house.ann.id("song", "Loose <&> \"quoted\"").await;
    let answer = house.ann.get("download", &format!("id={id}")).await;
    assert_eq!(
        answer.headers()[header::CONTENT_DISPOSITION],
        "attachment; filename=\"Loose <&> _quoted_.flac\"; \
         filename*=UTF-8''Loose%20%3C%26%3E%20%22quoted%22.flac"
    );
}

#[tokio::test]
async fn subsonic_who_may_not_play_or_download_is_told_so() {
    let house = House::open().await;
    let id = house.ann.id("song", "All I Want").await;
    house.ann.ok("updateUser", "username=bob&downloadRole=false&streamRole=false").await;
    assert_eq!(house.bob.refused("download", &format!("id={id}")).await, 50);
    assert_eq!(house.bob.refused("stream", &format!("id={id}")).await, 50);
}

#[tokio::test]
async fn subsonic_covers_by_any_id() {
    let house = House::open().await;
    let ann = &house.ann;
    let album = ann.id("album", "Blue").await;
    let whole = ann.ok("getAlbum", &format!("id={album}")).await["album"].clone();
    let cover = whole["coverArt"].as_str().unwrap().to_owned();
    let song = whole["song"][0]["coverArt"].as_str().unwrap().to_owned();
    assert_eq!(song, cover, "songs share the cover of their album");
    let size = async |query: &str| {
        let answer = ann.get("getCoverArt", query).await;
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "image/jpeg", "{query}");
        let picture = image::load_from_memory(&answer.bytes().await.unwrap()).unwrap();
        assert_eq!(picture.width(), picture.height());
        picture.width()
    };
    // C27: cover ids, album ids, old prefixes; never larger than it is.
    for id in [cover.clone(), album.clone(), format!("al-{album}")] {
        assert_eq!(size(&format!("id={id}")).await, 600);
        assert_eq!(size(&format!("id={id}&size=120")).await, 120);
        assert_eq!(size(&format!("id={id}&size=5000")).await, 600);
    }
    let track = ann.id("song", "My Old Man").await;
    assert_eq!(size(&format!("id={track}&size=50")).await, 50);
    let artist = ann.id("artist", "Joni Mitchell").await;
    assert_eq!(size(&format!("id={artist}")).await, 600);
    let list = ann.ok("createPlaylist", &format!("name=P&songId={track}")).await;
    assert_eq!(size(&format!("id={}", list["playlist"]["id"].as_str().unwrap())).await, 600);

    // Two songs of one album with pictures of their own.
    let double = ann.id("album", "Double").await;
    let double = ann.ok("getAlbum", &format!("id={double}")).await["album"].clone();
    for (at, edge) in [(0, 400), (1, 300)] {
        let id = double["song"][at]["coverArt"].as_str().unwrap();
        assert_eq!(size(&format!("id={id}")).await, edge);
    }

    // Asked again, it has not changed.
    let answer = ann.get("getCoverArt", &format!("id={cover}&size=120")).await;
    let tag = answer.headers()[header::ETAG].clone();
    assert!(answer.headers()[header::CACHE_CONTROL].to_str().unwrap().contains("max-age"));
    let url = ann.url("getCoverArt", &format!("id={cover}&size=120"));
    let again = ann.http.get(url).header(header::IF_NONE_MATCH, tag).send().await.unwrap();
    assert_eq!(again.status(), 304);

    let nothing = ann.id("album", "Nothing").await;
    assert_eq!(ann.refused("getCoverArt", &format!("id={nothing}")).await, 70);
}

#[tokio::test]
async fn subsonic_streams_are_transcoded_only_when_asked() {
    let house = House::open().await;
    let ann = &house.ann;
    let wave = ann.id("song", "Untitled").await;
    for (query, kind, start) in [
        ("format=mp3", "audio/mpeg", None),
        ("format=opus", "audio/ogg", Some("OggS")),
        ("format=flac", "audio/flac", Some("fLaC")),
        ("maxBitRate=128", "audio/mpeg", None),
        ("format=mp3&timeOffset=0.5", "audio/mpeg", None),
        ("format=mp3&maxBitRate=96&estimateContentLength=true", "audio/mpeg", None),
    ] {
        let answer = ann.get("stream", &format!("id={wave}&{query}")).await;
        assert_eq!(answer.status(), 200, "{query}");
        assert_eq!(answer.headers()[header::CONTENT_TYPE], kind, "{query}");
        assert_eq!(answer.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        let promised = answer.content_length();
        let bytes = answer.bytes().await.unwrap();
        assert!(bytes.len() > 1000, "{query}: {} bytes", bytes.len());
        let url = format!("id={wave}&{query}");
        let head = ann.head("stream", &url).await;
        let length = head.headers().get(header::CONTENT_LENGTH).map(|it| it.to_str().unwrap());
        assert_ne!(length, Some("0"), "{query}");
        // C29: a promised length is kept to the byte.
        assert!(promised.is_none_or(|length| length == bytes.len() as u64), "{query}");
        assert!(promised.is_some() || !query.contains("estimate"), "{query}");
        assert!(start.is_none_or(|start| bytes.starts_with(start.as_bytes())), "{query}");
    }
    // What has the wanted format already, or fits under the limit, comes as it is.
    let flac = ann.id("song", "All I Want").await;
    let truth = std::fs::read(house.music.join("Joni Mitchell/Blue/01 All I Want.flac")).unwrap();
    for query in ["format=flac", "format=raw", "maxBitRate=320", "maxBitRate=0", "timeOffset=1"] {
        let answer = ann.get("stream", &format!("id={flac}&{query}")).await;
        assert!(answer.bytes().await.unwrap() == truth, "{query}");
    }
}

/// A playlist of four covers or more shows four of them, each in its quarter (C27).
#[tokio::test]
async fn subsonic_playlists_are_mosaics_of_their_covers() {
    let music = tempfile::tempdir().unwrap().keep();
    let colours = [[220, 20, 20], [20, 200, 30], [20, 40, 230], [240, 240, 30], [0, 0, 0]];
    for (at, colour) in colours.into_iter().enumerate() {
        music::flac(&format!("{at}/song.flac"))
            .of("Ann", &format!("Album {at}"), &format!("Song {at}"))
            .write(&music);
        music::write(&music, &format!("{at}/cover.jpg"), &music::jpeg(300, colour));
    }
    let house = House::over_library(&music).await;
    let bob = &house.bob;
    let mut query = "name=Mixed".to_owned();
    for at in [0, 0, 1, 2] {
        query += &format!("&songId={}", bob.id("song", &format!("Song {at}")).await);
    }
    let list = bob.ok("createPlaylist", &query).await["playlist"].clone();
    let id = list["id"].as_str().unwrap();
    // Three are too few: the first one.
    let single = list["coverArt"].as_str().unwrap().to_owned();
    let answer = bob.get("getCoverArt", &format!("id={single}")).await;
    assert_eq!(answer.bytes().await.unwrap(), music::jpeg(300, colours[0]));
    for at in [3, 4] {
        let song = bob.id("song", &format!("Song {at}")).await;
        bob.ok("updatePlaylist", &format!("playlistId={id}&songIdToAdd={song}")).await;
    }
    let list = bob.ok("getPlaylist", &format!("id={id}")).await["playlist"].clone();
    let cover = list["coverArt"].as_str().unwrap();
    assert_ne!(cover, single, "apps keep what they have under the old id");
    for (size, edge) in [("&size=101", 101), ("", 600)] {
        let answer = bob.get("getCoverArt", &format!("id={cover}{size}")).await;
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "image/jpeg");
        let picture = image::load_from_memory(&answer.bytes().await.unwrap()).unwrap().to_rgb8();
        assert_eq!(picture.dimensions(), (edge, edge));
        let quarter = [(1, 1), (3, 1), (1, 3), (3, 3)];
        for ((x, y), colour) in quarter.into_iter().zip(colours) {
            let seen = picture.get_pixel(x * edge / 4, y * edge / 4).0;
            let far = seen.iter().zip(colour).map(|(a, b): (&u8, u8)| a.abs_diff(b)).max();
            assert!(far < Some(12), "{x} {y}: {seen:?} is not {colour:?}");
        }
    }
}

/// The picture in a folder that holds one artist's albums alone is the artist's, everywhere.
#[tokio::test]
async fn subsonic_artists_have_the_picture_in_their_folder() {
    let house = House::open().await;
    let ann = &house.ann;
    let picture = music::jpeg(400, [200, 30, 60]);
    music::write(&house.music, "Joni Mitchell/artist.jpg", &picture);
    ann.ok("startScan", "").await;
    house.wait_for_scan().await;
    let id = ann.id("artist", "Joni Mitchell").await;
    let artist = ann.ok("getArtist", &format!("id={id}")).await["artist"].clone();
    let cover = artist["coverArt"].as_str().unwrap();
    for id in [cover, &id] {
        let answer = ann.get("getCoverArt", &format!("id={id}")).await;
        assert_eq!(answer.bytes().await.unwrap(), picture, "{id}");
    }
    // Whoever has no credentials, an `img` of a page, gets it by its address.
    let url = artist["artistImageUrl"].as_str().unwrap();
    assert_eq!(reqwest::get(url).await.unwrap().status(), 200);
    let album = ann.id("album", "Blue").await;
    let album = ann.ok("getAlbum", &format!("id={album}")).await["album"].clone();
    assert_ne!(album["coverArt"], cover);
}
