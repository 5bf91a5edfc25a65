//! What of the things somebody brings is new here. Pure: what is here goes in, what to write comes
//! out.

use std::collections::{HashMap, HashSet};

use super::{Brought, BroughtBookmark, BroughtMark, BroughtPlaylist, TakenIn};
use crate::{
    catalog::Item,
    clock::Millis,
    ids::{PlaylistId, TrackId},
};

/// What is here of the person's, as far as it matters.
#[derive(Debug, Default)]
pub(super) struct Here {
    /// Items with a star.
    pub(super) starred: HashSet<Item>,
    /// Items with a rating.
    pub(super) rated: HashSet<Item>,
    /// What was taken from the same origin before.
    pub(super) moved: HashMap<Item, Moved>,
    /// The history.
    pub(super) listens: HashSet<(TrackId, Millis)>,
    /// Tracks with a bookmark.
    pub(super) bookmarks: HashSet<TrackId>,
    /// There is a saved queue.
    pub(super) has_queue: bool,
    /// Playlists that were taken from the same origin before.
    pub(super) playlists: HashMap<String, MovedPlaylist>,
}

/// What of an item was taken before.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moved {
    pub(super) has_star: bool,
    pub(super) has_rating: bool,
    pub(super) play_count: u64,
}

/// A playlist that was taken before.
#[derive(Debug)]
pub(super) struct MovedPlaylist {
    pub(super) id: PlaylistId,
    /// Hash of what was written then.
    pub(super) written: Vec<u8>,
    /// Hash of what it holds now.
    pub(super) now: [u8; 32],
    /// It is rules, not entries.
    pub(super) is_smart: bool,
}

/// What to write.
#[derive(Debug, Default)]
pub(super) struct Changes<'a> {
    /// What to add to an item.
    pub(super) marks: Vec<NewMark>,
    pub(super) listens: Vec<(TrackId, Millis)>,
    pub(super) new_playlists: Vec<&'a BroughtPlaylist>,
    /// Playlists that get other entries.
    pub(super) filled: Vec<(PlaylistId, &'a BroughtPlaylist)>,
    pub(super) bookmarks: Vec<&'a BroughtBookmark>,
    pub(super) sets_queue: bool,
}

/// What to add to an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NewMark {
    pub(super) item: Item,
    pub(super) starred_at: Option<Millis>,
    pub(super) rating: Option<u8>,
    /// Plays on top of those that are counted.
    pub(super) plays: u64,
    pub(super) played_at: Option<Millis>,
}

/// What a list of entries hashes to.
pub(super) fn entries_hash(tracks: &[TrackId]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for track in tracks {
        hasher.update(&track.0.to_le_bytes());
    }
    *hasher.finalize().as_bytes()
}

/// What is new. `understood` says whether the rules of a playlist are.
pub(super) fn decide<'a>(
    here: &Here,
    brought: &'a Brought,
    understood: impl Fn(&BroughtPlaylist) -> bool,
) -> (Changes<'a>, TakenIn) {
    let (mut changes, mut told) = (Changes::default(), TakenIn::default());
    for mark in &brought.marks {
        let new = new_mark(here, mark, &mut told);
        if new.starred_at.is_some() || new.rating.is_some() || new.plays > 0 {
            changes.marks.push(new);
        }
    }
    let mut seen = HashSet::new();
    for listen in &brought.listens {
        if here.listens.contains(listen) || !seen.insert(*listen) {
            told.listens.kept += 1;
        } else {
            told.listens.taken += 1;
            changes.listens.push(*listen);
        }
    }
    for list in &brought.playlists {
        decide_playlist(here, list, understood(list), &mut changes, &mut told);
    }
    for bookmark in &brought.bookmarks {
        if here.bookmarks.contains(&bookmark.track) {
            told.bookmarks.kept += 1;
        } else {
            told.bookmarks.taken += 1;
            changes.bookmarks.push(bookmark);
        }
    }
    if brought.queue.as_ref().is_some_and(|queue| !queue.tracks.is_empty()) {
        changes.sets_queue = !here.has_queue;
        told.queue.taken = u64::from(!here.has_queue);
        told.queue.kept = u64::from(here.has_queue);
    }
    (changes, told)
}

/// A star or a rating that was taken once is not taken again: who removed it here meant that.
fn new_mark(here: &Here, mark: &BroughtMark, told: &mut TakenIn) -> NewMark {
    let before = here.moved.get(&mark.item).copied().unwrap_or_default();
    let takes_star = !before.has_star && !here.starred.contains(&mark.item);
    let takes_rating = !before.has_rating && !here.rated.contains(&mark.item);
    let plays = mark.play_count.saturating_sub(before.play_count);
    if mark.starred_at.is_some() {
        *(if takes_star { &mut told.stars.taken } else { &mut told.stars.kept }) += 1;
    }
    if mark.rating.is_some() {
        *(if takes_rating { &mut told.ratings.taken } else { &mut told.ratings.kept }) += 1;
    }
    told.plays.taken += plays;
    told.plays.kept += mark.play_count - plays;
    NewMark {
        item: mark.item,
        starred_at: mark.starred_at.filter(|_| takes_star),
        rating: mark.rating.filter(|_| takes_rating),
        plays,
        played_at: mark.played_at.filter(|_| 0 < plays),
    }
}

