//! What is being heard now: one entry a user and client, in memory, gone when the track is over.

use std::{collections::HashMap, sync::Arc};

use tokio::sync::watch;

use crate::{
    accounts::Principal,
    catalog::Track,
    clock::{Clock, Millis},
    events::{Event, Events},
    ids::{TrackId, UserId},
};

/// How long past its end a track still counts as playing: clients pause and buffer.
const GRACE_MS: Millis = 60_000;

/// Entries in all; beyond it the oldest goes.
const MOST: usize = 1024;

/// Somebody hears something.
#[derive(Debug, Clone)]
pub struct NowPlaying {
    /// Who.
    pub user: UserId,
    /// Login name.
    pub user_name: Arc<str>,
    /// The client's name.
    pub client: String,
    /// What, as the asking principal sees it.
    pub track: Track,
    /// Since when.
    pub started_at: Millis,
    /// Whole minutes since then.
    pub minutes_ago: u32,
}

/// An entry without its track's data.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) track: TrackId,
    user: UserId,
    user_name: Arc<str>,
    client: String,
    started_at: Millis,
    ends_at: Millis,
    minutes_ago: u32,
}

/// All entries.
#[derive(Debug)]
pub(super) struct Store {
    clock: Clock,
    events: Events,
    entries: watch::Sender<HashMap<(UserId, String), Entry>>,
}

impl Store {
    pub(super) fn new(clock: Clock, events: Events) -> Self {
        Self { clock, events, entries: watch::Sender::new(HashMap::new()) }
    }

    /// Replaces what this user heard on this client.
    pub(super) fn set(&self, principal: &Principal, track: &Track, client: &str) {
        let now = self.clock.now();
        let client: String = client.chars().take(100).collect();
        let entry = Entry {
            track: track.id,
            user: principal.user,
            user_name: principal.name.clone(),
            client: client.clone(),
            started_at: now,
            ends_at: now.saturating_add_unsigned(track.duration_ms).saturating_add(GRACE_MS),
            minutes_ago: 0,
        };
        self.entries.send_modify(|entries| {
            entries.retain(|_, entry| now < entry.ends_at);
            if MOST <= entries.len()
                && let Some(oldest) =
                    entries.iter().min_by_key(|(_, e)| e.started_at).map(|(key, _)| key.clone())
            {
                entries.remove(&oldest);
            }
            entries.insert((principal.user, client), entry);
        });
        self.events.publish(Event::NowPlayingChanged);
    }

    /// Those that still play, latest first.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let now = self.clock.now();
        let mut entries: Vec<Entry> =
            self.entries.borrow().values().filter(|entry| now < entry.ends_at).cloned().collect();
        for entry in &mut entries {
            entry.minutes_ago = u32::try_from((now - entry.started_at) / 60_000).unwrap_or(0);
        }
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.started_at));
        entries
    }
}

/// Entries with their tracks; those whose track the principal may not see are left out.
pub(super) fn join(entries: Vec<Entry>, tracks: Vec<Track>) -> Vec<NowPlaying> {
    let tracks: HashMap<TrackId, Track> =
        tracks.into_iter().map(|track| (track.id, track)).collect();
    entries
        .into_iter()
        .filter_map(|entry| {
            let track = tracks.get(&entry.track)?.clone();
            Some(NowPlaying {
                user: entry.user,
                user_name: entry.user_name,
                client: entry.client,
                track,
                started_at: entry.started_at,
                minutes_ago: entry.minutes_ago,
            })
        })
        .collect()
}
