//! What the verifier remembers, so that a request costs a look-up and no database: accounts with
//! their principals, keys and sessions. Dropped at every change of rights.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use tokio::sync::broadcast::{Receiver, error::TryRecvError};

use super::{DeviceOptions, Origin, Principal, app_passwords::Secret};
use crate::{
    clock::Millis,
    events::Event,
    ids::{AppPasswordId, UserId},
};

/// One user with everything that a sign-in needs.
pub(super) struct Account {
    pub(super) password_hash: String,
    pub(super) is_disabled: bool,
    /// With a login password or a session.
    pub(super) full: Principal,
    /// With an app password.
    pub(super) app: Principal,
    pub(super) keys: Vec<Key>,
}

/// One app password, opened.
pub(super) struct Key {
    pub(super) id: AppPasswordId,
    pub(super) lookup: [u8; 32],
    pub(super) secret: Secret,
}

/// A session as the cookie's hash finds it.
#[derive(Clone, Copy)]
pub(super) struct KnownSession {
    pub(super) user: UserId,
    pub(super) expires_at: Millis,
}

/// A LAN device as its address finds it.
#[derive(Clone)]
pub(super) struct KnownDevice {
    /// `None` is blocked.
    pub(super) principal: Option<Principal>,
    pub(super) options: DeviceOptions,
    pub(super) user_agent: String,
}

/// When and by whom something was used last.
pub(super) struct Use {
    pub(super) at: Millis,
    pub(super) client: String,
    pub(super) address: String,
}

/// Counts changes: what was read before one is not kept after it.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Generation(u64);

#[derive(Default)]
pub(super) struct Known {
    generation: Generation,
    accounts: HashMap<UserId, Arc<Account>>,
    names: HashMap<String, UserId>,
    keys: HashMap<[u8; 32], UserId>,
    sessions: HashMap<[u8; 32], KnownSession>,
    devices: HashMap<IpAddr, KnownDevice>,
    household: Option<Principal>,
}

/// The memory itself.
pub(super) struct Memory {
    known: RwLock<Known>,
    changes: Mutex<Receiver<Event>>,
    /// Login passwords that were right a short while ago: a keyed hash of hash and password.
    verified: Mutex<HashMap<UserId, ([u8; 32], Millis)>>,
    used_keys: Mutex<HashMap<AppPasswordId, Use>>,
    used_sessions: Mutex<HashMap<[u8; 32], Millis>>,
    seen_devices: Mutex<HashMap<IpAddr, Millis>>,
    /// Reservations that could not be given back when it was time.
    unreleased: Mutex<Vec<i64>>,
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Memory(..)")
    }
}

impl Memory {
    pub(super) fn new(changes: Receiver<Event>) -> Self {
        Self {
            known: RwLock::default(),
            changes: Mutex::new(changes),
            verified: Mutex::default(),
            used_keys: Mutex::default(),
            used_sessions: Mutex::default(),
            seen_devices: Mutex::default(),
            unreleased: Mutex::default(),
        }
    }

