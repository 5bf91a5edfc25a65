//! Playlist files of a library. Their entries are words of a stranger: only what lies inside the
//! library counts, whatever they name.

use std::{collections::BTreeSet, sync::Arc};

use tokio::task::spawn_blocking;
use unicode_normalization::UnicodeNormalization as _;

use super::{
    Ingest,
    libraries::Root,
    listing::stem,
    recognise::is_absent,
    scan::Order,
    walk::{Depth, Lent, absolute},
};
use crate::{
    Result,
    catalog::{Rules, path_text, write::PlaylistFound},
    media::playlist_file::{self, Syntax},
};

/// A longer file is no playlist.
const LARGEST: u64 = 4 << 20;

impl Ingest {
    /// Brings rows up to date with playlist files, when anything changed that they could name.
    pub(super) async fn sync_playlists(
        &self,
        library: &Root,
        lent: &Arc<Lent>,
        order: &Order,
        seen: &[String],
        changed: bool,
    ) -> Result<()> {
        let known: BTreeSet<String> =
            self.catalog.playlist_files(library.id).await?.into_iter().collect();
        let seen: BTreeSet<String> = seen.iter().cloned().collect();
        let unseen = known.iter().filter(|path| covers(order, path) && !seen.contains(*path));
        let unseen: Vec<String> = unseen.cloned().collect();
        let (root, lent) = (library.path.clone(), Arc::clone(lent));
        // A folder that cannot be listed shows none of its lists, and they are not gone for that.
        let gone: Vec<String> = spawn_blocking(move || {
            unseen.into_iter().filter(|path| is_absent(&root, &lent, path)).collect()
        })
        .await?;
        if !changed && gone.is_empty() && seen.is_subset(&known) {
            return Ok(());
        }
        let wanted: Vec<String> =
            known.union(&seen).filter(|path| !gone.contains(path)).cloned().collect();
        let root = library.path.clone();
        let found = spawn_blocking(move || {
            let read = |path: String| {
                let at = absolute(&root, &path);
                let is_small = std::fs::symlink_metadata(&at)
                    .is_ok_and(|it| it.is_file() && it.len() <= LARGEST);
                let bytes = is_small.then(|| std::fs::read(&at).ok()).flatten()?;
                parse(&root, path, &bytes)
            };
            wanted.into_iter().filter_map(read).collect::<Vec<_>>()
        })
        .await?;
        self.catalog.apply_playlists(library.id, &found, &gone).await
    }
}

/// Whether a scan would have come by this file.
fn covers(order: &Order, path: &str) -> bool {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    folder == order.from
        || order.gone.iter().any(|gone| folder == gone || folder.starts_with(&format!("{gone}/")))
        || (order.depth == Depth::All
            && (order.from.is_empty() || folder.starts_with(&format!("{}/", order.from))))
}

/// What a playlist file says; `None` for a smart one whose rules make no sense.
fn parse(root: &std::path::Path, path: String, bytes: &[u8]) -> Option<PlaylistFound> {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", &path));
    if file.to_ascii_lowercase().ends_with(".nsp") {
        return parse_smart(path, bytes);
    }
    let syntax = Syntax::of_name(file).unwrap_or(Syntax::M3u);
    let list = playlist_file::parse(syntax, bytes);
    let entries = list
        .entries
        .iter()
        .map(|entry| candidates(&path_text::encode_path(root), folder, &entry.location))
        .filter(|candidates| !candidates.is_empty())
        .collect();
    let name = list.name.filter(|name| !name.trim().is_empty());
    let name = name.unwrap_or_else(|| path_text::shown(stem(file)));
    Some(PlaylistFound { path, name, entries, rules: None })
}

/// Rules as Navidrome keeps them in files: JSON with a name beside them.
fn parse_smart(path: String, bytes: &[u8]) -> Option<PlaylistFound> {
    let json: serde_json::Value = serde_json::from_slice(bytes)
        .inspect_err(|error| tracing::warn!(path, "a smart playlist is not JSON: {error}"))
        .ok()?;
    let rules = Rules::parse(&json)
        .inspect_err(|error| tracing::warn!(path, "a smart playlist makes no sense: {error}"))
        .ok()?;
    let named = json.get("name").and_then(serde_json::Value::as_str).map(str::trim);
    let file = path.rsplit('/').next().unwrap_or(&path);
    let name = match named.filter(|name| !name.is_empty()) {
        Some(name) => name.chars().take(200).collect(),
        None => path_text::shown(stem(file)),
    };
    Some(PlaylistFound { path, name, entries: Vec::new(), rules: Some(rules) })
}

/// The paths in the library that an entry may mean, best first; none for addresses and for what
/// lies outside.
fn candidates(root: &str, folder: &str, location: &str) -> Vec<String> {
    let location = location.strip_prefix("file://").unwrap_or(location);
    if location.contains("://") {
        return Vec::new();
    }
    let slashed = location.replace('\\', "/");
    let mut found = Vec::new();
    for location in [location, slashed.as_str()] {
        let inside = match location.strip_prefix('/') {
            Some(_) => location
                .strip_prefix(root)
                .filter(|rest| rest.starts_with('/'))
                .and_then(|rest| resolve("", rest)),
            None => resolve(folder, location),
        };
        for path in
            inside.into_iter().flat_map(|path| [path.nfc().collect(), path.nfd().collect(), path])
        {
            if !found.contains(&path) {
                found.push(path);
            }
        }
    }
    // As written comes first.
    found.reverse();
    found
}

/// Joins without leaving the library.
fn resolve(folder: &str, location: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in location.split('/') {
        match part {
            "" | "." => (),
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_stay_inside() {
        let first = |location: &str| candidates("/music", "A/B", location).into_iter().next();
        for (location, path) in [
            ("01.mp3", Some("A/B/01.mp3")),
            ("CD1/01.mp3", Some("A/B/CD1/01.mp3")),
            ("../C/./01.mp3", Some("A/C/01.mp3")),
            ("..\\C\\01.mp3", Some("A/C/01.mp3")),
            ("/music/X/1.mp3", Some("X/1.mp3")),
            ("/musical/X/1.mp3", None),
            ("/etc/passwd", None),
            ("../../../etc/passwd", None),
            ("http://host/1.mp3", None),
            ("file:///music/X/1.mp3", Some("X/1.mp3")),
            ("..", Some("A")),
            ("../..", None),
        ] {
            let found = candidates("/music", "A/B", location);
            match path {
                Some(path) => assert!(found.iter().any(|it| it == path), "{location}: {found:?}"),
                None => assert_eq!(first(location), None, "{location}"),
            }
        }
    }
}
