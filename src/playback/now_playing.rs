//! What is being heard now: one entry a player, in memory, and what its end leaves in the history.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;

use super::session::{Media, PlayState, Report, Session};
use crate::{
    accounts::Principal,
    catalog::{Listen, ListenSource, Track},
    clock::{Clock, Millis},
    events::{Event, Events},
    ids::UserId,
    playback::Counting,
};

/// How long past its end a track still counts as playing, where no player says how it goes on:
/// clients pause and buffer.
const GRACE_MS: Millis = 60_000;

/// Entries in all; beyond it the oldest goes. As many wait to be recorded.
const MOST: usize = 1024;

/// Somebody hears something.
#[derive(Debug, Clone)]
pub struct NowPlaying<T = Track> {
    /// Who.
    pub user: UserId,
    /// Login name.
    pub user_name: Arc<str>,
    /// The client's name.
    pub client: String,
    /// What: a track as the asking principal sees it, or the id of an episode.
    pub media: T,
    /// Since when.
    pub started_at: Millis,
    /// Whole minutes since the player last said so.
    pub minutes_ago: u32,
    /// What the player does.
    pub state: PlayState,
    /// Where it is, ms, reckoned from what it last said.
    pub position_ms: u64,
    /// Speed.
    pub rate: f64,
}

/// Which player of a user: its name for people, and what tells it from others of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Player<'a> {
    /// The client's name.
    pub client: &'a str,
    /// Which of them; empty if there is but one.
    pub device: &'a str,
}

/// An entry without its track's data.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    who: Principal,
    client: String,
    session: Session,
    /// Its player tells how it goes on.
    is_reported: bool,
}

/// A playback that is over and was a listen.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) who: Principal,
    pub(super) listen: Listen,
}

impl Entry {
    pub(super) fn media(&self) -> Media {
        self.session.media
    }

    fn ends_at(&self) -> Millis {
        if self.is_reported {
            self.session.expires_at()
        } else {
            self.session.planned_end().saturating_add(GRACE_MS)
        }
    }

    /// Listens to episodes are not the catalogue's.
    fn finished(self) -> Option<Finished> {
        let Media::Track(track) = self.session.media else { return None };
        let (began_at, ended_at, heard_ms) = self.session.listen()?;
        let listen = Listen {
            track,
            at: Some(began_at),
            client: self.client,
            source: self.session.source,
            heard_ms: Some(heard_ms),
            ended_at: Some(ended_at),
        };
        Some(Finished { who: self.who, listen })
    }
}

type Key = (UserId, String);

/// All entries.
#[derive(Debug)]
pub(super) struct Store {
    clock: Clock,
    events: Events,
    entries: watch::Sender<HashMap<Key, Entry>>,
    /// Over, but not recorded yet.
    waiting: Mutex<Vec<Finished>>,
}

impl Store {
    pub(super) fn new(clock: Clock, events: Events) -> Self {
        let entries = watch::Sender::new(HashMap::new());
        Self { clock, events, entries, waiting: Mutex::default() }
    }

    /// Replaces what this user heard on this client, unless the client itself tells how that goes.
    /// Gives back what this ended.
    pub(super) fn set(
        &self,
        principal: &Principal,
        (media, duration_ms): (Media, u64),
        client: &str,
    ) -> Option<Finished> {
        let now = self.clock.now();
        let report = Report {
            media,
            state: PlayState::Playing,
            position_ms: 0,
            rate: 1.0,
            counting: Counting::Nothing,
            source: ListenSource::Scrobble,
        };
        let player = Player { client, device: "" };
        let mut finished = None;
        self.entries.send_modify(|entries| {
            let key = key(principal, player);
            let same =
                |entry: &Entry| entry.is_reported && entry.session.goes_on_with(&report, now);
            if entries.get(&key).is_some_and(same) {
                return;
            }
            let session = Session::begin(&report, duration_ms, now);
            let entry = Entry {
                who: principal.clone(),
                client: shortened(client),
                session,
                is_reported: false,
            };
            make_room(entries);
            finished = entries.insert(key, entry).and_then(Entry::finished);
        });
        self.events.publish(Event::NowPlayingChanged);
        finished
    }