fn decide_playlist<'a>(
    here: &Here,
    list: &'a BroughtPlaylist,
    is_understood: bool,
    changes: &mut Changes<'a>,
    told: &mut TakenIn,
) {
    if list.rules.is_some() && !is_understood {
        told.notes.push(format!(
            "the rules of the smart playlist {:?} are not understood here; it becomes a list of its tracks",
            list.name
        ));
    }
    let is_smart = list.rules.is_some() && is_understood;
    match here.playlists.get(&list.key) {
        None if !is_smart && list.tracks.is_empty() && 0 < list.size => told.notes.push(format!(
            "the playlist {:?} is left out: none of its {} tracks is here",
            list.name, list.size
        )),
        None => {
            told.playlists.taken += 1;
            changes.new_playlists.push(list);
        }
        Some(before) => {
            let is_untouched = before.written == before.now;
            let is_same = entries_hash(&list.tracks) == before.now;
            if is_smart || before.is_smart || is_same {
                told.playlists.kept += 1;
            } else if is_untouched {
                told.playlists.taken += 1;
                changes.filled.push((before.id, list));
            } else {
                told.playlists.kept += 1;
                told.notes.push(format!(
                    "the playlist {:?} was changed here since; it is left as it is",
                    list.name
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brought(play_count: u64) -> Brought {
        let mark = |item, starred_at, rating, play_count| BroughtMark {
            item,
            starred_at,
            rating,
            play_count,
            played_at: Some(9),
        };
        let track = |id| Item::Track(TrackId(id));
        Brought {
            marks: vec![
                mark(track(1), Some(5), Some(4), play_count),
                mark(track(2), None, Some(2), 0),
            ],
            listens: vec![(TrackId(1), 7), (TrackId(1), 7), (TrackId(1), 8)],
            playlists: vec![BroughtPlaylist {
                key: "k".to_owned(),
                name: "Mix".to_owned(),
                tracks: vec![TrackId(1), TrackId(2)],
                size: 2,
                ..BroughtPlaylist::default()
            }],
            ..Brought::default()
        }
    }

    #[test]
    fn all_of_it_is_new_at_first() {
        let brought = brought(10);
        let (changes, told) = decide(&Here::default(), &brought, |_| true);
        assert_eq!((told.stars.taken, told.ratings.taken, told.plays.taken), (1, 2, 10));
        assert_eq!((told.listens.taken, told.listens.kept), (2, 1));
        assert_eq!((changes.marks.len(), changes.new_playlists.len()), (2, 1));
    }

    #[test]
    fn only_the_difference_is_taken_later() {
        let track = Item::Track(TrackId(1));
        let moved = Moved { has_star: true, has_rating: true, play_count: 10 };
        let entries = entries_hash(&[TrackId(1)]);
        let mut here = Here::default();
        // The star was removed here since, and stays removed.
        here.moved.insert(track, moved);
        here.rated.insert(Item::Track(TrackId(2)));
        here.listens.insert((TrackId(1), 7));
        let list = MovedPlaylist {
            id: PlaylistId(3),
            written: entries.to_vec(),
            now: entries,
            is_smart: false,
        };
        here.playlists.insert("k".to_owned(), list);
        let brought = brought(12);
        let (changes, told) = decide(&here, &brought, |_| true);
        let wanted =
            NewMark { item: track, starred_at: None, rating: None, plays: 2, played_at: Some(9) };
        assert_eq!(changes.marks, [wanted]);
        assert_eq!((told.stars.kept, told.ratings.kept, told.plays.kept), (1, 2, 10));
        assert_eq!(changes.listens, [(TrackId(1), 8)]);
        assert_eq!(changes.filled.len(), 1);

        // Somebody changed the list: it is his now.
        here.playlists.get_mut("k").unwrap().now = entries_hash(&[TrackId(9)]);
        let (changes, told) = decide(&here, &brought, |_| true);
        assert!(changes.filled.is_empty() && told.notes.len() == 1, "{told:?}");
    }

    #[test]
    fn a_list_of_nothing_that_is_here_is_named() {
        let mut brought = brought(0);
        brought.playlists[0].tracks.clear();
        let (changes, told) = decide(&Here::default(), &brought, |_| true);
        assert!(changes.new_playlists.is_empty() && told.notes.len() == 1);
    }
}
