//! Resumable uploads that are special: whose length is told later, which are archives that a crash
//! kept from being unpacked, which were given up; and the words of their refusals.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tunelocker::{
    Error,
    clock::Clock,
    drive::{Appended, Drive, Import, ImportState, Imports, UploadForm},
    egress::{Egress, Settings},
    media::worker::Pool,
};

use super::{
    Lockers,
    archives::{Box, whole, zip_of},
    crash::start_again,
};

fn tus(ann: &Box, method: Method, address: &str) -> RequestBuilder {
    ann.request(method, address).header("Tus-Resumable", "1.0.0")
}

async fn deferred(ann: &Box, path: &str) -> String {
    let metadata = format!("path {}", STANDARD.encode(path));
    let request = tus(ann, Method::POST, "uploads").header("Upload-Metadata", metadata);
    let made = request.header("Upload-Defer-Length", "1").send().await.unwrap();
    assert_eq!(made.status(), 201);
    made.headers()["location"].to_str().unwrap().replace("/api/v1/", "")
}

fn patch(ann: &Box, address: &str, offset: usize, bytes: &[u8]) -> RequestBuilder {
    tus(ann, Method::PATCH, address)
        .header("Upload-Offset", offset)
        .header("Content-Type", "application/offset+octet-stream")
        .body(bytes.to_vec())
}

async fn problem(answer: Response) -> (u16, Value) {
    whole(answer).await
}

#[tokio::test]
async fn a_length_that_comes_later_is_promised_as_it_grows() {
    let ann = Box::with_quota(1_000_000).await;
    let bytes: Vec<u8> = (0..600_000_u32).map(|at| (at * 31 % 253) as u8).collect();
    let address = deferred(&ann, "in/later.bin").await;
    assert_eq!(ann.lockers.usage().await.reserved, 0, "nothing is known yet");
    let answer = patch(&ann, &address, 0, &bytes[..300_000]).send().await.unwrap();
    assert_eq!(answer.headers()["upload-offset"], "300000");
    assert!((300_000..=600_000).contains(&ann.lockers.usage().await.reserved));
    let head = tus(&ann, Method::HEAD, &address).send().await.unwrap();
    assert_eq!(head.headers()["upload-defer-length"], "1");
    assert_eq!(head.headers()["upload-offset"], "300000");
    assert!(!head.headers().contains_key("upload-length"));

    // A wrong length, one that has no room, then the right one; and it is told once.
    let tell = |length: usize, from: usize, to: usize| {
        patch(&ann, &address, from, &bytes[from..to]).header("Upload-Length", length).send()
    };
    assert_eq!(tell(200_000, 300_000, 300_000).await.unwrap().status(), 400);
    let (status, refused) = problem(tell(1_000_001, 300_000, 300_000).await.unwrap()).await;
    assert_eq!((status, &refused["type"]), (413, &"quota_exceeded".into()));
    assert_eq!(tell(600_000, 300_000, 500_000).await.unwrap().status(), 204);
    assert_eq!(ann.lockers.usage().await.reserved, 600_000, "now exactly");
    assert_eq!(tell(600_001, 500_000, 500_000).await.unwrap().status(), 400);
    assert_eq!(tell(600_000, 500_000, 600_000).await.unwrap().status(), 204);
    assert!(std::fs::read(ann.lockers.folder().join("in/later.bin")).unwrap() == bytes);
    let usage = ann.lockers.usage().await;
    assert_eq!((usage.used, usage.reserved, ann.lockers.staged()), (600_000, 0, 0));

    // What does not fit is refused where it stops fitting; what came before stays until given up.
    let address = deferred(&ann, "in/large.bin").await;
    let answer = patch(&ann, &address, 0, &bytes[..400_001]).send().await.unwrap();
    let (_, refused) = problem(answer).await;
    assert_eq!(refused["type"], "quota_exceeded");
    // The figures are of this upload against the rest: its own bytes are not used by others.
    assert_eq!((&refused["used"], &refused["needed"]), (&600_000.into(), &400_001.into()));
    let gone = tus(&ann, Method::DELETE, &address).send().await.unwrap();
    assert_eq!(gone.status(), 204);
    let usage = ann.lockers.usage().await;
    assert_eq!((usage.used, usage.reserved, ann.lockers.staged()), (600_000, 0, 0));
}

