//! When nobody asks for anything, the server becomes small: what the database and the allocator
//! keep for the next question is given back.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{db::Db, ops::memory};

/// How often it is looked whether there was work.
const QUIET: Duration = Duration::from_secs(15);
/// CPU time in such a while, ms: timers and a client that polls stay below.
const IDLE_MS: i64 = 150;
/// The same for work in the background, such as hashing, which may go on for hours: nobody waits
/// for it, and it needs little of what is kept.
const LIGHT_MS: i64 = 3000;
/// While such work goes on, or only clocks tick, memory is given back once in so many looks.
const LOOKS: u32 = 4;

/// Watches the process's own CPU time until `stop`. Gives back when work ended, soon again,
/// for caches and connections end by themselves meanwhile, and then once a minute.
pub(super) async fn keep(db: Db, stop: CancellationToken) {
    let mut before = memory::cpu_ms();
    let (mut idle, mut light) = (0_u32, 0_u32);
    while stop.run_until_cancelled(tokio::time::sleep(QUIET)).await.is_some() {
        let spent = memory::cpu_ms() - before;
        idle = if spent < IDLE_MS { idle.saturating_add(1) } else { 0 };
        light = if spent < LIGHT_MS { light.saturating_add(1) } else { 0 };
        let is_time = if idle == 0 { light % LOOKS == 1 } else { idle < 3 || idle % LOOKS == 0 };
        if is_time {
            db.rest().await;
            memory::give_back();
        }
        before = memory::cpu_ms();
    }
}
