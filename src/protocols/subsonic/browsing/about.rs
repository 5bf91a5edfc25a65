//! What is known about artists and albums, and what goes with what. A known id never fails here,
//! whatever is missing (C19, C20).

use super::{
    super::{
        call::{Answer, Call},
        failure::Failure,
        id,
        responses::{AlbumInfo, ArtistInfo, SimilarArtist, ThreeSizes, listed},
    },
    either,
};
use crate::{
    catalog::{Artist, Item, Page, Track, identity::artist_name_key},
    ids::ArtistId,
    outside::{About, WithAbsent},
};

/// `getArtistInfo`.
pub(in super::super) async fn get_artist_info(call: &Call) -> Answer {
    let images = call.images();
    let (about, pictures) = about_artist(call).await?;
    let similar = about.similar.iter().map(|one| SimilarArtist::by_folders(one, &images));
    call.reply("artistInfo", &ArtistInfo::of(&about, &pictures, similar.collect()))
}

/// `getArtistInfo2`.
pub(in super::super) async fn get_artist_info2(call: &Call) -> Answer {
    let images = call.images();
    let (about, pictures) = about_artist(call).await?;
    let similar = about.similar.iter().map(|one| SimilarArtist::by_tags(one, &images));
    call.reply("artistInfo2", &ArtistInfo::of(&about, &pictures, similar.collect()))
}

/// `getAlbumInfo` and `getAlbumInfo2`: of an album, or of a song's.
pub(in super::super) async fn get_album_info(call: &Call) -> Answer {
    let (catalog, who) = (call.catalog(), &call.principal);
    let album = match id::required(&call.params, "id")? {
        Item::Album(id) => Some(id),
        Item::Track(id) => catalog.track(who, id).await?.album,
        Item::Folder(id) => catalog.folder_album(who, id).await?,
        Item::Artist(_) | Item::Playlist(_) => return Err(Failure::not_found("Album")),
    };
    match album {
        Some(id) => {
            let album = catalog.album(who, id).await?;
            let about = call.outside().info.album(who, id).await?;
            let pictures = ThreeSizes::of_album(&call.images(), &album).or(&about);
            call.reply("albumInfo", &AlbumInfo::of(&about, &pictures))
        }
        None => call.reply("albumInfo", &AlbumInfo::default()),
    }
}

/// `getSimilarSongs`.
pub(in super::super) async fn get_similar_songs(call: &Call) -> Answer {
    similar_songs(call, "similarSongs").await
}

/// `getSimilarSongs2`.
pub(in super::super) async fn get_similar_songs2(call: &Call) -> Answer {
    similar_songs(call, "similarSongs2").await
}

/// `getTopSongs`: of an artist by id, else by name. Nobody of that name has no songs.
pub(in super::super) async fn get_top_songs(call: &Call) -> Answer {
    let count = call.params.count(&["count", "size", "limit"], 50, 500)?;
    let artist = match call.params.get("id") {
        Some(_) => Some(either::artist(call, "id").await?),
        None => artist_named(call, call.params.required("artist")?).await?,
    };
    let songs = match artist {
        Some(id) => call.catalog().top_tracks(&call.principal, id, count).await?,
        None => Vec::new(),
    };
    reply_songs(call, "topSongs", &songs)
}

/// What is known of the artist of an id of any kind, with pictures; nothing where nobody is behind
/// it.
async fn about_artist(call: &Call) -> Result<(About, ThreeSizes), Failure> {
    let (catalog, who) = (call.catalog(), &call.principal);
    let count = call.params.count(&["count", "size", "limit"], 20, 100)?;
    let with_absent = match call.params.flag("includeNotPresent")? {
        Some(true) => WithAbsent::Yes,
        Some(false) | None => WithAbsent::No,
    };
    let artist = match id::required(&call.params, "id")? {
        Item::Artist(id) => Some(id),
        Item::Album(id) => catalog.album(who, id).await?.artists.first().map(|artist| artist.id),
        Item::Track(id) => catalog.track(who, id).await?.artists.first().map(|artist| artist.id),
        Item::Folder(id) => catalog.folder_artist(who, id).await?,
        Item::Playlist(_) => return Err(Failure::not_found("Artist")),
    };
    let Some(id) = artist else { return Ok((About::default(), ThreeSizes::default())) };
    let artist = catalog.artist(who, id).await?;
    let about = call.outside().info.artist(who, id, count, with_absent).await?;
    let pictures = ThreeSizes::of_artist(&call.images(), &artist).or(&about);
    Ok((about, pictures))
}

async fn similar_songs(call: &Call, name: &'static str) -> Answer {
    let like = id::required(&call.params, "id")?;
    let count = call.params.count(&["count", "size", "limit"], 50, 500)?;
    let songs = call.catalog().similar_tracks(&call.principal, like, count).await?;
    reply_songs(call, name, &songs)
}

async fn artist_named(call: &Call, name: &str) -> Result<Option<ArtistId>, Failure> {
    let page = Page { offset: 0, limit: 50 };
    let key = artist_name_key(name);
    let found = call.catalog().search_artists(&call.principal, name, page).await?;
    let is_same = |artist: &&Artist| artist_name_key(&artist.name) == key;
    Ok(found.iter().find(is_same).map(|artist| artist.id))
}

fn reply_songs(call: &Call, name: &'static str, songs: &[Track]) -> Answer {
    call.reply(name, &listed("song", call.songs(songs)))
}
