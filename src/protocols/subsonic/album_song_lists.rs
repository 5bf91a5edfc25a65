//! Album and song lists: pages in many orders, what is starred, what plays now.

use serde::Serialize;

use super::{
    call::{Answer, Call},
    failure::Failure,
    responses::{
        AlbumId3, ArtistId3, DirectoryChild, FolderArtist, Mapped, PlayingSong, PodcastEpisode,
        Songs, listed,
    },
};
use crate::{
    Error,
    catalog::{
        Album, AlbumFilter, AlbumOrder, Artist, ArtistFilter, ArtistRole, List, Page, Track,
        TrackFilter, TrackOrder,
    },
};

/// Apps ask for ten thousand; they get this many and page on (C9).
const LONGEST_PAGE: u32 = 500;

/// `getAlbumList`: albums as directories.
pub(super) async fn get_album_list(call: &Call) -> Answer {
    let albums = album_list(call).await?;
    let list = listed("album", Mapped(&albums.items, DirectoryChild::of_album));
    call.page("albumList", &list, albums.total)
}

/// `getAlbumList2`.
pub(super) async fn get_album_list2(call: &Call) -> Answer {
    let albums = album_list(call).await?;
    let list = listed("album", Mapped(&albums.items, AlbumId3::of));
    call.page("albumList2", &list, albums.total)
}

/// `getRandomSongs`.
pub(super) async fn get_random_songs(call: &Call) -> Answer {
    let params = &call.params;
    let filter = TrackFilter {
        library: params.library(&call.principal),
        genre: params.get("genre").map(ToOwned::to_owned),
        from_year: params.number("fromYear")?,
        to_year: params.number("toYear")?,
        ..TrackFilter::default()
    };
    let limit = params.count(&["size", "count", "limit"], 10, LONGEST_PAGE)?;
    let page = Page { offset: 0, limit };
    let songs = call.catalog().tracks(&call.principal, &filter, TrackOrder::Random, page).await?;
    reply_songs(call, "randomSongs", &songs.items)
}

/// `getSongsByGenre`.
pub(super) async fn get_songs_by_genre(call: &Call) -> Answer {
    let params = &call.params;
    let filter = TrackFilter {
        library: params.library(&call.principal),
        genre: Some(params.required("genre")?.to_owned()),
        ..TrackFilter::default()
    };
    let page = page(call, &["count", "size", "limit"])?;
    let songs = call.catalog().tracks(&call.principal, &filter, TrackOrder::Added, page).await?;
    let list = listed("song", call.songs(&songs.items));
    call.page("songsByGenre", &list, songs.total)
}

/// `getNowPlaying`.
pub(super) async fn get_now_playing(call: &Call) -> Answer {
    let playing = call.playback().now_playing(&call.principal).await?;
    let mut episodes = Vec::new();
    for entry in call.playback().episodes_playing() {
        match call.outside().podcasts.episode(&call.principal, entry.media).await {
            Ok(episode) => episodes.push((episode, entry)),
            // Not subscribed to, or podcasts are off.
            Err(Error::NotFound(_) | Error::Forbidden(_)) => (),
            Err(error) => return Err(error.into()),
        }
    }
    let songs = playing.iter().map(|entry| Playing::Song(PlayingSong::of(entry, call.unasked())));
    let episodes = episodes.iter().map(|(episode, entry)| {
        Playing::Episode(Box::new(PodcastEpisode::playing(episode, entry)))
    });
    call.reply("nowPlaying", &listed("entry", songs.chain(episodes).collect::<Vec<_>>()))
}

