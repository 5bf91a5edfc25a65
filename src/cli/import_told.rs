//! What `import` did, for people, for scripts and as a file.

use std::{fmt::Write as _, path::Path};

use serde_json::{Value, json};

use super::{failure::Failure, print};
use crate::moving::{Arrived, Joins, Outcome, Person, Program, Taken, Tally, Track};

/// So many that are not here are named on a screen; the report has all.
const MOST_NAMED: usize = 20;

/// A person, and what came of it.
pub(super) struct Here {
    pub(super) person: Person,
    pub(super) arrived: Arrived,
    pub(super) taken: Taken,
}

/// Something that was described, and what became of it.
struct Described<'a> {
    kind: &'static str,
    track: Track,
    outcome: &'a Outcome,
}

impl Here {
    fn described(&self) -> Vec<Described<'_>> {
        let (belongings, taken) = (&self.person.belongings, &self.taken);
        let tracks = belongings
            .tracks
            .iter()
            .zip(&taken.tracks)
            .map(|(track, outcome)| Described { kind: "track", track: track.clone(), outcome });
        let albums =
            belongings.albums.iter().zip(&taken.albums).map(|(album, outcome)| Described {
                kind: "album",
                track: Track {
                    artist: album.artist.clone(),
                    album: album.mark.of.name.clone(),
                    ..Track::default()
                },
                outcome,
            });
        let artists = belongings.artists.iter().zip(&taken.artists).map(|(artist, outcome)| {
            let track = Track { artist: artist.of.name.clone(), ..Track::default() };
            Described { kind: "artist", track, outcome }
        });
        tracks.chain(albums).chain(artists).collect()
    }

    fn name_there(&self) -> &str {
        if self.person.name.is_empty() { "(the library)" } else { &self.person.name }
    }
}

impl Described<'_> {
    /// A word, and for what is not here the reason.
    fn result(&self) -> (&'static str, String) {
        match self.outcome {
            Outcome::Path => ("path", String::new()),
            Outcome::MusicBrainz => ("musicbrainz", String::new()),
            Outcome::Tags => ("tags", String::new()),
            Outcome::Ambiguous(many) => {
                ("ambiguous", format!("{many} here fit equally well, so none was chosen"))
            }
            Outcome::Unknown if self.kind == "track" => (
                "unknown",
                "no file here has that path, that MusicBrainz id, or that title, artist, album and length"
                    .to_owned(),
            ),
            Outcome::Unknown => ("unknown", "nothing here is called that".to_owned()),
        }
    }

    fn words(&self) -> String {
        let Track { path, title, artist, album, .. } = &self.track;
        match self.kind {
            "album" => format!("album {album} by {artist}"),
            "artist" => format!("artist {artist}"),
            _ if title.is_empty() => path.clone(),
            _ => {
                let name =
                    if artist.is_empty() { title.clone() } else { format!("{artist} - {title}") };
                // Some servers know no paths.
                if path.is_empty() { name } else { format!("{name} ({path})") }
            }
        }
    }
}

/// Writes a line for each track, album and artist.
pub(super) fn report(path: &Path, all: &[Here]) -> Result<(), Failure> {
    let mut text = String::from("user,kind,result,reason,path,title,artist,album\n");
    for here in all {
        for one in here.described() {
            let (result, reason) = one.result();
            let Track { path, title, artist, album, .. } = &one.track;
            let cells =
                [&here.arrived.as_name, one.kind, result, &reason, path, title, artist, album];
            let cells: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
            let _ = writeln!(text, "{}", cells.join(","));
        }
    }
    std::fs::write(path, text)
        .map_err(|error| Failure::new(format!("cannot write {}: {error}", path.display())))
}

/// A cell of RFC 4180.
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

