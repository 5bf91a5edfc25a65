//! Track rows with everybody who took part, genres, lyrics and words for search.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use super::{
    albums::AlbumIds,
    artists::ArtistIds,
    batch::{FileFound, Scope, TrackFound},
    facts::TrackFacts,
    folders::{FolderIds, folder_of},
    genres::GenreIds,
    pictures::PictureIds,
    rows::{Row, Rows, last_id, list},
};
use crate::{Result, db::Tx};

/// A track of the batch on its way into the catalogue.
#[derive(Debug)]
pub(super) struct TrackToWrite<'a> {
    pub(super) file: &'a FileFound,
    pub(super) file_id: i64,
    pub(super) path: &'a str,
    pub(super) found: &'a TrackFound,
    pub(super) facts: TrackFacts,
    /// The row that it has already.
    pub(super) row: Option<i64>,
    /// The album that this row was on.
    pub(super) album_before: Option<i64>,
}

/// A person as a known track names him now.
#[derive(Debug)]
pub(super) struct PartWritten<'a> {
    pub(super) track: i64,
    pub(super) role: &'a str,
    pub(super) position: u32,
    pub(super) artist: i64,
}

impl TrackToWrite<'_> {
    /// Where it comes on its album.
    pub(super) fn place(&self) -> (u32, u32, &str) {
        let tags = &self.found.tags;
        (tags.disc.unwrap_or(1), tags.number.unwrap_or(u32::MAX), self.path)
    }
}

/// The rows that tracks are made of.
pub(super) struct Related<'a> {
    pub(super) artists: &'a ArtistIds,
    pub(super) albums: &'a AlbumIds,
    pub(super) folders: &'a FolderIds,
    pub(super) genres: &'a GenreIds,
    pub(super) pictures: &'a PictureIds,
}

const COLUMNS: &[&str] = &[
    "track_id",
    "library_id",
    "media_file_id",
    "folder_id",
    "album_id",
    "cue_index",
    "start_ms",
    "path",
    "size_bytes",
    "modified_ns",
    "title",
    "sort_title",
    "order_key",
    "display_artist",
    "display_album_artist",
    "display_composer",
    "album_name",
    "disc",
    "disc_total",
    "number",
    "number_total",
    "year",
    "release_date",
    "original_date",
    "duration_ms",
    "container",
    "codec",
    "suffix",
    "bitrate_kbps",
    "sample_rate",
    "channels",
    "bit_depth",
    "genre",
    "bpm",
    "comment",
    "explicit",
    "is_compilation",
    "mbid_recording",
    "mbid_track",
    "track_gain_db",
    "album_gain_db",
    "track_peak",
    "album_peak",
    "extra",
    "picture_id",
    "has_lyrics",
    "changed_at",
    "created_at",
];

/// Inserts or updates every column but the time of creation; whatever was hidden shows again.
static UPSERT: LazyLock<String> = LazyLock::new(|| {
    let updates: Vec<String> = COLUMNS[1..COLUMNS.len() - 1]
        .iter()
        .map(|column| format!("{column} = excluded.{column}"))
        .collect();
    format!(
        "insert into track ({}) values {{rows}}
         on conflict (track_id) do update set {}, missing_at = null, quick_key = null",
        COLUMNS.join(", "),
        updates.join(", ")
    )
});

/// Writes the tracks; gives who takes part in those that were known.
pub(super) async fn upsert<'t>(
    tx: &mut Tx,
    scope: Scope,
    tracks: &'t [TrackToWrite<'_>],
    related: &Related<'_>,
) -> Result<Vec<PartWritten<'t>>> {
    let mut next = last_id(tx, "track").await?;
    let mut known_parts = Vec::new();
    let (mut rows, mut search) = (Rows::new(), Rows::new());
    let (mut parts, mut genres, mut lyrics) = (Rows::new(), Rows::new(), Rows::new());
    for track in tracks {
        let id = track.row.unwrap_or_else(|| {
            next += 1;
            next
        });
        rows.row(|row| columns(row, scope, id, track, related));
        search.row(|row| search_words(row, id, track));
        add_parts(&mut parts, id, track, related.artists, &mut known_parts);
        let mut position = 0_u32;
        let mut seen = HashSet::new();
        for genre in track.found.tags.genres.iter().filter_map(|name| related.genres.of(name)) {
            if seen.insert(genre) {
                genres.row(|row| {
                    row.value(id).value(position).value(genre);
                });
                position += 1;
            }
        }
        for (position, words) in track.found.lyrics.iter().enumerate() {
            lyrics.row(|row| {
                row.value(id).value(position).text(&words.lang).value(u8::from(words.is_synced));
                row.text(&words.source).text(&words.body);
            });
        }
    }
    let known = tracks.iter().filter_map(|track| track.row);
    clear(tx, &list(known)).await?;
    rows.run(tx, UPSERT.as_str()).await?;
    parts
        .run(
            tx,
            "insert into track_artist (track_id, role, position, sub_role, artist_id) values {rows}",
        )
        .await?;
    genres.run(tx, "insert into track_genre (track_id, position, genre_id) values {rows}").await?;
    lyrics
        .run(
            tx,
            "insert into lyrics (track_id, position, lang, is_synced, source, body) values {rows}",
        )
        .await?;
    search.run(tx, "insert into track_search (rowid, title, album, artist) values {rows}").await?;
    Ok(known_parts)
}

