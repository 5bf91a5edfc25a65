//! What is there more than once is found, and what is done about it can be taken back.

use std::{os::unix::fs::MetadataExt as _, path::Path};

use serde_json::{Value, json};
use tunelocker::{
    catalog::{Item, Listen, Starred},
    ids::TrackId,
};

use super::{Two, Who, bytes, hash};
use crate::{
    analysis::pieces::{BANDS, encode},
    ingest::until,
};

impl Two {
    async fn get(&self, who: Who, address: &str) -> Value {
        let request = self.client.get(self.lockers.app.url(address));
        let answer = request.bearer_auth(&self.secrets[who as usize]).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{:?}", answer.text().await);
        answer.json().await.unwrap()
    }

    async fn groups(&self, who: Who, kind: &str) -> Vec<Value> {
        let answer = self.get(who, &format!("/api/v1/duplicates?kind={kind}")).await;
        answer["groups"].as_array().unwrap().clone()
    }

    /// Does something about a file of a group; how to take it back.
    async fn act(&self, group: &Value, what: &str, path: &str) -> i64 {
        let wish = json!({
            "what": what, "kind": group["kind"], "key": group["key"],
            "locker": self.lockers.locker.to_string(), "path": path,
        });
        let answer = self.post(Who::Ann, "/api/v1/duplicates", &wish).await;
        assert_eq!(answer.status(), 201, "{:?}", answer.text().await);
        answer.json::<Value>().await.unwrap()["id"].as_i64().unwrap()
    }

    async fn undo(&self, who: Who, id: i64) -> u16 {
        let address = self.lockers.app.url(&format!("/api/v1/duplicates/done/{id}"));
        let request = self.client.delete(address).bearer_auth(&self.secrets[who as usize]);
        request.send().await.unwrap().status().as_u16()
    }

    /// One song in two places, once both are heard of; their group, and its bytes.
    async fn heard_twice(&self) -> (Value, Vec<u8>) {
        let scratch = tempfile::tempdir().unwrap();
        let song = crate::harness::music::flac("x.flac").of("Ann", "Album", "Song");
        let song = std::fs::read(song.write(scratch.path())).unwrap();
        for path in ["keep/song.flac", "twice/song.flac"] {
            self.lockers.put(path, &song).await.unwrap();
        }
        until("both are heard", async || self.are_both_heard().await).await;
        (self.groups(Who::Ann, "exact").await.remove(0), song)
    }

    async fn are_both_heard(&self) -> bool {
        let groups = self.groups(Who::Ann, "exact").await;
        let is_heard = |file: &Value| file["track"].is_string();
        groups.first().is_some_and(|it| it["files"].as_array().unwrap().iter().all(is_heard))
    }

    fn inode(&self, path: &str) -> u64 {
        std::fs::metadata(self.file("ann", path)).unwrap().ino()
    }
}

