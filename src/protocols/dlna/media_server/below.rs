//! What lies below a container at any depth, as criteria for each kind of object: Search looks
//! there, and Browse in an order of the client's own.

use super::{
    object_id::{Container, View},
    tree::Tree,
};
use crate::{
    Result,
    catalog::{ArtistRole, Comparison, Criteria, Field, Object},
    ids::{AlbumId, TrackId},
};

/// What is below. Kinds that are not there at all are `Never` or `None`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Below {
    /// Tracks that are.
    pub(super) tracks: Criteria,
    /// Albums that are.
    pub(super) albums: Criteria,
    /// Artists of this role are.
    pub(super) artists: Option<ArtistRole>,
    /// Genres are.
    pub(super) genres: Criteria,
    /// Playlists are.
    pub(super) playlists: Criteria,
}

impl Below {
    fn tracks(tracks: Criteria) -> Self {
        Self {
            tracks,
            albums: Criteria::Never,
            artists: None,
            genres: Criteria::Never,
            playlists: Criteria::Never,
        }
    }

    /// Albums, and all that is on them.
    fn albums(albums: Criteria) -> Self {
        Self { albums: albums.clone(), ..Self::tracks(albums.on_album()) }
    }

    /// Albums and tracks that fit the same test.
    fn works(test: Criteria) -> Self {
        Self { albums: test.clone(), ..Self::tracks(test) }
    }

    fn everything() -> Self {
        Self {
            tracks: Criteria::Always,
            albums: Criteria::Always,
            artists: Some(ArtistRole::Any),
            genres: Criteria::Always,
            playlists: Criteria::Always,
        }
    }
}

/// What is below a container, which must be there.
pub(super) async fn below(tree: &Tree<'_>, within: Container) -> Result<Below> {
    let (catalog, principal) = (tree.catalog, tree.principal);
    Ok(match within {
        Container::Root => Below::everything(),
        Container::View(view) => of_view(tree, view).await?,
        Container::Initial(initial) => Below::albums(Criteria::Initial(initial)),
        Container::Album(id) => {
            catalog.album(principal, id).await?;
            Below::tracks(Criteria::Is(Object::Album(id)))
        }
        Container::Artist(id) => {
            catalog.artist(principal, id).await?;
            Below::works(Criteria::Is(Object::Artist(id)))
        }
        Container::ArtistTracks(id) => {
            catalog.artist(principal, id).await?;
            Below::tracks(Criteria::Is(Object::Artist(id)))
        }
        Container::Composer(id) => {
            catalog.artist(principal, id).await?;
            Below::tracks(Criteria::Is(Object::Composer(id)))
        }
        Container::Genre(id) => {
            tree.genre(id).await?;
            Below::works(Criteria::Is(Object::Genre(id)))
        }
        Container::GenreTracks(id) => {
            tree.genre(id).await?;
            Below::tracks(Criteria::Is(Object::Genre(id)))
        }
        Container::Year(year) => Below::albums(years(year, year)),
        Container::Decade(from) => Below::albums(years(from.max(1), from + 9)),
        Container::Playlist(id) => {
            let tracks = catalog.playlist_tracks(principal, id).await?;
            Below::tracks(Criteria::OneOf(tracks.iter().map(|track| track.id).collect()))
        }
        Container::Folder(id) => {
            catalog.folder(principal, id).await?;
            Below::works(Criteria::Is(Object::Folder(id)))
        }
    })
}

async fn of_view(tree: &Tree<'_>, view: View) -> Result<Below> {
    Ok(match view {
        View::Albums => Below::albums(Criteria::Always),
        View::AlbumArtists => Below {
            artists: Some(ArtistRole::AlbumArtist),
            ..Below::works(Criteria::Has(Field::AlbumArtist))
        },
        View::Artists => {
            let works = Below::works(Criteria::Has(Field::Artist));
            Below { artists: Some(ArtistRole::Artist), ..works }
        }
        View::Composers => {
            let tracks = Below::tracks(Criteria::Has(Field::Composer));
            Below { artists: Some(ArtistRole::Composer), ..tracks }
        }
        View::Genres => {
            Below { genres: Criteria::Always, ..Below::works(Criteria::Has(Field::Genre)) }
        }
        View::Years | View::Decades => Below::albums(Criteria::Has(Field::Year)),
        View::Playlists => {
            let mut tracks: Vec<TrackId> = Vec::new();
            for playlist in tree.catalog.playlists(tree.principal).await? {
                let list = tree.catalog.playlist_tracks(tree.principal, playlist.id).await?;
                tracks.extend(list.iter().map(|track| track.id));
            }
            tracks.sort_unstable();
            tracks.dedup();
            Below { playlists: Criteria::Always, ..Below::tracks(Criteria::OneOf(tracks)) }
        }
        View::New | View::Played | View::Frequent | View::Starred | View::Random => {
            let albums = tree.chosen(view).await?.unwrap_or_default();
            let ids: Vec<AlbumId> = albums.iter().map(|album| album.id).collect();
            Below::albums(Criteria::Albums(ids))
        }
        View::Tracks => Below::tracks(Criteria::Always),
        View::Folders => Below::works(Criteria::Always),
    })
}

fn years(from: u32, to: u32) -> Criteria {
    let bound = |how, year| Criteria::Number(Field::Year, how, i64::from(year));
    if from == to {
        return bound(Comparison::Equal, from);
    }
    Criteria::all([bound(Comparison::GreaterOrEqual, from), bound(Comparison::LessOrEqual, to)])
}
