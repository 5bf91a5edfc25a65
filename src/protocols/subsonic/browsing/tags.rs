//! The view by tags: artists, albums, songs, genres.

use serde::Serialize;

use super::{
    super::{
        call::{Answer, Call},
        id,
        long::{self, Long, Spell},
        responses::{AlbumId3, ArtistId3, Mapped, listed},
    },
    either,
};
use crate::{
    catalog::{ArtistFilter, Genre, identity::IGNORED_ARTICLES},
    ids::ArtistId,
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
    let library = call.params.library(&call.principal);
    let filter = ArtistFilter { library, ..ArtistFilter::default() };
    let groups = call.catalog().artist_index(&call.principal, &filter).await?;
    let total: usize = groups.iter().map(|(_, artists)| artists.len()).sum();
    let (catalog, who, images) = (call.catalog().clone(), call.principal.clone(), call.images());
    let (format, dialect) = call.form();
    let spell: Spell<ArtistId> = Box::new(move |ids| {
        let (catalog, who, format) = (catalog.clone(), who.clone(), format.clone());
        let images = images.clone();
        Box::pin(async move {
            let artists = catalog.artists_by_id(&who, library, &ids).await?;
            long::entries(
                &format,
                dialect,
                "artist",
                artists.iter().map(|artist| (artist.id, ArtistId3::of(artist, &images))),
            )
        })
    });
    let long = Long {
        name: "artists",
        scalars: vec![
            ("ignoredArticles", IGNORED_ARTICLES.to_owned()),
            ("lastModified", call.catalog().revision().changed_at.to_string()),
        ],
        entry: "artist",
        groups,
        rest: Vec::new(),
    };
    call.long(long, total as u64, spell).await
}

/// `getArtist`: with albums; guests, who have none of their own, with those they appear on (C16).
pub(in super::super) async fn get_artist(call: &Call) -> Answer {
    let id = either::artist(call, "id").await?;
    let artist = call.catalog().artist(&call.principal, id).await?;
    let albums = either::albums_of(call, &artist).await?;
    call.reply("artist", &ArtistId3::with_albums(&artist, &albums, &call.images()))
}

/// `getAlbum`: with songs.
pub(in super::super) async fn get_album(call: &Call) -> Answer {
    let id = either::album(call, "id").await?;
    let album = call.catalog().album(&call.principal, id).await?;
    let songs = call.catalog().album_tracks(&call.principal, id).await?;
    call.reply("album", &AlbumId3::with_songs(&album, call.songs(&songs)))
}

/// `getSong`.
pub(in super::super) async fn get_song(call: &Call) -> Answer {
    let id = id::track(&call.params, "id")?;
    let track = call.catalog().track(&call.principal, id).await?;
    call.reply("song", &call.song(&track))
}