/// The values of [`COLUMNS`], in order.
fn columns(
    row: &mut Row<'_>,
    scope: Scope,
    id: i64,
    track: &TrackToWrite<'_>,
    related: &Related<'_>,
) {
    let (tags, facts, file) = (&track.found.tags, &track.facts, track.file);
    let album = facts.album.as_ref();
    let audio = &tags.audio;
    row.value(id).value(scope.library).value(track.file_id);
    row.value(related.folders.get(folder_of(track.path)));
    row.value(album.and_then(|album| related.albums.get(&album.key)));
    row.value(track.found.cue_index).value(track.found.start_ms).text(track.path);
    row.value(file.size_bytes).value(file.modified_ns).text(&facts.title);
    row.text(tags.sort_title.as_deref().unwrap_or(&facts.title)).text(&facts.order_key);
    row.text(&facts.display_artist);
    row.text(album.map_or("", |album| &album.display_artist));
    row.text(&tags.composers.join(", "));
    row.text(tags.album.as_deref().map(str::trim).unwrap_or_default());
    row.value(tags.disc).value(tags.disc_total).value(tags.number).value(tags.number_total);
    row.value(facts.year).text(&facts.release_date);
    row.text(tags.original_date.as_deref().unwrap_or_default());
    row.value(audio.duration_ms).text(&audio.container).text(&audio.codec).text(&facts.suffix);
    row.value(audio.bitrate_kbps).value(audio.sample_rate).value(audio.channels);
    row.value(audio.bit_depth).text(tags.genres.first().map_or("", String::as_str));
    row.value(tags.bpm.unwrap_or(0)).text(tags.comment.as_deref().unwrap_or_default());
    row.text(explicit(&tags.explicit)).value(u8::from(tags.is_compilation));
    row.option(tags.mbid_recording.as_deref()).option(tags.mbid_track.as_deref());
    row.value(tags.track_gain).value(tags.album_gain).value(tags.track_peak).value(tags.album_peak);
    row.text(&serde_json::to_string(&tags.extra).unwrap_or_else(|_| "{}".to_owned()));
    row.value(tags.picture.as_ref().and_then(|picture| related.pictures.get(&picture.hash)));
    row.value(u8::from(!track.found.lyrics.is_empty())).value(scope.now).value(scope.now);
}

fn explicit(text: &str) -> &str {
    if matches!(text, "explicit" | "clean") { text } else { "" }
}

fn search_words(row: &mut Row<'_>, id: i64, track: &TrackToWrite<'_>) {
    let facts = &track.facts;
    let album_artist = facts.album.as_ref().map_or("", |album| &album.display_artist);
    row.value(id).text(&facts.title).text(track.found.tags.album.as_deref().unwrap_or_default());
    if album_artist.is_empty() || album_artist == facts.display_artist {
        row.text(&facts.display_artist);
    } else {
        row.text(&format!("{} {album_artist}", facts.display_artist));
    }
}

/// One row for each person in each role; a person counts once in a role.
fn add_parts<'t>(
    rows: &mut Rows,
    id: i64,
    track: &'t TrackToWrite<'_>,
    artists: &ArtistIds,
    known: &mut Vec<PartWritten<'t>>,
) {
    let mut positions: HashMap<&str, u32> = HashMap::new();
    let mut seen = HashSet::new();
    for part in &track.facts.parts {
        let Some(artist) = artists.of(&part.person) else { continue };
        if !seen.insert((part.role.as_str(), part.sub_role.as_str(), artist)) {
            continue;
        }
        let position = positions.entry(&part.role).or_default();
        rows.row(|row| {
            row.value(id).text(&part.role).value(*position).text(&part.sub_role).value(artist);
        });
        if track.row.is_some() {
            let (role, position) = (part.role.as_str(), *position);
            known.push(PartWritten { track: id, role, position, artist });
        }
        *position += 1;
    }
}

/// Takes away what hangs on tracks that are written anew.
async fn clear(tx: &mut Tx, tracks: &str) -> Result<()> {
    if tracks == "[]" {
        return Ok(());
    }
    for sql in [
        "delete from track_artist where track_id in (select value from json_each(?))",
        "delete from track_genre where track_id in (select value from json_each(?))",
        "delete from lyrics where track_id in (select value from json_each(?))",
        "delete from track_search where rowid in (select value from json_each(?))",
    ] {
        sqlx::query(sql).bind(tracks).execute(&mut **tx).await?;
    }
    Ok(())
}
