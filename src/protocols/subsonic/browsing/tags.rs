//! The view by tags: artists, albums, songs, genres.

use serde::Serialize;

use super::super::{
    call::{Answer, Call},
    id,
    responses::{AlbumId3, ArtistId3, Index, Mapped, Song, listed},
};
use crate::catalog::{
    AlbumFilter, AlbumOrder, ArtistFilter, Genre, Page,
    identity::{IGNORED_ARTICLES, index_letter},
};

/// `getGenres`.
pub(in super::super) async fn get_genres(call: &Call) -> Answer {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct GenreCount<'a> {
        song_count: u32,
        album_count: u32,
        value: &'a str,
    }
    let genres = call.catalog().genres(&call.principal).await?;
    let list: Mapped<'_, Genre, _> = Mapped(&genres, |genre| GenreCount {
        song_count: genre.track_count,
        album_count: genre.album_count,
        value: &genre.name,
    });
    call.reply("genres", &listed("genre", list))
}

/// `getArtists`: album artists by letter.
pub(in super::super) async fn get_artists(call: &Call) -> Answer {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Artists<'a> {
        ignored_articles: &'static str,
        last_modified: i64,
        index: Vec<Index<ArtistId3<'a>>>,
    }
    let library = call.params.library(&call.principal);
    let filter = ArtistFilter { library, ..ArtistFilter::default() };
    let artists = call.catalog().artists(&call.principal, &filter, Page::ALL).await?;
    let lettered =
        artists.items.iter().map(|artist| (index_letter(&artist.order_key), ArtistId3::of(artist)));
    let answer = Artists {
        ignored_articles: IGNORED_ARTICLES,
        last_modified: call.catalog().revision().changed_at,
        index: Index::group(lettered),
    };
    call.page("artists", &answer, artists.total)
}

/// `getArtist`: with albums; guests, who have none of their own, with those they appear on (C16).
pub(in super::super) async fn get_artist(call: &Call) -> Answer {
    let id = id::artist(&call.params, "id")?;
    let artist = call.catalog().artist(&call.principal, id).await?;
    let filter = if artist.album_count > 0 {
        AlbumFilter { album_artist: Some(id), ..AlbumFilter::default() }
    } else {
        AlbumFilter { guest_artist: Some(id), ..AlbumFilter::default() }
    };
    let albums =
        call.catalog().albums(&call.principal, &filter, AlbumOrder::Year, Page::ALL).await?;
    call.reply("artist", &ArtistId3::with_albums(&artist, &albums.items))
}

/// `getAlbum`: with songs.
pub(in super::super) async fn get_album(call: &Call) -> Answer {
    let id = id::album(&call.params, "id")?;
    let album = call.catalog().album(&call.principal, id).await?;
    let songs = call.catalog().album_tracks(&call.principal, id).await?;
    call.reply("album", &AlbumId3::with_songs(&album, &songs))
}

/// `getSong`.
pub(in super::super) async fn get_song(call: &Call) -> Answer {
    let id = id::track(&call.params, "id")?;
    let track = call.catalog().track(&call.principal, id).await?;
    call.reply("song", &Song::of(&track))
}
