//! Genre rows, one for each name whatever its case.

use std::collections::HashMap;

use super::rows::{Rows, last_id, list};
use crate::{Result, db::Tx};

/// Row ids by name.
#[derive(Debug, Default)]
pub(super) struct GenreIds(HashMap<String, i64>);

impl GenreIds {
    pub(super) fn of(&self, name: &str) -> Option<i64> {
        self.0.get(&key(name)).copied()
    }
}

/// Makes sure that every genre has a row.
pub(super) async fn upsert<'a>(
    tx: &mut Tx,
    names: impl Iterator<Item = &'a String>,
) -> Result<GenreIds> {
    let mut wanted: HashMap<String, &str> = HashMap::new();
    for name in names.filter(|name| !name.trim().is_empty()) {
        wanted.entry(key(name)).or_insert(name.trim());
    }
    let mut ids = GenreIds::default();
    if wanted.is_empty() {
        return Ok(ids);
    }
    let names = list(wanted.values());
    let known = sqlx::query!(
        "select genre_id, name from genre where name in (select value from json_each(?))",
        names
    )
    .fetch_all(&mut **tx)
    .await?;
    ids.0.extend(known.into_iter().map(|row| (key(&row.name), row.genre_id)));
    let mut next = last_id(tx, "genre").await?;
    let mut new = Rows::new();
    for (key, name) in wanted {
        if ids.0.contains_key(&key) {
            continue;
        }
        next += 1;
        new.row(|row| {
            row.value(next).text(name);
        });
        ids.0.insert(key, next);
    }
    new.run(tx, "insert into genre (genre_id, name) values {rows}").await?;
    Ok(ids)
}

/// As SQLite's `nocase` compares: ASCII letters alone.
fn key(name: &str) -> String {
    name.trim().replace('\0', "").to_ascii_lowercase()
}
