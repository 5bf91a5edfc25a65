//! Files of lockers that point into a watched folder: the same to everybody who reads them, next to
//! nothing on the disk, and never other bytes than those that were claimed.

mod checked;
mod configured;
mod cut_short;
mod heard;
mod missing;
mod other_hands;
mod real;
mod shared;

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::PathBuf,
};

use reqwest::{Method, Response, StatusCode};
use serde_json::Value;
use tunelocker::{
    accounts::MatchPolicy,
    config::Config,
    drive::{Condition, Content, RelativePath, Target},
    ids::LibraryId,
    ingest::ScanKind,
};

use super::{Two, Who};
use crate::{
    drive::start_again,
    harness::music,
    ingest::{first_scan, scan, until},
};

/// A folder of music on another file system than the lockers, so that no blocks can be shared, and
/// ann and bob, whose lockers may point into it.
struct Lent {
    two: Two,
    folder: tempfile::TempDir,
    library: LibraryId,
}

/// A song that other hands took.
struct Lost {
    path: PathBuf,
    aside: PathBuf,
}

fn path(text: &str) -> RelativePath {
    RelativePath::parse(text).unwrap()
}

impl Lent {
    async fn new(songs: &[(&str, f64)]) -> Self {
        Self::with(songs, |_| ()).await
    }

    async fn with(songs: &[(&str, f64)], change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").unwrap();
        for (path, seconds) in songs {
            music::wav(folder.path(), path, *seconds);
        }
        let two = Two::with(|config| {
            config.libraries.push(("Music".to_owned(), folder.path().to_owned()));
            change(config);
        })
        .await;
        two.policy(MatchPolicy::Server).await;
        first_scan(&two.lockers.app).await;
        let admin = &two.lockers.admin;
        let libraries = two.lockers.accounts.library_access(admin).await.unwrap();
        let library = libraries.iter().find(|one| one.name == "Music").unwrap().id;
        two.lockers.drive.set_lending(admin, library, true).await.unwrap();
        Self { two, folder, library }
    }

