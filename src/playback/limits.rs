//! How much at once: permits by user and in total, given back when they are dropped.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::{Error, Result, ids::UserId};

/// A door that lets so many in. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    inside: Arc<Mutex<HashMap<UserId, usize>>>,
    /// What is counted, in a sentence: "streams".
    what: &'static str,
}

/// A place inside; dropping it frees it.
#[derive(Debug)]
pub(super) struct Permit {
    inside: Arc<Mutex<HashMap<UserId, usize>>>,
    user: UserId,
}

impl Gate {
    pub(super) fn new(what: &'static str) -> Self {
        Self { inside: Arc::default(), what }
    }

    /// Lets a user in who has fewer than `own` inside, when there are fewer than `all`.
    pub(super) fn enter(&self, user: UserId, own: usize, all: usize) -> Result<Permit> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let message = if own <= inside.get(&user).copied().unwrap_or(0) {
            format!("You have {own} {} open already; close one first", self.what)
        } else if all <= inside.values().sum::<usize>() {
            format!("The server has {all} {} open already; try again soon", self.what)
        } else {
            *inside.entry(user).or_default() += 1;
            return Ok(Permit { inside: self.inside.clone(), user });
        };
        Err(Error::TooMany { message, retry_after: Duration::from_secs(5) })
    }

    /// How many are inside.
    pub(super) fn count(&self) -> usize {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = inside.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                inside.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permits_come_back() {
        let gate = Gate::new("streams");
        let first = gate.enter(UserId(1), 1, 2).unwrap();
        assert!(matches!(gate.enter(UserId(1), 1, 2), Err(Error::TooMany { .. })));
        let second = gate.enter(UserId(2), 1, 2).unwrap();
        assert!(matches!(gate.enter(UserId(3), 1, 2), Err(Error::TooMany { .. })));
        drop((first, second));
        assert_eq!(gate.count(), 0);
        drop(gate.enter(UserId(1), 1, 2).unwrap());
    }
}
