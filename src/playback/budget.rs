//! How much a user may take: bytes a day and a month by the server's own calendar, and how fast.
//! Counted as the bytes go out; a stream that began is not cut off. What was counted is written
//! once a minute and at the end.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::{Timestamp, ToSpan as _, Zoned, civil::Date, tz::TimeZone};

use crate::{
    Error, Result,
    accounts::{Caps, DOWNLOADS_COUNT, Principal},
    body::{Meter, Pace},
    clock::{Clock, Millis},
    db::Db,
    ids::UserId,
};

/// Days that stay recorded.
const KEPT_DAYS: i64 = 62;

/// What every user took.
#[derive(Debug)]
pub(super) struct Budget {
    db: Db,
    clock: Clock,
    users: Mutex<HashMap<UserId, Arc<User>>>,
}

#[derive(Debug, Default)]
struct User {
    /// Sent and not yet written.
    sent: Arc<AtomicU64>,
    /// The day that they were sent on.
    day: Mutex<Option<Date>>,
    pace: Mutex<Option<(u32, Arc<Pace>)>>,
}

/// What a user took, and when the counts start anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Bytes today.
    pub day: u64,
    /// Bytes this month.
    pub month: u64,
    /// When the day's count starts anew.
    pub day_ends: Millis,
    /// When the month's does.
    pub month_ends: Millis,
}

impl Budget {
    pub(super) fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock, users: Mutex::default() }
    }

    /// Lets a stream begin, or says when the next one may. The meter goes with its body.
    pub(super) async fn admit(&self, principal: &Principal) -> Result<Option<Meter>> {
        if !principal.is_person() {
            return Ok(None);
        }
        self.turn_the_page(principal.user).await?;
        let caps = principal.caps;
        if caps.day_bytes.is_some() || caps.month_bytes.is_some() {
            let taken = self.taken(principal.user).await?;
            judge(&caps, &taken, self.clock.now())?;
        }
        let user = self.user(principal.user);
        Ok(Some(Meter {
            sent: Arc::clone(&user.sent),
            pace: caps.rate_kbps.map(|kbps| user.pace(kbps)),
        }))
    }

    /// What counts the bytes of a file that is fetched as it is, where an administrator wants such
    /// bytes to count; `None` where they do not.
    pub(super) async fn admit_download(&self, principal: &Principal) -> Result<Option<Meter>> {
        let counts = sqlx::query_scalar!(
            r#"select exists (select 1 from setting where name = ?) as "counts!: bool""#,
            DOWNLOADS_COUNT
        )
        .fetch_one(self.db.read())
        .await?;
        if counts { self.admit(principal).await } else { Ok(None) }
    }

    /// On another day, what was sent on the last one is written down as its own.
    async fn turn_the_page(&self, user: UserId) -> Result<()> {
        let today = date(self.clock.now(), &TimeZone::system());
        let user = self.user(user);
        let day = *user.day.lock().unwrap_or_else(PoisonError::into_inner);
        if day != Some(today) {
            self.write().await?;
            *user.day.lock().unwrap_or_else(PoisonError::into_inner) = Some(today);
        }
        Ok(())
    }

    /// What a user took up to now.
    pub(super) async fn taken(&self, user: UserId) -> Result<Taken> {
        self.turn_the_page(user).await?;
        let now = self.clock.now();
        let today = date(now, &TimeZone::system());
        let (day, first) = (today.to_string(), today.first_of_month().to_string());
        let row = sqlx::query!(
            r#"select coalesce(sum(bytes), 0) as "month!: i64",
                      coalesce(sum(iif(day = ?1, bytes, 0)), 0) as "day!: i64"
               from stream_use where user_id = ?2 and ?3 <= day and day <= ?1"#,
            day,
            user.0,
            first
        )
        .fetch_one(self.db.read())
        .await?;
        let unwritten = self.user(user).sent.load(Ordering::Relaxed);
        let (day_ends, month_ends) = ends(now, &TimeZone::system());
        Ok(Taken {
            day: row.day.unsigned_abs() + unwritten,
            month: row.month.unsigned_abs() + unwritten,
            day_ends,
            month_ends,
        })
    }

    /// Writes what was sent since the last time.
    pub(super) async fn write(&self) -> Result<()> {
        let users: Vec<(UserId, Arc<User>)> = self
            .users
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .filter(|(_, user)| 0 < user.sent.load(Ordering::Relaxed))
            .map(|(id, user)| (*id, Arc::clone(user)))
            .collect();
        // What cannot be written down now is remembered: it is no reason for silence.
        if users.is_empty() || self.db.storage().fault().is_some() {
            return Ok(());
        }
        let today = date(self.clock.now(), &TimeZone::system());
        let old = today.saturating_sub(KEPT_DAYS.days()).to_string();
        let mut tx = self.db.write().await?;
        let mut written = Vec::with_capacity(users.len());
        for (id, user) in users {
            let sent = user.sent.load(Ordering::Relaxed);
            let bytes = i64::try_from(sent).unwrap_or(i64::MAX);
            let day = user.day.lock().unwrap_or_else(PoisonError::into_inner).unwrap_or(today);
            let day = day.to_string();
            sqlx::query!(
                "insert into stream_use (user_id, day, bytes)
                 select user_id, ?1, ?2 from user where user_id = ?3
                 on conflict (user_id, day) do update set bytes = bytes + excluded.bytes",
                day,
                bytes,
                id.0
            )
            .execute(&mut *tx)
            .await?;
            written.push((user, sent));
        }
        sqlx::query!("delete from stream_use where day < ?", old).execute(&mut *tx).await?;
        tx.commit().await?;
        for (user, sent) in written {
            user.sent.fetch_sub(sent, Ordering::Relaxed);
        }
        Ok(())
    }

    fn user(&self, id: UserId) -> Arc<User> {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(users.entry(id).or_default())
    }
}

