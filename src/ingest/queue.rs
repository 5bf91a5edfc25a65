//! What waits to be scanned. Whole libraries and parts of libraries wait apart, so that a new
//! file is heard while a large first scan goes on.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use super::{
    ScanKind,
    scan::{Belief, Order, parent},
    walk::Depth,
};
use crate::ids::LibraryId;

/// With more parts than this waiting, a scan of everything is cheaper.
const MOST_PARTS: usize = 500;

/// A part of a library.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PartOrder {
    /// A file or a folder, relative to the library; it may be gone.
    pub(super) path: String,
    pub(super) belief: Belief,
}

/// The queue.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    whole: Notify,
    parts: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    whole: BTreeMap<LibraryId, ScanKind>,
    parts: BTreeMap<LibraryId, BTreeSet<PartOrder>>,
}

impl Queue {
    /// A library waits for a scan; of two kinds the larger counts.
    pub(super) fn add_whole(&self, library: LibraryId, kind: ScanKind) {
        let mut waiting = self.lock();
        let known = waiting.whole.entry(library).or_insert(kind);
        *known = kind.max(*known);
        self.whole.notify_one();
    }

    /// A part of a library waits.
    pub(super) fn add_part(&self, library: LibraryId, part: PartOrder) {
        let mut waiting = self.lock();
        let parts = waiting.parts.entry(library).or_default();
        parts.insert(part);
        if MOST_PARTS < parts.len() {
            waiting.parts.remove(&library);
            waiting.whole.entry(library).or_insert(ScanKind::Changes);
            self.whole.notify_one();
        }
        self.parts.notify_one();
    }

    /// The next library to scan whole.
    pub(super) async fn next_whole(&self) -> (LibraryId, ScanKind) {
        loop {
            if let Some(next) = self.lock().whole.pop_first() {
                return next;
            }
            self.whole.notified().await;
        }
    }

    /// The next library with parts to scan, and all of them.
    pub(super) async fn next_parts(&self) -> (LibraryId, BTreeSet<PartOrder>) {
        loop {
            if let Some(next) = self.lock().parts.pop_first() {
                return next;
            }
            self.parts.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The scans that see to these parts: each folder once, with what is below it where a part is a
/// folder itself or is gone. `is_folder` looks at the disk.
pub(super) fn plan(
    parts: &BTreeSet<PartOrder>,
    mut is_folder: impl FnMut(&str) -> Option<bool>,
) -> Vec<Order> {
    let mut orders: BTreeMap<(String, bool), (Belief, BTreeSet<String>)> = BTreeMap::new();
    for part in parts {
        let mut path = part.path.as_str();
        let mut deep = false;
        let mut gone = None;
        loop {
            match is_folder(path) {
                Some(true) => {
                    // What was asked for is listed whole; above it only its own files matter.
                    deep |= path == part.path;
                    break;
                }
                _ if path.is_empty() => break,
                // A file, or gone: its folder tells.
                found => {
                    if found.is_none() {
                        gone = Some(path);
                    }
                    path = parent(path);
                }
            }
        }
        let order = orders.entry((path.to_owned(), deep)).or_insert((part.belief, BTreeSet::new()));
        order.0 = part.belief.max(order.0);
        order.1.extend(gone.map(str::to_owned));
    }
    orders
        .into_iter()
        .map(|((from, deep), (belief, gone))| Order {
            gone: gone.into_iter().collect(),
            kind: ScanKind::Changes,
            belief,
            from,
            depth: if deep { Depth::All } else { Depth::One },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_become_few_scans() {
        let part = |path: &str, belief| PartOrder { path: path.to_owned(), belief };
        let parts = BTreeSet::from([
            part("a/1.mp3", Belief::Ask),
            part("a/2.mp3", Belief::Believe),
            part("b", Belief::Ask),
            part("gone/x/1.mp3", Belief::Ask),
        ]);
        let plan = plan(&parts, |path| match path {
            "" | "a" | "b" => Some(true),
            "a/1.mp3" => Some(false),
            _ => None,
        });
        let seen: Vec<_> =
            plan.iter().map(|order| (order.from.as_str(), order.depth, order.belief)).collect();
        assert_eq!(plan[0].gone, ["gone"]);
        assert_eq!(plan[1].gone, ["a/2.mp3"]);
        assert_eq!(
            seen,
            [
                ("", Depth::One, Belief::Ask),
                ("a", Depth::One, Belief::Believe),
                ("b", Depth::All, Belief::Ask),
            ]
        );
    }

    #[tokio::test]
    async fn the_larger_kind_counts() {
        let queue = Queue::default();
        queue.add_whole(LibraryId(1), ScanKind::Full);
        queue.add_whole(LibraryId(1), ScanKind::Changes);
        assert_eq!(queue.next_whole().await, (LibraryId(1), ScanKind::Full));
    }
}
