//! The MediaServer:1 device: its description, its three services and the bytes behind them.

pub(crate) mod art;
mod below;
pub(crate) mod connection_manager;
pub(crate) mod content_directory;
pub(crate) mod description;
mod didl;
mod entries;
mod filter;
mod kind;
pub(crate) mod media;
mod object_id;
mod protocol_info;
pub(crate) mod quirks;
pub(crate) mod registrar;
mod resources;
mod search;
mod search_criteria;
pub(crate) mod services;
pub(crate) mod shuffle;
mod sort;
mod tree;
mod views;

/// Reads a text as everything that a client may put into a listing's arguments.
pub(crate) fn taste(text: &str) {
    if let Ok(expression) = search_criteria::Expression::parse(text) {
        for kind in kind::Kind::ALL {
            let _ = expression.of(kind);
        }
    }
    if let Some(id) = object_id::ObjectId::parse(text) {
        // Ours are read back as the same.
        assert_eq!(object_id::ObjectId::parse(&id.to_string()), Some(id));
    }
    let _ = (filter::Filter::parse(Some(text)), sort::parse(Some(text)), sort::kinds(Some(text)));
    let _ = (art::parse(text), resources::parse_path(text));
}