fn paths(group: &Value) -> Vec<&str> {
    let files = group["files"].as_array().unwrap();
    files.iter().map(|file| file["path"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn equal_files_can_be_kept_linked_and_deleted_and_all_of_it_taken_back() {
    let two = Two::new().await;
    let song = bytes(1, 100_000);
    for path in ["a.bin", "b/c.bin"] {
        two.lockers.put(path, &song).await.unwrap();
    }
    two.lockers.put("other", &bytes(2, 100_000)).await.unwrap();
    // Somebody else's is none of hers.
    let locker = two.lockers.accounts.lockers(&two.bob).await.unwrap()[0].id;
    let target = tunelocker::drive::Target { locker, ..two.lockers.target("bobs.bin") };
    let body = crate::drive::body(&song);
    two.lockers.drive.put(&two.bob, &target, None, body).await.unwrap();

    let groups = two.groups(Who::Ann, "exact").await;
    assert_eq!(groups.len(), 1, "{groups:?}");
    assert_eq!(paths(&groups[0]), ["a.bin", "b/c.bin"]);
    assert_eq!(groups[0]["key"], hash(&song));
    assert!(two.groups(Who::Bob, "exact").await.is_empty());

    // Linked, they share their bytes; taken back, they do not.
    assert_ne!(two.inode("a.bin"), two.inode("b/c.bin"));
    let linked = two.act(&groups[0], "link", "b/c.bin").await;
    let after = two.groups(Who::Ann, "exact").await;
    let origin = after[0]["files"][1]["origin"].as_str().unwrap();
    if origin == "hardlink" {
        assert_eq!(two.inode("a.bin"), two.inode("b/c.bin"));
    } else {
        assert_eq!(origin, "reflink");
    }
    assert_eq!(two.lockers.usage().await.used, 300_000, "each counts in full");
    assert_eq!(two.undo(Who::Bob, linked).await, 404, "not his to take back");
    assert_eq!(two.undo(Who::Ann, linked).await, 204);
    assert_ne!(two.inode("a.bin"), two.inode("b/c.bin"));
    assert_eq!(std::fs::read(two.file("ann", "b/c.bin")).unwrap(), song);
    assert_eq!(two.undo(Who::Ann, linked).await, 404, "once");

    // Deleted, it is in the trash; taken back, it is where it was.
    let deleted = two.act(&groups[0], "delete", "a.bin").await;
    assert!(!two.file("ann", "a.bin").exists());
    assert!(two.groups(Who::Ann, "exact").await.is_empty());
    let done = two.get(Who::Ann, "/api/v1/duplicates/done").await;
    assert_eq!(
        (&done["items"][0]["what"], &done["items"][0]["path"]),
        (&json!("delete"), &json!("a.bin"))
    );
    assert_eq!(two.undo(Who::Ann, deleted).await, 204);
    assert_eq!(std::fs::read(two.file("ann", "a.bin")).unwrap(), song);

    // Kept, they are not shown any more.
    let groups = two.groups(Who::Ann, "exact").await;
    let kept = two.act(&groups[0], "keep", "a.bin").await;
    assert!(two.groups(Who::Ann, "exact").await.is_empty());
    assert_eq!(two.undo(Who::Ann, kept).await, 204);
    assert_eq!(two.groups(Who::Ann, "exact").await.len(), 1);

    // What is not in such a group is left alone.
    for (key, path) in [(hash(&song), "other"), (hash(b"x"), "a.bin")] {
        let wish = json!({ "what": "delete", "kind": "exact", "key": key,
            "locker": two.lockers.locker.to_string(), "path": path });
        assert_eq!(two.post(Who::Ann, "/api/v1/duplicates", &wish).await.status(), 404);
    }
    assert!(two.file("ann", "other").exists() && two.file("ann", "a.bin").exists());
}

#[tokio::test]
async fn retagged_and_otherwise_encoded_music_is_found() {
    let two = Two::hearing().await;
    let scratch = tempfile::tempdir().unwrap();
    let wav = BANDS[0].piece(scratch.path(), "piece", 1);
    let other = BANDS[1].piece(scratch.path(), "other", 2);
    let encoded = |from: &Path, name: &str, more: &[&str], title: &str, album: &str| {
        let to = scratch.path().join(name);
        encode(from, &to, more, &[("title", title), ("artist", "A"), ("album", album)]);
        std::fs::read(to).unwrap()
    };
    let files = [
        ("one.flac", encoded(&wav, "one.flac", &[], "Song", "First")),
        ("two.flac", encoded(&wav, "two.flac", &[], "Song", "Second")),
        ("three.mp3", encoded(&wav, "three.mp3", &["-b:a", "192k"], "Song", "First")),
        // Named alike, but it is something else.
        ("cover.flac", encoded(&other, "cover.flac", &[], "Song", "Third")),
    ];
    for (path, bytes) in &files {
        two.lockers.put(path, bytes).await.unwrap();
    }
    until("the same sound", async || !two.groups(Who::Ann, "audio").await.is_empty()).await;
    let groups = two.groups(Who::Ann, "audio").await;
    assert_eq!(groups.len(), 1, "{groups:?}");
    let mut same = paths(&groups[0]);
    same.sort_unstable();
    assert_eq!(same, ["one.flac", "two.flac"]);
    // They cannot share bytes that they do not have.
    let wish = json!({ "what": "link", "kind": "audio", "key": groups[0]["key"],
        "locker": two.lockers.locker.to_string(), "path": "one.flac" });
    assert_eq!(two.post(Who::Ann, "/api/v1/duplicates", &wish).await.status(), 400);

    until("the same recording", async || {
        two.lockers.app.services.matching.hash_now();
        2 <= two.groups(Who::Ann, "recording").await.len()
    })
    .await;
    let groups = two.groups(Who::Ann, "recording").await;
    for group in &groups {
        let files = paths(group);
        assert!(files.contains(&"three.mp3") && !files.contains(&"cover.flac"), "{groups:?}");
        assert_ne!(files[0], "three.mp3", "the better one first");
    }
    let deleted = two.act(&groups[0], "delete", "three.mp3").await;
    assert!(!two.file("ann", "three.mp3").exists());
    assert_eq!(two.undo(Who::Ann, deleted).await, 204);
    assert_eq!(std::fs::read(two.file("ann", "three.mp3")).unwrap(), files[2].1);
}

#[tokio::test]
async fn what_people_added_to_a_duplicate_goes_on_with_the_one_that_stays() {
    let two = Two::new().await;
    let (group, _) = two.heard_twice().await;
    let track = |path: &str| {
        let files = group["files"].as_array().unwrap();
        let file = files.iter().find(|file| file["path"] == path).unwrap();
        TrackId::parse(file["track"].as_str().unwrap()).unwrap()
    };
    let (keep, goes) = (track("keep/song.flac"), track("twice/song.flac"));
    let (catalog, ann) = (&two.lockers.app.services.catalog, &two.lockers.ann);
    let ann = &two.lockers.accounts.principal(ann.user).await.unwrap();
    catalog.set_rating(ann, Item::Track(goes), Some(4)).await.unwrap();
    catalog.set_starred(ann, Item::Track(goes), Starred::Yes).await.unwrap();
    catalog.set_bookmark(ann, goes, 500, "here").await.unwrap();
    let listen = |track, at| Listen::scrobble(track, Some(at), "tests");
    catalog
        .record_listens(ann, &[listen(keep, 1_000), listen(goes, 2_000), listen(goes, 3_000)])
        .await
        .unwrap();
    let list = catalog.create_playlist(ann, "Both", &[keep, goes, keep]).await.unwrap();

    let deleted = two.act(&group, "delete", "twice/song.flac").await;
    let of = async |track| catalog.track(ann, track).await.unwrap().annotation;
    let after = of(keep).await;
    assert_eq!((after.rating, after.starred_at.is_some()), (Some(4), true));
    assert_eq!((after.play_count, after.played_at), (3, Some(3_000)));
    let marks = catalog.bookmarks(ann).await.unwrap();
    assert!(marks.iter().any(|mark| mark.track.id == keep && mark.position_ms == 500));
    let entries = async || {
        let tracks = catalog.playlist_tracks(ann, list).await.unwrap();
        tracks.iter().map(|track| track.id).collect::<Vec<_>>()
    };
    assert_eq!(entries().await, [keep, keep, keep]);
    let page = tunelocker::catalog::Page { offset: 0, limit: 10 };
    let history = catalog.history(ann, page).await.unwrap();
    assert_eq!((history.total, history.items[0].track.id), (3, keep));

    // What is done in between stays when it is taken back.
    catalog.record_listens(ann, &[listen(keep, 9_000)]).await.unwrap();
    assert_eq!(two.undo(Who::Ann, deleted).await, 204);
    let after = of(keep).await;
    assert_eq!((after.rating, after.starred_at, after.play_count), (None, None, 2));
    assert_eq!(after.played_at, Some(9_000));
    until("the other is back", async || entries().await == [keep, goes, keep]).await;
    let marks = catalog.bookmarks(ann).await.unwrap();
    assert_eq!(marks.iter().map(|mark| mark.track.id).collect::<Vec<_>>(), [goes]);
    let back = of(goes).await;
    assert_eq!((back.rating, back.play_count), (Some(4), 2));
}

/// Linking changes where bytes lie, and nothing else: each track keeps what people added to it, and
/// what a file counts stays as it was. So does taking it back.
#[tokio::test]
async fn linking_merges_nothing() {
    let two = Two::new().await;
    let (group, song) = two.heard_twice().await;
    let twice = two.lockers.target("twice/song.flac").path;
    let gift = Some(tunelocker::drive::Exempt::Gift);
    let (drive, admin) = (&two.lockers.drive, &two.lockers.admin);
    drive.set_exempt(admin, two.lockers.locker, &twice, gift).await.unwrap();
    let files = group["files"].as_array().unwrap();
    let ids = files.iter().map(|file| TrackId::parse(file["track"].as_str().unwrap()).unwrap());
    let ids: Vec<TrackId> = ids.collect();
    let catalog = &two.lockers.app.services.catalog;
    let ann = &two.lockers.accounts.principal(two.lockers.ann.user).await.unwrap();
    catalog.set_starred(ann, Item::Track(ids[0]), Starred::Yes).await.unwrap();
    catalog.set_rating(ann, Item::Track(ids[1]), Some(3)).await.unwrap();
    catalog.record_listens(ann, &[Listen::scrobble(ids[1], Some(1_000), "tests")]).await.unwrap();
    let list = catalog.create_playlist(ann, "Both", &ids).await.unwrap();
    let state = async || {
        let mut state = Vec::new();
        for id in &ids {
            let of = catalog.track(ann, *id).await.unwrap().annotation;
            state.push((of.starred_at.is_some(), of.rating, of.play_count));
        }
        let listed = catalog.playlist_tracks(ann, list).await.unwrap();
        let usage = two.lockers.usage().await;
        let listed: Vec<_> = listed.iter().map(|track| track.id).collect();
        (state, listed, usage.used, usage.exempt)
    };
    let before = state().await;
    assert_eq!(before.0, [(true, None, 0), (false, Some(3), 1)]);
    assert_eq!((before.2, before.3), (song.len() as u64, song.len() as u64));
    let linked = two.act(&group, "link", "twice/song.flac").await;
    for what in ["linked", "taken back"] {
        crate::ingest::scan(&two.lockers.app, tunelocker::ingest::ScanKind::Full).await;
        until("both are there", async || two.are_both_heard().await).await;
        assert_eq!(state().await, before, "{what}");
        assert_eq!(two.lockers.drive.examine().await.unwrap(), Vec::<String>::new(), "{what}");
        if what == "linked" {
            assert_eq!(two.undo(Who::Ann, linked).await, 204);
        }
    }
}
