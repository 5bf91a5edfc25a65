//! What a crash or other hands leave is put right at the next start.

use std::fs::{File, OpenOptions};

use serde_json::Value;
use tunelocker::{
    Error,
    accounts::Accounts,
    clock::Clock,
    db::Db,
    drive::{Appended, Condition, Drive, NewUpload, RelativePath, UploadForm},
    events::Events,
};

use super::{ADMIN, Lockers, tus::bytes};

/// Opens the same folders once more, as the next start does.
pub(crate) async fn start_again(lockers: &Lockers, clock: Clock) -> (Accounts, Drive) {
    let data = lockers.app.folder.path().join("data");
    let db = Db::open(&data.join("tunelocker.db")).await.unwrap();
    let events = Events::default();
    let accounts = Accounts::open(
        db.clone(),
        clock.clone(),
        events.clone(),
        &data.join("keys"),
        lockers.drive_root(),
    )
    .await
    .unwrap();
    let drive =
        Drive::open(lockers.drive_root(), db, clock, events, accounts.clone()).await.unwrap();
    (accounts, drive)
}

impl Lockers {
    /// A new upload of Ann's for a path.
    pub(crate) async fn begin(&self, drive: &Drive, path: &str, length: u64) -> String {
        self.begin_of(drive, path, length, UploadForm::default()).await
    }

    /// The same of one that is special.
    pub(crate) async fn begin_of(
        &self,
        drive: &Drive,
        path: &str,
        length: u64,
        form: UploadForm,
    ) -> String {
        let new = NewUpload {
            path: Some(RelativePath::parse(path).unwrap()),
            locker: self.locker,
            condition: Condition::None,
            length,
            metadata: String::new(),
        };
        drive.create_upload_of(&self.ann, &new, form).await.unwrap().id
    }

    /// More of it.
    pub(crate) async fn append(&self, drive: &Drive, id: &str, at: u64, bytes: &[u8]) -> Appended {
        let (tell, told) = tokio::sync::mpsc::channel(1);
        let (drive, ann) = (drive.clone(), self.ann.clone());
        let appending = tokio::spawn(drive.append_upload(ann, id.to_owned(), at, None, told));
        tell.send(bytes::Bytes::copy_from_slice(bytes)).await.unwrap();
        drop(tell);
        appending.await.unwrap().unwrap()
    }

    /// What is stored of it, to be written to by other hands.
    pub(crate) fn staged_file(&self, id: &str) -> File {
        let staged = self.drive_root().join("staging").join(format!("up-{id}"));
        OpenOptions::new().append(true).open(staged).unwrap()
    }

    /// Makes the rows say that so much of an upload is there, and what all of it hashes to.
    pub(crate) async fn say_received(&self, id: &str, bytes: i64, of: Option<&[u8]>) {
        let database = self.app.folder.path().join("data/tunelocker.db");
        let database = sqlx::SqlitePool::connect(database.to_str().unwrap()).await.unwrap();
        let hash = of.map(|of| blake3::hash(of).as_bytes().to_vec());
        sqlx::query("update upload set received = ?, content_hash = ? where upload_id = ?")
            .bind(bytes)
            .bind(hash)
            .bind(id)
            .execute(&database)
            .await
            .unwrap();
        database.close().await;
    }
}

/// A disk that said of bytes that they are there, lost its power, and has less of them.
#[tokio::test]
async fn uploads_go_on_where_the_disk_has_them() {
    let lockers = Lockers::with_quota(100_000).await;
    let whole = bytes(4000);
    lockers.put("replaced", &whole[..3000]).await.unwrap();
    let mut ids = Vec::new();
    // One in the middle; one that was all there, of which that is written down already; the same
    // over a file that still is where it was.
    for (path, said) in [("half", 1500), ("all", 4000), ("replaced", 4000)] {
        let id = lockers.begin(&lockers.drive, path, 4000).await;
        lockers.append(&lockers.drive, &id, 0, &whole[..1500]).await;
        lockers.say_received(&id, said, (said == 4000).then_some(&whole)).await;
        lockers.staged_file(&id).set_len(700).unwrap();
        ids.push((path, id));
    }
    let (accounts, drive) = start_again(&lockers, Clock::System).await;
    for (path, id) in &ids {
        assert_eq!(drive.upload(&lockers.ann, id).await.unwrap().offset, 700, "{path}");
        let done = lockers.append(&drive, id, 700, &whole[700..]).await;
        let Appended::Done(stored) = done else { panic!("{path}: {done:?}") };
        assert_eq!(stored.hash, *blake3::hash(&whole).as_bytes(), "{path}");
        assert_eq!(std::fs::read(lockers.folder().join(path)).unwrap(), whole, "{path}");
    }
    let usage = accounts.usage(&lockers.ann, lockers.locker).await.unwrap();
    assert_eq!((usage.used, usage.reserved), (3 * 4000, 0));
}