    fn song(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Claims these bytes as `path`; how that was done.
    async fn claim(&self, who: Who, path: &str, bytes: &[u8]) -> String {
        let standing = self.two.look(who, path, bytes).await;
        assert!(standing["claim"].is_string(), "{standing}");
        let claimed = self.two.claim(who, &standing, bytes).await;
        assert_eq!(claimed["state"], "claimed", "{claimed}");
        claimed["origin"].as_str().unwrap().to_owned()
    }

    async fn ask(&self, who: Who, method: Method, address: &str) -> Response {
        let url = self.two.lockers.app.url(address);
        let name = if matches!(who, Who::Ann) { "ann" } else { "bob" };
        let request = self.two.client.request(method, url);
        request.basic_auth(name, Some(&self.two.secrets[who as usize])).send().await.unwrap()
    }

    async fn file(&self, who: Who, path: &str) -> (StatusCode, Vec<u8>) {
        let answer = self.ask(who, Method::GET, &format!("/api/v1/files/{path}")).await;
        (answer.status(), answer.bytes().await.unwrap().to_vec())
    }

    async fn books_are_right(&self) {
        assert_eq!(self.two.lockers.drive.examine().await.unwrap(), Vec::<String>::new());
    }

    /// What lies at a path of ann's locker on the disk.
    fn is_link(&self, path: &str) -> bool {
        self.two.file("ann", path).symlink_metadata().unwrap().is_symlink()
    }

    async fn notices(&self, who: Who) -> Vec<String> {
        let answer = self.ask(who, Method::GET, "/api/v1/notices").await;
        let answer: Value = answer.json().await.unwrap();
        let items = answer["items"].as_array().unwrap().iter();
        items.map(|one| one["text"].as_str().unwrap().to_owned()).collect()
    }

    async fn look(&self) {
        self.two.lockers.drive.look_at_references().await.unwrap();
    }

    /// Takes a song away from the folder, and lets that be known.
    async fn lose(&self, song: &str) -> Lost {
        let path = self.song(song);
        let aside = path.with_extension("aside");
        fs::rename(&path, &aside).unwrap();
        self.rescan().await;
        self.look().await;
        Lost { path, aside }
    }

    /// Brings it back as it was.
    async fn find(&self, lost: Lost) {
        fs::rename(lost.aside, lost.path).unwrap();
        self.rescan().await;
        self.look().await;
    }

    async fn rescan(&self) {
        scan(&self.two.lockers.app, ScanKind::Changes).await;
    }

    async fn move_to(&self, from: &str, to: &str) {
        let (drive, ann) = (&self.two.lockers.drive, &self.two.lockers.ann);
        drive.rename(ann, self.two.lockers.locker, &path(from), &path(to)).await.unwrap();
    }
}

#[tokio::test]
async fn a_claimed_file_is_all_there_and_takes_no_room() {
    let lent = Lent::new(&[("Artist/one.wav", 4.0)]).await;
    let (lockers, song) = (&lent.two.lockers, lent.song("Artist/one.wav"));
    let bytes = fs::read(&song).unwrap();
    let before = fs::metadata(&song).unwrap();
    assert_eq!(lent.claim(Who::Ann, "Mine/a.wav", &bytes).await, "reference");
    let own = lent.two.file("ann", "Mine/a.wav");
    assert_eq!(fs::read_link(&own).unwrap(), song, "people see where it is");
    assert!(own.symlink_metadata().unwrap().blocks() * 512 <= 4096);
    assert_eq!(lockers.usage().await.used, bytes.len() as u64, "charged in full");

    // Over the API, whole and in part, over WebDAV, in a zip, and as a listing says.
    let address = "/api/v1/files/Mine/a.wav";
    let answer = lent.ask(Who::Ann, Method::GET, address).await;
    let etag = answer.headers()["etag"].clone();
    assert_eq!(answer.bytes().await.unwrap(), bytes);
    let part = lent.two.client.get(lockers.app.url(address)).header("range", "bytes=1000-1999");
    let part = part.basic_auth("ann", Some(&lent.two.secrets[0])).send().await.unwrap();
    assert_eq!((part.status().as_u16(), &part.headers()["etag"]), (206, &etag));
    assert_eq!(part.bytes().await.unwrap(), bytes[1000..2000]);
    let dav = lent.ask(Who::Ann, Method::GET, "/dav/ann/Mine/a.wav").await;
    assert_eq!(dav.bytes().await.unwrap(), bytes);
    let find = Method::from_bytes(b"PROPFIND").unwrap();
    let listed = lent.two.client.request(find, lockers.app.url("/dav/ann/Mine/"));
    let listed = listed.header("depth", "1").basic_auth("ann", Some(&lent.two.secrets[0]));
    let listed = listed.send().await.unwrap().text().await.unwrap();
    assert!(listed.contains(&format!("getcontentlength>{}<", bytes.len())), "{listed}");
    let zip = lent.ask(Who::Ann, Method::GET, "/api/v1/files/Mine?as=zip").await;
    assert!(bytes.len() < zip.bytes().await.unwrap().len());

    // It is music of her library, and plays.
    until("the locker's track", async || {
        let subsonic = "/rest/search3.view?query=&songCount=9&f=json&v=1.16.1&c=test";
        let found: Value = lent.ask_subsonic(subsonic).await.json().await.unwrap();
        let songs = found["subsonic-response"]["searchResult3"]["song"].as_array().cloned();
        songs.unwrap_or_default().len() == 2
    })
    .await;
    let found =
        lent.ask_subsonic("/rest/search3.view?query=&songCount=9&f=json&v=1.16.1&c=t").await;
    let found: Value = found.json().await.unwrap();
    for song in found["subsonic-response"]["searchResult3"]["song"].as_array().unwrap() {
        let id = song["id"].as_str().unwrap();
        let raw = format!("/rest/stream.view?id={id}&format=raw&v=1.16.1&c=test");
        assert_eq!(lent.ask_subsonic(&raw).await.bytes().await.unwrap(), bytes, "{song}");
    }

    // Nobody else sees it; who has the bytes gets a reference of his own, also from hers.
    assert_eq!(lent.ask(Who::Bob, Method::GET, address).await.status(), 404);
    assert_eq!(lent.claim(Who::Bob, "b.wav", &bytes).await, "reference");
    assert_eq!(lent.file(Who::Bob, "b.wav").await, (StatusCode::OK, bytes.clone()));
    let after = fs::metadata(&song).unwrap();
    assert_eq!((before.ino(), before.mode(), after.nlink()), (after.ino(), after.mode(), 1));
    assert_eq!(before.modified().unwrap(), after.modified().unwrap());
    lent.books_are_right().await;
}

impl Lent {
    async fn ask_subsonic(&self, address: &str) -> Response {
        let secret = &self.two.secrets[0];
        self.ask(Who::Ann, Method::GET, &format!("{address}&u=ann&p={secret}")).await
    }
}

#[tokio::test]
async fn it_moves_is_copied_deleted_and_comes_back_as_what_it_is() {
    let lent = Lent::new(&[("one.wav", 3.0)]).await;
    let lockers = &lent.two.lockers;
    let (drive, ann, locker) = (&lockers.drive, &lockers.ann, lockers.locker);
    let bytes = fs::read(lent.song("one.wav")).unwrap();
    let size = bytes.len() as u64;
    assert_eq!(lent.claim(Who::Ann, "a/one.wav", &bytes).await, "reference");

    lent.move_to("a/one.wav", "a/two.wav").await;
    lent.move_to("a", "b").await;
    assert!(lent.is_link("b/two.wav"));
    drive.copy_to(ann, locker, &path("b"), &lockers.target("c")).await.unwrap();
    assert!(lent.is_link("c/two.wav"));
    assert_eq!(lockers.usage().await.used, 2 * size, "each counts");
    lent.books_are_right().await;
    for place in ["b/two.wav", "c/two.wav"] {
        assert_eq!(lent.file(Who::Ann, place).await, (StatusCode::OK, bytes.clone()), "{place}");
    }

    // To the trash and back, a folder and a file; read there too.
    let kept = drive.trash(ann, locker, &path("c"), &Condition::None).await.unwrap();
    assert_eq!((kept.size, kept.files), (size, 1));
    drive.restore(ann, &kept.id, None).await.unwrap();
    let kept = drive.trash(ann, locker, &path("c/two.wav"), &Condition::None).await.unwrap();
    lent.books_are_right().await;
    let mut opened = drive.open_trashed(ann, &kept.id).await.unwrap();
    let mut read = Vec::new();
    std::io::Read::read_to_end(&mut opened.file, &mut read).unwrap();
    assert_eq!(read, bytes);
    drive.restore(ann, &kept.id, None).await.unwrap();
    assert!(lent.is_link("c/two.wav"));

    // Other bytes in its place are a file of her own; the version is what it was.
    lockers.put("c/two.wav", b"other").await.unwrap();
    assert!(!lent.is_link("c/two.wav"));
    assert_eq!(fs::read(lent.song("one.wav")).unwrap(), bytes, "nothing is written through it");
    let versions = drive.versions(ann, locker, &path("c/two.wav")).await.unwrap();
    assert_eq!((versions.len(), versions[0].size), (1, size));
    drive.restore_version(ann, &versions[0].id).await.unwrap();
    assert!(lent.is_link("c/two.wav"));
    assert_eq!(lent.file(Who::Ann, "c/two.wav").await, (StatusCode::OK, bytes.clone()));

    // Into another locker, and over another file.
    let admin = &lockers.admin;
    let household = lockers.accounts.lockers(ann).await.unwrap()[1].id;
    let to = Target { locker: household, path: path("h.wav"), condition: Condition::None };
    drive.move_to(ann, locker, &path("c/two.wav"), &to).await.unwrap();
    let Content::File(_) = drive.open_path(admin, household, &path("h.wav")).await.unwrap() else {
        panic!("a file");
    };
    lockers.put("over", b"old").await.unwrap();
    drive.copy_to(ann, locker, &path("b/two.wav"), &lockers.target("over")).await.unwrap();
    assert!(lent.is_link("over"));
    lent.books_are_right().await;
    drive.remove(ann, locker, &path("over"), &Condition::None).await.unwrap();
    drive.repair().await.unwrap();
    lent.books_are_right().await;
    assert!(lent.is_link("b/two.wav"));
    assert_eq!(fs::read(lent.song("one.wav")).unwrap(), bytes);

    // The next start finds it all.
    let (_, again) = start_again(lockers, tunelocker::clock::Clock::System).await;
    assert_eq!(again.examine().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn without_the_word_of_an_administrator_it_is_a_copy() {
    let lent = Lent::new(&[("one.wav", 3.0)]).await;
    let lockers = &lent.two.lockers;
    let bytes = fs::read(lent.song("one.wav")).unwrap();
    lockers.drive.set_lending(&lockers.admin, lent.library, false).await.unwrap();
    assert_eq!(lent.claim(Who::Ann, "a.wav", &bytes).await, "copy");
    let own = lent.two.file("ann", "a.wav").symlink_metadata().unwrap();
    assert_eq!((own.is_file(), own.permissions().mode() & 0o200), (true, 0o200));
    // In the place of another file it is one, too: one of the two is there at every moment.
    lockers.drive.set_lending(&lockers.admin, lent.library, true).await.unwrap();
    lockers.put("b.wav", b"old").await.unwrap();
    assert_ne!(lent.claim(Who::Ann, "b.wav", &bytes).await, "reference");
}
