//! What a command asks for and what comes back, as it crosses the control socket; and the doing,
//! by the server or, where none runs, by the command's own process.

use std::{path::Path, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    backup::Wanted,
    failure::Failure,
    import::{MoveIn, Moved},
    room::{DeliveredRow, GrantRow, Room},
};
use crate::{
    Error, Result,
    accounts::{NewUser, PlanChange, Role, UserChange},
    app::Services,
    clock,
    drive::{Abilities, Damage, Pointing, Scrubbed},
    error::{in_words, is_nowhere},
    ingest::ScanKind,
    ops::backup::Snapshot,
};

/// How often a waiting scan is looked at.
const POLL: Duration = Duration::from_millis(100);

/// Something to do.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request {
    UserAdd { name: String, password: String, role: Role, plan: Option<String> },
    UserList,
    UserRemove { name: String, deletes_files: bool },
    UserSetPlan { name: String, plan: String },
    UserSetPassword { name: String, password: String },
    UserAppPassword { name: String, label: String },
    PlanList,
    PlanSet { name: String, quota: Quota, label: Option<String> },
    PlanRemove { name: String },
    Room(Room),
    Scan { full: bool, wait: bool },
    Doctor { repair: bool, reads: bool },
    Backup(Wanted),
    MoveIn(MoveIn),
}

/// How much a plan allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Quota {
    Bytes(u64),
    Unlimited,
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Reply {
    Done,
    Secret(String),
    Users(Vec<User>),
    Plans(Vec<Plan>),
    Grants(Vec<GrantRow>),
    Delivered(Vec<DeliveredRow>),
    Scan(Scan),
    Findings(Findings),
    Backup(Snapshot),
    Moved(Moved),
}

/// A user as the command line shows it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) plan: String,
    pub(super) created: String,
    pub(super) disabled: bool,
}

/// A plan as the command line shows it. No quota is unlimited.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Plan {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) quota: Option<u64>,
    pub(super) users: u32,
}

/// How far scans are.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Scan {
    pub(super) scanning: bool,
    pub(super) files: u64,
    pub(super) folders: u64,
    pub(super) errors: u64,
}

/// What the doctor found.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Findings {
    pub(super) differences: Vec<String>,
    pub(super) references: References,
    /// What the drive's file system can; none before the first start.
    pub(super) abilities: Option<Abilities>,
    /// What came of reading everything, where that was asked for.
    pub(super) reading: Option<Reading>,
}

/// What came of reading everything.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Reading {
    pub(super) files: u64,
    pub(super) bytes: u64,
    /// Files of which it is not known yet what was stored.
    pub(super) unknown: u64,
    /// Files that other hands changed.
    pub(super) changed: u64,
    pub(super) damaged: Vec<Damage>,
}

/// What points into watched folders.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct References {
    pub(super) files: u64,
    pub(super) kept: u64,
    pub(super) bytes: u64,
    pub(super) missing: Vec<String>,
}

impl Findings {
    pub(super) fn new(
        differences: Vec<String>,
        pointing: Pointing,
        abilities: Option<Abilities>,
        scrubbed: Option<Scrubbed>,
    ) -> Self {
        let Pointing { files, kept, bytes, missing } = pointing;
        let references = References { files, kept, bytes, missing };
        let reading = scrubbed.map(|scrubbed| {
            let Scrubbed { files, bytes, unknown, changed, damaged } = scrubbed;
            Reading { files, bytes, unknown, changed, damaged }
        });
        Self { differences, references, abilities, reading }
    }

    /// Whether there is nothing to be done.
    pub(super) fn is_fine(&self) -> bool {
        self.differences.is_empty() && self.reading.as_ref().is_none_or(|it| it.damaged.is_empty())
    }
}

impl Reply {
    /// Why the command failed although it was carried out: a sentence, or none where the result
    /// says all of it.
    pub(super) fn failure(&self) -> Option<String> {
        match self {
            Self::Findings(found) => (!found.is_fine()).then(String::new),
            Self::Delivered(items) => {
                let missing = items.iter().filter(|item| !item.stored).count();
                (0 < missing).then(|| format!("{missing} of {} files are not there", items.len()))
            }
            _ => None,
        }
    }
}

