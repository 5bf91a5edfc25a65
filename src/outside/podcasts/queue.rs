//! The saved queue with what is no track in it: an app that saves episodes gets them back.

use std::collections::HashMap;

use super::{Episode, Podcasts};
use crate::{
    Error, Result,
    accounts::{Feature, Principal},
    catalog::Track,
    clock::Millis,
    ids::{EpisodeId, TrackId},
};

/// What stands in a saved queue.
#[derive(Debug, Clone)]
pub enum QueueEntry {
    /// A track of the catalogue.
    Song(Track),
    /// An episode of the principal's channels.
    Episode(Box<Episode>),
}

/// A saved queue of songs and episodes.
#[derive(Debug, Clone)]
pub struct MixedQueue {
    /// In order.
    pub entries: Vec<QueueEntry>,
    /// Which one plays; always inside `entries` when there are any.
    pub current_index: usize,
    /// Where in it, ms.
    pub position_ms: i64,
    /// When it was saved.
    pub changed_at: Millis,
    /// By which client.
    pub changed_by: String,
}

impl Podcasts {
    /// The saved queue. What is gone is dropped, and the current entry repaired for it; episodes
    /// are gone while podcasts are off.
    pub async fn play_queue(&self, principal: &Principal) -> Result<Option<MixedQueue>> {
        let catalog = &self.0.of.catalog;
        let Some(saved) = catalog.saved_queue(principal).await? else { return Ok(None) };
        let is_song = |id: &&TrackId| EpisodeId::of_track(**id).is_none();
        let songs: Vec<TrackId> = saved.entries.iter().filter(is_song).copied().collect();
        let songs = catalog.tracks_by_id(principal, &songs).await?;
        let mut known: HashMap<TrackId, QueueEntry> =
            songs.into_iter().map(|track| (track.id, QueueEntry::Song(track))).collect();
        if self.0.is_on(Feature::Podcasts).await? {
            for id in saved.entries.iter().copied() {
                let Some(episode) = EpisodeId::of_track(id) else { continue };
                if known.contains_key(&id) {
                    continue;
                }
                match self.own_episode(principal, episode).await {
                    Ok(episode) => drop(known.insert(id, QueueEntry::Episode(Box::new(episode)))),
                    Err(Error::NotFound(_)) => (),
                    Err(error) => return Err(error),
                }
            }
        }
        let (current_index, position_ms) = saved.place(|id| known.contains_key(&id));
        let entries = saved.entries.iter().filter_map(|id| known.get(id).cloned()).collect();
        let (changed_at, changed_by) = (saved.changed_at, saved.changed_by);
        Ok(Some(MixedQueue { entries, current_index, position_ms, changed_at, changed_by }))
    }
}
