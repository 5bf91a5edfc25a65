//! Many rows in one statement, their values bound. Every statement through sqlx costs a hop to
//! another thread, so a batch of a thousand tracks must not be thousands of statements; and text
//! that SQLite would have to take apart again costs more than the rows themselves.

use std::sync::Arc;

use serde::Serialize;
use sqlx::{Arguments as _, AssertSqlSafe, sqlite::SqliteArguments};

use crate::{Result, db::Tx, ids::LibraryId};

/// Values in one statement: few hops, and prepared statements of some 100 KB.
const MOST_VALUES: usize = 2048;
/// Statements exist for some numbers of rows alone, each this much smaller than the one before, so
/// that all of them are prepared once.
const STEP: usize = 4;
/// Where the rows stand in a statement.
const ROWS: &str = "{rows}";

/// Rows under construction.
#[derive(Debug, Default)]
pub(super) struct Rows {
    values: Vec<Bound>,
    columns: usize,
}

/// One row of it.
pub(super) struct Row<'a> {
    values: &'a mut Vec<Bound>,
}

/// A value on its way into a statement.
#[derive(Debug)]
pub(super) enum Bound {
    Null,
    Integer(i64),
    Real(f64),
    Text(Arc<str>),
    Bytes(Vec<u8>),
}

impl Rows {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Appends a row; all rows have the same number of values.
    pub(super) fn row(&mut self, fill: impl FnOnce(&mut Row<'_>)) {
        let before = self.values.len();
        fill(&mut Row { values: &mut self.values });
        self.columns = self.values.len() - before;
    }

    /// Runs a statement for all rows, unless there are none. They stand where it says `{rows}`,
    /// as `(?, ?), (?, ?)`: after `values`, or as a table whose columns are `column1`, `column2`, ...
    pub(super) async fn run(self, tx: &mut Tx, sql: &'static str) -> Result<()> {
        let columns = self.columns;
        let mut left = self.values.len().checked_div(columns).unwrap_or(0);
        let mut values = self.values.into_iter();
        let mut rows = (MOST_VALUES / columns.max(1)).max(1);
        while 0 < left {
            while left < rows {
                rows = (rows / STEP).max(1);
            }
            let text = statement(sql, rows, columns);
            while rows <= left {
                let arguments = arguments(values.by_ref().take(rows * columns))?;
                let text = AssertSqlSafe(Arc::clone(&text));
                sqlx::query_with(text, arguments).execute(&mut **tx).await?;
                left -= rows;
            }
        }
        Ok(())
    }
}

fn statement(sql: &str, rows: usize, columns: usize) -> Arc<str> {
    let row = format!("({}?)", "?,".repeat(columns.saturating_sub(1)));
    let mut text = String::with_capacity((row.len() + 1) * rows);
    for at in 0..rows {
        if 0 < at {
            text.push(',');
        }
        text.push_str(&row);
    }
    sql.replacen(ROWS, &text, 1).into()
}

fn arguments(values: impl ExactSizeIterator<Item = Bound>) -> Result<SqliteArguments> {
    let mut arguments = SqliteArguments::default();
    arguments.reserve(values.len(), 0);
    for value in values {
        let added = match value {
            Bound::Null => arguments.add(None::<i64>),
            Bound::Integer(value) => arguments.add(value),
            Bound::Real(value) => arguments.add(value),
            Bound::Text(value) => arguments.add(value),
            Bound::Bytes(value) => arguments.add(value),
        };
        added.map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

impl Row<'_> {
    /// A number, or none.
    pub(super) fn value(&mut self, value: impl Into<Bound>) -> &mut Self {
        self.values.push(value.into());
        self
    }

    /// Text. SQLite text cannot hold NUL.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        let text: Arc<str> =
            if text.contains('\0') { text.replace('\0', "").into() } else { text.into() };
        self.values.push(Bound::Text(text));
        self
    }

    /// Text or null.
    pub(super) fn option(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.text(text),
            None => self.value(None::<i64>),
        }
    }

    /// Bytes or null.
    pub(super) fn bytes(&mut self, bytes: Option<&[u8]>) -> &mut Self {
        self.values.push(bytes.map_or(Bound::Null, |bytes| Bound::Bytes(bytes.to_vec())));
        self
    }
}

macro_rules! integers {
    ($($kind:ty, $value:ident => $integer:expr;)*) => {
        $(
            impl From<$kind> for Bound {
                fn from($value: $kind) -> Self {
                    Self::Integer($integer)
                }
            }
        )*
    };
}

integers! {
    i64, value => value;
    &i64, value => *value;
    u8, value => value.into();
    u32, value => value.into();
    u64, value => i64::try_from(value).unwrap_or(i64::MAX);
    usize, value => i64::try_from(value).unwrap_or(i64::MAX);
    LibraryId, value => value.0;
}

impl From<f64> for Bound {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl<V: Into<Bound>> From<Option<V>> for Bound {
    fn from(value: Option<V>) -> Self {
        value.map_or(Self::Null, V::into)
    }
}

/// `[1,2,3]` or `["a","b"]`, for `in (select value from json_each(?))`; pairs become arrays.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_have_a_place_for_each_value() {
        let text = statement("insert into x values {rows} returning 1", 2, 3);
        assert_eq!(&*text, "insert into x values (?,?,?),(?,?,?) returning 1");
        assert_eq!(&*statement("{rows}", 1, 1), "(?)");
    }

    #[tokio::test]
    async fn all_rows_arrive_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let db = crate::db::Db::open(&folder.path().join("x.db")).await.unwrap();
        for count in [0, 1, 3, 4, 341, 342, 1500] {
            let mut tx = db.write().await.unwrap();
            sqlx::query("create temp table t (a integer, b text, c blob, d real, e text)")
                .execute(&mut *tx)
                .await
                .unwrap();
            let mut rows = Rows::new();
            for at in 0..count {
                rows.row(|row| {
                    row.value(at).text("x\0y").bytes(Some(b"z")).value(0.5).option(None);
                });
            }
            rows.run(&mut tx, "insert into t values {rows}").await.unwrap();
            let found: Vec<i64> = sqlx::query_scalar(
                "select a from t where b = 'xy' and c = x'7a' and d = 0.5 and e is null order by rowid",
            )
            .fetch_all(&mut *tx)
            .await
            .unwrap();
            assert_eq!(found, (0..count).collect::<Vec<_>>());
        }
    }
}
