//! Builds a scratch database from `migrations/`, so that `sqlx::query!` can check every query
//! against the real schema at compile time with no server and no checked-in cache.

use std::{env, path::Path};

use sqlx::{
    Connection,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteConnection},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=migrations");
    let path = Path::new(&env::var("OUT_DIR")?).join("schema.db");
    let _ = std::fs::remove_file(&path);
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut connection = <SqliteConnection as Connection>::connect_with(&options).await?;
    Migrator::new(Path::new("migrations")).await?.run(&mut connection).await?;
    connection.close().await?;
    println!("cargo:rustc-env=DATABASE_URL=sqlite://{}", path.display());
    Ok(())
}
