//! What changed in a folder: its listing against the rows of its files. Pure.

use std::collections::HashMap;

use super::{
    ScanKind,
    listing::{Entry, Listing, stamp},
};
use crate::ids::MediaFileId;

/// A row of a file in this folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) id: MediaFileId,
    /// Its name in the folder.
    pub(super) name: String,
    pub(super) size_bytes: i64,
    pub(super) modified_ns: i64,
    pub(super) inode: i64,
    pub(super) sidecar_stamp: i64,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// No row has its name; it may still be one that moved here from another folder.
    Added,
    /// It or what lies beside it is not as the row says.
    Changed,
    /// The row of another name in this folder.
    Moved(MediaFileId),
}

/// The result: files to read by their place in the listing, and rows without a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Diff {
    pub(super) read: Vec<(usize, Change, i64)>,
    pub(super) gone: Vec<(MediaFileId, String)>,
}

/// Compares. A full scan takes every file as changed.
pub(super) fn diff(listing: &Listing, known: &[Known], kind: ScanKind) -> Diff {
    let beside = listing.sidecars();
    let stamp_of = |entry: &Entry| beside.get(entry.name.as_str()).map_or(0, |it| stamp(it));
    let by_name: HashMap<&str, usize> =
        known.iter().enumerate().map(|(at, row)| (row.name.as_str(), at)).collect();
    let mut used = vec![false; known.len()];
    let mut open = Vec::new();
    let mut result = Diff::default();
    let audio = listing.entries.iter().enumerate();
    for (at, entry) in audio.filter(|(_, entry)| entry.kind == super::listing::Kind::Audio) {
        let row = by_name.get(entry.name.as_str()).copied();
        let is_same = row.is_some_and(|row| is_same_file(entry, &known[row]));
        if let Some(row) = row.filter(|_| is_same) {
            used[row] = true;
            let stamp = stamp_of(entry);
            if kind == ScanKind::Full || known[row].sidecar_stamp != stamp {
                result.read.push((at, Change::Changed, stamp));
            }
        } else {
            open.push((at, entry, row));
        }
    }
    // A file that kept its number, size and time under another name was renamed.
    let by_inode: HashMap<i64, usize> = known
        .iter()
        .enumerate()
        .filter(|(at, _)| !used[*at])
        .map(|(at, row)| (row.inode, at))
        .collect();
    let mut rest = Vec::new();
    for (at, entry, row) in open {
        let from = by_inode.get(&entry.inode).copied().filter(|from| {
            !used[*from] && Some(*from) != row && is_same_file(entry, &known[*from])
        });
        if let Some(from) = from {
            used[from] = true;
            result.read.push((at, Change::Moved(known[from].id), stamp_of(entry)));
        } else {
            rest.push((at, entry, row));
        }
    }
    for (at, entry, row) in rest {
        let change = match row.filter(|row| !used[*row]) {
            Some(row) => {
                used[row] = true;
                Change::Changed
            }
            None => Change::Added,
        };
        result.read.push((at, change, stamp_of(entry)));
    }
    result.read.sort_unstable_by_key(|(at, ..)| *at);
    let gone = known.iter().zip(used).filter(|(_, used)| !used);
    result.gone.extend(gone.map(|(row, _)| (row.id, row.name.clone())));
    result
}

/// Size and time agree. Not every file system keeps a file's number, so that is not asked.
fn is_same_file(entry: &Entry, row: &Known) -> bool {
    entry.size_bytes == row.size_bytes && entry.modified_ns == row.modified_ns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::listing::kind_of;

    /// (name, size, time, inode)
    type File = (&'static str, i64, i64, i64);

    fn check(found: &[File], known: &[File], read: &[(&str, Change)], gone: &[&str]) {
        let entries = found
            .iter()
            .map(|(name, size, time, inode)| Entry {
                name: (*name).to_owned(),
                kind: kind_of(name.as_bytes()).unwrap(),
                size_bytes: *size,
                modified_ns: *time,
                inode: *inode,
            })
            .collect();
        let listing = Listing::new(String::new(), 0, entries);
        let rows: Vec<Known> = known
            .iter()
            .enumerate()
            .map(|(at, (name, size, time, inode))| Known {
                id: MediaFileId(at as i64 + 1),
                name: (*name).to_owned(),
                size_bytes: *size,
                modified_ns: *time,
                inode: *inode,
                sidecar_stamp: 0,
            })
            .collect();
        let result = diff(&listing, &rows, ScanKind::Changes);
        let found: Vec<(&str, Change)> = result
            .read
            .iter()
            .map(|(at, change, _)| (listing.entries[*at].name.as_str(), *change))
            .collect();
        assert_eq!(found, read);
        assert_eq!(result.gone.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(), gone);
    }

    #[test]
    fn table() {
        let (a, b) = (("a.mp3", 1, 1, 1), ("b.mp3", 2, 2, 2));
        let id = MediaFileId;
        check(&[a, b], &[a, b], &[], &[]);
        check(&[a, b], &[a], &[("b.mp3", Change::Added)], &[]);
        check(&[a], &[a, b], &[], &["b.mp3"]);
        // Another time; rewritten by a tagger (new number).
        check(&[("a.mp3", 1, 9, 1)], &[a], &[("a.mp3", Change::Changed)], &[]);
        check(&[("a.mp3", 9, 9, 9)], &[a], &[("a.mp3", Change::Changed)], &[]);
        // A number that changed alone means another mount, not another file.
        check(&[("a.mp3", 1, 1, 9)], &[a], &[], &[]);
        // Renamed; two that swapped names; a chain.
        check(&[("c.mp3", 1, 1, 1)], &[a], &[("c.mp3", Change::Moved(id(1)))], &[]);
        check(
            &[("a.mp3", 2, 2, 2), ("b.mp3", 1, 1, 1)],
            &[a, b],
            &[("a.mp3", Change::Moved(id(2))), ("b.mp3", Change::Moved(id(1)))],
            &[],
        );
        check(
            &[("a.mp3", 5, 5, 5), ("b.mp3", 1, 1, 1)],
            &[a, b],
            &[("a.mp3", Change::Added), ("b.mp3", Change::Moved(id(1)))],
            &["b.mp3"],
        );
        // A copy beside the original is new.
        check(&[a, ("c.mp3", 1, 1, 7)], &[a], &[("c.mp3", Change::Added)], &[]);
        // Words came to it.
        check(&[a, ("a.lrc", 1, 1, 8)], &[a], &[("a.mp3", Change::Changed)], &[]);
    }

    #[test]
    fn full_reads_everything() {
        let entry = Entry {
            name: "a.mp3".to_owned(),
            kind: super::super::listing::Kind::Audio,
            size_bytes: 1,
            modified_ns: 1,
            inode: 1,
        };
        let row = Known {
            id: MediaFileId(1),
            name: "a.mp3".to_owned(),
            size_bytes: 1,
            modified_ns: 1,
            inode: 1,
            sidecar_stamp: 0,
        };
        let listing = Listing::new(String::new(), 0, vec![entry]);
        assert_eq!(diff(&listing, &[row], ScanKind::Full).read, [(0, Change::Changed, 0)]);
    }
}
