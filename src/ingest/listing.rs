//! What lies in one folder, as far as it matters to a music library: told by name alone, nothing
//! is opened here.

use std::collections::BTreeMap;

/// What a file may be, by its name. What it is, its content tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Perhaps music.
    Audio,
    /// Perhaps a picture.
    Picture,
    /// Lyrics with times.
    Lrc,
    /// Lyrics without.
    Text,
    /// A cue sheet.
    Cue,
    /// A playlist.
    Playlist,
}

/// A file of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// As `path_text` writes it.
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) size_bytes: i64,
    pub(super) modified_ns: i64,
    pub(super) inode: i64,
}

/// A folder, its files in order of name.
#[derive(Debug)]
pub(super) struct Listing {
    /// Relative to the library, '' for the root.
    pub(super) path: String,
    pub(super) modified_ns: i64,
    pub(super) entries: Vec<Entry>,
    /// Of names, sizes and times: the same listing has the same one.
    pub(super) fingerprint: [u8; 32],
}

const AUDIO: &[&str] = &[
    "mp3", "flac", "ogg", "oga", "opus", "spx", "m4a", "m4b", "mp4", "m4r", "aac", "wav", "w64",
    "aiff", "aif", "aifc", "wv", "ape", "wma", "asf", "dsf", "dff", "mka", "webm", "mpc", "tta",
    "mp2", "caf", "au",
];
const PICTURES: &[&str] = &["jpg", "jpeg", "png", "webp", "gif", "bmp"];
const COVERS: &[&str] = &["cover", "folder", "front", "albumart", "album", "artwork", "thumb"];
const SKIPPED: &[&[u8]] =
    &[b"lost+found", b"@eaDir", b"#recycle", b"$RECYCLE.BIN", b"System Volume Information"];

/// What a file of this name may be.
pub(super) fn kind_of(name: &[u8]) -> Option<Kind> {
    let at = name.iter().rposition(|byte| *byte == b'.')?;
    let suffix = name.get(at + 1..).filter(|suffix| (2..=5).contains(&suffix.len()))?;
    let suffix = std::str::from_utf8(suffix).ok()?.to_ascii_lowercase();
    match suffix.as_str() {
        "lrc" | "ttml" => Some(Kind::Lrc),
        "txt" => Some(Kind::Text),
        "cue" => Some(Kind::Cue),
        "m3u" | "m3u8" | "pls" | "xspf" | "nsp" => Some(Kind::Playlist),
        suffix if AUDIO.contains(&suffix) => Some(Kind::Audio),
        suffix if PICTURES.contains(&suffix) => Some(Kind::Picture),
        _ => None,
    }
}

/// Whether a folder is a file system's or a NAS's own.
pub(super) fn is_skipped_folder(name: &[u8]) -> bool {
    SKIPPED.contains(&name)
}

/// A name without its suffix.
pub(super) fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

impl Listing {
    pub(super) fn new(path: String, modified_ns: i64, mut entries: Vec<Entry>) -> Self {
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let mut hash = blake3::Hasher::new();
        for entry in &entries {
            hash.update(entry.name.as_bytes());
            hash.update(b"\0");
            hash.update(&entry.size_bytes.to_le_bytes());
            hash.update(&entry.modified_ns.to_le_bytes());
        }
        let fingerprint = hash.finalize().into();
        Self { path, modified_ns, entries, fingerprint }
    }

    /// Files that may be music.
    pub(super) fn audio(&self) -> impl Iterator<Item = &Entry> {
        self.of(Kind::Audio)
    }

