//! Searches by [`Criteria`], as statements for ids. Values are folded as order keys are and enter
//! the statement as literals that cannot end early; fields and operators are our own words.

use crate::{
    Result,
    accounts::Principal,
    catalog::{
        Album, Catalog, Comparison, Criteria, Field, List, Mark, Object, OrderBy, Page, TextMatch,
        Track,
        identity::{fold, order_key},
        lists::{Keep, Listing, Order, Total},
        visible::{json_ids, literal, within},
    },
    ids::UserId,
};

impl Catalog {
    /// Tracks that fit, in the wanted order; by title if none is wanted.
    pub async fn find_tracks(
        &self,
        principal: &Principal,
        criteria: &Criteria,
        order: &[OrderBy],
        page: Page,
    ) -> Result<List<Track>> {
        let visible = within("t.library_id", principal, None);
        let from = format!(
            "from track t where t.missing_at is null and {visible} and {}",
            condition(criteria, of_track)
        );
        let order = if order.is_empty() {
            Order::along("track", "t", &["order_key", "track_id"])
        } else {
            Order::By(order_by(order, |field| Some(track_column(field)), "t.order_key, t.track_id"))
        };
        let list = Listing { id: "t.track_id", from, order, keep: Keep::Revision };
        let ids = self.window(&list, page, Total::Counted).await?;
        let items = self.tracks_by_row(principal, &ids.window).await?;
        Ok(List { items, total: ids.total.unwrap_or(0) })
    }

    /// Albums that fit, in the wanted order; by title if none is wanted.
    pub async fn find_albums(
        &self,
        principal: &Principal,
        criteria: &Criteria,
        order: &[OrderBy],
        page: Page,
    ) -> Result<List<Album>> {
        let visible = within("a.library_id", principal, None);
        let from = format!(
            "from album a where a.track_count > 0 and {visible} and {}",
            condition(criteria, of_album)
        );
        let order = if order.is_empty() {
            Order::along("album", "a", &["order_key", "album_id"])
        } else {
            Order::By(order_by(order, album_column, "a.order_key, a.album_id"))
        };
        let list = Listing { id: "a.album_id", from, order, keep: Keep::Revision };
        let ids = self.window(&list, page, Total::Counted).await?;
        let items = self.albums_by_row(principal, &ids.window).await?;
        Ok(List { items, total: ids.total.unwrap_or(0) })
    }
}

/// What SQL asks of one test, for one kind of row.
pub(super) type Tests = fn(&Criteria) -> String;

/// The whole tree as one condition.
pub(super) fn condition(criteria: &Criteria, of: Tests) -> String {
    let joined = |parts: &[Criteria], word: &str| {
        let parts: Vec<String> = parts.iter().map(|part| condition(part, of)).collect();
        format!("({})", parts.join(word))
    };
    match criteria {
        Criteria::Always => "true".to_owned(),
        Criteria::Never => "false".to_owned(),
        Criteria::All(parts) => joined(parts, " and "),
        Criteria::Any(parts) => joined(parts, " or "),
        // A value that is not there is not equal to anything either.
        Criteria::Not(inner) => format!("coalesce(not {}, true)", condition(inner, of)),
        test => of(test),
    }
}

