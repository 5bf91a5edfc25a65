//! Search: words are prefixes, all must match, case and accents do not matter; an empty query is
//! everything, by row, so that a client pages through a whole library exactly once.

use crate::{
    Result,
    accounts::Principal,
    catalog::{
        Album, Artist, Catalog, List, Page, Track,
        lists::Keep,
        visible::{literal, within},
    },
    ids::LibraryId,
};

/// Ranking all matches of a common word is unbounded work; the first so many are enough.
const RANKED: u32 = 1_000;

impl Catalog {
    /// Artists by name.
    pub async fn search_artists(
        &self,
        principal: &Principal,
        query: &str,
        library: Option<LibraryId>,
        page: Page,
    ) -> Result<List<Artist>> {
        let visible = within("t.library_id", principal, library);
        let seen = format!(
            "exists (select 1 from track_artist ta join track t using (track_id)
                where ta.artist_id = e.artist_id and t.missing_at is null and {visible})"
        );
        let (sql, count) = statement("artist", "artist_id", query, &seen);
        let ids = self.page_of(&sql, &count, page, Keep::Revision).await?;
        let items = self.artists_by_row(principal, &ids.window).await?;
        Ok(List { items, total: ids.total })
    }

    /// Albums by name and artist.
    pub async fn search_albums(
        &self,
        principal: &Principal,
        query: &str,
        library: Option<LibraryId>,
        page: Page,
    ) -> Result<List<Album>> {
        let seen = format!("e.track_count > 0 and {}", within("e.library_id", principal, library));
        let (sql, count) = statement("album", "album_id", query, &seen);
        let ids = self.page_of(&sql, &count, page, Keep::Revision).await?;
        let items = self.albums_by_row(principal, &ids.window).await?;
        Ok(List { items, total: ids.total })
    }

    /// Tracks by title, album and artist.
    pub async fn search_tracks(
        &self,
        principal: &Principal,
        query: &str,
        library: Option<LibraryId>,
        page: Page,
    ) -> Result<List<Track>> {
        let seen =
            format!("e.missing_at is null and {}", within("e.library_id", principal, library));
        let (sql, count) = statement("track", "track_id", query, &seen);
        let ids = self.page_of(&sql, &count, page, Keep::Revision).await?;
        let items = self.tracks_by_row(principal, &ids.window).await?;
        Ok(List { items, total: ids.total })
    }
}

/// The statement for ids in one table, and the one for their number.
fn statement(table: &str, id: &str, query: &str, seen: &str) -> (String, String) {
    match words(query) {
        Words::Everything => {
            let from = format!("from {table} e where {seen}");
            (
                format!("select e.{id} as id {from} order by e.{id}"),
                format!("select count(*) {from}"),
            )
        }
        Words::Nothing => ("select 0 as id where false".to_owned(), "select 0".to_owned()),
        Words::Match(expression) => {
            let expression = literal(&expression);
            let ranked = format!(
                "(select rowid, rank from {table}_search where {table}_search match {expression} limit {RANKED})"
            );
            let sql = format!(
                "select e.{id} as id from {ranked} m join {table} e on e.{id} = m.rowid
                 where {seen} order by m.rank, e.{id}"
            );
            let count = format!(
                "select count(*) from {table} e where {seen} and e.{id} in
                    (select rowid from {table}_search where {table}_search match {expression} limit {RANKED})"
            );
            (sql, count)
        }
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