    pub(super) fn of(&self, kind: Kind) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.kind == kind)
    }

    /// The path of one of its files.
    pub(super) fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}/{name}", self.path) }
    }

    /// The picture that stands for the folder: one of the usual names, else the only one beside
    /// music.
    pub(super) fn cover(&self) -> Option<&Entry> {
        let rank = |entry: &Entry| {
            let name = stem(&entry.name).to_ascii_lowercase();
            COVERS.iter().position(|cover| name == *cover)
        };
        let named = self.of(Kind::Picture).filter_map(|entry| Some((rank(entry)?, entry)));
        if let Some((_, entry)) = named.min_by_key(|(rank, _)| *rank) {
            return Some(entry);
        }
        let mut others = self.of(Kind::Picture).filter(|entry| !is_artist(entry));
        let only = others.next().filter(|_| others.next().is_none());
        only.filter(|_| self.audio().next().is_some())
    }

    /// The picture of the artist whose folder this is.
    pub(super) fn artist_picture(&self) -> Option<&Entry> {
        self.of(Kind::Picture).find(|entry| is_artist(entry))
    }

    /// What lies beside each file of music and belongs to it, by the file's name.
    pub(super) fn sidecars(&self) -> BTreeMap<&str, Vec<&Entry>> {
        let mut beside: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
        let is_beside = |kind| matches!(kind, Kind::Lrc | Kind::Text | Kind::Cue);
        if !self.entries.iter().any(|entry| is_beside(entry.kind)) {
            return beside;
        }
        let mut by_stem: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for entry in self.audio() {
            by_stem.entry(stem(&entry.name)).or_default().push(&entry.name);
        }
        for entry in self.entries.iter().filter(|entry| is_beside(entry.kind)) {
            // `image.cue` and `image.flac.cue`; a sheet of another name may be any file's.
            let own =
                by_stem.get(stem(&entry.name)).or_else(|| by_stem.get(stem(stem(&entry.name))));
            let names: Vec<&str> = match own {
                Some(names) => names.clone(),
                None if entry.kind == Kind::Cue => by_stem.values().flatten().copied().collect(),
                None => continue,
            };
            for name in names {
                beside.entry(name).or_default().push(entry);
            }
        }
        beside
    }
}

/// One number that changes when any of these files does; 0 for none.
pub(super) fn stamp(entries: &[&Entry]) -> i64 {
    if entries.is_empty() {
        return 0;
    }
    let mut hash = blake3::Hasher::new();
    for entry in entries {
        hash.update(entry.name.as_bytes());
        hash.update(&entry.size_bytes.to_le_bytes());
        hash.update(&entry.modified_ns.to_le_bytes());
    }
    let mut number = [0; 8];
    hash.finalize_xof().fill(&mut number);
    // Above 0, and never mistaken for "none".
    (i64::from_le_bytes(number) & i64::MAX).max(1)
}

fn is_artist(entry: &Entry) -> bool {
    stem(&entry.name).eq_ignore_ascii_case("artist")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(names: &[&str]) -> Listing {
        let entries = names
            .iter()
            .map(|name| Entry {
                name: (*name).to_owned(),
                kind: kind_of(name.as_bytes()).unwrap(),
                size_bytes: 1,
                modified_ns: 2,
                inode: 3,
            })
            .collect();
        Listing::new("a".to_owned(), 0, entries)
    }

    #[test]
    fn names_tell_kinds() {
        assert_eq!(kind_of(b"x.MP3"), Some(Kind::Audio));
        assert_eq!(kind_of(b"bad-\xff.flac"), Some(Kind::Audio));
        assert_eq!(kind_of(b"x.m3u8"), Some(Kind::Playlist));
        for other in ["x", "x.", "mp3", "x.nfo", "x.mp3.part"] {
            assert_eq!(kind_of(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn covers_by_name_then_the_only_one() {
        let cover = |names: &[&str]| listing(names).cover().map(|entry| entry.name.clone());
        assert_eq!(
            cover(&["back.jpg", "Folder.JPG", "cover.png", "1.mp3"]),
            Some("cover.png".into())
        );
        assert_eq!(cover(&["scan.jpg", "artist.jpg", "1.mp3"]), Some("scan.jpg".into()));
        assert_eq!(cover(&["scan.jpg", "back.jpg", "1.mp3"]), None);
        assert_eq!(cover(&["scan.jpg"]), None);
        assert!(listing(&["Artist.png"]).artist_picture().is_some());
    }

    #[test]
    fn sidecars_belong_by_stem() {
        let listing =
            listing(&["1.flac", "1.lrc", "2.flac", "album.cue", "notes.txt", "2.flac.cue"]);
        let beside = listing.sidecars();
        let names = |of: &str| beside[of].iter().map(|entry| &*entry.name).collect::<Vec<_>>();
        assert_eq!(names("1.flac"), ["1.lrc", "album.cue"]);
        assert_eq!(names("2.flac"), ["2.flac.cue", "album.cue"]);
        assert_eq!(stamp(&[]), 0);
        assert_ne!(stamp(&beside["1.flac"]), stamp(&beside["2.flac"]));
    }
}