    /// Takes in what a player says. Gives back what this ended.
    pub(super) fn report(
        &self,
        principal: &Principal,
        duration_ms: u64,
        player: Player<'_>,
        report: &Report,
    ) -> Vec<Finished> {
        let now = self.clock.now();
        let key = key(principal, player);
        let mut finished = Vec::new();
        self.entries.send_modify(|entries| {
            let old = entries.remove(&key);
            let mut entry = match old {
                Some(entry) if entry.is_reported && entry.session.goes_on_with(report, now) => {
                    entry
                }
                old => {
                    finished.extend(old.and_then(Entry::finished));
                    // What stopped without having begun is not known here any more.
                    if report.state == PlayState::Stopped {
                        return;
                    }
                    make_room(entries);
                    Entry {
                        who: principal.clone(),
                        client: shortened(player.client),
                        session: Session::begin(report, duration_ms, now),
                        is_reported: true,
                    }
                }
            };
            entry.session.hear(report, now);
            if report.state == PlayState::Stopped {
                finished.extend(entry.finished());
            } else {
                entries.insert(key, entry);
            }
        });
        self.events.publish(Event::NowPlayingChanged);
        finished
    }

    /// Keeps what could not be recorded for the next sweep.
    pub(super) fn keep(&self, finished: Finished) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < MOST {
            waiting.push(finished);
        }
    }

    /// Lets go of those whose player is waited for no longer. Gives back what they were, and what
    /// waited.
    pub(super) fn sweep(&self) -> Vec<Finished> {
        let now = self.clock.now();
        self.take(|entry| entry.ends_at() <= now)
    }

    /// Lets go of all.
    pub(super) fn end(&self) -> Vec<Finished> {
        self.take(|_| true)
    }

    fn take(&self, is_over: impl Fn(&Entry) -> bool) -> Vec<Finished> {
        let mut finished =
            std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        let any = self.entries.send_if_modified(|entries| {
            let gone: Vec<Entry> =
                entries.extract_if(|_, entry| is_over(entry)).map(|(_, entry)| entry).collect();
            let any = !gone.is_empty();
            finished.extend(gone.into_iter().filter_map(Entry::finished));
            any
        });
        if any {
            self.events.publish(Event::NowPlayingChanged);
        }
        finished
    }

    /// Those that still play, latest first.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let now = self.clock.now();
        let mut entries: Vec<Entry> =
            self.entries.borrow().values().filter(|entry| now < entry.ends_at()).cloned().collect();
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.session.started_at()));
        entries
    }

    /// Entries with what is found for them; the others are left out.
    pub(super) fn join<T>(
        &self,
        entries: Vec<Entry>,
        find: impl Fn(Media) -> Option<T>,
    ) -> Vec<NowPlaying<T>> {
        let now = self.clock.now();
        entries
            .into_iter()
            .filter_map(|entry| {
                let media = find(entry.media())?;
                let ago = now.saturating_sub(entry.session.reported_at()) / 60_000;
                Some(NowPlaying {
                    user: entry.who.user,
                    user_name: entry.who.name,
                    client: entry.client,
                    media,
                    started_at: entry.session.started_at(),
                    minutes_ago: u32::try_from(ago).unwrap_or(0),
                    state: entry.session.state,
                    position_ms: entry.session.position(now),
                    rate: entry.session.rate,
                })
            })
            .collect()
    }
}

fn key(principal: &Principal, player: Player<'_>) -> Key {
    (principal.user, format!("{}\0{}", shortened(player.client), shortened(player.device)))
}

fn shortened(text: &str) -> String {
    text.chars().take(100).collect()
}

fn make_room(entries: &mut HashMap<Key, Entry>) {
    if entries.len() < MOST {
        return;
    }
    let oldest = entries.iter().min_by_key(|(_, entry)| entry.session.reported_at());
    if let Some(key) = oldest.map(|(key, _)| key.clone()) {
        entries.remove(&key);
    }
}
