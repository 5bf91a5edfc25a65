//! One file of media: formats, tags, pictures, lyrics, cue sheets, and the worker processes in
//! which untrusted bytes are understood. No database, no network, no catalogue.

pub mod tags;
pub mod worker;
