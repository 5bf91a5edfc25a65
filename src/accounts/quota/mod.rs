//! The quota as a state machine without any I/O: a locker's figures and an event give new figures
//! or a refusal. Everything that adds, moves or frees bytes passes through [`decide`], inside the
//! transaction that carries it out; nothing is checked first and taken later.

mod effective;
mod notices;
mod sharing;

#[cfg(test)]
mod model;

pub(crate) use effective::{Gift, Term, ends, fell_below, quota_at};
pub(crate) use notices::{is_over_with, nears_end, per_cent, share};
pub use sharing::SharedCopies;
pub(crate) use sharing::charges;

/// A locker's figures, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// Settled, and counted.
    pub(crate) used: u64,
    /// Promised to uploads in flight.
    pub(crate) reserved: u64,
    /// In trash and old versions: gives way when room is needed.
    pub(crate) reclaimable: u64,
    /// Settled, and not counted.
    pub(crate) exempt: u64,
    /// Allowed now; `None` is unlimited.
    pub(crate) quota: Option<u64>,
    /// It is over its quota, and has been for longer than the grace lasts.
    pub(crate) is_grace_over: bool,
}

/// What a file is in a locker's figures, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Charge {
    /// Of `used`.
    pub(crate) counted: u64,
    /// Of `exempt`.
    pub(crate) exempt: u64,
}

/// What is to happen to a locker. Amounts are bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// An upload wants so many promised, or so many more.
    Reserve { bytes: u64 },
    /// A promise is given back.
    Release { bytes: u64 },
    /// An upload is published: its promise becomes a file, in the place of what was there.
    Settle {
        /// Promised to this upload.
        promised: u64,
        /// The new file.
        comes: Charge,
        /// What it replaces.
        goes: Charge,
    },
    /// Files were found on the disk, went from it, or count otherwise now: true whatever the
    /// quota says.
    Recount { comes: Charge, goes: Charge },
    /// Something that was replaced is kept besides, to come back or to give way.
    Keep { bytes: u64 },
    /// Something was put into the trash: no byte was added, so nothing gives way to it, not even
    /// in a locker that is over its quota.
    Discard { bytes: u64 },
    /// Something that was put away came back, or is gone for good.
    Forget { bytes: u64 },
}

/// What comes of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// The figures after it.
    pub(crate) state: State,
    /// At least so many reclaimable bytes must now be forgotten, the oldest first.
    pub(crate) give_way: u64,
}

/// Why an event may not happen. Amounts are bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Used and promised to others.
    pub(crate) used: u64,
    /// Allowed in all.
    pub(crate) quota: u64,
    /// How many more there would be.
    pub(crate) needed: u64,
    /// The locker has been over its quota for longer than the grace lasts.
    pub(crate) is_grace_over: bool,
}

/// The whole of the quota's rules.
pub(crate) fn decide(state: &State, event: Event) -> Result<Outcome, Refusal> {
    let mut next = *state;
    let mut adds = false;
    match event {
        // Whoever is over the quota may still make files smaller.
        Event::Reserve { bytes: 0 } => (),
        Event::Reserve { bytes } => {
            state.require(state.used.saturating_add(state.reserved), bytes)?;
            next.reserved = state.reserved.saturating_add(bytes);
            adds = true;
        }
        Event::Release { bytes } => next.reserved = state.reserved.saturating_sub(bytes),
        Event::Settle { promised, comes, goes } => {
            let needed = comes.counted.saturating_sub(goes.counted);
            let missing = needed.saturating_sub(promised);
            if 0 < missing {
                state.require(state.used.saturating_add(state.reserved), missing)?;
            }
            // What was promised holds only as far as the quota of now allows: it may have shrunk
            // while the bytes came in. Other promises do not count against this one; the first to
            // arrive gets the room that is left.
            if 0 < needed {
                state.require(state.used, needed)?;
            }
            next.reserved = state.reserved.saturating_sub(promised);
            next.recount(comes, goes);
            adds = 0 < needed;
        }
        Event::Recount { comes, goes } => next.recount(comes, goes),
        Event::Keep { bytes } => {
            next.reclaimable = state.reclaimable.saturating_add(bytes);
            adds = true;
        }
        Event::Discard { bytes } => {
            next.reclaimable = state.reclaimable.saturating_add(bytes);
        }
        Event::Forget { bytes } => next.reclaimable = state.reclaimable.saturating_sub(bytes),
    }
    Ok(Outcome { give_way: if adds { next.excess() } else { 0 }, state: next })
}

/// A promise was settled, and gave way to by things of so many bytes, the oldest first: how many of
/// these are gone for good. The rest fits beside what there is now, and comes back.
pub(crate) fn gone_for_good(state: &State, held: &[u64]) -> usize {
    let Some(quota) = state.quota else { return 0 };
    let all = held.iter().fold(0, |sum: u64, bytes| sum.saturating_add(*bytes));
    let mut needed = state.sum().saturating_add(all).saturating_sub(quota);
    held.iter()
        .take_while(|bytes| {
            let is_gone = 0 < needed;
            needed = needed.saturating_sub(**bytes);
            is_gone
        })
        .count()
}

impl State {
    /// Whether more is used than allowed.
    pub(crate) fn is_over(&self) -> bool {
        self.quota.is_some_and(|quota| quota < self.used)
    }

