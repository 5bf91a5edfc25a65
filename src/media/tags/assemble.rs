//! From [`Fields`] to [`Tags`]: which name wins, what is split, what a number means.

use super::{
    Audio, Credit, EmbeddedLyrics, Extra, Tags,
    fields::Fields,
    names::{self, ReadOptions, push_once},
};

/// MusicBrainz's artist for compilations.
const VARIOUS_ARTISTS: &str = "89ad4ac3-39f7-470e-963a-56509c546377";

/// Fields that hold people, as the tag names them, and the role each means.
const ROLES: &[(&str, &str)] = &[
    ("CONDUCTOR", "conductor"),
    ("LYRICIST", "lyricist"),
    ("WRITER", "writer"),
    ("ARRANGER", "arranger"),
    ("REMIXER", "remixer"),
    ("PRODUCER", "producer"),
    ("ENGINEER", "engineer"),
    ("MIXER", "mixer"),
    ("DJMIXER", "djmixer"),
    ("DIRECTOR", "director"),
];

/// Makes sense of what a file says.
pub(super) fn assemble(audio: Audio, fields: &Fields, options: &ReadOptions) -> Tags {
    let text = |names: &[&str]| fields.first(names).map(str::to_owned);
    let number = |names: &[&str]| fields.first(names).and_then(whole_number);
    let date = |names: &[&str]| fields.first(names).and_then(as_date);
    let id = |name: &str| names::mbids(fields.all(name)).into_iter().next();

    let mbid_artists = names::mbids(fields.all("MUSICBRAINZ_ARTISTID"));
    let mbid_album_artists = names::mbids(fields.all("MUSICBRAINZ_ALBUMARTISTID"));
    let splitter = Splitter { fields, options };
    let album_artists = splitter.album_artists(mbid_album_artists.len());
    let artists = splitter.artists(mbid_artists.len(), &album_artists);
    let release_types = splitter.words(&["RELEASETYPE"]);
    let is_compilation = fields.first(&["COMPILATION"]).is_some_and(is_yes)
        || mbid_album_artists.iter().any(|id| id == VARIOUS_ARTISTS)
        || album_artists.iter().any(|name| is_various(name));

    Tags {
        title: text(&["TITLE"]),
        sort_title: text(&["TITLESORT"]),
        display_artist: one_line(fields, "ARTIST", &artists),
        sort_artists: splitter.sort_names("ARTISTSORT", &artists),
        artists,
        mbid_artists,
        album: text(&["ALBUM"]),
        sort_album: text(&["ALBUMSORT"]),
        album_version: text(&["ALBUMVERSION", "EDITION", "MUSICBRAINZ_ALBUMCOMMENT"]),
        display_album_artist: one_line(fields, "ALBUMARTIST", &album_artists),
        sort_album_artists: splitter.sort_names("ALBUMARTISTSORT", &album_artists),
        album_artists,
        mbid_album_artists,
        mbid_album: id("MUSICBRAINZ_ALBUMID"),
        mbid_release_group: id("MUSICBRAINZ_RELEASEGROUPID"),
        mbid_recording: id("MUSICBRAINZ_TRACKID"),
        mbid_track: id("MUSICBRAINZ_RELEASETRACKID"),
        disc: number(&["DISCNUMBER"]).filter(|number| *number > 0),
        disc_total: number(&["DISCTOTAL"]).filter(|number| *number > 0),
        disc_title: text(&["DISCSUBTITLE", "SETSUBTITLE"]),
        number: number(&["TRACKNUMBER"]).filter(|number| *number > 0),
        number_total: number(&["TRACKTOTAL"]).filter(|number| *number > 0),
        date: date(&["DATE", "RELEASEDATE"]),
        release_date: date(&["RELEASEDATE"]),
        original_date: date(&["ORIGINALDATE", "ORIGINALRELEASEDATE", "ORIGINALYEAR"]),
        genres: splitter.genres(),
        composers: splitter.people("COMPOSER"),
        credits: splitter.credits(),
        is_compilation,
        explicit: explicit(fields).to_owned(),
        bpm: fields.first(&["BPM"]).and_then(bpm),
        comment: text(&["COMMENT"]),
        track_gain: gain(fields, "REPLAYGAIN_TRACK_GAIN", "R128_TRACK_GAIN"),
        album_gain: gain(fields, "REPLAYGAIN_ALBUM_GAIN", "R128_ALBUM_GAIN"),
        track_peak: fields.first(&["REPLAYGAIN_TRACK_PEAK"]).and_then(peak),
        album_peak: fields.first(&["REPLAYGAIN_ALBUM_PEAK"]).and_then(peak),
        release_types,
        record_labels: once(&fields.list(&["LABEL"])),
        extra: Extra {
            isrc: splitter.split_all("ISRC", &["/", ";"]),
            moods: splitter.split_all("MOOD", &[";"]),
            groupings: once(&fields.list(&["GROUPING"])),
            works: works(fields),
            movement: movement(fields),
            profile: audio.profile.clone(),
        },
        lyrics: lyrics(fields),
        picture: None,
        cue_sheet: text(&["CUESHEET"]).filter(|sheet| sheet.contains("TRACK")),
        audio,
    }
}

