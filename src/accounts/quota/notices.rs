//! When somebody is told about his room: at 80, 95 and 100 per cent, and 30, 7 and 1 days before a
//! grant ends.

use super::Term;
use crate::clock::Millis;

const DAY: Millis = 24 * 3600 * 1000;
const SHARES: [u8; 3] = [100, 95, 80];
const DAYS: [u8; 3] = [1, 7, 30];
/// So far below its share use must fall before it may be told again.
const AGAIN: u8 = 5;

/// The highest share of the quota that is reached, in per cent.
pub(crate) fn share(used: u64, quota: Option<u64>) -> Option<u8> {
    SHARES.into_iter().find(|share| reaches(used, quota, *share))
}

/// The share itself as people read it, in per cent, rounded down.
pub(crate) fn per_cent(used: u64, quota: u64) -> u128 {
    u128::from(used) * 100 / u128::from(quota.max(1))
}

/// Whether what was told of a share may be told again.
pub(crate) fn is_over_with(used: u64, quota: Option<u64>, share: u8) -> bool {
    !reaches(used, quota, share.saturating_sub(AGAIN))
}

fn reaches(used: u64, quota: Option<u64>, share: u8) -> bool {
    let Some(quota) = quota else { return false };
    0 < used && u128::from(quota) * u128::from(share) <= u128::from(used) * 100
}

/// How near the end of a grant is: the smallest of 1, 7 and 30 days that it lies within. One that
/// was given for less than that is not announced so.
pub(crate) fn nears_end(term: &Term, now: Millis) -> Option<u8> {
    let ends = term.ends.filter(|_| term.is_active(now))?;
    let near = DAYS.into_iter().find(|days| ends - now <= Millis::from(*days) * DAY)?;
    (Millis::from(near) * DAY < ends - term.starts).then_some(near)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Gift, Term},
        *,
    };

    #[test]
    fn shares_are_reached_to_the_byte() {
        let quota = Some(1000);
        let shares = [0, 799, 800, 949, 950, 999, 1000, 5000].map(|used| share(used, quota));
        let (some, none) = (Some, None);
        assert_eq!(
            shares,
            [none, none, some(80), some(80), some(95), some(95), some(100), some(100)]
        );
        assert_eq!(share(1 << 60, None), None);
        assert_eq!(share(0, Some(0)), None, "an empty locker is not full");
        assert!(!is_over_with(760, quota, 80) && is_over_with(749, quota, 80));
    }

    #[test]
    fn ends_are_told_thirty_seven_and_one_days_before() {
        let of = |starts, ends| Term { gift: Gift::Bytes(1), starts, ends: Some(ends * DAY) };
        let year = of(0, 365);
        let told = [334, 335, 357, 358, 363, 364].map(|day| nears_end(&year, day * DAY));
        assert_eq!(told, [None, Some(30), Some(30), Some(7), Some(7), Some(1)]);
        assert_eq!(nears_end(&year, 365 * DAY), None, "it is over");
        assert_eq!(nears_end(&of(0, 20), DAY), None, "twenty days were known from the beginning");
        assert_eq!(nears_end(&of(0, 20), 14 * DAY), Some(7));
    }
}
