//! How many guesses at a login password are looked at: by account and address together, and by
//! account alone. The token is taken before any hashing. Random secrets are never limited.

use std::{
    collections::HashMap,
    net::IpAddr,
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::{Clock as GovernorClock, Reference as _},
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::keyed::HashMapStateStore,
};

use crate::{
    clock::{Clock, Millis},
    error::AuthFailure,
};

/// From one address: so many at once, then one each six minutes.
const FROM_ONE: (u32, Duration) = (5, Duration::from_mins(6));
/// From everywhere together: never more than twenty an hour, and one address alone cannot use it up.
const FROM_ALL: (u32, Duration) = (10, Duration::from_mins(6));
/// Addresses of shares that are not there, from one address: so many at once, then one each ten
/// seconds. Who has a right one is not asked.
const MISSES: (u32, Duration) = (60, Duration::from_secs(10));
/// How long an address stays known after a sign-in there.
const KNOWN_FOR: Millis = 30 * 24 * 3600 * 1000;

type Limit = RateLimiter<[u8; 32], HashMapStateStore<[u8; 32]>, Time, NoOpMiddleware<Nanos>>;

/// The limiter inside the verifier.
#[derive(Debug)]
pub(crate) struct Limiter {
    clock: Clock,
    from_one: Limit,
    from_all: Limit,
    misses: Limit,
    /// Where an account signed in: those addresses are not held to the account's own limit, so
    /// that strangers who guess cannot lock the family out. The number starts a fresh count.
    known: Mutex<HashMap<[u8; 32], Known>>,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    since: Millis,
    count: u64,
}

#[derive(Debug, Clone)]
struct Time(Clock);

impl GovernorClock for Time {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::new(u64::try_from(self.0.now()).unwrap_or(0).saturating_mul(1_000_000))
    }
}

impl Limiter {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            from_one: limit(FROM_ONE, &clock),
            from_all: limit(FROM_ALL, &clock),
            misses: limit(MISSES, &clock),
            known: Mutex::default(),
            clock,
        }
    }

    /// Takes a token for one guess, or says how long to wait.
    pub(crate) fn take(&self, account: &str, address: IpAddr) -> Result<(), AuthFailure> {
        let place = key(account, Some(address), 0);
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&place).copied();
        let counted = key(account, Some(address), known.map_or(0, |known| known.count));
        check(&self.from_one, &counted)?;
        match known {
            Some(known) if self.clock.now() - known.since < KNOWN_FOR => Ok(()),
            _ => check(&self.from_all, &key(account, None, 0)),
        }
    }

    /// The guess was right: the address is known from now on and its count starts afresh.
    pub(crate) fn was_right(&self, account: &str, address: IpAddr) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        let entry =
            known.entry(key(account, Some(address), 0)).or_insert(Known { since: now, count: 0 });
        *entry = Known { since: now, count: entry.count + 1 };
    }

    /// Counts a try at something random that is not there, or says how long to wait.
    pub(crate) fn missed(&self, address: IpAddr) -> Result<(), Duration> {
        check(&self.misses, &key("", Some(address), 0)).map_err(|failure| match failure {
            AuthFailure::Limited(wait) => wait,
            _ => Duration::from_secs(1),
        })
    }

    /// Forgets what no longer matters; call it each minute.
    pub(crate) fn sweep(&self) {
        for limit in [&self.from_one, &self.from_all, &self.misses] {
            limit.retain_recent();
            limit.shrink_to_fit();
        }
        let now = self.clock.now();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, known| now - known.since < KNOWN_FOR);
    }
}

fn limit((burst, period): (u32, Duration), clock: &Clock) -> Limit {
    let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
    let quota =
        Quota::with_period(period).unwrap_or_else(|| Quota::per_hour(burst)).allow_burst(burst);
    RateLimiter::new(quota, HashMapStateStore::default(), Time(clock.clone()))
}

