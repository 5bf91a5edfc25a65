//! Playlists that people bring along as files or take away. Entries are matched to what the
//! person may see, whatever they name: by path, else by artist and title.

use std::collections::{HashMap, HashSet};

use sqlx::{AssertSqlSafe, Row as _};

use crate::{
    Result,
    accounts::Principal,
    catalog::{
        Catalog, path_text,
        visible::{json_ids, within},
    },
    ids::{PlaylistId, TrackId},
    media::playlist_file::{Entry, PlaylistFile},
};

/// Entries without a match that are named; the rest is counted.
const MOST_NAMED: usize = 500;

/// What came of an import.
#[derive(Debug)]
pub struct Imported {
    /// The new playlist.
    pub id: PlaylistId,
    /// Entries that became tracks.
    pub matched: usize,
    /// Entries that did not.
    pub unmatched: Vec<Unmatched>,
}

/// An entry of a file that names nothing that is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmatched {
    /// Its place in the file, from 1.
    pub position: usize,
    /// What the file says of it.
    pub text: String,
}

impl Catalog {
    /// A playlist as a file; locations are paths relative to the track's library.
    pub async fn export_playlist(
        &self,
        principal: &Principal,
        id: PlaylistId,
    ) -> Result<PlaylistFile> {
        let list = self.playlist(principal, id).await?;
        let tracks = self.playlist_tracks(principal, id).await?;
        let sql = format!(
            "select track_id, path from track where track_id in (select value from json_each('{}'))",
            json_ids(tracks.iter().map(|track| track.id.0))
        );
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(self.db.read()).await?;
        let paths: HashMap<i64, String> =
            rows.iter().map(|row| (row.get("track_id"), row.get("path"))).collect();
        let entries = tracks
            .iter()
            .map(|track| Entry {
                location: paths.get(&track.id.0).map(|it| path_text::shown(it)).unwrap_or_default(),
                title: Some(track.title.clone()),
                artist: Some(track.display_artist.clone()).filter(|name| !name.is_empty()),
                album: Some(track.album_name.clone()).filter(|name| !name.is_empty()),
                duration_s: u32::try_from(track.duration_ms.div_ceil(1000)).ok(),
            })
            .collect();
        Ok(PlaylistFile { name: Some(list.name), entries })
    }

    /// Makes a playlist of a file that was brought along. `name` is used where the file has none.
    pub async fn import_playlist(
        &self,
        principal: &Principal,
        name: &str,
        file: &PlaylistFile,
    ) -> Result<Imported> {
        let by_path = self.tracks_with_names_of(principal, &file.entries).await?;
        let mut tracks = Vec::with_capacity(file.entries.len());
        let mut unmatched = Vec::new();
        for (at, entry) in file.entries.iter().enumerate() {
            let found = match best(&by_path, &entry.location) {
                Some(track) => Some(track),
                None => self.by_words(principal, entry).await?,
            };
            match found {
                Some(track) => tracks.push(track),
                None if unmatched.len() < MOST_NAMED => {
                    unmatched.push(Unmatched { position: at + 1, text: words(entry) });
                }
                None => (),
            }
        }
        let name = file.name.as_deref().filter(|name| !name.trim().is_empty()).unwrap_or(name);
        let id = self.insert_playlist(principal, name, "", None, &tracks).await?;
        Ok(Imported { id, matched: tracks.len(), unmatched })
    }

    /// Visible tracks whose file is named like that of an entry, by that name: one walk through
    /// an index, whatever the number of entries.
    async fn tracks_with_names_of(
        &self,
        principal: &Principal,
        entries: &[Entry],
    ) -> Result<HashMap<String, Vec<(String, TrackId)>>> {
        let wanted: HashSet<String> =
            entries.iter().filter_map(|entry| parts(&entry.location).pop()).collect();
        let mut found: HashMap<String, Vec<(String, TrackId)>> = HashMap::new();
        if wanted.is_empty() {
            return Ok(found);
        }
        let sql = format!(
            "select track_id, path from track where missing_at is null and {} order by track_id",
            within("library_id", principal, None)
        );
        let mut rows = sqlx::query(AssertSqlSafe(sql)).fetch(self.db.read());
        while let Some(row) = futures_util::TryStreamExt::try_next(&mut rows).await? {
            let path: &str = row.get("path");
            let name = fold(path.rsplit('/').next().unwrap_or(path));
            if wanted.contains(&name) {
                let track = TrackId(row.get("track_id"));
                found.entry(name).or_default().push((path.to_owned(), track));
            }
        }
        Ok(found)
    }

    async fn by_words(&self, principal: &Principal, entry: &Entry) -> Result<Option<TrackId>> {
        let Some(title) = &entry.title else { return Ok(None) };
        let (artist, title) = match &entry.artist {
            Some(artist) => (artist.as_str(), title.as_str()),
            None => match title.split_once(" - ") {
                Some((artist, title)) => (artist.trim(), title.trim()),
                None => return Ok(None),
            },
        };
        Ok(self.find_track(principal, artist, title).await?.map(|track| track.id))
    }
}

/// The track that shares the longest end of its path with the location.
fn best(by_path: &HashMap<String, Vec<(String, TrackId)>>, location: &str) -> Option<TrackId> {
    let wanted = parts(location);
    let candidates = by_path.get(wanted.last()?)?;
    let shared = |path: &str| {
        parts(path).iter().rev().zip(wanted.iter().rev()).take_while(|(a, b)| a == b).count()
    };
    // The first of equals, so that two imports give the same.
    let rated = candidates.iter().map(|(path, track)| (shared(path), track));
    let (ends, track) = rated.reduce(|one, other| if one.0 < other.0 { other } else { one })?;
    // A bare name like "01.mp3" says enough only when nothing else is named so.
    (1 < ends || candidates.len() == 1).then_some(*track)
}

/// The parts of a path, folded; of an address, those of its path.
fn parts(location: &str) -> Vec<String> {
    let path = location.split_once("://").map_or(location, |(_, rest)| rest);
    path.split(['/', '\\']).filter(|part| !part.is_empty() && *part != ".").map(fold).collect()
}

fn fold(text: &str) -> String {
    crate::catalog::identity::fold(text)
}

fn words(entry: &Entry) -> String {
    match (&entry.artist, &entry.title) {
        (Some(artist), Some(title)) => format!("{artist} - {title}"),
        (None, Some(title)) => title.clone(),
        _ => entry.location.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_shared_end_wins() {
        let paths = ["Björk/Post/01.mp3", "Björk/Debut/01.mp3", "x/only.mp3"];
        let mut by_path: HashMap<String, Vec<(String, TrackId)>> = HashMap::new();
        for (at, path) in paths.iter().enumerate() {
            let name = parts(path).pop().unwrap();
            by_path.entry(name).or_default().push(((*path).to_owned(), TrackId(at as i64)));
        }
        for (location, track) in [
            ("/home/me/Music/Björk/Debut/01.mp3", Some(1)),
            ("C:\\Music\\BJÖRK\\Post\\01.MP3", Some(0)),
            ("01.mp3", None),
            ("elsewhere/only.mp3", Some(2)),
            ("http://host/a/Post/01.mp3", Some(0)),
            ("", None),
            ("none.mp3", None),
        ] {
            assert_eq!(best(&by_path, location), track.map(TrackId), "{location}");
        }
    }
}
