//! Pages of ids. Every list of the catalogue first finds ids inside an index (so that a deep
//! offset costs little), remembers that page for this revision, and then fetches the facts.

use std::{fmt::Write as _, sync::Arc};

use sqlx::AssertSqlSafe;

use crate::{
    Result,
    catalog::{Catalog, Page, memory::Ids},
};

/// How long a page of ids stays good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// Until the catalogue changes.
    Revision,
    /// Not at all: it depends on annotations, or is shuffled.
    No,
}

impl Catalog {
    /// Runs `select id from ... order by ...` for a window. `sql` names one id column and
    /// carries no limit; `count` is the same list counted.
    pub(super) async fn page_of(
        &self,
        sql: &str,
        count: &str,
        page: Page,
        keep: Keep,
    ) -> Result<Arc<Ids>> {
        let mut windowed = String::with_capacity(sql.len() + 96);
        let _ = write!(
            windowed,
            "select json_group_array(id) from ({sql} limit {} offset {})",
            if page.limit == u32::MAX { -1 } else { i64::from(page.limit) },
            page.offset
        );
        let key = format!("{} {windowed}", self.revision().number);
        if keep == Keep::Revision
            && let Some(ids) = self.inner.memory.ids.get(&key).await
        {
            return Ok(ids);
        }
        let window: Vec<i64> = if page.limit == 0 {
            Vec::new()
        } else {
            let json: String =
                sqlx::query_scalar(AssertSqlSafe(windowed)).fetch_one(self.db.read()).await?;
            serde_json::from_str(&json)?
        };
        let total = self.total(count, page, window.len(), keep).await?;
        let ids = Arc::new(Ids { window, total });
        if keep == Keep::Revision {
            self.inner.memory.ids.insert(key, ids.clone()).await;
        }
        Ok(ids)
    }

    /// The length of the whole list; known without counting when the window holds the end.
    async fn total(&self, count: &str, page: Page, found: usize, keep: Keep) -> Result<u64> {
        let found = found as u64;
        if 0 < found && found < u64::from(page.limit) {
            return Ok(u64::from(page.offset) + found);
        }
        let key = format!("{} {count}", self.revision().number);
        if keep == Keep::Revision
            && let Some(ids) = self.inner.memory.ids.get(&key).await
        {
            return Ok(ids.total);
        }
        let total: i64 =
            sqlx::query_scalar(AssertSqlSafe(count.to_owned())).fetch_one(self.db.read()).await?;
        let total = u64::try_from(total).unwrap_or(0);
        if keep == Keep::Revision {
            self.inner.memory.ids.insert(key, Arc::new(Ids { window: Vec::new(), total })).await;
        }
        Ok(total)
    }
}