/// One test of the track row `t`.
pub(super) fn of_track(test: &Criteria) -> String {
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
            Field::AlbumArtist => by_artists("ta.role = 'albumartist' and", &names(*how, value)),
            Field::Composer => by_artists("ta.role = 'composer' and", &names(*how, value)),
            Field::Album => keyed("album", "album_id", "t.album_id", "name", *how, value),
            Field::Genre => format!(
                "t.track_id in (select tg.track_id from genre g join track_genre tg using (genre_id) where {})",
                plain("g.name", *how, value)
            ),
            Field::Container => plain("t.container", *how, value),
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
            Field::Year => number("t.year", *how, *value),
            Field::Number => number("t.number", *how, *value),
            Field::Disc => number("t.disc", *how, *value),
            Field::Duration => number("t.duration_ms", *how, *value),
            Field::Size => number("t.size_bytes", *how, *value),
            Field::Bitrate => number("t.bitrate_kbps", *how, *value),
            Field::BitDepth => number("t.bit_depth", *how, *value),
            Field::SampleRate => number("t.sample_rate", *how, *value),
            Field::Channels => number("t.channels", *how, *value),
            Field::Bpm => number("t.bpm", *how, *value),
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
            Field::OriginalYear => {
                number("cast(nullif(substr(t.original_date, 1, 4), '') as integer)", *how, *value)
            }
            Field::Library => number("t.library_id", *how, *value),
            _ => "false".to_owned(),
        },
        Criteria::Marked(user, mark, how, value) => number(&marked(*user, *mark), *how, *value),
        Criteria::InPlaylist(id) => {
            format!(
                "t.track_id in (select track_id from playlist_entry where playlist_id = {})",
                id.0
            )
        }
        Criteria::OneOf(tracks) => format!(
            "t.track_id in (select value from json_each('{}'))",
            json_ids(tracks.iter().map(|track| track.0))
        ),
        Criteria::Has(field) => match field {
            Field::Title | Field::Duration | Field::Size | Field::Container => "true".to_owned(),
            Field::Artist => "t.display_artist <> ''".to_owned(),
            Field::AlbumArtist => "t.display_album_artist <> ''".to_owned(),
            Field::Composer => "t.display_composer <> ''".to_owned(),
            Field::Album => "t.album_name <> ''".to_owned(),
            Field::Genre => "t.genre <> ''".to_owned(),
            Field::Year => "t.year is not null".to_owned(),
            Field::Number => "t.number is not null".to_owned(),
            Field::Disc => "t.disc is not null".to_owned(),
            Field::Comment => "t.comment <> ''".to_owned(),
            Field::ReleaseDate => "t.release_date <> ''".to_owned(),
            Field::OriginalDate | Field::OriginalYear => "t.original_date <> ''".to_owned(),
            Field::Mood => "json_array_length(t.extra, '$.moods') > 0".to_owned(),
            Field::Grouping => "json_array_length(t.extra, '$.groupings') > 0".to_owned(),
            Field::Bpm => "t.bpm > 0".to_owned(),
            Field::Cover => of_track(&Criteria::Number(*field, Comparison::Equal, 1)),
            Field::Lyrics => "t.has_lyrics = 1".to_owned(),
            _ => "true".to_owned(),
        },
        Criteria::Is(object) => match object {
            Object::Track(id) => format!("t.track_id = {}", id.0),
            Object::Album(id) => format!("t.album_id = {}", id.0),
            Object::Artist(id) => by_artists("", &format!("artist_id = {}", id.0)),
            Object::Genre(id) => format!(
                "t.track_id in (select track_id from track_genre where genre_id = {})",
                id.0
            ),
        },
        _ => "false".to_owned(),
    }
}

fn of_album(test: &Criteria) -> String {
    let by_artists = |names: &str| {
        format!(
            "a.album_id in (select aa.album_id from album_artist aa
               where aa.artist_id in (select artist_id from artist where {names}))"
        )
    };
    let by_composers = |names: &str| {
        format!(
            "a.album_id in (select u.album_id from track_artist ta join track u using (track_id)
               where u.missing_at is null and ta.role = 'composer'
                 and ta.artist_id in (select artist_id from artist where {names}))"
        )
    };
    let by_genres = |names: &str| {
        format!(
            "a.album_id in (select u.album_id from genre g join track_genre tg using (genre_id)
               join track u using (track_id) where u.missing_at is null and {names})"
        )
    };
    match test {
        Criteria::Text(field, how, value) => match field {
            Field::Title | Field::Album => {
                keyed("album", "album_id", "a.album_id", "name", *how, value)
            }
            Field::Artist | Field::AlbumArtist => by_artists(&names(*how, value)),
            Field::Composer => by_composers(&names(*how, value)),
            Field::Genre => by_genres(&plain("g.name", *how, value)),
            _ => "false".to_owned(),
        },
        Criteria::Number(Field::Year, how, value) => number("a.year", *how, *value),
        Criteria::Has(field) => match field {
            Field::Title | Field::Album => "true".to_owned(),
            Field::Artist | Field::AlbumArtist => "a.display_artist <> ''".to_owned(),
            Field::Composer => by_composers("true"),
            Field::Genre => "a.genre <> ''".to_owned(),
            Field::Year => "a.year is not null".to_owned(),
            _ => "false".to_owned(),
        },
        Criteria::Is(object) => match object {
            Object::Album(id) => format!("a.album_id = {}", id.0),
            Object::Artist(id) => by_artists(&format!("artist_id = {}", id.0)),
            Object::Genre(id) => by_genres(&format!("g.genre_id = {}", id.0)),
            Object::Track(_) => "false".to_owned(),
        },
        _ => "false".to_owned(),
    }
}

/// A title or name by its order key, which an index of its own holds: a scan of that is a
/// fraction of one through the rows.
fn keyed(table: &str, id: &str, is: &str, column: &str, how: TextMatch, value: &str) -> String {
    let test = text("order_key", column, how, value);
    format!("{is} in (select {id} from {table} where {test})")
}

fn names(how: TextMatch, value: &str) -> String {
    text("order_key", "name", how, value)
}

/// A folded column against a folded value. The key knows no leading article and may come from a
/// sort tag, so where that can matter the shown text is looked at as well.
fn text(key: &str, shown: &str, how: TextMatch, value: &str) -> String {
    let by_key = compared(key, how, &fold(value));
    if value.is_ascii() && order_key(value) == value.trim().to_ascii_lowercase() {
        by_key
    } else {
        format!("({by_key} or {})", plain(shown, how, value))
    }
}

