//! Which libraries exist and who may see them: what `Principal::libraries` is made of.

use std::path::PathBuf;

use super::{Accounts, Principal};
use crate::{
    Error, Result,
    ids::{LibraryId, UserId},
};

/// What a library is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LibraryKind {
    /// A watched folder, read-only.
    Folder,
    /// One user's locker.
    Locker,
    /// The household's locker.
    Household,
}

/// A library and who may see it, for admins.
#[derive(Debug, Clone)]
pub struct LibraryAccess {
    /// Its row.
    pub id: LibraryId,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: LibraryKind,
    /// Where it is.
    pub path: PathBuf,
    /// Seen by everybody.
    pub is_shared: bool,
    /// Offered to LAN devices.
    pub is_on_lan: bool,
    /// Who may see it by grant.
    pub granted: Vec<UserId>,
}

impl Accounts {
    /// Makes the watched folders exactly these: new ones appear (shared, on the LAN), those that
    /// left keep their rows unseen. Called at start with the configuration.
    pub async fn set_folder_libraries(&self, folders: &[(String, PathBuf)]) -> Result<()> {
        let _ = folders;
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }

    /// Every active library with its sharing. Admin only.
    pub async fn library_access(&self, admin: &Principal) -> Result<Vec<LibraryAccess>> {
        admin.require_admin()?;
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }

    /// Who sees a library: everybody and the LAN, or those granted. The owner of a locker may do
    /// it for his own, an admin for the others.
    pub async fn share_library(
        &self,
        principal: &Principal,
        library: LibraryId,
        is_shared: bool,
        is_on_lan: bool,
        granted: &[UserId],
    ) -> Result<()> {
        let _ = (principal, library, is_shared, is_on_lan, granted);
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }
}