/// Splits texts by what the whole file says.
struct Splitter<'f> {
    fields: &'f Fields,
    options: &'f ReadOptions,
}

impl Splitter<'_> {
    /// Album artists. ID3v2.3 joins several by a slash, which is also in names: their MusicBrainz
    /// ids say how many there are; else a text that the track's artists repeat is one name.
    fn album_artists(&self, ids: usize) -> Vec<String> {
        let track = self.fields.first(&["ARTIST"]).unwrap_or_default();
        let ids = Some(ids).filter(|ids| *ids > 0);
        self.names(Some("ALBUMARTISTS"), "ALBUMARTIST", |text| {
            let repeated = track == text || track.starts_with(&format!("{text}/"));
            let expected = ids.or(if repeated { Some(1) } else { None });
            (expected, vec![track])
        })
    }

    fn artists(&self, ids: usize, album_artists: &[String]) -> Vec<String> {
        let ids = Some(ids).filter(|ids| *ids > 0);
        self.names(Some("ARTISTS"), "ARTIST", |_| {
            (ids, album_artists.iter().map(String::as_str).collect())
        })
    }

    /// Names of the field that lists them, else of the one that says them in a line. Several
    /// values are several names; a single one is split where the format or the settings say so.
    fn names<'n>(
        &self,
        list: Option<&str>,
        line: &str,
        known: impl Fn(&str) -> (Option<usize>, Vec<&'n str>),
    ) -> Vec<String> {
        let listed = list.map(|list| self.fields.list(&[list])).unwrap_or_default();
        let is_listed = !listed.is_empty();
        let values = if is_listed { listed } else { self.fields.list(&[line]) };
        let [text] = &values[..] else { return once(&values) };
        if self.fields.joined_by_slash {
            let (expected, mut whole) = known(text);
            whole.extend(self.options.exceptions.iter().map(String::as_str));
            let names = names::split_slashes(text, expected, &whole);
            if names[..] != values[..] {
                return names;
            }
        }
        if is_listed {
            return vec![text.clone()];
        }
        self.split(text, &self.options.artist_separators)
    }

    fn people(&self, field: &str) -> Vec<String> {
        self.names(None, field, |_| (None, Vec::new()))
    }

    fn sort_names(&self, field: &str, names: &[String]) -> Vec<String> {
        let sorts = self.fields.list(&[field]);
        match &sorts[..] {
            [text] if self.fields.joined_by_slash && names.len() > 1 => {
                let whole: Vec<_> = names.iter().map(String::as_str).collect();
                names::split_slashes(text, Some(names.len()), &whole)
            }
            _ => sorts,
        }
    }

    fn genres(&self) -> Vec<String> {
        let mut genres = Vec::new();
        let mut separators = as_strs(&self.options.genre_separators);
        if self.fields.joined_by_slash {
            separators.push("/");
        }
        let whole = as_strs(&self.options.exceptions);
        for text in self.fields.all("GENRE") {
            names::genres(text, &separators, &whole, &mut genres);
        }
        genres
    }

    fn credits(&self) -> Vec<Credit> {
        let given = self.fields.credits.iter().map(|(role, sub_role, name)| Credit {
            role: role.clone(),
            sub_role: sub_role.clone(),
            name: name.clone(),
        });
        let by_field = ROLES.iter().flat_map(|(field, role)| {
            self.people(field).into_iter().map(|name| Credit {
                role: (*role).to_owned(),
                sub_role: String::new(),
                name,
            })
        });
        let mut credits: Vec<Credit> = Vec::new();
        for credit in given.chain(by_field) {
            if !credits.contains(&credit) {
                credits.push(credit);
            }
        }
        credits
    }

    /// Lower-case words, like release types.
    fn words(&self, fields: &[&str]) -> Vec<String> {
        let mut words = Vec::new();
        for text in self.fields.list(fields) {
            for word in text.split(['/', ';', ',']) {
                push_once(&mut words, &word.trim().to_lowercase());
            }
        }
        words
    }

    fn split_all(&self, field: &str, separators: &[&str]) -> Vec<String> {
        let mut values = Vec::new();
        for text in self.fields.all(field) {
            for value in names::split(text, separators, &[]) {
                push_once(&mut values, &value);
            }
        }
        values
    }

    fn split(&self, text: &str, separators: &[String]) -> Vec<String> {
        names::split(text, &as_strs(separators), &as_strs(&self.options.exceptions))
    }
}

