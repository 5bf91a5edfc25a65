//! Browsing and searching a little library.

use super::music;

#[tokio::test]
async fn the_tree_leads_to_every_track() {
    let (_app, control) = music::app().await;
    let root = control.children("0", 0, 0, "").await;
    assert_eq!(
        root.ids(),
        [
            "albums",
            "albumartists",
            "artists",
            "genres",
            "composers",
            "years",
            "decades",
            "playlists",
            "new",
            "random",
            "tracks",
            "folders"
        ]
    );
    let albums = control.children("albums", 0, 0, "").await;
    assert_eq!(albums.titles(), ["Alpha Songs", "Bêta <&> Tunes"]);
    assert!(albums.objects.iter().all(|album| album.attributes["childCount"] == "2"));
    let album = albums.titled("Alpha Songs").id();
    let tracks = control.children(album, 0, 0, "").await;
    assert_eq!(tracks.titles(), ["Sine One", "Sine Two"]);
    let track = &tracks.objects[0];
    assert_eq!(track.attributes["parentID"], album);
    assert_eq!(track.text("upnp:class"), "object.item.audioItem.musicTrack");
    assert_eq!(track.text("upnp:artist"), "Alpha Band");
    assert_eq!(track.text("upnp:album"), "Alpha Songs");
    assert_eq!(track.text("upnp:genre"), "Rock");
    assert_eq!(track.text("upnp:originalTrackNumber"), "1");
    assert_eq!(track.text("dc:date"), "1999-01-01");
    let (address, attributes) = track.resources()[0];
    assert!(address.starts_with(&control.base), "{address}");
    assert_eq!(address.rsplit('.').next(), Some("flac"));
    assert_eq!(attributes["duration"], "0:00:12.000");
    assert_eq!(attributes["sampleFrequency"], "44100");
    assert!(attributes["protocolInfo"].starts_with("http-get:*:audio/flac:DLNA.ORG_OP=01"));
    assert!(track.resources().len() > 1, "{}", tracks.didl);
    // Every other way there shows the same tracks, by reference to the real ones.
    for way in ["artists", "albumartists", "genres"] {
        let first = control.children(way, 0, 0, "").await;
        for container in first.ids() {
            let inside = control.children(container, 0, 0, "").await;
            let all = inside.titled("All tracks").id();
            let tracks = control.children(all, 0, 0, "").await;
            assert_eq!(tracks.total, 2, "{way} {container}");
            for track in &tracks.objects {
                assert!(track.attributes["refID"].starts_with("tr."), "{way} {container}");
            }
        }
    }
    let years = control.children("years", 0, 0, "").await;
    assert_eq!(years.titles(), ["1999", "2005"]);
    let decades = control.children("decades", 0, 0, "").await;
    assert_eq!(decades.titles(), ["1990s", "2000s"]);
    assert_eq!(decades.objects[0].attributes["childCount"], "1");
    let nineties = control.children("de.1990", 0, 0, "").await;
    assert_eq!(nineties.titles(), ["Alpha Songs"]);
    assert_eq!(control.children("de.1980", 0, 0, "").await.total, 0);
    let roots = control.children("folders", 0, 0, "").await;
    let folders = control.children(roots.ids()[0], 0, 0, "").await;
    assert_eq!(folders.titles(), ["alpha", "beta"]);
}

#[tokio::test]
async fn pages_sorts_and_filters_hold() {
    let (_app, control) = music::app().await;
    let all = control.children("tracks", 0, 0, "").await;
    let mut paged = Vec::new();
    for start in 0..all.total {
        let page = control.children("tracks", start, 1, "").await;
        assert_eq!((page.objects.len(), page.total), (1, 4));
        paged.push(page.ids()[0].to_owned());
    }
    assert_eq!(paged, all.ids());
    let beyond = control.children("tracks", 100, 10, "").await;
    assert_eq!((beyond.objects.len(), beyond.total), (0, 4));
    for (sort, first) in [
        ("-dc:title", "Sine Two"),
        ("+dc:date,+upnp:originalTrackNumber", "Sine One"),
        ("-dc:date,-upnp:originalTrackNumber", "A \"quoted\" one"),
        ("+upnp:class,+foo:bar,-dc:title", "Sine Two"),
    ] {
        assert_eq!(control.children("tracks", 0, 0, sort).await.titles()[0], first, "{sort}");
    }
    let albums = control.children("albums", 0, 0, "-dc:title").await;
    assert_eq!(albums.titles(), ["Bêta <&> Tunes", "Alpha Songs"]);
    let bare =
        control.browse("tracks", "BrowseDirectChildren", "dc:title", 0, 0, "").await.unwrap();
    assert!(!bare.didl.contains("upnp:album>") && !bare.didl.contains("upnp:genre>"));
    assert!(bare.objects.iter().all(|track| !track.resources().is_empty()));
    // Kodi's and Windows' spellings.
    assert_eq!(control.children("tracks/", 0, 0, "").await.total, 4);
    assert_eq!(control.children("4", 0, 0, "").await.total, 4);
}

