//! Playlist files: m3u, m3u8, pls, xspf, read into entries and written ([`write`]). Entries are
//! words of a stranger: whoever resolves them decides what they may name.

mod write;

use std::collections::BTreeMap;

pub use write::write;

use quick_xml::{Reader, events::Event};

use super::text;

const MOST_ENTRIES: usize = 50_000;
const MOST_DEPTH: usize = 32;

/// A playlist as its file has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlaylistFile {
    /// Its own name, if it says one.
    pub name: Option<String>,
    /// In order.
    pub entries: Vec<Entry>,
}

/// One entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// A path as written (`%41` undone in xspf and `file:` addresses), or an address.
    pub location: String,
    /// Title, where the file says one; in m3u and pls usually "Artist - Title".
    pub title: Option<String>,
    /// Artist (xspf `creator`).
    pub artist: Option<String>,
    /// Album (xspf).
    pub album: Option<String>,
    /// Seconds, where the file says so.
    pub duration_s: Option<u32>,
}

/// How a playlist file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// m3u and m3u8: a line an entry.
    M3u,
    /// Sections like those of an INI file.
    Pls,
    /// XML.
    Xspf,
}

impl Syntax {
    /// By the suffix of a file's name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        match name.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
            "m3u" | "m3u8" => Some(Self::M3u),
            "pls" => Some(Self::Pls),
            "xspf" => Some(Self::Xspf),
            _ => None,
        }
    }
}

/// Reads a playlist file. What is not understood is left out.
#[must_use]
pub fn parse(syntax: Syntax, bytes: &[u8]) -> PlaylistFile {
    let body = text::decode(bytes);
    match syntax {
        Syntax::M3u => m3u(&body),
        Syntax::Pls => pls(&body),
        Syntax::Xspf => xspf(&body),
    }
}

fn m3u(body: &str) -> PlaylistFile {
    let mut playlist = PlaylistFile::default();
    let mut next = Entry::default();
    for line in body.lines().take(2 * text::MOST_LINES) {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("#EXTINF:") {
            let (seconds, title) = rest.split_once(',').unwrap_or((rest, ""));
            let seconds = seconds.split([' ', '.']).next().unwrap_or_default();
            next.duration_s = seconds.parse().ok();
            next.title = short(title);
        } else if let Some(name) = line.strip_prefix("#PLAYLIST:") {
            playlist.name = short(name);
        } else if !line.is_empty() && !line.starts_with('#') {
            next.location = location(line);
            playlist.push(std::mem::take(&mut next));
        }
    }
    playlist
}

fn pls(body: &str) -> PlaylistFile {
    let mut numbered: BTreeMap<u32, Entry> = BTreeMap::new();
    let mut playlist = PlaylistFile::default();
    for line in body.lines().take(3 * text::MOST_LINES) {
        let Some((key, value)) = line.trim().split_once('=') else { continue };
        let key = key.trim().to_ascii_lowercase();
        if key == "x-gnome-title" {
            playlist.name = short(value);
        }
        let field = ["file", "title", "length"]
            .into_iter()
            .find_map(|field| Some((field, key.strip_prefix(field)?.parse::<u32>().ok()?)));
        let Some((field, number)) = field else { continue };
        if MOST_ENTRIES <= numbered.len() && !numbered.contains_key(&number) {
            continue;
        }
        let entry = numbered.entry(number).or_default();
        match field {
            "file" => entry.location = location(value.trim()),
            "title" => entry.title = short(value),
            _ => entry.duration_s = value.trim().parse().ok(),
        }
    }
    numbered.into_values().for_each(|entry| playlist.push(entry));
    playlist
}

fn xspf(body: &str) -> PlaylistFile {
    let mut playlist = PlaylistFile::default();
    let mut reader = Reader::from_str(body);
    let mut path: Vec<String> = Vec::new();
    let mut text = String::new();
    let mut entry = Entry::default();
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) if path.len() < MOST_DEPTH => {
                path.push(start.local_name().as_ref().to_owned());
                text.clear();
            }
            Ok(Event::Text(part)) => {
                text.push_str(&part);
            }
            Ok(Event::CData(part)) => text.push_str(&part),
            Ok(Event::GeneralRef(reference)) => {
                let name: &str = &reference;
                let letter = match reference.resolve_char_ref() {
                    Ok(Some(letter)) => Some(letter.to_string()),
                    _ => quick_xml::escape::resolve_predefined_entity(name).map(str::to_owned),
                };
                text.push_str(&letter.unwrap_or_default());
            }
            Ok(Event::End(_)) => {
                let names: Vec<_> = path.iter().map(String::as_str).collect();
                match names[..] {
                    ["playlist", "title"] => playlist.name = short(&text),
                    ["playlist", "trackList", "track", "location"] => {
                        entry.location = unescaped(text.trim());
                    }
                    ["playlist", "trackList", "track", "title"] => entry.title = short(&text),
                    ["playlist", "trackList", "track", "creator"] => entry.artist = short(&text),
                    ["playlist", "trackList", "track", "album"] => entry.album = short(&text),
                    ["playlist", "trackList", "track", "duration"] => {
                        entry.duration_s = text.trim().parse::<u32>().ok().map(|ms| ms / 1000);
                    }
                    ["playlist", "trackList", "track"] => playlist.push(std::mem::take(&mut entry)),
                    _ => (),
                }
                path.pop();
                text.clear();
            }
            // Too deep, a document type, broken, or over: what was read stands.
            Ok(Event::Start(_) | Event::DocType(_) | Event::Eof) | Err(_) => return playlist,
            Ok(_) => (),
        }
    }
}