/// A column as it is shown, without regard to the case of ASCII letters.
fn plain(column: &str, how: TextMatch, value: &str) -> String {
    compared(&format!("lower({column})"), how, &value.trim().to_ascii_lowercase())
}

fn compared(column: &str, how: TextMatch, value: &str) -> String {
    let value = literal(value);
    match how {
        TextMatch::Equals => format!("{column} = {value}"),
        TextMatch::Contains => format!("instr({column}, {value}) > 0"),
        TextMatch::StartsWith => format!("instr({column}, {value}) = 1"),
        TextMatch::EndsWith => format!("substr({column}, -length({value})) = {value}"),
        TextMatch::Before => format!("{column} < {value}"),
        TextMatch::After => format!("({column} > {value} and instr({column}, {value}) <> 1)"),
    }
}

/// One of the values that only a song's full answer shows.
fn listed(key: &str, how: TextMatch, value: &str) -> String {
    let test = plain("each.value", how, value);
    format!("exists (select 1 from json_each(t.extra, '$.{key}') each where {test})")
}

/// A date that may be missing; what is missing is neither before nor after anything.
fn dated(column: &str, how: TextMatch, value: &str) -> String {
    format!("({column} <> '' and {})", compared(column, how, value.trim()))
}

/// What a user added, as a number; 0 where he added nothing.
pub(super) fn marked(user: UserId, mark: Mark) -> String {
    let (column, of) = match mark {
        Mark::Starred => {
            ("n.starred_at is not null", "n.kind = 'track' and n.item_id = t.track_id")
        }
        Mark::StarredAt => ("n.starred_at", "n.kind = 'track' and n.item_id = t.track_id"),
        Mark::Rating => ("n.rating", "n.kind = 'track' and n.item_id = t.track_id"),
        Mark::PlayCount => ("n.play_count", "n.kind = 'track' and n.item_id = t.track_id"),
        Mark::PlayedAt => ("n.played_at", "n.kind = 'track' and n.item_id = t.track_id"),
        Mark::AlbumStarred => {
            ("n.starred_at is not null", "n.kind = 'album' and n.item_id = t.album_id")
        }
        Mark::AlbumRating => ("n.rating", "n.kind = 'album' and n.item_id = t.album_id"),
        Mark::ArtistStarred => (
            "max(n.starred_at is not null)",
            "n.kind = 'artist' and n.item_id in
               (select artist_id from track_artist p where p.track_id = t.track_id)",
        ),
    };
    format!(
        "coalesce((select {column} from annotation n where n.user_id = {} and {of}), 0)",
        user.0
    )
}

fn number(column: &str, how: Comparison, value: i64) -> String {
    let operator = match how {
        Comparison::Equal => "=",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    };
    format!("{column} {operator} {value}")
}

fn order_by(order: &[OrderBy], column: fn(Field) -> Option<&'static str>, last: &str) -> String {
    let mut by = String::new();
    for key in order {
        if let Some(column) = column(key.field) {
            by.push_str(column);
            by.push_str(if key.is_descending { " desc, " } else { ", " });
        }
    }
    by.push_str(last);
    by
}

/// What tracks are ordered by.
pub(super) fn track_column(field: Field) -> &'static str {
    match field {
        Field::Title => "t.order_key",
        Field::Artist => "t.display_artist collate nocase",
        Field::AlbumArtist => "t.display_album_artist collate nocase",
        Field::Composer => "t.display_composer collate nocase",
        Field::Album => "t.album_name collate nocase",
        Field::Genre => "t.genre collate nocase",
        Field::Year => "t.year",
        Field::Number => "t.number",
        Field::Disc => "t.disc",
        Field::Duration => "t.duration_ms",
        Field::Size => "t.size_bytes",
        Field::Container => "t.container",
        Field::Codec => "t.codec",
        Field::Suffix => "t.suffix",
        Field::Path => "t.path",
        Field::Comment => "t.comment collate nocase",
        Field::Mood => "t.extra->>'$.moods[0]'",
        Field::Grouping => "t.extra->>'$.groupings[0]'",
        Field::Bitrate => "t.bitrate_kbps",
        Field::BitDepth => "t.bit_depth",
        Field::SampleRate => "t.sample_rate",
        Field::Channels => "t.channels",
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
    }
}

fn album_column(field: Field) -> Option<&'static str> {
    Some(match field {
        Field::Title | Field::Album => "a.order_key",
        Field::Artist | Field::AlbumArtist => "a.artist_order_key",
        Field::Genre => "a.genre collate nocase",
        Field::Year => "a.year",
        Field::Duration => "a.duration_ms",
        Field::Size => "a.size_bytes",
        Field::Added => "a.created_at",
        Field::OriginalYear | Field::OriginalDate => "a.original_date",
        Field::ReleaseDate => "a.release_date",
        _ => return None,
    })
}