impl Request {
    /// Does it, with an operator's rights: who may open the data folder or its socket owns the
    /// server.
    /// `place` is where people find the server.
    pub(super) async fn carry_out(self, services: &Services, place: &str) -> Result<Reply> {
        let accounts = &services.accounts;
        let operator = accounts.operator();
        match self {
            Self::UserAdd { name, password, role, plan } => {
                let new = NewUser { role, plan, ..NewUser::new(&name, &password) };
                accounts.create_user(&operator, &new).await?;
            }
            Self::UserList => {
                let users = accounts.users(&operator).await?;
                return Ok(Reply::Users(users.into_iter().map(User::from).collect()));
            }
            Self::UserRemove { name, deletes_files: false } => {
                accounts.remove_user(&operator, &name).await?;
            }
            Self::UserRemove { name, deletes_files: true } => {
                accounts.remove_user_and_files(&operator, &name).await?;
            }
            Self::UserSetPlan { name, plan } => {
                let change = UserChange { plan: Some(plan), ..UserChange::default() };
                accounts.update_user(&operator, &name, &change).await?;
            }
            Self::UserSetPassword { name, password } => {
                accounts.set_password(&operator, &name, &password).await?;
            }
            Self::UserAppPassword { name, label } => {
                let user = accounts.principal_named(&name).await?;
                let new = accounts.create_app_password(&user, &label).await?;
                return Ok(Reply::Secret(new.secret));
            }
            Self::PlanList => {
                let plans = accounts.plans(&operator).await?;
                return Ok(Reply::Plans(plans.into_iter().map(Plan::from).collect()));
            }
            Self::PlanSet { name, quota, label } => {
                let quota = match quota {
                    Quota::Bytes(bytes) => Some(bytes),
                    Quota::Unlimited => None,
                };
                let change = PlanChange { label, quota: Some(quota), ..PlanChange::default() };
                accounts.set_plan(&operator, &name, &change).await?;
            }
            Self::PlanRemove { name } => accounts.remove_plan(&operator, &name).await?,
            Self::Room(room) => return room.carry_out(services, place).await,
            Self::Backup(wanted) => {
                let taken = services.backups.take(&operator, wanted.into()).await?;
                return Ok(Reply::Backup(taken));
            }
            Self::MoveIn(step) => {
                return Ok(Reply::Moved(step.carry_out(services, place).await?));
            }
            Self::Scan { full, wait } => return scan(services, full, wait).await,
            Self::Doctor { repair, reads } => {
                let drive = &services.drive;
                if repair {
                    drive.repair().await?;
                }
                let mut differences = services.db.damage().await?;
                differences.extend(drive.examine().await?);
                let pointing = drive.pointing().await?;
                let scrubbed = if reads { Some(drive.read_everything().await?) } else { None };
                let abilities = drive.abilities().await?;
                let found = Findings::new(differences, pointing, abilities, scrubbed);
                return Ok(Reply::Findings(found));
            }
        }
        Ok(Reply::Done)
    }

    /// Refuses to make a new data folder by what only makes sense over one that is there: a path
    /// that was mistyped would look like an empty server.
    pub(super) fn require_data(&self, data: &Path) -> std::result::Result<(), Failure> {
        let begins =
            matches!(self, Self::UserAdd { .. } | Self::PlanSet { .. } | Self::Scan { .. });
        if begins {
            return Ok(());
        }
        let found = std::fs::symlink_metadata(data.join("tunelocker.db"));
        let data = data.display();
        match found {
            Ok(_) => Ok(()),
            Err(error) if is_nowhere(&error) => Err(Failure::new(format!(
                "there is no server's data in {data}; name its folder with --data"
            ))),
            Err(error) => Err(Failure::new(format!("cannot read {data}: {}", in_words(&error)))),
        }
    }

    /// Whether the scanner must run for it.
    pub(super) fn scans(&self) -> bool {
        matches!(self, Self::Scan { .. })
    }
}

async fn scan(services: &Services, full: bool, wait: bool) -> Result<Reply> {
    let kind = if full { ScanKind::Full } else { ScanKind::Changes };
    services.ingest.request_scan(kind);
    while wait && services.ingest.status().is_scanning {
        tokio::time::sleep(POLL).await;
    }
    let status = services.ingest.status();
    if status.libraries.is_empty() {
        return Err(Error::Invalid(
            "there is no library to scan; name one with --library or in the configuration"
                .to_owned(),
        ));
    }
    let problems: Vec<&str> =
        status.libraries.values().filter_map(|library| library.problem.as_deref()).collect();
    if wait && !problems.is_empty() {
        return Err(Error::Unavailable(problems.join("\n")));
    }
    Ok(Reply::Scan(Scan {
        scanning: status.is_scanning,
        files: status.files,
        folders: status.folders,
        errors: status.libraries.values().map(|library| library.errors).sum(),
    }))
}

impl From<crate::accounts::User> for User {
    fn from(user: crate::accounts::User) -> Self {
        Self {
            name: user.name,
            role: user.role,
            plan: user.plan_name,
            created: clock::iso(user.created_at),
            disabled: user.disabled_at.is_some(),
        }
    }
}

impl From<crate::accounts::Plan> for Plan {
    fn from(plan: crate::accounts::Plan) -> Self {
        Self { name: plan.name, label: plan.label, quota: plan.quota, users: plan.users }
    }
}
