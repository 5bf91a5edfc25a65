//! Visibility as SQL: every statement of the catalogue is bounded by the principal's libraries.

use std::fmt::Write as _;

use crate::{accounts::Principal, ids::LibraryId};

/// `column in (1,2,3)` for what the principal may see, narrowed to `only` if given. The ids are
/// integers of ours, so writing them into the statement is safe and lets one plan serve all. A
/// list that comes in the order of an index says `+column`: SQLite would take few libraries for
/// few rows, look them up and sort them.
pub(super) fn within(column: &str, principal: &Principal, only: Option<LibraryId>) -> String {
    let mut sql = String::with_capacity(32);
    sql.push_str(column);
    sql.push_str(" in (");
    let mut first = true;
    for library in
        principal.libraries.iter().filter(|library| only.is_none_or(|only| only == **library))
    {
        if !first {
            sql.push(',');
        }
        first = false;
        let _ = write!(sql, "{}", library.0);
    }
    sql.push(')');
    sql
}

/// Text as an SQL literal, for values inside a remembered statement.
pub(super) fn literal(text: &str) -> String {
    let clean: String = text.chars().filter(|letter| *letter != '\0').collect();
    format!("'{}'", clean.replace('\'', "''"))
}

/// The JSON array of these ids, for `json_each(?)`.
pub(super) fn json_ids(ids: impl IntoIterator<Item = i64>) -> String {
    let mut text = String::from("[");
    for (at, id) in ids.into_iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        let _ = write!(text, "{id}");
    }
    text.push(']');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_become_a_list() {
        let principal = Principal::household(vec![LibraryId(1), LibraryId(4)]);
        assert_eq!(within("a.b", &principal, None), "a.b in (1,4)");
        assert_eq!(within("x", &principal, Some(LibraryId(4))), "x in (4)");
        assert_eq!(within("x", &principal, Some(LibraryId(9))), "x in ()");
    }

    #[test]
    fn literals_cannot_end_early() {
        assert_eq!(literal("a'; drop table b;--\0"), "'a''; drop table b;--'");
    }
}
