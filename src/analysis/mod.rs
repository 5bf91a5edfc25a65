//! What the box hears by itself: tracks without loudness and sound features are heard in the
//! background, one after the other, by processes that stand back for everything else. What is to
//! do follows from the catalogue's rows alone, so it goes on where it was whatever happened.
//! Knows nothing of protocols.

mod hear;
mod run;

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::Notify;

use crate::{
    Result,
    accounts::Principal,
    catalog::{Catalog, write::SoundCounts},
    clock::{Clock, Hours},
    events::{Event, Events},
    ingest::Ingest,
    playback::Playback,
};

/// How it is done.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether it is done at all.
    pub enabled: bool,
    /// When it may run.
    pub hours: Hours,
    /// Tracks at once.
    pub workers: usize,
    /// The program whose `worker` command hears.
    pub program: PathBuf,
}

/// What it does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The configuration says no.
    Disabled,
    /// An administrator said no.
    Paused,
    /// It is not the hour.
    OutOfHours,
    /// It waits for the end of a scan.
    Scanning,
    /// It waits for the end of a transcode.
    Streaming,
    /// It hears.
    Hearing,
    /// Everything was heard.
    Done,
}

impl Phase {
    /// One word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Paused => "paused",
            Self::OutOfHours => "outOfHours",
            Self::Scanning => "scanning",
            Self::Streaming => "streaming",
            Self::Hearing => "hearing",
            Self::Done => "done",
        }
    }
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// What it does.
    pub phase: Phase,
    /// Tracks that are there, that are done, and in which nothing could be heard.
    pub counts: SoundCounts,
}

/// The service. Cheap to clone.
#[derive(Clone)]
pub struct Analysis {
    inner: Arc<Inner>,
}

struct Inner {
    catalog: Catalog,
    ingest: Ingest,
    playback: Playback,
    clock: Clock,
    events: Events,
    settings: Settings,
    state: Mutex<State>,
    switched: Notify,
}

#[derive(Debug)]
struct State {
    is_on: bool,
    status: Status,
}

impl fmt::Debug for Analysis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Analysis").field("settings", &self.inner.settings).finish_non_exhaustive()
    }
}

impl Analysis {
    /// Over the services that it stands back for. Nothing is heard before [`Self::run`].
    #[must_use]
    pub fn new(
        catalog: Catalog,
        ingest: Ingest,
        playback: Playback,
        clock: Clock,
        events: Events,
        settings: Settings,
    ) -> Self {
        let phase = if settings.enabled { Phase::Done } else { Phase::Disabled };
        let status = Status { phase, counts: SoundCounts::default() };
        let state = Mutex::new(State { is_on: true, status });
        let switched = Notify::new();
        let inner = Inner { catalog, ingest, playback, clock, events, settings, state, switched };
        Self { inner: Arc::new(inner) }
    }

    /// How far it is. Administrators only.
    pub async fn status(&self, principal: &Principal) -> Result<Status> {
        principal.require_admin()?;
        let phase = self.state().status.phase;
        // While nothing is heard nobody counts along.
        if matches!(phase, Phase::Disabled | Phase::Done | Phase::Paused) {
            self.count().await?;
        }
        Ok(self.state().status)
    }

    /// Goes on or pauses until told otherwise, also after a restart. Administrators only.
    pub async fn switch(&self, principal: &Principal, is_on: bool) -> Result<()> {
        principal.require_admin()?;
        self.inner.catalog.keep_sound_switch(is_on).await?;
        self.state().is_on = is_on;
        if !is_on && self.inner.settings.enabled {
            self.enter(Phase::Paused);
        }
        self.inner.switched.notify_one();
        Ok(())
    }

    /// Counts what there is and what is done.
    async fn count(&self) -> Result<()> {
        let counts = self.inner.catalog.sound_counts().await?;
        self.state().status.counts = counts;
        Ok(())
    }

    fn enter(&self, phase: Phase) {
        let before = std::mem::replace(&mut self.state().status.phase, phase);
        if before != phase {
            self.inner.events.publish(Event::AnalysisProgress);
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
