//! Search: words are prefixes, all must match, case and accents do not matter; an empty query is
//! everything, by row, so that a client pages through a whole library exactly once.

use std::{fmt::Write as _, sync::Arc};

use sqlx::AssertSqlSafe;

use crate::{
    Result,
    accounts::Principal,
    catalog::{
        Album, Artist, Catalog, Page, Track,
        lists::{Keep, Listing, Order, Total},
        visible::within,
    },
    ids::{ArtistId, LibraryId},
};

/// Ranking all matches of a common word is unbounded work; the first so many are enough.
const RANKED: u32 = 1_000;

/// Windows of a search in all three kinds; a kind of which none are wanted is not looked for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Of artists.
    pub artists: Page,
    /// Of albums.
    pub albums: Page,
    /// Of tracks.
    pub tracks: Page,
}

/// What a search found of all three kinds.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// By name.
    pub artists: Vec<Artist>,
    /// By name and artist.
    pub albums: Vec<Album>,
    /// By title, album and artist.
    pub tracks: Vec<Track>,
}

impl Catalog {
    /// Searches all three kinds.
    pub async fn search(
        &self,
        principal: &Principal,
        query: &str,
        library: Option<LibraryId>,
        wanted: Wanted,
    ) -> Result<Found> {
        let words = words(query);
        let kinds = [
            (artists(principal, library), wanted.artists),
            (albums(principal, library), wanted.albums),
            (tracks(principal, library), wanted.tracks),
        ];
        if 0 < wanted.artists.limit {
            self.settle_works().await?;
        }
        let rows = match &words {
            Words::Match(expression) => self.ranked(expression, kinds).await?,
            Words::Nothing => return Ok(Found::default()),
            Words::Everything => {
                let mut rows = <[Vec<i64>; 3]>::default();
                for (rows, (kind, page)) in rows.iter_mut().zip(&kinds) {
                    let list = kind.everything();
                    rows.clone_from(&self.window(&list, *page, Total::Unasked).await?.window);
                }
                Arc::new(rows)
            }
        };
        let [artists, albums, tracks] = &*rows;
        Ok(Found {
            artists: match artists.len() {
                0 => Vec::new(),
                _ => {
                    let ids: Vec<ArtistId> = artists.iter().copied().map(Into::into).collect();
                    self.artists_by_id(principal, library, &ids).await?
                }
            },
            albums: self.albums_by_row(principal, albums).await?,
            tracks: self.tracks_by_row(principal, tracks).await?,
        })
    }

    /// Artists by name.
    pub async fn search_artists(
        &self,
        principal: &Principal,
        query: &str,
        page: Page,
    ) -> Result<Vec<Artist>> {
        let wanted = Wanted { artists: page, albums: NONE, tracks: NONE };
        Ok(self.search(principal, query, None, wanted).await?.artists)
    }

    /// Tracks by title, album and artist.
    pub async fn search_tracks(
        &self,
        principal: &Principal,
        query: &str,
        page: Page,
    ) -> Result<Vec<Track>> {
        let wanted = Wanted { artists: NONE, albums: NONE, tracks: page };
        Ok(self.search(principal, query, None, wanted).await?.tracks)
    }

    /// How many tracks fit; no more are counted than are ever ranked.
    pub async fn count_tracks(&self, principal: &Principal, query: &str) -> Result<u64> {
        let kind = tracks(principal, None);
        match words(query) {
            Words::Nothing => Ok(0),
            Words::Everything => {
                let ids = self.window(&kind.everything(), NONE, Total::Counted).await?;
                Ok(ids.total.unwrap_or(0))
            }
            Words::Match(expression) => {
                let sql = format!("select count(*) from ({})", kind.matching());
                let query = sqlx::query_scalar::<_, i64>(AssertSqlSafe(sql)).bind(expression);
                Ok(query.fetch_one(self.db.read()).await?.max(0) as u64)
            }
        }
    }

