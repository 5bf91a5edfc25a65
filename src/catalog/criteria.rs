//! What a search of other words than plain ones looks for (DLNA's criteria, smart playlists): a
//! tree of tests, pure; [`super::find`] makes statements of it, with every value bound.

use crate::ids::{AlbumId, ArtistId, FolderId, GenreId, PlaylistId, TrackId, UserId};

/// A tree of tests. Build it with the functions below, which fold constants away.
#[derive(Debug, Clone, PartialEq)]
pub enum Criteria {
    /// Everything fits.
    Always,
    /// Nothing fits.
    Never,
    /// All of them.
    All(Vec<Criteria>),
    /// At least one of them.
    Any(Vec<Criteria>),
    /// Not this.
    Not(Box<Criteria>),
    /// Some value of a field compares so with a text, whatever case and accents.
    Text(Field, TextMatch, String),
    /// The number of a field compares so; dates are their years.
    Number(Field, Comparison, i64),
    /// The release date as a whole day (`YYYY-MM-DD`, first of what is not known) compares so
    /// with a text of that form.
    Dated(Comparison, String),
    /// The field has a value.
    Has(Field),
    /// This very object.
    Is(Object),
    /// What this user added compares so with a number: times are milliseconds, stars 0 or 1.
    /// Where he added nothing it is 0.
    Marked(UserId, Mark, Comparison, i64),
    /// It is an entry of this ordinary playlist.
    InPlaylist(PlaylistId),
    /// It is one of these tracks.
    OneOf(Vec<TrackId>),
    /// A track on an album for which this holds; of an album, this itself.
    OnAlbum(Box<Criteria>),
    /// One of these albums (for tracks: on one of them).
    Albums(Vec<AlbumId>),
    /// An album of this group of initials (`groups`).
    Initial(char),
}

/// What people add to a track, its album or its artists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// The track is starred.
    Starred,
    /// When the track was starred.
    StarredAt,
    /// The track's rating.
    Rating,
    /// How often the track was heard.
    PlayCount,
    /// When it was last heard.
    PlayedAt,
    /// The album is starred.
    AlbumStarred,
    /// The album's rating.
    AlbumRating,
    /// One of the artists is starred.
    ArtistStarred,
}

/// What can be asked for by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    /// A track, or the album's or artist's tracks.
    Track(TrackId),
    /// An album (for tracks: on it).
    Album(AlbumId),
    /// An artist (for tracks and albums: where he takes part, in any role).
    Artist(ArtistId),
    /// An artist as a composer (for tracks and albums: with a work of his).
    Composer(ArtistId),
    /// A genre (for tracks and albums: of it).
    Genre(GenreId),
    /// A playlist; nothing else is one.
    Playlist(PlaylistId),
    /// A directory (for tracks and albums: at any depth below it).
    Folder(FolderId),
}

/// What can be tested. What a kind of object does not have never fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Title of a track or album, name of anything else.
    Title,
    /// An artist in any role.
    Artist,
    /// An album artist.
    AlbumArtist,
    /// A composer.
    Composer,
    /// Album title.
    Album,
    /// A genre.
    Genre,
    /// Release year.
    Year,
    /// Release date, as text.
    Date,
    /// Track number.
    Number,
    /// Disc number.
    Disc,
    /// Length, ms.
    Duration,
    /// File size, bytes.
    Size,
    /// Container, as `flac`.
    Container,
    /// Codec, as `alac`.
    Codec,
    /// Suffix of the file, as `m4a`.
    Suffix,
    /// Path of the file in its library.
    Path,
    /// Comment.
    Comment,
    /// A mood.
    Mood,
    /// A grouping.
    Grouping,
    /// Bit rate, kbit/s.
    Bitrate,
    /// Bits a sample.
    BitDepth,
    /// Samples a second.
    SampleRate,
    /// Channels.
    Channels,
    /// Beats a minute.
    Bpm,
    /// 1 on a compilation, else 0.
    Compilation,
    /// 1 where the words are not for children, else 0.
    Explicit,
    /// 1 with a picture, else 0.
    Cover,
    /// 1 with lyrics, else 0.
    Lyrics,
    /// When it came into the catalogue, ms.
    Added,
    /// When its file was changed, ms.
    Modified,
    /// Year of the first release.
    OriginalYear,
    /// Date of this release, as text `YYYY-MM-DD` or less of it.
    ReleaseDate,
    /// Date of the first release, as [`Self::ReleaseDate`].
    OriginalDate,
    /// The library's number.
    Library,
    /// The principal's rating, 1 to 5.
    Rating,
    /// The row id: a stable order without any meaning.
    Row,
}

