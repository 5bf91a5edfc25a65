//! Folders and files that may not be read: nothing known is forgotten for that, and what becomes
//! readable later is read by the next scan.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use tunelocker::ingest::ScanKind;

use super::{over, scan, tracks};
use crate::harness::{denied::without_privileges, music::flac};

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_may_not_be_read_is_not_forgotten_and_comes_later() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("music");
    for name in ["a/one", "b/two", "c/three"] {
        flac(&format!("{name}.flac")).of("Ann", "Album", name).write(&root);
    }
    let hidden = flac("b/later.flac").of("Ann", "Album", "later").write(&root);
    without_privileges(async || {
        set_mode(&hidden, 0);
        let app = over(&root).await;
        // In the order of their paths.
        let titles = async || {
            let list = tracks(&app).await;
            list.into_iter().map(|track| track.title.clone()).collect::<Vec<_>>()
        };
        assert_eq!(titles().await, ["a/one", "b/two", "c/three"]);
        assert_eq!(fs::read(&hidden).unwrap_err().kind(), std::io::ErrorKind::PermissionDenied);

        // Its size and time stay, and so do those of its folder.
        set_mode(&hidden, 0o644);
        scan(&app, ScanKind::Changes).await;
        assert_eq!(titles().await, ["a/one", "later", "b/two", "c/three"]);

        // A folder, then all of it, is closed to us.
        for closed in [root.join("a"), root.clone()] {
            set_mode(&closed, 0);
            scan(&app, ScanKind::Full).await;
            assert_eq!(titles().await.len(), 4, "{}", closed.display());
            set_mode(&closed, 0o755);
        }
        scan(&app, ScanKind::Changes).await;
        assert_eq!(titles().await.len(), 4);
    });
}
