//! When nobody asks for anything, the server becomes small: what the database and the allocator
//! keep for the next question is given back.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{clock::beat, db::Db, ops::memory};

/// How often it is looked whether there was work.
const QUIET: Duration = Duration::from_secs(15);
/// So long after the beat: what ticked with it is done.
const AFTER: Duration = Duration::from_secs(2);
/// How often memory is given back while work in the background goes on, or only clocks tick: all of
/// them do so in one moment, and what they need is given back right after it.
const TICKS: Duration = Duration::from_mins(1);
/// CPU time in a `QUIET`, ms: timers and a client that polls stay below.
const IDLE_MS: i64 = 150;
/// The same for work in the background, such as hashing, which may go on for hours: nobody waits
/// for it, and it needs little of what is kept.
const LIGHT_MS: i64 = 3000;

/// Watches the process's own CPU time until `stop`. Gives back when work ended, soon again,
/// for caches and connections end by themselves meanwhile, and then after each minute's ticks.
pub(super) async fn keep(db: Db, stop: CancellationToken) {
    let mut before = memory::cpu_ms();
    let mut idle = 0_u32;
    let mut ticks = beat(TICKS).deadline();
    let next = || async {
        beat(QUIET).await;
        tokio::time::sleep(AFTER).await;
    };
    while stop.run_until_cancelled(next()).await.is_some() {
        let spent = memory::cpu_ms() - before;
        idle = if spent < IDLE_MS { idle.saturating_add(1) } else { 0 };
        let have_ticked = ticks <= Instant::now();
        if have_ticked {
            ticks = beat(TICKS).deadline();
        }
        if matches!(idle, 1 | 2) || have_ticked && spent < LIGHT_MS {
            db.rest().await;
            memory::give_back();
        }
        before = memory::cpu_ms();
    }
}
