//! The folder view: real directories. Apps mix the views, so albums and artists open here too.

use serde::Serialize;

use super::super::{
    call::{Answer, Call},
    failure::Failure,
    id,
    responses::{Directory, FolderArtist, Index, Indexes, Mapped, Song, listed},
};
use crate::catalog::{
    AlbumFilter, AlbumOrder, Folder, Item, Library, Page,
    identity::{IGNORED_ARTICLES, index_letter, order_key},
};

/// `getMusicFolders`: the libraries. Their ids are numbers (C12).
pub(in super::super) async fn get_music_folders(call: &Call) -> Answer {
    #[derive(Serialize)]
    struct MusicFolder<'a> {
        id: i64,
        name: &'a str,
    }
    let libraries = call.catalog().libraries(&call.principal).await?;
    let list: Mapped<'_, Library, _> =
        Mapped(&libraries, |library| MusicFolder { id: library.id.0, name: &library.name });
    call.reply("musicFolders", &listed("musicFolder", list))
}

/// `getIndexes`: the top directories of the libraries by letter; nothing if nothing changed.
pub(in super::super) async fn get_indexes(call: &Call) -> Answer {
    let last_modified = call.catalog().revision().changed_at;
    let known = call.params.number::<i64>("ifModifiedSince")?;
    if known.is_some_and(|known| known > 0 && last_modified <= known) {
        return call.done();
    }
    let wanted = call.params.library(&call.principal);
    let (mut folders, mut songs) = (Vec::new(), Vec::new());
    for library in call.catalog().libraries(&call.principal).await? {
        if wanted.is_none_or(|wanted| wanted == library.id) {
            let root = match call.catalog().root_folder(&call.principal, library.id).await {
                Ok(root) => root,
                // Not scanned yet: nothing is known of it.
                Err(crate::Error::NotFound(_)) => continue,
                Err(error) => return Err(error.into()),
            };
            folders.extend(call.catalog().subfolders(&call.principal, root.id).await?);
            songs.extend(call.catalog().folder_tracks(&call.principal, root.id).await?);
        }
    }
    let mut keyed: Vec<(String, &Folder)> =
        folders.iter().map(|folder| (order_key(&folder.name), folder)).collect();
    keyed.sort_by(|one, other| one.0.cmp(&other.0));
    let lettered = keyed
        .into_iter()
        .map(|(key, folder)| (index_letter(&key), FolderArtist::of_folder(folder)));
    call.reply(
        "indexes",
        &Indexes {
            last_modified,
            ignored_articles: IGNORED_ARTICLES,
            index: Index::group(lettered),
            child: songs.iter().map(Song::of).collect(),
        },
    )
}

/// `getMusicDirectory`: a directory, or an album or artist as one, or a library's root.
pub(in super::super) async fn get_music_directory(call: &Call) -> Answer {
    let (catalog, who) = (call.catalog(), &call.principal);
    let text = call.params.required("id")?;
    let folder = match id::item(text) {
        Some(Item::Folder(id)) => catalog.folder(who, id).await?,
        Some(Item::Album(id)) => {
            let album = catalog.album(who, id).await?;
            let songs = catalog.album_tracks(who, id).await?;
            return call.reply("directory", &Directory::of_album(&album, &songs));
        }
        Some(Item::Artist(id)) => {
            let artist = catalog.artist(who, id).await?;
            let own = AlbumFilter { album_artist: Some(id), ..AlbumFilter::default() };
            let albums = catalog.albums(who, &own, AlbumOrder::Year, Page::ALL).await?.items;
            return call.reply("directory", &Directory::of_artist(&artist, &albums));
        }
        Some(Item::Track(_) | Item::Playlist(_)) => return Err(Failure::not_found("Directory")),
        None => match id::library(text) {
            Some(library) => catalog.root_folder(who, library).await?,
            None => return Err(Failure::not_found("Directory")),
        },
    };
    let subfolders = catalog.subfolders(who, folder.id).await?;
    let songs = catalog.folder_tracks(who, folder.id).await?;
    call.reply("directory", &Directory::of_folder(&folder, &subfolders, &songs))
}
