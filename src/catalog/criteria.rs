//! What a search of other words than plain ones looks for (DLNA's criteria): a tree of tests,
//! pure; [`super::find`] makes statements of it, with every value bound.

use crate::ids::{AlbumId, ArtistId, GenreId, TrackId};

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
    /// The field has a value.
    Has(Field),
    /// This very object.
    Is(Object),
}

/// What can be asked for by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    /// A track, or the album's or artist's tracks.
    Track(TrackId),
    /// An album (for tracks: on it).
    Album(AlbumId),
    /// An artist (for tracks and albums: his).
    Artist(ArtistId),
    /// A genre (for tracks and albums: of it).
    Genre(GenreId),
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
