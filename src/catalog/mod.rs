//! What there is to hear: libraries, folders, artists, albums, tracks, genres, playlists,
//! annotations, covers, lyrics, search. Every read takes a [`Principal`](crate::accounts::Principal);
//! what it may not see is *not found*. Where the bytes of a file lie is told to `playback` alone.
//!
//! Lists find ids inside an index first ([`lists`]), then fetch facts ([`albums`],
//! [`track_facts`]) that are remembered until the catalogue changes ([`memory`]), and add what the
//! principal added himself ([`marks`]).

mod albums;
mod annotations;
mod arrivals;
mod artists;
pub(crate) mod avatars;
mod covers;
mod criteria;
mod draw;
mod find;
mod folders;
pub mod groups;
mod history;
pub mod identity;
mod kindred;
mod listens;
mod lists;
mod lyrics;
mod marks;
mod memory;
mod merge;
mod model;
mod mosaic;
pub use crate::path_text;
mod playlists;
mod queue;
mod revision;
mod search;
mod server_id;
mod shares;
mod similar;
mod smart;
mod track_facts;
mod tracks;
mod twins;
mod unreadable;
mod visible;
mod works;
pub mod write;

pub use arrivals::{
    Brought, BroughtBookmark, BroughtMark, BroughtPlaylist, BroughtQueue, By, Description, Named,
    Recognised, Share as TakenShare, TakenIn, Trial,
};
pub use artists::Initial;
pub use criteria::{Comparison, Criteria, Field, Mark, Object, OrderBy, TextMatch};
pub use merge::{Merged, Whose};
pub use model::*;
pub use playlists::{Imported, Unmatched};
pub use revision::Revision;
pub use search::{Found, Wanted};
pub use shares::Shares;
pub use similar::SonicMatch;
pub use smart::{Kind as SmartKind, Operator as SmartOperator, Rules, SmartField, smart_fields};

use std::{path::PathBuf, sync::Arc};

use tokio_util::sync::CancellationToken;

use crate::{
    Result,
    clock::{self, Clock},
    db::Db,
    events::Events,
    media::worker::Pool,
};

/// How often memory is tidied while nobody asks.
const TIDY: std::time::Duration = std::time::Duration::from_mins(1);

/// The catalogue service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Catalog {
    db: Db,
    clock: Clock,
    events: Events,
    inner: Arc<Inner>,
}

/// What all clones share.
#[derive(Debug)]
struct Inner {
    revision: revision::Counter,
    memory: memory::Memory,
    marks: marks::AllMarks,
    smart: smart::Memory,
    nobody: Arc<marks::Marks>,
    covers: covers::Covers,
    works: works::Works,
    sounds: similar::Sounds,
}

impl Catalog {
    /// Over an open database. `cache` is where pictures are kept; it may vanish at any time.
    /// `pool` understands pictures.
    pub async fn open(
        db: Db,
        clock: Clock,
        events: Events,
        cache: PathBuf,
        pool: Pool,
    ) -> Result<Self> {
        let revision = revision::Counter::load(&db, clock.now()).await?;
        let inner = Inner {
            revision,
            memory: memory::Memory::default(),
            marks: marks::AllMarks::default(),
            smart: smart::Memory::default(),
            nobody: Arc::default(),
            covers: covers::Covers::new(cache.join("covers"), pool),
            works: works::Works::default(),
            sounds: similar::Sounds::default(),
        };
        Ok(Self { db, clock, events, inner: Arc::new(inner) })
    }

    /// Keeps the memory small while nobody asks, until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        while stop.run_until_cancelled(clock::beat(TIDY)).await.is_some() {
            self.inner.memory.tidy();
            self.inner.marks.tidy();
            self.inner.smart.tidy();
            self.inner.covers.tidy().await;
            self.inner.sounds.tidy().await;
        }
    }
}

#[cfg(test)]
mod tests;
