//! Covers: addresses everywhere, true sizes, JPEG whatever the file was, and as resources for
//! those who want them so.

use std::collections::BTreeMap;

use image::GenericImageView as _;

use super::{control::Object, music};

/// The addresses of an object's `upnp:albumArtURI`, by profile.
fn art(object: &Object) -> BTreeMap<&str, &str> {
    let uris = object.elements.iter().filter(|(name, ..)| name == "upnp:albumArtURI");
    uris.map(|(_, attributes, url)| (attributes["dlna:profileID"].as_str(), url.as_str())).collect()
}

/// The bounds of the profiles: width, height.
fn bounds(profile: &str) -> (u32, u32) {
    match profile {
        "JPEG_TN" => (160, 160),
        "JPEG_SM" => (640, 480),
        "JPEG_MED" => (1024, 768),
        other => panic!("no bounds are known for {other}"),
    }
}

/// Fetches a picture and holds it to its profile. Gives its width.
async fn fetch(url: &str, profile: &str) -> u32 {
    let answer = reqwest::get(url).await.unwrap();
    assert_eq!(answer.status(), 200, "{url}");
    assert_eq!(answer.headers()["content-type"], "image/jpeg", "{url}");
    let features = answer.headers()["contentFeatures.dlna.org"].to_str().unwrap();
    assert!(features.starts_with(&format!("DLNA.ORG_PN={profile};")), "{features}");
    let bytes = answer.bytes().await.unwrap();
    assert!(!is_progressive(&bytes), "{url}");
    let picture = image::load_from_memory_with_format(&bytes, image::ImageFormat::Jpeg).unwrap();
    let (width, height) = picture.dimensions();
    let (most_width, most_height) = bounds(profile);
    assert!(width <= most_width && height <= most_height, "{url}: {width} x {height}");
    width
}

/// Whether a JPEG has a frame header of another kind than baseline.
fn is_progressive(jpeg: &[u8]) -> bool {
    jpeg.windows(2).any(|two| two == [0xff, 0xc2])
}

#[tokio::test]
async fn covers_keep_to_their_profiles() {
    let (_app, control) = music::app().await;
    let albums = control.children("albums", 0, 0, "").await;
    for (title, thumbnail, medium) in [("Alpha Songs", 160, 768), ("Bêta <&> Tunes", 100, 100)] {
        let album = albums.titled(title);
        let found = art(album);
        assert_eq!(fetch(found["JPEG_TN"], "JPEG_TN").await, thumbnail, "{title}");
        assert_eq!(fetch(found["JPEG_MED"], "JPEG_MED").await, medium, "{title}");
    }
}

#[tokio::test]
async fn every_level_has_a_cover() {
    let (_app, control) = music::app().await;
    let root = control.children("folders", 0, 0, "").await.ids()[0].to_owned();
    for within in ["albums", "artists", "albumartists", "genres", "years", "decades", &root] {
        let listed = control.children(within, 0, 0, "").await;
        assert_eq!(listed.objects.len(), 2, "{within}");
        for object in &listed.objects {
            let own = control.browse(object.id(), "BrowseMetadata", "*", 0, 0, "").await.unwrap();
            assert_eq!(art(&own.objects[0]), art(object), "{within} {}", object.id());
            fetch(art(object)["JPEG_TN"], "JPEG_TN").await;
        }
    }
}

#[tokio::test]
async fn covers_are_resources_for_those_who_look_there() {
    let (_app, control) = music::app().await;
    let images = async |agent: &'static str| {
        let tracks = control.named(agent).children("tracks", 0, 0, "").await;
        let track = tracks.titled("Sine One");
        let resources = track.resources();
        let is_image = |attributes: &BTreeMap<String, String>| {
            attributes["protocolInfo"].starts_with("http-get:*:image/")
        };
        // The sound comes first, always.
        assert!(!is_image(resources[0].1), "{agent}");
        let images = resources.iter().filter(|(_, attributes)| is_image(attributes));
        images
            .map(|(url, attributes)| ((*url).to_owned(), attributes["protocolInfo"].clone()))
            .collect::<Vec<_>>()
    };
    for agent in ["Kodi/20.2 (X11; Linux x86_64)", "DLNADOC/1.50 SEC_HHP_[TV]UE40/1.0"] {
        let found = images(agent).await;
        let profiles: Vec<&str> = found
            .iter()
            .map(|(_, info)| info.split("DLNA.ORG_PN=").nth(1).unwrap().split(';').next().unwrap())
            .collect();
        assert_eq!(profiles, ["JPEG_TN", "JPEG_SM", "JPEG_MED"], "{agent}");
        for ((url, _), profile) in found.iter().zip(profiles) {
            fetch(url, profile).await;
        }
    }
    // A renderer that takes every `res` for sound is not led astray.
    for agent in ["Linux UPnP/1.0 Sonos/70.3-35220 (ZPS6)", "VLC/3.0.20 LibVLC/3.0.20"] {
        assert!(images(agent).await.is_empty(), "{agent}");
    }
}
