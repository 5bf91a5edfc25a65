//! Tests from outside in: the real server in-process on free ports over a temporary folder,
//! spoken to as its clients do.

mod accounts;
mod cli;
mod drive;
mod dlna;
mod harness;
mod http;
mod ingest;
mod media;
mod playback;
mod subsonic;
mod web;
