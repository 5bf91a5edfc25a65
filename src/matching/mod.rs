//! Nothing is sent twice: which of a client's files are here, by the hashes of their bytes, and
//! how it gets one that is here without sending it. A hash alone never gives access to anything:
//! who claims a file proves over every byte that he holds it. Knows nothing of protocols.

mod claims;
mod duplicates;
mod hashing;
mod items;
mod pending;
mod rows;
mod source;
mod take_down;

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, atomic::AtomicI64},
    time::Duration,
};

use tokio::sync::{Notify, Semaphore};

pub use claims::{Claimed, Proof};
pub use duplicates::{Action, ActionDone, DuplicateFile, DuplicateGroup, DuplicateKind, What};
pub use items::{Item, Key, Standing};
pub use take_down::Extent;

use self::pending::Pending;
use crate::{
    accounts::Accounts,
    catalog::Catalog,
    clock::{Clock, Hours},
    db::Db,
    drive::Drive,
    events::Events,
    ingest::Ingest,
    playback::Playback,
};

/// Files that one question may be about.
pub const MOST_ITEMS: usize = 10_000;
/// Places of one content that are told: more would make an answer as long as its square.
pub const MOST_PLACES: usize = 4;
/// Claims that one request may bring.
pub const MOST_CLAIMS: usize = 1_000;
/// How long a key is good for.
const KEY_LIFE: Duration = Duration::from_mins(30);
/// Whole files that are read at once to judge proofs.
const READERS: usize = 2;

/// What it is built over.
pub struct Parts {
    /// The database.
    pub db: Db,
    /// What time it is.
    pub clock: Clock,
    /// Who may do what.
    pub accounts: Accounts,
    /// What is kept.
    pub drive: Drive,
    /// What people added to what is heard.
    pub catalog: Catalog,
    /// Whose scans the hashing stands back for.
    pub ingest: Ingest,
    /// Whose streams it stands back for, and what decodes.
    pub playback: Playback,
    /// What changed.
    pub events: Events,
    /// The program whose `worker` command makes fingerprints.
    pub program: PathBuf,
    /// When recordings may be heard and compared; `None` is never.
    pub hearing: Option<Hours>,
}

/// The service. Cheap to clone.
#[derive(Clone)]
pub struct Matching {
    parts: Arc<Parts>,
    pending: Arc<Mutex<Pending>>,
    readers: Arc<Semaphore>,
    /// One look at what was taken down at a time.
    taking_down: Arc<tokio::sync::Mutex<()>>,
    /// Somebody asked about a file whose hash is not known yet.
    wanted: Arc<Notify>,
    /// The catalogue's revision of which everything was hashed and compared.
    settled: Arc<AtomicI64>,
}

impl fmt::Debug for Matching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Matching").finish_non_exhaustive()
    }
}

impl Matching {
    /// Over the services. Nothing is hashed before [`Self::run`].
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self {
            parts: Arc::new(parts),
            pending: Arc::default(),
            readers: Arc::new(Semaphore::new(READERS)),
            taking_down: Arc::default(),
            wanted: Arc::default(),
            settled: Arc::new(AtomicI64::new(hashing::NOTHING)),
        }
    }

    fn pending(&self) -> std::sync::MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
