//! Archives that are unpacked into a locker, and what is fetched into one from an address: a track,
//! an archive, or a list of tracks. Each is a row with what became of every file; one bad file
//! never stops the rest. Whatever comes in goes the way of every upload, [`Drive::put`].

mod archives;
mod entries;
mod fetch;
mod live;
mod names;
mod resume;
mod rows;
mod run;
mod sent;

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures_util::Stream;
use tokio::sync::Semaphore;

use self::live::Live;
pub(super) use self::sent::wrapping;
use super::{Condition, Drive, NameProblem, RelativePath, reach::Access};
use crate::{
    Error, Result,
    accounts::{Accounts, Feature, Principal},
    clock::{Clock, Millis},
    db::Db,
    egress::Egress,
    ids::{ImportId, LockerId},
    media::worker::Pool,
};

/// Addresses that are fetched at the same time; others wait.
const FETCHED_AT_ONCE: usize = 4;
/// Archives that are unpacked at the same time. They have their bytes here, so that no slow source
/// stands in their way.
const UNPACKED_AT_ONCE: usize = 2;
/// Imports of one user that wait or run.
const MOST_OPEN: i64 = 50;

/// Where an import goes.
#[derive(Debug, Clone)]
pub struct Destination {
    /// Which locker.
    pub locker: LockerId,
    /// The folder of the locker.
    pub folder: RelativePath,
    /// How its user calls the place and the folder in it.
    pub place: String,
    /// The folder, as its user calls it.
    pub shown: String,
    /// Refuse what is there already; else it is replaced and kept as a version.
    pub only_new: bool,
    /// Whether a lock that an app of the user's own holds stands in the way.
    pub own_locks: OwnLocks,
}

/// What becomes of files that an app of the user's own has locked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OwnLocks {
    /// They are refused, with a sentence that says so.
    #[default]
    Heed,
    /// They are replaced: the user said that he means it.
    Ignore,
}

/// An address to be imported from.
#[derive(Debug, Clone)]
pub struct NewImport {
    /// `http` or `https`.
    pub url: String,
    /// Where it goes.
    pub into: Destination,
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportState {
    /// Others come first.
    Waiting,
    /// Bytes come in.
    Fetching,
    /// The archive is taken apart.
    Unpacking,
    /// It is over; some files may have been refused.
    Done,
    /// It is over, and not all of it could be had.
    Failed,
    /// Its user ended it.
    Cancelled,
}

impl ImportState {
    const ALL: [Self; 6] =
        [Self::Waiting, Self::Fetching, Self::Unpacking, Self::Done, Self::Failed, Self::Cancelled];

    /// As rows and the API write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Fetching => "fetching",
            Self::Unpacking => "unpacking",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more comes.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }

    fn parse(text: &str) -> Self {
        Self::ALL.into_iter().find(|state| state.as_str() == text).unwrap_or(Self::Failed)
    }
}

/// Why something was refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problem {
    /// The word for programs, the same as in every face.
    pub word: String,
    /// The rule of a name or of an archive; '' where there is none.
    pub rule: String,
    /// A sentence.
    pub detail: String,
    /// Entity tag of the file that stands in the way, where one does.
    pub etag: Option<String>,
}

impl Problem {
    /// A rule of archives that an entry breaks.
    fn archive(rule: &str, detail: &str) -> Self {
        let word = Error::UnsupportedArchive(String::new()).word();
        Self { word: word.to_owned(), rule: rule.to_owned(), detail: detail.to_owned(), etag: None }
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        let (word, detail) = (error.word().to_owned(), error.to_string());
        let etag = error.etag().map(str::to_owned);
        Self { word, rule: String::new(), detail, etag }
    }
}

impl From<&NameProblem> for Problem {
    fn from(problem: &NameProblem) -> Self {
        Self {
            word: "name_invalid".to_owned(),
            rule: problem.rule.to_owned(),
            detail: problem.sentence.to_owned(),
            etag: None,
        }
    }
}

/// An import as it stands.
#[derive(Debug, Clone)]
pub struct Import {
    /// Its row.
    pub id: ImportId,
    /// The address; `None` for an archive that was sent.
    pub url: Option<String>,
    /// What it is called.
    pub name: String,
    /// The place that it goes to, as its user calls it.
    pub place: String,
    /// The folder in it.
    pub folder: String,
    /// How far it is.
    pub state: ImportState,
    /// Bytes that came in.
    pub received: u64,
    /// Bytes that are to come in, where that is known.
    pub total: Option<u64>,
    /// Files stored.
    pub stored: u64,
    /// Files refused.
    pub refused: u64,
    /// Why it failed.
    pub problem: Option<Problem>,
    /// When it was asked for.
    pub created_at: Millis,
    /// When it was over.
    pub ended_at: Option<Millis>,
}

/// What became of one file of an import.
#[derive(Debug, Clone)]
pub struct ImportItem {
    /// Below the import's folder.
    pub path: String,
    /// Bytes.
    pub size: Option<u64>,
    /// BLAKE3, once it is stored.
    pub hash: Option<[u8; 32]>,
    /// Entity tag, once it is stored.
    pub etag: Option<String>,
    /// Why it was refused; `None` when it is stored.
    pub problem: Option<Problem>,
}

