//! Search: words are prefixes, all must match, case and accents do not matter; an empty query is
//! everything, by row, so that a client pages through a whole library exactly once.

mod kind;
mod ranked;
#[cfg(test)]
mod tests;
mod words;

pub(super) use ranked::Ranked;

use std::sync::Arc;

use kind::{albums, artists, tracks};
use words::{Words, words};

use crate::{
    Result,
    accounts::Principal,
    catalog::{Album, Artist, Catalog, Page, Track, lists::Total},
    ids::{ArtistId, LibraryId},
};

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
            Words::Match(expression) => self.matches(query, expression, kinds).await?,
            Words::Nothing => return Ok(Found::default()),
            Words::Everything => {
                let mut rows = <[Vec<i64>; 3]>::default();
                for (rows, (kind, page)) in rows.iter_mut().zip(&kinds) {
                    let list = kind.everything();
                    rows.clone_from(&self.window(&list, *page, Total::Unasked).await?.window);
                }
                rows
            }
        };
        let [artists, albums, tracks] = &rows;
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

    /// How many tracks fit.
    pub async fn count_tracks(&self, principal: &Principal, query: &str) -> Result<u64> {
        let kind = tracks(principal, None);
        let list = match words(query) {
            Words::Nothing => return Ok(0),
            Words::Everything => kind.everything(),
            Words::Match(expression) => kind.fitting(&expression, Arc::default()),
        };
        let ids = self.window(&list, NONE, Total::Counted).await?;
        Ok(ids.total.unwrap_or(0))
    }
}

/// No window: nothing is looked for.
const NONE: Page = Page { offset: 0, limit: 0 };