/// The result on standard output.
pub(super) fn say(
    program: Program,
    all: &[Here],
    stations: Tally,
    left_out: &[String],
    dry_run: bool,
    place: &str,
    is_json: bool,
) {
    if is_json {
        let people: Vec<Value> = all.iter().map(|here| object(here, place)).collect();
        let value = json!({
            "dryRun": dry_run, "from": program.name(), "users": people,
            "stations": tally(stations), "leftOut": left_out,
        });
        print::line(&value.to_string());
        return;
    }
    let heads = [
        "THERE",
        "HERE",
        "TRACKS",
        "STARS",
        "RATINGS",
        "PLAYS",
        "HISTORY",
        "PLAYLISTS",
        "BOOKMARKS",
        "QUEUE",
    ];
    print::table(&heads, all.iter().map(row));
    print::line("a figure is what is new, and after the + what was here already");
    if stations != Tally::default() {
        print::line(&format!("stations: {}", figure(stations)));
    }
    for here in all {
        let name = &here.arrived.as_name;
        for note in &here.taken.notes {
            print::line(&format!("{name}: {note}"));
        }
        let missing: Vec<Described<'_>> =
            here.described().into_iter().filter(|one| is_missing(one.outcome)).collect();
        for one in missing.iter().take(MOST_NAMED) {
            let (result, _) = one.result();
            print::line(&format!("{name}: {result}: {}", one.words()));
        }
        if MOST_NAMED < missing.len() {
            let more = missing.len() - MOST_NAMED;
            print::line(&format!("{name}: and {more} more; --report FILE.CSV names all"));
        }
    }
    for what in left_out {
        print::line(&format!("not taken: {what}"));
    }
    for here in all {
        let Arrived { as_name, joins, .. } = &here.arrived;
        match (link(here, place), joins) {
            (Some(link), _) => print::line(&format!("{as_name} chooses a password at {link}")),
            (None, Joins::New) => {
                print::line(&format!(
                    "{as_name} would get an account and a link to choose a password"
                ));
            }
            (None, Joins::Known) => (),
        }
    }
    if dry_run {
        print::line("nothing was changed: this was a dry run");
    }
}

fn is_missing(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Unknown | Outcome::Ambiguous(_))
}

fn row(here: &Here) -> Vec<String> {
    let Taken { tracks, stars, ratings, plays, listens, lists, bookmarks, queue, .. } = &here.taken;
    let known = tracks.iter().filter(|outcome| !is_missing(outcome)).count();
    let is_new = here.arrived.joins == Joins::New;
    let name = &here.arrived.as_name;
    let mut row = vec![
        here.name_there().to_owned(),
        if is_new { format!("{name} (new)") } else { name.clone() },
        format!("{known} of {}", tracks.len()),
    ];
    let figures = [stars, ratings, plays, listens, lists, bookmarks, queue];
    row.extend(figures.iter().map(|tally| figure(**tally)));
    row
}

fn figure(Tally { taken, kept }: Tally) -> String {
    if kept == 0 { taken.to_string() } else { format!("{taken} + {kept}") }
}

fn tally(Tally { taken, kept }: Tally) -> Value {
    json!({ "taken": taken, "kept": kept })
}

fn object(here: &Here, place: &str) -> Value {
    let Taken { tracks, stars, ratings, plays, listens, lists, bookmarks, queue, notes, .. } =
        &here.taken;
    let known = tracks.iter().filter(|outcome| !is_missing(outcome)).count();
    let missing = here.described().into_iter().filter(|one| is_missing(one.outcome)).map(|one| {
        let (result, reason) = one.result();
        let Track { path, title, artist, album, .. } = &one.track;
        json!({
            "kind": one.kind, "result": result, "reason": reason, "path": path, "title": title,
            "artist": artist, "album": album,
        })
    });
    json!({
        "name": here.person.name, "as": here.arrived.as_name,
        "isNew": here.arrived.joins == Joins::New, "invitation": link(here, place),
        "tracks": tracks.len(), "known": known,
        "stars": tally(*stars), "ratings": tally(*ratings), "plays": tally(*plays),
        "history": tally(*listens), "playlists": tally(*lists), "bookmarks": tally(*bookmarks),
        "queue": tally(*queue), "notes": notes, "missing": missing.collect::<Vec<_>>(),
    })
}

/// Where somebody chooses a password.
fn link(here: &Here, place: &str) -> Option<String> {
    let token = here.arrived.invitation.as_ref()?;
    Some(format!("{place}/invite/{token}"))
}
