//! A disk that is really full.

use std::{fs, path::Path, process::Command};

use tunelocker::{
    Error,
    drive::{Condition, NewUpload, RelativePath, UploadForm},
};

use super::{Lockers, body};
use crate::harness::TestApp;

/// A small file system of its own; unmounted when dropped.
struct Tmpfs(tempfile::TempDir);

impl Tmpfs {
    fn mount(size: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = format!("size={size},mode=0755");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tunelocker-test"])
            .arg(folder.path())
            .status()
            .unwrap();
        assert!(mounted.success(), "mounting a tmpfs needs root");
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[tokio::test]
async fn a_full_disk_refuses_and_recovers() {
    let disk = Tmpfs::mount("4m");
    let root = disk.path().to_owned();
    let app = TestApp::spawn_with(|config| config.drive = root).await;
    let lockers = Lockers::over(app, 1_000_000_000).await;
    let put = async |name: &str, size: usize, declared: bool| {
        let bytes = vec![7; size];
        let declared = declared.then_some(size as u64);
        lockers.drive.put(&lockers.ann, &lockers.target(name), declared, body(&bytes)).await
    };
    put("first", 1_000_000, true).await.unwrap();
    for declared in [true, false] {
        let full = put("too large", 5_000_000, declared).await;
        assert!(matches!(full, Err(Error::StorageFull)), "{full:?}");
        let replaced = put("first", 5_000_000, declared).await;
        assert!(matches!(replaced, Err(Error::StorageFull)), "{replaced:?}");
    }
    let locker = disk.path().join("lockers/ann");
    let names: Vec<_> =
        fs::read_dir(&locker).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["first"], "nothing half-published");
    assert_eq!(fs::read(locker.join("first")).unwrap(), vec![7; 1_000_000]);
    assert_eq!(fs::read_dir(disk.path().join("staging")).unwrap().count(), 0);
    let usage = lockers.usage().await;
    assert_eq!((usage.used, usage.reserved), (1_000_000, 0));

    // Nor does one whose length comes later take what uploads leave to everything else.
    let later = NewUpload {
        path: Some(RelativePath::parse("later").unwrap()),
        locker: lockers.locker,
        condition: Condition::None,
        length: 0,
        metadata: String::new(),
    };
    let form = UploadForm { is_deferred: true, unpacks: false };
    let begun = lockers.drive.create_upload_of(&lockers.ann, &later, form).await.unwrap();
    let (send, receive) = tokio::sync::mpsc::channel(100);
    let free = rustix::fs::statvfs(disk.path()).unwrap();
    let free = usize::try_from(free.f_bavail * free.f_frsize).unwrap();
    for piece in vec![7; free - 40_000].chunks(50_000) {
        send.send(bytes::Bytes::copy_from_slice(piece)).await.unwrap();
    }
    drop(send);
    let ann = lockers.ann.clone();
    let full = lockers.drive.clone().append_upload(ann, begun.id.clone(), 0, None, receive).await;
    assert!(matches!(full, Err(Error::StorageFull)), "{full:?}");
    let kept = lockers.drive.upload(&lockers.ann, &begun.id).await.unwrap();
    assert!(0 < kept.offset, "what came before stays");
    lockers.drive.terminate_upload(&lockers.ann, &begun.id).await.unwrap();

    // Over HTTP it says so.
    let secret = lockers.accounts.create_app_password(&lockers.ann, "curl").await.unwrap().secret;
    let url = lockers.app.url("/api/v1/files/too%20large");
    let answer =
        reqwest::Client::new().put(url).bearer_auth(secret).body(vec![7; 5_000_000]).send().await;
    let answer = answer.unwrap();
    assert_eq!(answer.status(), 507);
    let problem: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(problem["type"], "disk_full");

    // Reading and deleting go on, and room made is room.
    let path = RelativePath::parse("first").unwrap();
    lockers.drive.open_file(&lockers.ann, lockers.locker, &path).await.unwrap();
    lockers
        .drive
        .remove(&lockers.ann, lockers.locker, &path, &tunelocker::drive::Condition::default())
        .await
        .unwrap();
    put("second", 2_000_000, true).await.unwrap();
    assert_eq!(lockers.usage().await.used, 2_000_000);
}
