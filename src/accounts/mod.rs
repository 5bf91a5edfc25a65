//! Who may do what: users, credentials and the one verifier with its limiter, sessions, plans,
//! the quota ledger, LAN devices. Knows nothing of HTTP, of music or of any protocol.

mod abilities;
mod app_passwords;
mod devices;
mod keys;
mod ledger;
mod libraries;
mod lockers;
mod plans;
mod principal;
mod sessions;
mod setup;
mod users;
mod verifier;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

pub use abilities::Abilities;
pub use app_passwords::{AppPassword, NewAppPassword};
pub use devices::{DeviceChange, LanDevice};
pub use ledger::{Reservation, Usage};
pub use libraries::{LibraryAccess, LibraryKind};
pub use lockers::{Locker, LockerKind};
pub use plans::{Plan, PlanChange};
pub use principal::{Caps, Principal, Role, Scope};
pub use sessions::{Session, SessionCookie};
pub use setup::{Mode, SetUpState};
pub use users::{NewUser, User, UserChange};
pub use verifier::{Credentials, Origin};

use crate::{Result, clock::Clock, db::Db, events::Events};

/// The accounts service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Accounts {
    db: Db,
    clock: Clock,
    events: Events,
    keys: Arc<keys::Keys>,
    /// Where lockers lie; library rows of lockers carry absolute paths below it.
    drive: Arc<Path>,
}

impl Accounts {
    /// Over an open database. `keys` is the folder of the server's secrets (made if absent,
    /// 0700); `drive` is the drive's root, below which the lockers' libraries are recorded.
    pub async fn open(
        db: Db,
        clock: Clock,
        events: Events,
        keys: &Path,
        drive: PathBuf,
    ) -> Result<Self> {
        let keys = Arc::new(keys::Keys::open(keys)?);
        let accounts = Self { db, clock, events, keys, drive: drive.into() };
        Ok(accounts)
    }
}
