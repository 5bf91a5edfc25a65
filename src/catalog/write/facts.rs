//! From tags to rows: the pure part. What a track is called when its tags say nothing, who took
//! part in which role, which album it belongs to.

use crate::{
    catalog::identity::{self, AlbumFacts, VARIOUS_ARTISTS, VARIOUS_ARTISTS_MBID},
    catalog::path_text,
    media::tags::Tags,
};

/// Who is named when nobody is.
pub(super) const UNKNOWN_ARTIST: &str = "[Unknown Artist]";

/// Somebody named by a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) sort_name: Option<String>,
    pub(super) mbid: Option<String>,
}

/// A person in a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) role: String,
    pub(super) sub_role: String,
    pub(super) person: Person,
}

/// The album that a track belongs to, as the track describes it.
#[derive(Debug, Clone)]
pub(super) struct AlbumSeen {
    pub(super) key: String,
    pub(super) name: String,
    /// Empty when the album's artists follow from those of its tracks.
    pub(super) artists: Vec<Person>,
    pub(super) display_artist: String,
}

/// A track as it will be stored.
#[derive(Debug)]
pub(super) struct TrackFacts {
    pub(super) title: String,
    pub(super) order_key: String,
    pub(super) display_artist: String,
    pub(super) parts: Vec<Part>,
    pub(super) album: Option<AlbumSeen>,
    pub(super) release_date: String,
    pub(super) year: Option<i64>,
    pub(super) suffix: String,
}

/// Everything that follows from the tags of a file at `path`.
pub(super) fn track_facts(tags: &Tags, path: &str) -> TrackFacts {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let title = match tags.title.as_deref().map(str::trim) {
        Some(title) if !title.is_empty() => title.to_owned(),
        _ => path_text::shown(file.rsplit_once('.').map_or(file, |(stem, _)| stem)),
    };
    let order_key = identity::order_key(tags.sort_title.as_deref().unwrap_or(&title));
    let album_artists =
        people(&tags.album_artists, &tags.sort_album_artists, &tags.mbid_album_artists);
    let mut artists = people(&tags.artists, &tags.sort_artists, &tags.mbid_artists);
    let mut display_artist = tags.display_artist.clone().unwrap_or_else(|| joined(artists.iter()));
    if artists.is_empty() {
        artists = if album_artists.is_empty() { vec![unknown()] } else { album_artists.clone() };
        display_artist = joined(artists.iter());
    }
    let release_date = tags.release_date.clone().or_else(|| tags.date.clone()).unwrap_or_default();
    let album = album_seen(tags, folder, album_artists);
    let mut parts: Vec<Part> = Vec::new();
    for person in artists {
        parts.push(Part { role: "artist".to_owned(), sub_role: String::new(), person });
    }
    for person in album.iter().flat_map(|album| &album.artists) {
        parts.push(Part {
            role: "albumartist".to_owned(),
            sub_role: String::new(),
            person: person.clone(),
        });
    }
    for name in &tags.composers {
        parts.push(Part {
            role: "composer".to_owned(),
            sub_role: String::new(),
            person: named(name),
        });
    }
    for credit in tags.credits.iter().filter(|credit| !credit.name.trim().is_empty()) {
        parts.push(Part {
            role: credit.role.clone(),
            sub_role: credit.sub_role.clone(),
            person: named(&credit.name),
        });
    }
    let year = [Some(release_date.as_str()), tags.original_date.as_deref()]
        .into_iter()
        .flatten()
        .find_map(year_of);
    TrackFacts {
        title,
        order_key,
        display_artist,
        parts,
        album,
        release_date,
        year,
        suffix: suffix(&tags.audio.container, &tags.audio.codec, file),
    }
}

/// The year of `YYYY[-MM[-DD]]`.
pub(super) fn year_of(date: &str) -> Option<i64> {
    date.get(..4)?.parse().ok().filter(|year| 0 < *year)
}

