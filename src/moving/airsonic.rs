//! Airsonic, Airsonic-Advanced and their kin, from what people can hand over as a file: the
//! `.script` of the HSQLDB that it brings along (with the `.log` beside it), or a dump of its
//! PostgreSQL, MariaDB or MySQL. Tables and columns: its Liquibase changelogs (legacy 47 and
//! before; 11.0 of Airsonic-Advanced: paths relative to `music_folder`, `users`).

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use jiff::tz::TimeZone;

use super::{
    gather::{Gathered, Row, rating},
    model::{
        AlbumMark, Bookmark, Legacy, List, Mark, Name, NamedMark, Person, Queue, Station, Track,
    },
    moment::moment,
    sql_text::Dump,
    sqlite::beside,
};
use crate::{Error, Result, clock::Millis};

/// Longest file.
const LONGEST: u64 = 2 << 30;

const WANTED: [&str; 18] = [
    "user",
    "users",
    "media_file",
    "music_folder",
    "album",
    "artist",
    "starred_media_file",
    "starred_album",
    "starred_artist",
    "user_rating",
    "playlist",
    "playlist_file",
    "playlist_user",
    "bookmark",
    "play_queue",
    "play_queue_file",
    "internet_radio",
    "podcast_channel",
];

/// A file or a folder of the library.
enum Medium {
    Track,
    /// A folder that holds an album.
    Album(String, Name),
    /// Any other folder: an artist's, mostly.
    Artist(Name),
}

struct Known {
    tracks: HashMap<String, Track>,
    media: HashMap<String, Medium>,
    /// Ids by path, for ratings of old versions.
    by_path: HashMap<String, String>,
    /// How often and when last, for all users together.
    plays: Vec<(String, u64, Option<Millis>)>,
}

type People = Vec<(Person, Gathered)>;

/// Reads the file.
pub(super) fn read(path: &Path, plays_of: Option<&str>) -> Result<Legacy> {
    let (path, dump) = dump(path)?;
    let users = if dump.has("users") { "users" } else { "user" };
    if !(dump.has(users) && dump.has("media_file")) {
        return Err(Error::Invalid(format!(
            "{} holds no tables of Airsonic; name airsonic.script (beside airsonic.properties), or a dump made with mysqldump or pg_dump",
            path.display()
        )));
    }
    if dump.is_elsewhere("media_file") {
        return Err(Error::Invalid(format!(
            "{} keeps its rows in the binary .data file beside it; start that server once and let it write SCRIPT, or convert it to another database and dump that",
            path.display()
        )));
    }
    let known = known(&dump);
    let mut people: People = dump
        .rows(users, &["username", "email"])
        .iter()
        .map(|row| {
            let name = row.text(0).to_owned();
            let origin = format!("airsonic:{}", name.to_lowercase());
            let person = Person { name, email: row.text(1).to_owned(), ..Person::default() };
            (person, Gathered::new("Airsonic", origin))
        })
        .collect();
    let at: HashMap<String, usize> = people
        .iter()
        .enumerate()
        .map(|(at, (person, _))| (person.name.to_lowercase(), at))
        .collect();
    let find = |name: &str| at.get(&name.to_lowercase()).copied();
    let mut left_out = Vec::new();
    stars(&dump, &known, &find, &mut people);
    ratings(&dump, &known, &find, &mut people);
    plays(&known, plays_of, &find, &mut people, &mut left_out)?;
    lists(&dump, &known, &find, &mut people);
    places(&dump, &known, &find, &mut people);
    let podcasts = dump.rows("podcast_channel", &["url"]);
    if !podcasts.is_empty() {
        let urls: Vec<&str> = podcasts.iter().map(|row| row.text(0)).collect();
        left_out.push(format!(
            "{} podcasts, which belonged to everybody there; whoever wants one subscribes here: {}",
            urls.len(),
            urls.join(", ")
        ));
    }
    let stations = dump.rows("internet_radio", &["name", "stream_url", "homepage_url"]);
    let stations = stations.iter().map(|row| Station {
        name: row.text(0).to_owned(),
        stream_url: row.text(1).to_owned(),
        homepage_url: row.text(2).to_owned(),
    });
    Ok(Legacy {
        stations: stations.collect(),
        left_out,
        people: people
            .into_iter()
            .map(|(person, gathered)| Person { belongings: gathered.done(), ..person })
            .collect(),
    })
}

