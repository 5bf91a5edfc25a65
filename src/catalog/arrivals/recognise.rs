//! Which track a description means: by the end of its path, else by MusicBrainz id, else by title,
//! artist, album and length. Where two fit equally well nothing is chosen, unless they sound the
//! same to the byte.

use std::collections::{HashMap, HashSet};

use futures_util::TryStreamExt as _;
use sqlx::{AssertSqlSafe, Row as _, sqlite::SqliteRow};

use super::{By, Description, Recognised};
use crate::{
    Result,
    accounts::Principal,
    catalog::{Catalog, identity::fold, visible::within},
    ids::TrackId,
};

/// How far two servers may differ about a length, ms: whole seconds, and encoders' padding.
const TOLERANCE_MS: u64 = 3_000;
/// So many parts of a path together are believed whatever the tags say.
const SURE_PARTS: usize = 3;

/// A description, folded.
struct Wanted {
    parts: Vec<String>,
    mbids: Vec<String>,
    title: String,
    artist: String,
    album: String,
    duration_ms: Option<u64>,
}

/// A visible track that may be meant, folded.
#[derive(Debug, Clone)]
struct Candidate {
    id: i64,
    parts: Vec<String>,
    mbids: Vec<String>,
    title: String,
    artists: [String; 2],
    album: String,
    duration_ms: u64,
    /// Its audio: hash, and where in the file it begins.
    audio: Option<(Vec<u8>, i64)>,
}

/// What may be meant, by what it may be known by.
#[derive(Default)]
struct Index {
    candidates: Vec<Candidate>,
    by_name: HashMap<String, Vec<usize>>,
    by_mbid: HashMap<String, Vec<usize>>,
    by_title: HashMap<String, Vec<usize>>,
}

impl Catalog {
    /// Which visible tracks these descriptions mean, one answer each.
    pub async fn recognise_tracks(
        &self,
        principal: &Principal,
        descriptions: &[Description],
    ) -> Result<Vec<Recognised<TrackId>>> {
        let wanted: Vec<Wanted> = descriptions.iter().map(Wanted::of).collect();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let index = self.candidates(principal, &wanted).await?;
        Ok(wanted.iter().map(|wanted| index.resolve(wanted)).collect())
    }

    /// One walk over the visible tracks, keeping those that may be meant.
    async fn candidates(&self, principal: &Principal, wanted: &[Wanted]) -> Result<Index> {
        let names: HashSet<&str> =
            wanted.iter().filter_map(|one| one.parts.last()).map(String::as_str).collect();
        let mbids: HashSet<&str> =
            wanted.iter().flat_map(|one| &one.mbids).map(String::as_str).collect();
        let titles: HashSet<&str> = wanted
            .iter()
            .filter(|one| !one.title.is_empty() && !one.artist.is_empty())
            .map(|one| one.title.as_str())
            .collect();
        let sql = format!(
            "select track_id, path, title, display_artist, display_album_artist, album_name, duration_ms,
                    mbid_recording, mbid_track, audio_hash, start_ms
             from track where missing_at is null and {} order by track_id",
            within("library_id", principal, None)
        );
        let mut rows = sqlx::query(AssertSqlSafe(sql)).fetch(self.db.read());
        let mut index = Index::default();
        while let Some(row) = rows.try_next().await? {
            let path: &str = row.get("path");
            let name = fold(path.rsplit('/').next().unwrap_or(path));
            let title = fold(row.get("title"));
            let own_mbids = mbids_of(&row);
            let is_wanted = names.contains(name.as_str())
                || titles.contains(title.as_str())
                || own_mbids.iter().any(|mbid| mbids.contains(mbid.as_str()));
            if is_wanted {
                index.add(Candidate::of(&row, title, own_mbids));
            }
        }
        Ok(index)
    }
}

fn mbids_of(row: &SqliteRow) -> Vec<String> {
    ["mbid_recording", "mbid_track"]
        .iter()
        .filter_map(|column| row.get::<Option<String>, _>(*column))
        .filter(|mbid| !mbid.is_empty())
        .map(|mbid| mbid.to_ascii_lowercase())
        .collect()
}

impl Wanted {
    fn of(description: &Description) -> Self {
        let Description { path, mbids, title, artist, album, duration_ms } = description;
        Self {
            parts: parts(path),
            mbids: mbids
                .iter()
                .filter(|mbid| !mbid.is_empty())
                .map(|mbid| mbid.to_ascii_lowercase())
                .collect(),
            title: fold(title),
            artist: fold(artist),
            album: fold(album),
            duration_ms: *duration_ms,
        }
    }

    /// Whether the tags speak against it.
    fn denies(&self, candidate: &Candidate) -> bool {
        !self.title.is_empty() && !candidate.title.is_empty() && self.title != candidate.title
    }

