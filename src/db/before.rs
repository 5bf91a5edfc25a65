//! The copy that is made of a database before a newer version changes its schema: whatever becomes
//! of that, the older version can be started over it again.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

use super::{Db, MIGRATIONS, applied};

/// What the copies are called, up to the schema that they hold.
const NAME: &str = "tunelocker-before-";

/// Copies the database to a file beside it, checks the copy and lets go of older ones; does nothing
/// if the schema is empty or of this version. A copy that is there already is kept: it was made
/// before an attempt that did not come to its end.
pub(super) async fn keep(
    connection: &mut sqlx::SqliteConnection,
    path: &Path,
) -> anyhow::Result<()> {
    let applied = applied(connection)
        .await
        .with_context(|| format!("cannot read the schema of {}", path.display()))?;
    let mut missing = MIGRATIONS.iter().filter(|migration| !applied.contains(&migration.version));
    if applied.is_empty() || missing.next().is_none() {
        return Ok(());
    }
    let newest = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0);
    let copy = path.with_file_name(format!("{NAME}{newest}.db"));
    if copy.exists() {
        return Ok(());
    }
    tracing::info!("copying the database to {} before it is brought up to date", copy.display());
    let part = copy.with_extension("part");
    let made = make(connection, &part, &copy).await;
    if made.is_err() {
        let _ = fs::remove_file(&part);
    }
    made.with_context(|| {
        format!(
            "cannot copy {} to {} before bringing it up to date; nothing was changed, and the version that wrote it can still be started",
            path.display(),
            copy.display()
        )
    })?;
    for other in others(&copy)? {
        fs::remove_file(other)?;
    }
    Ok(())
}

async fn make(
    connection: &mut sqlx::SqliteConnection,
    part: &Path,
    copy: &Path,
) -> anyhow::Result<()> {
    match fs::remove_file(part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => (),
    }
    sqlx::query("vacuum into ?").bind(part.to_string_lossy()).execute(connection).await?;
    Db::examine(part).await?;
    fs::File::open(part)?.sync_all()?;
    fs::rename(part, copy)?;
    if let Some(folder) = copy.parent() {
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Copies that were made before others.
fn others(copy: &Path) -> io::Result<Vec<PathBuf>> {
    let mut others = Vec::new();
    for entry in fs::read_dir(copy.parent().unwrap_or(Path::new(".")))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(NAME) && path != copy {
            others.push(path);
        }
    }
    Ok(others)
}
