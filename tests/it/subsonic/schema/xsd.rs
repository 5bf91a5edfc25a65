//! XML answers against the schema of Subsonic 1.16.1, which knows nothing of OpenSubsonic: what
//! that added is taken out first, by name, and nothing else is.

use std::{fs, path::Path, process::Command};

use quick_xml::{
    Reader, Writer,
    events::{BytesStart, Event},
};

/// Elements that OpenSubsonic added inside those of Subsonic.
const ELEMENTS: &[&str] = &[
    "artists",
    "albumArtists",
    "contributors",
    "genres",
    "moods",
    "isrc",
    "groupings",
    "works",
    "movements",
    "replayGain",
    "discTitles",
    "recordLabels",
    "releaseTypes",
    "releaseDate",
    "originalReleaseDate",
    "roles",
];

/// Whole answers of methods that Subsonic does not have.
const ANSWERS: &[&str] =
    &["openSubsonicExtensions", "tokenInfo", "lyricsList", "playQueueByIndex", "sonicMatch"];

/// Attributes that OpenSubsonic (or custom) added: element, or `*`, and name.
const ATTRIBUTES: &[(&str, &str)] = &[
    ("subsonic-response", "type"),
    ("subsonic-response", "serverVersion"),
    ("subsonic-response", "openSubsonic"),
    ("error", "helpUrl"),
    ("artists", "lastModified"),
    ("scanStatus", "folderCount"),
    ("scanStatus", "lastScan"),
    ("playlist", "readonly"),
    ("playlist", "validUntil"),
    ("entry", "state"),
    ("entry", "positionMs"),
    ("entry", "playbackRate"),
    ("*", "musicBrainzId"),
    ("*", "sortName"),
    ("*", "mediaType"),
    ("*", "played"),
    ("*", "displayArtist"),
    ("*", "displayAlbumArtist"),
    ("*", "displayComposer"),
    ("*", "explicitStatus"),
    ("album", "version"),
    ("album", "isCompilation"),
    ("album", "userRating"),
    ("artist", "userRating"),
    ("artist", "averageRating"),
    ("artist", "coverArt"),
    ("similarArtist", "coverArt"),
    ("similarArtist", "userRating"),
    ("similarArtist", "averageRating"),
    ("*", "bitDepth"),
    ("*", "samplingRate"),
    ("*", "channelCount"),
    ("*", "bpm"),
    ("*", "comment"),
    // OpenSubsonic errata: an id is text, the schema still says number.
    ("playQueue", "current"),
];

/// Those of [`ATTRIBUTES`] that Subsonic itself has on these elements.
const KEPT: &[(&str, &str)] = &[("playlist", "comment"), ("bookmark", "comment")];

/// What is wrong with these XML answers, each with a name for people.
pub(crate) fn check(folder: &Path, answers: &[(String, String)]) -> Vec<String> {
    let scratch = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for (at, (name, xml)) in answers.iter().enumerate() {
        let plain: String =
            name.chars().map(|each| if each.is_alphanumeric() { each } else { '_' }).collect();
        let path = scratch.path().join(format!("{at}-{plain}.xml"));
        fs::write(&path, legacy(xml)).unwrap();
        files.push(path);
    }
    let schema = folder.join("subsonic-xsd/subsonic-rest-api-1.16.1.xsd");
    let output = Command::new("xmllint")
        .args(["--noout", "--nonet", "--schema"])
        .arg(schema)
        .args(&files)
        .output()
        .expect("xmllint, from libxml2-utils");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let wrong: Vec<String> =
        text.lines().filter(|line| !line.ends_with(" validates")).map(ToOwned::to_owned).collect();
    assert_eq!(wrong.is_empty(), output.status.success(), "{text}");
    wrong
}

/// The answer as Subsonic 1.16.1 would have given it.
pub(crate) fn legacy(xml: &str) -> String {
    let mut reader = Reader::from_str(xml);
    let mut writer = Writer::new(Vec::new());
    let mut depth = 0;
    let mut skipped_from = None;
    loop {
        let event = reader.read_event().unwrap();
        match event {
            Event::Eof => break,
            Event::Start(start) => {
                depth += 1;
                if skipped_from.is_none() && is_added(&start, depth) {
                    skipped_from = Some(depth);
                }
                if skipped_from.is_none() {
                    writer.write_event(Event::Start(plain(&start))).unwrap();
                }
            }
            Event::Empty(start) => {
                if skipped_from.is_none() && !is_added(&start, depth + 1) {
                    writer.write_event(Event::Empty(plain(&start))).unwrap();
                }
            }
            Event::End(end) => {
                if skipped_from.is_none() {
                    writer.write_event(Event::End(end)).unwrap();
                }
                if skipped_from == Some(depth) {
                    skipped_from = None;
                }
                depth -= 1;
            }
            other => {
                if skipped_from.is_none() {
                    writer.write_event(other).unwrap();
                }
            }
        }
    }
    String::from_utf8(writer.into_inner()).unwrap()
}

/// The name of an element as text.
fn name_of(start: &BytesStart<'_>) -> String {
    start.name().as_ref().to_owned()
}

/// Answers stand at depth 2, additions inside them below it.
fn is_added(start: &BytesStart<'_>, depth: usize) -> bool {
    let name = name_of(start);
    let list = if depth == 2 { ANSWERS } else { ELEMENTS };
    list.contains(&name.as_str())
}

fn plain<'a>(start: &BytesStart<'_>) -> BytesStart<'a> {
    let element = name_of(start);
    let mut copy = BytesStart::new(element.clone());
    for attribute in start.attributes() {
        let attribute = attribute.unwrap();
        let key = attribute.key.as_ref().to_owned();
        let is = |list: &[(&str, &str)]| {
            list.iter().any(|(on, name)| (*on == "*" || *on == element) && *name == key)
        };
        if is(KEPT) || !is(ATTRIBUTES) {
            copy.push_attribute(attribute);
        }
    }
    copy
}