impl User {
    /// The pace that all streams of the user share; a new one when the plan's rate changed.
    fn pace(&self, kbps: u32) -> Arc<Pace> {
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        match &*pace {
            Some((of, pace)) if *of == kbps => Arc::clone(pace),
            _ => {
                let new = Arc::new(Pace::new(u64::from(kbps) * 1000 / 8));
                *pace = Some((kbps, Arc::clone(&new)));
                new
            }
        }
    }
}

/// Refuses when a day's or a month's bytes are used up, and says until when.
fn judge(caps: &Caps, taken: &Taken, now: Millis) -> Result<()> {
    let spent = |most: Option<u64>, taken: u64| most.filter(|most| *most <= taken);
    let (most, span, until) =
        match (spent(caps.month_bytes, taken.month), spent(caps.day_bytes, taken.day)) {
            (Some(most), _) => (most, "month", taken.month_ends),
            (None, Some(most)) => (most, "day", taken.day_ends),
            (None, None) => return Ok(()),
        };
    let wait = u64::try_from(until - now).unwrap_or(0).div_ceil(1000);
    let at = Timestamp::from_millisecond(until).unwrap_or_default().to_zoned(TimeZone::system());
    Err(Error::TooMany {
        message: format!(
            "Your plan allows {most} bytes of streaming a {span}, and they are used up; it starts anew at {}",
            at.strftime("%Y-%m-%d %H:%M")
        ),
        retry_after: Duration::from_secs(wait.max(1)),
    })
}

fn date(now: Millis, zone: &TimeZone) -> Date {
    zoned(now, zone).date()
}

fn zoned(now: Millis, zone: &TimeZone) -> Zoned {
    Timestamp::from_millisecond(now).unwrap_or_default().to_zoned(zone.clone())
}

/// When the day and the month of a moment end.
fn ends(now: Millis, zone: &TimeZone) -> (Millis, Millis) {
    let start = |date: Date| {
        date.to_zoned(zone.clone()).map_or(now, |start| start.timestamp().as_millisecond())
    };
    let today = date(now, zone);
    let next_month = today.first_of_month().saturating_add(1.month());
    (start(today.saturating_add(1.day())), start(next_month))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-25T22:00:00Z
    const NOW: Millis = 1_795_644_000_000;

    #[test]
    fn days_and_months_end_at_local_midnight() {
        let (day, month) = ends(NOW, &TimeZone::UTC);
        assert_eq!(crate::clock::iso(day), "2026-11-26T00:00:00.000Z");
        assert_eq!(crate::clock::iso(month), "2026-12-01T00:00:00.000Z");
        let east = TimeZone::fixed(jiff::tz::offset(5));
        assert_eq!(crate::clock::iso(ends(NOW, &east).0), "2026-11-26T19:00:00.000Z");
    }

    #[test]
    fn what_is_used_up_is_refused_until_it_starts_anew() {
        let (day_ends, month_ends) = ends(NOW, &TimeZone::UTC);
        let taken = Taken { day: 100, month: 500, day_ends, month_ends };
        let caps = |day: Option<u64>, month: Option<u64>| Caps {
            day_bytes: day,
            month_bytes: month,
            ..Caps::default()
        };
        assert!(judge(&caps(Some(101), Some(501)), &taken, NOW).is_ok());
        let wait = |caps| match judge(&caps, &taken, NOW) {
            Err(Error::TooMany { retry_after, .. }) => retry_after.as_secs(),
            other => panic!("{other:?}"),
        };
        assert_eq!(wait(caps(Some(100), None)), 2 * 3600);
        assert_eq!(wait(caps(Some(100), Some(500))), 5 * 24 * 3600 + 2 * 3600);
    }
}
