//! Tests and orders of albums.

use std::borrow::Cow;

use super::{
    Asker, compared, condition, day, folders_below, in_list, keyed, names, number, operator, plain,
};
use crate::catalog::{Criteria, Field, Object, groups::initial_range, visible::literal};

impl Asker {
    /// One test of the album row `a`.
    pub(super) fn of_album(self, test: &Criteria) -> String {
        let by_artists = |names: &str| {
            format!(
                "a.album_id in (select aa.album_id from album_artist aa
                   where aa.artist_id in (select artist_id from artist where {names}))"
            )
        };
        let by_tracks = |role: &str, names: &str| {
            format!(
                "a.album_id in (select u.album_id from track_artist ta join track u using (track_id)
                   where u.missing_at is null {role}
                     and ta.artist_id in (select artist_id from artist where {names}))"
            )
        };
        let by_genres = |names: &str| {
            format!(
                "a.album_id in (select u.album_id from genre g join track_genre tg using (genre_id)
                   join track u using (track_id) where u.missing_at is null and {names})"
            )
        };
        let composers = "and ta.role = 'composer'";
        match test {
            Criteria::Text(field, how, value) => match field {
                Field::Title | Field::Album => {
                    keyed("album", "album_id", "a.album_id", "name", *how, value)
                }
                Field::Artist | Field::AlbumArtist => by_artists(&names(*how, value)),
                Field::Composer => by_tracks(composers, &names(*how, value)),
                Field::Genre => by_genres(&plain("g.name", *how, value)),
                Field::Date => compared(&day("a"), *how, value.trim()),
                _ => "false".to_owned(),
            },
            Criteria::Number(field, how, value) if field.is_number() => {
                match self.album_column(*field) {
                    Some(column) => number(&column, *how, *value),
                    None => "false".to_owned(),
                }
            }
            Criteria::Dated(how, value) => {
                format!("{} {} {}", day("a"), operator(*how), literal(value))
            }
            Criteria::Has(field) => match field {
                Field::Title | Field::Album | Field::Row | Field::Duration | Field::Size => {
                    "true".to_owned()
                }
                Field::Artist | Field::AlbumArtist => "a.display_artist <> ''".to_owned(),
                Field::Composer => by_tracks(composers, "true"),
                Field::Genre => "a.genre <> ''".to_owned(),
                Field::Date => format!("{} is not null", day("a")),
                Field::Year => "a.year is not null".to_owned(),
                Field::Rating => format!("{} is not null", self.rating("album", "a.album_id")),
                _ => "false".to_owned(),
            },
            Criteria::Is(object) => match object {
                Object::Album(id) => format!("a.album_id = {}", id.0),
                Object::Artist(id) => {
                    let is = format!("artist_id = {}", id.0);
                    format!("({} or {})", by_artists(&is), by_tracks("", &is))
                }
                Object::Composer(id) => by_tracks(composers, &format!("artist_id = {}", id.0)),
                Object::Genre(id) => by_genres(&format!("g.genre_id = {}", id.0)),
                Object::Folder(id) => format!(
                    "a.album_id in (select u.album_id from track u
                       where u.missing_at is null and u.folder_id in ({}))",
                    folders_below(*id)
                ),
                Object::Track(_) | Object::Playlist(_) => "false".to_owned(),
            },
            Criteria::OnAlbum(inner) => condition(inner, &|test| self.of_album(test)),
            Criteria::Albums(ids) => in_list("a.album_id", ids.iter().map(|id| id.0)),
            Criteria::Initial(initial) => format!("({})", initial_range("a.order_key", *initial)),
            _ => "false".to_owned(),
        }
    }

    /// What albums are ordered by; `None` where they have no such thing.
    pub(super) fn album_column(self, field: Field) -> Option<Cow<'static, str>> {
        let column = match field {
            Field::Title | Field::Album => "a.order_key",
            Field::Artist | Field::AlbumArtist => "a.artist_order_key",
            Field::Genre => "a.genre collate nocase",
            Field::Year => "a.year",
            Field::Date => return Some(day("a").into()),
            Field::Duration => "a.duration_ms",
            Field::Size => "a.size_bytes",
            Field::Rating => return Some(self.rating("album", "a.album_id").into()),
            Field::Row => "a.album_id",
            Field::Added => "a.created_at",
            Field::OriginalYear | Field::OriginalDate => "a.original_date",
            Field::ReleaseDate => "a.release_date",
            _ => return None,
        };
        Some(column.into())
    }
}