    fn has_title(&self, candidate: &Candidate) -> bool {
        !self.title.is_empty() && self.title == candidate.title
    }

    fn has_artist(&self, candidate: &Candidate) -> bool {
        !self.artist.is_empty() && candidate.artists.contains(&self.artist)
    }

    fn has_album(&self, candidate: &Candidate) -> bool {
        self.album == candidate.album
    }

    fn has_mbid(&self, candidate: &Candidate) -> bool {
        candidate.mbids.iter().any(|mbid| self.mbids.contains(mbid))
    }

    fn has_length(&self, candidate: &Candidate) -> bool {
        self.duration_ms.is_none_or(|wanted| {
            candidate.duration_ms == 0 || candidate.duration_ms.abs_diff(wanted) <= TOLERANCE_MS
        })
    }
}

impl Candidate {
    fn of(row: &SqliteRow, title: String, mbids: Vec<String>) -> Self {
        let audio: Option<Vec<u8>> = row.get("audio_hash");
        Self {
            id: row.get("track_id"),
            parts: parts(row.get("path")),
            mbids,
            title,
            artists: [fold(row.get("display_artist")), fold(row.get("display_album_artist"))],
            album: fold(row.get("album_name")),
            duration_ms: row.get::<i64, _>("duration_ms").max(0) as u64,
            audio: audio.map(|hash| (hash, row.get("start_ms"))),
        }
    }
}

impl Index {
    fn add(&mut self, candidate: Candidate) {
        let at = self.candidates.len();
        if let Some(name) = candidate.parts.last() {
            self.by_name.entry(name.clone()).or_default().push(at);
        }
        for mbid in &candidate.mbids {
            self.by_mbid.entry(mbid.clone()).or_default().push(at);
        }
        if !candidate.title.is_empty() {
            self.by_title.entry(candidate.title.clone()).or_default().push(at);
        }
        self.candidates.push(candidate);
    }

    fn resolve(&self, wanted: &Wanted) -> Recognised<TrackId> {
        type Way = fn(&Index, &Wanted) -> Vec<usize>;
        let ways: [(By, Way); 3] = [
            (By::Path, Self::with_path),
            (By::MusicBrainz, Self::with_mbid),
            (By::Tags, Self::with_tags),
        ];
        for (by, way) in ways {
            match self.one_of(wanted, way(self, wanted)) {
                Ok(None) => (),
                Ok(Some(id)) => return Recognised::As(TrackId(id), by),
                Err(many) => return Recognised::Ambiguous(many),
            }
        }
        Recognised::Unknown
    }

    /// Those that share the longest end of the path, if that says enough.
    fn with_path(&self, wanted: &Wanted) -> Vec<usize> {
        let Some(named) = wanted.parts.last().and_then(|name| self.by_name.get(name)) else {
            return Vec::new();
        };
        let shared = |at: usize| {
            let own = self.candidates[at].parts.iter().rev();
            own.zip(wanted.parts.iter().rev()).take_while(|(own, wanted)| own == wanted).count()
        };
        let best = named.iter().map(|at| shared(*at)).max().unwrap_or(0);
        let found: Vec<usize> = named
            .iter()
            .copied()
            .filter(|at| shared(*at) == best)
            .filter(|at| SURE_PARTS <= best || !wanted.denies(&self.candidates[*at]))
            .collect();
        // A bare name like "01.mp3" says enough only together with the title.
        let agrees = || found.iter().any(|at| wanted.has_title(&self.candidates[*at]));
        if 2 <= best || agrees() { found } else { Vec::new() }
    }

