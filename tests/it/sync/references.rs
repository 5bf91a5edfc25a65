//! Files of lockers that point into a watched folder: the same to everybody who reads them, next to
//! nothing on the disk, and never other bytes than those that were claimed.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::PathBuf,
};

use reqwest::{Method, Response, StatusCode};
use serde_json::Value;
use tunelocker::{
    accounts::MatchPolicy,
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

fn path(text: &str) -> RelativePath {
    RelativePath::parse(text).unwrap()
}

impl Lent {
    async fn new(songs: &[(&str, f64)]) -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").unwrap();
        for (path, seconds) in songs {
            music::wav(folder.path(), path, *seconds);
        }
        let two = Two::over(Some(folder.path())).await;
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
async fn it_is_made_real_before_the_folder_stops_lending() {
    let lent = Lent::new(&[("one.wav", 3.0)]).await;
    let lockers = &lent.two.lockers;
    let (drive, ann, locker) = (&lockers.drive, &lockers.ann, lockers.locker);
    let bytes = fs::read(lent.song("one.wav")).unwrap();
    for name in ["a.wav", "b.wav", "c.wav"] {
        assert_eq!(lent.claim(Who::Ann, name, &bytes).await, "reference");
    }
    assert_eq!(lent.claim(Who::Bob, "d.wav", &bytes).await, "reference");
    let kept = drive.trash(ann, locker, &path("c.wav"), &Condition::None).await.unwrap();
    let etag = drive.stat(ann, locker, &path("a.wav")).await.unwrap().etag;
    let used = lockers.usage().await;
    let lent_out = drive.lent_out(&lockers.admin).await.unwrap();
    assert_eq!((lent_out[0].1.files, lent_out[0].1.bytes), (1, bytes.len() as u64));
    // Who is no administrator cannot say so.
    assert!(drive.set_lending(ann, lent.library, false).await.is_err());

    drive.set_lending(&lockers.admin, lent.library, false).await.unwrap();
    lent.look().await;
    fs::remove_file(lent.song("one.wav")).unwrap();
    let mut inodes = std::collections::BTreeSet::new();
    for (who, name) in [("ann", "a.wav"), ("ann", "b.wav"), ("bob", "d.wav")] {
        let own = lent.two.file(who, name);
        let facts = own.symlink_metadata().unwrap();
        assert!(facts.is_file(), "{name}");
        assert_eq!(fs::read(own).unwrap(), bytes);
        inodes.insert(facts.ino());
    }
    assert_eq!(inodes.len(), 1, "one copy on the disk for all of them");
    let usage = lockers.usage().await;
    assert_eq!((usage.used, usage.reclaimable), (used.used, used.reclaimable), "charged once");
    assert_eq!(drive.stat(ann, locker, &path("a.wav")).await.unwrap().etag, etag, "it is the same");
    drive.restore(ann, &kept.id, None).await.unwrap();
    assert_eq!(lent.file(Who::Ann, "c.wav").await, (StatusCode::OK, bytes.clone()));
    assert_eq!(drive.lent_out(&lockers.admin).await.unwrap()[0].1.files, 0);
    lent.books_are_right().await;
    // Later claims are copies, or share with those.
    assert_eq!(lent.claim(Who::Bob, "e.wav", &bytes).await, "hardlink");
}

#[tokio::test]
async fn a_folder_that_leaves_the_configuration_or_moves_loses_nobody_anything() {
    let lent = Lent::new(&[("one.wav", 3.0), ("two.wav", 5.0)]).await;
    let lockers = &lent.two.lockers;
    let bytes = fs::read(lent.song("one.wav")).unwrap();
    assert_eq!(lent.claim(Who::Ann, "a.wav", &bytes).await, "reference");
    let db = lockers.app.folder.path().join("data/tunelocker.db");
    let db = tunelocker::db::Db::open(&db).await.unwrap();
    let configured = async |libraries: Vec<(String, PathBuf)>| {
        let settings = tunelocker::ingest::Settings {
            libraries,
            drive: lockers.drive_root(),
            sweep: std::time::Duration::from_hours(1),
            read: tunelocker::media::tags::ReadOptions::default(),
            readers: 1,
        };
        let (clock, events) =
            (tunelocker::clock::Clock::System, tunelocker::events::Events::default());
        tunelocker::ingest::libraries::ensure(&db, &clock, &events, &settings).await.unwrap();
    };
    // Its path is another one now, and the same files are there.
    let moved = lent.folder.path().with_extension("moved");
    fs::rename(lent.folder.path(), &moved).unwrap();
    configured(vec![("Music".to_owned(), moved.clone())]).await;
    lent.look().await;
    assert_eq!(lent.file(Who::Ann, "a.wav").await, (StatusCode::OK, bytes.clone()));
    assert_eq!(fs::read_link(lent.two.file("ann", "a.wav")).unwrap(), moved.join("one.wav"));
    lent.books_are_right().await;
    // It is no library any more.
    configured(Vec::new()).await;
    lent.look().await;
    fs::remove_dir_all(&moved).unwrap();
    assert!(!lent.is_link("a.wav"));
    assert_eq!(lent.file(Who::Ann, "a.wav").await, (StatusCode::OK, bytes));
    lent.books_are_right().await;
    fs::create_dir(lent.folder.path()).unwrap();
}

#[tokio::test]
async fn a_removed_user_takes_real_bytes_along() {
    let lent = Lent::new(&[("one.wav", 3.0)]).await;
    let lockers = &lent.two.lockers;
    let bytes = fs::read(lent.song("one.wav")).unwrap();
    assert_eq!(lent.claim(Who::Bob, "deep/d.wav", &bytes).await, "reference");
    lockers.accounts.remove_user(&lockers.admin, "bob").await.unwrap();
    let removed = lockers.drive_root().join("removed");
    let put_away = || {
        let folders = fs::read_dir(&removed).into_iter().flatten();
        folders.map(|folder| folder.unwrap().path().join("deep/d.wav")).find(|file| file.exists())
    };
    until("bob's folder to be put away", async || put_away().is_some()).await;
    let file = put_away().unwrap();
    assert!(file.symlink_metadata().unwrap().is_file());
    assert_eq!(fs::read(file).unwrap(), bytes);
}

#[tokio::test]
async fn what_moves_in_the_folder_is_followed_and_other_bytes_are_never_given_out() {
    let lent = Lent::new(&[("one.wav", 3.0), ("two.wav", 5.0)]).await;
    let lockers = &lent.two.lockers;
    let bytes = fs::read(lent.song("one.wav")).unwrap();
    assert_eq!(lent.claim(Who::Ann, "a.wav", &bytes).await, "reference");
    fs::create_dir(lent.song("new")).unwrap();
    fs::rename(lent.song("one.wav"), lent.song("new/first.wav")).unwrap();
    assert_eq!(lent.file(Who::Ann, "a.wav").await.0, 503, "it is nowhere that is known");
    lent.rescan().await;
    lent.look().await;
    assert_eq!(lent.file(Who::Ann, "a.wav").await, (StatusCode::OK, bytes.clone()));
    assert_eq!(fs::read_link(lent.two.file("ann", "a.wav")).unwrap(), lent.song("new/first.wav"));
    lent.books_are_right().await;

    // Something else of the same name is another file.
    let song = lent.song("new/first.wav");
    let facts = fs::metadata(&song).unwrap();
    fs::write(&song, [7; 1000]).unwrap();
    assert_eq!(lent.file(Who::Ann, "a.wav").await.0, 503);
    fs::remove_file(&song).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &song).unwrap();
    assert_eq!(lent.file(Who::Ann, "a.wav").await.0, 503, "no link is followed");
    assert!(!lockers.drive.examine().await.unwrap().is_empty(), "the doctor says so");
    let used = lockers.usage().await.used;
    lent.rescan().await;
    lent.look().await;
    assert_eq!(lent.file(Who::Ann, "a.wav").await.0, 404);
    assert_eq!((used, lockers.usage().await.used), (bytes.len() as u64, 0));
    let told = lent.notices(Who::Ann).await;
    assert!(
        told.iter().any(|one| one.contains("a.wav") && one.contains("\"Music\"")),
        "the owner is told which file and which folder: {told:?}"
    );
    lent.books_are_right().await;

    // The same file comes back.
    fs::remove_file(&song).unwrap();
    fs::write(&song, &bytes).unwrap();
    fs::File::open(&song).unwrap().set_modified(facts.modified().unwrap()).unwrap();
    lent.rescan().await;
    lent.look().await;
    assert_eq!(lent.file(Who::Ann, "a.wav").await, (StatusCode::OK, bytes.clone()));
    assert_eq!(lockers.usage().await.used, bytes.len() as u64);
    assert_eq!(lent.notices(Who::Ann).await, Vec::<String>::new());
    lent.books_are_right().await;
}

#[tokio::test]
async fn whoever_puts_the_time_back_deceives_nobody() {
    let lent = Lent::new(&[("one.wav", 3.0), ("two.wav", 5.0)]).await;
    let (song, bytes) = (lent.song("one.wav"), fs::read(lent.song("one.wav")).unwrap());
    assert_eq!(lent.claim(Who::Ann, "a.wav", &bytes).await, "reference");
    let time = fs::metadata(&song).unwrap().modified().unwrap();
    let write = |bytes: &[u8], time| {
        fs::write(&song, bytes).unwrap();
        fs::File::options().write(true).open(&song).unwrap().set_modified(time).unwrap();
    };
    // A tagger that writes into the padding and keeps the time.
    let mut other = bytes.clone();
    other[5000] ^= 1;
    write(&other, time);
    assert_eq!(lent.file(Who::Ann, "a.wav").await.0, 503);
    lent.look().await;
    assert_eq!(lent.file(Who::Ann, "a.wav").await.0, 404, "it is missing, and that is said");
    assert_eq!(lent.notices(Who::Ann).await.len(), 1);
    // Nor can the changed file be had by the hash that it had.
    let standing = lent.two.look(Who::Bob, "b.wav", &bytes).await;
    if standing["state"] == "claimable" {
        assert_eq!(lent.two.claim(Who::Bob, &standing, &bytes).await["state"], "need");
    }
    write(&bytes, time);
    lent.look().await;
    assert_eq!(lent.file(Who::Ann, "a.wav").await, (StatusCode::OK, bytes.clone()));
    assert_eq!(lent.notices(Who::Ann).await, Vec::<String>::new());

    // Touched, and of the same bytes: it is hashed again, and found again.
    fs::set_permissions(&song, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(lent.file(Who::Ann, "a.wav").await.0, 200, "what changed says nothing of the bytes");
    write(&bytes, time + std::time::Duration::from_secs(60));
    assert_eq!(lent.file(Who::Ann, "a.wav").await.0, 503);
    lent.rescan().await;
    lent.two.lockers.app.services.matching.hash_now();
    until("the file to be found again", async || {
        lent.look().await;
        lent.file(Who::Ann, "a.wav").await.0 == 200
    })
    .await;
    assert!(lent.is_link("a.wav"));
    lent.books_are_right().await;
}

#[tokio::test]
async fn the_bytes_come_from_elsewhere_where_there_are_any() {
    let lent = Lent::new(&[("one.wav", 3.0), ("two.wav", 5.0)]).await;
    let lockers = &lent.two.lockers;
    let bytes = fs::read(lent.song("one.wav")).unwrap();
    assert_eq!(lent.claim(Who::Ann, "a.wav", &bytes).await, "reference");
    let bobs = lockers.accounts.lockers(&lent.two.bob).await.unwrap()[0].id;
    let target = Target { locker: bobs, ..lockers.target("sent.wav") };
    let body = crate::drive::body(&bytes);
    lockers.drive.put(&lent.two.bob, &target, None, body).await.unwrap();
    fs::remove_file(lent.song("one.wav")).unwrap();
    lent.rescan().await;
    lent.look().await;
    assert!(!lent.is_link("a.wav"));
    assert_eq!(lent.file(Who::Ann, "a.wav").await, (StatusCode::OK, bytes.clone()));
    assert_eq!(lent.notices(Who::Ann).await, Vec::<String>::new());
    lent.books_are_right().await;
}

#[tokio::test]
async fn a_root_that_is_not_there_starts_nothing() {
    let lent = Lent::new(&[("one.wav", 3.0), ("two.wav", 5.0)]).await;
    let lockers = &lent.two.lockers;
    let bytes = fs::read(lent.song("one.wav")).unwrap();
    assert_eq!(lent.claim(Who::Ann, "a.wav", &bytes).await, "reference");
    let aside = lent.folder.path().with_extension("aside");
    for is_empty in [true, false] {
        fs::rename(lent.folder.path(), &aside).unwrap();
        if is_empty {
            fs::create_dir(lent.folder.path()).unwrap();
        }
        lent.rescan().await;
        lent.look().await;
        lockers.drive.reconcile().await.unwrap();
        assert_eq!(lent.file(Who::Ann, "a.wav").await.0, 503);
        assert_eq!(lockers.usage().await.used, bytes.len() as u64);
        assert_eq!(lent.notices(Who::Ann).await, Vec::<String>::new());
        if is_empty {
            fs::remove_dir(lent.folder.path()).unwrap();
        }
        fs::rename(&aside, lent.folder.path()).unwrap();
        assert_eq!(lent.file(Who::Ann, "a.wav").await, (StatusCode::OK, bytes.clone()));
    }
    lent.rescan().await;
    lent.look().await;
    lent.books_are_right().await;
}

#[tokio::test]
async fn a_link_that_no_row_tells_of_is_nothing() {
    let lent = Lent::new(&[("one.wav", 3.0), ("two.wav", 5.0)]).await;
    let lockers = &lent.two.lockers;
    let bytes = fs::read(lent.song("one.wav")).unwrap();
    assert_eq!(lent.claim(Who::Ann, "a.wav", &bytes).await, "reference");
    let folder = lent.two.file("bob", "");
    // To what ann points at, to what nobody points at, and out of everything.
    for (name, to) in [
        ("hers.wav", lent.song("one.wav")),
        ("free.wav", lent.song("two.wav")),
        ("passwd.wav", "/etc/passwd".into()),
    ] {
        std::os::unix::fs::symlink(&to, folder.join(name)).unwrap();
        std::os::unix::fs::symlink(&to, lent.two.file("ann", &format!("other {name}"))).unwrap();
    }
    lockers.drive.reconcile().await.unwrap();
    lent.rescan().await;
    for name in ["hers.wav", "free.wav", "passwd.wav"] {
        assert_eq!(lent.file(Who::Bob, name).await.0, 404, "{name}");
        let dav = lent.ask(Who::Bob, Method::GET, &format!("/dav/bob/{name}")).await;
        assert_eq!(dav.status(), 404, "{name}");
    }
    for name in ["other free.wav", "other passwd.wav"] {
        assert_eq!(lent.file(Who::Ann, name).await.0, 404, "{name}");
    }
    let usage = lockers.accounts.lockers(&lent.two.bob).await.unwrap()[0].usage;
    assert_eq!(usage.used, 0);
    // What says something else now says again what the row says, or at least means nothing else.
    let own = lent.two.file("ann", "a.wav");
    fs::remove_file(&own).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &own).unwrap();
    assert_eq!(lent.file(Who::Ann, "a.wav").await, (StatusCode::OK, bytes));
    // Where her own went, it is missing.
    fs::remove_file(&own).unwrap();
    assert_eq!(lent.file(Who::Ann, "a.wav").await.0, 404);
}

#[tokio::test]
async fn a_backup_has_the_bytes_and_what_comes_back_is_real() {
    let lent = Lent::new(&[("one.wav", 3.0)]).await;
    let lockers = &lent.two.lockers;
    let (drive, ann, locker) = (&lockers.drive, &lockers.ann, lockers.locker);
    let bytes = fs::read(lent.song("one.wav")).unwrap();
    for name in ["a/one.wav", "b.wav"] {
        assert_eq!(lent.claim(Who::Ann, name, &bytes).await, "reference");
    }
    drive.trash(ann, locker, &path("b.wav"), &Condition::None).await.unwrap();
    let aside = tempfile::tempdir().unwrap();
    let choice = tunelocker::ops::backup::Choice {
        folder: aside.path().join("kept"),
        has_files: true,
        reads_all: false,
        verifies: true,
        keep: None,
    };
    let snapshot = lockers.app.services.backups.take(&lockers.admin, choice).await.unwrap();
    assert_eq!(snapshot.skipped, Vec::<String>::new());
    let (data, root) = (aside.path().join("data"), aside.path().join("drive"));
    let kept = aside.path().join("kept");
    tunelocker::ops::backup::restore(&kept, None, &data, &root, false).await.unwrap();
    let back = root.join("lockers/ann/a/one.wav");
    assert!(back.symlink_metadata().unwrap().is_file());
    assert_eq!(fs::read(&back).unwrap(), bytes);

    // A server over it knows that they are its own now, with the folder or without.
    fs::remove_file(lent.song("one.wav")).unwrap();
    let db = tunelocker::db::Db::open(&data.join("tunelocker.db")).await.unwrap();
    let (clock, events) = (tunelocker::clock::Clock::System, tunelocker::events::Events::default());
    let (accounts, keys) = (tunelocker::accounts::Accounts::open, data.join("keys"));
    let accounts = accounts(db.clone(), clock.clone(), events.clone(), &keys, root.clone());
    let accounts = accounts.await.unwrap();
    let again = tunelocker::drive::Drive::open(root, db, clock, events, accounts).await.unwrap();
    assert_eq!(again.examine().await.unwrap(), Vec::<String>::new());
    let Content::File(mut file) = again.open_path(ann, locker, &path("a/one.wav")).await.unwrap()
    else {
        panic!("a file");
    };
    let mut read = Vec::new();
    std::io::Read::read_to_end(&mut file.file, &mut read).unwrap();
    assert_eq!(read, bytes);
    let trashed = again.trashed(ann, locker).await.unwrap();
    let place = again.restore(ann, &trashed[0].id, None).await.unwrap();
    let Content::File(mut file) = again.open_path(ann, locker, &place).await.unwrap() else {
        panic!("a file");
    };
    let mut read = Vec::new();
    std::io::Read::read_to_end(&mut file.file, &mut read).unwrap();
    assert_eq!(read, bytes, "what was in the trash, too");
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
