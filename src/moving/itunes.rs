//! The library of iTunes or Apple Music as XML ("File, Library, Export Library"): a property list
//! with a dictionary of tracks and an array of playlists. It belongs to one person and does not
//! say to whom.

use std::{collections::HashMap, fs, path::Path};

use jiff::tz::TimeZone;
use percent_encoding::percent_decode_str;

use super::{
    gather::{Gathered, rating},
    model::{AlbumMark, Legacy, List, Mark, Name, NamedMark, Person, Track},
    moment::moment,
    plist::{Dict, RULES},
};
use crate::{Error, Result, clock::Millis, xml};

/// The star of a track: it is not said since when.
const LONG_AGO: Millis = 1_000;

#[derive(Default)]
struct Read {
    tracks: HashMap<String, Track>,
    /// By track.
    marks: Vec<(String, Mark)>,
    /// By artist and title.
    albums: HashMap<(String, String), (Option<Millis>, Option<u8>)>,
    /// With the ids of their tracks.
    lists: Vec<(List, Vec<String>)>,
    /// Names of what is no plain list of music.
    folders: Vec<String>,
    smart: Vec<String>,
}

/// Reads the file.
pub(super) fn read(path: &Path) -> Result<Legacy> {
    let wrong = |why: &str| Error::Invalid(format!("{}: {why}", path.display()));
    let size = fs::metadata(path).map_or(0, |meta| meta.len());
    if RULES.bytes as u64 <= size {
        return Err(wrong("this file is too long"));
    }
    let bytes = fs::read(path).map_err(|error| wrong(&error.to_string()))?;
    let mut read = Read::default();
    let root = xml::read_pruned(&bytes, &RULES, |above, element| match above {
        // plist, dict, then the dictionary of tracks or the array of playlists.
        [_, _, outer] if element.name == "dict" => {
            let dict = Dict::of(&element);
            if outer.name == "dict" {
                read.track(&dict);
            } else {
                read.list(&dict);
            }
            None
        }
        [_, _, _] if element.name == "key" => None,
        _ => Some(element),
    })
    .map_err(|refused| wrong(&refused.to_string()))?;
    let library = root.child("dict").map(Dict::of);
    let Some(library) = library.filter(|library| root.name == "plist" && library.has("Tracks"))
    else {
        return Err(wrong(
            "this is no library of iTunes or Apple Music; export it with File, Library, Export Library",
        ));
    };
    let id = library.text("Library Persistent ID");
    Ok(read.legacy(if id.is_empty() { "library" } else { id }))
}

impl Read {
    fn track(&mut self, dict: &Dict<'_>) {
        let id = dict.text("Track ID").to_owned();
        let is_music = !["Podcast", "Movie", "TV Show", "Music Video", "iTunesU"]
            .iter()
            .any(|kind| dict.is_true(kind));
        if id.is_empty() || !is_music {
            return;
        }
        let length = dict.number("Total Time");
        let track = Track {
            path: percent_decode_str(dict.text("Location")).decode_utf8_lossy().into_owned(),
            mbids: Vec::new(),
            title: dict.text("Name").to_owned(),
            artist: dict.text("Artist").to_owned(),
            album: dict.text("Album").to_owned(),
            duration_ms: (0 < length).then_some(length as u64),
        };
        let starred =
            |keys: [&str; 2]| keys.iter().any(|key| dict.is_true(key)).then_some(LONG_AGO);
        // Out of a hundred there; computed ones are nobody's.
        let rated = |key: &str, computed: &str| {
            if dict.is_true(computed) { None } else { rating(dict.number(key) as f64 / 20.0) }
        };
        let mark = Mark {
            starred_at: starred(["Loved", "Favorited"]),
            rating: rated("Rating", "Rating Computed"),
            play_count: dict.number("Play Count").max(0) as u64,
            played_at: moment(dict.text("Play Date UTC"), &TimeZone::UTC),
            ..Mark::default()
        };
        let album = (
            starred(["Album Loved", "Album Favorited"]),
            rated("Album Rating", "Album Rating Computed"),
        );
        if (album.0.is_some() || album.1.is_some()) && !track.album.is_empty() {
            let artist = dict.text("Album Artist");
            let artist = if artist.is_empty() { track.artist.clone() } else { artist.to_owned() };
            self.albums.insert((artist, track.album.clone()), album);
        }
        self.marks.push((id.clone(), mark));
        self.tracks.insert(id, track);
    }

    fn list(&mut self, dict: &Dict<'_>) {
        let name = dict.text("Name").to_owned();
        // The whole library, and what the program shows beside the playlists.
        if dict.is_true("Master") || dict.has("Distinguished Kind") {
            return;
        }
        if dict.is_true("Folder") {
            self.folders.push(name);
            return;
        }
        let items = dict.array("Playlist Items").iter();
        let ids = items.map(|item| Dict::of(item).text("Track ID").to_owned()).collect();
        if dict.has("Smart Info") {
            self.smart.push(name.clone());
        }
        let key = dict.text("Playlist Persistent ID").to_owned();
        let key = if key.is_empty() { name.clone() } else { key };
        let comment = dict.text("Description").to_owned();
        self.lists.push((List { key, name, comment, ..List::default() }, ids));
    }

    fn legacy(self, id: &str) -> Legacy {
        let mut gathered = Gathered::new("iTunes", format!("itunes:{id}"));
        for (id, mark) in self.marks {
            if (mark.starred_at.is_some() || mark.rating.is_some() || 0 < mark.play_count)
                && let Some(track) = gathered.track(&id, &self.tracks)
            {
                gathered.mark(Mark { track, ..mark });
            }
        }
        let mut albums: Vec<_> = self.albums.into_iter().collect();
        albums.sort();
        for ((artist, name), (starred_at, rating)) in albums {
            let of = Name { name, mbid: String::new() };
            let mark = NamedMark { of, starred_at, rating };
            gathered.rest().albums.push(AlbumMark { artist, mark });
        }
        for (list, ids) in self.lists {
            let tracks = gathered.tracks(ids.iter().map(String::as_str), &self.tracks);
            // Lists of films and the like have nothing for us.
            if !tracks.is_empty() || ids.is_empty() {
                gathered.rest().lists.push(List { tracks, ..list });
            }
        }
        let mut left_out = Vec::new();
        if !self.smart.is_empty() {
            left_out.push(format!(
                "the rules of {} smart playlists, which become lists of what they hold now: {}",
                self.smart.len(),
                self.smart.join(", ")
            ));
        }
        if !self.folders.is_empty() {
            left_out.push(format!(
                "{} folders of playlists; what is in them is taken: {}",
                self.folders.len(),
                self.folders.join(", ")
            ));
        }
        left_out.push("the history: iTunes keeps only how often and when last".to_owned());
        let person = Person { belongings: gathered.done(), ..Person::default() };
        Legacy { people: vec![person], left_out, ..Legacy::default() }
    }
}
