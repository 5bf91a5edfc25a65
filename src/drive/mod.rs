//! What is kept: each locker's tree of plain files on disk, published by rename, charged to the
//! byte. Knows nothing of music.

mod names;
mod put;
mod tree;

use std::path::PathBuf;

pub use names::{NameProblem, RelativePath};
pub use put::{Condition, Stored, Target};
pub use tree::{Entry, EntryKind, OpenFile};

use crate::{accounts::Accounts, clock::Clock, db::Db, events::Events};

/// The drive service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Drive {
    root: PathBuf,
    db: Db,
    clock: Clock,
    events: Events,
    accounts: Accounts,
}

impl Drive {
    /// Over an open database; `root` is made if absent, and probed.
    pub async fn open(
        root: PathBuf,
        db: Db,
        clock: Clock,
        events: Events,
        accounts: Accounts,
    ) -> crate::Result<Self> {
        let drive = Self { root, db, clock, events, accounts };
        let _ = (&drive.root, &drive.db, &drive.clock, &drive.events, &drive.accounts);
        Ok(drive)
    }
}
