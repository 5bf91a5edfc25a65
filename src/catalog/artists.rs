//! Artists: lists by role, the whole as an index, and single ones.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use serde::Deserialize;
use sqlx::AssertSqlSafe;

use crate::{
    Error, Result,
    accounts::Principal,
    catalog::{
        Artist, ArtistFacts, ArtistFilter, ArtistRole, Catalog, Item, List, Page, Picture,
        identity::index_letter,
        lists::{Keep, Listing, Order, Total},
        visible::{json_ids, within},
    },
    ids::{ArtistId, LibraryId},
};

/// More artists than this at once are not remembered.
const LONG: usize = 500;

/// Artists under one letter, in order.
pub type Initial = (String, Vec<ArtistId>);

impl Catalog {
    /// Artists with at least one visible work in the wanted role, by order key.
    pub async fn artists(
        &self,
        principal: &Principal,
        filter: &ArtistFilter,
        page: Page,
    ) -> Result<List<Artist>> {
        self.settle_works().await?;
        if filter.starred {
            return self.starred_artists(principal, filter, page).await;
        }
        let list = listing(principal, filter);
        let ids = self.window(&list, page, Total::Counted).await?;
        let items = self.artists_within(principal, filter.library, &ids.window).await?;
        Ok(List { items, total: ids.total.unwrap_or(0) })
    }

    /// All of a list by the letters that their names begin with, as ids alone: letters in the
    /// order of their first member. Fetch the artists with [`Self::artists_by_id`], portion by
    /// portion, so that a long list needs no room.
    pub async fn artist_index(
        &self,
        principal: &Principal,
        filter: &ArtistFilter,
    ) -> Result<Vec<Initial>> {
        self.settle_works().await?;
        let Listing { from, order, .. } = listing(principal, filter);
        let sql = format!(
            "select json_group_array(json_array(id, initial)) from
               (select r.artist_id as id, substr(r.order_key, 1, 1) as initial {from} order by {})",
            order.sql()
        );
        let json: String = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(self.db.read()).await?;
        let rows: Vec<(i64, String)> = serde_json::from_str(&json)?;
        let mut index: Vec<Initial> = Vec::new();
        for (id, initial) in rows {
            let letter = index_letter(&initial);
            match index.iter_mut().rev().find(|(is, _)| *is == letter) {
                Some((_, ids)) => ids.push(id.into()),
                None => index.push((letter, vec![id.into()])),
            }
        }
        Ok(index)
    }

    /// Several artists in the order asked; those without a visible work are left out.
    pub async fn artists_by_id(
        &self,
        principal: &Principal,
        library: Option<LibraryId>,
        ids: &[ArtistId],
    ) -> Result<Vec<Artist>> {
        let rows: Vec<i64> = ids.iter().map(|id| id.0).collect();
        self.artists_within(principal, library, &rows).await
    }

    /// One artist.
    pub async fn artist(&self, principal: &Principal, id: ArtistId) -> Result<Artist> {
        self.artists_by_row(principal, &[id.0]).await?.pop().ok_or(Error::NotFound("Artist"))
    }

    /// Artists by row, annotated, in the order of `rows`; those without a visible work are left out.
    pub(super) async fn artists_by_row(
        &self,
        principal: &Principal,
        rows: &[i64],
    ) -> Result<Vec<Artist>> {
        self.artists_within(principal, None, rows).await
    }

    /// As [`Self::artists_by_row`], with the works of one library alone if one is given.
    async fn artists_within(
        &self,
        principal: &Principal,
        library: Option<LibraryId>,
        rows: &[i64],
    ) -> Result<Vec<Artist>> {
        self.settle_works().await?;
        let marks = self.marks(principal).await?;
        let facts = self.artist_facts(principal, library, rows).await?;
        Ok(facts
            .into_iter()
            .map(|facts| Artist { annotation: marks.of(Item::Artist(facts.id)), facts })
            .collect())
    }

