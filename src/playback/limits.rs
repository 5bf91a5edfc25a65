//! How much at once: permits by user and in total, given back when they are dropped. Whoever finds
//! no place may wait; a place that becomes free goes to whoever has the fewest, then to whoever
//! waits the longest.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::oneshot;

use crate::{Error, Result, ids::UserId};

/// How many of one user may wait.
const MOST_WAITING: usize = 32;

/// A door that lets so many in. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    state: Arc<Mutex<State>>,
    /// What is counted, in a sentence: "streams".
    what: &'static str,
}

/// How many a user, and all together, may have inside.
#[derive(Debug, Clone, Copy)]
pub(super) struct Most {
    pub(super) own: usize,
    pub(super) all: usize,
}

/// A place inside; dropping it frees it.
#[derive(Debug)]
pub(super) struct Permit {
    state: Arc<Mutex<State>>,
    user: UserId,
}

#[derive(Debug, Default)]
struct State {
    inside: HashMap<UserId, usize>,
    waiting: Vec<Waiter>,
    next: u64,
}

/// Somebody in the queue, in order of coming.
#[derive(Debug)]
struct Waiter {
    number: u64,
    user: UserId,
    most: Most,
    tell: oneshot::Sender<()>,
}

impl Gate {
    pub(super) fn new(what: &'static str) -> Self {
        Self { state: Arc::default(), what }
    }

    /// Lets a user in at once, or not at all.
    pub(super) fn enter(&self, user: UserId, most: Most) -> Result<Permit> {
        let mut state = lock(&self.state);
        if state.has_room(user, most) {
            *state.inside.entry(user).or_default() += 1;
            return Ok(Permit { state: self.state.clone(), user });
        }
        Err(self.refusal(state.inside(user), most))
    }

    /// Lets a user in as soon as there is room, if that is within `patience`.
    pub(super) async fn wait(
        &self,
        user: UserId,
        most: Most,
        patience: Duration,
    ) -> Result<Permit> {
        let queued = {
            let mut state = lock(&self.state);
            if state.has_room(user, most) {
                *state.inside.entry(user).or_default() += 1;
                return Ok(Permit { state: self.state.clone(), user });
            }
            let own = state.waiting.iter().filter(|waiter| waiter.user == user).count();
            if most.own == 0 || most.all == 0 || MOST_WAITING <= own {
                return Err(self.refusal(state.inside(user), most));
            }
            let (tell, told) = oneshot::channel();
            state.next += 1;
            let number = state.next;
            state.waiting.push(Waiter { number, user, most, tell });
            Queued { state: self.state.clone(), number, user, told }
        };
        match queued.granted(patience).await {
            Some(permit) => Ok(permit),
            None => Err(self.refusal(lock(&self.state).inside(user), most)),
        }
    }

    /// How many are inside.
    pub(super) fn count(&self) -> usize {
        lock(&self.state).inside.values().sum()
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        lock(&self.state).waiting.len()
    }

    fn refusal(&self, own: usize, most: Most) -> Error {
        let message = if most.own <= own {
            format!("You have {own} {} open already; close one first", self.what)
        } else {
            format!("The server has {} {} open already; try again soon", most.all, self.what)
        };
        Error::TooMany { message, retry_after: Duration::from_secs(5) }
    }
}

impl State {
    fn inside(&self, user: UserId) -> usize {
        self.inside.get(&user).copied().unwrap_or(0)
    }

    fn has_room(&self, user: UserId, most: Most) -> bool {
        self.inside(user) < most.own && self.inside.values().sum::<usize>() < most.all
    }

    fn leave(&mut self, user: UserId) {
        if let Some(count) = self.inside.get_mut(&user) {
            *count -= 1;
            if *count == 0 {
                self.inside.remove(&user);
            }
        }
        self.admit();
    }

    /// Lets in whoever can come in now.
    fn admit(&mut self) {
        loop {
            let next = self
                .waiting
                .iter()
                .enumerate()
                .filter(|(_, waiter)| self.has_room(waiter.user, waiter.most))
                .min_by_key(|(_, waiter)| (self.inside(waiter.user), waiter.number))
                .map(|(at, _)| at);
            let Some(at) = next else { return };
            let waiter = self.waiting.remove(at);
            // Whoever went away in this moment takes no place.
            if waiter.tell.send(()).is_ok() {
                *self.inside.entry(waiter.user).or_default() += 1;
            }
        }
    }
}

