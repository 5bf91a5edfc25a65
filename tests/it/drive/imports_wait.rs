//! An import over which a disk fails is promised all the same: it waits, and goes on when the disk is
//! well.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use tunelocker::storage::Storage;

use super::{
    archives::{ended, zip_of},
    imports::{begin, over, turn_on},
};
use crate::{
    ingest::until,
    outside::stub::{Reply, Stub},
};

#[tokio::test]
async fn an_import_waits_for_a_disk_that_fails() {
    let disk: Arc<OnceLock<Storage>> = Arc::default();
    let (of, seen) = (Arc::clone(&disk), Mutex::new(HashSet::new()));
    let stub = Stub::start(move |asked| {
        // It fails when the import has begun, once over each.
        if seen.lock().unwrap().insert(asked.place().to_owned()) {
            of.get().unwrap().degrade("an fsync failed (a test)");
        }
        match asked.place() {
            "/song.flac" => Reply::ok("audio/flac", vec![5; 200_000]),
            _ => Reply::ok("application/zip", zip_of(&[("one", b"1"), ("two", b"22")])),
        }
    })
    .await;
    let ann = over(&stub, 1_000_000).await;
    turn_on(&ann).await;
    let storage = ann.lockers.app.services.db.storage().clone();
    disk.set(storage.clone()).unwrap();
    for (address, folder, files) in [("/song.flac", "A", 1), ("/pack.zip", "B", 2)] {
        let (status, begun) = begin(&ann, &stub.url(address), folder).await;
        assert_eq!(status, 202, "{begun}");
        until("the disk fails", async || storage.fault().is_some()).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let id = begun["id"].as_str().unwrap();
        let look = ann.request(reqwest::Method::GET, &format!("imports/{id}"));
        let import: serde_json::Value = look.send().await.unwrap().json().await.unwrap();
        assert_eq!((&import["over"], &import["stored"]), (&false.into(), &0.into()), "{import}");
        assert!(!ann.lockers.folder().join(folder).exists(), "nothing came of it yet");
        storage.clear();
        let import = ended(&ann, id).await;
        assert_eq!((&import["state"], &import["stored"]), (&"done".into(), &files.into()));
    }
}
