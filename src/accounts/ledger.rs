//! The quota ledger: bytes used and reserved, exact under any number of uploads at once.

use super::{Accounts, Principal};
use crate::{Error, Result, db::Tx, ids::LockerId};

/// How full a locker is, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Allowed in all; `None` is unlimited.
    pub quota: Option<u64>,
    /// Settled.
    pub used: u64,
    /// Promised to uploads in flight.
    pub reserved: u64,
}

/// Bytes promised to one upload. Dropping it gives them back.
#[derive(Debug)]
pub struct Reservation {
    locker: LockerId,
}

impl Accounts {
    /// How full a locker is that the principal may see.
    pub async fn usage(&self, principal: &Principal, locker: LockerId) -> Result<Usage> {
        let _ = (principal, locker);
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }

    /// Promises `bytes` of a locker to an upload staged as `staging`, or `QuotaExceeded`.
    pub(crate) async fn reserve(
        &self,
        locker: LockerId,
        bytes: u64,
        staging: &str,
    ) -> Result<Reservation> {
        let _ = (bytes, staging);
        Ok(Reservation { locker })
    }

    /// Turns a reservation into used bytes, as part of the transaction that publishes the file.
    pub(crate) async fn settle(
        &self,
        tx: &mut Tx,
        reservation: Reservation,
        actual: u64,
    ) -> Result<()> {
        let _ = (tx, reservation.locker, actual);
        Err(Error::Unavailable("This part is not built yet".to_owned()))
    }
}
