//! Albums: lists in every order that a face asks for, and single ones.

use std::sync::Arc;

use serde::Deserialize;

use crate::{
    Error, Result,
    accounts::Principal,
    catalog::{
        Album, AlbumFacts, AlbumFilter, AlbumOrder, ArtistRef, Catalog, Item, List, Page, Picture,
        Track, Written,
        lists::{Keep, Listing, Order, Total},
        memory::PORTION,
        visible::{json_ids, literal, within},
    },
    ids::AlbumId,
};

impl Catalog {
    /// Albums that match, in the wanted order. Over all libraries equal albums are shown once, the
    /// best copy ([`Self::also_in`] tells of the others); what depends on the principal's own marks
    /// shows the copy that has them.
    pub async fn albums(
        &self,
        principal: &Principal,
        filter: &AlbumFilter,
        order: AlbumOrder,
        page: Page,
    ) -> Result<List<Album>> {
        let mut list = listing(principal, filter, order);
        let is_personal = list.keep == Keep::Marks;
        if filter.library.is_none() && !is_personal {
            list.without = self.hidden_twins(principal).await?;
        }
        let ids = self.window(&list, page, Total::Counted).await?;
        let items = self.albums_by_row(principal, &ids.window).await?;
        Ok(List { items, total: ids.total.unwrap_or(0) })
    }

    /// One album.
    pub async fn album(&self, principal: &Principal, id: AlbumId) -> Result<Album> {
        self.albums_by_row(principal, &[id.0])
            .await?
            .pop()
            .filter(|album| principal.may_see(album.library))
            .ok_or(Error::NotFound("Album"))
    }

    /// Several albums in the order asked; what is not visible or gone is left out.
    pub async fn albums_by_id(&self, principal: &Principal, ids: &[AlbumId]) -> Result<Vec<Album>> {
        let rows: Vec<i64> = ids.iter().map(|id| id.0).collect();
        let mut albums = self.albums_by_row(principal, &rows).await?;
        albums.retain(|album| principal.may_see(album.library));
        Ok(albums)
    }

    /// The tracks of an album: disc, number, title.
    pub async fn album_tracks(&self, principal: &Principal, id: AlbumId) -> Result<Vec<Track>> {
        let revision = self.revision().number;
        let rows = match self.inner.memory.album_tracks.get(revision, &id.0) {
            Some(rows) => rows,
            None => {
                let json = sqlx::query_scalar!(
                    r#"select json_group_array(track_id) as "rows!: String" from
                         (select track_id from track where album_id = ? and missing_at is null
                          order by disc, number, order_key, track_id)"#,
                    id
                )
                .fetch_one(self.db.read())
                .await?;
                let rows: Arc<[i64]> = serde_json::from_str::<Vec<i64>>(&json)?.into();
                let weight = rows.len() + 4;
                self.inner.memory.album_tracks.insert(revision, id.0, rows.clone(), weight);
                rows
            }
        };
        let mut tracks = self.tracks_by_row(principal, &rows).await?;
        tracks.retain(|track| principal.may_see(track.library));
        Ok(tracks)
    }

    /// Albums by row, annotated, in the order of `rows`; rows that are gone are left out.
    pub(super) async fn albums_by_row(
        &self,
        principal: &Principal,
        rows: &[i64],
    ) -> Result<Vec<Album>> {
        let facts = self.album_facts(rows).await?;
        let marks = self.marks(principal).await?;
        Ok(facts
            .into_iter()
            .map(|facts| Album { annotation: marks.of(Item::Album(facts.id)), facts })
            .collect())
    }

    async fn album_facts(&self, rows: &[i64]) -> Result<Vec<Arc<AlbumFacts>>> {
        let (memory, revision) = (&self.inner.memory.albums, self.revision().number);
        let mut partly = memory.look(revision, rows);
        for part in partly.unknown.chunks(PORTION) {
            let facts = self.read_albums(part).await?;
            partly.fresh.extend(facts.into_iter().map(|facts| (facts.id.0, Arc::new(facts))));
        }
        Ok(memory.complete(revision, partly))
    }

