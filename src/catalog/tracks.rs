//! Tracks: lists in every order that a face asks for, single ones, and where their bytes are.

use std::{ffi::OsString, os::unix::ffi::OsStringExt as _, sync::Arc};

use sqlx::AssertSqlSafe;

use crate::{
    Error, Result,
    accounts::Principal,
    catalog::{
        Catalog, Item, List, Page, Track, TrackFilter, TrackOrder, TrackSource,
        lists::{Keep, Listing, Order, Total},
        path_text,
        visible::{literal, within},
    },
    ids::{LibraryId, TrackId},
    media::sealed::{Seal, Sealed},
};

impl Catalog {
    /// Tracks that match, in the wanted order.
    pub async fn tracks(
        &self,
        principal: &Principal,
        filter: &TrackFilter,
        order: TrackOrder,
        page: Page,
    ) -> Result<List<Track>> {
        let list = listing(principal, filter, order);
        // Whoever draws by lot does not ask out of how many; genres are counted already.
        let is_counted = matches!(order, TrackOrder::Random | TrackOrder::Added);
        let total = if is_counted { Total::Unasked } else { Total::Counted };
        let ids = self.window(&list, page, total).await?;
        let items = self.tracks_by_row(principal, &ids.window).await?;
        let total = match (ids.total, order, &filter.genre) {
            (Some(total), ..) => total,
            (None, TrackOrder::Added, Some(genre)) => {
                self.genre_tracks(principal, genre, filter.library).await?
            }
            (None, ..) => items.len() as u64,
        };
        Ok(List { items, total })
    }

    /// One track.
    pub async fn track(&self, principal: &Principal, id: TrackId) -> Result<Track> {
        self.tracks_by_row(principal, &[id.0])
            .await?
            .pop()
            .filter(|track| principal.may_see(track.library))
            .ok_or(Error::NotFound("Track"))
    }

    /// Several tracks in the order asked; what is not visible or gone is left out.
    pub async fn tracks_by_id(&self, principal: &Principal, ids: &[TrackId]) -> Result<Vec<Track>> {
        let rows: Vec<i64> = ids.iter().map(|id| id.0).collect();
        let mut tracks = self.tracks_by_row(principal, &rows).await?;
        tracks.retain(|track| principal.may_see(track.library));
        Ok(tracks)
    }

    /// Where the bytes of a track are, for `playback`.
    pub async fn track_source(&self, principal: &Principal, id: TrackId) -> Result<TrackSource> {
        let track = self.track(principal, id).await?;
        let place = sqlx::query!(
            r#"select l.path as library_path, t.path, t.cue_index, t.start_ms, t.duration_ms,
                      r.target as "target?: Vec<u8>", r.size_bytes as "size?: i64", r.modified_ns as "modified_ns?: i64",
                      r.changed_ns as "changed_ns?: i64", r.content_hash as "content?: Vec<u8>"
               from track t join library l using (library_id)
               left join shared_library s using (library_id)
               left join drive_file f on f.locker_id = coalesce(l.locker_id, s.locker_id)
                    and f.path = iif(s.path is null, t.path, s.path || '/' || t.path)
               left join drive_reference r using (reference_id) where t.track_id = ?"#,
            id
        )
        .fetch_optional(self.db.read())
        .await?
        .ok_or(Error::NotFound("Track"))?;
        let range_ms = place.cue_index.map(|_| {
            let start = place.start_ms.max(0) as u64;
            (start, start + place.duration_ms.max(0) as u64)
        });
        Ok(TrackSource {
            track,
            path: path_text::decode(&place.library_path).join(path_text::decode(&place.path)),
            lent: sealed(
                place.target,
                (place.size, place.modified_ns),
                (place.changed_ns, place.content),
            ),
            range_ms,
        })
    }

    /// The track that fits artist and title best, for the old getLyrics. Case does not matter.
    pub async fn find_track(
        &self,
        principal: &Principal,
        artist: &str,
        title: &str,
    ) -> Result<Option<Track>> {
        let query = format!("{artist} {title}");
        let found = self.search_tracks(principal, &query, Page { offset: 0, limit: 50 }).await?;
        let same = |a: &str, b: &str| a.to_lowercase() == b.to_lowercase();
        let exact = |track: &&Track| {
            (title.is_empty() || same(&track.title, title))
                && (artist.is_empty() || same(&track.display_artist, artist))
        };
        let with_lyrics = found.iter().filter(exact).find(|track| track.has_lyrics);
        Ok(with_lyrics.or_else(|| found.iter().find(exact)).cloned())
    }

    /// How many tracks of a genre there are to see, as [`Self::genres`] counts them.
    async fn genre_tracks(
        &self,
        principal: &Principal,
        genre: &str,
        library: Option<LibraryId>,
    ) -> Result<u64> {
        let sql = format!(
            "with wanted as (select genre_id from genre where name = ?)
             select (select coalesce(sum(tracks), 0) from genre_album
                     where genre_id in wanted and {seen})
                  + (select count(*) from track t join track_genre tg using (track_id)
                     where t.album_id is null and t.missing_at is null and {seen} and tg.genre_id in wanted)",
            seen = within("library_id", principal, library)
        );
        let query = sqlx::query_scalar::<_, i64>(AssertSqlSafe(sql)).bind(genre);
        Ok(query.fetch_one(self.db.read()).await?.max(0) as u64)
    }

