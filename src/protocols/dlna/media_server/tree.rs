//! The container tree: what is in each container, and each container's own entry. Artists and
//! genres hold their albums and one folder "All tracks". The branches below the root are in
//! [`views`](super::views).

use super::{
    below::below,
    didl::Didl,
    entries::{
        Folder, PLAIN, all_tracks, artist_folder, decade_folder, directory, genre_folder,
        initial_folder, playlist_folder, view_folder, with_cover, year_folder,
    },
    object_id::{Container, ObjectId, Place, View},
    quirks::Profile,
    resources::resources,
    shuffle::Shuffles,
    sort,
};
use crate::{
    Error, Result,
    accounts::Principal,
    catalog::{
        Album, AlbumFilter, AlbumOrder, Catalog, Genre, OrderBy, Page, Track, TrackFilter,
        TrackOrder,
    },
    ids::GenreId,
};

/// Who browses, in whose words.
pub(super) struct Tree<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) principal: &'a Principal,
    pub(super) profile: &'a Profile,
    pub(super) shuffles: &'a Shuffles,
}

/// The part of a list that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// Objects to pass over.
    pub(super) skip: u32,
    /// Objects to give at most.
    pub(super) take: u32,
}

impl Window {
    /// The window as it falls on a list of `length` in front of others, and on those others.
    pub(super) fn split(self, length: u32) -> (Self, Self) {
        let first_take = self.take.min(length.saturating_sub(self.skip));
        let rest = Self { skip: self.skip.saturating_sub(length), take: self.take - first_take };
        (Self { skip: self.skip, take: first_take }, rest)
    }

    pub(super) fn page(self) -> Page {
        Page { offset: self.skip, limit: self.take }
    }

    pub(super) fn of<T>(self, list: &[T]) -> impl Iterator<Item = &T> {
        list.iter().skip(self.skip as usize).take(self.take as usize)
    }
}

