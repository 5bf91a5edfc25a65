//! That a database of an older version is whole when it is brought up to date.

use std::borrow::Cow;

use super::*;
use crate::Error;

/// Nobody is served from a damaged database as if nothing had been.
#[tokio::test]
async fn damage_is_found_and_nothing_more_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    let db = Db::open(&path).await.unwrap();
    let mut tx = db.write().await.unwrap();
    sqlx::query(
        "with recursive n (i) as (select 1 union all select i + 1 from n where i < 300)
         insert into meta (key, value) select 'key ' || i, hex(zeroblob(1500)) from n",
    )
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    db.check_quickly().await.unwrap();
    db.close().await;
    let mut bytes = std::fs::read(&path).unwrap();
    let from = bytes.len() - 40 * 4096;
    bytes[from..from + 8 * 4096].fill(0xff);
    std::fs::write(&path, bytes).unwrap();

    // After a clean end nobody waits for a look at it; who looks tells.
    let db = Db::open(&path).await.unwrap();
    let found = db.check_quickly().await.unwrap_err();
    assert!(matches!(&found, Error::StorageDegraded(what) if what.contains("damaged")), "{found}");
    let refused = db.write().await.unwrap_err();
    assert!(matches!(refused, Error::StorageDegraded(_)), "{refused}");
    assert!(db.damage().await.unwrap()[0].starts_with("The database is damaged"));
    let still = db.try_storage().await.unwrap_err();
    assert!(matches!(still, Error::StorageDegraded(_)), "{still}");
    assert!(db.answers().await);
    db.close().await;

    // After another one it is looked at before anything is done with it.
    std::fs::write(path.with_file_name("old.db-wal"), "").unwrap();
    let refused = Db::open(&path).await.unwrap_err().to_string();
    assert!(refused.contains("is damaged"), "{refused}");
}

/// A full or failing disk makes SQLite take a transaction back by itself.
#[tokio::test]
async fn the_writer_goes_on_after_a_transaction_that_took_itself_back() {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(&folder.path().join("new.db")).await.unwrap();
    let mut tx = db.write().await.unwrap();
    // What SQLite does then, without anybody telling the pool.
    sqlx::raw_sql("rollback").execute(&mut *tx).await.unwrap();
    assert!(tx.commit().await.is_err());
    let mut tx = db.write().await.unwrap();
    sqlx::query("insert into meta (key, value) values ('a', 'b')").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
}

/// The schema up to this version, as the program of that day left it.
async fn at_version(path: &Path, version: i64) -> sqlx::SqliteConnection {
    let older: Vec<_> =
        MIGRATIONS.iter().filter(|migration| migration.version <= version).cloned().collect();
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    let migrator = Migrator { migrations: Cow::Owned(older), ..Migrator::DEFAULT };
    migrator.run(&mut connection).await.unwrap();
    connection
}