/// Names as one line.
pub(super) fn joined<'a>(people: impl Iterator<Item = &'a Person>) -> String {
    people.map(|person| person.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// "Various Artists".
pub(super) fn various() -> Person {
    Person {
        name: VARIOUS_ARTISTS.to_owned(),
        sort_name: None,
        mbid: Some(VARIOUS_ARTISTS_MBID.to_owned()),
    }
}

fn unknown() -> Person {
    named(UNKNOWN_ARTIST)
}

fn named(name: &str) -> Person {
    Person { name: name.trim().to_owned(), sort_name: None, mbid: None }
}

/// Names with sort names and ids, where these are in step with the names.
fn people(names: &[String], sort_names: &[String], mbids: &[String]) -> Vec<Person> {
    let in_step = |list: &[String], at: usize| {
        (list.len() == names.len()).then(|| list[at].trim().to_owned()).filter(|it| !it.is_empty())
    };
    names
        .iter()
        .enumerate()
        .filter(|(_, name)| !name.trim().is_empty())
        .map(|(at, name)| {
            if identity::is_various(name) {
                return various();
            }
            Person {
                name: name.trim().to_owned(),
                sort_name: in_step(sort_names, at),
                mbid: in_step(mbids, at),
            }
        })
        .collect()
}

fn album_seen(tags: &Tags, folder: &str, mut artists: Vec<Person>) -> Option<AlbumSeen> {
    let name = tags.album.as_deref().unwrap_or_default().trim();
    // Beside an original date the other one is that of this release.
    let stated = tags.date.as_deref().filter(|_| tags.original_date.is_some());
    let key = identity::album_key(&AlbumFacts {
        mbid: tags.mbid_album.as_deref(),
        title: name,
        version: tags.album_version.as_deref().unwrap_or_default(),
        artists: &tags.album_artists,
        is_compilation: tags.is_compilation,
        date: tags.release_date.as_deref().or(stated).unwrap_or_default(),
        folder,
    })?;
    if artists.is_empty() && tags.is_compilation {
        artists.push(various());
    }
    let display_artist = match &tags.display_album_artist {
        Some(line) if !artists.is_empty() && !identity::is_various(line) => line.clone(),
        _ => joined(artists.iter()),
    };
    let name = if name.is_empty() { "[Unknown Album]" } else { name };
    Some(AlbumSeen { key, name: name.to_owned(), artists, display_artist })
}

/// The suffix to show: the file's own if it fits what is inside, else that of the content.
fn suffix(container: &str, codec: &str, file: &str) -> String {
    let fitting: &[&str] = match (container, codec) {
        ("mp3", _) => &["mp3"],
        ("flac", _) => &["flac"],
        ("ogg", "opus") => &["opus", "ogg", "oga"],
        ("ogg", "speex") => &["spx", "ogg"],
        ("ogg", "flac") => &["oga", "ogg"],
        ("ogg", _) => &["ogg", "oga"],
        ("mp4", _) => &["m4a", "m4b", "mp4", "m4r"],
        ("wav", _) => &["wav", "w64", "rf64"],
        ("aiff", _) => &["aiff", "aif", "aifc"],
        ("wavpack", _) => &["wv"],
        ("ape", _) => &["ape"],
        ("asf", _) => &["wma", "asf"],
        ("dsf", _) => &["dsf"],
        ("dff", _) => &["dff"],
        ("matroska", _) => &["mka", "mkv", "webm"],
        ("adts", _) => &["aac"],
        _ => &[],
    };
    let own = file.rsplit_once('.').map(|(_, own)| own.to_ascii_lowercase()).unwrap_or_default();
    match fitting.first() {
        Some(_) if fitting.contains(&own.as_str()) => own,
        Some(usual) => (*usual).to_owned(),
        None => own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::tags::Audio;

    fn tags(artists: &[&str], album_artists: &[&str], album: &str) -> Tags {
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Tags {
            artists: own(artists),
            album_artists: own(album_artists),
            album: Some(album.to_owned()),
            ..Tags::default()
        }
    }

    #[test]
    fn nobody_is_named_unknown() {
        let facts = track_facts(&Tags::default(), "A/B/01 song.mp3");
        assert_eq!(
            (facts.title.as_str(), facts.display_artist.as_str()),
            ("01 song", UNKNOWN_ARTIST)
        );
        assert!(facts.album.is_none());
        let facts = track_facts(&tags(&[], &["Ann"], "Blue"), "x.mp3");
        assert_eq!(facts.display_artist, "Ann");
    }

    #[test]
    fn compilations_are_by_various() {
        let mut of = tags(&["Ann"], &[], "Mix");
        of.is_compilation = true;
        let album = track_facts(&of, "x.mp3").album.unwrap();
        assert_eq!((album.display_artist.as_str(), album.artists.len()), (VARIOUS_ARTISTS, 1));
        let album = track_facts(&tags(&["Ann"], &[], "Blue"), "x.mp3").album.unwrap();
        assert!(album.artists.is_empty());
    }

    #[test]
    fn ids_count_only_in_step() {
        let mut of = tags(&["Ann", "Bob"], &[], "Blue");
        of.mbid_artists = vec!["1".to_owned()];
        assert!(track_facts(&of, "x").parts.iter().all(|part| part.person.mbid.is_none()));
        of.mbid_artists.push("2".to_owned());
        assert_eq!(track_facts(&of, "x").parts[1].person.mbid.as_deref(), Some("2"));
    }

    #[test]
    fn suffixes_follow_the_content() {
        for (container, codec, file, wanted) in [
            ("flac", "flac", "a.mp3", "flac"),
            ("ogg", "opus", "a.ogg", "ogg"),
            ("ogg", "opus", "a", "opus"),
            ("mp4", "aac", "a.M4B", "m4b"),
            ("strange", "x", "a.xyz", "xyz"),
        ] {
            assert_eq!(suffix(container, codec, file), wanted);
        }
        assert_eq!(Audio::default().container, "");
    }
}