fn check(limit: &Limit, key: &[u8; 32]) -> Result<(), AuthFailure> {
    limit.check_key(key).map_err(|not_until| {
        let wait = not_until.earliest_possible().duration_since(limit.clock().now());
        AuthFailure::Limited(Duration::from(wait).max(Duration::from_secs(1)))
    })
}

/// Of fixed size whatever was typed. IPv6 counts by /64, since a household owns at least that.
fn key(account: &str, address: Option<IpAddr>, count: u64) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    match address {
        None => hasher.update(b"all"),
        Some(IpAddr::V4(address)) => hasher.update(b"v4").update(&address.octets()),
        Some(IpAddr::V6(address)) => hasher.update(b"v6").update(&address.octets()[..8]),
    };
    hasher.update(&count.to_le_bytes());
    hasher.update(account.to_ascii_lowercase().as_bytes());
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn looked_at(limiter: &Limiter, tries: usize, address: impl Fn(usize) -> IpAddr) -> usize {
        (0..tries).filter(|try_| limiter.take("ann", address(*try_)).is_ok()).count()
    }

    #[test]
    fn one_address_gets_five_then_one_in_six_minutes() {
        let clock = Clock::manual(1_000_000_000);
        let limiter = Limiter::new(clock.clone());
        assert_eq!(looked_at(&limiter, 200, |_| at("192.0.2.1")), 5);
        let Err(AuthFailure::Limited(wait)) = limiter.take("ann", at("192.0.2.1")) else {
            panic!("not limited")
        };
        assert!(wait <= Duration::from_mins(6), "{wait:?}");
        clock.advance(wait);
        assert_eq!(looked_at(&limiter, 10, |_| at("192.0.2.1")), 1);
        assert!(limiter.take("bob", at("192.0.2.1")).is_ok(), "another account is not touched");
    }

    #[test]
    fn all_addresses_together_get_twenty_an_hour() {
        let clock = Clock::manual(1_000_000_000);
        let limiter = Limiter::new(clock.clone());
        let mut sum = 0;
        for minute in 0..60_usize {
            sum += looked_at(&limiter, 20, |try_| at(&format!("10.{minute}.0.{try_}")));
            clock.advance(Duration::from_mins(1));
        }
        assert!(sum <= 20, "{sum}");
    }

    #[test]
    fn six_addresses_of_one_64_are_one() {
        let limiter = Limiter::new(Clock::manual(1_000_000_000));
        assert_eq!(looked_at(&limiter, 50, |try_| at(&format!("2001:db8:0:1::{try_:x}"))), 5);
    }

    #[test]
    fn strangers_do_not_lock_the_family_out() {
        let clock = Clock::manual(1_000_000_000);
        let limiter = Limiter::new(clock.clone());
        let home = at("198.51.100.7");
        limiter.take("ann", home).unwrap();
        limiter.was_right("ann", home);
        assert_eq!(looked_at(&limiter, 100, |try_| at(&format!("10.0.0.{try_}"))), 9);
        assert!(limiter.take("ann", at("203.0.113.5")).is_err(), "used up for unknown places");
        assert!(limiter.take("ann", home).is_ok(), "not where she signed in before");
    }

    #[test]
    fn right_passwords_start_the_count_afresh() {
        let limiter = Limiter::new(Clock::manual(1_000_000_000));
        let home = at("198.51.100.7");
        for _ in 0..50 {
            limiter.take("ann", home).unwrap();
            limiter.was_right("ann", home);
        }
    }

    #[test]
    fn sweeping_forgets() {
        let clock = Clock::manual(1_000_000_000);
        let limiter = Limiter::new(clock.clone());
        for number in 0..1000 {
            let _ = limiter.take(&format!("user{number}"), at("192.0.2.1"));
        }
        clock.advance(Duration::from_hours(1));
        limiter.sweep();
        assert_eq!(limiter.from_one.len() + limiter.from_all.len(), 0);
    }
}
