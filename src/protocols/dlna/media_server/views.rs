//! The branches below the root: albums, artists, genres, years and the rest. Branches made of what
//! a person did are shown to devices of a person alone.

use super::{
    didl::Didl,
    entries::{
        artist_folder, decade_folder, directory, genre_folder, initial_folder, playlist_folder,
        view_folder, with_cover, year_folder,
    },
    object_id::{Container, View},
    tree::{Tree, Window, write_albums},
};
use crate::{
    Error, Result,
    catalog::{Album, AlbumFilter, AlbumOrder, ArtistFilter, ArtistRole, Criteria, OrderBy, Page},
    ids::GenreId,
};

/// Above this the list of all albums is split by initials.
const SPLIT_ABOVE: u64 = 500;
/// How long "recent", "random" and other chosen lists are.
const CHOSEN: u32 = 100;

impl Tree<'_> {
    pub(super) fn root(&self, window: Window, didl: &mut Didl) -> u64 {
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

    pub(super) async fn view(
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
                let shown: Vec<GenreId> = window.of(&genres).map(|genre| genre.id).collect();
                let covers = catalog.genre_covers(principal, &shown).await?;
                for genre in window.of(&genres) {
                    didl.folder(&with_cover(genre_folder(genre), covers.get(&genre.id)));
                }
                Ok(genres.len() as u64)
            }
            View::Years => {
                let years = catalog.years(principal).await?;
                let shown: Vec<u32> = window.of(&years).map(|(year, _)| *year).collect();
                let covers = catalog.year_covers(principal, &shown).await?;
                for (year, albums) in window.of(&years) {
                    let folder = year_folder(*year, Some(u64::from(*albums)));
                    didl.folder(&with_cover(folder, covers.get(year)));
                }
                Ok(years.len() as u64)
            }
            View::Decades => {
                let years = catalog.years(principal).await?;
                let decades = decades(&years);
                let all: Vec<u32> = years.iter().map(|(year, _)| *year).collect();
                let covers = catalog.year_covers(principal, &all).await?;
                for (from, albums) in window.of(&decades) {
                    let folder = decade_folder(*from, Some(u64::from(*albums)));
                    let cover = (*from..*from + 10).find_map(|year| covers.get(&year));
                    didl.folder(&with_cover(folder, cover));
                }
                Ok(decades.len() as u64)
            }
            View::Playlists => {
                let playlists = catalog.playlists(principal).await?;
                for playlist in window.of(&playlists) {
                    didl.folder(&playlist_folder(playlist));
                }
                Ok(playlists.len() as u64)
            }
            View::New | View::Played | View::Frequent | View::Starred | View::Random => {
                let albums = self.chosen(view).await?.unwrap_or_default();
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

    /// The albums of a list that changes by itself: of limited length. `None`: no such list.
    pub(super) async fn chosen(&self, view: View) -> Result<Option<Vec<Album>>> {
        let order = match view {
            View::New => AlbumOrder::Newest,
            View::Played => AlbumOrder::Recent,
            View::Frequent => AlbumOrder::Frequent,
            View::Starred => AlbumOrder::Starred,
            View::Random => {
                let albums = self.shuffles.albums(self.catalog, self.principal, CHOSEN).await?;
                return Ok(Some(albums));
            }
            _ => return Ok(None),
        };
        let filter = AlbumFilter::default();
        let page = Page { offset: 0, limit: CHOSEN };
        Ok(Some(self.catalog.albums(self.principal, &filter, order, page).await?.items))
    }
}

/// Years with their numbers of albums, by tens.
fn decades(years: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut decades: Vec<(u32, u32)> = Vec::new();
    for (year, albums) in years {
        let from = year - year % 10;
        match decades.last_mut() {
            Some((last, count)) if *last == from => *count += albums,
            _ => decades.push((from, *albums)),
        }
    }
    decades
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_add_up_to_decades() {
        assert_eq!(decades(&[]), []);
        let years = [(7, 1), (1969, 2), (1970, 3), (1979, 4), (2001, 5)];
        assert_eq!(decades(&years), [(0, 1), (1960, 2), (1970, 7), (2000, 5)]);
    }
}