fn as_strs(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

fn once(values: &[String]) -> Vec<String> {
    let mut names = Vec::with_capacity(values.len());
    for name in values {
        push_once(&mut names, name);
    }
    names
}

/// The tag's own line where it has one, else the names.
fn one_line(fields: &Fields, field: &str, names: &[String]) -> Option<String> {
    let mut lines = fields.all(field);
    match (lines.next(), lines.next()) {
        (Some(line), None) if names.len() < 2 || !fields.joined_by_slash => Some(line.to_owned()),
        _ if names.is_empty() => None,
        _ => Some(names.join(", ")),
    }
}

fn whole_number(text: &str) -> Option<u32> {
    let digits: &str = text.trim();
    let end = digits.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().ok().filter(|number| *number < 100_000)
}

/// `YYYY[-MM[-DD]]` out of what taggers write.
pub(super) fn as_date(text: &str) -> Option<String> {
    let text = text.trim();
    let digits = |from: usize, to: usize| {
        text.get(from..to).filter(|part| part.bytes().all(|digit| digit.is_ascii_digit()))
    };
    let year = digits(0, 4).filter(|year| *year != "0000")?;
    let is_packed = text.len() == 8 && digits(0, 8).is_some();
    let parts = if is_packed {
        (digits(4, 6), digits(6, 8))
    } else {
        let mark = |at: usize| matches!(text.as_bytes().get(at), Some(b'-' | b'/' | b'.'));
        (mark(4).then(|| digits(5, 7)).flatten(), mark(7).then(|| digits(8, 10)).flatten())
    };
    let within = |part: Option<&'_ str>, most: u32| {
        part.filter(|part| part.parse::<u32>().is_ok_and(|n| (1..=most).contains(&n)))
            .map(str::to_owned)
    };
    Some(match (within(parts.0, 12), within(parts.1, 31)) {
        (Some(month), Some(day)) => format!("{year}-{month}-{day}"),
        (Some(month), None) => format!("{year}-{month}"),
        (None, _) => year.to_owned(),
    })
}

fn is_yes(text: &str) -> bool {
    matches!(text.trim().to_ascii_lowercase().as_str(), "1" | "true" | "yes")
}

fn is_various(name: &str) -> bool {
    matches!(name.to_lowercase().as_str(), "various artists" | "various" | "va")
}

fn explicit(fields: &Fields) -> &'static str {
    match fields.first(&["ITUNESADVISORY", "EXPLICIT"]) {
        Some("1" | "4") => "explicit",
        Some("2") => "clean",
        _ => "",
    }
}

fn bpm(text: &str) -> Option<u32> {
    let bpm: f64 = text.trim().replace(',', ".").parse().ok()?;
    (bpm > 0.0 && bpm < 1000.0).then_some(bpm.round() as u32)
}

/// ReplayGain in dB, else R128's Q7.8 number, whose reference is 5 dB lower.
fn gain(fields: &Fields, replay_gain: &str, r128: &str) -> Option<f64> {
    let written = fields.first(&[replay_gain]).and_then(|text| {
        let number = text.trim().trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
        number.trim().replace(',', ".").parse::<f64>().ok()
    });
    let converted = || {
        let number: i32 = fields.first(&[r128])?.trim().parse().ok()?;
        Some(f64::from(number) / 256.0 + 5.0)
    };
    written.or_else(converted).filter(|gain| gain.is_finite() && gain.abs() < 100.0)
}

fn peak(text: &str) -> Option<f64> {
    let peak: f64 = text.trim().replace(',', ".").parse().ok()?;
    (peak.is_finite() && peak > 0.0 && peak < 1000.0).then_some(peak)
}

fn works(fields: &Fields) -> Vec<(String, String)> {
    let ids = names::mbids(fields.all("MUSICBRAINZ_WORKID"));
    let works = fields.list(&["WORK"]).into_iter().enumerate();
    works.map(|(at, work)| (work, ids.get(at).cloned().unwrap_or_default())).collect()
}

fn movement(fields: &Fields) -> Option<(String, u32, u32)> {
    let name = fields.first(&["MOVEMENTNAME"])?;
    let number = |name: &str| fields.first(&[name]).and_then(whole_number).unwrap_or(0);
    Some((name.to_owned(), number("MOVEMENT"), number("MOVEMENTTOTAL")))
}

fn lyrics(fields: &Fields) -> Vec<EmbeddedLyrics> {
    let named = ["SYNCEDLYRICS", "LYRICS", "UNSYNCEDLYRICS"]
        .into_iter()
        .flat_map(|name| fields.all(name).map(|body| ("und", body)));
    let tagged = fields.lyrics.iter().map(|(lang, body)| (lang.as_str(), body.as_str()));
    let mut lyrics: Vec<EmbeddedLyrics> = Vec::new();
    for (lang, body) in tagged.chain(named) {
        if !lyrics.iter().any(|known| known.body == body) {
            lyrics.push(EmbeddedLyrics { lang: lang.to_owned(), body: body.to_owned() });
        }
    }
    lyrics
}
