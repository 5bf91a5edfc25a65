//! Tests from outside in: the real server in-process on free ports over a temporary folder,
//! spoken to as its clients do.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod accounts;
mod analysis;
mod cli;
mod dlna;
mod drive;
mod fuzz;
mod harness;
mod health;
mod http;
mod ingest;
mod media;
mod moving;
mod outside;
mod playback;
mod proof;
mod quota;
mod subsonic;
mod sync;
mod web;
mod webdav;
