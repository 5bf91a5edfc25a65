//! What an upload stands on while its bytes come in: an account that may write to the place, room that
//! the quota of now allows, and a place where it is still wanted. Judged when it begins and when it is
//! published; between, every so many bytes, so that nobody sends the rest of a file in vain. It costs a
//! few reads of rows for each stretch, and refuses nothing that would be taken at the end.

use super::{Condition, Drive, RelativePath, exempt::Handover, reach::Access};
use crate::{
    Error, Result,
    accounts::{Charge, Principal},
    ids::{LockerId, UserId},
};

/// So many bytes come in at most before it is judged again.
const STRETCH: u64 = 4 * 1024 * 1024;

/// The ground of one upload.
pub(super) struct Ground {
    pub(super) user: UserId,
    pub(super) locker: LockerId,
    pub(super) path: RelativePath,
    /// What becomes of it at `path`.
    pub(super) becomes: Becomes,
    /// Bytes that may come in until the next judgement.
    pub(super) next: u64,
}

/// What an upload becomes.
pub(super) enum Becomes {
    /// A file, where the condition allows.
    File {
        condition: Condition,
        handover: Handover,
        /// Bytes in all, where that is known.
        declared: Option<u64>,
    },
    /// What is in it: an archive.
    Archive,
    /// A part of something, which may be of a shop, whose account need not be one that may upload.
    Part,
}

impl Ground {
    /// Of an upload of which so many bytes are there.
    pub(super) fn at(
        (user, locker): (UserId, LockerId),
        path: &RelativePath,
        becomes: Becomes,
        bytes: u64,
    ) -> Self {
        Self { user, locker, path: path.clone(), becomes, next: bytes.saturating_add(STRETCH) }
    }

    /// Judges it again when so many bytes call for it. `promised`: bytes that were promised to it.
    pub(super) async fn admit(&mut self, drive: &Drive, bytes: u64, promised: u64) -> Result<()> {
        if bytes < self.next {
            return Ok(());
        }
        self.next = bytes.saturating_add(STRETCH);
        self.judge(drive, bytes, promised).await
    }

    async fn judge(&self, drive: &Drive, bytes: u64, promised: u64) -> Result<()> {
        let principal = self.principal(drive).await?;
        let (locker, path) =
            drive.reach(&principal, self.locker, &self.path, Access::Write).await?;
        let Becomes::File { condition, handover, declared } = &self.becomes else {
            return Ok(());
        };
        let before = drive.row_as_it_lies(&locker, path.as_str()).await?;
        condition.require(before.as_ref().map(|row| row.etag.as_str()))?;
        let goes = before.map(|row| row.charge).unwrap_or_default();
        let size = declared.unwrap_or(bytes);
        // The same bytes as a file that does not count will not count either; whether they are is
        // known at the end.
        if size <= goes.exempt {
            return Ok(());
        }
        let comes =
            if handover.exempt.is_some() { Charge::exempt(size) } else { Charge::counted(size) };
        drive.accounts.require_settled(locker.id, promised, (comes, goes)).await
    }

    /// Who writes, as things are now.
    async fn principal(&self, drive: &Drive) -> Result<Principal> {
        let gone = || Error::Forbidden("This account may not add files any more".to_owned());
        let principal = match drive.accounts.enabled_principal(self.user).await {
            Err(Error::NotFound(_)) => return Err(gone()),
            principal => principal?,
        };
        let is_delivered = matches!(
            &self.becomes,
            Becomes::Part | Becomes::File { handover: Handover { item: Some(_), .. }, .. }
        );
        Ok(if is_delivered { principal.as_recipient() } else { principal })
    }
}
