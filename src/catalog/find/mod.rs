//! Searches by [`Criteria`], as statements for ids. Values are folded as order keys are and enter
//! the statement as literals that cannot end early; fields and operators are our own words.

mod album;
mod track;

use std::{borrow::Cow, sync::Arc};

use crate::{
    Result,
    accounts::Principal,
    catalog::{
        Album, Catalog, Comparison, Criteria, Field, List, Mark, OrderBy, Page, TextMatch, Track,
        identity::{fold, order_key},
        lists::{Keep, Listing, Order, Total},
        visible::{json_ids, literal, within},
    },
    ids::{FolderId, UserId},
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
        let visible = within("+t.library_id", principal, None);
        let asker = Asker(principal.user);
        let from = format!(
            "from track t where t.missing_at is null and {visible} and {}",
            condition(criteria, &|test| asker.of_track(test))
        );
        let keep = keep(criteria, order);
        let order = if order.is_empty() {
            Order::along("track", "t", &["order_key", "track_id"])
        } else {
            let column = |field| Some(asker.track_column(field));
            Order::By(order_by(order, column, "t.order_key, t.track_id"))
        };
        let (start, without) = (String::new(), Arc::default());
        let list = Listing { id: "t.track_id", from, start, order, keep, without };
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
        let visible = within("+a.library_id", principal, None);
        let asker = Asker(principal.user);
        let from = format!(
            "from album a where a.track_count > 0 and {visible} and {}",
            condition(criteria, &|test| asker.of_album(test))
        );
        let keep = keep(criteria, order);
        let order = if order.is_empty() {
            Order::along("album", "a", &["order_key", "album_id"])
        } else {
            let column = |field| asker.album_column(field);
            Order::By(order_by(order, column, "a.order_key, a.album_id"))
        };
        let (start, without) = (String::new(), Arc::default());
        let list = Listing { id: "a.album_id", from, start, order, keep, without };
        let ids = self.window(&list, page, Total::Counted).await?;
        let items = self.albums_by_row(principal, &ids.window).await?;
        Ok(List { items, total: ids.total.unwrap_or(0) })
    }
}

/// What depends on the principal's own marks is not remembered beyond them.
fn keep(criteria: &Criteria, order: &[OrderBy]) -> Keep {
    let is_personal = criteria.is_personal() || order.iter().any(|key| key.field == Field::Rating);
    if is_personal { Keep::Marks } else { Keep::Revision }
}

/// What SQL asks of one test, for one kind of row.
pub(super) type Tests<'a> = &'a dyn Fn(&Criteria) -> String;

/// The whole tree as one condition.
pub(super) fn condition(criteria: &Criteria, of: Tests<'_>) -> String {
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

/// Whose ratings count.
#[derive(Clone, Copy)]
pub(super) struct Asker(pub(super) UserId);

impl Asker {
    /// What the asker rated an item.
    pub(super) fn rating(self, kind: &str, id: &str) -> String {
        format!(
            "(select n.rating from annotation n where n.user_id = {} and n.kind = '{kind}' and n.item_id = {id})",
            self.0.0
        )
    }
}

/// A release date as a whole day, as listings show it.
fn day(table: &str) -> String {
    format!(
        "(case length({table}.release_date) when 10 then {table}.release_date
            when 7 then {table}.release_date || '-01' when 4 then {table}.release_date || '-01-01'
            else iif({table}.year between 1 and 9999, printf('%04d-01-01', {table}.year), null) end)"
    )
}

/// A statement for a directory and all below it.
pub(super) fn folders_below(id: FolderId) -> String {
    format!(
        "with recursive below(id) as (select {} union
           select f.folder_id from folder f join below on f.parent_id = below.id)
         select id from below",
        id.0
    )
}

fn in_list(column: &str, ids: impl Iterator<Item = i64>) -> String {
    format!("{column} in (select value from json_each('{}'))", json_ids(ids))
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
    format!("{column} {} {value}", operator(how))
}

fn operator(how: Comparison) -> &'static str {
    match how {
        Comparison::Equal => "=",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}

fn order_by(
    order: &[OrderBy],
    column: impl Fn(Field) -> Option<Cow<'static, str>>,
    last: &str,
) -> String {
    let mut by = String::new();
    for key in order {
        if let Some(column) = column(key.field) {
            by.push_str(&column);
            by.push_str(if key.is_descending { " desc, " } else { ", " });
        }
    }
    by.push_str(last);
    by
}
