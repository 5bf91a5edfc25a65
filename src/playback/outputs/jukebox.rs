//! The jukebox: one queue for the house, which every client drives, over one output. A task of
//! its own takes commands in turn and hears what the output says; what it then does is in
//! [`super::driver`].

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::{Entry, Output, Status, driver::State};
use crate::{
    Error, Result,
    accounts::Principal,
    clock::Clock,
    events::Events,
    ids::TrackId,
    playback::{PlayState, Playback},
};

/// What a client wants. Positions are those of the whole queue.
#[derive(Debug, Clone)]
pub enum Command {
    /// Nothing; only to know how it is.
    Look,
    /// To play, or to go on.
    Start,
    /// To hold still.
    Stop,
    /// To play this one from here.
    Skip {
        /// Which.
        index: usize,
        /// From where.
        offset: Duration,
    },
    /// To append these.
    Add(Vec<TrackId>),
    /// To have these and no others; what plays is not disturbed.
    Set(Vec<TrackId>),
    /// To have none.
    Clear,
    /// To take this one away.
    Remove(usize),
    /// To mix.
    Shuffle,
    /// To be this loud, 0.0 to 1.0.
    SetGain(f32),
}

/// How it is.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The queue.
    pub entries: Vec<Entry>,
    /// Which one plays, or would.
    pub current: Option<usize>,
    /// Whether it plays.
    pub is_playing: bool,
    /// 0.0 to 1.0.
    pub gain: f32,
    /// Where in the current one, ms.
    pub position_ms: u64,
    /// What people call the output.
    pub output: String,
    /// Why it does not play, if it should.
    pub trouble: Option<String>,
}

type Asked = (Principal, Command, oneshot::Sender<Result<Snapshot>>);

/// The jukebox service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Jukebox {
    asked: Option<mpsc::Sender<Asked>>,
    /// Its task, until it runs.
    runner: Arc<Mutex<Option<Runner>>>,
}

/// The task.
#[derive(Debug)]
struct Runner {
    state: State,
    asked: mpsc::Receiver<Asked>,
    status: watch::Receiver<Status>,
}

impl Jukebox {
    /// Over an output; without one there is no jukebox, and it says so.
    #[must_use]
    pub fn new(
        playback: Playback,
        clock: Clock,
        events: Events,
        output: Option<Arc<dyn Output>>,
    ) -> Self {
        let Some(output) = output else { return Self { asked: None, runner: Arc::default() } };
        let (asked, questions) = mpsc::channel(64);
        let status = output.status();
        let state = State::new(playback, clock, events, output);
        let runner = Runner { state, asked: questions, status };
        Self { asked: Some(asked), runner: Arc::new(Mutex::new(Some(runner))) }
    }

    /// Takes commands until told to stop; then the output falls silent.
    pub async fn run(self, stop: CancellationToken) {
        let runner = self.runner.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(self);
        if let Some(runner) = runner {
            runner.run(stop).await;
        }
    }

    /// Whether there are speakers.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.asked.is_some()
    }

    /// Carries a command out, and says how it is then.
    pub async fn control(&self, principal: &Principal, command: Command) -> Result<Snapshot> {
        if !principal.abilities.jukebox || !principal.is_person() {
            return Err(Error::Forbidden("This user may not use the speakers".to_owned()));
        }
        let gone = || Error::Unavailable("This server has no speakers".to_owned());
        let asked = self.asked.as_ref().ok_or_else(gone)?;
        let (tell, told) = oneshot::channel();
        asked.send((principal.clone(), command, tell)).await.map_err(|_| gone())?;
        told.await.map_err(|_| gone())?
    }
}

impl Runner {
    async fn run(mut self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                asked = self.asked.recv() => {
                    let Some((who, command, tell)) = asked else { break };
                    let done = self.state.obey(&who, command).await;
                    let _ = tell.send(done.map(|()| self.state.snapshot()));
                }
                changed = self.status.changed() => {
                    if changed.is_err() {
                        break;
                    }
                    let status = self.status.borrow_and_update().clone();
                    self.state.hear(status).await;
                }
            }
        }
        self.state.report(PlayState::Stopped).await;
        let _ = tokio::time::timeout(Duration::from_secs(2), self.state.output.stop()).await;
    }
}
