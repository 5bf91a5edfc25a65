//! What both sides keep as rows: lists, and no sums. The sums, and the rules as the specification
//! words them, are the model.

use super::super::{Charge, Gift, Term};
use crate::clock::Millis;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Promise {
    pub(super) bytes: u64,
    pub(super) is_lasting: bool,
    /// What gave way to it, and is neither kept nor gone as long as it is open; the oldest first.
    pub(super) held: Vec<Kept>,
}

/// Something that was put away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kept {
    /// As the how manieth.
    pub(super) turn: usize,
    pub(super) bytes: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) files: Vec<Charge>,
    pub(super) promises: Vec<Promise>,
    /// What was put away, the oldest first.
    pub(super) kept: Vec<Kept>,
    /// How much was ever put away.
    pub(super) turns: usize,
    pub(super) terms: Vec<Term>,
    pub(super) plan: Option<u64>,
    pub(super) now: Millis,
}

impl Promise {
    pub(super) fn hold(&mut self, gone: impl IntoIterator<Item = Kept>) {
        self.held.extend(gone);
        self.held.sort();
    }
}

impl Rows {
    pub(super) fn used(&self) -> u64 {
        self.files.iter().map(|file| file.counted).sum()
    }

    pub(super) fn reserved(&self) -> u64 {
        self.promises.iter().map(|promise| promise.bytes).sum()
    }

    pub(super) fn reclaimable(&self) -> u64 {
        self.kept.iter().map(|kept| kept.bytes).sum()
    }

    fn sum(&self) -> u64 {
        self.used() + self.reserved() + self.reclaimable()
    }

    /// max(plan, tiers) + bytes; unlimited beats all.
    pub(super) fn quota(&self) -> u64 {
        let (mut most, mut more) = (self.plan.unwrap_or(u64::MAX), 0);
        for term in &self.terms {
            let has_begun = self.now >= term.starts;
            let has_ended = term.ends.is_some_and(|end| self.now >= end);
            match term.gift {
                _ if !has_begun || has_ended => (),
                Gift::Tier(bytes) => most = most.max(bytes.unwrap_or(u64::MAX)),
                Gift::Bytes(bytes) => more += bytes,
            }
        }
        if most == u64::MAX { most } else { most + more }
    }

    pub(super) fn fits(&self, used: u64, more: u64) -> bool {
        more == 0 || used + more <= self.quota()
    }

    pub(super) fn put_away(&mut self, bytes: u64) {
        self.kept.push(Kept { turn: self.turns, bytes });
        self.turns += 1;
    }

    /// The oldest that has bytes leaves the kept.
    pub(super) fn take_oldest(&mut self) -> Option<Kept> {
        let at = self.kept.iter().position(|kept| 0 < kept.bytes)?;
        Some(self.kept.remove(at))
    }

    /// Among the kept again, each where it was.
    pub(super) fn bring_back(&mut self, held: impl IntoIterator<Item = Kept>) {
        self.kept.extend(held);
        self.kept.sort();
    }

    /// The oldest go until everything is within the quota.
    pub(super) fn let_go(&mut self) -> Vec<Kept> {
        let mut gone = Vec::new();
        while self.quota() < self.sum() {
            match self.take_oldest() {
                Some(oldest) => gone.push(oldest),
                None => break,
            }
        }
        gone
    }

    /// A promise came to something: of what it held, the oldest are gone as far as the rest would
    /// not fit, and the rest is back.
    pub(super) fn settle_held(&mut self, mut held: Vec<Kept>) {
        let held_bytes = |held: &[Kept]| held.iter().map(|one| one.bytes).sum::<u64>();
        while !held.is_empty() && self.quota() < self.sum() + held_bytes(&held) {
            held.remove(0);
        }
        self.bring_back(held);
    }

    /// The next start: promises that do not last come to nothing.
    pub(super) fn restart(&mut self) {
        let (stay, go) =
            self.promises.drain(..).partition::<Vec<_>, _>(|promise| promise.is_lasting);
        self.promises = stay;
        self.bring_back(go.into_iter().flat_map(|promise| promise.held));
    }
}
