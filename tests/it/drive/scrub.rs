//! Bytes that changed by themselves: told from those that other hands changed, with whose they are
//! and where they still are whole; by the doctor at once, and by itself once a month.

use std::{
    fs::{self, File},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    time::Duration,
};

use serde_json::Value;
use tunelocker::{clock::Clock, db::Db, drive};

use super::{ADMIN, Lockers};
use crate::harness::{TestApp, denied::without_privileges};

const MONTH: Duration = Duration::from_hours(31 * 24);

/// Other bytes at the same place, of the same length and time, as when a sector rots.
fn rot(file: &Path) {
    let modified = fs::metadata(file).unwrap().modified().unwrap();
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(file, bytes).unwrap();
    let opened = File::options().write(true).open(file).unwrap();
    opened.set_modified(modified).unwrap();
}

fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// As the command sees it that no server answers.
async fn direct(lockers: &Lockers) -> drive::Scrubbed {
    let db = Db::open(&lockers.app.folder.path().join("data/tunelocker.db")).await.unwrap();
    let found = drive::read_everything(&db, lockers.drive_root()).await.unwrap();
    db.close().await;
    found
}

#[tokio::test]
async fn damage_is_told_from_changes_and_names_what_is_whole() {
    let lockers = Lockers::with_quota(100_000).await;
    let drive = &lockers.drive;
    for (name, fill) in [("a", 1), ("twin", 1), ("b", 2), ("c", 3), ("d", 4)] {
        lockers.put(name, &[fill; 2000]).await.unwrap();
    }
    // A version of b, and another name for c.
    lockers.put("b", &[5; 2000]).await.unwrap();
    let copy = super::RelativePath::parse("c").unwrap();
    drive.copy_to(&lockers.ann, lockers.locker, &copy, &lockers.target("c2")).await.unwrap();
    let whole = drive.read_everything().await.unwrap();
    assert_eq!((whole.files, whole.bytes, whole.damaged.len()), (7, 14_000, 0), "{whole:?}");

    let at = |name: &str| lockers.folder().join(name);
    rot(&at("a"));
    rot(&at("c"));
    fs::write(at("d"), [6; 2000]).unwrap();
    let versions = lockers.drive_root().join("versions/ann");
    let mut version = fs::read_dir(&versions).unwrap().map(|it| it.unwrap().path());
    let version = version.find(|it| it.is_dir()).unwrap().join("b");
    rot(&version);
    for found in [drive.read_everything().await.unwrap(), direct(&lockers).await] {
        assert_eq!((found.files, found.changed), (6, 1), "{found:?}");
        let mut told: Vec<_> = found.damaged.iter().map(|it| (&*it.place, &it.intact)).collect();
        told.sort();
        let of_version = version.strip_prefix(lockers.drive_root()).unwrap().to_str().unwrap();
        assert_eq!(
            told,
            [
                ("lockers/ann/a", &Some("lockers/ann/twin".to_owned())),
                // Two names of one damaged inode.
                ("lockers/ann/c", &None),
                ("lockers/ann/c2", &None),
                (of_version, &None),
            ]
        );
        let damage = found.damaged.iter().find(|it| it.place == "lockers/ann/a").unwrap();
        assert_eq!((&*damage.owner, &*damage.expected), ("lockers/ann", &*hash(&[1; 2000])));
        assert_eq!(damage.found.as_deref(), Some(&*hash(&fs::read(at("a")).unwrap())));
        let sentence = damage.sentence();
        assert!(sentence.contains("is damaged") && sentence.contains("whole at lockers/ann/twin"));
    }
}

/// What cannot be read is named, and the rest is read.
#[test]
fn what_cannot_be_read_stops_nothing() {
    without_privileges(async || {
        let lockers = Lockers::with_quota(100_000).await;
        for (name, fill) in [("a", 1), ("b", 2)] {
            lockers.put(name, &[fill; 2000]).await.unwrap();
        }
        let set_mode = |mode| {
            let mode = fs::Permissions::from_mode(mode);
            fs::set_permissions(lockers.folder().join("a"), mode).unwrap();
        };
        set_mode(0);
        let found = lockers.drive.read_everything().await.unwrap();
        set_mode(0o644);
        assert_eq!((found.files, found.damaged.len()), (2, 1), "{found:?}");
        assert_eq!(found.damaged[0].place, "lockers/ann/a");
        assert!(found.damaged[0].sentence().contains("cannot be read"), "{found:?}");
        // One bad file is no reason to refuse others.
        lockers.put("c", &[3; 2000]).await.unwrap();
    });
}

#[tokio::test]
async fn once_a_month_everything_is_read_by_itself() {
    let clock = Clock::manual(Clock::System.now());
    let app = TestApp::spawn_at(clock.clone(), |config| {
        config.drive = config.data.with_file_name("drive");
    })
    .await;
    let lockers = Lockers::over(app, 100_000).await;
    let drive = &lockers.drive;
    for (name, fill) in [("a", 1), ("b", 2)] {
        lockers.put(name, &[fill; 2000]).await.unwrap();
    }
    let asked = async |path: &str| -> Value {
        let asked = reqwest::Client::new().get(lockers.app.url(path));
        asked.basic_auth(ADMIN.0, Some(ADMIN.1)).send().await.unwrap().json().await.unwrap()
    };
    drive.scrub_if_due().await.unwrap();
    rot(&lockers.folder().join("a"));
    drive.scrub_if_due().await.unwrap();
    assert_eq!(drive.scrub_state().await.unwrap().files, 0, "it was not time");
    assert_eq!(asked("/health").await["files"], "ok");

    clock.advance(MONTH);
    drive.scrub_if_due().await.unwrap();
    let state = drive.scrub_state().await.unwrap();
    assert_eq!((state.files, state.bytes, state.began_at), (2, 4000, None));
    let health = asked("/health").await;
    assert_eq!((&health["status"], &health["files"]), (&"degraded".into(), &"damaged".into()));
    let server = asked("/api/v1/server").await;
    assert!(server["attention"].to_string().contains("lockers/ann/a is damaged"), "{server}");
    let notices = lockers.accounts.notices(&lockers.admin, false).await.unwrap();
    assert!(notices.iter().any(|it| it.text.contains("lockers/ann/a")), "{notices:?}");

    // What is good again, or gone, is no damage.
    lockers.put("a", &[7; 2000]).await.unwrap();
    clock.advance(MONTH);
    drive.scrub_if_due().await.unwrap();
    assert_eq!(drive.damaged().await.unwrap().0, 1, "the version that was made of it");
    let versions = drive
        .versions(&lockers.ann, lockers.locker, &super::RelativePath::parse("a").unwrap())
        .await
        .unwrap();
    drive.delete_version(&lockers.ann, &versions[0].id).await.unwrap();
    clock.advance(MONTH);
    drive.scrub_if_due().await.unwrap();
    assert_eq!(asked("/health").await["files"], "ok");
    assert!(lockers.accounts.notices(&lockers.admin, false).await.unwrap().is_empty());
}
