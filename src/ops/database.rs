//! Looks after the database while few are awake: whether it is whole, once a week, and that questions
//! are planned by what is in it. After an end that was not clean it is looked at right away.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{
    Error, Result,
    clock::{Clock, Hours, Millis, beat},
    db::Db,
};

/// How often it looks whether it is time.
const LOOK: Duration = Duration::from_hours(1);
/// From one look at everything to the next.
const EVERY: Millis = 7 * 24 * 3600 * 1000;
/// From one renewal of the statistics to the next.
const DAY: Millis = 24 * 3600 * 1000;

/// Looks after it until `stop`.
pub async fn look_after(db: Db, clock: Clock, stop: CancellationToken) {
    if db.is_unchecked()
        && let Some(Err(error)) = stop.run_until_cancelled(check(&db, clock.now())).await
    {
        complain(&error);
    }
    // Of a machine whose nights nobody knows.
    let quiet = Hours::parse("3-5").unwrap_or(Hours::ALWAYS);
    let mut optimized_at = 0;
    while stop.run_until_cancelled(beat(LOOK)).await.is_some() {
        let now = clock.now();
        if !quiet.contain(now) {
            continue;
        }
        let round = async {
            if DAY <= now - optimized_at + 3600 * 1000 {
                db.optimize().await?;
                optimized_at = now;
            }
            check_if_due(&db, now).await
        };
        if let Some(Err(error)) = stop.run_until_cancelled(round).await {
            complain(&error);
        }
    }
}

/// Looks at all of it, if a week has gone.
pub async fn check_if_due(db: &Db, now: Millis) -> Result<()> {
    let last = db.checked_at().await?;
    // A clock that went back is no reason to wait for years.
    if last.is_some_and(|last| (0..EVERY).contains(&(now - last))) {
        return Ok(());
    }
    check(db, now).await
}

async fn check(db: &Db, now: Millis) -> Result<()> {
    db.check_quickly().await?;
    db.keep_checked_at(now).await
}

fn complain(error: &Error) {
    tracing::error!("the database was looked at: {error}");
}
