//! Artists: lists by role, the whole as an index, and single ones.

use std::{collections::HashMap, sync::Arc};

use serde::Deserialize;
use sqlx::AssertSqlSafe;

use crate::{
    Error, Result,
    accounts::Principal,
    catalog::{
        Artist, ArtistFacts, ArtistFilter, ArtistRole, Catalog, Item, List, Page, Picture,
        albums::unknown,
        identity::index_letter,
        lists::{Keep, Listing, Order, Total},
        visible::{json_ids, within},
    },
    ids::{ArtistId, LibraryId},
};

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
        let memory = &self.inner.memory.artists;
        let key: Arc<str> = visible.as_str().into();
        let keys: Vec<(Arc<str>, i64)> = rows.iter().map(|row| (key.clone(), *row)).collect();
        let found = memory.get_all(revision, &keys);
        let mut unknown = unknown(rows, &found);
        if unknown.is_empty() {
            return Ok(found.into_iter().flatten().collect());
        }
        let mut read: HashMap<i64, Arc<ArtistFacts>> = HashMap::with_capacity(unknown.len());
        // In the order in which they lie: a page of the database then is read once, not for each row.
        unknown.sort_unstable();
        for part in unknown.chunks(4_000) {
            read.extend(self.read_artists(&visible, part).await?);
        }
        // A list longer than the memory would only push out what is useful.
        if unknown.len() < 500 {
            let entries = read.iter().map(|(id, facts)| ((key.clone(), *id), facts.clone(), 1));
            memory.insert_all(revision, entries);
        }
        Ok(rows
            .iter()
            .zip(found)
            .filter_map(|(row, facts)| facts.or_else(|| read.get(row).cloned()))
            .collect())
    }

    async fn read_artists(
        &self,
        visible: &str,
        rows: &[i64],
    ) -> Result<HashMap<i64, Arc<ArtistFacts>>> {
        // A row for each library, packed as those of tracks are; they are put together below.
        let sql = format!(
            "select json_group_array(json_array(r.artist_id, r.name, r.sort_name, r.order_key, r.mbid, w.tracks, w.albums, w.roles,
                    w.picture_year, own.picture_id, hex(substr(own.hash, 1, 4)), p.picture_id, hex(substr(p.hash, 1, 4))))
             from json_each(?) j cross join artist r on r.artist_id = j.value
                  cross join artist_work w on w.artist_id = r.artist_id and w.{visible}
                  left join picture own on own.picture_id = r.picture_id and own.{visible}
                  left join picture p on p.picture_id = w.picture_id"
        );
        let rows = json_ids(rows.iter().copied());
        let query = sqlx::query_scalar::<_, String>(AssertSqlSafe(sql)).bind(rows);
        let rows: Vec<Row> = serde_json::from_str(&query.fetch_one(self.db.read()).await?)?;
        let mut read: HashMap<i64, (Option<i64>, ArtistFacts)> = HashMap::with_capacity(rows.len());
        for row in rows {
            let own = Picture::from_hex(row.own_id, &row.own_hash);
            let picture = Picture::from_hex(row.picture_id, &row.picture_hash);
            let (latest, facts) = read.entry(row.artist_id).or_insert_with(|| {
                let facts = ArtistFacts {
                    id: row.artist_id.into(),
                    name: row.name,
                    sort_name: row.sort_name,
                    order_key: row.order_key,
                    mbid: row.mbid,
                    ..ArtistFacts::default()
                };
                (None, facts)
            });
            facts.album_count += row.albums;
            facts.track_count += row.tracks;
            for role in row.roles.split(',').filter(|role| !role.is_empty()) {
                if let Err(at) = facts.roles.binary_search_by(|is| is.as_str().cmp(role)) {
                    facts.roles.insert(at, role.to_owned());
                }
            }
            if own.is_some() {
                facts.picture = own;
            } else if picture.is_some() && (facts.picture.is_none() || *latest < row.picture_year) {
                (facts.picture, *latest) = (picture, row.picture_year);
            }
        }
        Ok(read.into_iter().map(|(id, (_, facts))| (id, Arc::new(facts))).collect())
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
struct Row {
    artist_id: i64,
    name: String,
    sort_name: String,
    order_key: String,
    mbid: Option<String>,
    tracks: u32,
    albums: u32,
    roles: String,
    picture_year: Option<i64>,
    own_id: Option<i64>,
    own_hash: String,
    picture_id: Option<i64>,
    picture_hash: String,
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
        order: Order::along("artist", "r", &["order_key", "artist_id"]),
        keep: Keep::Revision,
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