    async fn starred_artists(
        &self,
        principal: &Principal,
        filter: &ArtistFilter,
        page: Page,
    ) -> Result<List<Artist>> {
        let marks = self.marks(principal).await?;
        let rows: Vec<i64> = marks.starred_artists().map(|id| id.0).collect();
        let mut starred = self.artists_within(principal, filter.library, &rows).await?;
        starred.retain(|artist| filter.role.is_of(artist));
        starred.sort_by_key(|artist| std::cmp::Reverse((artist.annotation.starred_at, artist.id)));
        let total = starred.len() as u64;
        let items = starred.into_iter().skip(page.offset as usize).take(page.limit as usize);
        Ok(List { items: items.collect(), total })
    }

    async fn artist_facts(
        &self,
        principal: &Principal,
        library: Option<LibraryId>,
        rows: &[i64],
    ) -> Result<Vec<Arc<ArtistFacts>>> {
        let revision = self.revision().number;
        let visible = within("library_id", principal, library);
        // A list longer than the memory would only push out what is useful.
        if LONG < rows.len() {
            let mut sorted = rows.to_vec();
            sorted.sort_unstable();
            let read = self.read_artists(&visible, &sorted).await?;
            return Ok(rows.iter().filter_map(|row| known(&read, *row)).collect());
        }
        let memory = &self.inner.memory.artists;
        let key: Arc<str> = visible.as_str().into();
        let keys: Vec<(Arc<str>, i64)> = rows.iter().map(|row| (key.clone(), *row)).collect();
        let found = memory.get_all(revision, &keys);
        let mut unknown = unknown(rows, &found);
        if unknown.is_empty() {
            return Ok(found.into_iter().flatten().collect());
        }
        unknown.sort_unstable();
        let read = self.read_artists(&visible, &unknown).await?;
        let entries = read.iter().map(|facts| ((key.clone(), facts.id.0), facts.clone(), 1));
        memory.insert_all(revision, entries);
        Ok(rows
            .iter()
            .zip(found)
            .filter_map(|(row, facts)| facts.or_else(|| known(&read, *row)))
            .collect())
    }

    /// Artists by row, in that order. `rows` ascend: as they lie, so that a page of the database is
    /// read once, not for each row.
    async fn read_artists(&self, visible: &str, rows: &[i64]) -> Result<Vec<Arc<ArtistFacts>>> {
        // A row for each library, packed as those of tracks are; they are put together below.
        let sql = format!(
            "select json_group_array(json_array(r.artist_id, r.name, r.sort_name, r.order_key, r.mbid, w.tracks, w.albums, w.roles,
                    w.picture_year, own.picture_id, hex(substr(own.hash, 1, 4)), w.picture_id, w.picture_hash))
             from json_each(?) j cross join artist r on r.artist_id = j.value
                  cross join artist_work w on w.artist_id = r.artist_id and w.{visible}
                  left join picture own on own.picture_id = r.picture_id and own.{visible}"
        );
        let mut read: Vec<Arc<ArtistFacts>> = Vec::with_capacity(rows.len());
        let mut roles = Roles::default();
        for part in rows.chunks(4_000) {
            let rows = json_ids(part.iter().copied());
            let query = sqlx::query_scalar::<_, String>(AssertSqlSafe(sql.clone())).bind(rows);
            let json = query.fetch_one(self.db.read()).await?;
            let rows: Vec<Row<'_>> = serde_json::from_str(&json)?;
            for of_one in rows.chunk_by(|one, other| one.artist_id == other.artist_id) {
                read.extend(facts(of_one, &mut roles).map(Arc::new));
            }
        }
        Ok(read)
    }

    /// Pictures by row.
    pub(super) async fn pictures(
        &self,
        rows: impl IntoIterator<Item = i64>,
    ) -> Result<std::collections::HashMap<i64, Picture>> {
        let mut rows: Vec<i64> = rows.into_iter().collect();
        if rows.is_empty() {
            return Ok(std::collections::HashMap::new());
        }
        rows.sort_unstable();
        rows.dedup();
        let rows = json_ids(rows);
        let found = sqlx::query!(
            "select picture_id, hash from picture where picture_id in (select value from json_each(?))",
            rows
        )
        .fetch_all(self.db.read())
        .await?;
        Ok(found
            .into_iter()
            .filter_map(|row| {
                Picture::from_row(Some(row.picture_id), Some(&row.hash))
                    .map(|p| (row.picture_id, p))
            })
            .collect())
    }
}

