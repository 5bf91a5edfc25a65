//! Object ids: short ASCII, the same for life. `al.12`, `tr.88`; a track shown somewhere else than
//! under its album is `v.PLACE.tr.88` and refers to `tr.88`.

use std::{borrow::Cow, fmt};

use crate::{
    catalog::Object,
    ids::{AlbumId, ArtistId, FolderId, GenreId, PlaylistId, TrackId},
};

/// What an id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ObjectId {
    /// A container.
    Container(Container),
    /// A track at home.
    Track(TrackId),
    /// A track shown in another container.
    Shown(Place, TrackId),
}

/// Where a track is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    /// In which container.
    pub(crate) container: Container,
    /// Where in it, for containers that may hold a track twice.
    pub(crate) position: Option<u32>,
}

/// A container of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Container {
    /// The whole.
    Root,
    /// A branch below the root.
    View(View),
    /// Albums of one initial, by its code in the id.
    Initial(char),
    /// An album.
    Album(AlbumId),
    /// An artist: his albums and "all tracks".
    Artist(ArtistId),
    /// All tracks of an artist.
    ArtistTracks(ArtistId),
    /// A genre: its albums and "all tracks".
    Genre(GenreId),
    /// All tracks of a genre.
    GenreTracks(GenreId),
    /// The tracks of a composer.
    Composer(ArtistId),
    /// The albums of a year.
    Year(u32),
    /// The albums of ten years from this one.
    Decade(u32),
    /// A playlist.
    Playlist(PlaylistId),
    /// A directory.
    Folder(FolderId),
}

/// Branches below the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum View {
    /// All albums.
    Albums,
    /// Artists with albums of their own.
    AlbumArtists,
    /// All artists of tracks.
    Artists,
    /// Genres.
    Genres,
    /// Composers.
    Composers,
    /// Years.
    Years,
    /// Decades.
    Decades,
    /// Playlists.
    Playlists,
    /// Albums that came last.
    New,
    /// Albums played last (of a person).
    Played,
    /// Albums played most (of a person).
    Frequent,
    /// Starred albums (of a person).
    Starred,
    /// A handful of albums.
    Random,
    /// All tracks.
    Tracks,
    /// The tree of files.
    Folders,
}

impl View {
    /// In the order in which the root shows them.
    pub(crate) const ALL: [Self; 15] = [
        Self::Albums,
        Self::AlbumArtists,
        Self::Artists,
        Self::Genres,
        Self::Composers,
        Self::Years,
        Self::Decades,
        Self::Playlists,
        Self::New,
        Self::Played,
        Self::Frequent,
        Self::Starred,
        Self::Random,
        Self::Tracks,
        Self::Folders,
    ];

    /// The id.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Albums => "albums",
            Self::AlbumArtists => "albumartists",
            Self::Artists => "artists",
            Self::Genres => "genres",
            Self::Composers => "composers",
            Self::Years => "years",
            Self::Decades => "decades",
            Self::Playlists => "playlists",
            Self::New => "new",
            Self::Played => "played",
            Self::Frequent => "frequent",
            Self::Starred => "starred",
            Self::Random => "random",
            Self::Tracks => "tracks",
            Self::Folders => "folders",
        }
    }

    /// What people read.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Albums => "Albums",
            Self::AlbumArtists => "Album artists",
            Self::Artists => "Artists",
            Self::Genres => "Genres",
            Self::Composers => "Composers",
            Self::Years => "Years",
            Self::Decades => "Decades",
            Self::Playlists => "Playlists",
            Self::New => "Recently added",
            Self::Played => "Recently played",
            Self::Frequent => "Most played",
            Self::Starred => "Favourites",
            Self::Random => "Random albums",
            Self::Tracks => "All tracks",
            Self::Folders => "Folders",
        }
    }

    /// Made of what a person did; the household has done nothing.
    pub(crate) const fn is_personal(self) -> bool {
        matches!(self, Self::Played | Self::Frequent | Self::Starred)
    }
}

