//! What `/health` says of the database, and what becomes of one that is damaged while it is served.

use std::os::unix::fs::FileExt as _;

use serde_json::Value;
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tunelocker::{Error, accounts::NewUser, ops::database};

use crate::harness::TestApp;

const NOW: i64 = 1_700_000_000_000;
const WEEK: i64 = 7 * 24 * 3600 * 1000;

async fn health(app: &TestApp) -> Value {
    reqwest::get(app.url("/health")).await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn a_database_that_rots_is_found_and_not_written_to() {
    let app = TestApp::spawn().await;
    let (db, accounts) = (&app.services.db, &app.services.accounts);
    database::check_if_due(db, NOW).await.unwrap();
    let said = health(&app).await;
    let states = ["database", "storage", "files", "backup"].map(|name| &said[name]);
    assert_eq!(states, ["ok", "ok", "ok", "none"], "{said}");

    // Something large, all of it in its file; then pages of it rot.
    let file = app.folder.path().join("data/tunelocker.db");
    let options = SqliteConnectOptions::new().filename(&file);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query(
        "with recursive n (i) as (select 1 union all select i + 1 from n where i < 300)
         insert into meta (key, value) select 'key ' || i, hex(zeroblob(1500)) from n",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    sqlx::query("pragma wal_checkpoint(truncate)").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let pages = std::fs::OpenOptions::new().write(true).open(&file).unwrap();
    let from = pages.metadata().unwrap().len() - 40 * 4096;
    pages.write_all_at(&[0xff; 8 * 4096], from).unwrap();

    database::check_if_due(db, NOW + WEEK - 1).await.unwrap();
    assert_eq!(health(&app).await["database"], "ok", "it was not time");
    let found = database::check_if_due(db, NOW + WEEK).await.unwrap_err();
    assert!(matches!(&found, Error::StorageDegraded(what) if what.contains("damaged")), "{found}");
    let said = health(&app).await;
    assert_eq!((&said["status"], &said["database"]), (&"degraded".into(), &"degraded".into()));
    let new = NewUser::new("ann", "ann's very own");
    let refused = accounts.create_user(&accounts.operator(), &new).await;
    assert!(matches!(refused, Err(Error::StorageDegraded(_))), "{refused:?}");
}
