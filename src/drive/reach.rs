//! Who may touch what: own locker, the household's, and folders of others that were shared. Every
//! operation passes here; what somebody may not see is not found.

use super::{Drive, RelativePath};
use crate::{
    Error, Result,
    accounts::{Locker, Principal},
    ids::LockerId,
};

/// What somebody means to do at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// See it.
    Read,
    /// Take a lock that allows that.
    Lock,
    /// Add or change what is in it.
    Write,
    /// Remove, move or replace it itself, which must lie inside what was shared.
    Change,
}

impl Drive {
    /// The locker, and the path as it spells it, if the principal may do this there.
    pub(super) async fn reach(
        &self,
        principal: &Principal,
        locker: LockerId,
        path: &RelativePath,
        access: Access,
    ) -> Result<(Locker, RelativePath)> {
        let (locker, may_write) = match self.accounts.locker(principal, locker).await {
            Ok(locker) => (locker, true),
            Err(Error::NotFound(_)) if principal.is_person() => {
                return self.reach_shared(principal, locker, path, access).await;
            }
            Err(error) => return Err(error),
        };
        require(principal, may_write, access)?;
        self.require_room_for(path, access).await?;
        let path = self.spelled(&locker, path).await?;
        self.refuse_locked(principal, locker.id, &path, access).await?;
        Ok((locker, path))
    }

    /// What is written goes to the drive, or nowhere; and not deeper than everything can follow it.
    async fn require_room_for(&self, path: &RelativePath, access: Access) -> Result<()> {
        if access == Access::Write {
            path.fit()?;
        }
        match access {
            Access::Read | Access::Lock => Ok(()),
            Access::Write | Access::Change => self.require_writable().await,
        }
    }

    /// The locker, and the folders of it that the principal may look into, each with whether he
    /// may write there; the root for who may use all of it.
    pub(crate) async fn open_to(
        &self,
        principal: &Principal,
        locker: LockerId,
    ) -> Result<(Locker, Vec<(RelativePath, bool)>)> {
        match self.accounts.locker(principal, locker).await {
            Ok(locker) => return Ok((locker, vec![(RelativePath::root(), true)])),
            Err(Error::NotFound(_)) if principal.is_person() => (),
            Err(error) => return Err(error),
        }
        let shares = self.shares_with(principal, locker).await?;
        let locker = self.accounts.any_locker(locker).await?;
        let may_write = principal.abilities.upload;
        let open =
            |share: Shared| (RelativePath::from_disk(share.path), share.may_write && may_write);
        Ok((locker, shares.into_iter().map(open).collect()))
    }

    /// Folders of a locker that are shared with the principal; `NotFound` if there are none.
    async fn shares_with(&self, principal: &Principal, locker: LockerId) -> Result<Vec<Shared>> {
        let shares = sqlx::query_as!(
            Shared,
            r#"select path, may_write as "may_write: bool" from folder_share
               where user_id = ? and locker_id = ?"#,
            principal.user.0,
            locker.0
        )
        .fetch_all(self.db.read())
        .await?;
        if shares.is_empty() { Err(Error::NotFound("Locker")) } else { Ok(shares) }
    }

    async fn reach_shared(
        &self,
        principal: &Principal,
        locker: LockerId,
        path: &RelativePath,
        access: Access,
    ) -> Result<(Locker, RelativePath)> {
        let shares = self.shares_with(principal, locker).await?;
        let locker = self.accounts.any_locker(locker).await?;
        let path = self.spelled(&locker, path).await?;
        let covering = shares.iter().filter(|share| path.is_within(&share.path));
        let share = covering
            .max_by_key(|share| (share.may_write, path.as_str() != share.path))
            .ok_or(Error::NotFound("File"))?;
        require(principal, share.may_write, access)?;
        if access == Access::Change && path.as_str() == share.path {
            return Err(Error::Forbidden(
                "Only its owner may move or remove a shared folder".to_owned(),
            ));
        }
        self.require_room_for(&path, access).await?;
        self.refuse_locked(principal, locker.id, &path, access).await?;
        Ok((locker, path))
    }
}

/// A shared folder of a locker.
struct Shared {
    path: String,
    may_write: bool,
}

fn require(principal: &Principal, may_write: bool, access: Access) -> Result<()> {
    let may_change = may_write && principal.abilities.upload && principal.is_person();
    if access == Access::Read || may_change {
        Ok(())
    } else {
        Err(Error::Forbidden("You may not add or change files here".to_owned()))
    }
}