impl ObjectId {
    /// Reads an id. Percent-encoding and a slash at the end (Kodi) are forgiven; the fixed ids of
    /// Windows Media and Samsung mean our branches.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_end_matches('/');
        let text: Cow<'_, str> = percent_encoding::percent_decode_str(text).decode_utf8().ok()?;
        if let Some(shown) = text.strip_prefix("v.") {
            let (place, track) = shown.rsplit_once(".tr.")?;
            let track = TrackId::parse(&format!("tr.{track}"))?;
            return Some(Self::Shown(Place::parse(place)?, track));
        }
        if text.starts_with("tr.") {
            return TrackId::parse(&text).map(Self::Track);
        }
        Container::parse(&text).map(Self::Container)
    }

    /// The catalogue's object of this name, if it is one.
    pub(crate) fn object(self) -> Option<Object> {
        Some(match self {
            Self::Track(id) | Self::Shown(_, id) => Object::Track(id),
            Self::Container(Container::Album(id)) => Object::Album(id),
            Self::Container(Container::Artist(id) | Container::ArtistTracks(id)) => {
                Object::Artist(id)
            }
            Self::Container(Container::Genre(id) | Container::GenreTracks(id)) => Object::Genre(id),
            Self::Container(Container::Composer(id)) => Object::Composer(id),
            Self::Container(Container::Playlist(id)) => Object::Playlist(id),
            Self::Container(_) => return None,
        })
    }
}

impl Place {
    fn parse(text: &str) -> Option<Self> {
        if let Some(container) = Container::parse(text) {
            return Some(Self { container, position: None });
        }
        let (container, position) = text.rsplit_once('.')?;
        let container = Container::parse(container)?;
        let position = number(position).filter(|_| matches!(container, Container::Playlist(_)))?;
        Some(Self { container, position: Some(position) })
    }
}

