//! Tunelocker: a household's own music locker in one daemon. This page is the map.
//!
//! Data comes in at the doors on the top floor, is understood once, and goes straight down:
//! *protocol → one service → database or disk*, and back the same way. Nobody climbs.
//!
//! Reading order, from the ground up; a module imports only from those above it in this list
//! (`tests/architecture.rs` holds the exact table and is the wall):
//!
//! | module | what it is |
//! |---|---|
//! | [`error`] [`storage`] [`ids`] [`clock`] [`path_text`] [`body`] [`zip`] `xml` `watch` | a variant per reaction of a caller; whether a volume keeps what is written to it; typed ids; the only reader of the wall clock; paths of any bytes as text; bytes on their way out; archives of them; the bounded reader of XML; changes in folders, as the system tells them |
//! | [`egress`] | the one way out to the internet: every address judged, everything bounded |
//! | [`media`] | one file of media: formats, tags, pictures, lyrics, cue sheets, and the sandboxed worker processes that read untrusted bytes. No database, no network |
//! | [`config`] [`events`] [`db`] | settings by section; what changed, as ids; one writer and many readers of SQLite |
//! | [`accounts`] | who may do what: users, credentials, the one verifier, plans, the quota ledger, LAN devices |
//! | [`drive`] | what is kept: each locker's tree of plain files |
//! | [`catalog`] | what is there to hear: libraries, artists, albums, tracks, playlists, annotations, search |
//! | [`ingest`] | how music gets in: scan, watch, reconcile |
//! | [`playback`] | how music gets out: decision, originals, transcodes and their cache, now playing |
//! | [`analysis`] | what the box hears by itself: loudness and sound features, in the background |
//! | [`matching`] | that nothing is sent twice: hashes, have and need, claims |
//! | [`outside`] | what the internet brings and gets, each off until an administrator turns it on: podcasts, radio stations, artist info, listens passed on |
//! | [`moving`] | how people move in from another server: its database or library file, read and given to those who are meant |
//! | [`ops`] [`http`] | lifecycle, telemetry, health; what all HTTP faces share |
//! | [`protocols`] [`web`] | the faces, thin: Subsonic, WebDAV, DLNA, mDNS; the panel and its API |
//! | [`sync`] | the other end, on another machine: a folder to a locker and back, through the web API |
//! | [`app`] [`cli`] | the composition root and the command line; they know all, nobody imports them |
//!
//! Rules in short: a handler parses, calls one service, renders. Every read takes a
//! [`accounts::Principal`]; what it may not see is *not found*. One transaction per change, its
//! events after it. Dropping is cancelling. Decide purely, act at the edge. Untrusted bytes are
//! understood in worker processes.
//!
//! Glossary: a *library* is a root of files (watched folder, locker or household locker); a
//! *locker* is a charged tree of plain files; a *track* is what Subsonic calls song and DLNA
//! musicTrack; a *principal* is the account that a request acts for; a *cover* is the picture of
//! an album, artist or track; a *plan* is a named tier with a quota and caps.

pub mod accounts;
pub mod analysis;
pub mod app;
pub mod body;
pub mod catalog;
pub mod cli;
pub mod clock;
pub mod config;
pub mod db;
pub mod drive;
pub mod egress;
pub mod error;
pub mod events;
pub mod http;
pub mod ids;
pub mod ingest;
pub mod matching;
pub mod media;
pub mod moving;
pub mod ops;
pub mod outside;
pub mod path_text;
pub mod playback;
pub mod protocols;
pub mod storage;
pub mod sync;
mod watch;
pub mod web;
mod xml;
pub mod zip;

pub use error::{Error, Result};
