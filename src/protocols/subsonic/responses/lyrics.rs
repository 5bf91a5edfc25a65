//! Lyrics, in the old form and as lines with times.

use serde::Serialize;

use crate::catalog::{Lyrics, Track};

/// One text for a song that was asked for by names; empty if there is none.
#[derive(Serialize)]
pub(in super::super) struct OldLyrics<'a> {
    /// As credited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) artist: Option<&'a str>,
    /// The song's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) title: Option<&'a str>,
    /// The whole text.
    pub(in super::super) value: String,
}

/// Lyrics line by line.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct StructuredLyrics<'a> {
    lang: &'a str,
    synced: bool,
    display_artist: &'a str,
    display_title: &'a str,
    offset: i64,
    line: Vec<Line<'a>>,
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<i64>,
    value: &'a str,
}

impl<'a> StructuredLyrics<'a> {
    /// One entry of a song's lyrics.
    pub(in super::super) fn of(track: &'a Track, lyrics: &'a Lyrics) -> Self {
        Self {
            lang: if lyrics.lang.is_empty() { "und" } else { &lyrics.lang },
            synced: lyrics.is_synced,
            display_artist: &track.display_artist,
            display_title: &track.title,
            offset: lyrics.offset_ms,
            line: lyrics
                .lines
                .iter()
                .map(|(start, value)| Line { start: start.filter(|_| lyrics.is_synced), value })
                .collect(),
        }
    }
}