impl Tree<'_> {
    /// Writes the children of a container that fall into the window; tells how many there are.
    pub(super) async fn children(
        &self,
        of: Container,
        window: Window,
        order: &[OrderBy],
        didl: &mut Didl,
    ) -> Result<u64> {
        match of {
            Container::Root => Ok(self.root(window, didl)),
            Container::View(view) => self.view(view, window, order, didl).await,
            Container::Album(id) => {
                self.catalog.album(self.principal, id).await?;
                let mut tracks = self.catalog.album_tracks(self.principal, id).await?;
                sort::tracks(order, &mut tracks, |track| track);
                for track in window.of(&tracks) {
                    self.track(ObjectId::Track(track.id), of, track, didl);
                }
                Ok(tracks.len() as u64)
            }
            Container::Artist(id) => {
                self.catalog.artist(self.principal, id).await?;
                let own = AlbumFilter { album_artist: Some(id), ..AlbumFilter::default() };
                let guest = AlbumFilter { guest_artist: Some(id), ..AlbumFilter::default() };
                let filters = [own, guest];
                self.with_tracks(of, &filters, AlbumOrder::Year, window, order, didl).await
            }
            Container::Genre(id) => {
                let genre = Some(self.genre(id).await?.name);
                let albums = AlbumFilter { genre, ..AlbumFilter::default() };
                self.with_tracks(of, &[albums], AlbumOrder::Artist, window, order, didl).await
            }
            // What the client sorts itself is found by criteria, in the order it wants.
            Container::ArtistTracks(_) | Container::GenreTracks(_) | Container::Composer(_)
                if !order.is_empty() =>
            {
                let tracks = below(self, of).await?.tracks;
                let page = window.page();
                let list = self.catalog.find_tracks(self.principal, &tracks, order, page).await?;
                self.write_tracks(of, &list.items, didl);
                Ok(list.total)
            }
            Container::Initial(_) | Container::Year(_) | Container::Decade(_)
                if !order.is_empty() =>
            {
                self.sorted_albums(of, window, order, didl).await
            }
            Container::Initial(initial) => {
                let page = window.page();
                let list = self.catalog.albums_by_initial(self.principal, initial, page).await?;
                Ok(write_albums(&list.items, list.total, of, didl))
            }
            Container::ArtistTracks(id) => {
                let filter = TrackFilter { artist: Some(id), ..TrackFilter::default() };
                self.tracks(of, &filter, TrackOrder::Album, window, didl).await
            }
            Container::GenreTracks(id) => {
                let genre = Some(self.genre(id).await?.name);
                let filter = TrackFilter { genre, ..TrackFilter::default() };
                self.tracks(of, &filter, TrackOrder::Album, window, didl).await
            }
            Container::Composer(id) => {
                self.catalog.artist(self.principal, id).await?;
                let filter = TrackFilter { composer: Some(id), ..TrackFilter::default() };
                self.tracks(of, &filter, TrackOrder::Album, window, didl).await
            }
            Container::Year(year) => {
                let filter = between(year, year);
                self.albums(of, &filter, AlbumOrder::Artist, window, didl).await
            }
            Container::Decade(from) => {
                let filter = between(from.max(1), from + 9);
                self.albums(of, &filter, AlbumOrder::Year, window, didl).await
            }
            Container::Playlist(id) => {
                self.catalog.playlist(self.principal, id).await?;
                let tracks = self.catalog.playlist_tracks(self.principal, id).await?;
                let mut tracks: Vec<(u32, Track)> = (0..).zip(tracks).collect();
                sort::tracks(order, &mut tracks, |(_, track)| track);
                for (position, track) in window.of(&tracks) {
                    let place = Place { container: of, position: Some(*position) };
                    self.track(ObjectId::Shown(place, track.id), of, track, didl);
                }
                Ok(tracks.len() as u64)
            }
            Container::Folder(id) => {
                self.catalog.folder(self.principal, id).await?;
                let folders = self.catalog.subfolders(self.principal, id).await?;
                let mut tracks = self.catalog.folder_tracks(self.principal, id).await?;
                sort::tracks(order, &mut tracks, |track| track);
                let (first, rest) = window.split(folders.len() as u32);
                for folder in first.of(&folders) {
                    didl.folder(&directory(folder, of));
                }
                for track in rest.of(&tracks) {
                    let place = Place { container: of, position: None };
                    self.track(ObjectId::Shown(place, track.id), of, track, didl);
                }
                Ok((folders.len() + tracks.len()) as u64)
            }
        }
    }

    /// Writes a container's own entry.
    pub(super) async fn metadata(&self, of: Container, didl: &mut Didl) -> Result<()> {
        let (catalog, principal) = (self.catalog, self.principal);
        match of {
            Container::Root => didl.folder(&Folder::new(of, None, "Music", PLAIN)),
            Container::View(view) => didl.folder(&view_folder(view)),
            Container::Initial(initial) => didl.folder(&initial_folder(initial, None)),
            Container::Album(id) => {
                didl.album(&catalog.album(principal, id).await?, Container::View(View::Albums));
            }
            Container::Artist(id) => {
                let artist = catalog.artist(principal, id).await?;
                let view = if artist.album_count > 0 { View::AlbumArtists } else { View::Artists };
                didl.folder(&artist_folder(&artist, of, Container::View(view)));
            }
            Container::ArtistTracks(id) => {
                let artist = catalog.artist(principal, id).await?;
                let count = u64::from(artist.track_count);
                didl.folder(&all_tracks(of, Container::Artist(id), Some(count)));
            }
            Container::Genre(id) => {
                let genre = self.genre(id).await?;
                let covers = catalog.genre_covers(principal, &[id]).await?;
                didl.folder(&with_cover(genre_folder(&genre), covers.get(&id)));
            }
            Container::GenreTracks(id) => {
                let count = u64::from(self.genre(id).await?.track_count);
                didl.folder(&all_tracks(of, Container::Genre(id), Some(count)));
            }
            Container::Composer(id) => {
                let artist = catalog.artist(principal, id).await?;
                didl.folder(&artist_folder(&artist, of, Container::View(View::Composers)));
            }
            Container::Year(year) => {
                let covers = catalog.year_covers(principal, &[year]).await?;
                didl.folder(&with_cover(year_folder(year, None), covers.get(&year)));
            }
            Container::Decade(from) => {
                let years: Vec<u32> = (from..from + 10).collect();
                let covers = catalog.year_covers(principal, &years).await?;
                let cover = years.iter().find_map(|year| covers.get(year));
                didl.folder(&with_cover(decade_folder(from, None), cover));
            }
            Container::Playlist(id) => {
                didl.folder(&playlist_folder(&catalog.playlist(principal, id).await?));
            }
            Container::Folder(id) => {
                let folder = catalog.folder(principal, id).await?;
                let parent =
                    folder.parent.map_or(Container::View(View::Folders), Container::Folder);
                didl.folder(&directory(&folder, parent));
            }
        }
        Ok(())
    }

    /// Writes one track where an id shows it. A place that it is not in is not looked up: the
    /// track alone decides what may be seen.
    pub(super) fn track(&self, id: ObjectId, parent: Container, track: &Track, didl: &mut Didl) {
        didl.track(id, parent, track, &resources(track, self.profile));
    }

    /// Where a track is at home.
    pub(super) fn home(track: &Track) -> Container {
        track.album.map_or(Container::View(View::Tracks), Container::Album)
    }

    async fn albums(
        &self,
        of: Container,
        filter: &AlbumFilter,
        order: AlbumOrder,
        window: Window,
        didl: &mut Didl,
    ) -> Result<u64> {
        let list = self.catalog.albums(self.principal, filter, order, window.page()).await?;
        Ok(write_albums(&list.items, list.total, of, didl))
    }

    async fn tracks(
        &self,
        of: Container,
        filter: &TrackFilter,
        order: TrackOrder,
        window: Window,
        didl: &mut Didl,
    ) -> Result<u64> {
        let list = self.catalog.tracks(self.principal, filter, order, window.page()).await?;
        self.write_tracks(of, &list.items, didl);
        Ok(list.total)
    }

    pub(super) fn write_tracks(&self, of: Container, tracks: &[Track], didl: &mut Didl) {
        for track in tracks {
            let place = Place { container: of, position: None };
            self.track(ObjectId::Shown(place, track.id), of, track, didl);
        }
    }

    /// Every album below a container, in the order that the client wants.
    async fn sorted_albums(
        &self,
        of: Container,
        window: Window,
        order: &[OrderBy],
        didl: &mut Didl,
    ) -> Result<u64> {
        let albums = below(self, of).await?.albums;
        let page = window.page();
        let list = self.catalog.find_albums(self.principal, &albums, order, page).await?;
        Ok(write_albums(&list.items, list.total, of, didl))
    }

    /// "All tracks", then lists of albums one after another.
    async fn with_tracks(
        &self,
        of: Container,
        filters: &[AlbumFilter],
        usual: AlbumOrder,
        window: Window,
        order: &[OrderBy],
        didl: &mut Didl,
    ) -> Result<u64> {
        let (first, mut rest) = window.split(1);
        if let Some(tracks) = of.all_tracks().filter(|_| first.take > 0) {
            didl.folder(&all_tracks(tracks, of, None));
        }
        if !order.is_empty() {
            return Ok(1 + self.sorted_albums(of, rest, order, didl).await?);
        }
        let mut total = 1;
        for filter in filters {
            let length = self.albums(of, filter, usual, rest, didl).await?;
            rest = rest.split(u32::try_from(length).unwrap_or(u32::MAX)).1;
            total += length;
        }
        Ok(total)
    }

    pub(super) async fn genre(&self, id: GenreId) -> Result<Genre> {
        let genres = self.catalog.genres(self.principal).await?;
        genres.iter().find(|genre| genre.id == id).cloned().ok_or(Error::NotFound("Genre"))
    }
}

fn between(from: u32, to: u32) -> AlbumFilter {
    let (from_year, to_year) = (i32::try_from(from).ok(), i32::try_from(to).ok());
    AlbumFilter { from_year, to_year, ..AlbumFilter::default() }
}

pub(super) fn write_albums(albums: &[Album], total: u64, of: Container, didl: &mut Didl) -> u64 {
    for album in albums {
        didl.album(album, of);
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_fall_on_several_lists() {
        let window = |skip, take| Window { skip, take };
        for (asked, length, first, rest) in [
            (window(0, 10), 3, window(0, 3), window(0, 7)),
            (window(2, 10), 3, window(2, 1), window(0, 9)),
            (window(3, 10), 3, window(3, 0), window(0, 10)),
            (window(5, 10), 3, window(5, 0), window(2, 10)),
            (window(0, 2), 3, window(0, 2), window(0, 0)),
            (window(0, 0), 3, window(0, 0), window(0, 0)),
        ] {
            assert_eq!(asked.split(length), (first, rest), "{asked:?} {length}");
        }
    }
}
