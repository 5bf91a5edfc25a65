//! What an upload stands on while more of it comes in, and whether it may go on.

use super::{Row, deferred::Promise};
use crate::{
    Error, Result,
    drive::{
        Drive,
        ground::{Becomes, Ground},
    },
};

impl Row {
    /// What it stands on while more comes in.
    pub(super) fn ground(&self) -> Ground {
        let becomes = if self.state.is_part {
            Becomes::Part
        } else if self.unpacks {
            Becomes::Archive
        } else {
            Becomes::File {
                condition: self.target().condition,
                handover: self.handover.clone(),
                declared: (!self.state.is_deferred).then_some(self.state.length),
            }
        };
        let whose = (self.user, self.locker);
        Ground::at(whose, &self.target().path, becomes, self.state.offset)
    }
}

impl Drive {
    /// Whether it is still wanted when so many bytes are there: not given up, and on firm ground.
    pub(super) async fn may_go_on(
        &self,
        row: &Row,
        ground: &mut Ground,
        bytes: u64,
        promise: &Promise,
    ) -> Result<()> {
        if bytes < ground.next {
            return Ok(());
        }
        if self.upload_row(&row.id).await?.is_none() {
            return Err(Error::NotFound("Upload"));
        }
        let promised = match (promise, row.reservation) {
            (Promise::Growing { bytes, .. }, _) => *bytes,
            (Promise::Whole(_), Some(reservation)) => self.accounts.promised(reservation).await?,
            (Promise::Whole(_), None) => 0,
        };
        ground.admit(self, bytes, promised).await
    }
}