/// The text of a file or of the folder it is in, and what its log adds.
fn dump(path: &Path) -> Result<(PathBuf, Dump)> {
    let path = if path.is_dir() {
        let names = ["airsonic.script", "libresonic.script", "subsonic.script"];
        let places =
            ["", "db"].iter().flat_map(|folder| names.map(|name| path.join(folder).join(name)));
        places.clone().find(|place| place.is_file()).unwrap_or_else(|| path.join(names[0]))
    } else {
        path.to_owned()
    };
    let mut dump = Dump::default();
    let mut take = |path: &Path| {
        let wrong = |why: &str| Error::Invalid(format!("{} {why}", path.display()));
        let length = fs::metadata(path).map(|meta| meta.len());
        if length.is_ok_and(|length| LONGEST < length) {
            return Err(wrong("is too long"));
        }
        let bytes = fs::read(path).map_err(|error| wrong(&format!("cannot be read: {error}")))?;
        dump.read(&String::from_utf8_lossy(&bytes), &WANTED).map_err(wrong)
    };
    take(&path)?;
    if path.extension().is_some_and(|extension| extension == "script") {
        // What a server did since it last wrote the script.
        let log = beside(&path.with_extension(""), ".log");
        if log.is_file() {
            take(&log)?;
        }
    }
    Ok((path, dump))
}

fn known(dump: &Dump) -> Known {
    let folders: HashMap<String, String> = dump
        .rows("music_folder", &["id", "path"])
        .iter()
        .map(|row| (row.text(0).to_owned(), row.text(1).to_owned()))
        .collect();
    let mut known = Known {
        tracks: HashMap::new(),
        media: HashMap::new(),
        by_path: HashMap::new(),
        plays: Vec::new(),
    };
    let columns = [
        "id",
        "type",
        "path",
        "folder_id",
        "title",
        "artist",
        "album",
        "album_artist",
        "duration/duration_seconds",
        "play_count",
        "last_played",
        "mb_recording_id",
        "mb_release_id",
    ];
    for row in dump.rows("media_file", &columns) {
        let id = row.text(0).to_owned();
        let text = |column: usize| row.text(column).to_owned();
        known.by_path.insert(text(2), id.clone());
        let medium = match row.text(1) {
            "MUSIC" | "AUDIOBOOK" => {
                let path = match folders.get(row.text(3)) {
                    Some(folder) => format!("{folder}/{}", row.text(2)),
                    None => text(2),
                };
                let seconds = row.real(8);
                let mbid = text(11);
                let track = Track {
                    path,
                    mbids: if mbid.is_empty() { Vec::new() } else { vec![mbid] },
                    title: text(4),
                    artist: text(5),
                    album: text(6),
                    duration_ms: (0.0 < seconds).then_some((seconds * 1000.0) as u64),
                };
                known.tracks.insert(id.clone(), track);
                if 0 < row.number(9) {
                    known.plays.push((id.clone(), row.number(9) as u64, time(&row, 10)));
                }
                Medium::Track
            }
            "ALBUM" => {
                let name = if row.has(6) { text(6) } else { text(4) };
                let artist = if row.has(7) { text(7) } else { text(5) };
                Medium::Album(artist, Name { name, mbid: text(12) })
            }
            "DIRECTORY" => {
                let name = if row.has(5) { text(5) } else { text(4) };
                Medium::Artist(Name { name, mbid: String::new() })
            }
            _ => continue,
        };
        known.media.insert(id, medium);
    }
    known
}

