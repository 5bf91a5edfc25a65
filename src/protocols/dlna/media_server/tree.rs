//! The container tree: what is in each container, and each container's own entry. Album artists,
//! artists and genres hold their albums and one folder "All tracks"; personal branches are shown
//! to devices of a person alone.

use super::{
    didl::{Didl, Folder},
    entries::{
        PLAIN, all_tracks, artist_folder, directory, genre_folder, initial_folder, playlist_folder,
        view_folder, year_folder,
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
        Album, AlbumFilter, AlbumOrder, ArtistFilter, ArtistRole, Catalog, Criteria, Genre,
        OrderBy, Page, Track, TrackFilter, TrackOrder,
    },
    ids::GenreId,
};

/// Above this the list of all albums is split by initials.
const SPLIT_ABOVE: u64 = 500;
/// How long "recent", "random" and other chosen lists are.
const CHOSEN: u32 = 100;

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
            Container::Initial(initial) => {
                let page = window.page();
                let list = self.catalog.albums_by_initial(self.principal, initial, page).await?;
                Ok(write_albums(&list.items, list.total, of, didl))
            }
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
                let tracks = Container::ArtistTracks(id);
                self.with_tracks(of, tracks, &[own, guest], AlbumOrder::Year, window, didl).await
            }
            Container::ArtistTracks(id) => {
                let filter = TrackFilter { artist: Some(id), ..TrackFilter::default() };
                self.tracks(of, &filter, TrackOrder::Album, window, didl).await
            }
            Container::Genre(id) => {
                let genre = Some(self.genre(id).await?.name);
                let albums = AlbumFilter { genre, ..AlbumFilter::default() };
                let tracks = Container::GenreTracks(id);
                self.with_tracks(of, tracks, &[albums], AlbumOrder::Artist, window, didl).await
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
                let year = i32::try_from(year).ok();
                let filter =
                    AlbumFilter { from_year: year, to_year: year, ..AlbumFilter::default() };
                self.albums(of, &filter, AlbumOrder::Artist, window, didl).await
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
            Container::Genre(id) => didl.folder(&genre_folder(&self.genre(id).await?)),
            Container::GenreTracks(id) => {
                let count = u64::from(self.genre(id).await?.track_count);
                didl.folder(&all_tracks(of, Container::Genre(id), Some(count)));
            }
            Container::Composer(id) => {
                let artist = catalog.artist(principal, id).await?;
                didl.folder(&artist_folder(&artist, of, Container::View(View::Composers)));
            }
            Container::Year(year) => didl.folder(&year_folder(year, None)),
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

    fn root(&self, window: Window, didl: &mut Didl) -> u64 {
        let is_shown = |view: &View| {
            let is_dynamic = matches!(view, View::Random | View::Played | View::Frequent);
            (self.principal.is_person() || !view.is_personal())
                && !(self.profile.hides_dynamic && is_dynamic)
        };
        let views: Vec<View> = View::ALL.into_iter().filter(is_shown).collect();
        for view in window.of(&views) {
            didl.folder(&view_folder(*view));
        }
        views.len() as u64
    }

    async fn view(
        &self,
        view: View,
        window: Window,
        order: &[OrderBy],
        didl: &mut Didl,
    ) -> Result<u64> {
        let (catalog, principal) = (self.catalog, self.principal);
        let of = Container::View(view);
        match view {
            View::Albums if order.is_empty() => self.all_albums(window, didl).await,
            View::Albums => {
                let (every, page) = (Criteria::Always, window.page());
                let list = catalog.find_albums(principal, &every, order, page).await?;
                Ok(write_albums(&list.items, list.total, of, didl))
            }
            View::AlbumArtists => self.artists(view, ArtistRole::AlbumArtist, window, didl).await,
            View::Artists => self.artists(view, ArtistRole::Artist, window, didl).await,
            View::Composers => self.artists(view, ArtistRole::Composer, window, didl).await,
            View::Genres => {
                let genres = catalog.genres(principal).await?;
                for genre in window.of(&genres) {
                    didl.folder(&genre_folder(genre));
                }
                Ok(genres.len() as u64)
            }
            View::Years => {
                let years = catalog.years(principal).await?;
                for (year, albums) in window.of(&years) {
                    didl.folder(&year_folder(*year, Some(u64::from(*albums))));
                }
                Ok(years.len() as u64)
            }
            View::Playlists => {
                let playlists = catalog.playlists(principal).await?;
                for playlist in window.of(&playlists) {
                    didl.folder(&playlist_folder(playlist));
                }
                Ok(playlists.len() as u64)
            }
            View::New => self.chosen(of, AlbumOrder::Newest, window, didl).await,
            View::Played => self.chosen(of, AlbumOrder::Recent, window, didl).await,
            View::Frequent => self.chosen(of, AlbumOrder::Frequent, window, didl).await,
            View::Starred => self.chosen(of, AlbumOrder::Starred, window, didl).await,
            View::Random => {
                let albums = self.shuffles.albums(catalog, principal, CHOSEN).await?;
                for album in window.of(&albums) {
                    didl.album(album, of);
                }
                Ok(albums.len() as u64)
            }
            View::Tracks => {
                let (every, page) = (Criteria::Always, window.page());
                let list = catalog.find_tracks(principal, &every, order, page).await?;
                self.write_tracks(of, &list.items, didl);
                Ok(list.total)
            }
            View::Folders => {
                let libraries = catalog.libraries(principal).await?;
                let mut roots = Vec::new();
                for library in libraries {
                    match catalog.root_folder(principal, library.id).await {
                        Ok(root) => roots.push(root),
                        // Not scanned yet.
                        Err(Error::NotFound(_)) => (),
                        Err(error) => return Err(error),
                    }
                }
                for root in window.of(&roots) {
                    didl.folder(&directory(root, of));
                }
                Ok(roots.len() as u64)
            }
        }
    }

    async fn all_albums(&self, window: Window, didl: &mut Didl) -> Result<u64> {
        let of = Container::View(View::Albums);
        let (filter, order) = (AlbumFilter::default(), AlbumOrder::Name);
        let list = self.catalog.albums(self.principal, &filter, order, window.page()).await?;
        if list.total <= SPLIT_ABOVE {
            return Ok(write_albums(&list.items, list.total, of, didl));
        }
        let initials = self.catalog.album_initials(self.principal).await?;
        for (initial, albums) in window.of(&initials) {
            didl.folder(&initial_folder(*initial, Some(u64::from(*albums))));
        }
        Ok(initials.len() as u64)
    }

    async fn artists(
        &self,
        view: View,
        role: ArtistRole,
        window: Window,
        didl: &mut Didl,
    ) -> Result<u64> {
        let filter = ArtistFilter { role, ..ArtistFilter::default() };
        let list = self.catalog.artists(self.principal, &filter, window.page()).await?;
        for artist in &list.items {
            let id = match view {
                View::Composers => Container::Composer(artist.id),
                _ => Container::Artist(artist.id),
            };
            didl.folder(&artist_folder(artist, id, Container::View(view)));
        }
        Ok(list.total)
    }

    /// Albums that change by themselves: a list of limited length.
    async fn chosen(
        &self,
        of: Container,
        order: AlbumOrder,
        window: Window,
        didl: &mut Didl,
    ) -> Result<u64> {
        let filter = AlbumFilter::default();
        let page = Page { offset: 0, limit: CHOSEN };
        let list = self.catalog.albums(self.principal, &filter, order, page).await?;
        for album in window.of(&list.items) {
            didl.album(album, of);
        }
        Ok(list.items.len() as u64)
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

    fn write_tracks(&self, of: Container, tracks: &[Track], didl: &mut Didl) {
        for track in tracks {
            let place = Place { container: of, position: None };
            self.track(ObjectId::Shown(place, track.id), of, track, didl);
        }
    }

    /// "All tracks", then lists of albums one after another.
    async fn with_tracks(
        &self,
        of: Container,
        tracks: Container,
        filters: &[AlbumFilter],
        order: AlbumOrder,
        window: Window,
        didl: &mut Didl,
    ) -> Result<u64> {
        let (first, mut rest) = window.split(1);
        if first.take > 0 {
            didl.folder(&all_tracks(tracks, of, None));
        }
        let mut total = 1;
        for filter in filters {
            let length = self.albums(of, filter, order, rest, didl).await?;
            rest = rest.split(u32::try_from(length).unwrap_or(u32::MAX)).1;
            total += length;
        }
        Ok(total)
    }

    async fn genre(&self, id: GenreId) -> Result<Genre> {
        let genres = self.catalog.genres(self.principal).await?;
        genres.iter().find(|genre| genre.id == id).cloned().ok_or(Error::NotFound("Genre"))
    }
}

fn write_albums(albums: &[Album], total: u64, of: Container, didl: &mut Didl) -> u64 {
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