    fn with_mbid(&self, wanted: &Wanted) -> Vec<usize> {
        let mut found: Vec<usize> = wanted
            .mbids
            .iter()
            .filter_map(|mbid| self.by_mbid.get(mbid))
            .flatten()
            .copied()
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    fn with_tags(&self, wanted: &Wanted) -> Vec<usize> {
        let Some(titled) = self.by_title.get(&wanted.title) else { return Vec::new() };
        let fits = |candidate: &Candidate| {
            wanted.has_artist(candidate)
                && (wanted.album.is_empty() || wanted.has_album(candidate))
                && wanted.has_length(candidate)
        };
        titled.iter().copied().filter(|at| fits(&self.candidates[*at])).collect()
    }

    /// The one that is meant, if there is no doubt; else how many it may be.
    fn one_of(
        &self,
        wanted: &Wanted,
        mut found: Vec<usize>,
    ) -> std::result::Result<Option<i64>, usize> {
        let tests: [fn(&Wanted, &Candidate) -> bool; 5] = [
            Wanted::has_mbid,
            Wanted::has_title,
            Wanted::has_artist,
            Wanted::has_album,
            Wanted::has_length,
        ];
        for test in tests {
            if found.len() < 2 {
                break;
            }
            let narrower: Vec<usize> =
                found.iter().copied().filter(|at| test(wanted, &self.candidates[*at])).collect();
            if !narrower.is_empty() {
                found = narrower;
            }
        }
        let Some(first) = found.first().map(|at| &self.candidates[*at]) else { return Ok(None) };
        let sounds_as_first =
            |at: &usize| first.audio.is_some() && self.candidates[*at].audio == first.audio;
        if found[1..].iter().all(sounds_as_first) { Ok(Some(first.id)) } else { Err(found.len()) }
    }
}

/// The parts of a path or of an address, folded; drive letters and the like are parts as others.
fn parts(location: &str) -> Vec<String> {
    let path = location.split_once("://").map_or(location, |(_, rest)| rest);
    path.split(['/', '\\']).filter(|part| !part.is_empty() && *part != ".").map(fold).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Path, title, artist, album, seconds, MusicBrainz id, audio.
    type Track = (&'static str, &'static str, &'static str, &'static str, u64, &'static str, u8);

    fn index(tracks: &[Track]) -> Index {
        let mut index = Index::default();
        for (at, (path, title, artist, album, seconds, mbid, audio)) in tracks.iter().enumerate() {
            index.add(Candidate {
                id: at as i64,
                parts: parts(path),
                mbids: (!mbid.is_empty()).then(|| (*mbid).to_owned()).into_iter().collect(),
                title: fold(title),
                artists: [fold(artist), String::new()],
                album: fold(album),
                duration_ms: seconds * 1000,
                audio: (0 < *audio).then(|| (vec![*audio], 0)),
            });
        }
        index
    }

    fn describe(
        path: &str,
        title: &str,
        artist: &str,
        album: &str,
        seconds: u64,
        mbid: &str,
    ) -> Description {
        Description {
            path: path.to_owned(),
            mbids: vec![mbid.to_owned()],
            title: title.to_owned(),
            artist: artist.to_owned(),
            album: album.to_owned(),
            duration_ms: (0 < seconds).then_some(seconds * 1000),
        }
    }

    #[test]
    fn a_description_means_one_track_or_none() {
        let index = index(&[
            ("Ann/Blue/01 One.flac", "One", "Ann", "Blue", 100, "a", 1),
            ("Ann/Red/01 One.flac", "One", "Ann", "Red", 100, "a", 2),
            ("x/01.mp3", "Left", "Bob", "Sides", 60, "", 3),
            ("y/01.mp3", "Right", "Bob", "Sides", 61, "", 4),
            ("mine/Cid/Air/1.ogg", "Air", "Cid", "Air", 10, "", 5),
            ("copy/Cid/Air/1.ogg", "Air", "Cid", "Air", 10, "", 5),
            ("p/Twin.mp3", "Twin", "Dee", "T", 10, "", 6),
            ("q/Twin.mp3", "Twin", "Dee", "T", 10, "", 7),
        ]);
        let by = |id, by| Recognised::As(TrackId(id), by);
        for (path, title, artist, album, seconds, mbid, expected) in [
            ("/music/Ann/Red/01 One.flac", "", "", "", 0, "", by(1, By::Path)),
            ("D:\\Musik\\ANN\\Blue\\01 One.flac", "", "", "", 0, "", by(0, By::Path)),
            // Three parts of a path outweigh a title that was changed since.
            ("/m/Ann/Blue/01 One.flac", "Uno", "", "", 0, "", by(0, By::Path)),
            // Two do not, and a file name alone says nothing.
            ("/other/x/01.mp3", "Nowhere", "", "", 0, "", Recognised::Unknown),
            ("01.mp3", "", "", "", 0, "", Recognised::Unknown),
            ("/z/01.mp3", "Right", "", "", 0, "", by(3, By::Path)),
            ("/gone/a.flac", "", "", "Red", 0, "A", by(1, By::MusicBrainz)),
            ("/gone/a.flac", "", "", "", 0, "a", Recognised::Ambiguous(2)),
            ("", "left", "BOB", "sides", 62, "", by(2, By::Tags)),
            ("", "Left", "Bob", "Sides", 90, "", Recognised::Unknown),
            ("", "Left", "Ann", "Sides", 60, "", Recognised::Unknown),
            ("", "Left", "", "", 0, "", Recognised::Unknown),
            // The same audio is the same music.
            ("", "Air", "Cid", "Air", 10, "", by(4, By::Tags)),
            ("", "Twin", "Dee", "T", 10, "", Recognised::Ambiguous(2)),
            ("", "", "", "", 0, "", Recognised::Unknown),
        ] {
            let wanted = Wanted::of(&describe(path, title, artist, album, seconds, mbid));
            assert_eq!(index.resolve(&wanted), expected, "{path} {title}");
        }
    }
}