/// Adds a star or a rating to a file or to what a folder stands for.
fn mark(
    known: &Known,
    gathered: &mut Gathered,
    id: &str,
    starred_at: Option<Millis>,
    rating: Option<u8>,
) {
    match known.media.get(id) {
        Some(Medium::Track) => {
            if let Some(track) = gathered.track(id, &known.tracks) {
                gathered.mark(Mark { track, starred_at, rating, ..Mark::default() });
            }
        }
        Some(Medium::Album(artist, of)) => gathered.rest().albums.push(AlbumMark {
            artist: artist.clone(),
            mark: NamedMark { of: of.clone(), starred_at, rating },
        }),
        Some(Medium::Artist(of)) => {
            gathered.rest().artists.push(NamedMark { of: of.clone(), starred_at, rating });
        }
        None => (),
    }
}

fn stars(dump: &Dump, known: &Known, find: &impl Fn(&str) -> Option<usize>, people: &mut People) {
    for row in dump.rows("starred_media_file", &["username", "media_file_id", "created"]) {
        let Some(at) = find(row.text(0)) else { continue };
        let starred_at = Some(time(&row, 2).unwrap_or(1));
        mark(known, &mut people[at].1, row.text(1), starred_at, None);
    }
    let albums: HashMap<String, (String, Name)> = dump
        .rows("album", &["id", "artist", "name", "mb_release_id"])
        .iter()
        .map(|row| {
            let of = Name { name: row.text(2).to_owned(), mbid: row.text(3).to_owned() };
            (row.text(0).to_owned(), (row.text(1).to_owned(), of))
        })
        .collect();
    for row in dump.rows("starred_album", &["username", "album_id", "created"]) {
        let (Some(at), Some((artist, of))) = (find(row.text(0)), albums.get(row.text(1))) else {
            continue;
        };
        let starred_at = Some(time(&row, 2).unwrap_or(1));
        let mark = NamedMark { of: of.clone(), starred_at, rating: None };
        people[at].1.rest().albums.push(AlbumMark { artist: artist.clone(), mark });
    }
    let artists: HashMap<String, String> = dump
        .rows("artist", &["id", "name"])
        .iter()
        .map(|row| (row.text(0).to_owned(), row.text(1).to_owned()))
        .collect();
    for row in dump.rows("starred_artist", &["username", "artist_id", "created"]) {
        let (Some(at), Some(name)) = (find(row.text(0)), artists.get(row.text(1))) else {
            continue;
        };
        let of = Name { name: name.clone(), mbid: String::new() };
        let starred_at = Some(time(&row, 2).unwrap_or(1));
        people[at].1.rest().artists.push(NamedMark { of, starred_at, rating: None });
    }
}

fn ratings(dump: &Dump, known: &Known, find: &impl Fn(&str) -> Option<usize>, people: &mut People) {
    for row in dump.rows("user_rating", &["username", "media_file_id", "path", "rating"]) {
        let Some(at) = find(row.text(0)) else { continue };
        let id = if row.has(1) {
            Some(row.text(1))
        } else {
            known.by_path.get(row.text(2)).map(String::as_str)
        };
        if let Some(id) = id {
            mark(known, &mut people[at].1, id, None, rating(row.real(3)));
        }
    }
}

/// Plays are counted for all users together there: they go to the only one, or to the one named.
fn plays(
    known: &Known,
    plays_of: Option<&str>,
    find: &impl Fn(&str) -> Option<usize>,
    people: &mut People,
    left_out: &mut Vec<String>,
) -> Result<()> {
    let at =
        match plays_of {
            Some(name) => Some(find(name).ok_or_else(|| {
                Error::Invalid(format!("there is no user {name} in that database"))
            })?),
            None if people.len() == 1 => Some(0),
            None => None,
        };
    let Some(at) = at else {
        if !known.plays.is_empty() {
            left_out.push(format!(
                "play counts of {} tracks: Airsonic counts for all users together; --plays-of NAME says whose they are",
                known.plays.len()
            ));
        }
        return Ok(());
    };
    let gathered = &mut people[at].1;
    for (id, play_count, played_at) in &known.plays {
        if let Some(track) = gathered.track(id, &known.tracks) {
            let (play_count, played_at) = (*play_count, *played_at);
            gathered.mark(Mark { track, play_count, played_at, ..Mark::default() });
        }
    }
    Ok(())
}

