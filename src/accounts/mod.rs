//! Who may do what: users, credentials and the one verifier with its limiter, sessions, plans,
//! the quota ledger, LAN devices. Knows nothing of HTTP, of music or of any protocol.

mod abilities;
mod app_passwords;
mod audit;
mod backups;
mod bearers;
mod bonus;
mod chat;
mod delivery_keys;
mod devices;
mod figures;
mod grants;
mod household;
mod household_notices;
mod invitations;
mod keys;
mod ledger;
mod libraries;
mod limiter;
mod lockers;
mod memory;
mod notice_ways;
mod notices;
mod password;
mod plans;
mod principal;
mod quota;
mod quota_rules;
mod reclaim;
mod reservations;
mod rules;
mod server_notices;
mod sessions;
mod settings;
mod setup;
mod tickets;
mod users;
mod verifier;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio_util::sync::CancellationToken;

pub use abilities::Abilities;
pub use app_passwords::{AppPassword, NewAppPassword};
pub(crate) use audit::{Audit, audit};
pub use backups::{BackupPlan, LastBackup};
pub use bonus::{Bonus, BonusRule};
pub use chat::ChatMessage;
pub use delivery_keys::{Deliverer, DeliveryKey};
pub use devices::{Admitted, DeviceChange, DeviceOptions, LanDevice};
pub use figures::Usage;
pub use grants::{Gives, Grant, GrantOrigin, NewGrant, QuotaParts};
pub use household::Household;
pub use invitations::Invitation;
pub(crate) use ledger::Change;
pub use ledger::LedgerRow;
pub use libraries::{LibraryAccess, LibraryKind, LibrarySharing};
pub use lockers::{Locker, LockerKind};
pub use notice_ways::MailWay;
pub use notices::Notice;
pub(crate) use notices::Unsent;
pub use plans::{Plan, PlanChange};
pub use principal::{Caps, Principal, Role, Scope};
pub use quota::SharedCopies;
pub(crate) use quota::{Charge, charges};
pub(crate) use quota_rules::DOWNLOADS_COUNT;
pub use quota_rules::{DeletionOrder, QuotaRules};
pub use reclaim::KeepRules;
pub(crate) use reservations::{Reservation, forget_uploads};
pub(crate) use rules::{check_name, check_password, login_name};
pub use sessions::{Session, SessionCookie};
pub use settings::{Feature, LastFmKeys, MatchPolicy};
pub use setup::{Mode, SetUpState};
pub use tickets::PROOF;
pub use users::{NewUser, User, UserChange};
pub use verifier::{Credentials, Origin};

use crate::{
    Result,
    clock::{self, Clock},
    db::Db,
    events::Events,
};

/// How often it is written when credentials were used, and looked whom to tell something.
const LOOK: Duration = Duration::from_mins(1);

/// The accounts service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Accounts {
    db: Db,
    clock: Clock,
    events: Events,
    keys: Arc<keys::Keys>,
    passwords: password::Passwords,
    limiter: Arc<limiter::Limiter>,
    memory: Arc<memory::Memory>,
    /// The set-up link's secret, while nobody is here.
    set_up: Arc<Mutex<Option<String>>>,
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
        let accounts = Self {
            keys: Arc::new(keys::Keys::open(keys)?),
            passwords: password::Passwords::new()?,
            limiter: Arc::new(limiter::Limiter::new(clock.clone())),
            memory: Arc::new(memory::Memory::new(events.subscribe())),
            set_up: Arc::default(),
            drive: std::path::absolute(drive)?.into(),
            db,
            clock,
            events,
        };
        accounts.seed_plans().await?;
        accounts.release_leftovers().await?;
        Ok(accounts)
    }

    /// Writes "last used" and forgets old guesses, once a minute until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            self.limiter.sweep();
            self.keep_uses().await;
            if let Err(error) = self.look_for_notices().await {
                tracing::warn!("cannot look whom to tell of his room: {error:?}");
            }
            if stop.run_until_cancelled(clock::beat(LOOK)).await.is_none() {
                break;
            }
        }
        self.keep_uses().await;
    }

    async fn keep_uses(&self) {
        if let Err(error) = self.write_uses().await {
            tracing::warn!("cannot write when credentials were used: {error:?}");
        }
    }
}

/// Text from a client or form as one line of at most `most` characters.
fn one_line(text: &str, most: usize) -> String {
    let plain = text.trim().chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    plain.take(most).collect()
}