/// A row as [`Catalog::read_artists`] packs it, in that order.
#[derive(Deserialize)]
struct Row<'a> {
    artist_id: i64,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    sort_name: Cow<'a, str>,
    #[serde(borrow)]
    order_key: Cow<'a, str>,
    mbid: Option<String>,
    tracks: u32,
    albums: u32,
    #[serde(borrow)]
    roles: Cow<'a, str>,
    picture_year: Option<i64>,
    own_id: Option<i64>,
    own_hash: &'a str,
    picture_id: Option<i64>,
    picture_hash: Option<&'a str>,
}

/// One artist from what each library holds of him.
fn facts(rows: &[Row<'_>], known: &mut Roles) -> Option<ArtistFacts> {
    let first = rows.first()?;
    // The library whose album is the latest shows its picture; the artist's own goes before.
    let own = rows.iter().find_map(|row| Picture::from_hex(row.own_id, Some(row.own_hash)));
    let latest = rows
        .iter()
        .filter_map(|row| {
            Some((row.picture_year, Picture::from_hex(row.picture_id, row.picture_hash)?))
        })
        .reduce(|best, next| if best.0 < next.0 { next } else { best });
    Some(ArtistFacts {
        id: first.artist_id.into(),
        name: first.name.clone().into_owned(),
        sort_name: first.sort_name.clone().into_owned(),
        order_key: first.order_key.clone().into_owned(),
        mbid: first.mbid.clone(),
        picture: own.or(latest.map(|(_, picture)| picture)),
        album_count: rows.iter().map(|row| row.albums).sum(),
        track_count: rows.iter().map(|row| row.tracks).sum(),
        roles: known.of(rows.iter().map(|row| &*row.roles)),
    })
}

/// Lists of roles that were made already: thousands of artists have the same.
#[derive(Default)]
struct Roles(HashMap<String, Arc<[String]>>);

impl Roles {
    /// The roles in these lists, each once, sorted. In a list a comma stands before, between and
    /// after them.
    fn of<'a>(&mut self, mut lists: impl Iterator<Item = &'a str>) -> Arc<[String]> {
        let first = lists.next().unwrap_or_default();
        let text = lists.fold(Cow::Borrowed(first), |all, next| all + next);
        if let Some(roles) = self.0.get(&*text) {
            return roles.clone();
        }
        let mut roles: Vec<String> =
            text.split(',').filter(|role| !role.is_empty()).map(str::to_owned).collect();
        roles.sort();
        roles.dedup();
        let roles: Arc<[String]> = roles.into();
        self.0.insert(text.into_owned(), roles.clone());
        roles
    }
}

/// The rows that were not found, in order.
fn unknown<T>(rows: &[i64], found: &[Option<T>]) -> Vec<i64> {
    rows.iter().zip(found).filter(|(_, found)| found.is_none()).map(|(row, _)| *row).collect()
}

/// The one of this row among those that ascend by row.
fn known(facts: &[Arc<ArtistFacts>], row: i64) -> Option<Arc<ArtistFacts>> {
    let at = facts.binary_search_by_key(&row, |facts| facts.id.0).ok()?;
    facts.get(at).cloned()
}

/// The list as SQL, over what libraries hold.
fn listing(principal: &Principal, filter: &ArtistFilter) -> Listing {
    let visible = within("w.library_id", principal, filter.library);
    let role = match filter.role {
        ArtistRole::AlbumArtist => "w.albums > 0",
        ArtistRole::Artist => "instr(w.roles, ',artist,') > 0",
        ArtistRole::Composer => "instr(w.roles, ',composer,') > 0",
        ArtistRole::Any => "true",
    };
    Listing {
        id: "r.artist_id",
        from: format!(
            "from artist r where exists (select 1 from artist_work w
                where w.artist_id = r.artist_id and {visible} and {role})"
        ),
        start: String::new(),
        order: Order::along("artist", "r", &["order_key", "artist_id"]),
        keep: Keep::Revision,
        without: Arc::default(),
    }
}

impl ArtistRole {
    fn is_of(&self, artist: &ArtistFacts) -> bool {
        let has = |role: &str| artist.roles.iter().any(|is| is == role);
        match self {
            Self::AlbumArtist => artist.album_count > 0,
            Self::Artist => has("artist"),
            Self::Composer => has("composer"),
            Self::Any => true,
        }
    }
}
