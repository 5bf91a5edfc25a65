//! What is done with arbitrary bytes: each function must come back, whatever it is given, and
//! what it says of its result must hold. The fuzzer calls them for hours, the ordinary tests
//! (`tests/it/fuzz.rs`) some hundred times.

use tunelocker::{
    media::{
        cue, lyrics,
        playlist_file::{self, Syntax},
    },
    protocols::{dlna, subsonic},
};

/// Every target by its name.
pub(crate) const ALL: &[(&str, fn(&[u8]))] = &[
    ("query", query),
    ("lrc", lrc),
    ("m3u", m3u),
    ("pls", pls),
    ("xspf", xspf),
    ("cue", cue),
    ("criteria", criteria),
    ("soap", soap),
    ("ssdp", ssdp),
];

/// A Subsonic query string and form, split at the first zero byte.
pub(crate) fn query(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (query, form) = text.split_once('\0').unwrap_or((&text, ""));
    subsonic::fuzz::query(query, form);
}

/// Lyrics with times.
pub(crate) fn lrc(bytes: &[u8]) {
    let read = lyrics::parse_bytes(bytes);
    // What it calls plain text can be read again.
    let _ = lyrics::parse(&read.plain());
}

/// M3U and M3U8.
pub(crate) fn m3u(bytes: &[u8]) {
    playlist(Syntax::M3u, bytes);
}

/// PLS.
pub(crate) fn pls(bytes: &[u8]) {
    playlist(Syntax::Pls, bytes);
}

/// XSPF.
pub(crate) fn xspf(bytes: &[u8]) {
    playlist(Syntax::Xspf, bytes);
}

/// A playlist, written again as M3U8: no entry can smuggle in another one.
fn playlist(syntax: Syntax, bytes: &[u8]) {
    let read = playlist_file::parse(syntax, bytes);
    let written = playlist_file::write(Syntax::M3u, &read);
    let again = playlist_file::parse(Syntax::M3u, written.as_bytes());
    assert!(again.entries.len() <= read.entries.len());
}

/// Cue sheets.
pub(crate) fn cue(bytes: &[u8]) {
    let _ = cue::parse_bytes(bytes);
}

/// DLNA's search criteria.
pub(crate) fn criteria(bytes: &[u8]) {
    dlna::fuzz::criteria(&String::from_utf8_lossy(bytes));
}

/// SOAP envelopes.
pub(crate) fn soap(bytes: &[u8]) {
    dlna::fuzz::soap(bytes);
}

/// SSDP datagrams.
pub(crate) fn ssdp(bytes: &[u8]) {
    dlna::fuzz::ssdp(bytes);
}
