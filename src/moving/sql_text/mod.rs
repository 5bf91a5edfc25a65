//! Databases as SQL text: the `.script` and `.log` of HSQLDB, and dumps of `mysqldump`,
//! `mariadb-dump` and `pg_dump`. Only rows of wanted tables are kept, each value as text.
//!
//! HSQLDB ends a statement at the line's end and writes characters as `\uXXXX`; MySQL escapes with
//! a backslash; PostgreSQL writes rows after `COPY ... FROM stdin`, or as inserts.

mod reader;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use self::reader::{Reader, copied};
use super::gather::Row;

/// Rows of all tables.
const MOST_ROWS: usize = 20_000_000;

/// Who wrote the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Hsqldb,
    MySql,
    PostgreSql,
}

/// The wanted tables, by name in lower case.
#[derive(Debug, Default)]
pub(super) struct Dump {
    tables: HashMap<String, Table>,
    rows: usize,
}

#[derive(Debug, Default)]
struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<Option<String>>>,
    /// Its rows are in a binary file of HSQLDB.
    is_cached: bool,
}

/// Why a text was refused, as a sentence's end.
pub(super) type Refused = &'static str;

impl Dump {
    /// Reads a text on top of what was read before.
    pub(super) fn read(&mut self, text: &str, wanted: &[&str]) -> Result<(), Refused> {
        let mut head = text.len().min(4_000);
        while !text.is_char_boundary(head) {
            head -= 1;
        }
        let head = &text[..head];
        let dialect = if head.contains("MySQL dump") || head.contains("MariaDB dump") {
            Dialect::MySql
        } else if head.contains("PostgreSQL database dump") {
            Dialect::PostgreSql
        } else {
            Dialect::Hsqldb
        };
        let mut reader = Reader::new(text, dialect);
        while reader.skip_blank(true) {
            let word = reader.word().to_ascii_lowercase();
            match word.as_str() {
                "create" => self.create(&mut reader, wanted),
                "insert" => self.insert(&mut reader, wanted)?,
                "delete" => self.delete(&mut reader),
                "copy" => {
                    self.copy(&mut reader, wanted)?;
                    continue;
                }
                _ => (),
            }
            reader.skip_statement();
        }
        Ok(())
    }

    /// Whether there is such a table.
    pub(super) fn has(&self, table: &str) -> bool {
        self.tables.contains_key(table)
    }

    /// Whether the rows of a table are not in the text.
    pub(super) fn is_elsewhere(&self, table: &str) -> bool {
        self.tables.get(table).is_some_and(|table| table.is_cached && table.rows.is_empty())
    }

    /// The wanted columns of a table's rows; of `a/b` the first that is there.
    pub(super) fn rows(&self, table: &str, wanted: &[&str]) -> Vec<Row> {
        let Some(table) = self.tables.get(table) else { return Vec::new() };
        let column = |names: &&str| {
            names.split('/').find_map(|name| table.columns.iter().position(|column| column == name))
        };
        let places: Vec<Option<usize>> = wanted.iter().map(column).collect();
        let value = |row: &[Option<String>], at: &Option<usize>| row.get((*at)?).cloned().flatten();
        table.rows.iter().map(|row| Row(places.iter().map(|at| value(row, at)).collect())).collect()
    }

    fn create(&mut self, reader: &mut Reader<'_>, wanted: &[&str]) {
        let mut is_cached = false;
        // CREATE [CACHED|MEMORY|...] TABLE [IF NOT EXISTS]
        for _ in 0..4 {
            let word = reader.word().to_ascii_lowercase();
            match word.as_str() {
                "table" => break,
                "cached" => is_cached = true,
                "memory" | "global" | "temporary" | "unlogged" => (),
                _ => return,
            }
        }
        let mut name = reader.name();
        if name == "if" {
            reader.word();
            reader.word();
            name = reader.name();
        }
        if !wanted.contains(&name.as_str()) || !reader.takes('(') {
            return;
        }
        let table = self.tables.entry(name).or_default();
        table.is_cached = is_cached;
        table.columns = reader.definitions();
    }

    fn insert(&mut self, reader: &mut Reader<'_>, wanted: &[&str]) -> Result<(), Refused> {
        if !reader.word().eq_ignore_ascii_case("into") {
            return Ok(());
        }
        let name = reader.name();
        if !wanted.contains(&name.as_str()) {
            return Ok(());
        }
        let named = if reader.takes('(') { Some(reader.names()) } else { None };
        if !reader.word().eq_ignore_ascii_case("values") {
            return Ok(());
        }
        let table = self.tables.entry(name).or_default();
        if let (true, Some(named)) = (table.columns.is_empty(), &named) {
            table.columns.clone_from(named);
        }
        while reader.takes('(') {
            let values = reader.values();
            self.rows += 1;
            if MOST_ROWS < self.rows {
                return Err("holds too many rows");
            }
            table.rows.push(match &named {
                None => values,
                Some(named) => placed(&table.columns, named, values),
            });
            if !reader.takes(',') {
                break;
            }
        }
        Ok(())
    }

    /// Of the log of HSQLDB: `DELETE FROM T WHERE A=1 AND B='x'`.
    fn delete(&mut self, reader: &mut Reader<'_>) {
        if !reader.word().eq_ignore_ascii_case("from") {
            return;
        }
        let name = reader.name();
        let Some(table) = self.tables.get_mut(&name) else { return };
        if !reader.word().eq_ignore_ascii_case("where") {
            return;
        }
        let mut tests = Vec::new();
        loop {
            let column = reader.name();
            let Some(at) = table.columns.iter().position(|each| *each == column) else { return };
            if !reader.takes('=') {
                return;
            }
            tests.push((at, reader.value()));
            if !reader.peeks_word("and") {
                break;
            }
            reader.word();
        }
        table.rows.retain(|row| !tests.iter().all(|(at, value)| row.get(*at) == Some(value)));
    }

    /// `COPY t (a, b) FROM stdin;` and rows of tabs until `\.`.
    fn copy(&mut self, reader: &mut Reader<'_>, wanted: &[&str]) -> Result<(), Refused> {
        let name = reader.name();
        let columns = if reader.takes('(') { reader.names() } else { Vec::new() };
        reader.line();
        let is_wanted = wanted.contains(&name.as_str());
        let mut rows = Vec::new();
        while let Some(line) = reader.line() {
            if line == "\\." {
                break;
            }
            if is_wanted {
                rows.push(line.split('\t').map(copied).collect());
            }
        }
        self.rows += rows.len();
        if MOST_ROWS < self.rows {
            return Err("holds too many rows");
        }
        if is_wanted {
            let table = self.tables.entry(name).or_default();
            if !columns.is_empty() {
                table.columns = columns;
            }
            table.rows.extend(rows);
        }
        Ok(())
    }
}

/// Values in the order of the table's columns.
fn placed(
    columns: &[String],
    named: &[String],
    mut values: Vec<Option<String>>,
) -> Vec<Option<String>> {
    let at = |column: &String| named.iter().position(|name| name == column);
    columns.iter().map(|column| values.get_mut(at(column)?).and_then(Option::take)).collect()
}