impl Field {
    /// Whether it holds numbers.
    #[must_use]
    pub fn is_number(self) -> bool {
        matches!(
            self,
            Self::Year
                | Self::Number
                | Self::Disc
                | Self::Duration
                | Self::Size
                | Self::Bitrate
                | Self::SampleRate
                | Self::BitDepth
                | Self::Channels
                | Self::Bpm
                | Self::Rating
        )
    }
}

/// How texts compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextMatch {
    /// The whole.
    Equals,
    /// Somewhere inside.
    Contains,
    /// At the start.
    StartsWith,
    /// At the end.
    EndsWith,
    /// Sorts before it.
    Before,
    /// Sorts after it and does not begin with it, so that every day of 1999 is not after 1999.
    After,
}

/// How numbers compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// =
    Equal,
    /// <
    Less,
    /// <=
    LessOrEqual,
    /// >
    Greater,
    /// >=
    GreaterOrEqual,
}

/// A key to order by; a whole order is a list of them, the id comes last by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderBy {
    /// What.
    pub field: Field,
    /// Z to A.
    pub is_descending: bool,
}

impl Criteria {
    /// All of these.
    #[must_use]
    pub fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut kept = Vec::new();
        for part in parts {
            match part {
                Self::Always => (),
                Self::Never => return Self::Never,
                Self::All(inner) => kept.extend(inner),
                other => kept.push(other),
            }
        }
        match kept.len() {
            0 => Self::Always,
            1 => kept.remove(0),
            _ => Self::All(kept),
        }
    }

    /// At least one of these.
    #[must_use]
    pub fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut kept = Vec::new();
        for part in parts {
            match part {
                Self::Never => (),
                Self::Always => return Self::Always,
                Self::Any(inner) => kept.extend(inner),
                other => kept.push(other),
            }
        }
        match kept.len() {
            0 => Self::Never,
            1 => kept.remove(0),
            _ => Self::Any(kept),
        }
    }

    /// Not this.
    #[must_use]
    pub fn negate(self) -> Self {
        match self {
            Self::Always => Self::Never,
            Self::Never => Self::Always,
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    /// On an album for which this holds.
    #[must_use]
    pub fn on_album(self) -> Self {
        match self {
            Self::Never => Self::Never,
            other => Self::OnAlbum(Box::new(other)),
        }
    }

    /// Whether it depends on what the principal added himself.
    #[must_use]
    pub fn is_personal(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::is_personal),
            Self::Not(inner) | Self::OnAlbum(inner) => inner.is_personal(),
            Self::Marked(..) => true,
            Self::Text(field, ..) | Self::Number(field, ..) | Self::Has(field) => {
                *field == Field::Rating
            }
            _ => false,
        }
    }

    /// A constant.
    #[must_use]
    pub fn constant(holds: bool) -> Self {
        if holds { Self::Always } else { Self::Never }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_fold_away() {
        let test = || Criteria::Has(Field::Genre);
        assert_eq!(Criteria::all([Criteria::Always, test()]), test());
        assert_eq!(Criteria::all([test(), Criteria::Never]), Criteria::Never);
        assert_eq!(Criteria::all([]), Criteria::Always);
        assert_eq!(Criteria::any([Criteria::Never, test()]), test());
        assert_eq!(Criteria::any([test(), Criteria::Always]), Criteria::Always);
        assert_eq!(Criteria::any([]), Criteria::Never);
        assert_eq!(test().negate().negate(), test());
    }
}
