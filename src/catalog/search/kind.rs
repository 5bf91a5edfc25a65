//! The kinds that can be searched, and their lists.

use std::sync::Arc;

use crate::{
    accounts::Principal,
    catalog::{
        lists::{Keep, Listing, Order},
        search::ranked::RANKED,
        visible::{literal, within},
    },
    ids::LibraryId,
};

/// One of the kinds that can be searched.
pub(super) struct Kind {
    pub(super) table: &'static str,
    pub(super) id: &'static str,
    /// The index that everything of it is walked along. SQLite would take the table itself, whose
    /// rows are many times as wide.
    along: &'static str,
    /// The index that holds their names in order.
    by_name: &'static str,
    /// What they are ordered by when all are wanted, and by name.
    columns: &'static [&'static str],
    names: &'static [&'static str],
    /// What may be seen of `e`.
    pub(super) seen: String,
}

pub(super) fn artists(principal: &Principal, library: Option<LibraryId>) -> Kind {
    let visible = within("w.library_id", principal, library);
    let seen = format!(
        "exists (select 1 from artist_work w where w.artist_id = e.artist_id and {visible})"
    );
    Kind {
        table: "artist",
        id: "artist_id",
        along: "",
        by_name: "artist_order",
        columns: &["artist_id"],
        names: &["order_key", "artist_id"],
        seen,
    }
}

pub(super) fn albums(principal: &Principal, library: Option<LibraryId>) -> Kind {
    let seen = format!("e.track_count > 0 and {}", within("+e.library_id", principal, library));
    Kind {
        table: "album",
        id: "album_id",
        along: "indexed by album_present",
        by_name: "album_order",
        columns: &["album_id"],
        names: &["order_key", "album_id"],
        seen,
    }
}

pub(super) fn tracks(principal: &Principal, library: Option<LibraryId>) -> Kind {
    let seen = format!("e.missing_at is null and {}", within("+e.library_id", principal, library));
    Kind {
        table: "track",
        id: "track_id",
        along: "indexed by track_present",
        by_name: "track_order",
        columns: &["track_id"],
        names: &["order_key", "track_id"],
        seen,
    }
}

impl Kind {
    fn row(&self) -> &'static str {
        match self.table {
            "artist" => "e.artist_id",
            "album" => "e.album_id",
            _ => "e.track_id",
        }
    }

    /// All of them by row, so that a client pages through each exactly once.
    pub(super) fn everything(&self) -> Listing {
        Listing {
            id: self.row(),
            from: format!("from {} e {} where {}", self.table, self.along, self.seen),
            start: String::new(),
            order: Order::along(self.table, "e", self.columns),
            keep: Keep::Revision,
            without: Arc::default(),
        }
    }

    /// Those whose name begins with these letters, the shortest first.
    pub(super) fn beginning(&self, letters: &str) -> Listing {
        let Self { table, by_name, seen, .. } = self;
        Listing {
            id: self.row(),
            from: format!(
                "from {table} e indexed by {by_name}
                 where e.order_key >= {} and e.order_key < {} and {seen}",
                literal(letters),
                literal(&format!("{letters}\u{10ffff}"))
            ),
            start: String::new(),
            order: Order::along(table, "e", self.names),
            keep: Keep::Revision,
            without: Arc::default(),
        }
    }

    /// All that fit an expression, by row, without these.
    pub(super) fn fitting(&self, expression: &str, without: Arc<[i64]>) -> Listing {
        let Self { table, id, along, seen, .. } = self;
        Listing {
            id: "m.rowid",
            from: format!(
                "from {table}_search m cross join {table} e {along} on e.{id} = m.rowid
                 where {table}_search match {} and {seen}",
                literal(expression)
            ),
            start: String::new(),
            order: Order::along(table, "m", &["rowid"]),
            keep: Keep::Revision,
            without,
        }
    }

    /// The first that fit the expression bound as `?1`, unordered, with their ranks.
    pub(super) fn first(&self) -> String {
        let Self { table, id, along, seen, .. } = self;
        format!(
            "select m.rowid as id, m.rank as rank
             from {table}_search m cross join {table} e {along} on e.{id} = m.rowid
             where {table}_search match ?1 and {seen} limit {RANKED}"
        )
    }
}
