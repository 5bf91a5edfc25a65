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
        visible::json_ids,
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
    /// What is left out, in order of ids. There may be tens of thousands, so no statement tells of
    /// them.
    pub(super) without: Arc<[i64]>,
}

impl Listing {
    /// Whether a row that fits is not left out.
    pub(super) fn has(&self, id: i64) -> bool {
        self.without.binary_search(&id).is_err()
    }
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
            return self.draw(list, (table, column), page, total).await.map(Arc::new);
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
            Order::Along { .. } if !list.without.is_empty() => {
                self.sift(revision, name, list, page).await?
            }
            Order::Along { .. } => self.seek(revision, name, list, page).await?,
            Order::By(_) if 0 < page.offset || !list.without.is_empty() => {
                self.cut(list, page).await?
            }
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
        let note = |at: u64, row: i64| {
            ends.lock().unwrap_or_else(PoisonError::into_inner).insert(at, row);
        };
        let mut from = nearest(&ends, offset);
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

    /// As [`Self::seek`] where something is left out: rows are counted here, in steps.
    async fn sift(
        &self,
        revision: i64,
        name: &str,
        list: &Listing,
        page: Page,
    ) -> Result<Vec<i64>> {
        let (offset, limit) = (u64::from(page.offset), page.limit as usize);
        let ends = self.ends(revision, name);
        let (mut at, mut behind) =
            nearest(&ends, offset).map_or((0, None), |(at, row)| (at, Some(row)));
        let mut window = Vec::new();
        loop {
            let missing = offset.saturating_sub(at) + (limit - window.len()) as u64;
            // Some more, for those that are left out.
            let step = (missing + missing / 8 + 8).min(STEP) as u32;
            let rows = self.ids(list, behind, Page { offset: 0, limit: step }).await?;
            for row in &rows {
                behind = Some(*row);
                if !list.has(*row) {
                    continue;
                }
                if offset <= at {
                    window.push(*row);
                }
                at += 1;
                if window.len() == limit {
                    break;
                }
            }
            if let Some(row) = behind {
                ends.lock().unwrap_or_else(PoisonError::into_inner).insert(at, row);
            }
            if window.len() == limit || (rows.len() as u64) < u64::from(step) {
                return Ok(window);
            }
        }
    }

    fn ends(&self, revision: i64, name: &str) -> Arc<Ends> {
        let memory = &self.inner.memory.ends;
        memory.get(revision, name).unwrap_or_else(|| {
            let ends = Arc::new(Ends::default());
            memory.insert(revision, name.to_owned(), ends.clone(), 1);
            ends
        })
    }

    /// A list that has to be sorted, as long as it may be to be kept.
    pub(super) async fn whole(&self, list: &Listing) -> Result<Arc<Ids>> {
        let (revision, memory) = (self.revision().number, &self.inner.memory.ids);
        let mut key =
            format!("{} {}{} by {} whole", list.id, list.from, list.start, list.order.sql());
        self.name_generation(list, &mut key);
        if let Some(whole) = memory.get(revision, key.as_str()) {
            return Ok(whole);
        }
        let mut window = self.ids(list, None, Page { offset: 0, limit: WHOLE }).await?;
        let is_all = window.len() < WHOLE as usize;
        window.retain(|id| list.has(*id));
        let weight = window.len() + 8;
        // Known to be the end only if everything came.
        let total = is_all.then_some(window.len() as u64);
        let whole = Arc::new(Ids { window, total });
        memory.insert(revision, key, whole.clone(), weight);
        Ok(whole)
    }

    /// A window of a list that has to be sorted: cut from the whole, which is kept.
    async fn cut(&self, list: &Listing, page: Page) -> Result<Vec<i64>> {
        let whole = self.whole(list).await?;
        let (start, length) = (page.offset as usize, page.limit as usize);
        let end = start.saturating_add(length);
        if whole.total.is_none() && whole.window.len() < end {
            let page = Page {
                offset: 0,
                limit: u32::try_from(end + list.without.len()).unwrap_or(u32::MAX),
            };
            let mut window = self.ids(list, None, page).await?;
            window.retain(|id| list.has(*id));
            return Ok(window.into_iter().skip(start).take(length).collect());
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
        let mut total: i64 =
            sqlx::query_scalar(AssertSqlSafe(sql.clone())).fetch_one(self.db.read()).await?;
        if !list.without.is_empty() {
            let sql = format!("{sql} and {} in (select value from json_each(?1))", list.id);
            let left_out: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
                .bind(json_ids(list.without.iter().copied()))
                .fetch_one(self.db.read())
                .await?;
            total -= left_out;
        }
        let total = u64::try_from(total).unwrap_or(0);
        let ids = Arc::new(Ids { window: Vec::new(), total: Some(total) });
        memory.insert(revision, key, ids, 32);
        Ok(total)
    }
}

/// The last known end at or before an offset.
fn nearest(ends: &Ends, offset: u64) -> Option<(u64, i64)> {
    let ends = ends.lock().unwrap_or_else(PoisonError::into_inner);
    ends.range(..=offset).next_back().map(|(at, row)| (*at, *row))
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
