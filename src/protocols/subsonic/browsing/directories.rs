//! The folder view: real directories. Apps mix the views, so albums and artists open here too.

use serde::Serialize;

use super::{
    super::{
        call::{Answer, Call},
        failure::Failure,
        format::Format,
        id,
        long::{self, Long, Spell},
        responses::{Directory, FolderArtist, Mapped, listed},
    },
    either,
};
use crate::{
    catalog::{
        Item, Library,
        identity::{IGNORED_ARTICLES, index_letter, order_key},
    },
    ids::FolderId,
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
    let known = call.params.whole("ifModifiedSince")?;
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
            folders.extend(call.catalog().subfolder_names(&call.principal, root.id).await?);
            songs.extend(call.catalog().folder_tracks(&call.principal, root.id).await?);
        }
    }
    let mut keyed: Vec<(String, FolderId)> =
        folders.into_iter().map(|(id, name)| (order_key(&name), id)).collect();
    keyed.sort();
    let total = keyed.len() as u64;
    let mut groups: Vec<(String, Vec<FolderId>)> = Vec::new();
    for (key, id) in keyed {
        let letter = index_letter(&key);
        match groups.iter_mut().rev().find(|(is, _)| *is == letter) {
            Some((_, ids)) => ids.push(id),
            None => groups.push((letter, vec![id])),
        }
    }
    let (catalog, who, images) = (call.catalog().clone(), call.principal.clone(), call.images());
    let (format, dialect) = call.form();
    let mut rest = long::joined(&format, dialect, "child", call.songs(&songs).each())?;
    if format != Format::Xml {
        rest = [b",\"child\":[".as_slice(), &rest, b"]"].concat();
    }
    let spell: Spell<FolderId> = Box::new(move |ids| {
        let (catalog, who, format) = (catalog.clone(), who.clone(), format.clone());
        let images = images.clone();
        Box::pin(async move {
            let folders = catalog.folders_by_id(&who, &ids).await?;
            long::entries(
                &format,
                dialect,
                "artist",
                folders.iter().map(|folder| (folder.id, FolderArtist::of_folder(folder, &images))),
            )
        })
    });
    let long = Long {
        name: "indexes",
        scalars: vec![
            ("lastModified", last_modified.to_string()),
            ("ignoredArticles", IGNORED_ARTICLES.to_owned()),
        ],
        entry: "artist",
        groups,
        rest,
    };
    call.long(long, total, spell).await
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
            return call.reply("directory", &Directory::of_album(&album, call.songs(&songs)));
        }
        Some(Item::Artist(id)) => {
            let artist = catalog.artist(who, id).await?;
            let albums = either::albums_of(call, &artist).await?;
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
    call.reply("directory", &Directory::of_folder(&folder, &subfolders, call.songs(&songs)))
}
