//! How much a locker may hold at a moment: the larger of its plan and its active tiers, and every
//! active gift of bytes on top. Unlimited beats all.

use crate::clock::Millis;

/// What a grant gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gift {
    /// At least so many bytes in all; `None` is unlimited.
    Tier(Option<u64>),
    /// So many bytes more.
    Bytes(u64),
}

/// A grant with its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Term {
    /// What it gives.
    pub(crate) gift: Gift,
    /// From this moment on.
    pub(crate) starts: Millis,
    /// No longer from this moment on; `None` has no end.
    pub(crate) ends: Option<Millis>,
}

impl Term {
    /// Whether it gives at this moment.
    pub(crate) fn is_active(&self, at: Millis) -> bool {
        self.starts <= at && self.ends.is_none_or(|ends| at < ends)
    }
}

/// The effective quota at a moment, in bytes; `None` is unlimited.
pub(crate) fn quota_at(plan: Option<u64>, terms: &[Term], at: Millis) -> Option<u64> {
    let active = || terms.iter().filter(|term| term.is_active(at));
    let tiers = active().filter_map(|term| match term.gift {
        Gift::Tier(bytes) => Some(bytes),
        Gift::Bytes(_) => None,
    });
    let mut base = plan?;
    for tier in tiers {
        base = base.max(tier?);
    }
    let more = active().filter_map(|term| match term.gift {
        Gift::Bytes(bytes) => Some(bytes),
        Gift::Tier(_) => None,
    });
    Some(more.fold(base, u64::saturating_add))
}

/// The moments ahead at which a grant ends, the next one first.
pub(crate) fn ends(terms: &[Term], now: Millis) -> Vec<Millis> {
    let active = terms.iter().filter(|term| term.is_active(now));
    let mut ends: Vec<Millis> = active.filter_map(|term| term.ends).collect();
    ends.sort_unstable();
    ends.dedup();
    ends
}

/// The last moment at which the quota fell below `used` because a grant ended.
pub(crate) fn fell_below(
    used: u64,
    plan: Option<u64>,
    terms: &[Term],
    now: Millis,
) -> Option<Millis> {
    let fits = |at| quota_at(plan, terms, at).is_none_or(|quota| used <= quota);
    let mut ended: Vec<Millis> =
        terms.iter().filter_map(|term| term.ends).filter(|ends| *ends <= now).collect();
    ended.sort_unstable();
    ended.into_iter().rev().find(|end| fits(end - 1) && !fits(*end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(gift: Gift, starts: Millis, ends: Option<Millis>) -> Term {
        Term { gift, starts, ends }
    }

    #[test]
    fn tiers_do_not_add_up_and_bytes_do() {
        let terms = [
            term(Gift::Tier(Some(20)), 10, Some(20)),
            term(Gift::Tier(Some(15)), 10, None),
            term(Gift::Bytes(3), 0, Some(15)),
            term(Gift::Bytes(4), 0, None),
        ];
        let quotas = [9, 10, 14, 15, 19, 20, 99].map(|at| quota_at(Some(5), &terms, at).unwrap());
        assert_eq!(quotas, [12, 27, 27, 24, 24, 19, 19]);
        assert_eq!(ends(&terms, 12), [15, 20]);
        // A plan that is larger than the tier stays.
        assert_eq!(quota_at(Some(50), &terms, 12), Some(57));
    }

    #[test]
    fn unlimited_beats_all() {
        let terms = [term(Gift::Tier(None), 10, Some(20)), term(Gift::Bytes(1), 0, None)];
        assert_eq!(quota_at(Some(5), &terms, 10), None);
        assert_eq!(quota_at(Some(5), &terms, 20), Some(6));
        assert_eq!(quota_at(None, &[term(Gift::Tier(Some(1)), 0, None)], 5), None);
    }

    #[test]
    fn the_fall_is_when_the_decisive_grant_ended() {
        let terms = [term(Gift::Tier(Some(20)), 0, Some(100)), term(Gift::Bytes(1), 0, Some(150))];
        assert_eq!(fell_below(10, Some(5), &terms, 200), Some(100));
        assert_eq!(fell_below(6, Some(5), &terms, 200), Some(150));
        assert_eq!(fell_below(10, Some(5), &terms, 99), None);
        assert_eq!(fell_below(3, Some(5), &terms, 200), None);
        // It never fitted: something else than an end is to blame.
        assert_eq!(fell_below(30, Some(5), &terms, 200), None);
    }
}