impl Container {
    /// The container "All tracks" inside an artist or a genre.
    pub(crate) fn all_tracks(self) -> Option<Self> {
        match self {
            Self::Artist(id) => Some(Self::ArtistTracks(id)),
            Self::Genre(id) => Some(Self::GenreTracks(id)),
            _ => None,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        if let Some(view) = View::ALL.into_iter().find(|view| view.word() == text) {
            return Some(Self::View(view));
        }
        Some(match text {
            "0" | "1" | "A" => Self::Root,
            "4" | "A_T" => Self::View(View::Tracks),
            "5" => Self::View(View::Genres),
            "6" => Self::View(View::Artists),
            "7" => Self::View(View::Albums),
            "107" => Self::View(View::AlbumArtists),
            "F" => Self::View(View::Playlists),
            "14" | "A_D" => Self::View(View::Folders),
            _ => return Self::parse_numbered(text),
        })
    }

    fn parse_numbered(text: &str) -> Option<Self> {
        let (id, is_tracks) = text.strip_suffix(".tracks").map_or((text, false), |id| (id, true));
        let (prefix, rest) = id.split_once('.')?;
        Some(match (prefix, is_tracks) {
            ("al", false) => Self::Album(AlbumId::parse(id)?),
            ("ar", false) => Self::Artist(ArtistId::parse(id)?),
            ("ar", true) => Self::ArtistTracks(ArtistId::parse(id)?),
            ("ge", false) => Self::Genre(GenreId::parse(id)?),
            ("ge", true) => Self::GenreTracks(GenreId::parse(id)?),
            ("co", false) => Self::Composer(ArtistId::parse(&format!("ar.{rest}"))?),
            ("ye", false) => Self::Year(number(rest).filter(|year| *year <= 9999)?),
            ("de", false) => {
                Self::Decade(number(rest).filter(|year| *year <= 9990 && year % 10 == 0)?)
            }
            ("pl", false) => Self::Playlist(PlaylistId::parse(id)?),
            ("fo", false) => Self::Folder(FolderId::parse(id)?),
            ("albums", false) => {
                let is_plain =
                    !rest.starts_with(['0', '+']) && !rest.bytes().any(|b| b.is_ascii_uppercase());
                let code = u32::from_str_radix(rest, 16).ok().filter(|_| is_plain)?;
                Self::Initial(char::from_u32(code)?)
            }
            _ => return None,
        })
    }
}

/// Decimal digits without sign or leading zero, except 0 itself.
fn number(text: &str) -> Option<u32> {
    let is_plain = !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'));
    is_plain.then(|| text.parse().ok()).flatten()
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Container(container) => container.fmt(f),
            Self::Track(id) => write!(f, "tr.{}", id.0),
            Self::Shown(place, id) => {
                write!(f, "v.{}", place.container)?;
                if let Some(position) = place.position {
                    write!(f, ".{position}")?;
                }
                write!(f, ".tr.{}", id.0)
            }
        }
    }
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("0"),
            Self::View(view) => f.write_str(view.word()),
            Self::Initial(initial) => write!(f, "albums.{:x}", *initial as u32),
            Self::Album(id) => write!(f, "al.{}", id.0),
            Self::Artist(id) => write!(f, "ar.{}", id.0),
            Self::ArtistTracks(id) => write!(f, "ar.{}.tracks", id.0),
            Self::Genre(id) => write!(f, "ge.{}", id.0),
            Self::GenreTracks(id) => write!(f, "ge.{}.tracks", id.0),
            Self::Composer(id) => write!(f, "co.{}", id.0),
            Self::Year(year) => write!(f, "ye.{year}"),
            Self::Decade(year) => write!(f, "de.{year}"),
            Self::Playlist(id) => write!(f, "pl.{}", id.0),
            Self::Folder(id) => write!(f, "fo.{}", id.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_go_there_and_back() {
        for text in [
            "0",
            "albums",
            "albumartists",
            "artists",
            "genres",
            "composers",
            "years",
            "decades",
            "playlists",
            "new",
            "played",
            "frequent",
            "starred",
            "random",
            "tracks",
            "folders",
            "albums.6b",
            "al.12",
            "ar.5",
            "ar.5.tracks",
            "ge.7",
            "ge.7.tracks",
            "co.5",
            "ye.1999",
            "ye.0",
            "de.1990",
            "de.0",
            "pl.3",
            "fo.9",
            "tr.88",
            "v.pl.3.17.tr.88",
            "v.pl.3.0.tr.88",
            "v.ar.5.tracks.tr.88",
            "v.tracks.tr.88",
            "v.fo.9.tr.88",
            "v.co.5.tr.1",
        ] {
            let id = ObjectId::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(id.to_string(), text);
        }
    }

    #[test]
    fn other_spellings_are_forgiven() {
        let canonical = |text| ObjectId::parse(text).unwrap().to_string();
        assert_eq!(canonical("al.12/"), "al.12");
        assert_eq!(canonical("al%2E12"), "al.12");
        assert_eq!(canonical("7"), "albums");
        assert_eq!(canonical("F"), "playlists");
        assert_eq!(canonical("1"), "0");
    }

    #[test]
    fn nonsense_is_no_id() {
        for text in [
            "",
            "-1",
            "al",
            "al.",
            "al.0",
            "al.-1",
            "al.12.tracks",
            "tr.",
            "v.",
            "v.tr.88",
            "v.al.12.tr.",
            "v.al.12.17.tr.88",
            "ye.99999",
            "ye.x",
            "de.1991",
            "de.10000",
            "albums.",
            "albums.d800",
            "albums.K",
            "1$4",
            "al.99999999999999999999",
            "ar.5.albums",
            "%ff",
        ] {
            assert_eq!(ObjectId::parse(text), None, "{text}");
        }
    }
}
