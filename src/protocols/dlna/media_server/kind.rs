//! The kinds of object that a search can find, each with its class.

use crate::catalog::Object;

/// A kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A track.
    Track,
    /// An album.
    Album,
    /// An artist.
    Artist,
    /// A genre.
    Genre,
    /// A playlist.
    Playlist,
}

impl Kind {
    /// In the order in which results of several kinds come.
    pub(crate) const ALL: [Self; 5] =
        [Self::Artist, Self::Album, Self::Genre, Self::Playlist, Self::Track];

    /// Its `upnp:class`.
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Track => "object.item.audioItem.musicTrack",
            Self::Album => "object.container.album.musicAlbum",
            Self::Artist => "object.container.person.musicArtist",
            Self::Genre => "object.container.genre.musicGenre",
            Self::Playlist => "object.container.playlistContainer",
        }
    }

    /// Whether the object is of this kind.
    pub(crate) fn is_kind_of(self, object: Object) -> bool {
        matches!(
            (self, object),
            (Self::Track, Object::Track(_))
                | (Self::Album, Object::Album(_))
                | (Self::Artist, Object::Artist(_))
                | (Self::Genre, Object::Genre(_))
                | (Self::Playlist, Object::Playlist(_))
        )
    }
}
