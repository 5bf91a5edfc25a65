//! Uploads: staged, hashed, charged, published by rename.

use std::io;

use bytes::Bytes;
use futures_util::Stream;

use super::{Drive, RelativePath};
use crate::{Error, Result, accounts::Principal, ids::LockerId};

/// Where a file goes.
#[derive(Debug, Clone)]
pub struct Target {
    /// Which locker; [`crate::accounts::Accounts::lockers`] lists those that one may write to.
    pub locker: LockerId,
    /// Where in it.
    pub path: RelativePath,
    /// What must be true of what is there.
    pub condition: Condition,
}

/// What must be true of the target for the upload to go ahead.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Condition {
    /// Whatever is there is replaced.
    #[default]
    None,
    /// Nothing may be there (`If-None-Match: *`).
    Absent,
    /// One of these ETags must be there (`If-Match`).
    Match(Vec<String>),
}

/// A file that is safely stored.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Where it is, as the locker spells it.
    pub path: RelativePath,
    /// Bytes.
    pub size: u64,
    /// BLAKE3 of the whole file.
    pub hash: [u8; 32],
    /// Entity tag without quotes; changes with every replacement.
    pub etag: String,
    /// Whether nothing was there before.
    pub is_new: bool,
}

impl Drive {
    /// Takes a file in: reserved, staged, hashed, on disk and in place before this returns.
    /// Dropping the future gives everything back. `declared` is the length when it is known.
    pub async fn put(
        &self,
        principal: &Principal,
        target: &Target,
        declared: Option<u64>,
        body: impl Stream<Item = io::Result<Bytes>>,
    ) -> Result<Stored> {
        let _ = (principal, target, declared, body);
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }
}
