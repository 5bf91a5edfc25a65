//! Keys that were given out and not used yet, and how often whose proofs were wrong. All of it in
//! memory: after a restart clients ask again.

use std::{collections::HashMap, time::Duration};

use super::{KEY_LIFE, rows::Place};
use crate::{clock::Millis, drive::Target, ids::UserId};

/// Keys of one user that wait; the oldest give way.
const MOST_KEYS: usize = 20_000;
/// So many wrong proofs cost nothing: files change while they are looked at.
const FREE: u32 = 5;
/// Nobody waits longer.
const LONGEST: Duration = Duration::from_hours(1);
/// After so long without a wrong proof, they are forgotten.
const FORGET: Millis = 24 * 3600 * 1000;

/// What a key was given out for.
#[derive(Debug, Clone)]
pub(super) struct Offer {
    pub(super) key: [u8; 32],
    /// What the client says that its file hashes to.
    pub(super) hash: [u8; 32],
    pub(super) size: u64,
    /// Where the bytes are.
    pub(super) place: Place,
    /// Where they shall be.
    pub(super) target: Target,
    expires_at: Millis,
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Pending {
    offers: HashMap<UserId, HashMap<[u8; 16], Offer>>,
    wrong: HashMap<UserId, Wrong>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Wrong {
    count: u32,
    last: Millis,
    until: Millis,
}

impl Pending {
    /// Remembers an offer under a name that nobody can guess.
    pub(super) fn add(&mut self, user: UserId, id: [u8; 16], now: Millis, mut offer: Offer) {
        let offers = self.offers.entry(user).or_default();
        if MOST_KEYS <= offers.len() {
            offers.retain(|_, offer| now < offer.expires_at);
        }
        if MOST_KEYS <= offers.len()
            && let Some(oldest) =
                offers.iter().min_by_key(|(_, offer)| offer.expires_at).map(|(id, _)| *id)
        {
            offers.remove(&oldest);
        }
        offer.expires_at = now.saturating_add(KEY_LIFE.as_millis() as Millis);
        offers.insert(id, offer);
    }

    /// Takes an offer out: whatever comes of it, its key is used.
    pub(super) fn take(&mut self, user: UserId, id: &[u8; 16], now: Millis) -> Option<Offer> {
        self.offers.get_mut(&user)?.remove(id).filter(|offer| now < offer.expires_at)
    }

    /// How long a user has to wait before the next proof is looked at.
    pub(super) fn wait(&self, user: UserId, now: Millis) -> Option<Duration> {
        let wrong = self.wrong.get(&user)?;
        let left = wrong.until.saturating_sub(now);
        (0 < left).then(|| Duration::from_millis(left.unsigned_abs()))
    }

    /// Counts a wrong proof: beyond the free ones each doubles the wait.
    pub(super) fn was_wrong(&mut self, user: UserId, now: Millis) {
        let wrong = self.wrong.entry(user).or_default();
        if FORGET <= now.saturating_sub(wrong.last) {
            wrong.count = 0;
        }
        wrong.count = wrong.count.saturating_add(1);
        wrong.last = now;
        if let Some(beyond) = wrong.count.checked_sub(FREE).filter(|beyond| 0 < *beyond) {
            let wait = Duration::from_secs(1_u64 << beyond.min(12)).min(LONGEST);
            wrong.until = now.saturating_add(wait.as_millis() as Millis);
        }
    }

    /// Forgets what is over.
    pub(super) fn sweep(&mut self, now: Millis) {
        for offers in self.offers.values_mut() {
            offers.retain(|_, offer| now < offer.expires_at);
            offers.shrink_to_fit();
        }
        self.offers.retain(|_, offers| !offers.is_empty());
        self.wrong.retain(|_, wrong| now.saturating_sub(wrong.last) < FORGET);
    }
}

impl Offer {
    /// An offer that ends when [`Pending::add`] says.
    pub(super) fn new(
        key: [u8; 32],
        hash: [u8; 32],
        size: u64,
        place: Place,
        target: Target,
    ) -> Self {
        Self { key, hash, size, place, target, expires_at: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        drive::{Condition, RelativePath},
        ids::LockerId,
    };

    fn offer() -> Offer {
        let path = RelativePath::parse("a").unwrap();
        let target = Target { locker: LockerId(1), path, condition: Condition::None };
        Offer::new([1; 32], [2; 32], 3, Place::Folder { file: 1 }, target)
    }

    #[test]
    fn a_key_is_good_once_for_one_user_and_not_for_long() {
        let mut pending = Pending::default();
        let (ann, bob) = (UserId(1), UserId(2));
        for id in 0..3 {
            pending.add(ann, [id; 16], 0, offer());
        }
        assert!(pending.take(bob, &[0; 16], 1).is_none(), "somebody else's");
        assert!(pending.take(ann, &[0; 16], 1).is_some());
        assert!(pending.take(ann, &[0; 16], 1).is_none(), "used");
        let late = KEY_LIFE.as_millis() as Millis;
        assert!(pending.take(ann, &[1; 16], late).is_none(), "late");
        pending.sweep(late);
        assert!(pending.offers.is_empty());
    }

    #[test]
    fn wrong_proofs_cost_more_and_more() {
        let mut pending = Pending::default();
        let ann = UserId(1);
        let mut now = 1_000_000;
        let mut waits = Vec::new();
        for _ in 0..20 {
            pending.was_wrong(ann, now);
            let wait = pending.wait(ann, now).unwrap_or_default();
            waits.push(wait.as_secs());
            now += wait.as_millis() as Millis;
        }
        assert_eq!(waits[..9], [0, 0, 0, 0, 0, 2, 4, 8, 16]);
        assert_eq!(waits[19], 3600);
        assert!(pending.wait(UserId(2), 1_000_000).is_none(), "nobody else waits");
        pending.was_wrong(ann, now + FORGET);
        assert!(pending.wait(ann, now + FORGET).is_none(), "forgotten");
    }

    #[test]
    fn keys_have_an_end() {
        let mut pending = Pending::default();
        for number in 0..=MOST_KEYS as u64 {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&number.to_le_bytes());
            pending.add(UserId(1), id, number as Millis, offer());
        }
        assert_eq!(pending.offers[&UserId(1)].len(), MOST_KEYS);
        assert!(pending.take(UserId(1), &[0; 16], 1).is_none(), "the oldest gave way");
    }
}
