//! Albums that are there more than once, in several libraries: the same release by MusicBrainz id,
//! or the same artist, title and year with as many tracks of the same length. Each row belongs to
//! one library, so that lockers never merge; in lists over all libraries they are shown once, the
//! best copy, which says where else it is.

use std::{collections::HashMap, sync::Arc};

use sqlx::{AssertSqlSafe, Row as _};

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

/// What somebody sees more than once.
#[derive(Debug, Default)]
pub(super) struct Twins {
    /// Copies that give way to a better one, as JSON; none: ''.
    pub(super) hidden: String,
    /// The copies of an album, itself too, the best first.
    copies: HashMap<i64, Arc<[i64]>>,
}

/// A copy, as far as it matters.
#[derive(Debug, Clone)]
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
        let twins = self.twins(principal).await?;
        let Some(copies) = twins.copies.get(&album.0) else { return Ok(Vec::new()) };
        let others = json_ids(copies.iter().copied().filter(|copy| *copy != album.0));
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

    /// What the principal sees more than once; remembered until the catalogue changes.
    pub(super) async fn twins(&self, principal: &Principal) -> Result<Arc<Twins>> {
        if principal.libraries.len() < 2 {
            return Ok(Arc::default());
        }
        let (revision, visible) = (self.revision().number, principal.libraries_json());
        if let Some(twins) = self.inner.memory.twins.get(revision, &visible) {
            return Ok(twins);
        }
        let seen = within("library_id", principal, None);
        let sql = format!(
            "select album_id, key, track_count, duration_ms, size_bytes from album
             where track_count > 0 and {seen} and key in (
                 select key from album where track_count > 0 and {seen} group by key having count(*) > 1)
             order by key, size_bytes desc, album_id"
        );
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(self.db.read()).await?;
        let copies = rows.iter().map(|row| Copy {
            id: row.get("album_id"),
            key: row.get("key"),
            tracks: row.get("track_count"),
            duration_ms: row.get("duration_ms"),
            size: row.get("size_bytes"),
        });
        let twins = Arc::new(twins_of(copies.collect()));
        let weight = twins.copies.len() + 1;
        self.inner.memory.twins.insert(revision, visible, twins.clone(), weight);
        Ok(twins)
    }
}

/// Groups of equal ones.
fn twins_of(copies: Vec<Copy>) -> Twins {
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
    let mut twins = Twins::default();
    let mut hidden = Vec::new();
    for mut group in groups.into_iter().filter(|group| 1 < group.len()) {
        // The best: most bytes for the same music; then the oldest row.
        group.sort_by_key(|copy| (-copy.size, copy.id));
        hidden.extend(group[1..].iter().map(|copy| copy.id));
        let ids: Arc<[i64]> = group.iter().map(|copy| copy.id).collect();
        twins.copies.extend(group.iter().map(|copy| (copy.id, ids.clone())));
    }
    if !hidden.is_empty() {
        twins.hidden = json_ids(hidden);
    }
    twins
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

    #[test]
    fn the_best_of_equal_copies_is_shown() {
        let copy = |id, key: &str, tracks, seconds: i64, size| Copy {
            id,
            key: key.to_owned(),
            tracks,
            duration_ms: seconds * 1000,
            size,
        };
        let twins = twins_of(vec![
            copy(1, "a", 10, 2000, 50),
            copy(2, "a", 10, 2010, 300),
            copy(3, "a", 9, 1800, 40),
            copy(4, "b", 3, 600, 10),
            copy(5, "b", 3, 700, 10),
            copy(6, "mb:x", 3, 600, 10),
            copy(7, "mb:x", 3, 700, 10),
        ]);
        assert_eq!(twins.hidden, "[1,7]");
        assert_eq!(&*twins.copies[&1], [2, 1]);
        assert!(!twins.copies.contains_key(&3) && !twins.copies.contains_key(&4));
        assert_eq!(twins_of(Vec::new()).hidden, "");
    }
}
