//! The face for people: its API by plain requests, and the panel in a real browser.

mod api;
mod apps;
mod browser;
mod degraded;
mod drops;
mod files;
mod kept;
mod libraries;
mod music;
mod openapi;
mod playlists;
mod quality;
mod rights;
pub(crate) mod schema;
pub(crate) mod script;
mod set_up;
mod shares;
mod shares_taken_down;
mod social;
mod uploads;
