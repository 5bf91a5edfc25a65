//! Downloads of more than one file: archives that another program opens.

use std::{path::Path, process::Command};

use reqwest::header;

use super::{App, House};

/// What Python's zipfile says of an archive: names, and that every checksum is right.
fn listed(bytes: &[u8], folder: &Path) -> Vec<String> {
    let path = folder.join("a.zip");
    std::fs::write(&path, bytes).unwrap();
    let script = "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\n\
                  z.extractall(sys.argv[2])\nprint('\\n'.join(z.namelist()))";
    let done = Command::new("python3")
        .args(["-c", script])
        .arg(&path)
        .arg(folder.join("out"))
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap().lines().map(str::to_owned).collect()
}

async fn taken(app: &App, id: &str) -> (String, Vec<u8>) {
    let answer = app.get("download", &format!("id={id}")).await;
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/zip");
    let name = answer.headers()[header::CONTENT_DISPOSITION].to_str().unwrap().to_owned();
    let length = answer.content_length().expect("an exact length");
    let bytes = answer.bytes().await.unwrap().to_vec();
    assert_eq!(bytes.len() as u64, length);
    (name, bytes)
}

#[tokio::test]
async fn subsonic_albums_artists_playlists_and_folders_come_as_archives() {
    let house = House::open().await;
    let ann = &house.ann;
    let folder = tempfile::tempdir().unwrap();
    let album = ann.id("album", "Blue").await;
    let (name, bytes) = taken(ann, &album).await;
    assert!(name.contains("filename=\"Joni Mitchell - Blue.zip\""), "{name}");
    let names = listed(&bytes, folder.path());
    let inside = "Joni Mitchell - Blue";
    assert_eq!(
        names,
        [
            format!("{inside}/01 All I Want.flac"),
            format!("{inside}/02 My Old Man.flac"),
            format!("{inside}/03 Little Green.flac")
        ]
    );
    let original = house.music.join("Joni Mitchell/Blue/02 My Old Man.flac");
    let copy = folder.path().join("out").join(&names[1]);
    assert!(std::fs::read(copy).unwrap() == std::fs::read(original).unwrap());

    let artist = ann.id("artist", "Joni Mitchell").await;
    let (_, bytes) = taken(ann, &artist).await;
    assert_eq!(listed(&bytes, folder.path())[0], "Joni Mitchell/Blue/01 All I Want.flac");

    // Twice the same song is one file; names that would lead elsewhere are names.
    let (one, loose) = (ann.id("song", "One").await, ann.id("song", "Loose <&> \"quoted\"").await);
    let query = format!("name=..%2F..%2Fetc&songId={one}&songId={loose}&songId={one}");
    let list = ann.ok("createPlaylist", &query).await["playlist"]["id"].clone();
    let (name, bytes) = taken(ann, list.as_str().unwrap()).await;
    assert!(name.contains("filename=\"_.._etc.zip\""), "{name}");
    assert_eq!(
        listed(&bytes, folder.path()),
        ["_.._etc/01 Two - One.flac", "_.._etc/02 Loner - Loose _&_ _quoted_.flac"]
    );

    // A folder as it lies on disk, with what is below it.
    let indexes = ann.ok("getIndexes", "").await;
    let text = indexes.to_string();
    let at = text.find("Two & More").expect("a folder");
    let id = text[..at].rsplit("\"id\":\"").next().unwrap().split('"').next().unwrap().to_owned();
    let id = if id.starts_with("fo-") {
        id
    } else {
        let after = text[at..].split("\"id\":\"").nth(1).unwrap();
        after.split('"').next().unwrap().to_owned()
    };
    let (_, bytes) = taken(ann, &id).await;
    assert_eq!(
        listed(&bytes, folder.path()),
        ["Two & More/Double/CD1/01 One.flac", "Two & More/Double/CD2/01 Two.flac"]
    );
}

#[tokio::test]
async fn subsonic_archives_are_for_those_who_may_download() {
    let house = House::open().await;
    let album = house.ann.id("album", "Blue").await;
    house.ann.ok("updateUser", "username=bob&downloadRole=false").await;
    assert_eq!(house.bob.refused("download", &format!("id={album}")).await, 50);
    for wrong in ["al-999", "pl-999", "fo-999", "ar-999"] {
        assert_eq!(house.ann.refused("download", &format!("id={wrong}")).await, 70, "{wrong}");
    }
    // A file that is gone is told before the first byte.
    std::fs::remove_file(house.music.join("Joni Mitchell/Blue/02 My Old Man.flac")).unwrap();
    assert_eq!(house.ann.refused("download", &format!("id={album}")).await, 0);
}

#[tokio::test]
async fn subsonic_there_are_no_videos() {
    let house = House::open().await;
    let song = house.ann.id("song", "All I Want").await;
    let videos = house.ann.ok("getVideos", "").await;
    assert_eq!(videos["videos"]["video"], serde_json::json!([]));
    for method in ["getVideoInfo", "getCaptions"] {
        assert_eq!(house.ann.refused(method, &format!("id={song}")).await, 70, "{method}");
        assert_eq!(house.ann.refused(method, "").await, 10, "{method}");
    }
}