/// The imports. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Imports {
    drive: Drive,
    accounts: Accounts,
    db: Db,
    clock: Clock,
    egress: Egress,
    pool: Pool,
    /// The configuration lets addresses be fetched, if an administrator wants it.
    may_fetch: bool,
    live: Arc<Mutex<HashMap<ImportId, Arc<Live>>>>,
    /// Whoever makes the row of one has it until somebody carries it.
    beginning: Arc<tokio::sync::Mutex<()>>,
    fetching: Arc<Semaphore>,
    unpacking: Arc<Semaphore>,
}

impl Imports {
    /// Over the drive. `may_fetch`: addresses may be fetched from, if an administrator wants it.
    #[must_use]
    pub fn new(drive: &Drive, pool: Pool, egress: Egress, may_fetch: bool) -> Self {
        Self {
            drive: drive.clone(),
            accounts: drive.accounts.clone(),
            db: drive.db.clone(),
            clock: drive.clock.clone(),
            egress,
            pool,
            may_fetch,
            live: Arc::default(),
            beginning: Arc::default(),
            fetching: Arc::new(Semaphore::new(FETCHED_AT_ONCE)),
            unpacking: Arc::new(Semaphore::new(UNPACKED_AT_ONCE)),
        }
    }

    /// Whether addresses are fetched from: an administrator wants it and the configuration lets
    /// him.
    pub async fn may_fetch(&self) -> Result<bool> {
        Ok(self.may_fetch && self.accounts.is_on(Feature::Imports).await?)
    }

    /// Begins to fetch from an address. It goes on by itself, also after the server started again.
    pub async fn fetch(&self, principal: &Principal, new: &NewImport) -> Result<Import> {
        if !self.may_fetch().await? {
            return Err(Error::Forbidden(
                "Importing from addresses is switched off on this server; an administrator can turn it on"
                    .to_owned(),
            ));
        }
        self.drive.reach(principal, new.into.locker, &new.into.folder, Access::Write).await?;
        let url = self.egress.check(&new.url).map_err(crate::egress::Fault::of_source)?;
        let name = names::of_url(&url);
        let beginning = self.beginning.lock().await;
        let id = self
            .insert(principal, &new.into, &name, Some(new.url.trim()), ImportState::Waiting)
            .await?;
        let live = self.go_live(id);
        drop(beginning);
        tokio::spawn(self.clone().carry_url(id, live));
        self.state(id).await
    }

    /// Receives an archive and unpacks it; how it stands when that is over. What fits is decided
    /// entry by entry: the archive itself is gone then. `name` is what it is called. An archive
    /// that cannot be read at all is an error.
    pub async fn unpack(
        &self,
        principal: &Principal,
        into: &Destination,
        name: &str,
        declared: Option<u64>,
        body: impl Stream<Item = io::Result<Bytes>>,
    ) -> Result<Import> {
        let received = self.receive(principal, into, declared, body).await?;
        let beginning = self.beginning.lock().await;
        let id = self.insert(principal, into, name, None, ImportState::Unpacking).await?;
        let live = self.go_live(id);
        drop(beginning);
        live.set_received(received.size, Some(received.size));
        let carried = self.clone().carry_sent(id, live, principal.clone(), into.clone(), received);
        // It runs to its end even if the client goes away now.
        tokio::spawn(carried).await?;
        self.state(id).await
    }

    /// Unpacks a whole resumable upload that was made for that. It goes on by itself, also after
    /// the server started again; asked for twice it is the same import.
    /// `place` and `folder` are how its user calls where it goes.
    pub async fn unpack_upload(
        &self,
        principal: &Principal,
        upload: &str,
        (place, folder): (&str, &str),
    ) -> Result<Import> {
        let id = self.of_upload(principal.user, upload, (place, folder)).await?;
        if let Some(live) = self.go_live_once(id) {
            tokio::spawn(self.clone().carry_upload(id, live));
        }
        self.state(id).await
    }

    /// The principal's imports, the newest first.
    pub async fn list(&self, principal: &Principal) -> Result<Vec<Import>> {
        self.of_user(principal.user).await
    }

    /// One of them, and what became of its files so far.
    pub async fn one(
        &self,
        principal: &Principal,
        id: ImportId,
    ) -> Result<(Import, Vec<ImportItem>)> {
        self.require_own(principal, id).await?;
        Ok((self.state(id).await?, self.items(id).await?))
    }

    /// Ends an import that runs; what is stored stays. One that is over is forgotten.
    pub async fn cancel(&self, principal: &Principal, id: ImportId) -> Result<()> {
        self.require_own(principal, id).await?;
        match self.live(id) {
            Some(live) => {
                live.cancel();
                live.ended().await;
                Ok(())
            }
            None if self.state(id).await?.ended_at.is_none() => {
                self.give_up(id).await;
                Ok(())
            }
            None => self.forget(id).await,
        }
    }
}

impl Destination {
    /// Refuses a file that an app of the user's own has locked.
    async fn heed_locks(
        &self,
        drive: &Drive,
        principal: &Principal,
        path: &RelativePath,
    ) -> Result<()> {
        match self.own_locks {
            OwnLocks::Heed => drive.refuse_own_lock(principal, self.locker, path).await,
            OwnLocks::Ignore => Ok(()),
        }
    }

    fn condition(&self) -> Condition {
        if self.only_new { Condition::Absent } else { Condition::None }
    }
}
