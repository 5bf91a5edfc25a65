//! Purchases handed over by shops: an order brings files into a user's locker, which as a rule do
//! not count, and what is granted with them. The same order is carried out once; what failed of it
//! is tried again when it is sent again. What is at hand is stored while the shop waits; what has to
//! be fetched comes in behind the answer, also after the server started again. What the order grants
//! is given once, when all of its files are there.

mod carry;
mod drop_folder;
mod fetch;
mod file_path;
mod rows;

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use self::fetch::Running;
use super::{Drive, Exempt};
use crate::{
    Error, Result,
    accounts::{Accounts, Deliverer, Gives, Invitation, Principal},
    clock::{Clock, Millis},
    db::Db,
    egress::Egress,
    ids::DeliveryId,
};

/// Files in one order.
const MOST_ITEMS: usize = 1_000;
const MOST_GRANTS: usize = 20;
/// Deliveries that are fetched at the same time.
const FETCHED_AT_ONCE: usize = 4;

/// What a delivery is of, as rules for it ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Product {
    /// An album.
    Album,
    /// Anything else.
    Other,
}

/// An order as a shop sends it.
#[derive(Debug, Clone, Serialize)]
pub struct NewDelivery {
    /// Whose locker: a login name, or an e-mail address.
    pub user: String,
    /// Make an account for the e-mail address if it has none.
    pub creates_account: bool,
    /// The shop's number of it.
    pub order: String,
    /// What it is of; an album where two or more files lie in one folder, if nothing is said.
    pub product: Option<Product>,
    /// Why its files do not count; `None` counts them.
    pub exempt: Option<Exempt>,
    /// What it grants.
    pub grants: Vec<Granted>,
    /// Its files.
    pub items: Vec<NewItem>,
}

/// Something that an order grants once all of it is there.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Granted {
    /// At least what this plan allows.
    pub plan: Option<String>,
    /// So many bytes more.
    pub bytes: Option<u64>,
    /// For so many days; `None` has no end.
    pub days: Option<u32>,
}

/// A file of an order.
#[derive(Debug, Clone, Serialize)]
pub struct NewItem {
    /// Where its bytes come from.
    pub from: ItemSource,
    /// Where it goes; `Music/ORDER/NAME` if nothing is said.
    pub path: Option<String>,
}

/// Where bytes come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ItemSource {
    /// A whole part upload (tus) of the account that the key hands over for.
    Upload(String),
    /// An address on the internet.
    Url(String),
    /// A file on the server's own disks; never from the network.
    File(#[serde(with = "file_path")] PathBuf),
}

/// A delivery as it stands.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Its row.
    pub id: DeliveryId,
    /// Who handed it over: `key:ID`, `command`, `folder:USER`.
    pub source: String,
    /// The shop's number of it.
    pub order: String,
    /// Whose locker, by login name; `None` if that account is gone.
    pub user: Option<String>,
    /// Everything is there, and what it grants is given.
    pub is_done: bool,
    /// Files of it are being fetched.
    pub is_running: bool,
    /// When it came.
    pub created_at: Millis,
    /// Its files.
    pub items: Vec<Item>,
    /// How its new owner gets in, while that waits.
    pub invitation: Option<Invitation>,
}

/// A file of a delivery as it stands.
#[derive(Debug, Clone)]
pub struct Item {
    /// Where it lies, or shall lie.
    pub path: String,
    /// Bytes, once it is there.
    pub size: Option<u64>,
    /// Whether it is there.
    pub is_stored: bool,
    /// Why it is not, as a sentence.
    pub problem: String,
    /// And as the word that all faces have for it.
    pub word: String,
}

/// The deliveries. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Deliveries {
    drive: Drive,
    accounts: Accounts,
    db: Db,
    clock: Clock,
    egress: Egress,
    /// The configuration lets addresses be fetched, if an administrator wants it.
    may_fetch: bool,
    /// One order is carried out by one request at a time.
    turns: Arc<Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>>,
    /// Those whose files are being fetched.
    running: Running,
    /// Deliveries that are fetched at the same time; others wait.
    fetching: Arc<Semaphore>,
    /// Ends them for now; the next start goes on.
    stop: CancellationToken,
}

/// What became of an order that was sent.
#[derive(Debug)]
pub enum Received {
    /// All of it came in with this request.
    Done(Delivery),
    /// It was done before.
    Known(Delivery),
    /// Not all of it is there.
    Open(Delivery),
}

impl Received {
    /// How it stands.
    #[must_use]
    pub fn delivery(&self) -> &Delivery {
        let (Self::Done(delivery) | Self::Known(delivery) | Self::Open(delivery)) = self;
        delivery
    }
}

