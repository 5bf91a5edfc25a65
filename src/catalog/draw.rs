//! Drawing from a list by lot. Sorting a million rows by a random number to show twenty of them
//! would cost a second: rows are drawn by their ids instead, and what is not in the list is laid
//! back. Each row of the list is as likely as any other.

use std::collections::HashSet;

use rand::seq::SliceRandom as _;
use sqlx::AssertSqlSafe;

use crate::{
    Result,
    catalog::{
        Catalog, Page,
        lists::{Listing, Order, Total},
        memory::Ids,
        visible::json_ids,
    },
};

/// Ids that are not so many times as many as what is wanted are no place to draw from.
const SPARE: u64 = 4;
/// Of so many ids one at least has to be in the list; else it is shuffled.
const SPARSE: u64 = 20;
/// Ids of the first draw of a list at least: they tell how many are in it.
const FIRST: u64 = 64;
/// Draws before the list is shuffled after all.
const DRAWS: usize = 6;

impl Catalog {
    /// Rows of a list by lot, each once, as many as the window would hold were there an order. How
    /// long the list is is not looked for where that is not needed: a million rows are not counted
    /// to show ten of them.
    pub(super) async fn draw(
        &self,
        list: &Listing,
        (table, column): (&str, &str),
        page: Page,
        total: Total,
    ) -> Result<Ids> {
        let total = match total {
            Total::Unasked if page.offset == 0 => None,
            _ => Some(self.length(self.revision().number, list).await?),
        };
        let left = total.map_or(u64::MAX, |total| total.saturating_sub(page.offset.into()));
        let wanted = left.min(page.limit.into());
        if wanted == 0 {
            return Ok(Ids { window: Vec::new(), total });
        }
        let window = match self.draw_ids(list, (table, column), wanted).await? {
            Some(window) => window,
            None => self.shuffled(list, wanted).await?,
        };
        Ok(Ids { window, total })
    }

    /// So many of the whole list, which is kept in any order.
    async fn shuffled(&self, list: &Listing, wanted: u64) -> Result<Vec<i64>> {
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        let plain = Listing { order: Order::By(list.id.to_owned()), ..list.clone() };
        let whole = self.whole(&plain).await?;
        if whole.total.is_some() {
            let mut rows = whole.window.clone();
            let (lot, _) = rows.partial_shuffle(&mut rand::rng(), wanted);
            return Ok(lot.to_vec());
        }
        let limit = u32::try_from(wanted + list.without.len()).unwrap_or(u32::MAX);
        let mut window = self.ids(list, None, Page { offset: 0, limit }).await?;
        window.retain(|id| list.has(*id));
        window.truncate(wanted);
        Ok(window)
    }

    /// `None` where that is no way to find them.
    async fn draw_ids(
        &self,
        list: &Listing,
        (table, column): (&str, &str),
        wanted: u64,
    ) -> Result<Option<Vec<i64>>> {
        let ends = format!(
            "select coalesce((select min({column}) from {table}), 0), coalesce((select max({column}) from {table}), 0)"
        );
        let (first, last): (i64, i64) =
            sqlx::query_as(AssertSqlSafe(ends)).fetch_one(self.db.read()).await?;
        let span = u64::try_from(last - first + 1).unwrap_or(0);
        if span < SPARE.saturating_mul(wanted.max(FIRST)) {
            return Ok(None);
        }
        let sql = format!(
            "select json_group_array({id}) {from}{start} and {id} in (select value from json_each(?))",
            id = list.id,
            from = list.from,
            start = list.start
        );
        let (mut drawn, mut found) = (HashSet::new(), Vec::new());
        for _ in 0..DRAWS {
            let missing = wanted.saturating_sub(found.len() as u64);
            if missing == 0 {
                break;
            }
            // A few more than hit on average, as far as that is known.
            let tries = match (drawn.len() as u64, found.len() as u64) {
                // Where nothing was ever deleted nearly every id is in the list, and each one that
                // is drawn in vain is a page read for nothing.
                (0, _) => (missing * 33 / 32).max(FIRST),
                (drawn, found) if found * SPARSE < drawn => return Ok(None),
                (drawn, found) => missing * drawn / found * 5 / 4 + 16,
            };
            let lot: Vec<i64> = (0..tries)
                .map(|_| rand::random_range(first..=last))
                .filter(|id| drawn.insert(*id))
                .collect();
            let json: String = sqlx::query_scalar(AssertSqlSafe(sql.clone()))
                .bind(json_ids(lot))
                .fetch_one(self.db.read())
                .await?;
            let mut hits: Vec<i64> = serde_json::from_str(&json)?;
            hits.retain(|id| list.has(*id));
            // They come in the order of ids.
            hits.shuffle(&mut rand::rng());
            found.extend(hits);
        }
        found.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
        Ok((found.len() as u64 == wanted).then_some(found))
    }
}