/// What somebody hears.
#[derive(Serialize)]
#[serde(untagged)]
enum Playing<'a> {
    Song(PlayingSong<'a>),
    Episode(Box<PodcastEpisode<'a>>),
}

/// `getStarred`: with albums as directories, and starred directories.
pub(super) async fn get_starred(call: &Call) -> Answer {
    #[derive(Serialize)]
    struct Starred<'a> {
        artist: Vec<FolderArtist<'a>>,
        album: Vec<DirectoryChild<'a>>,
        song: Songs<'a>,
    }
    let (artists, albums, songs) = starred(call).await?;
    let folders = call.catalog().starred_folders(&call.principal).await?;
    let images = call.images();
    let directories = folders.iter().map(DirectoryChild::of_folder);
    let answer = Starred {
        artist: FolderArtist::all(&artists, &images),
        album: albums.iter().map(DirectoryChild::of_album).chain(directories).collect(),
        song: call.songs(&songs),
    };
    call.reply("starred", &answer)
}

/// `getStarred2`.
pub(super) async fn get_starred2(call: &Call) -> Answer {
    #[derive(Serialize)]
    struct Starred2<'a> {
        artist: Vec<ArtistId3<'a>>,
        album: Mapped<'a, Album, AlbumId3<'a>>,
        song: Songs<'a>,
    }
    let (artists, albums, songs) = starred(call).await?;
    let images = call.images();
    let answer = Starred2 {
        artist: ArtistId3::all(&artists, &images),
        album: Mapped(&albums, AlbumId3::of),
        song: call.songs(&songs),
    };
    call.reply("starred2", &answer)
}

async fn starred(call: &Call) -> Result<(Vec<Artist>, Vec<Album>, Vec<Track>), Failure> {
    let (catalog, who) = (call.catalog(), &call.principal);
    let library = call.params.library(who);
    let artists = ArtistFilter { library, role: ArtistRole::Any, starred: true };
    let albums = AlbumFilter { library, starred: true, ..AlbumFilter::default() };
    let songs = TrackFilter { library, starred: true, ..TrackFilter::default() };
    Ok((
        catalog.artists(who, &artists, Page::ALL).await?.items,
        catalog.albums(who, &albums, AlbumOrder::Starred, Page::ALL).await?.items,
        catalog.tracks(who, &songs, TrackOrder::Starred, Page::ALL).await?.items,
    ))
}

async fn album_list(call: &Call) -> Result<List<Album>, Failure> {
    let params = &call.params;
    let mut filter =
        AlbumFilter { library: params.library(&call.principal), ..AlbumFilter::default() };
    let order = match params.required("type")? {
        "random" => AlbumOrder::Random,
        "newest" => AlbumOrder::Newest,
        "highest" => {
            filter.rated = true;
            AlbumOrder::Highest
        }
        "frequent" => {
            filter.played = true;
            AlbumOrder::Frequent
        }
        "recent" => {
            filter.played = true;
            AlbumOrder::Recent
        }
        "alphabeticalByName" => AlbumOrder::Name,
        "alphabeticalByArtist" => AlbumOrder::Artist,
        "starred" => {
            filter.starred = true;
            AlbumOrder::Starred
        }
        "byYear" => {
            let from = year(call, "fromYear")?;
            let to = year(call, "toYear")?;
            filter.from_year = Some(from.min(to));
            filter.to_year = Some(from.max(to));
            if from <= to { AlbumOrder::Year } else { AlbumOrder::YearDescending }
        }
        "byGenre" => {
            filter.genre = Some(params.required("genre")?.to_owned());
            AlbumOrder::Name
        }
        _ => return Err(Failure::generic("There is no album list of this type")),
    };
    let page = page(call, &["size", "limit", "count"])?;
    Ok(call.catalog().albums(&call.principal, &filter, order, page).await?)
}

fn page(call: &Call, names: &[&str]) -> Result<Page, Failure> {
    Ok(Page {
        offset: call.params.offset("offset")?,
        limit: call.params.count(names, 10, LONGEST_PAGE)?,
    })
}

fn year(call: &Call, name: &'static str) -> Result<i32, Failure> {
    call.params.number(name)?.ok_or_else(|| Failure::missing(name))
}

fn reply_songs(call: &Call, name: &'static str, songs: &[Track]) -> Answer {
    call.reply(name, &listed("song", call.songs(songs)))
}
