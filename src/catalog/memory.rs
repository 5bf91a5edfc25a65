//! What reads remember between changes of the catalogue: facts of albums, tracks and artists by
//! id, windows of id lists, and how to find the way to deep ones. Everything here can be dropped
//! at any time; it is dropped as a whole when the revision grows, and when nobody asked for a
//! while, so that a server at rest is small.

use std::{
    borrow::Borrow,
    collections::{BTreeMap, HashMap},
    hash::Hash,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::catalog::{AlbumFacts, ArtistFacts, Genre, TrackFacts, search::Ranked};

/// Rows that are read in one statement.
pub(super) const PORTION: usize = 500;

/// A window of ids and the length of the whole list.
#[derive(Debug, Default)]
pub(super) struct Ids {
    /// Row ids in order.
    pub(super) window: Vec<i64>,
    /// All that match, where it was asked for.
    pub(super) total: Option<u64>,
}

/// Where windows of one list ended: offset, and the row that stands right before it.
pub(super) type Ends = Mutex<BTreeMap<u64, i64>>;

/// Remembered reads.
#[derive(Debug)]
pub(super) struct Memory {
    /// By album id.
    pub(super) albums: Recent<i64, Arc<AlbumFacts>>,
    /// By track id.
    pub(super) tracks: Recent<i64, Arc<TrackFacts>>,
    /// The tracks of an album by its id: row ids in order.
    pub(super) album_tracks: Recent<i64, Arc<[i64]>>,
    /// Albums that somebody sees more than once and is not shown, by visibility.
    pub(super) twins: Recent<String, super::twins::Hidden>,
    /// Windows of id lists, by the statement that finds them.
    pub(super) ids: Recent<String, Arc<Ids>>,
    /// What searches found, ranked.
    pub(super) searches: Recent<String, Arc<Ranked>>,
    /// Where windows ended, by the list's statement.
    pub(super) ends: Recent<String, Arc<Ends>>,
    /// What libraries make visible of artists, by visibility and id.
    pub(super) artists: Recent<(Arc<str>, i64), Arc<ArtistFacts>>,
    /// Genres by visibility.
    pub(super) genres: Recent<String, Arc<Vec<Genre>>>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            albums: Recent::with_room(2_000),
            tracks: Recent::with_room(4_000),
            album_tracks: Recent::with_room(40_000),
            twins: Recent::with_room(40_000),
            ids: Recent::with_room(400_000),
            searches: Recent::with_room(100_000),
            ends: Recent::with_room(64),
            artists: Recent::with_room(2_000),
            genres: Recent::with_room(32),
        }
    }
}

impl Memory {
    /// Drops everything: the catalogue changed.
    pub(super) fn forget(&self) {
        self.each(|memory| memory.forget());
    }

    /// Drops what nobody asked for since the last time; called now and then.
    pub(super) fn tidy(&self) {
        self.each(|memory| memory.forget_idle());
    }

    fn each(&self, forget: fn(&dyn Forget)) {
        let all: [&dyn Forget; 9] = [
            &self.albums,
            &self.tracks,
            &self.album_tracks,
            &self.twins,
            &self.ids,
            &self.searches,
            &self.ends,
            &self.artists,
            &self.genres,
        ];
        all.into_iter().for_each(forget);
    }
}

/// What all memories have in common.
pub(super) trait Forget {
    /// Drops everything.
    fn forget(&self);
    /// Drops everything if nothing was asked for since the last time.
    fn forget_idle(&self);
}

/// What was asked for of late, up to a weight. Two generations: what is read goes into the younger
/// one, and when that holds half of the weight it becomes the older one, of which only what was
/// asked for meanwhile stays. So all that fits stays, also if it is asked for in turn. A look-up is
/// a hash and a lock that readers share, many times cheaper than exact order.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    room: usize,
    was_asked: AtomicBool,
    kept: RwLock<Kept<K, V>>,
}

#[derive(Debug)]
struct Kept<K, V> {
    /// A read that began before a change cannot leave its old answer behind, because it comes
    /// under the old revision.
    revision: i64,
    young: HashMap<K, (V, usize)>,
    old: HashMap<K, Aged<V>>,
    weight: usize,
}

/// One of the older generation.
#[derive(Debug)]
struct Aged<V> {
    value: V,
    weight: usize,
    /// Asked for since it is of this generation.
    was_asked: AtomicBool,
}

impl<K: Hash + Eq + Clone, V: Clone> Recent<K, V> {
    pub(super) fn with_room(room: usize) -> Self {
        let kept = Kept { revision: 0, young: HashMap::new(), old: HashMap::new(), weight: 0 };
        Self { room, was_asked: AtomicBool::new(false), kept: RwLock::new(kept) }
    }

    /// What was remembered under this key since the revision began.
    pub(super) fn get<Q>(&self, revision: i64, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.get_all(revision, [key]).pop().flatten()
    }