#[tokio::test]
async fn refusals_of_uploads_have_words() {
    let clock = Clock::manual(Clock::System.now());
    let app = crate::harness::TestApp::spawn_at(clock.clone(), |config| {
        config.drive = config.data.with_file_name("drive");
    })
    .await;
    let ann = Box::over(Lockers::over(app, 1_000_000).await).await;
    let address = deferred(&ann, "x").await;
    assert_eq!(patch(&ann, &address, 0, b"abc").send().await.unwrap().status(), 204);
    let (status, conflict) = problem(patch(&ann, &address, 1, b"bc").send().await.unwrap()).await;
    assert_eq!((status, &conflict["type"]), (409, &"offset_conflict".into()));
    assert_eq!(conflict["offset"], 3);
    let wrong = patch(&ann, &address, 3, b"abc").header("Upload-Checksum", "sha1 AAAA");
    let (status, mismatch) = problem(wrong.send().await.unwrap()).await;
    assert_eq!((status, &mismatch["type"]), (460, &"checksum_mismatch".into()));
    // Nobody came back for more than a week: before it is tidied away, and after.
    clock.advance(Duration::from_secs(8 * 86_400));
    let (status, expired) = problem(patch(&ann, &address, 3, b"d").send().await.unwrap()).await;
    assert_eq!((status, &expired["type"]), (410, &"upload_expired".into()));
    ann.lockers.drive.look_again().await.unwrap();
    let (status, expired) = problem(patch(&ann, &address, 3, b"d").send().await.unwrap()).await;
    assert_eq!((status, &expired["type"]), (410, &"upload_expired".into()));
    assert_eq!((ann.lockers.usage().await.reserved, ann.lockers.staged()), (0, 0));
    // A month later it is forgotten.
    clock.advance(Duration::from_secs(31 * 86_400));
    ann.lockers.drive.look_again().await.unwrap();
    assert_eq!(tus(&ann, Method::HEAD, &address).send().await.unwrap().status(), 404);
}

impl Lockers {
    /// An archive of Ann's whose last byte arrived.
    async fn whole_archive(&self, archive: &[u8]) -> String {
        let form = UploadForm { unpacks: true, ..UploadForm::default() };
        let id = self.begin_of(&self.drive, "in/pack.zip", archive.len() as u64, form).await;
        let appended = self.append(&self.drive, &id, 0, archive).await;
        assert!(matches!(appended, Appended::Archive(_)), "{appended:?}");
        id
    }

