//! What an output is to the queue.

use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::watch;

use crate::{Result, accounts::Principal, clock::Millis, ids::TrackId};

/// One playing of one track.
#[derive(Debug, Clone)]
pub struct Item {
    /// Tells this playing from every other, of the same track too.
    pub number: u64,
    /// What.
    pub track: TrackId,
    /// With whose rights its bytes are opened.
    pub principal: Principal,
    /// Where to begin.
    pub offset: Duration,
}

/// What an output does, as far as it has said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Phase {
    /// Nothing.
    #[default]
    Idle,
    /// It was told to play and has not begun.
    Loading,
    /// It sounds.
    Playing,
    /// It holds still within the item.
    Paused,
    /// It came to the end of the item, and nothing followed.
    Ended,
    /// It could not play the item; the sentence says why.
    Failed(String),
    /// It is not there any more.
    Gone,
}

/// What an output last said of itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Status {
    /// Which [`Item::number`] it is about.
    pub item: Option<u64>,
    /// What it does.
    pub phase: Phase,
    /// Where in the item it was, ms.
    pub position_ms: u64,
    /// When that was.
    pub at: Millis,
    /// How much faster than sound it goes on while it plays; 1.0, but for tests.
    pub rate: f64,
}

impl Status {
    /// Where it is at `now`, reckoned.
    #[must_use]
    pub fn position(&self, now: Millis) -> u64 {
        match self.phase {
            Phase::Playing => {
                let elapsed = now.saturating_sub(self.at).max(0) as f64 * self.rate;
                self.position_ms.saturating_add(elapsed as u64)
            }
            _ => self.position_ms,
        }
    }
}

/// A place where sound comes out. Commands are wishes: one that succeeds was taken, not obeyed;
/// what comes of it is told by [`Output::status`], late, and only the latest of it. A queue must
/// get on with an output that ignores [`Output::follow_with`] (it then says [`Phase::Ended`] and
/// is told to play the next one), and with one that says nothing any more.
pub trait Output: std::fmt::Debug + Send + Sync {
    /// What people call it.
    fn name(&self) -> &str;
    /// To play this now, in place of whatever it plays.
    fn play(&self, item: Item) -> BoxFuture<'_, Result<()>>;
    /// To play this without a gap after what it plays; `None` takes that back.
    fn follow_with(&self, item: Option<Item>) -> BoxFuture<'_, Result<()>>;
    /// To hold still, or to go on.
    fn set_paused(&self, paused: bool) -> BoxFuture<'_, Result<()>>;
    /// To fall silent and forget.
    fn stop(&self) -> BoxFuture<'_, Result<()>>;
    /// How loud, 0.0 to 1.0.
    fn set_gain(&self, gain: f32) -> BoxFuture<'_, Result<()>>;
    /// What it says of itself.
    fn status(&self) -> watch::Receiver<Status>;
}
