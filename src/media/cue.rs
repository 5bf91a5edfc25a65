//! Cue sheets: one file of sound and where its tracks begin.

use super::text;

/// More tracks than any disc has.
const MOST_TRACKS: usize = 999;

/// A cue sheet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CueSheet {
    /// Album.
    pub title: Option<String>,
    /// Album artist.
    pub performer: Option<String>,
    /// Composer of all.
    pub songwriter: Option<String>,
    /// `REM GENRE`.
    pub genre: Option<String>,
    /// `REM DATE`.
    pub date: Option<String>,
    /// `REM DISCNUMBER`.
    pub disc: Option<u32>,
    /// Files with the tracks in each, in order.
    pub files: Vec<CueFile>,
}

/// A file that a sheet is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CueFile {
    /// As written; not to be trusted as a path.
    pub name: String,
    /// Its tracks of sound.
    pub tracks: Vec<CueTrack>,
}

/// One track.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CueTrack {
    /// 1 to 99.
    pub number: u32,
    /// Title.
    pub title: Option<String>,
    /// Artist.
    pub performer: Option<String>,
    /// Composer.
    pub songwriter: Option<String>,
    /// ISRC.
    pub isrc: Option<String>,
    /// Where it begins in its file (`INDEX 01`), in ms.
    pub start_ms: u64,
    /// Where it ends: where the next one begins; `None` for the last of a file.
    pub end_ms: Option<u64>,
}

/// Reads the bytes of a `.cue` file.
#[must_use]
pub fn parse_bytes(bytes: &[u8]) -> Option<CueSheet> {
    parse(&text::decode(bytes))
}

/// Reads a sheet; `None` if there is no track in it.
#[must_use]
pub fn parse(body: &str) -> Option<CueSheet> {
    let mut reader = Reader::default();
    for line in body.trim_start_matches('\u{feff}').lines().take(text::MOST_LINES) {
        reader.line(line);
    }
    reader.finish()
}

#[derive(Default)]
struct Reader {
    sheet: CueSheet,
    file: Option<CueFile>,
    track: Option<CueTrack>,
    has_start: bool,
    tracks: usize,
    is_sound: bool,
}

impl Reader {
    fn line(&mut self, line: &str) {
        let (command, rest) = word(line);
        match command.to_ascii_uppercase().as_str() {
            "FILE" => {
                self.end_file();
                let name = if rest.starts_with('"') {
                    value(rest)
                } else {
                    // The last word is the type, and names hold spaces.
                    rest.rsplit_once(' ').map(|(name, _)| name.trim().to_owned()).or(value(rest))
                };
                self.file = Some(CueFile { name: name.unwrap_or_default(), tracks: Vec::new() });
            }
            "TRACK" => {
                self.end_track();
                let (number, kind) = word(rest);
                self.is_sound = kind.trim().eq_ignore_ascii_case("AUDIO");
                self.track = number
                    .parse()
                    .ok()
                    .filter(|number| (1..=999).contains(number))
                    .map(|number| CueTrack { number, ..CueTrack::default() });
            }
            "INDEX" => {
                let (index, at) = word(rest);
                if let (Some(track), Some(at)) = (&mut self.track, time(at)) {
                    match index.parse() {
                        Ok(1) => (track.start_ms, self.has_start) = (at, true),
                        Ok(0) | Err(_) => (),
                        Ok(2..=u32::MAX) if self.has_start => (),
                        Ok(_) => (track.start_ms, self.has_start) = (at, true),
                    }
                }
            }
            "TITLE" => {
                *self.field(|sheet| &mut sheet.title, |track| &mut track.title) = value(rest);
            }
            "PERFORMER" => {
                *self.field(|sheet| &mut sheet.performer, |track| &mut track.performer) =
                    value(rest);
            }
            "SONGWRITER" => {
                *self.field(|sheet| &mut sheet.songwriter, |track| &mut track.songwriter) =
                    value(rest);
            }
            "ISRC" => {
                if let Some(track) = &mut self.track {
                    track.isrc = value(rest);
                }
            }
            "REM" => self.remark(rest),
            _ => (),
        }
    }

    fn remark(&mut self, rest: &str) {
        let (name, rest) = word(rest);
        match name.to_ascii_uppercase().as_str() {
            "GENRE" => self.sheet.genre = value(rest),
            "DATE" => self.sheet.date = value(rest),
            "DISCNUMBER" => self.sheet.disc = value(rest).and_then(|number| number.parse().ok()),
            _ => (),
        }
    }

    fn field(
        &mut self,
        of_sheet: fn(&mut CueSheet) -> &mut Option<String>,
        of_track: fn(&mut CueTrack) -> &mut Option<String>,
    ) -> &mut Option<String> {
        match &mut self.track {
            Some(track) => of_track(track),
            None => of_sheet(&mut self.sheet),
        }
    }

