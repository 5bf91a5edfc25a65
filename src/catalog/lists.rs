//! Windows of ids. Every list of the catalogue first finds ids inside an index, remembers that
//! window for this revision, and then fetches the facts. Where the order lies in an index a
//! window begins right behind a row that is known to end another one, so that the last page of a
//! million costs what the first one does; where it has to be sorted, it is sorted once.

use std::{
    fmt::Write as _,
    sync::{Arc, PoisonError},
};

use sqlx::AssertSqlSafe;

use crate::{
    Result,
    catalog::{
        Catalog, Page,
        memory::{Ends, Ids},
    },
};

/// A way longer than this is walked in steps that are remembered.
const STEP: u64 = 10_000;
/// Lists that have to be sorted are kept whole up to this length.
const WHOLE: u32 = 200_000;

/// How long a window of ids stays good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// Until the catalogue changes.
    Revision,
    /// Until somebody stars, rates or hears anything: it depends on annotations. The statement
    /// names whose.
    Marks,
}

/// Whether the length of the whole list is wanted, which may cost as much as the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Total {
    /// It is.
    Counted,
    /// It is not; it is told where it is known anyway.
    Unasked,
}

/// The order of a list.
#[derive(Debug, Clone)]
pub(super) enum Order {
    /// Along columns that are never null, the row's id last, all in one direction.
    Along {
        /// The table, and what the list calls it.
        table: &'static str,
        alias: &'static str,
        columns: &'static [&'static str],
        is_descending: bool,
    },
    /// Any other, as SQL.
    By(String),
    /// None: shuffled anew each time.
    Random {
        /// The table, and its row's id.
        table: &'static str,
        column: &'static str,
    },
}

/// A list as SQL.
#[derive(Debug, Clone)]
pub(super) struct Listing {
    /// The id's column.
    pub(super) id: &'static str,
    /// `from ... where ...`; more conditions may follow with `and`.
    pub(super) from: String,
    /// ` and ...` on where the list begins along its order; nothing if that is the index's own
    /// end. Whoever reads on behind a known row leaves it away: SQLite would begin there again.
    pub(super) start: String,
    pub(super) order: Order,
    pub(super) keep: Keep,
}

impl Order {
    /// Ascending along an index of a table.
    pub(super) const fn along(
        table: &'static str,
        alias: &'static str,
        columns: &'static [&'static str],
    ) -> Self {
        Self::Along { table, alias, columns, is_descending: false }
    }

    /// The same from its other end.
    pub(super) fn reversed(self) -> Self {
        match self {
            Self::Along { table, alias, columns, is_descending } => {
                Self::Along { table, alias, columns, is_descending: !is_descending }
            }
            other @ (Self::By(_) | Self::Random { .. }) => other,
        }
    }

    pub(super) fn sql(&self) -> String {
        match self {
            Self::By(sql) => sql.clone(),
            Self::Random { .. } => "random()".to_owned(),
            Self::Along { alias, columns, is_descending, .. } => {
                let mut sql = String::with_capacity(64);
                for (at, column) in columns.iter().enumerate() {
                    let comma = if at > 0 { ", " } else { "" };
                    let way = if *is_descending { " desc" } else { "" };
                    let _ = write!(sql, "{comma}{alias}.{column}{way}");
                }
                sql
            }
        }
    }

    /// The condition that leaves what stands behind the row that is bound as `?3`.
    fn behind(&self) -> String {
        let Self::Along { table, alias, columns, is_descending } = self else {
            return String::new();
        };
        let sign = if *is_descending { '<' } else { '>' };
        match columns {
            [id] => format!(" and {alias}.{id} {sign} ?3"),
            [.., id] => {
                let own: Vec<String> = columns.iter().map(|it| format!("{alias}.{it}")).collect();
                format!(
                    " and ({}) {sign} (select {} from {table} where {id} = ?3)",
                    own.join(", "),
                    columns.join(", ")
                )
            }
            [] => String::new(),
        }
    }
}

impl Catalog {
    /// A window of a list.
    pub(super) async fn window(
        &self,
        list: &Listing,
        page: Page,
        total: Total,
    ) -> Result<Arc<Ids>> {
        if let Order::Random { table, column } = list.order {
            return self.draw(list, (table, column), page).await.map(Arc::new);
        }
        let revision = self.revision().number;
        let order = list.order.sql();
        let mut key = String::with_capacity(list.from.len() + order.len() + 64);
        let _ = write!(key, "{} {}{} by {order}", list.id, list.from, list.start);
        self.name_generation(list, &mut key);
        let name_length = key.len();
        let _ = write!(key, " {} {}", page.limit, page.offset);
        let memory = &self.inner.memory.ids;
        if let Some(ids) = memory.get(revision, key.as_str())
            && (ids.total.is_some() || total == Total::Unasked)
        {
            return Ok(ids);
        }
        let name = &key[..name_length];
        let window = match &list.order {
            _ if page.limit == 0 => Vec::new(),
            Order::Along { .. } => self.seek(revision, name, list, page).await?,
            Order::By(_) if 0 < page.offset => self.cut(revision, name, list, page).await?,
            _ => self.ids(list, None, page).await?,
        };
        // Known without counting when the window holds the end.
        let found = window.len() as u64;
        let known =
            (0 < found && found < u64::from(page.limit)).then(|| u64::from(page.offset) + found);
        let total = match (known, total) {
            (Some(known), _) => Some(known),
            (None, Total::Unasked) => None,
            (None, Total::Counted) => Some(self.length(revision, list).await?),
        };
        let ids = Arc::new(Ids { window, total });
        let weight = key.len() / 8 + ids.window.len() + 8;
        memory.insert(revision, key, ids.clone(), weight);
        Ok(ids)
    }

