//! Playlist files, written.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use quick_xml::escape::escape;

use super::{Entry, PlaylistFile, Syntax};

/// What stays as it is in the path of an address.
const PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The whole file, UTF-8.
#[must_use]
pub fn write(syntax: Syntax, playlist: &PlaylistFile) -> String {
    match syntax {
        Syntax::M3u => m3u8(playlist),
        Syntax::Pls => pls(playlist),
        Syntax::Xspf => xspf(playlist),
    }
}

fn m3u8(playlist: &PlaylistFile) -> String {
    let mut body = "#EXTM3U\n".to_owned();
    if let Some(name) = &playlist.name {
        body.extend(["#PLAYLIST:", &line(name), "\n"]);
    }
    for entry in &playlist.entries {
        let seconds = seconds(entry).to_string();
        body.extend(["#EXTINF:", &seconds, ",", &line(&label(entry)), "\n"]);
        body.extend([&line(&entry.location), "\n"]);
    }
    body
}

fn pls(playlist: &PlaylistFile) -> String {
    let mut body = "[playlist]\n".to_owned();
    if let Some(name) = &playlist.name {
        body.extend(["X-GNOME-Title=", &line(name), "\n"]);
    }
    for (at, entry) in playlist.entries.iter().enumerate() {
        let (at, file, title) = (at + 1, line(&entry.location), line(&label(entry)));
        let seconds = seconds(entry);
        // Writing to a string cannot fail.
        let _ = write!(body, "File{at}={file}\nTitle{at}={title}\nLength{at}={seconds}\n");
    }
    let _ = write!(body, "NumberOfEntries={}\nVersion=2\n", playlist.entries.len());
    body
}

/// XSPF 1 (xspf.org, "The XSPF Playlist Format Version 1"): durations in milliseconds, locations
/// are addresses.
fn xspf(playlist: &PlaylistFile) -> String {
    let mut body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
        <playlist version=\"1\" xmlns=\"http://xspf.org/ns/0/\">\n"
        .to_owned();
    let element = |body: &mut String, name: &str, text: &str| {
        let clean: String = text.chars().filter(|letter| !letter.is_control()).collect();
        let _ = writeln!(body, "<{name}>{}</{name}>", escape(&clean));
    };
    if let Some(name) = &playlist.name {
        element(&mut body, "title", name);
    }
    body.push_str("<trackList>\n");
    for entry in &playlist.entries {
        body.push_str("<track>\n");
        let location = utf8_percent_encode(&entry.location, PATH).to_string();
        let duration = entry.duration_s.map(|seconds| (u64::from(seconds) * 1000).to_string());
        let parts = [
            ("location", Some(&location)),
            ("title", entry.title.as_ref()),
            ("creator", entry.artist.as_ref()),
            ("album", entry.album.as_ref()),
            ("duration", duration.as_ref()),
        ];
        for (name, text) in parts {
            if let Some(text) = text {
                element(&mut body, name, text);
            }
        }
        body.push_str("</track>\n");
    }
    body.push_str("</trackList>\n</playlist>\n");
    body
}

/// "Artist - Title", as players show it.
fn label(entry: &Entry) -> String {
    match (&entry.artist, &entry.title) {
        (Some(artist), Some(title)) => format!("{artist} - {title}"),
        (_, title) => title.clone().unwrap_or_default(),
    }
}

/// -1 says that it is not known.
fn seconds(entry: &Entry) -> i64 {
    entry.duration_s.map_or(-1, i64::from)
}

fn line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::playlist_file::parse;

    fn list() -> PlaylistFile {
        let entry = |location: &str, title: &str, artist: &str| Entry {
            location: location.to_owned(),
            title: Some(title.to_owned()),
            artist: Some(artist.to_owned()),
            album: Some("Ä & <B>".to_owned()),
            duration_s: Some(61),
        };
        PlaylistFile {
            name: Some("Mine & <yours>".to_owned()),
            entries: vec![
                entry("A/01 #1 100%.mp3", "One", "Björk"),
                entry("B/a=b;c?.flac", "Two", "AC/DC"),
            ],
        }
    }

    #[test]
    fn what_is_written_can_be_read() {
        let list = list();
        assert_eq!(parse(Syntax::Xspf, write(Syntax::Xspf, &list).as_bytes()), list);
        for syntax in [Syntax::M3u, Syntax::Pls] {
            let read = parse(syntax, write(syntax, &list).as_bytes());
            assert_eq!(read.name, list.name);
            for (read, written) in read.entries.iter().zip(&list.entries) {
                assert_eq!(read.location, written.location);
                assert_eq!(read.duration_s, written.duration_s);
                assert_eq!(read.title, Some(label(written)));
            }
        }
    }

    #[test]
    fn a_title_cannot_add_lines() {
        let mut list = list();
        list.entries[0].title = Some("x\n/etc/passwd".to_owned());
        assert_eq!(parse(Syntax::M3u, write(Syntax::M3u, &list).as_bytes()).entries.len(), 2);
    }
}
