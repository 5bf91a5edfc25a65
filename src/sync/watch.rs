//! Hears that something changed in the folder, and waits until it is quiet. Where a folder cannot
//! be watched (network file systems tell nothing), it is looked at now and then.

use std::{path::Path, time::Duration};

use notify_debouncer_full::{
    DebounceEventResult, Debouncer, RecommendedCache, new_debouncer, notify,
    notify::{EventKind, RecommendedWatcher, RecursiveMode},
};
use tokio::sync::mpsc;

use super::{Fault, Result};

/// A file that is still written to is not brought.
const QUIET: Duration = Duration::from_secs(2);
/// Looked at in any case.
const SWEEP: Duration = Duration::from_mins(15);

/// The ear. Dropping it ends the watching.
pub(super) struct Watch {
    changes: mpsc::Receiver<()>,
    _debouncer: Debouncer<RecommendedWatcher, RecommendedCache>,
}

impl Watch {
    pub(super) fn over(folder: &Path) -> Result<Self> {
        let (tell, changes) = mpsc::channel(1);
        let heard = move |events: DebounceEventResult| {
            // Reading files is no change; that somebody else failed to hear may be one.
            let is_change = events.as_ref().map_or(true, |events| {
                events.iter().any(|event| !matches!(event.kind, EventKind::Access(_)))
            });
            if is_change {
                let _ = tell.try_send(());
            }
        };
        let failed = |error: notify::Error| Fault::Here(format!("it cannot be watched: {error}"));
        let mut debouncer = new_debouncer(QUIET, None, heard).map_err(failed)?;
        if let Err(error) = debouncer.watch(folder, RecursiveMode::Recursive) {
            tracing::warn!(
                "{} cannot be watched, and is looked at every 15 minutes: {error}",
                folder.display()
            );
        }
        Ok(Self { changes, _debouncer: debouncer })
    }

    /// Waits until something changed.
    pub(super) async fn changed(&mut self) {
        tokio::select! {
            heard = self.changes.recv() => {
                if heard.is_none() {
                    tokio::time::sleep(SWEEP).await;
                }
            }
            () = tokio::time::sleep(SWEEP) => (),
        }
    }
}
