//! What is done with arbitrary bytes: each function must come back, whatever it is given, and
//! what it says of its result must hold. The fuzzer calls them for hours, the ordinary tests
//! (`tests/it/fuzz.rs`) some hundred times.

use tunelocker::{
    catalog::Rules,
    media::{
        self, cue, feed,
        lyrics::{self, Lyrics, Role},
        nfo,
        playlist_file::{self, Syntax},
    },
    moving,
    protocols::{dlna, subsonic, webdav},
};

/// Every target by its name.
pub(crate) const ALL: &[(&str, fn(&[u8]))] = &[
    ("query", query),
    ("lrc", lrc),
    ("ttml", ttml),
    ("rules", rules),
    ("rss", rss),
    ("nfo", nfo),
    ("m3u", m3u),
    ("pls", pls),
    ("xspf", xspf),
    ("cue", cue),
    ("criteria", criteria),
    ("soap", soap),
    ("ssdp", ssdp),
    ("dav_body", dav_body),
    ("dav_header", dav_header),
    ("archive", archive),
    ("tags", tags),
    ("dump", dump),
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

/// TTML: the bytes are what stands inside a document's body, and any document.
pub(crate) fn ttml(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let whole =
        format!("<tt xmlns=\"http://www.w3.org/ns/ttml\"><body><div>{text}</div></body></tt>");
    for body in [&text, whole.as_str()] {
        let layers = lyrics::layers(body);
        assert!(!layers.is_empty());
        layers.iter().for_each(is_sound);
    }
}

/// What OpenSubsonic's songLyrics 2 promises its readers.
fn is_sound(lyrics: &Lyrics) {
    assert!(lyrics.lines.iter().map(|line| line.start_ms).is_sorted());
    assert!(lyrics.lines.iter().all(|line| line.start_ms.is_some() == lyrics.is_synced));
    assert!(lyrics.is_synced || lyrics.cue_lines.is_empty());
    let main = lyrics.agents.iter().filter(|agent| agent.role == Role::Main).count();
    assert_eq!(main, usize::from(!lyrics.agents.is_empty()));
    for cue_line in &lyrics.cue_lines {
        assert!(cue_line.line < lyrics.lines.len());
        assert_eq!(cue_line.agent.is_some(), !lyrics.agents.is_empty());
        assert!(cue_line.agent.is_none_or(|agent| agent < lyrics.agents.len()));
        for cue in &cue_line.cues {
            assert!(!cue_line.text[cue.bytes.clone()].is_empty());
            assert!(cue.end_ms.is_none_or(|end| cue.start_ms <= end));
        }
        for two in cue_line.cues.windows(2) {
            assert!(two[0].end_ms.unwrap_or(two[0].start_ms) <= two[1].start_ms);
            assert_eq!(two[0].end_ms.is_some(), two[1].end_ms.is_some());
            assert!(two[0].bytes.end <= two[1].bytes.start);
        }
    }
}

/// Rules of smart playlists: those that are understood are written in one spelling.
pub(crate) fn rules(bytes: &[u8]) {
    if let Ok(rules) = Rules::from_text(&String::from_utf8_lossy(bytes)) {
        let again = Rules::parse(&rules.to_json());
        assert_eq!(again.ok(), Some(rules), "what is written is read as the same");
    }
}

/// Podcast feeds: the bytes are what stands in a channel, and any document.
pub(crate) fn rss(bytes: &[u8]) {
    let whole = [b"<rss><channel>", bytes, b"</channel></rss>"].concat();
    for document in [bytes, &whole] {
        let Ok(feed) = feed::read(document) else { continue };
        assert!(!feed.title.is_empty());
        for episode in &feed.episodes {
            assert!(!episode.title.is_empty() && !episode.guid.is_empty());
            assert!(["http://", "https://"].iter().any(|way| episode.audio_url.starts_with(way)));
        }
    }
}

/// `artist.nfo` and `album.nfo`.
pub(crate) fn nfo(bytes: &[u8]) {
    let whole = [b"<artist>", bytes, b"</artist>"].concat();
    for document in [bytes, &whole] {
        let Some(read) = nfo::read(document) else { continue };
        assert!(read.mbid.is_none_or(|mbid| nfo::is_mbid(&mbid)));
        assert!(read.pictures.iter().all(|url| url.starts_with("https://")));
    }
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

/// Bodies of WebDAV requests.
pub(crate) fn dav_body(bytes: &[u8]) {
    webdav::fuzz::body(bytes);
}

/// Headers of WebDAV requests.
pub(crate) fn dav_header(bytes: &[u8]) {
    webdav::fuzz::header(&String::from_utf8_lossy(bytes));
}

/// Archives, taken apart as a worker does.
pub(crate) fn archive(bytes: &[u8]) {
    media::fuzz::archive(bytes);
}

/// Files of music: what they say about themselves.
pub(crate) fn tags(bytes: &[u8]) {
    media::fuzz::tags(bytes);
}

/// Databases of other servers as SQL text.
pub(crate) fn dump(bytes: &[u8]) {
    moving::fuzz::dump(&String::from_utf8_lossy(bytes));
}