    /// What depends on annotations is remembered under their generation as well.
    fn name_generation(&self, list: &Listing, key: &mut String) {
        if list.keep == Keep::Marks {
            let _ = write!(key, " @{}", self.inner.marks.generation());
        }
    }

    /// A window along an index: from the nearest known end, in steps if that is far.
    async fn seek(
        &self,
        revision: i64,
        name: &str,
        list: &Listing,
        page: Page,
    ) -> Result<Vec<i64>> {
        let offset = u64::from(page.offset);
        let ends = self.ends(revision, name);
        let nearest = || {
            let ends = ends.lock().unwrap_or_else(PoisonError::into_inner);
            ends.range(..=offset).next_back().map(|(at, row)| (*at, *row))
        };
        let note = |at: u64, row: i64| {
            ends.lock().unwrap_or_else(PoisonError::into_inner).insert(at, row);
        };
        let mut from = nearest();
        loop {
            let at = from.map_or(0, |(at, _)| at);
            if offset - at <= STEP {
                break;
            }
            let behind = from.map(|(_, row)| row);
            let step = Page { offset: STEP as u32 - 1, limit: 1 };
            let Some(row) = self.ids(list, behind, step).await?.pop() else {
                return Ok(Vec::new());
            };
            note(at + STEP, row);
            from = Some((at + STEP, row));
        }
        let at = from.map_or(0, |(at, _)| at);
        let behind = from.map(|(_, row)| row);
        let rest = Page { offset: (offset - at) as u32, limit: page.limit };
        let window = self.ids(list, behind, rest).await?;
        if let Some(last) = window.last() {
            note(offset + window.len() as u64, *last);
        }
        Ok(window)
    }

    fn ends(&self, revision: i64, name: &str) -> Arc<Ends> {
        let memory = &self.inner.memory.ends;
        memory.get(revision, name).unwrap_or_else(|| {
            let ends = Arc::new(Ends::default());
            memory.insert(revision, name.to_owned(), ends.clone(), 1);
            ends
        })
    }

    /// A window of a list that has to be sorted: cut from the whole, which is kept.
    async fn cut(&self, revision: i64, name: &str, list: &Listing, page: Page) -> Result<Vec<i64>> {
        let memory = &self.inner.memory.ids;
        let key = format!("{name} whole");
        let whole = match memory.get(revision, key.as_str()) {
            Some(whole) => whole,
            None => {
                let page = Page { offset: 0, limit: WHOLE };
                let window = self.ids(list, None, page).await?;
                let weight = window.len() + 8;
                let whole = Arc::new(Ids { window, total: None });
                memory.insert(revision, key, whole.clone(), weight);
                whole
            }
        };
        let (start, length) = (page.offset as usize, page.limit as usize);
        let (end, longest) = (start.saturating_add(length), WHOLE as usize);
        if whole.window.len() == longest && longest < end {
            return self.ids(list, None, page).await;
        }
        let end = end.min(whole.window.len());
        Ok(whole.window.get(start..end).unwrap_or_default().to_vec())
    }

    /// The ids of a window, behind a row if one is given. The statement's text is the same for
    /// every window, so that it is prepared once.
    pub(super) async fn ids(
        &self,
        list: &Listing,
        behind: Option<i64>,
        page: Page,
    ) -> Result<Vec<i64>> {
        let Listing { id, from, start, order, .. } = list;
        let condition = behind.map_or_else(|| start.clone(), |_| order.behind());
        let sql = format!(
            "select json_group_array(id) from (select {id} as id {from}{condition} order by {} limit ?1 offset ?2)",
            order.sql()
        );
        let limit = if page.limit == u32::MAX { -1 } else { i64::from(page.limit) };
        let mut query = sqlx::query_scalar(AssertSqlSafe(sql)).bind(limit).bind(page.offset);
        if let Some(row) = behind {
            query = query.bind(row);
        }
        let json: String = query.fetch_one(self.db.read()).await?;
        Ok(serde_json::from_str(&json)?)
    }

    /// The length of the whole list.
    pub(super) async fn length(&self, revision: i64, list: &Listing) -> Result<u64> {
        let sql = format!("select count(*) {}{}", list.from, list.start);
        let mut key = sql.clone();
        self.name_generation(list, &mut key);
        let memory = &self.inner.memory.ids;
        if let Some(ids) = memory.get(revision, key.as_str())
            && let Some(total) = ids.total
        {
            return Ok(total);
        }
        let total: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(self.db.read()).await?;
        let total = u64::try_from(total).unwrap_or(0);
        let ids = Arc::new(Ids { window: Vec::new(), total: Some(total) });
        memory.insert(revision, key, ids, 32);
        Ok(total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_behind_a_row() {
        let by_name = Order::along("album", "a", &["order_key", "album_id"]);
        assert_eq!(by_name.sql(), "a.order_key, a.album_id");
        assert_eq!(
            by_name.behind(),
            " and (a.order_key, a.album_id) > (select order_key, album_id from album where album_id = ?3)"
        );
        let newest = Order::along("track", "t", &["track_id"]).reversed();
        assert_eq!(newest.sql(), "t.track_id desc");
        assert_eq!(newest.behind(), " and t.track_id < ?3");
    }
}