/// A place in the queue; dropping it gives up whatever came of it.
struct Queued {
    state: Arc<Mutex<State>>,
    number: u64,
    user: UserId,
    told: oneshot::Receiver<()>,
}

impl Queued {
    async fn granted(mut self, patience: Duration) -> Option<Permit> {
        let told = tokio::time::timeout(patience, &mut self.told).await;
        matches!(told, Ok(Ok(()))).then(|| Permit { state: self.state.clone(), user: self.user })
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        let before = state.waiting.len();
        state.waiting.retain(|waiter| waiter.number != self.number);
        // Told, but nobody listened any more. What was taken by `granted` is closed already.
        if state.waiting.len() == before && self.told.try_recv() == Ok(()) {
            state.leave(self.user);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        lock(&self.state).leave(self.user);
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn permits_come_back() {
        let gate = Gate::new("streams");
        let most = Most { own: 1, all: 2 };
        let first = gate.enter(UserId(1), most).unwrap();
        assert!(matches!(gate.enter(UserId(1), most), Err(Error::TooMany { .. })));
        let second = gate.enter(UserId(2), most).unwrap();
        assert!(matches!(gate.enter(UserId(3), most), Err(Error::TooMany { .. })));
        drop((first, second));
        assert_eq!(gate.count(), 0);
        drop(gate.enter(UserId(1), most).unwrap());
    }

    /// Four of one user wait before the first of another comes: that one goes in next all the same.
    #[tokio::test]
    async fn a_free_place_goes_to_whoever_has_the_fewest() {
        let gate = Gate::new("transcodes");
        let most = Most { own: 3, all: 3 };
        let mut held: Vec<_> = (0..3).map(|_| gate.enter(UserId(1), most).unwrap()).collect();
        let (order, mut came) = tokio::sync::mpsc::unbounded_channel();
        for user in [1, 1, 1, 1, 2, 2] {
            let (gate, order) = (gate.clone(), order.clone());
            let waiting = gate.waiting();
            let queue = gate.clone();
            tokio::spawn(async move {
                let permit = queue.wait(UserId(user), most, LONG).await.unwrap();
                order.send((user, permit)).unwrap();
            });
            while gate.waiting() == waiting {
                tokio::task::yield_now().await;
            }
        }
        let mut users = Vec::new();
        held.pop();
        for _ in 0..6 {
            let (user, permit) = came.recv().await.unwrap();
            users.push(user);
            // The oldest inside goes.
            held.push(permit);
            held.remove(0);
        }
        // The one who has none; then the one who waits the longest of those who have as many.
        assert_eq!(users, [2, 1, 1, 2, 1, 1]);
        drop(held);
        assert_eq!((gate.count(), gate.waiting()), (0, 0));
    }

    #[tokio::test]
    async fn patience_ends_and_nothing_is_left() {
        let gate = Gate::new("transcodes");
        let most = Most { own: 2, all: 1 };
        let held = gate.enter(UserId(1), most).unwrap();
        let short = Duration::from_millis(10);
        let refused = gate.wait(UserId(2), most, short).await.unwrap_err();
        assert!(refused.to_string().starts_with("The server has 1 transcodes open"), "{refused}");
        assert_eq!((gate.count(), gate.waiting()), (1, 0));
        // Who may have none need not wait for it.
        let none = Most { own: 0, all: 1 };
        assert!(gate.wait(UserId(3), none, LONG).await.is_err());
        drop(held);
        assert_eq!(gate.count(), 0);
    }

    /// Told that there is room, but gone before looking.
    #[tokio::test]
    async fn whoever_goes_away_takes_no_place() {
        let gate = Gate::new("transcodes");
        let most = Most { own: 2, all: 1 };
        let held = gate.enter(UserId(1), most).unwrap();
        let mut waiting = Box::pin(gate.wait(UserId(2), most, LONG));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        let mut behind = Box::pin(gate.wait(UserId(3), most, LONG));
        assert!(futures_util::poll!(&mut behind).is_pending());
        drop(held);
        assert_eq!((gate.count(), gate.waiting()), (1, 1));
        drop(waiting);
        drop(behind.await.unwrap());
        assert_eq!((gate.count(), gate.waiting()), (0, 0));
    }
}
