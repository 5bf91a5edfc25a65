//! The MediaServer:1 device: its description, its three services and the bytes behind them.

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
