//! Navidrome's `navidrome.db`, of every version since it has annotations. Names of tables and
//! columns: its `db/migrations` (annotation: 20250611024036; play queue by index: 20250611010101;
//! libraries: 20240511220020; owner of playlists by id: 20211029213200; scrobbles: 2025).

use std::{collections::HashMap, path::Path};

use jiff::tz::TimeZone;

use super::{
    gather::{Gathered, Row, rating},
    model::{
        AlbumMark, Bookmark, Legacy, List, Mark, Name, NamedMark, Person, Queue, Station, Track,
    },
    moment::moment,
    sqlite::Source,
};
use crate::{Error, Result, clock::Millis};

/// The star of an item whose date nobody wrote down: long ago.
const LONG_AGO: Millis = 1_000;

/// What all people speak of.
struct Known {
    tracks: HashMap<String, Track>,
    /// Artist and title of an album.
    albums: HashMap<String, (String, Name)>,
    artists: HashMap<String, Name>,
}

/// Reads the database.
pub(super) async fn read(path: &Path) -> Result<Legacy> {
    let mut source = Source::open(path).await?;
    if !(source.has("media_file").await? && source.has("annotation").await?) {
        return Err(Error::Invalid(format!("{} is no database of Navidrome", path.display())));
    }
    let known = known(&mut source).await?;
    let users =
        source.rows("user", &["id", "user_name", "name", "email"], "order by user_name").await?;
    let mut people: Vec<(String, Person, Gathered)> = users
        .iter()
        .map(|row| {
            let id = row.text(0).to_owned();
            let gathered = Gathered::new("Navidrome", format!("navidrome:{id}"));
            let person = Person {
                name: row.text(1).to_owned(),
                display_name: row.text(2).to_owned(),
                email: row.text(3).to_owned(),
                ..Person::default()
            };
            (id, person, gathered)
        })
        .collect();
    let at: HashMap<String, usize> =
        people.iter().enumerate().map(|(at, (id, ..))| (id.clone(), at)).collect();
    let by_name: HashMap<String, usize> =
        people.iter().enumerate().map(|(at, (_, person, _))| (person.name.clone(), at)).collect();
    let columns = [
        "user_id",
        "item_type",
        "item_id",
        "play_count",
        "play_date",
        "rating",
        "starred",
        "starred_at",
    ];
    for row in source.rows("annotation", &columns, "").await? {
        if let Some(at) = at.get(row.text(0)) {
            annotate(&mut people[*at].2, &row, &known);
        }
    }
    let columns = ["user_id", "media_file_id", "submission_time"];
    for row in source.rows("scrobbles", &columns, "order by submission_time").await? {
        let Some(at) = at.get(row.text(0)) else { continue };
        let gathered = &mut people[*at].2;
        if let (Some(track), Some(when)) =
            (gathered.track(row.text(1), &known.tracks), time(&row, 2))
        {
            gathered.rest().listens.push((track, when));
        }
    }
    lists(
        &mut source,
        &known,
        |owner_id, owner| at.get(owner_id).or_else(|| by_name.get(owner)).copied(),
        &mut people,
    )
    .await?;
    let columns = ["user_id", "item_id", "position", "comment", "created_at", "updated_at"];
    for row in source.rows("bookmark", &columns, "where item_type = 'media_file'").await? {
        let Some(at) = at.get(row.text(0)) else { continue };
        let gathered = &mut people[*at].2;
        let Some(track) = gathered.track(row.text(1), &known.tracks) else { continue };
        gathered.rest().bookmarks.push(Bookmark {
            track,
            position_ms: row.number(2),
            comment: row.text(3).to_owned(),
            created_at: time(&row, 4),
            changed_at: time(&row, 5),
        });
    }
    let columns = ["user_id", "items", "current", "position", "updated_at"];
    for row in source.rows("playqueue", &columns, "order by rowid").await? {
        if let Some(at) = at.get(row.text(0)) {
            let gathered = &mut people[*at].2;
            gathered.rest().queue = queue(&row, gathered, &known);
        }
    }
    let stations =
        source.rows("radio", &["name", "stream_url", "home_page_url"], "order by name").await?;
    let stations = stations.iter().map(|row| Station {
        name: row.text(0).to_owned(),
        stream_url: row.text(1).to_owned(),
        homepage_url: row.text(2).to_owned(),
    });
    let mut left_out = Vec::new();
    match source.rows("share", &["id"], "").await?.len() {
        0 => (),
        shares => left_out.push(format!(
            "{shares} shares: their addresses belong to the old server; share anew from here"
        )),
    }
    Ok(Legacy {
        stations: stations.collect(),
        left_out,
        people: people
            .into_iter()
            .map(|(_, person, gathered)| Person { belongings: gathered.done(), ..person })
            .collect(),
    })
}

