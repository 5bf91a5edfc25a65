//! When nobody asks for anything, the server becomes small: what the database and the allocator
//! keep for the next question is given back.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{db::Db, ops::memory};

/// How long it must have been quiet.
const QUIET: Duration = Duration::from_secs(15);
/// CPU time in such a while, ms: timers and a client that polls stay below.
const IDLE_MS: i64 = 150;

/// Watches the process's own CPU time until `stop`.
pub(super) async fn keep(db: Db, stop: CancellationToken) {
    let mut before = memory::cpu_ms();
    let mut worked = true;
    while stop.run_until_cancelled(tokio::time::sleep(QUIET)).await.is_some() {
        let now = memory::cpu_ms();
        let is_idle = now - before < IDLE_MS;
        if is_idle && worked {
            db.rest().await;
            memory::give_back();
        }
        worked = !is_idle;
        before = memory::cpu_ms();
    }
}
