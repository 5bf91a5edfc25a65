//! The entries of containers as their parents list them: title, class, count, picture.

use std::borrow::Cow;

use super::{
    kind::Kind,
    object_id::{Container, View},
};
use crate::{
    catalog::{Artist, Folder as Directory, Genre, Item, Picture, Playlist, groups},
    ids::AlbumId,
};

/// A container of no special class.
pub(super) const PLAIN: &str = "object.container";
const DIRECTORY: &str = "object.container.storageFolder";

/// A container about to be written.
#[derive(Debug, Clone)]
pub(crate) struct Folder<'a> {
    /// Its id.
    pub(crate) id: Container,
    /// Where it is shown; `None` is the root's -1.
    pub(crate) parent: Option<Container>,
    /// Name.
    pub(crate) title: Cow<'a, str>,
    /// `upnp:class`.
    pub(crate) class: &'static str,
    /// Only if exact and above 0: old Kodi hides a folder that says 0.
    pub(crate) child_count: Option<u64>,
    /// Picture.
    pub(crate) art: Option<(Item, Picture)>,
}

impl<'a> Folder<'a> {
    /// A plain container.
    pub(crate) fn new(
        id: Container,
        parent: Option<Container>,
        title: impl Into<Cow<'a, str>>,
        class: &'static str,
    ) -> Self {
        Self { id, parent, title: title.into(), class, child_count: None, art: None }
    }
}

/// A branch below the root.
pub(super) fn view_folder(view: View) -> Folder<'static> {
    Folder::new(Container::View(view), Some(Container::Root), view.title(), PLAIN)
}

/// Albums of one initial.
pub(super) fn initial_folder(initial: char, albums: Option<u64>) -> Folder<'static> {
    let title = match initial {
        groups::SIGNS => "0-9".to_owned(),
        groups::IDEOGRAPHS => "\u{2026}".to_owned(),
        letter => letter.to_uppercase().collect(),
    };
    let parent = Container::View(View::Albums);
    let folder = Folder::new(Container::Initial(initial), Some(parent), title, PLAIN);
    Folder { child_count: albums, ..folder }
}

/// Everything of an artist or genre.
pub(super) fn all_tracks(id: Container, parent: Container, tracks: Option<u64>) -> Folder<'static> {
    Folder { child_count: tracks, ..Folder::new(id, Some(parent), "All tracks", PLAIN) }
}

/// An artist, or a composer.
pub(super) fn artist_folder(artist: &Artist, id: Container, parent: Container) -> Folder<'_> {
    let art = artist.picture.map(|picture| (Item::Artist(artist.id), picture));
    let folder = Folder::new(id, Some(parent), artist.name.as_str(), Kind::Artist.class());
    Folder { art, ..folder }
}

/// A genre.
pub(super) fn genre_folder(genre: &Genre) -> Folder<'_> {
    let parent = Container::View(View::Genres);
    let folder = Folder::new(
        Container::Genre(genre.id),
        Some(parent),
        genre.name.as_str(),
        Kind::Genre.class(),
    );
    // "All tracks" is one more.
    Folder { child_count: Some(u64::from(genre.album_count) + 1), ..folder }
}

/// A playlist.
pub(super) fn playlist_folder(playlist: &Playlist) -> Folder<'_> {
    let parent = Container::View(View::Playlists);
    let art = playlist.picture.map(|picture| (Item::Playlist(playlist.id), picture));
    let id = Container::Playlist(playlist.id);
    let folder = Folder::new(id, Some(parent), playlist.name.as_str(), Kind::Playlist.class());
    Folder { art, child_count: Some(u64::from(playlist.track_count)), ..folder }
}

/// A year.
pub(super) fn year_folder(year: u32, albums: Option<u64>) -> Folder<'static> {
    let parent = Container::View(View::Years);
    let folder = Folder::new(Container::Year(year), Some(parent), year.to_string(), PLAIN);
    Folder { child_count: albums, ..folder }
}

/// Ten years.
pub(super) fn decade_folder(from: u32, albums: Option<u64>) -> Folder<'static> {
    let parent = Container::View(View::Decades);
    let folder = Folder::new(Container::Decade(from), Some(parent), format!("{from}s"), PLAIN);
    Folder { child_count: albums, ..folder }
}

/// The same entry with the cover of an album inside it.
pub(super) fn with_cover<'a>(folder: Folder<'a>, cover: Option<&(AlbumId, Picture)>) -> Folder<'a> {
    Folder { art: cover.map(|(album, picture)| (Item::Album(*album), *picture)), ..folder }
}

/// A directory.
pub(super) fn directory(folder: &Directory, parent: Container) -> Folder<'_> {
    let art = folder.picture.map(|picture| (Item::Folder(folder.id), picture));
    let title = Cow::Borrowed(folder.name.as_str());
    Folder { art, ..Folder::new(Container::Folder(folder.id), Some(parent), title, DIRECTORY) }
}