    /// Rows travel as one JSON array, as those of tracks do.
    async fn read_albums(&self, rows: &[i64]) -> Result<Vec<AlbumFacts>> {
        let rows = json_ids(rows.iter().copied());
        let records = sqlx::query_scalar!(
            r#"select json_group_array(json_array(
                      a.album_id, a.library_id, a.folder_id, a.name, a.version, a.sort_name, a.order_key,
                      a.display_artist, a.mbid, a.release_date, a.original_date, a.year,
                      a.is_compilation, a.explicit, json(a.release_types), json(a.record_labels), json(a.moods),
                      a.genre, a.track_count, a.duration_ms, a.size_bytes, a.created_at,
                      a.picture_id, a.picture_hash,
                      (select json_group_array(json_array(artist_id, name)) from
                         (select r.artist_id, r.name from album_artist aa join artist r indexed by artist_names using (artist_id)
                          where aa.album_id = a.album_id order by aa.position)),
                      (select json_group_array(name) from
                         (select g.name from genre_album ga join genre g using (genre_id)
                          where ga.album_id = a.album_id order by ga.place)),
                      (select json_group_array(json_array(disc, title)) from
                         (select disc, title from album_disc d where d.album_id = a.album_id order by disc))
                      )) as "rows!: String"
               from album a
               where a.album_id in (select value from json_each(?)) and a.track_count > 0"#,
            rows
        )
        .fetch_one(self.db.read())
        .await?;
        let records: Vec<Row> = serde_json::from_str(&records)?;
        Ok(records.into_iter().map(Row::into_facts).collect())
    }
}

/// A row as [`Catalog::read_albums`] packs it, in that order.
#[derive(Deserialize)]
struct Row {
    album_id: i64,
    library_id: i64,
    folder_id: Option<i64>,
    name: String,
    version: String,
    sort_name: String,
    order_key: String,
    display_artist: String,
    mbid: Option<String>,
    release_date: String,
    original_date: String,
    year: Option<i64>,
    is_compilation: i64,
    explicit: String,
    release_types: Vec<String>,
    record_labels: Vec<String>,
    moods: Vec<String>,
    genre: String,
    track_count: i64,
    duration_ms: i64,
    size_bytes: i64,
    created_at: i64,
    picture_id: Option<i64>,
    picture_hash: Option<String>,
    artists: Vec<(i64, Arc<str>)>,
    genres: Vec<String>,
    disc_titles: Vec<(u32, String)>,
}

impl Row {
    fn into_facts(self) -> AlbumFacts {
        let artists = self.artists.into_iter();
        AlbumFacts {
            id: self.album_id.into(),
            library: self.library_id.into(),
            folder: self.folder_id.map(Into::into),
            name: self.name,
            version: self.version,
            sort_name: self.sort_name,
            order_key: self.order_key,
            artists: artists.map(|(id, name)| ArtistRef { id: id.into(), name }).collect(),
            display_artist: self.display_artist,
            mbid: self.mbid,
            release_date: self.release_date,
            original_date: self.original_date,
            year: self.year.and_then(|year| i32::try_from(year).ok()),
            is_compilation: self.is_compilation != 0,
            explicit: self.explicit,
            release_types: self.release_types,
            record_labels: self.record_labels,
            moods: self.moods,
            genre: self.genre,
            genres: self.genres,
            disc_titles: self.disc_titles,
            picture: Picture::from_hex(self.picture_id, self.picture_hash.as_deref()),
            track_count: self.track_count as u32,
            duration_ms: self.duration_ms as u64,
            size_bytes: self.size_bytes as u64,
            created_at: self.created_at,
            written: Written::default(),
        }
    }
}

/// All albums of one genre by title lie in a row in a table of their own.
fn by_genre(principal: &Principal, filter: &AlbumFilter, order: AlbumOrder) -> Option<Listing> {
    let AlbumFilter {
        library,
        album_artist: None,
        guest_artist: None,
        genre: Some(genre),
        from_year: None,
        to_year: None,
        starred: false,
        played: false,
        rated: false,
    } = filter
    else {
        return None;
    };
    let from = format!(
        "from genre_album a where a.genre_id = (select genre_id from genre where name = {}) and {}",
        literal(genre),
        within("+a.library_id", principal, *library)
    );
    let order = match order {
        AlbumOrder::Name => Order::along("album", "a", &["order_key", "album_id"]),
        _ => return None,
    };
    let start = String::new();
    let (id, keep, without) = ("a.album_id", Keep::Revision, Arc::default());
    Some(Listing { id, from, start, order, keep, without })
}

