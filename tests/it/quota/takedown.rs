//! A content that goes from everywhere: files, trash, versions, and what nobody hashed yet.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use tokio_util::sync::CancellationToken;

use super::Desk;
use crate::{drive::start_again, harness::tree, ingest::until};

const BAD: [u8; 500] = [9; 500];

impl Desk {
    async fn contents(&self, hash: &str) -> Value {
        Self::json(self.as_admin(Method::GET, &format!("contents/{hash}"))).await
    }

    /// Where copies lie, as `in path`.
    async fn places(&self, hash: &str) -> Vec<String> {
        let found = self.contents(hash).await;
        let mut places: Vec<String> = found["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| format!("{} {}", one["in"].as_str().unwrap(), one["path"].as_str().unwrap()))
            .collect();
        places.sort();
        places
    }

    /// Takes down, and waits until all of it is looked at: the finished row.
    async fn take_down(&self, hash: &str) -> Value {
        let path = format!("contents/{hash}?reason=A%20letter%20came");
        let taken = Self::json(self.as_admin(Method::DELETE, &path)).await;
        let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
        loop {
            let rows = Self::json(self.as_admin(Method::GET, "takedowns")).await;
            let row = rows["items"].as_array().unwrap().iter().find(|row| row["id"] == taken["id"]);
            let row = row.unwrap().clone();
            if !row["doneAt"].is_null() {
                return row;
            }
            assert!(tokio::time::Instant::now() < deadline, "{row}");
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }
}

#[tokio::test]
async fn a_content_is_found_and_taken_down_everywhere() {
    let desk = Desk::new(10_000).await;
    let hash = hex::encode(desk.lockers.put("bad", &BAD).await.unwrap().hash);
    desk.lockers.put("deep/copy", &BAD).await.unwrap();
    desk.lockers.put("good", &[1; 500]).await.unwrap();
    desk.put_as_kim("bad too", &BAD).await;
    let path = format!("contents/{hash}");
    assert_eq!(Desk::status(desk.as_ann(Method::GET, &path)).await, 403);
    assert_eq!(Desk::status(desk.as_ann(Method::DELETE, &path)).await, 403);
    assert_eq!(Desk::status(desk.as_ann(Method::GET, "takedowns")).await, 403);
    let owners = desk.contents(&hash).await;
    let who: Vec<_> = owners["items"].as_array().unwrap().iter().map(|one| &one["user"]).collect();
    assert_eq!(who, [&json!("ann"), &json!("ann"), &json!("kim")]);
    assert_eq!(owners["unhashed"], 0);
    let named = Desk::json(desk.as_admin(Method::GET, "contents?user=kim&path=bad%20too")).await;
    assert_eq!(named["hash"], json!(hash));
    let taken = Desk::json(desk.as_admin(Method::DELETE, &path)).await;
    assert_eq!(
        (&taken["files"], &taken["kept"], &taken["bytes"]),
        (&json!(3), &json!(0), &json!(1500))
    );
    assert!(taken["doneAt"].is_i64(), "nothing had to be hashed first");
    let again = Desk::json(desk.as_admin(Method::DELETE, &path)).await;
    assert_eq!((&again["files"], &again["liftedAt"]), (&json!(0), &Value::Null));
    // It stays away until an administrator says otherwise, of each time that it was taken down.
    let back = async || {
        let put = desk.as_ann(Method::PUT, "files/back").body(BAD.to_vec());
        Desk::status(put).await
    };
    assert_eq!(back().await, 403);
    let allow = format!("takedowns/{}", taken["id"]);
    assert_eq!(Desk::status(desk.as_ann(Method::DELETE, &allow)).await, 403);
    assert_eq!(Desk::status(desk.as_admin(Method::DELETE, "takedowns/999")).await, 404);
    let allowed = Desk::json(desk.as_admin(Method::DELETE, &allow)).await;
    assert!(allowed["liftedAt"].is_i64() && allowed["sound"] == false, "{allowed}");
    assert_eq!(back().await, 201);
    assert_eq!(Desk::status(desk.as_ann(Method::DELETE, "files/back?forever=true")).await, 204);
    let rows = Desk::json(desk.as_admin(Method::GET, "takedowns")).await;
    let refused: i64 =
        rows["items"].as_array().unwrap().iter().map(|row| row["refused"].as_i64().unwrap()).sum();
    assert_eq!(refused, 1, "{rows}");
    assert!(!desk.lockers.folder().join("bad").exists());
    assert!(desk.lockers.folder().join("good").exists());
    assert_eq!((desk.used_of("ann").await, desk.used_of("kim").await), (500, 0));
    let rows = desk.explained().await;
    assert_eq!(rows.iter().filter(|row| row["reason"] == "takedown").count(), 2);
}

/// What gave way to an upload that is not there yet lies on the disk, and may come back.
#[tokio::test]
async fn what_an_upload_holds_goes_with_it() {
    let desk = Desk::new(10_000).await;
    let (lockers, drive) = (&desk.lockers, &desk.lockers.drive);
    let hash = hex::encode(lockers.put("alone", &BAD).await.unwrap().hash);
    lockers.put("Album/copy", &BAD).await.unwrap();
    lockers.put("Album/good", &[1; 300]).await.unwrap();
    for path in ["alone", "Album"] {
        assert_eq!(Desk::status(desk.as_ann(Method::DELETE, &format!("files/{path}"))).await, 200);
    }
    let upload = lockers.begin(drive, "large", 10_000).await;
    assert_eq!(lockers.usage().await.reclaimable, 0);
    assert_eq!(desk.places(&hash).await, ["trash Album/copy", "trash alone"]);
    let taken = desk.take_down(&hash).await;
    assert_eq!((&taken["kept"], &taken["bytes"]), (&json!(2), &json!(1000)));
    assert!(desk.places(&hash).await.is_empty());
    drive.terminate_upload(&lockers.ann, &upload).await.unwrap();
    let trash = Desk::json(desk.as_ann(Method::GET, "trash")).await;
    let items = trash["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{trash}");
    assert_eq!((&items[0]["name"], &items[0]["size"]), (&json!("Album"), &json!(300)));
    assert_eq!(lockers.usage().await.reclaimable, 300);
    assert_eq!(drive.examine().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn copies_in_trash_and_versions_go_with_it() {
    let desk = Desk::new(10_000).await;
    let hash = hex::encode(desk.lockers.put("alone", &BAD).await.unwrap().hash);
    desk.lockers.put("Album/in/copy", &BAD).await.unwrap();
    desk.lockers.put("Album/good", &[1; 300]).await.unwrap();
    desk.lockers.put("replaced", &BAD).await.unwrap();
    desk.lockers.put("replaced", &[2; 100]).await.unwrap();
    for path in ["alone", "Album"] {
        assert_eq!(Desk::status(desk.as_ann(Method::DELETE, &format!("files/{path}"))).await, 200);
    }
    assert_eq!(
        desk.places(&hash).await,
        ["trash Album/in/copy", "trash alone", "versions replaced"]
    );
    let taken = desk.take_down(&hash).await;
    assert_eq!(
        (&taken["files"], &taken["kept"], &taken["bytes"]),
        (&json!(0), &json!(3), &json!(1500))
    );
    assert_eq!((&taken["reason"], &taken["by"]), (&json!("A letter came"), &json!("root")));
    assert!(desk.places(&hash).await.is_empty());
    // What was good in the same folder comes back; of the other nothing is left on the disk.
    let trash = Desk::json(desk.as_ann(Method::GET, "trash")).await;
    let items = trash["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{trash}");
    assert_eq!((&items[0]["name"], &items[0]["size"]), (&json!("Album"), &json!(300)));
    let id = items[0]["id"].as_str().unwrap();
    let back = desk.as_ann(Method::POST, &format!("trash/{id}")).json(&json!({}));
    assert_eq!(Desk::status(back).await, 200);
    assert!(desk.lockers.folder().join("Album/good").exists());
    assert!(!desk.lockers.folder().join("Album/in/copy").exists());
    let versions = Desk::json(desk.as_ann(Method::GET, "versions?path=replaced")).await;
    assert_eq!(versions["items"], json!([]));
    let rows = desk.explained().await;
    let told: Vec<_> = rows
        .iter()
        .filter(|row| row["reason"] == "takedown")
        .map(|row| (row["path"].as_str().unwrap(), row["reclaimable"].as_i64().unwrap()))
        .collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told.contains(&("Album/in/copy", -500)), "{told:?}");
    assert!(is_sound(&desk).await);
}

/// Locker, trash and versions of a removed user are put away, and still of him who asks for a content.
#[tokio::test]
async fn what_removed_users_left_goes_with_it() {
    let desk = Desk::new(10_000).await;
    let lockers = &desk.lockers;
    let hash = hex::encode(lockers.put("kept", &BAD).await.unwrap().hash);
    for (path, bytes) in [("alone", &BAD[..]), ("Album/copy", &BAD), ("Album/good", &[1; 300])] {
        lockers.put(path, bytes).await.unwrap();
    }
    lockers.put("replaced", &BAD).await.unwrap();
    lockers.put("replaced", &[2; 100]).await.unwrap();
    for path in ["alone", "Album"] {
        assert_eq!(Desk::status(desk.as_ann(Method::DELETE, &format!("files/{path}"))).await, 200);
    }
    lockers.accounts.remove_user(&lockers.admin, "ann").await.unwrap();
    let removed = lockers.drive_root().join("removed");
    // Every file that is left, by its length.
    let left = || {
        let files = tree(&removed);
        let files =
            files.iter().filter(|(path, _)| path.extension().is_none_or(|it| it != "origin"));
        let mut found: Vec<_> = files.map(|(_, bytes)| bytes.len()).collect();
        found.sort_unstable();
        found
    };
    until("all of it is put away", async || removed.exists() && left().len() == 6).await;
    assert_eq!(
        desk.places(&hash).await,
        ["locker kept", "trash Album/copy", "trash alone", "versions replaced"]
    );
    let taken = desk.take_down(&hash).await;
    assert_eq!((&taken["files"], &taken["kept"]), (&json!(1), &json!(3)), "{taken}");
    assert_eq!(left(), [100, 300]);
    assert!(desk.places(&hash).await.is_empty());
    // A start finds nothing amiss with what is left.
    lockers.drive.reconcile().await.unwrap();
    assert_eq!(left(), [100, 300]);
    assert!(is_sound(&desk).await);
}

/// By other hands on the disk, and into the trash before anybody looked: hashed first.
#[tokio::test]
async fn what_nobody_hashed_yet_is_hashed_first() {
    let desk = Desk::new(10_000).await;
    let folder = desk.lockers.folder();
    std::fs::create_dir_all(folder.join("by hand")).unwrap();
    for name in ["by hand/bad", "by hand/bad too", "trashed"] {
        std::fs::write(folder.join(name), BAD).unwrap();
    }
    std::fs::write(folder.join("by hand/good"), [3; 500]).unwrap();
    std::fs::write(folder.join("longer"), [3; 600]).unwrap();
    desk.lockers.drive.reconcile().await.unwrap();
    assert_eq!(Desk::status(desk.as_ann(Method::DELETE, "files/trashed")).await, 200);
    let hash = blake3::hash(&BAD).to_hex().to_string();
    let asked = desk.contents(&hash).await;
    assert!(asked["items"].as_array().unwrap().len() < 3, "{asked}");
    let taken = desk.take_down(&hash).await;
    let gone = taken["files"].as_u64().unwrap() + taken["kept"].as_u64().unwrap();
    assert_eq!((gone, &taken["bytes"], &taken["unread"]), (3, &json!(1500), &json!(0)), "{taken}");
    assert!(!folder.join("by hand/bad").exists() && !folder.join("by hand/bad too").exists());
    assert!(folder.join("by hand/good").exists() && folder.join("longer").exists());
    assert_eq!(Desk::json(desk.as_ann(Method::GET, "trash")).await["items"], json!([]));
    assert_eq!(desk.used_of("ann").await, 1_100);
    desk.explained().await;
    assert!(is_sound(&desk).await);
}

/// Brought by other hands after it was taken down: it goes as soon as it is hashed.
#[tokio::test]
async fn what_other_hands_bring_back_goes_again() {
    let desk = Desk::new(10_000).await;
    let hash = hex::encode(desk.lockers.put("bad", &BAD).await.unwrap().hash);
    desk.take_down(&hash).await;
    let folder = desk.lockers.folder();
    std::fs::write(folder.join("back"), BAD).unwrap();
    std::fs::write(folder.join("good"), [3; 500]).unwrap();
    desk.lockers.drive.reconcile().await.unwrap();
    desk.lockers.app.services.matching.hash_now();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    // The file goes, then it is counted.
    while Desk::json(desk.as_admin(Method::GET, "takedowns")).await["items"][0]["files"] != 2 {
        assert!(tokio::time::Instant::now() < deadline, "it is still there");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    assert!(!folder.join("back").exists() && folder.join("good").exists());
    assert!(is_sound(&desk).await);
}

/// A take-down that a stop interrupted goes on at the next start.
#[tokio::test]
async fn it_goes_on_after_a_restart() {
    let desk = Desk::new(10_000).await;
    let folder = desk.lockers.folder();
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("bad"), BAD).unwrap();
    desk.lockers.drive.reconcile().await.unwrap();
    let hash = blake3::hash(&BAD).to_hex().to_string();
    // As if the server had stopped right after it was asked for.
    let data = desk.lockers.app.folder.path().join("data/tunelocker.db");
    let database = sqlx::SqlitePool::connect(data.to_str().unwrap()).await.unwrap();
    sqlx::query("update drive_file set content_hash = null").execute(&database).await.unwrap();
    sqlx::query("insert into takedown (content_hash, reason, created_at) values (?, 'late', 1)")
        .bind(blake3::hash(&BAD).as_bytes().as_slice())
        .execute(&database)
        .await
        .unwrap();
    let (_, drive) = start_again(&desk.lockers, desk.clock.clone()).await;
    let stop = CancellationToken::new();
    let running = tokio::spawn(drive.run(stop.clone()));
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    while folder.join("bad").exists() {
        assert!(tokio::time::Instant::now() < deadline, "{hash} is still there");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    stop.cancel();
    running.await.unwrap();
    let rows = desk.explained().await;
    assert_eq!(rows[0]["reason"], "takedown");
}

/// Every figure is as it is recomputed.
async fn is_sound(desk: &Desk) -> bool {
    desk.lockers.drive.examine().await.unwrap().is_empty()
}