    /// The best rows of all kinds, in one statement.
    async fn ranked(
        &self,
        expression: &str,
        kinds: [(Kind, Page); 3],
    ) -> Result<Arc<[Vec<i64>; 3]>> {
        let mut sql = String::with_capacity(1024);
        let mut windows = Vec::with_capacity(6);
        for (at, (kind, page)) in kinds.iter().enumerate() {
            sql.push_str(if at == 0 { "select " } else { ", " });
            if page.limit == 0 {
                sql.push_str("'[]'");
                continue;
            }
            let (limit, offset) = (windows.len() + 2, windows.len() + 3);
            windows.extend([page.limit, page.offset]);
            let _ = write!(
                sql,
                "(select json_group_array(id) from ({} order by m.rank, e.{} limit ?{limit} offset ?{offset}))",
                kind.matching(),
                kind.id
            );
        }
        let revision = self.revision().number;
        let key = format!("{expression} {windows:?} {sql}");
        let memory = &self.inner.memory.searches;
        if let Some(rows) = memory.get(revision, key.as_str()) {
            return Ok(rows);
        }
        let mut query = sqlx::query_as(AssertSqlSafe(sql)).bind(expression);
        for number in windows {
            query = query.bind(number);
        }
        let (artists, albums, tracks): (String, String, String) =
            query.fetch_one(self.db.read()).await?;
        let read = |json: &str| serde_json::from_str::<Vec<i64>>(json);
        let rows = Arc::new([read(&artists)?, read(&albums)?, read(&tracks)?]);
        let weight = rows.iter().map(Vec::len).sum::<usize>() + key.len() / 8 + 16;
        memory.insert(revision, key, rows.clone(), weight);
        Ok(rows)
    }
}

/// No window: nothing is looked for.
const NONE: Page = Page { offset: 0, limit: 0 };

/// One of the kinds that can be searched.
struct Kind {
    table: &'static str,
    id: &'static str,
    /// The index that everything of it is walked along. SQLite would take the table itself, whose
    /// rows are many times as wide.
    along: &'static str,
    /// What they are ordered by when all are wanted.
    columns: &'static [&'static str],
    /// What may be seen of `e`.
    seen: String,
}

fn artists(principal: &Principal, library: Option<LibraryId>) -> Kind {
    let visible = within("w.library_id", principal, library);
    let seen = format!(
        "exists (select 1 from artist_work w where w.artist_id = e.artist_id and {visible})"
    );
    Kind { table: "artist", id: "artist_id", along: "", columns: &["artist_id"], seen }
}

fn albums(principal: &Principal, library: Option<LibraryId>) -> Kind {
    let seen = format!("e.track_count > 0 and {}", within("+e.library_id", principal, library));
    let along = "indexed by album_present";
    Kind { table: "album", id: "album_id", along, columns: &["album_id"], seen }
}

fn tracks(principal: &Principal, library: Option<LibraryId>) -> Kind {
    let seen = format!("e.missing_at is null and {}", within("+e.library_id", principal, library));
    let along = "indexed by track_present";
    Kind { table: "track", id: "track_id", along, columns: &["track_id"], seen }
}

impl Kind {
    /// All of them by row, so that a client pages through each exactly once.
    fn everything(&self) -> Listing {
        let id = match self.table {
            "artist" => "e.artist_id",
            "album" => "e.album_id",
            _ => "e.track_id",
        };
        Listing {
            id,
            from: format!("from {} e {} where {}", self.table, self.along, self.seen),
            start: String::new(),
            order: Order::along(self.table, "e", self.columns),
            keep: Keep::Revision,
            without: Arc::default(),
        }
    }

    /// Those that fit the expression bound as `?1`, unordered, with their ranks in `m`.
    fn matching(&self) -> String {
        let Self { table, id, seen, .. } = self;
        format!(
            "select e.{id} as id from
               (select rowid, rank from {table}_search where {table}_search match ?1 limit {RANKED}) m
             cross join {table} e on e.{id} = m.rowid where {seen}"
        )
    }
}

/// What a query asks for.
#[derive(Debug, PartialEq, Eq)]
enum Words {
    /// Every spelling of "no query" that clients send (C8).
    Everything,
    /// Characters, but no word to look for.
    Nothing,
    /// An FTS5 expression: each word quoted and a prefix.
    Match(String),
}

fn words(query: &str) -> Words {
    let bare = query.trim();
    let bare = if matches!(bare, "\"\"" | "''" | "*") { "" } else { bare };
    if bare.is_empty() {
        return Words::Everything;
    }
    let words: Vec<String> = bare
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(16)
        .map(|word| format!("\"{word}\"*"))
        .collect();
    if words.is_empty() { Words::Nothing } else { Words::Match(words.join(" ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_become_expressions() {
        for nothing in ["", "  ", "\"\"", "''", "*"] {
            assert_eq!(words(nothing), Words::Everything, "{nothing}");
        }
        assert_eq!(words("?!"), Words::Nothing);
        assert_eq!(words("Joni Mit*"), Words::Match("\"Joni\"* \"Mit\"*".to_owned()));
        assert_eq!(words("AC/DC"), Words::Match("\"AC\"* \"DC\"*".to_owned()));
        assert_eq!(words("\" or near(\""), Words::Match("\"or\"* \"near\"*".to_owned()));
    }
}
