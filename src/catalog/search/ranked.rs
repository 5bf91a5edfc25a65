//! The order of what was found. Few matches are ranked by the index. Of a word that thousands have
//! that would cost as much as reading all of them, and half the ranks would be alike: there the
//! names that begin with what was typed come first, and then all the others as they came. Either
//! way every match is there exactly once, however far a client pages.

use std::{fmt::Write as _, sync::Arc};

use sqlx::AssertSqlSafe;

use crate::{
    Result,
    catalog::{Catalog, Page, identity, lists::Total, search::kind::Kind},
};

/// More matches than this are not ranked, and no more names come before the others.
pub(super) const RANKED: u32 = 1_000;

/// The ids of each kind by rank; `None` where there are too many to rank.
pub(in crate::catalog) type Ranked = [Option<Vec<i64>>; 3];

impl Catalog {
    /// Windows of the matches of all kinds.
    pub(super) async fn matches(
        &self,
        query: &str,
        expression: &str,
        kinds: [(Kind, Page); 3],
    ) -> Result<[Vec<i64>; 3]> {
        let ranked = self.ranked(expression, &kinds).await?;
        let mut rows = <[Vec<i64>; 3]>::default();
        for ((rows, ranked), (kind, page)) in rows.iter_mut().zip(&*ranked).zip(&kinds) {
            *rows = match ranked {
                _ if page.limit == 0 => Vec::new(),
                Some(ids) => cut(ids, *page).to_vec(),
                None => self.common(query, expression, kind, *page).await?,
            };
        }
        Ok(rows)
    }

    /// A window of many matches.
    async fn common(
        &self,
        query: &str,
        expression: &str,
        kind: &Kind,
        page: Page,
    ) -> Result<Vec<i64>> {
        let all = Page { offset: 0, limit: RANKED };
        let beginning = kind.beginning(&identity::order_key(query.trim().trim_end_matches('*')));
        let first = self.window(&beginning, all, Total::Unasked).await?;
        let mut rows = cut(&first.window, page).to_vec();
        let missing = page.limit - rows.len() as u32;
        if missing > 0 {
            let mut without = first.window.clone();
            without.sort_unstable();
            let others = kind.fitting(expression, without.into());
            let offset = page.offset.saturating_sub(first.window.len() as u32);
            let page = Page { offset, limit: missing };
            rows.extend_from_slice(&self.window(&others, page, Total::Unasked).await?.window);
        }
        Ok(rows)
    }

    /// What is few enough to be ranked, in one statement for all kinds.
    async fn ranked(&self, expression: &str, kinds: &[(Kind, Page); 3]) -> Result<Arc<Ranked>> {
        let mut sql = String::with_capacity(1024);
        for (at, (kind, page)) in kinds.iter().enumerate() {
            sql.push_str(if at == 0 { "select " } else { ", " });
            if page.limit == 0 {
                sql.push_str("'[]'");
                continue;
            }
            let first = kind.first();
            let _ = write!(
                sql,
                "(select json_group_array(id) from (select id from ({first}) order by rank, id))"
            );
        }
        let revision = self.revision().number;
        let key = format!("{expression} {sql}");
        let memory = &self.inner.memory.searches;
        if let Some(ranked) = memory.get(revision, key.as_str()) {
            return Ok(ranked);
        }
        let query = sqlx::query_as(AssertSqlSafe(sql)).bind(expression);
        let (artists, albums, tracks): (String, String, String) =
            query.fetch_one(self.db.read()).await?;
        let mut ranked = Ranked::default();
        for (ranked, json) in ranked.iter_mut().zip([artists, albums, tracks]) {
            let ids: Vec<i64> = serde_json::from_str(&json)?;
            *ranked = (ids.len() < RANKED as usize).then_some(ids);
        }
        let ranked = Arc::new(ranked);
        let length = ranked.iter().flatten().map(Vec::len).sum::<usize>();
        memory.insert(revision, key.clone(), ranked.clone(), length + key.len() / 8 + 16);
        Ok(ranked)
    }
}

/// A window of ids.
fn cut(ids: &[i64], page: Page) -> &[i64] {
    let start = (page.offset as usize).min(ids.len());
    let end = start.saturating_add(page.limit as usize).min(ids.len());
    &ids[start..end]
}