/// The same where nobody said yet how long it will be: it is as long as what is left of it.
#[tokio::test]
async fn uploads_of_unknown_length_go_on_where_the_disk_has_them() {
    let lockers = Lockers::with_quota(1_000_000).await;
    let whole = bytes(4000);
    let form = UploadForm { is_deferred: true, ..UploadForm::default() };
    let id = lockers.begin_of(&lockers.drive, "later", 0, form).await;
    lockers.append(&lockers.drive, &id, 0, &whole[..1500]).await;
    lockers.staged_file(&id).set_len(700).unwrap();
    let (accounts, drive) = start_again(&lockers, Clock::System).await;
    let state = drive.upload(&lockers.ann, &id).await.unwrap();
    assert_eq!((state.offset, state.length, state.is_deferred), (700, 700, true));
    // Less than it was once: nobody but the disk knew of the rest.
    drive.set_upload_length(&lockers.ann, &id, 1200).await.unwrap();
    let done = lockers.append(&drive, &id, 700, &whole[700..1200]).await;
    let Appended::Done(stored) = done else { panic!("{done:?}") };
    assert_eq!(stored.hash, *blake3::hash(&whole[..1200]).as_bytes());
    assert_eq!(std::fs::read(lockers.folder().join("later")).unwrap(), whole[..1200]);
    let usage = accounts.usage(&lockers.ann, lockers.locker).await.unwrap();
    assert_eq!((usage.used, usage.reserved, lockers.staged()), (1200, 0, 0));
}

#[tokio::test]
async fn files_and_rows_are_made_to_fit() {
    let lockers = Lockers::with_quota(1000).await;
    for name in ["stays", "goes", "grows"] {
        lockers.put(name, &[1; 100]).await.unwrap();
    }
    std::fs::remove_file(lockers.folder().join("goes")).unwrap();
    std::fs::write(lockers.folder().join("grows"), [2; 150]).unwrap();
    std::fs::create_dir_all(lockers.folder().join("by hand/é")).unwrap();
    std::fs::write(lockers.folder().join("by hand/é/new"), [3; 33]).unwrap();
    let staging = lockers.drive_root().join("staging");
    std::fs::write(staging.join("left over"), [4; 10]).unwrap();
    std::fs::create_dir_all(staging.join("left/over")).unwrap();

    let (accounts, _drive) = start_again(&lockers, Clock::System).await;
    let usage = accounts.usage(&lockers.ann, lockers.locker).await.unwrap();
    assert_eq!((usage.used, usage.reserved), (100 + 150 + 33, 0));
    assert_eq!(lockers.on_disk(), usage.used);
    assert_eq!(lockers.staged(), 0);

    std::fs::write(lockers.folder().join("goes"), [5; 7]).unwrap();
    let (accounts, _drive) = start_again(&lockers, Clock::System).await;
    let usage = accounts.usage(&lockers.ann, lockers.locker).await.unwrap();
    assert_eq!(usage.used, 100 + 150 + 33 + 7, "what was missing came back");
}

