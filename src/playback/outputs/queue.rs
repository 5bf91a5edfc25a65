//! The jukebox's queue, pure: what is in it and which one is current.

use crate::{accounts::Principal, ids::TrackId};

/// A track in the queue.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What.
    pub track: TrackId,
    /// Who put it there: it plays with those rights, and is their listen.
    pub by: Principal,
}

/// Entries in order. `current` is inside whenever it is there.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) entries: Vec<Entry>,
    pub(super) current: Option<usize>,
}

/// More than any queue in the field.
const MOST: usize = 20_000;

impl Queue {
    /// Appends as many as there is room for.
    pub(super) fn add(&mut self, entries: Vec<Entry>) {
        let room = MOST.saturating_sub(self.entries.len());
        self.entries.extend(entries.into_iter().take(room));
    }

    /// Replaces all. What is current stays current where it is among the new ones; else nothing is,
    /// and the first comes next.
    pub(super) fn set(&mut self, entries: Vec<Entry>) {
        let playing = self.current.map(|at| self.entries[at].track);
        self.entries.clear();
        self.add(entries);
        self.current =
            playing.and_then(|track| self.entries.iter().position(|entry| entry.track == track));
    }

    /// Takes all away.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Takes one away; gives back whether that was the current one. Then the next one is current,
    /// or the last if there is none behind.
    pub(super) fn remove(&mut self, index: usize) -> Option<bool> {
        if self.entries.len() <= index {
            return None;
        }
        self.entries.remove(index);
        let was_current = self.current == Some(index);
        self.current = match self.current {
            Some(at) if index < at => Some(at - 1),
            Some(at) => self.entries.len().checked_sub(1).map(|last| at.min(last)),
            None => None,
        };
        Some(was_current)
    }

    /// Mixes; what is current comes first.
    pub(super) fn shuffle(&mut self, mut random: impl FnMut(usize) -> usize) {
        let mut from = 0;
        if let Some(at) = self.current {
            self.entries.swap(0, at);
            self.current = Some(0);
            from = 1;
        }
        for at in (from + 1..self.entries.len()).rev() {
            self.entries.swap(at, from + random(at - from + 1));
        }
    }

    /// The place after the current one, or the first if there is no current one.
    pub(super) fn next(&self) -> Option<usize> {
        let next = self.current.map_or(0, |at| at + 1);
        (next < self.entries.len()).then_some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(tracks: &[i64], current: Option<usize>) -> Queue {
        let mut queue = Queue::default();
        queue.add(entries(tracks));
        queue.current = current;
        queue
    }

    fn entries(tracks: &[i64]) -> Vec<Entry> {
        let by = Principal::household(Vec::new());
        tracks.iter().map(|track| Entry { track: TrackId(*track), by: by.clone() }).collect()
    }

    fn tracks(queue: &Queue) -> Vec<i64> {
        queue.entries.iter().map(|entry| entry.track.0).collect()
    }

    #[test]
    fn the_current_one_is_followed() {
        for (removed, current, was_current) in
            [(0, Some(0), false), (1, Some(1), true), (2, Some(1), false)]
        {
            let mut queue = queue(&[1, 2, 3], Some(1));
            assert_eq!(queue.remove(removed), Some(was_current));
            assert_eq!(queue.current, current, "{removed}");
        }
        let mut last = queue(&[1, 2], Some(1));
        assert_eq!((last.remove(1), last.current), (Some(true), Some(0)));
        let mut only = queue(&[1], Some(0));
        assert_eq!((only.remove(0), only.current), (Some(true), None));
        assert_eq!(only.remove(0), None);
    }

    #[test]
    fn replacing_keeps_what_plays() {
        let mut one = queue(&[1, 2, 3], Some(1));
        one.set(entries(&[9, 2, 8]));
        assert_eq!((tracks(&one), one.current, one.next()), (vec![9, 2, 8], Some(1), Some(2)));
        one.set(entries(&[7, 6]));
        assert_eq!((one.current, one.next()), (None, Some(0)));
    }

    #[test]
    fn mixing_begins_with_what_plays_and_loses_nothing() {
        let mut mixed = queue(&[1, 2, 3, 4, 5], Some(2));
        mixed.shuffle(|below| below / 2);
        assert_eq!((mixed.entries[0].track.0, mixed.current), (3, Some(0)));
        let mut all = tracks(&mixed);
        all.sort_unstable();
        assert_eq!(all, [1, 2, 3, 4, 5]);
        let mut idle = queue(&[1, 2, 3], None);
        idle.shuffle(|_| 0);
        assert_eq!(tracks(&idle), [2, 3, 1]);
    }

    #[test]
    fn the_end_is_the_end() {
        assert_eq!(queue(&[1, 2], Some(1)).next(), None);
        assert_eq!(queue(&[], None).next(), None);
        assert_eq!(queue(&[1], None).next(), Some(0));
    }
}
