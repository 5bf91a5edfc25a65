//! A backup that is made by itself reads back what it wrote, and now and then all of it: one that
//! cannot be brought back is no backup.

use std::{fs, path::PathBuf};

use serde_json::Value;
use tunelocker::{accounts::BackupPlan, ops::backup::Choice};

use super::{ADMIN, Lockers};

struct Cellar {
    lockers: Lockers,
    plan: BackupPlan,
    folder: tempfile::TempDir,
}

impl Cellar {
    async fn new() -> Self {
        let lockers = Lockers::with_quota(1_000_000).await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("backup").to_str().unwrap().to_owned();
        let plan = BackupPlan { folder: path, every_hours: 24, keep: 1, has_files: true };
        lockers.accounts.set_backup_plan(&lockers.admin, Some(&plan)).await.unwrap();
        Self { lockers, plan, folder }
    }

    async fn take(&self) -> tunelocker::Result<String> {
        let backups = &self.lockers.app.services.backups;
        let taken = backups.take(&self.lockers.accounts.operator(), Choice::from(&self.plan)).await;
        taken.map(|snapshot| snapshot.name)
    }

    /// Where a content lies.
    fn object(&self, bytes: &[u8]) -> PathBuf {
        let hash = blake3::hash(bytes).to_hex().to_string();
        self.folder.path().join("backup/objects").join(&hash[..2]).join(hash)
    }

    /// Other bytes in its place.
    fn spoil(&self, bytes: &[u8]) {
        let place = self.object(bytes);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        let _ = fs::remove_file(&place);
        fs::write(place, vec![0; bytes.len()]).unwrap();
    }

    fn snapshots(&self) -> usize {
        fs::read_dir(self.folder.path().join("backup/snapshots")).unwrap().count()
    }

    async fn ask(&self, path: &str) -> Value {
        let asked = reqwest::Client::new().get(self.lockers.app.url(path));
        asked.basic_auth(ADMIN.0, Some(ADMIN.1)).send().await.unwrap().json().await.unwrap()
    }

    /// Health, panel and notices say that it failed, over this file.
    async fn assert_told(&self, file: &str) {
        let health = self.ask("/health").await;
        let states = (&health["status"], &health["backup"]);
        assert_eq!(states, (&"degraded".into(), &"failed".into()), "{health}");
        let worry = self.ask("/api/v1/backups").await["worry"].to_string();
        assert!(worry.contains("does not read back") && worry.contains(file), "{worry}");
        let notices = self.lockers.accounts.notices(&self.lockers.admin, false).await.unwrap();
        assert!(notices.iter().any(|it| it.text.contains(file)), "{notices:?}");
    }
}

#[tokio::test]
async fn a_plan_that_is_not_understood_is_told() {
    let cellar = Cellar::new().await;
    let database = cellar.lockers.app.folder.path().join("data/tunelocker.db");
    let database = sqlx::SqlitePool::connect(database.to_str().unwrap()).await.unwrap();
    let later = "update setting set value = '{\"every\": \"week\"}' where name = 'backup.plan'";
    assert_eq!(sqlx::query(later).execute(&database).await.unwrap().rows_affected(), 1);
    let shown = cellar.ask("/api/v1/backups").await;
    let worry = shown["worry"].as_str().unwrap_or_default();
    assert!(worry.starts_with("The backup plan cannot be read; set it again"), "{shown}");
    cellar.lockers.accounts.backup_plan().await.unwrap_err();
    cellar
        .lockers
        .accounts
        .set_backup_plan(&cellar.lockers.admin, Some(&cellar.plan))
        .await
        .unwrap();
    assert_eq!(cellar.lockers.accounts.backup_plan().await.unwrap().as_ref(), Some(&cellar.plan));
}

#[tokio::test]
async fn a_planned_backup_reads_back_what_it_wrote() {
    let cellar = Cellar::new().await;
    let (first, second) = ([1; 5000], [2; 6000]);
    cellar.lockers.put("first", &first).await.unwrap();
    let good = cellar.take().await.unwrap();
    assert_eq!(cellar.ask("/health").await["backup"], "ok");

    // As if its disk had kept other bytes than it was given.
    cellar.spoil(&second);
    cellar.lockers.put("second", &second).await.unwrap();
    let failed = cellar.take().await.unwrap_err();
    assert!(failed.to_string().contains("lockers/ann/second"), "{failed}");
    cellar.assert_told("lockers/ann/second").await;
    // The good one was not pushed out by it.
    assert!(cellar.folder.path().join("backup/snapshots").join(good).exists());

    // The next one brings it again.
    cellar.take().await.unwrap();
    assert_eq!(fs::read(cellar.object(&second)).unwrap(), second);
    assert_eq!(cellar.snapshots(), 1);
    assert_eq!(cellar.ask("/health").await["backup"], "ok");
    assert!(
        cellar.lockers.accounts.notices(&cellar.lockers.admin, false).await.unwrap().is_empty()
    );
}

#[tokio::test]
async fn what_was_backed_up_long_ago_is_read_again() {
    let cellar = Cellar::new().await;
    let song = [3; 7000];
    cellar.lockers.put("song", &song).await.unwrap();
    cellar.take().await.unwrap();
    cellar.spoil(&song);
    let mut good = 1;
    let failed = loop {
        match cellar.take().await {
            Ok(_) => good += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(good, 6, "each seventh reads everything");
    assert!(failed.to_string().contains("lockers/ann/song"), "{failed}");
    cellar.assert_told("lockers/ann/song").await;
    cellar.take().await.unwrap();
    assert_eq!(fs::read(cellar.object(&song)).unwrap(), song);
}
