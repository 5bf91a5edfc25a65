//! Searching. An empty query is everything, page by page: how apps fetch a whole library (C8).

use serde::Serialize;

use super::{
    call::{Answer, Call},
    failure::Failure,
    responses::{AlbumId3, ArtistId3, DirectoryChild, FolderArtist, Mapped, Songs},
};
use crate::catalog::{Album, Found, Page, Wanted};

/// Apps ask for pages of ten thousand and mean it (C9).
const LONGEST_PAGE: u32 = 10_000;

/// `search`, as it was before 1.4.0: songs alone.
pub(super) async fn search(call: &Call) -> Answer {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct SearchResult<'a> {
        offset: u32,
        total_hits: u64,
        r#match: Songs<'a>,
    }
    let words = ["artist", "album", "title", "any"].map(|name| call.params.get(name));
    let query = words.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let page = page(call, "count", "offset")?;
    let found = call.catalog().search_tracks(&call.principal, &query, page).await?;
    let answer = SearchResult {
        offset: page.offset,
        total_hits: call.catalog().count_tracks(&call.principal, &query).await?,
        r#match: call.songs(&found),
    };
    call.reply("searchResult", &answer)
}

/// `search2`: with albums as directories.
pub(super) async fn search2(call: &Call) -> Answer {
    #[derive(Serialize)]
    struct SearchResult2<'a> {
        artist: Vec<FolderArtist<'a>>,
        album: Mapped<'a, Album, DirectoryChild<'a>>,
        song: Songs<'a>,
    }
    let Found { artists, albums, tracks } = find(call).await?;
    let images = call.images();
    let answer = SearchResult2 {
        artist: FolderArtist::all(&artists, &images),
        album: Mapped(&albums, DirectoryChild::of_album),
        song: call.songs(&tracks),
    };
    call.reply("searchResult2", &answer)
}

/// `search3`.
pub(super) async fn search3(call: &Call) -> Answer {
    #[derive(Serialize)]
    struct SearchResult3<'a> {
        artist: Vec<ArtistId3<'a>>,
        album: Mapped<'a, Album, AlbumId3<'a>>,
        song: Songs<'a>,
    }
    let Found { artists, albums, tracks } = find(call).await?;
    let images = call.images();
    let answer = SearchResult3 {
        artist: ArtistId3::all(&artists, &images),
        album: Mapped(&albums, AlbumId3::of),
        song: call.songs(&tracks),
    };
    call.reply("searchResult3", &answer)
}

/// A kind whose count is 0 is not looked for.
async fn find(call: &Call) -> Result<Found, Failure> {
    let who = &call.principal;
    // An app that leaves the query out means an empty one.
    let query = call.params.get("query").unwrap_or_default();
    let wanted = Wanted {
        artists: page(call, "artistCount", "artistOffset")?,
        albums: page(call, "albumCount", "albumOffset")?,
        tracks: page(call, "songCount", "songOffset")?,
    };
    Ok(call.catalog().search(who, query, call.params.library(who), wanted).await?)
}

fn page(call: &Call, count: &str, offset: &str) -> Result<Page, Failure> {
    Ok(Page {
        offset: call.params.offset(offset)?,
        limit: call.params.count(&[count], 20, LONGEST_PAGE)?,
    })
}
