//! Lockers: the charged trees of files, one for each user and one for the household.

use super::{Accounts, Principal, Usage};
use crate::{
    Error, Result,
    ids::{LibraryId, LockerId},
};

/// Whose a locker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockerKind {
    /// One user's.
    User,
    /// The household's.
    Household,
}

/// A locker as its user sees it.
#[derive(Debug, Clone)]
pub struct Locker {
    /// Its row.
    pub id: LockerId,
    /// Whose it is.
    pub kind: LockerKind,
    /// The owner's login name, or "household".
    pub name: String,
    /// Folder below the drive root.
    pub path: String,
    /// The library that its music is in.
    pub library: LibraryId,
    /// How full it is.
    pub usage: Usage,
}

impl Accounts {
    /// Lockers that the principal may write to: the own one first, then the household's.
    pub async fn lockers(&self, principal: &Principal) -> Result<Vec<Locker>> {
        let _ = principal;
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }
}
