//! What smart rules can ask about: the names of the `.nsp` form, with our spelling first.

use crate::catalog::{Field, Mark};

/// What kind of values a field has; it decides which operators fit and how a value is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A whole number; with the factor from what is written to what is stored (1 s = 1000 ms).
    Number(i64),
    /// True or false.
    Flag,
    /// A moment: `2024-05-31`, or days ago.
    Moment,
    /// A date of which only a part may be known: `1999`, `1999-05`, `1999-05-31`.
    Date,
    /// A playlist's id.
    Playlist,
}

impl Kind {
    /// A word for programs: what an editor shows for a value.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number(_) => "number",
            Self::Flag => "flag",
            Self::Moment => "moment",
            Self::Date => "date",
            Self::Playlist => "playlist",
        }
    }
}

/// Where a field's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::catalog) enum Source {
    /// In the catalogue.
    Of(Field),
    /// Among what the owner added.
    Marked(Mark),
    /// Membership in another playlist.
    Entry,
}

/// A field that rules and orders can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SmartField {
    /// As we write it.
    pub name: &'static str,
    /// Kind of its values.
    pub kind: Kind,
    pub(in crate::catalog) source: Source,
}

/// Every field, in the order in which an editor shows them.
#[must_use]
pub fn all() -> &'static [SmartField] {
    FIELDS
}

/// A field by any of its names, whatever their case.
pub(super) fn find(name: &str) -> Option<&'static SmartField> {
    let name = name.to_ascii_lowercase();
    let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name.as_str(), |(_, is)| is);
    FIELDS.iter().find(|field| field.name.eq_ignore_ascii_case(name))
}

const fn of(name: &'static str, kind: Kind, field: Field) -> SmartField {
    SmartField { name, kind, source: Source::Of(field) }
}

const fn marked(name: &'static str, kind: Kind, mark: Mark) -> SmartField {
    SmartField { name, kind, source: Source::Marked(mark) }
}

const FIELDS: &[SmartField] = &[
    of("title", Kind::Text, Field::Title),
    of("artist", Kind::Text, Field::Artist),
    of("albumArtist", Kind::Text, Field::AlbumArtist),
    of("album", Kind::Text, Field::Album),
    of("genre", Kind::Text, Field::Genre),
    of("composer", Kind::Text, Field::Composer),
    of("year", Kind::Number(1), Field::Year),
    of("originalYear", Kind::Number(1), Field::OriginalYear),
    of("releaseDate", Kind::Date, Field::ReleaseDate),
    of("originalDate", Kind::Date, Field::OriginalDate),
    marked("loved", Kind::Flag, Mark::Starred),
    marked("rating", Kind::Number(1), Mark::Rating),
    marked("playCount", Kind::Number(1), Mark::PlayCount),
    marked("lastPlayed", Kind::Moment, Mark::PlayedAt),
    marked("dateLoved", Kind::Moment, Mark::StarredAt),
    marked("albumLoved", Kind::Flag, Mark::AlbumStarred),
    marked("albumRating", Kind::Number(1), Mark::AlbumRating),
    marked("artistLoved", Kind::Flag, Mark::ArtistStarred),
    of("dateAdded", Kind::Moment, Field::Added),
    of("dateModified", Kind::Moment, Field::Modified),
    of("duration", Kind::Number(1000), Field::Duration),
    of("bpm", Kind::Number(1), Field::Bpm),
    of("mood", Kind::Text, Field::Mood),
    of("grouping", Kind::Text, Field::Grouping),
    of("comment", Kind::Text, Field::Comment),
    of("trackNumber", Kind::Number(1), Field::Number),
    of("discNumber", Kind::Number(1), Field::Disc),
    of("compilation", Kind::Flag, Field::Compilation),
    of("explicit", Kind::Flag, Field::Explicit),
    of("hasCoverArt", Kind::Flag, Field::Cover),
    of("hasLyrics", Kind::Flag, Field::Lyrics),
    of("fileType", Kind::Text, Field::Suffix),
    of("codec", Kind::Text, Field::Codec),
    of("filePath", Kind::Text, Field::Path),
    of("size", Kind::Number(1), Field::Size),
    of("bitRate", Kind::Number(1), Field::Bitrate),
    of("bitDepth", Kind::Number(1), Field::BitDepth),
    of("sampleRate", Kind::Number(1), Field::SampleRate),
    of("channels", Kind::Number(1), Field::Channels),
    of("library", Kind::Number(1), Field::Library),
    SmartField { name: "playlist", kind: Kind::Playlist, source: Source::Entry },
];

/// Other names of the same, in lower case.
const ALIASES: &[(&str, &str)] = &[
    ("starred", "loved"),
    ("datestarred", "dateLoved"),
    ("track", "trackNumber"),
    ("tracknumber", "trackNumber"),
    ("disc", "discNumber"),
    ("date", "releaseDate"),
    ("recordingdate", "releaseDate"),
    ("releaseyear", "year"),
    ("path", "filePath"),
    ("suffix", "fileType"),
    ("library_id", "library"),
    ("id", "playlist"),
    ("plays", "playCount"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found_in_any_case() {
        for field in all() {
            let same = |other: &&SmartField| other.name.eq_ignore_ascii_case(field.name);
            assert_eq!(all().iter().filter(same).count(), 1, "{}", field.name);
            assert_eq!(find(&field.name.to_uppercase()), Some(field));
        }
        for (alias, name) in ALIASES {
            assert_eq!(find(alias).map(|field| field.name), Some(*name));
        }
        assert_eq!(find("password"), None);
        assert_eq!(find(""), None);
    }
}
