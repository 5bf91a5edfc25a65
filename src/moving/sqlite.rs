//! A SQLite database of another program. It is opened read-only and immutable; where changes wait
//! in a log beside it, a copy of both is read. Tables and columns that are not there are empty.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use futures_util::TryStreamExt as _;
use sqlx::{
    AssertSqlSafe, Connection as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions,
};

use super::gather::Row;
use crate::{Error, Result};

/// Longest text of a value; a playlist of Jellyfin is one.
const LONGEST: usize = 16_000_000;
/// Rows of a table.
const MOST_ROWS: usize = 20_000_000;

/// An open database.
pub(super) struct Source {
    connection: SqliteConnection,
    path: PathBuf,
    // Removed when it is let go.
    _copy: Option<Copy>,
}

/// A folder of our own with a copy in it.
struct Copy(PathBuf);

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Source {
    /// Opens a file.
    pub(super) async fn open(path: &Path) -> Result<Self> {
        let mut magic = [0; 16];
        let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut magic));
        if let Err(error) = &read
            && error.kind() != std::io::ErrorKind::UnexpectedEof
        {
            return Err(Error::Invalid(format!("{} cannot be read: {error}", path.display())));
        }
        if read.is_err() || &magic != b"SQLite format 3\0" {
            return Err(Error::Invalid(format!("{} is no SQLite database", path.display())));
        }
        let log = beside(path, "-wal");
        let waits = fs::metadata(&log).is_ok_and(|log| 0 < log.len());
        let options = SqliteConnectOptions::new().pragma("trusted_schema", "off");
        let (options, copy) = if waits {
            let copy = copy(path, &log)?;
            let options = options.filename(copy.0.join("copy.db"));
            (options, Some(copy))
        } else {
            (options.filename(path).read_only(true).immutable(true), None)
        };
        let connection = SqliteConnection::connect_with(&options)
            .await
            .map_err(|error| unreadable(path, &error))?;
        Ok(Self { connection, path: path.to_owned(), _copy: copy })
    }

    /// The columns of a table; none: there is no such table.
    async fn columns(&mut self, table: &str) -> Result<Vec<String>> {
        let rows = sqlx::query("select name from pragma_table_info(?)")
            .bind(table)
            .fetch_all(&mut self.connection)
            .await
            .map_err(|error| unreadable(&self.path, &error))?;
        Ok(rows.iter().map(|row| row.get("name")).collect())
    }

    /// Whether there is such a table.
    pub(super) async fn has(&mut self, table: &str) -> Result<bool> {
        Ok(!self.columns(table).await?.is_empty())
    }

    /// The wanted columns of every row that fits. Of a column `a/b` the first that is there is
    /// read; `hex:a` is read as hexadecimal digits. `tail` is SQL of ours after the table.
    pub(super) async fn rows(
        &mut self,
        table: &str,
        wanted: &[&str],
        tail: &str,
    ) -> Result<Vec<Row>> {
        let columns = self.columns(table).await?;
        if columns.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!("select {} from \"{table}\" {tail}", selected(&columns, wanted));
        let mut found = Vec::new();
        let mut rows = sqlx::query(AssertSqlSafe(sql)).fetch(&mut self.connection);
        let path = &self.path;
        while let Some(row) = rows.try_next().await.map_err(|error| unreadable(path, &error))? {
            if MOST_ROWS <= found.len() {
                return Err(Error::Invalid(format!("{} is too long", path.display())));
            }
            let text = |at: usize| {
                let bytes: Option<Vec<u8>> = row.try_get_unchecked(at).ok()?;
                bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            };
            found.push(Row((0..wanted.len()).map(text).collect()));
        }
        Ok(found)
    }
}

fn selected(columns: &[String], wanted: &[&str]) -> String {
    let one = |wanted: &&str| {
        let (is_hex, names) =
            wanted.strip_prefix("hex:").map_or((false, *wanted), |names| (true, names));
        let column = names
            .split('/')
            .find_map(|name| columns.iter().find(|column| column.eq_ignore_ascii_case(name)));
        match column {
            None => "null".to_owned(),
            Some(column) => {
                let column = column.replace('"', "\"\"");
                let value = if is_hex { "hex" } else { "" };
                format!("cast(substr(cast({value}(\"{column}\") as text), 1, {LONGEST}) as blob)")
            }
        }
    };
    wanted.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// A path with something after its name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn copy(path: &Path, log: &Path) -> Result<Copy> {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut name = [0; 8];
    getrandom::fill(&mut name).map_err(|error| Error::Internal(anyhow::anyhow!("{error}")))?;
    let folder = std::env::temp_dir().join(format!("tunelocker-import-{}", hex::encode(name)));
    let cannot = |error: std::io::Error| {
        Error::Invalid(format!(
            "changes wait in {}, and no copy could be made in {} to read them: {error}. Stop the other server and try again",
            log.display(),
            folder.display()
        ))
    };
    fs::DirBuilder::new().mode(0o700).create(&folder).map_err(cannot)?;
    let copy = Copy(folder.clone());
    fs::copy(path, folder.join("copy.db")).map_err(cannot)?;
    fs::copy(log, folder.join("copy.db-wal")).map_err(cannot)?;
    Ok(copy)
}

fn unreadable(path: &Path, error: &sqlx::Error) -> Error {
    Error::Invalid(format!("{} cannot be read: {error}", path.display()))
}
