//! `grant` and `deliver`: more room for a user, and files handed over to him.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};

use super::request::{Reply, Request};
use crate::{
    Error, Result,
    accounts::{Gives, NewGrant},
    app::Services,
    clock::{Millis, iso},
    drive::{Exempt, ItemSource, NewDelivery, NewItem},
    ids::GrantId,
};

const DAY: Millis = 24 * 3600 * 1000;

#[derive(Debug, Subcommand)]
pub(super) enum Grant {
    /// Give a user more room
    Add {
        user: String,
        #[command(flatten)]
        what: What,
        /// For so many days [default: for good]
        #[arg(long, value_name = "N")]
        days: Option<u32>,
        /// Why, for people
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,
    },
    /// List a user's grants
    List { user: String },
    /// Take a grant back; nothing that is stored goes
    Remove {
        /// As `list` shows it
        id: String,
    },
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct What {
    /// At least what this plan allows
    #[arg(long, value_name = "NAME")]
    plan: Option<String>,
    /// At least so many bytes in all
    #[arg(long, value_name = "BYTES")]
    tier: Option<u64>,
    /// So many bytes more
    #[arg(long, value_name = "BYTES")]
    bytes: Option<u64>,
}

/// What `deliver` is told.
#[derive(Debug, Args)]
pub(super) struct Deliver {
    /// Login name, or e-mail address
    #[arg(long)]
    user: String,
    /// The number of the order; the same one is carried out once
    #[arg(long, value_name = "TEXT")]
    order: String,
    /// Make an account for the e-mail address if it has none
    #[arg(long)]
    create: bool,
    /// Let the files count against the quota
    #[arg(long)]
    counts: bool,
    /// Files that the server can read
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// What is asked of the server.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Room {
    Give { user: String, gives: Given, days: Option<u32>, reason: String },
    List { user: String },
    TakeBack { id: String },
    Deliver { user: String, order: String, create: bool, counts: bool, files: Vec<PathBuf> },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Given {
    Plan(String),
    Tier(u64),
    Bytes(u64),
}

/// A grant as the command line shows it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct GrantRow {
    pub(super) id: String,
    pub(super) gives: String,
    pub(super) from: String,
    pub(super) until: Option<String>,
    pub(super) origin: String,
    pub(super) reason: String,
    pub(super) active: bool,
}

/// A delivered file as the command line shows it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DeliveredRow {
    pub(super) path: String,
    pub(super) stored: bool,
    pub(super) problem: String,
    /// Where its new owner chooses a password, while he has none.
    pub(super) invitation: Option<String>,
}

impl Grant {
    pub(super) fn into_request(self) -> Request {
        Request::Room(match self {
            Self::Add { user, what, days, reason } => {
                let gives = match (what.plan, what.tier, what.bytes) {
                    (Some(plan), ..) => Given::Plan(plan),
                    (None, Some(bytes), _) => Given::Tier(bytes),
                    (None, None, bytes) => Given::Bytes(bytes.unwrap_or(0)),
                };
                Room::Give { user, gives, days, reason }
            }
            Self::List { user } => Room::List { user },
            Self::Remove { id } => Room::TakeBack { id },
        })
    }
}

impl Deliver {
    pub(super) fn into_request(self) -> std::io::Result<Request> {
        let Self { user, order, create, counts, files } = self;
        let files = files.iter().map(std::path::absolute).collect::<std::io::Result<_>>()?;
        Ok(Request::Room(Room::Deliver { user, order, create, counts, files }))
    }
}

impl Room {
    pub(super) async fn carry_out(self, services: &Services, place: &str) -> Result<Reply> {
        let accounts = &services.accounts;
        let operator = accounts.operator();
        match self {
            Self::Give { user, gives, days, reason } => {
                let gives = match gives {
                    Given::Plan(plan) => Gives::Plan(plan),
                    Given::Tier(bytes) => Gives::Tier(bytes),
                    Given::Bytes(bytes) => Gives::Bytes(bytes),
                };
                let ends_at = days.map(|days| services.clock.now() + Millis::from(days) * DAY);
                let new = NewGrant { gives, starts_at: None, ends_at, reason };
                let id = accounts.give(&operator, &user, &new).await?;
                Ok(Reply::Secret(id.to_string()))
            }
            Self::List { user } => {
                let grants = accounts.grants(&operator, &user).await?;
                let row = |grant: crate::accounts::Grant| GrantRow {
                    id: grant.id.to_string(),
                    gives: match &grant.gives {
                        Gives::Plan(plan) => format!("at least {plan}"),
                        Gives::Tier(bytes) => format!("at least {bytes}"),
                        Gives::Bytes(bytes) => format!("{bytes} more"),
                    },
                    from: iso(grant.starts_at),
                    until: grant.ends_at.map(iso),
                    origin: grant.origin.as_str().to_owned(),
                    reason: grant.reason,
                    active: grant.is_active,
                };
                Ok(Reply::Grants(grants.into_iter().map(row).collect()))
            }
            Self::TakeBack { id } => {
                let id = GrantId::parse(&id).ok_or(Error::NotFound("Grant"))?;
                accounts.take_back(&operator, id).await?;
                Ok(Reply::Done)
            }
            Self::Deliver { user, order, create, counts, files } => {
                let item = |path| NewItem { from: ItemSource::File(path), path: None };
                let new = NewDelivery {
                    user,
                    creates_account: create,
                    order,
                    product: None,
                    exempt: (!counts).then_some(Exempt::Purchase),
                    grants: Vec::new(),
                    items: files.into_iter().map(item).collect(),
                };
                let delivery = services.deliveries.deliver_here(&operator, &new).await?;
                let invitation = delivery.invitation.as_ref();
                let invitation = invitation.map(|one| format!("{place}/invite/{}", one.token));
                let row = |item: crate::drive::Item| DeliveredRow {
                    path: item.path,
                    stored: item.is_stored,
                    problem: item.problem,
                    invitation: invitation.clone(),
                };
                Ok(Reply::Delivered(delivery.items.into_iter().map(row).collect()))
            }
        }
    }
}
