//! `artist.nfo` and `album.nfo` as Kodi writes them: XML beside the music that somebody cared to
//! fill in.

use super::{feed, markup};
use crate::xml;

/// What such a file tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Nfo {
    /// MusicBrainz id of the artist, or of the release.
    pub mbid: Option<String>,
    /// Biography or review, plain text.
    pub text: String,
    /// Web addresses of pictures, the first is the best.
    pub pictures: Vec<String>,
}

/// Reads one. Older files end with a web address behind the XML, which is passed by.
#[must_use]
pub fn read(bytes: &[u8]) -> Option<Nfo> {
    let end = bytes.iter().rposition(|byte| *byte == b'>')? + 1;
    let root = xml::read(&bytes[..end], &feed::RULES).ok()?;
    let (ids, texts): (&[&str], &[&str]) = match root.name.as_str() {
        "artist" => (&["musicbrainzartistid", "musicbrainzid"], &["biography"]),
        "album" => {
            (&["musicbrainzalbumid", "musicbrainzreleasegroupid"], &["review", "description"])
        }
        _ => return None,
    };
    let mbid = root.text_of(ids).to_ascii_lowercase();
    let pictures = root.all("thumb").map(|thumb| thumb.text.trim().to_owned());
    Some(Nfo {
        mbid: is_mbid(&mbid).then_some(mbid),
        text: markup::plain(root.text_of(texts)),
        pictures: pictures.filter(|url| url.starts_with("https://")).take(10).collect(),
    })
}

/// Whether a text has the form of a MusicBrainz id.
#[must_use]
pub fn is_mbid(text: &str) -> bool {
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12]
        && text.chars().all(|letter| letter == '-' || letter.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_are_read() {
        let artist = read(
            b"<?xml version='1.0'?><artist><name>X</name>\
              <musicBrainzArtistID>AAAAAAAA-0000-4000-8000-000000000001</musicBrainzArtistID>\
              <biography>Born &amp;amp; raised</biography><thumb>https://example.org/a.jpg</thumb></artist>\nhttps://musicbrainz.org/x",
        )
        .unwrap();
        assert_eq!(artist.mbid.as_deref(), Some("aaaaaaaa-0000-4000-8000-000000000001"));
        assert_eq!(artist.text, "Born & raised");
        assert_eq!(artist.pictures, ["https://example.org/a.jpg"]);
        let album = read(b"<album><review>Fine</review></album>").unwrap();
        assert_eq!((album.text.as_str(), album.mbid), ("Fine", None));
        for other in ["", "no xml", "<movie/>", "<artist>"] {
            assert_eq!(read(other.as_bytes()), None, "{other}");
        }
    }
}
