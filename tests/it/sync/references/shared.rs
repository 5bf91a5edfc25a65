//! Files that point, in folders that their owner shares: with a named user, who need not see the
//! library that the bytes lie in, and with whoever has a link. The owner proved that he has the
//! bytes: what he may give away, he gives away as he does all other files of his locker.

use serde_json::json;
use tunelocker::accounts::LibrarySharing;

use super::*;

impl Lent {
    /// Nobody but administrators may see the library any more.
    async fn keep_library_to_oneself(&self) {
        let lockers = &self.two.lockers;
        let nobody = LibrarySharing { is_shared: false, is_on_lan: false, granted: Vec::new() };
        lockers.accounts.share_library(&lockers.admin, self.library, &nobody).await.unwrap();
    }

    async fn songs(&self, who: Who) -> Vec<Value> {
        let name = if matches!(who, Who::Ann) { "ann" } else { "bob" };
        let secret = &self.two.secrets[who as usize];
        let address = format!(
            "/rest/search3.view?query=&songCount=9&f=json&v=1.16.1&c=t&u={name}&p={secret}"
        );
        let found: Value = self.ask(who, Method::GET, &address).await.json().await.unwrap();
        let songs = &found["subsonic-response"]["searchResult3"]["song"];
        songs.as_array().cloned().unwrap_or_default()
    }

    async fn bytes(&self, who: Who, address: &str) -> Vec<u8> {
        let answer = self.ask(who, Method::GET, address).await;
        assert_eq!(answer.status(), 200, "{address}");
        answer.bytes().await.unwrap().to_vec()
    }
}

#[tokio::test]
async fn a_member_hears_and_reads_what_points_without_the_library() {
    let lent = Lent::new(&[("one.wav", 3.0), ("two.wav", 5.0)]).await;
    let lockers = &lent.two.lockers;
    let (drive, ann, locker) = (&lockers.drive, &lockers.ann, lockers.locker);
    let [one, two] = ["one.wav", "two.wav"].map(|song| fs::read(lent.song(song)).unwrap());
    assert_eq!(lent.claim(Who::Ann, "All/Ours/one.wav", &one).await, "reference");
    assert_eq!(lent.claim(Who::Ann, "All/secret.wav", &two).await, "reference");
    lent.keep_library_to_oneself().await;
    until("bob sees nothing of it", async || lent.songs(Who::Bob).await.is_empty()).await;
    let share = drive.share_folder(ann, locker, &path("All/Ours"), "bob", true).await.unwrap();
    let place = share.id.to_string();

    // By the API, as an archive too, over WebDAV, and as music.
    let address = |path: &str| format!("/api/v1/files/{path}?locker={place}");
    assert_eq!(lent.bytes(Who::Bob, &address("one.wav")).await, one);
    let zip = lent.bytes(Who::Bob, &format!("{}&as=zip", address(""))).await;
    assert!(one.len() < zip.len() && zip.windows(one.len()).any(|part| part == one));
    assert_eq!(lent.bytes(Who::Bob, "/dav/Ours/one.wav").await, one);
    until("bob hears it", async || lent.songs(Who::Bob).await.len() == 1).await;
    let song = lent.songs(Who::Bob).await.remove(0);
    assert_eq!(song["size"], one.len(), "{song}");
    let secret = &lent.two.secrets[1];
    for method in ["download", "stream"] {
        let id = song["id"].as_str().unwrap();
        let heard = format!("/rest/{method}.view?id={id}&format=raw&v=1.16.1&c=t&u=bob&p={secret}");
        assert_eq!(lent.bytes(Who::Bob, &heard).await, one, "{method}");
    }
    // What is not shared is not his, nor is the folder's own.
    for other in [address("secret.wav"), address("../secret.wav"), "/dav/All/secret.wav".to_owned()]
    {
        let status = lent.ask(Who::Bob, Method::GET, &other).await.status().as_u16();
        assert!(matches!(status, 400 | 403 | 404), "{other}: {status}");
    }

    // He may take it along: it is his then, counts at his, and outlives the share.
    let bobs = lockers.accounts.locker(&lent.two.bob, locker).await;
    assert!(bobs.is_err(), "ann's locker as such is none of his");
    let his = lockers.accounts.lockers(&lent.two.bob).await.unwrap()[0].id;
    let to = Target { locker: his, path: path("mine.wav"), condition: Condition::None };
    drive.copy_to(&lent.two.bob, locker, &path("All/Ours/one.wav"), &to).await.unwrap();
    let link = lent.two.file("bob", "mine.wav");
    assert_eq!(fs::read_link(link).unwrap(), lent.song("one.wav"), "it points as hers does");
    // And what he changes there is hers.
    let put = lent.two.client.put(lockers.app.url(&address("one.wav")));
    let put = put.basic_auth("bob", Some(secret)).body("other").send().await.unwrap();
    assert!(put.status().is_success(), "{}", put.status());
    assert_eq!(lent.file(Who::Ann, "All/Ours/one.wav").await.1, b"other");
    assert_eq!(fs::read(lent.song("one.wav")).unwrap(), one, "nothing is written through it");
    lent.books_are_right().await;

    drive.unshare_folder(ann, share.id).await.unwrap();
    assert_eq!(lent.ask(Who::Bob, Method::GET, &address("one.wav")).await.status(), 404);
    assert_eq!(lent.file(Who::Bob, "mine.wav").await, (StatusCode::OK, one));
}