    /// What is known, after all changes told so far.
    fn read(&self) -> RwLockReadGuard<'_, Known> {
        self.hear();
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Obeys the events that came since the last request. Done here, and not by a task, so that
    /// whoever asks after a change is told gets the answer after it.
    fn hear(&self) {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match changes.try_recv() {
                Ok(Event::LibrariesChanged) | Err(TryRecvError::Lagged(_)) => self.forget_all(),
                Ok(Event::AccountChanged { user }) => self.forget(user),
                Ok(_) => (),
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    pub(super) fn forget_all(&self) {
        let mut known = self.write();
        let generation = Generation(known.generation.0 + 1);
        *known = Known { generation, ..Known::default() };
    }

    pub(super) fn forget(&self, user: UserId) {
        let mut known = self.write();
        known.generation.0 += 1;
        known.accounts.remove(&user);
        known.names.retain(|_, of| *of != user);
        known.keys.retain(|_, of| *of != user);
        known.sessions.retain(|_, session| session.user != user);
        known.devices.clear();
    }

    pub(super) fn forget_session(&self, hash: &[u8; 32]) {
        let mut known = self.write();
        known.generation.0 += 1;
        known.sessions.remove(hash);
    }

    pub(super) fn generation(&self) -> Generation {
        self.read().generation
    }

    /// Changes what is known unless something changed since `generation` was taken.
    pub(super) fn learn(&self, generation: Generation, learn: impl FnOnce(&mut Known)) {
        self.hear();
        let mut known = self.write();
        if known.generation == generation {
            learn(&mut known);
        }
    }

    /// By login name in lower case.
    pub(super) fn named(&self, name: &str) -> Option<Arc<Account>> {
        let known = self.read();
        known.names.get(name).and_then(|user| known.accounts.get(user)).cloned()
    }

    pub(super) fn with_key(&self, lookup: &[u8; 32]) -> Option<Arc<Account>> {
        let known = self.read();
        known.keys.get(lookup).and_then(|user| known.accounts.get(user)).cloned()
    }

    pub(super) fn account(&self, user: UserId) -> Option<Arc<Account>> {
        self.read().accounts.get(&user).cloned()
    }

    pub(super) fn session(&self, hash: &[u8; 32]) -> Option<(KnownSession, Arc<Account>)> {
        let known = self.read();
        let session = *known.sessions.get(hash)?;
        Some((session, Arc::clone(known.accounts.get(&session.user)?)))
    }

    pub(super) fn device(&self, address: IpAddr) -> Option<KnownDevice> {
        self.read().devices.get(&address).cloned()
    }

    pub(super) fn household(&self) -> Option<Principal> {
        self.read().household.clone()
    }

    /// Whether this proof was right a short while ago.
    pub(super) fn is_verified(&self, user: UserId, proof: &[u8; 32], now: Millis) -> bool {
        let verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        verified.get(&user).is_some_and(|(right, until)| now < *until && right == proof)
    }

    pub(super) fn set_verified(&self, user: UserId, proof: [u8; 32], until: Millis) {
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        verified.insert(user, (proof, until));
    }

    /// Remembers a reservation that is still to be given back.
    pub(super) fn note_unreleased(&self, id: i64) {
        self.unreleased.lock().unwrap_or_else(PoisonError::into_inner).push(id);
    }

    /// Those that were remembered; they are no longer.
    pub(super) fn take_unreleased(&self) -> Vec<i64> {
        std::mem::take(&mut self.unreleased.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn note_use(&self, id: AppPasswordId, at: Millis, origin: &Origin) {
        let mut used = self.used_keys.lock().unwrap_or_else(PoisonError::into_inner);
        // Once a second says enough, and a busy player makes no strings.
        if used.get(&id).is_some_and(|last| at - last.at < 1000) {
            return;
        }
        let client = super::one_line(&origin.client, 100);
        used.insert(id, Use { at, client, address: origin.address.to_string() });
    }

    pub(super) fn note_session(&self, hash: [u8; 32], at: Millis) {
        self.used_sessions.lock().unwrap_or_else(PoisonError::into_inner).insert(hash, at);
    }

    pub(super) fn note_device(&self, address: IpAddr, at: Millis) {
        self.seen_devices.lock().unwrap_or_else(PoisonError::into_inner).insert(address, at);
    }
}

impl Known {
    pub(super) fn add_account(&mut self, account: Arc<Account>) {
        let user = account.full.user;
        self.names.insert(account.full.name.to_string(), user);
        self.keys.extend(account.keys.iter().map(|key| (key.lookup, user)));
        self.accounts.insert(user, account);
    }

    pub(super) fn add_session(&mut self, hash: [u8; 32], session: KnownSession) {
        self.sessions.insert(hash, session);
    }

    pub(super) fn add_device(&mut self, address: IpAddr, device: KnownDevice) {
        // Addresses of one LAN are few; a flood of spoofed ones must not grow it without end.
        if 1024 <= self.devices.len() {
            self.devices.clear();
        }
        self.devices.insert(address, device);
    }

    pub(super) fn set_household(&mut self, principal: Principal) {
        self.household = Some(principal);
    }
}

/// What was used since the last writing: app passwords, sessions, devices.
pub(super) type Uses =
    (HashMap<AppPasswordId, Use>, HashMap<[u8; 32], Millis>, HashMap<IpAddr, Millis>);

impl Memory {
    /// Hands out what was used and starts afresh.
    pub(super) fn take_uses(&self) -> Uses {
        fn take<T: Default>(of: &Mutex<T>) -> T {
            std::mem::take(&mut *of.lock().unwrap_or_else(PoisonError::into_inner))
        }
        (take(&self.used_keys), take(&self.used_sessions), take(&self.seen_devices))
    }
}