impl Deliveries {
    /// Over the drive. `may_fetch`: addresses may be fetched from, if an administrator wants it.
    #[must_use]
    pub fn new(drive: &Drive, egress: Egress, may_fetch: bool) -> Self {
        Self {
            drive: drive.clone(),
            accounts: drive.accounts.clone(),
            db: drive.db.clone(),
            clock: drive.clock.clone(),
            egress,
            may_fetch,
            turns: Arc::default(),
            running: Running::default(),
            fetching: Arc::new(Semaphore::new(FETCHED_AT_ONCE)),
            stop: CancellationToken::new(),
        }
    }

    /// Carries an order out, or goes on with it where it failed; how it stands then. What has to be
    /// fetched is on its way. The same order with another content is a `Conflict`.
    pub async fn deliver(&self, by: &Deliverer, new: &NewDelivery) -> Result<Received> {
        self.deliver_from(by, &source_of(by), new).await
    }

    /// One of them: anybody's for administrators, else one's own.
    pub async fn one(&self, principal: &Principal, id: DeliveryId) -> Result<Delivery> {
        let mut delivery = self.state(id).await?;
        if !principal.is_admin() {
            if !principal.is_person() || delivery.user.as_deref() != Some(&*principal.name) {
                return Err(Error::NotFound("Delivery"));
            }
            delivery.invitation = None;
        }
        Ok(delivery)
    }

    /// One that a shop handed over.
    pub async fn one_by(&self, by: &Deliverer, id: DeliveryId) -> Result<Delivery> {
        let delivery = self.state(id).await?;
        if delivery.source == source_of(by) {
            Ok(delivery)
        } else {
            Err(Error::NotFound("Delivery"))
        }
    }

    /// From the command line, whose files may lie on the server. Administrators only.
    pub async fn deliver_here(&self, admin: &Principal, new: &NewDelivery) -> Result<Delivery> {
        admin.require_admin()?;
        let received = self.deliver_from(&Deliverer::own(), "command", new).await?;
        let id = received.delivery().id;
        self.running.ended(id).await;
        self.state(id).await
    }

    /// Every delivery, the newest first, or those to one user. Administrators see all, others
    /// their own.
    pub async fn list(&self, principal: &Principal, limit: u32) -> Result<Vec<Delivery>> {
        let ids = self.ids(principal, limit).await?;
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            let mut delivery = self.state(id).await?;
            if !principal.is_admin() {
                delivery.invitation = None;
            }
            found.push(delivery);
        }
        Ok(found)
    }

    async fn deliver_from(
        &self,
        by: &Deliverer,
        source: &str,
        new: &NewDelivery,
    ) -> Result<Received> {
        check(new)?;
        let turn = self.turn(&format!("{source}\n{}", new.order));
        let turn = turn.lock().await;
        let digest = *blake3::hash(&serde_json::to_vec(new)?).as_bytes();
        let known = self.find(source, &new.order).await?;
        if known.as_ref().is_some_and(|known| known.digest != digest) {
            return Err(Error::Conflict(format!(
                "The order {} was delivered before with another content",
                new.order
            )));
        }
        let known = match known {
            Some(known) => known,
            None => self.insert(source, new, &digest).await?,
        };
        if known.is_done {
            return Ok(Received::Known(self.state(known.id).await?));
        }
        // One that is under way is left alone.
        if !self.running.has(known.id) {
            self.carry(&known, by).await?;
        }
        drop(turn);
        let delivery = self.state(known.id).await?;
        Ok(if delivery.is_done { Received::Done(delivery) } else { Received::Open(delivery) })
    }

    /// The lock of an order; those that nobody holds are forgotten.
    fn turn(&self, order: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| 1 < Arc::strong_count(turn));
        Arc::clone(turns.entry(order.to_owned()).or_default())
    }
}

/// How rows call who hands over.
fn source_of(by: &Deliverer) -> String {
    by.key.map_or_else(|| "command".to_owned(), |key| format!("key:{}", key.0))
}

impl Granted {
    /// What it gives.
    fn gives(&self) -> Result<Gives> {
        match (&self.plan, self.bytes) {
            (Some(plan), None) => Ok(Gives::Plan(plan.clone())),
            (None, Some(bytes)) => Ok(Gives::Bytes(bytes)),
            _ => Err(Error::Invalid("A grant gives either a plan or more bytes".to_owned())),
        }
    }
}

fn check(new: &NewDelivery) -> Result<()> {
    let wrong = |sentence: &str| Err(Error::Invalid(sentence.to_owned()));
    if new.order.trim().is_empty() || 200 < new.order.len() {
        return wrong("A delivery has the number of its order, of at most 200 characters");
    }
    if new.items.is_empty() || MOST_ITEMS < new.items.len() {
        return Err(Error::Invalid(format!("A delivery has 1 to {MOST_ITEMS} files")));
    }
    if MOST_GRANTS < new.grants.len() {
        return Err(Error::Invalid(format!("A delivery grants at most {MOST_GRANTS} things")));
    }
    new.grants.iter().try_for_each(|grant| grant.gives().map(drop))
}
