//! Killed while a newer version changes the schema of an older one's database: the next start brings it
//! to its end, nothing that was in it is lost, and the copy of before is whole.

use std::{borrow::Cow, path::Path, time::Instant};

use sqlx::{
    Connection as _, SqliteConnection,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode},
};

use crate::harness::{
    daemon::{Daemon, Folders, folders},
    times,
};

/// The schema that the older version knew.
const OLDER: i64 = 16;
const DEATHS: u64 = 12;
const ROWS: i64 = 3_000;

/// Every migration that this version knows.
async fn known() -> Migrator {
    Migrator::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations")).await.unwrap()
}

/// A database as the older version left it, with something in it.
async fn older(path: &Path) {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal);
    let mut database = SqliteConnection::connect_with(&options).await.unwrap();
    let known = known().await;
    let migrations: Vec<_> = known.iter().filter(|one| one.version <= OLDER).cloned().collect();
    let migrator = Migrator { migrations: Cow::Owned(migrations), ..Migrator::DEFAULT };
    migrator.run(&mut database).await.unwrap();
    sqlx::query(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < ?)
         insert into meta (key, value) select 'row ' || i, hex(randomblob(300)) from n",
    )
    .bind(ROWS)
    .execute(&mut database)
    .await
    .unwrap();
    database.close().await.unwrap();
}

/// What a database says: of its health, of the rows that were there before, and of its schema.
async fn said(path: &Path) -> (String, i64, i64) {
    let options = SqliteConnectOptions::new().filename(path);
    let mut database = SqliteConnection::connect_with(&options).await.unwrap();
    let health: String =
        sqlx::query_scalar("pragma integrity_check").fetch_one(&mut database).await.unwrap();
    let astray = sqlx::query("pragma foreign_key_check").fetch_all(&mut database).await.unwrap();
    assert!(astray.is_empty());
    let rows = sqlx::query_scalar("select count(*) from meta where key like 'row %'")
        .fetch_one(&mut database)
        .await
        .unwrap();
    let schema = sqlx::query_scalar("select max(version) from _sqlx_migrations")
        .fetch_one(&mut database)
        .await
        .unwrap();
    database.close().await.unwrap();
    (health, rows, schema)
}

#[tokio::test]
async fn killed_while_the_schema_changes() {
    let newest = known().await.iter().map(|one| one.version).max().unwrap();
    let home = tempfile::tempdir().unwrap();
    let original = home.path().join("older.db");
    older(&original).await;
    let begin = |name: &str| -> Folders {
        let folders = folders(&home.path().join(name));
        std::fs::copy(&original, folders.data.join("tunelocker.db")).unwrap();
        folders
    };
    let unhurt = begin("unhurt");
    let began = Instant::now();
    let mut daemon = Daemon::start(&unhurt);
    let whole = began.elapsed();
    daemon.kill();

    let mut halfway = 0;
    for death in 0..DEATHS * times() {
        let folders = begin(&format!("death {death}"));
        let mut child = folders.command("serve");
        child.args(["--no-lan", "--listen", "127.0.0.1:0"]).stdout(std::process::Stdio::null());
        let mut child = child.stderr(std::process::Stdio::null()).spawn().unwrap();
        let part = u32::try_from(death % DEATHS).unwrap() * 2 + 1;
        tokio::time::sleep(whole * part / (u32::try_from(DEATHS).unwrap() * 2)).await;
        child.kill().unwrap();
        child.wait().unwrap();
        let database = folders.data.join("tunelocker.db");
        let (health, rows, schema) = said(&database).await;
        assert_eq!((&*health, rows), ("ok", ROWS), "death {death}");
        halfway += usize::from(OLDER < schema && schema < newest);

        let mut daemon = Daemon::start(&folders);
        let health = reqwest::get(format!("http://{}/health", daemon.http)).await.unwrap();
        assert!(health.status().is_success());
        daemon.kill();
        assert_eq!(said(&database).await, ("ok".to_owned(), ROWS, newest), "death {death}");
        let copy = folders.data.join(format!("tunelocker-before-{newest}.db"));
        assert_eq!(said(&copy).await, ("ok".to_owned(), ROWS, OLDER), "death {death}");
        std::fs::remove_dir_all(folders.data.parent().unwrap()).unwrap();
    }
    assert!(0 < halfway, "none died in the midst of it");
}