async fn known(source: &mut Source) -> Result<Known> {
    let columns = [
        "id",
        "path",
        "title",
        "artist",
        "album",
        "duration",
        "mbz_recording_id/mbz_track_id",
        "mbz_release_track_id",
    ];
    let rows = source.rows("media_file", &columns, "").await?;
    let tracks = rows.into_iter().map(|row| {
        let mbids = [6, 7].iter().map(|at| row.text(*at).to_owned());
        let seconds = row.real(5);
        let track = Track {
            path: row.text(1).to_owned(),
            title: row.text(2).to_owned(),
            artist: row.text(3).to_owned(),
            album: row.text(4).to_owned(),
            duration_ms: (0.0 < seconds).then_some((seconds * 1000.0) as u64),
            mbids: mbids.filter(|mbid| !mbid.is_empty()).collect(),
        };
        (row.text(0).to_owned(), track)
    });
    let tracks = tracks.collect();
    let rows = source.rows("album", &["id", "name", "album_artist", "mbz_album_id"], "").await?;
    let albums = rows.into_iter().map(|row| {
        let name = Name { name: row.text(1).to_owned(), mbid: row.text(3).to_owned() };
        (row.text(0).to_owned(), (row.text(2).to_owned(), name))
    });
    let albums = albums.collect();
    let rows = source.rows("artist", &["id", "name", "mbz_artist_id"], "").await?;
    let artists = rows.into_iter().map(|row| {
        let name = Name { name: row.text(1).to_owned(), mbid: row.text(2).to_owned() };
        (row.text(0).to_owned(), name)
    });
    Ok(Known { tracks, albums, artists: artists.collect() })
}

fn annotate(gathered: &mut Gathered, row: &Row, known: &Known) {
    let starred_at = row.is_true(6).then(|| time(row, 7).unwrap_or(LONG_AGO));
    let rating = rating(row.real(5));
    let named = |of: &Name| NamedMark { of: of.clone(), starred_at, rating };
    let says_something = starred_at.is_some() || rating.is_some();
    match row.text(1) {
        "media_file" if says_something || 0 < row.number(3) => {
            let Some(track) = gathered.track(row.text(2), &known.tracks) else { return };
            let (play_count, played_at) = (row.number(3).max(0) as u64, time(row, 4));
            gathered.mark(Mark { track, starred_at, rating, play_count, played_at });
        }
        // Plays of albums and artists follow from those of their tracks.
        "album" if says_something => {
            if let Some((artist, name)) = known.albums.get(row.text(2)) {
                let mark = AlbumMark { artist: artist.clone(), mark: named(name) };
                gathered.rest().albums.push(mark);
            }
        }
        "artist" if says_something => {
            if let Some(name) = known.artists.get(row.text(2)) {
                gathered.rest().artists.push(named(name));
            }
        }
        _ => (),
    }
}

async fn lists(
    source: &mut Source,
    known: &Known,
    owner: impl Fn(&str, &str) -> Option<usize>,
    people: &mut [(String, Person, Gathered)],
) -> Result<()> {
    let mut entries: HashMap<String, Vec<String>> = HashMap::new();
    let tail = "order by playlist_id, cast(id as integer), rowid";
    for row in source.rows("playlist_tracks", &["playlist_id", "media_file_id"], tail).await? {
        entries.entry(row.text(0).to_owned()).or_default().push(row.text(1).to_owned());
    }
    let columns = [
        "id",
        "name",
        "comment",
        "public",
        "owner_id",
        "owner",
        "rules",
        "created_at",
        "updated_at",
    ];
    for row in source.rows("playlist", &columns, "order by name, id").await? {
        let Some(at) = owner(row.text(4), row.text(5)) else { continue };
        let gathered = &mut people[at].2;
        let ids = entries.get(row.text(0)).into_iter().flatten().map(String::as_str);
        let tracks = gathered.tracks(ids, &known.tracks);
        gathered.rest().lists.push(List {
            key: row.text(0).to_owned(),
            name: row.text(1).to_owned(),
            comment: row.text(2).to_owned(),
            is_public: row.is_true(3),
            members: Vec::new(),
            rules: serde_json::from_str(row.text(6)).ok().filter(serde_json::Value::is_object),
            tracks,
            created_at: time(&row, 7),
            changed_at: time(&row, 8),
        });
    }
    Ok(())
}

/// `current` is a position since 2025, and was the id of a track before.
fn queue(row: &Row, gathered: &mut Gathered, known: &Known) -> Option<Queue> {
    let ids: Vec<&str> = row.text(1).split(',').filter(|id| !id.is_empty()).collect();
    let current = row.text(2);
    let current = ids.iter().position(|id| *id == current).or_else(|| current.parse().ok());
    let current_id = ids.get(current.unwrap_or(0)).copied();
    let before = ids.iter().take(current.unwrap_or(0));
    let before = before.filter(|id| known.tracks.contains_key(**id)).count();
    let remains = current_id.is_some_and(|id| known.tracks.contains_key(id));
    let tracks = gathered.tracks(ids, &known.tracks);
    (!tracks.is_empty()).then(|| Queue {
        current: before.min(tracks.len() - 1),
        position_ms: if remains { row.number(3) } else { 0 },
        changed_at: time(row, 4),
        tracks,
    })
}

fn time(row: &Row, column: usize) -> Option<Millis> {
    moment(row.text(column), &TimeZone::UTC)
}
