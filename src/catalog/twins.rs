//! Albums that are there more than once, in several libraries: the same release by MusicBrainz id,
//! or the same artist, title and year with as many tracks of the same length. Each row belongs to
//! one library, so that lockers never merge; in lists over all libraries they are shown once, the
//! best copy, which says where else it is.

use std::sync::Arc;

use serde::Deserialize;
use sqlx::AssertSqlSafe;

use crate::{
    Result,
    accounts::Principal,
    catalog::{
        Catalog,
        visible::{json_ids, within},
    },
    ids::AlbumId,
};

/// Two copies may differ by this part of their length: encoders' padding.
const ALIKE: i64 = 100;

/// Libraries are compared in size by looking at so many albums of each; then at more.
const LOOK: u32 = 1_000;
const MORE: u32 = 8;

/// What somebody sees more than once, without the copy that is shown: in order of ids.
pub(super) type Hidden = Arc<[i64]>;

/// A copy, as far as it matters. Packed in this order.
#[derive(Debug, Clone, Deserialize)]
struct Copy {
    id: i64,
    key: String,
    tracks: i64,
    duration_ms: i64,
    size: i64,
}

impl Catalog {
    /// Where else an album is, of what the principal sees: the copy, and its library's name.
    pub async fn also_in(
        &self,
        principal: &Principal,
        album: AlbumId,
    ) -> Result<Vec<(AlbumId, String)>> {
        let which = format!("key = (select key from album where album_id = {})", album.0);
        let groups = groups_of(self.copies(principal, &which).await?);
        let is_in = |group: &&Vec<Copy>| group.iter().any(|copy| copy.id == album.0);
        let Some(group) = groups.iter().find(is_in) else { return Ok(Vec::new()) };
        let others = json_ids(group.iter().map(|copy| copy.id).filter(|copy| *copy != album.0));
        let rows = sqlx::query!(
            r#"select a.album_id as "album_id!: i64", b.name as "name!: String"
               from json_each(?) j join album a on a.album_id = j.value join library b using (library_id)
               order by j.key"#,
            others
        )
        .fetch_all(self.db.read())
        .await?;
        Ok(rows.into_iter().map(|row| (AlbumId(row.album_id), row.name)).collect())
    }

    /// What the principal sees more than once and is not shown; remembered until the catalogue
    /// changes. In one library no two albums are equal, so what is there twice has a copy outside
    /// the biggest library: the work grows with all the others alone.
    pub(super) async fn hidden_twins(&self, principal: &Principal) -> Result<Hidden> {
        if principal.libraries.len() < 2 {
            return Ok(Arc::default());
        }
        let (revision, visible) = (self.revision().number, principal.libraries_json());
        if let Some(hidden) = self.inner.memory.twins.get(revision, &visible) {
            return Ok(hidden);
        }
        let biggest = self.biggest(principal).await?;
        let which = format!(
            "key in (select a.key from album a where {lesser} and a.library_id <> {biggest} and exists (
                 select 1 from album o where o.key = a.key and o.track_count > 0 and {seen}
                 and o.library_id <> a.library_id))",
            lesser = within("a.library_id", principal, None),
            seen = within("+o.library_id", principal, None)
        );
        let groups = groups_of(self.copies(principal, &which).await?);
        let mut hidden: Vec<i64> =
            groups.iter().flat_map(|group| &group[1..]).map(|copy| copy.id).collect();
        hidden.sort_unstable();
        let hidden: Hidden = hidden.into();
        let weight = hidden.len() / 8 + 1;
        self.inner.memory.twins.insert(revision, visible, hidden.clone(), weight);
        Ok(hidden)
    }

    /// Visible albums that fit a condition on their key, equal keys side by side.
    async fn copies(&self, principal: &Principal, which: &str) -> Result<Vec<Copy>> {
        let sql = format!(
            "select json_group_array(json_array(album_id, key, track_count, duration_ms, size_bytes))
             from (select * from album where track_count > 0 and {} and {which}
                   order by key, size_bytes desc, album_id)",
            within("+library_id", principal, None)
        );
        let json: String = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(self.db.read()).await?;
        Ok(serde_json::from_str(&json)?)
    }

    /// The visible library with the most albums, or one that is not much smaller.
    async fn biggest(&self, principal: &Principal) -> Result<i64> {
        let mut left: Vec<i64> = principal.libraries.iter().map(|library| library.0).collect();
        let mut most = LOOK;
        loop {
            let mut counted = Vec::with_capacity(left.len());
            for library in &left {
                let count = sqlx::query_scalar!(
                    r#"select count(*) as "count!: i64"
                       from (select 1 from album where library_id = ? limit ?)"#,
                    library,
                    most
                )
                .fetch_one(self.db.read())
                .await?;
                counted.push((count, *library));
            }
            let best = counted.iter().max().map_or(0, |(_, library)| *library);
            counted.retain(|(count, _)| i64::from(most) <= *count);
            if counted.len() < 2 || most == u32::MAX {
                return Ok(best);
            }
            left = counted.into_iter().map(|(_, library)| library).collect();
            most = most.saturating_mul(MORE);
        }
    }
}