    /// As [`Self::get`] for many keys, in their order.
    pub(super) fn get_all<'a, Q>(
        &self,
        revision: i64,
        keys: impl IntoIterator<Item = &'a Q>,
    ) -> Vec<Option<V>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized + 'a,
    {
        self.was_asked.store(true, Ordering::Relaxed);
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let is_valid = kept.revision == revision;
        keys.into_iter()
            .map(|key| {
                if !is_valid {
                    return None;
                }
                if let Some((value, _)) = kept.young.get(key) {
                    return Some(value.clone());
                }
                let aged = kept.old.get(key)?;
                aged.was_asked.store(true, Ordering::Relaxed);
                Some(aged.value.clone())
            })
            .collect()
    }

    /// Remembers what was read at a revision.
    pub(super) fn insert(&self, revision: i64, key: K, value: V, weight: usize) {
        self.insert_all(revision, [(key, value, weight)]);
    }

    /// As [`Self::insert`] for many.
    pub(super) fn insert_all(
        &self,
        revision: i64,
        entries: impl IntoIterator<Item = (K, V, usize)>,
    ) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if revision < kept.revision {
            return;
        }
        if kept.revision < revision {
            kept.clear();
            kept.revision = revision;
        }
        for (key, value, weight) in entries {
            if self.room / 2 < weight {
                continue;
            }
            if self.room / 2 < kept.weight + weight {
                kept.grow_old(self.room / 4);
            }
            let before = kept.young.insert(key, (value, weight));
            kept.weight += weight;
            kept.weight -= before.map_or(0, |(_, weight)| weight);
        }
    }
}

/// Rows of which some are remembered.
pub(super) struct Partly<'r, V> {
    rows: &'r [i64],
    found: Vec<Option<V>>,
    /// Those that have to be read, in order.
    pub(super) unknown: Vec<i64>,
    /// What was read of them.
    pub(super) fresh: HashMap<i64, V>,
}

impl<V: Clone> Recent<i64, V> {
    /// What is remembered of these rows.
    pub(super) fn look<'r>(&self, revision: i64, rows: &'r [i64]) -> Partly<'r, V> {
        let found = self.get_all(revision, rows);
        let pairs = rows.iter().zip(&found);
        let unknown = pairs.filter(|(_, known)| known.is_none()).map(|(row, _)| *row).collect();
        Partly { rows, found, unknown, fresh: HashMap::new() }
    }

    /// All of them in their order, when the unknown ones were read. Those of which nothing came
    /// are left out.
    pub(super) fn complete(&self, revision: i64, partly: Partly<'_, V>) -> Vec<V> {
        let Partly { rows, found, unknown, fresh } = partly;
        // A list longer than the memory would only push out what is useful.
        if unknown.len() <= 2 * PORTION {
            self.insert_all(revision, fresh.iter().map(|(row, value)| (*row, value.clone(), 1)));
        }
        rows.iter()
            .zip(found)
            .filter_map(|(row, known)| known.or_else(|| fresh.get(row).cloned()))
            .collect()
    }
}

impl<K, V> Forget for Recent<K, V> {
    fn forget(&self) {
        self.kept.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn forget_idle(&self) {
        if !self.was_asked.swap(false, Ordering::Relaxed) {
            self.forget();
        }
    }
}

impl<K: Hash + Eq, V> Kept<K, V> {
    /// The younger generation becomes the older one. Of that, what was asked for is young again,
    /// up to a weight that leaves room for what is new.
    fn grow_old(&mut self, most: usize) {
        let aged = |(key, (value, weight))| {
            (key, Aged { value, weight, was_asked: AtomicBool::new(false) })
        };
        let young = std::mem::take(&mut self.young).into_iter().map(aged).collect();
        let old = std::mem::replace(&mut self.old, young);
        self.weight = 0;
        for (key, aged) in old {
            let stays = aged.was_asked.into_inner() && !self.old.contains_key(&key);
            if stays && self.weight + aged.weight <= most {
                self.weight += aged.weight;
                self.young.insert(key, (aged.value, aged.weight));
            }
        }
    }
}

impl<K, V> Kept<K, V> {
    /// New maps, so that the old ones' room goes back.
    fn clear(&mut self) {
        (self.young, self.old) = (HashMap::default(), HashMap::default());
        self.weight = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_stay_and_the_revision_rules() {
        let recent: Recent<i64, i64> = Recent::with_room(8);
        for key in 0..4 {
            recent.insert(1, key, key * 10, 1);
        }
        assert_eq!(recent.get(1, &0), Some(0));
        // A new generation begins; what is asked for comes along.
        recent.insert(1, 4, 40, 1);
        assert_eq!(recent.get(1, &1), Some(10));
        for key in 5..9 {
            recent.insert(1, key, key * 10, 1);
        }
        let found = recent.get_all(1, &[0, 1, 2, 4, 5, 7, 8]);
        assert_eq!(found, [None, Some(10), None, Some(40), Some(50), Some(70), Some(80)]);
        assert_eq!(recent.get(2, &7), None, "the catalogue changed");
        recent.insert(2, 7, 71, 1);
        recent.insert(1, 7, 70, 1);
        assert_eq!(recent.get(2, &7), Some(71), "a late old answer is not taken");
    }

    #[test]
    fn what_fits_stays_though_it_is_asked_for_in_turn() {
        let recent: Recent<i64, i64> = Recent::with_room(8);
        let mut reads = 0;
        for _ in 0..5 {
            for key in 0..7 {
                if recent.get(1, &key).is_none() {
                    reads += 1;
                    recent.insert(1, key, key, 1);
                }
            }
        }
        assert_eq!(reads, 7);
    }

    #[test]
    fn what_is_too_heavy_is_not_kept_and_what_is_idle_goes() {
        let recent: Recent<String, i64> = Recent::with_room(10);
        recent.insert(1, "heavy".to_owned(), 1, 6);
        recent.insert(1, "light".to_owned(), 2, 5);
        assert_eq!((recent.get(1, "heavy"), recent.get(1, "light")), (None, Some(2)));
        recent.forget_idle();
        assert_eq!(recent.get(1, "light"), Some(2), "it was asked for");
        recent.forget_idle();
        recent.forget_idle();
        assert_eq!(recent.get(1, "light"), None);
    }
}
