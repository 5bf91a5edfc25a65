//! The one counter that tells that the catalogue changed. It is kept in `meta`, grows inside the
//! transaction that changes something, and is told after it.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::{
    Result,
    catalog::Catalog,
    clock::Millis,
    db::{Db, Tx},
    events::Event,
};

/// When the catalogue last changed. The number feeds DLNA's `SystemUpdateID` and ETags, the time
/// Subsonic's `lastModified`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision {
    /// Grows by one with each change.
    pub number: i64,
    /// When the collection last changed: its folders, artists, albums and tracks. Apps fetch all of
    /// it again then, so playlists and gains do not move it.
    pub changed_at: Millis,
}

/// The counter in memory.
#[derive(Debug)]
pub(super) struct Counter {
    number: AtomicI64,
    changed_at: AtomicI64,
}

impl Counter {
    /// Reads it from the database.
    pub(super) async fn load(db: &Db, now: Millis) -> Result<Self> {
        let number = db.meta_of("revision").await?.unwrap_or(0);
        let changed_at = db.meta_of("revision_at").await?.unwrap_or(now);
        Ok(Self { number: number.into(), changed_at: changed_at.into() })
    }
}

impl Catalog {
    /// Grows with every change that anybody could see.
    pub fn revision(&self) -> Revision {
        Revision {
            number: self.inner.revision.number.load(Ordering::Acquire),
            changed_at: self.inner.revision.changed_at.load(Ordering::Acquire),
        }
    }

    /// Counts a change of the collection inside its transaction. Give the result to
    /// [`Self::announce`] after the commit, and to nobody if there is none.
    pub(crate) async fn bump_revision(&self, tx: &mut Tx) -> Result<Revision> {
        let now = self.clock.now();
        tx.keep_meta("revision_at", &now.to_string()).await?;
        Ok(Revision { changed_at: now, ..self.bump_shown(tx).await? })
    }

    /// The same for what is shown and is not the collection: playlists, gains.
    pub(crate) async fn bump_shown(&self, tx: &mut Tx) -> Result<Revision> {
        let number = sqlx::query_scalar!(
            r#"insert into meta (key, value) values ('revision', '1')
               on conflict (key) do update set value = cast(value as integer) + 1
               returning cast(value as integer) as "number!: i64""#
        )
        .fetch_one(&mut **tx)
        .await?;
        Ok(Revision { number, changed_at: 0 })
    }

    /// Makes a committed change known: drops what was remembered and publishes the event.
    pub(crate) fn announce(&self, revision: Revision) {
        self.inner.revision.number.fetch_max(revision.number, Ordering::AcqRel);
        self.inner.revision.changed_at.fetch_max(revision.changed_at, Ordering::AcqRel);
        self.inner.memory.forget();
        self.events.publish(Event::CatalogChanged { revision: revision.number });
    }
}
