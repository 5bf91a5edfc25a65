//! Time. The only file that reads the wall clock, so that tests can move it by a year.

use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::time::Instant;

/// Milliseconds since the Unix epoch, UTC: how every time is stored.
pub type Millis = i64;

/// The source of "now": the system's, or one that a test moves.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The system clock.
    #[default]
    System,
    /// A clock that stands still until it is moved.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `now` until it is moved.
    #[must_use]
    pub fn manual(now: Millis) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(now)))
    }

    /// Now, in milliseconds since the epoch.
    #[must_use]
    pub fn now(&self) -> Millis {
        match self {
            Self::System => millis(SystemTime::now()),
            Self::Manual(now) => now.load(Ordering::SeqCst),
        }
    }

    /// Moves a manual clock; the system's cannot be moved and stays.
    pub fn advance(&self, by: Duration) {
        if let Self::Manual(now) = self {
            now.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
        }
    }
}

/// Until all that looks now and then whether something is due looks again: at whole multiples of
/// `every` since the program began. Clocks of one length, or of multiples of it, so wake the program
/// in the same moment, and it rests in between.
pub fn beat(every: Duration) -> tokio::time::Sleep {
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let began = *BEGAN;
    tokio::time::sleep_until(next_beat(began, Instant::now(), every))
}

fn next_beat(began: Instant, now: Instant, every: Duration) -> Instant {
    let since = now.saturating_duration_since(began).as_millis();
    let every_ms = every.as_millis().max(1);
    let next = (since / every_ms + 1) * every_ms;
    began + Duration::from_millis(u64::try_from(next).unwrap_or(u64::MAX))
}

/// Milliseconds since the epoch of a file's time; times before it are negative.
#[must_use]
pub fn millis(time: SystemTime) -> Millis {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
    }
}

/// Hours of the day in local time, from one to another, over midnight too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    from: i8,
    to: i8,
}

impl Hours {
    /// The whole day.
    pub const ALWAYS: Self = Self { from: 0, to: 24 };

    /// Reads `22-6`; '' is the whole day.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.trim().is_empty() {
            return Some(Self::ALWAYS);
        }
        let (from, to) = text.split_once('-')?;
        let (from, to) = (from.trim().parse().ok()?, to.trim().parse().ok()?);
        let is_day = (0..24).contains(&from) && (0..=24).contains(&to) && from != to;
        is_day.then_some(Self { from, to })
    }

    /// Whether a time lies within, in the system's time zone.
    #[must_use]
    pub fn contain(self, at: Millis) -> bool {
        jiff::Timestamp::from_millisecond(at)
            .is_ok_and(|at| self.contain_hour(at.to_zoned(jiff::tz::TimeZone::system()).hour()))
    }

    fn contain_hour(self, hour: i8) -> bool {
        if self.from < self.to {
            (self.from..self.to).contains(&hour)
        } else {
            self.from <= hour || hour < self.to
        }
    }
}

/// `YYYY-MM-DDTHH:MM:SS.mmmZ`: the only form that every Subsonic client reads (C11).
#[must_use]
pub fn iso(at: Millis) -> String {
    match jiff::Timestamp::from_millisecond(at) {
        Ok(at) => format!("{at:.3}"),
        Err(_) => "1970-01-01T00:00:00.000Z".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_has_three_digits_and_z() {
        assert_eq!(iso(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(iso(1_700_000_000_120), "2023-11-14T22:13:20.120Z");
    }

    #[test]
    fn clocks_of_every_length_meet() {
        let (began, minute) = (Instant::now(), Duration::from_mins(1));
        let at = |ms| began + Duration::from_millis(ms);
        assert_eq!(next_beat(began, at(0), minute), at(60_000));
        assert_eq!(next_beat(began, at(59_999), minute), at(60_000));
        assert_eq!(next_beat(began, at(60_000), minute), at(120_000));
        assert_eq!(next_beat(began, at(200_500), minute), at(240_000));
        assert_eq!(next_beat(began, at(200_500), minute * 5), at(300_000));
        assert_eq!(next_beat(at(5), at(0), minute), at(60_005), "a clock that went back");
    }

    #[test]
    fn hours_may_pass_midnight() {
        let night = Hours::parse("22-6").unwrap();
        assert!([22, 23, 0, 5].into_iter().all(|hour| night.contain_hour(hour)));
        assert!([6, 12, 21].into_iter().all(|hour| !night.contain_hour(hour)));
        let day = Hours::parse(" 8 - 24 ").unwrap();
        assert!(day.contain_hour(23) && !day.contain_hour(7));
        assert_eq!(Hours::parse(""), Some(Hours::ALWAYS));
        assert!((0..24).all(|hour| Hours::ALWAYS.contain_hour(hour)));
        for wrong in ["8", "8-8", "24-2", "-1-5", "8-25", "x-y", "8-"] {
            assert_eq!(Hours::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn manual_clock_moves() {
        let clock = Clock::manual(5);
        clock.advance(Duration::from_secs(1));
        assert_eq!(clock.now(), 1005);
    }
}
