//! The path that apps file a song under. Made from tags, clean and the same on every server
//! restart: `Artist/Album/Disc n/NN - Title.ext` (C26). Where the file really lies stays private.

use std::fmt::{self, Display, Write as _};

use serde::{Serialize, Serializer};

use crate::catalog::Track;

/// The path of a song.
pub(super) struct VirtualPath<'a>(pub(super) &'a Track);

impl Display for VirtualPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let track = self.0;
        let by = [&track.display_album_artist, &track.display_artist]
            .into_iter()
            .find(|name| !name.is_empty());
        part(f, by.map_or("Unknown Artist", |name| name))?;
        f.write_char('/')?;
        part(f, if track.album_name.is_empty() { "Unknown Album" } else { &track.album_name })?;
        // Another edition's songs would be taken for those of the first.
        if track.edition > 0 {
            write!(f, " ({})", track.edition + 1)?;
        }
        // Apps cache as `<parent>/NN-Title`, so the discs of an album must differ in folder.
        if let Some(disc) = track.disc.filter(|disc| *disc > 1) {
            write!(f, "/Disc {disc}")?;
        }
        f.write_char('/')?;
        if let Some(number) = track.number {
            write!(f, "{number:02} - ")?;
        }
        part(f, &track.title)?;
        f.write_char('.')?;
        part(f, &track.suffix)
    }
}

impl Serialize for VirtualPath<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One part, without what would end it, hide it or climb out of it.
fn part(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let shown = text.trim();
    let visible = shown.trim_start_matches('.');
    if visible.len() < shown.len() {
        f.write_char('_')?;
    }
    if shown.is_empty() {
        return f.write_char('_');
    }
    let mut last = 0;
    for (at, letter) in visible.char_indices() {
        if letter.is_control() || matches!(letter, '/' | '\\') {
            f.write_str(&visible[last..at])?;
            f.write_char('_')?;
            last = at + letter.len_utf8();
        }
    }
    f.write_str(&visible[last..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::TrackFacts;

    fn check(artist: &str, album: &str, disc: Option<u32>, title: &str, expected: &str) {
        let facts = TrackFacts {
            display_artist: artist.into(),
            album_name: album.into(),
            title: title.into(),
            suffix: "flac".into(),
            disc,
            number: Some(3),
            ..TrackFacts::default()
        };
        assert_eq!(VirtualPath(&facts.into()).to_string(), expected);
    }

    #[test]
    fn editions_have_their_own() {
        let facts = TrackFacts {
            album_name: "Blue".into(),
            title: "Sky".into(),
            suffix: "mp3".into(),
            disc: Some(2),
            edition: 1,
            ..TrackFacts::default()
        };
        let path = VirtualPath(&facts.into()).to_string();
        assert_eq!(path, "Unknown Artist/Blue (2)/Disc 2/Sky.mp3");
    }

    #[test]
    fn paths_are_clean() {
        check("Ann", "Blue", None, "Sky", "Ann/Blue/03 - Sky.flac");
        check("Ann", "Blue", Some(1), "Sky", "Ann/Blue/03 - Sky.flac");
        check("Ann", "Blue", Some(2), "Sky", "Ann/Blue/Disc 2/03 - Sky.flac");
        check(
            "AC/DC",
            "..",
            None,
            "../a\n",
            "AC_DC/_/03 - _/a.flac".replace("_/a", "__a").as_str(),
        );
        check("", "", None, "", "Unknown Artist/Unknown Album/03 - _.flac");
        check("...x", "a\\b", None, "\u{0}", "_x/a_b/03 - _.flac");
    }
}