    /// Tracks by row, annotated, in the order of `rows`; rows that are gone are left out.
    pub(super) async fn tracks_by_row(
        &self,
        principal: &Principal,
        rows: &[i64],
    ) -> Result<Vec<Track>> {
        let facts = self.track_facts(rows).await?;
        let marks = self.marks(principal).await?;
        Ok(facts
            .into_iter()
            .map(|facts| Track {
                annotation: marks.of(Item::Track(facts.id)),
                bookmark_ms: marks.bookmark(facts.id),
                facts,
            })
            .collect())
    }
}

/// Where the bytes of a lent file are, by the columns of its reference.
pub(super) fn sealed(
    target: Option<Vec<u8>>,
    (size, modified_ns): (Option<i64>, Option<i64>),
    (changed_ns, content): (Option<i64>, Option<Vec<u8>>),
) -> Option<Sealed> {
    let path = OsString::from_vec(target?).into();
    let seal = Some(Seal::of(changed_ns?, &content?)?);
    Some(Sealed { path, size: size?.unsigned_abs(), modified_ns: modified_ns?, seal })
}

/// All tracks of a genre as they came lie in a row in an index: a client that pages through fifty
/// thousand has nothing sorted for it.
fn by_genre(principal: &Principal, library: Option<LibraryId>, genre: &str) -> Listing {
    let from = format!(
        "from track_genre g cross join track t indexed by track_present on t.track_id = g.track_id
         where g.genre_id = (select genre_id from genre where name = {}) and t.missing_at is null and {}
           and not exists (select 1 from track_genre o where o.genre_id = g.genre_id
                           and o.track_id = g.track_id and o.position < g.position)",
        literal(genre),
        within("+t.library_id", principal, library)
    );
    Listing {
        id: "g.track_id",
        from,
        start: String::new(),
        order: Order::along("track_genre", "g", &["track_id"]),
        keep: Keep::Revision,
        without: Arc::default(),
    }
}

/// The list as SQL.
fn listing(principal: &Principal, filter: &TrackFilter, order: TrackOrder) -> Listing {
    if let (TrackOrder::Added, TrackFilter { library, genre: Some(genre), .. }) = (order, filter) {
        return by_genre(principal, *library, genre);
    }
    let mut from = String::from("from track t");
    let mut keep = Keep::Revision;
    if order == TrackOrder::Album {
        from += " left join album a on a.album_id = t.album_id";
    }
    let annotated = filter.starred
        || matches!(order, TrackOrder::Recent | TrackOrder::Frequent | TrackOrder::Starred);
    if annotated {
        keep = Keep::Marks;
        // From the few that have marks, in the order of an index, to their tracks.
        from = from.replace(
            "from track t",
            "from annotation n cross join track t indexed by track_present on t.track_id = n.item_id",
        );
    }
    from += " where t.missing_at is null and ";
    from += &within("+t.library_id", principal, filter.library);
    if annotated {
        from += &format!(" and n.user_id = {} and n.kind = 'track'", principal.user.0);
    }
    if let Some(artist) = filter.artist {
        from += &format!(
            " and t.track_id in (select track_id from track_artist where artist_id = {})",
            artist.0
        );
    }
    if let Some(composer) = filter.composer {
        from += &format!(
            " and t.track_id in (select track_id from track_artist where artist_id = {} and role = 'composer')",
            composer.0
        );
    }
    if let Some(genre) = &filter.genre {
        from += &format!(
            " and t.track_id in (select tg.track_id from genre g join track_genre tg using (genre_id) where g.name = {})",
            literal(genre)
        );
    }
    if let Some(year) = filter.from_year {
        from += &format!(" and t.year >= {year}");
    }
    if let Some(year) = filter.to_year {
        from += &format!(" and t.year <= {year}");
    }
    for (column, text) in [
        ("t.title", &filter.title_contains),
        ("t.display_artist", &filter.artist_contains),
        ("t.album_name", &filter.album_contains),
    ] {
        if let Some(text) = text {
            // instr on folded text, not like: a pattern's wildcards would be the client's.
            from += &format!(" and instr(lower({column}), {}) > 0", literal(&text.to_lowercase()));
        }
    }
    if filter.starred || order == TrackOrder::Starred {
        from += " and n.starred_at is not null";
    }
    if matches!(order, TrackOrder::Recent | TrackOrder::Frequent) {
        from += " and n.play_count > 0";
    }
    if order == TrackOrder::Recent {
        from += " and n.played_at is not null";
    }
    let along = |columns| Order::along("track", "t", columns);
    let by = |sql: &str| Order::By(sql.to_owned());
    let order = match order {
        TrackOrder::Title => along(&["order_key", "track_id"]),
        TrackOrder::Album => by(
            "a.artist_order_key, a.order_key, a.album_id, t.disc, t.number, t.order_key, t.track_id",
        ),
        TrackOrder::Added => along(&["track_id"]),
        TrackOrder::Newest => along(&["created_at", "track_id"]).reversed(),
        TrackOrder::Recent => by("n.played_at desc, n.item_id desc"),
        TrackOrder::Frequent => by("n.play_count desc, n.played_at desc, n.item_id desc"),
        TrackOrder::Starred => by("n.starred_at desc, n.item_id desc"),
        TrackOrder::Random => Order::Random { table: "track", column: "track_id" },
    };
    let (start, without) = (String::new(), Arc::default());
    Listing { id: "t.track_id", from, start, order, keep, without }
}
