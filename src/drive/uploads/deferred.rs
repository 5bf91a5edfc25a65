//! Uploads whose length is told later: what arrives is promised step by step, until the client says
//! how much it is in all.

use super::{Row, wrapping};
use crate::{
    Error, Result,
    accounts::Principal,
    drive::{Drive, receive::STEP},
    ids::LockerId,
};

/// How many bytes an upload may have.
pub(super) enum Promise {
    /// So many, said at its beginning.
    Whole(u64),
    /// As many as there is room for.
    Growing {
        locker: LockerId,
        reservation: i64,
        /// Bytes promised so far.
        bytes: u64,
        /// Bytes that need no room: those that are replaced.
        credit: u64,
    },
}

impl Promise {
    /// Makes sure that so many bytes in all may be stored.
    pub(super) async fn admit(&mut self, drive: &Drive, all: u64) -> Result<()> {
        match self {
            Self::Whole(length) if all <= *length => Ok(()),
            Self::Whole(_) => {
                Err(Error::TooLarge("There are more bytes than were announced".to_owned()))
            }
            Self::Growing { locker, reservation, bytes, credit } => {
                let missing = all.saturating_sub(*credit).saturating_sub(*bytes);
                if missing == 0 {
                    return Ok(());
                }
                let accounts = &drive.accounts;
                let step = STEP.max(missing);
                if accounts.promise_more(*locker, *reservation, step).await.is_ok() {
                    *bytes += step;
                } else {
                    // Not a whole step, but perhaps what is really needed.
                    accounts.promise_more(*locker, *reservation, missing).await?;
                    *bytes += missing;
                }
                drive.sweep_gone().await
            }
        }
    }
}

impl Drive {
    pub(super) async fn promise_of(&self, row: &Row) -> Result<Promise> {
        if !row.state.is_deferred {
            return Ok(Promise::Whole(row.state.length));
        }
        let reservation = row.reservation.ok_or(Error::NotFound("Upload"))?;
        let bytes = self.accounts.promised(reservation).await?;
        let credit = self.credit_of(row, row.state.length).await?;
        Ok(Promise::Growing { locker: row.locker, reservation, bytes, credit })
    }

    /// Bytes of an upload that need no room.
    async fn credit_of(&self, row: &Row, length: u64) -> Result<u64> {
        if row.unpacks {
            return Ok(wrapping(length.max(1 << 20)));
        }
        self.renew_credit(row).await
    }

    /// Says how long an upload is that began without a length. Its room is promised now, or it is
    /// refused and stays as it is. Saying the same again is fine.
    pub async fn set_upload_length(
        &self,
        principal: &Principal,
        id: &str,
        length: u64,
    ) -> Result<()> {
        self.own_upload(principal, id).await?;
        let (writer, _) = self.uploads.enter(id);
        let _turn = writer.turn.lock().await;
        let row = self.own_upload(principal, id).await?;
        if !row.state.is_deferred {
            return if row.state.length == length {
                Ok(())
            } else {
                Err(Error::Invalid("The length of an upload is said once".to_owned()))
            };
        }
        if length < row.state.offset {
            return Err(Error::Invalid("More bytes than these have arrived".to_owned()));
        }
        let amount = i64::try_from(length)
            .map_err(|_| Error::Invalid("That size is not possible".to_owned()))?;
        let reservation = row.reservation.ok_or(Error::NotFound("Upload"))?;
        let needed = length.saturating_sub(self.credit_of(&row, length).await?);
        let promised = self.accounts.promised(reservation).await?;
        let missing = needed.saturating_sub(promised);
        self.accounts.promise_more(row.locker, reservation, missing).await?;
        let mut tx = self.db.write().await?;
        sqlx::query!(
            "update upload set length = ?, is_deferred = 0 where upload_id = ?",
            amount,
            id
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.sweep_gone().await
    }
}