/// Whatever writes asks first: what it made in the mount point would look like the drive.
#[tokio::test]
async fn nothing_is_written_to_a_drive_that_is_not_mounted() {
    let lockers = Lockers::with_quota(10_000).await;
    let (drive, ann, locker) = (&lockers.drive, &lockers.ann, lockers.locker);
    for name in ["a", "b", "folder/c"] {
        lockers.put(name, &[1; 100]).await.unwrap();
    }
    lockers.put("b", &[2; 100]).await.unwrap();
    let at = |name: &str| RelativePath::parse(name).unwrap();
    let none = Condition::None;
    let gone = drive.trash(ann, locker, &at("folder"), &none).await.unwrap();
    let before = (lockers.usage().await, drive.versions(ann, locker, &at("b")).await.unwrap());
    let (root, aside) = (lockers.drive_root(), lockers.app.folder.path().join("aside"));
    std::fs::rename(&root, &aside).unwrap();
    std::fs::create_dir_all(root.join("staging")).unwrap();

    let version = &before.1[0].id;
    let answers = [
        drive.make_folder(ann, locker, &at("new/folder")).await.map(drop),
        drive.rename(ann, locker, &at("a"), &at("z")).await,
        drive.copy_to(ann, locker, &at("a"), &lockers.target("z")).await.map(drop),
        drive.remove(ann, locker, &at("a"), &none).await,
        drive.trash(ann, locker, &at("a"), &none).await.map(drop),
        drive.restore(ann, &gone.id, None).await.map(drop),
        drive.delete_trashed(ann, &gone.id).await,
        drive.empty_trash(ann, locker).await.map(drop),
        drive.restore_version(ann, version).await.map(drop),
        drive.delete_version(ann, version).await,
    ];
    for (at, answer) in answers.iter().enumerate() {
        assert!(matches!(answer, Err(Error::Unavailable(_))), "{at}: {answer:?}");
    }
    // Whoever looks after the server is told.
    let asked = async |path: &str| -> Value {
        let asked = reqwest::Client::new().get(lockers.app.url(path));
        asked.basic_auth(ADMIN.0, Some(ADMIN.1)).send().await.unwrap().json().await.unwrap()
    };
    let health = asked("/health").await;
    assert_eq!((&health["status"], &health["storage"]), (&"degraded".into(), &"unmounted".into()));
    let server = asked("/api/v1/server").await;
    assert!(server["attention"].to_string().contains("is not mounted"), "{server}");
    let made: Vec<_> = std::fs::read_dir(&root).unwrap().collect();
    assert_eq!(made.len(), 1, "{made:?}");

    // Another disk that has lockers, of the same names even, is not this drive either.
    std::fs::create_dir_all(root.join("lockers/ann/Music")).unwrap();
    std::fs::write(root.join("lockers/ann/Music/other"), "of another server").unwrap();
    drive.look_again().await.unwrap();
    assert!(!root.join(".tunelocker-drive").exists());
    let (accounts, again) = start_again(&lockers, Clock::System).await;
    assert_eq!(accounts.usage(ann, locker).await.unwrap(), before.0);
    assert_eq!(again.trashed(ann, locker).await.unwrap().len(), 1);
    assert_eq!(again.versions(ann, locker, &at("b")).await.unwrap().len(), 1);

    std::fs::remove_dir_all(&root).unwrap();
    std::fs::rename(&aside, &root).unwrap();
    drive.look_again().await.unwrap();
    assert_eq!(lockers.usage().await, before.0);
    drive.restore(ann, &gone.id, None).await.unwrap();
    // Without its mark it is known by what lies on it.
    std::fs::remove_file(root.join(".tunelocker-drive")).unwrap();
    lockers.put("d", &[1; 100]).await.unwrap();
    assert!(root.join(".tunelocker-drive").exists());
}

#[tokio::test]
async fn a_drive_that_is_not_mounted_empties_nothing() {
    let lockers = Lockers::with_quota(1000).await;
    lockers.put("a", &[1; 100]).await.unwrap();
    // As when the disk did not come up: the mount point is there, and empty.
    let (drive, aside) = (lockers.drive_root(), lockers.app.folder.path().join("aside"));
    std::fs::rename(&drive, &aside).unwrap();
    std::fs::create_dir(&drive).unwrap();
    let refused = lockers.put("b", &[1; 10]).await;
    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    let (accounts, _drive) = start_again(&lockers, Clock::System).await;
    assert_eq!(accounts.usage(&lockers.ann, lockers.locker).await.unwrap().used, 100);

    std::fs::remove_dir_all(&drive).unwrap();
    std::fs::rename(&aside, &drive).unwrap();
    let (accounts, drive) = start_again(&lockers, Clock::System).await;
    assert_eq!(accounts.usage(&lockers.ann, lockers.locker).await.unwrap().used, 100);
    let opened =
        drive.open_file(&lockers.ann, lockers.locker, &lockers.target("a").path).await.unwrap();
    assert!(!opened.etag.starts_with('d'), "the row was kept");
}