fn lists(dump: &Dump, known: &Known, find: &impl Fn(&str) -> Option<usize>, people: &mut People) {
    let mut entries = ordered(dump, "playlist_file", "playlist_id");
    let mut members: HashMap<String, Vec<String>> = HashMap::new();
    for row in dump.rows("playlist_user", &["playlist_id", "username"]) {
        members.entry(row.text(0).to_owned()).or_default().push(row.text(1).to_owned());
    }
    let columns = ["id", "username", "name", "comment", "is_public", "created", "changed"];
    for row in dump.rows("playlist", &columns) {
        let Some(at) = find(row.text(1)) else { continue };
        let gathered = &mut people[at].1;
        let ids = entries.remove(row.text(0)).unwrap_or_default();
        let tracks = gathered.tracks(ids.iter().map(String::as_str), &known.tracks);
        gathered.rest().lists.push(List {
            key: row.text(0).to_owned(),
            name: row.text(2).to_owned(),
            comment: row.text(3).to_owned(),
            is_public: row.is_true(4),
            members: members.remove(row.text(0)).unwrap_or_default(),
            rules: None,
            tracks,
            created_at: time(&row, 5),
            changed_at: time(&row, 6),
        });
    }
}

/// Bookmarks and saved queues.
fn places(dump: &Dump, known: &Known, find: &impl Fn(&str) -> Option<usize>, people: &mut People) {
    let columns = ["username", "media_file_id", "position_millis", "comment", "created", "changed"];
    for row in dump.rows("bookmark", &columns) {
        let Some(at) = find(row.text(0)) else { continue };
        let gathered = &mut people[at].1;
        let Some(track) = gathered.track(row.text(1), &known.tracks) else { continue };
        gathered.rest().bookmarks.push(Bookmark {
            track,
            position_ms: row.number(2),
            comment: row.text(3).to_owned(),
            created_at: time(&row, 4),
            changed_at: time(&row, 5),
        });
    }
    let mut entries = ordered(dump, "play_queue_file", "play_queue_id");
    let columns = ["id", "username", "current/current_media_file_id", "position_millis", "changed"];
    for row in dump.rows("play_queue", &columns) {
        let Some(at) = find(row.text(1)) else { continue };
        let ids = entries.remove(row.text(0)).unwrap_or_default();
        let ids: Vec<&str> =
            ids.iter().map(String::as_str).filter(|id| known.tracks.contains_key(*id)).collect();
        let current = ids.iter().position(|id| *id == row.text(2));
        let gathered = &mut people[at].1;
        let tracks = gathered.tracks(ids, &known.tracks);
        if !tracks.is_empty() {
            gathered.rest().queue = Some(Queue {
                tracks,
                current: current.unwrap_or(0),
                position_ms: if current.is_some() { row.number(3) } else { 0 },
                changed_at: time(&row, 4),
            });
        }
    }
}

/// Files of lists, in the order of their rows' ids.
fn ordered(dump: &Dump, table: &str, list: &str) -> HashMap<String, Vec<String>> {
    let mut rows = dump.rows(table, &["id", list, "media_file_id"]);
    rows.sort_by_key(|row| row.number(0));
    let mut entries: HashMap<String, Vec<String>> = HashMap::new();
    for row in rows {
        entries.entry(row.text(1).to_owned()).or_default().push(row.text(2).to_owned());
    }
    entries
}

/// Written in the zone of the server, which was most likely this machine's.
fn time(row: &Row, column: usize) -> Option<Millis> {
    moment(row.text(column), &TimeZone::system())
}
