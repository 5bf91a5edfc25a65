//! An import while it runs: figures that change too fast for rows, and the way to end it.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use tokio_util::sync::CancellationToken;

use super::{ImportItem, Imports};
use crate::ids::ImportId;

/// A running import.
#[derive(Debug, Default)]
pub(super) struct Live {
    figures: Mutex<Figures>,
    stop: CancellationToken,
    /// The server stops; it is not over.
    left: AtomicBool,
    over: CancellationToken,
}

#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Figures {
    pub(super) received: u64,
    pub(super) total: Option<u64>,
    pub(super) stored: u64,
    pub(super) refused: u64,
}

impl Live {
    pub(super) fn figures(&self) -> Figures {
        *self.lock()
    }

    pub(super) fn set_received(&self, received: u64, total: Option<u64>) {
        let mut figures = self.lock();
        (figures.received, figures.total) = (received, total);
    }

    pub(super) fn add_received(&self, more: u64) {
        self.lock().received += more;
    }

    pub(super) fn count(&self, item: &ImportItem) {
        let mut figures = self.lock();
        if item.problem.is_none() {
            figures.stored += 1;
        } else {
            figures.refused += 1;
        }
    }

    pub(super) fn cancel(&self) {
        self.stop.cancel();
    }

    /// Ends it for now.
    pub(super) fn leave(&self) {
        self.left.store(true, Ordering::Release);
        self.stop.cancel();
    }

    pub(super) fn is_left(&self) -> bool {
        self.left.load(Ordering::Acquire)
    }

    pub(super) fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// Waits until its last row is written.
    pub(super) async fn ended(&self) {
        self.over.cancelled().await;
    }

    fn lock(&self) -> MutexGuard<'_, Figures> {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Imports {
    pub(super) fn live(&self, id: ImportId) -> Option<Arc<Live>> {
        self.all_live().get(&id).cloned()
    }

    pub(super) fn go_live(&self, id: ImportId) -> Arc<Live> {
        Arc::clone(self.all_live().entry(id).or_default())
    }

    /// `None` if it runs already.
    pub(super) fn go_live_once(&self, id: ImportId) -> Option<Arc<Live>> {
        let mut all = self.all_live();
        if all.contains_key(&id) {
            return None;
        }
        Some(Arc::clone(all.entry(id).or_default()))
    }

    pub(super) fn running(&self) -> Vec<Arc<Live>> {
        self.all_live().values().cloned().collect()
    }

    pub(super) fn no_longer(&self, id: ImportId) {
        if let Some(live) = self.all_live().remove(&id) {
            live.over.cancel();
        }
    }

    fn all_live(&self) -> MutexGuard<'_, std::collections::HashMap<ImportId, Arc<Live>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
