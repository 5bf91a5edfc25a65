//! Lyrics, in the old form, as lines with times, and word by word (songLyrics 2).

use serde::Serialize;

use super::super::xml::Attribute;
use crate::{
    catalog::{Lyrics, Track},
    media::lyrics as words,
};

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

/// How much an app understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Detail {
    /// Lines of what is sung.
    Lines,
    /// Words, voices and translations too.
    Enhanced,
}

/// Lyrics line by line.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct StructuredLyrics<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    lang: &'a str,
    synced: bool,
    display_artist: &'a str,
    display_title: &'a str,
    offset: i64,
    line: Vec<Line<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    agents: Vec<Agent<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cue_line: Vec<CueLine<'a>>,
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<u64>,
    value: &'a str,
}

#[derive(Serialize)]
struct Agent<'a> {
    id: &'a str,
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CueLine<'a> {
    index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_id: Option<&'a str>,
    start: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<u64>,
    value: Attribute<'a>,
    cue: Vec<Cue<'a>>,
}

/// Both ends of its bytes belong to it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Cue<'a> {
    start: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<u64>,
    byte_start: usize,
    byte_end: usize,
    value: &'a str,
}

impl<'a> StructuredLyrics<'a> {
    /// One entry of a song's lyrics; `None` for layers that the app does not understand.
    pub(in super::super) fn of(
        track: &'a Track,
        lyrics: &'a Lyrics,
        detail: Detail,
    ) -> Option<Self> {
        let words = &lyrics.words;
        let is_enhanced = detail == Detail::Enhanced;
        if !is_enhanced && words.kind != words::Kind::Main {
            return None;
        }
        let line = |line: &'a words::Line| Line {
            start: line.start_ms.filter(|_| words.is_synced),
            value: &line.text,
        };
        let cue_lines = words.cue_lines.iter().filter(|_| is_enhanced);
        Some(Self {
            kind: is_enhanced.then_some(match words.kind {
                words::Kind::Main => "main",
                words::Kind::Translation => "translation",
                words::Kind::Pronunciation => "pronunciation",
            }),
            lang: if lyrics.lang.is_empty() { "und" } else { &lyrics.lang },
            synced: words.is_synced,
            display_artist: &track.display_artist,
            display_title: &track.title,
            offset: words.offset_ms,
            line: words.lines.iter().map(line).collect(),
            agents: words.agents.iter().filter(|_| is_enhanced).map(Agent::of).collect(),
            cue_line: cue_lines.map(|line| CueLine::of(line, &words.agents)).collect(),
        })
    }
}

impl<'a> Agent<'a> {
    fn of(agent: &'a words::Agent) -> Self {
        let role = match agent.role {
            words::Role::Main => "main",
            words::Role::Voice => "voice",
            words::Role::Background => "bg",
            words::Role::Group => "group",
        };
        Self { id: &agent.id, role, name: super::some(&agent.name) }
    }
}

impl<'a> CueLine<'a> {
    fn of(line: &'a words::CueLine, agents: &'a [words::Agent]) -> Self {
        let cue = |cue: &words::Cue| Cue {
            start: cue.start_ms,
            end: cue.end_ms,
            byte_start: cue.bytes.start,
            byte_end: cue.bytes.end.saturating_sub(1),
            value: line.text.get(cue.bytes.clone()).unwrap_or_default(),
        };
        Self {
            index: line.line,
            agent_id: line.agent.and_then(|at| Some(agents.get(at)?.id.as_str())),
            start: line.start_ms,
            end: line.end_ms,
            value: Attribute(&line.text),
            cue: line.cues.iter().map(cue).collect(),
        }
    }
}