#[tokio::test]
async fn metadata_agrees_with_listings() {
    let (_app, control) = music::app().await;
    let mut todo = vec!["0".to_owned()];
    let mut seen = 0;
    while let Some(id) = todo.pop() {
        let own = control.browse(&id, "BrowseMetadata", "*", 0, 0, "").await.unwrap();
        assert_eq!((own.ids(), own.total), (vec![id.as_str()], 1));
        seen += 1;
        let listed = control.children(&id, 0, 0, "").await;
        for child in &listed.objects {
            assert_eq!(child.attributes["parentID"], id);
        }
        // Each container once, wherever it is shown.
        todo.extend(
            listed
                .ids()
                .into_iter()
                .filter(|_| seen < 60 && !id.starts_with("al."))
                .map(Into::into),
        );
    }
    assert!(seen > 30, "{seen}");
}

#[tokio::test]
async fn searches_find_each_object_once() {
    let (_app, control) = music::app().await;
    let items = "upnp:class derivedfrom \"object.item.audioItem\"";
    for (criteria, titles) in [
        (
            "upnp:class = \"object.container.album.musicAlbum\"",
            vec!["Alpha Songs", "Bêta <&> Tunes"],
        ),
        ("upnp:class = \"object.container.person.musicArtist\"", vec!["Alpha Band", "Beta"]),
        ("upnp:class derivedfrom \"object.container.genre\"", vec!["Jazz", "Rock"]),
        ("dc:title contains \"SINE\"", vec!["Sine One", "Sine Two"]),
        (
            "dc:title contains \"beta\" and upnp:class derivedfrom \"object.item\"",
            vec!["Bêta & Gamma"],
        ),
        ("dc:title = \"A \\\"quoted\\\" one\"", vec!["A \"quoted\" one"]),
        (
            "upnp:artist = \"Beta\" and upnp:class = \"object.container.album.musicAlbum\"",
            vec!["Bêta <&> Tunes"],
        ),
        (
            "upnp:album contains \"tunes\" and dc:title doesNotContain \"gamma\" and upnp:class derivedfrom \"object.item\"",
            vec!["A \"quoted\" one"],
        ),
        (
            "upnp:genre = \"rock\" and upnp:class derivedfrom \"object.item\"",
            vec!["Sine One", "Sine Two"],
        ),
        (
            "dc:date < \"2000-01-01\" and upnp:class derivedfrom \"object.item\"",
            vec!["Sine One", "Sine Two"],
        ),
        ("dc:title contains \"'; drop table track;--\"", vec![]),
        ("dc:title contains \"%\"", vec![]),
        ("foo:bar = \"x\"", vec![]),
        (
            "(dc:title = \"Sine One\" or dc:title = \"Sine Two\") and upnp:originalTrackNumber > \"1\"",
            vec!["Sine Two"],
        ),
    ] {
        let found = control.search("0", criteria, "+dc:title").await.unwrap();
        assert_eq!(found.titles(), titles, "{criteria}");
        assert_eq!(found.total as usize, titles.len(), "{criteria}");
    }
    let found = control.search("0", &format!("{items} and @refID exists false"), "").await.unwrap();
    assert!(found.ids().iter().all(|id| id.starts_with("tr.")), "{:?}", found.ids());
    assert_eq!(found.total, 4);
    let album = control.children("albums", 0, 1, "").await;
    let below = control.search(album.ids()[0], items, "").await.unwrap();
    assert_eq!(below.titles(), ["Sine One", "Sine Two"]);
}
