//! Many rows in one statement: rows travel as one JSON text into `json_each(?)`. Every statement
//! through sqlx costs a hop to another thread, so a batch of a thousand tracks must not be
//! thousands of statements.

use serde::Serialize;
use sqlx::AssertSqlSafe;

use crate::{Result, db::Tx};

/// A JSON array of arrays under construction.
#[derive(Debug)]
pub(super) struct Rows {
    text: Vec<u8>,
    count: usize,
}

/// One row of it.
pub(super) struct Row<'a> {
    text: &'a mut Vec<u8>,
    is_first: bool,
}

impl Rows {
    pub(super) fn new() -> Self {
        Self { text: vec![b'['], count: 0 }
    }

    /// Appends a row; fill it in the order of the statement's `value->>0`, `value->>1`, ...
    pub(super) fn row(&mut self, fill: impl FnOnce(&mut Row<'_>)) {
        if 0 < self.count {
            self.text.push(b',');
        }
        self.text.push(b'[');
        fill(&mut Row { text: &mut self.text, is_first: true });
        self.text.push(b']');
        self.count += 1;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Runs a statement that reads `json_each(?)` once with the rows, unless there are none.
    pub(super) async fn run(self, tx: &mut Tx, sql: &'static str) -> Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        // `json_each` writes its `value` out anew each time a column of the row is taken from it;
        // kept in a table of its own it is written once.
        let sql = format!(
            "with j (value) as materialized (select value from json_each(?)) {}",
            sql.replacen("json_each(?)", "j", 1)
        );
        sqlx::query(AssertSqlSafe(sql)).bind(self.into_text()).execute(&mut **tx).await?;
        Ok(())
    }

    pub(super) fn into_text(mut self) -> String {
        self.text.push(b']');
        String::from_utf8(self.text).unwrap_or_default()
    }
}

impl Row<'_> {
    /// A number, an optional value, JSON.
    pub(super) fn value(&mut self, value: impl Serialize) -> &mut Self {
        if !self.is_first {
            self.text.push(b',');
        }
        self.is_first = false;
        let before = self.text.len();
        if serde_json::to_writer(&mut *self.text, &value).is_err() {
            self.text.truncate(before);
            self.text.extend_from_slice(b"null");
        }
        self
    }

    /// Text. SQLite text cannot hold NUL.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        if text.contains('\0') { self.value(text.replace('\0', "")) } else { self.value(text) }
    }

    /// Text or null.
    pub(super) fn option(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.text(text),
            None => self.value(()),
        }
    }

    /// Bytes, for `unhex(value->>n)`.
    pub(super) fn hex(&mut self, bytes: &[u8]) -> &mut Self {
        self.value(hex::encode(bytes))
    }
}

/// `[1,2,3]` or `["a","b"]`, for `in (select value from json_each(?))`.
pub(super) fn list<T: Serialize>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<T> = items.into_iter().collect();
    serde_json::to_string(&items).unwrap_or_else(|_| "[]".to_owned())
}

/// The last id that an autoincrement table gave out. Inside the write transaction the next ones
/// are ours.
pub(super) async fn last_id(tx: &mut Tx, table: &'static str) -> Result<i64> {
    let last = sqlx::query_scalar::<_, i64>("select seq from sqlite_sequence where name = ?")
        .bind(table)
        .fetch_optional(&mut **tx)
        .await?;
    Ok(last.unwrap_or(0))
}