    /// Refuses unless so many more fit on top of `used`.
    fn require(&self, used: u64, needed: u64) -> Result<(), Refusal> {
        let Some(quota) = self.quota else { return Ok(()) };
        if used.checked_add(needed).is_some_and(|sum| sum <= quota) {
            return Ok(());
        }
        Err(Refusal { used, quota, needed, is_grace_over: self.is_grace_over })
    }

    fn recount(&mut self, comes: Charge, goes: Charge) {
        self.used = self.used.saturating_add(comes.counted).saturating_sub(goes.counted);
        self.exempt = self.exempt.saturating_add(comes.exempt).saturating_sub(goes.exempt);
    }

    /// Reclaimable bytes that the quota has no room for.
    fn excess(&self) -> u64 {
        let Some(quota) = self.quota else { return 0 };
        self.sum().saturating_sub(quota).min(self.reclaimable)
    }

    /// Used, promised, and kept besides.
    fn sum(&self) -> u64 {
        self.used.saturating_add(self.reserved).saturating_add(self.reclaimable)
    }
}

impl Charge {
    /// A file that counts.
    pub(crate) fn counted(bytes: u64) -> Self {
        Self { counted: bytes, exempt: 0 }
    }

    /// A file that does not.
    pub(crate) fn exempt(bytes: u64) -> Self {
        Self { counted: 0, exempt: bytes }
    }
}

impl std::ops::AddAssign for Charge {
    fn add_assign(&mut self, other: Self) {
        self.counted = self.counted.saturating_add(other.counted);
        self.exempt = self.exempt.saturating_add(other.exempt);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(used: u64, reserved: u64, reclaimable: u64, quota: u64) -> State {
        State { used, reserved, reclaimable, quota: Some(quota), ..State::default() }
    }

    #[test]
    fn the_last_byte_fits_and_one_more_does_not() {
        let state = of(400, 100, 0, 1000);
        assert_eq!(decide(&state, Event::Reserve { bytes: 500 }).unwrap().state.reserved, 600);
        let refused = decide(&state, Event::Reserve { bytes: 501 }).unwrap_err();
        assert_eq!((refused.used, refused.quota, refused.needed), (500, 1000, 501));
        assert!(decide(&state, Event::Reserve { bytes: u64::MAX }).is_err());
        let unlimited = State { quota: None, ..state };
        assert!(decide(&unlimited, Event::Reserve { bytes: 1 << 60 }).is_ok());
    }

    #[test]
    fn trash_gives_way_inside_the_reservation() {
        let state = of(400, 0, 500, 1000);
        let outcome = decide(&state, Event::Reserve { bytes: 100 }).unwrap();
        assert_eq!(outcome.give_way, 0);
        let outcome = decide(&state, Event::Reserve { bytes: 350 }).unwrap();
        assert_eq!(outcome.give_way, 250);
        let outcome = decide(&state, Event::Reserve { bytes: 600 }).unwrap();
        assert_eq!(outcome.give_way, 500);
        assert!(decide(&state, Event::Reserve { bytes: 601 }).is_err());
    }

    #[test]
    fn what_was_held_comes_back_as_far_as_it_fits() {
        for (state, gone) in [
            (of(400, 0, 0, 1000), 0),
            (of(401, 0, 0, 1000), 1),
            (of(600, 0, 0, 1000), 1),
            (of(600, 1, 0, 1000), 2),
            (of(700, 0, 199, 1000), 2),
            (of(700, 0, 201, 1000), 3),
            (State { quota: None, ..of(5000, 0, 0, 0) }, 0),
        ] {
            assert_eq!(gone_for_good(&state, &[200, 300, 100]), gone, "{state:?}");
        }
    }

    #[test]
    fn an_old_version_is_kept_as_far_as_there_is_room() {
        let state = of(900, 0, 0, 1000);
        let (comes, goes) = (Charge::counted(900), Charge::counted(900));
        let settled = decide(&state, Event::Settle { promised: 0, comes, goes }).unwrap();
        let kept = decide(&settled.state, Event::Keep { bytes: 900 }).unwrap();
        assert_eq!((kept.state.used, kept.state.reclaimable), (900, 900));
        assert_eq!(kept.give_way, 800);
    }

    #[test]
    fn what_is_deleted_over_the_quota_can_come_back() {
        let (comes, goes) = (Charge::default(), Charge::counted(300));
        let gone = decide(&of(1500, 0, 0, 1000), Event::Recount { comes, goes }).unwrap();
        let kept = decide(&gone.state, Event::Discard { bytes: 300 }).unwrap();
        assert_eq!((kept.state.used, kept.state.reclaimable, kept.give_way), (1200, 300, 0));
    }

    #[test]
    fn exempt_bytes_need_no_room() {
        let state = of(1000, 0, 0, 1000);
        let comes = Charge::exempt(5000);
        let settled = Event::Settle { promised: 0, comes, goes: Charge::default() };
        let outcome = decide(&state, settled).unwrap();
        assert_eq!((outcome.state.used, outcome.state.exempt), (1000, 5000));
    }

    #[test]
    fn over_the_quota_all_goes_on_but_more() {
        let state = State { is_grace_over: true, ..of(1500, 0, 0, 1000) };
        assert!(state.is_over());
        let (smaller, larger) = (Charge::counted(10), Charge::counted(30));
        let goes = Charge::counted(20);
        let replace = |comes| Event::Settle { promised: 0, comes, goes };
        assert!(decide(&state, replace(smaller)).is_ok());
        assert!(decide(&state, replace(larger)).unwrap_err().is_grace_over);
    }
}
