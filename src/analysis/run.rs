//! The life of the service: when it hears, for whom it stands back, and when it ends.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio_util::sync::CancellationToken;

use super::{Analysis, Phase};
use crate::{
    Result,
    catalog::write::{SoundFound, SoundWanted},
    events::Event,
    ids::TrackId,
    media::worker::Pool,
};

/// Tracks that are written together; as many are heard again after a crash.
const PORTION: u32 = 16;
/// How often it looks whether others are done.
const LOOK: Duration = Duration::from_secs(1);
/// A scan tells often; what it found is heard when it has been quiet for a moment.
const SETTLE: Duration = Duration::from_secs(2);
/// After what should not happen.
const RECOVER: Duration = Duration::from_mins(1);

impl Analysis {
    /// Hears what there is to hear until `stop` is cancelled.
    pub async fn run(self, stop: CancellationToken) {
        if !self.inner.settings.enabled {
            return;
        }
        // Not before it is known: an administrator may have said no.
        while let Err(error) = self.read_switch().await {
            tracing::error!("the switch of the analysis cannot be read: {error:#?}");
            if stop.run_until_cancelled(tokio::time::sleep(RECOVER)).await.is_none() {
                return;
            }
        }
        let mut events = self.inner.events.subscribe();
        while !stop.is_cancelled() {
            let revision = self.inner.catalog.revision().number;
            if let Err(error) = self.round(&stop).await {
                tracing::error!("the analysis was interrupted: {error:#?}");
                let _ = stop.run_until_cancelled(tokio::time::sleep(RECOVER)).await;
                continue;
            }
            if stop.run_until_cancelled(self.something_new(&mut events, revision)).await.is_none() {
                return;
            }
        }
    }

    async fn read_switch(&self) -> Result<()> {
        let is_on = self.inner.catalog.sound_switch().await?;
        self.state().is_on = is_on;
        Ok(())
    }

    /// Hears everything that waits, in the order of ids. The worker ends with the round.
    async fn round(&self, stop: &CancellationToken) -> Result<()> {
        let settings = &self.inner.settings;
        let pool = Pool::in_background(settings.program.clone(), settings.workers.max(1));
        let mut after = TrackId(0);
        let mut is_any = false;
        while !stop.is_cancelled() {
            if !self.turn(stop).await {
                return Ok(());
            }
            let wanted = self.inner.catalog.sounds_wanted(after, PORTION).await?;
            let Some(last) = wanted.last() else { break };
            after = last.track;
            if !is_any {
                self.count().await?;
            }
            self.enter(Phase::Hearing);
            is_any |= self.portion(&pool, wanted, stop).await?;
        }
        is_any |= self.inner.catalog.adopt_sounds().await?;
        if is_any && !stop.is_cancelled() {
            self.inner.catalog.announce_sounds().await?;
        }
        self.count().await?;
        self.enter(Phase::Done);
        Ok(())
    }

    /// Hears a few tracks and keeps what was heard; whether anything was.
    async fn portion(
        &self,
        pool: &Pool,
        wanted: Vec<SoundWanted>,
        stop: &CancellationToken,
    ) -> Result<bool> {
        let workers = self.inner.settings.workers.max(1);
        let mut hearing = std::pin::pin!(
            stream::iter(wanted)
                .map(async |wanted| {
                    if self.turn(stop).await { self.hear(pool, wanted).await } else { Ok(None) }
                })
                .buffer_unordered(workers)
        );
        let mut found: Vec<SoundFound> = Vec::new();
        let mut outcome = Ok(());
        while let Some(Some(heard)) = stop.run_until_cancelled(hearing.next()).await {
            match heard {
                Ok(Some(heard)) => {
                    {
                        let mut state = self.state();
                        state.status.counts.done += 1;
                        state.status.counts.unheard += u64::from(heard.outcome.is_err());
                    }
                    found.push(heard);
                    self.inner.events.publish(Event::AnalysisProgress);
                }
                Ok(None) => (),
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        if !found.is_empty() {
            self.inner.catalog.record_sounds(&found).await?;
        }
        outcome.map(|()| !found.is_empty())
    }

    /// Waits until nobody else needs the machine; false when told to stop.
    async fn turn(&self, stop: &CancellationToken) -> bool {
        while let Some(obstacle) = self.obstacle() {
            self.enter(obstacle);
            let wait = async {
                tokio::select! {
                    () = tokio::time::sleep(LOOK) => (),
                    () = self.inner.switched.notified() => (),
                }
            };
            if stop.run_until_cancelled(wait).await.is_none() {
                return false;
            }
        }
        !stop.is_cancelled()
    }

    fn obstacle(&self) -> Option<Phase> {
        if !self.state().is_on {
            Some(Phase::Paused)
        } else if !self.inner.settings.hours.contain(self.inner.clock.now()) {
            Some(Phase::OutOfHours)
        } else if self.inner.ingest.status().is_scanning {
            Some(Phase::Scanning)
        } else if 0 < self.inner.playback.load().transcodes {
            Some(Phase::Streaming)
        } else {
            None
        }
    }

    /// Waits until a scan changed the catalogue, or somebody used the switch.
    async fn something_new(&self, events: &mut Receiver<Event>, revision: i64) {
        loop {
            let event = tokio::select! {
                event = events.recv() => event,
                () = self.inner.switched.notified() => return,
            };
            match event {
                Ok(Event::ScanProgress { .. }) | Err(RecvError::Lagged(_)) => (),
                Ok(_) => continue,
                Err(RecvError::Closed) => return std::future::pending().await,
            }
            tokio::time::sleep(SETTLE).await;
            while !matches!(
                events.try_recv(),
                Err(tokio::sync::broadcast::error::TryRecvError::Empty
                    | tokio::sync::broadcast::error::TryRecvError::Closed)
            ) {}
            if revision != self.inner.catalog.revision().number {
                return;
            }
        }
    }
}