impl PlaylistFile {
    fn push(&mut self, entry: Entry) {
        let is_known =
            !entry.location.is_empty() || (entry.artist.is_some() && entry.title.is_some());
        if is_known && self.entries.len() < MOST_ENTRIES {
            self.entries.push(entry);
        }
    }
}

/// `file:` addresses are paths; the rest stays as it is.
fn location(text: &str) -> String {
    let text: String = text.chars().take(4096).collect();
    if text.starts_with("file:") { unescaped(&text) } else { text }
}

/// An address as a path: without `file://` and with its percent signs undone; others stay.
fn unescaped(text: &str) -> String {
    let text: String = text.chars().take(4096).collect();
    let path = match text.strip_prefix("file:") {
        Some(path) => path.strip_prefix("//localhost").or(path.strip_prefix("//")).unwrap_or(path),
        None if text.contains("://") => return text,
        None => &text,
    };
    percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned()
}

fn short(text: &str) -> Option<String> {
    let text: String =
        text.trim().chars().filter(|letter| !letter.is_control()).take(500).collect();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn locations(playlist: &PlaylistFile) -> Vec<&str> {
        playlist.entries.iter().map(|entry| entry.location.as_str()).collect()
    }

    #[test]
    fn m3u_has_a_line_an_entry() {
        let body = b"\xef\xbb\xbf#EXTM3U\r\n#PLAYLIST:Mine\r\n#EXTINF:123 x=\"y\",A - B\r\nA/1.mp3\r\n\r\n# no\r\n../B/2.mp3\r\nfile:///m/%C3%A9.mp3\r\n";
        let playlist = parse(Syntax::M3u, body);
        assert_eq!(playlist.name.as_deref(), Some("Mine"));
        assert_eq!(locations(&playlist), ["A/1.mp3", "../B/2.mp3", "/m/é.mp3"]);
        assert_eq!(playlist.entries[0].title.as_deref(), Some("A - B"));
        assert_eq!(playlist.entries[0].duration_s, Some(123));
        assert_eq!(parse(Syntax::M3u, write(Syntax::M3u, &playlist).as_bytes()), playlist);
    }

    #[test]
    fn pls_is_numbered() {
        let body = b"[playlist]\nFile2=b.mp3\nTitle1=One\nFile1=a=1.mp3\nLength1=60\nLength2=-1\nFile9999999999=x\nVersion=2\n";
        let playlist = parse(Syntax::Pls, body);
        assert_eq!(locations(&playlist), ["a=1.mp3", "b.mp3"]);
        assert_eq!(playlist.entries[0].title.as_deref(), Some("One"));
        assert_eq!(
            (playlist.entries[0].duration_s, playlist.entries[1].duration_s),
            (Some(60), None)
        );
    }

    #[test]
    fn xspf_is_xml() {
        let body = b"<?xml version=\"1.0\"?><playlist xmlns=\"http://xspf.org/ns/0/\"><title>A &amp; B</title><trackList><track><location>file:///m/a%20b.mp3</location><duration>61500</duration></track><track><title>none</title></track><track><location>c&#233;.mp3</location></track></trackList></playlist>";
        let playlist = parse(Syntax::Xspf, body);
        assert_eq!(playlist.name.as_deref(), Some("A & B"));
        assert_eq!(locations(&playlist), ["/m/a b.mp3", "cé.mp3"]);
        assert_eq!(playlist.entries[0].duration_s, Some(61));
    }

    #[test]
    fn deep_or_defined_xml_is_not_followed() {
        let deep = format!("<playlist>{}", "<a>".repeat(100_000));
        assert_eq!(parse(Syntax::Xspf, deep.as_bytes()), PlaylistFile::default());
        let bomb = b"<!DOCTYPE a [<!ENTITY b \"c\">]><playlist><title>&b;</title></playlist>";
        assert_eq!(parse(Syntax::Xspf, bomb), PlaylistFile::default());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            for syntax in [Syntax::M3u, Syntax::Pls, Syntax::Xspf] {
                let _ = parse(syntax, &bytes);
            }
        }

        #[test]
        fn nothing_like_xml_panics(body in "(<|</|>|&|;|#x|playlist|trackList|track|location|\"|=| |é|[0-9])*") {
            let _ = parse(Syntax::Xspf, body.as_bytes());
        }
    }
}
