//! Tests and orders of tracks.

use std::borrow::Cow;

use super::{
    Asker, compared, condition, dated, day, folders_below, in_list, keyed, listed, marked, names,
    number, operator, plain,
};
use crate::catalog::{Comparison, Criteria, Field, Object, visible::literal};

impl Asker {
    /// One test of the track row `t`.
    pub(in crate::catalog) fn of_track(self, test: &Criteria) -> String {
        let by_artists = |role: &str, names: &str| {
            format!(
                "t.track_id in (select ta.track_id from track_artist ta where {role}
                   ta.artist_id in (select artist_id from artist where {names}))"
            )
        };
        match test {
            Criteria::Text(field, how, value) => match field {
                Field::Title => keyed("track", "track_id", "t.track_id", "title", *how, value),
                Field::Artist => by_artists("", &names(*how, value)),
                Field::AlbumArtist => {
                    by_artists("ta.role = 'albumartist' and", &names(*how, value))
                }
                Field::Composer => by_artists("ta.role = 'composer' and", &names(*how, value)),
                Field::Album => keyed("album", "album_id", "t.album_id", "name", *how, value),
                Field::Genre => format!(
                    "t.track_id in (select tg.track_id from genre g join track_genre tg using (genre_id) where {})",
                    plain("g.name", *how, value)
                ),
                Field::Container => plain("t.container", *how, value),
                Field::Date => compared(&day("t"), *how, value.trim()),
                Field::Codec => plain("t.codec", *how, value),
                Field::Suffix => plain("t.suffix", *how, value),
                Field::Path => plain("t.path", *how, value),
                Field::Comment => plain("t.comment", *how, value),
                Field::Mood => listed("moods", *how, value),
                Field::Grouping => listed("groupings", *how, value),
                Field::ReleaseDate => dated("t.release_date", *how, value),
                Field::OriginalDate => dated("t.original_date", *how, value),
                _ => "false".to_owned(),
            },
            Criteria::Number(field, how, value) => match field {
                field if field.is_number() => number(&self.track_column(*field), *how, *value),
                Field::Compilation => number("t.is_compilation", *how, *value),
                Field::Explicit => number("(t.explicit = 'explicit')", *how, *value),
                Field::Cover => number(
                    "(t.picture_id is not null or exists (select 1 from album c
                       where c.album_id = t.album_id and c.picture_id is not null))",
                    *how,
                    *value,
                ),
                Field::Lyrics => number("t.has_lyrics", *how, *value),
                Field::Added => number("t.created_at", *how, *value),
                Field::Modified => number("(t.modified_ns / 1000000)", *how, *value),
                Field::OriginalYear => number(
                    "cast(nullif(substr(t.original_date, 1, 4), '') as integer)",
                    *how,
                    *value,
                ),
                Field::Library => number("t.library_id", *how, *value),
                _ => "false".to_owned(),
            },
            Criteria::Marked(user, mark, how, value) => number(&marked(*user, *mark), *how, *value),
            Criteria::InPlaylist(id) => format!(
                "t.track_id in (select track_id from playlist_entry where playlist_id = {})",
                id.0
            ),
            Criteria::Dated(how, value) => {
                format!("{} {} {}", day("t"), operator(*how), literal(value))
            }
            Criteria::Has(field) => match field {
                Field::Artist => "t.display_artist <> ''".to_owned(),
                Field::AlbumArtist => "t.display_album_artist <> ''".to_owned(),
                Field::Composer => "t.display_composer <> ''".to_owned(),
                Field::Album => "t.album_name <> ''".to_owned(),
                Field::Genre => "t.genre <> ''".to_owned(),
                Field::Date => format!("{} is not null", day("t")),
                Field::Year | Field::Number | Field::Disc | Field::Rating => {
                    format!("{} is not null", self.track_column(*field))
                }
                Field::Bitrate | Field::SampleRate | Field::BitDepth | Field::Channels => {
                    format!("{} > 0", self.track_column(*field))
                }
                Field::Comment => "t.comment <> ''".to_owned(),
                Field::ReleaseDate => "t.release_date <> ''".to_owned(),
                Field::OriginalDate | Field::OriginalYear => "t.original_date <> ''".to_owned(),
                Field::Mood => "json_array_length(t.extra, '$.moods') > 0".to_owned(),
                Field::Grouping => "json_array_length(t.extra, '$.groupings') > 0".to_owned(),
                Field::Bpm => "t.bpm > 0".to_owned(),
                Field::Cover => self.of_track(&Criteria::Number(*field, Comparison::Equal, 1)),
                Field::Lyrics => "t.has_lyrics = 1".to_owned(),
                _ => "true".to_owned(),
            },
            Criteria::Is(object) => match object {
                Object::Track(id) => format!("t.track_id = {}", id.0),
                Object::Album(id) => format!("t.album_id = {}", id.0),
                Object::Artist(id) => by_artists("", &format!("artist_id = {}", id.0)),
                Object::Composer(id) => {
                    by_artists("ta.role = 'composer' and", &format!("artist_id = {}", id.0))
                }
                Object::Genre(id) => format!(
                    "t.track_id in (select track_id from track_genre where genre_id = {})",
                    id.0
                ),
                Object::Folder(id) => format!("t.folder_id in ({})", folders_below(*id)),
                Object::Playlist(_) => "false".to_owned(),
            },
            Criteria::OnAlbum(inner) => format!(
                "t.album_id in (select a.album_id from album a where {})",
                condition(inner, &|test| self.of_album(test))
            ),
            Criteria::OneOf(ids) => in_list("t.track_id", ids.iter().map(|id| id.0)),
            Criteria::Albums(ids) => in_list("t.album_id", ids.iter().map(|id| id.0)),
            _ => "false".to_owned(),
        }
    }

    /// What tracks are ordered by.
    pub(in crate::catalog) fn track_column(self, field: Field) -> Cow<'static, str> {
        let column = match field {
            Field::Title => "t.order_key",
            Field::Artist => "t.display_artist collate nocase",
            Field::AlbumArtist => "t.display_album_artist collate nocase",
            Field::Composer => "t.display_composer collate nocase",
            Field::Album => "t.album_name collate nocase",
            Field::Genre => "t.genre collate nocase",
            Field::Year => "t.year",
            Field::Date => return day("t").into(),
            Field::Number => "t.number",
            Field::Disc => "t.disc",
            Field::Duration => "t.duration_ms",
            Field::Size => "t.size_bytes",
            Field::Container => "t.container",
            Field::Bitrate => "t.bitrate_kbps",
            Field::SampleRate => "t.sample_rate",
            Field::BitDepth => "t.bit_depth",
            Field::Channels => "t.channels",
            Field::Rating => return self.rating("track", "t.track_id").into(),
            Field::Row => "t.track_id",
            Field::Codec => "t.codec",
            Field::Suffix => "t.suffix",
            Field::Path => "t.path",
            Field::Comment => "t.comment collate nocase",
            Field::Mood => "t.extra->>'$.moods[0]'",
            Field::Grouping => "t.extra->>'$.groupings[0]'",
            Field::Bpm => "t.bpm",
            Field::Compilation => "t.is_compilation",
            Field::Explicit => "t.explicit",
            Field::Cover => "t.picture_id is null",
            Field::Lyrics => "t.has_lyrics",
            Field::Added => "t.created_at",
            Field::Modified => "t.modified_ns",
            Field::OriginalYear | Field::OriginalDate => "t.original_date",
            Field::ReleaseDate => "t.release_date",
            Field::Library => "t.library_id",
        };
        column.into()
    }
}
