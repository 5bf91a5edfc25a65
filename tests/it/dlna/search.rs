//! Search below any container, at any depth, by every property that is announced.

use tunelocker::{
    accounts::Principal,
    catalog::{PlaylistChange, Starred},
    ids::TrackId,
};

use super::{control::Control, music};
use crate::harness::TestApp;

const TRACKS: &str = "upnp:class derivedfrom \"object.item.audioItem\"";
const ALBUMS: &str = "upnp:class = \"object.container.album.musicAlbum\"";
const ARTISTS: &str = "upnp:class = \"object.container.person.musicArtist\"";
const GENRES: &str = "upnp:class = \"object.container.genre.musicGenre\"";
const PLAYLISTS: &str = "upnp:class = \"object.container.playlistContainer\"";

async fn found(control: &Control, within: &str, criteria: &str) -> Vec<String> {
    let page = control.search(within, criteria, "+dc:title").await.unwrap();
    assert_eq!(page.total as usize, page.objects.len(), "{within} {criteria}");
    page.titles().into_iter().map(ToOwned::to_owned).collect()
}

/// A public playlist of somebody, with these tracks.
async fn playlist(app: &TestApp, tracks: &[TrackId]) -> (Principal, String) {
    let accounts = &app.services.accounts;
    accounts.ensure_first_admin("root", "a long password").await.unwrap();
    let root = accounts.principal_named("root").await.unwrap();
    let catalog = &app.services.catalog;
    let list = catalog.create_playlist(&root, "Mixed", tracks).await.unwrap();
    let change = PlaylistChange { is_public: Some(true), ..PlaylistChange::default() };
    catalog.update_playlist(&root, list, &change).await.unwrap();
    (root, format!("pl.{}", list.0))
}

#[tokio::test]
async fn searches_stay_below_their_container_at_any_depth() {
    let (app, control) = music::app().await;
    let every = control.search("0", TRACKS, "+dc:title").await.unwrap();
    let id_of =
        |title: &str| TrackId::parse(every.titled(title).id()).unwrap_or_else(|| panic!("{title}"));
    let (_, list) = playlist(&app, &[id_of("Sine Two"), id_of("Bêta & Gamma")]).await;
    let id = async |within: &str, title: &str| {
        control.children(within, 0, 0, "").await.titled(title).id().to_owned()
    };
    let album = id("albums", "Alpha Songs").await;
    let artist = id("artists", "Alpha Band").await;
    let composer = id("composers", "Composer of Beta").await;
    let genre = id("genres", "Jazz").await;
    let root = control.children("folders", 0, 0, "").await.ids()[0].to_owned();
    let folder = id(&root, "alpha").await;
    let (sines, beta) = (["Sine One", "Sine Two"], ["A \"quoted\" one", "Bêta & Gamma"]);
    let all = ["A \"quoted\" one", "Bêta & Gamma", "Sine One", "Sine Two"];
    let both = ["Alpha Songs", "Bêta <&> Tunes"];
    for (within, criteria, expected) in [
        // The library as a directory, a directory inside it.
        (root.as_str(), TRACKS, &all[..]),
        (&root, ALBUMS, &both),
        (&folder, TRACKS, &sines),
        (&folder, ALBUMS, &both[..1]),
        (&folder, ARTISTS, &[]),
        (&folder, "dc:title contains \"two\"", &sines[1..]),
        // An album holds tracks alone.
        (&album, TRACKS, &sines),
        (&album, ALBUMS, &[]),
        (&album, "*", &sines),
        // An artist holds albums and, below them, tracks.
        (&artist, TRACKS, &sines),
        (&artist, ALBUMS, &both[..1]),
        (&artist, ARTISTS, &[]),
        (&format!("{artist}.tracks"), TRACKS, &sines),
        (&format!("{artist}.tracks"), ALBUMS, &[]),
        (&composer, TRACKS, &beta),
        (&genre, TRACKS, &beta),
        (&genre, ALBUMS, &both[1..]),
        (&format!("{genre}.tracks"), ALBUMS, &[]),
        ("ye.1999", TRACKS, &sines),
        ("ye.2005", ALBUMS, &both[1..]),
        ("ye.1998", TRACKS, &[]),
        ("de.1990", TRACKS, &sines),
        ("de.2000", ALBUMS, &both[1..]),
        (&list, TRACKS, &["Bêta & Gamma", "Sine Two"]),
        (&list, ALBUMS, &[]),
        // Branches.
        ("albums", ALBUMS, &both),
        ("albums", TRACKS, &all),
        ("albums", ARTISTS, &[]),
        ("artists", ARTISTS, &["Alpha Band", "Beta"]),
        ("albumartists", ARTISTS, &["Alpha Band", "Beta"]),
        ("composers", ARTISTS, &["Composer of Alpha Band", "Composer of Beta"]),
        ("composers", ALBUMS, &[]),
        ("genres", GENRES, &["Jazz", "Rock"]),
        ("albums", GENRES, &[]),
        ("playlists", PLAYLISTS, &["Mixed"]),
        ("playlists", TRACKS, &["Bêta & Gamma", "Sine Two"]),
        ("genres", PLAYLISTS, &[]),
        ("new", ALBUMS, &both),
        ("random", TRACKS, &all),
        ("tracks", ALBUMS, &[]),
        ("folders", TRACKS, &all),
        ("albums.61", TRACKS, &sines),
        ("albums.62", ALBUMS, &both[1..]),
        ("albums.7a", TRACKS, &[]),
        // The household has starred nothing.
        ("starred", TRACKS, &[]),
    ] {
        assert_eq!(found(&control, within, criteria).await, expected, "{within} {criteria}");
    }
    // Whatever it was found below, it is itself: home id and home parent.
    for within in ["0", &root, &artist, &genre, "de.1990", "new"] {
        let page = control.search(within, "dc:title = \"Sine One\"", "").await.unwrap();
        if !page.objects.is_empty() {
            assert_eq!(page.objects[0].attributes["parentID"], album, "{within}");
            assert_eq!(page.ids(), [every.titled("Sine One").id()], "{within}");
        }
    }
    for gone in ["fo.99999", "al.99999", "ar.99999", "ar.99999.tracks", "ge.99999", "pl.99999"] {
        assert_eq!(control.search(gone, "*", "").await.unwrap_err(), (500, 710), "{gone}");
    }
}

