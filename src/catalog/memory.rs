//! What reads remember between changes of the catalogue: facts of albums, tracks and artists by
//! id, and the id lists of pages. Everything here can be dropped at any time; it is dropped as a
//! whole when the revision grows and by itself when nobody asks for a while, so that a server at
//! rest is small.

use std::{sync::Arc, time::Duration};

use moka::future::Cache;

use crate::catalog::{AlbumFacts, Artist, Genre, TrackFacts};

/// A window of ids and the length of the whole list.
#[derive(Debug, Default)]
pub(super) struct Ids {
    /// Row ids in order.
    pub(super) window: Vec<i64>,
    /// All that match.
    pub(super) total: u64,
}

/// Revision and row id. A read that began before a change cannot leave its old answer behind,
/// because it remembers it under the old revision.
pub(super) type Key = (i64, i64);

/// Remembered reads.
#[derive(Debug)]
pub(super) struct Memory {
    /// By album id.
    pub(super) albums: Cache<Key, Arc<AlbumFacts>>,
    /// By track id.
    pub(super) tracks: Cache<Key, Arc<TrackFacts>>,
    /// Windows of id lists, by the statement that finds them.
    pub(super) ids: Cache<String, Arc<Ids>>,
    /// Whole artist lists, by visibility and filter.
    pub(super) artists: Cache<String, Arc<Vec<Artist>>>,
    /// Genres by visibility.
    pub(super) genres: Cache<String, Arc<Vec<Genre>>>,
}

impl Default for Memory {
    fn default() -> Self {
        let rest = Duration::from_secs(90);
        Self {
            albums: Cache::builder().max_capacity(2_000).time_to_idle(rest).build(),
            tracks: Cache::builder().max_capacity(4_000).time_to_idle(rest).build(),
            ids: Cache::builder()
                .max_capacity(400_000)
                .weigher(|key: &String, ids: &Arc<Ids>| {
                    (key.len() / 8 + ids.window.len() + 8) as u32
                })
                .time_to_idle(rest)
                .build(),
            artists: Cache::builder()
                .max_capacity(20_000)
                .weigher(|_, list: &Arc<Vec<Artist>>| list.len() as u32 + 1)
                .time_to_idle(rest)
                .build(),
            genres: Cache::builder().max_capacity(32).time_to_idle(rest).build(),
        }
    }
}

impl Memory {
    /// Drops everything: the catalogue changed.
    pub(super) fn forget(&self) {
        self.albums.invalidate_all();
        self.tracks.invalidate_all();
        self.ids.invalidate_all();
        self.artists.invalidate_all();
        self.genres.invalidate_all();
    }

    /// Lets go of what is no longer valid; called now and then, because nobody asks at rest.
    pub(super) async fn tidy(&self) {
        self.albums.run_pending_tasks().await;
        self.tracks.run_pending_tasks().await;
        self.ids.run_pending_tasks().await;
        self.artists.run_pending_tasks().await;
        self.genres.run_pending_tasks().await;
    }
}