/// The list as SQL.
fn listing(principal: &Principal, filter: &AlbumFilter, order: AlbumOrder) -> Listing {
    if let Some(listing) = by_genre(principal, filter, order) {
        return listing;
    }
    let mut from = String::from("from album a");
    let mut keep = Keep::Revision;
    let annotated = filter.starred
        || filter.played
        || filter.rated
        || matches!(
            order,
            AlbumOrder::Recent | AlbumOrder::Frequent | AlbumOrder::Highest | AlbumOrder::Starred
        );
    if annotated {
        keep = Keep::Marks;
        // From the few that have marks, in the order of an index, to their albums: that they are
        // there and may be seen is told by an index many times narrower than the table.
        "from annotation n cross join album a indexed by album_present on a.album_id = n.item_id"
            .clone_into(&mut from);
    }
    from += " where a.track_count > 0 and ";
    from += &within("+a.library_id", principal, filter.library);
    if annotated {
        from += &format!(" and n.user_id = {} and n.kind = 'album'", principal.user.0);
    }
    if let Some(artist) = filter.album_artist {
        from += &format!(
            " and a.album_id in (select album_id from album_artist where artist_id = {})",
            artist.0
        );
    }
    if let Some(artist) = filter.guest_artist {
        from += &format!(
            " and a.album_id in (select t.album_id from track_artist ta join track t using (track_id)
                where ta.artist_id = {0} and t.missing_at is null)
              and a.album_id not in (select album_id from album_artist where artist_id = {0})",
            artist.0
        );
    }
    if let Some(genre) = &filter.genre {
        from += &format!(
            " and a.album_id in (select album_id from genre_album
                where genre_id = (select genre_id from genre where name = {}))",
            literal(genre)
        );
    }
    // Where a list by year begins stands apart from where it ends.
    let mut start = String::new();
    for (year, sign, begins) in [
        (filter.from_year, ">=", AlbumOrder::Year),
        (filter.to_year, "<=", AlbumOrder::YearDescending),
    ] {
        if let Some(year) = year {
            let of = if order == begins { &mut start } else { &mut from };
            *of += &format!(" and a.year {sign} {year}");
        }
    }
    if filter.starred || order == AlbumOrder::Starred {
        from += " and n.starred_at is not null";
    }
    if filter.played || matches!(order, AlbumOrder::Recent | AlbumOrder::Frequent) {
        from += " and n.play_count > 0";
    }
    if order == AlbumOrder::Recent {
        from += " and n.played_at is not null";
    }
    if filter.rated || order == AlbumOrder::Highest {
        from += " and n.rating is not null";
    }
    let along = |columns| Order::along("album", "a", columns);
    let by = |sql: &str| Order::By(sql.to_owned());
    let order = match order {
        AlbumOrder::Name => along(&["order_key", "album_id"]),
        AlbumOrder::Artist => along(&["artist_order_key", "order_key", "album_id"]),
        AlbumOrder::Newest => along(&["created_at", "album_id"]).reversed(),
        AlbumOrder::Recent => by("n.played_at desc, n.item_id desc"),
        AlbumOrder::Frequent => by("n.play_count desc, n.played_at desc, n.item_id desc"),
        AlbumOrder::Highest => by("n.rating desc, n.rated_at desc, n.item_id desc"),
        AlbumOrder::Starred => by("n.starred_at desc, n.item_id desc"),
        // Without a range some have no year, and nothing stands behind those.
        AlbumOrder::Year if filter.from_year.is_none() => by("a.year, a.order_key, a.album_id"),
        AlbumOrder::Year => along(&["year", "order_key", "album_id"]),
        AlbumOrder::YearDescending if filter.from_year.is_none() => {
            by("a.year desc, a.order_key desc, a.album_id desc")
        }
        AlbumOrder::YearDescending => along(&["year", "order_key", "album_id"]).reversed(),
        AlbumOrder::Random => Order::Random { table: "album", column: "album_id" },
    };
    Listing { id: "a.album_id", from, start, order, keep, without: Arc::default() }
}