#[tokio::test]
async fn every_announced_property_is_understood() {
    let (app, control) = music::app().await;
    let caps = control.call("content-directory", "GetSearchCapabilities", &[]).await.unwrap();
    let announced: Vec<String> = caps["SearchCaps"].split(',').map(ToOwned::to_owned).collect();
    let sines = &["Sine One", "Sine Two"][..];
    let beta = &["A \"quoted\" one", "Bêta & Gamma"][..];
    let one = control.search("0", "dc:title = \"Sine One\"", "").await.unwrap();
    let (id, home) = (one.ids()[0].to_owned(), one.objects[0].attributes["parentID"].clone());
    let size = one.objects[0].resources()[0].1["size"].clone();
    let of_id = format!("@id = \"{id}\"");
    let of_parent = format!("@parentID = \"{home}\"");
    let of_size = format!("res@size = \"{size}\"");
    let cases = [
        (of_id.as_str(), &sines[..1]),
        (&of_parent, sines),
        ("@refID exists true", &[]),
        ("dc:title contains \"sine\"", sines),
        ("dc:creator = \"Beta\"", beta),
        ("dc:date = \"2005-03-04\"", beta),
        ("dc:date >= \"2005-03-05\"", &[]),
        ("dc:date > \"2005-03-03\"", beta),
        ("dc:date = \"1999\"", sines),
        ("dc:date <= \"1999\"", sines),
        ("dc:date contains \"2005-03\"", beta),
        ("upnp:class = \"object.item.audioItem.musicTrack\" and dc:title contains \"sine\"", sines),
        ("upnp:artist contains \"alpha\"", sines),
        ("upnp:artist@role = \"Composer\" and upnp:genre = \"Rock\"", sines),
        ("upnp:artist@role exists false", &[]),
        ("upnp:artist[@role=\"Composer\"] contains \"of beta\"", beta),
        ("upnp:albumArtist = \"Beta\"", beta),
        ("upnp:author = \"Beta\"", beta),
        ("upnp:composer contains \"alpha\"", sines),
        ("upnp:album = \"Alpha Songs\"", sines),
        ("upnp:genre != \"Rock\"", beta),
        ("upnp:originalTrackNumber = \"1\" and upnp:genre = \"Rock\"", &sines[..1]),
        ("upnp:originalDiscNumber exists true", &[]),
        ("upnp:originalYear < \"2000\"", sines),
        ("upnp:rating exists true", &[]),
        ("res@protocolInfo contains \"audio/flac\"", sines),
        ("res@duration > \"0:00:10\"", sines),
        (&of_size, &sines[..1]),
        ("res@bitrate > \"1\" and upnp:genre = \"Jazz\"", beta),
        ("res@sampleFrequency = \"44100\" and upnp:genre = \"Jazz\"", beta),
        ("res@bitsPerSample >= \"16\"", sines),
        ("res@nrAudioChannels = \"2\" and upnp:genre = \"Rock\"", sines),
    ];
    for property in &announced {
        let is_tried = cases.iter().any(|(criteria, _)| criteria.starts_with(property.as_str()));
        assert!(is_tried, "{property} is announced and not tried here");
    }
    for (criteria, expected) in cases {
        let criteria = format!("({criteria}) and upnp:class derivedfrom \"object.item\"");
        assert_eq!(found(&control, "0", &criteria).await, expected, "{criteria}");
    }
    // A device that is a person's knows his ratings and stars.
    let track = TrackId::parse(&id).unwrap();
    let (root, _) = playlist(&app, &[]).await;
    let catalog = &app.services.catalog;
    let item = tunelocker::catalog::Item::Track(track);
    catalog.set_rating(&root, item, Some(4)).await.unwrap();
    let album = catalog.track(&root, track).await.unwrap().album.unwrap();
    let item = tunelocker::catalog::Item::Album(album);
    catalog.set_starred(&root, item, Starred::Yes).await.unwrap();
    let accounts = &app.services.accounts;
    let device = accounts.devices(&root).await.unwrap()[0].id;
    let change = tunelocker::accounts::DeviceChange {
        user: Some(Some(root.user)),
        ..tunelocker::accounts::DeviceChange::default()
    };
    accounts.update_device(&root, device, &change).await.unwrap();
    assert_eq!(found(&control, "0", "upnp:rating >= \"4\"").await, sines[..1]);
    assert_eq!(found(&control, "starred", TRACKS).await, sines);
    let rated = control.search("0", TRACKS, "-upnp:rating").await.unwrap();
    assert_eq!(rated.titles()[0], "Sine One");
}