    fn end_track(&mut self) {
        let has_start = std::mem::take(&mut self.has_start);
        let Some(track) = self.track.take() else { return };
        let Some(file) = &mut self.file else { return };
        let goes_on = file.tracks.last().is_none_or(|last| last.start_ms <= track.start_ms);
        if has_start && self.is_sound && goes_on && self.tracks < MOST_TRACKS {
            if let Some(last) = file.tracks.last_mut() {
                last.end_ms = Some(track.start_ms);
            }
            file.tracks.push(track);
            self.tracks += 1;
        }
    }

    fn end_file(&mut self) {
        self.end_track();
        if let Some(file) = self.file.take()
            && !file.tracks.is_empty()
        {
            self.sheet.files.push(file);
        }
    }

    fn finish(mut self) -> Option<CueSheet> {
        self.end_file();
        (!self.sheet.files.is_empty()).then_some(self.sheet)
    }
}

fn word(text: &str) -> (&str, &str) {
    let text = text.trim();
    text.split_once([' ', '\t']).map_or((text, ""), |(word, rest)| (word, rest.trim_start()))
}

/// A value with or without quotes.
fn value(text: &str) -> Option<String> {
    let text = text.trim();
    let text = match text.strip_prefix('"') {
        Some(inside) => inside.rsplit_once('"').map_or(inside, |(inside, _)| inside),
        None => text,
    };
    let text: String = text.chars().filter(|letter| !letter.is_control()).take(1000).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// `mm:ss:ff`, 75 frames a second, in milliseconds. Minutes go beyond 99 in long files.
fn time(text: &str) -> Option<u64> {
    let mut parts = text.trim().splitn(3, ':').map(|part| part.parse::<u32>().ok());
    let (minutes, seconds, frames) = (parts.next()??, parts.next()??, parts.next()??);
    if minutes > 100_000 || seconds > 59 || frames > 74 {
        return None;
    }
    let frames = (u64::from(minutes) * 60 + u64::from(seconds)) * 75 + u64::from(frames);
    Some(frames * 1000 / 75)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_sheet_is_its_tracks() {
        let sheet = parse(concat!(
            "\u{feff}REM GENRE \"Rock\"\r\nREM DATE 1999\r\nPERFORMER \"Some \"one\"\"\r\n",
            "TITLE \"Album\"\r\nFILE \"image one.flac\" WAVE\r\n",
            "  TRACK 01 AUDIO\r\n    TITLE \"First\"\r\n    INDEX 01 00:00:00\r\n",
            "  TRACK 02 AUDIO\r\n    TITLE Second\r\n    PERFORMER \"Guest\"\r\n",
            "    INDEX 00 03:58:00\r\n    INDEX 01 04:00:37\r\n",
            "FILE two words.wav WAVE\r\n  TRACK 03 AUDIO\r\n    INDEX 01 00:00:00\r\n",
        ))
        .unwrap();
        assert_eq!(sheet.title.as_deref(), Some("Album"));
        assert_eq!(sheet.performer.as_deref(), Some("Some \"one\""));
        assert_eq!((sheet.genre.as_deref(), sheet.date.as_deref()), (Some("Rock"), Some("1999")));
        let [one, two] = &sheet.files[..] else { panic!("{sheet:?}") };
        assert_eq!((one.name.as_str(), two.name.as_str()), ("image one.flac", "two words.wav"));
        let spans: Vec<_> = one.tracks.iter().map(|track| (track.start_ms, track.end_ms)).collect();
        assert_eq!(spans, [(0, Some(240_493)), (240_493, None)]);
        assert_eq!(one.tracks[1].title.as_deref(), Some("Second"));
        assert_eq!(one.tracks[1].performer.as_deref(), Some("Guest"));
        assert_eq!(two.tracks[0].number, 3);
    }

    #[test]
    fn what_is_not_a_sheet_is_none() {
        for body in [
            "",
            "FILE \"x\" WAVE",
            "TRACK 01 AUDIO\nINDEX 01 00:00:00",
            "FILE \"x\" WAVE\nTRACK 01 MODE1/2352\nINDEX 01 00:00:00",
            "FILE \"x\" WAVE\nTRACK 01 AUDIO\nINDEX 01 99999999999:00:00",
            "FILE \"x\" WAVE\nTRACK 99999999999 AUDIO\nINDEX 4294967295 00:00:00",
        ] {
            assert_eq!(parse(body), None, "{body}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse_bytes(&bytes);
        }

        #[test]
        fn tracks_never_end_before_they_begin(
            lines in proptest::collection::vec(
                "(FILE \"?a\"? W|TRACK [0-9]{1,3} AUDIO|INDEX 0[0-3] [0-9]{1,3}:[0-9]{2}:[0-9]{2}|TITLE \"?x)",
                0..40,
            )
        ) {
            for file in parse(&lines.join("\n")).map(|sheet| sheet.files).unwrap_or_default() {
                for track in file.tracks {
                    prop_assert!(track.end_ms.is_none_or(|end| end >= track.start_ms));
                }
            }
        }
    }
}
