//! What changed, told to whoever listens (panel, GENA, watchers). Events carry ids, not data, and
//! are sent after the transaction that they tell of.

use tokio::sync::broadcast;

use crate::ids::{LibraryId, LockerId, UserId};

/// Something changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The catalogue has a new revision.
    CatalogChanged {
        /// The new revision; it only grows.
        revision: i64,
    },
    /// A scan moved on; ask `ingest` for the figures.
    ScanProgress {
        /// Which library.
        library: LibraryId,
    },
    /// The analysis in the background moved on; ask `analysis` for the figures.
    AnalysisProgress,
    /// Files of a locker changed: `path` is relative to the locker.
    DriveChanged {
        /// Which locker.
        locker: LockerId,
        /// What changed, a file or a folder.
        path: String,
    },
    /// Files went from lockers because their content must not be here.
    TakenDown,
    /// The list of libraries changed (a user or locker came or went, sharing changed).
    LibrariesChanged,
    /// Usage, plan or rights of a user changed.
    AccountChanged {
        /// Whose.
        user: UserId,
    },
    /// Somebody started or stopped playing.
    NowPlayingChanged,
    /// Somebody said something in the chat.
    ChatChanged,
    /// The speakers of the house were told something, or said something.
    JukeboxChanged,
    /// A user's saved queue changed.
    QueueChanged {
        /// Whose.
        user: UserId,
    },
    /// Listens were added to a user's history: rows of `listen`, in the order of their ids.
    ListensRecorded {
        /// Whose.
        user: UserId,
    },
    /// A LAN device was seen, blocked or bound.
    LanDevicesChanged,
}

/// The bus. Cheap to clone; a listener that sleeps too long loses the oldest and is told so.
#[derive(Debug, Clone)]
pub struct Events {
    sender: broadcast::Sender<Event>,
}

impl Default for Events {
    fn default() -> Self {
        Self { sender: broadcast::Sender::new(1024) }
    }
}

impl Events {
    /// Tells everybody who listens. Nobody listening is fine.
    pub fn publish(&self, event: Event) {
        let _ = self.sender.send(event);
    }

    /// Events from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.sender.subscribe()
    }
}
