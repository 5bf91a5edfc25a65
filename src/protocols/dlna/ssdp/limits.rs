//! How much one source, and all together, may make us say: answers are larger than searches, and
//! a source may be forged.

use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, Instant},
};

/// Searches a second that one source is answered.
const PER_SOURCE: u32 = 10;
/// Searches a second that are answered in all.
const IN_ALL: u32 = 100;
const SECOND: Duration = Duration::from_secs(1);
const MAX_SOURCES: usize = 1_024;

/// Counts of the running second.
#[derive(Debug)]
pub(super) struct Limits {
    began_at: Instant,
    all: u32,
    sources: HashMap<IpAddr, u32>,
}

impl Limits {
    pub(super) fn new(now: Instant) -> Self {
        Self { began_at: now, all: 0, sources: HashMap::new() }
    }

    /// Whether one more search of this source is answered.
    pub(super) fn admit(&mut self, source: IpAddr, now: Instant) -> bool {
        if SECOND <= now.duration_since(self.began_at) {
            *self = Self::new(now);
        }
        if IN_ALL <= self.all || MAX_SOURCES <= self.sources.len() {
            return false;
        }
        let count = self.sources.entry(source).or_default();
        if PER_SOURCE <= *count {
            return false;
        }
        *count += 1;
        self.all += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_a_second_for_each_and_a_hundred_in_all() {
        let now = Instant::now();
        let mut limits = Limits::new(now);
        let source = |last| IpAddr::from([10, 0, 0, last]);
        let admitted = (0..50).filter(|_| limits.admit(source(1), now)).count();
        assert_eq!(admitted, 10);
        let admitted = (2..250).filter(|last| limits.admit(source(*last), now)).count();
        assert_eq!(admitted, 90);
        assert!(limits.admit(source(1), now + SECOND));
    }
}
