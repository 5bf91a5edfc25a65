//! From positions in a source to ids of here: what was recognised is told in our words, the rest is
//! left out. Several tracks there may be one here.

use std::collections::{HashMap, HashSet};

use super::model::{Belongings, Outcome, Taken};
use crate::{
    catalog::{
        Brought, BroughtBookmark, BroughtMark, BroughtPlaylist, BroughtQueue, By, Item, Recognised,
    },
    clock::Millis,
    ids::{AlbumId, ArtistId, TrackId},
};

/// What the descriptions mean, one answer each.
pub(super) struct Meant {
    pub(super) tracks: Vec<Recognised<TrackId>>,
    pub(super) albums: Vec<Recognised<AlbumId>>,
    pub(super) artists: Vec<Recognised<ArtistId>>,
}

impl Meant {
    fn track(&self, position: usize) -> Option<TrackId> {
        self.tracks.get(position).copied().and_then(Recognised::known)
    }

    /// The outcomes alone.
    pub(super) fn told(&self) -> Taken {
        Taken {
            tracks: self.tracks.iter().map(outcome).collect(),
            albums: self.albums.iter().map(outcome).collect(),
            artists: self.artists.iter().map(outcome).collect(),
            ..Taken::default()
        }
    }
}

fn outcome<T>(recognised: &Recognised<T>) -> Outcome {
    match recognised {
        Recognised::As(_, By::Path) => Outcome::Path,
        Recognised::As(_, By::MusicBrainz) => Outcome::MusicBrainz,
        Recognised::As(_, By::Tags) => Outcome::Tags,
        Recognised::Ambiguous(many) => Outcome::Ambiguous(*many),
        Recognised::Unknown => Outcome::Unknown,
    }
}

/// Marks under construction, each item once, in the order in which they came.
#[derive(Default)]
struct Marks {
    all: Vec<BroughtMark>,
    at: HashMap<Item, usize>,
}

impl Marks {
    fn add(
        &mut self,
        item: Item,
        starred_at: Option<Millis>,
        rating: Option<u8>,
        plays: (u64, Option<Millis>),
    ) {
        let all = &mut self.all;
        let at = *self.at.entry(item).or_insert_with(|| {
            all.push(BroughtMark {
                item,
                starred_at: None,
                rating: None,
                play_count: 0,
                played_at: None,
            });
            all.len() - 1
        });
        let mark = &mut all[at];
        mark.starred_at = match (mark.starred_at, starred_at) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        mark.rating = mark.rating.max(rating);
        mark.play_count += plays.0;
        mark.played_at = mark.played_at.max(plays.1);
    }
}

/// What is brought, in ids of here. `member` tells who somebody from there is here.
pub(super) fn resolve(
    belongings: &Belongings,
    meant: &Meant,
    member: impl Fn(&str) -> Option<String>,
) -> Brought {
    let mut marks = Marks::default();
    for mark in &belongings.marks {
        if let Some(track) = meant.track(mark.track) {
            let plays = (mark.play_count, mark.played_at);
            marks.add(Item::Track(track), mark.starred_at, mark.rating, plays);
        }
    }
    for (album, recognised) in belongings.albums.iter().zip(&meant.albums) {
        if let Some(id) = recognised.known() {
            marks.add(Item::Album(id), album.mark.starred_at, album.mark.rating, (0, None));
        }
    }
    for (artist, recognised) in belongings.artists.iter().zip(&meant.artists) {
        if let Some(id) = recognised.known() {
            marks.add(Item::Artist(id), artist.starred_at, artist.rating, (0, None));
        }
    }
    let listens = belongings.listens.iter();
    let mut marked = HashSet::new();
    Brought {
        origin: belongings.origin.clone(),
        client: belongings.program.clone(),
        marks: marks.all,
        listens: listens.filter_map(|(at, when)| Some((meant.track(*at)?, *when))).collect(),
        playlists: belongings
            .lists
            .iter()
            .map(|list| BroughtPlaylist {
                key: list.key.clone(),
                name: list.name.clone(),
                comment: list.comment.clone(),
                is_public: list.is_public,
                members: list.members.iter().filter_map(|name| member(name)).collect(),
                rules: list.rules.clone(),
                tracks: list.tracks.iter().filter_map(|at| meant.track(*at)).collect(),
                size: list.tracks.len(),
                created_at: list.created_at,
                changed_at: list.changed_at,
            })
            .collect(),
        bookmarks: belongings
            .bookmarks
            .iter()
            .filter_map(|bookmark| {
                let track = meant.track(bookmark.track).filter(|track| marked.insert(*track))?;
                Some(BroughtBookmark {
                    track,
                    position_ms: bookmark.position_ms,
                    comment: bookmark.comment.clone(),
                    created_at: bookmark.created_at,
                    changed_at: bookmark.changed_at,
                })
            })
            .collect(),
        queue: belongings.queue.as_ref().and_then(|queue| {
            let here: Vec<Option<TrackId>> =
                queue.tracks.iter().map(|at| meant.track(*at)).collect();
            let before = here.iter().take(queue.current).flatten().count();
            let remains = here.get(queue.current).is_some_and(Option::is_some);
            let tracks: Vec<TrackId> = here.into_iter().flatten().collect();
            (!tracks.is_empty()).then(|| BroughtQueue {
                current: before.min(tracks.len() - 1),
                position_ms: if remains { queue.position_ms } else { 0 },
                changed_at: queue.changed_at,
                tracks,
            })
        }),
    }
}