/// What lists are made of, filled from what was there.
#[tokio::test]
async fn lists_of_an_older_database_are_filled() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    let mut old = at_version(&path, 119).await;
    sqlx::raw_sql(
        "insert into library (library_id, name, kind, path, created_at) values (1, 'Music', 'folder', '/m', 0);
         insert into picture (picture_id, hash, mime, width, height, size_bytes, library_id, path, is_embedded)
         values (1, unhex('0a1b2c3d4e'), 'image/jpeg', 1, 1, 1, 1, 'x', 0);
         insert into folder (folder_id, library_id, parent_id, path, name, created_at)
         values (1, 1, null, '', '', 0), (2, 1, 1, 'A', 'A', 0), (3, 1, 2, 'A/B', 'B', 0), (4, 1, 1, 'C', 'C', 0);
         insert into artist (artist_id, key, name, name_key, sort_name, order_key, created_at) values (1, 'a', 'A', 'a', 'A', 'a', 0);
         insert into album (album_id, library_id, key, name, sort_name, order_key, folder_id, picture_id, track_count, created_at)
         values (1, 1, 'k', 'B', 'B', 'b', 3, 1, 3, 0), (2, 1, 'l', 'Gone', 'Gone', 'gone', 4, null, 0, 0);
         insert into artist_work (artist_id, library_id, tracks, albums, roles, picture_id, picture_year)
         values (1, 1, 3, 1, ',artist,', 1, null);
         insert into genre (genre_id, name) values (1, 'Pop'), (2, 'Rock');
         insert into track (track_id, library_id, album_id, path, size_bytes, modified_ns, title, sort_title, order_key,
                            duration_ms, container, codec, suffix, missing_at, created_at, changed_at)
         values (1, 1, 1, '1', 1, 1, 't', 't', 't', 1, 'flac', 'flac', 'flac', null, 0, 0),
                (2, 1, 1, '2', 1, 1, 't', 't', 't', 1, 'flac', 'flac', 'flac', null, 0, 0),
                (3, 1, 2, '3', 1, 1, 't', 't', 't', 1, 'flac', 'flac', 'flac', 5, 0, 0);
         insert into track_genre (track_id, position, genre_id) values (1, 0, 1), (1, 1, 2), (2, 0, 2), (3, 0, 1);",
    )
    .execute(&mut old)
    .await
    .unwrap();
    old.close().await.unwrap();

    let db = Db::open(&path).await.unwrap();
    let rows = async |sql: &'static str| -> Vec<String> {
        sqlx::query_scalar(sql).fetch_all(db.read()).await.unwrap()
    };
    // Of an album whose tracks are gone nothing is listed.
    let genres = rows(
        "select g.name || ' ' || ga.order_key || ' ' || ga.album_id || ' ' || ga.library_id || ' ' || ga.place || ' ' || ga.tracks
         from genre_album ga join genre g using (genre_id) order by ga.place",
    );
    assert_eq!(genres.await, ["Rock b 1 1 0 2", "Pop b 1 1 1 1"]);
    let faces = rows(
        "select path || ':' || coalesce(face_id || ' ' || face_hash, '') from folder order by folder_id",
    );
    assert_eq!(faces.await, [":", "A:1 0A1B2C3D", "A/B:1 0A1B2C3D", "C:"]);
    let covers = rows("select coalesce(picture_hash, '') from album order by album_id");
    assert_eq!(covers.await, ["0A1B2C3D", ""]);
    let works = rows("select picture_hash from artist_work");
    assert_eq!(works.await, ["0A1B2C3D"]);
    db.close().await;
}

/// What an older version wrote is there beside, as it was, once; a copy of an earlier time goes.
#[tokio::test]
async fn a_copy_is_kept_of_what_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    let mut old = at_version(&path, 119).await;
    sqlx::query("insert into meta (key, value) values ('mark', 'old')")
        .execute(&mut old)
        .await
        .unwrap();
    old.close().await.unwrap();
    let stale = folder.path().join("tunelocker-before-7.db");
    std::fs::write(&stale, "of long ago").unwrap();
    let mark = async |path: &Path| -> (String, i64) {
        let options = SqliteConnectOptions::new().filename(path).read_only(true);
        let mut found = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
        let sql = "select (select value from meta where key = 'mark'), max(version) from _sqlx_migrations";
        sqlx::query_as(sql).fetch_one(&mut found).await.unwrap()
    };
    let newest = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap();
    let copy = folder.path().join(format!("tunelocker-before-{newest}.db"));
    let db = Db::open(&path).await.unwrap();
    let mut tx = db.write().await.unwrap();
    sqlx::query("update meta set value = 'new' where key = 'mark'")
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    db.close().await;
    assert!(!stale.exists());
    assert_eq!(mark(&copy).await, ("old".to_owned(), 115));
    // Up to date: nothing is copied again.
    Db::open(&path).await.unwrap().close().await;
    assert_eq!(mark(&copy).await, ("old".to_owned(), 115));
    assert_eq!(mark(&path).await, ("new".to_owned(), newest));
}

/// Where there is no room for the copy, nothing is changed.
#[tokio::test]
async fn without_a_copy_nothing_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    at_version(&path, 119).await.close().await.unwrap();
    let newest = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap();
    // A folder with something in it stands where the copy would be written.
    let part = folder.path().join(format!("tunelocker-before-{newest}.part"));
    std::fs::create_dir_all(part.join("inside")).unwrap();
    let refused = format!("{:#}", Db::open(&path).await.unwrap_err());
    assert!(refused.contains("nothing was changed"), "{refused}");
    let mut left = at_version(&path, 119).await;
    let (version,): (i64,) = sqlx::query_as("select max(version) from _sqlx_migrations")
        .fetch_one(&mut left)
        .await
        .unwrap();
    assert_eq!(version, 115);
}

/// A schema that cannot be read is not taken for an empty one.
#[tokio::test]
async fn what_cannot_be_read_is_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("odd.db");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut odd = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query("create table _sqlx_migrations (odd)").execute(&mut odd).await.unwrap();
    odd.close().await.unwrap();
    let before = std::fs::read(&path).unwrap();
    let refused = format!("{:#}", Db::open(&path).await.unwrap_err());
    assert!(refused.contains("odd.db"), "{refused}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}