/// Groups of equal ones, of more than one, the best copy first: that with the most bytes for the
/// same music, then the oldest row. What has one key stands side by side.
fn groups_of(copies: Vec<Copy>) -> Vec<Vec<Copy>> {
    let mut groups: Vec<Vec<Copy>> = Vec::new();
    let mut since = 0;
    for copy in copies {
        if groups.get(since).is_some_and(|group| group[0].key != copy.key) {
            since = groups.len();
        }
        match groups[since..].iter_mut().find(|group| is_equal(&group[0], &copy)) {
            Some(group) => group.push(copy),
            None => groups.push(vec![copy]),
        }
    }
    groups.retain(|group| 1 < group.len());
    for group in &mut groups {
        group.sort_by_key(|copy| (-copy.size, copy.id));
    }
    groups
}

/// A release by its MusicBrainz id is itself; else number and length of the tracks have to fit.
fn is_equal(one: &Copy, other: &Copy) -> bool {
    let is_as_long = (one.duration_ms - other.duration_ms).abs()
        <= one.duration_ms.max(other.duration_ms) / ALIKE;
    one.key == other.key && one.tracks == other.tracks && (one.key.starts_with("mb:") || is_as_long)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{
        AlbumFilter, AlbumOrder, Page,
        tests::{TEN, world},
    };

    #[test]
    fn the_best_of_equal_copies_is_shown() {
        let copy = |id, key: &str, tracks, seconds: i64, size| Copy {
            id,
            key: key.to_owned(),
            tracks,
            duration_ms: seconds * 1000,
            size,
        };
        let groups = |copies| -> Vec<Vec<i64>> {
            let ids = |group: Vec<Copy>| group.iter().map(|copy| copy.id).collect();
            groups_of(copies).into_iter().map(ids).collect()
        };
        let found = groups(vec![
            copy(1, "a", 10, 2000, 50),
            copy(2, "a", 10, 2010, 300),
            copy(3, "a", 9, 1800, 40),
            copy(4, "b", 3, 600, 10),
            copy(5, "b", 3, 700, 10),
            copy(6, "mb:x", 3, 600, 10),
            copy(7, "mb:x", 3, 700, 10),
        ]);
        assert_eq!(found, [[2, 1], [6, 7]]);
        assert!(groups(Vec::new()).is_empty());
    }

    /// However a list is walked, copies are left out of it and nothing else.
    #[tokio::test]
    async fn pages_without_copies_are_those_of_the_whole_list() {
        let w = world().await;
        let mut tx = w.catalog.db.write().await.unwrap();
        sqlx::raw_sql(
            "with recursive n(i) as (select 0 union all select i + 1 from n where i < 59)
             insert into album (album_id, library_id, key, name, sort_name, order_key, track_count, duration_ms, size_bytes, created_at)
             select 100 + i, 1, 'k' || i, 'n' || i, '', 'n' || (i * 7 % 60), 5, 1000, 9, i from n
             union all select 200 + i, 2, 'k' || i, 'n' || i, '', 'n' || (i * 7 % 60), 5, 1000, 9 + i % 2, i from n where i % 3 = 0;",
        )
        .execute(&mut *tx)
        .await
        .unwrap();
        tx.commit().await.unwrap();
        // Of each pair the bigger one is shown, and of equals the older.
        let hidden: Vec<i64> =
            (0..60).step_by(3).map(|i| if i % 2 == 0 { 200 + i } else { 100 + i }).collect();
        let page = async |order, offset, limit| {
            let filter = AlbumFilter::default();
            let found =
                w.catalog.albums(&w.ann, &filter, order, Page { offset, limit }).await.unwrap();
            assert_eq!(found.total, 63);
            found.items.iter().map(|album| album.id.0).collect::<Vec<_>>()
        };
        for order in [AlbumOrder::Name, AlbumOrder::Newest, AlbumOrder::Year] {
            let whole = page(order, 0, 100).await;
            assert_eq!(whole.len(), 63);
            assert!(whole.iter().all(|id| !hidden.contains(id)), "{whole:?}");
            for (offset, limit) in
                [(40, 7), (0, 1), (13, 20), (1, 1), (60, 10), (63, 5), (33, 7), (5, 58)]
            {
                let expected = whole.iter().skip(offset).take(limit).copied().collect::<Vec<_>>();
                assert_eq!(
                    page(order, offset as u32, limit as u32).await,
                    expected,
                    "{offset} {limit}"
                );
            }
        }
        let mut drawn = page(AlbumOrder::Random, 0, 100).await;
        drawn.sort_unstable();
        let mut all = page(AlbumOrder::Name, 0, 100).await;
        all.sort_unstable();
        assert_eq!(drawn, all);
        // To whoever sees one library alone nothing is there twice.
        let filter = AlbumFilter::default();
        assert_eq!(
            w.catalog.albums(&w.bob, &filter, AlbumOrder::Name, TEN).await.unwrap().total,
            62
        );
        let also = w.catalog.also_in(&w.ann, AlbumId(103)).await.unwrap();
        assert_eq!(also, [(AlbumId(203), "Ann".to_owned())]);
        assert!(w.catalog.also_in(&w.ann, AlbumId(101)).await.unwrap().is_empty());
        assert!(w.catalog.also_in(&w.bob, AlbumId(103)).await.unwrap().is_empty());
    }
}