#[tokio::test]
async fn a_public_link_gives_what_points_and_never_other_bytes() {
    let lent = Lent::new(&[("one.wav", 3.0), ("two.wav", 5.0)]).await;
    let lockers = &lent.two.lockers;
    let one = fs::read(lent.song("one.wav")).unwrap();
    assert_eq!(lent.claim(Who::Ann, "Album/one.wav", &one).await, "reference");
    lent.keep_library_to_oneself().await;
    until("ann has it in her locker alone", async || lent.songs(Who::Ann).await.len() == 1).await;
    let id = lent.songs(Who::Ann).await[0]["id"].as_str().unwrap().to_owned();
    let wish = json!({ "items": [id], "mayDownload": true });
    let made: Value = lent.two.post(Who::Ann, "/api/v1/shares", &wish).await.json().await.unwrap();
    let url = made["url"].as_str().unwrap().to_owned();
    let visit = async |path: &str| {
        let answer = lent.two.client.get(format!("{url}{path}")).send().await.unwrap();
        (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
    };
    assert_eq!(visit("").await.0, 200);
    for path in ["download", "stream?format=raw"] {
        assert_eq!(visit(&format!("/tracks/{id}/{path}")).await, (200, one.clone()), "{path}");
    }
    let (status, heard) = visit(&format!("/tracks/{id}/stream?format=mp3")).await;
    assert!(status == 200 && 1000 < heard.len(), "{status}");
    let page = visit("").await.1;
    let page = String::from_utf8_lossy(&page);
    assert!(!page.contains(&lent.folder.path().display().to_string()), "where it lies is not told");

    // Other bytes in its place are given to nobody, at once and after they were noticed.
    fs::write(lent.song("one.wav"), vec![7; one.len()]).unwrap();
    for _ in 0..2 {
        for path in ["download", "stream?format=raw", "stream?format=mp3"] {
            let (status, bytes) = visit(&format!("/tracks/{id}/{path}")).await;
            assert!(matches!(status, 404 | 503), "{path}: {status}, {} bytes", bytes.len());
        }
        lent.rescan().await;
        lent.look().await;
        until("it is missing", async || lent.songs(Who::Ann).await.is_empty()).await;
    }
    assert_eq!(visit("").await.0, 404, "nothing of it is left");
    assert_eq!(lockers.usage().await.used, 0);
}