#[tokio::test]
async fn results_are_sorted_and_paged_as_asked() {
    let (_app, control) = music::app().await;
    let sorts = control.call("content-directory", "GetSortCapabilities", &[]).await.unwrap();
    for key in sorts["SortCaps"].split(',') {
        for sign in ["+", "-"] {
            let page = control.search("0", TRACKS, &format!("{sign}{key}")).await.unwrap();
            assert_eq!(page.total, 4, "{sign}{key}");
        }
    }
    let classes = control.search("0", "*", "-upnp:class,+dc:title").await.unwrap();
    let first = classes.objects.first().unwrap().text("upnp:class");
    let last = classes.objects.last().unwrap().text("upnp:class");
    assert_eq!(first, "object.item.audioItem.musicTrack");
    assert_eq!(last, "object.container.album.musicAlbum");
    // What a container lists by itself, in the client's order.
    let genre = control.children("genres", 0, 0, "").await.titled("Rock").id().to_owned();
    let down = control.children(&format!("{genre}.tracks"), 0, 0, "-dc:title").await;
    assert_eq!(down.titles(), ["Sine Two", "Sine One"]);
    let up = control.children(&genre, 0, 0, "+dc:title").await;
    assert_eq!(up.titles(), ["All tracks", "Alpha Songs"]);
    let page = control.children(&genre, 1, 1, "-dc:date").await;
    assert_eq!((page.titles(), page.total), (vec!["Alpha Songs"], 2));
    let decade = control.children("de.2000", 0, 0, "-dc:title").await;
    assert_eq!(decade.titles(), ["Bêta <&> Tunes"]);
}
