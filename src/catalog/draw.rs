//! Drawing from a list by lot. Sorting a million rows by a random number to show twenty of them
//! would cost a second: rows are drawn by their ids instead, and what is not in the list is laid
//! back. Each row of the list is as likely as any other.

use std::collections::HashSet;

use rand::seq::SliceRandom as _;
use sqlx::AssertSqlSafe;

use crate::{
    Result,
    catalog::{Catalog, Page, lists::Listing, memory::Ids, visible::json_ids},
};

/// A list that is not so many times as long as what is wanted of it is shuffled.
const SPARE: u64 = 4;
/// Of so many ids one at least has to be in the list; else it is shuffled.
const SPARSE: u64 = 20;
/// Draws before the list is shuffled after all.
const DRAWS: usize = 6;

impl Catalog {
    /// Rows of a list by lot, each once, as many as the window would hold were there an order.
    pub(super) async fn draw(
        &self,
        list: &Listing,
        (table, column): (&str, &str),
        page: Page,
    ) -> Result<Ids> {
        let total = self.length(self.revision().number, list).await?;
        let left = total.saturating_sub(page.offset.into());
        let wanted = left.min(page.limit.into());
        let page = Page { offset: 0, limit: u32::try_from(wanted).unwrap_or(u32::MAX) };
        if wanted == 0 {
            return Ok(Ids { window: Vec::new(), total: Some(total) });
        }
        let window = match self.draw_ids(list, (table, column), wanted, total).await? {
            Some(window) => window,
            None => self.ids(list, None, page).await?,
        };
        Ok(Ids { window, total: Some(total) })
    }

    /// `None` where that is no way to find them.
    async fn draw_ids(
        &self,
        list: &Listing,
        (table, column): (&str, &str),
        wanted: u64,
        total: u64,
    ) -> Result<Option<Vec<i64>>> {
        if total < SPARE * wanted {
            return Ok(None);
        }
        let ends = format!(
            "select coalesce((select min({column}) from {table}), 0), coalesce((select max({column}) from {table}), 0)"
        );
        let (first, last): (i64, i64) =
            sqlx::query_as(AssertSqlSafe(ends)).fetch_one(self.db.read()).await?;
        let span = u64::try_from(last - first + 1).unwrap_or(0);
        if total.saturating_mul(SPARSE) < span {
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
            // A few more than hit on average.
            let tries = missing * span / total * 5 / 4 + 16;
            let lot: Vec<i64> = (0..tries)
                .map(|_| rand::random_range(first..=last))
                .filter(|id| drawn.insert(*id))
                .collect();
            let json: String = sqlx::query_scalar(AssertSqlSafe(sql.clone()))
                .bind(json_ids(lot))
                .fetch_one(self.db.read())
                .await?;
            let mut hits: Vec<i64> = serde_json::from_str(&json)?;
            // They come in the order of ids.
            hits.shuffle(&mut rand::rng());
            found.extend(hits);
        }
        found.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
        Ok((found.len() as u64 == wanted).then_some(found))
    }
}
