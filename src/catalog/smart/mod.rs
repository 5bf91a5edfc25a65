//! Smart playlists: rules instead of entries, worked out when somebody looks. The rules are data,
//! JSON in the form that Navidrome's `.nsp` files made common ([`rules`]); fields and operators
//! are a table of ours ([`fields`]), so that nothing a person writes becomes SQL. Marks (stars,
//! ratings, counts) are the owner's, visibility is the reader's.

mod evaluate;
pub(super) mod fields;
mod rules;
mod values;

pub use fields::{Kind, SmartField, all as smart_fields};
pub use rules::{Operator, Rules};

pub(super) use evaluate::Memory;