    /// The imports of a server that started again, and the one that is over.
    async fn import_again(&self, drive: &Drive) -> Import {
        let pool = Pool::new(env!("CARGO_BIN_EXE_tunelocker").into(), 1);
        let imports = Imports::new(drive, pool, Egress::new(Settings::default()).unwrap(), true);
        imports.adopt().await.unwrap();
        let stop = CancellationToken::new();
        let running = tokio::spawn(imports.clone().run(stop.clone()));
        let import = loop {
            match imports.list(&self.ann).await.unwrap().pop() {
                Some(import) if import.state.is_over() => break import,
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        stop.cancel();
        running.await.unwrap();
        import
    }

    /// The row of an import that began with an archive, as a stop left it; `unpacking` gave the
    /// archive's room to what is in it.
    async fn say_imported(&self, upload: &str, unpacking: bool) {
        let database = self.app.folder.path().join("data/tunelocker.db");
        let database = sqlx::SqlitePool::connect(database.to_str().unwrap()).await.unwrap();
        let state = if unpacking { "unpacking" } else { "waiting" };
        sqlx::query(
            "insert into import (user_id, locker_id, target, place, folder, only_new, upload_id, name, state, created_at)
             select user_id, locker_id, 'in', '', 'in', 0, upload_id, 'pack.zip', ?, 1 from upload where upload_id = ?",
        )
        .bind(state)
        .bind(upload)
        .execute(&database)
        .await
        .unwrap();
        if unpacking {
            for change in [
                "delete from reservation where reservation_id in (select reservation_id from upload)",
                "update locker set reserved_bytes = 0",
                "update upload set reservation_id = null",
            ] {
                sqlx::query(change).execute(&database).await.unwrap();
            }
        }
        database.close().await;
    }
}

/// The last byte of an archive arrived, and then the server was gone.
#[tokio::test]
async fn a_whole_archive_is_unpacked_when_the_server_starts_again() {
    let lockers = Lockers::with_quota(1_000_000).await;
    let archive = zip_of(&[("a/one", &[1; 30_000]), ("../slip", b"x"), ("two", b"2")]);
    lockers.whole_archive(&archive).await;
    assert!(!lockers.folder().join("in").exists(), "not yet");

    let (accounts, drive) = start_again(&lockers, Clock::System).await;
    let import = lockers.import_again(&drive).await;
    assert_eq!((import.state, import.stored, import.refused), (ImportState::Done, 2, 1));
    assert_eq!(std::fs::read(lockers.folder().join("in/a/one")).unwrap(), [1; 30_000]);
    let usage = accounts.usage(&lockers.ann, lockers.locker).await.unwrap();
    assert_eq!((usage.used, usage.reserved, lockers.staged()), (30_001, 0, 0));
}

/// An archive that lost a part of itself with the power: while its client sends, it goes on from
/// there; once its client was told that it is unpacked, nobody sends the rest, and the import says
/// so.
#[tokio::test]
async fn an_archive_that_lost_a_part_goes_on_or_is_given_up() {
    // Larger than what of an archive needs no room.
    let song = vec![7; 3_000_000];
    let archive = zip_of(&[("one", b"1"), ("song", &song)]);
    let length = archive.len() as u64;
    let lockers = Lockers::with_quota(4_000_000).await;
    let id = lockers.whole_archive(&archive).await;
    let promised = lockers.usage().await.reserved;
    assert!(0 < promised && promised < length, "{promised}");
    lockers.staged_file(&id).set_len(1_000_000).unwrap();
    let (accounts, drive) = start_again(&lockers, Clock::System).await;
    let state = drive.upload(&lockers.ann, &id).await.unwrap();
    assert_eq!((state.offset, state.length), (1_000_000, length));
    let usage = accounts.usage(&lockers.ann, lockers.locker).await.unwrap();
    assert_eq!((usage.used, usage.reserved), (0, promised));
    let appended = lockers.append(&drive, &id, 1_000_000, &archive[1_000_000..]).await;
    assert!(matches!(appended, Appended::Archive(_)), "{appended:?}");
    let import = lockers.import_again(&drive).await;
    assert_eq!((import.state, import.stored), (ImportState::Done, 2), "{import:?}");
    assert_eq!(std::fs::read(lockers.folder().join("in/song")).unwrap(), song);

    for unpacking in [false, true] {
        let lockers = Lockers::with_quota(4_000_000).await;
        let id = lockers.whole_archive(&archive).await;
        lockers.say_imported(&id, unpacking).await;
        lockers.staged_file(&id).set_len(1_000_000).unwrap();
        let (accounts, drive) = start_again(&lockers, Clock::System).await;
        let gone = drive.upload(&lockers.ann, &id).await;
        assert!(matches!(gone, Err(Error::NotFound(_))), "{gone:?}");
        let import = lockers.import_again(&drive).await;
        assert_eq!(import.state, ImportState::Failed);
        let problem = import.problem.unwrap();
        assert!(problem.detail.ends_with("send it again"), "{problem:?}");
        let usage = accounts.usage(&lockers.ann, lockers.locker).await.unwrap();
        assert_eq!((usage.used, usage.reserved, lockers.staged()), (0, 0, 0));
        // And it can be.
        assert_ne!(lockers.whole_archive(&archive).await, id);
    }
}
