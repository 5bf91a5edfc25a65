//! One file of media: formats, tags, pictures, lyrics, cue sheets, and the worker processes in
//! which untrusted bytes are understood. No database, no network, no catalogue.

pub mod analysis;
pub mod cue;
pub mod decode;
pub mod feed;
pub mod format;
pub mod fragments;
pub mod fuzz;
pub mod initials;
pub mod lyrics;
pub mod markup;
pub mod nfo;
pub(crate) mod pictures;
pub mod playlist_file;
pub mod sealed;
mod source;
pub mod tags;
pub mod text;
mod understand;
pub mod unpack;
pub mod worker;

pub use understand::understand_decoded;
